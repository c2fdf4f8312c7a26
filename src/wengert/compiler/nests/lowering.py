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
from itertools import count
from typing import Any

from wengert.compiler.nests.forms import FORMS
from wengert.compiler.nests.holders import Program, in_array, interleave, of_type, parts
from wengert.compiler.nests.references import (
    Reference,
    in_axes,
    is_whole,
    of_memory,
    of_statement,
    reshaped,
    viewed,
)
from wengert.compiler.nests.statements import (
    Call,
    Edge,
    Guard,
    Literal,
    Memory,
    Statement,
    is_plain,
    squeezed,
    substituted,
)
from wengert.graph.body import Body
from wengert.graph.literals import full, literal
from wengert.graph.node import Node
from wengert.graph.types import BOOL, ArrayType, DType, Shape, TapeType, TupleType
from wengert.graph.walk import topological
from wengert.ops.native import Pointwise, Reduction, Term, View
from wengert.ops.native import Statement as Form

CHEAP = frozenset({"add", "subtract", "multiply", "negative", "square", "convert", "select"})
MOST_REMADE = 4
"""How many operations a shifted read may make anew."""


class Lowering:
    """The statements and calls of a graph, in an order in which they may run.

    memories: the buffers. steps: statements and calls. programs: those of bodies. calls: how many
        there are of each.
    program_of: what makes the program of a body, of its outputs, parameters and threads.
    threads: as many at most run a loop, or that of a body which is called once.
    """

    def __init__(
        self,
        outputs: Sequence[Node],
        inputs: Sequence[Node],
        program_of: Callable[[Sequence[Node], Sequence[Node], int], Program],
        threads: int = 1,
    ) -> None:
        self._program_of = program_of
        self.threads = threads
        self.programs: list[Program] = []
        self.calls: list[int] = []
        self._numbers: dict[tuple[Body, int], int] = {}
        self.steps: list[Statement | Call] = []
        self.buffers: list[Memory] = []
        self.references: dict[Node, Reference] = {}
        self._remade: dict[Any, Statement] = {}
        self._whole: dict[int, Reference] = {}
        self._shifted: dict[Node, int] = {}
        self._reads: dict[int, int] = {}
        places = count()
        for node in inputs:
            given = tuple(
                of_type(Memory("input", next(places), *in_array(type)), type)
                for type in parts(node.type)
            )
            self.references[node] = given if isinstance(node.type, TupleType) else given[0]
        order = topological(outputs, stop=self.references)
        for node in order:
            if node.op.name in ("index", "embed"):
                self._shifted[node.args[0]] = self._shifted.get(node.args[0], 0) + 1
        for node in order:
            self.references[node] = found = self._lower(node)
            if isinstance(found, Reference) and isinstance(found.source, Statement):
                reads = self._reads.get(found.source.id, 1)
                self._reads[found.source.id] = max(reads, self._shifted.get(node, 1))
        places = count()
        for node in outputs:
            found = self.references[node]
            for ref, type in zip(
                found if isinstance(found, tuple) else (found,), parts(node.type), strict=True
            ):
                self._deliver(next(places), ref, type)
        interleave(self)

    # ------------------------------------------------------------------------ by the native slot

    def _lower(self, node: Node) -> Reference:
        native = node.op.native
        if not isinstance(node.type, ArrayType):
            return FORMS[native.name](self, node)
        if node.op is full:
            return self.literal(literal(node), node.dtype, node.shape)
        if node.size == 0:
            return self.literal(0, node.dtype, node.shape)
        if isinstance(native, View):
            return viewed(self.references[node.args[0]], node.shape, native.place(node))
        if isinstance(native, Pointwise):
            refs = [self.references[arg] for arg in node.args]
            return self.point(node.op.name, native.rule, refs, node.shape, node.dtype)
        if isinstance(native, Reduction):
            axes = node.params[0]
            return self.reduce(
                native.kind, self.references[node.args[0]], axes, node.shape, node.dtype
            )
        assert isinstance(native, Form), f"{node!r} has no native rule"
        return FORMS[native.name](self, node)

    def literal(self, value: Any, dtype: DType, shape: Shape) -> Reference:
        return Reference(Literal(value, dtype), shape, dtype)

    def new(
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

    def point(
        self, name: str, rule: Any, refs: Sequence[Reference], shape: Shape, dtype: DType
    ) -> Reference:
        extents, axes = squeezed(shape)
        edges = [self.edge(ref, extents, axes) for ref in refs]
        statement = self.new("point", (name, rule), edges, extents, dtype)
        return of_statement(statement, shape, axes)

    def reduce(
        self, kind: str, ref: Reference, reduced: Sequence[int], shape: Shape, dtype: DType
    ) -> Reference:
        if 0 in ref.shape:
            neutral = {"sum": 0, "prod": 1, "any": False, "all": True}
            return self.literal(neutral[kind], dtype, shape)
        if kind in ("any", "all") and ref.dtype != BOOL:
            ref = self.point(*_TRUTH, [ref], ref.shape, BOOL)
        extents, axes = squeezed(ref.shape)
        kept = tuple(k for k, axis in enumerate(axes) if axis not in reduced)
        edge = self.edge(ref, extents, axes)
        if len(kept) == len(axes):
            statement = self.new("point", _SAME, [edge], extents, dtype)
        else:
            statement = self.new("reduce", kind, [edge], extents, dtype, kept)
        return of_statement(statement, shape, squeezed(shape)[1])

    # ------------------------------------------------------------------------------------ edges

    def edge(self, ref: Reference, extents: Shape, axes: Sequence[int]) -> Edge:
        """The edge of a statement over `extents`, which are those axes of the reference."""
        numbers = {axis: k for k, axis in enumerate(axes)}
        renumber = tuple(
            Term(0, ((numbers[a], 1),)) if a in numbers else Term() for a in range(len(ref.shape))
        )
        return self.read(in_axes(Edge(ref.source, ref.terms, ref.guards), renumber), extents)

    def read(self, edge: Edge, extents: Shape) -> Edge:
        """An edge that a statement over these extents can read: anything but a plain one on a
        statement is made anew, if that is cheap, or stored and read from memory."""
        source = edge.source
        if not isinstance(source, Statement) or is_plain(edge, extents):
            return edge
        if self._cheap(source) * self._reads.get(source.id, 1) <= MOST_REMADE:
            return _here(self._remake(source, edge, extents), extents, edge.guards)
        of = self._derived(source)
        if of is not None:
            return _here(self._remake(source, edge, extents, of), extents, edge.guards)
        return self._in_memory(edge)

    def _in_memory(self, edge: Edge) -> Edge:
        """The edge, reading from memory what a statement makes."""
        source = edge.source
        assert isinstance(source, Statement)
        whole = self.in_memory(of_statement(source, source.result_shape, None))
        return Edge(whole.source, (substituted(whole.terms[0], edge.terms),), edge.guards)

    def _derived(self, statement: Statement) -> Statement | None:
        """The one value that a cheap operation is done on: stored in its stead, since several such
        may read it, as 2 r and −8 r where r is a residual."""
        if statement.kind != "point" or statement.rule[0] not in CHEAP:
            return None
        of = [edge for edge in statement.args if not isinstance(edge.source, Literal)]
        if len(of) != 1 or not isinstance(of[0].source, Statement) or of[0].guards:
            return None
        source = of[0].source
        return source if is_plain(of[0], statement.shape) and source.kind == "point" else None

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
        self, source: Statement, reading: Edge, extents: Shape, stored: Statement | None = None
    ) -> Statement:
        """The statement over another space, whose axes its own are terms in; from memories, and
        from a value that is stored."""
        terms, guards = reading.terms, reading.guards
        key = (source.id, terms, guards, extents)
        known = self._remade.get(key)
        if known is not None:
            return known
        if source.kind == "iota":
            remade = self.new("iota", terms[0], [], extents, source.dtype)
        else:
            edges = []
            for edge in source.args:
                moved = in_axes(edge, terms)
                within = Edge(moved.source, moved.terms, (*moved.guards, *guards))
                if isinstance(edge.source, Memory):
                    moved = within
                elif edge.source is stored:
                    moved = self._in_memory(within)
                elif isinstance(edge.source, Statement) and not is_plain(moved, extents):
                    inner = self._remake(edge.source, within, extents)
                    moved = _here(inner, extents, moved.guards)
                edges.append(moved)
            remade = self.new("point", source.rule, edges, extents, source.dtype)
        self._remade[key] = remade
        return remade

    # ----------------------------------------------------------------------------------- memory

    def buffer(self, dtype: DType, size: int) -> Memory:
        """A new buffer."""
        memory = Memory("buffer", len(self.buffers), dtype, size)
        self.buffers.append(memory)
        return memory

    def in_memory(self, ref: Reference) -> Reference:
        """The reference, to memory that holds all of its elements in C order."""
        if isinstance(ref.source, Memory) and not ref.guards:
            if ref.terms[0] == of_memory(ref.source, ref.shape).terms[0]:
                return ref
        whole = is_whole(ref)
        if whole:
            assert isinstance(ref.source, Statement)
            known = self._whole.get(ref.source.id)
            if known is not None:
                return reshaped(known, ref.shape)
        memory = self.buffer(ref.dtype, math.prod(ref.shape))
        found = of_memory(memory, ref.shape)
        self.store(ref, memory, found.terms[0])
        if whole:
            assert isinstance(ref.source, Statement)
            self._whole[ref.source.id] = found
        return found

    def program(self, body: Body, threads: int) -> tuple[int, Program]:
        """The program of a body, and its number: the same for equal bodies."""
        number = self._numbers.get((body, threads))
        if number is None:
            number = self._numbers[body, threads] = len(self.programs)
            self.programs.append(self._program_of(body.outputs, body.params, threads))
            self.calls.append(0)
        self.calls[number] += 1
        return number, self.programs[number]

    def store(self, ref: Reference, memory: Memory, place: Term) -> None:
        """Write all elements of a reference; `place` is the flat position, in its axes."""
        self.store_behind([ref], memory, place, False)

    def store_behind(
        self, refs: Sequence[Reference], memory: Memory, place: Term, apart: bool
    ) -> None:
        """Write all elements of references of one shape, each right behind that of the one before;
        `apart` where no other writer of the memory writes there."""
        extents, axes = squeezed(refs[0].shape)
        if 0 in extents:
            return
        numbers = {axis: k for k, axis in enumerate(axes)}
        edges = [self.edge(ref, extents, axes) for ref in refs]
        statement = self.new("store", None, edges, extents, memory.dtype)
        statement.target = memory
        statement.apart = apart
        statement.place = Term(
            place.offset, tuple((numbers[a], step) for a, step in place.axes if a in numbers)
        )
        memory.writers.append(statement)

    def _deliver(self, k: int, ref: Reference, type: ArrayType | TapeType) -> None:
        """Write output k. A buffer that holds just that becomes the output itself."""
        source = ref.source
        dtype, size = in_array(type)
        whole = of_type(Memory("output", k, dtype, size), type)
        if isinstance(source, Memory) and source.where == "buffer" and not ref.guards:
            if source.size == size and ref.terms == whole.terms:
                source.where, source.index = "output", k
                return
        if isinstance(type, TapeType):
            raise AssertionError(f"output {k} is a tape that is given away twice")
        assert isinstance(whole.source, Memory)
        self.store(ref, whole.source, whole.terms[0])


def _here(statement: Statement, extents: Shape, guards: tuple[Guard, ...]) -> Edge:
    """A statement read at the reader's own position."""
    return Edge(statement, tuple(Term(0, ((axis, 1),)) for axis in range(len(extents))), guards)


_SAME = ("same", lambda ins, out, x: x)
_TRUTH = ("truth", lambda ins, out, x: ins[0].truth(x))
