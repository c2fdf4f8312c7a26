"""A session: the outermost trace under way. Values live here, never in nodes.

The session binds leaves to values and remembers what was forced. Its counters give inputs, aliases,
captures and slots their numbers, so that the next call with the same signature meets the same nodes
and therefore the same derived graph and the same program. Numbers are never reused before the
session ends: reusing the mark of an inner trace that has ended would confuse perturbations.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Container, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from itertools import count
from types import FrameType
from typing import Any

import numpy as np

from wengert.errors import DroppedTracer, WengertRuntimeError
from wengert.graph.node import Node, observer
from wengert.graph.registry import all_instances, find
from wengert.graph.types import (
    FLOAT,
    ArrayType,
    OpaqueType,
    Type,
    array_type,
    supported_dtype,
)

_COMPARED_BYTES = 4096
_MOST_LEAVES = 1 << 24
_observed = count(1)


class Session:
    """What one outermost trace knows."""

    __slots__ = (
        "__weakref__",
        "_aliases",
        "_captured",
        "_inputs",
        "_opened",
        "_slots",
        "alive",
        "captures",
        "closed",
        "first",
        "forces",
        "guarded",
        "guards",
        "lanes",
        "memo",
        "rules_run",
        "running",
        "values",
        "watched",
    )

    def __init__(self, guarded: bool = False) -> None:
        self.alive = True
        self.first = 0 if observer.get() is None else next(_observed) * _MOST_LEAVES
        """The number of its first leaf of each kind; a number of its own where it is observed, so
        that its nodes are new."""
        self.values: dict[Node, Any] = {}
        self.captures: list[tuple[Node, Any]] = []
        """Captured objects, in order: the node and the object itself (not its snapshot)."""
        self.guarded = guarded
        """Whether control flow on values is recorded (under `jit`)."""
        self.guards: list[tuple[Node, Any]] = []
        """(node, the Python value that it had when control flow asked), in program order."""
        self.lanes: dict[Node, tuple[Node, object]] = {}
        """An instance of what `vmap` maps over -> (the node of all of them, which `vmap`)."""
        self.closed: dict[Node, None] = {}
        """The parameters of bodies whose trace has ended: nothing outside may rest on them."""
        self.memo: dict[Any, Any] = {}
        """What is found out once in a session: the types of what opaque functions return."""
        self.forces = 0
        """How often a value was asked for."""
        self.rules_run = 0
        """How often a rule of the user's was traced: what it reads may differ at the next call."""
        self.running = False
        """Whether the traced function has been called. What it gives to inner transformations is
        copied, since it may overwrite it before the graph runs."""
        self.watched = _watching.get()
        """Whether what may raise for some values is computed where it is recorded."""
        self._inputs: dict[ArrayType, int] = {}
        self._aliases: dict[Node, int] = {}
        self._captured: dict[Any, tuple[Node, Any]] = {}
        self._slots: dict[str, Node] = {}
        self._opened = 0

    def input(self, value: Any, type: ArrayType) -> Node:
        """A fresh input bound to a value."""
        i = self._inputs.get(type, self.first)
        self._inputs[type] = i + 1
        node = find("input")(i, type)
        self.values[node] = value
        return node

    def alias(self, node: Node) -> Node:
        """A fresh name for a node: what an inner transformation differentiates by."""
        k = self._aliases.get(node, 0)
        self._aliases[node] = k + 1
        return find("alias")(node, k)

    def aliases(self) -> dict[Node, int]:
        """Node -> how many names it has been given."""
        return dict(self._aliases)

    def lane(self, batched: Node, call: object) -> Node:
        """One instance of a node along whose first axis a call of `vmap` maps."""
        type = array_type(batched.shape[1:], batched.dtype, batched.type.weak)
        node = find("lane")(self.first + len(self.lanes), type)
        self.lanes[node] = batched, call
        return node

    def open(self, type: Type) -> Node:
        """A fresh parameter, of a body that is being traced."""
        self._opened += 1
        return find("parameter")(("open", self.first + self._opened), type)

    def capture(self, array: np.ndarray[Any, Any] | np.generic) -> Node:
        """The node of an array that the traced function reads from outside.

        A writable array is copied, since the function may overwrite it before the graph runs; when
        it comes again with other contents it is another capture. NumPy scalars are known by value.
        """
        if isinstance(array, np.generic):
            key: Any = (array.dtype, array.tobytes())
            known = self._captured.get(key)
            return self._new_capture(key, array, array) if known is None else known[0]
        key = id(array)
        known = self._captured.get(key)
        if known is not None:
            node, snapshot = known
            if node.shape == array.shape and (snapshot is array or same_bits(snapshot, array)):
                return node
        return self._new_capture(key, array, array if _is_frozen(array) else array.copy())

    def _new_capture(self, key: Any, original: Any, snapshot: Any) -> Node:
        dtype = supported_dtype(original.dtype, "an array that the traced function uses")
        if snapshot.dtype is not dtype:
            snapshot = snapshot.astype(dtype)
        node = find("capture")(self.first + len(self.captures), array_type(original.shape, dtype))
        self.captures.append((node, original))
        self._captured[key] = (node, snapshot)
        self.values[node] = snapshot
        return node

    def capture_operator(self, operator: Any) -> Node:
        """The node of a constant sparse matrix or linear operator."""
        known = self._captured.get(id(operator))
        if known is not None:
            return known[0]
        dtype = np.dtype(np.float64 if operator.dtype is None else operator.dtype)
        type = OpaqueType(tuple(operator.shape), supported_dtype(dtype, "a linear operator"))
        node = find("capture")(self.first + len(self.captures), type)
        self.captures.append((node, operator))
        self._captured[id(operator)] = (node, operator)
        self.values[node] = operator
        return node

    def slot(self, value: float) -> Node:
        """The node of a Python number that changes from call to call; weak, as the number is."""
        key = value.hex()
        node = self._slots.get(key)
        if node is None:
            k = self.first + len(self._slots)
            node = self._slots[key] = find("slot")(k, array_type((), FLOAT, weak=True))
            self.values[node] = np.float64(value)
        return node

    def forget(self) -> None:
        """Let go of what only the trace needed, once it is over: of what was computed for Python,
        and of the copies of captured arrays that have not been overwritten since."""
        self.values = {node: value for node, value in self.values.items() if not node.args}
        for node, value in self._as_captured():
            copy = self.values[node]
            # in another order in memory the same products may round differently
            if type(value) is np.ndarray and value.dtype == copy.dtype and value.flags.c_contiguous:
                self.values[node] = value
        self._captured.clear()

    def footprint(self) -> tuple[int, int, int]:
        """What tells whether something was captured or forced in between."""
        return len(self.captures), len(self._slots), self.forces

    def read_later(self, given: Container[Node]) -> list[tuple[Node, Any]]:
        """What a program that outlives the trace reads beside the inputs `given` to it.

        A captured object is read itself; an array that the traced function has overwritten since is
        read as it was. Slots, and inputs of inner transformations, keep their values.
        """
        inner = find("input")
        bound = [
            (node, value)
            for node, value in self.values.items()
            if node.op is inner and node not in given
        ]
        bound += [(node, self.values[node]) for node in self._slots.values()]
        return bound + self._as_captured()

    def _as_captured(self) -> list[tuple[Node, Any]]:
        """The captured objects themselves; of arrays that were overwritten since, the copies."""
        found = []
        for node, original in self.captures:
            snapshot = self.values[node]
            is_array = isinstance(original, np.ndarray) and snapshot is not original
            current = not is_array or (
                original.shape == node.shape and same_bits(snapshot, original)
            )
            found.append((node, original if current else snapshot))
        return found

    def guard(self, node: Node, value: Any) -> None:
        """Remember that control flow depended on this value."""
        if self.guarded:
            self.guards.append(all_instances(self, node, value) if self.lanes else (node, value))


