"""From a graph of small arrays to operations on their elements.

A node becomes an array of rows, one an element: an int where it has no axes. What moves elements
moves rows, by the same NumPy function; an elementwise op is an operation an element; sums,
products and contractions are chains of them.

    scalarised(outputs, leaves)   the rows of a graph, None where an op is not taken
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain, islice
from operator import attrgetter
from typing import Any

import numpy as np

from wengert.compiler.scalars.instructions import Scalars
from wengert.compiler.scalars.simplifying import SIMPLIFIED
from wengert.compiler.support import emits, reduces
from wengert.graph.literals import literal
from wengert.graph.node import Node
from wengert.graph.op import Op
from wengert.graph.registry import find
from wengert.graph.types import BOOL, ArrayType, DType
from wengert.graph.walk import topological
from wengert.ops.contraction import free
from wengert.ops.movement import as_slices
from wengert.ops.native import COMBINING, Pointwise, Reduction

Rows = Any
"""The rows of a node's elements: an array of ints of its shape; an int where that is ()."""
Apply = Callable[..., int]
Form = Callable[["Scalarising", Node], Rows]
CHAINS = 8
"""A long sum is as many chains of additions, which do not wait for each other, as in NumPy."""


def scalarised(outputs: Sequence[Node], leaves: Sequence[Node]) -> Scalars | None:
    """The rows of a graph and those that store its outputs."""
    found = Scalarising(leaves)
    held, plans = found.held, found.plans
    rows_of = held.__getitem__
    order = topological(outputs, stop=held)
    order.sort(key=_serial)
    for node in order:
        kind = (node.op, node.type, *map(_type, node.args))
        plan = plans.get(kind)
        if plan is None:
            if not _accepted(node):
                return None
            plan = plans[kind] = found.plan(node)
        apply, form = plan
        held[node] = apply(*map(rows_of, node.args)) if form is None else form(found, node)
    for index, node in enumerate(outputs):
        found.rows.store(np.ravel(held[node]).tolist(), index, node.type)
    return found.rows


_serial = attrgetter("serial")
_type = attrgetter("type")


def _accepted(node: Node) -> bool:
    op, native = node.op, node.op.native
    if not isinstance(node.type, ArrayType):
        return False
    types = [arg.type for arg in node.args]
    if not all(isinstance(type, ArrayType) for type in types):
        return False
    dtypes = tuple([type.dtype for type in types])
    if isinstance(native, Pointwise):
        return emits(op, dtypes, node.dtype)
    if isinstance(native, Reduction):
        return reduces(native.kind, dtypes[0])
    if op.name == "contract":
        pair = (node.dtype, node.dtype)
        return all(emits(find(name), pair, node.dtype) for name in ("add", "multiply"))
    return op.name in _FORMS and all(dtype == node.dtype for dtype in dtypes)


