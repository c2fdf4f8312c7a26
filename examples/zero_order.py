"""Gradient descent with and without gradients: the factor n.

Gradient descent on a convex function with gradients of Lipschitz constant L,

    x ← x − ∇f(x)/L,

has f(xₖ) − f* = O(1/k). Where f can only be evaluated, the difference along a random direction u on
the sphere gives

    G = n (f(x + tu) − f(x − tu))/2t · u,        E G = ∇f,   E ‖G‖² = n ‖∇f‖²,

so that the steps must be n times smaller, x ← x − G/(nL), and it takes O(n/k): n times as many
steps for the same accuracy (Nesterov & Spokoiny 2017, *Random gradient-free minimization of convex
functions*). Reverse mode gives the gradient at the price of a few evaluations, whatever n is.

The function is a least-squares problem, f(x) = (1/2n) Σ λᵢ (qᵢ·x − cᵢ)², in a rotated basis, with λ
from 1/20 to 1 and the start at distance 1 from the minimum in each direction qᵢ. So f falls in the
same way for all n, and only the dimension differs.

Topic: what a gradient is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import wengert as wg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Function = Callable[[Array], float]

CONDITION = 20.0


def least_squares(n: int, seed: int = 0) -> tuple[Function, Array, float]:
    """The function, the start, and the constant L; its minimum is 0.

    The rotation is a reflection, qx = x − 2 (w·x) w, so that an evaluation takes O(n).
    """
    rng = np.random.default_rng(seed)
    w = rng.normal(size=n)
    w /= np.linalg.norm(w)
    weights = np.linspace(1 / CONDITION, 1.0, n)
    centre = rng.normal(size=n)

    def f(x: Array) -> float:
        rotated = x - 2 * (w @ x) * w
        return (weights @ (rotated - centre) ** 2) / (2 * n)

    away = centre + 1.0
    return f, away - 2 * (w @ away) * w, 1.0 / n


@dataclass(frozen=True)
class Descent:
    """f at each step, as a part of f at the start, down to the accuracy that was asked for."""

    values: Array

    @property
    def steps(self) -> int:
        return len(self.values) - 1


def with_gradients(f: Function, x: Array, constant: float, accuracy: float) -> Descent:
    """x ← x − ∇f(x)/L."""
    descend = wg.jit(wg.value_and_grad(f))
    values: list[float] = []
    while True:
        value, gradient = descend(x)
        values.append(float(value))
        if value <= accuracy * values[0]:
            return Descent(np.array(values) / values[0])
        x = x - gradient / constant


def with_evaluations(
    f: Function, x: Array, constant: float, accuracy: float, seed: int = 0
) -> Descent:
    """x ← x − G/(nL), one direction a step."""
    rng = np.random.default_rng(seed)
    values = [float(f(x))]
    while values[-1] > accuracy * values[0]:
        found = wg.zeroth.two_point(f, x, directions="sphere", rng=rng)
        x = x - found.value / (len(x) * constant)
        values.append(float(f(x)))
    return Descent(np.array(values) / values[0])


def compare(dimensions: list[int], accuracy: float) -> dict[int, tuple[Descent, Descent]]:
    """Both descents for each dimension."""
    found = {}
    for n in dimensions:
        f, start, constant = least_squares(n)
        found[n] = (
            with_gradients(f, start, constant, accuracy),
            with_evaluations(f, start, constant, accuracy),
        )
    return found


def picture(found: dict[int, tuple[Descent, Descent]]) -> Figure:
    """f over the steps: the curves without gradients lie n times further to the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for k, (n, (gradients, evaluations)) in enumerate(found.items()):
        color = f"C{k}"
        axes.loglog(np.arange(1, gradients.steps + 2), gradients.values, "--", color=color)
        axes.loglog(
            np.arange(1, evaluations.steps + 2), evaluations.values, color=color, label=f"n = {n}"
        )
    axes.set(xlabel="steps", ylabel="f / f at the start", title="with gradients - -, without —")
    axes.legend()
    return figure


def main(
    out: str | Path = "zero_order.png", quick: bool = True
) -> dict[int, tuple[Descent, Descent]]:
    accuracy = 0.02 if quick else 0.002
    found = compare([10, 100, 1000], accuracy)
    print(f"steps until f is {accuracy:.0%} of what it was")
    print("    n  with gradients  without  ratio/n")
    for n, (gradients, evaluations) in found.items():
        ratio = evaluations.steps / gradients.steps
        print(f"{n:5}  {gradients.steps:14}  {evaluations.steps:7}  {ratio / n:7.2f}")
    if find_spec("matplotlib") is not None:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        picture(found).savefig(out, dpi=150)
        print(f"drawn to {out}")
    return found


if __name__ == "__main__":
    main(quick=False)
