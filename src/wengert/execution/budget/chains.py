"""Chains: programs whose first part is a line of states, which the rest reads in reverse.

A gradient of layers or of steps of time is one. The values that live across the turn of a program
(where most bytes live) are what the first part left for the rest. Looked at alone, the first part
has *cuts*: places that few values cross, the *state* there. Between two cuts lies a step; what it
left for the rest is computed again from the state before it. Which states to keep, and when, is
Revolve's binomial schedule: exact for steps of one size and cost.

Source: Griewank & Walther 2000, *Algorithm 799: Revolve*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from time import perf_counter

from wengert.control.revolving import advances, first_advance
from wengert.execution.budget.problem import Problem, last_uses, peak_of, without_idle

LEAST_STATES = 4
"""States of a chain that must go into what waits at the turn, so that it is worth a look."""
MOST_RUNS = 30
"""A schedule of Revolve's may take so many times the steps of the order at most."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The line of states that was found in an order.

    states: what crosses each cut, beginning with the one before everything, that nothing crosses.
    groups: for each state what of the rest runs while it is there, in the order in which it runs.
    passed: for each state what the program wants of the first part alone, once it is reached.
    state_bytes: what a state takes, at most.
    """

    states: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[int, ...], ...]
    passed: tuple[tuple[int, ...], ...]
    state_bytes: int


def chains(problem: Problem, order: Sequence[int]) -> list[Chain]:
    """The lines of states in an order, of which the finer ones have more states."""
    turn = _turn(problem, order)
    place = {k: p for p, k in enumerate(order)}
    later = [False] * len(problem)
    for k in order[turn + 1 :]:
        for arg in problem.reads[k]:
            later[arg] = True
    left = {k for k in order[: turn + 1] if later[k]}
    if len(left) < 2:
        return []
    first = _ancestors(problem, left)
    members = [k for k in order[: turn + 1] if k in first]
    crossing, states = _sweep(problem, members)
    clean = [c for c, state in enumerate(states) if state and all(k in left for k in state)]
    inner = [c for c in range(len(members) - 1) if crossing[c]]
    found = []
    for cuts in (_narrow(clean, crossing), clean, _narrow(inner, crossing)):
        if len(cuts) > 1 and cuts not in found:
            found.append(cuts)
    lines = [
        _chain(problem, order, turn, left, members, place, [states[c] for c in cuts], cuts)
        for cuts in found
    ]
    waiting = sum(problem.size[k] for k in left)
    return [line for line in lines if LEAST_STATES * line.state_bytes <= waiting]


def _turn(problem: Problem, order: Sequence[int]) -> int:
    """The step after which most bytes live that wait for a reader."""
    until = last_uses(problem, order)
    end = len(order)
    change = [0] * (end + 1)
    for step, k in enumerate(order):
        if step < until[step] < end:  # outputs wait for none
            change[step] += problem.size[k]
            change[until[step]] -= problem.size[k]
    best = waiting = where = 0
    for step in range(end):
        waiting += change[step]
        if waiting > best:
            best, where = waiting, step
    return where


def _ancestors(problem: Problem, roots: set[int]) -> set[int]:
    found = set(roots)
    stack = list(roots)
    while stack:
        for arg in problem.reads[stack.pop()]:
            if arg not in found:
                found.add(arg)
                stack.append(arg)
    return found


def _sweep(problem: Problem, members: Sequence[int]) -> tuple[list[int], list[tuple[int, ...]]]:
    """What the first part alone hands on after each of its members: bytes, and the values."""
    last: dict[int, int] = {}
    for p, k in enumerate(members):
        for arg in problem.reads[k]:
            last[arg] = p
    alive: dict[int, None] = {}
    crossing, states = [], []
    for p, k in enumerate(members):
        for arg in problem.reads[k]:
            if last[arg] == p:
                del alive[arg]
        if last.get(k, p) > p:
            alive[k] = None
        crossing.append(sum(problem.size[v] for v in alive))
        states.append(tuple(alive) if len(alive) <= MOST_OF_A_STATE else ())
    states[-1] = (members[-1],)
    crossing[-1] = problem.size[members[-1]]
    return crossing, states


MOST_OF_A_STATE = 24
"""Values in one state."""


def _narrow(cuts: Sequence[int], crossing: Sequence[int]) -> list[int]:
    """The narrow ones of the cuts: not much above the lower quarter of them."""
    if not cuts:
        return []
    usual = sorted(crossing[c] for c in cuts)[len(cuts) // 4]
    return [c for c in cuts if crossing[c] <= 1.25 * usual]


def _chain(
    problem: Problem,
    order: Sequence[int],
    turn: int,
    left: set[int],
    members: Sequence[int],
    place: dict[int, int],
    crossed: Sequence[tuple[int, ...]],
    cuts: Sequence[int],
) -> Chain:
    """The chain of these cuts."""
    states = [(), *crossed]
    index: dict[int, int] = {}
    at = 0
    for p, k in enumerate(members):
        while at < len(cuts) and cuts[at] < p:
            at += 1
        index[k] = at  # computed from this state; cut number at - 1 lies before it
    for number, state in enumerate(states):
        for k in state:
            index[k] = max(index[k], number)
    groups: list[list[int]] = [[] for _ in states]
    current = len(states) - 1
    for k in order[turn + 1 :]:
        needs = [index[arg] for arg in problem.reads[k] if arg in left]
        if needs:
            current = min(current, *needs)
        groups[current].append(k)
    passed: list[list[int]] = [[] for _ in states]
    where = [place[members[c]] for c in cuts]
    for k in set(problem.outputs):
        if place[k] <= turn:
            passed[sum(p < place[k] for p in where)].append(k)
    sizes = [sum(problem.size[k] for k in state) for state in states]
    return Chain(tuple(states), tuple(map(tuple, groups)), tuple(map(tuple, passed)), max(sizes))


def revolved(
    problem: Problem, order: Sequence[int], chain: Chain, slots: int, until: float = inf
) -> list[int] | None:
    """The schedule that keeps at most so many states at a time, beside the one before everything.

    None where it would run far more steps than the order has, or is not found in time.
    """
    length = len(chain.states)
    slots = min(slots + 1, length)
    steps = MOST_RUNS * len(order)
    if advances(length, slots) * max(1, len(order) // (2 * length)) > steps:
        return None
    return _Revolving(problem, chain, steps).run(slots, until)


class _Revolving:
    """The machine that Revolve's actions move: which values are there, and what has run."""

    __slots__ = ("chain", "held", "live", "most", "problem", "reached", "runs")

    def __init__(self, problem: Problem, chain: Chain, most: int) -> None:
        self.problem, self.chain, self.most = problem, chain, most
        self.live = bytearray(len(problem))
        self.held = [0] * len(problem)
        self.runs: list[int] = []
        self.reached = -1

    def run(self, slots: int, until: float) -> list[int] | None:
        """Reverse the states first, …, last - 1; the first one is there. A span without states
        says that the first one is held no longer."""
        stack = [(0, len(self.chain.states), slots)]
        self.arrive(0)
        while stack and len(self.runs) <= self.most and perf_counter() < until:
            first, last, free = stack.pop()
            if last == first:
                self.hold(first, -1)
            elif last - first == 1:
                self.reverse(first)
            elif free == 1:
                self.hold(first, 1)
                self.advance(first, last - 1)
                self.reverse(last - 1)
                self.hold(first, -1)
                stack.append((first, last - 1, 1))
            else:
                middle = first + first_advance(last - first, free)
                self.hold(first, 1)
                self.advance(first, middle)
                stack.append((first, middle, free))
                stack.append((first, first, 0))
                stack.append((middle, last, free - 1))
        return None if stack else without_idle(self.problem, self.runs)

    def hold(self, state: int, change: int) -> None:
        for k in self.chain.states[state]:
            self.held[k] += change

    def arrive(self, state: int) -> None:
        """Be at a state; the first time, compute what is wanted of the way there."""
        if state > self.reached:
            self.reached = state
            for k in self.chain.passed[state]:
                self.held[k] += 1
                self.make(k)

    def advance(self, first: int, last: int) -> None:
        """Go from one state, which is there, to a later one."""
        for state in range(first + 1, last + 1):
            start = len(self.runs)
            self.hold(state, 1)
            for k in self.chain.states[state]:
                self.make(k)
            self.arrive(state)
            self.hold(state, -1)
            kept = set(self.chain.states[state])
            for k in self.chain.states[state - 1]:
                if not self.held[k] and k not in kept:
                    self.live[k] = 0
            for k in self.runs[start:]:
                if not self.held[k] and k not in kept:
                    self.live[k] = 0

    def reverse(self, state: int) -> None:
        """Run what belongs to a state, which is there, and forget the state."""
        start = len(self.runs)
        for k in self.chain.groups[state]:
            self.held[k] += 1
            for arg in self.problem.reads[k]:
                self.make(arg)
            self.make(k)
        for k in (*self.chain.states[state], *self.runs[start:]):
            if not self.held[k]:
                self.live[k] = 0

    def make(self, target: int) -> None:
        live, reads = self.live, self.problem.reads
        stack = [target]
        while stack:
            k = stack[-1]
            if live[k]:
                stack.pop()
                continue
            missing = [arg for arg in reads[k] if not live[arg]]
            if missing:
                stack.append(min(missing))
            else:
                stack.pop()
                live[k] = 1
                self.runs.append(k)


def best_revolved(
    problem: Problem, order: Sequence[int], chain: Chain, budget: int, until: float = inf
) -> tuple[list[int] | None, list[int] | None]:
    """(the schedule of the most slots within the budget, that of the lowest peak that was seen);
    None where there is none."""
    length = len(chain.states) - 1
    lowest = 1 << 62
    best = least = None
    few, many = 0, length  # `few` slots fit or are none, more than `many` do not
    slots = min(length, max(1, (budget - problem.base) // max(chain.state_bytes, 1)))
    while few < many and perf_counter() < until:
        runs = revolved(problem, order, chain, slots, until)
        if runs is None:
            few = slots  # too few to be of use
            slots = min(many, max(slots + 1, 2 * slots)) if best is None else (few + many + 1) // 2
            continue
        peak = peak_of(problem, runs)
        if peak < lowest:
            lowest, least = peak, runs
        room = (budget - peak) // max(chain.state_bytes, 1)
        if peak <= budget:
            best, few = runs, slots
            slots = min(many, slots + max(1, room))
        else:
            many = slots - 1
            slots = max(few + 1, slots + min(-1, room))
    return best, least
