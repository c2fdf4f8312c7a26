"""Indexing with integer arrays, and its transposes, which add where an index occurs twice.

    gather(x, i; axis)            x with its axis replaced by the axes of i        (np.take)
    scatter_add(c, i; axis, n)    the transpose: zeros, with each slice of c added at its index
    scatter_put(x, i, v)          x with rows i replaced by v; of equal indices the last one wins
    winners(i; n)                 which entries of i are those last ones
    take_along_axis, add_along_axis   the same, with an index an element

Index arrays are inputs of the node, not parameters: new indices at each call meet the same graph.
They are non-negative; `wrap_index` makes them so and refuses those out of range.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertIndexError, WengertValueError
from wengert.graph.literals import full
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import BOOL, INT, ArrayType, Shape, array_type
from wengert.ops import linear, sparsity_of_sums
from wengert.ops.domain import Cases, normal
from wengert.ops.families import batch_by_loop, batch_elementwise, define, opaque
from wengert.ops.movement import broadcast_to, transpose
from wengert.ops.native import Statement
from wengert.ops.rounding import floor_divide, remainder


def wrapped(index: Any, extent: int) -> Any:
    """Non-negative indices for an axis of this extent; IndexError where one is out of range."""
    index = np.asarray(index)
    if index.size and (index.min() < -extent or index.max() >= extent):
        bad = index[(index < -extent) | (index >= extent)].flat[0]
        raise WengertIndexError(f"index {bad} is out of bounds for axis of size {extent}")
    return np.where(index < 0, index + extent, index).astype(INT, copy=False)


def _evaluate_wrap(node: Node) -> Callable[..., Any]:
    (extent,) = node.params
    return lambda index: wrapped(index, extent)


def _draw_wrap(rng: np.random.Generator, dtype: Any) -> Any:
    yield [np.array([-1, 0, 2])], (3,)


wrap_index: Op = opaque(
    "wrap_index",
    build=lambda x, extent: make(wrap_index, (x,), (extent,), array_type(x.shape, INT)),
    infer=lambda types, params: array_type(types[0].shape, INT),
    evaluate=_evaluate_wrap,
    batch=batch_elementwise,
    native=Statement("wrap_index"),
    label="{0}",
    domain=Cases(_draw_wrap, kinds="i"),
)


def _evaluate_flatnonzero(node: Node) -> Callable[..., Any]:
    (count,) = node.params

    def run(mask: Any) -> Any:
        found = np.flatnonzero(mask)
        if found.size != count:
            raise WengertValueError(
                f"a mask selects {found.size} elements, {count} when it was traced"
            )
        return found

    return run


def _draw_flatnonzero(rng: np.random.Generator, dtype: Any) -> Any:
    yield [np.array([[True, False], [True, True]])], (3,)


flatnonzero: Op = opaque(
    "flatnonzero",
    build=lambda mask, count: make(flatnonzero, (mask,), (count,), array_type((count,), INT)),
    infer=lambda types, params: array_type(params, INT),
    evaluate=_evaluate_flatnonzero,
    batch=batch_by_loop,
    label="where {0}",
    domain=Cases(_draw_flatnonzero, kinds="b"),
)
"""The flat positions where a mask is true, whose number is known."""


def unravel(flat: Node, shape: Shape) -> list[Node]:
    """Flat positions as one index an axis."""
    found: list[Node] = []
    for extent in reversed(shape):
        size = full(extent, INT, flat.shape)
        found.append(remainder(flat, size))
        flat = floor_divide(flat, size)
    return found[::-1]


# ------------------------------------------------------------------------ gather, scatter_add


def _gathered(shape: Shape, index: Shape, axis: int) -> Shape:
    return (*shape[:axis], *index, *shape[axis + 1 :])


def _build_gather(x: Node, index: Node, axis: int = 0) -> Node:
    shape = _gathered(x.shape, index.shape, axis)
    return make(gather, (x, index), (axis,), array_type(shape, x.dtype))


def _evaluate_gather(node: Node) -> Callable[..., Any]:
    (axis,) = node.params
    return lambda x, index: np.take(x, index, axis)


def _move_with(build: Callable[[Node, Node], Node]) -> Callable[..., Tangent]:
    """The pushforward of an op linear in its first input that moves it by the second."""

    def rule(node: Node, tangents: Sequence[Tangent]) -> Tangent:
        return linear.move(lambda v: build(node, v), tangents[0])

    return rule


def _batch_gather(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    (axis,) = node.params
    x, index = args
    if not batched[1]:
        return gather(x, index, axis + 1)
    if not batched[0]:
        result = gather(x, index, axis)
        order = list(range(len(result.shape)))
        order.insert(0, order.pop(axis))
        return transpose(result, order)
    return batch_by_loop(node, args, batched, size)


def _draw_gather(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 4), np.array([3, 0, 0, 1])], (0,)
    yield [normal(rng, dtype, 4, 3), np.array([[2, 0], [1, 1]])], (1,)
    yield [normal(rng, dtype, 4, 3), np.array([], dtype=int)], (0,)


gather: Op = define(
    "gather",
    family="indexing",
    build=_build_gather,
    infer=lambda types, params: array_type(
        _gathered(types[0].shape, types[1].shape, params[0]), types[0].dtype
    ),
    evaluate=_evaluate_gather,
    pushforward=_move_with(lambda node, v: gather(v, node.args[1], *node.params)),
    transpose=lambda node, ct, wanted: (_added_back(node, ct, scatter_add), None),
    batch=_batch_gather,
    native=Statement("gather"),
    sparsity=sparsity_of_sums.picked,
    label="{0}[{1}]",
    domain=Cases(_draw_gather),
)


def _added_back(node: Node, ct: Node, scatter: Op) -> Tangent:
    """The transpose of picking by an index: what was picked twice gets the sum of both."""
    (axis,) = node.params
    extent = node.args[0].shape[axis]

    def add(v: Node) -> Node:
        return scatter(v, node.args[1], axis, extent)

    return linear.mix(add, add, ct)


def _scattered(shape: Shape, index: Shape, axis: int, extent: int) -> Shape:
    return (*shape[:axis], extent, *shape[axis + len(index) :])


def _build_scatter_add(x: Node, index: Node, axis: int, extent: int) -> Node:
    """Boolean x is a mask: its sum is "any"."""
    shape = _scattered(x.shape, index.shape, axis, extent)
    return make(scatter_add, (x, index), (axis, extent), array_type(shape, x.dtype))


def _evaluate_scatter_add(node: Node) -> Callable[..., Any]:
    axis, _ = node.params
    shape, dtype = node.shape, node.dtype
    where = (slice(None),) * axis

    def run(x: Any, index: Any) -> Any:
        result = np.zeros(shape, dtype)
        np.add.at(result, (*where, index), x)
        return result

    return run


def _batch_scatter_add(
    node: Node, args: Sequence[Node], batched: Sequence[bool], size: int
) -> Node:
    axis, extent = node.params
    if not batched[1]:
        return scatter_add(args[0], args[1], axis + 1, extent)
    return batch_by_loop(node, args, batched, size)


def _draw_scatter_add(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 4), np.array([3, 0, 0, 1])], (0, 4)
    yield [normal(rng, dtype, 4, 2, 2), np.array([[2, 0], [1, 1]])], (1, 3)


scatter_add: Op = define(
    "scatter_add",
    family="indexing",
    build=_build_scatter_add,
    infer=lambda types, params: array_type(
        _scattered(types[0].shape, types[1].shape, *params), types[0].dtype
    ),
    evaluate=_evaluate_scatter_add,
    pushforward=lambda node, tangents: linear.mix(
        lambda v: scatter_add(v, node.args[1], *node.params),
        lambda m: scatter_add(m, node.args[1], *node.params),
        tangents[0],
    ),
    transpose=lambda node, ct, wanted: (
        linear.move(lambda v: gather(v, node.args[1], node.params[0]), ct),
        None,
    ),
    batch=_batch_scatter_add,
    native=Statement("scatter_add"),
    sparsity=sparsity_of_sums.added,
    label="scatter({0}, {1})",
    domain=Cases(_draw_scatter_add),
)

# ------------------------------------------------------------------------------- scatter_put


def _evaluate_winners(node: Node) -> Callable[..., Any]:
    (extent,) = node.params
    shape = node.shape

    def run(index: Any) -> Any:
        flat = index.reshape(-1)
        last = np.full(extent, -1)
        last[flat] = np.arange(flat.size)
        return (last[flat] == np.arange(flat.size)).reshape(shape)

    return run


def _draw_winners(rng: np.random.Generator, dtype: Any) -> Any:
    yield [np.array([3, 0, 0, 1])], (4,)


winners: Op = opaque(
    "winners",
    build=lambda index, extent: make(winners, (index,), (extent,), array_type(index.shape, BOOL)),
    infer=lambda types, params: array_type(types[0].shape, BOOL),
    evaluate=_evaluate_winners,
    batch=batch_by_loop,
    label="last({0})",
    domain=Cases(_draw_winners, kinds="i"),
)


def _build_scatter_put(base: Node, index: Node, value: Node) -> Node:
    value = broadcast_to(value, (*index.shape, *base.shape[1:]))
    return make(scatter_put, (base, index, value), None, array_type(base.shape, base.dtype))


def _evaluate_scatter_put(node: Node) -> Callable[..., Any]:
    def run(base: Any, index: Any, value: Any) -> Any:
        result = np.array(base)
        result[index] = value
        return result

    return run


def _winning(node: Node, like: Node) -> Node:
    """A mask over the values of a scatter_put: those that are not overwritten."""
    index = node.args[1]
    wins = winners(index, node.shape[0])
    rows = transpose(
        broadcast_to(wins, (*like.shape[len(index.shape) :], *index.shape)),
        [
            *range(len(like.shape) - len(index.shape), len(like.shape)),
            *range(len(like.shape) - len(index.shape)),
        ],
    )
    return rows


def _push_scatter_put(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    base, _, value = tangents
    index, old = node.args[1], node.args[2]
    base = full(0, node.dtype, node.shape) if base is None else base
    value = full(0, node.dtype, old.shape) if value is None else value
    if linear.is_masked(base) or linear.is_masked(value):
        base, value = linear.as_masked(base), linear.as_masked(value)
        return linear.masked(
            scatter_put(base.args[0], index, value.args[0]),
            scatter_put(base.args[1], index, value.args[1]),
        )
    return scatter_put(base, index, value)


def _transpose_scatter_put(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    index, value = node.args[1], node.args[2]
    to_base = to_value = None
    if wanted[0]:
        to_base = linear.move(lambda v: scatter_put(v, index, full(0, v.dtype, value.shape)), ct)
    if wanted[2]:
        picked = linear.move(lambda v: gather(v, index, 0), ct)
        to_value = linear.select(_winning(node, value), picked, None)
    return to_base, None, to_value


def _draw_scatter_put(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 4), np.array([3, 0, 0]), normal(rng, dtype, 3)], ()
    yield [normal(rng, dtype, 4, 2), np.array([[3, 0], [0, 1]]), normal(rng, dtype, 2, 2, 2)], ()


scatter_put: Op = define(
    "scatter_put",
    family="indexing",
    build=_build_scatter_put,
    infer=lambda types, params: array_type(types[0].shape, types[0].dtype),
    evaluate=_evaluate_scatter_put,
    pushforward=_push_scatter_put,
    transpose=_transpose_scatter_put,
    batch=batch_by_loop,
    sparsity=sparsity_of_sums.placed,
    label="put({0}, {1}, {2})",
    domain=Cases(_draw_scatter_put),
)

# --------------------------------------------------------- take_along_axis, add_along_axis


def _along(shape: Shape, axis: int, extent: int) -> Shape:
    return (*shape[:axis], extent, *shape[axis + 1 :])


def _build_take_along(x: Node, index: Node, axis: int) -> Node:
    """Of a vector it is a gather, which has one index for a whole batch."""
    if x.ndim == 1:
        picked: Node = gather(x, index, axis)
        return picked
    shape = _along(x.shape, axis, index.shape[axis])
    return make(
        take_along_axis,
        (x, broadcast_to(index, shape)),
        (axis,),
        array_type(shape, x.dtype),
    )


def _evaluate_take_along(node: Node) -> Callable[..., Any]:
    (axis,) = node.params
    return lambda x, index: np.take_along_axis(x, index, axis)


def _batch_along(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    x, index = (
        arg if flag else broadcast_to(arg, (size, *arg.shape))
        for arg, flag in zip(args, batched, strict=True)
    )
    return node.op(x, index, node.params[0] + 1, *node.params[1:])


def _draw_take_along(rng: np.random.Generator, dtype: Any) -> Any:
    x = normal(rng, dtype, 4, 3)
    yield [x, rng.integers(0, 4, (5, 3))], (0,)
    yield [x, rng.integers(0, 3, (4, 2))], (1,)


take_along_axis: Op = define(
    "take_along_axis",
    family="indexing",
    build=_build_take_along,
    infer=lambda types, params: array_type(
        _along(types[0].shape, params[0], types[1].shape[params[0]]), types[0].dtype
    ),
    evaluate=_evaluate_take_along,
    pushforward=_move_with(lambda node, v: take_along_axis(v, node.args[1], *node.params)),
    transpose=lambda node, ct, wanted: (_added_back(node, ct, add_along_axis), None),
    batch=_batch_along,
    sparsity=sparsity_of_sums.picked_along,
    label="{0}[{1}]",
    domain=Cases(_draw_take_along),
)


def _build_add_along(x: Node, index: Node, axis: int, extent: int) -> Node:
    if x.ndim == 1:
        added: Node = scatter_add(x, index, axis, extent)
        return added
    return make(
        add_along_axis,
        (x, index),
        (axis, extent),
        array_type(_along(x.shape, axis, extent), x.dtype),
    )


def _evaluate_add_along(node: Node) -> Callable[..., Any]:
    axis, _ = node.params
    shape, dtype = node.shape, node.dtype

    def run(x: Any, index: Any) -> Any:
        result = np.zeros(shape, dtype)
        where: list[Any] = list(np.ogrid[tuple(slice(n) for n in x.shape)])
        where[axis] = index
        np.add.at(result, tuple(where), x)
        return result

    return run


def _draw_add_along(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 5, 3), rng.integers(0, 4, (5, 3))], (0, 4)


def _infer_add_along(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return array_type(_along(types[0].shape, *params), types[0].dtype)


add_along_axis: Op = define(
    "add_along_axis",
    family="indexing",
    build=_build_add_along,
    infer=_infer_add_along,
    evaluate=_evaluate_add_along,
    pushforward=lambda node, tangents: linear.mix(
        lambda v: add_along_axis(v, node.args[1], *node.params),
        lambda m: add_along_axis(m, node.args[1], *node.params),
        tangents[0],
    ),
    transpose=lambda node, ct, wanted: (
        linear.move(lambda v: take_along_axis(v, node.args[1], node.params[0]), ct),
        None,
    ),
    batch=_batch_along,
    sparsity=sparsity_of_sums.added_along,
    label="scatter({0}, {1})",
    domain=Cases(_draw_add_along),
)
