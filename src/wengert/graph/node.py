"""Nodes and the tables in which they are interned.

A node is a pure name for a computation: an op, its input nodes, its static parameters and its type.
Building the same operation twice gives the same object (hash-consing; Ershov 1958), so common
subexpressions vanish by construction and equality of programs is identity of nodes.

Each op has a table of its own, keyed by the tuple of input nodes alone where there are no
parameters: that tuple exists anyway, and nodes hash by identity. Values are weak references that
carry their key, whose callback removes the entry: a look-up is one dict access and one call, where
a `WeakValueDictionary` costs three times that.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias

from wengert.graph.types import ArrayType, DType, Shape, Type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wengert.graph.op import Op

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


class KeyedRef(weakref.ref[Node]):
    """A weak reference that knows under which key its table holds it."""

    __slots__ = ("key",)
    key: Hashable


Table: TypeAlias = dict[Hashable, KeyedRef]


class Interned:
    """The table of one op, and the callback that removes what has died from it.

    ready: types of inputs that the op takes as they are -> type of the result. Filled by the
        family; lets the tracer's operators make nodes without looking further.
    """

    __slots__ = ("forget", "ready", "table")

    def __init__(self) -> None:
        self.table: Table = {}
        self.ready: dict[tuple[Any, ...], Any] = {}
        self.forget: Callable[[weakref.ref[Node]], None] = _forgetter(self.table)

    def remember(self, key: Hashable, node: Node) -> None:
        """Let `key` find `node` too. Only ever called with keys that determine the node."""
        ref = KeyedRef(node, self.forget)
        ref.key = key
        self.table[key] = ref


def _forgetter(table: Table) -> Callable[[Any], None]:
    def forget(ref: KeyedRef) -> None:
        if table.get(ref.key) is ref:
            del table[ref.key]

    return forget


_serials = count()
_lock = threading.RLock()
_deriving: ContextVar[bool] = ContextVar("deriving", default=False)


@contextmanager
def deriving() -> Iterator[None]:
    """Nodes made inside are derivatives: they run with NumPy's warnings off."""
    token = _deriving.set(True)
    try:
        yield
    finally:
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
    node = _new_node(Node)
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


_new_node = object.__new__
