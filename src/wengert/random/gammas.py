"""The gamma distribution and what is made of its draws.

A draw is the inverse of the distribution function at a uniform number, so that it is a smooth
function of the shape parameter at a fixed key, and its derivative is the implicit one,
dx/da = −(∂P/∂a)/(∂P/∂x) for P(a, x) = u (Figurnov, Mohamed and Mnih, *Implicit reparameterization
gradients*, 2018). A draw by rejection would be faster, but where a draw is rejected depends on the
parameters: it jumps, and differences of it are not that derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import lazy
from wengert.derivatives.stopping import stop_gradient
from wengert.errors import WengertValueError
from wengert.random.continuous import normal
from wengert.random.drawing import (
    as_floats,
    as_shape,
    float_dtype,
    full_shape,
    moved,
    parameter,
    uniforms,
)
from wengert.random.keys import split


def loggamma(key: Any, a: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Logarithms of gamma numbers: finite where the numbers themselves would be 0 for small a.

    Parameters
    ----------
    key
        A key.
    a
        The shape parameter, above 0 (else NaN).
    shape, dtype
        Of the result; by default those of the parameter.

    Returns
    -------
    Array of that shape. Where a < 1, the draw is that of a + 1 plus log(v)/a for a uniform v
    (Marsaglia and Tsang 2000, section 6).

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import random
    >>> bool(np.isfinite(random.loggamma(random.key(0), 1e-4, (100,))).all())
    True
    """
    a = parameter(a)
    full, dtype = full_shape(shape, a), float_dtype(dtype, a)
    u, v = uniforms(key, full, dtype, 2, a)
    a = as_floats(a, dtype)
    small = a < 1
    raised = np.where(small, a + 1, a)
    whole = np.log(lazy.module("scipy.special").gammaincinv(raised, u))
    return np.where(small, whole + np.log(v) / np.where(small, a, 1), whole)


def gamma(key: Any, a: Any, shape: Any = None, dtype: Any = None, scale: Any = 1.0) -> Any:
    """Gamma numbers of shape a and mean a · scale.

    Parameters
    ----------
    key
        A key.
    a, scale
        The shape parameter, above 0 (else NaN), and the scale.
    shape, dtype
        Of the result; by default those of the parameters.

    Returns
    -------
    Array of that shape.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> from wengert import random
    >>> total = lambda a: np.sum(random.gamma(random.key(0), a, (10_000,)))
    >>> round(wg.grad(total)(3.0) / 10_000, 1)  # the mean is a
    np.float64(1.0)
    """
    a, scale = parameter(a), parameter(scale)
    full, dtype = full_shape(shape, a, scale), float_dtype(dtype, a, scale)
    return moved(np.exp(loggamma(key, a, full, dtype)), 0.0, scale)


def chisquare(key: Any, df: Any, shape: Any = None, dtype: Any = None) -> Any:
    """χ² numbers of df degrees of freedom.

    Parameters
    ----------
    key
        A key.
    df
        The degrees of freedom, above 0 (else NaN).
    shape, dtype
        Of the result; by default those of the parameter.

    Returns
    -------
    Array of that shape.

    Examples
    --------
    >>> from wengert import random
    >>> random.chisquare(random.key(0), 3.0, (2,)).shape
    (2,)
    """
    return 2.0 * gamma(key, 0.5 * parameter(df), shape, dtype)


def beta(key: Any, a: Any, b: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Beta numbers: x/(x + y) for gamma numbers x and y of shapes a and b.

    Parameters
    ----------
    key
        A key.
    a, b
        The parameters, above 0 (else NaN).
    shape, dtype
        Of the result; by default those of the parameters.

    Returns
    -------
    Array of that shape.

    Examples
    --------
    >>> from wengert import random
    >>> x = random.beta(random.key(0), 0.01, 0.01, (100,))
    >>> bool(((x >= 0) & (x <= 1)).all())
    True
    """
    a, b = parameter(a), parameter(b)
    full, dtype = full_shape(shape, a, b), float_dtype(dtype, a, b)
    first, second = split(key)
    x, y = loggamma(first, a, full, dtype), loggamma(second, b, full, dtype)
    return lazy.module("scipy.special").expit(x - y)


def t(
    key: Any,
    df: Any,
    shape: Any = None,
    dtype: Any = None,
    loc: Any = 0.0,
    scale: Any = 1.0,
) -> Any:
    """Student's t: loc + scale · z·√(df/χ²) for a normal z.

    Parameters
    ----------
    key
        A key.
    df
        The degrees of freedom, above 0 (else NaN).
    shape, dtype
        Of the result; by default those of the parameters.
    loc, scale
        The median and the scale.

    Returns
    -------
    Array of that shape.

    Examples
    --------
    >>> from wengert import random
    >>> random.t(random.key(0), 4.0, (2,)).shape
    (2,)
    """
    df, loc, scale = map(parameter, (df, loc, scale))
    full, dtype = full_shape(shape, df, loc, scale), float_dtype(dtype, df, loc, scale)
    first, second = split(key)
    half = 0.5 * as_floats(df, dtype)
    stretch = np.exp(0.5 * (np.log(half) - loggamma(second, half, full, dtype)))
    return moved(normal(first, full, dtype) * stretch, loc, scale)


def dirichlet(key: Any, alpha: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Points of the simplex: gamma numbers of shapes alpha, divided by their sum.

    Parameters
    ----------
    key
        A key.
    alpha
        The parameters along the last axis, above 0 (else NaN).
    shape
        Of the result without its last axis; by default that of alpha without it.
    dtype
        Of the result; by default that of alpha.

    Returns
    -------
    Array of shape (*shape, alpha.shape[-1]); its sums over the last axis are 1.

    Examples
    --------
    >>> import numpy as np
    >>> from wengert import random
    >>> x = random.dirichlet(random.key(0), np.array([1.0, 2.0, 3.0]), (5,))
    >>> x.shape, bool(np.allclose(x.sum(axis=-1), 1))
    ((5, 3), True)
    """
    alpha = parameter(alpha)
    if not np.ndim(alpha):
        raise WengertValueError("the parameters of dirichlet stand along an axis: alpha is 0-d")
    full = None if shape is None else (*as_shape(shape), alpha.shape[-1])
    logs = loggamma(key, alpha, full, dtype)
    powers = np.exp(logs - stop_gradient(np.max(logs, axis=-1, keepdims=True)))
    return powers / np.sum(powers, axis=-1, keepdims=True)
