"""From a graph to statements and calls.

Every node becomes a *reference*: a source (a statement, a memory, a literal), where each element
lies in it, and where there is one at all. Views only compose such references. What must lie in
memory as a whole (an output, the argument of a library call, what is read at other positions than
it is made at) is stored there by a statement of its own, which fuses with what makes it.

A cheap value that is read at shifted positions, as in stencils, is made anew at each of them
instead: `u[1:] - u[:-1]`, read one place on, costs a subtraction and no memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from wengert.compiler.nests.statements import (
    Call,
    Edge,
    Guard,
    Literal,
    Memory,
    Source,
    Statement,
    is_plain,
    squeezed,
    strides,
    substituted,
)
from wengert.graph.literals import full, literal
from wengert.graph.node import Node
from wengert.graph.types import BOOL, INT, DType, Shape
from wengert.graph.walk import topological
from wengert.ops.native import Pointwise, Reduction, Term, View
from wengert.ops.native import Statement as Form

CHEAP = frozenset({"add", "subtract", "multiply", "negative", "square", "convert", "select"})
MOST_REMADE = 4
"""How many operations a shifted read may make anew."""
LEAST_PRODUCT = 48
"""Products of matrices with free extents from here on are left to BLAS."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Where the elements of a node's value are: terms and guards in the axes of the node."""

    source: Source
    shape: Shape
    dtype: DType
    terms: tuple[Term, ...] = ()
    guards: tuple[Guard, ...] = ()


