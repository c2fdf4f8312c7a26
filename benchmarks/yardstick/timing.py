"""Interleaved timing: a round measures every contender once, so that all share the noise."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

Timer = Callable[[int], float]

# One measurement takes about this long, and a contender gets at most so much in all.
SLICE = 4e-3
BUDGET = 1.5


class Clock:
    """What seconds are read from: the wall, or on a busy machine what the process itself used."""

    now: Callable[[], float] = staticmethod(time.perf_counter)

    @classmethod
    def use_processor_time(cls) -> None:
        cls.now = staticmethod(time.process_time)


def timer(work: Callable[[], Any]) -> Timer:
    """Seconds of one call, the mean of several."""

    def seconds(times: int) -> float:
        start = Clock.now()
        for _ in range(times):
            work()
        return (Clock.now() - start) / times

    return seconds


def interleaved(timers: Mapping[str, Timer], rounds: int) -> dict[str, float]:
    """The median seconds of one call of each contender.

    Before each measurement is a call that is not counted: the first one finds cold caches, and
    sorts the memory that the contender before has freed. What a loop of thousands of operations in
    PyTorch leaves behind costs the next large array tens of milliseconds.
    """
    times: dict[str, int] = {}
    limit: dict[str, int] = {}
    for name, seconds in timers.items():
        seconds(1)
        once = max(seconds(1), 1e-8)
        once = max(seconds(max(1, int(SLICE / 4 / once))), 1e-8)
        times[name] = max(1, int(SLICE / once))
        limit[name] = max(3, min(rounds, int(BUDGET / (times[name] * once))))
    found: dict[str, list[float]] = {name: [] for name in timers}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for turn in range(rounds):
            for name, seconds in timers.items():
                if turn < limit[name]:
                    seconds(1)
                    found[name].append(seconds(times[name]))
    finally:
        if collecting:
            gc.enable()
    return {name: statistics.median(samples) for name, samples in found.items()}
