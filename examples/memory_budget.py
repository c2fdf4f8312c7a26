"""Memory against time: a gradient within a budget.

Reverse mode reads the values of the forward sweep from the last one back. Of

    x₀ = x        xₖ = tanh(W xₖ₋₁)        f(x) = Σ x_T²

it reads all T of them, so that storing everything takes memory in proportion to T. With less, some
are dropped and computed again from one that was kept. `grad(f, memory=...)` does this within a
number of bytes, by a plan that `memory_plan` shows: for a chain with room for s states, dropping
costs about one more forward sweep as long as T is of the order s² (Griewank & Walther 2000,
*Algorithm 799: Revolve*). The gradient is the same to rounding.

Topic: checkpointing, the trade of memory for work.
"""

from __future__ import annotations

import time
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

LAYERS = 100
PARTS = (1.0, 0.6, 0.35, 0.2, 0.12, 0.08)


def chain(layers: int, width: int = 64, points: int = 100, seed: int = 0) -> tuple[Function, Array]:
    """The function, and a point."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(width, width)) / np.sqrt(width)

    def f(x: Array) -> float:
        for _ in range(layers):
            x = np.tanh(W @ x)
        return np.sum(x**2)

    return f, rng.normal(size=(width, points))


@dataclass(frozen=True)
class Budgeted:
    """A gradient within a budget: bytes at the peak, the repeated work as a part of the work
    without repetition, the seconds of a call, the bytes that are held at each step, and how far the
    gradient is from the one without a budget, as a part of its greatest element."""

    budget: int
    peak: int
    overhead: float
    seconds: float
    live: tuple[int, ...]
    off: float


def within(f: Function, x: Array, budget: int, rounds: int) -> Budgeted:
    """The plan, and what it takes: the shortest of some calls, after those that compile."""
    plan = wg.memory_plan(f, x, memory=budget)
    gradient = wg.grad(f, memory=budget)
    expected = wg.grad(f)(x)
    off = float(np.max(np.abs(gradient(x) - expected)) / np.max(np.abs(expected)))
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        gradient(x)
        times.append(time.perf_counter() - start)
    return Budgeted(budget, plan.peak, plan.overhead, min(times[1:]), plan.live, off)


def compare(layers: int, parts: tuple[float, ...] = PARTS, rounds: int = 5) -> list[Budgeted]:
    """Budgets from what storing everything takes down to a part of it."""
    f, x = chain(layers)
    most = wg.memory_plan(f, x).peak
    return [within(f, x, int(most * part), rounds) for part in parts]


def picture(found: list[Budgeted]) -> Figure:
    """Left, more time for less memory; right, what is held while the gradient runs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    axes, held = figure.subplots(1, 2)
    peaks = [one.peak / 1e6 for one in found]
    axes.semilogx(peaks, [1 + one.overhead for one in found], "o--", label="work, as planned")
    fastest = min(one.seconds for one in found)
    axes.semilogx(peaks, [one.seconds / fastest for one in found], "s-", label="time, as measured")
    axes.set(xlabel="peak (MB)", ylabel="as a multiple", title="Less memory, more time")
    axes.set_xticks(peaks, [f"{peak:.2g}" for peak in peaks])
    axes.xaxis.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.legend()
    for one in (found[0], found[len(found) // 2], found[-1]):
        steps = np.linspace(0, 1, len(one.live))
        held.plot(steps, np.array(one.live) / 1e6, label=f"within {one.budget / 1e6:.2g} MB")
    held.set(xlabel="part of the steps", ylabel="held (MB)", title="What is held")
    held.legend()
    return figure


def main(out: str | Path = "memory_budget.png", quick: bool = True) -> list[Budgeted]:
    layers = 20 if quick else LAYERS
    found = compare(layers, PARTS[:3] if quick else PARTS)
    print(f"The gradient of a chain of {layers} layers:")
    print("   budget       peak   repeated      time")
    for one in found:
        print(
            f"{one.budget / 1e6:6.2f} MB  {one.peak / 1e6:6.2f} MB  {one.overhead:8.1%}  "
            f"{1e3 * one.seconds:6.2f} ms"
        )
    off = max(one.off for one in found)
    print(f"greatest relative difference from the gradient without a budget: {off:.1e}")
    if find_spec("matplotlib") is not None:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        picture(found).savefig(out, dpi=150)
        print(f"drawn to {out}")
    return found


if __name__ == "__main__":
    main(quick=False)