class Lowering:
    """The statements and calls of a graph, in an order in which they may run.

    memories: the buffers. steps: statements and calls.
    """

    def __init__(self, outputs: Sequence[Node], inputs: Sequence[Node]) -> None:
        self.steps: list[Statement | Call] = []
        self.buffers: list[Memory] = []
        self._references: dict[Node, Reference] = {}
        self._remade: dict[Any, Statement] = {}
        self._whole: dict[int, Reference] = {}
        self._shifted: dict[Node, int] = {}
        self._reads: dict[int, int] = {}
        for k, node in enumerate(inputs):
            memory = Memory("input", k, node.dtype, node.size)
            self._references[node] = _of_memory(memory, node.shape)
        order = topological(outputs, stop=self._references)
        for node in order:
            if node.op.name in ("index", "embed"):
                self._shifted[node.args[0]] = self._shifted.get(node.args[0], 0) + 1
        for node in order:
            self._references[node] = found = self._lower(node)
            if isinstance(found.source, Statement):
                reads = self._reads.get(found.source.id, 1)
                self._reads[found.source.id] = max(reads, self._shifted.get(node, 1))
        for k, node in enumerate(outputs):
            self._deliver(k, node)

    # ------------------------------------------------------------------------ by the native slot

    def _lower(self, node: Node) -> Reference:
        native = node.op.native
        if node.op is full:
            return self._literal(literal(node), node.dtype, node.shape)
        if node.size == 0:
            return self._literal(0, node.dtype, node.shape)
        if isinstance(native, View):
            return _viewed(self._references[node.args[0]], node.shape, native.place(node))
        if isinstance(native, Pointwise):
            refs = [self._references[arg] for arg in node.args]
            return self._point(node.op.name, native.rule, refs, node.shape, node.dtype)
        if isinstance(native, Reduction):
            axes = node.params[0]
            return self._reduce(
                native.kind, self._references[node.args[0]], axes, node.shape, node.dtype
            )
        assert isinstance(native, Form), f"{node!r} has no native rule"
        return FORMS[native.name](self, node)

    def _literal(self, value: Any, dtype: DType, shape: Shape) -> Reference:
        return Reference(Literal(value, dtype), shape, dtype)

    def _statement(self, statement: Statement) -> Statement:
        self.steps.append(statement)
        return statement

    def _new(
        self,
        kind: str,
        rule: Any,
        args: list[Edge],
        shape: Shape,
        dtype: DType,
        kept: tuple[int, ...] | None = None,
    ) -> Statement:
        statement = Statement(len(self.steps), kind, rule, args, shape, dtype, kept)
        self.steps.append(statement)
        return statement

    def _point(
        self, name: str, rule: Any, refs: Sequence[Reference], shape: Shape, dtype: DType
    ) -> Reference:
        extents, axes = squeezed(shape)
        edges = [self._edge(ref, extents, axes) for ref in refs]
        statement = self._new("point", (name, rule), edges, extents, dtype)
        return _of_statement(statement, shape, axes)

    def _reduce(
        self, kind: str, ref: Reference, reduced: Sequence[int], shape: Shape, dtype: DType
    ) -> Reference:
        if 0 in ref.shape:
            neutral = {"sum": 0, "prod": 1, "any": False, "all": True}
            return self._literal(neutral[kind], dtype, shape)
        if kind in ("any", "all") and ref.dtype != BOOL:
            ref = self._point(*_TRUTH, [ref], ref.shape, BOOL)
        extents, axes = squeezed(ref.shape)
        kept = tuple(k for k, axis in enumerate(axes) if axis not in reduced)
        edge = self._edge(ref, extents, axes)
        if len(kept) == len(axes):
            statement = self._new("point", _SAME, [edge], extents, dtype)
        else:
            statement = self._new("reduce", kind, [edge], extents, dtype, kept)
        return _of_statement(statement, shape, squeezed(shape)[1])

    # ------------------------------------------------------------------------------------ edges

    def _edge(self, ref: Reference, extents: Shape, axes: Sequence[int]) -> Edge:
        """The edge of a statement over `extents`, which are those axes of the reference."""
        numbers = {axis: k for k, axis in enumerate(axes)}
        renumber = tuple(
            Term(0, ((numbers[a], 1),)) if a in numbers else Term() for a in range(len(ref.shape))
        )
        return self._read(_in_axes(Edge(ref.source, ref.terms, ref.guards), renumber), extents)

    def _read(self, edge: Edge, extents: Shape) -> Edge:
        """An edge that a statement over these extents can read: anything but a plain one on a
        statement is made anew, if that is cheap, or stored and read from memory."""
        source = edge.source
        if not isinstance(source, Statement) or is_plain(edge, extents):
            return edge
        if self._cheap(source) * self._reads.get(source.id, 1) <= MOST_REMADE:
            remade = self._remake(source, edge.terms, edge.guards, extents)
            here = tuple(Term(0, ((axis, 1),)) for axis in range(len(extents)))
            return Edge(remade, here, edge.guards)
        whole = self._in_memory(_of_statement(source, source.result_shape, None))
        flat = substituted(whole.terms[0], edge.terms)
        return Edge(whole.source, (flat,), edge.guards)

    def _cheap(self, statement: Statement) -> int:
        """How many operations it takes to make a value anew from memories."""
        if statement.kind == "iota":
            return 1
        if statement.kind != "point" or statement.rule[0] not in CHEAP:
            return MOST_REMADE + 1
        count = 1
        for edge in statement.args:
            if isinstance(edge.source, Statement):
                count += self._cheap(edge.source)
                if count > MOST_REMADE:
                    break
        return count

    def _remake(
        self, source: Statement, terms: tuple[Term, ...], guards: tuple[Guard, ...], extents: Shape
    ) -> Statement:
        """The statement over another space, whose axes its own are terms in."""
        key = (source.id, terms, guards, extents)
        known = self._remade.get(key)
        if known is not None:
            return known
        if source.kind == "iota":
            remade = self._new("iota", terms[0], [], extents, source.dtype)
        else:
            edges = []
            for edge in source.args:
                moved = _in_axes(edge, terms)
                if isinstance(edge.source, Statement):
                    if not is_plain(moved, extents):
                        within = (*moved.guards, *guards)
                        inner = self._remake(edge.source, moved.terms, within, extents)
                        here = tuple(Term(0, ((axis, 1),)) for axis in range(len(extents)))
                        moved = Edge(inner, here, moved.guards)
                else:
                    moved = Edge(moved.source, moved.terms, (*moved.guards, *guards))
                edges.append(moved)
            remade = self._new("point", source.rule, edges, extents, source.dtype)
        self._remade[key] = remade
        return remade

    # ----------------------------------------------------------------------------------- memory

    def buffer(self, dtype: DType, size: int) -> Memory:
        """A new buffer."""
        memory = Memory("buffer", len(self.buffers), dtype, size)
        self.buffers.append(memory)
        return memory

    def _in_memory(self, ref: Reference) -> Reference:
        """The reference, to memory that holds all of its elements in C order."""
        if isinstance(ref.source, Memory) and not ref.guards:
            if ref.terms[0] == _of_memory(ref.source, ref.shape).terms[0]:
                return ref
        whole = _is_whole(ref)
        if whole:
            assert isinstance(ref.source, Statement)
            known = self._whole.get(ref.source.id)
            if known is not None:
                return _reshaped(known, ref.shape)
        memory = self.buffer(ref.dtype, math.prod(ref.shape))
        found = _of_memory(memory, ref.shape)
        self._store(ref, memory, found.terms[0])
        if whole:
            assert isinstance(ref.source, Statement)
            self._whole[ref.source.id] = found
        return found

    def _store(self, ref: Reference, memory: Memory, place: Term) -> None:
        """Write all elements of a reference; `place` is the flat position, in its axes."""
        extents, axes = squeezed(ref.shape)
        if 0 in extents:
            return
        numbers = {axis: k for k, axis in enumerate(axes)}
        edge = self._edge(ref, extents, axes)
        statement = self._new("store", None, [edge], extents, memory.dtype)
        statement.target = memory
        statement.place = Term(
            place.offset, tuple((numbers[a], step) for a, step in place.axes if a in numbers)
        )
        memory.writers.append(statement)

    def _deliver(self, k: int, node: Node) -> None:
        """Write output k. A buffer that holds just that becomes the output itself."""
        ref = self._references[node]
        source = ref.source
        if isinstance(source, Memory) and source.where == "buffer" and not ref.guards:
            if source.size == node.size and ref.terms == _of_memory(source, node.shape).terms:
                source.where, source.index = "output", k
                return
        memory = Memory("output", k, node.dtype, node.size)
        self._store(ref, memory, _of_memory(memory, node.shape).terms[0])


