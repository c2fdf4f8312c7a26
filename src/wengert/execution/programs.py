"""Programs by the identity of their outputs: a graph seen again is not planned again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from wengert.execution.cache import BoundedCache
from wengert.execution.interpreter import Program
from wengert.graph.node import Node
from wengert.tracing.session import Session

_PROGRAMS = BoundedCache(entries=1_000, weight=2_000_000)
_DERIVED = BoundedCache(entries=4_000, weight=2_000_000)


def program(outputs: Sequence[Node], given: Sequence[Node] = ()) -> Program:
    """The program of these outputs, from leaves and from nodes whose values are given."""
    key = (tuple(outputs), tuple(given))
    found: Program | None = _PROGRAMS.find(key)
    if found is None:
        found = Program(outputs, given)
        _PROGRAMS.put(key, found, found.size)
    return found


def run(session: Session, outputs: Sequence[Node]) -> list[Any]:
    """Values of the outputs, with the leaves that the session binds."""
    return program(outputs).run(session.values)


def recall(key: Hashable) -> Any:
    """What was derived under this key, or None."""
    return _DERIVED.find(key)


def remember(key: Hashable, value: Any, weight: int) -> None:
    """Keep what was derived; `weight` is the number of nodes that it keeps alive."""
    _DERIVED.put(key, value, weight)


def clear_caches() -> None:
    """Forget every program and every derived graph (they are made anew when needed)."""
    _PROGRAMS.clear()
    _DERIVED.clear()
