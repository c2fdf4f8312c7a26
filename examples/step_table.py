"""Every step of a small function, forward and backward.

    L(w₁, w₂) = w₂ log w₁ + √(w₂ log w₁)

is a list of four elementary operations,

    v₁ = log w₁        v₂ = w₂ v₁        v₃ = √v₂        v₄ = v₂ + v₃ = L.

Forward mode carries a tangent v̇ along with each value, from the first operation to the last:

    v̇₁ = ẇ₁/w₁        v̇₂ = ẇ₂ v₁ + w₂ v̇₁        v̇₃ = v̇₂/(2v₃)        v̇₄ = v̇₂ + v̇₃.

With (ẇ₁, ẇ₂) = (1, 0) this gives ∂L/∂w₁, with (0, 1) it gives ∂L/∂w₂. Reverse mode carries the
adjoint v̄ = ∂L/∂v of each value, from the last operation to the first, and gives both at once:

    v̄₄ = 1             v̄₃ = v̄₄               v̄₂ = v̄₄ + v̄₃/(2v₃)     v̄₁ = v̄₂ w₂
    w̄₁ = v̄₁/w₁        w̄₂ = v̄₂ v₁.

v₂ is used twice, so its adjoint is a sum of two terms. The list of elementary operations is the
idea of R. E. Wengert (1964), *A simple automatic derivative evaluation program*.

Topic: evaluation traces, forward and reverse mode by hand.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rich.console import Console

import wengert as wg


def L(w1: float, w2: float) -> float:
    """w₂ log w₁ + √(w₂ log w₁), for w₁ > 1 and w₂ > 0."""
    return w2 * np.log(w1) + np.sqrt(w2 * np.log(w1))


class Row(NamedTuple):
    """A value with its derivatives by w₁ and by w₂, and the derivative of L by it."""

    value: float
    by_w1: float
    by_w2: float
    adjoint: float


def by_hand(w1: float, w2: float) -> dict[str, Row]:
    """The table of the docstring, written out."""
    # forward: the values
    v1 = np.log(w1)
    v2 = w2 * v1
    v3 = np.sqrt(v2)
    v4 = v2 + v3
    # forward: the tangents for (ẇ₁, ẇ₂) = (1, 0)
    v1_by_w1 = 1 / w1
    v2_by_w1 = w2 * v1_by_w1
    v3_by_w1 = v2_by_w1 / (2 * v3)
    v4_by_w1 = v2_by_w1 + v3_by_w1
    # forward: the tangents for (ẇ₁, ẇ₂) = (0, 1)
    v1_by_w2 = 0.0
    v2_by_w2 = v1
    v3_by_w2 = v2_by_w2 / (2 * v3)
    v4_by_w2 = v2_by_w2 + v3_by_w2
    # reverse: the adjoints
    v4_bar = 1.0
    v3_bar = v4_bar
    v2_bar = v4_bar + v3_bar / (2 * v3)
    v1_bar = v2_bar * w2
    w2_bar = v2_bar * v1
    w1_bar = v1_bar / w1
    return {
        "w1": Row(w1, 1.0, 0.0, w1_bar),
        "w2": Row(w2, 0.0, 1.0, w2_bar),
        "v1": Row(v1, v1_by_w1, v1_by_w2, v1_bar),
        "v2": Row(v2, v2_by_w1, v2_by_w2, v2_bar),
        "v3": Row(v3, v3_by_w1, v3_by_w2, v3_bar),
        "v4": Row(v4, v4_by_w1, v4_by_w2, v4_bar),
    }


def traced(w1: float, w2: float) -> dict[str, Row]:
    """The same table, read off the program L itself."""
    names = ["w1", "w2", "v1", "v2", "v3", "v4"]
    steps = wg.explain(L, w1, w2).steps
    return {
        name: Row(steps[name].value, *steps[name].tangents, steps[name].adjoint) for name in names
    }


def main() -> None:
    w1, w2 = 2.0, 3.0
    Console().print(wg.explain(L, w1, w2))
    computed, expected = traced(w1, w2), by_hand(w1, w2)
    worst = max(np.max(np.abs(np.subtract(computed[name], expected[name]))) for name in expected)
    print(f"greatest difference from the table derived by hand: {worst:.1e}")


if __name__ == "__main__":
    main()
