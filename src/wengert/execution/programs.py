"""Programs by the identity of their outputs: a graph seen again is not planned again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wengert import settings
from wengert.execution.cache import BoundedCache
from wengert.execution.inspecting import inspector
from wengert.execution.interpreter import Program
from wengert.execution.memory import keep_what_is_freed
from wengert.graph.node import Node
from wengert.lazy import module
from wengert.tracing.session import Session

if TYPE_CHECKING:
    from wengert.execution.budget.tiers import Budgeted
    from wengert.execution.compiled import Compiled

_PROGRAMS = BoundedCache(entries=1_000, weight=2_000_000)
_DERIVED = BoundedCache(entries=4_000, weight=2_000_000)


def program(
    outputs: Sequence[Node],
    given: Sequence[Node] = (),
    hot: bool = False,
    memory: int | None = None,
) -> Program | Compiled | Budgeted:
    """The program of these outputs, from leaves and from nodes whose values are given.

    memory: the budget in bytes that it holds to, if any.

    Seen for the first time, a graph runs on the interpreter; seen again, as machine code, as it
    does from the beginning where it is `hot`. A large graph is compiled once the interpreter has
    spent a good part of the time on it that compiling takes.
    """
    looking = inspector()
    if looking is not None:
        looked_at: Program = looking.program(outputs, given)
        return looked_at
    if memory is not None:
        within: Budgeted = module("wengert.execution.budget.tiers").within(
            outputs, given, memory, hot
        )
        return within
    key = (tuple(outputs), tuple(given))
    found: Tiers | None = _PROGRAMS.find(key)
    if found is None:
        native = hot and settings.native
        first = _compile(outputs, given) if native else Program(outputs, given)
        _PROGRAMS.put(key, Tiers(first), first.size)
        return first
    if isinstance(found.program, Program) and settings.native:
        found.runs += 1
        if hot or found.runs * RUN >= found.program.size * NODE:
            found.program = _compile(outputs, given)
    return found.program


def _compile(outputs: Sequence[Node], given: Sequence[Node]) -> Compiled:
    """The graph in machine code; the compiler is imported when it is first needed."""
    keep_what_is_freed()
    program: Compiled = module("wengert.execution.compiled").Compiled(outputs, given)
    return program


@dataclass(slots=True)
class Tiers:
    """The program of a graph in its present tier, and how often it ran on the interpreter."""

    program: Program | Compiled
    runs: int = 0


RUN, NODE = 1_000, 1
"""A program of n nodes is compiled at its second run, or after n · NODE / RUN runs."""


def run(session: Session, outputs: Sequence[Node], memory: int | None = None) -> list[Any]:
    """Values of the outputs, with the leaves that the session binds, within a budget of bytes if
    there is one."""
    return program(outputs, memory=memory).run(session.values)


def recall(key: Hashable) -> Any:
    """What was derived under this key, or None."""
    return _DERIVED.find(key)


def remember(key: Hashable, value: Any, weight: int) -> None:
    """Keep what was derived; `weight` is the number of nodes that it keeps alive."""
    _DERIVED.put(key, value, weight)


def set_native(on: bool) -> None:
    """Whether programs become machine code, as they do unless WENGERT_NATIVE=off is set.

    Machine code gives none of NumPy's floating-point warnings, and `np.errstate` says nothing to
    it. Without it everything runs as calls of NumPy, which warn; that is slower.

    Derivatives follow at their next call. A function under `jit` follows for the signatures that
    it meets for the first time from now on: calls like those that it has seen are answered by the
    machine code that it has.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> wg.set_native(False)
    >>> with np.errstate(divide="raise"):
    ...     wg.jit(np.log)(0.0)
    Traceback (most recent call last):
    FloatingPointError: divide by zero encountered in log
    >>> wg.set_native(True)
    """
    settings.native = on
    clear_caches()


def clear_caches() -> None:
    """Forget every program and every derived graph (they are made anew when needed)."""
    _PROGRAMS.clear()
    _DERIVED.clear()
