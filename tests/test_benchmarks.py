"""The problems of benchmarks/: what was derived by hand, the floor in C and wengert agree."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))

from problems import PROBLEMS, dispatch, recurrences
from yardstick import floor, startup
from yardstick.goals import goals
from yardstick.measure import PEERS, Row, measure
from yardstick.peers import numpy as numpy_alone
from yardstick.peers import wengert
from yardstick.problem import Problem, disagreement, leaves


def short(problem: Problem) -> Problem:
    """The recurrences with two steps: an unrolled one has no other size."""
    if problem not in recurrences.PROBLEMS:
        return problem
    shape = problem.function.args  # type: ignore[attr-defined]
    dt = shape[-1]
    c_name = problem.floor.args[-1]  # type: ignore[union-attr]
    return replace(
        problem,
        function=partial(recurrences.unrolled, *shape[:-2], 2, dt),
        floor=partial(recurrences.floor, 2, dt, c_name),
    )


SMALL = [short(problem) for problem in PROBLEMS]
FLOORED = [problem for problem in SMALL if problem.floor is not None]
needs_c = pytest.mark.skipif(floor.compiler() is None, reason="there is no C compiler")


def name(problem: Problem) -> str:
    return problem.name


@pytest.fixture(scope="module")
def floors() -> floor.FloorLibrary:
    found = floor.library()
    assert found is not None
    return found


def expected(problem: Problem, arguments: tuple[Any, ...]) -> Any:
    """By hand; for the recurrences differences of fourth order of the NumPy function."""
    if problem.by_hand is not None:
        return problem.by_hand(*arguments)
    f, (y0,) = problem.function(np), arguments
    h = 1e-3
    weights = {-2: 1, -1: -8, 1: 8, 2: -1}
    slopes = [
        sum(weight * f(y0 + k * h * e) for k, weight in weights.items()) / (12 * h)
        for e in np.eye(len(y0))
    ]
    return f(y0), np.array(slopes)


def tolerance(problem: Problem) -> float:
    if problem.by_hand is None:
        return 1e-9  # of the differences: h⁴ and rounding by h
    return 1e-5 if "float32" in problem.name else 1e-12


@pytest.mark.parametrize("problem", SMALL, ids=name)
def test_wengert_agrees_with_what_was_derived_by_hand(problem: Problem) -> None:
    arguments = problem.small()
    f, g = wengert(problem, arguments)
    assert f is not None
    assert g is not None
    of_function = problem.of_function(arguments)
    assert disagreement(f(), problem.function(np)(*of_function)) <= tolerance(problem)
    assert disagreement(g(), expected(problem, arguments)) <= tolerance(problem)


@pytest.mark.parametrize("problem", [p for p in SMALL if "torch" in p.otherwise], ids=name)
def test_other_formulations_are_the_same_function(problem: Problem) -> None:
    arguments = problem.small()
    expected = problem.function(np)(*arguments)
    for formulation in set(problem.otherwise.values()):
        assert disagreement(formulation(np)(*arguments), expected) <= tolerance(problem)


@needs_c
@pytest.mark.parametrize("problem", FLOORED, ids=name)
def test_floor_agrees_with_what_was_derived_by_hand(
    problem: Problem, floors: floor.FloorLibrary
) -> None:
    arguments = problem.small()
    assert problem.floor is not None
    made = problem.floor(floors, arguments)
    assert disagreement(made.g.call(), expected(problem, arguments)) <= tolerance(problem)
    if made.f is not None:
        value = leaves(made.f.call())[0]
        assert disagreement(value, problem.function(np)(*arguments)) <= tolerance(problem)
    assert made.g.seconds(10) > 0


@needs_c
def test_floor_of_dispatch_is_timed_in_c(floors: floor.FloorLibrary) -> None:
    made = dispatch.PROBLEMS[1].floor(floors, dispatch.PROBLEMS[1].arguments())  # type: ignore[misc]
    assert 1e-9 < made.g.seconds(10) < 1e-4


def test_disagreement_sees_an_error_and_a_missing_number() -> None:
    exact = (1.0, [np.array([1.0, 2.0])])
    assert disagreement((1.0, [np.array([1.0, 2.0])]), exact) == 0.0
    assert disagreement((1.0, [np.array([1.0, 2.2])]), exact) == pytest.approx(0.1)
    assert disagreement((1.0, [np.array([1.0, np.nan])]), exact) == np.inf
    assert disagreement((1.0, [np.array([1.0])]), exact) == np.inf


def verdicts(rows: list[Row]) -> dict[str, bool | None]:
    return {goal.text: goal.reached for goal in goals(rows, {})}


def test_goals_are_missed_by_slow_rows_and_by_rows_without_a_result() -> None:
    fast = Row("mds", f={"wengert": 1.0, "c": 1.0}, g={"wengert": 1.0, "c": 1.0})
    slow = Row("lorenz", f={"wengert": 1.0, "c": 1.0}, g={"wengert": 1.5, "c": 1.0})
    absent = Row("lorenz", f={"c": 1.0}, g={"c": 1.0})
    limit, mean = "no row above 1.4 × C", "geometric mean against C ≤ 1.0"
    assert (verdicts([fast])[limit], verdicts([fast])[mean]) == (True, True)
    assert (verdicts([fast, slow])[limit], verdicts([fast, slow])[mean]) == (False, False)
    assert (verdicts([fast, absent])[limit], verdicts([fast, absent])[mean]) == (False, False)
    assert verdicts([])[limit] is None


@pytest.mark.parametrize("wrong", ["f", "g"])
def test_a_wrong_function_or_derivative_disagrees(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def liar(problem: Problem, arguments: tuple[Any, ...]) -> Any:
        f, g = numpy_alone(problem, arguments)
        assert f is not None
        assert g is not None
        return (lambda: f() * 1.001, g) if wrong == "f" else (f, lambda: (g()[0], g()[1] * 1.001))

    def agree(peer: Any) -> bool:
        monkeypatch.setitem(PEERS, "wengert", peer)
        problem, peers = dispatch.PROBLEMS[0], ["numpy", "wengert"]
        return measure(problem, peers, None, rounds=3, fresh=(), say=lambda _: None).agree

    assert agree(numpy_alone)
    assert not agree(liar)


def test_a_process_that_fails_misses_its_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    def process(program: str) -> float | None:
        monkeypatch.setitem(startup.PROGRAMS, "wengert", program)
        return startup.startup(["wengert"], rounds=1)["wengert"]

    def reached(processes: dict[str, float | None]) -> bool | None:
        return goals([], processes)[-1].reached

    assert (process("pass") or 0.0) > 0.0
    assert process("raise SystemExit(1)") is None
    assert [reached({"wengert": seconds}) for seconds in (0.2, 0.3, None)] == [True, False, False]
    assert reached({}) is None
