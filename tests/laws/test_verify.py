"""The verifier finds what it must find, and names the node."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import wengert  # noqa: F401  (registers every op)
from wengert.graph.node import Interned, Node, make
from wengert.graph.registry import find
from wengert.graph.types import FLOAT, array_type
from wengert.graph.verify import InvalidGraph, verify


def inputs() -> tuple[Node, Node]:
    kind = array_type((3,), FLOAT)
    return find("input")(901, kind), find("input")(902, kind)


def test_a_good_graph_passes() -> None:
    x, y = inputs()
    verify([find("add")(x, y), None, x])


def test_a_deep_graph_passes() -> None:
    x, _ = inputs()
    node = x
    for _ in range(5000):
        node = find("sin")(node)
    verify([node])


def wrong_type(x: Node, y: Node) -> Node:
    return make(find("sin"), (x,), None, array_type((4,), FLOAT))


def wrong_shapes(x: Node, y: Node) -> Node:
    scalar = find("input")(901, array_type((), FLOAT))
    return make(find("multiply"), (x, scalar), None, x.type)


def not_interned(x: Node, y: Node) -> Node:
    made = find("add")(x, y)
    return Node(made.op, made.args, made.params, made.type, made.serial, False)


def made_before_its_inputs(x: Node, y: Node) -> Node:
    node = Node(find("tan"), (x,), None, x.type, x.serial, False)
    find("tan").interned.remember(node.args, node)
    return node


def unhashable_parameters(x: Node, y: Node) -> Node:
    return Node(find("reshape"), (x,), ([3],), x.type, y.serial + 1, False)


def uninferable(x: Node, y: Node) -> Node:
    return make(find("reshape"), (x,), ((7,),), array_type((7,), FLOAT))


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        (wrong_type, "sin.*infers the type float64.3."),
        (wrong_shapes, "multiply.*another shape"),
        (not_interned, "add.*its table holds another node"),
        (made_before_its_inputs, "tan.*made after it"),
        (unhashable_parameters, "reshape.*cannot be hashed"),
        (uninferable, "reshape.*cannot infer"),
    ],
)
def test_a_bad_node_is_named(plant: Callable[[Node, Node], Node], says: str) -> None:
    x, y = inputs()
    bad = plant(x, y)
    with pytest.raises(InvalidGraph, match=says):
        verify([None, y, bad])


def test_what_is_no_node_is_refused() -> None:
    x, _ = inputs()
    with pytest.raises(InvalidGraph, match="where a node must stand"):
        verify([np.ones(3)])  # type: ignore[list-item]
    bad = Node(find("sin"), (np.ones(3),), None, x.type, x.serial + 1, False)  # type: ignore[arg-type]
    with pytest.raises(InvalidGraph, match="input 0 is array"):
        verify([bad])


def test_the_fault_is_found_below_the_outputs() -> None:
    x, y = inputs()
    bad = wrong_type(x, y)
    above = make(find("cos"), (bad,), None, bad.type)
    with pytest.raises(InvalidGraph, match="sin"):
        verify([above])


def test_tables_are_what_is_checked() -> None:
    x, _ = inputs()
    node = find("cbrt")(x)
    memory: Interned = node.op.interned
    saved = memory.table.pop((x,))
    with pytest.raises(InvalidGraph, match="cbrt"):
        verify([node])
    memory.table[(x,)] = saved
    verify([node])
