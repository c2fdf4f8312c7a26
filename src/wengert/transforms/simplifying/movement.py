"""Patterns of ops that move elements. All are exact.

They bring movement ops into one order (see `forms`) and resolve what is picked from values that
were put together.
"""

from __future__ import annotations

from typing import Any

from wengert.graph.literals import full, is_zero, literal
from wengert.graph.node import Node
from wengert.ops.arithmetic import convert
from wengert.ops.movement import (
    Basic,
    broadcast_to,
    concatenate,
    embed,
    index,
    put,
    reshape,
    transpose,
)
from wengert.transforms.simplifying.forms import Rules, is_squeeze, long_axes

MOST_WRITES = 64
"""How many writes elsewhere a read passes by: reads after n writes must not cost n² together."""

# ------------------------------------------------------------- broadcast_to, reshape, transpose


def _broadcast_unpadded(node: Node) -> Node | None:
    """Broadcasting inserts leading axes by itself."""
    (x,) = node.args
    if is_squeeze(x) and x.shape and x.shape[0] == 1:
        shape = x.shape
        while shape and shape[0] == 1:
            shape = shape[1:]
        return broadcast_to(reshape(x.args[0], shape), node.shape)
    return None


def _broadcast_without_repeating(node: Node) -> Node | None:
    """A broadcast that repeats nothing is a reshape."""
    (x,) = node.args
    return reshape(x, node.shape) if x.size == node.size else None


def _reshape_broadcast(node: Node) -> Node | None:
    """Axes of extent 1 are inserted and removed before repeating; one element has any shape."""
    (x,) = node.args
    if x.op is not broadcast_to:
        return None
    (inner,) = x.args
    if inner.size == 1:
        return broadcast_to(reshape(inner, ()), node.shape)
    if not is_squeeze(node):
        return None
    padded = (*(1 for _ in range(x.ndim - inner.ndim)), *inner.shape)
    extents = iter([padded[axis] for axis in long_axes(x.shape)])
    shape = tuple(1 if extent == 1 else next(extents) for extent in node.shape)
    return broadcast_to(reshape(inner, shape), node.shape)


def _transpose_of_ones(node: Node) -> Node | None:
    """A transpose that moves axes of extent 1 alone is a reshape."""
    (x,), (axes,) = node.args, node.params
    moved = [axis for axis in axes if x.shape[axis] != 1]
    return reshape(x, node.shape) if moved == sorted(moved) else None


def _transpose_broadcast(node: Node) -> Node | None:
    """Axes are exchanged before they are repeated."""
    (x,) = node.args
    if x.op is not broadcast_to:
        return None
    (inner,) = x.args
    padded = reshape(inner, (*(1 for _ in range(x.ndim - inner.ndim)), *inner.shape))
    return broadcast_to(transpose(padded, node.params[0]), node.shape)


def _transpose_squeeze(node: Node) -> Node | None:
    """Axes are exchanged before axes of extent 1 are inserted."""
    (x,) = node.args
    if not is_squeeze(x):
        return None
    (inner,), (axes,) = x.args, node.params
    if 1 in inner.shape:
        return None
    rank = {axis: k for k, axis in enumerate(long_axes(x.shape))}
    order = [rank[axis] for axis in axes if axis in rank]
    return reshape(transpose(inner, order), node.shape)


# ------------------------------------------------------------------------------------ index


def composed(inner: Basic, outer: Basic) -> Basic:
    """The basic index that picks `outer` from what `inner` picks."""
    result: list[Any] = []
    left = iter(outer)
    for entry in inner:
        if isinstance(entry, int):
            result.append(entry)
            continue
        start, _, step = entry
        picked = next(left)
        if isinstance(picked, int):
            result.append(start + picked * step)
        else:
            first, count, stride = picked
            result.append(_entry(start + first * step, count, stride * step))
    return tuple(result)


def _entry(start: int, count: int, step: int) -> tuple[int, int, int]:
    """A slice in normal form."""
    if count == 0:
        return (0, 0, 1)
    return (start, 1, 1) if count == 1 else (start, count, step)


def _index_index(node: Node) -> Node | None:
    (x,), (entries,) = node.args, node.params
    return index(x.args[0], composed(x.params[0], entries)) if x.op is index else None


