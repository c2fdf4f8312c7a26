"""Reading and writing by index, with NumPy's rules: basic, integer arrays, masks, all mixed.

An index is taken apart into three steps, each a movement op:

    1. a basic index on every axis (slices; ints where there are no index arrays),
    2. a reshape that puts in the new axes,
    3. index arrays, brought to the front, flattened to one axis, and gathered there.

A basic index gives a view, to which writes pass through; the others copy, as in NumPy.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from wengert.errors import WengertIndexError
from wengert.graph.node import Node
from wengert.graph.registry import FUNCTIONS
from wengert.graph.types import INT, Shape
from wengert.ops.arithmetic import add, convert, multiply
from wengert.ops.gather import (
    flatnonzero,
    gather,
    scatter_add,
    scatter_put,
    unravel,
    wrap_index,
    wrapped,
)
from wengert.ops.movement import (
    as_slices,
    broadcast_to,
    index,
    indexed_shape,
    inverse,
    put,
    reshape,
    transpose,
)
from wengert.ops.reductions import sum as total
from wengert.ops.selection import select
from wengert.tracing.forcing import check_alive, force_node
from wengert.tracing.lifting import is_traced, lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import ELEMENTS, Tracer
from wengert.tracing.views import Step, assignable, is_scalar, own, view_by, write


@dataclass(frozen=True, slots=True)
class Key:
    """An index in normal form for one shape.

    basic: one entry an axis, as `wengert.ops.movement.index` takes it.
    shape: the shape after step 2.
    arrays: (axis after step 2, its index array as a node or NumPy array).
    together: whether the axes of the result of the arrays stand in place of the first of them.
    """

    basic: tuple[Any, ...]
    shape: Shape
    arrays: tuple[tuple[int, Any], ...]
    together: bool


def _slice(entry: slice, extent: int) -> tuple[int, int, int]:
    start, stop, step = slice(*map(_as_int, (entry.start, entry.stop, entry.step))).indices(extent)
    count = len(range(start, stop, step))
    return (start, count, step) if count else (0, 0, 1)


def _as_int(value: Any) -> int | None:
    return None if value is None else operator.index(value)


def _is_array_index(entry: Any) -> bool:
    return isinstance(entry, Tracer | np.ndarray | list | tuple | np.bool_ | bool)


def _as_array(entry: Any) -> Any:
    if isinstance(entry, list | tuple):
        if is_traced(entry):
            return FUNCTIONS["array"](entry)
        array = np.asarray(entry)
        return array.astype(INT) if not array.size else array
    return entry if isinstance(entry, Tracer) else np.asarray(entry)


def normalise(key: Any, shape: Shape, session: Session) -> Key:
    """An index in normal form; NumPy's errors for what it cannot be."""
    entries = list(key) if isinstance(key, tuple) else [key]
    entries = [_as_array(entry) if _is_array_index(entry) else entry for entry in entries]
    if sum(entry is Ellipsis for entry in entries) > 1:
        raise WengertIndexError("an index can only have a single ellipsis ('...')")
    taken = sum(_axes_taken(entry) for entry in entries)
    if taken > len(shape):
        raise WengertIndexError(
            f"too many indices for array: array is {len(shape)}-dimensional, but {taken} were "
            "indexed"
        )
    rest = [slice(None)] * (len(shape) - taken)
    if any(entry is Ellipsis for entry in entries):
        at = next(k for k, entry in enumerate(entries) if entry is Ellipsis)
        entries[at : at + 1] = rest
    else:
        entries += rest
    advanced = any(isinstance(entry, Tracer | np.ndarray) for entry in entries)
    basic: list[Any] = []
    after: list[int] = []
    arrays: list[tuple[int, Any]] = []
    positions: list[int] = []
    axis = 0
    for k, entry in enumerate(entries):
        if entry is None:
            after.append(1)
        elif isinstance(entry, slice):
            basic.append(_slice(entry, shape[axis]))
            after.append(basic[-1][1])
            axis += 1
        elif isinstance(entry, Tracer | np.ndarray):
            for part in _index_arrays(entry, shape[axis:], session):
                arrays.append((len(after), part))
                positions.append(k)
                basic.append((0, shape[axis], 1))
                after.append(shape[axis])
                axis += 1
        else:
            number = _checked(entry, shape[axis], axis)
            if advanced:
                arrays.append((len(after), np.asarray(number)))
                positions.append(k)
                basic.append((0, shape[axis], 1))
                after.append(shape[axis])
            else:
                basic.append(number)
            axis += 1
    together = all(b - a <= 1 for a, b in pairwise(positions))
    return Key(tuple(basic), tuple(after), tuple(arrays), together)


