"""Random directions u with E u uᵀ = I/n, so that n (∇f · u) u is the gradient in the mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Draw: TypeAlias = Callable[[np.random.Generator, int], Iterator[Array]]


def sphere(rng: np.random.Generator, n: int) -> Iterator[Array]:
    """Uniform of length one."""
    while True:
        vector = rng.standard_normal(n)
        yield vector / np.linalg.norm(vector)


def gaussian(rng: np.random.Generator, n: int) -> Iterator[Array]:
    """Normal, of mean square length one."""
    while True:
        yield rng.standard_normal(n) / np.sqrt(n)


def rademacher(rng: np.random.Generator, n: int) -> Iterator[Array]:
    """Signs, scaled to length one."""
    while True:
        yield (2.0 * rng.integers(0, 2, size=n) - 1.0) / np.sqrt(n)


def coordinates(rng: np.random.Generator, n: int) -> Iterator[Array]:
    """Unit vectors, each once before any comes again."""
    while True:
        for k in rng.permutation(n):
            unit = np.zeros(n)
            unit[k] = 1.0
            yield unit


DIRECTIONS: dict[str, Draw] = {
    "sphere": sphere,
    "gaussian": gaussian,
    "rademacher": rademacher,
    "coordinates": coordinates,
}
