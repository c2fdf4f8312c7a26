"""Sorting and searching. Orders are integers and have no derivative; values follow their order,
so that the derivative of a sorted array is the derivative of the elements that went there."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.node import Node
from wengert.numpy.dispatch import array_nodes, implements, nodes, one_axis, refuse
from wengert.ops.arithmetic import convert
from wengert.ops.gather import gather, take_along_axis, wrap_index
from wengert.ops.movement import reshape
from wengert.ops.selection import common_dtype
from wengert.ops.sorting import argpartition as argpartition_op
from wengert.ops.sorting import argsort as argsort_op
from wengert.ops.sorting import searchsorted as searchsorted_op
from wengert.tracing.tracer import METHODS, Tracer
from wengert.tracing.views import write


def _line(x: Node, axis: Any) -> tuple[Node, int]:
    """The operand and the axis to sort along; None flattens."""
    if axis is None:
        return reshape(x, (x.size,)), 0
    return x, one_axis(axis, x.ndim)


def _kind(kind: Any, stable: Any) -> str:
    """The algorithm, as NumPy's argsort takes it: it decides the order of equal elements."""
    if stable is not None and kind is not None:
        raise WengertValueError(
            "`kind` and keyword `stable` can't be provided at the same time. Use only one of them."
        )
    if stable:
        return "stable"
    kind = "quicksort" if kind is None else kind
    if kind not in ("quicksort", "heapsort", "mergesort", "stable"):
        raise WengertValueError(
            f"sort kind must be one of 'quick', 'heap', or 'stable' (got {kind!r})"
        )
    return str(kind)


def sorted_node(x: Node, axis: int) -> Node:
    """The elements in order along an axis; NaN at the end."""
    return take_along_axis(x, argsort_op(x, axis), axis)


@implements(np.sort)
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    refuse("np.sort", order=(order, None))
    _kind(kind, stable)
    session, (node,) = nodes(a)
    x, place = _line(node, axis)
    return Tracer(sorted_node(x, place), session)


def _sort_in_place(
    x: Tracer, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> None:
    write(x, sort(x, operator.index(axis), kind, order, stable=stable).node)


METHODS["sort"] = _sort_in_place


@implements(np.argsort, method=True)
def argsort(
    a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Any:
    refuse("np.argsort", order=(order, None))
    session, (node,) = nodes(a)
    x, place = _line(node, axis)
    return Tracer(argsort_op(x, place, _kind(kind, stable)), session)


@implements(np.lexsort)
def lexsort(keys: Any, axis: Any = -1) -> Any:
    """Stable sorts by one key after the other, the last key last."""
    if isinstance(keys, Tracer):
        keys = [keys[i] for i in range(keys.shape[0])] if keys.ndim else keys
    if not isinstance(keys, list | tuple) or not len(keys):
        raise WengertTypeError("need sequence of keys with len > 0 in lexsort")
    session, lifted = nodes(*keys)
    place = one_axis(axis, lifted[0].ndim)
    if any(key.shape != lifted[0].shape for key in lifted):
        raise WengertValueError("all keys need to be the same shape")
    result = argsort_op(lifted[0], place, "stable")
    for key in lifted[1:]:
        step = argsort_op(take_along_axis(key, result, place), place, "stable")
        result = take_along_axis(result, step, place)
    return Tracer(result, session)


@implements(np.sort_complex)
def sort_complex(a: Any) -> Any:
    session, (node,) = nodes(a)
    if node.dtype.kind != "c":
        small = node.dtype.kind in "iu" and node.dtype.itemsize <= 2
        node = convert(node, np.complex64 if small else np.complex128)
    return Tracer(sorted_node(node, node.ndim - 1), session)


# ------------------------------------------------------------------------------- partition


def _places(kth: Any, extent: int) -> tuple[int, ...]:
    """The places named by `kth`, non-negative."""
    places = []
    for entry in np.atleast_1d(np.asarray(kth)):
        place = operator.index(entry)
        if not -extent <= place < extent:
            raise WengertValueError(f"kth(={place}) out of bounds ({extent})")
        places.append(place % extent)
    return tuple(sorted(set(places)))


def partition_order(x: Node, kth: Any, axis: int) -> Node:
    """The order in which the elements at the places `kth` stand where sorting puts them."""
    if x.dtype.kind == "c":
        return argsort_op(x, axis)
    return argpartition_op(x, _places(kth, x.shape[axis]), axis)


def _check_partition(name: str, kind: Any, order: Any) -> None:
    refuse(name, order=(order, None))
    if kind != "introselect":
        raise WengertValueError(f"select kind must be 'introselect' (got {kind!r})")


@implements(np.argpartition, method=True)
def argpartition(
    a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Any:
    _check_partition("np.argpartition", kind, order)
    session, (node,) = nodes(a)
    x, place = _line(node, axis)
    return Tracer(partition_order(x, kth, place), session)


@implements(np.partition)
def partition(
    a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Any:
    """Elements on either side of a place may stand in another order than NumPy gives them."""
    _check_partition("np.partition", kind, order)
    session, (node,) = nodes(a)
    x, place = _line(node, axis)
    return Tracer(take_along_axis(x, partition_order(x, kth, place), place), session)


def _partition_in_place(
    x: Tracer, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> None:
    write(x, partition(x, kth, operator.index(axis), kind, order).node)


METHODS["partition"] = _partition_in_place

# ------------------------------------------------------------------------------- searching


def search(a: Node, v: Node, side: str) -> Node:
    """np.searchsorted of nodes, in their common dtype."""
    dtype = common_dtype(a.type, v.type)
    return searchsorted_op(convert(a, dtype), convert(v, dtype), side)


@implements(np.searchsorted, method=True)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    if side not in ("left", "right"):
        raise WengertValueError(f"search side must be 'left' or 'right' (got {side!r})")
    session, (line, values) = array_nodes(a, v)
    if line.ndim != 1:
        raise WengertValueError("object too deep for desired array; searchsorted needs a 1-d array")
    if sorter is not None:
        _, (_, order) = nodes(Tracer(line, session), sorter)
        if order.dtype.kind not in "iu":
            raise WengertTypeError("sorter must only contain integers")
        if order.shape != line.shape:
            raise WengertValueError("sorter.size must equal a.size")
        line = gather(line, wrap_index(order, line.shape[0]), 0)
    return Tracer(search(line, values, side), session)


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    session, (values, edges) = array_nodes(x, bins)
    if values.dtype.kind == "c":
        raise WengertTypeError("x may not be complex")
    rising = _direction(bins if isinstance(bins, Tracer) else np.asarray(bins))
    side = "left" if right else "right"
    if rising:
        return Tracer(search(edges, values, side), session)
    backwards = Tracer(edges, session)[::-1]
    return edges.shape[0] - Tracer(search(backwards.node, values, side), session)


def _direction(bins: Any) -> bool:
    """Whether bins rise (or are all equal); an error where they go up and down. Traced ones are
    forced: NumPy's answer depends on them."""
    if bool((bins[1:] >= bins[:-1]).all()):
        return True
    if bool((bins[1:] <= bins[:-1]).all()):
        return False
    raise WengertValueError("bins must be monotonically increasing or decreasing")
