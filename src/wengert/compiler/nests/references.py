"""References: where the elements of a node's value are.

Views compose them: slicing, transposing, broadcasting, splitting an axis are other terms of the
same source. Joining axes is one where the source lies in memory so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from wengert.compiler.nests.statements import (
    Edge,
    Guard,
    Memory,
    Source,
    Statement,
    squeezed,
    strides,
    substituted,
)
from wengert.graph.types import DType, Shape
from wengert.ops.native import Term


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Where the elements of a node's value are: terms and guards in the axes of the node."""

    source: Source
    shape: Shape
    dtype: DType
    terms: tuple[Term, ...] = ()
    guards: tuple[Guard, ...] = ()


def of_memory(memory: Memory, shape: Shape) -> Reference:
    """All of a memory, in C order, with this shape."""
    steps = tuple(
        (axis, step)
        for axis, (step, extent) in enumerate(zip(strides(shape), shape, strict=True))
        if extent != 1
    )
    return Reference(memory, shape, memory.dtype, (Term(0, steps),))


def is_whole(ref: Reference) -> bool:
    """Whether a reference is the result of a statement, all of it, in its order."""
    if not isinstance(ref.source, Statement) or ref.guards:
        return False
    extents, axes = squeezed(ref.shape)
    terms = tuple(Term(0, ((axis, 1),)) for axis in axes)
    return ref.terms == terms and extents == ref.source.result_shape


def of_statement(statement: Statement, shape: Shape, axes: Sequence[int] | None) -> Reference:
    """The result of a statement as a value of `shape`, of which it has the axes `axes`."""
    places = range(len(shape)) if axes is None else axes
    terms = tuple(Term(0, ((axis, 1),)) for axis in places)
    return Reference(statement, shape, statement.dtype, terms)


def in_axes(edge: Edge, terms: tuple[Term, ...]) -> Edge:
    """An edge in axes of a reader, whose own axes are terms in those of another."""
    return Edge(
        edge.source,
        tuple(substituted(term, terms) for term in edge.terms),
        tuple((substituted(at, terms), low, high) for at, low, high in edge.guards),
    )


def viewed(ref: Reference, shape: Shape, place: tuple[Term, ...]) -> Reference:
    moved = in_axes(Edge(ref.source, ref.terms, ref.guards), without_ones(place, shape))
    return Reference(ref.source, shape, ref.dtype, moved.terms, moved.guards)


def without_ones(place: tuple[Term, ...], shape: Shape) -> tuple[Term, ...]:
    """Terms without axes of extent 1, along which the position is 0."""
    return tuple(
        Term(term.offset, tuple((a, s) for a, s in term.axes if shape[a] != 1)) for term in place
    )


def split(old: Shape, new: Shape) -> tuple[Term, ...] | None:
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


def joined(ref: Reference, new: Shape) -> Reference | None:
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


def reshaped(ref: Reference, shape: Shape) -> Reference:
    """A reshape of a reference to memory in C order."""
    assert isinstance(ref.source, Memory)
    offset = ref.terms[0].offset
    plain = of_memory(ref.source, shape).terms[0]
    return Reference(ref.source, shape, ref.dtype, (Term(offset, plain.axes),))
