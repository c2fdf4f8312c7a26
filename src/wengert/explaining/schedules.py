"""Which values are held at each moment of a gradient: schedules of memory.

    store everything       each value, until the reverse sweep has passed it
    recompute everything   the inputs alone; each reverse step computes what it reads from them
    √n checkpoints         the values that cross the borders of √n parts; a part is computed again
                           when the reverse sweep comes to it
    within … B             the planner of `wengert.execution.budget`, on the same steps

A value is freed when it has been read for the last time before it is computed again. The adjoint of
a step is there from the first reverse step that adds to it until its own has run; those of the
inputs stay. A view of another value takes no memory, and what it is a view of stays as long.

Source: Griewank & Walther 2008, *Evaluating Derivatives*, chapter 12.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

from wengert.control.costs import work
from wengert.execution.budget.amounts import in_words
from wengert.execution.budget.chains import chains, revolved
from wengert.execution.budget.evict import evicting
from wengert.execution.budget.problem import Problem, last_uses, peak_of, total, without_idle
from wengert.execution.budget.search import TooSmall, planned, smallest, unbounded
from wengert.execution.budget.sizes import Layouts
from wengert.explaining.residuals import residuals
from wengert.explaining.steps import Step, Steps
from wengert.explaining.sweeps import Sweeps, Task

MOST_MOMENTS = 20_000
"""A schedule of more moments is left out: nobody looks at them all."""
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The budgets, from the smallest possible one (0) to that with which nothing is repeated (1): what
they leave beside the inputs grows by equal factors."""
SECONDS = 0.05
"""How long the planner may look for better schedules of one budget, at most."""
SECONDS_AN_ENTRY = 2e-4
"""And for each entry of the problem: who looks at a small program waits for its picture."""
MOST_EXACT = 10
"""The most entries of a problem whose best schedules are looked for, however long that takes."""
SMALL = 400
"""The most entries of a problem, values and reverse steps, for which the planner is asked."""
SLOTS = (2, 8, 32)
"""How many states are kept at a time in the schedules of long chains."""
PATIENCE = 0.1
"""Seconds after which a budget is given up for which no schedule was found."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a schedule, and what is there while it runs.

    action: "forward" or "recompute", which compute the value of the step; "reverse", which adds to
    the adjoints of its operands.
    added, dropped: the names of the values that are there and were not at the moment before, and
    the other way round; at the first one, the inputs are new. adjoints: the names of the steps
    whose adjoints are there. bytes: what all these take.
    """

    action: str
    step: str
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    adjoints: tuple[str, ...]
    bytes: int
    _before: Sequence[Moment] = field(repr=False, compare=False)
    _place: int = field(repr=False, compare=False)

    @property
    def held(self) -> tuple[str, ...]:
        """The names of the values that are there, inputs included: what all moments so far have
        added and dropped."""
        there: dict[str, None] = {}
        for moment in (*self._before[: self._place], self):
            for name in moment.dropped:
                del there[name]
            there.update(dict.fromkeys(moment.added))
        return tuple(there)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A way to run a gradient.

    peak_bytes: the most bytes at one moment. work: of computing values, recomputed ones included;
    that of the function alone is 1. budget: the bytes that it was planned for, if any.
    """

    name: str
    moments: tuple[Moment, ...]
    peak_bytes: int
    work: float
    budget: int | None = None


def schedules(steps: Steps) -> tuple[Schedule, ...]:
    """The schedules of the gradient of a function.

    Returns
    -------
    Those that store everything, recompute everything, and keep √n checkpoints; and for some budgets
    of bytes what the planner makes of them, the smallest first. None where nothing rests on an
    input. "recompute everything" is left out where it would have more than 20,000 moments.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> def f(x):
    ...     for _ in range(16):
    ...         x = np.sin(x)
    ...     return x
    >>> for way in schedules(wg.explain(f, 1.0).steps)[:3]:
    ...     print(f"{way.name}: {way.peak_bytes} B, {way.work:.3g} times the work")
    store everything: 152 B, 1 times the work
    recompute everything: 40 B, 8.5 times the work
    √n checkpoints: 80 B, 1.56 times the work
    """
    return schedules_of(tasks_of(steps))


def schedules_of(tasks: Sequence[Task]) -> tuple[Schedule, ...]:
    """The schedules of abstract tasks."""
    sweeps = Sweeps(tasks)
    if not sweeps.reverse:
        return ()
    # on the tape each value waits for its own reverse step, whether that reads it or not
    taped = Sweeps([replace(task, reads=(*task.args, task.name)) for task in tasks])
    plain = {"√n checkpoints": sweeps.checkpointed()}
    if sweeps.recomputations() <= MOST_MOMENTS:
        plain = {"recompute everything": sweeps.recomputed(), **plain}
    return (
        _schedule("store everything", taped, taped.stored()),
        *(_schedule(name, sweeps, runs) for name, runs in plain.items()),
        *_within_budgets(sweeps, list(plain.values())),
    )


def _within_budgets(sweeps: Sweeps, known: Sequence[Sequence[int]]) -> Iterator[Schedule]:
    """The best schedule for each budget, the smallest first: of the planner's, or of those that are
    known."""
    problem = sweeps.problem
    is_small = len(problem) <= SMALL
    ways = [without_idle(problem, runs) for runs in known]
    found = _searched(problem, ways) if is_small else _tried(problem)
    ways += [list(runs) for runs in found if _is_one_sweep(sweeps, runs)]
    ways = [runs for runs in ways if len(runs) <= max(MOST_MOMENTS, len(problem))]
    least = min(peak_of(problem, runs) for runs in ways)
    free = min(peak_of(problem, runs) for runs in ways if len(set(runs)) == len(runs))
    shown: Sequence[int] | None = None
    for share in SHARES:
        room = (least - problem.base) ** (1 - share) * (free - problem.base) ** share
        budget = max(least, problem.base + round(room))
        if is_small:
            runs = _planned(problem, budget)
            ways += [runs] if _is_one_sweep(sweeps, runs) else []
        fitting = (runs for runs in ways if peak_of(problem, runs) <= budget)
        runs = min(fitting, key=lambda runs: total(problem, runs))
        if runs is not shown:
            yield _schedule(f"within {in_words(budget)}", sweeps, runs, budget)
        shown = runs


def _searched(problem: Problem, known: Sequence[Sequence[int]]) -> Iterator[Sequence[int]]:
    """The planner's ends: nothing repeated, and the lowest peak if that is not known."""
    yield unbounded(problem).runs
    if min(peak_of(problem, runs) for runs in known) > problem.least():
        yield smallest(problem, _seconds(problem), PATIENCE, MOST_EXACT).runs


