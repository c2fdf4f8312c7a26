"""The pullback of an elementwise function needs no Jacobian.

y = exp(x), element by element, has the Jacobian

    J = diag(exp(x)),        n × n numbers, of which n are not zero.

Its product with a cotangent ȳ from the left is

    x̄ = ȳᵀ J = ȳ ⊙ exp(x) = ȳ ⊙ y,

n multiplications with the result that is there already. For n = 10⁶ the matrix would take
8 terabytes; the pullback takes 8 megabytes.

Topic: vector–Jacobian products of elementwise functions.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

import wengert as wg

Vector = NDArray[np.float64]


def pulled_back(x: Vector, y_bar: Vector) -> Vector:
    """x̄ = ȳᵀ J for y = exp(x)."""
    _, pullback = wg.vjp(np.exp, x)
    (x_bar,) = pullback(y_bar)
    return x_bar


def by_hand(x: Vector, y_bar: Vector) -> Vector:
    """x̄ = ȳ ⊙ exp(x)."""
    return y_bar * np.exp(x)


def comparisons() -> dict[str, tuple[object, object]]:
    """What is computed, and what it must be: for 10⁶ elements, and for six with the matrix."""
    rng = np.random.default_rng(0)
    x, y_bar = rng.normal(size=10**6), rng.normal(size=10**6)
    few, few_bar = x[:6], y_bar[:6]
    return {
        "the pullback of exp, n = 10⁶": (pulled_back(x, y_bar), by_hand(x, y_bar)),
        "the pullback of exp, n = 6": (pulled_back(few, few_bar), few_bar @ np.diag(np.exp(few))),
        "its Jacobian, n = 6": (wg.jacobian(np.exp)(few), np.diag(np.exp(few))),
    }


def main() -> None:
    for name, (computed, expected) in comparisons().items():
        worst = np.max(np.abs(np.subtract(computed, expected)))
        print(f"{name:30} greatest difference from the formula {worst:.1e}")
    x = np.random.default_rng(0).normal(size=10**6)
    start = time.perf_counter()
    pulled_back(x, x)
    print(f"time for n = 10⁶: {1e3 * (time.perf_counter() - start):.1f} ms")


if __name__ == "__main__":
    main()
