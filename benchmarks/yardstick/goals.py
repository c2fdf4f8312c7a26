"""What the project wants to reach, judged on the rows of one run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from yardstick.measure import Row

# Rows whose limit is another one than the rest's.
JOINED = ("differences", "laplacian", "concatenate", "gather")
MATRIX = ("mlp", "logistic")
FACTORED = ("solve", "batched-solve", "logdet", "svd")
LSTM, BUNDLE = "lstm", "bundle"
# These repeat a problem that is there as an unrolled loop too.
REPEATED = "-scan"
NO_GRADIENT = ("hvp", "hessian", BUNDLE)
OURS = "wengert"


@dataclass(frozen=True, slots=True)
class Goal:
    """`reached` is None where a row or a peer that it needs was not measured."""

    text: str
    found: str
    reached: bool | None


def geometric_mean(ratios: Iterable[float]) -> float:
    logs = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def goals(rows: Sequence[Row], startup: Mapping[str, float | None]) -> list[Goal]:
    """All goals. A row or a process without a result of wengert misses those that it belongs to.

    A problem counts once in what is a mean or has a limit in C: its scan is compared with its loop.
    """
    every, rows = rows, [row for row in rows if not row.name.endswith(REPEATED)]
    dispatch = _named(rows, "dispatch")
    others = [row for row in rows if row not in dispatch]
    floored = [row for row in others if "c" in row.g]
    general = [row for row in floored if row.name not in (*JOINED, LSTM, BUNDLE)]
    # A gradient that reuses a factorisation is cheap: such rows would flatter this mean.
    gradients = [
        row
        for row in others
        if not row.name.endswith(NO_GRADIENT) and not row.name.startswith(FACTORED)
    ]
    with_jax = [row for row in rows if "jax" in row.g]
    best = _named(rows, "chain", "polynomial", "mds", "student-30", "lorenz")
    found = [
        _mean("geometric mean against C ≤ 1.0", floored, _over("g", "c"), at_most=1.0),
        _every("no row above 1.4 × C", general, _over("g", "c"), at_most=1.4),
        _every(
            "stencils, concatenation, gather ≤ 1.5 × C",
            _named(rows, *JOINED),
            _over("g", "c"),
            at_most=1.5,
        ),
        _every("chains, MDS, student-30, Lorenz ≤ 1.0 × C", best, _over("g", "c"), at_most=1.0),
        _every(
            "softmax < its two matrix products", _named(rows, "softmax"), _products, at_most=1.0
        ),
        _every(
            "g/f ≤ 1.1 × C's own, where f ≤ 1.2 × C's f",
            [row for row in floored if (_over("f", "c")(row) or 2.0) <= 1.2],
            _relative_cost,
            at_most=1.1,
        ),
        _every(
            "g/f ≤ 1.2 on the elementwise chains",
            _named(rows, "chain", "polynomial"),
            _cost,
            at_most=1.2,
        ),
        _mean("geometric mean of g/f ≤ 2.0", gradients, _cost, at_most=2.0),
        _every(
            "faster than JAX in every row",
            [row for row in every if "jax" in row.g],
            _against("jax"),
            at_least=1.0,
        ),
        _mean("≥ 4 × faster than JAX in geometric mean", with_jax, _against("jax"), at_least=4.0),
        _every(
            "MLP, HVPs, logistic Hessian at least as fast as JAX",
            _named(rows, *MATRIX),
            _against("jax"),
            at_least=1.0,
        ),
        _every("a call costs ≤ 150 ns above the work", dispatch, _overhead, at_most=150.0),
        _every("dispatch ≥ 40 × faster than JAX", dispatch, _against("jax"), at_least=40.0),
        _every("dispatch ≥ 100 × faster than PyTorch", dispatch, _against("torch"), at_least=100.0),
        _every(
            "a gradient of 100 ops compiles in ≤ 50 ms",
            _named(rows, "hundred"),
            _fresh("compile"),
            at_most=0.05,
        ),
        _every("GMM compiles in ≤ 0.3 s", _named(rows, "gmm"), _fresh("compile"), at_most=0.3),
        _every(
            "150,000 nodes unrolled compile in ≤ 5 s",
            _named(rows, "lorenz"),
            _fresh("compile"),
            at_most=5.0,
        ),
        _every(
            "Lorenz's first result within 1.5 s",
            _named(rows, "lorenz"),
            _fresh("first"),
            at_most=1.5,
        ),
        _every("solve: g/f ≤ 1.3", _named(rows, "solve"), _cost, at_most=1.3),
        _every("log-determinants: g/f ≤ 2.0", _named(rows, "logdet"), _cost, at_most=2.0),
        _every("LSTM by scan ≤ 2 × C", _named(rows, LSTM), _over("g", "c"), at_most=2.0),
        _every("LSTM ≥ 8 × faster than JAX", _named(rows, LSTM), _against("jax"), at_least=8.0),
        _every(
            "Lorenz, five bodies by scan ≤ 1.5 × unrolled",
            [row for row in every if row.name.endswith(REPEATED)],
            _against_unrolled(rows),
            at_most=1.5,
        ),
        _every("bundle ≤ 2 × C", _named(rows, BUNDLE), _over("g", "c"), at_most=2.0),
        _every("bundle ≥ 10 × faster than JAX", _named(rows, BUNDLE), _against("jax"), at_least=10),
    ]
    process = startup.get(OURS)
    found.append(
        Goal(
            "import and first gradient, whole process, ≤ 0.25 s",
            f"{process:.3g} s" if process is not None else "no result" if OURS in startup else "-",
            process <= 0.25 if process is not None else False if OURS in startup else None,
        )
    )
    return found


Measure = Callable[[Row], float | None]


def _named(rows: Sequence[Row], *starts: str) -> list[Row]:
    return [row for row in rows if row.name.startswith(starts)]


def _over(what: str, peer: str) -> Measure:
    def measure(row: Row) -> float | None:
        times = getattr(row, what)
        return times[OURS] / times[peer] if OURS in times and peer in times else None

    return measure


def _against(peer: str) -> Measure:
    def measure(row: Row) -> float | None:
        return row.g[peer] / row.g[OURS] if OURS in row.g and peer in row.g else None

    return measure


def _cost(row: Row) -> float | None:
    return row.g[OURS] / row.f[OURS] if OURS in row.f and OURS in row.g else None


def _relative_cost(row: Row) -> float | None:
    cost = _cost(row)
    return cost and cost / (row.g["c"] / row.f["c"])


def _products(row: Row) -> float | None:
    alone = row.beside.get("two products")
    return row.g[OURS] / alone if alone and OURS in row.g else None


def _overhead(row: Row) -> float | None:
    return 1e9 * (row.g[OURS] - row.g["c"]) if OURS in row.g and "c" in row.g else None


def _against_unrolled(rows: Sequence[Row]) -> Measure:
    """A scan's time as a multiple of that of the same problem as a loop."""
    loops = {row.name: row for row in rows}

    def measure(row: Row) -> float | None:
        loop = loops.get(row.name.removesuffix(REPEATED))
        measured = loop is not None and OURS in loop.g and OURS in row.g
        return row.g[OURS] / loop.g[OURS] if measured else None

    return measure