def _planned(problem: Problem, budget: int) -> list[int]:
    try:
        return list(planned(problem, budget, _seconds(problem), PATIENCE, MOST_EXACT).runs)
    except TooSmall as error:
        return list(error.smallest.runs)


def _seconds(problem: Problem) -> float:
    return min(SECONDS, SECONDS_AN_ENTRY * len(problem))


def _tried(problem: Problem) -> Iterator[Sequence[int]]:
    """Schedules of a long program: everything once; then Revolve's for some numbers of states, or,
    where the program is no chain of states, what greedy eviction finds."""
    order = without_idle(problem, range(len(problem)))
    yield order
    chain = next(iter(chains(problem, order)), None)
    if chain is not None and len(chain.states) >= 4 * SLOTS[-1]:
        for slots in SLOTS:
            yield revolved(problem, order, chain, slots) or order
    else:
        most = peak_of(problem, order) - problem.base
        for share in (0.2, 0.5):
            budget = problem.base + round(share * most)
            yield evicting(problem, order, budget, 1.0, until=perf_counter() + PATIENCE) or order


def _is_one_sweep(sweeps: Sweeps, runs: Sequence[int]) -> bool:
    """Whether a schedule runs each reverse step once."""
    return sum(k >= len(sweeps.values) for k in runs) == len(sweeps.reverse)


def _schedule(
    name: str, sweeps: Sweeps, runs: Sequence[int], budget: int | None = None
) -> Schedule:
    """The moments of a schedule, given as entries of the problem in the order of running."""
    moments = _moments(sweeps, runs)
    cost = sweeps.problem.cost
    count = len(sweeps.values)
    spent = sum(cost[k] for k in runs if k < count)
    peak = max(moment.bytes for moment in moments)
    return Schedule(name, moments, peak, spent / (sum(cost[:count]) or 1.0), budget)


