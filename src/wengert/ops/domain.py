"""Where an op is defined, for the tests that draw its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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
    tangent: (position of the array, a random tangent of it) -> the part of the tangent along which
        the op can be differenced. A Cholesky factorisation reads one triangle of a matrix that it
        takes to be Hermitian, so that differences know its derivative along Hermitian matrices
        alone; what its rule makes of another tangent is a convention. `hermitian` is that part.
    """

    draw: Callable[[np.random.Generator, Any], Iterator[tuple[Any, ...]]]
    kinds: str = "fc"
    tangent: Callable[[int, Any], Any] = field(default=lambda position, tangent: tangent)


def hermitian(x: Any) -> Any:
    """The Hermitian part of each matrix of a stack: (x + xᴴ) / 2."""
    return ((x + np.conj(np.swapaxes(x, -1, -2))) / 2).astype(x.dtype)


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
