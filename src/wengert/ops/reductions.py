"""Sums, products, extrema, logical reductions, cumulative sums and products.

Axes are a sorted tuple of non-negative ints and are removed; `keepdims` is a reshape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.graph.literals import full
from wengert.graph.node import Node, make
from wengert.graph.op import ZERO, Op, Tangent
from wengert.graph.types import BOOL, INT, ArrayType, DType, Shape, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert, multiply
from wengert.ops.domain import Cases, normal
from wengert.ops.families import NOT_LINEAR, batch_unary, define, opaque, whole
from wengert.ops.logic import equal
from wengert.ops.movement import broadcast_to, embed, put, reshape, transpose
from wengert.ops.movement import index as basic_index
from wengert.ops.native import Reduction


def without(shape: Shape, axes: Sequence[int]) -> Shape:
    """The shape with axes removed."""
    return tuple(extent for axis, extent in enumerate(shape) if axis not in axes)


def kept(shape: Shape, axes: Sequence[int]) -> Shape:
    """The shape with axes of extent 1 in place of those removed."""
    return tuple(1 if axis in axes else extent for axis, extent in enumerate(shape))


def expand(x: Node, axes: Sequence[int], shape: Shape) -> Node:
    """Repeat along the axes that a reduction removed."""
    return broadcast_to(reshape(x, kept(shape, axes)), shape)


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 4)], ((0,),)
    yield [normal(rng, dtype, 2, 3, 2)], ((0, 2),)
    yield [normal(rng, dtype, 2, 3)], ((0, 1),)


def _draw_empty(rng: np.random.Generator, dtype: Any) -> Any:
    yield from _draw(rng, dtype)
    yield [normal(rng, dtype, 3, 0)], ((1,),)


def _reduction(
    name: str,
    function: Callable[..., Any],
    *,
    dtype: Callable[[DType], DType],
    pushforward: Any,
    transpose: Any,
    label: str,
    domain: Cases,
) -> Op:
    """A reduction over axes by a NumPy function that takes `axis`."""

    def build(x: Node, axes: Sequence[int]) -> Node:
        axes = tuple(sorted(axes))
        if not axes and dtype(x.dtype) == x.dtype:
            return x
        return make(op, (x,), (axes,), infer((x.type,), (axes,)))

    def infer(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
        return array_type(without(types[0].shape, params[0]), dtype(types[0].dtype))

    def evaluate(node: Node) -> Callable[..., Any]:
        (axes,) = node.params
        axis = axes[0] if len(axes) == 1 else axes
        return lambda x: function(x, axis=axis)

    op = define(
        name,
        family="reduction",
        build=build,
        infer=infer,
        evaluate=evaluate,
        pushforward=pushforward,
        transpose=transpose,
        batch=batch_unary(lambda node, x: op(x, tuple(a + 1 for a in node.params[0]))),
        native=Reduction(name),
        sparsity=sparsity.reduced,
        label=label,
        domain=domain,
    )
    return op


def _same(dtype: DType) -> DType:
    return dtype


def _push_sum(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    return linear.total(tangents[0], node.params[0])


def _transpose_sum(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    shape = node.args[0].shape
    return (linear.move(lambda v: expand(v, node.params[0], shape), ct),)


def _sum(x: Any, axis: Any) -> Any:
    return np.add.reduce(x, axis=axis, dtype=x.dtype)


sum: Op = _reduction(
    "sum",
    _sum,
    dtype=_same,
    pushforward=_push_sum,
    transpose=_transpose_sum,
    label="Σ {0}",
    domain=Cases(_draw_empty, kinds="iufc"),
)
"""The sum in the dtype of its input; NumPy's widening of small integers is a `convert` before."""