def _moments(sweeps: Sweeps, runs: Sequence[int]) -> tuple[Moment, ...]:
    count = len(sweeps.values)
    until = last_uses(sweeps.problem, runs)
    ending: list[list[int]] = [[] for _ in range(len(runs) + 1)]
    live = _Live(sweeps)
    bytes = sweeps.bytes_of(sweeps.given)
    adjoints: tuple[str, ...] = ()
    of_adjoints = 0
    done: set[int] = set()
    found: list[Moment] = []
    for moment, k in enumerate(runs):
        if k < count:
            task = sweeps.values[k]
            action = "recompute" if k in done else "forward"
            done.add(k)
            live.add(task.name)
            bytes += sweeps.problem.size[k]
            ending[max(until[moment], moment)].append(k)
        else:
            task = sweeps.reverse[k - count]
            action = "reverse"
            adjoints = sweeps.adjoints[k - count]
            of_adjoints = sweeps.bytes_of_adjoints(adjoints)
        now = bytes + of_adjoints
        found.append(Moment(action, task.name, *live.changes(), adjoints, now, found, moment))
        if action == "reverse":
            adjoints = tuple(name for name in adjoints if name != task.name)
            of_adjoints -= task.nbytes
        for ended in ending[moment]:
            live.remove(sweeps.values[ended].name)
            bytes -= sweeps.problem.size[ended]
    return tuple(found)


class _Live:
    """The values that are there. A view is, where what it is a view of is too: it costs nothing, so
    that the planner may forget the one and keep the other until it computes the one again."""

    def __init__(self, sweeps: Sweeps) -> None:
        self.tasks = sweeps.tasks
        self.views: dict[str, list[str]] = {}
        for task in sweeps.values:
            if task.is_view:
                self.views.setdefault(task.args[0], []).append(task.name)
        self.kept: set[str] = set()
        self.there: set[str] = set()
        self.before: dict[str, bool] = {}
        """Of what changed since the moment before: whether it was there."""
        for name in sweeps.given:
            self.add(name)

    def add(self, name: str) -> None:
        self.kept.add(name)
        self._look_at(name)

    def remove(self, name: str) -> None:
        self.kept.remove(name)
        self._look_at(name)

    def _look_at(self, changed: str) -> None:
        stack = [changed]
        while stack:
            name = stack.pop()
            task, was = self.tasks[name], name in self.there
            if (name in self.kept and (not task.is_view or task.args[0] in self.there)) == was:
                continue
            self.before.setdefault(name, was)
            self.there ^= {name}
            stack += self.views.get(name, ())

    def changes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is there that was not before, and the other way round."""
        changed = [(name, was) for name, was in self.before.items() if was != (name in self.there)]
        self.before = {}
        added = tuple(name for name, was in changed if not was)
        return added, tuple(name for name, was in changed if was)


# --------------------------------------------------------------------------------- from the steps


def tasks_of(steps: Steps) -> list[Task]:
    """What each step asks of memory, read off its node."""
    pairs = list(zip(steps.nodes, steps, strict=True))
    names = {node: step.name for node, step in pairs}
    active = {node for node, step in pairs if _has_adjoint(step)}
    layouts = Layouts({})
    found = []
    for node, step in pairs:
        layouts.is_plain(node)  # nodes are asked about in order
        computed = step.kind == "operation"
        read = residuals(node, active, names) if computed and node in active else ()
        found.append(
            Task(
                name=step.name,
                args=step.args,
                reads=tuple(names[other] for other in read),
                nbytes=step.nbytes,
                work=work(node) + 1.0,
                active=node in active,
                is_given=not computed,
                is_view=computed and bool(step.args) and layouts.is_view(node),
                is_output=computed and step.seed is not None,
            )
        )
    return found


def _has_adjoint(step: Step) -> bool:
    """Whether a reverse step arrives at it. (The adjoint of what only integers are made of is a
    zero that nobody computes.)"""
    arrives = step.kind == "input" or bool(step.terms) or step.seed is not None
    return step.adjoint is not None and arrives
