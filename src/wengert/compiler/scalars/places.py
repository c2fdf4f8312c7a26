"""Where values lie between the functions of a program.

A program is cut into units: pieces of straight code and loops, each a function of its own. What a
unit reads of another lies in memory: a value of straight code, or of the last repetition of a loop,
in a word of its own; a value of any repetition on the *tape* of the loop, which holds for each
repetition the values that are read elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from wengert.compiler.scalars.loops import Delayed, Invariant, Loop, Taped
from wengert.compiler.scalars.memory import words
from wengert.compiler.scalars.sequence import STEP, Ints, Steps
from wengert.graph.types import DType

PIECE = 500
"""Steps of a function of straight code. LLVM's time grows faster than linearly in them."""
ALIGNMENT = 64
Unit: TypeAlias = "range | Loop"


@dataclass(slots=True)
class Tape:
    """What a loop leaves behind: the offset of each of its steps that are read elsewhere, the size
    of a repetition, and how many of them lie before the first one."""

    offsets: dict[int, int] = field(default_factory=dict)
    row: int = 0
    lead: int = 0

    def hold(self, step: int, dtype: DType) -> None:
        """Keep the value of a step of the body."""
        if step not in self.offsets:
            self.offsets[step] = self.row
            self.row += words(dtype)


class Places:
    """The units of a program, in order, and where values cross between them.

    words: position -> offset among the words. starts: offset of the words and of each tape in the
    arena of `size` bytes.
    """

    def __init__(self, steps: Steps, loops: Sequence[Loop]) -> None:
        self.steps = steps
        self.loops = loops
        self.units = _units(len(steps), loops)
        self.words: dict[int, int] = {}
        self.tapes = [Tape() for _ in loops]
        self._width = 0
        self._owner = np.full(len(steps), -1)
        for k, loop in enumerate(loops):
            self._owner[loop.start : loop.stop] = k
        self._cross()
        self.tape_starts: list[int] = []
        self.size = _aligned(self._width)
        for loop, tape in zip(loops, self.tapes, strict=True):
            self.tape_starts.append(self.size)
            self.size += _aligned(tape.row * (tape.lead + loop.count))

    def dtype(self, position: int) -> DType:
        """The dtype of the value of a step."""
        return self.steps.instructions[self.steps.code[position]].dtype

    def on_tape(self, position: int) -> tuple[int, int, int] | None:
        """(loop, step of its body, repetition) of a value that is read from a tape, None where it
        has a word of its own."""
        k = int(self._owner[position])
        if k < 0 or position >= self.loops[k].stop - self.loops[k].period:
            return None
        repetition, step = divmod(position - self.loops[k].start, self.loops[k].period)
        return k, step, repetition

    def _need(self, position: int) -> None:
        """Have a value where other units can read it."""
        taped = self.on_tape(position)
        if taped is not None:
            self.tapes[taped[0]].hold(taped[1], self.dtype(position))
        elif position not in self.words:
            self.words[position] = self._width
            self._width += words(self.dtype(position))

    def _cross(self) -> None:
        unit_of = np.empty(len(self.steps), np.int64)
        straight = np.zeros(len(self.steps), np.bool_)
        for number, unit in enumerate(self.units):
            within = slice(unit.start, unit.stop)
            unit_of[within] = number
            straight[within] = isinstance(unit, range)
        for position in _crossing(self.steps, unit_of, straight).tolist():
            self._need(position)
        for number, loop in enumerate(self.loops):
            for read in loop.reads():
                if isinstance(read, Invariant):
                    self._need(read.position)
                elif isinstance(read, Delayed):
                    for delay in range(1, read.delay + 1):
                        self._need(loop.start + read.step - delay * loop.period)
                elif isinstance(read, Taped):
                    other = self.loops[read.loop]
                    self.tapes[read.loop].hold(read.step, self.dtype(other.start + read.step))
            for read in loop.late(number):
                self.tapes[number].lead = max(self.tapes[number].lead, -read.first)
                for delay in range(1, -read.first + 1):
                    self._need(loop.start + read.step - delay * loop.period)


def _crossing(steps: Steps, unit_of: Ints, straight: Ints) -> Ints:
    """What pieces of straight code read of other units."""
    found = []
    for j in range(3):
        users = np.flatnonzero(straight & (steps.kind[:, j] == STEP))
        read = steps.arg[users, j]
        found.append(read[unit_of[read] != unit_of[users]])
    return np.unique(np.concatenate(found))


def _units(count: int, loops: Sequence[Loop]) -> list[Unit]:
    units: list[Unit] = []
    at = 0
    for loop in loops:
        units += _pieces(at, loop.start)
        units.append(loop)
        at = loop.stop
    return units + _pieces(at, count)


def _pieces(first: int, last: int) -> list[Unit]:
    return [range(k, min(k + PIECE, last)) for k in range(first, last, PIECE)]


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