# ----------------------------------------------------------------------------------- references


_SAME = ("same", lambda ins, out, x: x)
_TRUTH = ("truth", lambda ins, out, x: ins[0].truth(x))


def _of_memory(memory: Memory, shape: Shape) -> Reference:
    """All of a memory, in C order, with this shape."""
    steps = tuple(
        (axis, step)
        for axis, (step, extent) in enumerate(zip(strides(shape), shape, strict=True))
        if extent != 1
    )
    return Reference(memory, shape, memory.dtype, (Term(0, steps),))


def _is_whole(ref: Reference) -> bool:
    """Whether a reference is the result of a statement, all of it, in its order."""
    if not isinstance(ref.source, Statement) or ref.guards:
        return False
    extents, axes = squeezed(ref.shape)
    terms = tuple(Term(0, ((axis, 1),)) for axis in axes)
    return ref.terms == terms and extents == ref.source.result_shape


def _of_statement(statement: Statement, shape: Shape, axes: Sequence[int] | None) -> Reference:
    """The result of a statement as a value of `shape`, of which it has the axes `axes`."""
    places = range(len(shape)) if axes is None else axes
    terms = tuple(Term(0, ((axis, 1),)) for axis in places)
    return Reference(statement, shape, statement.dtype, terms)


def _in_axes(edge: Edge, terms: tuple[Term, ...]) -> Edge:
    """An edge in axes of a reader, whose own axes are terms in those of another."""
    return Edge(
        edge.source,
        tuple(substituted(term, terms) for term in edge.terms),
        tuple((substituted(at, terms), low, high) for at, low, high in edge.guards),
    )


