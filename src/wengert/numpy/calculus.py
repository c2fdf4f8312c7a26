"""Differences, numerical gradients and integrals, and the unwrapping of phases."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.graph.types import BOOL, FLOAT
from wengert.numpy.dispatch import all_axes, implements, nodes, one_axis
from wengert.numpy.reductions import ABSENT
from wengert.ops.arithmetic import add, convert, divide, multiply, negative, subtract
from wengert.ops.complex import absolute
from wengert.ops.leaves import stop_gradient
from wengert.ops.logic import equal, greater, less, logical_and, not_equal
from wengert.ops.movement import broadcast_to, concatenate, index, reshape
from wengert.ops.reductions import along, cumsum
from wengert.ops.reductions import sum as total
from wengert.ops.rounding import remainder
from wengert.ops.selection import common_dtype, select
from wengert.tracing.lifting import is_traced, lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer


def part(x: Node, axis: int, start: int, end: int = 0) -> Node:
    """x[start : extent + end] along an axis."""
    return index(x, along(x.shape, axis, start, max(0, x.shape[axis] + end - start)))


def weak(value: float) -> Node:
    """A number that takes the dtype of what it meets, as a Python float does."""
    return full(value, FLOAT, (), True)


# ------------------------------------------------------------------------------ differences


def joined(parts: list[Node], axis: int) -> Node:
    """np.concatenate, in the common dtype."""
    dtype = parts[0].dtype
    for other in parts[1:]:
        dtype = common_dtype(full(0, dtype).type, other.type)
    return concatenate(*[convert(node, dtype) for node in parts], axis=axis)


def step(x: Node, axis: int) -> Node:
    """x[1:] − x[:-1] along an axis; for booleans, where they differ."""
    op = not_equal if x.dtype == BOOL else subtract
    return op(part(x, axis, 1), part(x, axis, 0, -1))


@implements(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = ABSENT, append: Any = ABSENT) -> Any:
    n = operator.index(n)
    if n == 0:
        return a
    if n < 0:
        raise WengertValueError(f"order must be non-negative but got {n!r}")
    ends = [value for value in (prepend, append) if value is not ABSENT]
    session, (x, *_) = nodes(a, *ends)
    if not x.ndim:
        raise WengertValueError("diff requires input that is at least one dimensional")
    axis = one_axis(axis, x.ndim)
    single = tuple(1 if k == axis else extent for k, extent in enumerate(x.shape))

    def end(value: Any) -> list[Node]:
        if value is ABSENT:
            return []
        node = lift(value, session)
        return [node if node.ndim else broadcast_to(node, single)]

    x = joined([*end(prepend), x, *end(append)], axis)
    for _ in range(n):
        x = step(x, axis)
    return Tracer(x, session)


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    ends = [value for value in (to_begin, to_end) if value is not None]
    session, (x, *_) = nodes(ary, *ends)
    x = reshape(x, (x.size,))

    def end(value: Any, name: str) -> list[Node]:
        if value is None:
            return []
        node = lift(value, session)
        if not np.can_cast(node.dtype, x.dtype, casting="same_kind"):
            raise WengertTypeError(
                f"dtype of `{name}` must be compatible with input `ary` under the `same_kind` rule."
            )
        return [convert(reshape(node, (node.size,)), x.dtype)]

    parts = [*end(to_begin, "to_begin"), step(x, 0), *end(to_end, "to_end")]
    return Tracer(concatenate(*parts, axis=0), session)


# -------------------------------------------------------------------------------- gradients


def _spacings(
    varargs: tuple[Any, ...], axes: tuple[int, ...], x: Node, session: Session
) -> list[Node]:
    """For each axis the spacing: a scalar node, or the steps between its coordinates."""
    if not varargs:
        return [weak(1.0)] * len(axes)
    if len(varargs) == 1 and np.ndim(varargs[0]) == 0:
        return [lift(varargs[0], session)] * len(axes)
    if len(varargs) != len(axes):
        raise WengertTypeError("invalid number of arguments")
    result = []
    for distances, axis in zip(varargs, axes, strict=True):
        node = lift(distances, session)
        if node.ndim > 1:
            raise WengertValueError("distances must be either scalars or 1d")
        if node.ndim == 1:
            if node.shape[0] != x.shape[axis]:
                raise WengertValueError(
                    "when 1d, distances must match the length of the corresponding dimension"
                )
            steps = None if is_traced(distances) else np.diff(np.asarray(distances, float))
            if steps is not None and steps.size and (steps == steps[0]).all():
                node = lift(steps[0], session)
            else:
                node = step(node if node.dtype.kind in "fc" else convert(node, FLOAT), 0)
        result.append(node)
    return result


def _weighted(x: Node, axis: int, start: int, count: int, weights: tuple[Node, ...]) -> Node:
    """Σ_j w_j x[start + j : start + j + count]."""
    terms = [
        multiply(w, index(x, along(x.shape, axis, start + j, count))) for j, w in enumerate(weights)
    ]
    result = terms[0]
    for term in terms[1:]:
        result = add(result, term)
    return result


def _edge_weights(h: Node, g: Node) -> tuple[Node, Node, Node]:
    """The one-sided derivative of second order at the first of three points, h and g apart.

    That of the parabola through them: −(2h+g)/(h(h+g)), (h+g)/(hg), −h/(g(h+g)).
    """
    both = add(h, g)
    first = divide(add(multiply(weak(2.0), h), g), multiply(h, both))
    second = divide(both, multiply(h, g))
    return negative(first), second, negative(divide(h, multiply(g, both)))


def _gradient_along(x: Node, h: Node, axis: int, edge_order: int) -> Node:
    """Central differences of second order inside, one-sided ones at the edges."""
    n = x.shape[axis]
    if not h.ndim:
        inner = divide(subtract(part(x, axis, 2), part(x, axis, 0, -2)), multiply(weak(2.0), h))
        first_step = last_step = second_step = before_last = h
    else:
        h = reshape(h, tuple(h.size if k == axis else 1 for k in range(x.ndim)))
        a, b = part(h, axis, 0, -1), part(h, axis, 1)
        both = add(a, b)
        weights = (
            divide(negative(b), multiply(a, both)),
            divide(subtract(b, a), multiply(a, b)),
            divide(a, multiply(b, both)),
        )
        inner = _weighted(x, axis, 0, n - 2, weights)
        steps = [index(h, along(h.shape, axis, k, 1)) for k in range(n - 1) if k < 2 or k >= n - 3]
        first_step, last_step = steps[0], steps[-1]
        second_step, before_last = steps[min(1, n - 2)], steps[-min(2, n - 1)]
    if edge_order == 1:
        ends = [
            divide(subtract(part(x, axis, k + 1, k + 2 - n), part(x, axis, k, k + 1 - n)), h_k)
            for k, h_k in ((0, first_step), (n - 2, last_step))
        ]
    else:
        left = _edge_weights(first_step, second_step)
        right = tuple(map(negative, reversed(_edge_weights(last_step, before_last))))
        ends = [_weighted(x, axis, 0, 1, left), _weighted(x, axis, n - 3, 1, right)]
    return joined([ends[0], inner, ends[1]], axis)


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    session, (x, *_) = nodes(f, *varargs)
    if axis is None:
        axes = tuple(range(x.ndim))
    else:
        named = axis if isinstance(axis, tuple | list) else (axis,)
        axes = tuple(one_axis(one, x.ndim) for one in named)
        all_axes(axes, x.ndim)  # refuses the same axis twice
    spacings = _spacings(varargs, axes, x, session)
    if edge_order > 2:
        raise WengertValueError("'edge_order' greater than 2 not supported")
    if x.dtype.kind not in "fc":
        x = convert(x, FLOAT)
    results = []
    for place, h in zip(axes, spacings, strict=True):
        if x.shape[place] < edge_order + 1:
            raise WengertValueError(
                "Shape of array too small to calculate a numerical gradient, at least "
                "(edge_order + 1) elements are required."
            )
        slope = convert(_gradient_along(x, h, place, edge_order), x.dtype)
        results.append(Tracer(slope, session))
    return results[0] if len(results) == 1 else tuple(results)


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    session, (values, *_) = nodes(y, dx, *([] if x is None else [x]))
    axis = one_axis(axis, values.ndim)
    if x is None:
        width = lift(dx, session)
    else:
        places = lift(x, session)
        if places.ndim == 1:
            width = step(places, 0)
            aligned = [1] * values.ndim
            aligned[axis] = width.size
            width = reshape(width, tuple(aligned))
        else:
            width = step(places, axis - values.ndim + places.ndim)
    pairs = add(part(values, axis, 1), part(values, axis, 0, -1))
    areas = divide(multiply(width, pairs), weak(2.0))
    return Tracer(total(areas, (axis,)), session)


@implements(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Any:
    """The corrections are whole multiples of the period: they have no derivative by p."""
    session, (x,) = nodes(p)
    axis = one_axis(axis, x.ndim)
    cycle = lift(period, session)
    dtype = common_dtype(x.type, cycle.type)
    if dtype.kind in "iu":
        half, rest = divmod(period, 2)
        ambiguous = rest == 0
    else:
        half, ambiguous = period / 2, True
    high = lift(half, session)
    low = negative(high)
    steps = stop_gradient(step(x, axis))
    wrapped = add(remainder(subtract(steps, low), cycle), low)
    if ambiguous:  # half a period stays a step up where it was one
        tie = logical_and(equal(wrapped, low), greater(steps, constant(0, steps)))
        wrapped = select(tie, high, wrapped)
    correction = subtract(wrapped, steps)
    jump = lift(period / 2 if discont is None else discont, session)
    small = less(absolute(steps), jump)
    correction = select(small, constant(0, correction), correction)
    rest_of_x = add(part(x, axis, 1), cumsum(correction, axis))
    first = index(x, along(x.shape, axis, 0, 1))
    return Tracer(convert(joined([first, rest_of_x], axis), dtype), session)