def _index_without_picking(node: Node) -> Node | None:
    """An index that picks everything is a reshape."""
    (x,) = node.args
    return reshape(x, node.shape) if node.size == x.size and _keeps_order(node) else None


def _keeps_order(node: Node) -> bool:
    return all(isinstance(entry, int) or entry[1] <= 1 or entry[2] == 1 for entry in node.params[0])


def _index_transpose(node: Node) -> Node | None:
    """Elements are picked before axes are exchanged."""
    (x,), (entries,) = node.args, node.params
    if x.op is not transpose:
        return None
    axes = x.params[0]
    before = [entries[axes.index(axis)] for axis in range(len(axes))]
    kept = [axis for axis, entry in zip(axes, entries, strict=True) if not isinstance(entry, int)]
    rank = {axis: k for k, axis in enumerate(sorted(kept))}
    return transpose(index(x.args[0], tuple(before)), [rank[axis] for axis in kept])


def _index_broadcast(node: Node) -> Node | None:
    """Elements are picked before they are repeated."""
    (x,), (entries,) = node.args, node.params
    if x.op is not broadcast_to:
        return None
    (inner,) = x.args
    before: list[Any] = []
    for extent, entry in zip(inner.shape, entries[x.ndim - inner.ndim :], strict=True):
        repeated = extent == 1
        before.append(entry if not repeated else 0 if isinstance(entry, int) else (0, 1, 1))
    return broadcast_to(index(inner, tuple(before)), node.shape)


def _index_squeeze(node: Node) -> Node | None:
    """Elements are picked before axes of extent 1 are inserted or removed."""
    (x,), (entries,) = node.args, node.params
    if not is_squeeze(x) or not node.size:
        return None
    (inner,) = x.args
    picked = iter([entries[axis] for axis in long_axes(x.shape)])
    before = tuple((0, 1, 1) if extent == 1 else next(picked) for extent in inner.shape)
    return reshape(index(inner, before), node.shape)


def _bounds(entry: Any) -> tuple[int, int]:
    """The first and the last position that an entry picks."""
    if isinstance(entry, int):
        return entry, entry
    start, count, step = entry
    last = start + (count - 1) * step
    return (start, last) if step > 0 else (last, start)


def _moved(entry: Any, by: int) -> Any:
    return entry - by if isinstance(entry, int) else (entry[0] - by, *entry[1:])


def _index_concatenate(node: Node) -> Node | None:
    """What lies in one part is picked from it."""
    (x,), (entries,) = node.args, node.params
    if x.op is not concatenate or not node.size:
        return None
    (axis,) = x.params
    first, last = _bounds(entries[axis])
    start = 0
    for part in x.args:
        end = start + part.shape[axis]
        if start <= first and last < end:
            moved = _moved(entries[axis], start)
            return index(part, (*entries[:axis], moved, *entries[axis + 1 :]))
        start = end
    return None


def _disjoint(a: Basic, b: Basic) -> bool:
    """Whether two indices are known to have no element in common."""
    for x, y in zip(a, b, strict=True):
        (low, high), (start, end) = _bounds(x), _bounds(y)
        if high < start or end < low:
            return True
        if not isinstance(x, int) and not isinstance(y, int) and x[2] == y[2]:
            if (x[0] - y[0]) % x[2]:
                return True
    return False


