"""Curves through data, against certified answers.

A model y = f(x; β) is fitted to measured points by least squares. Its solver needs the Jacobian
∂f/∂β at each step, and so do the errors of the parameters: their covariance is

    s² (JᵀJ)⁻¹,        s² = Σ (y − f)² / (n − p).

The National Institute of Standards and Technology publishes data with answers that were computed
to 11 digits, to try programs on (*Statistical Reference Datasets*, 1998):

    Misra1a   y = β₁ (1 − e^(−β₂ x))    the volume of a monolayer that is adsorbed at pressure x
    BoxBOD    y = β₁ (1 − e^(−β₂ x))    the oxygen that bacteria used after x days; its start is bad

Topic: derivatives of a model for SciPy's solvers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wengert.optimize import curve_fit

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """Points, where the search begins, and the certified parameters with their errors."""

    name: str
    x: Array
    y: Array
    start: tuple[float, float]
    parameters: tuple[float, float]
    deviations: tuple[float, float]


MISRA = Data(
    name="Misra1a",
    x=np.array(
        [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8]
        + [378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0]
    ),
    y=np.array(
        [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02]
        + [44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78]
    ),
    start=(500.0, 1e-4),
    parameters=(2.3894212918e02, 5.5015643181e-04),
    deviations=(2.7070075241e00, 7.2668688436e-06),
)
BOX = Data(
    name="BoxBOD",
    x=np.array([1.0, 2.0, 3.0, 5.0, 7.0, 10.0]),
    y=np.array([109.0, 149.0, 149.0, 191.0, 213.0, 224.0]),
    start=(1.0, 1.0),
    parameters=(2.1380940889e02, 5.4723748542e-01),
    deviations=(1.2354515176e01, 1.0455993237e-01),
)


def saturating(x: Array, most: float, rate: float) -> Array:
    """β₁ (1 − e^(−β₂ x))."""
    return most * (1 - np.exp(-rate * x))


def fit(data: Data) -> tuple[Array, Array]:
    """The parameters, and their standard deviations."""
    best, covariance = curve_fit(
        saturating, data.x, data.y, p0=data.start, bounds=(0.0, np.inf), xtol=1e-15, ftol=1e-15
    )
    return best, np.sqrt(np.diag(covariance))


def answers() -> dict[str, tuple[Array, Array]]:
    """What is found, and what is certified."""
    found = {}
    for data in (MISRA, BOX):
        best, deviations = fit(data)
        found[f"{data.name}, parameters"] = best, np.array(data.parameters)
        found[f"{data.name}, deviations"] = deviations, np.array(data.deviations)
    return found


def main() -> None:
    for what, (computed, certified) in answers().items():
        off = np.max(np.abs(computed / certified - 1))
        print(f"{what:22} {computed[0]:.10e}  {computed[1]:.10e}   off by {off:.0e}")


if __name__ == "__main__":
    main()
