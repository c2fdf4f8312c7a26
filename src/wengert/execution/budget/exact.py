"""The cheapest schedule of a small program: a shortest path over what is live.

A state is the set of live values, as bits. From each one an entry whose operands live can run,
where there is room for it beside what is live, after any values have been forgotten. It never
helps to forget before room is needed, so that what is forgotten is just what an entry needs room
for. Dijkstra's algorithm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import count

from wengert.execution.budget.problem import Problem, needed

MOST_ENTRIES = 16


def cheapest(problem: Problem, budget: int) -> list[int] | None:
    """The schedule of least cost within the budget; None where there is none."""
    size, extra, cost, reads = problem.size, problem.extra, problem.cost, problem.reads
    wanted = needed(problem)
    entries = [k for k in range(len(problem)) if wanted[k]]
    masks = {k: sum(1 << arg for arg in reads[k]) for k in entries}
    goal = sum(1 << k for k in set(problem.outputs))
    budget -= problem.base
    if budget < 0:
        return None
    bytes_of: dict[int, int] = {0: 0}

    def weigh(live: int) -> int:
        found = bytes_of.get(live)
        if found is None:
            low = live & -live
            found = bytes_of[live] = weigh(live ^ low) + size[low.bit_length() - 1]
        return found

    best: dict[int, float] = {0: 0.0}
    came: dict[int, tuple[int, int]] = {}
    ticket = count()
    queue: list[tuple[float, int, int]] = [(0.0, next(ticket), 0)]
    while queue:
        spent, _, live = heappop(queue)
        if spent > best[live]:
            continue
        if live & goal == goal:
            runs = []
            while live:
                live, k = came[live]
                runs.append(k)
            return runs[::-1]
        for k in entries:
            if live >> k & 1 or masks[k] & live != masks[k]:
                continue
            room = budget - size[k] - extra[k]
            for kept in _greatest_kept(live, masks[k], room, weigh):
                after = kept | 1 << k
                now = spent + cost[k]
                if now < best.get(after, float("inf")):
                    best[after] = now
                    came[after] = (live, k)
                    heappush(queue, (now, next(ticket), after))
    return None


def _greatest_kept(
    live: int, operands: int, room: int, weigh: Callable[[int], int]
) -> Iterator[int]:
    """The greatest sets of live values, with these operands, that fit into the room."""
    excess = weigh(live) - room
    if excess <= 0:
        yield live
        return
    others = [1 << i for i in range(live.bit_length()) if live & ~operands & 1 << i]
    sizes = [weigh(bit) for bit in others]
    stack = [(0, 0, 0)]  # (the next of the others, what is forgotten, its bytes)
    while stack:
        place, forgotten, freed = stack.pop()
        if freed >= excess:
            spare = freed - excess
            gone = (size for bit, size in zip(others, sizes, strict=True) if forgotten & bit)
            if min(gone) > spare:
                yield live ^ forgotten
        elif place < len(others):
            stack.append((place + 1, forgotten, freed))
            stack.append((place + 1, forgotten | others[place], freed + sizes[place]))
