"""Programs that somebody looks at: the hook of debuggers such as `wengert.debug_nans`.

Where there is an inspector, every program is asked of it, calls of derivatives run inside its
`call`, and functions under `jit` are traced at each call. Elsewhere nothing is paid but a look at a
context variable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from wengert.graph.node import Node


class Inspector(Protocol):
    """Who looks at programs."""

    def program(self, outputs: Sequence[Node], given: Sequence[Node]) -> Any:
        """What runs in place of a program: it has a `run`, as `interpreter.Program` has."""

    def differentiates(self, outputs: Sequence[Node]) -> None:
        """These are the results of a function that is differentiated."""

    def call(self) -> AbstractContextManager[Any]:
        """The context of a call of a transformation, from outside of every trace."""


_inspector: ContextVar[Inspector | None] = ContextVar("inspector", default=None)
_kept: ContextVar[frozenset[Node]] = ContextVar("kept", default=frozenset())


def inspector() -> Inspector | None:
    """Who looks at the programs of this context, if anybody does."""
    return _inspector.get()


def look(by: Inspector | None) -> None:
    """From here on, the programs of this context are asked of an inspector; of nobody: None."""
    _inspector.set(by)


@contextmanager
def keeping(nodes: Iterable[Node], shown: Iterable[Node] = ()) -> Iterator[None]:
    """Programs that run inside compute these nodes for later, and nobody sees them, but for those
    that are shown too: what a branch that is not taken has left in them is no result."""
    if _inspector.get() is None:
        yield
        return
    token = _kept.set(frozenset(nodes).difference(shown))
    try:
        yield
    finally:
        _kept.reset(token)


def kept() -> frozenset[Node]:
    """The nodes that are computed for later."""
    return _kept.get()