def _push_extremum(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    """The mean of the tangents of the elements that attain the extremum: ties share evenly."""
    (x,) = node.args
    (axes,) = node.params
    attained = equal(x, expand(node, axes, x.shape))
    hits = linear.total(linear.select(attained, tangents[0], None), axes)
    count = sum(convert(attained, node.dtype), axes)
    return linear.divide(hits, count)


def _extremum(name: str, function: Callable[..., Any], label: str) -> Op:
    return _reduction(
        name,
        function,
        dtype=_same,
        pushforward=_push_extremum,
        transpose=NOT_LINEAR,
        label=label,
        domain=Cases(_draw, kinds="iuf"),
    )


max: Op = _extremum("max", np.max, "max {0}")
min: Op = _extremum("min", np.min, "min {0}")


def _logical(name: str, function: Callable[..., Any], label: str) -> Op:
    return _reduction(
        name,
        function,
        dtype=lambda dtype: BOOL,
        pushforward=ZERO,
        transpose=NOT_LINEAR,
        label=label,
        domain=Cases(_draw_empty, kinds="biufc"),
    )


any: Op = _logical("any", np.any, "any {0}")
all: Op = _logical("all", np.all, "all {0}")


def _position(name: str, function: Callable[..., Any], label: str) -> Op:
    """argmax and argmin, over one axis."""

    def build(x: Node, axis: int) -> Node:
        return make(op, (x,), (axis,), array_type(without(x.shape, (axis,)), INT))

    def evaluate(node: Node) -> Callable[..., Any]:
        (axis,) = node.params
        return lambda x: function(x, axis)

    def draw(rng: np.random.Generator, dtype: Any) -> Any:
        yield [normal(rng, dtype, 4)], (0,)
        yield [normal(rng, dtype, 2, 3)], (1,)

    op = opaque(
        name,
        build=build,
        infer=lambda types, params: array_type(without(types[0].shape, params), INT),
        evaluate=evaluate,
        batch=batch_unary(lambda node, x: op(x, node.params[0] + 1)),
        label=label,
        domain=Cases(draw, kinds="biuf"),
    )
    return op


argmax: Op = _position("argmax", np.argmax, "argmax {0}")
argmin: Op = _position("argmin", np.argmin, "argmin {0}")
nanargmax: Op = _position("nanargmax", np.nanargmax, "argmax {0}")
nanargmin: Op = _position("nanargmin", np.nanargmin, "argmin {0}")
"""These raise ValueError where a slice holds nothing but NaN."""

# ------------------------------------------------------------------------------- cumsum


def _build_cumsum(x: Node, axis: int) -> Node:
    return make(cumsum, (x,), (axis,), array_type(x.shape, x.dtype))


def _evaluate_cumsum(node: Node) -> Callable[..., Any]:
    (axis,) = node.params
    if node.dtype == BOOL:
        return lambda x: np.logical_or.accumulate(x, axis)
    return lambda x: np.add.accumulate(x, axis, x.dtype)


def flip(x: Node, axis: int) -> Node:
    """x in reverse along an axis."""
    entries: list[Any] = list(whole(x.shape))
    extent = x.shape[axis]
    entries[axis] = (extent - 1, extent, -1) if extent else (0, 0, 1)
    return basic_index(x, tuple(entries))


def _transpose_cumsum(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    """y_k = Σ_{j≤k} x_j, so x̄_j = Σ_{k≥j} ȳ_k: a cumulative sum from the end."""
    (axis,) = node.params

    def backwards(v: Node) -> Node:
        return flip(cumsum(flip(v, axis), axis), axis)

    return (linear.mix(backwards, backwards, ct),)


def _draw_cumsum(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 4)], (0,)
    yield [normal(rng, dtype, 2, 3)], (1,)
    yield [normal(rng, dtype, 0)], (0,)


cumsum: Op = define(
    "cumsum",
    family="reduction",
    build=_build_cumsum,
    infer=lambda types, params: array_type(types[0].shape, types[0].dtype),
    evaluate=_evaluate_cumsum,
    pushforward=lambda node, ts: linear.mix(
        lambda v: cumsum(v, *node.params), lambda m: cumsum(m, *node.params), ts[0]
    ),
    transpose=_transpose_cumsum,
    batch=batch_unary(lambda node, x: cumsum(x, node.params[0] + 1)),
    sparsity=sparsity.cumulative(lambda node: node.params[0]),
    label="cumsum {0}",
    domain=Cases(_draw_cumsum, kinds="iufc"),
)

# ------------------------------------------------------------------------ cumprod and prod


def along(shape: Shape, axis: int, start: int, count: int) -> tuple[Any, ...]:
    """The basic index that picks `count` elements of an axis from `start` on, and all others."""
    entries: list[Any] = list(whole(shape))
    entries[axis] = (start, count, 1) if count > 0 else (0, 0, 1)
    return tuple(entries)


def _delayed(x: Node, axis: int, by: int) -> Node:
    """x moved on by some places along an axis, with ones in front."""
    shape, rest = x.shape, x.shape[axis] - by
    early = basic_index(x, along(shape, axis, 0, rest))
    return put(full(1, x.dtype, shape), early, along(shape, axis, by, rest))


def _push_cumprod(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    """The product rule, without division, so that zeros do no harm.

    A scan in log₂ n steps (Hillis & Steele 1986). After the step of width w, y_k is the product of
    the last 2w elements up to k and t_k its tangent; a step joins two windows,
        (y, t)_k  <-  (y_k y_{k-w},  t_k y_{k-w} + y_k t_{k-w}),
    where the elements k < w, whose windows are complete, meet the factor 1 and the addend 0.
    """
    (x,), (axis,) = node.args, node.params
    shape, extent = x.shape, x.shape[axis]
    y, t, width = x, tangents[0], 1
    while width < extent:
        before = _delayed(y, axis, width)
        first = along(shape, axis, 0, extent - width)
        last = along(shape, axis, width, extent - width)
        earlier = linear.move(lambda v, e=first, p=last: embed(basic_index(v, e), p, shape), t)  # type: ignore[misc]
        # zeros in front here too: an infinite y_k times the zero tangent there would be NaN
        factor = embed(basic_index(y, last), last, shape)
        t = linear.add(linear.scale(t, before), linear.scale(earlier, factor))
        y = multiply(y, before)
        width *= 2
    return t


def _evaluate_cumprod(node: Node) -> Callable[..., Any]:
    (axis,) = node.params
    return lambda x: np.multiply.accumulate(x, axis, x.dtype)


cumprod: Op = define(
    "cumprod",
    family="reduction",
    build=lambda x, axis: make(cumprod, (x,), (axis,), array_type(x.shape, x.dtype)),
    infer=lambda types, params: array_type(types[0].shape, types[0].dtype),
    evaluate=_evaluate_cumprod,
    pushforward=_push_cumprod,
    transpose=NOT_LINEAR,
    batch=batch_unary(lambda node, x: cumprod(x, node.params[0] + 1)),
    sparsity=sparsity.cumulative(lambda node: node.params[0]),
    label="cumprod {0}",
    domain=Cases(_draw_cumsum, kinds="iufc"),
)


def merged(x: Node, axes: Sequence[int]) -> Node:
    """The reduced axes as one axis at the end."""
    others = [axis for axis in range(x.ndim) if axis not in axes]
    count = math.prod(x.shape[axis] for axis in axes)
    return reshape(transpose(x, (*others, *axes)), (*without(x.shape, axes), count))


def _push_prod(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    """∂(Π x)/∂x_j = (Π_{i<j} x_i) (Π_{i>j} x_i): two cumulative products, and no division."""
    (x,), (axes,) = node.args, node.params
    if not x.size:
        return None
    flat = merged(x, axes)
    axis = flat.ndim - 1
    before = cumprod(_delayed(flat, axis, 1), axis)
    after = flip(cumprod(_delayed(flip(flat, axis), axis, 1), axis), axis)
    tangent = linear.move(lambda v: merged(v, axes), tangents[0])
    return linear.total(linear.scale(tangent, multiply(before, after)), (axis,))


def _prod(x: Any, axis: Any) -> Any:
    return np.multiply.reduce(x, axis=axis, dtype=x.dtype)


prod: Op = _reduction(
    "prod",
    _prod,
    dtype=_same,
    pushforward=_push_prod,
    transpose=NOT_LINEAR,
    label="Π {0}",
    domain=Cases(_draw_empty, kinds="iufc"),
)
"""The product in the dtype of its input."""
