"""NumPy's namespace for traced arrays, and NumPy itself where nothing is traced.

Every function has NumPy's name, signature, defaults and promotion rules. Inside a trace the
creation functions (`zeros`, `ones`, `empty`, `full`, `array`, `asarray`) make arrays to which traced
values can be assigned, where NumPy's own could not hold them.

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

from wengert.graph.registry import NUMPY as _NUMPY
from wengert.numpy import indexing, parts, shapes, ufuncs
from wengert.numpy.dispatch import public as _public
from wengert.tracing.tracer import FAST as _FAST

__all__ = ["indexing", "parts", "shapes", "ufuncs"]

for _name in dir(_np):
    _value = getattr(_np, _name)
    if _value in _NUMPY if callable(_value) and _value.__hash__ else False:
        globals()[_name] = _public(_value, _NUMPY[_value])


def __getattr__(name: str) -> Any:
    """Constants, dtypes, and functions that have nothing to trace are NumPy's."""
    return getattr(_np, name)


del _FAST
