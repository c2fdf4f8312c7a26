"""The problem of a graph that runs as calls of NumPy.

Entries are nodes whose values are arrays of their own. Views are none: they are made anew where
they are read, and what they are views of stays meanwhile. A result that would be a view, an input
or another result is a copy, which is an entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wengert.control.merging import merged
from wengert.execution.budget.orders import by_need
from wengert.execution.budget.problem import Problem, peak_of
from wengert.execution.budget.sizes import (
    CALL,
    OBJECT,
    RESERVE,
    Layouts,
    bytes_of,
    cost_of,
    held,
    provide_body_peak,
    temporaries,
)
from wengert.execution.interpreter import operands
from wengert.graph.body import Body
from wengert.graph.node import Node
from wengert.ops.leaves import LEAVES

SMALL = 1024
"""Bytes of a constant that is made once."""


@dataclass(frozen=True, slots=True)
class Graph:
    """The problem of some outputs, and what its entries are.

    outputs: the nodes of the outputs, which may be others than were given, of the same values.
    nodes: for each entry its node. is_copy: whether it is a copy of its value, for a result.
    operands: the operands of nodes, views included. views: the nodes that are views.
    leaves: what has values already. constants: what is made once.
    """

    problem: Problem
    outputs: tuple[Node, ...]
    nodes: tuple[Node, ...]
    is_copy: tuple[bool, ...]
    operands: Mapping[Node, tuple[Node, ...]]
    views: frozenset[Node]
    leaves: tuple[Node, ...]
    constants: tuple[Node, ...]
    place: Mapping[Node, int]


def graph_of(
    outputs: Sequence[Node], given: Sequence[Node] = (), layouts: Mapping[Node, str] | None = None
) -> Graph:
    """The problem of outputs.

    given: nodes whose values the caller has, beside the leaves.
    layouts: how the values of leaves lie in memory: C, F, or else S; by default in C order.
    """
    fixed = set(given)
    outputs = merged(outputs, given)
    found = _operands(outputs, fixed)
    order = sorted(found, key=lambda node: node.serial)
    leaves = tuple(node for node in order if node in fixed or node.op in LEAVES)
    known = Layouts({leaf: (layouts or {}).get(leaf, "C") for leaf in leaves})
    rest = dict.fromkeys(leaves)
    constants = tuple(
        node
        for node in order
        if node not in rest and not node.args and bytes_of(node.type) <= SMALL
    )
    rest.update(dict.fromkeys(constants))
    views = set()
    bases: dict[Node, tuple[int, ...]] = dict.fromkeys(rest, ())
    nodes: list[Node] = []
    is_copy: list[bool] = []
    reads: list[tuple[int, ...]] = []
    size: list[int] = []
    cost: list[float] = []
    extra: list[int] = []
    place: dict[Node, int] = {}
    for node in order:
        known.is_plain(node)
        if node in rest:
            continue
        read = tuple(dict.fromkeys(k for arg in found[node] for k in bases[arg]))
        if known.is_view(node):
            views.add(node)
            bases[node] = read
            continue
        place[node] = len(nodes)
        bases[node] = (place[node],)
        nodes.append(node)
        is_copy.append(False)
        reads.append(read)
        size.append(held(node.type))
        cost.append(cost_of(node))
        extra.append(temporaries(node, known))
    results: list[int] = []
    for node in outputs:
        own = place.get(node)
        if own is not None and own not in results:
            results.append(own)
            continue
        results.append(len(nodes))
        nodes.append(node)
        is_copy.append(True)
        reads.append(bases[node])
        size.append(held(node.type))
        cost.append(CALL + bytes_of(node.type))
        extra.append(0)
    base = sum(bytes_of(node.type) for node in (*leaves, *constants)) + OBJECT * len(constants)
    reserve = RESERVE + 64 * len(order)
    problem = Problem(
        tuple(reads),
        tuple(size),
        tuple(cost),
        tuple(extra),
        tuple(results),
        base + reserve,
        reserve,
    )
    return Graph(
        problem,
        tuple(outputs),
        tuple(nodes),
        tuple(is_copy),
        found,
        frozenset(views),
        leaves,
        constants,
        place,
    )


def _operands(outputs: Sequence[Node], given: set[Node]) -> dict[Node, tuple[Node, ...]]:
    found: dict[Node, tuple[Node, ...]] = {}
    stack = list(outputs)
    while stack:
        node = stack.pop()
        if node not in found:
            found[node] = () if node in given or node.op in LEAVES else operands(node, given)
            stack.extend(found[node])
    return found


def _body_peak(body: Body) -> int:
    problem = graph_of(body.outputs, body.params).problem
    orders = (range(len(problem)), by_need(problem))
    return max(peak_of(problem, order) for order in orders) - problem.base


provide_body_peak(_body_peak)
