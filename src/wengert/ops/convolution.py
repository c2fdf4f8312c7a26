"""Discrete convolution along the last axis, or the last few, and its inverse, the recurrence.

    convolve(a, v; "full")_k  = Σ_j a_{k−j} v_j              k = 0 … n+m−2
    convolve(a, v; "valid")_k = Σ_j a_{k+m−1−j} v_j          k = 0 … n−m, for n ≥ m

It is linear in either input, and the transposes are convolutions again. With c the cotangent and
rev the reversal of the axis:

    full:     ā = valid(c, rev v)      v̄ = valid(c, rev a)
    valid:    ā = full(c, rev v)       v̄ = rev valid(a, rev c)

Along several axes all this holds in each. The axes in front of those are of a batch: both inputs
have them, with equal extents.

    recurrence(a; x)_n = x_n − Σ_{1≤k≤p} a_{k−1} recurrence(a; x)_{n−k}

is y in A y = x, where A is the triangular matrix whose diagonals hold 1 and a. So ẏ = A⁻¹(ẋ − Ȧ y),
Ȧ y being the convolution of ȧ with y, one step late; and A⁻ᵀ is A⁻¹ between two reversals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import lazy
from wengert.graph.literals import full
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import BOOL, ArrayType, Shape, array_type
from wengert.ops import linear, sparsity_of_sums
from wengert.ops.arithmetic import convert
from wengert.ops.domain import Cases, normal
from wengert.ops.families import define, whole_batch
from wengert.ops.movement import broadcast_to, embed, index, reshape
from wengert.ops.reductions import along, flip
from wengert.ops.reductions import any as any_of
from wengert.ops.selection import common_dtype


def _build(a: Node, v: Node, mode: str = "full", rank: int = 1) -> Node:
    """rank: along how many axes."""
    dtype = common_dtype(a.type, v.type)
    a, v = convert(a, dtype), convert(v, dtype)
    return make(convolve, (a, v), (mode, rank), _infer((a.type, v.type), (mode, rank)))


def _infer(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    a, v = types
    mode, rank = params
    pairs = zip(a.shape[-rank:], v.shape[-rank:], strict=True)
    extents = [n + m - 1 if mode == "full" else n - m + 1 for n, m in pairs]
    return array_type((*a.shape[:-rank], *extents), a.dtype)


def _convolver(mode: Any, rank: int) -> Callable[[Any, Any], Any]:
    """The convolution of two arrays along all of their axes."""
    if rank == 1:
        return lambda a, v: np.convolve(a, v, mode)
    signal = lazy.module("scipy.signal")

    def run(a: Any, v: Any) -> Any:
        if a.dtype == np.bool_:
            return run(a.astype(np.int64), v.astype(np.int64)) > 0
        if rank == 2:
            return signal.convolve2d(a, v, mode)
        return signal.convolve(a, v, mode, "direct")

    return run


def _evaluate(node: Node) -> Callable[..., Any]:
    mode, rank = node.params
    shape, dtype = node.shape, node.dtype
    of_lane = _convolver(mode, rank)
    if len(shape) == rank:
        return of_lane

    def run(a: Any, v: Any) -> Any:
        result = np.empty(shape, dtype)
        for lane in np.ndindex(shape[:-rank]):
            result[lane] = of_lane(a[lane], v[lane])
        return result

    return run


def _mask(mask: Node, extents: Shape, mode: str) -> Node:
    """Which results a linear value reaches: the Boolean convolution of its mask with trues."""
    rank = len(extents)
    return convolve(mask, full(True, BOOL, (*mask.shape[:-rank], *extents)), mode, rank)


def _last(x: Node, rank: int) -> Shape:
    extents: Shape = x.shape[-rank:]
    return extents


def _in_first(a: Node, v: Node, mode: str, rank: int) -> Node:
    """convolve(a, v) that is linear in a."""
    return linear.mix(
        lambda t: convolve(t, v, mode, rank), lambda m: _mask(m, _last(v, rank), mode), a
    )


def _in_second(a: Node, v: Node, mode: str, rank: int) -> Node:
    """convolve(a, v) that is linear in v."""
    if mode == "full":
        return _in_first(v, a, mode, rank)
    # every result of the valid part rests on all of v
    return linear.mix(
        lambda t: convolve(a, t, mode, rank),
        lambda m: _mask(full(True, BOOL, a.shape), _last(m, rank), mode),
        v,
    )


def turned(x: Node, rank: int = 1) -> Node:
    """x with its last axes reversed."""
    for axis in range(x.ndim - rank, x.ndim):
        x = flip(x, axis)
    return x


def _pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    (a, v), (mode, rank) = node.args, node.params
    by_a, by_v = tangents
    return linear.add(
        None if by_a is None else _in_first(by_a, v, mode, rank),
        None if by_v is None else _in_second(a, by_v, mode, rank),
    )


def _transpose(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    (a, v), (mode, rank) = node.args, node.params
    to_a = to_v = None
    if wanted[0]:
        to_a = _in_first(ct, turned(v, rank), "valid" if mode == "full" else "full", rank)
    if wanted[1] and mode == "full":
        to_v = _in_first(ct, turned(a, rank), "valid", rank)
    elif wanted[1]:
        backwards = linear.move(lambda x: turned(x, rank), ct)
        to_v = linear.move(lambda x: turned(x, rank), _in_second(a, backwards, "valid", rank))
    return to_a, to_v


def _batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    a, v = (
        arg if flag else broadcast_to(arg, (size, *arg.shape))
        for arg, flag in zip(args, batched, strict=True)
    )
    return convolve(a, v, *node.params)


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 4), normal(rng, dtype, 3)], ("full",)
    yield [normal(rng, dtype, 5), normal(rng, dtype, 2)], ("valid",)
    yield [normal(rng, dtype, 2, 3), normal(rng, dtype, 2, 4)], ("full",)
    yield [normal(rng, dtype, 3, 4), normal(rng, dtype, 2, 3)], ("full", 2)
    yield [normal(rng, dtype, 3, 4), normal(rng, dtype, 2, 3)], ("valid", 2)
    yield [normal(rng, dtype, 2, 3, 2), normal(rng, dtype, 1, 2, 2)], ("valid", 3)


convolve: Op = define(
    "convolve",
    family="contraction",
    build=_build,
    infer=_infer,
    evaluate=_evaluate,
    pushforward=_pushforward,
    transpose=_transpose,
    batch=_batch,
    sparsity=sparsity_of_sums.convolved,
    label="{0} ∗ {1}",
    domain=Cases(_draw, kinds="iufc"),
)

# -------------------------------------------------------------------------------- recurrence


def _build_recurrence(a: Node, x: Node) -> Node:
    """a has extent p > 0 along the last axis, x any; the axes in front are the same."""
    dtype = common_dtype(a.type, x.type)
    a, x = convert(a, dtype), convert(x, dtype)
    return make(recurrence, (a, x), None, array_type(x.shape, dtype))


def _evaluate_recurrence(node: Node) -> Callable[..., Any]:
    lfilter = lazy.module("scipy.signal").lfilter
    shape, dtype = node.shape, node.dtype
    one = np.ones(1, dtype)

    def run(a: Any, x: Any) -> Any:
        if not x.size:
            return np.empty(shape, dtype)
        rows = a.reshape(-1, a.shape[-1])
        if (rows == rows[0]).all():
            return lfilter(one, np.concatenate((one, rows[0])), x)
        result = np.empty(shape, dtype)
        for lane in np.ndindex(shape[:-1]):
            result[lane] = lfilter(one, np.concatenate((one, a[lane])), x[lane])
        return result

    return run


def _solved(a: Node, x: Node) -> Node:
    """recurrence(a; x) that is linear in x: any element may reach all of its line."""
    return linear.mix(
        lambda t: recurrence(a, t),
        lambda m: broadcast_to(reshape(any_of(m, (m.ndim - 1,)), (*m.shape[:-1], 1)), m.shape),
        x,
    )


def _push_recurrence(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    by_a, by_x = tangents
    n = node.shape[-1]
    if by_a is not None and n > 1:
        late = _in_first(by_a, node, "full", 1)
        first = along(late.shape, late.ndim - 1, 0, n - 1)
        where = along(node.shape, node.ndim - 1, 1, n - 1)
        moved = linear.move(lambda v: embed(index(v, first), where, node.shape), late)
        by_x = linear.add(by_x, linear.negative(moved))
    return None if by_x is None else _solved(node.args[0], by_x)


def _transpose_recurrence(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    return None, linear.move(turned, _solved(node.args[0], linear.move(turned, ct)))


def _batch_recurrence(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    return recurrence(*whole_batch(args, batched, size))


def _draw_recurrence(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 2) * dtype.type(0.5), normal(rng, dtype, 5)], ()
    yield [normal(rng, dtype, 2, 3) * dtype.type(0.5), normal(rng, dtype, 2, 4)], ()
    yield [normal(rng, dtype, 4) * dtype.type(0.5), normal(rng, dtype, 2)], ()


recurrence: Op = define(
    "recurrence",
    family="contraction",
    build=_build_recurrence,
    infer=lambda types, params: array_type(types[1].shape, types[1].dtype),
    evaluate=_evaluate_recurrence,
    pushforward=_push_recurrence,
    transpose=_transpose_recurrence,
    batch=_batch_recurrence,
    sparsity=sparsity_of_sums.recurrent,
    label="recurrence({0}, {1})",
    domain=Cases(_draw_recurrence),
)
