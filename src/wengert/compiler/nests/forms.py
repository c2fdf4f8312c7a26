"""The ops that are lowered in ways of their own, by the names in their records' native slots.

Joining and padding are places in a buffer or guards; gathers and scatters have one term that is not
affine, the index; contractions are sums of products, or calls of BLAS where they are large.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from wengert.compiler.nests import holders, matrices
from wengert.compiler.nests.references import (
    Reference,
    in_axes,
    joined,
    of_memory,
    of_statement,
    reshaped,
    split,
    viewed,
)
from wengert.compiler.nests.statements import (
    Call,
    Edge,
    Guard,
    Literal,
    Memory,
    squeezed,
    strides,
)
from wengert.graph.node import Node
from wengert.graph.types import BOOL, INT, Shape
from wengert.ops.native import Term

if TYPE_CHECKING:
    from wengert.compiler.nests.lowering import Lowering

LEAST_PRODUCT = 48
"""Products of matrices with free extents from here on are left to BLAS."""
MOST_BEHIND = 8
"""Values that are stored right behind one another, element by element, at most: registers."""


def _reshape(lowering: Lowering, node: Node) -> Reference:
    ref = lowering.references[node.args[0]]
    if isinstance(ref.source, Literal) and not ref.guards:
        return Reference(ref.source, node.shape, ref.dtype)
    whole = joined(ref, node.shape)
    if whole is not None:
        return whole
    terms = split(ref.shape, node.shape)
    if terms is None:
        ref = lowering.in_memory(ref)
        return reshaped(ref, node.shape)
    return viewed(ref, node.shape, terms)


def _embed(lowering: Lowering, node: Node) -> Reference:
    """Read by position, zero outside; only steps other than 1 take a buffer."""
    ref = lowering.references[node.args[0]]
    entries, shape = node.params
    if any(not isinstance(e, int) and e[2] != 1 and e[1] > 1 for e in entries):
        base = lowering.literal(0, node.dtype, shape)
        return _written(lowering, base, ref, entries, shape)
    place: list[Term] = []
    guards: list[Guard] = []
    for axis, entry in enumerate(entries):
        start, count = (entry, 1) if isinstance(entry, int) else entry[:2]
        here = Term(0, ((axis, 1),)) if shape[axis] != 1 else Term()
        if not isinstance(entry, int):
            place.append(Term(-start, here.axes) if count != 1 else Term())
        if (start, count) != (0, shape[axis]):
            guards.append((here, start, start + count))
    moved = viewed(ref, shape, tuple(place))
    return Reference(ref.source, shape, ref.dtype, moved.terms, (*moved.guards, *guards))


def _put(lowering: Lowering, node: Node) -> Reference:
    base, value = (lowering.references[arg] for arg in node.args)
    return _written(lowering, base, value, node.params[0], node.shape)


def _written(
    lowering: Lowering, base: Reference, value: Reference, entries: Any, shape: Shape
) -> Reference:
    """A buffer with all of `base` and then `value` where the basic index says."""
    memory = lowering.buffer(base.dtype, math.prod(shape))
    found = of_memory(memory, shape)
    lowering.store(base, memory, found.terms[0])
    place: list[Term] = []
    axis = 0
    for entry in entries:
        if isinstance(entry, int):
            place.append(Term(entry))
        else:
            start, _, step = entry
            place.append(Term(start, ((axis, step),)))
            axis += 1
    flat = strides(shape)
    offset = sum(term.offset * step for term, step in zip(place, flat, strict=True))
    axes = tuple(
        (term.axes[0][0], term.axes[0][1] * step)
        for term, step in zip(place, flat, strict=True)
        if term.axes
    )
    lowering.store(value, memory, Term(offset, axes))
    return found


def _concatenate(lowering: Lowering, node: Node) -> Reference:
    """Each part is stored in its place; parts that are neighbours element by element, together."""
    (axis,) = node.params
    memory = lowering.buffer(node.dtype, node.size)
    found = of_memory(memory, node.shape)
    refs = [lowering.references[arg] for arg in node.args]
    flat = strides(node.shape)
    if 2 <= len(refs) <= MOST_BEHIND and flat[axis] == 1 and {r.shape[axis] for r in refs} == {1}:
        lowering.store_behind(refs, memory, Term(0, tuple(enumerate(flat))), True)
        return found
    start = 0
    for ref in refs:
        place = Term(start * flat[axis], tuple(enumerate(flat)))
        lowering.store_behind([ref], memory, place, True)
        start += ref.shape[axis]
    return found


def _iota(lowering: Lowering, node: Node) -> Reference:
    extents, axes = squeezed(node.shape)
    if not extents:
        return lowering.literal(0, INT, node.shape)
    here = Term(0, ((0, 1),))
    return of_statement(lowering.new("iota", here, [], extents, INT), node.shape, axes)


def _gather(lowering: Lowering, node: Node) -> Reference:
    """The index is the one term that is not affine: a value, times the step of its axis."""
    (axis,) = node.params
    x, index = (lowering.references[arg] for arg in node.args)
    if 0 in x.shape:  # no index is in range: what made the index fails the program
        return lowering.literal(0, node.dtype, node.shape)
    table = lowering.in_memory(x)
    flat = strides(x.shape)
    extents, axes = squeezed(node.shape)
    many = len(index.shape)
    place = tuple(
        (a if a < axis else a + many - 1, step) for a, step in enumerate(flat) if a != axis
    )
    numbers = {a: k for k, a in enumerate(axes)}
    term = Term(0, tuple((numbers[a], step) for a, step in place if a in numbers))
    chosen = _along(lowering, index, axis, extents, axes)
    statement = lowering.new(
        "gather", None, [Edge(table.source, (term,)), chosen], extents, x.dtype
    )
    statement.step = flat[axis]
    return of_statement(statement, node.shape, axes)


def _along(
    lowering: Lowering, index: Reference, axis: int, extents: Shape, axes: Sequence[int]
) -> Edge:
    """The index of a gather or scatter, whose axes are those of the result from `axis` on."""
    numbers = {a: k for k, a in enumerate(axes)}
    renumber = tuple(
        Term(0, ((numbers[axis + k], 1),)) if axis + k in numbers else Term()
        for k in range(len(index.shape))
    )
    return lowering.read(in_axes(Edge(index.source, index.terms, index.guards), renumber), extents)


def _scatter_add(lowering: Lowering, node: Node) -> Reference:
    axis, _ = node.params
    x, index = (lowering.references[arg] for arg in node.args)
    memory = lowering.buffer(node.dtype, node.size)
    found = of_memory(memory, node.shape)
    lowering.store(lowering.literal(0, node.dtype, node.shape), memory, found.terms[0])
    if x.shape and 0 in x.shape:
        return found
    extents, axes = squeezed(x.shape)
    numbers = {a: k for k, a in enumerate(axes)}
    flat = strides(node.shape)
    many = len(index.shape)
    place = tuple(
        (a if a < axis else a + many - 1, step) for a, step in enumerate(flat) if a != axis
    )
    value = lowering.edge(x, extents, axes)
    chosen = _along(lowering, index, axis, extents, axes)
    statement = lowering.new("scatter", None, [value, chosen], extents, node.dtype)
    statement.target = memory
    statement.place = Term(0, tuple((numbers[a], step) for a, step in place if a in numbers))
    statement.step = flat[axis]
    memory.writers.append(statement)
    return found


def _contract(lowering: Lowering, node: Node) -> Reference:
    """Large products of matrices are calls of BLAS; all others are sums of products."""
    a, b = (lowering.references[arg] for arg in node.args)
    over, along = node.params
    free_a = [i for i in range(len(a.shape)) if i not in over[0] and i not in along[0]]
    free_b = [j for j in range(len(b.shape)) if j not in over[1] and j not in along[1]]
    rows = math.prod(a.shape[i] for i in free_a)
    columns = math.prod(b.shape[j] for j in free_b)
    inner = math.prod(a.shape[i] for i in over[0])
    if node.size and not inner:
        return lowering.literal(0, node.dtype, node.shape)
    if min(rows, columns) >= LEAST_PRODUCT and inner >= 8 and node.dtype.kind in "fc":
        sides = ((a, along[0], free_a, over[0]), (b, along[1], free_b, over[1]))
        return _product(lowering, node, sides)
    many, left = len(along[0]), len(free_a)
    place_a = [Term()] * len(a.shape)
    order_b = [*along[1], *free_b, *over[1]]
    rest = list(range(many)) + [many + left + k for k in range(len(free_b))]
    rest += [len(node.shape) + k for k in range(len(over[1]))]
    place_b = [Term()] * len(b.shape)
    for axis, position in zip(order_b, rest, strict=True):
        place_b[axis] = Term(0, ((position, 1),))
    order_a = [*range(many + left), *(len(node.shape) + k for k in range(len(over[0])))]
    for axis, position in zip((*along[0], *free_a, *over[0]), order_a, strict=True):
        place_a[axis] = Term(0, ((position, 1),))
    space = (*node.shape, *(a.shape[i] for i in over[0]))
    left_ref = viewed(a, space, tuple(place_a))
    right_ref = viewed(b, space, tuple(place_b))
    product = lowering.point("multiply", _TIMES, [left_ref, right_ref], space, node.dtype)
    if not over[0]:
        return product
    reduced = range(len(node.shape), len(space))
    kind = "any" if node.dtype == BOOL else "sum"
    return lowering.reduce(kind, product, reduced, node.shape, node.dtype)


def _TIMES(ins: Any, out: Any, x: Any, y: Any) -> Any:
    return out.multiply(x, y)


def _product(lowering: Lowering, node: Node, sides: Any) -> Reference:
    """C = op(A) op(B), or as many as there are paired positions; operands whose axes do not lie as
    a matrix, or as matrices one behind the other, are copied first."""
    memory = lowering.buffer(node.dtype, node.size)
    operands = []
    shapes = []
    count = 1
    for ref, along, free, over in sides:
        count = math.prod(ref.shape[i] for i in along)
        matrix = None if along else _as_matrix(ref, free, over)
        if matrix is None:
            ref = lowering.in_memory(ref)
            matrix = None if along else _as_matrix(ref, free, over)
        if matrix is None:
            order = (*along, *free, *over)
            places = [Term()] * len(ref.shape)
            for position, axis in enumerate(order):
                if ref.shape[axis] != 1:
                    places[axis] = Term(0, ((position, 1),))
            ref = lowering.in_memory(viewed(ref, tuple(ref.shape[i] for i in order), tuple(places)))
            inner = math.prod(ref.shape[len(along) + len(free) :])
            matrix = (math.prod(ref.shape[len(along) : len(along) + len(free)]), inner, inner, 1)
        operands.append(Edge(ref.source, (Term(ref.terms[0].offset),)))
        shapes.append(matrix)
    call = Call("product", operands, [memory], params=(*shapes, count))
    lowering.steps.append(call)
    memory.writers.append(call)  # type: ignore[arg-type]
    return of_memory(memory, node.shape)


def _as_matrix(
    ref: Reference, free: Sequence[int], over: Sequence[int]
) -> tuple[int, int, int, int] | None:
    """(rows, step of rows, columns, step of columns) of a memory, rows being the free axes; None
    where it is not a matrix with one step of 1."""
    if not isinstance(ref.source, Memory) or ref.guards:
        return None
    steps = dict(ref.terms[0].axes)
    found: list[int] = []
    for axes in (free, over):
        group = [(ref.shape[a], steps.get(a, 0)) for a in axes if ref.shape[a] != 1]
        for (_, outer), (extent, inner) in pairwise(group):
            if outer != inner * extent:
                return None
        found += [math.prod(ref.shape[a] for a in axes), group[-1][1] if group else 1]
    rows, row_step, columns, column_step = found
    if rows == 1:
        row_step = columns if column_step == 1 else 1
    if columns == 1:
        column_step = rows if row_step == 1 else 1
    if column_step == 1 and row_step >= columns:
        return rows, row_step, columns, column_step
    if row_step == 1 and column_step >= rows:
        return rows, row_step, columns, column_step
    return None


def _wrap_index(lowering: Lowering, node: Node) -> Reference:
    """Indices from the end are counted from the front; one out of range fails the program."""
    (extent,) = node.params
    wrapped = lowering.point(
        "wrap_index",
        lambda ins, out, i: _wrapped(ins[0], out, i, extent),
        [lowering.references[node.args[0]]],
        node.shape,
        INT,
    )
    held = lowering.point(
        "within",
        lambda ins, out, i: ins[0].let(f"icmp ult {ins[0].type} {i}, {ins[0].const(extent)}"),
        [wrapped],
        node.shape,
        BOOL,
    )
    extents, axes = squeezed(node.shape)
    lowering.new("check", None, [lowering.edge(held, extents, axes)], extents, BOOL)
    inside = lowering.point(
        "clamp",
        lambda ins, out, i: out.maximum(out.minimum(i, out.const(extent - 1)), out.const(0)),
        [wrapped],
        node.shape,
        INT,
    )
    return inside


def _wrapped(own: Any, out: Any, index: Any, extent: int) -> Any:
    if own.dtype.itemsize < 8:
        extend = "sext" if own.dtype.kind == "i" else "zext"
        index = own.let(f"{extend} {own.type} {index} to {out.type}")
    behind = out.add(index, out.const(extent))
    return out.select(out.less(index, out.const(0)), behind, index)


FORMS: dict[str, Callable[[Lowering, Node], Reference]] = {
    "reshape": _reshape,
    "embed": _embed,
    "put": _put,
    "concatenate": _concatenate,
    "iota": _iota,
    "gather": _gather,
    "scatter_add": _scatter_add,
    "contract": _contract,
    "wrap_index": _wrap_index,
    "scan": holders.lower_scan,
    "repeat": holders.lower_repeat,
    "branch": holders.lower_branch,
    "checkpoint": holders.lower_checkpoint,
    "item": holders.lower_item,
    **matrices.FORMS,
}
