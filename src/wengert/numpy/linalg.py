"""`wengert.numpy.linalg`: NumPy's names, on traced arrays and plain ones."""

from __future__ import annotations

from typing import Any

import numpy as _np

from wengert.numpy import norms
from wengert.numpy.namespace import public_names

__all__ = ["norms"]

globals().update(public_names(_np.linalg))


def __getattr__(name: str) -> Any:
    return getattr(_np.linalg, name)
