"""Gradients and Hessians that have closed forms: by hand, derived, and computed.

    f(x)                          ∇f(x)                     ∇²f(x)
    ½ xᵀAx − bᵀx + c              ½ (A + Aᵀ) x − b          ½ (A + Aᵀ)
    −exp(−xᵀx)                    2 x exp(−xᵀx)             (2I − 4xxᵀ) exp(−xᵀx)
    ½ ‖Ax − b‖²                   Aᵀ(Ax − b)                AᵀA
    ln(1 + e^⟨a,x⟩)               σ(⟨a,x⟩) a                σ(⟨a,x⟩) (1 − σ(⟨a,x⟩)) aaᵀ

with σ(z) = 1/(1 + e⁻ᶻ). A need not be symmetric in the first line, nor square in the third.

The table is by hand. `wengert.closed_form` derives the same formulas from the functions' NumPy
code, and `grad` and `hessian` compute their values without any.

Topic: matrix calculus (Petersen & Pedersen 2012, *The Matrix Cookbook*, section 2.4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import wengert as wg

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


class ClosedForm(NamedTuple):
    """A function with its gradient and Hessian as formulas."""

    f: Callable[[Vector], float]
    gradient: Callable[[Vector], Vector]
    hessian: Callable[[Vector], Matrix]


def quadratic(A: Matrix, b: Vector, c: float) -> ClosedForm:
    """½ xᵀAx − bᵀx + c."""
    symmetric = (A + A.T) / 2
    return ClosedForm(
        f=lambda x: x @ A @ x / 2 - b @ x + c,
        gradient=lambda x: symmetric @ x - b,
        hessian=lambda x: symmetric,
    )


def well() -> ClosedForm:
    """−exp(−xᵀx)."""
    return ClosedForm(
        f=lambda x: -np.exp(-x @ x),
        gradient=lambda x: 2 * x * np.exp(-x @ x),
        hessian=lambda x: (2 * np.eye(x.size) - 4 * np.outer(x, x)) * np.exp(-x @ x),
    )


def least_squares(A: Matrix, b: Vector) -> ClosedForm:
    """½ ‖Ax − b‖²."""
    return ClosedForm(
        f=lambda x: np.sum((A @ x - b) ** 2) / 2,
        gradient=lambda x: A.T @ (A @ x - b),
        hessian=lambda x: A.T @ A,
    )


def softplus(a: Vector) -> ClosedForm:
    """ln(1 + e^⟨a,x⟩)."""

    def sigma(x: Vector) -> float:
        return 1 / (1 + np.exp(-a @ x))

    return ClosedForm(
        f=lambda x: np.log1p(np.exp(a @ x)),
        gradient=lambda x: sigma(x) * a,
        hessian=lambda x: sigma(x) * (1 - sigma(x)) * np.outer(a, a),
    )


def problems() -> tuple[Vector, dict[str, ClosedForm]]:
    """A point, and the functions with what was derived by hand."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=4) / 2
    return x, {
        "½ xᵀAx − bᵀx + c": quadratic(rng.normal(size=(4, 4)), rng.normal(size=4), 3.0),
        "−exp(−xᵀx)": well(),
        "½ ‖Ax − b‖²": least_squares(rng.normal(size=(6, 4)), rng.normal(size=6)),
        "ln(1 + e^⟨a,x⟩)": softplus(rng.normal(size=4)),
    }


def comparisons() -> dict[str, tuple[object, object]]:
    """What is computed, and the closed form."""
    x, functions = problems()
    found = {}
    for name, (f, gradient, hessian) in functions.items():
        found[f"gradient of {name}"] = (wg.grad(f)(x), gradient(x))
        found[f"Hessian of {name}"] = (wg.hessian(f)(x), hessian(x))
        derived = wg.closed_form(f, x)
        found[f"derived gradient of {name}"] = (derived.gradient_function(x), gradient(x))
        found[f"derived Hessian of {name}"] = (derived.hessian_function(x), hessian(x))
    return found


def main() -> None:
    x, functions = problems()
    for f, *_ in functions.values():
        print(wg.closed_form(f, x), end="\n\n")
    for name, (computed, closed) in comparisons().items():
        worst = np.max(np.abs(np.subtract(computed, closed)))
        print(f"{name:36} greatest difference from the closed form {worst:.1e}")


if __name__ == "__main__":
    main()
