"""Selecting: where, select, choose, piecewise; take, compress and extract; places of non-zeros.

Where a choice is made element by element it is made of `select` nodes, so that the derivative of a
branch not taken is a structural zero. How many elements a traced mask picks is forced, and under
`jit` guarded; which ones is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertIndexError, WengertTypeError, WengertValueError
from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.graph.types import BOOL, INT, DType
from wengert.numpy.assigning import as_mask, index_node, true_positions
from wengert.numpy.creation import zeros_like
from wengert.numpy.dispatch import as_tracer, implements, into, nodes, one_axis, tracers
from wengert.numpy.joining import stack
from wengert.ops.arithmetic import add, convert, multiply
from wengert.ops.gather import gather, unravel, wrap_index, wrapped
from wengert.ops.gather import take_along_axis as take_along_node
from wengert.ops.logic import equal, greater_equal, less, logical_or
from wengert.ops.movement import broadcast_to, reshape
from wengert.ops.reductions import any as any_of
from wengert.ops.rounding import remainder
from wengert.ops.selection import maximum, minimum
from wengert.ops.selection import select as select_node
from wengert.tracing.lifting import find_session, is_traced, lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import METHODS, Tracer
from wengert.tracing.views import own

# --------------------------------------------------------------------- element by element

_PYTHON = {"i": 0, "f": 0.0, "c": 0j}


def weak_dtype(values: Sequence[Node]) -> DType:
    """NumPy's common dtype of values among which Python numbers are weak."""
    return np.result_type(
        *[
            _PYTHON.get(value.dtype.kind, value.dtype) if value.type.weak else value.dtype
            for value in values
        ]
    )


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    if x is None and y is None:
        return nonzero(condition)
    if x is None or y is None:
        raise WengertValueError("either both or neither of x and y should be given")
    session, (mask, a, b) = nodes(condition, x, y)
    dtype = weak_dtype([a, b])
    return own(select_node(mask, convert(a, dtype), convert(b, dtype)), session)


