"""The form between graph and loops: statements over iteration spaces.

A statement runs once for each point of its iteration space and yields one element there (or adds
to one, or stores one). Views are not statements: an *edge* from a statement to what it reads says
where the element lies, by one affine term an axis. So there are no transposes, slices or broadcasts
in the compiled code.

Memory is an array that lies in memory as a whole, C-contiguous: an input, an output, or a buffer in
the arena. Its edges have one term, the flat position.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, TypeAlias

from wengert.compiler.lanes import element_type
from wengert.graph.types import DType, Shape
from wengert.ops.native import Term

Guard: TypeAlias = tuple[Term, int, int]
"""(position, low, high): the element is there where low <= position < high, and zero elsewhere."""


class Literal:
    """One value known while compiling."""

    __slots__ = ("dtype", "value")

    def __init__(self, value: Any, dtype: DType) -> None:
        self.value = value
        self.dtype = dtype


class Memory:
    """An array in memory.

    where: "input", "output" or "buffer"; index: which of them.
    writers: the statements and calls that fill it, in order.
    tape: whether it is the handle of a tape, whose rows lie elsewhere.
    row: (memory, offset, step) where its rows lie in those of another one, in bytes.
    """

    __slots__ = ("dtype", "index", "row", "size", "tape", "where", "writers")

    def __init__(self, where: str, index: int, dtype: DType, size: int) -> None:
        self.where = where
        self.index = index
        self.dtype = dtype
        self.size = size
        self.writers: list[Statement | Call] = []
        self.tape = False
        self.row: tuple[Memory, int, int] | None = None

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __repr__(self) -> str:
        return f"{self.where}{self.index}"


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """What a statement reads: an element of `source`.

    terms: the position along each axis of a statement's result, or the one flat position in a
        memory, in axes of the reader.
    guards: where there is an element at all.
    """

    source: Source
    terms: tuple[Term, ...] = ()
    guards: tuple[Guard, ...] = ()


class Statement:
    """One operation over an iteration space.

    kind: "point"    an element from one of each edge, by `rule`
          "reduce"   elements combined over the axes that are not `kept`; `rule` names how
          "gather"   args[0] (a memory) at its flat position plus args[1] times `step`
          "scatter"  args[0] added to `target` at `place` plus args[1] times `step`
          "store"    args[0] written to `target` at `place`, further args right behind it
          "iota"     the position along the only axis
          "check"    args[0], a condition: where it is false the program fails
          "pack"     a tile of args[0] (a memory), transposed into a buffer
    shape: the extents of the iteration space; no extent is 1.
    kept: the axes that the result has.
    classes: the class of each axis, once they are known.
    apart: whether it writes where no other writer of its target does, and so waits for none.
    """

    __slots__ = (
        "apart",
        "args",
        "classes",
        "dtype",
        "id",
        "kept",
        "kind",
        "place",
        "rule",
        "shape",
        "step",
        "target",
    )

    def __init__(
        self,
        id: int,
        kind: str,
        rule: Any,
        args: list[Edge],
        shape: Shape,
        dtype: DType,
        kept: tuple[int, ...] | None = None,
    ) -> None:
        self.id = id
        self.kind = kind
        self.rule = rule
        self.args = args
        self.shape = shape
        self.dtype = dtype
        self.kept = tuple(range(len(shape))) if kept is None else kept
        self.classes: list[int] = []
        self.target: Memory | None = None
        self.place: Term = Term()
        self.step = 0
        self.apart = False

    @property
    def result_shape(self) -> Shape:
        return tuple(self.shape[axis] for axis in self.kept)

    @property
    def result_classes(self) -> list[int]:
        return [self.classes[axis] for axis in self.kept]

    @property
    def reduced_classes(self) -> list[int]:
        return [c for axis, c in enumerate(self.classes) if axis not in self.kept]

    @property
    def points(self) -> int:
        return math.prod(self.shape)

    def before(self) -> Iterator[Statement]:
        """The statements that must have run: those read, the writers of memories read and, for a
        second writer of a memory, the first."""
        for edge in self.args:
            if isinstance(edge.source, Statement):
                yield edge.source
            elif isinstance(edge.source, Memory):
                yield from edge.source.writers
        yield from self.overwritten()

    def overwritten(self) -> Iterator[Statement]:
        """The writers of its target that may have written where it writes."""
        if self.target is not None and not self.apart:
            yield from takewhile(lambda writer: writer is not self, self.target.writers)

    def __repr__(self) -> str:
        rule = self.rule if isinstance(self.rule, str) else ""
        return f"%{self.id} {self.kind} {rule} {self.shape}"


Source: TypeAlias = Statement | Memory | Literal


@dataclass(slots=True)
class Call:
    """A step of its own between loop nests: a product by BLAS, or a loop or branch that the graph
    holds as one op.

    what: what the emission knows it by. args: memories with flat terms. results: memories written.
    work: points computed.
    """

    what: str
    args: list[Edge]
    results: list[Memory]
    params: Any = None
    work: int = 0
    id: int = -1  # no statement has it: a call stands between the loops, not in them


def squeezed(shape: Shape) -> tuple[Shape, list[int]]:
    """(the extents that are not 1, which axes they are)."""
    axes = [axis for axis, extent in enumerate(shape) if extent != 1]
    return tuple(shape[axis] for axis in axes), axes


def strides(shape: Shape) -> list[int]:
    """C-contiguous strides, in elements."""
    found = [1] * len(shape)
    for axis in range(len(shape) - 2, -1, -1):
        found[axis] = found[axis + 1] * shape[axis + 1]
    return found


def substituted(term: Term, terms: tuple[Term, ...]) -> Term:
    """A term in axes, each of which is itself a term in other axes."""
    if not term.axes:
        return term
    offset = term.offset
    steps: dict[int, int] = {}
    for axis, step in term.axes:
        inner = terms[axis]
        offset += step * inner.offset
        for other, inner_step in inner.axes:
            steps[other] = steps.get(other, 0) + step * inner_step
    return Term(offset, tuple((axis, step) for axis, step in steps.items() if step))


def is_plain(edge: Edge, shape: Shape) -> bool:
    """Whether a reader over `shape` reads each element of a statement at its own positions."""
    extents = edge.source.result_shape  # type: ignore[union-attr]
    seen = set()
    for term, extent in zip(edge.terms, extents, strict=True):
        if term.offset or len(term.axes) != 1:
            return False
        axis, step = term.axes[0]
        if step != 1 or shape[axis] != extent or axis in seen:
            return False
        seen.add(axis)
    return True


def memory_type(dtype: DType) -> str:
    """LLVM's type of an element in memory: booleans are bytes; parts of complex numbers."""
    return "i8" if dtype.kind == "b" else element_type(dtype)
