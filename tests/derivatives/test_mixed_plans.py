"""`plan`: the candidates, what is chosen, and that it is never dearer."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.derivatives.mixed.planning import EQUAL

RNG = np.random.default_rng(0)


def waist(n: int, k: int, m: int) -> Callable[[Any], Any]:
    """Through k numbers, with dense layers of n and of m around."""
    a, b = RNG.normal(size=(k, n)), RNG.normal(size=(m, k))
    w, v = RNG.normal(size=(n, n)), RNG.normal(size=(m, m))
    return lambda x: np.tanh(v @ np.tanh(b @ np.tanh(a @ np.tanh(w @ x))))


def layers(*widths: int) -> Callable[[Any], Any]:
    matrices = [RNG.normal(size=(b, a)) for a, b in pairwise(widths)]

    def f(x: Any) -> Any:
        for matrix in matrices:
            x = np.tanh(matrix @ x)
        return x

    return f


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "waist": (waist(60, 3, 50), 60),
    "autoencoder": (layers(80, 40, 4, 40, 80), 80),
    "narrowing": (layers(80, 40, 20), 80),
    "widening": (layers(20, 40, 80), 20),
    "dense": (layers(50, 50, 50), 50),
    "elementwise": (lambda x: np.sin(x) * np.exp(x), 100),
    "stencil": (lambda x: np.roll(x, 1) - 2 * x + np.roll(x, -1) * x, 100),
    "normalised": (lambda x: x / np.linalg.norm(x), 50),
    "rank one": (lambda x: np.outer(x, x).sum(axis=0), 30),
    "sum": (lambda x: np.sum(x**2), 30),
    "scalar": (lambda x: np.sum(x) * np.ones(40), 30),
    "numbers": (lambda x: np.stack([x[0] * x[1], np.sin(x[0] * x[1]), x[2]]), 3),
}


@pytest.mark.parametrize("mode", ["auto", "mixed"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_never_dearer_than_the_single_modes(name: str, mode: str) -> None:
    f, n = FUNCTIONS[name]
    plan = wg.plan(f, mode=mode)(np.ones(n))
    costs = {one.name: one.cost for one in plan.candidates}
    assert plan.chosen in plan.candidates
    best = min(costs["forward"], costs["reverse"])
    if plan.chosen.name in ("forward", "reverse"):
        assert plan.chosen.cost <= EQUAL * best
    else:
        assert plan.chosen.cost < best
    if mode == "mixed" and plan.chosen.name != "mixed":
        assert costs.get("mixed", best) >= best


def gram(x: Any) -> Any:
    y = x.reshape(20, 5)
    return y @ y.T


TIES: dict[str, tuple[Callable[[Any], Any], int, str]] = {
    "of a gram matrix, a column moves one row": (gram, 100, "forward"),
    "of a quotient, a row is scaled once": (lambda x: x / np.sum(x), 40, "reverse"),
    "of an outer product": (lambda x: np.outer(np.sin(x), x), 20, "forward"),
    "columns of a diagonal are turned": (lambda x: np.exp(np.sin(x)) * x, 100, "reverse"),
}


@pytest.mark.parametrize("name", TIES)
def test_the_single_mode_whose_program_is_less_work(name: str) -> None:
    """Under `jit`, and by a plan, the programs that would run are compared."""
    f, n, chosen = TIES[name]
    x = RNG.normal(size=n) + 3
    plan = wg.plan(f)(x)
    costs = {one.name: one.cost for one in plan.candidates}
    single = min(("forward", "reverse"), key=costs.__getitem__)
    assert single == chosen
    expected = wg.jacobian(f, mode=chosen)(x)
    np.testing.assert_allclose(wg.jit(wg.jacobian(f))(x), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("waist", "mixed"),
        ("autoencoder", "mixed"),
        ("narrowing", "reverse"),
        ("widening", "forward"),
        ("dense", "reverse"),
        ("sum", "reverse"),
        ("numbers", "elimination"),
    ],
)
def test_what_is_chosen(name: str, chosen: str) -> None:
    f, n = FUNCTIONS[name]
    assert wg.plan(f)(np.ones(n)).chosen.name == chosen


@pytest.mark.parametrize("name", ["elementwise", "stencil", "dense"])
def test_no_waist_no_candidate(name: str) -> None:
    f, n = FUNCTIONS[name]
    assert "mixed" not in {one.name for one in wg.plan(f)(np.ones(n)).candidates}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("mode", ["auto", "mixed"])
def test_the_jacobian_by_the_plan(name: str, mode: str) -> None:
    f, n = FUNCTIONS[name]
    x = RNG.normal(size=n)
    expected = wg.jacfwd(f)(x)
    found = wg.jacobian(f, mode=mode)(x)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_the_report() -> None:
    plan = wg.plan(FUNCTIONS["waist"][0])(np.ones(60))
    assert (plan.rows, plan.columns) == (50, 60)
    head, heads, *lines = str(plan).splitlines()
    assert head == "Jacobian of 50 outputs by 60 inputs: mixed"
    assert heads.split() == ["multiplications", "passes", "products"]
    assert len(lines) == len(plan.candidates)
    assert sum(line.startswith("→ mixed") for line in lines) == 1
    assert "(forward 2) · (reverse 1), through 3 elements (contract)" in str(plan)
    mixed = plan.chosen
    assert (mixed.passes, mixed.products) == (6, 50 * 3 * 60)
    forward = next(one for one in plan.candidates if one.name == "forward")
    assert (forward.passes, forward.products) == (60, 0)


def test_modes_that_are_asked_for() -> None:
    f, n = FUNCTIONS["waist"]
    for mode in ("forward", "reverse", "mixed"):
        assert wg.plan(f, mode=mode)(np.ones(n)).chosen.name == mode


def test_arguments_as_in_jacobian() -> None:
    f, n = FUNCTIONS["waist"]
    plan = wg.plan(lambda y, x: (f(x) + y, y), argnums=1, has_aux=True)(2.0, np.ones(n))
    assert plan.columns == n
    both = wg.plan(lambda y, x: f(x) * y, argnums=(0, 1))(2.0, {"x": np.ones(n)}["x"])
    assert both.columns == n + 1


def test_inside_a_trace() -> None:
    """A plan is asked for while another function is traced."""
    f, n = FUNCTIONS["waist"]
    seen = []

    def g(x: Any) -> Any:
        seen.append(wg.plan(f)(x).chosen.name)
        return np.sum(f(x))

    wg.grad(g)(np.ones(n))
    assert seen == ["mixed"]


@pytest.mark.parametrize("values", [(), (1.0,)])
def test_nothing_or_one_number(values: tuple[float, ...]) -> None:
    plan = wg.plan(lambda x: np.sin(x))(np.array(values))
    assert (plan.rows, plan.columns) == (len(values), len(values))
    assert "Jacobian of" in str(plan)


def test_a_plan_of_a_thousand_operations_is_made_soon() -> None:
    """50 ms are the aim on a quiet machine; ten times as much means that it is quadratic."""
    import time

    from wengert.execution.programs import clear_caches

    def f(x: Any) -> Any:
        for k in range(150):
            y = np.tanh(x)
            x = np.sin(x * y) + np.roll(x * y, 1)
            if k == 75:
                x = np.outer(np.ones(50), np.ones(3)) @ (np.ones((3, 50)) @ x)
        return x

    clear_caches()
    tracing = time.process_time()
    wg.plan(f)(np.ones(50))
    both = time.process_time()
    wg.plan(f)(np.ones(50))  # from the cache: tracing alone
    planning = (both - tracing) - (time.process_time() - both)
    assert planning < 0.5


def test_one_output_is_no_outputs() -> None:
    assert str(wg.plan(np.sum)(np.ones(3))).startswith("Jacobian of 1 output by 3 inputs: ")
