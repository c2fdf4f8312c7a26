"""The problems of Moré, Garbow & Hillstrom: exact derivatives against SciPy's differences."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.optimize
from yardstick.timing import Clock

import wengert as wg
from scaling.entry import OURS, Effort, Entry, Goal, at_most
from wengert.execution.programs import clear_caches

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests" / "optimize"))
from more_garbow_hillstrom import PROBLEMS, Problem

Solve = Callable[[Problem], tuple[float, int]]
"""The value at the end, and how many functions and gradients were computed."""


class Called:
    """A function that counts its calls: SciPy's counts leave some of those for differences out."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function, self.count = function, 0

    def __call__(self, x: Any) -> Any:
        self.count += 1
        return self.function(x)


def minimised(method: str) -> tuple[Solve, Solve]:
    """Ours, and SciPy's by differences."""

    def ours(problem: Problem) -> tuple[float, int]:
        found = wg.optimize.minimize(problem, problem.start, method=method)
        return float(found.fun), found.nfev + found.njev

    def theirs(problem: Problem) -> tuple[float, int]:
        called = Called(problem)
        found = scipy.optimize.minimize(called, problem.start, method=method)
        return float(found.fun), called.count

    return ours, theirs


def fitted(method: str) -> tuple[Solve, Solve]:
    def ours(problem: Problem) -> tuple[float, int]:
        found = wg.optimize.least_squares(problem.residuals, problem.start, method=method)
        return 2 * float(found.cost), found.nfev + found.njev

    def theirs(problem: Problem) -> tuple[float, int]:
        called = Called(problem.residuals)
        found = scipy.optimize.least_squares(called, problem.start, method=method)
        return 2 * float(found.cost), called.count

    return ours, theirs


def converged(problem: Problem, value: float) -> bool:
    """Whether a value is one of the minima that are known, to three digits, or to a millionth of
    the values about."""
    near = 1e-6 * min(1.0, float(problem(problem.start)))
    return any(abs(value - minimum) <= 1e-3 * minimum + near for minimum in problem.minima)


def solvers(effort: Effort) -> Iterator[Entry]:
    problems = PROBLEMS[: effort.of(2, len(PROBLEMS), len(PROBLEMS))]
    pairs = {
        "BFGS": minimised("BFGS"),
        "L-BFGS-B": minimised("L-BFGS-B"),
        "least squares, trf": fitted("trf"),
        "least squares, lm": fitted("lm"),
    }
    for name, (ours, theirs) in pairs.items():
        if effort.size or name == "BFGS":
            yield _raced(name, problems, ours, theirs, effort.of(1, 3, 7))


def _raced(name: str, problems: list[Problem], ours: Solve, theirs: Solve, rounds: int) -> Entry:
    """All problems by both, in turn; the first time with nothing compiled."""
    reached: dict[str, set[str]] = {OURS: set(), "SciPy": set()}
    # Only where both get there it means something who took fewer.
    evaluations = {OURS: 0, "SciPy": 0}
    more = []
    seconds = dict.fromkeys((OURS, "SciPy", "first"), 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflows far from the minimum
        for problem in problems:
            clear_caches()
            seconds["first"] += _timed(ours, problem)[1]
            times: dict[str, list[float]] = {OURS: [], "SciPy": []}
            ends: dict[str, list[float]] = {OURS: [], "SciPy": []}
            counts: dict[str, list[int]] = {OURS: [], "SciPy": []}
            for _ in range(rounds):
                for who, solve in ((OURS, ours), ("SciPy", theirs)):
                    (end, count), taken = _timed(solve, problem)
                    times[who].append(taken)
                    ends[who].append(end)
                    counts[who].append(count)
            for who, samples in times.items():
                seconds[who] += float(np.median(samples))
                # When a program is compiled is a matter of time, and changes the last digit.
                if all(converged(problem, end) for end in ends[who]):
                    reached[who].add(problem.name)
            if all(problem.name in names for names in reached.values()):
                for who in evaluations:
                    evaluations[who] += int(np.median(counts[who]))
                if max(counts[OURS]) >= min(counts["SciPy"]):
                    more.append(problem.name)
    lost = sorted(reached["SciPy"] - reached[OURS])
    goals = (
        Goal(
            f"{name}: converges wherever SciPy does",
            f"{len(reached[OURS])} and {len(reached['SciPy'])} of {len(problems)}"
            + (f"; not on {', '.join(lost)}" if lost else ""),
            not lost,
        ),
        Goal(
            f"{name}: fewer evaluations on every problem that both solve",
            f"{evaluations[OURS]} : {evaluations['SciPy']}"
            + (f"; not on {', '.join(more)}" if more else ""),
            not more,
        ),
        at_most(f"{name}: less time", seconds[OURS] / seconds["SciPy"], 1),
        at_most(f"{name}: less time, compiling included", seconds["first"] / seconds["SciPy"], 1),
    )
    return Entry(
        f"{len(problems)} standard problems, {name}",
        {OURS: seconds[OURS], "SciPy": seconds["SciPy"], "first time": seconds["first"]},
        {},
        goals,
    )


def _timed(solve: Solve, problem: Problem) -> tuple[tuple[float, int], float]:
    start = Clock.now()
    found = solve(problem)
    return found, Clock.now() - start


PARTS = (solvers,)
