"""Parts of a sequence of steps that repeat, each repetition reading a fixed distance further on.

Steps are alike where they do the same with arguments of the same kinds. Candidates for a period are
the distances between equal words of k steps, for k = 4, 16, 64, …, found by sorting hashes of them
(the hash of a word comes from those of its parts; R. M. Karp, R. E. Miller, A. L. Rosenberg 1972).
Short words repeat within a body, long ones only from body to body.

With a period p the steps i, i + p, i + 2p, … are one step of a loop where they are alike and their
arguments affine: x(i + 2p) − x(i + p) = x(i + p) − x(i). The longest stretches where that holds for
all i need no knowledge of where a body begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from wengert.compiler.scalars.sequence import INPUT, STEP, Flags, Ints, Steps

SHORTEST_WORD, GROWTH = 4, 4
DISTANCES = 6
"""How many of the commonest distances between equal words are tried."""
SHORTEST = range(1, 5)
"""The periods that are always tried: words do not show stretches shorter than themselves."""
MOST_MULTIPLES = 8
LEAST_REPETITIONS = 4
LEAST_SAVED = 16
"""Steps that a loop must save."""


class Stretch(NamedTuple):
    """Steps start, …, start + length − 1, which repeat with a period."""

    start: int
    length: int
    period: int

    @property
    def saved(self) -> int:
        """The steps that need not be written."""
        return self.length // self.period * self.period - self.period


class Search:
    """The search for stretches of a program."""

    def __init__(self, steps: Steps) -> None:
        moving = (steps.kind == STEP) | (steps.kind == INPUT)
        self._alike = _signatures(steps)
        self._columns = [*np.where(moving, steps.arg, 0).T, steps.element]

    def between(self, first: int, last: int, periods: Iterable[int] = ()) -> Iterator[Stretch]:
        """The best ones between two positions, none of which overlaps another, and those in the
        gaps that they leave. periods: what to try, if that is known."""
        if last - first < LEAST_SAVED:
            return
        alike = self._alike[first:last]
        columns = [column[first:last] for column in self._columns]
        found: list[Stretch] = []
        for period in periods or _distances(alike):
            found += _affine_multiples(alike, columns, period)
        chosen = sorted(_disjoint(found, last - first))
        at = 0
        for stretch in chosen:
            start, length, period = _shortest(alike, columns, stretch)
            yield Stretch(first + start, length, period)
            yield from self.between(first + at, first + start, periods)
            at = start + length
        if chosen:
            yield from self.between(first + at, last, periods)


def _signatures(steps: Steps) -> Ints:
    """Equal numbers for steps that are alike."""
    signature = steps.code.copy()
    base = len(steps.instructions) + 1
    for j in range(3):
        if base**4 >= 2**63:
            signature = np.unique(signature, return_inverse=True)[1]
        signature = signature * base + steps.source[:, j] + 1
    return signature


def _distances(alike: Ints) -> list[int]:
    """Candidates for periods."""
    found = dict.fromkeys(SHORTEST)
    word = alike.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    length = 1
    while length * (LEAST_REPETITIONS - 1) < len(alike):
        if length >= SHORTEST_WORD:
            order = np.argsort(word, kind="stable")
            ordered = word[order]
            same = ordered[1:] == ordered[:-1]
            distances = (order[1:] - order[:-1])[same]
            if not len(distances):
                break
            values, counts = np.unique(distances, return_counts=True)
            commonest = values[np.argsort(-counts, kind="stable")[:DISTANCES]]
            found.update(dict.fromkeys(commonest.tolist()))
        for _ in range(2 if length >= SHORTEST_WORD else 1):
            if length < len(word):
                head, tail = word[: len(word) - length], word[length:]
                word = head * np.uint64(6364136223846793005) + (tail ^ np.uint64(length))
                length *= 2
    return list(found)


def _affine_multiples(alike: Ints, columns: list[Ints], period: int) -> Iterator[Stretch]:
    """The stretches with this period or small multiples of it, up to one that saves most of what is
    alike at that distance: what is alike may read affinely only at several times the distance."""
    most = 3 * np.count_nonzero(alike[period:] == alike[:-period]) // 4
    for multiple in range(1, MOST_MULTIPLES + 1):
        if period * multiple * LEAST_REPETITIONS > len(alike):
            break
        found = list(_affine(alike, columns, period * multiple))
        yield from found
        if sum(stretch.saved for stretch in found) >= most:
            break


def _affine(alike: Ints, columns: list[Ints], period: int) -> Iterator[Stretch]:
    """The stretches with this period."""
    same = alike[period:] == alike[:-period]
    if _runs(same)[1].max(initial=0) < 2 * period:
        return
    holds = same[:-period] & same[period:]
    for column in columns:
        step = column[period:] - column[:-period]
        holds &= step[period:] == step[:-period]
    starts, lengths = _runs(holds)
    for k in np.flatnonzero(lengths >= period).tolist():
        stretch = Stretch(int(starts[k]), int(lengths[k]) + 2 * period, period)
        if stretch.saved >= LEAST_SAVED:
            yield stretch


def _runs(holds: Flags) -> tuple[Ints, Ints]:
    """The starts and lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(holds.astype(np.int8), prepend=0, append=0))
    return edges[::2], edges[1::2] - edges[::2]


def _disjoint(found: list[Stretch], count: int) -> Iterator[Stretch]:
    """Those that save most; of equal ones those with the shortest period. What overlaps one of
    them is cut."""
    free = np.ones(count, np.bool_)
    for one in sorted(found, key=lambda own: (-own.saved, own.period)):
        starts, lengths = _runs(free[one.start : one.start + one.length])
        if len(lengths):
            k = int(np.argmax(lengths))
            cut = Stretch(one.start + int(starts[k]), int(lengths[k]), one.period)
            if cut.length >= LEAST_REPETITIONS * cut.period and cut.saved >= LEAST_SAVED:
                free[cut.start : cut.start + cut.length] = False
                yield cut


def _shortest(alike: Ints, columns: list[Ints], stretch: Stretch) -> Stretch:
    """The stretch with the shortest period that divides its own."""
    within = slice(stretch.start, stretch.start + stretch.length)
    here, own = alike[within], [column[within] for column in columns]
    for period in range(1, stretch.period // 2 + 1):
        if stretch.period % period == 0:
            for found in _affine(here, own, period):
                if found.length == stretch.length:
                    return Stretch(stretch.start, stretch.length, period)
    return stretch
