"""How singular vectors turn within their span, and the transpose of that.

For singular values, with H and K the Hermitian and the other part of P = Uᴴ Ȧ V, g = sⱼ − sᵢ and
t = sᵢ + sⱼ, the singular vectors turn by

    Ωu = H / g + K / t        Ωv = H / g − K / t

(turning, of shape (…, 2, k, k)), which is the usual rule with 1 / (sⱼ² − sᵢ²) in partial fractions:
what is left of it in U Vᴴ has no gaps in it. The transpose takes (Zu, Zv) to

    skew(Zu + Zv) / g + skew(Zu − Zv) / t            skew(Z) = (Z − Zᴴ) / 2

(turning_back). Both derivatives by s are the op again: of P' with H' = −(H / g) ∘ ġ and
K' = −(K / t) ∘ ṫ, and likewise for Z.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.graph.literals import constant
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import ArrayType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import add, multiply, subtract
from wengert.ops.complex import part_dtype
from wengert.ops.domain import Cases, normal
from wengert.ops.families import define, whole
from wengert.ops.linalg.coincidence import (
    gaps,
    mixed_columns,
    no_columns,
    quotient,
    rounding,
    sums,
)
from wengert.ops.linalg.gaps import batched_as, dgaps, dsums, half, separated, weighted
from wengert.ops.linalg.matrices import adjoint
from wengert.ops.logic import logical_or
from wengert.ops.movement import broadcast_to, embed, index, reshape
from wengert.ops.reductions import any as any_over

VALUES = "the singular values"


def _evaluate_turning(node: Node) -> Callable[..., Any]:
    n, extent = node.shape[-1], node.params[0]
    off = ~np.eye(n, dtype=bool)

    def run(p: Any, s: Any, mixed: Any) -> Any:
        near = _by_gap(half(p, 1), s, p, mixed, extent, off)
        far = _by_sum(half(p, -1), s, p, mixed, extent, off)
        return np.stack([near + far, near - far], axis=-3)

    return run


def _evaluate_turning_back(node: Node) -> Callable[..., Any]:
    n, extent = node.shape[-1], node.params[0]
    off = ~np.eye(n, dtype=bool)

    def run(z: Any, s: Any, mixed: Any) -> Any:
        zu, zv = z[..., 0, :, :], z[..., 1, :, :]
        of = np.maximum(np.abs(zu), np.abs(zv))
        near = _by_gap(half(zu + zv, -1), s, of, mixed, extent, off)
        return near + _by_sum(half(zu - zv, -1), s, of, mixed, extent, off)

    return run


def _by_gap(numerator: Any, s: Any, of: Any, mixed: Any, extent: int, off: Any) -> Any:
    least = rounding(s, extent)[..., None, None]
    return quotient(numerator, gaps(s), least, of, mixed[..., None, :], VALUES, s, off)


def _by_sum(numerator: Any, s: Any, of: Any, mixed: Any, extent: int, off: Any) -> Any:
    least = 2 * rounding(s, extent)[..., None, None]
    among = off if numerator.dtype.kind != "c" else True  # a real K has a zero diagonal
    return quotient(numerator, sums(s), least, of, mixed[..., None, :], VALUES, s, among)


def _infer_turning(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    *lead, n, _ = types[0].shape
    return array_type((*lead, 2, n, n), types[0].dtype)


def _infer_back(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    *lead, _, n, _ = types[0].shape
    return array_type((*lead, n, n), types[0].dtype)


def part(stacked: Node, k: int) -> Node:
    """One of the two matrices of (…, 2, k, k); it may be a linear value."""
    entries = (*whole(stacked.shape[:-3]), k, *whole(stacked.shape[-2:]))
    return linear.move(lambda v: index(v, entries), stacked)


def _both(a: Node, b: Node) -> Node:
    """Two linear values as (…, 2, k, k)."""
    shape = (*a.shape[:-2], 2, *a.shape[-2:])

    def placed(k: int, x: Node) -> Node:
        entries = (*whole(a.shape[:-2]), k, *whole(a.shape[-2:]))
        return linear.move(lambda v: embed(v, entries, shape), x)

    result: Node = linear.add(placed(0, a), placed(1, b))
    return result


def _halved(x: Node) -> Node:
    weight = constant(0.5, x)
    result: Node = linear.pointwise(lambda v: multiply(v, weight), x)
    return result


def _push_turning(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    p, s, _ = node.args
    total, by_s, _ = tangents
    if by_s is not None:
        u, v = part(node, 0), part(node, 1)
        near = _halved(add(u, v))
        far = _halved(subtract(u, v))
        moved = linear.add(weighted(dgaps(by_s), near), weighted(dsums(by_s), far))
        total = linear.add(total, linear.negative(moved))
    if total is None:
        return None
    return stacked_map(
        lambda v: turning(v, s, no_columns(p.shape), *node.params), total, node.shape
    )


def _push_back(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    s = node.args[1]
    total, by_s, _ = tangents
    if by_s is not None:
        turned = adjoint(node)
        near = weighted(dgaps(by_s), _halved(add(node, turned)))
        far = weighted(dsums(by_s), _halved(subtract(node, turned)))
        moved = _both(
            _halved(linear.add(near, far)), _halved(linear.add(near, linear.negative(far)))
        )
        total = linear.add(total, linear.negative(moved))
    if total is None:
        return None
    return stacked_map(
        lambda v: turning_back(v, s, no_columns(node.shape), *node.params), total, node.shape
    )


def stacked_map(build: Callable[[Node], Node], value: Node, shape: Any) -> Node:
    """A linear map between (…, k, k) and (…, 2, k, k): zero where all that it reads is."""
    result = build(value)
    if not linear.is_masked(value):
        return result
    mask = value.args[0]
    lead = min(len(shape), value.ndim) - 2
    seen = any_over(mask, tuple(range(lead, mask.ndim)))
    seen = reshape(seen, (*seen.shape, *(1 for _ in shape[lead:])))
    return linear.masked(broadcast_to(seen, shape), result)


def _transpose_turning(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    s = node.args[1]
    mixed = logical_or(*[mixed_columns(part(ct, k), s) for k in (0, 1)])
    back = stacked_map(lambda v: turning_back(v, s, mixed, *node.params), ct, node.args[0].shape)
    return back, None, None


def _transpose_back(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    s = node.args[1]
    mixed = mixed_columns(ct, s)
    to = stacked_map(lambda v: turning(v, s, mixed, *node.params), ct, node.args[0].shape)
    return to, None, None


def _draw_turning(stacked: bool) -> Callable[..., Any]:
    def draw(rng: np.random.Generator, dtype: Any) -> Any:
        real = part_dtype(np.dtype(dtype))
        for lead, n in (((), 3), ((2,), 2), ((), 1), ((), 0)):
            shape = (*lead, 2, n, n) if stacked else (*lead, n, n)
            s = separated(rng, real, *lead, n)
            yield [normal(rng, dtype, *shape), s, np.zeros((*lead, n), bool)], (n,)

    return draw


turning: Op = define(
    "turning",
    family="spectral",
    build=lambda p, s, mixed, extent: make(
        turning, (p, s, mixed), (extent,), _infer_turning((p.type,), None)
    ),
    infer=_infer_turning,
    evaluate=_evaluate_turning,
    pushforward=_push_turning,
    transpose=_transpose_turning,
    batch=batched_as("turning"),
    sparsity=sparsity.SPECTRAL,
    label="{0} / gaps and sums of {1}",
    domain=Cases(_draw_turning(False)),
)
turning_back: Op = define(
    "turning_back",
    family="spectral",
    build=lambda z, s, mixed, extent: make(
        turning_back, (z, s, mixed), (extent,), _infer_back((z.type,), None)
    ),
    infer=_infer_back,
    evaluate=_evaluate_turning_back,
    pushforward=_push_back,
    transpose=_transpose_back,
    batch=batched_as("turning_back"),
    sparsity=sparsity.SPECTRAL,
    label="{0} / gaps and sums of {1}",
    domain=Cases(_draw_turning(True)),
)
