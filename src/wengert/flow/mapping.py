"""`map`: a function of one entry on all of them, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import optree

from wengert.derivatives.batching import vmap
from wengert.errors import WengertValueError
from wengert.flow.scans import number_of_steps, scan
from wengert.tracing.trees import NAMESPACE, flatten, unflatten


def map(f: Callable[[Any], Any], xs: Any, batch_size: int | None = None) -> Any:
    """A function on each of the entries of the first axis, one after the other: a loop that needs
    the memory of one step, where `vmap` does all at once.

    batch_size: how many entries are done at once, by `vmap`.

    >>> import numpy as np, wengert as wg
    >>> wg.map(lambda x: x**2, np.array([1.0, 2.0, 3.0]))
    array([1., 4., 9.])
    """
    if batch_size is None:
        return scan(lambda _, x: (None, f(x)), None, xs)[1]
    if batch_size < 1:
        raise WengertValueError(f"batch_size must be positive, and is {batch_size}")
    leaves, spec = flatten(xs)
    count = number_of_steps(leaves, None)
    whole = count // batch_size * batch_size
    blocks = [
        np.reshape(leaf[:whole], (count // batch_size, batch_size, *np.shape(leaf)[1:]))
        for leaf in leaves
    ]
    many = scan(lambda _, x: (None, vmap(f)(x)), None, unflatten(spec, blocks))[1]
    flat = _each(lambda y: np.reshape(y, (whole, *np.shape(y)[2:])), many)
    if whole == count:
        return flat
    rest = vmap(f)(unflatten(spec, [leaf[whole:] for leaf in leaves]))
    return _each(lambda a, b: np.concatenate([a, b]), flat, rest)


def _each(function: Callable[..., Any], *trees: Any) -> Any:
    return optree.tree_map(function, *trees, namespace=NAMESPACE)