def _axes_taken(entry: Any) -> int:
    if entry is None or entry is Ellipsis:
        return 0
    if isinstance(entry, Tracer | np.ndarray) and entry.dtype.kind == "b":
        if not entry.ndim:
            raise WengertIndexError(
                "a boolean scalar as an index cannot be traced; write np.where(condition, a, b)"
            )
        return entry.ndim
    return 1


def _checked(entry: Any, extent: int, axis: int) -> int:
    try:
        number = operator.index(entry)
    except TypeError:
        raise WengertIndexError(
            "only integers, slices (`:`), ellipsis (`...`), np.newaxis (`None`) and integer or "
            f"boolean arrays are valid indices, not {type(entry).__name__}"
        ) from None
    if not -extent <= number < extent:
        raise WengertIndexError(
            f"index {number} is out of bounds for axis {axis} with size {extent}"
        )
    return number % extent


def _index_arrays(entry: Any, shape: Shape, session: Session) -> Sequence[Any]:
    """The non-negative index arrays that an array in an index stands for, one an axis."""
    if entry.dtype.kind == "b":
        if entry.shape != shape[: entry.ndim]:
            raise WengertIndexError(
                f"boolean index of shape {entry.shape} did not match the indexed array of shape "
                f"{shape}"
            )
        if isinstance(entry, np.ndarray):
            return entry.nonzero()
        return unravel(mask_positions(entry), entry.shape)
    if entry.dtype.kind not in "iu":
        raise WengertIndexError(
            f"arrays used as indices must be of integer (or boolean) type, not {entry.dtype}"
        )
    if isinstance(entry, np.ndarray):
        found = wrapped(entry, shape[0])
        found.flags.writeable = False  # so that it is not copied where it is captured
        return (found,)
    return (wrap_index(lift(entry, session), shape[0]),)


def mask_positions(mask: Tracer) -> Node:
    """The flat positions where a traced mask is true.

    Their number must be known, so it is forced; under `jit` it is guarded, and the mask is not.
    """
    true = total(convert(mask.node, INT), range(mask.ndim))
    count = int(force_node(mask.session, true))
    mask.session.guard(true, count)
    return flatnonzero(mask.node, count)


# ------------------------------------------------------------------------------ the two ends


def _flat_index(arrays: Sequence[Any], extents: Sequence[int], session: Session) -> Any:
    """One index into the flattened axes, for several that are broadcast together."""
    shape = np.broadcast_shapes(*[a.shape for a in arrays])
    if all(isinstance(a, np.ndarray) for a in arrays):
        if len(arrays) == 1:
            return arrays[0]
        return np.ravel_multi_index(tuple(np.broadcast_arrays(*arrays)), tuple(extents))
    flat: Node | None = None
    for array, extent in zip(arrays, extents, strict=True):
        node = broadcast_to(lift_index(array, session), shape)
        if flat is None:
            flat = node
        else:
            flat = add(multiply(flat, lift(np.int64(extent), session)), node)
    return flat


def lift_index(array: Any, session: Session) -> Node:
    """An index array as a node."""
    return array if isinstance(array, Node) else lift(array, session)


