"""Sums of products of two arrays: every matrix product, dot product and pairwise einsum.

`contract(a, b, over, along)` sums over the axes `over = (axes of a, axes of b)`, keeps the axes
`along = (axes of a, axes of b)` paired, and yields the axes (along, rest of a, rest of b). It is
linear in either input, and both transposes are contractions again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.registry import find
from wengert.graph.types import ArrayType, Shape, array_type
from wengert.ops import linear, sparsity_of_sums
from wengert.ops.arithmetic import convert
from wengert.ops.domain import Cases, normal
from wengert.ops.families import define
from wengert.ops.movement import broadcast_to, reshape, transpose
from wengert.ops.native import Statement
from wengert.ops.selection import common_dtype

Axes = tuple[int, ...]
Pair = tuple[Axes, Axes]


def free(shape: Shape, *taken: Axes) -> Axes:
    """The axes that are neither contracted nor paired."""
    used = {axis for axes in taken for axis in axes}
    return tuple(axis for axis in range(len(shape)) if axis not in used)


def _build(a: Node, b: Node, over: Pair, along: Pair = ((), ())) -> Node:
    if a.dtype != b.dtype:
        dtype = common_dtype(a.type, b.type)
        a, b = convert(a, dtype), convert(b, dtype)
    params = (over, along)
    return make(contract, (a, b), params, _infer((a.type, b.type), params))


def _infer(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    a, b = types
    over, along = params
    for i, j in (*zip(*over, strict=True), *zip(*along, strict=True)):
        if a.shape[i] != b.shape[j]:
            raise WengertValueError(
                f"shapes {a.shape} and {b.shape} do not match: axis {i} of the first has extent "
                f"{a.shape[i]}, axis {j} of the second {b.shape[j]}"
            )
    shape = (
        *(a.shape[i] for i in along[0]),
        *(a.shape[i] for i in free(a.shape, over[0], along[0])),
        *(b.shape[j] for j in free(b.shape, over[1], along[1])),
    )
    return array_type(shape, a.dtype)


def _evaluate(node: Node) -> Callable[..., Any]:
    """np.dot on the arrays or their transposes where that says it; else one batched matmul."""
    a, b = node.args
    over, along = node.params
    if not along[0] and len(over[0]) == 1 and 0 < a.ndim <= 2 and 0 < b.ndim <= 2:
        turn_a, turn_b = over[0] != (a.ndim - 1,), over[1] != (0,)
        if turn_a and turn_b:
            return lambda x, y: np.dot(x.T, y.T)
        if turn_a:
            return lambda x, y: np.dot(x.T, y)
        if turn_b:
            return lambda x, y: np.dot(x, y.T)
        return np.dot
    free_a, free_b = free(a.shape, over[0], along[0]), free(b.shape, over[1], along[1])
    order_a, order_b = (*along[0], *free_a, *over[0]), (*along[1], *over[1], *free_b)
    inner = math.prod(a.shape[i] for i in over[0])
    paired = tuple(a.shape[i] for i in along[0])
    shape_a = (*paired, math.prod(a.shape[i] for i in free_a), inner)
    shape_b = (*paired, inner, math.prod(b.shape[i] for i in free_b))
    shape = node.shape

    def run(x: Any, y: Any) -> Any:
        left = np.transpose(x, order_a).reshape(shape_a)
        right = np.transpose(y, order_b).reshape(shape_b)
        return np.matmul(left, right).reshape(shape)[()]

    return run


def _mask_of_product(node: Node, mask: Node, first: bool) -> Node:
    """A product is a structural zero where all the factors that it sums are."""
    (over, along), (a, b) = node.params, node.args
    side = 0 if first else 1
    other = b if first else a
    rest = free(node.args[side].shape, over[side], along[side])
    others = free(other.shape, over[1 - side], along[1 - side])
    seen = find("any")(mask, over[side])
    left = [axis for axis in range(mask.ndim) if axis not in over[side]]
    seen = transpose(seen, [left.index(axis) for axis in (*along[side], *rest)])
    paired = len(along[side])
    if first:
        shape = (*seen.shape, *(1 for _ in others))
    else:
        shape = (*seen.shape[:paired], *(1 for _ in others), *seen.shape[paired:])
    return broadcast_to(reshape(seen, shape), node.shape)


def _quieted(node: Node, mask: Node, first: bool) -> Node:
    """The other factor, with zeros where it only ever meets structural zeros.

    What a dead branch left there (an infinity) times zero would be NaN. Where the factor was given
    by the caller nothing is paid.
    """
    (over, along), (a, b) = node.params, node.args
    side, other = (0, b) if first else (1, a)
    if not linear.rests_on_trace(other):
        return other
    rest = free(node.args[side].shape, over[side], along[side])
    seen = find("any")(mask, rest)
    left = [axis for axis in range(mask.ndim) if axis not in rest]
    mine, theirs = (*along[side], *over[side]), (*along[1 - side], *over[1 - side])
    order = sorted(range(len(theirs)), key=theirs.__getitem__)
    seen = transpose(seen, [left.index(mine[k]) for k in order])
    shape = tuple(other.shape[axis] if axis in theirs else 1 for axis in range(other.ndim))
    return linear.masked(broadcast_to(reshape(seen, shape), other.shape), other)


def product(node: Node, tangent: Node, first: bool) -> Node:
    """The contraction with its first (or second) input replaced by a linear value."""
    other = node.args[1] if first else node.args[0]
    over, along = node.params
    if linear.is_masked(tangent):
        other = _quieted(node, tangent.args[0], first)

    def build(v: Node) -> Node:
        return contract(v, other, over, along) if first else contract(other, v, over, along)

    return linear.mix(build, lambda m: _mask_of_product(node, m, first), tangent)


def _pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    a, b = tangents
    return linear.add(
        None if a is None else product(node, a, True),
        None if b is None else product(node, b, False),
    )


def _transpose(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    a, b = node.args
    (over_a, over_b), (along_a, along_b) = node.params
    free_a, free_b = free(a.shape, over_a, along_a), free(b.shape, over_b, along_b)
    paired, n_free = len(along_a), len(free_a)
    kept_pairs = tuple(range(paired))
    to_a = to_b = None
    if wanted[0]:
        # ct (pairs, free a, free b) with b over free b: (pairs, free a, contracted axes of b)
        over = (tuple(range(paired + n_free, ct.ndim)), free_b)
        result = _linear_contract(ct, b, over, (kept_pairs, along_b), True)
        rank = {axis: k for k, axis in enumerate(sorted(over_b))}
        place = dict(zip(along_a, kept_pairs, strict=True))
        place |= {axis: paired + k for k, axis in enumerate(free_a)}
        place |= {i: paired + n_free + rank[j] for i, j in zip(over_a, over_b, strict=True)}
        to_a = _placed(result, place)
    if wanted[1]:
        # a with ct over free a: (pairs, contracted axes of a, free b)
        over = (free_a, tuple(range(paired, paired + n_free)))
        result = _linear_contract(a, ct, over, (along_a, kept_pairs), False)
        rank = {axis: k for k, axis in enumerate(sorted(over_a))}
        place = dict(zip(along_b, kept_pairs, strict=True))
        place |= {j: paired + rank[i] for i, j in zip(over_a, over_b, strict=True)}
        place |= {axis: paired + len(over_b) + k for k, axis in enumerate(free_b)}
        to_b = _placed(result, place)
    return to_a, to_b


def _linear_contract(a: Node, b: Node, over: Pair, along: Pair, first: bool) -> Node:
    """contract(a, b) that is linear in the first or the second, by the mask rule."""
    tangent = a if first else b
    bare = contract(a, b, over, along)
    return product(bare, tangent, first) if linear.is_masked(tangent) else bare


def _placed(result: Node, place: dict[int, int]) -> Node:
    axes = [place[axis] for axis in range(len(place))]
    return linear.move(lambda v: transpose(v, axes), result)


def _batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    (over_a, over_b), (along_a, along_b) = node.params
    a, b = args
    if batched[0] and batched[1]:
        return contract(
            a,
            b,
            (_shift(over_a), _shift(over_b)),
            ((0, *_shift(along_a)), (0, *_shift(along_b))),
        )
    if batched[0]:  # (pairs, batch, ...): the batch axis is the first free one of a
        result = contract(a, b, (_shift(over_a), over_b), (_shift(along_a), along_b))
        at = len(along_a)
    else:  # it is the first free one of b
        result = contract(a, b, (over_a, _shift(over_b)), (along_a, _shift(along_b)))
        at = len(along_a) + len(free(a.shape, over_a, along_a))
    order = list(range(result.ndim))
    order.insert(0, order.pop(at))
    return transpose(result, order)


def _shift(axes: Axes) -> Axes:
    return tuple(axis + 1 for axis in axes)


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 3), normal(rng, dtype, 3)], (((0,), (0,)),)
    yield [normal(rng, dtype, 2, 3), normal(rng, dtype, 3)], (((1,), (0,)),)
    yield [normal(rng, dtype, 3, 2), normal(rng, dtype, 4, 3)], (((0,), (1,)),)
    yield (
        [normal(rng, dtype, 2, 3, 4), normal(rng, dtype, 4, 2, 5)],
        (((2,), (0,)), ((0,), (1,))),
    )
    yield (
        [normal(rng, dtype, 2, 3, 4, 2), normal(rng, dtype, 4, 2, 3)],
        (((2, 1), (0, 2)), ((3,), (1,))),
    )
    yield [normal(rng, dtype, 2), normal(rng, dtype, 3)], (((), ()),)
    yield [normal(rng, dtype, 2, 0), normal(rng, dtype, 0, 3)], (((1,), (0,)),)


contract: Op = define(
    "contract",
    family="contraction",
    build=_build,
    infer=_infer,
    evaluate=_evaluate,
    pushforward=_pushforward,
    transpose=_transpose,
    batch=_batch,
    native=Statement("contract"),
    sparsity=sparsity_of_sums.contracted,
    label="{0} {1}",
    domain=Cases(_draw, kinds="iufc"),
)
