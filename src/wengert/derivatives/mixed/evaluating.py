"""The graph of a Jacobian made by a bracket of a chain of segments (see `chain`).

The interfaces between the segments are sets of nodes. The derivative of a segment takes those
before it as independent: a pushforward stops at a node that has a tangent.

Dead branches. Where a Jacobian is made at one go, structural zeros are carried as masks, so that an
infinite slope in a branch not taken meets no zero. A product of two Jacobians has no such masks. So
it is worked out once for each interface which of its elements the inputs move at all (the masks of
its tangents) and which of them reach the outputs (those of its cotangents); what the segments'
Jacobians have for all others are structural zeros.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from wengert.derivatives.derive import basis, forward, once, reverse, seeds
from wengert.derivatives.mixed.chain import Bracket
from wengert.graph.node import Node, deriving
from wengert.graph.op import Tangent
from wengert.ops import linear
from wengert.ops.contraction import contract
from wengert.ops.leaves import seed
from wengert.ops.logic import logical_and
from wengert.ops.movement import broadcast_to, reshape, transpose
from wengert.transforms.batch import batch
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose as pullback

Blocks: TypeAlias = dict[tuple[Node, Node], Node]
"""(output, input) -> their Jacobian as a matrix; those that are zero are left out."""
Lanes: TypeAlias = Mapping[Node, Mapping[Node, Node]]
"""source -> node -> what is pushed or pulled from there, one for each element of the source:
(source.size, *node.shape)."""


@dataclass(frozen=True, slots=True)
class Interface:
    """Nodes that all dependence goes through, and masks of their elements that count."""

    nodes: Sequence[Node]
    masks: Mapping[Node, Node]

    def masked(self, node: Node, values: Node) -> Node:
        """Values at a node for many sources: structural zeros where its elements do not count."""
        mask = self.masks.get(node)
        if mask is None:
            return values
        found: Node = linear.select(broadcast_to(mask, values.shape), values, None)
        return found


def by_bracket(bracket: Bracket, interfaces: Sequence[Sequence[Node]]) -> Blocks:
    """The Jacobian of the last interface by the first one."""
    starts, ends = interfaces[0], interfaces[-1]
    places = [(end, start) for end in ends for start in starts]

    def make() -> list[Tangent]:
        with deriving():
            chain = [
                Interface(nodes, _live(starts, nodes, ends) if 0 < k < len(interfaces) - 1 else {})
                for k, nodes in enumerate(interfaces)
            ]
            made = _made(bracket, chain)
            return [
                linear.convert(made[place], place[0].dtype) if place in made else None
                for place in places
            ]

    key = ("bracket", bracket, *(part for interface in interfaces for part in (None, *interface)))
    blocks = zip(places, once(key, make), strict=True)
    return {place: block for place, block in blocks if block is not None}


def _live(
    inputs: Sequence[Node], inner: Sequence[Node], outputs: Sequence[Node]
) -> dict[Node, Node]:
    """Masks of the elements of an interface that an input moves and that reach an output; nodes
    whose elements all do are left out."""
    moved = forward(inner, inputs, seeds(inputs))
    pulled = reverse(outputs, inner, seeds(outputs))
    found: dict[Node, Node] = {}
    for node, *values in zip(inner, moved, pulled, strict=True):
        for value in values:
            if value is not None and linear.is_masked(value):
                mask = value.args[0]
                found[node] = logical_and(found[node], mask) if node in found else mask
    return found


def _made(bracket: Bracket, chain: Sequence[Interface]) -> Blocks:
    """The Jacobian of the interface after the bracket by that before it."""
    starts, ends = chain[bracket.first], chain[bracket.last + 1]
    early, late = bracket.early, bracket.late
    if bracket.kind == "forward":
        return _pushed(starts, ends, {node: {node: basis(node)} for node in starts.nodes})
    if bracket.kind == "reverse":
        return _pulled(starts, ends, {node: {node: basis(node)} for node in ends.nodes})
    if early is not None and late is not None:
        return _product(_made(late, chain), _made(early, chain))
    lanes: dict[Node, dict[Node, Node]] = {}
    if early is not None:
        for (node, source), block in _made(early, chain).items():
            columns = transpose(block, (1, 0))
            lanes.setdefault(source, {})[node] = reshape(columns, (source.size, *node.shape))
        return _pushed(chain[early.last + 1], ends, lanes)
    assert late is not None
    for (source, node), block in _made(late, chain).items():
        lanes.setdefault(source, {})[node] = reshape(block, (source.size, *node.shape))
    return _pulled(starts, chain[late.first], lanes)


def _pushed(starts: Interface, ends: Interface, lanes: Lanes) -> Blocks:
    """Columns at the starts pushed forward to the ends."""
    blocks: Blocks = {}
    for source, given in lanes.items():
        tangents = {node: seed(node) if node in given else None for node in starts.nodes}
        moved = pushforward(ends.nodes, tangents)
        values = {seed(node): starts.masked(node, value) for node, value in given.items()}
        columns = batch(moved, values, source.size, is_linear=True)
        for end, column in zip(ends.nodes, columns, strict=True):
            if column is not None:
                flat = reshape(ends.masked(end, column), (source.size, end.size))
                blocks[end, source] = transpose(flat, (1, 0))
    return blocks


def _pulled(starts: Interface, ends: Interface, lanes: Lanes) -> Blocks:
    """Rows at the ends pulled back to the starts."""
    tangents = {node: seed(node) for node in starts.nodes}
    moved = dict(zip(ends.nodes, pushforward(ends.nodes, tangents), strict=True))
    blocks: Blocks = {}
    for source, given in lanes.items():
        cotangents = [seed(node) for node in given]
        pulled = pullback([moved[node] for node in given], list(tangents.values()), cotangents)
        values = {seed(node): ends.masked(node, value) for node, value in given.items()}
        rows = batch(pulled, values, source.size, is_linear=True)
        for start, row in zip(starts.nodes, rows, strict=True):
            if row is not None:
                flat = starts.masked(start, row)
                blocks[source, start] = reshape(flat, (source.size, start.size))
    return blocks


def _product(late: Blocks, early: Blocks) -> Blocks:
    """The sums of products of blocks, over the interface between."""
    total: Blocks = {}
    for (end, inner), left in late.items():
        for (middle, start), right in early.items():
            if middle is inner:
                one = contract(left, right, ((1,), (0,)))
                total[end, start] = linear.add(total.get((end, start)), one)
    return total
