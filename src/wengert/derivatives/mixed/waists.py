"""Waists: the narrowest sets of nodes through which all dependence on the inputs goes.

A waist is a minimum vertex cut of the linearised graph, the capacity of a node being the number of
its elements. Each node becomes an arc from where it is entered to where it is left; all other arcs
are unlimited; so a minimum cut of the network cuts nodes (node splitting, Menger's theorem). The
maximum flow is found by Dinic's algorithm.

Nodes too wide to belong to a waist of interest have no capacity arc, nor have those of complex
values within a real function: those that the inputs reach through such nodes alone are the source,
and what has one predecessor is what that one is. What is left is small: long chains of wide nodes
vanish.

Of the minimum cuts there is one nearest to the inputs and one nearest to the outputs, and both are
given: all others lie between them. No cut of a part of the graph is narrower than these, since it
would be one of the whole; so nothing is gained by looking for waists of the parts.

Source: Dinic 1970, *Algorithm for solution of a problem of maximum flow in a network with power
estimation*; Picard & Queyranne 1980, on the structure of all minimum cuts.
"""

from __future__ import annotations

from collections.abc import Sequence

from wengert.derivatives.mixed.linearised import Linearised
from wengert.graph.node import Node

SOURCE, SINK = 0, 1


def waists(graph: Linearised, limit: int) -> list[list[Node]]:
    """The minimum vertex cuts of fewer than `limit` elements: none, or that nearest to the inputs
    and, where it is another, that nearest to the outputs."""
    places = _places(graph, limit)
    if places is None:
        return []
    entered, left, vertices = places
    network = Network(vertices)
    for node in graph.order:
        start, end = entered[node], left[node]
        if start != end:
            network.arc(start, end, node.size)
        for arg in graph.before[node]:
            if left[arg] != start and start != SOURCE:
                network.arc(left[arg], start, limit)
    for node in graph.outputs:
        network.arc(left[node], SINK, limit)
    if network.saturate(limit) >= limit:
        return []
    near, far = network.reached(), network.not_reaching()
    found = [
        [node for node in graph.order if entered[node] in side and left[node] not in side]
        for side in (near, far)
    ]
    nonempty = [[node for node in cut if node.size] for cut in found]
    return nonempty[:1] if nonempty[0] == nonempty[1] else nonempty


def _places(graph: Linearised, limit: int) -> tuple[dict[Node, int], dict[Node, int], int] | None:
    """The vertices where each node is entered and left, and how many there are; None where wide
    nodes alone lead from an input to an output."""
    inputs, outputs = set(graph.inputs), set(graph.outputs)
    entered: dict[Node, int] = {}
    left: dict[Node, int] = {}
    count = 2
    for node in graph.order:
        coming = {left[arg] for arg in graph.before[node]}
        if node in inputs or SOURCE in coming:
            start = SOURCE
        elif len(coming) == 1:
            (start,) = coming
        else:
            start, count = count, count + 1
        entered[node] = start
        if graph.has_columns(node) and node.size < limit:
            left[node], count = count, count + 1
        else:
            left[node] = start
            if start == SOURCE and node in outputs:
                return None
    return entered, left, count


class Network:
    """A flow network with residual arcs: arc 2k and its reverse 2k + 1."""

    def __init__(self, vertices: int) -> None:
        self.leaving: list[list[int]] = [[] for _ in range(vertices)]
        self.heads: list[int] = []
        self.room: list[int] = []

    def arc(self, start: int, end: int, capacity: int) -> None:
        """An arc of this capacity."""
        self.leaving[start].append(len(self.heads))
        self.leaving[end].append(len(self.heads) + 1)
        self.heads += (end, start)
        self.room += (capacity, 0)

    def saturate(self, limit: int) -> int:
        """Send a maximum flow from the source to the sink, or `limit` where it is no less."""
        total = 0
        while total < limit:
            levels = self._levels()
            if levels[SINK] < 0:
                break
            total += self._blocking_flow(levels, limit - total)
        return total

    def _levels(self) -> list[int]:
        """How far each vertex is from the source along arcs with room, -1 where it is not."""
        levels = [-1] * len(self.leaving)
        levels[SOURCE] = 0
        queue = [SOURCE]
        for vertex in queue:
            for arc in self.leaving[vertex]:
                head = self.heads[arc]
                if self.room[arc] and levels[head] < 0:
                    levels[head] = levels[vertex] + 1
                    queue.append(head)
        return levels

    def _blocking_flow(self, levels: Sequence[int], wanted: int) -> int:
        """Flow along shortest paths until none is left, or as much as is wanted."""
        following = [0] * len(self.leaving)
        path: list[int] = []
        vertex, sent = SOURCE, 0
        while sent < wanted:
            if vertex == SINK:
                amount = min(wanted - sent, *(self.room[arc] for arc in path))
                for arc in path:
                    self.room[arc] -= amount
                    self.room[arc ^ 1] += amount
                sent += amount
                path, vertex = [], SOURCE
                continue
            arcs = self.leaving[vertex]
            while following[vertex] < len(arcs):
                arc = arcs[following[vertex]]
                if self.room[arc] and levels[self.heads[arc]] == levels[vertex] + 1:
                    path.append(arc)
                    vertex = self.heads[arc]
                    break
                following[vertex] += 1
            else:
                if not path:
                    break
                vertex = self.heads[path.pop() ^ 1]
                following[vertex] += 1
        return sent

    def reached(self) -> set[int]:
        """The vertices that the source reaches along arcs with room."""
        return {vertex for vertex, level in enumerate(self._levels()) if level >= 0}

    def not_reaching(self) -> set[int]:
        """The vertices that do not reach the sink along arcs with room."""
        found = {SINK}
        queue = [SINK]
        for vertex in queue:
            for arc in self.leaving[vertex]:
                tail = self.heads[arc]
                if self.room[arc ^ 1] and tail not in found:
                    found.add(tail)
                    queue.append(tail)
        return set(range(len(self.leaving))) - found
