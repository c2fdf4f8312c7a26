"""Random points at which formulas are compared: near the examples, and where they may be.

Elements are moved by a factor, which keeps their sign and so most domains (log, roots, powers);
one point in three is drawn freely, on the scale of the example. What is assumed of an array holds
for what is drawn.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_SPREAD = 0.3


def drawn(rng: np.random.Generator, value: Any, facts: Collection[str], *, freely: bool) -> Any:
    """An array like `value`, in double precision; what is not floating stays as it is."""
    array = np.asarray(value)
    if array.dtype.kind != "f":
        return value
    array = array.astype(np.float64)
    if "signs" in facts:
        return np.where(rng.random(array.shape) < 1 / 2, -1.0, 1.0)
    if "idempotent" in facts:
        return value
    moved = _moved(rng, array, freely=freely and "positive" not in facts)
    if "orthogonal" in facts:
        return np.linalg.qr(moved)[0]
    if "diagonal" in facts:
        moved = np.diag(np.diag(moved))
    if "positive definite" in facts:
        change = 0.1 * _SPREAD * rng.normal(size=array.shape)
        return np.diag(np.abs(np.diag(moved))) if "diagonal" in facts else array + change @ change.T
    if "symmetric" in facts:
        moved = (moved + moved.T) / 2
    return moved if array.ndim else float(moved)


def _moved(rng: np.random.Generator, array: Array, *, freely: bool) -> Array:
    scale = np.sqrt(np.mean(np.square(array))) if array.size else 1.0
    if freely or not scale:
        return (scale or 1.0) * rng.normal(size=array.shape)
    by_factor = array * np.exp(_SPREAD * rng.normal(size=array.shape))
    return np.where(array == 0, 0.1 * scale * rng.normal(size=array.shape), by_factor)
