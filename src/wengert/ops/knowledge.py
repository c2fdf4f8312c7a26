"""What detection may know of the values of nodes, and what it has looked at.

A pattern is tighter where a constant factor has zeros, and where the indices of a gather are known.
Each look at a value is a fact on which the pattern rests. The facts are kept, so that the pattern
serves again for other values of which they still hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert import lazy
from wengert.graph.literals import full, literal
from wengert.graph.node import Node
from wengert.graph.types import OpaqueType
from wengert.graph.walk import substitute, topological

_HIDDEN = frozenset({"host_call", "failed", "ran"})
"""Ops that are never run for what their values tell: they call the user's code, or may fail."""


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """What was seen of a node's value.

    exact: whether all of the value was looked at, or only where it is not zero.
    seen: the value; or an array of booleans, np.True_ where all are; or, of a sparse matrix,
        (indptr, indices).
    """

    node: Node
    exact: bool
    seen: Any

    def holds(self, value: Any) -> bool:
        """Whether a pattern that rests on this fact is right for another value of the node."""
        if isinstance(self.seen, tuple):
            structure = matrix_structure(value)
            return structure is not None and all(map(np.array_equal, self.seen, structure))
        if self.exact:
            return np.array_equal(self.seen, value)
        return self.seen is np.True_ or not np.any((np.asarray(value) != 0) & ~self.seen)

    def stays(self, value: Any) -> bool:
        """Whether another value of the node would be seen as the same."""
        if self.exact or isinstance(self.seen, tuple):
            return self.holds(value)
        return bool(np.all((np.asarray(value) != 0) == self.seen))


def matrix_structure(operator: Any) -> tuple[Any, Any] | None:
    """(indptr, indices) of the rows of a SciPy sparse matrix; None for other operators."""
    if not lazy.module("scipy.sparse").issparse(operator):
        return None
    rows = lazy.module("scipy.sparse").csr_array(operator)
    return rows.indptr, rows.indices


def computed(nodes: list[Node], values: dict[Node, Any]) -> list[Any]:
    """Values of nodes from those that are there; what is computed on the way is put there."""
    with np.errstate(all="ignore"):
        for node in topological(nodes, stop=values):
            values[node] = node.op.evaluate(node)(*[values[arg] for arg in node.args])
    return [values[node] for node in nodes]


class Knowledge:
    """Values of nodes, looked at where a rule asks.

    values: those of leaves that may be looked at. facts: what was.
    """

    def __init__(self, values: Mapping[Node, Any] | None = None) -> None:
        self._values: dict[Node, Any] = dict(values or {})
        self._can: dict[Node, bool] = dict.fromkeys(self._values, True)
        self._from_values = set(self._values)
        self.facts: dict[Node, Fact] = {}

    def knows(self, node: Node) -> bool:
        """Whether the value of a node can be had."""
        found = self._can.get(node)
        if found is None:
            for one in topological([node], stop=self._can):
                op, args = one.op, one.args
                if args:
                    able = all(self._can[arg] for arg in args)
                    self._can[one] = able and not op.raises and op.name not in _HIDDEN
                    if not self._from_values.isdisjoint(args):
                        self._from_values.add(one)
                else:
                    self._can[one] = op is full or op.name == "iota"
            found = self._can[node]
        return found

    def value(self, node: Node) -> Any:
        """The value of a node, or None where it is not known."""
        if not self.knows(node):
            return None
        (value,) = computed([node], self._values)
        if node in self._from_values:
            fact = self.facts.get(node)
            if fact is None or not fact.exact:
                self.facts[node] = Fact(node, True, np.array(value))
        return value

    def nonzero(self, node: Node) -> Any:
        """Where the value of a node is not zero, or None: it may be nonzero everywhere."""
        if node.op is full:
            return np.zeros(node.shape, np.bool_) if literal(node) == 0 else None
        if not self.knows(node):
            return None
        (value,) = computed([node], self._values)
        mask = np.asarray(value) != 0
        everywhere = bool(mask.all())
        if node in self._from_values and node not in self.facts:
            self.facts[node] = Fact(node, False, np.True_ if everywhere else mask)
        return None if everywhere else mask

    def structure(self, node: Node) -> tuple[Any, Any] | None:
        """(indptr, indices) of a sparse matrix, or None where it is not known."""
        if not isinstance(node.type, OpaqueType) or not self.knows(node):
            return None
        (value,) = computed([node], self._values)
        found = matrix_structure(value)
        if found is not None:
            self.facts[node] = Fact(node, True, tuple(map(np.array, found)))
        return found

    def inside(self, params: Mapping[Node, Node]) -> Knowledge:
        """What is known in a body: parameter -> the node outside that it stands for, where it
        stands for one and the same in each step."""
        return _Inside(self, params)


class _Inside(Knowledge):
    """Looks at the nodes outside that are the same as those of a body."""

    def __init__(self, around: Knowledge, params: Mapping[Node, Node]) -> None:
        super().__init__()
        self._around = around
        self._params = params
        self._can.update((param, around.knows(node)) for param, node in params.items())

    def value(self, node: Node) -> Any:
        return self._around.value(self._outside(node)) if self.knows(node) else None

    def nonzero(self, node: Node) -> Any:
        if node.op is full or not self.knows(node):
            return super().nonzero(node)
        return self._around.nonzero(self._outside(node))

    def structure(self, node: Node) -> tuple[Any, Any] | None:
        return self._around.structure(self._outside(node)) if self.knows(node) else None

    def _outside(self, node: Node) -> Node:
        return substitute([node], self._params)[0]
