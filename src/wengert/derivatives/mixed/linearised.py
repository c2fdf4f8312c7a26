"""The part of a graph that a Jacobian is made from, and the work of one column or row of it.

A node belongs to it where it depends on an input, and an output on it, through derivatives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wengert.control.costs import ELEMENT, elements, products, solution, work
from wengert.derivatives.mixed.chain import Segment
from wengert.graph.node import Node
from wengert.graph.op import Zero
from wengert.graph.types import ArrayType, TapeType, TupleType, Type, is_inexact
from wengert.graph.walk import topological

KERNEL = 1_000
"""The fixed work of one operation of one pass, however small its arrays are."""
FUSED = 1
"""The work of an element of an elementwise tangent: a multiplication in a loop shared by others."""
MOST_SOURCES = 64
"""Nodes of an interface up to which it is worked out which of them each node depends on."""


@dataclass(frozen=True, slots=True)
class Linearised:
    """The nodes through which outputs depend on inputs, inputs of each before it.

    inputs, outputs: those of the function that belong to it, each once.
    order: all nodes, the inputs first.
    before: for each node those that its tangent is made from.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    order: tuple[Node, ...]
    before: Mapping[Node, tuple[Node, ...]]

    def has_columns(self, node: Node) -> bool:
        """Whether derivatives by a node are a matrix over the numbers of the inputs. Those of a
        real function by complex values on the way are none: they are linear in real and imaginary
        parts."""
        return isinstance(node.type, ArrayType) and all(
            node.dtype.kind == start.dtype.kind for start in self.inputs
        )


def linearised(outputs: Sequence[Node], inputs: Sequence[Node]) -> Linearised:
    """The linearised graph between inputs and outputs."""
    roots = [node for node in dict.fromkeys(inputs) if is_inexact(node.dtype)]
    moving = set(roots)
    walked = topological(outputs, set(inputs), min((n.serial for n in inputs), default=0))
    before: dict[Node, tuple[Node, ...]] = {}
    for node in walked:
        if moving.isdisjoint(node.args) or isinstance(node.op.pushforward, Zero):
            continue
        if _carries(node.type):
            moving.add(node)
            before[node] = tuple(dict.fromkeys(arg for arg in node.args if arg in moving))
    ends = tuple(node for node in dict.fromkeys(outputs) if node in moving)
    useful = set(ends)
    for node in reversed(walked):
        if node in useful:
            useful.update(before[node])
    starts = [node for node in roots if node in useful]
    inner = [node for node in walked if node in useful]
    return Linearised(
        tuple(starts),
        ends,
        (*starts, *inner),
        {**dict.fromkeys(starts, ()), **{node: before[node] for node in inner}},
    )


def _carries(type: Type) -> bool:
    """Whether values of a type have tangents."""
    if isinstance(type, TupleType):
        return any(map(_carries, type.items))
    return is_inexact(type.step.dtype if isinstance(type, TapeType) else type.dtype)


def between(graph: Linearised, starts: Iterable[Node], ends: Iterable[Node]) -> list[Node]:
    """The nodes that the ends are made from, as far as the starts; these and those before them are
    left out."""
    stop = set(starts)
    wanted = {node for node in ends if node not in stop}
    for node in reversed(graph.order):
        if node in wanted:
            wanted.update(arg for arg in graph.before[node] if arg not in stop)
    return [node for node in graph.order if node in wanted]


# --------------------------------------------------------------------------------- work


def tangent_work(node: Node, moving: Sequence[Node]) -> float:
    """The work of the tangent of a node, once its weights are there."""
    family = node.op.family
    size = elements(node.type)
    if family == "elementwise":
        return float(FUSED * size * len(moving))
    if family == "contraction":
        return len(moving) * (products(node) + ELEMENT * size) + ELEMENT * _size(moving)
    if family in ("movement", "indexing"):
        return 2.0 * ELEMENT * size if work(node) else 0.0
    if family in ("linear solve", "linear system"):
        return solution(node)
    return work(node)


def adjoint_work(node: Node, moving: Sequence[Node]) -> float:
    """The work of passing the cotangent of a node on to what it is made from."""
    family, op = node.op.family, node.op.name
    size = elements(node.type)
    if op == "broadcast_to":
        return float(ELEMENT * (size + _size(moving)))
    if family in ("movement", "indexing"):
        return float(ELEMENT * (size + _size(moving))) if work(node) else 0.0
    if op == "sum":
        return float(ELEMENT * size)
    return tangent_work(node, moving)


def _size(nodes: Sequence[Node]) -> int:
    return sum(elements(node.type) for node in nodes)


def segment(graph: Linearised, starts: Sequence[Node], ends: Sequence[Node]) -> Segment:
    """What the Jacobian of some nodes by others costs.

    Each start has a pass of its own, of as many columns as it has elements, through the nodes that
    depend on it; each end a pass of as many rows, through the nodes that it depends on.
    """
    inner = between(graph, starts, ends)
    tangent = {node: tangent_work(node, graph.before[node]) for node in inner}
    adjoint = {node: adjoint_work(node, graph.before[node]) for node in inner}
    after: dict[Node, list[Node]] = {}
    for node in inner:
        for arg in graph.before[node]:
            after.setdefault(arg, []).append(node)
    return Segment(
        columns=_size(starts),
        rows=_size(ends),
        tangent=sum(tangent.values()) + KERNEL * len(inner) / max(1, _size(starts)),
        adjoint=sum(adjoint.values()) + KERNEL * len(inner) / max(1, _size(ends)),
        forward=_passes(inner, tangent, starts, graph.before),
        reverse=_passes(inner[::-1], adjoint, ends, after, backward=True),
    )


def _passes(
    inner: Sequence[Node],
    cost: Mapping[Node, float],
    sources: Sequence[Node],
    reached_from: Mapping[Node, Sequence[Node]],
    backward: bool = False,
) -> float:
    """The work of one pass a source, each through the nodes that it reaches.

    backward: whether the passes begin at the nodes themselves, and not at what they are made from.

    What comes from the unit vectors of a source through elementwise operations alone is a diagonal
    matrix: one column of work. A product of it with another matrix scales that one.
    """
    if len(sources) > MOST_SOURCES:
        return sum(cost.values()) * _size(sources) + KERNEL * len(inner) * len(sources)
    bits = {node: 1 << k for k, node in enumerate(sources)}
    reach = dict(bits)
    diagonal = set() if backward else set(sources)
    widths: dict[int, tuple[int, int]] = {}
    total = 0.0
    for node in inner:
        nearby = [near for near in reached_from.get(node, ()) if near in reach]
        mask = bits.get(node, 0) if backward else 0
        plain = all(near in diagonal for near in nearby) and not (mask and nearby)
        for near in nearby:
            mask |= reach[near]
        reach[node] = mask
        if mask not in widths:
            chosen = [source for k, source in enumerate(sources) if mask >> k & 1]
            widths[mask] = _size(chosen), len(chosen)
        columns, passes = widths[mask]
        total += KERNEL * passes
        if plain and passes == 1 and node.op.family == "elementwise" and node.size == columns:
            diagonal.add(node)
            total += cost[node]
        elif plain and passes == 1 and node.op.family == "contraction":
            total += ELEMENT * columns * elements(node.type)
        else:
            total += cost[node] * columns
    return total
