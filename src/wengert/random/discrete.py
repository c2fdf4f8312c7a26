"""Distributions of integers and booleans. Their draws are constant wherever they are continuous in
the parameters: they have the derivative zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.numpy.dispatch import apply
from wengert.ops.random import WORDS, quantile_of
from wengert.random.continuous import gumbel
from wengert.random.drawing import (
    as_floats,
    as_shape,
    float_dtype,
    full_shape,
    parameter,
    uniforms,
    words,
)
from wengert.tracing.lifting import is_traced


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None) -> Any:
    """Booleans that are true with probability p.

    Parameters
    ----------
    key
        A key.
    p
        The probability.
    shape
        Of the result; by default that of p.

    Returns
    -------
    Boolean array of that shape.

    Examples
    --------
    >>> from wengert import random
    >>> random.bernoulli(random.key(0), 0.25, (1000,)).sum()
    np.int64(272)
    """
    p = parameter(p)
    full = full_shape(shape, p)
    (word,) = words(key, full, 1, p)
    return (word >> np.uint64(11)).astype(np.float64) * 2.0**-53 < p


def rademacher(key: Any, shape: Any = (), dtype: Any = np.float64) -> Any:
    """−1 or 1, equally often.

    Parameters
    ----------
    key
        A key.
    shape, dtype
        Of the result.

    Returns
    -------
    Array of that shape and dtype.

    Examples
    --------
    >>> from wengert import random
    >>> abs(random.rademacher(random.key(0), (3,)))
    array([1., 1., 1.])
    """
    (word,) = words(key, as_shape(shape))
    return (2 * (word >> np.uint64(63)).astype(np.int8) - 1).astype(dtype)


def randint(key: Any, shape: Any, minval: Any, maxval: Any, dtype: Any = np.int64) -> Any:
    """Integers of minval, …, maxval − 1, equally often.

    Parameters
    ----------
    key
        A key.
    shape
        Of the result; None is that of the ends.
    minval, maxval
        The ends, which broadcast.
    dtype
        Of the result, an integer dtype.

    Returns
    -------
    Array of that shape and dtype. Of 64 random bits the rest of the division by the number n of
    values is taken: their probabilities differ by no more than n/2⁶⁴ of themselves.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import random
    >>> np.unique(random.randint(random.key(0), (1000,), -2, 3))
    array([-2, -1,  0,  1,  2])
    """
    dtype = np.dtype(dtype)
    low, high = (_whole(end, "randint") for end in (minval, maxval))
    if dtype.kind not in "iu":
        raise WengertTypeError(f"randint draws integers, not {dtype}")
    if not is_traced(low) and not is_traced(high) and np.any(np.asarray(low) >= np.asarray(high)):
        raise WengertValueError(f"randint: no integer lies in [{minval}, {maxval})")
    (word,) = words(key, full_shape(shape, low, high), 1, low, high)
    rest = np.remainder(word, (high - low).astype(WORDS))
    return (rest.astype(np.int64) + low).astype(dtype)


def _whole(value: Any, function: str) -> Any:
    value = parameter(value)
    if isinstance(value, int):
        return np.int64(value)
    if getattr(value, "dtype", np.dtype(float)).kind not in "iu":
        raise WengertTypeError(f"{function} needs integers, not {value!r:.100}")
    return value.astype(np.int64)


def categorical(key: Any, logits: Any, axis: int = -1, shape: Any = None) -> Any:
    """Indices along an axis, with the probabilities exp(logits) divided by their sum.

    Parameters
    ----------
    key
        A key.
    logits
        Logarithms of weights, −inf for what never occurs.
    axis
        Along which the categories lie.
    shape
        Of the result, which ends in the shape of the logits without that axis; by default that.

    Returns
    -------
    int64 array: where logits + Gumbel's numbers are largest (Gumbel 1954; Maddison et al. 2014).

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import random
    >>> random.categorical(random.key(0), [-np.inf, 0.0, -np.inf], shape=(4,))
    array([1, 1, 1, 1])
    """
    logits = parameter(logits)
    axis = range(logits.ndim)[axis] - logits.ndim
    batch = (*logits.shape[:axis], *(logits.shape[axis + 1 :] if axis < -1 else ()))
    given = batch if shape is None else as_shape(shape)
    lead = given[: len(given) - len(batch)]
    if (*lead, *batch) != given:
        raise WengertValueError(
            f"the shape {given} of the draw does not end in that of the logits, {batch}"
        )
    noise = gumbel(key, (*lead, *logits.shape), float_dtype(None, logits))
    return np.argmax(noise + logits, axis=axis)


def poisson(key: Any, lam: Any, shape: Any = None) -> Any:
    """Poisson numbers of mean lam.

    Parameters
    ----------
    key
        A key.
    lam
        The mean, at least 0.
    shape
        Of the result; by default that of the mean.

    Returns
    -------
    int64 array: the inverse of the distribution function at uniform numbers; −1 where lam is out of
    range.

    Examples
    --------
    >>> from wengert import random
    >>> random.poisson(random.key(0), 4.0, (3,)).dtype
    dtype('int64')
    """
    return _inverse("poisson", key, shape, lam)


def binomial(key: Any, n: Any, p: Any, shape: Any = None) -> Any:
    """How many of n trials succeed, each with probability p.

    Parameters
    ----------
    key
        A key.
    n, p
        The number of trials and the probability.
    shape
        Of the result; by default that of the parameters.

    Returns
    -------
    int64 array: the inverse of the distribution function at uniform numbers; −1 where a parameter
    is out of range.

    Examples
    --------
    >>> from wengert import random
    >>> random.binomial(random.key(0), 10, 1.0, (3,))
    array([10, 10, 10])
    """
    return _inverse("binomial", key, shape, n, p)


def _inverse(name: str, key: Any, shape: Any, *parameters: Any) -> Any:
    given = [as_floats(parameter(value), np.dtype(np.float64)) for value in parameters]
    (u,) = uniforms(key, full_shape(shape, *given), np.float64, 1, *given)
    if is_traced(u):
        full = [np.broadcast_to(value, u.shape) for value in given]
        return apply("quantile", u, *full, of=name)
    return quantile_of(name, u, *given)[()]
