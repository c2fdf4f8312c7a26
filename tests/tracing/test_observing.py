"""Observed traces: the lines and the variables of nodes, and of what they are derivatives."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import wengert as wg
from wengert.execution.border import as_input
from wengert.graph.node import Node
from wengert.graph.walk import topological
from wengert.ops.leaves import seed
from wengert.tracing.observing import Timeline, observed
from wengert.tracing.session import outermost
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose


def helper(q):
    r = q * 3
    return r + 1


def f(w1, w2):
    a = np.log(w1)
    b = a * w2
    for _ in range(2):
        b = np.tanh(b) + helper(a)
    return np.sum(b * a)


LINES = {
    "log": "a = np.log(w1)",
    "tanh": "b = np.tanh(b) + helper(a)",
}


def watched(function: Callable[..., Any], *args: float) -> tuple[Timeline, list[Node], Node]:
    """(what was seen, the inputs, the output) of a function of numbers."""
    with observed() as timeline, outermost() as session:
        inputs = [as_input(session, arg, "x") for arg in args]
        output = function(*inputs).node
    return timeline, [tracer.node for tracer in inputs], output


def test_lines_and_variables() -> None:
    for _ in range(2):  # the second time the same nodes would be there already
        timeline, _, output = watched(f, 2.0, 3.0)
        order = [node for node in topological([output]) if node.args]
        found = [(node.op.name, timeline.names.get(node)) for node in order]
        assert found == [
            ("log", "a"),
            ("multiply", "b"),
            ("tanh", None),
            ("multiply", "r"),
            ("add", None),
            ("add", "b"),
            ("tanh", None),
            ("add", "b"),
            ("multiply", None),
        ]
        for node in order:
            place = timeline.place(node)
            assert place is not None
            assert place.file == __file__
            assert place.text == LINES.get(node.op.name, place.text)
        (thrice,) = (node for node in order if timeline.names.get(node) == "r")
        assert (timeline.place(thrice).function, timeline.place(thrice).text) == (
            "helper",
            "r = q * 3",
        )
        assert timeline.place(output).text == "return np.sum(b * a)"


def test_of_what_a_node_is_the_derivative() -> None:
    with observed() as timeline, outermost() as session:
        x = as_input(session, 2.0, "x")
        output = f(x, as_input(session, 3.0, "y")).node
        towards = seed(x.node)
        (tangent,) = pushforward([output], {x.node: towards})
        (found,) = transpose([tangent], [towards], [output])
    made = [
        node
        for node in topological([found], stop=set(topological([output])))
        if node.args and timeline.sweep(node)
    ]
    assert {timeline.sweep(node) for node in made} == {"forward", "reverse"}
    for node in made:
        origin = timeline.origin(node)
        assert timeline.sweep(origin) is None
        assert timeline.place(node) == timeline.place(origin)
    assert {timeline.origin(node).op.name for node in made} == {"log", "multiply", "tanh", "add"}
    assert timeline.origin(output) is None


def test_the_body_of_a_loop() -> None:
    def looped(x):
        def step(c, _):
            s = np.sin(c)
            return s * x, None

        return wg.scan(step, x, length=3)[0]

    timeline, _, output = watched(looped, 0.5)
    (scan,) = (node for node in topological([output]) if node.op.name == "scan")
    (body,) = (part for part in scan.params if hasattr(part, "outputs"))
    places = {
        node.op.name: timeline.place(node).text for node in topological(body.outputs) if node.args
    }
    assert places == {"sin": "s = np.sin(c)", "multiply": "return s * x, None"}
    (sine,) = (node for node in topological(body.outputs) if node.op.name == "sin")
    assert timeline.variable(sine) == "s"


def test_nothing_stays_behind() -> None:
    before = sys.gettrace()
    timeline, _, _ = watched(f, 2.0, 3.0)
    assert sys.gettrace() is before
    with outermost() as session:
        assert session.first == 0
    seen = len(timeline.names)
    wg.grad(f)(2.0, 3.0)
    assert len(timeline.names) == seen
