"""The chain rule: in one variable, in several, and in vector form.

One variable.  For h = f ∘ g,

    h'(x) = f'(g(x)) g'(x).

Several variables.  For z(t) = f(x(t), y(t)),

    dz/dt = ∂f/∂x dx/dt + ∂f/∂y dy/dt.

Vector form.  For g: Rⁿ → Rᵐ and f: Rᵐ → Rᵏ the Jacobians multiply,

    J_{f∘g}(x) = J_f(g(x)) J_g(x).

Forward mode multiplies from the right: J ẋ, a column of J for each unit vector ẋ. Reverse mode
multiplies from the left: ȳᵀ J, a row of J for each unit vector ȳ. A Jacobian of m rows and n
columns takes n forward passes or m reverse ones.

Topic: the chain rule and the two modes of automatic differentiation (Griewank & Walther 2008,
*Evaluating Derivatives*, chapter 3).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import wengert as wg

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Function = Callable[[Vector], Vector]


# ------------------------------------------------------------------------------- one variable


def h(x: float) -> float:
    """h(x) = sin(x²)."""
    return np.sin(x**2)


def h_prime(x: float) -> float:
    """By hand: cos(x²) · 2x."""
    return np.cos(x**2) * 2 * x


# --------------------------------------------------------------------------- several variables


def z(t: float) -> float:
    """z(t) = f(x(t), y(t)) with f(x, y) = x² y, on the circle x = cos t, y = sin t."""
    x, y = np.cos(t), np.sin(t)
    return x**2 * y


def z_prime(t: float) -> float:
    """By hand: ∂f/∂x dx/dt + ∂f/∂y dy/dt = 2xy · (−sin t) + x² · cos t."""
    x, y = np.cos(t), np.sin(t)
    return 2 * x * y * -np.sin(t) + x**2 * np.cos(t)


# --------------------------------------------------------------------------------- vector form


def polar(p: Vector) -> Vector:
    """g: R² → R², from polar coordinates (r, φ) to (x, y)."""
    r, phi = p
    return np.stack([r * np.cos(phi), r * np.sin(phi)])


def surface(q: Vector) -> Vector:
    """f: R² → R³, the point (x, y, xy) of a saddle."""
    x, y = q
    return np.stack([x, y, x * y])


def composed(p: Vector) -> Vector:
    """f ∘ g: R² → R³."""
    return surface(polar(p))


def composed_jacobian(p: Vector) -> Matrix:
    """By hand: J_f(g(p)) J_g(p), a 3×2 matrix."""
    r, phi = p
    x, y = polar(p)
    of_surface = np.array([[1, 0], [0, 1], [y, x]])
    of_polar = np.array([[np.cos(phi), -r * np.sin(phi)], [np.sin(phi), r * np.cos(phi)]])
    return of_surface @ of_polar


def jacobian_by_columns(f: Function, x: Vector) -> Matrix:
    """Forward mode: column j is the derivative of f in the direction eⱼ."""
    return np.stack([wg.jvp(f, (x,), (e,))[1] for e in np.eye(x.size)], axis=1)


def jacobian_by_rows(f: Function, x: Vector) -> Matrix:
    """Reverse mode: row i is the pullback of eᵢ."""
    y, pullback = wg.vjp(f, x)
    return np.stack([pullback(e)[0] for e in np.eye(y.size)], axis=0)


def comparisons() -> dict[str, tuple[object, object]]:
    """What is computed, and what it must be."""
    p = np.array([2.0, 0.6])
    by_hand = composed_jacobian(p)
    return {
        "h'(x) for h = sin(x²)": (wg.grad(h)(1.3), h_prime(1.3)),
        "dz/dt along a circle": (wg.grad(z)(0.8), z_prime(0.8)),
        "J of f∘g, forward, by columns": (jacobian_by_columns(composed, p), by_hand),
        "J of f∘g, reverse, by rows": (jacobian_by_rows(composed, p), by_hand),
        "J of f∘g, jacfwd": (wg.jacfwd(composed)(p), by_hand),
        "J of f∘g, jacrev": (wg.jacrev(composed)(p), by_hand),
        "J_f(g(x)) J_g(x)": (wg.jacobian(surface)(polar(p)) @ wg.jacobian(polar)(p), by_hand),
    }


def main() -> None:
    for name, (computed, by_hand) in comparisons().items():
        print(f"{name}\n  computed {np.round(computed, 6).tolist()}")
        print(f"  by hand  {np.round(by_hand, 6).tolist()}")


if __name__ == "__main__":
    main()
