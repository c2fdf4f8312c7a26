"""Orders that take little memory with nothing computed twice.

    by_need      each entry just before the first that reads it (depth first from the outputs)
    by_freed     of what can run, first what frees most; ties by need

The second follows Sethi & Ullman 1970 in spirit: it is no optimum (that is NP-hard), but it runs at
once what ends long lives, such as the product of a layer's gradient, which depth first is left for
the end.
"""

from __future__ import annotations

from heapq import heappop, heappush
from random import Random

from wengert.execution.budget.problem import Problem, needed, peak_of


def low_peak_orders(problem: Problem) -> list[list[int]]:
    """Orders to begin with, the one of the lowest peak first."""
    wanted = needed(problem)
    depth = by_need(problem)
    found = [depth, by_freed(problem, depth), [k for k in range(len(problem)) if wanted[k]]]
    peaks = {id(order): peak_of(problem, order) for order in found}
    found.sort(key=lambda order: peaks[id(order)])
    unique: dict[tuple[int, ...], list[int]] = {}
    for order in found:
        unique.setdefault(tuple(order), order)
    return list(unique.values())


def by_need(problem: Problem) -> list[int]:
    """Depth first from the outputs."""
    placed = bytearray(len(problem))
    order: list[int] = []
    for output in problem.outputs:
        stack = [output]
        while stack:
            k = stack[-1]
            if placed[k]:
                stack.pop()
                continue
            missing = [arg for arg in problem.reads[k] if not placed[arg]]
            if missing:
                stack.extend(reversed(missing))
            else:
                stack.pop()
                placed[k] = 1
                order.append(k)
    return order


def by_freed(problem: Problem, depth: list[int], random: Random | None = None) -> list[int]:
    """Of what can run, first what frees most.

    random: draws errors of what each frees, so that other orders are tried.
    """
    size, reads = problem.size, problem.reads
    scale = 0 if random is None else max(size, default=0) * random.random() ** 2
    error = [0] * len(problem) if random is None else [int(scale * random.random()) for _ in reads]
    rank = [0] * len(problem)
    for place, k in enumerate(depth):
        rank[k] = place + 1
    users = [[u for u in users if rank[u]] for users in problem.users]
    left = [len(u) for u in users]
    for k in problem.outputs:
        left[k] += 1
    missing = [len(read) for read in reads]

    def grows(k: int) -> int:
        freed = sum([size[arg] for arg in reads[k] if left[arg] == 1])
        return error[k] + (size[k] - freed if left[k] else -freed)

    ready: list[tuple[int, int, int]] = []
    current: dict[int, int] = {}
    for k in depth:
        if not missing[k]:
            current[k] = grows(k)
            heappush(ready, (current[k], rank[k], k))
    order = []
    while ready:
        growth, _, k = heappop(ready)
        if current.get(k) != growth:
            continue
        del current[k]
        order.append(k)
        for user in users[k]:
            missing[user] -= 1
            if not missing[user]:
                current[user] = grows(user)
                heappush(ready, (current[user], rank[user], user))
        for arg in reads[k]:
            left[arg] -= 1
            if left[arg] == 1:
                for user in users[arg]:
                    if user in current:
                        current[user] = grows(user)
                        heappush(ready, (current[user], rank[user], user))
    return order