class Scalarising:
    """The rows made so far, and those of each node.

    plans: op and types of a node -> (the function that makes the row of a scalar one, or the form).
    """

    def __init__(self, leaves: Sequence[Node]) -> None:
        self.rows = Scalars()
        self.held: dict[Node, Rows] = {}
        self.plans: dict[Any, tuple[Any, Form | None]] = {}
        self._applying: dict[Any, Apply] = {}
        for index, leaf in enumerate(leaves):
            elements = self.rows.input(index, leaf.type)
            shaped = np.array(elements, np.int64).reshape(leaf.shape)
            self.held[leaf] = shaped if leaf.shape else elements[0]

    def plan(self, node: Node) -> tuple[Any, Form | None]:
        """How the rows of nodes of this op and these types are made."""
        form = _FORMS.get(node.op.name)
        if form is not None:
            return None, form
        apply = self.apply(node.op, tuple([arg.dtype for arg in node.args]), node.dtype)
        return (None, partial(_pointwise, apply)) if node.shape else (apply, None)

    def apply(self, op: Op, args: tuple[DType, ...], dtype: DType) -> Apply:
        """The function that makes rows of an op: (rows of the arguments) -> row."""
        key = (op, args, dtype)
        found = self._applying.get(key)
        if found is None:
            code = self.rows.point(op, args, dtype)
            found = self.rows.maker(code)
            if op.name in SIMPLIFIED:
                found = _simplifying(self.rows, code, SIMPLIFIED[op.name], args[-1], found)
            self._applying[key] = found
        return found

    def combine(self, name: str, dtype: DType, rows: Iterable[int]) -> int:
        """A chain of applications of a commutative op to rows, in order; `rows` may be made while
        the chain is, so that what is used soon is made late."""
        apply = self.apply(find(name), (dtype, dtype), dtype)
        total = -1
        for row in rows:
            total = row if total < 0 else apply(total, row)
        return total

    def total(self, name: str, dtype: DType, count: int, rows: Iterable[int]) -> int:
        """The same of `count` rows in any order: in several chains where they are many."""
        if count < CHAINS:
            return self.combine(name, dtype, rows)
        apply = self.apply(find(name), (dtype, dtype), dtype)
        chains: list[int] = []
        given = iter(rows)
        for k, row in enumerate(islice(given, count // CHAINS * CHAINS)):
            if k < CHAINS:
                chains.append(row)
            else:
                chains[k % CHAINS] = apply(chains[k % CHAINS], row)
        while len(chains) > 1:
            chains = list(map(apply, chains[::2], chains[1::2]))
        return self.combine(name, dtype, chain(chains, given))


def _simplifying(
    rows: Scalars, code: int, rule: Callable[..., int | None], dtype: DType, make: Apply
) -> Apply:
    def apply(*args: int) -> int:
        simpler = rule(rows, code, dtype, *args)
        return make(*args) if simpler is None else simpler

    return apply


# ---------------------------------------------------------------------------------------- forms


def _pointwise(apply: Apply, self: Scalarising, node: Node) -> Rows:
    args = [self.held[arg].ravel().tolist() for arg in node.args]
    return np.array(list(map(apply, *args)), np.int64).reshape(node.shape)


def _full(self: Scalarising, node: Node) -> Rows:
    row = self.rows.literal(literal(node), node.dtype)
    return np.full(node.shape, row) if node.shape else row


def _iota(self: Scalarising, node: Node) -> Rows:
    (count,) = node.params
    return np.array([self.rows.literal(k, node.dtype) for k in range(count)], np.int64)


def _moved(self: Scalarising, node: Node) -> Rows:
    """An op that moves elements moves rows."""
    moved = node.op.evaluate(node)(*[self.held[arg] for arg in node.args])
    return moved if node.shape else int(moved)


def _embed(self: Scalarising, node: Node) -> Rows:
    entries, shape = node.params
    rows = np.full(shape, self.rows.literal(0, node.dtype))
    rows[as_slices(entries)] = self.held[node.args[0]]
    return rows


def _reduced(self: Scalarising, node: Node) -> Rows:
    (axes,) = node.params
    kind, arg = node.op.name, node.args[0]
    dtype = BOOL if kind in ("any", "all") else node.dtype
    rows = np.asarray(self.held[arg])
    if arg.dtype != dtype:
        convert = self.apply(find("convert"), (arg.dtype,), dtype)
        rows = np.array([convert(row) for row in rows.ravel().tolist()], np.int64)
        rows = rows.reshape(arg.shape)
    kept = [axis for axis in range(arg.ndim) if axis not in axes]
    count = math.prod(arg.shape[axis] for axis in axes)
    if not count:
        neutral = self.rows.literal(kind in ("prod", "all"), dtype)
        return np.full(node.shape, neutral) if node.shape else neutral
    groups = rows.transpose([*kept, *axes]).reshape(node.size, count).tolist()
    found = [self.total(COMBINING[kind], dtype, count, group) for group in groups]
    return np.array(found, np.int64).reshape(node.shape) if node.shape else found[0]


def _contract(self: Scalarising, node: Node) -> Rows:
    """Products and their sums in turn, for each element of the result."""
    a, b = node.args
    (over_a, over_b), (along_a, along_b) = node.params
    free_a, free_b = free(a.shape, over_a, along_a), free(b.shape, over_b, along_b)
    inner = math.prod(a.shape[axis] for axis in over_a)
    paired = math.prod(a.shape[axis] for axis in along_a)
    left = np.transpose(self.held[a], (*along_a, *free_a, *over_a))
    right = np.transpose(self.held[b], (*along_b, *free_b, *over_b))
    if not inner:
        return np.full(node.shape, self.rows.literal(0, node.dtype))
    times = self.apply(find("multiply"), (node.dtype, node.dtype), node.dtype)
    found = [
        self.total("add", node.dtype, inner, map(times, row, column))
        for rows, columns in zip(
            left.reshape(paired, math.prod(a.shape[k] for k in free_a), inner).tolist(),
            right.reshape(paired, math.prod(b.shape[k] for k in free_b), inner).tolist(),
            strict=True,
        )
        for row in rows
        for column in columns
    ]
    return np.array(found, np.int64).reshape(node.shape) if node.shape else found[0]


_FORMS: dict[str, Form] = {
    "full": _full,
    "iota": _iota,
    "embed": _embed,
    "contract": _contract,
    **dict.fromkeys(("sum", "prod", "max", "min", "any", "all"), _reduced),
    **dict.fromkeys(
        (
            "broadcast_to",
            "reshape",
            "transpose",
            "index",
            "put",
            "concatenate",
            "alias",
            "stop_gradient",
        ),
        _moved,
    ),
}
