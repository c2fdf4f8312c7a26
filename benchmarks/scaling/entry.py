"""An entry of the tables of scale: what was measured, and the goals that it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from yardstick.timing import interleaved, timer

OURS = "wengert"


@dataclass(frozen=True, slots=True)
class Goal:
    """What an entry should reach, and what it did."""

    text: str
    found: str
    reached: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One comparison. `seconds` are medians of one call, `facts` what else is worth knowing."""

    name: str
    seconds: Mapping[str, float]
    facts: Mapping[str, Any] = field(default_factory=dict)
    goals: tuple[Goal, ...] = ()


def measured(contenders: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The median seconds of one call of each, interleaved."""
    return interleaved({name: timer(work) for name, work in contenders.items()}, rounds)


def at_least(text: str, ratio: float, limit: float) -> Goal:
    """A goal of being so many times as fast."""
    return Goal(text, f"{ratio:.3g} ×", ratio >= limit)


def at_most(text: str, value: float, limit: float, unit: str = "×") -> Goal:
    """A goal of taking no more than so much."""
    return Goal(text, f"{value:.3g} {unit}", value <= limit)


def available(name: str) -> bool:
    """Whether a peer is installed."""
    try:
        __import__(name)
    except ImportError:
        return False
    return True