def same_bits(snapshot: np.ndarray[Any, Any], array: np.ndarray[Any, Any]) -> bool:
    """Whether an array holds the bits that it held when the snapshot was taken."""
    array = array.astype(snapshot.dtype, copy=False)
    if array.nbytes <= _COMPARED_BYTES:
        return snapshot.tobytes() == array.tobytes()
    return all(
        np.array_equal(a.view(f"u{a.itemsize}"), b.view(f"u{b.itemsize}"))
        for a, b in zip(_parts(snapshot), _parts(array), strict=True)
    )


def _parts(array: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], ...]:
    return (array.real, array.imag) if array.dtype.kind == "c" else (array,)


def _is_frozen(array: np.ndarray[Any, Any]) -> bool:
    """Whether nobody can write to an array: neither through it nor through what it is a view of."""
    owner = array.base
    if isinstance(owner, np.ndarray):
        return not array.flags.writeable and owner.base is None and not owner.flags.writeable
    return not array.flags.writeable and owner is None


# ------------------------------------------------------------------------- the current session

_current: ContextVar[Session | None] = ContextVar("session", default=None)
_watching: ContextVar[bool] = ContextVar("watching", default=False)


@contextmanager
def watching() -> Iterator[None]:
    """Sessions that are opened inside compute at once what may raise (see `execution.values`)."""
    token = _watching.set(True)
    try:
        yield
    finally:
        _watching.reset(token)