def _within(outer: Basic, inner: Basic) -> Basic | None:
    """The index that picks `inner` from what `outer` picks, where all of it lies there."""
    result: list[Any] = []
    for held, wanted in zip(outer, inner, strict=True):
        if isinstance(held, int):
            if wanted != held:
                return None
            continue
        start, count, step = held
        low, high = (wanted, wanted) if isinstance(wanted, int) else (wanted[0], _last(wanted))
        stride = 0 if isinstance(wanted, int) or wanted[1] == 1 else wanted[2]
        if (low - start) % step or (high - start) % step or stride % step:
            return None
        first, last = (low - start) // step, (high - start) // step
        if not (0 <= first < count and 0 <= last < count):
            return None
        if isinstance(wanted, int):
            result.append(first)
        else:
            result.append(_entry(first, wanted[1], stride // step))
    return tuple(result)


def _last(entry: Any) -> int:
    start, count, step = entry
    return int(start + (count - 1) * step)


def _index_embed(node: Node) -> Node | None:
    """What is picked from an embedded value lies inside of it, or is zero."""
    (x,), (entries,) = node.args, node.params
    if x.op is not embed or not node.size:
        return None
    place = x.params[0]
    if not x.args[0].size or _disjoint(place, entries):
        return full(0, node.dtype, node.shape)
    inside = _within(place, entries)
    return None if inside is None else index(x.args[0], inside)


def _index_put(node: Node) -> Node | None:
    """What is picked where a value was written is that value, elsewhere what was there before."""
    (x,), (entries,) = node.args, node.params
    if not node.size:
        return None
    for _ in range(MOST_WRITES):
        if x.op is not put:
            return None
        base, value = x.args
        place = x.params[0]
        if value.size and not _disjoint(place, entries):
            inside = _within(place, entries)
            return None if inside is None else convert(index(value, inside), node.dtype)
        x = base
        if x.op is not put:
            return index(x, entries)
    return None


# --------------------------------------------------------------------- embed, put, concatenate


def _embed_zeros(node: Node) -> Node | None:
    (x,) = node.args
    return full(0, node.dtype, node.shape) if is_zero(x) or not x.size else None


def _embed_embed(node: Node) -> Node | None:
    (x,) = node.args
    if x.op is not embed or not x.size:
        return None
    return embed(x.args[0], composed(node.params[0], x.params[0]), node.shape)


def _put_over(node: Node) -> Node | None:
    """What is overwritten at once was not written."""
    base, value = node.args
    if base.op is put and base.params == node.params:
        return put(base.args[0], value, node.params[0])
    return None


def _put_nothing(node: Node) -> Node | None:
    """Writing no elements, or those that are there, changes nothing."""
    base, value = node.args
    same = value.op is index and value.args[0] is base and value.params == node.params
    return base if not value.size or same else None


def _put_on_zeros(node: Node) -> Node | None:
    """A value written on zeros is a value embedded in zeros."""
    base, value = node.args
    if not is_zero(base):
        return None
    return embed(convert(value, node.dtype), node.params[0], node.shape)


def _concatenate_parts(node: Node) -> Node | None:
    """Parts that are empty are none, parts that are joined are several, and neighbouring slices of
    one value are one slice."""
    (axis,) = node.params
    parts: list[Node] = []
    for arg in node.args:
        inner = arg.args if arg.op is concatenate and arg.params == node.params else (arg,)
        for part in inner:
            joined = _joined(parts[-1], part, axis) if parts else None
            if joined is not None:
                parts[-1] = joined
            elif part.shape[axis]:
                parts.append(part)
    if len(parts) == len(node.args):
        return None
    return concatenate(*parts, axis=axis) if parts else node.args[0]


def _joined(a: Node, b: Node, axis: int) -> Node | None:
    """Two parts as one, where they are neighbours in a third value or one literal."""
    if a.op is full and b.op is full and a.params[0] == b.params[0]:
        shape = list(a.shape)
        shape[axis] += b.shape[axis]
        return full(literal(a), a.dtype, tuple(shape))
    if a.op is not index or b.op is not index or a.args != b.args:
        return None
    (before,), (after,) = a.params, b.params
    at = [k for k, entry in enumerate(before) if not isinstance(entry, int)][axis]
    if before[:at] != after[:at] or before[at + 1 :] != after[at + 1 :]:
        return None
    if isinstance(after[at], int) or not before[at][1] or not after[at][1]:
        return None
    (start, count, step), (next_start, next_count, next_step) = before[at], after[at]
    step = step if count > 1 else next_start - start
    if next_start != start + count * step or (next_count > 1 and next_step != step) or not step:
        return None
    entries = (*before[:at], (start, count + next_count, step), *before[at + 1 :])
    return index(a.args[0], entries)


RULES: Rules = {
    "broadcast_to": [_broadcast_without_repeating, _broadcast_unpadded],
    "reshape": [_reshape_broadcast],
    "transpose": [_transpose_of_ones, _transpose_broadcast, _transpose_squeeze],
    "index": [
        _index_index,
        _index_without_picking,
        _index_broadcast,
        _index_transpose,
        _index_squeeze,
        _index_concatenate,
        _index_embed,
        _index_put,
    ],
    "embed": [_embed_zeros, _embed_embed],
    "put": [_put_nothing, _put_over, _put_on_zeros],
    "concatenate": [_concatenate_parts],
}
