"""Loops in place of repeated steps.

A stretch becomes a loop if each argument of its body is one of those of `loops`. Repetitions at
either end for which it is not (they read what was computed before the other loop began) are left
out and run as straight code, or become another loop if they are many: a sweep back through two
loops is two loops. That may take from other loops the repetitions that they read, so all loops are
trimmed again and again until nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from wengert.compiler.scalars.loops import (
    Constant,
    Delayed,
    Element,
    Invariant,
    Local,
    Loop,
    Read,
    Taped,
)
from wengert.compiler.scalars.periods import LEAST_REPETITIONS, LEAST_SAVED, Search, Stretch
from wengert.compiler.scalars.sequence import INPUT, LITERAL, STEP, Flags, Ints, Steps

MOST_CARRIED = 8
"""Values of up to so many repetitions ago are carried in registers, older ones read from memory."""
MOST_WIDENED = 8
LEAST_ALONE = 64
"""Steps that a loop must save of which no other loop reads."""


def rolled(steps: Steps) -> list[Loop]:
    """The loops of a program, in order; what is in none of them is straight code."""
    found = _candidates(steps)
    changed = True
    while changed:
        owner = _owners(steps, found)
        for k, own in enumerate(found):
            found[k] = own.widened(k, found, owner)
        owner = _owners(steps, found)
        pieces = [own.trimmed(found, owner) for own in found]
        changed = any(own not in whole for own, whole in zip(found, pieces, strict=True))
        found = [own for whole in pieces for own in whole]
    owner = _owners(steps, found)
    loops = [own.loop(found, owner) for own in found]
    read = {arg.loop for loop in loops for arg in loop.reads() if isinstance(arg, Taped)}
    kept = [own for k, own in enumerate(found) if k in read or loops[k].saved >= LEAST_ALONE]
    owner = _owners(steps, kept)
    return [own.loop(kept, owner) for own in kept]


def _candidates(steps: Steps) -> list[_Candidate]:
    """The stretches, and between them those that are read by others with a certain slope, which
    says what period they have."""
    search = Search(steps)
    found: list[_Candidate] = []
    new = [_of_stretch(steps, stretch) for stretch in search.between(0, len(steps))]
    while new:
        found = sorted((*found, *new), key=lambda own: own.start)
        owner = _owners(steps, found)
        periods = sorted({slope for own in new for slope in own.slopes_outside(owner)})
        edges = [0, *(edge for own in found for edge in (own.start, own.stop)), len(steps)]
        new = [
            _of_stretch(steps, stretch)
            for first, last in zip(edges[::2], edges[1::2], strict=True)
            if periods
            for stretch in search.between(first, last, periods)
        ]
    return found


def _of_stretch(steps: Steps, stretch: Stretch) -> _Candidate:
    return _Candidate(steps, stretch.start, stretch.period, stretch.length // stretch.period)


def _owners(steps: Steps, found: Sequence[_Candidate]) -> Ints:
    """Which loop each position belongs to, -1 where none."""
    owner = np.full(len(steps), -1)
    for k, own in enumerate(found):
        owner[own.start : own.stop] = k
    return owner


class _Candidate:
    """Repetitions that may become a loop.

    args, slopes: (period, 3), of the first repetition, and from one to the next.
    """

    def __init__(self, steps: Steps, start: int, period: int, count: int) -> None:
        self.steps = steps
        self.start = start
        self.period = period
        self.count = count
        body = slice(start, start + period)
        following = slice(start + period, start + 2 * period)
        self.kind = steps.kind[body]
        self.slopes = steps.arg[following] - steps.arg[body]
        self.element_slopes = steps.element[following] - steps.element[body]

    @property
    def stop(self) -> int:
        """The position after the last repetition."""
        return self.start + self.count * self.period

    def part(self, first: int, last: int) -> _Candidate | None:
        """Repetitions first, …, last − 1, where that is enough."""
        count = last - first
        if count < LEAST_REPETITIONS or (count - 1) * self.period < LEAST_SAVED:
            return None
        return _Candidate(self.steps, self.start + first * self.period, self.period, count)

    def slopes_outside(self, owner: Ints) -> list[int]:
        """How far apart values are that one argument reads, where they belong to no loop."""
        args = self.steps.arg[self.start : self.start + self.period]
        outside = (self.kind == STEP) & (self.slopes != 0)
        outside &= ~self._is_own(args, self.slopes)
        middle = (args + self.count // 2 * self.slopes)[outside]
        return np.unique(np.abs(self.slopes[outside])[owner[middle] < 0]).tolist()

    def _is_own(self, args: Ints, slopes: Ints) -> Flags:
        """Which arguments are values of this loop itself, of this repetition or a former one."""
        last = args + (self.count - 1) * self.period
        return (slopes == self.period) & (last >= self.start)

    def widened(self, number: int, found: Sequence[_Candidate], owner: Ints) -> _Candidate:
        """With several repetitions as one, so that what they read of another loop lies a whole
        number of its repetitions apart. number: its place in `found`."""
        args = self.steps.arg[self.start : self.start + self.period]
        moving = (self.kind == STEP) & (self.slopes != 0)
        middle = (args + self.count // 2 * self.slopes)[moving]
        pairs = {
            (found[k].period, slope)
            for k, slope in zip(owner[middle].tolist(), self.slopes[moving].tolist(), strict=True)
            if k not in (-1, number)
        }
        times = math.lcm(*[period // math.gcd(period, slope) for period, slope in pairs])
        count = self.count // times
        if times == 1 or times > MOST_WIDENED or count < LEAST_REPETITIONS:
            return self
        return _Candidate(self.steps, self.start, self.period * times, count)

    def trimmed(self, found: Sequence[_Candidate], owner: Ints) -> list[_Candidate]:
        """Itself if every argument is read from one loop; else the repetitions for which that is
        so, and what is left before and after them."""
        body = slice(self.start, self.start + self.period)
        is_step = self.kind == STEP
        args, slopes = self.steps.arg[body][is_step], self.slopes[is_step]
        fixed = args[slopes == 0]
        first = max(0, (int(fixed.max(initial=-1)) - self.start) // self.period + 1)
        last = max(first, self.count)
        moving = (slopes != 0) & ~self._is_own(args, slopes)
        for arg, slope in zip(args[moving].tolist(), slopes[moving].tolist(), strict=True):
            first, last = _readable(arg, slope, first, last, found, owner)
        if (first, last) == (0, self.count):
            return [self]
        parts = [self.part(0, min(first, self.count)), self.part(first, last)]
        parts.append(self.part(last, self.count))
        return [own for own in parts if own is not None and own.count < self.count]

    def loop(self, found: list[_Candidate], owner: Ints) -> Loop:
        """The loop, when nothing more is to be trimmed."""
        made = Loop(self.start, self.period, self.count)
        for step in range(self.period):
            args = [self._read(step, j, found, owner) for j in range(3) if self.kind[step, j]]
            made.args.append(tuple(args))
            first = int(self.steps.element[self.start + step])
            made.stored.append((first, int(self.element_slopes[step])))
        return made

    def _read(self, step: int, j: int, found: list[_Candidate], owner: Ints) -> Read:
        position = self.start + step
        arg, slope = int(self.steps.arg[position, j]), int(self.slopes[step, j])
        kind = self.kind[step, j]
        if kind == LITERAL:
            literals = self.steps.arg[position : self.stop : self.period, j].tolist()
            same = len(set(literals)) == 1
            return Constant(tuple(literals[:1] if same else literals))
        if kind == INPUT:
            return Element(int(self.steps.source[position, j]), arg, slope)
        if not slope:
            return Invariant(arg)
        if self._is_own(np.array(arg), np.array(slope)):
            behind, own = divmod(arg - self.start, self.period)
            if behind < -MOST_CARRIED:
                return Taped(int(owner[position]), own, behind, 1)
            return Delayed(own, -behind) if behind else Local(own)
        number = int(owner[arg])
        other = found[number]
        first, own = divmod(arg - other.start, other.period)
        return Taped(number, own, first, slope // other.period)


def _readable(
    arg: int, slope: int, first: int, last: int, found: Sequence[_Candidate], owner: Ints
) -> tuple[int, int]:
    """The repetitions, of those from `first` to `last`, in which an argument is a value of one
    loop, in a repetition affine in that of the reader: the most that are in a row."""
    reads = arg + slope * np.arange(first, last)
    owners = owner[reads]
    edges = np.flatnonzero(np.diff(owners, prepend=-2, append=-2))
    best = (first, first)
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        number = int(owners[low])
        if number >= 0 and slope % found[number].period == 0 and high - low > best[1] - best[0]:
            best = (first + low, first + high)
    return best
