"""Programs by the identity of their outputs: a graph seen again is not planned again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.execution.cache import BoundedCache
from wengert.execution.interpreter import Program
from wengert.graph.node import Node
from wengert.tracing.session import Session

_PROGRAMS = BoundedCache(entries=1_000, weight=2_000_000)
_DERIVED = BoundedCache(entries=4_000, weight=2_000_000)


def program(outputs: Sequence[Node], given: Sequence[Node] = ()) -> Program:
    """The program of these outputs, from leaves and from nodes whose values are given."""

    def make() -> tuple[Program, int]:
        made = Program(outputs, given)
        return made, made.size

    found: Program = _PROGRAMS.get((tuple(outputs), tuple(given)), make)
    return found


def run(session: Session, outputs: Sequence[Node]) -> list[Any]:
    """Values of the outputs, with the leaves that the session binds."""
    return program(outputs).run(session.values)


def derived(key: tuple[Any, ...], make: Any) -> Any:
    """What `make` derives from the graphs named in the key, derived once.

    make: () -> (what was derived, the number of nodes that it keeps alive).
    """
    return _DERIVED.get(key, make)


def clear_caches() -> None:
    """Forget every program and every derived graph (they are made anew when needed)."""
    _PROGRAMS.clear()
    _DERIVED.clear()
