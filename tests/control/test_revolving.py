"""Revolve: the published numbers, and each schedule run on a machine with slots."""

from __future__ import annotations

from functools import cache

import pytest

from wengert.control.revolving import (
    Advance,
    Restore,
    Reverse,
    Snapshot,
    advances,
    best_slots,
    reach,
    repetition,
    schedule,
)
from wengert.errors import WengertValueError


@pytest.mark.parametrize(
    ("length", "slots", "count"),
    [
        (10, 2, 20),
        (10, 3, 15),
        (20, 3, 45),
        (50, 5, 122),
        (100, 5, 316),
        (100, 10, 222),
        (1000, 10, 3636),
        (10000, 10, 57624),
    ],
)
def test_advances_are_those_of_the_literature(length: int, slots: int, count: int) -> None:
    assert advances(length, slots) == count


@pytest.mark.parametrize("length", [1, 2, 3, 7, 40])
def test_extremes(length: int) -> None:
    assert advances(length, 1) == length * (length - 1) // 2
    assert advances(length, length) == advances(length, length + 5) == length - 1
    assert repetition(length, 1) == length - 1
    assert repetition(length, length) == min(1, length - 1)


@cache
def fewest(length: int, slots: int) -> int:
    """By dynamic programming over where the next state is kept."""
    if length == 1:
        return 0
    if slots == 1:
        return length * (length - 1) // 2
    return min(k + fewest(length - k, slots - 1) + fewest(k, slots) for k in range(1, length))


def test_no_schedule_has_fewer_advances() -> None:
    for length in range(1, 41):
        for slots in range(1, 9):
            assert advances(length, slots) == fewest(length, slots), (length, slots)


@pytest.mark.parametrize("slots", [1, 2, 3, 4, 6, 10])
@pytest.mark.parametrize("length", [1, 2, 3, 5, 10, 21, 56, 100])
def test_schedules_reverse_all_steps_within_their_slots(length: int, slots: int) -> None:
    kept: dict[int, int] = {}
    at_hand, todo, moved = 0, length, 0
    times = [0] * length
    for action in schedule(length, slots):
        match action:
            case Snapshot(step, slot):
                assert at_hand == step
                assert slot < slots
                kept[slot] = step
            case Restore(step, slot):
                assert kept[slot] == step
                at_hand = step
            case Advance(first, last):
                assert at_hand == first < last < todo
                for k in range(first, last):
                    times[k] += 1
                moved += last - first
                at_hand = last
            case Reverse(step):
                assert at_hand == step == todo - 1
                todo -= 1
    assert todo == 0
    assert moved == advances(length, slots)
    assert max(times) == repetition(length, slots)


def test_the_reach_of_slots() -> None:
    for slots in range(1, 7):
        for times in range(6):
            assert repetition(reach(slots, times), slots) == times
            assert repetition(reach(slots, times) + 1, slots) == times + 1


def test_budgets_are_kept_with_the_fewest_repeated_steps() -> None:
    length, carry, residuals = 60, 8, 40
    before = None
    for budget in range(48, 2500, 40):
        fit = best_slots(length, carry, residuals, budget)
        assert fit.bytes == fit.slots * carry + fit.block * residuals <= budget
        everything = [
            block * advances(-(-length // block), slots)
            for block in range(1, length + 1)
            for slots in [(budget - block * residuals) // carry]
            if slots >= 1
        ]
        assert fit.advanced == min(everything)
        assert before is None or fit.advanced <= before
        before = fit.advanced
    assert best_slots(length, carry, residuals, carry + length * residuals).advanced == 0
    assert best_slots(length, 0, 0, 0).advanced == 0


def test_long_chains_are_planned_at_once() -> None:
    fit = best_slots(1_000_000, 8, 40, 80_000)
    assert fit.bytes <= 80_000
    assert fit.advanced < 2_000_000


def test_errors() -> None:
    with pytest.raises(WengertValueError, match="at least one step and one slot, not 0 and 1"):
        advances(0, 1)
    with pytest.raises(WengertValueError, match="one slot"):
        list(schedule(3, 0))
    with pytest.raises(WengertValueError, match=r"within 47 bytes: .* take 48"):
        best_slots(10, 8, 40, 47)
