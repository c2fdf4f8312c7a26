"""Distributions whose draws are functions of one or two uniform numbers.

Common to all: `shape` is that of the result, by default the shape to which the parameters
broadcast; `dtype` is float64 or float32, by default that of the parameters. The derivative by a
parameter is that of the draw at a fixed key.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert import lazy
from wengert.random.drawing import (
    as_floats,
    float_dtype,
    full_shape,
    moved,
    parameter,
    uniforms,
    words,
)


def _prepared(
    key: Any, shape: Any, dtype: Any, loc: Any, scale: Any, each: int = 1
) -> tuple[Any, Any, list[Any]]:
    """Location and scale as arrays, and uniform numbers of (0, 1)."""
    loc, scale = parameter(loc), parameter(scale)
    full = full_shape(shape, loc, scale)
    return loc, scale, uniforms(key, full, float_dtype(dtype, loc, scale), each, loc, scale)


def uniform(
    key: Any, shape: Any = None, dtype: Any = None, minval: Any = 0.0, maxval: Any = 1.0
) -> Any:
    """Uniform numbers of [minval, maxval).

    Parameters
    ----------
    key
        A key.
    shape, dtype
        Of the result; by default those of the ends.
    minval, maxval
        The ends, which broadcast.

    Returns
    -------
    Array of that shape: minval + (maxval − minval)·k/2⁵³ for a uniform integer k (2²⁴ in float32).

    Examples
    --------
    >>> from wengert import random
    >>> random.uniform(random.key(0), (2, 3)).shape
    (2, 3)
    """
    low, high = parameter(minval), parameter(maxval)
    full, dtype = full_shape(shape, low, high), float_dtype(dtype, low, high)
    (drawn,) = words(key, full, 1, low, high)
    digits = np.finfo(dtype).nmant + 1
    u = (drawn >> np.uint64(64 - digits)).astype(dtype) * 2.0**-digits
    if type(low) is float and type(high) is float:
        return moved(u, low, high - low)
    return low + (high - low) * u


def normal(key: Any, shape: Any = None, dtype: Any = None, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """Normal numbers with mean `loc` and standard deviation `scale`, which broadcast.

    Parameters
    ----------
    key
        A key.
    shape, dtype
        Of the result; by default those of the parameters.
    loc, scale
        The mean and the standard deviation.

    Returns
    -------
    Array of that shape: loc + scale·√(−2 log u)·cos 2πv for uniform u and v (Box and Muller 1958),
    which in float64 reaches to 8.5 standard deviations.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> from wengert import random
    >>> draw = lambda loc: random.normal(random.key(1), (4,), loc=loc)
    >>> wg.grad(lambda loc: np.sum(draw(loc)))(0.5)
    np.float64(4.0)
    """
    loc, scale, (u, v) = _prepared(key, shape, dtype, loc, scale, 2)
    return moved(np.sqrt(-2.0 * np.log(u)) * np.cos(2 * math.pi * v), loc, scale)


def exponential(key: Any, shape: Any = None, dtype: Any = None, scale: Any = 1.0) -> Any:
    """Exponential numbers of mean `scale`: −scale·log u.

    Parameters
    ----------
    key
        A key.
    shape, dtype
        Of the result; by default those of the scale.
    scale
        The mean.

    Returns
    -------
    Array of that shape.

    Examples
    --------
    >>> from wengert import random
    >>> bool(random.exponential(random.key(0), (100,)).min() > 0)
    True
    """
    _, scale, (u,) = _prepared(key, shape, dtype, 0.0, scale)
    return moved(-np.log(u), 0.0, scale)


def laplace(
    key: Any, shape: Any = None, dtype: Any = None, loc: Any = 0.0, scale: Any = 1.0
) -> Any:
    """Laplace's double exponential numbers: the inverse of the distribution function at u.

    Parameters
    ----------
    key
        A key.
    shape, dtype
        Of the result; by default those of the parameters.
    loc, scale
        The mean, and the mean distance from it.

    Returns
    -------
    Array of that shape.

    Examples
    --------
    >>> from wengert import random
    >>> random.laplace(random.key(0), loc=[0.0, 1.0, 2.0]).shape
    (3,)
    """
    loc, scale, (u,) = _prepared(key, shape, dtype, loc, scale)
    lower = u < 0.5
    side = np.log(2.0 * np.where(lower, u, 1.0 - u))
    return moved(np.where(lower, side, -side), loc, scale)


def logistic(
    key: Any, shape: Any = None, dtype: Any = None, loc: Any = 0.0, scale: Any = 1.0
) -> Any:
    """Logistic numbers: loc + scale·log(u/(1 − u)).

    Parameters
    ----------
    key
        A key.
    shape, dtype
        Of the result; by default those of the parameters.
    loc, scale
        The mean, and the scale, which is √3/π standard deviations.

    Returns
    -------
    Array of that shape.

    Examples
    --------
    >>> from wengert import random
    >>> random.logistic(random.key(0), (2,)).shape
    (2,)
    """
    loc, scale, (u,) = _prepared(key, shape, dtype, loc, scale)
    return moved(np.log(u) - np.log1p(-u), loc, scale)


def cauchy(key: Any, shape: Any = None, dtype: Any = None, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """Cauchy's numbers: loc + scale·tan π(u − ½).

    Parameters
    ----------
    key
        A key.
    shape, dtype
        Of the result; by default those of the parameters.
    loc, scale
        The median, and half the distance between the quartiles.

    Returns
    -------
    Array of that shape.

    Examples
    --------
    >>> from wengert import random
    >>> random.cauchy(random.key(0), (2,)).shape
    (2,)
    """
    loc, scale, (u,) = _prepared(key, shape, dtype, loc, scale)
    return moved(np.tan(math.pi * (u - 0.5)), loc, scale)


def gumbel(key: Any, shape: Any = None, dtype: Any = None, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """Gumbel's numbers, of the largest of many: loc − scale·log(−log u).

    Parameters
    ----------
    key
        A key.
    shape, dtype
        Of the result; by default those of the parameters.
    loc, scale
        The mode and the scale.

    Returns
    -------
    Array of that shape.

    Examples
    --------
    >>> from wengert import random
    >>> random.gumbel(random.key(0), (2,)).shape
    (2,)
    """
    loc, scale, (u,) = _prepared(key, shape, dtype, loc, scale)
    return moved(-np.log(-np.log(u)), loc, scale)


def truncated_normal(
    key: Any,
    lower: Any,
    upper: Any,
    shape: Any = None,
    dtype: Any = None,
    loc: Any = 0.0,
    scale: Any = 1.0,
) -> Any:
    """Normal numbers between two ends, given the rest of the line does not occur.

    Parameters
    ----------
    key
        A key.
    lower, upper
        The ends in standard deviations from the mean, as those of `scipy.stats.truncnorm`; they
        broadcast, and the draw has derivatives by them.
    shape, dtype
        Of the result; by default those of the parameters.
    loc, scale
        The mean and the standard deviation of the whole normal distribution.

    Returns
    -------
    Array of that shape: Φ⁻¹((1 − u) Φ(lower) + u Φ(upper)), in logarithms, and from the left where
    the interval lies right of the mean, so that intervals far in a tail are drawn from as well.

    Examples
    --------
    >>> from wengert import random
    >>> x = random.truncated_normal(random.key(0), 9.0, 10.0, (100,))
    >>> bool(x.min() >= 9), bool(x.max() <= 10)
    (True, True)
    """
    special = lazy.module("scipy.special")
    lower, upper, loc, scale = map(parameter, (lower, upper, loc, scale))
    full = full_shape(shape, lower, upper, loc, scale)
    dtype = float_dtype(dtype, lower, upper, loc, scale)
    (u,) = uniforms(key, full, dtype, 1, lower, upper, loc, scale)
    lower, upper = as_floats(lower, dtype), as_floats(upper, dtype)
    right = lower > 0
    left_end, right_end = np.where(right, -upper, lower), np.where(right, -lower, upper)
    weights = np.log1p(-u) + special.log_ndtr(left_end), np.log(u) + special.log_ndtr(right_end)
    inside = special.ndtri_exp(np.logaddexp(*weights))
    inside = np.clip(inside, left_end, right_end)  # what rounding has moved out
    return moved(np.where(right, -inside, inside), loc, scale)
