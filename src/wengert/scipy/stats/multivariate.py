"""Distributions of vectors and matrices: their densities on tracers, with SciPy's signatures.

Covariances and scale matrices are taken apart by Cholesky's factors, so they must be positive
definite: of a singular one (`allow_singular=True`) there is no derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special, stats

from wengert.errors import Unsupported, WengertValueError
from wengert.numpy.dispatch import apply, as_tracer
from wengert.scipy.stats.calls import Distribution
from wengert.tracing.lifting import find_session
from wengert.tracing.tracer import Tracer

Rule = Callable[..., Any]


def floats(*values: Any) -> list[Any]:
    """All values as float64 tracers; None stays None."""
    session = find_session(*values)
    assert session is not None
    return [None if v is None else as_tracer(v, session).astype(np.float64) for v in values]


# ---------------------------------------------------------------------- with a scale matrix


def _centred(x: Any, loc: Any, matrix: Any, what: str) -> tuple[Any, Any]:
    """Deviations of shape (..., n), and the matrix of shape (n, n), as SciPy reads them."""
    x, loc, matrix = floats(x, loc, matrix)
    if matrix.ndim > 2 or (matrix.ndim == 2 and matrix.shape[0] != matrix.shape[1]):
        raise WengertValueError(f"{what} must be a square matrix, but has shape {matrix.shape}")
    if loc is not None and loc.ndim > 1:
        raise WengertValueError(f"the location must be a vector, but has shape {loc.shape}")
    size = matrix.shape[0] if loc is None and matrix.ndim == 2 else 1
    if loc is not None:
        size = loc.size
    if matrix.ndim == 0:
        matrix = matrix * np.eye(size)
    elif matrix.ndim == 1:
        matrix = np.diag(matrix)
    if matrix.shape[0] != size:
        raise WengertValueError(
            f"{what} has shape {matrix.shape}, but the location is a vector of length {size}"
        )
    if x.ndim == 0:
        x = x[None]
    if x.ndim == 1:
        x = x[:, None] if size == 1 else x[None, :]
    return (x if loc is None else x - np.reshape(loc, (size,))), matrix


def _distances(deviations: Any, factor: Any) -> Any:
    """dᵀ Σ⁻¹ d = |L⁻¹ d|² of each row d."""
    rows = np.reshape(deviations, (-1, deviations.shape[-1]))
    solved = apply("triangular_solve", factor, rows.T)
    return np.reshape(np.sum(solved**2, axis=0), deviations.shape[:-1])


def _log_det(factor: Any) -> Any:
    """log det Σ of its Cholesky factor."""
    return 2 * np.sum(np.log(np.diagonal(factor)))


def _refuse_singular(name: str, allow_singular: Any, matrix: Any) -> None:
    if allow_singular or isinstance(matrix, stats.Covariance):
        raise Unsupported(
            f"scipy.stats.{name} with allow_singular=True or a Covariance object cannot be traced; "
            "give a positive definite matrix"
        )


def normal_logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: Any = False) -> Any:
    """−½ (n log 2π + log det Σ + dᵀ Σ⁻¹ d)."""
    _refuse_singular("multivariate_normal", allow_singular, cov)
    deviations, cov = _centred(x, mean, cov, "cov")
    factor = apply("cholesky", cov)
    constant = deviations.shape[-1] * math.log(2 * math.pi) + _log_det(factor)
    return np.squeeze(-0.5 * (constant + _distances(deviations, factor)))


def t_logpdf(
    x: Any, loc: Any = None, shape: Any = 1, df: Any = 1, allow_singular: Any = False
) -> Any:
    """log Γ((ν + n)/2) − log Γ(ν/2) − ½ (n log νπ + log det Σ) − ½ (ν + n) log(1 + dᵀ Σ⁻¹ d/ν)."""
    _refuse_singular("multivariate_t", allow_singular, shape)
    x, loc, shape, df = floats(x, loc, shape, df)
    deviations, shape = _centred(x, loc, shape, "shape")
    size = deviations.shape[-1]
    factor = apply("cholesky", shape)
    half = 0.5 * (df + size)
    constant = special.gammaln(half) - special.gammaln(0.5 * df)
    constant = constant - 0.5 * (size * np.log(math.pi * df) + _log_det(factor))
    heavy = constant - half * np.log1p(_distances(deviations, factor) / df)
    value = np.where(df > 0, heavy, np.nan)
    return np.squeeze(np.where(df == np.inf, normal_logpdf(x, loc, shape), value))


def wishart_logpdf(x: Any, df: Any, scale: Any) -> Any:
    """½ (ν − n − 1) log det X − ½ tr V⁻¹ X − ½ ν n log 2 − ½ ν log det V − log Γ_n(ν/2), and NaN
    where ν ≤ n − 1, of which SciPy raises. log Γ_n(a) = ¼ n (n − 1) log π + Σ log Γ(a − j/2)."""
    x, df, scale = floats(x, df, scale)
    if scale.ndim == 0:
        scale = np.reshape(scale, (1, 1))
    if scale.ndim == 1:
        scale = np.diag(scale)
    size = scale.shape[0]
    if x.ndim < 2 and size == 1:
        x = np.reshape(x, (1, 1, -1))
    if x.shape[:2] != (size, size) or scale.shape != (size, size) or x.ndim > 3:
        raise WengertValueError(
            f"wishart: x of shape {x.shape} does not hold matrices like the scale matrix, of shape "
            f"{scale.shape}, along its first two axes"
        )
    points = np.moveaxis(x[:, :, None] if x.ndim == 2 else x, 2, 0)
    factor, factors = apply("cholesky", scale), apply("cholesky", points)
    log_det = 2 * np.sum(np.log(np.diagonal(factors, 0, 1, 2)), axis=-1)
    columns = np.reshape(np.moveaxis(factors, 0, 1), (size, -1))
    # tr V⁻¹ X = |L⁻¹ C|² for X = C Cᵀ
    solved = np.reshape(apply("triangular_solve", factor, columns), (size, -1, size))
    constant = df * (0.5 * size * math.log(2) + 0.5 * _log_det(factor))
    value = 0.5 * (df - size - 1) * log_det - 0.5 * np.sum(solved**2, axis=(0, 2))
    orders = 0.5 * (df - np.arange(size))
    constant = constant + 0.25 * size * (size - 1) * math.log(math.pi)
    value = value - constant - np.sum(special.gammaln(orders))
    return np.squeeze(np.where(df > size - 1, value, np.nan))


# ------------------------------------------------------------------------------ of proportions


def dirichlet_logpdf(x: Any, alpha: Any) -> Any:
    """Σ (αₖ − 1) log xₖ + log Γ(Σ αₖ) − Σ log Γ(αₖ); the last xₖ may be left out.

    −∞ outside of the simplex, where SciPy raises. A point of n − 1 numbers has no other constraint,
    one of n numbers is differentiated by each of them.
    """
    x, alpha = floats(x, alpha)
    if alpha.ndim != 1 or x.ndim not in (1, 2) or len(alpha) - len(x) not in (0, 1):
        raise WengertValueError(
            f"dirichlet: x of shape {x.shape} must have as many rows as alpha, of shape "
            f"{alpha.shape}, has entries, or one row fewer"
        )
    if len(x) < len(alpha):
        x = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)])
    weights = np.reshape(alpha, (-1,) + (1,) * (x.ndim - 1))
    inside = np.all(x >= 0, axis=0) & (np.abs(np.sum(x, axis=0) - 1) <= 1e-9)
    norm = special.gammaln(np.sum(alpha)) - np.sum(special.gammaln(alpha))
    value = np.where(inside, norm + np.sum(special.xlogy(weights - 1, x), axis=0), -np.inf)
    return np.squeeze(np.where(np.all(alpha > 0), value, np.nan))


def multinomial_logpmf(x: Any, n: Any, p: Any) -> Any:
    """log n! + Σ (xₖ log pₖ − log xₖ!).

    As in SciPy, the last probability is what the others leave where they do not sum to 1.
    """
    x, n, p = floats(x, n, p)
    if not x.ndim or x.shape[-1] != p.shape[-1]:
        raise WengertValueError(
            f"multinomial: x of shape {x.shape} and p of shape {p.shape} differ in the last axis"
        )
    others = p[..., :-1]
    off = np.abs(1 - np.sum(p, axis=-1, keepdims=True)) > 10 * np.finfo(float).eps
    last = np.where(off, 1 - np.sum(others, axis=-1, keepdims=True), p[..., -1:])
    p = np.concatenate([others, last], axis=-1)
    whole = np.floor(x)
    inside = np.all((whole == x) & (x >= 0), axis=-1) & (np.sum(x, axis=-1) == n)
    terms = np.sum(special.xlogy(whole, p) - special.gammaln(whole + 1), axis=-1)
    value = special.gammaln(np.floor(n) + 1) + terms
    valid = np.all((p >= 0) & (p <= 1), axis=-1) & (n >= 0)
    value = np.where(inside & (value != -np.inf), value, -np.inf)
    return np.where(valid, value, np.nan)


# ------------------------------------------------------------------------------------- calls


class Multivariate(Distribution):
    """A distribution of SciPy's of several numbers: its density and the logarithm of that."""

    def __init__(self, name: str, log: str, rule: Rule) -> None:
        super().__init__(getattr(stats, name), name)
        self.log = log
        self.rule = rule

    def traced(self, method: str, *args: Any, **kwargs: Any) -> Tracer:
        if method not in (self.log, self.log[3:]):
            self.refuse(method, [self.log[3:], self.log])
        value = self.rule(*args, **kwargs)
        return value if method == self.log else np.exp(value)


MULTIVARIATE: dict[str, Multivariate] = {
    "multivariate_normal": Multivariate("multivariate_normal", "logpdf", normal_logpdf),
    "multivariate_t": Multivariate("multivariate_t", "logpdf", t_logpdf),
    "wishart": Multivariate("wishart", "logpdf", wishart_logpdf),
    "dirichlet": Multivariate("dirichlet", "logpdf", dirichlet_logpdf),
    "multinomial": Multivariate("multinomial", "logpmf", multinomial_logpmf),
}
