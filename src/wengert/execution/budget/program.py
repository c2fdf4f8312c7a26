"""A schedule as calls of NumPy, and programs that hold to a budget.

A value that is computed again is computed by the same calls on the same values: the results are
those of the interpreter, bit for bit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.errors import MemoryBudgetError
from wengert.execution.budget.amounts import in_words
from wengert.execution.budget.graphs import Graph, graph_of
from wengert.execution.budget.problem import Problem, followed
from wengert.execution.budget.search import Plan, TooSmall, planned
from wengert.execution.interpreter import owned
from wengert.graph.node import Node

MOST_TOLD = 4
"""Kinds of values that an error names."""

Fetch = Callable[[list[Any]], Any]
Call = tuple[Any, tuple[Fetch, ...], int, tuple[int, ...], bool]


class Interpreted:
    """A program like `interpreter.Program`, within a budget of bytes.

    It is planned when it first runs, for arrays that lie in memory as those do that it is given.
    """

    __slots__ = ("_first", "_given", "_plans", "budget", "outputs")

    def __init__(self, outputs: Sequence[Node], given: Sequence[Node], budget: int) -> None:
        self.outputs = tuple(outputs)
        self._given = tuple(given)
        self.budget = budget
        first = graph_of(self.outputs, self._given)
        self._first = Scheduled(first, _plan(first, budget), self.outputs)
        self._plans = {("C",) * len(first.leaves): self._first}

    @property
    def runs(self) -> tuple[int, ...]:
        """The schedule."""
        return self.plan.runs

    @property
    def plan(self) -> Plan:
        """The plan for inputs in C order."""
        return self._first.plan

    @property
    def problem(self) -> Problem:
        """What was planned."""
        return self._first.graph.problem

    @property
    def labels(self) -> list[tuple[str, Node]]:
        """For each entry what it is called, and its node."""
        graph = self._first.graph
        return [
            ("copy" if is_copy else node.op.name, node)
            for node, is_copy in zip(graph.nodes, graph.is_copy, strict=True)
        ]

    @property
    def leaves(self) -> tuple[Node, ...]:
        """The leaves that are read."""
        return self._first.graph.leaves

    def run(self, values: Mapping[Node, Any]) -> list[Any]:
        """The outputs for these values of the leaves, as arrays that the caller owns."""
        layouts = tuple(_layout(values[leaf]) for leaf in self.leaves)
        found = self._plans.get(layouts)
        if found is None:
            by_leaf = dict(zip(self.leaves, layouts, strict=True))
            graph = graph_of(self.outputs, self._given, by_leaf)
            found = Scheduled(graph, _plan(graph, self.budget), self.outputs)
            self._plans[layouts] = found
        return found.run(values)


def _layout(value: Any) -> str:
    """How an array lies in memory: in C order, in Fortran's, or else."""
    if not isinstance(value, np.ndarray):
        return "C"
    flags = value.flags
    return "C" if flags.c_contiguous else "F" if flags.f_contiguous else "S"


def _plan(graph: Graph, budget: int) -> Plan:
    try:
        return planned(graph.problem, budget)
    except TooSmall as error:
        names = [node.op.name for node in graph.nodes]
        raise too_small(budget, error, graph.problem, names, graph.nodes) from None


def too_small(
    budget: int, error: TooSmall, problem: Problem, names: Sequence[str], nodes: Sequence[Node]
) -> MemoryBudgetError:
    """The error that tells the smallest budget that was found, and what lives at its peak."""
    plan = error.smallest
    holding = holders(problem, plan.runs)
    alike = Counter((names[k], str(nodes[k].type), problem.size[k]) for k in holding)
    told = "".join(
        f", {count} × {name} {type}" + (f" of {in_words(size)}" if size else "")
        for (name, type, size), count in list(alike.items())[:MOST_TOLD]
    )
    rest = sum(list(alike.values())[MOST_TOLD:])
    told += f", and {rest} more" if rest else ""
    known = "there is no way" if error.proved else "no way was found"
    return MemoryBudgetError(
        f"{known} to compute this within {in_words(budget)} ({budget} bytes); the smallest budget "
        f"found is {in_words(plan.peak)} ({plan.peak} bytes). At its peak live the inputs "
        f"({in_words(problem.base - problem.reserve)}), what running takes "
        f"({in_words(problem.reserve)}){told}",
        plan.peak,
    )


