"""What tracing costs, as ratios of times measured side by side in one run.

    python benchmarks/tracing.py

Prints, for each row, the median time and its ratio to the peer: one `np.multiply` on 3-vectors for
the cost of an op, autograd and the plain NumPy function for repeated gradients. Measurements are
interleaved, since the machine is shared and noisy.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
from rich.console import Console
from rich.table import Table

import wengert as wg
import wengert.numpy as wnp
from wengert.graph.types import FLOAT, array_type
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer

X = np.array([0.3, 0.7, 1.1])


def seconds(work: Callable[[], Any], rounds: int) -> float:
    start = time.perf_counter()
    for _ in range(rounds):
        work()
    return (time.perf_counter() - start) / rounds


def medians(contenders: dict[str, tuple[Callable[[], Any], int]], repeats: int) -> dict[str, float]:
    """Seconds of one call of each, interleaved."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for work, _ in contenders.values():
        work()
    for _ in range(repeats):
        for name, (work, rounds) in contenders.items():
            times[name].append(seconds(work, rounds))
    return {name: statistics.median(found) for name, found in times.items()}


def ops() -> dict[str, float]:
    """Tracing one op: known, new, and through NumPy's protocol."""
    with outermost() as session:
        a = Tracer(session.input(X, array_type((3,), FLOAT)), session)
        b = Tracer(session.input(X, array_type((3,), FLOAT)), session)
        keep = [a + b, a * 0.3, np.sin(a), a[1:], a.sum()]
        chain: list[Tracer] = [a]

        def new_op() -> None:
            chain.append(chain[-1] + b)

        times = medians(
            {
                "np.multiply": (lambda: np.multiply(X, X), 2000),
                "known a + b": (lambda: a + b, 2000),
                "known a * 0.3": (lambda: a * 0.3, 2000),
                "known wnp.sin(a)": (lambda: wnp.sin(a), 2000),
                "known np.sin(a)": (lambda: np.sin(a), 2000),
                "known a[1:]": (lambda: a[1:], 2000),
                "known np.sum(a)": (lambda: np.sum(a), 2000),
                "new a + b": (new_op, 500),
            },
            repeats=21,
        )
        del keep
    return times


def program(np_like: Any) -> Callable[[Any], Any]:
    """A program of 250 ops on 3-vectors."""

    def f(x: Any) -> Any:
        y = x
        for _ in range(50):
            y = np_like.sin(y) * 0.9 + x
            y = y * y * 0.5 - x
        return np_like.sum(y)

    return f


def gradients() -> dict[str, float]:
    """The gradient of that program, again and again."""
    plain, theirs = program(np), autograd.grad(program(anp))
    ours, jitted = wg.grad(plain), wg.jit(wg.grad(plain))
    np.testing.assert_allclose(ours(X), theirs(X), rtol=1e-12)
    np.testing.assert_allclose(jitted(X), theirs(X), rtol=1e-12)
    return medians(
        {
            "plain NumPy function": (lambda: plain(X), 20),
            "wengert grad": (lambda: ours(X), 20),
            "wengert grad under jit": (lambda: jitted(X), 20),
            "autograd grad": (lambda: theirs(X), 5),
        },
        repeats=15,
    )


def growth(traces: int) -> tuple[int, int]:
    """Objects alive after a tenth of the traces and after all, each with a literal of its own."""

    def one(k: int) -> None:
        # a literal of its own at a call site of its own: nothing can be reused
        exec(compile(f"grad(lambda x: x * {k + 0.123})(1.5)", "<trace>", "eval"), {"grad": wg.grad})

    counts = []
    for stop in (traces // 10, traces):
        for k in range(stop):
            one(k + stop)
        gc.collect()
        counts.append(len(gc.get_objects()))
    return counts[0], counts[1]


def show(title: str, times: dict[str, float], peer: str) -> None:
    table = Table(title=title, title_justify="left")
    for column in ("", "time", f"ratio to {peer}"):
        table.add_column(column, justify="left" if not column else "right")
    for name, value in times.items():
        table.add_row(name, f"{value * 1e6:.3f} µs", f"{value / times[peer]:.2f}")
    Console().print(table)


def main() -> None:
    show("Tracing one op on 3-vectors", ops(), "np.multiply")
    times = gradients()
    show("A repeated gradient, 250 ops on 3-vectors", times, "autograd grad")
    print(f"wengert is {times['autograd grad'] / times['wengert grad']:.1f}x faster than autograd")
    if "--memory" in sys.argv:
        first, last = growth(100_000)
        print(f"objects alive: {first} after 10,000 traces, {last} after 100,000 more")


if __name__ == "__main__":
    main()
