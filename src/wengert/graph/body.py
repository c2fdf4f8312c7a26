"""Bodies: closed graphs that ops carry, as a loop carries its step and `cond` its branches.

A body has parameters of its own and mentions nothing else: whatever a traced function reads from
outside becomes a further parameter, and an operand of the op that carries the body (closure
conversion). The parameters are always called 0, 1, …, so that the same function gives the same
body, and a body inside another one is never confused with it.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.graph.types import Type
from wengert.graph.walk import dependents, substitute, topological


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Body:
    """The outputs as functions of the parameters.

    opened: what must live as long as the body does, so that tracing it again finds it.
    """

    params: tuple[Node, ...]
    outputs: tuple[Node, ...]
    opened: Any = field(default=None, compare=False, repr=False)

    def __call__(self, args: Sequence[Node]) -> list[Node]:
        """The outputs with these nodes in place of the parameters."""
        return substitute(self.outputs, dict(zip(self.params, args, strict=True)))


def bodies(params: Any) -> list[Body]:
    """The bodies among the parameters of a node."""
    return [part for part in params or () if isinstance(part, Body)]


def body_of(outputs: Sequence[Node], inputs: Sequence[Node], opened: Any = None) -> Body:
    """The body of outputs that rest on nothing but the inputs, which may be any nodes."""
    return Body(*_renamed(outputs, inputs), opened)


def _renamed(
    outputs: Sequence[Node], inputs: Sequence[Node]
) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    params = tuple(parameter(k, node.type) for k, node in enumerate(inputs))
    found = substitute(outputs, dict(zip(inputs, params, strict=True)))
    return params, tuple(found)


def parameter(which: Any, type: Type) -> Node:
    """The leaf that stands for a parameter of a body."""
    node: Node = find("parameter")(which, type)
    return node


def invariant(outputs: Sequence[Node], opened: Sequence[Node]) -> list[Node]:
    """What outputs read that does not rest on the opened leaves, literals aside: as few nodes as
    there can be. A loop computes them once."""
    order = topological(outputs, after=min((node.serial for node in opened), default=0) - 1)
    return _read_from_outside(outputs, dependents(order, opened))


def read_by(outputs: Sequence[Node], there: Container[Node], opened: Sequence[Node]) -> list[Node]:
    """What outputs read of the nodes that were there before, and of the leaves; who computes the
    outputs makes all else."""
    made = {node for node in topological(outputs, stop=there) if node.args}
    return _read_from_outside(outputs, made.union(opened))


def _read_from_outside(outputs: Sequence[Node], inside: set[Node]) -> list[Node]:
    read = {arg for node in inside for arg in node.args}
    outside = read.union(outputs) - inside
    return sorted((node for node in outside if not is_constant(node)), key=_serial)


def is_constant(node: Node) -> bool:
    """Whether a node is a literal array, perhaps moved or repeated."""
    while node.op.family == "movement" and len(node.args) == 1:
        (node,) = node.args
    return node.op.name in ("full", "iota")


def _serial(node: Node) -> int:
    return node.serial
