"""Discrete convolution along the last axis.

    convolve(a, v; "full")_k  = Σ_j a_{k−j} v_j              k = 0 … n+m−2
    convolve(a, v; "valid")_k = Σ_j a_{k+m−1−j} v_j          k = 0 … n−m, for n ≥ m

It is linear in either input, and the transposes are convolutions again. With c the cotangent and
rev the reversal of the axis:

    full:     ā = valid(c, rev v)      v̄ = valid(c, rev a)
    valid:    ā = full(c, rev v)       v̄ = rev valid(a, rev c)

The axes in front of the last are those of a batch: both inputs have them, with equal extents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.graph.literals import full
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import BOOL, ArrayType, array_type
from wengert.ops import linear
from wengert.ops.arithmetic import convert
from wengert.ops.domain import Cases, normal
from wengert.ops.families import define
from wengert.ops.movement import broadcast_to
from wengert.ops.reductions import flip
from wengert.ops.selection import common_dtype


def _build(a: Node, v: Node, mode: str = "full") -> Node:
    dtype = common_dtype(a.type, v.type)
    a, v = convert(a, dtype), convert(v, dtype)
    return make(convolve, (a, v), (mode,), _infer((a.type, v.type), (mode,)))


def _infer(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    a, v = types
    n, m = a.shape[-1], v.shape[-1]
    extent = n + m - 1 if params[0] == "full" else n - m + 1
    return array_type((*a.shape[:-1], extent), a.dtype)


def _evaluate(node: Node) -> Callable[..., Any]:
    (mode,) = node.params
    shape, dtype = node.shape, node.dtype
    if len(shape) == 1:
        return lambda a, v: np.convolve(a, v, mode)

    def run(a: Any, v: Any) -> Any:
        result = np.empty(shape, dtype)
        for lane in np.ndindex(shape[:-1]):
            result[lane] = np.convolve(a[lane], v[lane], mode)
        return result

    return run


def _mask(mask: Node, extent: int, mode: str) -> Node:
    """Which results a linear value reaches: the Boolean convolution of its mask with trues."""
    return convolve(mask, full(True, BOOL, (*mask.shape[:-1], extent)), mode)


def _last(x: Node) -> int:
    extent: int = x.shape[-1]
    return extent


def _in_first(a: Node, v: Node, mode: str) -> Node:
    """convolve(a, v) that is linear in a."""
    return linear.mix(lambda t: convolve(t, v, mode), lambda m: _mask(m, _last(v), mode), a)


def _in_second(a: Node, v: Node, mode: str) -> Node:
    """convolve(a, v) that is linear in v."""
    if mode == "full":
        return _in_first(v, a, mode)
    # every result of the valid part rests on all of v
    return linear.mix(
        lambda t: convolve(a, t, mode),
        lambda m: _mask(full(True, BOOL, a.shape), _last(m), mode),
        v,
    )


def _turned(x: Node) -> Node:
    return flip(x, x.ndim - 1)


def _pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    (a, v), (mode,) = node.args, node.params
    by_a, by_v = tangents
    return linear.add(
        None if by_a is None else _in_first(by_a, v, mode),
        None if by_v is None else _in_second(a, by_v, mode),
    )


def _transpose(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    (a, v), (mode,) = node.args, node.params
    to_a = to_v = None
    if wanted[0]:
        to_a = _in_first(ct, _turned(v), "valid" if mode == "full" else "full")
    if wanted[1] and mode == "full":
        to_v = _in_first(ct, _turned(a), "valid")
    elif wanted[1]:
        to_v = linear.move(_turned, _in_second(a, linear.move(_turned, ct), "valid"))
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


convolve: Op = define(
    "convolve",
    family="contraction",
    build=_build,
    infer=_infer,
    evaluate=_evaluate,
    pushforward=_pushforward,
    transpose=_transpose,
    batch=_batch,
    label="{0} ∗ {1}",
    domain=Cases(_draw, kinds="iufc"),
)
