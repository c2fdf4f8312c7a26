"""Which line of the user's made each node, and to which variable it was bound.

Nodes are interned and know nothing of programs; a trace that is *observed* is matched with them by
time. A node carries the serial number of its making, and `mark` gives numbers in between: at each
line of the user's that begins, and at each node whose derivative rule begins, the number of that
moment is noted, so that a node belongs to the last moment before its own.

An observed session numbers its leaves afresh, so that every node which rests on one is made anew
and none is older than the line that makes it. Python tells of lines and of variables by
`sys.settrace`; nothing is paid where nothing is observed.
"""

from __future__ import annotations

import linecache
import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from types import FrameType
from typing import Any, Literal

from wengert.errors import is_own
from wengert.graph.node import Node, mark, observer
from wengert.tracing.tracer import Tracer

Sweep = Literal["forward", "reverse"]
_numbers = count()


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the user's program; `text` is what it says, without the indentation."""

    file: str
    line: int
    function: str

    @property
    def text(self) -> str:
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


@dataclass(slots=True)
class _Moments:
    """What began when: the numbers of the moments, which grow, and what began at each."""

    serials: list[int] = field(default_factory=list)
    began: list[Any] = field(default_factory=list)

    def note(self, what: Any) -> None:
        self.serials.append(mark())
        self.began.append(what)

    def at(self, serial: int) -> Any:
        """What was going on when the node with this number was made; None before the first."""
        k = bisect_right(self.serials, serial) - 1
        return self.began[k] if k >= 0 else None


class Timeline:
    """What was seen of a trace.

    names: node -> the first variable that it was bound to, in the order of binding.
    """

    __slots__ = ("_frames", "_lines", "_made", "_originals", "_rules", "_seen", "names", "number")

    def __init__(self) -> None:
        self.number = next(_numbers)
        """Of its own: what bodies are made of is named by it, so that it is new too."""
        self.names: dict[Node, str] = {}
        self._lines = _Moments()
        self._rules = _Moments()
        self._made: list[tuple[Node, Sweep] | None] = []
        """The rules that run now, one in the other; the innermost last."""
        self._frames: list[FrameType] = []
        """The frames of the user's that run now, the innermost last."""
        self._originals: dict[Node, Node] = {}
        """Of the nodes of closed bodies: the nodes that were traced."""
        self._seen: dict[FrameType, dict[str, Node]] = {}
        """What the variables of those frames were bound to when last looked at."""

    # ------------------------------------------------------------------------------ questions

    def place(self, node: Node) -> Place | None:
        """The line that made a node; of a derivative, the line of what it is the derivative of.
        None for nodes that rest on no leaf of an observed session."""
        source = self.traced(self.origin(node) or node)
        found: Place | None = self._lines.at(source.serial)
        return found

    def variable(self, node: Node) -> str | None:
        """The first variable that a node was bound to."""
        return self.names.get(self.traced(node))

    def origin(self, node: Node) -> Node | None:
        """The node whose derivative a node is a part of; None for what the user computed."""
        rule = self._rules.at(self.traced(node).serial)
        if rule is None:
            return None
        made_by: Node = rule[0]
        return self.origin(made_by) or made_by

    def sweep(self, node: Node) -> Sweep | None:
        """Whether a pushforward or a transposition made a node; None for what the user computed."""
        rule = self._rules.at(self.traced(node).serial)
        return None if rule is None else rule[1]

    @property
    def turned(self) -> bool:
        """Whether anything was transposed, though it may have left no node."""
        return any(what is not None and what[1] == "reverse" for what in self._rules.began)

    def traced(self, node: Node) -> Node:
        """What the user's code or a rule made, of which a node is a copy."""
        while (original := self._originals.get(node)) is not None:
            node = original
        return node

    # --------------------------------------------------------------- what the derivatives tell

    def begin(self, node: Node, sweep: Sweep) -> None:
        """The rule of a node runs from now on, in place of the one before."""
        self._made[-1] = node, sweep
        self._rules.note(self._made[-1])

    def enter(self) -> None:
        """A pushforward or a transposition begins, maybe inside a rule of another."""
        self._made.append(None)

    def leave(self) -> None:
        """It has ended: the rule around it goes on."""
        self._made.pop()
        self._rules.note(self._made[-1] if self._made else None)

    def renamed(self, node: Node, of: Node) -> None:
        """A node is a copy of another one, with other leaves below, or all instances of it."""
        original = self.traced(of)
        if original is not node:
            self._originals.setdefault(node, original)

    # ---------------------------------------------------------------------- what Python tells

    def called(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Python's tracing function: follow the frames of the user's, and no others."""
        if not is_own(frame) or _is_generated(frame):
            return None
        self._frames.append(frame)
        self._seen.setdefault(frame, {})
        return self._goes_on

    def _goes_on(self, frame: FrameType, event: str, argument: Any) -> Any:
        self._look(frame)
        if event == "line":
            self._lines.note(_place(frame))
        elif event == "return":
            self._frames.pop()
            if frame not in self._frames:
                del self._seen[frame]
            if self._frames:
                self._lines.note(_place(self._frames[-1]))
        return self._goes_on

    def _look(self, frame: FrameType) -> None:
        """Remember what the variables of a frame are bound to now."""
        seen = self._seen[frame]
        for name, value in frame.f_locals.items():
            if type(value) is Tracer and seen.get(name) is not value.node:
                seen[name] = value.node
                self.names.setdefault(value.node, name)

    def finish(self) -> None:
        """Let go of the frames."""
        self._frames.clear()
        self._seen.clear()


def _is_generated(frame: FrameType) -> bool:
    """Whether a frame is that of a method which `namedtuple` or `dataclass` wrote: its parameters
    are fields, and no variables of the user's."""
    if frame.f_code.co_filename != "<string>":
        return False
    of_a_tuple = str(frame.f_globals.get("__name__", "")).startswith("namedtuple_")
    return of_a_tuple or frame.f_code.co_name == "__init__"


def _place(frame: FrameType) -> Place:
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


@contextmanager
def observed() -> Iterator[Timeline]:
    """Watch the traces and the derivatives that are made inside.

    A debugger or a tool for coverage sees nothing of what runs inside.
    """
    timeline = Timeline()
    before = sys.gettrace()
    token = observer.set(timeline)
    sys.settrace(timeline.called)
    try:
        yield timeline
    finally:
        sys.settrace(before)
        observer.reset(token)
        timeline.finish()
