"""Loops side by side are one loop, and carries that no result rests on are left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from support import interpreted
from wengert.control.merging import merged
from wengert.control.scanning import scan
from wengert.graph.node import Node
from wengert.graph.types import array_type
from wengert.graph.verify import verify
from wengert.graph.walk import topological
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten


def loss(a: Any, x0: Any, xs: Any) -> Any:
    def step(c: Any, x: Any) -> Any:
        c = np.tanh(a @ c + x)
        return c, np.sum(c**2)

    c, ys = wg.scan(step, x0, xs)
    return np.sum(ys) + np.sum(c)


def arguments() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=(7, 3))


def graph(f: Any, *arrays: Any) -> tuple[list[Node], list[Node]]:
    """What a function computes, before loops are merged and after."""
    with outermost() as session:
        inputs = [session.input(x, array_type(x.shape, x.dtype)) for x in arrays]
        found = [leaf.node for leaf in flatten(f(*[Tracer(x, session) for x in inputs]))[0]]
        after = merged(found)
    verify(after)
    return found, after


def loops(outputs: list[Node]) -> list[Node]:
    return [node for node in topological(outputs) if node.op is scan]


def test_forward_mode_is_one_loop_that_keeps_nothing() -> None:
    found, after = graph(lambda *given: wg.jvp(loss, given, given), *arguments())
    assert len(loops(found)) > 1
    (loop,) = loops(after)
    kept = loop.type.items[loop.params[2] :]
    assert sum(type.size for type in kept) <= 2 * 7  # the ys and their tangents


def test_a_hessian_product_is_two_loops() -> None:
    a, x0, xs = arguments()
    _, after = graph(lambda a, v: wg.hvp(lambda a: loss(a, x0, xs), a, v), a, a)
    assert [loop.params[4] for loop in loops(after)] == [False, True]


def test_values_are_the_same() -> None:
    a, x0, xs = arguments()
    made = lambda a: wg.jvp(wg.grad(lambda a: loss(a, x0, xs)), (a,), (a,))
    found = wg.jit(made)(a)
    with interpreted():
        expected = made(a)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11)


def test_idle_carries_are_left_out() -> None:
    def f(x: Any) -> Any:
        def step(carry: Any, _: Any) -> Any:
            used, idle, count = carry
            return (np.sin(used), np.exp(idle) + used, count + 1), None

        (used, _, _), _ = wg.scan(step, (x, x, 0), length=4)
        return used

    found, after = graph(f, np.array(0.3))
    assert [loop.params[2] for loop in loops(found)] == [3]
    assert [loop.params[2] for loop in loops(after)] == [1]
    assert f(0.3) == pytest.approx(np.sin(np.sin(np.sin(np.sin(0.3)))))


def test_a_loop_that_rests_on_the_last_of_another_stays_apart() -> None:
    def f(x: Any) -> Any:
        last, rows = wg.scan(lambda c, _: (np.sin(c), c), x, length=5)
        return wg.scan(lambda c, r: (c + r * last, None), 0.0, rows)[0]

    _, after = graph(f, np.array(0.5))
    assert len(loops(after)) == 2
    c, rows = 0.5, []
    for _ in range(5):
        rows.append(c)
        c = np.sin(c)
    assert f(0.5) == pytest.approx(sum(r * c for r in rows))
