"""Waists are minimum vertex cuts of the linearised graph."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.derivatives.marking import mark, output_nodes
from wengert.derivatives.mixed.linearised import Linearised, between, linearised, segment
from wengert.derivatives.mixed.waists import SINK, SOURCE, Network, waists
from wengert.execution.border import entered
from wengert.graph.node import Node


def graph_of(f: Any, *args: Any) -> Linearised:
    with entered([]) as session:
        marked = mark(session, args, tuple(range(len(args))), "a test")
        outputs, _ = output_nodes(f(*marked.args), session, "a test")
        return linearised(outputs, marked.nodes)


def separates(graph: Linearised, cut: Sequence[Node]) -> bool:
    """Whether every way from an input to an output goes through the cut."""
    reached = {node for node in graph.inputs if node not in cut}
    for node in graph.order:
        if node not in cut and any(arg in reached for arg in graph.before[node]):
            reached.add(node)
    return reached.isdisjoint(graph.outputs)


def least_by_trying(graph: Linearised) -> int:
    """The size of a minimum cut, over all sets of nodes."""
    nodes = graph.order
    sets = chain.from_iterable(combinations(nodes, k) for k in range(len(nodes) + 1))
    return min(sum(node.size for node in cut) for cut in sets if separates(graph, cut))


def random_function(seed: int) -> Any:
    """A few arrays of different widths, joined at random."""
    rng = np.random.default_rng(seed)
    widths = [int(rng.integers(3, 7)), int(rng.integers(3, 7))]
    steps = []
    for k in range(2, 6):
        width = int(rng.integers(1, 8))
        count = int(rng.integers(1, 3))
        sources = [int(s) for s in rng.choice(k, size=min(k, count), replace=False)]
        maps = [rng.normal(size=(width, widths[s])) for s in sources]
        steps.append((sources, maps))
        widths.append(width)
    last = [int(k) for k in rng.choice(np.arange(4, 6), size=2, replace=False)]

    def f(x: Any, y: Any) -> Any:
        values = [x, y]
        for sources, maps in steps:
            parts = [m @ values[s] for m, s in zip(maps, sources, strict=True)]
            values.append(parts[0] if len(parts) == 1 else parts[0] + parts[1])
        return [values[k] for k in last]

    return f, np.ones(widths[0]), np.ones(widths[1])


@pytest.mark.parametrize("seed", range(25))
def test_cuts_are_minimal_and_separate(seed: int) -> None:
    f, x, y = random_function(seed)
    graph = graph_of(f, x, y)
    assert len(graph.order) <= 15
    least = least_by_trying(graph)
    found = waists(graph, 1000)
    assert found
    for cut in found:
        assert separates(graph, cut)
        assert sum(node.size for node in cut) == least
    assert waists(graph, least) == []
    assert [set(cut) for cut in waists(graph, least + 1)] == [set(cut) for cut in found]


@pytest.mark.parametrize("seed", range(25))
def test_the_first_lies_before_the_second(seed: int) -> None:
    """What the far cut depends on goes through the near one."""
    f, x, y = random_function(seed)
    graph = graph_of(f, x, y)
    found = waists(graph, 1000)
    if len(found) == 2:
        near, far = found
        part = Linearised(graph.inputs, tuple(far), graph.order, graph.before)
        assert separates(part, near)


class TestPrograms:
    A = np.random.default_rng(0).normal(size=(3, 40))
    B = np.random.default_rng(1).normal(size=(30, 3))

    def test_a_narrow_layer(self) -> None:
        graph = graph_of(lambda x: np.tanh(self.B @ np.tanh(self.A @ np.sin(x))), np.ones(40))
        near, far = waists(graph, 30)
        assert [node.op.name for node in near] == ["contract"]
        assert [node.op.name for node in far] == ["tanh"]
        assert near[0].size == far[0].size == 3

    def test_elementwise_chains_have_none(self) -> None:
        graph = graph_of(lambda x: np.sin(np.exp(x) * x + np.cos(x)), np.ones(40))
        assert waists(graph, 40) == []

    def test_a_path_around_the_narrow_layer_closes_it(self) -> None:
        graph = graph_of(lambda x: self.B.T @ (self.B @ np.tanh(self.A @ x)) + x[:3], np.ones(40))
        (cut,) = waists(graph, 40)
        assert sum(node.size for node in cut) == 3  # the result
        graph = graph_of(lambda x: self.A.T @ np.tanh(self.A @ x) + x, np.ones(40))
        assert waists(graph, 40) == []

    def test_a_part_of_the_input(self) -> None:
        near, *_ = waists(graph_of(lambda x: np.outer(x[2:5], x[2:5]), np.ones(40)), 9)
        assert [node.op.name for node in near] == ["index"]

    def test_two_nodes_together(self) -> None:
        def f(x: Any) -> Any:
            low, high = self.A @ x, np.sum(x**2)
            return self.B @ low * high

        near, *_ = waists(graph_of(f, np.ones(40)), 30)
        assert sum(node.size for node in near) == 4

    def test_what_has_no_derivative_is_no_path(self) -> None:
        def f(x: Any) -> Any:
            return self.B @ np.tanh(self.A @ x) + np.floor(x[:30]) + wg.stop_gradient(x[:30])

        near, *_ = waists(graph_of(f, np.ones(40)), 30)
        assert sum(node.size for node in near) == 3

    def test_a_weight_that_moves_is_a_path(self) -> None:
        graph = graph_of(lambda x: self.B @ np.tanh(self.A @ x) * np.sin(x[:30]), np.ones(40))
        assert waists(graph, 30) == []


def test_flow_goes_around_when_it_must() -> None:
    """The arc in the middle is used by the first path, and given back."""
    network = Network(6)
    a, b, c, d = 2, 3, 4, 5
    for start, end in ((SOURCE, a), (SOURCE, b), (a, c), (a, d), (b, c), (c, SINK), (d, SINK)):
        network.arc(start, end, 1)
    assert network.saturate(100) == 2
    assert network.reached() == {SOURCE}
    assert network.not_reaching() == {SOURCE, a, b, c, d}


def test_segments_count_passes_by_what_they_reach() -> None:
    """Two inputs with outputs of their own: no column of one goes through the other's part."""

    def f(x: Any, y: Any) -> Any:
        return np.cumsum(x), np.cumsum(y)

    both = graph_of(f, np.ones(50), np.ones(70))
    cost = segment(both, both.inputs, both.outputs)
    one, two = (
        segment(graph, graph.inputs, graph.outputs)
        for graph in (graph_of(np.cumsum, np.ones(50)), graph_of(np.cumsum, np.ones(70)))
    )
    assert cost.forward == one.forward + two.forward
    assert cost.reverse == one.reverse + two.reverse


def test_between_leaves_out_what_lies_before() -> None:
    graph = graph_of(lambda x: np.exp(np.sin(np.tanh(x))), np.ones(3))
    x, tanh, sin, exp = graph.order
    assert between(graph, [x], [exp]) == [tanh, sin, exp]
    assert between(graph, [tanh], [exp]) == [sin, exp]
    assert between(graph, [exp], [exp]) == []