class _Gathering:
    """Step 3 for one key: how an array becomes (flattened indexed axes, the others) and back."""

    __slots__ = ("extents", "flat", "key", "order", "rest", "shape")

    def __init__(self, key: Key, session: Session) -> None:
        self.key = key
        axes = [axis for axis, _ in key.arrays]
        self.extents = [key.shape[axis] for axis in axes]
        others = [axis for axis in range(len(key.shape)) if axis not in axes]
        self.order = (*axes, *others)
        self.rest = tuple(key.shape[axis] for axis in others)
        flat = _flat_index([array for _, array in key.arrays], self.extents, session)
        self.flat = lift_index(flat, session)
        self.shape = tuple(self.flat.shape)

    def front(self, node: Node) -> Node:
        """The array with the indexed axes flattened in front."""
        turned = transpose(node, self.order)
        return reshape(turned, (math.prod(self.extents), *self.rest))

    def back(self, node: Node) -> Node:
        """The inverse of `front`."""
        turned = reshape(node, (*self.extents, *self.rest))
        return transpose(turned, inverse(self.order))

    def _moved(self) -> tuple[int, ...]:
        """Where the axes of the index go in the result: (axes of the result) of (index, rest)."""
        count = len(self.shape)
        lead = self.order[0] if self.key.together else 0
        lead = sum(axis < self.order[0] for axis in self.order[len(self.extents) :]) if lead else 0
        rest = range(count, count + len(self.rest))
        return (*rest[:lead], *range(count), *rest[lead:])

    def result(self, picked: Node) -> Node:
        return transpose(picked, self._moved())

    def values(self, value: Node) -> Node:
        """The values of an assignment, broadcast to the result and brought to (index, rest)."""
        full_shape = (*self.shape, *self.rest)
        target = tuple(full_shape[axis] for axis in self._moved())
        return transpose(broadcast_to(_fit(value, target), target), inverse(self._moved()))


def _fit(value: Node, target: Shape) -> Node:
    """Drop leading axes of extent 1 that NumPy ignores on assignment."""
    while value.ndim > len(target) and value.shape[0] == 1:
        value = reshape(value, value.shape[1:])
    return value


@dataclass(frozen=True, slots=True)
class Basic:
    """A basic index into arrays of one shape: the step of its view, or of a scalar that NumPy
    copies."""

    step: Step
    copies: bool


_known: dict[Any, Basic] = {}
_MOST_KNOWN = 20_000


def _frozen(key: Any) -> Any:
    """A basic index without tracers as a dictionary key, or None."""
    kind = type(key)
    if kind is int or key is None or key is Ellipsis:
        return key if kind is int else repr(key)
    if kind is slice:
        parts = (key.start, key.stop, key.step)
        if all(part is None or type(part) is int for part in parts):
            return ("slice", *parts)
        return None
    if kind is tuple:
        frozen = tuple([_frozen(part) for part in key])
        return None if None in frozen else frozen
    return None


def _basic(normal: Key, key: Any) -> Basic:
    entries, shape = normal.basic, normal.shape
    picked_shape = indexed_shape(entries)

    def get(node: Node) -> Node:
        return reshape(index(node, entries), shape)

    def write_back(base: Node, value: Node) -> Node:
        return put(base, reshape(value, picked_shape), entries)

    def on_array(array: Any) -> Any:
        return array[(*as_slices(entries), ...)].reshape(shape)  # adds axes: never copies

    return Basic(Step(get, write_back, on_array), not shape and not _has_ellipsis(key))


def getitem(x: Tracer, key: Any) -> Tracer:
    """x[key]."""
    check_alive(x)
    frozen = _frozen(key)
    if frozen is not None:
        basic = _known.get((x.shape, frozen))
        if basic is None:
            if len(_known) > _MOST_KNOWN:
                _known.clear()
            basic = _basic(normalise(key, x.shape, x.session), key)
            _known[x.shape, frozen] = basic
        return _by_basic(x, basic, frozen)
    if _is_answer(key):
        return own(_if_so(x.node, bool(key)), x.session)
    normal = normalise(key, x.shape, x.session)
    if not normal.arrays:
        return _by_basic(x, _basic(normal, key), None)
    return Tracer(_gathered(x, normal), x.session)


