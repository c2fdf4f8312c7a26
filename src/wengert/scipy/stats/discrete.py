"""The distributions of whole numbers: one declaration each, at location 0.

A whole number has no derivative: what is differentiated is the probability of a given number, by
the parameters. (Johnson, Kemp and Kotz, *Univariate discrete distributions*.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from wengert.scipy.stats.laws import INF, Law, from_zero


def _probability(p: Any) -> Any:
    return (p >= 0) & (p <= 1)


def _binomial(k: Any, n: Any, p: Any) -> Any:
    orders = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return orders + special.xlogy(k, p) + special.xlog1py(n - k, -p)


DISCRETE: dict[str, Law] = {
    "bernoulli": Law(
        lambda k, p: special.xlogy(k, p) + special.xlog1py(1 - k, -p),
        support=lambda p: (0.0, 1.0),
        valid=_probability,
        cdf=lambda k, p: 1 - p,  # at 0
        sf=lambda k, p: p,
        logcdf=lambda k, p: np.log1p(-p),
    ),
    "binom": Law(
        _binomial,
        support=lambda n, p: (0.0, n),
        valid=lambda n, p: (n >= 0) & (np.floor(n) == n) & _probability(p),
        cdf=lambda k, n, p: special.betaincc(k + 1, n - k, p),
        sf=lambda k, n, p: special.betainc(k + 1, n - k, p),
    ),
    "poisson": Law(
        lambda k, mu: special.xlogy(k, mu) - special.gammaln(k + 1) - mu,
        support=from_zero,
        valid=lambda mu: mu >= 0,
        cdf=lambda k, mu: special.gammaincc(k + 1, mu),
        sf=lambda k, mu: special.gammainc(k + 1, mu),
    ),
    "nbinom": Law(
        lambda k, n, p: (
            special.gammaln(n + k)
            - special.gammaln(k + 1)
            - special.gammaln(n)
            + n * np.log(p)
            + special.xlog1py(k, -p)
        ),
        support=from_zero,
        valid=lambda n, p: (n > 0) & (p > 0) & (p <= 1),
        cdf=lambda k, n, p: special.betainc(n, k + 1, p),
        sf=lambda k, n, p: special.betaincc(n, k + 1, p),
    ),
    "geom": Law(
        lambda k, p: special.xlog1py(k - 1, -p) + np.log(p),
        support=lambda p: (1.0, INF),
        valid=lambda p: (p > 0) & (p <= 1),
        cdf=lambda k, p: -np.expm1(k * np.log1p(-p)),
        sf=lambda k, p: np.exp(k * np.log1p(-p)),
        logsf=lambda k, p: k * np.log1p(-p),
    ),
}
"""By SciPy's names."""
