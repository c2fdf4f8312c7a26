"""Tiling, repeating, flipping, rolling, rotating, diagonals and triangles.

What is a view in NumPy is a view here, since it is made of basic indices and transposes.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.numpy.assigning import as_mask, fixed_index
from wengert.numpy.dispatch import (
    all_axes,
    concrete,
    fixed_shape,
    implements,
    nodes,
    one_axis,
    tracers,
)
from wengert.numpy.reductions import diagonal_of
from wengert.numpy.shapes import transpose
from wengert.ops.gather import gather
from wengert.ops.linalg.structure import triangle_mask
from wengert.ops.logic import logical_not
from wengert.ops.movement import broadcast_to, concatenate, index, reshape
from wengert.ops.reductions import along, argmax
from wengert.ops.reductions import any as any_of
from wengert.ops.reductions import flip as reversed_along
from wengert.ops.selection import select
from wengert.tracing.tracer import Tracer
from wengert.tracing.views import view

# ---------------------------------------------------------------------- tile and repeat


@implements(np.tile)
def tile(A: Any, reps: Any) -> Any:
    session, (x,) = nodes(A)
    times = fixed_shape(reps)
    if any(count < 0 for count in times):
        raise WengertValueError("negative dimensions are not allowed")
    shape = (*(1,) * (len(times) - x.ndim), *x.shape)
    times = (*(1,) * (len(shape) - len(times)), *times)
    pairs = list(zip(times, shape, strict=True))
    spread = reshape(x, tuple(extent for _, n in pairs for extent in (1, n)))
    repeated = broadcast_to(spread, tuple(extent for pair in pairs for extent in pair))
    return Tracer(reshape(repeated, tuple(count * n for count, n in pairs)), session)


@implements(np.repeat, method=True)
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    session, (x, *_) = nodes(a, *([repeats] if isinstance(repeats, Tracer) else []))
    if axis is None:
        x, axis = reshape(x, (x.size,)), 0
    axis = one_axis(axis, x.ndim)
    extent = x.shape[axis]
    counts = concrete(repeats, "the argument repeats of np.repeat")
    if counts.size != 1:
        source = np.repeat(np.arange(extent), counts)
        return Tracer(gather(x, fixed_index(source, session), axis), session)
    times = int(counts.reshape(()))
    if times < 0:
        raise WengertValueError("repeats may not contain negative values.")
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    single = reshape(x, (*before, extent, 1, *after))
    spread = broadcast_to(single, (*before, extent, times, *after))
    return Tracer(reshape(spread, (*before, extent * times, *after)), session)


# ------------------------------------------------------------------- flip, roll, rotate


@implements(np.flip)
def flip(m: Any, axis: Any = None) -> Any:
    (x,) = tracers(m)
    axes = all_axes(axis, x.ndim)
    return x[tuple(slice(None, None, -1 if k in axes else 1) for k in range(x.ndim))]


@implements(np.fliplr)
def fliplr(m: Any) -> Any:
    (x,) = tracers(m)
    if x.ndim < 2:
        raise WengertValueError("Input must be >= 2-d.")
    return flip(x, 1)


@implements(np.flipud)
def flipud(m: Any) -> Any:
    (x,) = tracers(m)
    if x.ndim < 1:
        raise WengertValueError("Input must be >= 1-d.")
    return flip(x, 0)


@implements(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    session, (x,) = nodes(a)
    by = concrete(shift, "the argument shift of np.roll")
    if axis is None:
        flat = reshape(x, (x.size,))
        return Tracer(reshape(_rolled(flat, int(by.sum()), 0), x.shape), session)
    pairs = np.broadcast(by, np.asarray(axis))
    if pairs.ndim > 1:
        raise WengertValueError("'shift' and 'axis' should be scalars or 1D sequences")
    shifts = dict.fromkeys(range(x.ndim), 0)
    for amount, where in pairs:
        shifts[one_axis(where, x.ndim)] += int(amount)
    for where, amount in shifts.items():
        x = _rolled(x, amount, where)
    return Tracer(x, session)


def _rolled(x: Node, by: int, axis: int) -> Node:
    extent = x.shape[axis]
    by = by % extent if extent else 0
    if not by:
        return x
    last = index(x, along(x.shape, axis, extent - by, by))
    first = index(x, along(x.shape, axis, 0, extent - by))
    return concatenate(last, first, axis=axis)


@implements(np.rot90)
def rot90(m: Any, k: Any = 1, axes: Any = (0, 1)) -> Any:
    (x,) = tracers(m)
    if len(axes) != 2:
        raise WengertValueError("len(axes) must be 2.")
    first, second = (operator.index(axis) for axis in axes)
    if first == second or abs(first - second) == x.ndim:
        raise WengertValueError("Axes must be different.")
    if not all(-x.ndim <= axis < x.ndim for axis in (first, second)):
        raise WengertValueError(f"Axes={axes} out of range for array of ndim={x.ndim}.")
    first, second, turns = first % x.ndim, second % x.ndim, operator.index(k) % 4
    if turns == 0:
        return x[:]
    if turns == 2:
        return flip(x, (first, second))
    order = list(range(x.ndim))
    order[first], order[second] = order[second], order[first]
    if turns == 1:
        return transpose(flip(x, second), order)
    return flip(transpose(x, order), second)


# -------------------------------------------------------------- diagonals and triangles


@implements(np.diagonal, method=True)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """A view that cannot be written to, as in NumPy."""
    (x,) = tracers(a)
    if x.ndim < 2:
        raise WengertValueError("diag requires an array of at least two dimensions")
    first, second = one_axis(axis1, x.ndim), one_axis(axis2, x.ndim)
    if first == second:
        raise WengertValueError("axis1 and axis2 cannot be the same")
    offset = operator.index(offset)
    return view(
        x,
        lambda node: diagonal_of(node, offset, first, second),
        None,
        lambda array: array.diagonal(offset, first, second),
    )


def _triangle(m: Any, k: Any, lower: bool) -> Tracer:
    session, (x,) = nodes(m)
    if not x.ndim:
        raise WengertValueError("a triangle needs an array of at least one dimension")
    k = operator.index(k)
    rows, columns = x.shape[-min(x.ndim, 2)], x.shape[-1]
    keep = triangle_mask(rows, columns, k if lower else k - 1)
    return Tracer(select(keep if lower else logical_not(keep), x, constant(0, x)), session)


@implements(np.tril)
def tril(m: Any, k: Any = 0) -> Any:
    return _triangle(m, k, lower=True)


@implements(np.triu)
def triu(m: Any, k: Any = 0) -> Any:
    return _triangle(m, k, lower=False)


# --------------------------------------------------------------------------- trim_zeros


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """The places of the first and last element that is not zero are forced."""
    (x,) = tracers(filt)
    trim = trim.lower()
    if trim not in ("fb", "bf", "f", "b"):
        raise WengertValueError(f"unexpected character(s) in `trim`: {trim!r}")
    hits = as_mask(x.node)
    empty = not bool(Tracer(any_of(hits, range(x.ndim)), x.session))
    key = [slice(None)] * x.ndim
    for k in all_axes(axis, x.ndim):
        line = any_of(hits, [other for other in range(x.ndim) if other != k])
        start, stop = 0, x.shape[k]
        if empty:
            stop = 0
        else:
            if "f" in trim:
                start = int(Tracer(argmax(line, 0), x.session))
            if "b" in trim:
                stop -= int(Tracer(argmax(reversed_along(line, 0), 0), x.session))
        key[k] = slice(start, stop)
    return x[tuple(key)]
