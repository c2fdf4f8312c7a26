"""NumPy's namespace for traced arrays, and NumPy itself where nothing is traced.

Every function has NumPy's name, signature, defaults and promotion rules. Inside a trace the
creation functions (`zeros`, `ones`, `empty`, `full`, `array`, `asarray`) make arrays to which
traced values can be assigned, where NumPy's own could not hold them.

>>> import numpy as np, wengert as wg, wengert.numpy as wnp
>>> def powers(x):
...     y = wnp.zeros(3)
...     for i in range(3):
...         y[i] = x**i
...     return y.sum()
>>> wg.grad(powers)(2.0)
np.float64(5.0)
"""

from __future__ import annotations

from typing import Any

import numpy as _np

from wengert.numpy import (  # noqa: F401 (each registers its functions)
    applying,
    array_api,
    assigning,
    averages,
    calculus,
    creation,
    cumulative,
    decompositions,
    grids,
    indexing,
    inspection,
    joining,
    norms,
    numeric,
    padding,
    parts,
    polynomials,
    products,
    quantiles,
    ranges,
    rearranging,
    reductions,
    selection,
    sets,
    shapes,
    signal,
    sorting,
    statistics,
    systems,
    ufuncs,
)
from wengert.numpy import fft as fft
from wengert.numpy import linalg as linalg
from wengert.numpy.namespace import public_names
from wengert.tracing.tracer import install_members as _install_members

_install_members()
globals().update(public_names(_np) | creation.INSIDE_TRACES | array_api.NAMES)


def __getattr__(name: str) -> Any:
    """Constants, dtypes, and functions that have nothing to trace are NumPy's."""
    return getattr(_np, name)
