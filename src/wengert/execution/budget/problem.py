"""What is planned, without anything of nodes or arrays: entries that read entries.

A schedule is the list of the entries in the order in which they run; an entry that stands in it
twice is computed twice. When values are freed need not be said: each as soon as it has been read
for the last time before it is computed again, and an output never.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Problem:
    """What a program computes, in an order in which it can be computed.

    reads: for each entry the entries that it reads, each once, all of them before it.
    size: bytes of what each entry gives. extra: bytes that it takes beside while it runs.
    cost: what it costs to run it. outputs: what must be there at the end.
    base: bytes that are there all the time: the inputs. reserve: those of them that are no arrays'
    but what running takes.
    users: who reads each entry.
    """

    reads: tuple[tuple[int, ...], ...]
    size: tuple[int, ...]
    cost: tuple[float, ...]
    extra: tuple[int, ...]
    outputs: tuple[int, ...]
    base: int = 0
    reserve: int = 0
    users: tuple[tuple[int, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        users: list[list[int]] = [[] for _ in self.reads]
        for k, read in enumerate(self.reads):
            for arg in read:
                users[arg].append(k)
        object.__setattr__(self, "users", tuple(map(tuple, users)))

    def __len__(self) -> int:
        return len(self.reads)

    def least(self) -> int:
        """Bytes without which no schedule does: those of the greatest single step, and of the
        outputs."""
        sizes = self.size
        steps = (
            sizes[k] + self.extra[k] + sum(sizes[arg] for arg in read)
            for k, read in enumerate(self.reads)
        )
        together = sum(sizes[k] for k in set(self.outputs))
        return self.base + max(max(steps, default=0), together)


@dataclass(frozen=True, slots=True)
class Trajectory:
    """What a schedule takes: bytes while each step runs, and the entries whose values end after it.

    peak: the greatest of the bytes. cost: of all steps.
    """

    during: list[int]
    freed: list[tuple[int, ...]]
    peak: int
    cost: float


def last_uses(problem: Problem, runs: Sequence[int]) -> list[int]:
    """For each step of a schedule the last step that reads its value; -1 where none does."""
    until = [-1] * len(runs)
    made = [-1] * len(problem)
    reads = problem.reads
    for step, k in enumerate(runs):
        for arg in reads[k]:
            until[made[arg]] = step
        made[k] = step
    for k in problem.outputs:
        until[made[k]] = len(runs)
    return until


def followed(problem: Problem, runs: Sequence[int]) -> Trajectory:
    """The exact course of a schedule. What nobody reads is freed when it has been computed."""
    until = last_uses(problem, runs)
    ending: list[list[int]] = [[] for _ in range(len(runs) + 1)]
    for step, k in enumerate(runs):
        ending[max(until[step], step)].append(k)
    size, extra = problem.size, problem.extra
    live = peak = problem.base
    during = []
    for step, k in enumerate(runs):
        live += size[k]
        now = live + extra[k]
        during.append(now)
        if now > peak:
            peak = now
        for done in ending[step]:
            live -= size[done]
    return Trajectory(during, list(map(tuple, ending[:-1])), peak, total(problem, runs))


def peak_of(problem: Problem, runs: Sequence[int]) -> int:
    """The greatest number of bytes that a schedule takes at one time."""
    until = last_uses(problem, runs)
    size, extra = problem.size, problem.extra
    ending = [0] * (len(runs) + 1)
    for step, k in enumerate(runs):
        last = until[step]
        ending[last if last > step else step] += size[k]
    live = peak = problem.base
    for step, k in enumerate(runs):
        live += size[k]
        now = live + extra[k]
        if now > peak:
            peak = now
        live -= ending[step]
    return peak


def total(problem: Problem, runs: Sequence[int]) -> float:
    """What a schedule costs."""
    cost = problem.cost
    return sum(cost[k] for k in runs)


def needed(problem: Problem) -> list[bool]:
    """Which entries the outputs rest on."""
    found = [False] * len(problem)
    for k in problem.outputs:
        found[k] = True
    for k in range(len(problem) - 1, -1, -1):
        if found[k]:
            for arg in problem.reads[k]:
                found[arg] = True
    return found


def recorded_peak(problem: Problem) -> int:
    """The peak in the order of the entries, with nothing computed twice."""
    wanted = needed(problem)
    return peak_of(problem, [k for k in range(len(problem)) if wanted[k]])


def without_idle(problem: Problem, runs: Sequence[int]) -> list[int]:
    """A schedule without the steps whose values nobody reads."""
    reads = problem.reads
    wanted = [False] * len(problem)
    for k in problem.outputs:
        wanted[k] = True
    kept = []
    for k in reversed(runs):
        if wanted[k]:
            wanted[k] = False
            kept.append(k)
            for arg in reads[k]:
                wanted[arg] = True
    kept.reverse()
    return kept
