"""The product of a Hessian with a vector, without the Hessian.

For f: Rⁿ → R, the product Hv is a derivative of the gradient,

    Hv = ∇ₓ ⟨∇f(x), v⟩                     reverse over reverse
    Hv = d/dε ∇f(x + εv) at ε = 0          forward over reverse

(Pearlmutter 1994, *Fast exact multiplication by the Hessian*). Each costs a small multiple of f
itself, where H costs n of them and n² numbers of memory.

The function is Rosenbrock's,

    f(x) = Σᵢ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)².

Topic: second derivatives by composing the two modes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import wengert as wg

Vector = NDArray[np.float64]
Function = Callable[[Vector], float]


def rosenbrock(x: Vector) -> float:
    """Σᵢ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def reverse_over_reverse(f: Function, x: Vector, v: Vector) -> Vector:
    """∇ₓ ⟨∇f(x), v⟩."""
    return wg.grad(lambda x: np.vdot(wg.grad(f)(x), v))(x)


def forward_over_reverse(f: Function, x: Vector, v: Vector) -> Vector:
    """The tangent of ∇f in the direction v."""
    _, product = wg.jvp(wg.grad(f), (x,), (v,))
    return product


def comparisons() -> dict[str, tuple[object, object]]:
    """Each way, and the Hessian times the vector."""
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=20), rng.normal(size=20)
    product = wg.hessian(rosenbrock)(x) @ v
    return {
        "reverse over reverse": (reverse_over_reverse(rosenbrock, x, v), product),
        "forward over reverse": (forward_over_reverse(rosenbrock, x, v), product),
        "wengert.hvp": (wg.hvp(rosenbrock, x, v), product),
    }


def main() -> None:
    for name, (computed, product) in comparisons().items():
        worst = np.max(np.abs(np.subtract(computed, product)))
        print(f"{name:22} greatest difference from the Hessian times v: {worst:.1e}")
    n = 100_000
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=n), rng.normal(size=n)
    start = time.perf_counter()
    forward_over_reverse(rosenbrock, x, v)
    elapsed = time.perf_counter() - start
    print(f"n = {n}: {1e3 * elapsed:.0f} ms; the Hessian would take {8 * n**2 / 1e9:.0f} GB")


if __name__ == "__main__":
    main()
