"""Reductions: sums, products, extrema and their places, logical ones, traces.

Each is as few nodes as it can be: a sum over axes is one `sum` node, with a `reshape` where
`keepdims` asks for it. The dtypes are NumPy's: small integers and booleans add up in int64 (or
uint64), float32 stays float32. The nan-functions are the same with what is NaN left out; they do
not warn of slices that hold nothing else, which cannot be known while tracing.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.graph.types import BOOL, INT, supported_dtype
from wengert.numpy.dispatch import all_axes, implements, into, nodes, one_axis
from wengert.ops.arithmetic import add, convert, multiply, subtract
from wengert.ops.linalg.systems import diagonal_of_factor
from wengert.ops.logic import logical_and, logical_not, not_equal
from wengert.ops.movement import broadcast_to, index, reshape, transpose
from wengert.ops.reductions import kept, without
from wengert.ops.reductions import sum as total
from wengert.ops.rounding import isnan
from wengert.ops.selection import maximum, minimum, select
from wengert.tracing.lifting import lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer

ABSENT: Any = np._NoValue  # type: ignore[attr-defined]
"""NumPy's own mark of an argument that was not given."""


def given(value: Any, default: Any) -> Any:
    """An optional argument, or its default."""
    return default if value is ABSENT else value


def reduced_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes to reduce, sorted; a 0-d array may name axis 0 or −1, as in NumPy."""
    if ndim == 0 and axis is not None and not isinstance(axis, tuple | list):
        one_axis(axis, 1)
        return ()
    return all_axes(axis, ndim)


class Reduction:
    """The common arguments of a reduction, lifted: what is reduced, over which axes, how it ends.

    where: the elements that take part, as a node of the operand's shape; None is all of them.
    """

    __slots__ = ("axes", "keepdims", "node", "session", "where")

    def __init__(self, a: Any, axis: Any, keepdims: Any, where: Any = True, *others: Any) -> None:
        where = given(where, True)
        self.session: Session
        self.session, (self.node, mask, *_) = nodes(a, where, *others)
        if self.node.type.weak:  # NumPy reduces a Python number to one of its own scalars
            self.node = convert(self.node, self.node.dtype)
        self.axes = reduced_axes(axis, self.node.ndim)
        self.keepdims = bool(given(keepdims, False))
        self.where: Node | None = None
        if where is not True:
            self.where = broadcast_to(convert(mask, BOOL), self.node.shape)

    def skip_nan(self) -> None:
        """Leave out what is NaN."""
        if self.node.dtype.kind in "fc":
            good = logical_not(isnan(self.node))
            self.where = good if self.where is None else logical_and(self.where, good)

    def filled(self, x: Node, value: Any) -> Node:
        """x with a neutral value in place of what is left out."""
        return x if self.where is None else select(self.where, x, constant(value, x))

    def count(self) -> int | Node:
        """How many elements make up a result: a node where that depends on values."""
        if self.where is None:
            return math.prod(self.node.shape[axis] for axis in self.axes)
        return total(convert(self.where, INT), self.axes)

    def kept(self, result: Node) -> Node:
        """The result with axes of extent 1 in place of those reduced."""
        return reshape(result, kept(self.node.shape, self.axes))

    def deliver(self, result: Node, out: Any = None) -> Any:
        """The result as the caller asked for it."""
        if self.keepdims:
            result = self.kept(result)
        return into(Tracer(result, self.session), out)


def widened(x: Node, dtype: Any, what: str) -> Node:
    """The operand in the dtype in which NumPy adds and multiplies: 64 bits for integers."""
    if dtype is not None:
        return convert(x, supported_dtype(dtype, f"the argument dtype of np.{what}"))
    if x.dtype.kind in "bi":
        return convert(x, INT)
    return convert(x, np.uint64) if x.dtype.kind == "u" else x


# ------------------------------------------------------------------------ sums and products


def _sum_like(
    op: str, combine: Callable[[Node, Node], Node], neutral: int, nan: bool = False
) -> Callable[..., Any]:
    """np.sum or np.prod, or the same without what is NaN."""

    def reduce(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = ABSENT,
        initial: Any = ABSENT,
        where: Any = ABSENT,
    ) -> Any:
        run = Reduction(a, axis, keepdims, where, given(initial, neutral))
        if nan:
            run.skip_nan()
        result = find(op)(run.filled(widened(run.node, dtype, op), neutral), run.axes)
        if initial is not ABSENT:
            result = combine(convert(lift(initial, run.session), result.dtype), result)
        return run.deliver(result, out)

    return reduce


implements(np.sum, method=True)(_sum_like("sum", add, 0))
implements(np.prod, method=True)(_sum_like("prod", multiply, 1))
implements(np.nansum)(_sum_like("sum", add, 0, nan=True))
implements(np.nanprod)(_sum_like("prod", multiply, 1, nan=True))


@implements(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    run = Reduction(a, axis, keepdims)
    x = run.node
    hits = x if x.dtype == BOOL else not_equal(x, constant(0, x))
    return run.deliver(total(convert(hits, INT), run.axes))


@implements(np.trace, method=True)
def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
) -> Any:
    session, (x,) = nodes(a)
    if x.ndim < 2:
        raise WengertValueError("diag requires an array of at least two dimensions")
    first, second = one_axis(axis1, x.ndim), one_axis(axis2, x.ndim)
    if first == second:
        raise WengertValueError("axis1 and axis2 cannot be the same")
    picked = diagonal_of(x, operator.index(offset), first, second)
    result = total(widened(picked, dtype, "trace"), (picked.ndim - 1,))
    return into(Tracer(result, session), out)


def diagonal_of(x: Node, offset: int, first: int, second: int) -> Node:
    """The elements (i, i + offset) of two axes as one axis at the end.

    In the two axes flattened they lie `columns + 1` apart: a basic index. The diagonal of a
    Cholesky factor has a cheaper derivative.
    """
    if not offset and (first, second) == (x.ndim - 2, x.ndim - 1):
        known = diagonal_of_factor(x)
        if known is not None:
            return known
    others = [axis for axis in range(x.ndim) if axis not in (first, second)]
    rows, columns = x.shape[first], x.shape[second]
    start = offset if offset >= 0 else -offset * columns
    count = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    turned = transpose(x, (*others, first, second))
    flat = reshape(turned, (*turned.shape[:-2], rows * columns))
    whole = tuple((0, extent, 1) for extent in flat.shape[:-1])
    return index(flat, (*whole, (start, count, columns + 1) if count else (0, 0, 1)))


# ---------------------------------------------------------------------------------- extrema


def _extremum(
    op: str, combine: Callable[[Node, Node], Node], worst: float, nan: bool = False
) -> Callable[..., Any]:
    """np.max or np.min, or the same without what is NaN. Ties share the derivative evenly."""
    ufunc = "maximum" if op == "max" else "minimum"

    def reduce(
        a: Any,
        axis: Any = None,
        out: Any = None,
        keepdims: Any = ABSENT,
        initial: Any = ABSENT,
        where: Any = ABSENT,
    ) -> Any:
        bounded = initial is not ABSENT and initial is not None
        run = Reduction(a, axis, keepdims, where, initial if bounded else 0)
        x = run.node
        if run.where is not None and not bounded:
            raise WengertValueError(
                f"reduction operation '{ufunc}' does not have an identity, so to use a where mask "
                "one has to specify 'initial'"
            )
        shape = without(x.shape, run.axes)
        if not bounded and math.prod(shape) and not x.size:
            raise WengertValueError(
                f"zero-size array to reduction operation {ufunc} which has no identity"
            )
        skips = nan and x.dtype.kind in "fc"
        if skips:
            x = select(isnan(x), constant(worst, x), x)
        if bounded:
            bound = convert(lift(initial, run.session), x.dtype)
            if run.where is not None:
                x = select(run.where, x, bound)
            if not x.size:
                return run.deliver(broadcast_to(bound, shape), out)
            return run.deliver(combine(find(op)(x, run.axes), bound), out)
        result = find(op)(x, run.axes)
        if skips:
            empty = find("all")(isnan(run.node), run.axes)
            result = select(empty, constant(np.nan, result), result)
        return run.deliver(result, out)

    return reduce


implements(np.max, np.amax, method=True)(_extremum("max", maximum, -np.inf))
implements(np.min, np.amin, method=True)(_extremum("min", minimum, np.inf))
implements(np.nanmax)(_extremum("max", maximum, -np.inf, nan=True))
implements(np.nanmin)(_extremum("min", minimum, np.inf, nan=True))


@implements(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = ABSENT) -> Any:
    run = Reduction(a, axis, keepdims)
    if not run.node.size:
        raise WengertValueError(
            "zero-size array to reduction operation maximum which has no identity"
        )
    largest, least = find("max")(run.node, run.axes), find("min")(run.node, run.axes)
    return run.deliver(subtract(largest, least), out)


def _position(op: str) -> Callable[..., Any]:
    """np.argmax and its kin: over one axis, or over the flattened array."""

    def reduce(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = ABSENT) -> Any:
        run = Reduction(a, axis, keepdims)
        x = run.node
        if axis is None or not x.ndim:
            flat, place = reshape(x, (x.size,)), 0
        else:
            flat, place = x, one_axis(axis, x.ndim)
        if not flat.shape[place]:
            raise WengertValueError(f"attempt to get {op} of an empty sequence")
        return run.deliver(find(op)(flat, place), out)

    return reduce


implements(np.argmax, method=True)(_position("argmax"))
implements(np.argmin, method=True)(_position("argmin"))
implements(np.nanargmax)(_position("nanargmax"))
implements(np.nanargmin)(_position("nanargmin"))

# ---------------------------------------------------------------------------------- logical


def _logical(op: str, neutral: bool) -> Callable[..., Any]:
    """np.any or np.all."""

    def reduce(
        a: Any,
        axis: Any = None,
        out: Any = None,
        keepdims: Any = ABSENT,
        *,
        where: Any = ABSENT,
    ) -> Any:
        run = Reduction(a, axis, keepdims, where)
        return run.deliver(find(op)(run.filled(run.node, neutral), run.axes), out)

    return reduce


implements(np.any, method=True)(_logical("any", False))
implements(np.all, method=True)(_logical("all", True))
