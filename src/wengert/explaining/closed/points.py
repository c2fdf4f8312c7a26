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

SPREAD, NEAR = 0.3, 1e-3


def drawn(
    rng: np.random.Generator, value: Any, facts: Collection[str], *, freely: bool, spread: float
) -> Any:
    """An array like `value`, in double precision; what is not floating stays as it is.

    spread: the standard deviation of the logarithm of the factors.
    """
    array = np.asarray(value)
    if array.dtype.kind != "f":
        return value
    array = array.astype(np.float64)
    if "signs" in facts:
        return np.where(rng.random(array.shape) < 1 / 2, -1.0, 1.0)
    if "idempotent" in facts:
        return value
    moved = _moved(rng, array, freely and "positive" not in facts, spread)
    if "orthogonal" in facts:
        return np.linalg.qr(moved)[0]
    if "diagonal" in facts:
        moved = np.diag(np.diag(moved))
    if "positive definite" in facts:
        change = 0.1 * spread * rng.normal(size=array.shape)
        return np.diag(np.abs(np.diag(moved))) if "diagonal" in facts else array + change @ change.T
    if "symmetric" in facts:
        moved = (moved + moved.T) / 2
    return moved if array.ndim else float(moved)


def _moved(rng: np.random.Generator, array: Array, freely: bool, spread: float) -> Array:
    scale = np.sqrt(np.mean(np.square(array))) if array.size else 1.0
    if freely or not scale:
        return (scale or 1.0) * rng.normal(size=array.shape)
    by_factor = array * np.exp(spread * rng.normal(size=array.shape))
    return np.where(array == 0, 0.3 * spread * scale * rng.normal(size=array.shape), by_factor)
