"""`scipy.stats` for traced arrays.

Distributions have SciPy's names, signatures and values: `norm.logpdf(x, loc, scale)`, and frozen
`norm(loc, scale).logpdf(x)`, differentiable by the point and by every parameter. Outside the
support a logarithm of a density is −∞ with derivative 0. Where nothing is traced, SciPy computes.

>>> import numpy as np, wengert as wg
>>> from wengert.scipy import stats
>>> data = np.array([1.0, 2.0, 4.0])
>>> wg.grad(lambda loc: np.sum(stats.norm.logpdf(data, loc, 2.0)))(1.0)
np.float64(1.0)
"""

from __future__ import annotations

from typing import Any

from scipy import stats as _stats

from wengert.scipy.namespace import exposed as _exposed
from wengert.scipy.stats import descriptive as descriptive
from wengert.scipy.stats.multivariate import MULTIVARIATE as _MULTIVARIATE
from wengert.scipy.stats.univariate import DISTRIBUTIONS as _DISTRIBUTIONS

globals().update(_DISTRIBUTIONS | _MULTIVARIATE | _exposed(_stats, __name__))


def __getattr__(name: str) -> Any:
    """What has nothing to trace is SciPy's."""
    return getattr(_stats, name)
