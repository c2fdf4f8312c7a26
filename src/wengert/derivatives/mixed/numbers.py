"""Small programs as graphs of numbers, and their Jacobians by vertex elimination.

Every element of every array is a vertex of its own. Ops that move elements (indexing, stacking,
reshaping) make none: they are run on the numbers of the vertices. An elementwise op has its partial
derivatives, arrays that its pushforward makes of ones; a sum has ones, and a product of arrays the
elements of its factors. Programs with other ops between inputs and outputs are left to other modes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from wengert.control.costs import products
from wengert.derivatives.derive import once
from wengert.derivatives.mixed.elimination import Numbers, Step
from wengert.derivatives.mixed.evaluating import Blocks
from wengert.derivatives.mixed.linearised import Linearised
from wengert.graph.literals import full, is_literal, zeros
from wengert.graph.node import Node, deriving
from wengert.graph.op import Tangent, Zero
from wengert.graph.types import array_type
from wengert.ops import linear
from wengert.ops.contraction import contract, free
from wengert.ops.movement import concatenate, index, reshape
from wengert.ops.reductions import sum as total

MOST_VERTICES = 2_000
MOST_ENTRIES = 10_000
"""Elements of a Jacobian, at most."""
MOST_EDGES = 10
"""Edges a vertex, at most."""
MOVING = ("movement", "name")

Vertices: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
"""The vertex of each element of an array, counted from 1; 0 where it depends on no input."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A part of a local partial derivative: an element of an array of them."""

    array: Node
    place: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A program of numbers.

    graph: its vertices. edges: (u, v) -> what ∂v/∂u is the sum of.
    inputs, outputs: for each array its vertices.
    """

    graph: Numbers
    edges: Mapping[tuple[int, int], Sequence[Edge]]
    inputs: Mapping[Node, Vertices]
    outputs: Mapping[Node, Vertices]


def as_numbers(
    graph: Linearised, vertices: int = MOST_VERTICES, entries: int = MOST_ENTRIES
) -> Program | None:
    """The program of numbers, or None where it has ops that are not taken apart, or more vertices
    or elements of the Jacobian than these."""
    count = edges = 0
    for node in graph.order:
        if not graph.has_columns(node):
            return None
        if node.op.family not in MOVING:
            count += node.size
            edges += node.size * len(graph.before[node])
            if node.op is contract:
                edges += 2 * int(products(node))
            elif node.op is total:
                edges += node.args[0].size
            elif graph.before[node] and node.op.family != "elementwise":
                return None
    rows, columns = (sum(node.size for node in ends) for ends in (graph.outputs, graph.inputs))
    if count > vertices or edges > MOST_EDGES * vertices or rows * columns > entries:
        return None
    made = _Making(graph)
    for node in graph.order[len(graph.inputs) :]:
        made.put(node)
    return made.program()


class _Making:
    """The vertices and edges made so far."""

    def __init__(self, graph: Linearised) -> None:
        self.graph = graph
        self.before: list[list[int]] = [[]]  # vertex 0 is no vertex
        self.edges: dict[tuple[int, int], list[Edge]] = {}
        self.vertices: dict[Node, Vertices] = {node: self._new(node.shape) for node in graph.inputs}

    def _new(self, shape: tuple[int, ...]) -> Vertices:
        start = len(self.before)
        size = math.prod(shape)
        self.before.extend([] for _ in range(size))
        return np.arange(start, start + size).reshape(shape)

    def _join(self, u: int, v: int, edge: Edge) -> None:
        if u:
            if (u, v) not in self.edges:
                self.before[v].append(u)
            self.edges.setdefault((u, v), []).append(edge)

    def put(self, node: Node) -> None:
        """Make the vertices of a node."""
        if node.op.family in MOVING:
            parts = [
                self.vertices[arg] if arg in self.vertices else np.zeros(arg.shape, np.int64)
                for arg in node.args
            ]
            self.vertices[node] = np.asarray(node.op.evaluate(node)(*parts))
        elif node.op is contract:
            self._put_contraction(node)
        elif node.op is total:
            self._put_sum(node)
        else:
            self._put_elementwise(node)

    def _put_elementwise(self, node: Node) -> None:
        new = self.vertices[node] = self._new(node.shape)
        rule = node.op.pushforward
        assert not isinstance(rule, Zero)
        for arg in self.graph.before[node]:
            coming = np.broadcast_to(self.vertices[arg], node.shape)
            one = full(1, arg.dtype, arg.shape)
            with deriving() as watch:
                if watch is not None:
                    watch.begin(node, "forward")
                partial = rule(node, [one if a is arg else None for a in node.args])
            if partial is not None:
                for place in np.ndindex(node.shape):
                    self._join(int(coming[place]), int(new[place]), Edge(partial, place))

    def _put_sum(self, node: Node) -> None:
        (arg,) = node.args
        new = self.vertices[node] = self._new(node.shape)
        (axes,) = node.params
        kept = [axis for axis in range(arg.ndim) if axis not in axes]
        one = full(1, node.dtype, ())
        for place in np.ndindex(arg.shape):
            v = int(new[tuple(place[axis] for axis in kept)])
            self._join(int(self.vertices[arg][place]), v, Edge(one, ()))

    def _put_contraction(self, node: Node) -> None:
        a, b = node.args
        (over_a, over_b), (along_a, along_b) = node.params
        free_a, free_b = free(a.shape, over_a, along_a), free(b.shape, over_b, along_b)
        new = self.vertices[node] = self._new(node.shape)
        paired, left = len(along_a), len(along_a) + len(free_a)
        for place in np.ndindex(node.shape):
            for inner in np.ndindex(*(a.shape[axis] for axis in over_a)):
                pairs, v = place[:paired], int(new[place])
                rest_a, rest_b = place[paired:left], place[left:]
                at_a = _placed(a.ndim, (along_a, pairs), (free_a, rest_a), (over_a, inner))
                at_b = _placed(b.ndim, (along_b, pairs), (free_b, rest_b), (over_b, inner))
                if a in self.vertices:
                    self._join(int(self.vertices[a][at_a]), v, Edge(b, at_b))
                if b in self.vertices:
                    self._join(int(self.vertices[b][at_b]), v, Edge(a, at_a))

    def program(self) -> Program:
        """All of it. An element of an output that something is made from, or that is one of an
        input, becomes a vertex of its own."""
        used = {u for near in self.before for u in near}
        used.update(int(v) for node in self.graph.inputs for v in self.vertices[node].ravel())
        ends: dict[int, int] = {0: 0}
        outputs: dict[Node, Vertices] = {}
        for node in self.graph.outputs:
            one = full(1, node.dtype, ())
            for v in map(int, self.vertices[node].ravel()):
                if v not in ends:
                    ends[v] = len(self.before) if v in used else v
                    if v in used:
                        self.before.append([])
                        self._join(v, ends[v], Edge(one, ()))
            mine = [ends[int(v)] for v in self.vertices[node].ravel()]
            outputs[node] = np.array(mine, np.int64).reshape(node.shape)
        graph = Numbers(tuple(map(tuple, self.before)), tuple(v for v in ends.values() if v))
        inputs = {node: self.vertices[node] for node in self.graph.inputs}
        return Program(graph, self.edges, inputs, outputs)


def _placed(rank: int, *parts: tuple[Sequence[int], Sequence[int]]) -> tuple[int, ...]:
    """A place, of which some axes are told by each part."""
    found = [0] * rank
    for axes, values in parts:
        for axis, value in zip(axes, values, strict=True):
            found[axis] = value
    return tuple(found)


def by_elimination(program: Program, steps: Sequence[Step]) -> Blocks:
    """The Jacobian of the outputs by the inputs, as matrices."""
    places = [(end, start) for end in program.outputs for start in program.inputs]

    def make() -> list[Tangent]:
        with deriving():
            edges = _eliminated(program, steps)
            return [
                _matrix(edges, program.outputs[end], program.inputs[start], end)
                for end, start in places
            ]

    blocks = once(("elimination", *program.outputs, None, *program.inputs), make)
    return dict(zip(places, blocks, strict=True))


def _eliminated(program: Program, steps: Sequence[Step]) -> dict[tuple[int, int], Node]:
    """The edges that are left.

    Partial derivatives are multiplied as linear values are, so that what is a structural zero
    stays one beside an infinite slope.
    """
    edges: dict[tuple[int, int], Node] = {}
    for ends, parts in program.edges.items():
        value: Tangent = None
        for part in parts:
            value = linear.add(value, _picked(part))
        edges[ends] = value
    for step in steps:
        v = step.vertex
        for u in step.before:
            for w in step.after:
                product = _times(edges[u, v], edges[v, w])
                edges[u, w] = linear.add(edges.get((u, w)), product)
        for u in step.before:
            del edges[u, v]
        for w in step.after:
            del edges[v, w]
    return edges


def _picked(edge: Edge) -> Node:
    return linear.move(lambda x: index(x, edge.place), edge.array)


def _times(first: Node, second: Node) -> Node:
    """The product of two partial derivatives."""
    if is_literal(first, 1):
        return second
    product: Node = linear.scale(first, second)
    return product


def _matrix(
    edges: Mapping[tuple[int, int], Node], rows: Vertices, columns: Vertices, like: Node
) -> Node:
    """The elements of the Jacobian as one array; what has no edge is zero."""
    parts: list[Node] = []
    empty = 0
    for v in rows.ravel():
        for u in columns.ravel():
            edge = edges.get((int(u), int(v)))
            if edge is None:
                empty += 1
                continue
            if empty:
                parts.append(zeros(array_type((empty,), like.dtype)))
            parts.append(reshape(linear.convert(edge, like.dtype), (1,)))
            empty = 0
    if empty or not parts:
        parts.append(zeros(array_type((empty,), like.dtype)))
    return reshape(concatenate(*parts, axis=0), (rows.size, columns.size))