def current_session() -> Session | None:
    """The session under way in this context, if it is alive."""
    session = _current.get()
    return session if session is not None and session.alive else None


def make_current(session: Session) -> Token[Session | None] | None:
    """Make a session the current one of this context; None if it is already."""
    return None if _current.get() is session else _current.set(session)


def restore_current(token: Token[Session | None]) -> None:
    """Undo `make_current`."""
    _current.reset(token)


class untraced:
    """A context in which no session is current: values are computed, by functions that may make
    arrays for themselves (those of an adopted module would be traced inside a trace)."""

    __slots__ = ("token",)

    def __enter__(self) -> None:
        self.token: Token[Session | None] = _current.set(None)

    def __exit__(self, *error: object) -> None:
        _current.reset(self.token)


def need_session() -> Session:
    """The current session, where there must be one."""
    session = current_session()
    if session is None:
        raise WengertRuntimeError("a derivative rule is run outside of every trace")
    return session


class outermost:
    """A context in which a new session is the current one; it ends with the context.

    Inside, the cyclic garbage collector runs more rarely: a trace makes many objects and no
    garbage, and collections at the default threshold would cost more than the trace.
    """

    __slots__ = ("session", "token")

    def __init__(self, guarded: bool = False) -> None:
        self.session = Session(guarded)

    def __enter__(self) -> Session:
        self.token: Token[Session | None] = _current.set(self.session)
        collector.rest()
        return self.session

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        _current.reset(self.token)
        self.session.alive = False
        collector.resume()
        if error is not None and isinstance(error.__cause__, DroppedTracer):
            # NumPy wraps what `a[i] = traced` raises into an error that does not name the cure
            raise error.__cause__


class _Collector:
    """Raises the threshold of the garbage collector while any session is alive.

    depth: how many are, in all threads.
    """

    __slots__ = ("depth", "lock", "saved")
    THRESHOLD = 50_000

    def __init__(self) -> None:
        self.depth = 0
        self.saved = gc.get_threshold()
        self.lock = threading.Lock()

    def rest(self) -> None:
        with self.lock:
            self.depth += 1
            if self.depth == 1:
                self.saved = gc.get_threshold()
                if 0 < self.saved[0] < self.THRESHOLD:
                    gc.set_threshold(self.THRESHOLD, *self.saved[1:])

    def resume(self) -> None:
        with self.lock:
            self.depth -= 1
            if self.depth == 0:
                gc.set_threshold(*self.saved)


collector = _Collector()


# --------------------------------------------------------- Python numbers that change with time

_MANY = object()
_sites: dict[tuple[Any, ...], Any] = {}
_MOST_SITES = 50_000
_NEVER_SLOTS = frozenset({0.0, 1.0, -1.0, 2.0, 0.5})
_PACKAGE = __name__.partition(".")[0]


def _is_ours(frame: FrameType) -> bool:
    name: str = frame.f_globals.get("__name__", "")
    return name == _PACKAGE or name.startswith(_PACKAGE + ".")


def changes(value: float) -> bool:
    """Whether the call site that gives this Python float has given another one before.

    Such a number is a run-time input (a learning rate, a temperature); until then it is a literal,
    and the graph is derived and compiled for it. Common constants always are. The site is the line
    of the user's with the way from there through this package, whose own constants stay literals.
    """
    if value in _NEVER_SLOTS or value != value:
        return False
    frame = sys._getframe(2)
    site: tuple[Any, ...] = (frame.f_code, frame.f_lasti)
    while frame.f_back is not None and _is_ours(frame):
        frame = frame.f_back
        site = (*site, frame.f_code, frame.f_lasti)
    seen = _sites.get(site)
    if seen is None:
        if len(_sites) > _MOST_SITES:
            _sites.clear()
        _sites[site] = value
        return False
    if seen is not _MANY and seen == value:
        return False
    _sites[site] = _MANY
    return True
