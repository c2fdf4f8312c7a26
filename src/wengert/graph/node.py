"""Nodes and the tables in which they are interned.

A node is a pure name for a computation: an op, its input nodes, its static parameters and its type.
Building the same operation twice gives the same object (hash-consing; Ershov 1958), so common
subexpressions vanish by construction and equality of programs is identity of nodes.

Each op has a table of its own, keyed by the tuple of input nodes alone where there are no
parameters: that tuple exists anyway, and nodes hash by identity.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias

from wengert.graph.interning import KeyedRef, WeakTable
from wengert.graph.types import ArrayType, DType, Shape, Type

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from wengert.graph.op import Op

    class Observer(Protocol):
        """Who wants to know which rule makes which nodes (`wengert.tracing.observing`)."""

        number: int

        def enter(self) -> None: ...
        def begin(self, node: Node, sweep: Any) -> None: ...
        def leave(self) -> None: ...
        def renamed(self, node: Node, of: Node) -> None: ...


Params: TypeAlias = "tuple[Hashable, ...] | None"


class Node:
    """One elementary operation. Immutable and interned: made by `make`, compared by identity."""

    __slots__ = ("__weakref__", "args", "op", "params", "quiet", "serial", "type")

    op: Op
    args: tuple[Node, ...]
    params: Any
    type: Any
    serial: int
    """Order of creation: a node comes after everything it rests on."""
    quiet: bool
    """Made while differentiating: NumPy's floating-point warnings are off when it runs."""

    def __init__(
        self, op: Op, args: tuple[Node, ...], params: Params, type: Type, serial: int, quiet: bool
    ) -> None:
        self.op = op
        self.args = args
        self.params = params
        self.type = type
        self.serial = serial
        self.quiet = quiet

    @property
    def shape(self) -> Shape:
        shape: Shape = self.type.shape
        return shape

    @property
    def dtype(self) -> DType:
        return self.type.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        return len(self.type.shape)

    @property
    def size(self) -> int:
        array: ArrayType = self.type
        return array.size

    def __repr__(self) -> str:
        params = "" if self.params is None else f" {self.params}"
        return f"<{self.op.name}{params}: {self.type}>"


class Interned(WeakTable[Node]):
    """The nodes of one op.

    ready: types of inputs that the op takes as they are -> type of the result. Filled by the
        family; lets the tracer's operators make nodes without looking further.
    op: the op itself, once it is registered.
    """

    __slots__ = ("op", "ready")
    op: Op

    def __init__(self) -> None:
        super().__init__()
        self.ready: dict[tuple[Any, ...], Any] = {}

    def remember(self, key: Any, value: Node) -> None:
        """Let `key`, a tuple, find the node. Not where it holds a node as young as the result
        (x * 1 is x): the key would keep the result alive, and with it the entry, for ever."""
        if all(type(part) is not Node or part.serial < value.serial for part in key):
            super().remember(key, value)


_bare = object.__new__
_serials = count()
_lock = threading.RLock()
_deriving: ContextVar[bool] = ContextVar("deriving", default=False)


observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


def mark() -> int:
    """A serial number of no node, between those of the nodes made before and after."""
    return next(_serials)


@contextmanager
def deriving() -> Iterator[Observer | None]:
    """Nodes made inside are derivatives: they run with NumPy's warnings off. Gives who wants to
    know, at each rule that begins, of what it is the rule."""
    token = _deriving.set(True)
    watch = observer.get()
    if watch is not None:
        watch.enter()
    try:
        yield watch
    finally:
        if watch is not None:
            watch.leave()
        _deriving.reset(token)


def make(op: Op, args: tuple[Node, ...], params: Params, type: Type) -> Node:
    """The node for this operation: the one that exists, or a new one."""
    key: Hashable = args if params is None else (args, params)
    ref = op.interned.table.get(key)
    if ref is not None:
        node = ref()
        if node is not None:
            return node
    return make_new(op, args, params, type, key)


def make_new(op: Op, args: tuple[Node, ...], params: Params, type: Type, key: Hashable) -> Node:
    """The node for an operation that was not found under its key just now.

    Another thread may have made it since: `setdefault` decides, so that there is only one.
    """
    node = _bare(Node)  # setting the slots here costs half of what __init__ does
    node.op = op
    node.args = args
    node.params = params
    node.type = type
    node.serial = next(_serials)
    node.quiet = _deriving.get()
    interned = op.interned
    ref = KeyedRef(node, interned.forget)
    ref.key = key
    first = interned.table.setdefault(key, ref)
    if first is not ref:
        with _lock:
            first = interned.table.get(key, ref)
            existing = first()
            if existing is not None:
                return existing
            interned.table[key] = ref
    return node
