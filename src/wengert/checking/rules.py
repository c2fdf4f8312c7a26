"""The derivative of a single operation at given values, and its transpose, as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert.checking.values import computed
from wengert.errors import NotDifferentiable
from wengert.graph.node import Node, deriving, make
from wengert.graph.op import Absent, Zero
from wengert.graph.types import ArrayType, TupleType, array_type
from wengert.graph.walk import dependents, topological
from wengert.ops.leaves import seed
from wengert.tracing.session import Session, outermost, untraced
from wengert.transforms.transpose import transpose


class Pushed:
    """The tangents of one operation's results at a point, linear in those of its inputs.

    moved: the tangents as nodes, None for zero. seeds: the tangents of the inputs, with their
    values among `known`.
    """

    def __init__(
        self,
        session: Session,
        moved: Sequence[Node | None],
        seeds: Sequence[Node],
        known: Mapping[Node, Any],
    ) -> None:
        self._session, self._moved, self._seeds = session, moved, seeds
        self._known = {**session.values, **known}
        self._present = [node for node in moved if node is not None]

    def tangents(self, like: Sequence[Any]) -> list[Any] | None:
        """The tangents; None where there is no forward mode. like: what the results look like."""
        try:
            values = _values(self._present, self._known)
        except NotDifferentiable:
            return None
        return [
            np.zeros(np.shape(part)) if node is None else values[node]
            for node, part in zip(self._moved, like, strict=True)
        ]

    def pulled(self, weights: Sequence[Any]) -> float:
        """⟨Jᵀ c, t⟩ for cotangents of the results."""
        known = dict(self._known)
        cts = [
            _given(self._session, weight, node, known)
            for node, weight in zip(self._moved, weights, strict=True)
            if node is not None
        ]
        found = transpose(self._present, self._seeds, cts)
        known |= {n: v for n, v in self._session.values.items() if n not in known}
        values = _values([ct for ct in found if ct is not None], known)
        return sum(
            float(np.real(np.sum(values[ct] * self._known[leaf])))
            for ct, leaf in zip(found, self._seeds, strict=True)
            if ct is not None
        )

    def operations(self) -> Iterator[tuple[Node, list[bool], Mapping[Node, Any]]]:
        """The linear operations on arrays that the tangents are made of: (the node, which of its
        inputs are linear, all values)."""
        try:
            values = _values(self._present, self._known)
        except NotDifferentiable:
            return
        order = topological(self._present)
        resting = dependents(order, self._seeds)
        for node in order:
            arrays = all(isinstance(part.type, ArrayType) for part in (node, *node.args))
            if node in resting and node.args and arrays:
                yield node, [arg in resting for arg in node.args], values

    def transposed(
        self, node: Node, wanted: Sequence[bool], weight: Any, values: Mapping[Node, Any]
    ) -> list[Any] | None:
        """The cotangents of the wanted inputs of one of the operations; None where it has no
        transpose."""
        rule = node.op.transpose
        if isinstance(rule, Absent):
            return None
        known = dict(values)
        ct = _given(self._session, weight, node, known)
        with deriving():
            parts = rule(node, ct, list(wanted))
        asked = [(p, arg) for p, arg, flag in zip(parts, node.args, wanted, strict=True) if flag]
        found = _values([part for part, _ in asked if part is not None], known)
        return [np.zeros(arg.shape) if part is None else found[part] for part, arg in asked]


@contextmanager
def pushed(node: Node, point: Sequence[Any], moving: Mapping[int, Any]) -> Iterator[Pushed | None]:
    """The pushforward of one operation at a point; None where it has none.

    moving: position of an input -> its tangent.
    """
    rule = node.op.pushforward
    kinds = node.type.items if isinstance(node.type, TupleType) else (node.type,)
    with outermost() as session:
        known: dict[Node, Any] = {}
        args: list[Node] = []
        for arg, value in zip(node.args, point, strict=True):
            if isinstance(arg.type, ArrayType):
                args.append(session.input(value, arg.type))
            else:
                args.append(arg)
                known[arg] = value
        tangents: list[Node | None] = [None] * len(args)
        for k, tangent in moving.items():
            if isinstance(args[k].type, ArrayType):
                leaf = tangents[k] = seed(args[k])
                known[leaf] = np.asarray(tangent).astype(leaf.dtype)[()]
        seeds = [leaf for leaf in tangents if leaf is not None]
        if isinstance(rule, Absent) or not seeds:
            yield None
            return
        moved: Any = None
        if not isinstance(rule, Zero):
            with deriving():
                moved = rule(make(node.op, tuple(args), node.params, node.type), tangents)
        parts = moved if isinstance(moved, tuple) else (moved,) * len(kinds)
        yield Pushed(session, parts, seeds, known)


def _values(nodes: Sequence[Node], known: Mapping[Node, Any]) -> dict[Node, Any]:
    with untraced():
        return computed(nodes, known)


def _given(session: Session, value: Any, like: Node, known: dict[Node, Any]) -> Node:
    """An input of a node's type, with a value."""
    kind = array_type(like.shape, like.dtype)
    node = session.input(np.asarray(value).astype(kind.dtype), kind)
    known[node] = session.values[node]
    return node
