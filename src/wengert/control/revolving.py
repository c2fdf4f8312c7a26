"""Checkpoints of chains: which states of a chain of equal steps to keep, so that its reverse is
computed within a bounded memory with the fewest repeated steps.

A chain of `length` steps is reversed from the last step to the first, and the reverse of a step
needs the state that the step began with. There are `slots` places for states, one of which holds
the first state. With β(s, r) = C(s + r, s), a chain of at most β(s, r) steps needs no step to be
advanced more than r times, and

    t(l, s) = r l − C(s + r, r − 1),   r = min {r : β(s, r) ≥ l}

advances are the fewest that do: steps that hand a state on, beside the one run of each step within
its own reverse.

Source: Griewank & Walther 2000, *Algorithm 799: Revolve*, theorem 6.1; 2008, chapter 12.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import comb
from typing import TypeAlias

from wengert.errors import WengertValueError


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Keep the state that a step begins with, which is the one at hand, in a slot."""

    step: int
    slot: int


@dataclass(frozen=True, slots=True)
class Restore:
    """Take the state that a step begins with from a slot."""

    step: int
    slot: int


@dataclass(frozen=True, slots=True)
class Advance:
    """Run the steps first, …, last − 1 on the state at hand, and keep nothing of them."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Reverse:
    """Run a step on the state at hand with all that its reverse needs, and then its reverse."""

    step: int


Action: TypeAlias = Snapshot | Restore | Advance | Reverse


def reach(slots: int, times: int) -> int:
    """The longest chain that is reversed with so many slots, if no step is advanced more often."""
    return comb(slots + times, slots)


def repetition(length: int, slots: int) -> int:
    """How often a step of a chain is advanced at most."""
    _check(length, slots)
    least, most = 0, 1
    while reach(slots, most) < length:
        least, most = most, 2 * most
    return least + bisect_left(range(least, most), length, key=partial(reach, slots))


def advances(length: int, slots: int) -> int:
    """The fewest advances with which a chain is reversed.

    >>> advances(10, 3), advances(1000, 10), advances(5, 5)
    (15, 3636, 4)
    """
    times = repetition(length, slots)
    return times * length - (comb(slots + times, times - 1) if times else 0)


def first_advance(length: int, slots: int) -> int:
    """How many steps to advance from the first state to the one that is kept next, in a chain of
    more than one step with more than one slot.

    The rest of the chain has one slot less; then the advanced steps have all slots again. With the
    repetition r, both reach their ends where the steps advanced are between β(s, r − 2) and
    β(s, r − 1), and those that are left between β(s − 1, r − 1) and β(s − 1, r).
    """
    times = repetition(length, slots)
    least = max(1, length - reach(slots - 1, times))
    return max(least, reach(slots, times - 2) if times > 1 else 1)


def schedule(length: int, slots: int) -> Iterator[Action]:
    """The actions that reverse a chain whose first state is at hand, with the fewest advances.

    >>> list(schedule(2, 1))  # doctest: +NORMALIZE_WHITESPACE
    [Snapshot(step=0, slot=0), Advance(first=0, last=1), Reverse(step=1),
     Restore(step=0, slot=0), Reverse(step=0)]
    """
    _check(length, slots)
    yield Snapshot(0, 0)
    # (first step, one past the last, the slot of the first state, whether the state is at hand)
    stack = [(0, length, 0, True)]
    while stack:
        first, last, slot, at_hand = stack.pop()
        if not at_hand:
            yield Restore(first, slot)
        free = slots - slot
        if last - first == 1:
            yield Reverse(first)
        elif free == 1:
            yield Advance(first, last - 1)
            yield Reverse(last - 1)
            stack.append((first, last - 1, slot, False))
        else:
            middle = first + first_advance(last - first, free)
            yield Advance(first, middle)
            yield Snapshot(middle, slot + 1)
            stack.append((first, middle, slot, False))
            stack.append((middle, last, slot + 1, True))


@dataclass(frozen=True, slots=True)
class Fit:
    """How a chain is reversed within a budget.

    block: steps that are reversed at once, after one run that keeps what all of them need.
    slots: places for states, one before a block. bytes: what states and one block take.
    advanced: steps that are run again, beside the run of the function itself.
    """

    block: int
    slots: int
    bytes: int
    advanced: int


def best_slots(length: int, carry: int, residuals: int, budget: int) -> Fit:
    """The way to reverse a chain within a budget that repeats the fewest steps.

    Parameters
    ----------
    length
        The number of steps.
    carry
        The bytes of a state.
    residuals
        The bytes that the reverse of one step needs beside, from a run of the step.
    budget
        The bytes of all states that are kept and of what one block of steps leaves for its reverse.

    Raises
    ------
    WengertValueError
        Where one state and what one step leaves do not fit.

    >>> best_slots(100, 8, 40, 4008).advanced  # all of it fits
    0
    >>> best_slots(100, 8, 40, 800)
    Fit(block=17, slots=6, bytes=728, advanced=85)
    """
    _check(length, 1)
    if carry + residuals > budget:
        raise WengertValueError(
            f"a chain cannot be reversed within {budget} bytes: one state and what one step leaves "
            f"take {carry + residuals}"
        )
    most = length if residuals == 0 else min(length, (budget - carry) // residuals)
    found = [_fit(length, block, carry, residuals, budget) for block in _blocks(length, most)]
    return min(found, key=lambda fit: (fit.advanced, fit.bytes))


def _fit(length: int, block: int, carry: int, residuals: int, budget: int) -> Fit:
    """With blocks of so many steps; the last block is the short one."""
    blocks = -(-length // block)
    room = budget - block * residuals
    slots = blocks if carry == 0 else min(blocks, room // carry)
    # all blocks but the short one are advanced over, and each is run once for its own reverse
    again = block * advances(blocks, slots)
    return Fit(block, slots, slots * carry + block * residuals, again)


def _blocks(length: int, most: int) -> list[int]:
    """The lengths of blocks worth a look: the shortest for each number of blocks."""
    found = {-(-length // count) for count in range(1, min(length, 2_000) + 1)}
    return sorted({block for block in found if block <= most} | {most, 1})


def _check(length: int, slots: int) -> None:
    if length < 1 or slots < 1:
        raise WengertValueError(
            f"a chain has at least one step and one slot, not {length} and {slots}"
        )
