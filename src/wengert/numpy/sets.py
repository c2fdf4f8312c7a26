"""Arrays as sets: unique values, membership, unions and differences.

The unique values are gathered from the array, so the derivative of each goes to the element that
it is taken from, the first of equal ones. How many there are is forced, which they are is not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.types import BOOL, INT
from wengert.numpy.assigning import fixed_index
from wengert.numpy.dispatch import implements, nodes, one_axis, tracers
from wengert.numpy.indexing import mask_positions
from wengert.numpy.joining import concatenate as joined
from wengert.numpy.shapes import moveaxis
from wengert.numpy.sorting import search, sorted_node
from wengert.ops.arithmetic import convert, subtract
from wengert.ops.gather import gather, scatter_add
from wengert.ops.logic import equal, logical_and, logical_not, not_equal
from wengert.ops.movement import concatenate, index, reshape
from wengert.ops.reductions import along, cumsum
from wengert.ops.reductions import any as any_of
from wengert.ops.rounding import isnan
from wengert.ops.selection import common_dtype, minimum
from wengert.ops.sorting import argsort
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer

# ------------------------------------------------------------------------------- unique


class _Groups:
    """Equal elements of a line, brought together by a stable sort.

    order: the sorting permutation; starts: where, in sorted order, a new value begins;
    positions: the places of these in sorted order.
    """

    __slots__ = ("order", "positions", "session", "size", "starts")

    def __init__(self, order: Node, changed: Node, session: Session) -> None:
        self.order, self.session, self.size = order, session, order.size
        first = full(True, BOOL, (min(1, self.size),))
        self.starts = concatenate(first, changed, axis=0)
        self.positions = mask_positions(Tracer(self.starts, session))

    def first(self) -> Node:
        """Where each value occurs first in the line."""
        return gather(self.order, self.positions, 0)

    def inverse(self) -> Node:
        """Which of the values each element has."""
        number = subtract(cumsum(convert(self.starts, INT), 0), full(1, INT, (self.size,)))
        return scatter_add(number, self.order, 0, self.size)

    def counts(self) -> Node:
        """How often each value occurs."""
        ends = concatenate(self.positions, full(self.size, INT, (1,)), axis=0)
        return subtract(_after(ends), _before(ends))


def _before(x: Node) -> Node:
    return index(x, along(x.shape, 0, 0, x.shape[0] - 1))


def _after(x: Node) -> Node:
    return index(x, along(x.shape, 0, 1, x.shape[0] - 1))


def _groups(line: Node, equal_nan: bool, session: Session) -> _Groups:
    order = argsort(line, 0, "stable")
    ordered = gather(line, order, 0)
    before, after = _before(ordered), _after(ordered)
    changed = not_equal(after, before)
    if equal_nan and line.dtype.kind in "fc":
        changed = logical_and(changed, logical_not(logical_and(isnan(after), isnan(before))))
    return _Groups(order, changed, session)


def _row_groups(rows: Node, session: Session) -> _Groups:
    """Equal rows of a matrix: sorted by the last column first, each sort being stable."""
    size, columns = rows.shape
    order = fixed_index(np.arange(size), session)
    for k in reversed(range(columns)):
        column = reshape(index(rows, ((0, size, 1), (k, 1, 1))), (size,))
        order = gather(order, argsort(gather(column, order, 0), 0, "stable"), 0)
    ordered = gather(rows, order, 0)
    return _Groups(order, any_of(not_equal(_after(ordered), _before(ordered)), (1,)), session)


@implements(np.unique)
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """The values come sorted, which NumPy leaves open where `sorted=False`."""
    (x,) = tracers(ar)
    session = x.session
    if axis is None or x.ndim == 1:
        if axis is not None:
            one_axis(axis, x.ndim)
        line = reshape(x.node, (x.size,))
        groups = _groups(line, equal_nan, session)
        values = Tracer(gather(line, groups.first(), 0), session)
    else:
        axis = one_axis(axis, x.ndim)
        turned = moveaxis(x, axis, 0).node
        extent = turned.shape[0]
        groups = _row_groups(reshape(turned, (extent, turned.size // max(extent, 1))), session)
        values = moveaxis(Tracer(gather(turned, groups.first(), 0), session), 0, axis)
    results = [values]
    if return_index:
        results.append(Tracer(groups.first(), session))
    if return_inverse:
        inverse = groups.inverse()
        inverse = reshape(inverse, x.shape) if axis is None else inverse
        results.append(Tracer(inverse, session))
    if return_counts:
        results.append(Tracer(groups.counts(), session))
    return results[0] if len(results) == 1 else tuple(results)


_EMPTY = np.empty(0)
_ALL, _COUNTS, _INVERSE = (
    type(function(_EMPTY)) for function in (np.unique_all, np.unique_counts, np.unique_inverse)
)


@implements(np.unique_all)
def unique_all(x: Any) -> Any:
    return _ALL(*unique(x, True, True, True, equal_nan=False))


@implements(np.unique_counts)
def unique_counts(x: Any) -> Any:
    return _COUNTS(*unique(x, return_counts=True, equal_nan=False))


@implements(np.unique_inverse)
def unique_inverse(x: Any) -> Any:
    return _INVERSE(*unique(x, return_inverse=True, equal_nan=False))


@implements(np.unique_values)
def unique_values(x: Any) -> Any:
    return unique(x, equal_nan=False)


# --------------------------------------------------------------------------- membership


def _member(element: Node, test: Node, invert: bool) -> Node:
    """Which elements occur among `test`: a binary search in the sorted values."""
    test = reshape(test, (test.size,))
    if not test.size:
        return full(invert, BOOL, element.shape)
    dtype = common_dtype(element.type, test.type)
    element, test = convert(element, dtype), sorted_node(convert(test, dtype), 0)
    place = search(test, element, "left")
    place = minimum(place, full(test.size - 1, INT))
    found = equal(gather(test, place, 0), element)
    return logical_not(found) if invert else found


@implements(np.isin)
def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Any = None,
) -> Any:
    session, (x, test) = nodes(element, test_elements)
    return Tracer(_member(x, test, bool(invert)), session)


# ----------------------------------------------------------------------- sets of values


def _picked(x: Tracer, keep: Node) -> Tracer:
    return x[Tracer(keep, x.session)]


@implements(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Any:
    return unique(joined((ar1, ar2), axis=None))


@implements(np.intersect1d)
def intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    a, b = (Tracer(reshape(x.node, (x.size,)), x.session) for x in tracers(ar1, ar2))
    session = a.session
    firsts = []
    if not assume_unique:
        (a, first_a), (b, first_b) = (unique(x, return_index=True) for x in (a, b))
        firsts = [first_a.node, first_b.node]
    both = joined((a, b)).node
    order = argsort(both, 0, "stable")
    ordered = gather(both, order, 0)
    twice = mask_positions(Tracer(equal(_after(ordered), _before(ordered)), session))
    values = Tracer(gather(ordered, twice, 0), session)
    if not return_indices:
        return values
    in_a = gather(_before(order), twice, 0)
    in_b = subtract(gather(_after(order), twice, 0), full(a.size, INT, twice.shape))
    if firsts:
        in_a, in_b = (gather(first, k, 0) for first, k in zip(firsts, (in_a, in_b), strict=True))
    return values, Tracer(in_a, session), Tracer(in_b, session)


@implements(np.setdiff1d)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    a, b = tracers(ar1, ar2)
    line = Tracer(reshape(a.node, (a.size,)), a.session) if assume_unique else unique(a)
    return _picked(line, _member(line.node, b.node, invert=True))


@implements(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    a, b = tracers(ar1, ar2)
    if not assume_unique:
        a, b = unique(a), unique(b)
    ordered = Tracer(sorted_node(joined((a, b), axis=None).node, 0), a.session)
    line = ordered.node
    if not line.size:
        return ordered
    changed = not_equal(_after(line), _before(line))
    end = full(True, BOOL, (1,))
    first, last = concatenate(end, changed, axis=0), concatenate(changed, end, axis=0)
    return _picked(ordered, logical_and(first, last))
