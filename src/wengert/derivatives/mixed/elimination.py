"""Vertex elimination on the graph of a program of numbers.

The vertices are numbers, an edge u → v carries the local partial derivative ∂v/∂u. A vertex v
between inputs and outputs is eliminated by joining what comes before it with what comes after,

    c_uw += c_vw c_uv    for all u → v → w,

at |before(v)| · |after(v)| multiplications, until every edge leads from an input to an output and
is an element of the Jacobian. In the order of the program this is forward mode, in the opposite
order reverse mode, each for the numbers that are not zero; other orders need fewer multiplications.
To find the best is NP-hard (Naumann 2008). Here the vertex of the least product goes first
(Markowitz's degree), and of several the one nearest to the outputs, which takes fewer
multiplications than the one nearest to the inputs on all the standard problems that the tests hold.

Source: Griewank & Reese 1991, *On the calculation of Jacobian matrices by the Markowitz rule*.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Rule = Literal["markowitz", "forward", "reverse"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The graph of a program of numbers.

    before: for each vertex those that it is made from, all of them earlier; none for the inputs.
    outputs: the vertices that are results, which nothing is made from.
    """

    before: tuple[tuple[int, ...], ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One elimination: the vertex, what is before it, and what is after it at that time."""

    vertex: int
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def multiplications(self) -> int:
        """|before| · |after|."""
        return len(self.before) * len(self.after)


def eliminations(graph: Numbers, rule: Rule = "markowitz") -> list[Step]:
    """The steps, in an order."""
    before = [set(near) for near in graph.before]
    after: list[set[int]] = [set() for _ in before]
    for vertex, near in enumerate(before):
        for earlier in near:
            after[earlier].add(vertex)
    steps = []
    for vertex in _in_order(graph, rule, before, after):
        come, go = before[vertex], after[vertex]
        steps.append(Step(vertex, tuple(sorted(come)), tuple(sorted(go))))
        for u in come:
            after[u].discard(vertex)
            after[u] |= go
        for w in go:
            before[w].discard(vertex)
            before[w] |= come
    return steps


def _in_order(
    graph: Numbers, rule: Rule, before: Sequence[set[int]], after: Sequence[set[int]]
) -> Iterator[int]:
    """The vertices to eliminate; the sets are looked at anew after each."""
    kept = set(graph.outputs)
    inner = [v for v, near in enumerate(graph.before) if near and v not in kept]
    if rule != "markowitz":
        yield from inner if rule == "forward" else reversed(inner)
        return
    degree = {v: len(before[v]) * len(after[v]) for v in inner}
    waiting = [(product, -v) for v, product in degree.items()]
    heapq.heapify(waiting)
    while waiting:
        product, v = heapq.heappop(waiting)
        v = -v
        if degree.get(v) != product:
            continue  # it has changed, and stands elsewhere in the heap
        del degree[v]
        near = [*before[v], *after[v]]
        yield v
        for u in near:
            if u in degree:
                changed = len(before[u]) * len(after[u])
                if changed != degree[u]:
                    degree[u] = changed
                    heapq.heappush(waiting, (changed, -u))


def multiplications(graph: Numbers, rule: Rule = "markowitz") -> int:
    """How many multiplications an order takes."""
    return sum(step.multiplications for step in eliminations(graph, rule))
