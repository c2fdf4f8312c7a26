"""Long programs: linear time, no recursion, and tables that do not grow."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.execution.programs import clear_caches
from wengert.graph.node import Node
from wengert.graph.op import OPS
from wengert.graph.registry import find
from wengert.graph.text import parse, show
from wengert.graph.types import FLOAT, array_type
from wengert.graph.verify import verify

SMALL, LARGE = 25_000, 100_000


def looped(count: int) -> Callable[[Any], Any]:
    """A function of about `count` operations, none of them alike."""

    def f(x: Any) -> Any:
        y = x
        for _ in range(count // 2):
            y = np.sin(y) + x
        return y

    return f


def looped_gradient(count: int) -> float:
    """The derivative of `looped(count)` at 0.3, by hand."""
    x = y = 0.3
    slope = 1.0
    for _ in range(count // 2):
        y, slope = np.sin(y) + x, np.cos(y) * slope + 1.0
    return float(slope)


def nodes_alive() -> int:
    gc.collect()
    return sum(len(op.interned.table) for op in OPS.values())


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    start = process_time()
    result = run()
    return process_time() - start, result


@pytest.fixture(autouse=True)
def _empty_caches() -> Any:
    clear_caches()
    yield
    clear_caches()
    gc.collect()


def chain(length: int) -> tuple[Node, Node]:
    """An input, and a chain of that many nodes on it."""
    x = find("input")(700, array_type((), FLOAT))
    node = x
    for _ in range(length):
        node = find("sin")(node)
    return x, node


def test_gradient_of_a_long_loop_in_linear_time() -> None:
    """The gradient of 100,000 operations takes about four times that of 25,000."""
    assert sys.getrecursionlimit() < SMALL
    short, value = timed(lambda: wg.grad(looped(SMALL))(0.3))
    assert value == pytest.approx(looped_gradient(SMALL), rel=1e-12)
    clear_caches()
    long, value = timed(lambda: wg.grad(looped(LARGE))(0.3))
    assert value == pytest.approx(looped_gradient(LARGE), rel=1e-12)
    assert long < 6 * short, (short, long)


def test_forward_mode_of_a_long_loop() -> None:
    value, tangent = wg.jvp(looped(LARGE), (0.3,), (2.0,))
    assert value == looped(LARGE)(0.3)
    assert tangent == pytest.approx(2 * looped_gradient(LARGE), rel=1e-12)


def test_long_graphs_are_freed_without_recursion() -> None:
    before = nodes_alive()
    wg.grad(looped(LARGE))(0.3)
    clear_caches()
    assert nodes_alive() <= before + 10


def test_a_chain_of_nodes_is_freed_at_once() -> None:
    """Reference counting alone frees a chain, however long: nodes are in no cycles."""
    table = find("sin").interned.table
    gc.collect()
    before = len(table)
    gc.disable()
    try:
        _, end = chain(LARGE)
        assert len(table) >= before + LARGE - 1
        del end
        assert len(table) <= before
    finally:
        gc.enable()


def test_walks_of_a_long_chain() -> None:
    """The verifier and the printer are iterative too."""
    x, end = chain(LARGE)
    verify([end])
    assert parse(show([end], [x]))[0] is end


def grown_by(traces: int) -> int:
    """How much the tables grow by traces with a fresh literal each."""
    gradient = wg.grad(lambda x, scale: eval(f"x * {scale!r} + x ** 2"), 0)
    gradient(1.0, 0.125)
    before = nodes_alive()
    for k in range(traces):
        assert gradient(1.0, 3.25 + k) == 5.25 + k
    clear_caches()
    return nodes_alive() - before


def test_fresh_literals_do_not_grow_the_tables() -> None:
    assert grown_by(2_000) <= 10


@pytest.mark.long
def test_very_many_fresh_literals() -> None:
    assert grown_by(100_000) <= 10
