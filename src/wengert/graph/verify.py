"""The verifier: what every graph between two passes must satisfy.

Each node was made after its inputs, is the one that its table holds, and has the type that its op
infers from the types of its inputs; elementwise nodes have inputs of one shape. Tests run this
after each pass, so that a wrong rule is found where it made a wrong node.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from wengert.errors import WengertError
from wengert.graph.body import Body, bodies, is_constant
from wengert.graph.node import Node
from wengert.graph.op import Op
from wengert.graph.types import ArrayType, OpaqueType, TapeType, TupleType
from wengert.graph.walk import topological


class InvalidGraph(WengertError, AssertionError):
    """A graph breaks what every graph must satisfy: a fault of wengert, not of its user."""


def verify(outputs: Iterable[Node | None]) -> None:
    """Raise `InvalidGraph`, naming the node, if a node below the outputs is not what it must be.

    outputs: nodes, or None for a structural zero.
    """
    stack: list[Any] = [output for output in outputs if output is not None]
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            _check(node)
            stack.extend(node.args)
            for body in bodies(node.params):
                _check_closed(node, body)
                stack.extend(body.outputs)


def _check(node: Node) -> None:
    if not isinstance(node, Node):
        raise InvalidGraph(f"{node!r:.100} stands where a node must stand")
    if not isinstance(node.op, Op):
        raise _invalid(node, f"its op is {node.op!r:.100}")
    for k, arg in enumerate(node.args):
        if not isinstance(arg, Node):
            raise _invalid(node, f"input {k} is {arg!r:.100}, not a node")
        if arg.serial >= node.serial:
            raise _invalid(node, f"input {k}, {arg!r}, was made after it")
    if not isinstance(node.type, ArrayType | TupleType | OpaqueType | TapeType):
        raise _invalid(node, f"its type is {node.type!r:.100}")
    _check_interned(node)
    inferred = _inferred(node)
    if inferred != node.type:
        raise _invalid(node, f"its op infers the type {inferred} from its inputs")
    if node.op.family == "elementwise":
        for k, arg in enumerate(node.args):
            if arg.shape != node.shape:
                raise _invalid(node, f"input {k}, {arg!r}, is of another shape")


def _check_closed(node: Node, body: Body) -> None:
    """A body mentions its parameters and nothing else that is given from outside."""
    for leaf in topological(body.outputs):
        if not leaf.args and not is_constant(leaf) and leaf not in body.params:
            raise _invalid(node, f"its body reads {leaf!r}, which is none of its parameters")


def _check_interned(node: Node) -> None:
    key: Hashable = node.args if node.params is None else (node.args, node.params)
    try:
        ref = node.op.interned.table.get(key)
    except TypeError as error:
        raise _invalid(node, f"its parameters cannot be hashed: {error}") from error
    if ref is None or ref() is not node:
        raise _invalid(node, "its table holds another node, or none, under its inputs")


def _inferred(node: Node) -> Any:
    try:
        return node.op.infer(tuple(arg.type for arg in node.args), node.params)
    except Exception as error:
        raise _invalid(node, f"its op cannot infer its type: {error}") from error


def _invalid(node: Node, what: str) -> InvalidGraph:
    args = ", ".join(map(repr, node.args))
    return InvalidGraph(f"node {node.serial}, {node!r:.200} of ({args:.400}): {what}")
