"""The first tier: a graph as a list of NumPy calls.

A program is planned once. Nodes run in order of creation, so what the user's function recorded
comes before its derivative; the latter runs with NumPy's floating-point warnings off (a branch not
taken must not warn), the former warns as NumPy does. Values live in registers that are reused as
soon as what they held has had its last use, which frees the array there; a large one is freed at
once.

Elementwise functions broadcast by themselves, so the explicit `broadcast_to` and `full` nodes in
front of them are passed by.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from wengert.control.merging import merged
from wengert.execution import instances
from wengert.graph.body import Body
from wengert.graph.literals import full, literal
from wengert.graph.node import Node
from wengert.graph.registry import provide_evaluator, provide_runner
from wengert.graph.types import ArrayType, OpaqueType, TapeType, TupleType
from wengert.graph.walk import topological
from wengert.ops.leaves import LEAVES
from wengert.ops.movement import broadcast_to
from wengert.tracing.session import Session

Segment = tuple[bool, list[tuple[Any, Any, int]]]


def operands(node: Node, given: Container[Node] = ()) -> tuple[Node, ...]:
    """The inputs that the NumPy function is called with: broadcasts that it does itself left out.

    given: nodes that have values already, which are taken as they are.
    """
    args = node.args
    if len(args) < 2 or node.op.family != "elementwise":
        return args
    if all(arg.op is not broadcast_to and arg.op is not full for arg in args):
        return args
    bare = tuple(
        arg
        if arg in given
        else arg.args[0]
        if arg.op is broadcast_to
        else full(literal(arg), arg.dtype)
        if arg.op is full and arg.shape
        else arg
        for arg in args
    )
    shapes = [arg.shape for arg in bare]
    if node.shape in shapes or np.broadcast_shapes(*shapes) == node.shape:
        return bare
    return args


def _scalar_literal(node: Node) -> Any:
    value = np.full((), literal(node), node.dtype)
    value.flags.writeable = False
    return value


class Program:
    """A plan for some outputs: which registers the leaves go to, and the calls in order.

    given: nodes whose values the caller has, beside the leaves.
    """

    __slots__ = ("_leaves", "_outputs", "_registers", "_segments", "leaves", "outputs", "size")

    def __init__(self, outputs: Sequence[Node], given: Sequence[Node] = ()) -> None:
        self.outputs = tuple(outputs)
        held = set(given)
        outputs = merged(outputs, given)
        inputs = _inputs(outputs, held)
        order = sorted(inputs, key=_serial)
        self.leaves = [node for node in order if node in held or node.op in LEAVES]
        held.update(self.leaves)
        self.size = len(order)
        last_use = {arg: k for k, node in enumerate(order) for arg in inputs[node]}
        place: dict[Node, int] = {node: k for k, node in enumerate(self.leaves)}
        registers: list[Any] = [None] * len(self.leaves)
        for node in order:
            if node not in held and not node.args:
                place[node] = len(registers)
                constant = node.op is full and not node.shape
                registers.append(_scalar_literal(node) if constant else node.op.evaluate(node)())
        fixed = len(registers)
        keep = set(outputs)
        idle: list[int] = []
        self._segments: list[Segment] = []
        for k, node in enumerate(order):
            if not node.args or node in held:
                continue
            args = inputs[node]
            dying = [
                place[arg]
                for arg in dict.fromkeys(args)
                if last_use[arg] == k and arg not in keep and place[arg] >= fixed
            ]
            if idle:
                target = idle.pop()
            else:
                target = len(registers)
                registers.append(None)
            place[node] = target
            idle.extend(dying)
            where = [place[arg] for arg in args]
            only = slice(where[0], where[0] + 1)  # fetches a list of one, as the call unpacks it
            fetch = itemgetter(*where) if len(where) > 1 else itemgetter(only)
            if not self._segments or self._segments[-1][0] != node.quiet:
                self._segments.append((node.quiet, []))
            calls = self._segments[-1][1]
            calls.append((node.op.evaluate(node), fetch, target))
            large = {place[arg] for arg in args if _is_large(arg)}
            calls += [(_nothing, itemgetter(slice(0, 0)), k) for k in dying if k in large]
        self._registers = registers
        self._leaves = len(self.leaves)
        self._outputs = [place[node] for node in outputs]

    def run(self, values: Mapping[Node, Any]) -> list[Any]:
        """The outputs for these values of the leaves, as arrays that the caller owns."""
        registers = self._registers.copy()
        registers[: self._leaves] = [values[leaf] for leaf in self.leaves]
        for quiet, calls in self._segments:
            if quiet:
                with np.errstate(all="ignore"):
                    for function, fetch, target in calls:
                        registers[target] = function(*fetch(registers))
            else:
                for function, fetch, target in calls:
                    registers[target] = function(*fetch(registers))
        borrowed = {id(value) for value in registers[: self._leaves]}
        return [
            owned(registers[k], node, borrowed)
            for k, node in zip(self._outputs, self.outputs, strict=True)
        ]


LARGE = 2**13
"""Bytes of what is freed as soon as it has had its last use: to wait until its register is used
again would hold it while the next call runs."""


def _is_large(node: Node) -> bool:
    type = node.type
    parts = type.items if isinstance(type, TupleType) else (type,)
    return any(not isinstance(part, ArrayType) or part.nbytes >= LARGE for part in parts)


def _nothing() -> None:
    return None


def _inputs(outputs: Sequence[Node], given: Container[Node]) -> dict[Node, tuple[Node, ...]]:
    """What must be computed or is given, each node with what it is computed from; broadcasts that
    are passed by are left out."""
    found: dict[Node, tuple[Node, ...]] = {}
    stack = list(outputs)
    while stack:
        node = stack.pop()
        if node not in found:
            found[node] = () if node in given else operands(node, given)
            stack.extend(found[node])
    return found


def _serial(node: Node) -> int:
    return node.serial


def owned(value: Any, node: Node, borrowed: set[int]) -> Any:
    """A result as the caller gets it: a NumPy scalar, or an array that nobody else holds.

    borrowed: identities of the arrays that the program was given, or has handed out already.
    """
    if isinstance(node.type, OpaqueType | TupleType | TapeType):
        return value
    if not node.type.shape:
        return np.asarray(value, node.type.dtype)[()]
    if value.base is not None or not value.flags.writeable or id(value) in borrowed:
        value = np.array(value)
    borrowed.add(id(value))
    return value


def evaluate(session: Session, nodes: Sequence[Node]) -> list[Any]:
    """Values of nodes in a session, each computed once and remembered there."""
    values = session.values
    if session.lanes:
        instances.agree(session, nodes)
    for node in topological(nodes, stop=values):
        function = node.op.evaluate(node)
        if node.quiet:
            with np.errstate(all="ignore"):
                values[node] = function(*[values[arg] for arg in node.args])
        else:
            values[node] = function(*[values[arg] for arg in node.args])
    return [values[node] for node in nodes]


_RUNNERS: WeakKeyDictionary[Body, Callable[[Sequence[Any]], list[Any]]] = WeakKeyDictionary()
"""Bodies that hold bodies, each several times, are planned once."""


def _runner(body: Body) -> Callable[[Sequence[Any]], list[Any]]:
    """A body as a function of the values of its parameters."""
    run = _RUNNERS.get(body)
    if run is None:
        program, params = Program(body.outputs), body.params

        def run(values: Sequence[Any]) -> list[Any]:
            return program.run(dict(zip(params, values, strict=True)))

        _RUNNERS[body] = run
    return run


provide_evaluator(evaluate)
provide_runner(_runner)
