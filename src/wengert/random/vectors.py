"""Distributions of vectors and matrices."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.random.continuous import exponential, laplace, normal
from wengert.random.discrete import rademacher
from wengert.random.drawing import as_shape, float_dtype, full_shape, parameter
from wengert.random.gammas import loggamma
from wengert.random.keys import split


def multivariate_normal(key: Any, mean: Any, cov: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Normal vectors: mean + L z for the Cholesky factor L of the covariance.

    Parameters
    ----------
    key
        A key.
    mean
        Array of shape (..., n).
    cov
        Positive definite matrices, an array of shape (..., n, n).
    shape
        Of the result without its last axis; by default that to which the parameters broadcast.
    dtype
        Of the result; by default that of the parameters.

    Returns
    -------
    Array of shape (*shape, n).

    Raises
    ------
    numpy.linalg.LinAlgError
        The covariance is not positive definite.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import random
    >>> random.multivariate_normal(random.key(0), np.zeros(2), np.eye(2), (5,)).shape
    (5, 2)
    """
    mean, cov = parameter(mean), parameter(cov)
    if np.ndim(mean) < 1 or np.ndim(cov) < 2 or cov.shape[-2:] != (mean.shape[-1],) * 2:
        raise WengertValueError(
            "multivariate_normal needs a mean of shape (..., n) and a covariance of shape "
            f"(..., n, n), not {np.shape(mean)} and {np.shape(cov)}"
        )
    size = mean.shape[-1]
    lead = np.broadcast_shapes(mean.shape[:-1], cov.shape[:-2])
    wanted = lead if shape is None else as_shape(shape)
    full = full_shape((*wanted, size), mean, np.broadcast_to(np.int8(0), (*lead, 1)))
    z = normal(key, full, float_dtype(dtype, mean, cov))
    return mean + np.matmul(np.linalg.cholesky(cov), z[..., None])[..., 0]


def orthogonal(key: Any, n: int, shape: Any = (), dtype: Any = None) -> Any:
    """Orthogonal matrices, uniform with respect to Haar's measure.

    Parameters
    ----------
    key
        A key.
    n
        Rows and columns.
    shape
        Of the result without its last two axes.
    dtype
        Of the result, by default float64.

    Returns
    -------
    Array of shape (*shape, n, n): Q of the QR factors of normal matrices, its columns signed as
    the diagonal of R (Mezzadri 2007).

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import random
    >>> q = random.orthogonal(random.key(0), 3)
    >>> bool(np.allclose(q.T @ q, np.eye(3)))
    True
    """
    n = operator.index(n)
    q, r = np.linalg.qr(normal(key, (*as_shape(shape), n, n), float_dtype(dtype)))
    sign = np.where(np.diagonal(r, 0, -2, -1) < 0, -1, 1).astype(q.dtype)
    return q * sign[..., None, :]


def ball(key: Any, d: int, p: Any = 2.0, shape: Any = (), dtype: Any = None) -> Any:
    """Points of the unit ball of the p-norm in d dimensions, uniform in it.

    Parameters
    ----------
    key
        A key.
    d
        Dimensions.
    p
        Of the norm, above 0.
    shape
        Of the result without its last axis.
    dtype
        Of the result, by default that of p.

    Returns
    -------
    Array of shape (*shape, d): g / (Σ|g|ᵖ + e)^(1/p) for g of density ∝ exp(−|g|ᵖ) and an
    exponential number e (Barthe, Guédon, Mendelson and Naor 2005).

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import random
    >>> points = random.ball(random.key(0), 3, shape=(100,))
    >>> bool((np.linalg.norm(points, axis=-1) < 1).all())
    True
    """
    lead, dtype = as_shape(shape), float_dtype(dtype, parameter(p))
    first, second, third = split(key, 3)
    full = (*lead, operator.index(d))
    e = exponential(first, (*lead, 1), dtype)
    if type(p) is float and p == 2.0:
        g = normal(second, full, dtype) * math.sqrt(0.5)
    elif type(p) is float and p == 1.0:
        g = laplace(second, full, dtype)
    else:
        powers = np.exp(loggamma(second, np.broadcast_to(1 / p, full), full, dtype) / p)
        g = powers * rademacher(third, full, dtype)
    return g / (np.sum(np.abs(g) ** p, axis=-1, keepdims=True) + e) ** (1 / p)
