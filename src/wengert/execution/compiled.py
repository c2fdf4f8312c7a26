"""The second tier: a graph as machine code, with calls of NumPy where an op has no native rule.

The nodes fall into levels: native ones at even levels, all others at odd ones, each node at the
lowest level at which what it reads is known. A native level is one compiled program; what crosses
to another level is one of its outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.compiler.native import Native
from wengert.compiler.pipeline import compiled, is_small
from wengert.compiler.support import is_native, why_host_call
from wengert.control.merging import merged
from wengert.execution.calling import portable
from wengert.execution.interpreter import Program, owned
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, TapeType, TupleType, Type
from wengert.graph.walk import substitute, topological
from wengert.logging import logger
from wengert.ops.leaves import LEAVES, input, item
from wengert.transforms.simplify import simplify

LONG_PROGRAM = 5_000
"""Nodes of a program that takes long to simplify."""


@dataclass(frozen=True, slots=True)
class Step:
    """A compiled program between host calls: what it reads and what it gives."""

    native: Native
    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]


def machine_code(outputs: Sequence[Node], inputs: Sequence[Node]) -> Native | None:
    """The whole graph as one compiled program; None where an op of it has no native rule."""
    simple = native_throughout(outputs, inputs)
    return None if simple is None else compiled(simple, inputs)


def native_throughout(outputs: Sequence[Node], inputs: Sequence[Node]) -> Sequence[Node] | None:
    """The outputs simplified, None where an op of them has no native rule."""
    outputs, order = _simplified(outputs, inputs)
    kinds = {_kind(node): node for node in order}
    return outputs if all(map(is_native, kinds.values())) else None


def _kind(node: Node) -> Any:
    """What tells whether a node is native: its op and types, or the node where it is a loop."""
    if isinstance(node.type, ArrayType) and node.op is not item:
        return (node.op, node.type, *[arg.type for arg in node.args])
    return node


def simplified(outputs: Sequence[Node], inputs: Sequence[Node]) -> Sequence[Node]:
    """What is compiled: simpler outputs, but long programs of numbers as they are, which are
    simplified when they are taken apart."""
    return _simplified(outputs, inputs)[0]


def _simplified(
    outputs: Sequence[Node], inputs: Sequence[Node]
) -> tuple[Sequence[Node], list[Node]]:
    """(what is compiled, its nodes in order)."""
    outputs = merged(outputs, inputs)
    order = topological(outputs, stop=set(inputs))
    if len(order) > LONG_PROGRAM and is_small(order, outputs, inputs):
        return outputs, order
    outputs = simplify(outputs, inputs)
    return outputs, topological(outputs, stop=set(inputs))


class Compiled:
    """A program like `interpreter.Program`, in machine code.

    given: nodes whose values the caller has, beside the leaves.
    leaves: the leaves that are read, each with the node whose value it has.
    """

    __slots__ = ("_given", "_outputs", "leaves", "outputs", "size", "steps")

    def __init__(self, outputs: Sequence[Node], given: Sequence[Node] = ()) -> None:
        self.outputs = tuple(outputs)
        self._given = tuple(given)
        names = {node: _name(k, node) for k, node in enumerate(dict.fromkeys(given))}
        self._outputs = tuple(simplify(merged(substitute(outputs, names))))
        order = topological(self._outputs)
        meant = {name: node for node, name in names.items()}
        self.leaves = {leaf: meant.get(leaf, leaf) for leaf in order if leaf.op in LEAVES}
        self.size = len(order)
        self.steps = _steps(order, set(self.leaves), self._outputs)
        for name, reason in self.host_calls:
            logger.debug("%s is a host call: %s", name, reason)

    @property
    def host_calls(self) -> tuple[tuple[str, str], ...]:
        """The ops that run as calls of NumPy, each with the reason, in order."""
        nodes = [step for step in self.steps if isinstance(step, Node) and step.args]
        calls = [node for node in nodes if node.op is not item]
        found = [(node.op.name, why_host_call(node)) for node in calls]
        return tuple(dict.fromkeys(found))

    def run(self, values: Mapping[Node, Any]) -> list[Any]:
        """The outputs for these values of the leaves, as arrays that the caller owns."""
        known = {leaf: values[node] for leaf, node in self.leaves.items()}
        borrowed = {id(value) for value in known.values()}
        for step in self.steps:
            if isinstance(step, Step):
                found = portable.run(step.native, _taken_apart(step.inputs, known))
                if found is None:  # something failed: the interpreter says what
                    return Program(self.outputs, self._given).run(values)
                parts = iter(found)
                for node in step.outputs:
                    known[node] = (
                        tuple(next(parts) for _ in node.type.items)
                        if isinstance(node.type, TupleType)
                        else next(parts)
                    )
            else:
                function = step.op.evaluate(step)
                if step.quiet:
                    with np.errstate(all="ignore"):
                        known[step] = function(*[known[arg] for arg in step.args])
                else:
                    known[step] = function(*[known[arg] for arg in step.args])
        return [
            owned(known[own], node, borrowed)
            for own, node in zip(self._outputs, self.outputs, strict=True)
        ]


def _name(k: int, node: Node) -> Node:
    """A leaf in place of the k-th given node, so that nothing looks at what that is made of."""
    return node if node.op in LEAVES else input(("given", k), node.type)


def _taken_apart(nodes: Sequence[Node], known: Mapping[Node, Any]) -> list[np.ndarray[Any, Any]]:
    """The values of nodes as machine code reads them, those of tuples one by one."""
    found = []
    for node in nodes:
        if isinstance(node.type, TupleType):
            found += map(_plain, known[node], node.type.items)
        else:
            found.append(_plain(known[node], node.type))
    return found


def _plain(value: Any, type: Type) -> np.ndarray[Any, Any]:
    """The value as machine code reads it."""
    if isinstance(type, TapeType):
        type = type.step
    assert isinstance(type, ArrayType)
    return np.require(np.asarray(value), type.dtype, ("C", "A"))


def _steps(order: Sequence[Node], leaves: set[Node], outputs: Sequence[Node]) -> list[Step | Node]:
    """The programs and host calls in order. Constants belong to every program that reads them;
    those that something else needs come first."""
    constants = {node for node in order if not node.args and node not in leaves}
    level: dict[Node, int] = dict.fromkeys(leaves, 0)
    levels: dict[int, list[Node]] = {}
    crossing: set[Node] = set(outputs)
    for node in order:
        if node in level or node in constants:
            continue
        own = 0 if is_native(node) else 1
        for arg in node.args:
            if arg in constants:
                if own % 2:
                    crossing.add(arg)
            elif arg in leaves:
                own = max(own, own % 2)
            else:
                own = max(own, level[arg] + (level[arg] - own) % 2)
        level[node] = own
        levels.setdefault(own, []).append(node)
        crossing.update(arg for arg in node.args if level.get(arg, own) != own)
    steps: list[Step | Node] = [node for node in order if node in constants and node in crossing]
    for number in sorted(levels):
        nodes = levels[number]
        if number % 2:
            steps += sorted(nodes, key=lambda node: node.serial)
            continue
        mine = {*nodes, *constants}
        results = tuple(node for node in nodes if node in crossing)
        reads = {arg for node in nodes for arg in node.args if arg not in mine}
        inputs = tuple(sorted(reads, key=lambda node: node.serial))
        if results:
            steps.append(Step(compiled(results, inputs), inputs, results))
    return steps
