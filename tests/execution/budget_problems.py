"""Abstract problems that the tests of budgets plan, and an oracle for small ones."""

from __future__ import annotations

import heapq
import random

from wengert.execution.budget.problem import Problem


def chain(length: int) -> Problem:
    """A chain x → f1 → … and its reverse, each value of one byte; x is there all the time."""
    reads: list[tuple[int, ...]] = [()]
    for i in range(1, length):
        reads.append((i - 1,))
    for i in range(length, 0, -1):
        last = len(reads) - 1
        reads.append(tuple(sorted({last, i - 2} - {-1})))
    count = len(reads)
    return Problem(tuple(reads), (1,) * count, (1.0,) * count, (0,) * count, (count - 1,), 1)


def layers(count: int, rng: random.Random, skips: float = 0.35) -> Problem:
    """A random network of so many values and its gradient, with sizes and costs at random."""
    made: dict[str, int] = {}
    reads: list[tuple[int, ...]] = []
    size: list[int] = []
    cost: list[float] = []

    def add(name: str, read: list[str], bytes: int, work: float) -> None:
        made[name] = len(reads)
        reads.append(tuple(sorted({made[r] for r in read if r in made})))
        size.append(bytes)
        cost.append(work)

    names, sizes = ["x"], {"x": 1}
    inputs: dict[str, list[str]] = {}
    for i in range(count):
        name = f"f{i}"
        inputs[name] = [names[-1]]
        if rng.random() < skips and len(names) > 2:
            inputs[name].append(rng.choice(names[:-1]))
        sizes[name] = rng.randint(1, 4)
        add(name, inputs[name], sizes[name], rng.randint(1, 5))
        names.append(name)
    for name in reversed(names):
        need = [name] if name == names[-1] else []
        for user in names:
            if name in inputs.get(user, ()):
                need += ["g" + user, *inputs[user]]
        add("g" + name, need, sizes[name], 2)
    total = len(reads)
    return Problem(tuple(reads), tuple(size), tuple(cost), (0,) * total, (total - 1,), 1)


def oracle(problem: Problem, budget: int) -> float | None:
    """The least cost within a budget, by a shortest path over all sets of live values."""
    count, size, cost = len(problem), problem.size, problem.cost
    masks = [sum(1 << arg for arg in read) for read in problem.reads]
    goal = sum(1 << k for k in set(problem.outputs))
    distance = {0: 0.0}
    queue = [(0.0, 0)]
    while queue:
        spent, live = heapq.heappop(queue)
        if spent > distance[live]:
            continue
        if live & goal == goal:
            return spent
        held = problem.base + sum(size[i] for i in range(count) if live >> i & 1)
        for k in range(count):
            step = None
            if live >> k & 1:
                step = (spent, live & ~(1 << k))
            elif masks[k] & live == masks[k] and held + size[k] + problem.extra[k] <= budget:
                step = (spent + cost[k], live | 1 << k)
            if step is not None and step[0] < distance.get(step[1], float("inf")):
                distance[step[1]] = step[0]
                heapq.heappush(queue, step)
    return None
