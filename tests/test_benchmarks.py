"""The problems of benchmarks/: what was derived by hand, the floor in C and wengert agree."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))

from problems import PROBLEMS, dispatch, recurrences
from scaling import curvature, entry, estimators, memory, mixed, optimisation, sparse
from yardstick import floor, startup, timing
from yardstick.goals import goals
from yardstick.measure import PEERS, Row, measure
from yardstick.peers import numpy as numpy_alone
from yardstick.peers import wengert
from yardstick.problem import Problem, disagreement, leaves


def short(problem: Problem) -> Problem:
    """The recurrences with two steps: their number is no argument."""
    if problem not in recurrences.PROBLEMS:
        return problem
    *shape, _, dt = problem.function.args  # type: ignore[attr-defined]
    c_name = problem.floor.args[-1]  # type: ignore[union-attr]
    ours = {"wengert": partial(recurrences.scanned, *shape, 2, dt)}
    return replace(
        problem,
        function=partial(recurrences.unrolled, *shape, 2, dt),
        otherwise=ours if "wengert" in problem.otherwise else {},
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


def function(problem: Problem) -> Any:
    """The function with NumPy, of all instances where it is one of one instance."""
    one = problem.function(np)
    if problem.derivative != "jacobians":
        return one
    return lambda *arguments: np.stack(
        [one(*instance) for instance in zip(*arguments, strict=True)]
    )


def by_complex_steps(f: Any, arguments: tuple[Any, ...], argnum: int) -> np.ndarray:
    """The Jacobian with respect to one array, the derivative's axes last, exact to rounding.

    Source: Squire and Trapp 1998, *Using complex variables to estimate derivatives*.
    """
    x, h = np.asarray(arguments[argnum]), 1e-30
    columns = []
    for place in np.ndindex(x.shape):
        moved = np.array(x, complex)
        moved[place] += 1j * h
        columns.append(np.imag(f(*arguments[:argnum], moved, *arguments[argnum + 1 :])) / h)
    return np.moveaxis(
        np.reshape(columns, x.shape + np.shape(columns[0])), range(x.ndim), range(-x.ndim, 0)
    )


def expected(problem: Problem, arguments: tuple[Any, ...]) -> Any:
    """By hand, or else by complex steps."""
    if problem.by_hand is not None:
        return problem.by_hand(*arguments)
    argnums = (problem.argnums,) if isinstance(problem.argnums, int) else problem.argnums
    if problem.derivative == "jacobians":
        one = problem.function(np)
        return [
            np.stack([by_complex_steps(one, of, k) for of in zip(*arguments, strict=True)])
            for k in argnums
        ]
    f = problem.function(np)
    return f(*arguments), [by_complex_steps(f, arguments, k) for k in argnums]


def tolerance(problem: Problem) -> float:
    return 1e-5 if "float32" in problem.name else 1e-12


@pytest.mark.parametrize("problem", SMALL, ids=name)
def test_wengert_agrees_with_what_was_derived_by_hand(problem: Problem) -> None:
    arguments = problem.small()
    f, g = wengert(problem, arguments)
    assert f is not None
    assert g is not None
    of_function = problem.of_function(arguments)
    assert disagreement(f(), function(problem)(*of_function)) <= tolerance(problem)
    assert disagreement(g(), expected(problem, arguments)) <= tolerance(problem)


@pytest.mark.parametrize("problem", [p for p in SMALL if "torch" in p.otherwise], ids=name)
def test_other_formulations_are_the_same_function(problem: Problem) -> None:
    arguments = problem.small()
    expected = function(problem)(*arguments)
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
        assert disagreement(value, function(problem)(*arguments)) <= tolerance(problem)
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


def test_a_scan_is_judged_by_the_loop_and_counts_in_no_mean() -> None:
    loop = Row("lorenz", f={"wengert": 1.0, "c": 1.0}, g={"wengert": 1.0, "c": 1.0, "jax": 4.5})
    goal, mean = "Lorenz, five bodies by scan ≤ 1.5 × unrolled", "geometric mean against C ≤ 1.0"
    every = "faster than JAX in every row"
    for seconds, reached in ((1.4, True), (1.6, False)):
        scan = replace(loop, name="lorenz-scan", g={"wengert": seconds, "c": 1.0, "jax": 1.5})
        assert verdicts([loop, scan])[goal] is reached
        assert verdicts([loop, scan])[mean] is True
        assert verdicts([loop, scan])[every] is reached
        assert verdicts([scan])[goal] is None
    without = replace(loop, name="lorenz-scan", g={"c": 1.0})
    assert verdicts([loop, without])[goal] is False


def test_factorisations_have_limits_of_their_own() -> None:
    def row(name: str, cost: float) -> Row:
        return Row(name, f={"wengert": 1.0}, g={"wengert": cost, "jax": 9.0})

    solve, logdet = "solve: g/f ≤ 1.3", "log-determinants: g/f ≤ 2.0"
    rows = [row("solve", 1.2), row("batched-solve", 3.0), row("logdet-cholesky", 1.9)]
    assert (verdicts(rows)[solve], verdicts(rows)[logdet]) == (True, True)
    rows += [row("logdet-slogdet", 2.1)]
    assert (verdicts(rows)[solve], verdicts(rows)[logdet]) == (True, False)
    assert verdicts([row("solve", 1.4)])[solve] is False
    # They do not make the mean of the other gradients smaller.
    mean = "geometric mean of g/f ≤ 2.0"
    assert verdicts(rows)[mean] is None
    assert verdicts([*rows, row("mds", 2.5)])[mean] is False


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


SCALES = (sparse, mixed, curvature, memory, estimators, optimisation)
PARTS_OF_SCALES = [
    pytest.param(part, id=f"{theme.__name__.split('.')[-1]}-{part.__name__}")
    for theme in SCALES
    for part in theme.PARTS
]


def check_entries(
    part: Any, count: int | None, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """The first entries at the smallest size, by ourselves."""
    monkeypatch.setattr(entry, "available", lambda name: False)
    for theme in SCALES:
        if hasattr(theme, "available"):
            monkeypatch.setattr(theme, "available", lambda name: False)
    monkeypatch.setattr(timing, "SLICE", seconds)
    found = list(islice(part(entry.SMALL), count))
    assert found
    for one in found:
        assert not one.wrong
        assert one.seconds or one.facts
        assert all(0 < taken < 60 for taken in one.seconds.values())


@pytest.mark.parametrize("part", PARTS_OF_SCALES)
def test_first_entries_of_scale(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    check_entries(part, 1, monkeypatch, 1e-4)


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS_OF_SCALES)
def test_all_entries_of_scale(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    check_entries(part, None, monkeypatch, 1e-3)


def test_peers_of_scale_that_fail_or_lie_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "available", lambda name: name != "absent")

    def broken() -> Any:
        raise RuntimeError("no such thing")

    peers = {
        "absent": broken,
        "broken": broken,
        "liar": lambda: lambda: np.array([1.0, 2.1]),
        "honest": lambda: lambda: np.array([1.0, 2.0]),
    }
    ours = {entry.OURS: lambda: np.array([1.0, 2.0])}
    found = entry.compared("two numbers", ours, entry.SMALL, peers)
    assert set(found.seconds) == {entry.OURS, "liar", "honest"}
    assert set(found.wrong) == {"liar"}
    assert found.wrong["liar"] == pytest.approx(0.05)
    assert found.facts == {"broken left out": "RuntimeError: no such thing"}


def test_values_apart_from_the_minima_have_not_converged() -> None:
    rosenbrock = optimisation.PROBLEMS[0]
    assert optimisation.converged(rosenbrock, 1e-9)
    assert not optimisation.converged(rosenbrock, 0.1)
