"""An entry of the tables of scale: what was measured, and the goals that it has.

A theme is a module with `PARTS`: functions of an `Effort` that yield entries, the smallest first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, TypeVar

from yardstick.problem import disagreement
from yardstick.timing import Timer, interleaved, timer

OURS = "wengert"
T = TypeVar("T")
Work = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done: the rounds of a comparison, and which of three sizes a problem has."""

    rounds: int
    size: int

    def of(self, small: T, quick: T, full: T) -> T:
        """What belongs to this size."""
        return (small, quick, full)[self.size]


SMALL, QUICK, FULL = Effort(3, 0), Effort(5, 1), Effort(15, 2)


@dataclass(frozen=True, slots=True)
class Goal:
    """What an entry should reach, and what it did."""

    text: str
    found: str
    reached: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One comparison.

    seconds: medians of one call. facts: what else is worth knowing. wrong: contenders whose result
    is another one, and by how much.
    """

    name: str
    seconds: Mapping[str, float]
    facts: Mapping[str, Any] = field(default_factory=dict)
    goals: tuple[Goal, ...] = ()
    wrong: Mapping[str, float] = field(default_factory=dict)


def compared(
    name: str,
    contenders: Mapping[str, Work],
    effort: Effort,
    peers: Mapping[str, Callable[[], Work]] | None = None,
    *,
    long: bool = False,
    beside: Mapping[str, Timer] | None = None,
    expected: Any = None,
    tolerance: float = 1e-9,
    facts: Mapping[str, Any] | None = None,
    goals: Callable[[Mapping[str, float]], tuple[Goal, ...]] = lambda seconds: (),
) -> Entry:
    """The medians of interleaved calls, and whether the results agree.

    contenders: ours, which may not fail.
    peers: makers of what is called, by names that begin with the package. Peers that are not
        installed are left out without a word, those that fail with one.
    long: whether a call takes so long that one a round is enough.
    beside: what else is measured in the same rounds; no result of it is compared.
    expected: the result; by default that of the first contender.
    goals: of the medians.
    """
    works, said = dict(contenders), dict(facts or {})
    results = {who: work() for who, work in works.items()}
    if expected is None:
        expected = next(iter(results.values()))
    for who, make in (peers or {}).items():
        if available(who.split(",")[0]):
            try:
                work = make()
                results[who] = work()
            except Exception as error:
                said[f"{who} left out"] = f"{type(error).__name__}: {error!s:.100}"
            else:
                works[who] = work
    errors = {who: disagreement(result, expected) for who, result in results.items()}
    wrong = {who: error for who, error in errors.items() if not error <= tolerance}
    timers = {who: timer(work) for who, work in works.items()}
    timers |= dict(beside or {})
    seconds = _called(timers) if long else interleaved(timers, effort.rounds)
    return Entry(name, seconds, said, goals(seconds), wrong)


def _called(timers: Mapping[str, Timer]) -> dict[str, float]:
    """The medians of three single calls of each, in turn."""
    rounds = [{name: seconds(1) for name, seconds in timers.items()} for _ in range(3)]
    return {name: median(each[name] for each in rounds) for name in timers}


def at_least(text: str, ratio: float, limit: float) -> Goal:
    """A goal of being so many times as fast."""
    return Goal(text, f"{ratio:.3g} ×", ratio >= limit)


def at_most(text: str, value: float, limit: float, unit: str = "×") -> Goal:
    """A goal of taking no more than so much."""
    return Goal(text, f"{value:.3g} {unit}".rstrip(), value <= limit)


def no_slower(seconds: Mapping[str, float], peer: str = "jax", title: str = "JAX") -> Goal | None:
    """The goal of being at least as fast as the fastest form of a peer, where it was measured."""
    theirs = [value for name, value in seconds.items() if name.split(",")[0] == peer]
    if not theirs:
        return None
    return at_least(f"at least as fast as {title}", min(theirs) / seconds[OURS], 1)


def present(*goals: Goal | None) -> tuple[Goal, ...]:
    """The goals that could be looked at."""
    return tuple(goal for goal in goals if goal is not None)


def available(name: str) -> bool:
    """Whether a peer is installed."""
    try:
        __import__(name)
    except ImportError:
        return False
    return True
