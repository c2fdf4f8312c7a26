"""What there is to tell about a planned program."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

from wengert.execution.budget.native import NativeBudgeted
from wengert.execution.budget.problem import followed, last_uses
from wengert.execution.budget.program import Interpreted
from wengert.execution.budget.search import smallest

Told: TypeAlias = tuple[str, str, int, int]
"""The operation of a value, its type, its bytes, and how often it is computed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """smallest: the smallest budget found. kept: what waits for a reader where most bytes do.
    repeated: what is computed more than once. live: bytes while each step runs. steps: what each
    step is. native: whether the steps are machine code."""

    smallest: int
    kept: tuple[Told, ...]
    repeated: tuple[Told, ...]
    live: tuple[int, ...]
    steps: tuple[str, ...]
    native: bool


def facts(program: Interpreted | NativeBudgeted) -> Facts:
    """What there is to tell about a planned program."""
    problem, runs = program.problem, program.runs
    labels = program.labels
    times = Counter(runs)

    def told(k: int) -> Told:
        name, node = labels[k]
        return name, str(node.type), problem.size[k], times[k]

    until = last_uses(problem, runs)
    end = len(runs)
    waiting: dict[int, int] = {}
    most: tuple[int, dict[int, int]] = (0, {})
    bytes = 0
    leaving: list[list[int]] = [[] for _ in range(end + 1)]
    for step, k in enumerate(runs):
        for first in leaving[step]:
            bytes -= problem.size[waiting.pop(first)]
        if step + 1 < until[step] < end:
            waiting[step] = k
            leaving[until[step]].append(step)
            bytes += problem.size[k]
        if bytes > most[0]:
            most = bytes, dict(waiting)
    return Facts(
        smallest=min(program.plan.peak, smallest(problem).peak),
        kept=tuple(told(k) for k in most[1].values()),
        repeated=tuple(told(k) for k, count in times.items() if count > 1),
        live=tuple(followed(problem, runs).during),
        steps=tuple(labels[k][0] for k in runs),
        native=isinstance(program, NativeBudgeted),
    )
