"""Spreading: arrays of many small rows become one array an element of the row.

    x of shape (N, 3)   ->   x₀, x₁, x₂ of shape (N,)

A function of a few numbers that is mapped over thousands of instances picks elements of its rows,
joins them, and sums over them. Between operations on whole arrays each of these goes through
memory. Spread, picking and joining are names, sums are additions, and what remains is elementwise
over the instances: one loop, all in registers. (The change from an array of structures to a
structure of arrays.)

In derivatives zeros by structure are left out: of a unit vector that seeds a Jacobian, of what
`embed` leaves empty. They are exact zeros there (see `wengert.ops.linear`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any

import numpy as np

from wengert.graph.literals import full, is_zero, literal, zeros
from wengert.graph.node import Node, deriving, make
from wengert.graph.registry import find
from wengert.graph.types import BOOL, ArrayType, array_type
from wengert.graph.walk import rebuild, topological
from wengert.ops.contraction import free
from wengert.ops.movement import as_slices
from wengert.ops.native import COMBINING, Pointwise, Reduction

LEAST_ROWS, MOST_ELEMENTS = 256, 32
"""Rows that are worth it, and elements of a row at most."""
LEAST_PICKS = 4
"""Picking and joining of elements that make it worth while."""
MOST_NODES = 4_000
"""Operations after spreading, at most."""

Elements = Any
"""The elements of a row, an array of nodes of shape (N,)."""


def spread(outputs: Sequence[Node], inputs: Sequence[Node]) -> list[Node] | None:
    """The outputs by operations on one element of the rows each; None where that does not pay."""
    order = topological(outputs, stop=set(inputs))
    rows = _rows(order)
    if rows is None:
        return None
    found = Spreading(rows, inputs)
    with deriving():
        quietly = copy_context().run  # what belongs to a derivative stays part of one
    for node in order:
        if node not in found.plain:
            quietly(found.put, node) if node.quiet else found.put(node)
        if found.count > MOST_NODES:
            return None
    return [found.whole(node) for node in outputs]


def _rows(order: Sequence[Node]) -> int | None:
    """The number of rows that most arrays of the graph have; None where spreading does not pay."""
    types = [node.type for node in order if isinstance(node.type, ArrayType)]
    if len(types) != len(order):
        return None
    extents = Counter(type.shape[0] for type in types if len(type.shape) > 1)
    if not extents:
        return None
    ((rows, count),) = extents.most_common(1)
    if rows < LEAST_ROWS or 2 * count < sum(extents.values()):
        return None
    if any(type.size > rows * MOST_ELEMENTS for type in types if _has_rows(type, rows)):
        return None
    picks = sum(
        node.op.name in _PICKS and any(_has_rows(each.type, rows) for each in (*node.args, node))
        for node in order
    )
    return rows if picks >= LEAST_PICKS else None


def _has_rows(type: ArrayType, rows: int) -> bool:
    return len(type.shape) > 1 and type.shape[0] == rows


_PICKS = frozenset({"index", "embed", "put", "concatenate"})


class Spreading:
    """The values made so far: as nodes, and as elements.

    rows: N. count: how many nodes were made.
    """

    def __init__(self, rows: int, inputs: Sequence[Node]) -> None:
        self.rows = rows
        self.count = 0
        self.plain: dict[Node, Node] = {node: node for node in inputs}
        self.spread: dict[Node, Elements] = {}
        self._constants: dict[Node, Any] = {}

    # -------------------------------------------------------------------------------- the two forms

    def is_rows(self, node: Node) -> bool:
        """Whether the first axis is that of the rows, and the rows are short."""
        shape = node.shape
        return bool(shape) and shape[0] == self.rows and node.size <= self.rows * MOST_ELEMENTS

    def put(self, node: Node) -> None:
        """Make a node in the form that suits it."""
        if self.is_rows(node):
            rule = _RULES.get(node.op.name)
            native = node.op.native
            if rule is None and isinstance(native, Pointwise):
                rule = _pointwise
            elif rule is None and isinstance(native, Reduction):
                rule = _reduced
            made = None if rule is None else rule(self, node)
            if made is not None:
                self.spread[node] = made
                self.count += made.size
                return
        self.plain[node] = rebuild(node, tuple(map(self.whole, node.args))) if node.args else node
        self.count += 1

    def whole(self, node: Node) -> Node:
        """A node as an array of rows."""
        known = self.plain.get(node)
        if known is None:
            elements = self.spread[node]
            columns = [find("reshape")(e, (self.rows, 1)) for e in elements.ravel()]
            joined = columns[0] if len(columns) == 1 else find("concatenate")(*columns, axis=1)
            known = self.plain[node] = find("reshape")(joined, node.shape)
        return known

    def elements(self, node: Node) -> Elements:
        """A node of rows as its elements, or one without rows as its elements repeated."""
        known = self.spread.get(node)
        if known is None:
            known = self.spread[node] = self._taken_apart(node)
        return known

    def _taken_apart(self, node: Node) -> Elements:
        rows = self.is_rows(node)
        shape = node.shape[1:] if rows else node.shape
        lead = ((0, self.rows, 1),) if rows else ()
        found = np.empty(shape, object)
        constant = self.constant(node)
        if rows and constant is not None and not np.all(constant == constant[:1]):
            constant = None  # as the seed of one row, or a mask of some
        for place in np.ndindex(shape):
            if constant is not None:
                value = constant[(0, *place)] if rows else constant[place]
                found[place] = full(value, node.dtype, (self.rows,))
            else:
                one = find("index")(self.plain[node], (*lead, *place))
                found[place] = one if rows else find("broadcast_to")(one, (self.rows,))
        return found

    def constant(self, node: Node) -> Any:
        """The value of a node that rests on literals alone, where it is small; else None."""
        if node not in self._constants:
            self._constants[node] = None
            if node.op is full:
                self._constants[node] = np.broadcast_to(literal(node), node.shape)
            elif node.op.name == "iota" and node.size <= MOST_ELEMENTS:
                self._constants[node] = np.arange(node.size)
            elif node.args and node.op.family in _FOLDED and self._is_small(node):
                values = [self.constant(arg) for arg in node.args]
                if all(value is not None for value in values):
                    with np.errstate(all="ignore"):
                        self._constants[node] = np.asarray(node.op.evaluate(node)(*values))
        return self._constants[node]

    def _is_small(self, node: Node) -> bool:
        return node.size <= MOST_ELEMENTS * (self.rows if self.is_rows(node) else 1)


_FOLDED = frozenset({"elementwise", "movement"})
"""Families of ops whose results are computed here where they rest on literals alone."""

# --------------------------------------------------------------------------------------- the rules


def _pointwise(s: Spreading, node: Node) -> Elements:
    args = [s.elements(arg) for arg in node.args]
    if any(arg.shape != node.shape[1:] for arg in args):
        return None
    found = np.empty(node.shape[1:], object)
    simple = _STRUCTURAL.get(node.op.name) if node.quiet else None
    if node.op.name == "select":
        simple = _selected
    for place in np.ndindex(found.shape):
        parts = [arg[place] for arg in args]
        known = None if simple is None else simple(*parts)
        found[place] = rebuild(node, tuple(parts)) if known is None else known
    return found


def _added(a: Node, b: Node) -> Node | None:
    return b if is_zero(a) else a if is_zero(b) else None


def _scaled(a: Node, b: Node) -> Node | None:
    """A zero by structure, times anything, is one."""
    if is_zero(a) or is_zero(b):
        return zeros(a.type)
    return None


def _divided(a: Node, b: Node) -> Node | None:
    return a if is_zero(a) else None


def _selected(mask: Node, a: Node, b: Node) -> Node | None:
    if mask.op is full:
        return a if literal(mask) else b
    return None


_STRUCTURAL: dict[str, Callable[..., Node | None]] = {
    "add": _added,
    "subtract": lambda a, b: a if is_zero(b) else None,
    "multiply": _scaled,
    "divide": _divided,
    "negative": lambda a: a if is_zero(a) else None,
}


def _broadcast(s: Spreading, node: Node) -> Elements:
    (x,) = node.args
    shape = node.shape[1:]
    if x.ndim == node.ndim and x.shape[0] == s.rows:
        return np.broadcast_to(s.elements(x), shape)
    if x.ndim == node.ndim:
        if x.shape[0] != 1 or x.size > MOST_ELEMENTS:
            return None
        return np.broadcast_to(s.elements(x)[0], shape)
    if x.size > MOST_ELEMENTS:
        return None
    return np.broadcast_to(s.elements(x), shape)


def _reshaped(s: Spreading, node: Node) -> Elements:
    (x,) = node.args
    return s.elements(x).reshape(node.shape[1:]) if s.is_rows(x) else None


def _transposed(s: Spreading, node: Node) -> Elements:
    axes = node.params[0]
    if axes[0] != 0 or not s.is_rows(node.args[0]):
        return None
    return s.elements(node.args[0]).transpose([axis - 1 for axis in axes[1:]])


def _is_whole(s: Spreading, entries: Sequence[Any]) -> bool:
    return bool(entries) and entries[0] == (0, s.rows, 1)


def _indexed(s: Spreading, node: Node) -> Elements:
    (entries,) = node.params
    if not s.is_rows(node.args[0]) or not _is_whole(s, entries):
        return None
    found = s.elements(node.args[0])[as_slices(entries[1:])]
    return _array(found)


def _array(found: Any) -> Elements:
    """One node as an array without axes."""
    if isinstance(found, Node):
        one = np.empty((), object)
        one[()] = found
        return one
    return found


def _embedded(s: Spreading, node: Node) -> Elements:
    entries, _ = node.params
    if not _is_whole(s, entries):
        return None
    found = np.empty(node.shape[1:], object)
    found.fill(full(0, node.dtype, (s.rows,)))
    found[as_slices(entries[1:])] = _one(s.elements(node.args[0]))
    return found


def _one(found: Elements) -> Any:
    """Elements as they are assigned: an array without axes as what it holds."""
    return found if found.shape else found[()]


def _put(s: Spreading, node: Node) -> Elements:
    base, value = node.args
    (entries,) = node.params
    if not _is_whole(s, entries) or not s.is_rows(base) or not s.is_rows(value):
        return None
    found = np.array(s.elements(base), copy=True)
    found[as_slices(entries[1:])] = _one(s.elements(value))
    return found


def _concatenated(s: Spreading, node: Node) -> Elements:
    (axis,) = node.params
    if axis == 0 or not all(map(s.is_rows, node.args)):
        return None
    return np.concatenate([s.elements(arg) for arg in node.args], axis=axis - 1)


def _reduced(s: Spreading, node: Node) -> Elements:
    (axes,) = node.params
    (x,) = node.args
    if 0 in axes or not s.is_rows(x) or 0 in x.shape:
        return None
    kind = node.op.native.kind
    dtype = BOOL if kind in ("any", "all") else node.dtype
    kept = [axis for axis in range(1, x.ndim) if axis not in axes]
    order = [axis - 1 for axis in (*kept, *axes)]
    parts = s.elements(x).transpose(order).reshape(*node.shape[1:], -1)
    found = np.empty(node.shape[1:], object)
    for place in np.ndindex(found.shape):
        each = [find("convert")(part, dtype) for part in parts[place]]
        found[place] = _combined(COMBINING[kind], each, node.quiet)
    return found


def _combined(name: str, parts: Sequence[Node], quiet: bool) -> Node:
    total = parts[0]
    simple = _STRUCTURAL.get(name) if quiet else None
    for part in parts[1:]:
        known = None if simple is None else simple(total, part)
        total = find(name)(total, part) if known is None else known
    return total


def _contracted(s: Spreading, node: Node) -> Elements:
    """Sums of products within a row, of matrices that each row has or all share."""
    a, b = node.args
    (over_a, over_b), (along_a, along_b) = node.params
    if not along_a or along_a[0] != 0 or along_b[0] != 0:
        return None
    if not s.is_rows(a) or not s.is_rows(b) or node.dtype.kind not in "fc":
        return None
    free_a, free_b = free(a.shape, over_a, along_a), free(b.shape, over_b, along_b)
    inner = math.prod(a.shape[axis] for axis in over_a)
    paired = math.prod(a.shape[axis] for axis in along_a[1:])
    if inner == 0:
        return None

    def turned(x: Node, along: Any, rest: Any, over: Any) -> Elements:
        axes = [axis - 1 for axis in (*along[1:], *rest, *over)]
        count = math.prod(x.shape[axis] for axis in rest)
        return s.elements(x).transpose(axes).reshape(paired, count, inner)

    left, right = turned(a, along_a, free_a, over_a), turned(b, along_b, free_b, over_b)
    found = np.empty((paired, left.shape[1], right.shape[1]), object)
    for p, i, j in np.ndindex(found.shape):
        products = [
            _product(x, y, node.quiet) for x, y in zip(left[p, i], right[p, j], strict=True)
        ]
        found[p, i, j] = _combined("add", products, node.quiet)
    return found.reshape(node.shape[1:])


def _product(x: Node, y: Node, quiet: bool) -> Node:
    known = _scaled(x, y) if quiet else None
    product: Node = find("multiply")(x, y) if known is None else known
    return product


def _gathered(s: Spreading, node: Node) -> Elements:
    """Rows of a table: an element of them is gathered from a column."""
    table, index = node.args
    if node.params[0] != 0 or index.shape != (s.rows,) or table.ndim < 1:
        return None
    plain, at = s.whole(table), s.whole(index)
    found = np.empty(node.shape[1:], object)
    for place in np.ndindex(found.shape):
        column = find("index")(plain, ((0, table.shape[0], 1), *place))
        type = array_type((s.rows,), node.dtype)
        found[place] = make(node.op, (column, at), node.params, type)
    return found


_RULES: dict[str, Callable[[Spreading, Node], Elements]] = {
    "broadcast_to": _broadcast,
    "reshape": _reshaped,
    "transpose": _transposed,
    "index": _indexed,
    "embed": _embedded,
    "put": _put,
    "concatenate": _concatenated,
    "contract": _contracted,
    "gather": _gathered,
}
