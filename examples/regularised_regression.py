"""One step of regularised logistic regression, with all its adjoints.

    z = wx + b        y = σ(z) = 1/(1 + e⁻ᶻ)        ℓ = ½ (y − t)²        r = ½ w²
    L = ℓ + λ r

Backwards from L̄ = 1, each adjoint is a sum over the lines that use the variable:

    ℓ̄ = 1                         r̄ = λ
    ȳ = ℓ̄ (y − t)
    z̄ = ȳ σ'(z) = ȳ y (1 − y)
    w̄ = z̄ x + r̄ w                 w is used twice: by z and by r
    b̄ = z̄
    x̄ = z̄ w                       the data have adjoints too
    t̄ = −ℓ̄ (y − t)

The same formulas serve a whole sample: with x of shape (n, d), w of shape (d,) and sums over the n
points, z̄ is a vector, w̄ = xᵀ z̄ + λ w and b̄ = Σ z̄.

Topic: reverse mode by hand, and weight decay as one more term of the chain rule.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

import wengert as wg

Array = NDArray[np.float64]
Parameters = dict[str, Array | float]
Number = TypeVar("Number", float, Array)


def sigmoid(z: Number) -> Number:
    """σ(z) = 1/(1 + e⁻ᶻ)."""
    return 1 / (1 + np.exp(-z))


def loss(w: float, b: float, x: float, t: float, strength: float) -> float:
    """½ (σ(wx + b) − t)² + λ/2 w², for numbers."""
    y = sigmoid(w * x + b)
    return (y - t) ** 2 / 2 + strength / 2 * w**2


def one_point(w: float, b: float) -> float:
    """L at x = 1.5, t = 1, λ = 0.1."""
    return loss(w, b, x=1.5, t=1.0, strength=0.1)


def adjoints_by_hand(w: float, b: float, x: float, t: float, strength: float) -> dict[str, float]:
    """The adjoints of the docstring."""
    y = sigmoid(w * x + b)
    y_bar = y - t
    z_bar = y_bar * y * (1 - y)
    return {
        "y": y_bar,
        "z": z_bar,
        "w": z_bar * x + strength * w,
        "b": z_bar,
        "x": z_bar * w,
        "t": -(y - t),
    }


def adjoints(w: float, b: float, x: float, t: float, strength: float) -> dict[str, float]:
    """The same by reverse mode.

    The adjoint of an intermediate value is the gradient of what comes after it, by that value.
    """
    z = w * x + b
    y = sigmoid(z)
    w_bar, b_bar, x_bar, t_bar = wg.grad(loss, argnums=(0, 1, 2, 3))(w, b, x, t, strength)
    return {
        "y": wg.grad(lambda y: (y - t) ** 2 / 2)(y),
        "z": wg.grad(lambda z: (sigmoid(z) - t) ** 2 / 2)(z),
        "w": w_bar,
        "b": b_bar,
        "x": x_bar,
        "t": t_bar,
    }


def sample_loss(parameters: Parameters, x: Array, t: Array, strength: float) -> float:
    """The same over a sample: Σ ½ (σ(xw + b) − t)² + λ/2 wᵀw, with x of shape (n, d)."""
    w, b = parameters["w"], parameters["b"]
    y = sigmoid(x @ w + b)
    return np.sum((y - t) ** 2) / 2 + strength / 2 * w @ w


def sample_gradient_by_hand(
    parameters: Parameters, x: Array, t: Array, strength: float
) -> Parameters:
    """w̄ = xᵀ z̄ + λ w and b̄ = Σ z̄."""
    w, b = parameters["w"], parameters["b"]
    y = sigmoid(x @ w + b)
    z_bar = (y - t) * y * (1 - y)
    return {"w": x.T @ z_bar + strength * w, "b": np.sum(z_bar)}


def comparisons() -> dict[str, tuple[object, object]]:
    """What is computed, and what it must be."""
    point = dict(w=0.7, b=-0.3, x=1.5, t=1.0, strength=0.1)
    computed, by_hand = adjoints(**point), adjoints_by_hand(**point)
    one = {f"adjoint of {name}": (computed[name], by_hand[name]) for name in by_hand}

    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(50, 3)), rng.integers(0, 2, size=50).astype(float)
    parameters = {"w": rng.normal(size=3), "b": 0.2}
    computed = wg.grad(sample_loss)(parameters, x, t, 0.1)
    by_hand = sample_gradient_by_hand(parameters, x, t, 0.1)
    sample = {f"adjoint of {name}, 50 points": (computed[name], by_hand[name]) for name in by_hand}
    return one | sample


def main() -> None:
    Console().print(wg.explain(one_point, 0.7, -0.3))
    for name, (computed, by_hand) in comparisons().items():
        print(f"{name:27}{np.round(computed, 9)}   by hand {np.round(by_hand, 9)}")


if __name__ == "__main__":
    main()
