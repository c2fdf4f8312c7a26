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
from dataclasses import dataclass, replace

from wengert.control.costs import work
from wengert.execution.budget.amounts import in_words
from wengert.execution.budget.problem import last_uses, peak_of, total, without_idle
from wengert.execution.budget.search import Plan, TooSmall, planned, smallest, unbounded
from wengert.execution.budget.sizes import Layouts
from wengert.explaining.residuals import residuals
from wengert.explaining.steps import Steps
from wengert.explaining.sweeps import Sweeps, Task

MOST_MOMENTS = 20_000
"""A schedule of more moments is left out: nobody looks at them all."""
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The budgets, from the smallest possible one (0) to that with which nothing is repeated (1): what
they leave beside the inputs grows by equal factors."""
SECONDS = 0.05
"""How long the planner may look for better schedules of one budget."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a schedule, and what is there while it runs.

    action: "forward" or "recompute", which compute the value of the step; "reverse", which adds to
    the adjoints of its operands.
    held: the names of the values that are there, inputs included. adjoints: the names of the steps
    whose adjoints are. bytes: what all these take.
    """

    action: str
    step: str
    held: tuple[str, ...]
    adjoints: tuple[str, ...]
    bytes: int


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
    """The planner's schedules, the smallest budget first; one that is known where it is better."""
    problem = sweeps.problem
    ways: list[Sequence[int]] = [without_idle(problem, runs) for runs in known]
    free = unbounded(problem)
    ways += [plan.runs for plan in (free, smallest(problem)) if _is_one_sweep(sweeps, plan)]
    least = min(peak_of(problem, runs) for runs in ways)
    shown: Sequence[int] | None = None
    for share in SHARES:
        room = (least - problem.base) ** (1 - share) * (free.peak - problem.base) ** share
        budget = max(least, problem.base + round(room))
        try:
            plan = planned(problem, budget, SECONDS)
        except TooSmall as error:
            plan = error.smallest
        if _is_one_sweep(sweeps, plan):
            ways.append(plan.runs)
        fitting = (runs for runs in ways if peak_of(problem, runs) <= budget)
        runs = min(fitting, key=lambda runs: total(problem, runs))
        if runs is not shown:
            yield _schedule(f"within {in_words(budget)}", sweeps, runs, budget)
        shown = runs


def _is_one_sweep(sweeps: Sweeps, plan: Plan) -> bool:
    """Whether a plan runs each reverse step once."""
    return sum(k >= len(sweeps.values) for k in plan.runs) == len(sweeps.reverse)


def _schedule(
    name: str, sweeps: Sweeps, runs: Sequence[int], budget: int | None = None
) -> Schedule:
    """The moments of a schedule, given as entries of the problem in the order of running."""
    moments = tuple(_moments(sweeps, runs))
    cost = sweeps.problem.cost
    count = len(sweeps.values)
    spent = sum(cost[k] for k in runs if k < count)
    peak = max(moment.bytes for moment in moments)
    return Schedule(name, moments, peak, spent / (sum(cost[:count]) or 1.0), budget)


def _moments(sweeps: Sweeps, runs: Sequence[int]) -> Iterator[Moment]:
    count = len(sweeps.values)
    until = last_uses(sweeps.problem, runs)
    ending: list[list[int]] = [[] for _ in range(len(runs) + 1)]
    live: dict[str, None] = dict.fromkeys(sweeps.given)
    bytes = sweeps.bytes_of(live)
    adjoints: tuple[str, ...] = ()
    of_adjoints = 0
    done: set[int] = set()
    for moment, k in enumerate(runs):
        if k < count:
            task = sweeps.values[k]
            action = "recompute" if k in done else "forward"
            done.add(k)
            live[task.name] = None
            bytes += sweeps.problem.size[k]
            ending[max(until[moment], moment)].append(k)
        else:
            task = sweeps.reverse[k - count]
            action = "reverse"
            adjoints = sweeps.adjoints[k - count]
            of_adjoints = sweeps.bytes_of_adjoints(adjoints)
        held = tuple(name for name in live if sweeps.stands(name, live))
        yield Moment(action, task.name, held, adjoints, bytes + of_adjoints)
        if action == "reverse":
            adjoints = tuple(name for name in adjoints if name != task.name)
            of_adjoints -= task.nbytes
        for ended in ending[moment]:
            del live[sweeps.values[ended].name]
            bytes -= sweeps.problem.size[ended]


# --------------------------------------------------------------------------------- from the steps


def tasks_of(steps: Steps) -> list[Task]:
    """What each step asks of memory, read off its node."""
    pairs = list(zip(steps.nodes, steps, strict=True))
    names = {node: step.name for node, step in pairs}
    active = {node for node, step in pairs if step.adjoint is not None}
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
