"""Forward or reverse: the time of a Jacobian against the number of outputs.

A Jacobian of n inputs and m outputs is n columns by forward mode, or m rows by reverse mode. Of

    f(x) = A x,    A of shape (m, n),  n = 100,

a column is a product of A with a vector, and a row one of Aᵀ, each of mn multiplications. So
forward mode takes n²m of them, in proportion to m; reverse mode m²n, in proportion to m²; and they
meet at m = n. `wengert.jacobian` takes the cheaper one: its choice, as `wengert.plan` tells it, is
timed as a third curve, and lies on the lower envelope of the two.

Here columns and rows are pushed and pulled for vectors that are data (`vmap` of `jvp` and `vjp`),
so that the products are really made. `jacobian` itself knows that its vectors are unit vectors. For
this f it sees that the matrix it is to make is A, and copies A: the curve below all others. All is
timed on one core.

Topic: the cost of forward and reverse mode.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import wengert as wg
from wengert import settings

Matrix = NDArray[np.float64]

INPUTS = 100
OUTPUTS = (1, 3, 10, 30, 60, 100, 160, 250, 400)
LABELS = {
    "forward": "forward: 100 columns",
    "reverse": "reverse: a row for each output",
    "auto": "the one that jacobian chooses",
    "jacobian": "jacobian itself, which sees A",
}


class Point(NamedTuple):
    """What was measured for one number of outputs: seconds, and the mode that was chosen."""

    outputs: int
    chosen: str
    seconds: dict[str, float]


def forward(A: Matrix, x: Matrix, directions: Matrix) -> Matrix:
    """The Jacobian at x by columns: each row of `directions` is a tangent, pushed forward."""
    return wg.vmap(lambda v: wg.jvp(lambda x: A @ x, (x,), (v,))[1], out_axes=1)(directions)


def reverse(A: Matrix, x: Matrix, directions: Matrix) -> Matrix:
    """The Jacobian at x by rows: each row of `directions` is a cotangent, pulled back."""
    pull = wg.vjp(lambda x: A @ x, x)[1]
    return wg.vmap(lambda v: pull(v)[0])(directions)


def ways(A: Matrix, x: Matrix) -> tuple[str, dict[str, Callable[[], Matrix]]]:
    """The mode that `jacobian` chooses, and the ways to make the Jacobian of A x."""
    chosen = wg.plan(lambda x: A @ x)(x).chosen.name
    pushed, pulled = wg.jit(forward), wg.jit(reverse)
    whole = wg.jit(lambda A, x: wg.jacobian(lambda x: A @ x)(x))
    columns, rows = np.eye(A.shape[1]), np.eye(A.shape[0])
    by_mode: dict[str, Callable[[], Matrix]] = {
        "forward": lambda: pushed(A, x, columns),
        "reverse": lambda: pulled(A, x, rows),
    }
    return chosen, {**by_mode, "auto": by_mode[chosen], "jacobian": lambda: whole(A, x)}


def measured(outputs: int, rounds: int) -> Point:
    """The medians over rounds in which all ways take their turn, after two that are not counted."""
    rng = np.random.default_rng(outputs)
    A, x = rng.normal(size=(outputs, INPUTS)), rng.normal(size=INPUTS)
    chosen, calls = ways(A, x)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for round in range(rounds + 2):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if round >= 2:
                times[name].append(time.perf_counter() - start)
    return Point(outputs, chosen, {name: median(each) for name, each in times.items()})


@contextmanager
def one_thread() -> Iterator[None]:
    """On one core meanwhile."""
    before = settings.threads
    wg.set_threads(1)
    try:
        yield
    finally:
        wg.set_threads(before)


def picture(points: list[Point]) -> Figure:
    """Time against outputs, both in logarithms."""
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.subplots()
    styles = {"forward": "o-", "reverse": "s-", "auto": "k--", "jacobian": ":"}
    outputs = [point.outputs for point in points]
    for name, label in LABELS.items():
        seconds = [1e6 * point.seconds[name] for point in points]
        axes.loglog(outputs, seconds, styles[name], label=label, markersize=4)
    axes.axvline(INPUTS, color="grey", linewidth=0.5)
    axes.set(
        title=f"The Jacobian of f(x) = A x, of {INPUTS} inputs",
        xlabel="outputs",
        ylabel="time (µs, medians)",
    )
    axes.legend()
    return figure


def main(folder: Path = Path("demo"), rounds: int = 21) -> list[Point]:
    with one_thread():
        points = [measured(outputs, rounds) for outputs in OUTPUTS]
    path = folder / "forward_or_reverse.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(points).savefig(path, dpi=120)
    print(f"Time of the Jacobian of f(x) = A x, of {INPUTS} inputs, in µs:")
    print("outputs    forward    reverse       auto    chosen      jacobian")
    for point in points:
        push, pull, auto, whole = (1e6 * point.seconds[name] for name in LABELS)
        print(
            f"{point.outputs:7}{push:11.1f}{pull:11.1f}{auto:11.1f}    {point.chosen}{whole:15.1f}"
        )
    print(f"The picture is {path}")
    return points


if __name__ == "__main__":
    main()
