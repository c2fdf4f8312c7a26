"""Joining arrays and taking them apart: concatenate, stack, block, insert, delete, split.

However many parts are joined, it is one `concatenate` node, with a `reshape` for each part that
has to gain an axis. The pieces of the split family are basic indices, and views as in NumPy.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from wengert.errors import WengertIndexError, WengertTypeError, WengertValueError
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.registry import FUNCTIONS
from wengert.graph.types import INT, DType, Shape, supported_dtype
from wengert.numpy.assigning import cast_to, fixed_index, fixed_indices
from wengert.numpy.dispatch import fixed_shape, implements, into, nodes, one_axis, tracers
from wengert.ops.arithmetic import convert
from wengert.ops.gather import gather
from wengert.ops.movement import broadcast_to, index, reshape, transpose
from wengert.ops.movement import concatenate as concatenate_node
from wengert.ops.reductions import along
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer

# ------------------------------------------------------------------------------ joining


def strong_dtype(parts: Iterable[Node]) -> DType:
    """The dtype of several arrays joined: a Python number counts as the array it would be."""
    return np.result_type(*{part.dtype for part in parts})


def _sequence(arrays: Any, what: str) -> list[Any]:
    """The arrays to join; of a traced array those along its first axis."""
    found = list(arrays)
    if not found:
        raise WengertValueError(f"need at least one array to {what}")
    return found


def _parts(arrays: Any, out: Any = None, what: str = "concatenate") -> tuple[Session, list[Node]]:
    sequence = _sequence(arrays, what)
    session, lifted = nodes(*sequence, *([] if out is None else [out]))
    return session, lifted[: len(sequence)]


def _join(
    session: Session,
    parts: Sequence[Node],
    axis: int,
    out: Any = None,
    dtype: Any = None,
    casting: Any = "same_kind",
) -> Any:
    """The parts along an axis, in their common dtype or the one asked for."""
    if out is not None and dtype is not None:
        raise WengertTypeError(
            "concatenate() only takes `out` or `dtype` as an argument, but both were provided."
        )
    for k, part in enumerate(parts):
        if not part.shape:
            raise WengertValueError("zero-dimensional arrays cannot be concatenated")
        if part.ndim != parts[0].ndim:
            raise WengertValueError(
                "all the input arrays must have same number of dimensions, but the array at index "
                f"0 has {parts[0].ndim} dimension(s) and the array at index {k} has "
                f"{part.ndim} dimension(s)"
            )
    target = strong_dtype(parts)
    if dtype is not None or out is not None:
        asked = out.dtype if dtype is None else dtype
        target = supported_dtype(asked, "the result of np.concatenate")
        for part in parts:
            if not np.can_cast(part.dtype, target, casting):
                raise WengertTypeError(
                    f"Cannot cast array data from {part.dtype!r} to {target!r} according to the "
                    f"rule {casting!r}"
                )
    converted = [convert(part, target) for part in parts]
    joined = concatenate_node(*converted, axis=one_axis(axis, parts[0].ndim))
    return into(Tracer(joined, session), out)


@implements(np.concatenate)
def concatenate(
    arrays: Any,
    /,
    axis: Any = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: Any = "same_kind",
) -> Any:
    session, parts = _parts(arrays, out)
    if axis is None:
        parts, axis = [reshape(part, (part.size,)) for part in parts], 0
    return _join(session, parts, axis, out, dtype, casting)


FUNCTIONS["concat"] = concatenate


@implements(np.stack)
def stack(
    arrays: Any,
    axis: Any = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: Any = "same_kind",
) -> Any:
    session, parts = _parts(arrays, out, "stack")
    shape = parts[0].shape
    if any(part.shape != shape for part in parts):
        raise WengertValueError("all input arrays must have the same shape")
    axis = one_axis(axis, len(shape) + 1)
    wide = (*shape[:axis], 1, *shape[axis:])
    return _join(session, [reshape(p, wide) for p in parts], axis, out, dtype, casting)


def _widened(parts: Sequence[Node], widen: Callable[[Shape], Shape]) -> list[Node]:
    return [reshape(part, widen(part.shape)) for part in parts]


@implements(np.vstack)
def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    session, parts = _parts(tup)
    rows = _widened(parts, lambda s: s if len(s) > 1 else (1, *(s or (1,))))
    return _join(session, rows, 0, None, dtype, casting)


@implements(np.hstack)
def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    session, parts = _parts(tup)
    wide = _widened(parts, lambda s: s or (1,))
    return _join(session, wide, int(wide[0].ndim > 1), None, dtype, casting)


@implements(np.dstack)
def dstack(tup: Any) -> Any:
    session, parts = _parts(tup)
    deep = _widened(
        parts, lambda s: (1, *(s or (1,)), 1) if len(s) < 2 else (*s, 1) if len(s) == 2 else s
    )
    return _join(session, deep, 2)


@implements(np.column_stack)
def column_stack(tup: Any) -> Any:
    session, parts = _parts(tup)
    return _join(session, _widened(parts, lambda s: s if len(s) > 1 else (*(s or (1,)), 1)), 1)


# -------------------------------------------------------------------------------- block


def _depth(arrays: Any, place: str = "arrays") -> int:
    """How deep the lists are nested, the same for all."""
    if isinstance(arrays, tuple):
        raise WengertTypeError(
            f"{place} is a tuple. Only lists can be used to arrange blocks, and np.block does not "
            "allow implicit conversion from tuple to ndarray."
        )
    if not isinstance(arrays, list):
        return 0
    if not arrays:
        raise WengertValueError(f"List at {place} cannot be empty")
    depths = [_depth(item, f"{place}[{k}]") for k, item in enumerate(arrays)]
    for k, depth in enumerate(depths):
        if depth != depths[0]:
            raise WengertValueError(
                f"List depths are mismatched. First element was at depth {depths[0] + 1}, but "
                f"there is an element at depth {depth + 1} ({place}[{k}])"
            )
    return depths[0] + 1


def _flat(arrays: Any) -> list[Any]:
    if not isinstance(arrays, list):
        return [arrays]
    return [item for part in arrays for item in _flat(part)]


@implements(np.block)
def block(arrays: Any) -> Any:
    """The innermost lists are joined along the last axis, the next ones along the one before."""
    depth = _depth(arrays)
    session, blocks = nodes(*_flat(arrays))
    ndim = max(depth, *(node.ndim for node in blocks))
    dtype = strong_dtype(blocks)
    rest = iter(blocks)

    def build(part: Any, level: int) -> Node:
        if isinstance(part, list):
            inner = [build(item, level - 1) for item in part]
            return concatenate_node(*inner, axis=ndim - level)
        node = next(rest)
        return reshape(convert(node, dtype), (*(1,) * (ndim - node.ndim), *node.shape))

    return Tracer(build(arrays, depth), session)


# ---------------------------------------------------------------- append, insert, delete


@implements(np.append)
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    return concatenate((arr, values), axis=axis)


def _axis_of(x: Node, axis: Any) -> tuple[Node, int]:
    """The array and the axis along which it changes; None flattens."""
    if axis is None:
        return reshape(x, (x.size,)), 0
    return x, one_axis(axis, x.ndim)


def _positions(obj: Any, extent: int, what: str) -> np.ndarray[Any, Any]:
    """A slice, mask, integer or array of integers as known positions."""
    if isinstance(obj, slice):
        return np.arange(*obj.indices(extent), dtype=INT)
    found = fixed_indices(obj, what)
    if found.ndim > 1:
        raise WengertValueError(f"{what} must be one dimensional or scalar")
    return np.flatnonzero(found) if found.dtype.kind == "b" else found


def _check_positions(found: Any, extent: int, highest: int, axis: int) -> None:
    bad = found[(found < -extent) | (found > highest)]
    if bad.size:
        raise WengertIndexError(
            f"index {bad.flat[0]} is out of bounds for axis {axis} with size {extent}"
        )


@implements(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    session, (x, _) = nodes(arr, values)
    x, axis = _axis_of(x, axis)
    extent = x.shape[axis]
    places = _positions(obj, extent, "index array argument obj to insert")
    _check_positions(places, extent, extent, axis)
    new = cast_to(values, x.dtype, session)
    new = reshape(new, (*(1,) * (x.ndim - new.ndim), *new.shape))
    if places.size == 1:
        if not places.ndim:  # a[:, 0, :] = ... broadcasts otherwise than a[:, [0], :] = ...
            order = list(range(1, new.ndim))
            order.insert(axis, 0)
            new = transpose(new, order)
        count = new.shape[axis]
    else:
        count = places.size
    new = broadcast_to(new, (*x.shape[:axis], count, *x.shape[axis + 1 :]))
    at = np.where(places < 0, places + extent, places).reshape(-1)
    if at.size == 1:
        parts = [_piece(x, axis, 0, int(at[0])), new, _piece(x, axis, int(at[0]), extent)]
        kept = [part for part in parts if part.shape[axis]] or [new]
        return Tracer(concatenate_node(*kept, axis=axis), session)
    places = at.copy()
    places[at.argsort(kind="stable")] += np.arange(count)
    source = np.empty(extent + count, INT)
    old = np.ones(extent + count, bool)
    old[places] = False
    source[places] = extent + np.arange(count)
    source[old] = np.arange(extent)
    both = concatenate_node(x, new, axis=axis)
    return Tracer(gather(both, fixed_index(source, session), axis), session)


def _piece(x: Node, axis: int, start: int, stop: int) -> Node:
    return index(x, along(x.shape, axis, start, stop - start))


@implements(np.delete)
def delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    session, (x, *_) = nodes(arr, *([obj] if isinstance(obj, Tracer) else []))
    x, axis = _axis_of(x, axis)
    extent = x.shape[axis]
    mask = None if isinstance(obj, slice) else fixed_indices(obj, "argument obj of np.delete")
    if mask is not None and mask.dtype.kind == "b":
        if mask.shape != (extent,):
            raise WengertValueError(
                "boolean array argument obj to delete must be one dimensional and match the axis "
                f"length of {extent}"
            )
        keep = ~mask
    else:
        places = _positions(obj, extent, "index array argument obj to delete")
        _check_positions(places, extent, extent - 1, axis)
        keep = np.ones(extent, bool)
        keep[places] = False
    left = np.flatnonzero(keep)
    gaps = np.flatnonzero(np.diff(left) != 1)
    if gaps.size <= 1:  # at most two runs: slices
        ends = [0, *(int(gap) + 1 for gap in gaps), left.size]
        runs = [
            _piece(x, axis, int(left[a]), int(left[b - 1]) + 1) for a, b in pairwise(ends) if b > a
        ]
        runs = runs or [_piece(x, axis, 0, 0)]
        return Tracer(concatenate_node(*runs, axis=axis), session)
    return Tracer(gather(x, fixed_index(left, session), axis), session)


@implements(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    """The elements over and over again until the new shape is full."""
    session, (x,) = nodes(a)
    shape = fixed_shape(new_shape)
    if any(extent < 0 for extent in shape):
        raise WengertValueError("all elements of `new_shape` must be non-negative")
    size = int(np.prod(shape, dtype=INT))
    if not size or not x.size:
        return Tracer(full(0, x.dtype, shape), session)
    times = -(-size // x.size)
    repeated = broadcast_to(reshape(x, (1, x.size)), (times, x.size))
    flat = reshape(repeated, (times * x.size,))
    return Tracer(reshape(_piece(flat, 0, 0, size), shape), session)


# ---------------------------------------------------------------------------- splitting


@implements(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    (x,) = tracers(ary)
    axis = one_axis(axis, x.ndim)
    try:
        points = [operator.index(point) for point in indices_or_sections]
    except TypeError:
        sections = int(indices_or_sections)
        if sections <= 0:
            raise WengertValueError("number sections must be larger than 0.") from None
        each, extras = divmod(x.shape[axis], sections)
        points = [k * each + min(k, extras) for k in range(1, sections)]
    ends = [0, *points, x.shape[axis]]
    whole = (slice(None),) * axis
    return [x[(*whole, slice(a, b))] for a, b in pairwise(ends)]


@implements(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    (x,) = tracers(ary)
    if not np.ndim(indices_or_sections) and x.shape[one_axis(axis, x.ndim)] % indices_or_sections:
        raise WengertValueError("array split does not result in an equal division")
    return array_split(x, indices_or_sections, axis)


@implements(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    (x,) = tracers(ary)
    if x.ndim < 1:
        raise WengertValueError("hsplit only works on arrays of 1 or more dimensions")
    return split(x, indices_or_sections, int(x.ndim > 1))


@implements(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    (x,) = tracers(ary)
    if x.ndim < 2:
        raise WengertValueError("vsplit only works on arrays of 2 or more dimensions")
    return split(x, indices_or_sections, 0)


@implements(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    (x,) = tracers(ary)
    if x.ndim < 3:
        raise WengertValueError("dsplit only works on arrays of 3 or more dimensions")
    return split(x, indices_or_sections, 2)


def unstack(x: Any, /, *, axis: int = 0) -> Any:
    (x,) = tracers(x)
    if not x.ndim:
        raise WengertValueError("Input array must be at least 1-d.")
    whole = (slice(None),) * one_axis(axis, x.ndim)
    return tuple(x[(*whole, k)] for k in range(x.shape[one_axis(axis, x.ndim)]))


if hasattr(np, "unstack"):  # NumPy 2.1
    implements(np.unstack)(unstack)
