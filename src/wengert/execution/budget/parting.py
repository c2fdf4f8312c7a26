"""A program in two parts, between which values are kept: the pullback of `vjp`.

Both parts hold to the budget, with what is kept between them. The kept values are those that live
where the plan of both parts together turns to the second one; less of them is kept, by a plan for a
smaller budget, where that does not do, since what is kept stays while the second part runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from wengert.errors import MemoryBudgetError
from wengert.execution.budget.graphs import Graph, graph_of
from wengert.execution.budget.program import Interpreted
from wengert.execution.budget.search import TooSmall, planned
from wengert.graph.node import Node
from wengert.graph.walk import dependents

SHARES = (1.0, 0.8, 0.6, 0.45, 0.3, 0.2, 0.1)
"""Budgets of the plans that say what is kept, as shares of the budget without the inputs."""


def parted(
    outputs: Sequence[Node], results: Sequence[Node], seeds: Sequence[Node], budget: int
) -> tuple[list[Node], list[Node]]:
    """(the results as nodes of what is kept, the inputs and the seeds; what is kept).

    outputs: what the first part gives. results: what the second gives, which gets the seeds.

    Raises MemoryBudgetError where no way is found.
    """
    graph = graph_of([*outputs, *results])
    found = list(graph.outputs[len(outputs) :])
    leaves = [leaf for leaf in graph.leaves if leaf not in seeds]
    problem = graph.problem
    error: MemoryBudgetError | None = None
    for share in SHARES:
        room = problem.base + int(share * (budget - problem.base))
        try:
            runs = planned(problem, room).runs
        except TooSmall:
            break
        kept = _at_the_turn(graph, runs, seeds)
        error = _misfit(outputs, found, leaves, kept, seeds, budget)
        if error is None:
            return found, [*leaves, *kept]
    error = _misfit(outputs, found, leaves, [], seeds, budget)
    if error is not None:
        raise error
    return found, leaves


def _at_the_turn(graph: Graph, runs: Sequence[int], seeds: Sequence[Node]) -> list[Node]:
    """What has been computed before the first step that rests on a seed, and is read after it
    before it is computed again."""
    second = dependents(sorted(graph.operands, key=lambda node: node.serial), seeds)
    turn = next((s for s, k in enumerate(runs) if graph.nodes[k] in second), len(runs))
    there = set(runs[:turn])
    kept: dict[Node, None] = {}
    for k in runs[turn:]:
        kept.update((graph.nodes[arg], None) for arg in graph.problem.reads[k] if arg in there)
        there.discard(k)
    return list(kept)


def _misfit(
    outputs: Sequence[Node],
    results: Sequence[Node],
    leaves: Sequence[Node],
    kept: Sequence[Node],
    seeds: Sequence[Node],
    budget: int,
) -> MemoryBudgetError | None:
    """Why the two parts do not hold to the budget; None where they do."""
    try:
        Interpreted([*outputs, *kept], (), budget)
        Interpreted(results, [*seeds, *leaves, *kept], budget)
    except MemoryBudgetError as error:
        return error
    return None
