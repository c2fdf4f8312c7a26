"""Keys, new keys of old ones, and random bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import WengertTypeError
from wengert.numpy.dispatch import apply
from wengert.ops.random import WORDS, threefry
from wengert.random.drawing import as_shape, checked_key, words
from wengert.tracing.tracer import Tracer


def key(seed: Any) -> Any:
    """The key of a seed.

    Parameters
    ----------
    seed
        An integer; only its last 64 bits count.

    Returns
    -------
    The key, a uint64.

    Examples
    --------
    >>> from wengert import random
    >>> random.key(42)
    np.uint64(42)
    """
    if isinstance(seed, int) and not isinstance(seed, bool):
        return np.uint64(seed % 2**64)
    if getattr(seed, "dtype", np.dtype(float)).kind in "iu" and not np.shape(seed):
        return seed.astype(WORDS)
    raise WengertTypeError(f"the seed of a key is an integer, not {seed!r:.100}")


def _hashed(key: Any, data: Any) -> Any:
    if type(key) is Tracer or type(data) is Tracer:
        return apply("threefry", key, data)
    return threefry(key, data)[()]


def split(key: Any, num: Any = 2) -> Any:
    """New keys of a key, which is not to be used again.

    Parameters
    ----------
    key
        A key.
    num
        How many, or the shape of an array of them.

    Returns
    -------
    uint64 array of that shape.

    Examples
    --------
    >>> from wengert import random
    >>> first, second = random.split(random.key(0))
    >>> random.split(first, (2, 3)).shape
    (2, 3)
    """
    (drawn,) = words(key, as_shape(num))
    return drawn


def fold_in(key: Any, data: Any) -> Any:
    """A new key of a key and a number: of a step, a row, a worker.

    Parameters
    ----------
    key
        A key.
    data
        An integer, which may be traced. `fold_in(key, i)` is `split(key, n)[i]` for all n > i.

    Returns
    -------
    The key, a uint64.

    Examples
    --------
    >>> from wengert import random
    >>> random.fold_in(random.key(0), 3) == random.split(random.key(0), 5)[3]
    np.True_
    """
    checked_key(key)
    if isinstance(data, int) and not isinstance(data, bool):
        data = np.uint64(data % 2**64)
    elif getattr(data, "dtype", np.dtype(float)).kind not in "iu" or np.shape(data):
        raise WengertTypeError(f"fold_in needs an integer, not {data!r:.100}")
    return _hashed(key, data.astype(WORDS))


def bits(key: Any, shape: Any = (), dtype: Any = np.uint64) -> Any:
    """Random bits.

    Parameters
    ----------
    key
        A key.
    shape
        The shape of the result.
    dtype
        An unsigned integer dtype; a shorter one gets the upper bits of uint64.

    Returns
    -------
    Array of that shape and dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import random
    >>> random.bits(random.key(0), (2,), np.uint8).dtype
    dtype('uint8')
    """
    dtype = np.dtype(dtype)
    if dtype.kind != "u":
        raise WengertTypeError(f"random bits are unsigned integers, not {dtype}")
    (drawn,) = words(key, as_shape(shape))
    unused = 64 - 8 * dtype.itemsize
    return (drawn >> np.uint64(unused)).astype(dtype) if unused else drawn