def _by_basic(x: Tracer, basic: Basic, frozen: Any) -> Tracer:
    """x by a basic index, which is `frozen` as a key, or None.

    What a view reads is remembered under another key than a scalar, which the tracer itself looks
    up: a view must be linked to what it views.
    """
    key = (x.node, frozen) if basic.copies else (x.node, frozen, "view")
    known = ELEMENTS.table.get(key)
    node = None if known is None else known()
    if node is None:
        node = basic.step.get(x.node)
        if frozen is not None:
            ELEMENTS.remember(key, node)
    if basic.copies:
        return Tracer(node, x.session)
    return own(node, x.session) if is_scalar(x) else view_by(x, basic.step, node)


def _gathered(x: Tracer, normal: Key) -> Node:
    base = reshape(index(x.node, normal.basic), normal.shape)
    if len(normal.arrays) == 1:
        ((axis, array),) = normal.arrays
        return gather(base, lift_index(array, x.session), axis)
    step = _Gathering(normal, x.session)
    return step.result(gather(step.front(base), step.flat, 0))


def _has_ellipsis(key: Any) -> bool:
    return any(entry is Ellipsis for entry in (key if isinstance(key, tuple) else (key,)))


def setitem(x: Tracer, key: Any, value: Any) -> None:
    """x[key] = value: the tracer is rebound, and what shares memory with it too."""
    check_alive(x)
    session = x.session
    node = lift(value, session)
    if _is_answer(key):
        if bool(key):
            write(x, reshape(node, node.shape[1:]) if node.ndim > x.ndim else node)
        return
    mask = _as_array(key) if _is_array_index(key) and not isinstance(key, tuple) else None
    if _is_mask(mask, x) and node.ndim <= x.ndim - mask.ndim:
        wide = reshape(lift(mask, session), (*mask.shape, *(1 for _ in range(x.ndim - mask.ndim))))
        write(x, select(wide, assignable(node, x.dtype), x.node))
        return
    normal = normalise(key, x.shape, session)
    _update(x, normal, node, adding=False)


def _is_answer(key: Any) -> bool:
    """Whether an index is one boolean, as `x < 0` is where x has no axes."""
    if isinstance(key, Tracer | np.ndarray):
        return not key.ndim and key.dtype.kind == "b"
    return isinstance(key, bool | np.bool_)


def _if_so(node: Node, answer: bool) -> Node:
    """x[True] is x with an axis of length 1 in front, x[False] has none of that axis left."""
    entries = ((0, int(answer), 1), *((0, extent, 1) for extent in node.shape))
    return index(reshape(node, (1, *node.shape)), entries)


def _is_mask(mask: Any, x: Tracer) -> bool:
    return (
        mask is not None
        and mask.dtype.kind == "b"
        and mask.ndim > 0
        and mask.shape == x.shape[: mask.ndim]
    )


def _update(x: Tracer, normal: Key, value: Node, adding: bool) -> None:
    """Put (or add) a value where the index says, and write the result back."""
    value = assignable(value, x.dtype)
    basic, shape = normal.basic, normal.shape
    old = reshape(index(x.node, basic), shape)
    if not normal.arrays:
        new = broadcast_to(_fit(value, shape), shape)
        if adding:
            new = add(old, new)
    else:
        step = _Gathering(normal, x.session)
        front, rows = step.front(old), step.values(value)
        if adding:
            new = step.back(add(front, scatter_add(rows, step.flat, 0, front.shape[0])))
        else:
            new = step.back(scatter_put(front, step.flat, rows))
    write(x, put(x.node, reshape(new, indexed_shape(basic)), basic))


def add_at(x: Tracer, key: Any, value: Any) -> None:
    """np.add.at."""
    check_alive(x)
    _update(x, normalise(key, x.shape, x.session), lift(value, x.session), adding=True)


FUNCTIONS["getitem"] = getitem
FUNCTIONS["setitem"] = setitem
FUNCTIONS["add_at"] = add_at
