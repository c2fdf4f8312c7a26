"""Finite differences beside automatic differentiation: the error, and the time.

Error. With a step h, the differences

    (f(x + h) − f(x))/h = f' + h f''/2 + …,        (f(x + h) − f(x − h))/2h = f' + h² f'''/6 + …

also divide the rounding errors of f, ε|f|, by h. The error is a V on logarithmic axes: for large h
it grows as h or h², for small h as ε/h. At best it is about ε^{1/2} or ε^{2/3} (Nocedal & Wright
2006, section 8.1). Automatic differentiation has no h; its error is that of evaluating f'.

Time. A gradient in n dimensions takes 2n evaluations by central differences, so 2nT where T is the
time of one, against a small multiple of T by reverse mode, whatever n is (Baur & Strassen 1983;
Griewank & Walther 2008, section 3.3).

Topic: why derivatives are not computed by differences.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import wengert as wg

Array = NDArray[np.float64]

METHODS = ("forward", "central")


# ------------------------------------------------------------------------------------ the error


def curve(x: float) -> float:
    """f(x) = e^{sin x}."""
    return np.exp(np.sin(x))


def slope(x: float) -> float:
    """By hand: cos x · e^{sin x}."""
    return np.cos(x) * np.exp(np.sin(x))


@dataclass(frozen=True)
class Errors:
    """|derivative − f'|/|f'| for each step, by method; and that of automatic differentiation."""

    steps: Array
    differences: dict[str, Array]
    automatic: float


def errors(x: float = 0.6, count: int = 61) -> Errors:
    """For steps from 10⁻¹⁵ to 1, each the largest of a few near it."""
    steps, exact = np.geomspace(1e-15, 1.0, count), slope(x)

    def error(method: str, h: float) -> float:
        return max(
            abs(wg.zeroth.finite_difference(curve, x, method=method, step=h * s).value / exact - 1)
            for s in (0.8, 0.9, 1.0, 1.1, 1.2)
        )

    found = {method: np.array([error(method, h) for h in steps]) for method in METHODS}
    return Errors(steps, found, abs(float(wg.grad(curve)(x)) / exact - 1))


# ------------------------------------------------------------------------------------- the time


def chain(x: Array) -> float:
    """Rosenbrock's function Σᵢ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@dataclass(frozen=True)
class Times:
    """For each dimension, in seconds: one evaluation, the gradient by central differences and by
    reverse mode; and the largest relative difference of the two gradients."""

    dimensions: list[int]
    evaluation: Array
    differences: Array
    automatic: Array
    apart: Array


def seconds(call: Callable[[], object], shortest: float) -> float:
    """The least time of several calls, of which all together take so long at least."""
    call()
    call()  # what is seen twice is compiled
    best, spent = np.inf, 0.0
    while spent < shortest:
        start = time.perf_counter()
        call()
        elapsed = time.perf_counter() - start
        best, spent = min(best, elapsed), spent + elapsed
    return best


def times(dimensions: list[int], shortest: float = 0.02) -> Times:
    """All three as machine code, and as they are called, with what Python takes."""
    f, gradient = wg.jit(chain), wg.jit(wg.grad(chain))
    rows = []
    for n in dimensions:
        x = np.random.default_rng(0).normal(size=n)
        by_differences = wg.zeroth.finite_difference(f, x).value
        exact = gradient(x)
        rows.append(
            (
                seconds(lambda x=x: f(x), shortest),
                seconds(lambda x=x: wg.zeroth.finite_difference(f, x), shortest),
                seconds(lambda x=x: gradient(x), shortest),
                float(np.max(np.abs(by_differences - exact)) / np.max(np.abs(exact))),
            )
        )
    return Times(dimensions, *np.array(rows).T)


def draw(found: Errors, timed: Times, path: Path) -> None:
    """The V of the errors, and the times over the dimension."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for method in METHODS:
        left.loglog(found.steps, np.maximum(found.differences[method], 1e-17), label=method)
    left.axhline(max(found.automatic, 1e-17), color="k", ls="--", label="automatic")
    left.set(xlabel="step h", ylabel="relative error", title="Error of f'")
    left.legend()
    right.loglog(timed.dimensions, timed.differences, "o-", label="central differences")
    right.loglog(timed.dimensions, timed.automatic, "o-", label="reverse mode")
    right.loglog(timed.dimensions, timed.evaluation, "k--", label="one evaluation")
    right.set(xlabel="dimension n", ylabel="seconds", title="Time of a gradient")
    right.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main(out: str | Path = "differences.png", quick: bool = True) -> tuple[Errors, Times]:
    found = errors()
    for method in METHODS:
        best = int(np.argmin(found.differences[method]))
        print(
            f"{method:8} differences: relative error at best "
            f"{found.differences[method][best]:.0e}, with h = {found.steps[best]:.0e}"
        )
    print(f"automatic differentiation: relative error {found.automatic:.0e}")
    timed = times([10, 100, 1000] if quick else [10, 30, 100, 300, 1000, 3000, 10_000])
    print("     n  2nT/ms  differences/ms  reverse mode/ms  reverse mode/T  gradients apart")
    for k, n in enumerate(timed.dimensions):
        t = timed.evaluation[k]
        print(
            f"{n:6}  {2e3 * n * t:6.2f}  {1e3 * timed.differences[k]:14.2f}"
            f"  {1e3 * timed.automatic[k]:15.4f}  {timed.automatic[k] / t:14.2f}"
            f"  {timed.apart[k]:15.0e}"
        )
    if find_spec("matplotlib") is not None:
        draw(found, timed, Path(out))
        print(f"drawn to {out}")
    return found, timed


if __name__ == "__main__":
    main(quick=False)
