"""Turns of eigenvectors and the parts of singular vectors that leave their span.

rotation(x, w, size, mixed, sign)  x, or its Hermitian or other part, divided by wⱼ − wᵢ
outside(x, u, s, mixed, extent)    (x − u uᴴ x)ⱼ / sⱼ

Both are linear in x. `mixed` says which columns must not coincide with others, see `coincidence`;
`size` of what number the errors of w are a part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.graph.literals import constant, full
from wengert.graph.node import Node, make
from wengert.graph.op import OPS, Batch, Op, Tangent
from wengert.graph.types import BOOL, ArrayType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert, divide, multiply
from wengert.ops.complex import absolute, conjugate, part_dtype
from wengert.ops.domain import Cases, normal
from wengert.ops.families import define, whole_batch
from wengert.ops.linalg.coincidence import (
    ROUNDING,
    gaps,
    mixed_columns,
    no_columns,
    quotient,
    rounding,
)
from wengert.ops.linalg.matrices import adjoint, after, matmul, mix_matrices, times
from wengert.ops.logic import greater
from wengert.ops.movement import broadcast_to, reshape
from wengert.ops.reductions import max as maximum_over
from wengert.ops.selection import select


def batched_as(name: str) -> Batch:
    """All inputs with the batch axis in front."""

    def batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
        return OPS[name](*whole_batch(args, batched, size), *node.params)

    return batch


def dgaps(tangent: Node) -> Node:
    """ẇⱼ − ẇᵢ of the tangent of the values."""
    n = tangent.shape[-1]
    shape = (*tangent.shape, n)
    across = linear.broadcast(as_row(tangent), shape)
    down = linear.broadcast(as_column(tangent), shape)
    result: Node = linear.add(across, linear.negative(down))
    return result


def dsums(tangent: Node) -> Node:
    """ẇᵢ + ẇⱼ of the tangent of the values."""
    shape = (*tangent.shape, tangent.shape[-1])
    across = linear.broadcast(as_row(tangent), shape)
    result: Node = linear.add(across, linear.broadcast(as_column(tangent), shape))
    return result


def as_row(x: Node) -> Node:
    """(…, n) as (…, 1, n); it may be a linear value."""
    return linear.move(lambda v: reshape(v, (*v.shape[:-1], 1, v.shape[-1])), x)


def as_column(x: Node) -> Node:
    """(…, n) as (…, n, 1); it may be a linear value."""
    return linear.move(lambda v: reshape(v, (*v.shape, 1)), x)


def weighted(tangent: Node, weight: Node) -> Node:
    """A real or complex linear value times a weight, in the dtype of the weight."""
    wide = tangent if tangent.dtype == weight.dtype else linear.convert(tangent, weight.dtype)
    result: Node = linear.pointwise(lambda v: multiply(v, weight), wide)
    return result


def half(x: Any, sign: int) -> Any:
    """(x ± xᴴ) / 2, of arrays."""
    turned = np.conj(np.swapaxes(x, -1, -2))
    return (x + turned if sign > 0 else x - turned) / 2


# rotation(x, w, size, mixed, sign): Yᵢⱼ = ½ (x ± xᴴ)ᵢⱼ / (wⱼ − wᵢ), Yᵢᵢ = 0; sign 0: x alone.
#
#     Re Σ cᵢⱼ ½ (xᵢⱼ ± x̄ⱼᵢ) / gᵢⱼ = Re Σ xᵢⱼ ½ (cᵢⱼ ∓ c̄ⱼᵢ) / gᵢⱼ      as gⱼᵢ = −gᵢⱼ is real
#
# so the transpose is the op with the other sign. By w: Ẏ = −(Y ∘ ġ) / g, and Y ∘ ġ has the
# symmetry that the op keeps.


def _build_rotation(x: Node, w: Node, size: Node, mixed: Node, sign: int = 0) -> Node:
    return make(rotation, (x, w, size, mixed), (sign,), same_type((x.type,), None))


def same_type(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return array_type(types[0].shape, types[0].dtype)


def _evaluate_rotation(node: Node) -> Callable[..., Any]:
    (sign,) = node.params
    n = node.shape[-1]
    off = ~np.eye(n, dtype=bool)

    def run(x: Any, w: Any, size: Any, mixed: Any) -> Any:
        numerator = half(x, sign) if sign else x
        least = rounding(w, n, size)[..., None, None]
        what = "the eigenvalues"
        return quotient(numerator, gaps(w), least, x, mixed[..., None, :], what, w, off)

    return run


def _push_rotation(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    x, w, size, _ = node.args
    (sign,) = node.params
    by_x, by_w, _, _ = tangents
    total = by_x
    if by_w is not None:
        total = linear.add(total, linear.negative(weighted(dgaps(by_w), node)))
    if total is None:
        return None
    return mix_matrices(lambda v: rotation(v, w, size, no_columns(x.shape), sign), total)


def _transpose_rotation(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    _, w, size, _ = node.args
    mixed = mixed_columns(ct, w)
    to = mix_matrices(lambda v: rotation(v, w, size, mixed, -node.params[0]), ct)
    return to, None, None, None


def separated(rng: np.random.Generator, dtype: Any, *shape: int) -> Any:
    """Well separated values, falling, none near zero."""
    n = shape[-1]
    w = 1.5 * np.arange(n, 0, -1) + rng.uniform(-0.3, 0.3, shape)
    return w.astype(dtype)


def _draw_rotation(rng: np.random.Generator, dtype: Any) -> Any:
    real = part_dtype(np.dtype(dtype))
    for shape, sign in (((3, 3), 1), ((2, 2, 2), -1), ((3, 3), 0), ((1, 1), 1), ((0, 0), 1)):
        w = separated(rng, real if sign else dtype, *shape[:-1])
        size = np.full(shape[:-2], 2, real)
        yield [normal(rng, dtype, *shape), w, size, np.zeros(shape[:-1], bool)], (sign,)


rotation: Op = define(
    "rotation",
    family="spectral",
    build=_build_rotation,
    infer=same_type,
    evaluate=_evaluate_rotation,
    pushforward=_push_rotation,
    transpose=_transpose_rotation,
    batch=batched_as("rotation"),
    sparsity=sparsity.SPECTRAL,
    label="{0} / gaps of {1}",
    domain=Cases(_draw_rotation),
)


# outside(x, u, s, mixed, extent) is what leaves the span of the orthonormal columns u. By the
# pairing Re Σ c x its transpose is the op with ū, as (I − u uᴴ)ᵀ = I − ū uᵀ. By u and s:
#
#     Ẏ = −(u̇ uᴴ + u u̇ᴴ) x / s − Y ṡ / s


def largest_of(values: Node) -> Node:
    """The largest magnitude among values (…, n)."""
    if not values.shape[-1]:
        return full(0, part_dtype(values.dtype), values.shape[:-1])
    return maximum_over(absolute(values), (values.ndim - 1,))


def beyond_rounding(values: Node, extent: int) -> Node:
    """Booleans: which of real values are not zero to rounding, beside the largest."""
    if not values.shape[-1]:
        return full(False, BOOL, values.shape)
    eps = np.finfo(values.dtype).eps
    largest = largest_of(values)
    least = multiply(largest, constant(float(ROUNDING * extent * eps), largest))
    least = broadcast_to(reshape(least, (*least.shape, 1)), values.shape)
    return greater(absolute(values), least)


def reciprocal(values: Node, extent: int) -> Node:
    """1 / sⱼ, and 0 where sⱼ is zero to rounding."""
    if not values.shape[-1]:
        return values
    safe = beyond_rounding(values, extent)
    one, zero = constant(1, values), constant(0, values)
    return select(safe, divide(one, select(safe, values, one)), zero)


def _evaluate_outside(node: Node) -> Callable[..., Any]:
    (extent,) = node.params

    def run(x: Any, u: Any, s: Any, mixed: Any) -> Any:
        numerator = x - u @ (np.conj(np.swapaxes(u, -1, -2)) @ x)
        divisor = np.broadcast_to(s[..., None, :], x.shape)
        least = rounding(s, extent)[..., None, None]
        what = "the singular values"
        return quotient(numerator, divisor, least, x, mixed[..., None, :], what, s, paired=False)

    return run


def _push_outside(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    x, u, s, _ = node.args
    by_x, by_u, by_s, _ = tangents
    total = None
    if by_x is not None:
        total = mix_matrices(lambda v: outside(v, u, s, no_columns(x.shape), *node.params), by_x)
    inverse = reciprocal(s, *node.params)
    if by_u is not None:
        moved = linear.add(times(by_u, matmul(adjoint(u), x)), after(u, times(adjoint(by_u), x)))
        total = linear.add(total, linear.negative(scaled_columns(moved, inverse)))
    if by_s is not None:
        relative = scaled(by_s, inverse)
        change = weighted(linear.broadcast(as_row(relative), node.shape), node)
        total = linear.add(total, linear.negative(change))
    return total


def scaled(tangent: Node, weight: Node) -> Node:
    """A linear value times a weight that is not all zeros."""
    result: Node = linear.scale(tangent, weight)
    return result


def scaled_columns(tangent: Node, weights: Node) -> Node:
    """The columns of matrices, a linear value, times weights (…, n)."""
    if weights.dtype != tangent.dtype:
        weights = convert(weights, tangent.dtype)
    return scaled(tangent, broadcast_to(as_row(weights), tangent.shape))


def _transpose_outside(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    _, u, s, _ = node.args
    mixed = mixed_columns(ct, s)
    bar = conjugate(u)
    return mix_matrices(lambda v: outside(v, bar, s, mixed, *node.params), ct), None, None, None


def _draw_outside(rng: np.random.Generator, dtype: Any) -> Any:
    real = part_dtype(np.dtype(dtype))
    for lead, m, k in (((), 4, 2), ((2,), 3, 1), ((), 2, 0)):
        s = separated(rng, real, *lead, k)
        u = np.linalg.qr(normal(rng, np.complex128, *lead, m, k))[0]
        u = u.astype(dtype) if np.dtype(dtype).kind == "c" else u.real.astype(dtype)
        yield [normal(rng, dtype, *lead, m, k), u, s, np.zeros((*lead, k), bool)], (m,)


outside: Op = define(
    "outside",
    family="spectral",
    build=lambda x, u, s, mixed, extent: make(
        outside, (x, u, s, mixed), (extent,), same_type((x.type,), None)
    ),
    infer=same_type,
    evaluate=_evaluate_outside,
    pushforward=_push_outside,
    transpose=_transpose_outside,
    batch=batched_as("outside"),
    sparsity=sparsity.SPECTRAL,
    label="(1 − {1}{1}ᴴ) {0} / {2}",
    domain=Cases(_draw_outside),
)
