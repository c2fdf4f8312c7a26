"""The op `checkpoint`: what it is made of, and what becomes of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import settings
from wengert.control.checkpointing import checkpoint
from wengert.control.merging import merged
from wengert.control.together import together
from wengert.execution.interpreter import Program
from wengert.graph.body import Body, body_of
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.graph.text import parse, show
from wengert.graph.types import FLOAT, array_type
from wengert.graph.verify import verify
from wengert.graph.walk import dependents, topological
from wengert.ops.leaves import input, item, parameter, seed
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose

VECTOR = array_type((3,), FLOAT)
X, Y, Z = (input(("checkpointing", k), VECTOR) for k in range(3))
sin, exp, log, multiply, add = map(find, ("sin", "exp", "log", "multiply", "add"))


def held(f: Callable[..., Sequence[Node]], *args: Node) -> Node:
    """The holder of a function of nodes."""
    leaves = [parameter(("test", k), arg.type) for k, arg in enumerate(args)]
    return checkpoint(args, body_of(f(*leaves), leaves))


def holders(outputs: Sequence[Node]) -> list[Node]:
    return [node for node in topological(outputs) if node.op is checkpoint]


def test_inputs_that_are_not_read_are_left_out() -> None:
    node = held(lambda x, y: [sin(y), y], X, Y)
    assert node.args == (Y,)
    assert node is held(lambda y: [sin(y), y], Y)
    constant = held(lambda x: [full(1, FLOAT, (3,))], X)
    assert constant.op.name == "pack"


def test_derivatives_read_the_inputs_alone() -> None:
    node = held(lambda x, y: [multiply(sin(exp(x)), y)], X, Y)
    seeds = [seed(X), seed(Y)]
    (tangent,) = pushforward([item(node, 0)], dict(zip((X, Y), seeds, strict=True)))
    assert set(tangent.args[0].args) == {X, Y, *seeds}
    pulled = transpose([tangent], seeds, [Z])
    assert {arg for ct in pulled for arg in ct.args[0].args} == {X, Y, Z}
    verify([tangent, *pulled])
    text = show(pulled)
    assert parse(text) == pulled
    (alone,) = pushforward([item(node, 0)], {Y: seeds[1]})
    assert set(alone.args[0].args) == {X, seeds[1]}


def test_what_does_not_depend_on_the_inputs_has_no_tangent() -> None:
    node = held(lambda x, y: [find("sign")(x), sin(y)], X, Y)
    first, second = pushforward([item(node, 0), item(node, 1)], {X: seed(X), Y: seed(Y)})
    assert first is None
    assert X not in second.args[0].args
    assert pushforward([item(node, 0)], {X: seed(X)}) == [None]


def where_positive(x: Node, y: Node) -> Node:
    positive = find("greater")(x, full(0, FLOAT, x.shape))
    return find("select")(positive, log(x), y)


def test_masks_do_not_rest_on_linear_values() -> None:
    node = held(lambda x: [where_positive(x, full(0, FLOAT, x.shape))], X)
    t = seed(X)
    (tangent,) = pushforward([item(node, 0)], {X: t})
    assert tangent.op.name == "select"
    assert t not in topological([tangent.args[0]])
    (pulled,) = transpose([tangent], [t], [Y])
    assert pulled.op.name == "select"
    order = topological([pulled])
    assert pulled.args[0] not in dependents(order, [Y])


def test_masks_of_cotangents_go_in() -> None:
    """Outside of the mask the body has an infinite derivative."""
    node = held(lambda x: [log(x)], X)
    t = seed(X)
    (tangent,) = pushforward([item(node, 0)], {X: t})
    positive = find("greater")(X, full(0, FLOAT, X.shape))
    masked = find("select")(positive, Y, full(0, FLOAT, Y.shape))
    (pulled,) = transpose([tangent], [t], [masked])
    (found,) = Program([pulled]).run({X: np.array([0.0, 2.0, -1.0]), Y: np.full(3, 3.0)})
    np.testing.assert_array_equal(found, [0, 1.5, 0])


def test_equal_work_at_the_same_time_is_done_once() -> None:
    node = held(lambda x, y: [multiply(sin(exp(x)), y)], X, Y)
    seeds = {X: seed(X), Y: seed(Y)}
    outputs = [item(node, 0), *pushforward([item(node, 0)], seeds)]
    assert len(holders(outputs)) == 2
    found = merged(outputs)
    assert len(holders(found)) == 1
    verify(found)
    values = {X: np.arange(3.0), Y: np.ones(3), seeds[X]: np.ones(3), seeds[Y]: np.zeros(3)}
    expected = [np.sin(np.exp(values[X])), np.cos(np.exp(values[X])) * np.exp(values[X])]
    np.testing.assert_allclose(Program(outputs).run(values), expected)


def test_what_waits_for_the_other_stays_apart() -> None:
    node = held(lambda x: [sin(exp(x))], X)
    t = seed(X)
    (tangent,) = pushforward([item(node, 0)], {X: t})
    (pulled,) = transpose([tangent], [t], [multiply(item(node, 0), Y)])
    outputs = [item(node, 0), pulled]
    assert len(holders(merged(outputs))) == 2


def test_other_work_on_the_same_inputs_stays_apart() -> None:
    outputs = [item(held(lambda x: [sin(x)], X), 0), item(held(lambda x: [exp(x)], X), 0)]
    assert len(holders(merged(outputs))) == 2


def test_pairs_that_would_wait_for_each_other_are_not_both_made_one() -> None:
    def work(x: Node) -> Node:
        return sin(exp(x))

    a, b = (item(held(lambda x: [work(x)], leaf), 0) for leaf in (X, Y))
    after_a = item(held(lambda y, a: [multiply(work(y), a)], Y, a), 0)
    after_b = item(held(lambda x, b: [multiply(work(x), b)], X, b), 0)
    outputs = [after_a, after_b]
    found = together(outputs, topological(outputs))
    verify(found)
    assert len(holders(found)) == 3
    values = {X: np.arange(3.0), Y: np.ones(3)}
    expected = np.sin(np.exp(values[X])) * np.sin(np.exp(values[Y]))
    np.testing.assert_allclose(Program(outputs).run(values), [expected, expected])


def test_results_that_nobody_reads_are_left_out() -> None:
    inner = held(lambda x: [sin(x), exp(x)], X)
    outer = held(lambda a, b, y: [multiply(a, y), add(b, y)], item(inner, 0), item(inner, 1), Y)
    (found,) = merged([item(outer, 0)])
    assert [len(node.type.items) for node in holders([found])] == [1, 1]
    assert find("exp") not in {
        node.op for holder in holders([found]) for node in topological(holder.params[0].outputs)
    }
    x, y = np.arange(3.0), np.ones(3)
    np.testing.assert_allclose(Program([item(outer, 0)]).run({X: x, Y: y})[0], np.sin(x))


@pytest.mark.parametrize("count", [60])
def test_long_chains_of_results_that_nobody_reads_are_planned_at_once(count: int) -> None:
    a, b = X, Y
    for _ in range(count):
        node = held(lambda a, b: [sin(a), exp(b)], a, b)
        a, b = item(node, 0), item(node, 1)
    found = merged([a])
    assert len(holders(found)) == count
    assert Y not in topological(found)


def test_bodies_are_planned_once() -> None:
    def f(x: Any) -> Any:
        for _ in range(6):
            x = layer(x)
        return np.sum(x)

    layer = wg.checkpoint(lambda x: np.tanh(np.ones((20, 20)) @ x))
    listing = wg.trace(wg.grad(f), np.ones((20, 20)))
    defined = [line for line in listing.llvm.splitlines() if line.startswith("define internal i64")]
    assert len([line for line in defined if "@program." in line]) == 2  # a layer, and its reverse


def test_a_body_is_hashable_and_weakly_held() -> None:
    body = body_of([sin(X)], [X])
    assert body == Body(body.params, body.outputs, "opened")
    assert hash(body) == hash(Body(body.params, body.outputs))


def test_large_loops_inside_run_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "threads", 2)
    x = np.linspace(0.1, 1, 500_000)

    def f(run: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x: np.sum(run(lambda y: np.sin(np.exp(-y)) * np.sum(y))(x))

    g = wg.grad(f(wg.checkpoint))
    assert "@part0.0" in wg.trace(g, x).llvm
    found = wg.jit(g)(x)
    np.testing.assert_allclose(found, wg.grad(f(lambda h: h))(x), rtol=1e-10)
