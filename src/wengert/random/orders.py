"""Random orders and samples of what is given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import wengert.numpy as wnp
from wengert.errors import WengertValueError
from wengert.random.continuous import gumbel, uniform
from wengert.random.discrete import randint
from wengert.random.drawing import as_shape, parameter, words
from wengert.tracing.lifting import is_traced


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Any:
    """An array in random order, or the integers below x in random order.

    Parameters
    ----------
    key
        A key.
    x
        An integer, or an array.
    axis
        Of the array, whose elements change places.
    independent
        Whether each line along the axis has an order of its own.

    Returns
    -------
    Array of the same shape and dtype. It is linear in x, and differentiates.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import random
    >>> np.sort(random.permutation(random.key(0), 5))
    array([0, 1, 2, 3, 4])
    """
    x = parameter(x)
    if not np.ndim(x):
        x = np.arange(int(x))
    axis = range(x.ndim)[axis]
    if independent:
        (drawn,) = words(key, x.shape)
        return np.take_along_axis(x, np.argsort(drawn, axis=axis, kind="stable"), axis)
    (drawn,) = words(key, (x.shape[axis],))
    return wnp.take(x, np.argsort(drawn, kind="stable"), axis=axis)


def choice(
    key: Any, a: Any, shape: Any = (), replace: bool = True, p: Any = None, axis: int = 0
) -> Any:
    """Random elements of an array, or random integers below a.

    Parameters
    ----------
    key
        A key.
    a
        An integer, or an array.
    shape
        How many are taken, in which shape; this stands in the place of the axis.
    replace
        Whether an element may be taken again.
    p
        Probabilities of the elements, which are divided by their sum; by default all are equal.
    axis
        Of the array, along which its elements lie.

    Returns
    -------
    Array. It is linear in a, and differentiates. Without replacement it holds the largest of
    log p + Gumbel's numbers (Vieira 2014; Kool et al. 2019).

    Raises
    ------
    WengertValueError
        There are fewer elements than are to be taken without replacement, or none.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import random
    >>> np.sort(random.choice(random.key(0), np.array([2.0, 3.0, 4.0]), (3,), replace=False))
    array([2., 3., 4.])
    """
    a, given = parameter(a), as_shape(shape)
    count, taken = (a.shape[axis] if np.ndim(a) else int(a)), math.prod(given)
    if taken and (not count or (not replace and taken > count)):
        raise WengertValueError(f"{taken} elements cannot be taken of {count} without replacement")
    places = _places(key, count, given, replace, p)
    return wnp.take(a, places, axis=axis) if np.ndim(a) else places


def _places(key: Any, count: int, shape: tuple[int, ...], replace: bool, p: Any) -> Any:
    if p is None:
        if replace:
            return randint(key, shape, 0, count)
        return permutation(key, count)[: math.prod(shape)].reshape(shape)
    p = parameter(p)
    if np.shape(p) != (count,):
        raise WengertValueError(f"p has shape {np.shape(p)}, but there are {count} elements")
    if not is_traced(p) and not (np.all(p >= 0) and np.sum(p) > 0):
        raise WengertValueError("p holds probabilities: at least 0, and not all of them 0")
    if replace:
        ends = np.cumsum(p)
        return np.searchsorted(ends, ends[-1] * uniform(key, shape), side="right")
    with np.errstate(divide="ignore"):
        order = np.argsort(-(np.log(p) + gumbel(key, (count,))))
    return order[: math.prod(shape)].reshape(shape)
