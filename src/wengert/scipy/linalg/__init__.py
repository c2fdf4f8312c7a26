"""`scipy.linalg` for traced arrays, with SciPy's names, signatures and defaults.

Stacks of matrices are taken where SciPy takes them. Where nothing is traced, SciPy computes.
Functions that cannot be traced are refused by name, with the reason (`REFUSED`).

>>> import numpy as np, wengert as wg, wengert.scipy.linalg as wsl
>>> a = np.array([[0.0, 1.0], [-2.0, -3.0]])
>>> g = wg.grad(lambda t: wsl.expm(t * a)[0, 0])(1.0)
>>> bool(np.isclose(g, -2 * np.exp(-1.0) + 2 * np.exp(-2.0)))
True
"""

from __future__ import annotations

from typing import Any

from scipy import linalg as _linalg

from wengert.scipy.linalg import (  # noqa: F401 (each registers its functions)
    equations,
    factorising,
    functions,
    solving,
    spectral,
    structured,
)
from wengert.scipy.linalg.refusals import REFUSED
from wengert.scipy.namespace import exposed, refused

globals().update(exposed(_linalg, __name__) | refused(_linalg, __name__, REFUSED))


def __getattr__(name: str) -> Any:
    return getattr(_linalg, name)
