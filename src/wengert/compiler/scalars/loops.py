"""A repeated body of steps: what each of its arguments is in terms of the repetition.

Repetition r runs the steps start + r period, …, of which the first is step 0 of the body. An
argument that lies s positions further on with each repetition is

    Invariant    s = 0: the same value throughout
    Local        a value of the same repetition
    Delayed      a value of the loop itself, some repetitions ago, carried in registers
    Taped        a value of a loop (of another one, as a rule), at a repetition affine in r
    Element      an element of an input, affine in r
    Constant     a literal, or one a repetition
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Invariant:
    """The value at a position before the loop."""

    position: int


@dataclass(frozen=True, slots=True)
class Local:
    """The value of a step of the same repetition."""

    step: int


@dataclass(frozen=True, slots=True)
class Delayed:
    """The value of a step of the body, `delay` repetitions ago."""

    step: int
    delay: int


@dataclass(frozen=True, slots=True)
class Taped:
    """The value of a step of a loop's body in its repetition first + by r; where the loop is the
    reader's own, a negative one stands for what was there a period before, and so on."""

    loop: int
    step: int
    first: int
    by: int


@dataclass(frozen=True, slots=True)
class Element:
    """Element first + by r of an input; `source` is its instruction."""

    source: int
    first: int
    by: int


@dataclass(frozen=True, slots=True)
class Constant:
    """The literals, by index, of all repetitions; one where it is always the same."""

    literals: tuple[int, ...]


Read: TypeAlias = "Invariant | Local | Delayed | Taped | Element | Constant"


@dataclass(slots=True, eq=False)
class Loop:
    """`count` repetitions of `period` steps.

    args: of each step of the body. stored: (first element, step a repetition) of each step that
    stores.
    """

    start: int
    period: int
    count: int
    args: list[tuple[Read, ...]] = field(default_factory=list)
    stored: list[tuple[int, int]] = field(default_factory=list)

    @property
    def stop(self) -> int:
        """The position after the last repetition."""
        return self.start + self.period * self.count

    @property
    def saved(self) -> int:
        """The steps that need not be written."""
        return self.period * (self.count - 1)

    def late(self, number: int) -> set[Taped]:
        """Values that the loop of this number reads of itself many repetitions later."""
        return {read for read in self.reads() if isinstance(read, Taped) and read.loop == number}

    def reads(self) -> Iterator[Read]:
        """The arguments of all steps of the body."""
        for args in self.args:
            yield from args
