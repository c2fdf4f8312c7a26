"""The plan of a program within a budget: the least repeated work found in the time given.

1. Orders that take little memory: where one fits, nothing is repeated.
2. Chains of states: Revolve's schedules.
3. Greedy eviction along the orders.
4. What there is room to keep is kept; then other weights and orders, drawn at random, for the rest
   of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter

from wengert.execution.budget.chains import best_revolved, chains
from wengert.execution.budget.evict import evicting
from wengert.execution.budget.exact import MOST_ENTRIES, cheapest
from wengert.execution.budget.improve import with_more_kept
from wengert.execution.budget.orders import by_freed, low_peak_orders
from wengert.execution.budget.problem import Problem, peak_of, total, without_idle

ALPHAS = (1.0, 0.5, 0.0, 2.0)
PATIENCE = 2.0
"""Seconds after which a budget is refused that no plan was found for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule: what runs in order, the bytes at its peak, what it costs, and what it would cost
    with nothing repeated."""

    runs: tuple[int, ...]
    peak: int
    cost: float
    least_cost: float

    @property
    def overhead(self) -> float:
        """The repeated work, as a share of the work without a budget."""
        return self.cost / self.least_cost - 1 if self.least_cost else 0.0


@dataclass(frozen=True, slots=True)
class TooSmall(Exception):
    """No schedule within the budget was found; `smallest` is the plan of the lowest peak that was.

    proved: whether there is none.
    """

    smallest: Plan
    proved: bool = False


def seconds_for(problem: Problem) -> float:
    """How long a plan is searched for: about 50 µs an entry, and a second at most."""
    return min(1.0, 0.04 + 1e-4 * max(0, len(problem) - 1_000))


def unbounded(problem: Problem) -> Plan:
    """The plan of the lowest peak with nothing computed twice."""
    return _plan(problem, low_peak_orders(problem)[0])


def planned(
    problem: Problem,
    budget: int,
    seconds: float | None = None,
    patience: float = PATIENCE,
    most_exact: int = MOST_ENTRIES,
) -> Plan:
    """The plan within a budget of bytes with the least work that was found.

    seconds: how long a plan that was found may be bettered. patience: the seconds after which a
    budget is refused that no plan was found for, and as many in which the smallest one is searched
    for then. most_exact: of no more entries than these the best plan is found, however long that
    takes.

    Raises TooSmall where none was found.
    """
    searched = seconds_for(problem) if seconds is None else seconds
    return _Search(problem, budget, searched, patience, most_exact).run()


def smallest(
    problem: Problem,
    seconds: float = 0.2,
    patience: float = PATIENCE,
    most_exact: int = MOST_ENTRIES,
) -> Plan:
    """The plan of the lowest peak that was found, whatever it repeats."""
    try:
        return planned(problem, problem.least() - 1, seconds, patience, most_exact)
    except TooSmall as error:
        return error.smallest


def _plan(problem: Problem, runs: Sequence[int]) -> Plan:
    cost = total(problem, runs)
    least = cost if len(set(runs)) == len(runs) else total(problem, list(set(runs)))
    return Plan(tuple(runs), peak_of(problem, runs), cost, least)


class _Search:
    __slots__ = (
        "best",
        "budget",
        "deadline",
        "lowest",
        "most_exact",
        "orders",
        "patience",
        "problem",
        "started",
    )

    def __init__(
        self,
        problem: Problem,
        budget: int,
        seconds: float,
        patience: float = PATIENCE,
        most_exact: int = MOST_ENTRIES,
    ) -> None:
        self.problem, self.budget = problem, budget
        self.patience, self.most_exact = patience, most_exact
        self.started = perf_counter()
        self.deadline = self.started + seconds
        self.best: tuple[float, list[int]] | None = None
        self.orders = low_peak_orders(problem)
        self.lowest = (peak_of(problem, self.orders[0]), self.orders[0])

    def run(self) -> Plan:
        if self.lowest[0] <= self.budget:
            return _plan(self.problem, self.orders[0])
        if len(self.problem) <= self.most_exact:
            return self.exactly()
        if self.problem.least() <= self.budget:
            self.search()
        if self.best is None:
            self.lower()
            if self.lowest[0] > self.budget:
                raise TooSmall(_plan(self.problem, self.lowest[1]))
        return _plan(self.problem, self.lowest[1] if self.best is None else self.best[1])

    def exactly(self) -> Plan:
        """By a shortest path, where there are few entries."""
        runs = cheapest(self.problem, self.budget)
        if runs is not None:
            return _plan(self.problem, runs)
        low, high = self.problem.least(), self.lowest[0]
        found = self.lowest[1]
        while low < high:
            middle = (low + high) // 2
            runs = cheapest(self.problem, middle)
            if runs is None:
                low = middle + 1
            else:
                found = runs
                high = peak_of(self.problem, runs)
        raise TooSmall(_plan(self.problem, found), proved=True)

    def search(self) -> None:
        problem, budget = self.problem, self.budget
        last = self.started + self.patience
        for order in self.orders[:2]:
            for chain in chains(problem, order):
                if self.best is None or not self.late(0.5):
                    self.offer(best_revolved(problem, order, chain, budget, last)[0])
            for alpha in ALPHAS:
                if self.best is None or not self.late(0.5):
                    until = last if self.best is None else self.deadline
                    self.offer(evicting(problem, order, budget, alpha, until=until))
        self.wander()

    def late(self, share: float = 1.0) -> bool:
        now = perf_counter()
        return now - self.started > share * (self.deadline - self.started)

    def offer(self, runs: list[int] | None) -> None:
        """Take a schedule if it is better than what there is."""
        if runs is None:
            return
        problem, budget = self.problem, self.budget
        runs = without_idle(problem, runs)
        peak = peak_of(problem, runs)
        if peak < self.lowest[0]:
            self.lowest = (peak, runs)
        if peak > budget:
            return
        if self.best is not None and total(problem, runs) > 1.3 * self.best[0]:
            return
        until = self.deadline
        if self.best is None:
            until = max(until, perf_counter() + self.patience / 4)
        runs = with_more_kept(problem, runs, budget, until)
        cost = total(problem, runs)
        if self.best is None or cost < self.best[0]:
            self.best = (cost, runs)

    def wander(self) -> None:
        """Greedy eviction with other weights and orders, for the rest of the time."""
        random = Random(0)
        problem = self.problem
        count = len(problem)
        weights = [1.0] * count
        record = self.best
        while not self.late():
            spread = random.choice((0.2, 0.5, 1.0))
            share = random.choice((1.0, 0.3, 4 / (count + 1)))
            tried = [
                w * random.lognormvariate(0, spread) if random.random() < share else w
                for w in weights
            ]
            order = random.choice(self.orders)
            if self.best is None or random.random() < 0.3:
                order = by_freed(problem, order, random)
            alpha, draws = random.choice(ALPHAS), random.choice((None, random))
            self.offer(evicting(problem, order, self.budget, alpha, tried, draws, self.deadline))
            if self.best is not record:
                record, weights = self.best, tried
                self.orders = [*self.orders[-4:], order]

    def lower(self) -> None:
        """The lowest peak that is found, where nothing fits."""
        problem = self.problem
        self.deadline = perf_counter() + self.patience
        for order in self.orders[:2]:
            for chain in chains(problem, order):
                self.note(best_revolved(problem, order, chain, problem.least(), self.deadline))
        low, high = problem.least(), self.lowest[0]
        while high - low > high // 200 and perf_counter() < self.deadline:
            middle = (low + high) // 2
            if self.fits(middle):
                high = min(middle, self.lowest[0])
            else:
                low = middle

    def note(self, found: tuple[list[int] | None, list[int] | None]) -> None:
        _, runs = found
        if runs is not None and peak_of(self.problem, runs) < self.lowest[0]:
            self.lowest = (peak_of(self.problem, runs), runs)

    def fits(self, budget: int) -> bool:
        before = self.lowest[0]
        for order in self.orders[:2]:
            for alpha in ALPHAS:
                runs = evicting(self.problem, order, budget, alpha, until=self.deadline)
                if runs is not None:
                    runs = without_idle(self.problem, runs)
                    peak = peak_of(self.problem, runs)
                    if peak < self.lowest[0]:
                        self.lowest = (peak, runs)
                    if peak <= budget:
                        if budget <= self.budget:
                            self.offer(runs)
                        return True
        return self.lowest[0] < before and self.lowest[0] <= budget
