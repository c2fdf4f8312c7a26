"""Where an op is defined, for the tests that draw its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Box:
    """Elementwise inputs: each argument lies in its interval.

    intervals: one (low, high) an argument; for complex inputs it bounds both parts.
    kinds: dtype kinds that the op claims, a subset of "biufc" ("b" is bool).
    holomorphic: whether it is complex differentiable where it claims "c".
    smooth: whether differences may be taken anywhere in the box.
    """

    intervals: tuple[tuple[float, float], ...]
    kinds: str = "fc"
    holomorphic: bool = True
    smooth: bool = True


@dataclass(frozen=True, slots=True)
class Cases:
    """Other inputs, drawn from an rng.

    draw: (rng, dtype) -> iterator of (arrays, further arguments of `build`) or of
        (arrays, further arguments, further keyword arguments).
    kinds: dtype kinds that the differentiable inputs may have.
    """

    draw: Callable[[np.random.Generator, Any], Iterator[tuple[Any, ...]]]
    kinds: str = "fc"


def normal(rng: np.random.Generator, dtype: Any, *shape: int) -> Any:
    """A sample array of a dtype and shape; integers small, complex in both parts."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind in "iu":
        return rng.integers(0, 5, shape).astype(dtype)
    real = rng.standard_normal(shape)
    if dtype.kind == "c":
        return (real + 1j * rng.standard_normal(shape)).astype(dtype)
    return real.astype(dtype)