def _viewed(ref: Reference, shape: Shape, place: tuple[Term, ...]) -> Reference:
    moved = _in_axes(Edge(ref.source, ref.terms, ref.guards), _without_ones(place, shape))
    return Reference(ref.source, shape, ref.dtype, moved.terms, moved.guards)


def _without_ones(place: tuple[Term, ...], shape: Shape) -> tuple[Term, ...]:
    """Terms without axes of extent 1, along which the position is 0."""
    return tuple(
        Term(term.offset, tuple((a, s) for a, s in term.axes if shape[a] != 1)) for term in place
    )


def _split(old: Shape, new: Shape) -> tuple[Term, ...] | None:
    """The position along each old axis in the new axes, or None where a reshape joins axes."""
    terms: list[Term] = []
    axes = [axis for axis, extent in enumerate(new) if extent != 1]
    at = 0
    for extent in old:
        if extent == 1:
            terms.append(Term())
            continue
        group: list[int] = []
        size = 1
        while size < extent and at < len(axes):
            group.append(axes[at])
            size *= new[axes[at]]
            at += 1
        if size != extent:
            return None
        inner = strides(tuple(new[a] for a in group))
        terms.append(Term(0, tuple(zip(group, inner, strict=True))))
    return tuple(terms)


def _joined(ref: Reference, new: Shape) -> Reference | None:
    """A reference to memory with a shape that joins axes, where the memory lies so."""
    if not isinstance(ref.source, Memory) or ref.guards:
        return None
    steps = dict(ref.terms[0].axes)
    old = [(extent, steps.get(a, 0)) for a, extent in enumerate(ref.shape) if extent != 1]
    found: list[tuple[int, int]] = []
    at = 0
    for axis, extent in enumerate(new):  # take extents off the old axes from the left
        if extent == 1:
            continue
        taken: list[tuple[int, int]] = []
        size = 1
        while size < extent and at < len(old):
            taken.append(old[at])
            size *= old[at][0]
            at += 1
        if size > extent and size % extent == 0 and len(taken) >= 1:
            rest = size // extent  # the last one is split
            last, step = taken.pop()
            if last % rest:
                return None
            if last != rest:
                taken.append((last // rest, step * rest))
            at -= 1
            old[at] = (rest, step)
        elif size != extent:
            return None
        for (_, outer), (inner_extent, inner) in pairwise(taken):
            if outer != inner * inner_extent:
                return None
        found.append((axis, taken[-1][1]))
    kept = tuple((axis, step) for axis, step in found if step)
    return Reference(ref.source, new, ref.dtype, (Term(ref.terms[0].offset, kept),))


def _reshaped(ref: Reference, shape: Shape) -> Reference:
    """A reshape of a reference to memory in C order."""
    assert isinstance(ref.source, Memory)
    offset = ref.terms[0].offset
    plain = _of_memory(ref.source, shape).terms[0]
    return Reference(ref.source, shape, ref.dtype, (Term(offset, plain.axes),))


# ---------------------------------------------------------------------------------------- forms


def _reshape(self: Lowering, node: Node) -> Reference:
    ref = self._references[node.args[0]]
    if isinstance(ref.source, Literal) and not ref.guards:
        return Reference(ref.source, node.shape, ref.dtype)
    joined = _joined(ref, node.shape)
    if joined is not None:
        return joined
    terms = _split(ref.shape, node.shape)
    if terms is None:
        ref = self._in_memory(ref)
        return _reshaped(ref, node.shape)
    return _viewed(ref, node.shape, terms)


def _embed(self: Lowering, node: Node) -> Reference:
    """Read by position, zero outside; only steps other than 1 take a buffer."""
    ref = self._references[node.args[0]]
    entries, shape = node.params
    if any(not isinstance(e, int) and e[2] != 1 and e[1] > 1 for e in entries):
        base = self._literal(0, node.dtype, shape)
        return self._written(base, ref, entries, shape)
    place: list[Term] = []
    guards: list[Guard] = []
    for axis, entry in enumerate(entries):
        start, count = (entry, 1) if isinstance(entry, int) else entry[:2]
        here = Term(0, ((axis, 1),)) if shape[axis] != 1 else Term()
        if not isinstance(entry, int):
            place.append(Term(-start, here.axes) if count != 1 else Term())
        if (start, count) != (0, shape[axis]):
            guards.append((here, start, start + count))
    moved = _viewed(ref, shape, tuple(place))
    return Reference(ref.source, shape, ref.dtype, moved.terms, (*moved.guards, *guards))


def _put(self: Lowering, node: Node) -> Reference:
    base, value = (self._references[arg] for arg in node.args)
    return self._written(base, value, node.params[0], node.shape)


def _written(
    self: Lowering, base: Reference, value: Reference, entries: Any, shape: Shape
) -> Reference:
    """A buffer with all of `base` and then `value` where the basic index says."""
    memory = self.buffer(base.dtype, math.prod(shape))
    found = _of_memory(memory, shape)
    self._store(base, memory, found.terms[0])
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
    self._store(value, memory, Term(offset, axes))
    return found


Lowering._written = _written  # type: ignore[attr-defined]


def _concatenate(self: Lowering, node: Node) -> Reference:
    (axis,) = node.params
    memory = self.buffer(node.dtype, node.size)
    found = _of_memory(memory, node.shape)
    start = 0
    flat = strides(node.shape)
    for arg in node.args:
        ref = self._references[arg]
        place = Term(start * flat[axis], tuple(enumerate(flat)))
        self._store(ref, memory, place)
        start += arg.shape[axis]
    return found


def _iota(self: Lowering, node: Node) -> Reference:
    extents, axes = squeezed(node.shape)
    if not extents:
        return self._literal(0, INT, node.shape)
    here = Term(0, ((0, 1),))
    return _of_statement(self._new("iota", here, [], extents, INT), node.shape, axes)


def _gather(self: Lowering, node: Node) -> Reference:
    """The index is the one term that is not affine: a value, times the step of its axis."""
    (axis,) = node.params
    x, index = (self._references[arg] for arg in node.args)
    table = self._in_memory(x)
    flat = strides(x.shape)
    extents, axes = squeezed(node.shape)
    many = len(index.shape)
    place = tuple(
        (a if a < axis else a + many - 1, step) for a, step in enumerate(flat) if a != axis
    )
    numbers = {a: k for k, a in enumerate(axes)}
    term = Term(0, tuple((numbers[a], step) for a, step in place if a in numbers))
    chosen = self._along(index, axis, extents, axes)
    statement = self._new("gather", None, [Edge(table.source, (term,)), chosen], extents, x.dtype)
    statement.step = flat[axis]
    return _of_statement(statement, node.shape, axes)


def _along(
    self: Lowering, index: Reference, axis: int, extents: Shape, axes: Sequence[int]
) -> Edge:
    """The index of a gather or scatter, whose axes are those of the result from `axis` on."""
    numbers = {a: k for k, a in enumerate(axes)}
    renumber = tuple(
        Term(0, ((numbers[axis + k], 1),)) if axis + k in numbers else Term()
        for k in range(len(index.shape))
    )
    return self._read(_in_axes(Edge(index.source, index.terms, index.guards), renumber), extents)


Lowering._along = _along  # type: ignore[attr-defined]


def _scatter_add(self: Lowering, node: Node) -> Reference:
    axis, _ = node.params
    x, index = (self._references[arg] for arg in node.args)
    memory = self.buffer(node.dtype, node.size)
    found = _of_memory(memory, node.shape)
    self._store(self._literal(0, node.dtype, node.shape), memory, found.terms[0])
    if x.shape and 0 in x.shape:
        return found
    extents, axes = squeezed(x.shape)
    numbers = {a: k for k, a in enumerate(axes)}
    flat = strides(node.shape)
    many = len(index.shape)
    place = tuple(
        (a if a < axis else a + many - 1, step) for a, step in enumerate(flat) if a != axis
    )
    value = self._edge(x, extents, axes)
    chosen = self._along(index, axis, extents, axes)
    statement = self._new("scatter", None, [value, chosen], extents, node.dtype)
    statement.target = memory
    statement.place = Term(0, tuple((numbers[a], step) for a, step in place if a in numbers))
    statement.step = flat[axis]
    memory.writers.append(statement)
    return found


def _contract(self: Lowering, node: Node) -> Reference:
    """Large products of matrices are calls of BLAS; all others are sums of products."""
    a, b = (self._references[arg] for arg in node.args)
    over, along = node.params
    free_a = [i for i in range(len(a.shape)) if i not in over[0] and i not in along[0]]
    free_b = [j for j in range(len(b.shape)) if j not in over[1] and j not in along[1]]
    rows = math.prod(a.shape[i] for i in free_a)
    columns = math.prod(b.shape[j] for j in free_b)
    inner = math.prod(a.shape[i] for i in over[0])
    if node.size and not inner:
        return self._literal(0, node.dtype, node.shape)
    large = min(rows, columns) >= LEAST_PRODUCT and inner >= 8 and not along[0]
    if large and node.dtype.kind in "fc":
        return _product(self, node, (a, free_a, over[0]), (b, free_b, over[1]))
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
    left_ref = _viewed(a, space, tuple(place_a))
    right_ref = _viewed(b, space, tuple(place_b))
    product = self._point("multiply", _TIMES, [left_ref, right_ref], space, node.dtype)
    if not over[0]:
        return product
    reduced = range(len(node.shape), len(space))
    kind = "any" if node.dtype == BOOL else "sum"
    return self._reduce(kind, product, reduced, node.shape, node.dtype)


def _TIMES(ins: Any, out: Any, x: Any, y: Any) -> Any:
    return out.multiply(x, y)


def _product(self: Lowering, node: Node, left: Any, right: Any) -> Reference:
    """C = op(A) op(B); operands whose axes do not lie as a matrix are copied first."""
    memory = self.buffer(node.dtype, node.size)
    operands = []
    shapes = []
    for ref, free, over in (left, right):
        matrix = _as_matrix(ref, free, over)
        if matrix is None:
            ref = self._in_memory(ref)
            matrix = _as_matrix(ref, free, over)
        if matrix is None:
            places = [Term()] * len(ref.shape)
            for position, axis in enumerate((*free, *over)):
                places[axis] = Term(0, ((position, 1),))
            turned = _viewed(ref, tuple(ref.shape[i] for i in (*free, *over)), tuple(places))
            ref = self._in_memory(turned)
            matrix = _as_matrix(
                ref, list(range(len(free))), list(range(len(free), len(free) + len(over)))
            )
        assert matrix is not None
        operands.append(Edge(ref.source, (Term(ref.terms[0].offset),)))
        shapes.append(matrix)
    call = Call("product", operands, [memory], params=tuple(shapes))
    self.steps.append(call)
    memory.writers.append(call)  # type: ignore[arg-type]
    return _of_memory(memory, node.shape)


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


def _wrap_index(self: Lowering, node: Node) -> Reference:
    """Indices from the end are counted from the front; one out of range fails the program."""
    (extent,) = node.params
    wrapped = self._point(
        "wrap_index",
        lambda ins, out, i: _wrapped(ins[0], out, i, extent),
        [self._references[node.args[0]]],
        node.shape,
        INT,
    )
    held = self._point(
        "within",
        lambda ins, out, i: ins[0].let(f"icmp ult {ins[0].type} {i}, {ins[0].const(extent)}"),
        [wrapped],
        node.shape,
        BOOL,
    )
    extents, axes = squeezed(node.shape)
    self._new("check", None, [self._edge(held, extents, axes)], extents, BOOL)
    inside = self._point(
        "clamp",
        lambda ins, out, i: out.minimum(out.maximum(i, out.const(0)), out.const(extent - 1)),
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
}