def holders(problem: Problem, runs: Sequence[int]) -> list[int]:
    """The entries whose values live at the peak of a schedule, the greatest first; the one that
    runs then is among them."""
    course = followed(problem, runs)
    if not runs:
        return []
    top = course.during.index(max(course.during))
    alive: set[int] = set()
    for step, k in enumerate(runs[: top + 1]):
        alive.add(k)
        if step < top:
            alive.difference_update(course.freed[step])
    return sorted(alive, key=lambda k: -problem.size[k])


class Scheduled:
    """The calls of a plan."""

    __slots__ = ("_calls", "_registers", "_results", "graph", "outputs", "plan")

    def __init__(self, graph: Graph, plan: Plan, outputs: Sequence[Node]) -> None:
        self.graph, self.plan, self.outputs = graph, plan, tuple(outputs)
        first = [*graph.leaves, *graph.constants]
        where = {node: k for k, node in enumerate(first)}
        made = [node.op.evaluate(node)() for node in graph.constants]
        self._registers: list[Any] = [None] * len(graph.leaves) + made
        where |= {node: len(first) + k for node, k in graph.place.items()}
        self._registers += [None] * len(graph.nodes)
        offset = len(first)
        fetches = _fetches(graph, where)
        functions = [
            _copied if is_copy else _function(node)
            for node, is_copy in zip(graph.nodes, graph.is_copy, strict=True)
        ]
        course = followed(graph.problem, plan.runs)
        self._calls: list[Call] = []
        seen: set[int] = set()
        for k, freed in zip(plan.runs, course.freed, strict=True):
            node = graph.nodes[k]
            args = (node,) if graph.is_copy[k] else graph.operands[node]
            self._calls.append(
                (
                    functions[k],
                    tuple(fetches[arg] for arg in args),
                    offset + k,
                    tuple(offset + done for done in freed),
                    node.quiet or k in seen,
                )
            )
            seen.add(k)
        self._results = [offset + k for k in graph.problem.outputs]

    def run(self, values: Mapping[Node, Any]) -> list[Any]:
        """The outputs for these values of the leaves."""
        registers = self._registers.copy()
        leaves = self.graph.leaves
        registers[: len(leaves)] = [values[leaf] for leaf in leaves]
        loud = np.geterr()
        with np.errstate():
            silent = False
            for function, fetch, target, freed, quiet in self._calls:
                if quiet != silent:
                    np.seterr(all="ignore") if quiet else np.seterr(**loud)
                    silent = quiet
                registers[target] = function(*[get(registers) for get in fetch])
                for k in freed:
                    registers[k] = None
        return [
            _handed(registers[k], node) for k, node in zip(self._results, self.outputs, strict=True)
        ]


def _handed(value: Any, node: Node) -> Any:
    """A result as the caller gets it."""
    if isinstance(value, np.ndarray) and value.ndim and value.flags.writeable:
        return value
    return owned(value, node, set())


def _copied(value: Any) -> Any:
    return np.array(value) if isinstance(value, np.ndarray) else value


def _function(node: Node) -> Callable[..., Any]:
    """What computes a node, as a value of its own."""
    if not node.args:
        return lambda: node.op.evaluate(node)()
    function = node.op.evaluate(node)
    if isinstance(function, np.ufunc) or function is np.dot:
        return function

    def run(*args: Any) -> Any:
        value = function(*args)
        if isinstance(value, np.ndarray) and value.base is not None:
            owners = {id(_owner(arg)) for arg in args}
            if id(_owner(value)) in owners:
                return np.array(value)
        elif any(value is arg for arg in args):
            return np.array(value)
        return value

    return run


def _owner(value: Any) -> Any:
    while isinstance(value, np.ndarray) and value.base is not None:
        value = value.base
    return value


def _fetches(graph: Graph, where: Mapping[Node, int]) -> dict[Node, Fetch]:
    """For each node what takes its value from the registers: views are made there."""
    found: dict[Node, Fetch] = {}
    for node in sorted(graph.operands, key=lambda node: node.serial):
        if node in where:
            found[node] = _from(where[node])
        else:
            args = graph.operands[node]
            found[node] = _view(node.op.evaluate(node), tuple(found[arg] for arg in args))
    return found


def _from(k: int) -> Fetch:
    return lambda registers: registers[k]


def _view(function: Callable[..., Any], parts: tuple[Fetch, ...]) -> Fetch:
    if len(parts) == 1:
        (part,) = parts
        return lambda registers: function(part(registers))
    return lambda registers: function(*[part(registers) for part in parts])
