"""One sweep in each mode over a traced function, keeping what they find at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from wengert.derivatives.marking import written
from wengert.errors import NotDifferentiable
from wengert.execution.interpreter import evaluate, owned
from wengert.explaining.partials import by_one, has_diagonal
from wengert.graph.literals import constant, full
from wengert.graph.node import Node, deriving
from wengert.graph.op import Tangent
from wengert.graph.types import ArrayType, TupleType, is_inexact
from wengert.graph.walk import dependents, topological
from wengert.ops import linear
from wengert.ops.leaves import item, seed, slot
from wengert.tracing.session import Session
from wengert.tracing.trees import flatten, unflatten
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose

MOST_TANGENTS = 20_000
"""How many tangents are computed in all: of the first few inputs, in large programs."""

Edge: TypeAlias = tuple[Node, Node]
"""A step and one of its operands."""


@dataclass(frozen=True, slots=True)
class Program:
    """A traced function.

    order: its nodes: the inputs, other leaves, the operations as the function computes them.
    shown: those that are steps, the others being numbers that formulas write out.
    outputs: the results, each a step.
    active: the inputs that have derivatives. involved: the nodes that rest on these.
    """

    order: list[Node]
    shown: list[Node]
    active: list[Node]
    involved: set[Node]
    outputs: list[Node]

    @staticmethod
    def of(outputs: list[Node], inputs: Iterable[Node], when: Callable[[Node], Any]) -> Program:
        """when: what the operations are sorted by."""
        order = list(inputs)
        mine = set(order)
        others = [node for node in topological(outputs) if node not in mine]
        order += sorted(others, key=lambda node: (bool(node.args), when(node)))
        active = [node for node in inputs if is_inexact(node.dtype)]
        results = set(outputs)
        shown = [node for node in order if node in results or not is_number(node)]
        return Program(order, shown, active, dependents(order, active), outputs)

    def edges(self) -> Iterator[Edge]:
        """The steps with those of their operands by which they may have derivatives."""
        for user in self.order:
            if _has_tangents(user):
                for operand in dict.fromkeys(user.args):
                    if operand in self.involved and _has_tangents(operand):
                        yield user, operand

    def slopes(self) -> dict[Edge, Tangent]:
        """The derivatives of steps by operands that are numbers or diagonals, None for zero."""
        return {
            (user, operand): by_one(user, operand)
            for user, operand in self.edges()
            if has_diagonal(user, operand)
        }

    def adjoints(
        self, slopes: Mapping[Edge, Tangent]
    ) -> tuple[dict[Node, Tangent], dict[Node, list[tuple[Node, Tangent]]]]:
        """(adjoint of each node, the terms that it is a sum of with the step that each is from)."""
        adjoints: dict[Node, Tangent] = {}
        for output in self.outputs:
            if is_inexact(output.dtype):
                adjoints[output] = linear.add(adjoints.get(output), constant(1, output))
        terms: dict[Node, list[tuple[Node, Tangent]]] = {}
        with deriving():
            for user in reversed(self.order):
                above = adjoints.get(user)
                if above is None:
                    continue
                for operand in dict.fromkeys(user.args):
                    if operand in self.involved and _has_tangents(operand):
                        term = _pulled_back(user, operand, above, slopes)
                        if term is not None:
                            terms.setdefault(operand, []).insert(0, (user, term))
                            adjoints[operand] = linear.add(adjoints.get(operand), term)
        return {node: _written_out(adjoints.get(node), node) for node in self.involved}, terms

    def tangents(self, directions: int) -> list[list[Tangent]]:
        """The tangents of what is shown, in the direction of 1 in each of the first inputs."""
        columns = []
        for node in self.active[:directions]:
            found = pushforward(self.shown, {node: constant(1, node)})
            columns.append([_written_out(*pair) for pair in zip(found, self.shown, strict=True)])
        return columns


def _pulled_back(
    user: Node, operand: Node, cotangent: Tangent, slopes: Mapping[Edge, Tangent]
) -> Tangent:
    """v̄ᵢ ∂vᵢ/∂vⱼ for one operand vⱼ of step i.

    Element by element it is a product; else, the transpose of the pushforward by vⱼ alone.
    """
    if user.op.family == "elementwise" and (user, operand) in slopes:
        slope = slopes[user, operand]
        return None if slope is None else linear.scale(cotangent, slope)
    seeds = _seeds(operand)
    (moved,) = pushforward([user], {arg: seeds if arg is operand else None for arg in user.args})
    if moved is None:
        return None
    inputs, spec = flatten(seeds)
    outputs = moved if isinstance(moved, tuple) else (moved,)
    cotangents = cotangent if isinstance(cotangent, tuple) else (cotangent,)
    found = transpose(outputs, inputs, cotangents)
    return None if all(part is None for part in found) else unflatten(spec, found)


# ------------------------------------------------------------------ nodes of one or several results


def is_number(node: Node) -> bool:
    """Whether a node is a constant known to the trace."""
    return node.op is full or node.op is slot


def _has_tangents(node: Node) -> bool:
    """Whether any of the results of a node has a derivative."""
    types = node.type.items if isinstance(node.type, TupleType) else (node.type,)
    return any(isinstance(type, ArrayType) and is_inexact(type.dtype) for type in types)


def _seeds(node: Node) -> Any:
    """A seed for each result of a node that has derivatives."""
    if not isinstance(node.type, TupleType):
        return seed(node)
    parts = [item(node, k) for k in range(len(node.type.items))]
    return tuple(
        seed(part) if isinstance(part.type, ArrayType) and is_inexact(part.dtype) else None
        for part in parts
    )


def _written_out(tangent: Tangent, node: Node) -> Tangent:
    """The derivative of an array, with a structural zero written out."""
    if isinstance(node.type, ArrayType) and is_inexact(node.dtype):
        return written(tangent, node)
    return tangent


# ----------------------------------------------------------------------------------- their values


class Reader:
    """Values of nodes and of tangents in a session, each computed once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._borrowed = {id(value) for value in session.values.values()}
        self._missing: set[Node] = set()

    def compute(self, tangents: Iterable[Tangent]) -> None:
        """Compute what these hold. What needs the tangent of a rule that was given for reverse
        mode alone has no value."""
        nodes = [node for tangent in tangents for node in _nodes_in(tangent)]
        try:
            evaluate(self._session, nodes)
        except NotDifferentiable:
            self._compute_each(nodes)

    def _compute_each(self, nodes: Sequence[Node]) -> None:
        for node in topological(nodes, stop=self._session.values):
            if not self._missing.isdisjoint(node.args):
                self._missing.add(node)
                continue
            try:
                evaluate(self._session, [node])
            except NotDifferentiable:
                self._missing.add(node)

    def __call__(self, tangent: Tangent) -> Any:
        """The value: an array that nobody else holds, a number, a tuple of these; None of what has
        none."""
        if isinstance(tangent, tuple):
            parts = tuple(map(self, tangent))
            return None if all(part is None for part in parts) else parts
        if tangent is None or tangent in self._missing:
            return None
        return self._taken(self._session.values[tangent], tangent.type, tangent)

    def _taken(self, value: Any, type: Any, node: Node) -> Any:
        if isinstance(type, TupleType):
            parts = (item(node, k) for k in range(len(type.items)))
            return tuple(
                self._taken(part, of.type, of) for part, of in zip(value, parts, strict=True)
            )
        return owned(value, node, self._borrowed) if isinstance(type, ArrayType) else None


def _nodes_in(tangent: Tangent) -> Iterator[Node]:
    if isinstance(tangent, tuple):
        for part in tangent:
            yield from _nodes_in(part)
    elif tangent is not None:
        yield tangent