def _fresh(what: str) -> Measure:
    return lambda row: row.fresh.get(OURS, {}).get(what)


def _every(
    text: str,
    rows: Sequence[Row],
    measure: Measure,
    at_most: float = math.inf,
    at_least: float = 0.0,
) -> Goal:
    """The worst row decides; those that miss it are named."""
    found = {row.name: measure(row) for row in rows}
    measured = {name: value for name, value in found.items() if value is not None}
    failed = [row.name for row in rows if OURS not in row.g]
    if not measured:
        return Goal(text, _without(failed) or "-", False if failed else None)
    missed = [f"{n} {v:.3g}" for n, v in measured.items() if not at_least <= v <= at_most]
    worst = max(measured.values()) if at_most < math.inf else min(measured.values())
    said = ", ".join(filter(None, (f"worst {worst:.3g}", *missed[:12], _without(failed))))
    return Goal(text, said, not missed and not failed)


def _mean(
    text: str,
    rows: Sequence[Row],
    measure: Measure,
    at_most: float = math.inf,
    at_least: float = 0.0,
) -> Goal:
    measured = [value for row in rows if (value := measure(row)) is not None]
    failed = [row.name for row in rows if OURS not in row.g]
    if not measured:
        return Goal(text, _without(failed) or "-", False if failed else None)
    mean = geometric_mean(measured)
    said = f"{mean:.3g} over {len(measured)} rows"
    return Goal(
        text,
        ", ".join(filter(None, (said, _without(failed)))),
        at_least <= mean <= at_most and not failed,
    )


def _without(failed: Sequence[str]) -> str:
    return f"no result: {' '.join(failed)}" if failed else ""
