"""The continuous distributions: one declaration each, in standard form.

The densities are those of SciPy's documentation (Johnson, Kotz and Balakrishnan, *Continuous
univariate distributions*), written so that no digit is lost that SciPy keeps.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from wengert.scipy.stats.laws import INF, Law, from_zero, log_of_difference, unit

LOG_ROOT_TWO_PI = 0.5 * math.log(2 * math.pi)


def log_phi(x: Any) -> Any:
    """The logarithm of the normal density."""
    return -0.5 * x**2 - LOG_ROOT_TWO_PI


def _student(x: Any, df: Any) -> Any:
    """The normal density where df is infinite."""
    finite = np.isfinite(df)
    df = np.where(finite, df, 1.0)
    factor = special.gammaln(0.5 * (df + 1)) - special.gammaln(0.5 * df)
    heavy = factor - 0.5 * np.log(math.pi * df) - 0.5 * (df + 1) * np.log1p(x**2 / df)
    return np.where(finite, heavy, log_phi(x))


def _f(x: Any, n: Any, m: Any) -> Any:
    power = special.xlogy(0.5 * n - 1, x) - 0.5 * (n + m) * np.log(m + n * x)
    return 0.5 * (m * np.log(m) + n * np.log(n)) + power - special.betaln(0.5 * n, 0.5 * m)


def _from_beta(y: Any, n: Any, m: Any) -> Any:
    return m * y / (n * (1 - y))


def _log_mass(a: Any, b: Any) -> Any:
    """log(Φ(b) − Φ(a)), by the tail in which the interval lies, or what both tails leave."""
    right = a > 0
    left_a, left_b = np.where(right, -b, a), np.where(right, -a, b)
    tail = log_of_difference(special.log_ndtr(left_b), special.log_ndtr(left_a))
    across = np.log1p(-special.ndtr(a) - special.ndtr(-b))
    return np.where((a <= 0) & (b >= 0), across, tail)


def _truncated_quantile(q: Any, a: Any, b: Any) -> Any:
    """From the left, or mirrored where the interval lies right of the mean."""
    right = a > 0
    end, other = np.where(right, b, a), np.where(right, a, b)
    sign = np.where(right, -1.0, 1.0)
    start, add = special.log_ndtr(sign * end), _log_mass(a, b)
    part = np.where(right, np.log1p(-q), np.log(q))
    value = sign * special.ndtri_exp(np.logaddexp(start, part + add))
    return np.clip(value, np.minimum(end, other), np.maximum(end, other))


def _laplace_cdf(x: Any) -> Any:
    return np.where(x > 0, 1 - 0.5 * np.exp(-x), 0.5 * np.exp(x))


def _laplace_logcdf(x: Any) -> Any:
    return np.where(x > 0, np.log1p(-0.5 * np.exp(-x)), x - math.log(2))


def _cauchy_quantile(q: Any) -> Any:
    """tan π(q − ½), by the cotangent in the left tail, where the difference would lose digits."""
    return np.where(q < 0.25, -1 / np.tan(math.pi * q), np.tan(math.pi * (q - 0.5)))


CONTINUOUS: dict[str, Law] = {
    "norm": Law(
        log_phi,
        cdf=special.ndtr,
        logcdf=special.log_ndtr,
        ppf=special.ndtri,
        isf=lambda q: -special.ndtri(q),
        symmetric=True,
    ),
    "t": Law(
        _student,
        cdf=lambda x, df: special.stdtr(df, x),
        ppf=lambda q, df: special.stdtrit(df, q),
        isf=lambda q, df: -special.stdtrit(df, q),
        symmetric=True,
    ),
    "cauchy": Law(
        lambda x: -math.log(math.pi) - np.log1p(x**2),
        cdf=lambda x: np.arctan2(1.0, -x) / math.pi,
        ppf=_cauchy_quantile,
        isf=lambda q: -_cauchy_quantile(q),
        symmetric=True,
    ),
    "laplace": Law(
        lambda x: -np.abs(x) - math.log(2),
        cdf=_laplace_cdf,
        logcdf=_laplace_logcdf,
        ppf=lambda q: np.where(q > 0.5, -np.log(2 * (1 - q)), np.log(2 * q)),
        isf=lambda q: np.where(q > 0.5, np.log(2 * (1 - q)), -np.log(2 * q)),
        symmetric=True,
    ),
    "logistic": Law(
        lambda x: special.log_expit(x) + special.log_expit(-x),
        cdf=special.expit,
        logcdf=special.log_expit,
        ppf=special.logit,
        isf=lambda q: -special.logit(q),
        symmetric=True,
    ),
    "gumbel_r": Law(
        lambda x: -x - np.exp(-x),
        cdf=lambda x: np.exp(-np.exp(-x)),
        sf=lambda x: -np.expm1(-np.exp(-x)),
        logcdf=lambda x: -np.exp(-x),
        ppf=lambda q: -np.log(-np.log(q)),
        isf=lambda q: -np.log(-np.log1p(-q)),
    ),
    "gumbel_l": Law(
        lambda x: x - np.exp(x),
        cdf=lambda x: -np.expm1(-np.exp(x)),
        sf=lambda x: np.exp(-np.exp(x)),
        logsf=lambda x: -np.exp(x),
        ppf=lambda q: np.log(-np.log1p(-q)),
        isf=lambda q: np.log(-np.log(q)),
    ),
    "skewnorm": Law(
        lambda x, a: math.log(2) + log_phi(x) + special.log_ndtr(a * x), valid=np.isfinite
    ),
    "vonmises": Law(
        lambda x, kappa: (
            kappa * (np.cos(x) - 1) - math.log(2 * math.pi) - np.log(special.i0e(kappa))
        ),
        valid=lambda kappa: kappa >= 0,
    ),
    "truncnorm": Law(
        lambda x, a, b: log_phi(x) - _log_mass(a, b),
        support=lambda a, b: (a, b),
        valid=lambda a, b: a < b,
        cdf=lambda x, a, b: np.exp(_log_mass(a, x) - _log_mass(a, b)),
        sf=lambda x, a, b: np.exp(_log_mass(x, b) - _log_mass(a, b)),
        logcdf=lambda x, a, b: _log_mass(a, x) - _log_mass(a, b),
        logsf=lambda x, a, b: _log_mass(x, b) - _log_mass(a, b),
        ppf=_truncated_quantile,
        isf=lambda q, a, b: -_truncated_quantile(q, -b, -a),
    ),
    "uniform": Law(
        lambda x: 0.0 * x, support=unit, cdf=lambda x: x, sf=lambda x: 1 - x, ppf=lambda q: q
    ),
    "beta": Law(
        lambda x, a, b: special.xlog1py(b - 1, -x) + special.xlogy(a - 1, x) - special.betaln(a, b),
        support=unit,
        cdf=lambda x, a, b: special.betainc(a, b, x),
        sf=lambda x, a, b: special.betaincc(a, b, x),
        ppf=lambda q, a, b: special.betaincinv(a, b, q),
        isf=lambda q, a, b: special.betainccinv(a, b, q),
    ),
    "expon": Law(
        lambda x: -x,
        support=from_zero,
        cdf=lambda x: -np.expm1(-x),
        sf=lambda x: np.exp(-x),
        logsf=lambda x: -x,
        ppf=lambda q: -np.log1p(-q),
        isf=lambda q: -np.log(q),
    ),
    "gamma": Law(
        lambda x, a: special.xlogy(a - 1, x) - x - special.gammaln(a),
        support=from_zero,
        cdf=lambda x, a: special.gammainc(a, x),
        sf=lambda x, a: special.gammaincc(a, x),
        ppf=lambda q, a: special.gammaincinv(a, q),
        isf=lambda q, a: special.gammainccinv(a, q),
    ),
    "chi2": Law(
        lambda x, df: (
            special.xlogy(0.5 * df - 1, x)
            - 0.5 * x
            - special.gammaln(0.5 * df)
            - 0.5 * math.log(2) * df
        ),
        support=from_zero,
        cdf=lambda x, df: special.gammainc(0.5 * df, 0.5 * x),
        sf=lambda x, df: special.gammaincc(0.5 * df, 0.5 * x),
        ppf=lambda q, df: 2 * special.gammaincinv(0.5 * df, q),
        isf=lambda q, df: 2 * special.gammainccinv(0.5 * df, q),
    ),
    "invgamma": Law(
        lambda x, a: np.where(x > 0, -(a + 1) * np.log(x) - special.gammaln(a) - 1 / x, -INF),
        support=from_zero,
        cdf=lambda x, a: special.gammaincc(a, 1 / x),
        sf=lambda x, a: special.gammainc(a, 1 / x),
        ppf=lambda q, a: 1 / special.gammainccinv(a, q),
        isf=lambda q, a: 1 / special.gammaincinv(a, q),
    ),
    "lognorm": Law(
        lambda x, s: np.where(x > 0, log_phi(np.log(x) / s) - np.log(s * x), -INF),
        support=from_zero,
        cdf=lambda x, s: special.ndtr(np.log(x) / s),
        sf=lambda x, s: special.ndtr(-np.log(x) / s),
        logcdf=lambda x, s: special.log_ndtr(np.log(x) / s),
        logsf=lambda x, s: special.log_ndtr(-np.log(x) / s),
        ppf=lambda q, s: np.exp(s * special.ndtri(q)),
        isf=lambda q, s: np.exp(-s * special.ndtri(q)),
    ),
    "weibull_min": Law(
        lambda x, c: np.log(c) + special.xlogy(c - 1, x) - x**c,
        support=from_zero,
        cdf=lambda x, c: -np.expm1(-(x**c)),
        sf=lambda x, c: np.exp(-(x**c)),
        logsf=lambda x, c: -(x**c),
        ppf=lambda q, c: (-np.log1p(-q)) ** (1 / c),
        isf=lambda q, c: (-np.log(q)) ** (1 / c),
    ),
    "pareto": Law(
        lambda x, b: np.log(b) - (b + 1) * np.log(x),
        support=lambda b: (1.0, INF),
        cdf=lambda x, b: 1 - x**-b,
        sf=lambda x, b: x**-b,
        logsf=lambda x, b: -b * np.log(x),
        ppf=lambda q, b: (1 - q) ** (-1 / b),
        isf=lambda q, b: q ** (-1 / b),
    ),
    "halfnorm": Law(
        lambda x: math.log(2) + log_phi(x),
        support=from_zero,
        cdf=lambda x: special.erf(x * math.sqrt(0.5)),
        sf=lambda x: 2 * special.ndtr(-x),
        logsf=lambda x: math.log(2) + special.log_ndtr(-x),
        ppf=lambda q: special.ndtri(0.5 * (1 + q)),
        isf=lambda q: -special.ndtri(0.5 * q),
    ),
    "halfcauchy": Law(
        lambda x: math.log(2 / math.pi) - np.log1p(x**2),
        support=from_zero,
        cdf=lambda x: 2 / math.pi * np.arctan(x),
        sf=lambda x: 2 / math.pi * np.arctan2(1.0, x),
        ppf=lambda q: np.tan(0.5 * math.pi * q),
        isf=lambda q: 1 / np.tan(0.5 * math.pi * q),
    ),
    "rayleigh": Law(
        lambda x: np.log(x) - 0.5 * x**2,
        support=from_zero,
        cdf=lambda x: -np.expm1(-0.5 * x**2),
        sf=lambda x: np.exp(-0.5 * x**2),
        logsf=lambda x: -0.5 * x**2,
        ppf=lambda q: np.sqrt(-2 * np.log1p(-q)),
        isf=lambda q: np.sqrt(-2 * np.log(q)),
    ),
    "f": Law(
        _f,
        support=from_zero,
        cdf=lambda x, n, m: special.betainc(0.5 * n, 0.5 * m, n * x / (m + n * x)),
        sf=lambda x, n, m: special.betainc(0.5 * m, 0.5 * n, m / (m + n * x)),
        ppf=lambda q, n, m: _from_beta(special.betaincinv(0.5 * n, 0.5 * m, q), n, m),
        isf=lambda q, n, m: _from_beta(special.betainccinv(0.5 * n, 0.5 * m, q), n, m),
    ),
}
"""By SciPy's names."""
