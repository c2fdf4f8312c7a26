"""A function and its reverse sweep as a problem of the planner of memory.

The reverse steps run in one order, so that it is known beforehand which adjoints there are at each
of them. All adjoints at one time are one value of the problem, which each reverse step hands on to
the next; its bytes are those of the adjoints.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from wengert.execution.budget.problem import Problem


@dataclass(frozen=True, slots=True)
class Task:
    """What one step asks of memory.

    args: the steps whose values it reads. reads: those whose values its reverse step reads.
    nbytes: what its value takes, and its adjoint. work: of computing the value.
    active: whether it has an adjoint. is_given: whether its value is there from the beginning.
    is_view: whether its value is a view of that of its first operand, and takes nothing itself.
    is_output: whether its value is one of the function's.
    """

    name: str
    args: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    nbytes: int = 8
    work: float = 1.0
    active: bool = True
    is_given: bool = False
    is_view: bool = False
    is_output: bool = False


class Sweeps:
    """The forward and the reverse sweep of some tasks, each of which comes after its operands.

    values: the tasks that compute something; their entries in the problem come first. reverse:
    those that have a reverse step, in the order of the reverse sweep; their entries follow.
    adjoints: the names of those that are there while each reverse step runs.
    """

    __slots__ = ("adjoints", "given", "place", "problem", "reverse", "tasks", "values")

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = {task.name: task for task in tasks}
        self.given = tuple(task.name for task in tasks if task.is_given)
        self.values = [task for task in tasks if not task.is_given]
        self.place = {task.name: k for k, task in enumerate(self.values)}
        self.reverse = [task for task in reversed(self.values) if task.active]
        self.adjoints, left = self._adjoints()
        self.problem = self._problem(left)

    def _adjoints(self) -> tuple[list[tuple[str, ...]], list[int]]:
        """(the adjoints at each reverse step, the bytes of those that are left after it)."""
        alive = {task.name: None for task in self.values if task.is_output and task.active}
        bytes = self.bytes_of_adjoints(alive)
        during, left = [], []
        for task in self.reverse:
            new = [name for name in task.args if self.tasks[name].active and name not in alive]
            alive.update(dict.fromkeys(new))
            during.append(tuple(alive))
            del alive[task.name]
            bytes += self.bytes_of_adjoints(dict.fromkeys(new)) - task.nbytes
            left.append(bytes)
        return during, left

    def _problem(self, left: Sequence[int]) -> Problem:
        count = len(self.values)
        reads = [self._places(task.args) for task in self.values]
        size = [0 if task.is_view else task.nbytes for task in self.values]
        cost = [task.work for task in self.values]
        extra = [0] * count
        once = 1e3 * (1 + sum(cost))  # no adjoint is computed twice
        before = 0
        # the reverse sweep begins when the function has been computed
        first = self._places(task.name for task in self.values if task.is_output)
        for k, task in enumerate(self.reverse):
            first = (count + k - 1,) if k else first
            reads.append(tuple(sorted({*self._places(task.reads), *first})))
            size.append(left[k])
            cost.append(once)
            extra.append(self.bytes_of_adjoints(self.adjoints[k]) - before - left[k])
            before = left[k]
        base = self.bytes_of(self.given)
        outputs = (len(reads) - 1,) if reads else ()
        return Problem(tuple(reads), tuple(size), tuple(cost), tuple(extra), outputs, base)

    def _places(self, names: Iterable[str]) -> tuple[int, ...]:
        """The entries of the computed values among these, and of those that they are views of."""
        found = set()
        for own in names:
            name = own
            while name in self.place:
                found.add(self.place[name])
                if not self.tasks[name].is_view:
                    break
                name = self.tasks[name].args[0]
        return tuple(sorted(found))

    def bytes_of(self, names: Iterable[str]) -> int:
        """What the values of these names take."""
        return sum(self.tasks[name].nbytes for name in names if not self.tasks[name].is_view)

    def bytes_of_adjoints(self, names: Iterable[str]) -> int:
        """What the adjoints of these names take."""
        return sum(self.tasks[name].nbytes for name in names)

    # -------------------------------------------------- schedules: entries in the order of running

    def stored(self) -> list[int]:
        """Each value once."""
        return list(range(len(self.problem)))

    def recomputed(self) -> list[int]:
        """Before each reverse step, what it reads, from the inputs."""
        runs = list(range(len(self.values)))
        for k, task in enumerate(self.reverse):
            runs += self._rests_on(self._places(task.reads), lambda value: True)
            runs.append(len(self.values) + k)
        return runs

    def recomputations(self) -> int:
        """How many values `recomputed` computes again."""
        ancestors: list[int] = []  # as bits, of each value with itself
        for k in range(len(self.values)):
            ancestors.append(_union(ancestors, self.problem.reads[k]) | 1 << k)
        reads = (self._places(task.reads) for task in self.reverse)
        return sum(_union(ancestors, read).bit_count() for read in reads)

    def checkpointed(self) -> list[int]:
        """The values in √n parts. When the reverse sweep comes to a part, it is computed again from
        what crosses into it; the last one is still there."""
        count = len(self.values)
        width = math.isqrt(max(count - 1, 0)) + 1
        crossing = {
            arg
            for k, read in enumerate(self.problem.reads[:count])
            for arg in read
            if arg // width < k // width
        }
        runs = list(range(count))
        steps = enumerate(self.reverse, count)
        for part, group in groupby(steps, lambda step: self.place[step[1].name] // width):
            inside = list(group)
            if part < (count - 1) // width:
                read = self._places(name for _, task in inside for name in task.reads)
                runs += self._rests_on(
                    read, lambda k, part=part: k // width == part and k not in crossing
                )
            runs += [k for k, _ in inside]
        return runs

    def _rests_on(self, read: Iterable[int], is_missing: Callable[[int], bool]) -> list[int]:
        """What is missing of some values and of all that they rest on, in order."""
        found: set[int] = set()
        stack = list(read)
        while stack:
            k = stack.pop()
            if k not in found and is_missing(k):
                found.add(k)
                stack += self.problem.reads[k]
        return sorted(found)


def _union(sets: Sequence[int], places: Iterable[int]) -> int:
    union = 0
    for place in places:
        union |= sets[place]
    return union
