"""How long a function and its gradient take, as compiled programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from wengert.execution.jit import Jitted, jit

SERIES, SECONDS = 5, 0.01
"""So many series of calls, each of about so many seconds."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of one call of the function and of value_and_grad of it, both under `jit`, without
    tracing and compiling. None where there is no gradient."""

    function: float
    gradient: float | None

    @property
    def ratio(self) -> float | None:
        """The time of value and gradient, as a multiple of that of the function."""
        return None if self.gradient is None else self.gradient / self.function

    def __repr__(self) -> str:
        said = f"function {in_seconds(self.function)}"
        if self.gradient is not None:
            said += f", value and gradient {in_seconds(self.gradient)}, ratio {self.ratio:.2f}"
        return f"<measured under jit: {said}>"


def measured(
    function: Callable[..., Any], gradient: Callable[..., Any] | None, args: Sequence[Any]
) -> Measured:
    """Time both, in series that take turns, so that both meet the same disturbances."""
    calls = [_compiled(f) for f in (function, gradient) if f is not None]
    for call in calls:
        call(*args)
    counts = [max(1, round(SECONDS / max(_once(call, args, 1), 1e-7))) for call in calls]
    best = [float("inf")] * len(calls)
    for _ in range(SERIES):
        for k, (call, count) in enumerate(zip(calls, counts, strict=True)):
            best[k] = min(best[k], _once(call, args, count))
    return Measured(best[0], best[1] if len(best) > 1 else None)


def _compiled(f: Callable[..., Any]) -> Callable[..., Any]:
    compiled: Callable[..., Any] = f if isinstance(f, Jitted) else jit(f)
    return compiled


def _once(call: Callable[..., Any], args: Sequence[Any], count: int) -> float:
    """Seconds of one call, on the average of some."""
    start = perf_counter()
    for _ in range(count):
        call(*args)
    return (perf_counter() - start) / count


def in_seconds(seconds: float) -> str:
    """A time as people read it.

    >>> in_seconds(0.0123), in_seconds(4.5e-7)
    ('12.3 ms', '450 ns')
    """
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
