"""Random vectors of which the mean of z zᵀ is the identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.errors import WengertTypeError, WengertValueError

Array: TypeAlias = NDArray[np.float64]
Draw: TypeAlias = Callable[[np.random.Generator, int, int], Array]


def rademacher(rng: np.random.Generator, n: int, count: int) -> Array:
    """Signs, (n, count)."""
    return np.asarray(2.0 * rng.integers(0, 2, size=(n, count)) - 1.0, float)


def gaussian(rng: np.random.Generator, n: int, count: int) -> Array:
    """Standard normal numbers, (n, count)."""
    return np.asarray(rng.standard_normal((n, count)))


def sphere(rng: np.random.Generator, n: int, count: int) -> Array:
    """Uniform on the sphere of radius √n, (n, count)."""
    vectors = rng.standard_normal((n, count))
    scaled: Array = vectors * (np.sqrt(n) / np.linalg.norm(vectors, axis=0))
    return scaled


PROBES: dict[str, Draw] = {"rademacher": rademacher, "gaussian": gaussian, "sphere": sphere}


def generator(rng: Any) -> np.random.Generator:
    """The generator that an argument `rng` means: None for fresh entropy, a seed, a Generator."""
    if rng is None or isinstance(rng, np.random.Generator | int | np.integer):
        if isinstance(rng, int | np.integer) and rng < 0:
            raise WengertValueError(f"a seed must not be negative, as {rng} is")
        return np.random.default_rng(rng)
    raise WengertTypeError(f"rng must be None, an int or a numpy Generator, not {rng!r:.80}")
