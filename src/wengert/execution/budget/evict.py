"""What to forget and compute again: greedily, with the next use of every value known.

Entries are taken in a given order. Where room is missing, the value goes that has the smallest

    cost of computing it again, with what is forgotten of what it rests on
    ----------------------------------------------------------------------
               size · (distance of its next use) ^ alpha

The operands of what is to run stay while the others of them are collected: they would push each
other out for ever. Work is capped.

Source: Belady 1966 for the known next use; Kirisame et al. 2021, *Dynamic Tensor
Rematerialization*, for the quotient, which is used there without the future.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from math import inf
from random import Random
from time import perf_counter

from wengert.execution.budget.problem import Problem

MOST_ANCESTORS = 40
"""Forgotten ancestors that are looked at to know what a value costs."""
MOST_WORK = 30
"""A schedule may take so many times the steps of the order at most."""


def evicting(
    problem: Problem,
    order: Sequence[int],
    budget: int,
    alpha: float,
    weight: Sequence[float] | None = None,
    random: Random | None = None,
    until: float = inf,
) -> list[int] | None:
    """A schedule within the budget, None where this way finds none.

    weight: factors on the costs, which a search may try; by default 1.
    random: draws which operand is collected next (by default the oldest), and which operands may
        be pushed out while others are collected (by default none).
    until: when to give up, by `perf_counter`.
    """
    found = _Evicting(problem, order, budget - problem.base, alpha, weight)
    found.until = until
    found.random = random
    return found.run()


class _Evicting:
    """One pass along an order."""

    __slots__ = (
        "alpha", "budget", "cost", "end", "heap", "live", "memory", "now", "order", "pins",
        "problem", "pushed", "random", "runs", "until", "uses",
    )  # fmt: skip

    def __init__(
        self,
        problem: Problem,
        order: Sequence[int],
        budget: int,
        alpha: float,
        weight: Sequence[float] | None,
    ) -> None:
        count = len(problem)
        self.problem, self.order, self.budget, self.alpha = problem, order, budget, alpha
        cost = [c + 1e-3 for c in problem.cost]
        self.cost = cost if weight is None else [c * w for c, w in zip(cost, weight, strict=True)]
        self.live = bytearray(count)
        self.pins = [0] * count
        self.uses: list[list[int]] = [[] for _ in range(count)]
        for place, k in enumerate(order):
            for arg in problem.reads[k]:
                self.uses[arg].append(place)
        self.end = len(order)
        for k in set(problem.outputs):
            self.uses[k].append(self.end)
        self.memory = 0
        self.now = 0
        self.random: Random | None = None
        self.until = inf
        self.runs: list[int] = []
        self.heap: list[tuple[float, int]] | None = None
        self.pushed = [0.0] * count

    def run(self) -> list[int] | None:
        for place, k in enumerate(self.order):
            self.now = place
            if not self.uses[k] or self.live[k]:
                continue
            if not self.make(k):
                return None
        self.now = self.end
        outputs = list(dict.fromkeys(self.problem.outputs))
        for k in outputs:
            self.pins[k] += 1
        return self.runs if all(map(self.make, outputs)) else None

    def next_use(self, k: int) -> int:
        """The place in the order of its next reader, -1 where there is none."""
        uses = self.uses[k]
        place = bisect_right(uses, self.now)
        if place < len(uses):
            return uses[place]
        return self.end if uses and uses[-1] == self.end else -1

    def make(self, target: int) -> bool:
        """Compute an entry, with what it needs."""
        live, pins, reads = self.live, self.pins, self.problem.reads
        size, extra = self.problem.size, self.problem.extra
        most = MOST_WORK * len(self.order) + 100
        stack = [target]
        waiting: dict[int, Sequence[int]] = {}
        random = self.random
        while stack:
            k = stack[-1]
            if live[k]:
                stack.pop()
                continue
            if k not in waiting:
                waiting[k] = reads[k]
                if random is not None:
                    waiting[k] = [a for a in reads[k] if not live[a] or random.random() < 0.7]
                for arg in waiting[k]:
                    pins[arg] += 1
            missing = [arg for arg in reads[k] if not live[arg]]
            if missing:
                stack.append(min(missing) if random is None else random.choice(missing))
                if len(stack) > most:
                    return False
                continue
            stack.pop()
            for arg in reads[k]:
                pins[arg] += 1
            if not self.room(size[k] + extra[k]) or len(self.runs) > most:
                return False
            for arg in (*reads[k], *waiting.pop(k)):
                pins[arg] -= 1
            if not len(self.runs) % 512 and perf_counter() > self.until:
                return False
            live[k] = 1
            self.memory += size[k]
            self.runs.append(k)
            if self.heap is not None:
                self.push(k)
            for arg in reads[k]:
                if not pins[arg] and self.next_use(arg) < 0:
                    live[arg] = 0
                    self.memory -= size[arg]
                elif self.heap is not None:
                    self.push(arg)
        return True

    def again(self, k: int) -> float:
        """What it costs to compute an entry again, with what is forgotten of what it rests on."""
        live, reads, cost = self.live, self.problem.reads, self.cost
        found = cost[k]
        stack = [arg for arg in reads[k] if not live[arg]]
        if stack:
            seen = set(stack)
            while stack and len(seen) < MOST_ANCESTORS:
                v = stack.pop()
                found += cost[v]
                for arg in reads[v]:
                    if not live[arg] and arg not in seen:
                        seen.add(arg)
                        stack.append(arg)
        return found

    def score(self, k: int) -> float:
        after = self.next_use(k)
        if after < 0:
            return -1.0
        found = self.again(k) / self.problem.size[k]
        return found / float(max(after - self.now, 1)) ** self.alpha if self.alpha else found

    def push(self, k: int) -> None:
        if self.problem.size[k]:
            assert self.heap is not None
            score = self.pushed[k] = self.score(k)
            heappush(self.heap, (score, k))

    def room(self, need: int) -> bool:
        """Make room for so many bytes."""
        if self.memory + need <= self.budget:
            return True
        size, live, pins = self.problem.size, self.live, self.pins
        if self.heap is None:
            self.heap = []
            for k in dict.fromkeys(self.runs):
                if live[k]:
                    self.push(k)
            heapify(self.heap)
        heap, pinned = self.heap, []
        while self.memory + need > self.budget and heap:
            score, k = heappop(heap)
            if not live[k] or score != self.pushed[k]:
                continue
            if pins[k]:
                pinned.append((score, k))
                continue
            fresh = self.score(k)
            if heap and fresh > heap[0][0] and fresh > score:
                self.pushed[k] = fresh
                heappush(heap, (fresh, k))
                continue
            live[k] = 0
            self.memory -= size[k]
        for entry in pinned:
            heappush(heap, entry)
        return self.memory + need <= self.budget
