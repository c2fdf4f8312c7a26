"""Loops within a budget: plans, and the loops written by them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from support import interpreted
from wengert.control.revolving import advances, best_slots
from wengert.control.scanning import scan as scan_op
from wengert.control.segmenting import (
    Plan,
    Segments,
    Steps,
    best_plan,
    least_peak,
    peak,
    revolved,
    scan_within,
    scans_within,
    segmented,
    sizes,
    uniform,
)
from wengert.errors import WengertValueError
from wengert.graph.node import Node
from wengert.graph.text import parse, show
from wengert.graph.types import array_type
from wengert.graph.verify import verify
from wengert.graph.walk import substitute, topological
from wengert.ops.leaves import item
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer

# ------------------------------------------------------------------------------ plans


def reversed_by_hand(plan: Plan, carry: int, residuals: int) -> tuple[int, int]:
    """(steps run in all, the most bytes at once beside the first carry), by a run of the plan that
    lets go what it does not need."""
    total = highest = 0

    def see(held: int) -> None:
        nonlocal highest
        highest = max(highest, held)

    def reverse(plan: Plan, held: int) -> None:
        nonlocal total
        if isinstance(plan, Steps):
            total += plan.length
            see(held + plan.length * residuals)
            return
        total += plan.count * plan.segment.length
        stack = plan.count * carry if plan.count > 1 else 0
        reverse(plan.rest, held + stack + carry)
        for _ in range(plan.count):
            reverse(plan.segment, held + stack)

    reverse(plan, 0)
    return total, highest


SIZES = [(8, 40), (8, 8), (100, 10), (1, 1000), (0, 5), (16, 0)]


@pytest.mark.parametrize(("carry", "residuals"), SIZES)
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 30, 100, 1000])
def test_plans_have_all_steps_and_keep_their_budget(steps: int, carry: int, residuals: int) -> None:
    least = least_peak(steps, carry, residuals)
    before = None
    for part in (0, 0.01, 0.03, 0.1, 0.3, 0.6, 1):
        budget = least + int(part * max(steps * residuals - least, 0))
        plan = best_plan(steps, carry, residuals, budget)
        assert plan.length == steps
        total, highest = reversed_by_hand(plan, carry, residuals)
        assert total == steps + plan.repeated
        assert highest == peak(plan, carry, residuals) <= budget
        assert before is None or plan.repeated <= before
        before = plan.repeated
    assert before == 0


@pytest.mark.parametrize("slots", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("blocks", [1, 2, 3, 6, 10, 21])
def test_blocks_are_reversed_as_by_revolve(blocks: int, slots: int) -> None:
    plan = revolved(blocks, slots, 4, 3)
    assert plan.length == 4 * (blocks - 1) + 3
    total, highest = reversed_by_hand(plan, 8, 40)
    assert total == plan.length + 4 * advances(blocks, slots)
    assert highest <= slots * 8 + 4 * 40  # one of them the carry at hand, the first an input


def test_plans_repeat_hardly_more_steps_than_the_best_schedule() -> None:
    """The best schedule is one of single blocks; loops around segments are shorter programs."""
    for steps in (50, 400):
        for budget in (200, 300, 480, 1000, 1500):
            own = best_plan(steps, 8, 40, budget).repeated
            best = best_slots(steps, 8, 40, budget + 8).advanced
            assert own <= 1.4 * best, (steps, budget)


def test_long_loops_are_planned_at_once() -> None:
    plan = best_plan(1_000_000, 8, 40, 200_000)
    assert plan.length == 1_000_000
    assert peak(plan, 8, 40) <= 200_000
    assert plan.repeated < 2_000_000


def test_what_does_not_fit_is_refused_with_the_least_that_does() -> None:
    with pytest.raises(WengertValueError, match=r"100 steps.*within 20 bytes; the least is 88"):
        best_plan(100, 8, 40, 20)
    least = least_peak(100, 8, 40)
    assert best_plan(100, 8, 40, least).length == 100
    with pytest.raises(WengertValueError, match=f"the least is {least}"):
        best_plan(100, 8, 40, least - 1)


# ------------------------------------------------------------------------------ loops


def rewritten(f: Callable[..., Any], change: Callable[[Node], list[Node]]) -> Callable[..., Any]:
    """The function with the loop in its graph changed; for traced arguments."""

    def g(*args: Any) -> Any:
        result = f(*args)
        if type(result) is not Tracer:
            return result
        loops = [node for node in topological([result.node]) if node.op is scan_op]
        new: dict[Node, Node] = {}
        for loop in loops:
            new |= {item(loop, k): value for k, value in enumerate(change(loop))}
        new = {old: value for old, value in new.items() if old is not value}
        (node,) = substitute([result.node], new)
        verify([node])
        assert parse(show([node])) == [node]
        return Tracer(node, result.session)

    return g


def loop(reverse: bool) -> Callable[..., Any]:
    def f(w: Any, c: Any, xs: Any) -> Any:
        def step(state: Any, x: Any) -> Any:
            new = np.sin(w * state[0] + x)
            return (new, state[1] + np.sum(new)), (np.exp(-new), x[0] * state[1])

        (c, total), (a, b) = wg.scan(step, (c, 0.0), xs, reverse=reverse)
        return np.sum(c**2) + total + np.sum(a * xs) + np.sum(b**2)

    return f


W, C = np.array([0.5, 1.5, -0.7]), np.array([0.2, -0.4, 1.0])
ROWS = np.random.default_rng(0).uniform(-1, 1, (11, 3))
PLANS: list[Plan] = [
    Segments(1, Steps(6), Steps(5)),
    Segments(3, Steps(3), Steps(2)),
    Segments(10, Steps(1), Steps(1)),
    uniform(
        11,
        (
            4,
            2,
        ),
    ),
    uniform(
        11,
        (
            5,
            3,
            2,
        ),
    ),
    revolved(11, 3, 1, 1),
    revolved(4, 2, 3, 2),
    Segments(2, revolved(4, 2, 1, 1), uniform(3, (1,))),
]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("number", range(len(PLANS)))
def test_segmented_loops_are_the_loops(number: int, reverse: bool) -> None:
    f = loop(reverse)
    g = rewritten(f, lambda node: segmented(node, PLANS[number]))
    at, moved = (W, C, ROWS), (C, W, ROWS[::-1])

    def pair(a: Any, b: Any) -> Any:
        return sum(np.sum(x * y) for x, y in zip(a, b, strict=True))

    def check(a: Any, b: Any) -> None:
        for x, y in zip(
            a if isinstance(a, tuple) else (a,), b if isinstance(b, tuple) else (b,), strict=True
        ):
            np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-12)

    with interpreted():
        check(wg.vjp(g, *at)[0], f(*at))
        check(wg.grad(g, (0, 1, 2))(*at), wg.grad(f, (0, 1, 2))(*at))
        check(wg.jvp(g, at, moved)[1], wg.jvp(f, at, moved)[1])

        def second(h: Any) -> Any:
            first = wg.grad(lambda *a: pair(wg.grad(h, (0, 1, 2))(*a), moved), (0, 1, 2))
            return first(*at)

        check(second(g), second(f))
    check(wg.jit(wg.grad(g, (0, 1, 2)))(*at), wg.grad(f, (0, 1, 2))(*at))


def test_instances_of_segmented_loops() -> None:
    f = loop(False)
    g = rewritten(f, lambda node: segmented(node, PLANS[3]))
    batch = np.stack([W, 2 * W, -W])
    found = wg.vmap(wg.grad(g), (0, None, None))(batch, C, ROWS)
    for row, w in zip(found, batch, strict=True):
        np.testing.assert_allclose(row, wg.grad(f)(w, C, ROWS), rtol=1e-12)


def traced(f: Callable[..., Any], *arrays: Any) -> tuple[Node, list[Node], dict[Node, Any]]:
    """(the result, the inputs, their values), of a function of arrays."""
    with outermost() as session:
        inputs = [session.input(a, array_type(a.shape, a.dtype)) for a in arrays]
        result = f(*(Tracer(node, session) for node in inputs)).node
        return result, inputs, dict(session.values)


def test_sizes_are_what_the_derivative_keeps() -> None:
    def f(c: Any, xs: Any) -> Any:
        def step(state: Any, x: Any) -> Any:
            return (np.exp(state[0]) * x, state[1] + 1), np.sum(state[0])

        (c, _), _ = wg.scan(step, (c, 0), xs)
        return np.sum(c)

    result, _, _ = traced(f, C, ROWS)
    (node,) = [node for node in topological([result]) if node.op is scan_op]
    own = sizes(node, [True, False, False])
    assert own.length == 11
    assert own.carry == C.nbytes + 8
    assert own.residuals == C.nbytes  # the exponential; xs are given


def test_two_loops_share_a_budget() -> None:
    def f(w: Any, c: Any, xs: Any) -> Any:
        c, ys = wg.scan(lambda c, x: (np.sin(w * c) + x, np.exp(-c)), c, xs)
        c, zs = wg.scan(lambda c, y: (np.tanh(w * c * y), c), c, ys)
        return np.sum(c) + np.sum(zs)

    long = np.random.default_rng(1).uniform(-1, 1, (60, 3))
    result, inputs, _ = traced(f, W, C, long)
    loops = [node for node in topological([result]) if node.op is scan_op]
    whole = sum(own.length * own.residuals for own in map(sizes, loops))
    assert scans_within([result], inputs, whole) == [result]
    (new,) = scans_within([result], inputs, whole // 3)
    assert new is not result
    verify([new])
    with pytest.raises(WengertValueError, match="the loops cannot be reversed within 10 bytes"):
        scans_within([result], inputs, 10)

    def within(*args: Any) -> Any:
        out = f(*args)
        nodes = [arg.node for arg in args]
        return Tracer(scans_within([out.node], nodes, whole // 3)[0], out.session)

    a = wg.grad(within, (0, 1, 2))(W, C, long)
    for x, y in zip(a, wg.grad(f, (0, 1, 2))(W, C, long), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-12)


def test_memory_is_what_the_budget_says() -> None:
    """Measured: what the interpreter allocates at most, beside what it needs for any loop."""
    steps, n = 400, 2_000
    rng = np.random.default_rng(0)
    xs, c = rng.uniform(-1, 1, (steps, n)), rng.standard_normal(n)

    def f(c: Any) -> Any:
        return np.sum(wg.scan(lambda c, x: (np.sin(np.exp(-c * c) + x), None), c, xs)[0] ** 2)

    def measured(budget: int | None) -> tuple[Any, float]:
        g = f if budget is None else rewritten(f, lambda node: scan_within(node, budget))
        gradient = wg.grad(g)
        gradient(c)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        found = gradient(c)
        highest = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
        return found, highest - xs.nbytes  # which the session copies

    with interpreted():
        plain, whole = measured(None)
        for part in (0.5, 0.3, 0.1):
            budget = int(part * whole)
            found, highest = measured(budget)
            assert found.tobytes() == plain.tobytes()
            assert highest < budget + 20 * c.nbytes, part


def test_loops_of_unknown_length_stay() -> None:
    def f(c: Any) -> Any:
        return np.sum(wg.while_loop(lambda v: np.sum(v) < 50, lambda v: v * 1.5 + 1, c))

    result, inputs, _ = traced(f, C)
    assert scans_within([result], inputs, 0) == [result]
