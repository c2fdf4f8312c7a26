"""What an estimate is: a value with its standard error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.lazy import module

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """A mean of random values that estimates something.

    value: the mean; stderr: its standard error, infinite for a single value; degrees: the degrees
    of freedom that it was estimated with.
    """

    value: Array
    stderr: Array
    degrees: int

    @property
    def half_width(self) -> Array:
        """Half of the interval that covers 95 %, by Student's t."""
        return quantile(self.degrees) * self.stderr

    def reaches(self, rtol: float) -> bool:
        """Whether half of the interval is at most rtol times the value, in the Euclidean norm."""
        size = float(np.linalg.norm(self.value))
        return bool(np.linalg.norm(self.half_width) <= rtol * size)


def moments(values: Array, inflation: float = 1.0) -> Moments:
    """The mean along the first axis, with its standard error.

    inflation: by how much the standard error is larger than that of independent values.
    """
    count = len(values)
    mean = np.asarray(np.mean(values, axis=0))
    if count == 1:
        return Moments(mean, np.full(mean.shape, np.inf), 0)
    error = np.asarray(np.std(values, axis=0, ddof=1)) * (inflation / np.sqrt(count))
    return Moments(mean, error, count - 1)


def quantile(degrees: int) -> float:
    """The 97.5 % quantile of Student's t; 1 without degrees of freedom (errors of 0 or ∞)."""
    return float(module("scipy.special").stdtrit(degrees, 0.975)) if degrees else 1.0


def exact(value: Array) -> Moments:
    """A value without a statistical error."""
    return Moments(np.asarray(value), np.zeros(np.shape(value)), 0)


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A stochastic estimate.

    Attributes
    ----------
    value
        What was estimated: a float, or for a diagonal an array (or the structure of x).
    stderr
        Its standard error, like the value; 0 where it is exact, infinite where a single sample says
        nothing about it.
    interval
        The lower and upper end of the interval that covers 95 %, by Student's t.
    products
        How many vectors A was multiplied with.
    method
        The method that gave the value, "exact" where every unit vector was multiplied.
    converged
        Whether `rtol` was reached; True where none was asked for.
    """

    value: Any
    stderr: Any
    interval: tuple[Any, Any]
    products: int
    method: str
    converged: bool

    def __repr__(self) -> str:
        if not isinstance(self.value, float):
            fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
            return f"Estimate({fields})"
        low, high = self.interval
        return (
            f"Estimate(value={self.value:.8g}, stderr={self.stderr:.2g}, "
            f"interval=({low:.8g}, {high:.8g}), products={self.products}, "
            f"method={self.method!r}, converged={self.converged})"
        )


def estimate(
    found: Moments,
    products: int,
    method: str,
    converged: bool,
    unravel: Callable[[Array], Any] | None = None,
) -> Estimate:
    """What the caller gets: numbers as floats, vectors as what `unravel` makes of them."""
    shown: Callable[[Array], Any] = float if unravel is None else unravel
    half = found.half_width
    return Estimate(
        shown(found.value),
        shown(found.stderr),
        (shown(found.value - half), shown(found.value + half)),
        products,
        method,
        converged,
    )
