"""Fewer repeated steps in a schedule that is there: what there was room to keep is kept.

A value that is forgotten and computed again could have been kept, if there is room for it at every
step in between. Then the second run goes, and with it what was run for nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from math import inf
from time import perf_counter

import numpy as np

from wengert.execution.budget.problem import Problem, followed, without_idle

MOST_AGAIN = 200
"""Refused steps that are tried again at once, after another one has gone."""


def with_more_kept(
    problem: Problem, runs: Sequence[int], budget: int, until: float = inf
) -> list[int]:
    """The schedule without the repeated steps for which there is room to keep the value, as far as
    there is time, by `perf_counter`."""
    runs = without_idle(problem, runs)
    if len(set(runs)) == len(runs):
        return runs
    return _Keeping(problem, runs, budget).done(until)


class _Keeping:
    """A schedule as instances of values, one a step, with the steps that read each."""

    __slots__ = ("before", "budget", "during", "gone", "problem", "read", "readers", "runs")

    def __init__(self, problem: Problem, runs: list[int], budget: int) -> None:
        self.problem, self.runs, self.budget = problem, runs, budget
        self.during = np.array(followed(problem, runs).during, np.int64)
        made = [-1] * len(problem)
        self.before: list[int] = []
        """For each step the step that computed the same before, -1 where it is the first."""
        self.read: list[list[int]] = []
        """For each step the steps whose values it reads."""
        self.readers: list[set[int]] = [set() for _ in runs]
        for step, k in enumerate(runs):
            self.read.append([made[arg] for arg in problem.reads[k]])
            for source in self.read[-1]:
                self.readers[source].add(step)
            self.before.append(made[k])
            made[k] = step
        for k in problem.outputs:
            self.readers[made[k]].add(len(runs))
        self.gone = bytearray(len(runs))

    def done(self, until: float) -> list[int]:
        cost, size = self.problem.cost, self.problem.size
        candidates = []
        for step, first in enumerate(self.before):
            if first >= 0:
                k = self.runs[step]
                span = (step - self.last(first)) * size[k]
                candidates.append((-cost[k] / (span + 1), step))
        heapify(candidates)
        refused: list[tuple[float, int]] = []
        while candidates and perf_counter() < until:
            entry = heappop(candidates)
            if self.gone[entry[1]]:
                continue
            if not self.keep(entry[1]):
                refused.append(entry)
            elif len(refused) < MOST_AGAIN:  # there may be room now
                for other in refused:
                    heappush(candidates, other)
                refused = []
        return [k for step, k in enumerate(self.runs) if not self.gone[step]]

    def last(self, step: int) -> int:
        return max(self.readers[step], default=step)

    def keep(self, step: int) -> bool:
        """Keep the earlier value rather than run this step, where there is room for it."""
        k, first = self.runs[step], self.before[step]
        size, during = self.problem.size[k], self.during
        while first >= 0 and self.gone[first]:
            first = self.before[first]
        if first < 0:
            return False
        start = self.last(first) + 1
        # at this step nothing runs then; what it read may end earlier, which is not counted on
        if start < step and int(during[start:step].max()) + size > self.budget:
            return False
        during[start:step] += size
        during[step] -= self.problem.extra[k]
        self.gone[step] = 1
        for reader in self.readers[step]:
            if reader < len(self.runs):
                self.read[reader] = [first if s == step else s for s in self.read[reader]]
        self.readers[first] |= self.readers[step]
        self.readers[step] = set()
        stack = [(source, step) for source in self.read[step]]
        while stack:
            source, reader = stack.pop()
            end = self.last(source)
            if reader not in self.readers[source]:
                continue
            self.readers[source].discard(reader)
            new_end = self.last(source)
            bytes = self.problem.size[self.runs[source]]
            if self.readers[source]:
                during[new_end + 1 : end + 1] -= bytes
            else:
                during[source : end + 1] -= bytes
                during[source] -= self.problem.extra[self.runs[source]]
                self.gone[source] = 1
                stack.extend((s, source) for s in self.read[source])
        return True
