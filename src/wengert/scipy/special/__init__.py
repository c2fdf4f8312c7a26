"""`scipy.special` for traced arrays.

SciPy's ufuncs (`scipy.special.expit`) take traced arrays by themselves; here are its other
functions too (`logsumexp`, `zeta`, `multigammaln`), with SciPy's names, signatures and defaults.
Where nothing is traced, SciPy computes. A function without a derivative refuses traced arrays, and
says why.

>>> import numpy as np
>>> import wengert as wg
>>> from wengert.scipy import special
>>> wg.grad(special.logsumexp)(np.array([0.0, 0.0]))
array([0.5, 0.5])
>>> wg.grad(special.gammainc)(2.5, 1.0)  # by the parameter
np.float64(-0.1800...)
"""

from __future__ import annotations

from typing import Any

from scipy import special

from wengert.numpy.ufuncs import of_scipy
from wengert.ops.special.ufunc import RECORDS
from wengert.scipy.namespace import exposed
from wengert.scipy.special import functions, refused, sums

for _name in RECORDS:
    if hasattr(special, _name):  # some are younger than the oldest SciPy that is supported
        of_scipy(getattr(special, _name))

globals().update(exposed(special, __name__))

__all__ = ["functions", "refused", "sums"]


def __getattr__(name: str) -> Any:
    """What cannot be traced is SciPy's own."""
    return getattr(special, name)
