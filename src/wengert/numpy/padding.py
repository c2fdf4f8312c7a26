"""np.pad in all its modes.

Padding with a constant is one node; the modes that repeat elements (edge, reflect, symmetric, wrap)
are one gather an axis, whose index is NumPy's own padding of 0, 1, …, n − 1. The others compute the
two blocks and join them, axis after axis: a later axis pads what the earlier ones have made.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.literals import full, literal
from wengert.graph.node import Node
from wengert.graph.registry import FUNCTIONS
from wengert.numpy.assigning import cast_to, fixed_index
from wengert.numpy.dispatch import concrete, implements, nodes
from wengert.numpy.shapes import moveaxis
from wengert.ops.arithmetic import add, convert, divide, multiply, subtract
from wengert.ops.gather import gather
from wengert.ops.leaves import iota
from wengert.ops.movement import broadcast_to, concatenate, embed, index, put, reshape
from wengert.ops.reductions import along, flip
from wengert.ops.rounding import floor, rint
from wengert.tracing.lifting import is_traced
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer

Pair = tuple[Any, Any]

_ARGUMENTS = {
    "constant": "constant_values",
    "linear_ramp": "end_values",
    "maximum": "stat_length",
    "mean": "stat_length",
    "median": "stat_length",
    "minimum": "stat_length",
    "reflect": "reflect_type",
    "symmetric": "reflect_type",
    "edge": None,
    "wrap": None,
    "empty": None,
}
_STATISTICS = {"maximum": "max", "minimum": "min", "mean": "mean", "median": "median"}


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    session, (x, *_) = nodes(array, *_traced_values(kwargs))
    widths = _widths(pad_width, x.ndim)
    if callable(mode):
        return _by_function(x, widths, mode, kwargs, session)
    if mode not in _ARGUMENTS:
        raise WengertValueError(f"mode '{mode}' is not supported")
    name = _ARGUMENTS[mode]
    if unknown := set(kwargs) - {name}:
        raise WengertValueError(f"unsupported keyword arguments for mode '{mode}': {unknown}")
    argument = None if name is None else kwargs.get(name)
    if mode == "constant":
        return Tracer(_constant(x, widths, kwargs.get("constant_values", 0), session), session)
    if mode == "empty":
        return Tracer(_constant(x, widths, 0, session), session)
    for axis, pair in enumerate(widths):
        if not x.shape[axis] and any(pair):
            raise WengertValueError(
                f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'"
            )
    if not x.size:
        return Tracer(_constant(x, widths, 0, session), session)
    if mode == "linear_ramp":
        ends = _pairs(kwargs.get("end_values", 0), x.ndim, x, session)
        for axis, pair in enumerate(widths):
            x = _with_ramps(x, axis, pair, ends[axis])
    elif mode in _STATISTICS:
        lengths = [(None, None)] * x.ndim if argument is None else _widths(argument, x.ndim)
        for axis, pair in enumerate(widths):
            x = _with_statistics(x, axis, pair, lengths[axis], mode, session)
    elif argument == "odd":
        for axis, pair in enumerate(widths):
            x = _with_odd_reflection(x, axis, pair, mode == "symmetric")
    else:
        for axis, pair in enumerate(widths):
            if any(pair):
                source = np.pad(np.arange(x.shape[axis]), pair, mode)
                x = gather(x, fixed_index(source, session), axis)
    return Tracer(x, session)


# ------------------------------------------------------------------------------ arguments


def _traced_values(kwargs: dict[str, Any]) -> list[Any]:
    return [value for value in kwargs.values() if is_traced(value)]


def _widths(given: Any, ndim: int) -> list[tuple[int, int]]:
    """(before, after) for each axis."""
    if isinstance(given, dict):
        pairs = [(0, 0)] * ndim
        for axis, width in given.items():
            before, after = width if isinstance(width, tuple) else (width, width)
            pairs[axis] = operator.index(before), operator.index(after)
        given = pairs
    widths = concrete(given, "the widths of np.pad") if ndim else np.zeros((0, 2), int)
    if widths.dtype.kind not in "iu":
        raise WengertTypeError("`pad_width` must be of integral type.")
    if (widths < 0).any():
        raise WengertValueError("index can't contain negative values")
    if widths.ndim < 3 and widths.size == 2 and widths.shape != (2, 1):
        widths = widths.reshape(2)
    return [(int(a), int(b)) for a, b in np.broadcast_to(widths, (ndim, 2))]


def _pairs(given: Any, ndim: int, x: Node, session: Session) -> list[tuple[Node, Node]]:
    """The values before and after, for each axis, in the dtype of x."""
    values = cast_to(given, x.dtype, session)
    if values.ndim < 3 and values.size == 2 and values.shape != (2, 1):
        values = reshape(values, (2,))
    wide = broadcast_to(values, (ndim, 2))
    return [(index(wide, (k, 0)), index(wide, (k, 1))) for k in range(ndim)]


# ----------------------------------------------------------------------------------- modes


def _joined(x: Node, axis: int, left: Node, right: Node) -> Node:
    parts = [part for part in (left, x, right) if part.shape[axis]]
    return concatenate(*parts, axis=axis)


def _block(x: Node, axis: int, width: int) -> tuple[int, ...]:
    return (*x.shape[:axis], width, *x.shape[axis + 1 :])


def _constant(x: Node, widths: list[tuple[int, int]], given: Any, session: Session) -> Node:
    values = _pairs(given, x.ndim, x, session)
    flat = [value for pair in values for value in pair]
    if not flat:
        return x
    if all(value is flat[0] for value in flat) and flat[0].op is full:
        place = tuple((a, n, 1) for n, (a, _) in zip(x.shape, widths, strict=True))
        shape = tuple(a + n + b for n, (a, b) in zip(x.shape, widths, strict=True))
        if not literal(flat[0]):
            return embed(x, place, shape)
        return put(full(literal(flat[0]), x.dtype, shape), x, place)
    for axis, ((a, b), (left, right)) in enumerate(zip(widths, values, strict=True)):
        before = broadcast_to(left, _block(x, axis, a))
        x = _joined(x, axis, before, broadcast_to(right, _block(x, axis, b)))
    return x


def _with_ramps(x: Node, axis: int, pair: tuple[int, int], ends: tuple[Node, Node]) -> Node:
    extent = x.shape[axis]
    left = _ramp(x, axis, pair[0], ends[0], 0)
    right = flip(_ramp(x, axis, pair[1], ends[1], extent - 1), axis)
    return _joined(x, axis, left, right)


def _ramp(x: Node, axis: int, width: int, end: Node, edge: int) -> Node:
    """From the end value towards an edge of x, which is not reached."""
    dtype = x.dtype if x.dtype.kind in "fc" else np.dtype(float)
    start, stop = convert(end, dtype), convert(index(x, along(x.shape, axis, edge, 1)), dtype)
    step = divide(subtract(stop, start), full(max(width, 1), dtype))
    shape = [1] * x.ndim
    shape[axis] = width
    ramp = add(multiply(reshape(convert(iota(width), dtype), tuple(shape)), step), start)
    if x.dtype.kind not in "fc":
        ramp = floor(ramp)
    return convert(ramp, x.dtype)


def _with_statistics(
    x: Node, axis: int, pair: tuple[int, int], lengths: Pair, mode: str, session: Session
) -> Node:
    extent = x.shape[axis]
    sizes = [extent if length is None else min(length, extent) for length in lengths]
    if 0 in sizes and mode in ("maximum", "minimum"):
        raise WengertValueError("stat_length of 0 yields no value for padding")
    sides = []
    for start, size, width in ((0, sizes[0], pair[0]), (extent - sizes[1], sizes[1], pair[1])):
        chunk = Tracer(index(x, along(x.shape, axis, start, size)), session)
        value = FUNCTIONS[_STATISTICS[mode]](chunk, axis=axis, keepdims=True).node
        if x.dtype.kind in "iu" and value.dtype.kind == "f":
            value = rint(value)
        sides.append(broadcast_to(convert(value, x.dtype), _block(x, axis, width)))
    return _joined(x, axis, *sides)


def _with_odd_reflection(x: Node, axis: int, pair: tuple[int, int], symmetric: bool) -> Node:
    """Point reflections at the two edges, 2 x_edge − x, as often as it takes to fill the width.

    A reflection cannot be wider than what is reflected: whole periods of what is there already.
    """
    period = x.shape[axis]
    left, right = pair
    if period == 1:  # NumPy repeats a single element
        edges = [broadcast_to(x, _block(x, axis, width)) for width in pair]
        return _joined(x, axis, *edges)
    two = full(2, x.dtype)
    skip = 0 if symmetric else 1
    while left or right:
        extent = x.shape[axis]
        span = (
            extent // period * period if symmetric else (extent - 1) // (period - 1) * (period - 1)
        )
        blocks = []
        for width, start, edge in ((left, None, 0), (right, extent, extent - 1)):
            count = min(span, width)
            first = skip if start is None else extent - skip - count
            chunk = flip(index(x, along(x.shape, axis, first, count)), axis)
            at_edge = index(x, along(x.shape, axis, edge, 1))
            blocks.append(subtract(multiply(two, at_edge), chunk))
        left -= min(span, left)
        right -= min(span, right)
        x = _joined(x, axis, *blocks)
    return x


def _by_function(
    x: Node,
    widths: list[tuple[int, int]],
    function: Callable[..., Any],
    kwargs: dict[str, Any],
    session: Session,
) -> Tracer:
    """The function writes into each padded line, which is a view of the result."""
    padded = Tracer(_constant(x, widths, 0, session), session)
    for axis, pair in enumerate(widths):
        turned = moveaxis(padded, axis, -1)
        for place in np.ndindex(turned.shape[:-1]):
            function(turned[(*place, ...)], pair, axis, kwargs)
    return padded
