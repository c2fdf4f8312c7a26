"""Finding sparsity patterns: where a matrix of derivatives may be nonzero, read off the graph.

Guaranteed: a place outside the pattern is zero for all values of the inputs, as long as the values
that were looked at stay what they were (`Detected.holds` says whether they do). Places inside may
be zero too: x − x depends on x, a choice between branches on both, an op without a rule on all of
its inputs. Without `known`, no values are looked at, apart from constants of the program.

Values at kinks count as those beside them: where(x > 0, x, 0) depends on x.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.body import bodies
from wengert.graph.literals import zeros
from wengert.graph.node import Node
from wengert.graph.op import Tangent
from wengert.graph.walk import topological
from wengert.ops.dependence import Columns, Tree
from wengert.ops.holders import custom, pulled
from wengert.ops.knowledge import Fact, Knowledge, computed
from wengert.ops.leaves import item, stop_gradient
from wengert.ops.sparsity import Scope, propagated
from wengert.sparse.pattern import Pattern
from wengert.transforms.simplify import simplify

MOST_PLACES = 2**28
"""A pattern of more places than these is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What was seen of values: of captured arrays, and of other leaves that are `known`.

    local: whether values of the inputs themselves were known.
    """

    facts: tuple[Fact, ...]
    local: bool = False

    def hold(self, known: Mapping[Node, Any]) -> bool:
        """Whether a pattern that rests on them is right for other values of the leaves."""
        return all(fact.holds(value) for fact, value in self._now(known))

    def stay(self, known: Mapping[Node, Any]) -> bool:
        """Whether the same would be seen of other values of the leaves."""
        return all(fact.stays(value) for fact, value in self._now(known))

    def _now(self, known: Mapping[Node, Any]) -> Iterator[tuple[Fact, Any]]:
        """The facts with the values that their nodes have now."""
        if not self.facts:
            return iter(())
        leaves = {node: value for node, value in known.items() if not node.args or self.local}
        values = computed([fact.node for fact in self.facts], leaves)
        return zip(self.facts, values, strict=True)


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """A pattern, where derivatives may be nonzero, and what it rests on."""

    pattern: Pattern
    facts: Facts


class DensePattern(WengertValueError):
    """A pattern has more places than it may have.

    said: the message, without the place.
    facts: what that rests on.
    """

    def __init__(self, said: str, facts: Facts) -> None:
        super().__init__(said)
        self.said = said
        self.facts = facts


def detect(
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    known: Mapping[Node, Any] | None = None,
    most: int = MOST_PLACES,
) -> Detected:
    """The pattern of the derivatives of some arrays by others.

    outputs, inputs: nodes of arrays. Rows are the elements of the outputs, one array after another
        in C order, columns those of the inputs.
    known: values of leaves that may be looked at: of captured arrays, of inputs that derivatives
        are not taken by. With the values of the `inputs` too, the pattern is a local one, which is
        right at this point alone.
    most: how many places it may have; a pattern of more is not written down.

    Raises DensePattern, a WengertValueError, where it has more.
    """
    given_values = dict(known or {})
    is_local = not given_values.keys().isdisjoint(inputs)
    if not is_local:  # what was computed may rest on the inputs
        given_values = {node: value for node, value in given_values.items() if not node.args}
    knowledge = Knowledge(given_values)
    shapes = [node.shape for node in inputs]
    starts = np.cumsum([0, *(math.prod(shape) for shape in shapes)]).tolist()
    columns = Columns(starts[-1])
    given: dict[Node, Tree] = {
        node: columns.input(start, node.shape) for node, start in zip(inputs, starts, strict=False)
    }
    targets = simplify(outputs, given=[*inputs, *_kept(outputs)])
    found = propagated(targets, given, Scope(columns, knowledge))
    facts = Facts(tuple(knowledge.facts.values()), is_local)
    rows = _stacked(columns, found, [node.size for node in targets], most)
    if rows is None:
        raise DensePattern(
            f"the sparsity pattern of {sum(node.size for node in targets)} rows and "
            f"{columns.count} columns has more than {most} places: it is dense. Take the dense "
            "Jacobian, or products with it (jvp, vjp)",
            facts,
        )
    indptr, indices = rows
    pattern = Pattern(
        indptr,
        indices,
        (len(indptr) - 1, columns.count),
        tuple(node.shape for node in outputs),
        tuple(shapes),
    )
    return Detected(pattern, facts)


def _kept(outputs: Sequence[Node]) -> list[Node]:
    """What simplification must leave: what has another derivative than its value tells."""
    return [
        node
        for node in topological(outputs)
        if node.op is stop_gradient or (node.op is item and node.args[0].op in (custom, pulled))
    ]


def _stacked(
    columns: Columns, found: Sequence[Any], sizes: Sequence[int], most: int
) -> tuple[Any, Any] | None:
    """The rows of several arrays, one after another; None where they have more than `most` places,
    which is mostly seen before they are written down."""
    if sum(columns.places(of) for of in found if of is not None) > most:
        return None
    parts = []
    for of, size in zip(found, sizes, strict=True):
        parts.append(columns.csr(of, size))
    total = sum(len(indices) for _, indices in parts)
    if total > most:
        return None
    if len(parts) == 1:
        return parts[0]
    wide = np.dtype(np.int64) if total >= 2**31 else columns.dtype
    ends, shift = [np.zeros(1, wide)], 0
    for indptr, indices in parts:
        ends.append(indptr[1:].astype(wide) + wide.type(shift))
        shift += len(indices)
    none = np.empty(0, columns.dtype)
    return np.concatenate(ends), np.concatenate([none, *(indices for _, indices in parts)])


def detect_hessian(
    gradients: Sequence[Tangent],
    inputs: Sequence[Node],
    known: Mapping[Node, Any] | None = None,
    most: int = MOST_PLACES,
) -> Detected:
    """The pattern of second derivatives, from the gradients by the same inputs (None is a zero):
    P ∩ Pᵀ, as they are symmetric. Arguments and errors as in `detect`."""
    written = [
        zeros(node.type) if one is None else one
        for one, node in zip(gradients, inputs, strict=True)
    ]
    found = detect(written, inputs, known, most)
    return Detected(_symmetric(found.pattern), found.facts)


def commute(nodes: Sequence[Node]) -> bool:
    """Whether second derivatives of these are symmetric for certain: those by rules of the user's
    need not be."""
    return not any(
        node.op in (custom, pulled)
        or not all(commute(body.outputs) for body in bodies(node.params))
        for node in topological(nodes)
    )


def _symmetric(pattern: Pattern) -> Pattern:
    """The places whose transposes are places too."""
    matrix = pattern.matrix()
    turned = matrix.T.tocsr()
    turned.sort_indices()
    if np.array_equal(turned.indptr, matrix.indptr) and np.array_equal(
        turned.indices, matrix.indices
    ):
        return pattern
    both = matrix.multiply(turned).tocsr()
    both.sort_indices()
    return Pattern(both.indptr, both.indices, pattern.shape, pattern.outputs, pattern.inputs)
