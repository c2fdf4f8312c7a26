"""NumPy's functions that write into their argument: put, place, putmask, copyto, fill_diagonal.

A traced array is rebound to what the write makes of it. A plain array cannot hold traced values:
the error says how to make one that can.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import Unsupported, WengertIndexError, WengertTypeError, WengertValueError
from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.graph.registry import FUNCTIONS
from wengert.graph.types import BOOL, INT, DType
from wengert.numpy.dispatch import concrete, implements, nodes, one_axis, refuse_out
from wengert.numpy.indexing import mask_positions
from wengert.ops.arithmetic import convert
from wengert.ops.gather import gather, scatter_put, wrap_index, wrapped
from wengert.ops.logic import not_equal
from wengert.ops.movement import broadcast_to, reshape
from wengert.ops.movement import put as put_node
from wengert.ops.rounding import remainder
from wengert.ops.selection import maximum, minimum, select
from wengert.tracing.lifting import is_traced, lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import METHODS, Tracer
from wengert.tracing.views import assignable, write

# ------------------------------------------------------------------- what is written, and where


def cast_to(values: Any, dtype: DType, session: Session) -> Node:
    """Values that are stored into an array of this dtype.

    As NumPy does it, plain numbers are rounded for an integer array; traced ones are refused, since
    their derivative would be lost.
    """
    node = lift(values, session)
    if not is_traced(values) and dtype.kind in "biu" and node.dtype.kind != "c":
        return convert(node, dtype)
    return assignable(node, dtype)


def fixed_index(array: np.ndarray[Any, Any], session: Session) -> Node:
    """An index array that is known while tracing, as a node."""
    array = np.asarray(array, INT)
    array.flags.writeable = False
    return session.capture(array)


def fixed_indices(values: Any, what: str) -> np.ndarray[Any, Any]:
    """Indices (or a mask) that decide a shape, as an array; traced ones are forced."""
    found = concrete(values, what)
    if not found.size and not isinstance(values, np.ndarray | Tracer):
        return found.astype(INT)
    if found.dtype.kind not in "biu":
        raise WengertIndexError(f"{what} must hold integers or booleans, not {found.dtype}")
    return found


def as_mask(node: Node) -> Node:
    """Where a node is not zero."""
    return node if node.dtype == BOOL else not_equal(node, constant(0, node))


def true_positions(mask: Any, session: Session) -> Node:
    """The flat positions where a mask is true. Of a traced mask, their number is forced."""
    if is_traced(mask):
        return mask_positions(Tracer(as_mask(lift(mask, session)), session))
    return fixed_index(np.flatnonzero(mask), session)


def index_node(indices: Any, extent: int, mode: str, session: Session) -> Node:
    """Integer indices into an axis, non-negative, as `mode` treats those out of range."""
    if mode not in ("raise", "wrap", "clip"):
        raise WengertValueError(f"mode must be one of 'clip', 'raise', or 'wrap' (got {mode!r})")
    if is_traced(indices):
        node = lift(indices, session)
        kind = node.dtype.kind
    else:
        plain = np.asarray(indices)
        kind = plain.dtype.kind if plain.size else "i"
    if kind not in "biu":
        raise WengertTypeError(
            "indices must be integers: cannot cast array data from floating to integer according "
            "to the rule 'safe'; convert them with .astype(int)"
        )
    if not is_traced(indices):
        plain = plain.astype(INT)
        if mode == "raise":
            return fixed_index(wrapped(plain, extent), session)
        plain = plain % max(extent, 1) if mode == "wrap" else np.clip(plain, 0, extent - 1)
        return fixed_index(plain, session)
    node = convert(node, INT)
    if mode == "raise":
        return wrap_index(node, extent)
    if mode == "wrap":
        return remainder(node, constant(max(extent, 1), node))
    return minimum(maximum(node, constant(0, node)), constant(extent - 1, node))


def cycled(values: Node, count: int, session: Session) -> Node:
    """The first `count` of the values, flattened and repeated as often as needed."""
    flat = reshape(values, (values.size,))
    if flat.size == count:
        return flat
    if flat.size == 1:
        return broadcast_to(flat, (count,))
    return gather(flat, fixed_index(np.arange(count) % flat.size, session), 0)


def _target(a: Any) -> Tracer:
    """The array that is written to."""
    if type(a) is not Tracer:
        refuse_out(a)
    return a  # type: ignore[no-any-return]


def _write_flat(x: Tracer, places: Node, values: Node) -> None:
    flat = scatter_put(reshape(x.node, (x.size,)), places, values)
    write(x, reshape(flat, x.shape))


# ----------------------------------------------------------------------------- the functions


@implements(np.put, method=True)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    x = _target(a)
    session, (_, _, values) = nodes(x, ind, v)
    places = index_node(ind, x.size, mode, session)
    if values.size and places.size:
        places = reshape(places, (places.size,))
        _write_flat(x, places, cycled(cast_to(v, x.dtype, session), places.size, session))


@implements(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    x = _target(arr)
    session, (_, where, values) = nodes(x, mask, vals)
    if where.size != x.size:
        raise WengertValueError("place: mask and data must be the same size")
    places = true_positions(mask, session)
    if not places.size:
        return
    if not values.size:
        raise WengertValueError("Cannot insert from an empty array!")
    _write_flat(x, places, cycled(cast_to(vals, x.dtype, session), places.size, session))


@implements(np.putmask)
def putmask(a: Any, /, mask: Any, values: Any) -> None:
    """Where the mask is true, the value at the same flat position, modulo the size of `values`."""
    x = _target(a)
    session, (_, where, given) = nodes(x, mask, values)
    if where.size != x.size:
        raise WengertValueError("putmask: mask and data must be the same size")
    if given.size:
        new = reshape(cycled(cast_to(values, x.dtype, session), x.size, session), x.shape)
        write(x, select(reshape(as_mask(where), x.shape), new, x.node))


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    x = _target(dst)
    _, (_, values, mask) = nodes(x, src, where)
    python = {"b": False, "i": 0, "f": 0.0, "c": 0j}
    given: Any = python[values.dtype.kind] if values.type.weak else values.dtype
    fits = (
        np.result_type(given, x.dtype).kind == x.dtype.kind
        if values.type.weak
        else np.can_cast(given, x.dtype, casting)
    )
    if not fits:
        raise WengertTypeError(
            f"Cannot cast array data from {values.dtype!r} to {x.dtype!r} according to the rule "
            f"{casting!r}"
        )
    new = broadcast_to(assignable(values, x.dtype), x.shape)
    write(x, new if where is True else select(broadcast_to(as_mask(mask), x.shape), new, x.node))


@implements(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    x = _target(arr)
    if axis is None:
        _put_along_axis(FUNCTIONS["ravel"](x), indices, values, 0)
        return
    _put_along_axis(x, indices, values, one_axis(axis, x.ndim))


def _put_along_axis(x: Tracer, indices: Any, values: Any, axis: int) -> None:
    index = indices if isinstance(indices, Tracer) else np.asarray(indices)
    if index.dtype.kind not in "iu":
        raise WengertIndexError("`indices` must be an integer array")
    if index.ndim != x.ndim:
        raise WengertValueError("`indices` and `arr` must have the same number of dimensions")
    key: list[Any] = list(np.ogrid[tuple(slice(extent) for extent in x.shape)])
    key[axis] = index
    x[tuple(key)] = values


@implements(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    x = _target(a)
    session, (node, values) = nodes(x, val)
    if x.ndim < 2:
        raise WengertValueError("array must be at least 2-d")
    end = x.size
    if x.ndim == 2:
        step = x.shape[1] + 1
        if not wrap:
            end = min(end, x.shape[1] ** 2)
    else:
        if len(set(x.shape)) > 1:
            raise WengertValueError("All dimensions of input must be of equal length")
        step = 1 + int(np.cumprod(x.shape[:-1]).sum())
    count = len(range(0, end, step))
    if count and values.size:
        new = cycled(cast_to(val, x.dtype, session), count, session)
        flat = put_node(reshape(node, (x.size,)), new, ((0, count, step),))
        write(x, reshape(flat, x.shape))


def _refuse_resize(x: Tracer, *shape: Any, **options: Any) -> None:
    raise Unsupported(
        "resizing a traced array in place cannot be traced; write x = np.resize(x, shape)"
    )


METHODS["resize"] = _refuse_resize