@implements(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    conditions, choices = list(condlist), list(choicelist)
    if len(conditions) != len(choices):
        raise WengertValueError("list of cases must be same length as list of conditions")
    if not conditions:
        raise WengertValueError("select with an empty condition list is not possible")
    session, lifted = nodes(*conditions, *choices, default)
    masks, values = lifted[: len(conditions)], lifted[len(conditions) :]
    for k, mask in enumerate(masks):
        if mask.dtype != BOOL:
            raise WengertTypeError(f"invalid entry {k} in condlist: should be boolean ndarray")
    shape = np.broadcast_shapes(*[node.shape for node in lifted])
    dtype = weak_dtype(values)
    *values, result = [convert(value, dtype) for value in values]
    for mask, value in zip(reversed(masks), reversed(values), strict=True):
        result = select_node(mask, value, result)
    return Tracer(broadcast_to(result, shape), session)


def _in_range(index: Node, extent: int, session: Session) -> bool:
    """Whether all indices are in 0, …, extent − 1; forced, and under `jit` guarded."""
    low, high = less(index, constant(0, index)), greater_equal(index, constant(extent, index))
    return not bool(Tracer(any_of(logical_or(low, high), range(index.ndim)), session))


@implements(np.choose, method=True)
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    options = list(choices)
    session, (picks, *values) = nodes(a, *options, *([] if out is None else [out]))
    values = values[: len(options)]
    if not values:
        raise WengertValueError("need at least one array to choose from")
    if picks.dtype.kind not in "biu":
        raise WengertTypeError("np.choose needs an array of integers to choose by")
    if mode not in ("raise", "wrap", "clip"):
        raise WengertValueError(f"clipmode must be 'clip', 'raise', or 'wrap' (got {mode!r})")
    picks = convert(picks, INT)
    last = len(values) - 1
    if mode == "raise" and not _in_range(picks, len(values), session):
        raise WengertValueError("invalid entry in choice array")
    if mode == "wrap":
        picks = remainder(picks, constant(len(values), picks))
    elif mode == "clip":
        picks = minimum(maximum(picks, constant(0, picks)), constant(last, picks))
    shape = np.broadcast_shapes(picks.shape, *[value.shape for value in values])
    dtype = weak_dtype(values)
    result = convert(values[last], dtype)
    for k in reversed(range(last)):
        result = select_node(equal(picks, constant(k, picks)), convert(values[k], dtype), result)
    return into(Tracer(broadcast_to(result, shape), session), out)


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Each function is called, as by NumPy, with those elements of x that it is for."""
    session = find_session(x, condlist)
    assert session is not None
    values = as_tracer(x, session)
    masks = _conditions(condlist, values.ndim, session)
    functions = list(funclist)
    if len(functions) == len(masks) + 1:
        rest = masks[0]
        for mask in masks[1:]:
            rest = logical_or(rest, mask)
        masks.append(equal(rest, constant(False, rest)))
    elif len(functions) != len(masks):
        raise WengertValueError(
            f"with {len(masks)} condition(s), either {len(masks)} or {len(masks) + 1} functions "
            "are expected"
        )
    result = zeros_like(values)
    for mask, function in zip(masks, functions, strict=True):
        chosen = Tracer(mask, session)
        if not values.ndim:
            if bool(chosen):
                value = function(values[None], *args, **kw) if callable(function) else function
                result[...] = np.reshape(value, ())
        elif not callable(function):
            result[chosen] = function
        else:
            picked = values[chosen]
            if picked.size:
                result[chosen] = function(picked, *args, **kw)
    return result


def _conditions(condlist: Any, ndim: int, session: Session) -> list[Node]:
    """The conditions, of which a single one need not stand in a list."""
    single = not np.ndim(condlist) or (
        ndim and not np.ndim(condlist[0]) and not isinstance(condlist[0], list)
    )
    condlist = [condlist] if single else condlist
    return [as_mask(lift(condition, session)) for condition in condlist]


# ------------------------------------------------------------------------------ by index


def _line(x: Node, axis: Any) -> tuple[Node, int]:
    """The array and the axis to take from; None flattens."""
    if axis is None:
        return reshape(x, (x.size,)), 0
    return x, one_axis(axis, x.ndim)


def _with_out(out: Any) -> list[Any]:
    return [] if out is None else [out]


@implements(np.take, method=True)
def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    session, (x, *_) = nodes(a, *_traced(indices), *_with_out(out))
    x, axis = _line(x, axis)
    if not x.ndim:
        x = reshape(x, (1,))
    if not x.shape[axis] and np.size(indices):
        raise WengertIndexError("cannot do a non-empty take from an empty axes.")
    places = index_node(indices, x.shape[axis], mode, session)
    return into(Tracer(gather(x, places, axis), session), out)


def _traced(value: Any) -> list[Any]:
    return [value] if is_traced(value) else []


@implements(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    session, (x, *_) = nodes(arr, *_traced(indices))
    index = indices if isinstance(indices, Tracer) else np.asarray(indices)
    if index.dtype.kind not in "iu":
        raise WengertIndexError("`indices` must be an integer array")
    if axis is None and index.ndim != 1:
        raise WengertValueError("when axis=None, `indices` must have a single dimension.")
    x, axis = _line(x, axis)
    if index.ndim != x.ndim:
        raise WengertValueError("`indices` and `arr` must have the same number of dimensions")
    places = index_node(index, x.shape[axis], "raise", session)
    others = list(np.broadcast_shapes(_one_at(x.shape, axis), _one_at(places.shape, axis)))
    others[axis] = x.shape[axis]
    return Tracer(take_along_node(broadcast_to(x, tuple(others)), places, axis), session)


def _one_at(shape: Sequence[int], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], 1, *shape[axis + 1 :])


@implements(np.compress)
def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    session, (x, *_) = nodes(a, *_traced(condition), *_with_out(out))
    if np.ndim(condition) != 1:
        raise WengertValueError("condition must be a 1-d array")
    x, axis = _line(x, axis)
    places = _in_bounds(true_positions(condition, session), condition, x.shape[axis], session)
    return into(Tracer(gather(x, places, axis), session), out)


def _compress_method(x: Tracer, condition: Any, axis: Any = None, out: Any = None) -> Any:
    return compress(condition, x, axis, out)


METHODS["compress"] = _compress_method


def _in_bounds(places: Node, mask: Any, extent: int, session: Session) -> Node:
    """The positions where a mask is true, which may be longer than what it is for."""
    if np.size(mask) <= extent:
        return places
    if not is_traced(mask):
        wrapped(np.flatnonzero(mask), extent)
        return places
    return wrap_index(places, extent)


@implements(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    session, (x, *_) = nodes(arr, *_traced(condition))
    places = true_positions(condition, session)
    flat = reshape(x, (x.size,))
    return Tracer(gather(flat, _in_bounds(places, condition, x.size, session), 0), session)


# ----------------------------------------------------------------------- places of non-zeros


@implements(np.nonzero, method=True)
def nonzero(a: Any) -> Any:
    (x,) = tracers(a)
    if not x.ndim:
        raise WengertValueError(
            "Calling nonzero on 0d arrays is not allowed. Use np.atleast_1d(scalar).nonzero() "
            "instead."
        )
    flat = true_positions(x, x.session)
    places = [flat] if x.ndim == 1 else unravel(flat, x.shape)
    return tuple(Tracer(place, x.session) for place in places)


@implements(np.argwhere)
def argwhere(a: Any) -> Any:
    (x,) = tracers(a)
    if not x.ndim:
        return argwhere(Tracer(reshape(x.node, (1,)), x.session))[:, :0]
    return stack(nonzero(x), axis=1)


@implements(np.flatnonzero)
def flatnonzero(a: Any) -> Any:
    (x,) = tracers(a)
    return Tracer(true_positions(x, x.session), x.session)


# --------------------------------------------------------------------- indices of indices


def _strides(dims: Sequence[int], order: str) -> list[int]:
    """How far apart in the flat array neighbours along each axis are."""
    if order not in ("C", "F"):
        raise WengertValueError(f"only 'C' or 'F' order is permitted, not {order!r}")
    ordered = dims if order == "F" else dims[::-1]
    strides = [1]
    for extent in ordered[:-1]:
        strides.append(strides[-1] * extent)
    return strides if order == "F" else strides[::-1]


@implements(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Any:
    parts = list(multi_index)
    session, lifted = nodes(*parts)
    extents = [int(extent) for extent in np.atleast_1d(dims)]
    if len(extents) != len(lifted):
        raise WengertValueError(
            f"parameter multi_index must be a sequence of length {len(extents)}"
        )
    modes = mode if isinstance(mode, tuple) else (mode,) * len(extents)
    flat: Node | None = None
    for part, node, extent, stride, how in zip(
        parts, lifted, extents, _strides(extents, order), modes, strict=True
    ):
        if node.dtype.kind not in "iu":
            raise WengertTypeError("only int indices permitted")
        if how == "raise" and not _in_range(node, extent, session):
            raise WengertValueError("invalid entry in coordinates array")
        place = index_node(part, extent, how, session)
        term = multiply(place, constant(stride, place))
        flat = term if flat is None else add(flat, term)
    assert flat is not None
    return Tracer(flat, session)


@implements(np.unravel_index)
def unravel_index(indices: Any, shape: Any, order: str = "C") -> Any:
    (x,) = tracers(indices)
    extents = tuple(int(extent) for extent in np.atleast_1d(shape))
    if x.dtype.kind not in "iu":
        raise WengertTypeError("only int indices permitted")
    _strides(extents, order)
    if not _in_range(x.node, int(np.prod(extents)), x.session):
        raise WengertValueError(
            f"an index is out of bounds for array with size {int(np.prod(extents))}"
        )
    flat = convert(x.node, INT)
    places = unravel(flat, extents) if order == "C" else unravel(flat, extents[::-1])[::-1]
    return tuple(Tracer(place, x.session) for place in places)


def _indices_from(function: Callable[..., Any], name: str) -> None:
    """Indices that depend on the shape of an array alone."""

    def implementation(arr: Any, *args: Any, **kwargs: Any) -> Any:
        (x,) = tracers(arr)
        return function(np.empty(x.shape, bool), *args, **kwargs)

    implementation.__name__ = implementation.__qualname__ = name
    implements(function)(implementation)


for _function in (np.tril_indices_from, np.triu_indices_from, np.diag_indices_from):
    _indices_from(_function, _function.__name__)
