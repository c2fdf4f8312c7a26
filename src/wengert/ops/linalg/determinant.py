"""Determinants and their logarithms, from one LU factorisation.

    d det A = tr(adj(A) Ȧ)                    (Jacobi)
    d log det A = tr(A⁻¹ Ȧ)                   sign = exp(i Im log det), log |det| = Re log det

adj(A) = det(A) A⁻¹ where A is regular. It is a polynomial of A, and so right for a singular matrix
too, where it comes from A = U S Vᴴ: adj(A) = det(U) det(Vᴴ) V adj(S) Uᴴ, adj(S) having the products
of all singular values but one on its diagonal. In the same way its derivative in a direction E,

    adj(A)'[E] = det(U) det(Vᴴ) V adj(S)'[Uᴴ E V] Uᴴ
    (adj(S)'[F])ᵢᵢ = Σ_{k≠i} F_kk Π_{l≠i,k} s_l        (adj(S)'[F])ᵢⱼ = −Fᵢⱼ Π_{l≠i,j} s_l

so that first and second derivatives of det hold at every matrix. The derivative of adj(A)' in A,
for third derivatives of det, is that of det(A) (tr(A⁻¹ E) A⁻¹ − A⁻¹ E A⁻¹): it needs a regular A,
and is NaN elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.graph.literals import full
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.registry import find
from wengert.graph.types import TupleType, Type, array_type
from wengert.ops import linear
from wengert.ops.complex import conjugate, part_dtype, real
from wengert.ops.domain import Cases
from wengert.ops.families import NOT_LINEAR, define
from wengert.ops.leaves import item
from wengert.ops.linalg.inverting import inverse_from
from wengert.ops.linalg.lu import parity
from wengert.ops.linalg.matrices import after, mix_matrices, times, transposed
from wengert.ops.linalg.solve import inverse, like_matrix, of_factored, well_conditioned
from wengert.ops.linalg.triangular import check_square
from wengert.ops.movement import broadcast_to, reshape


def trace_with(weight: Node, tangent: Node) -> Tangent:
    """tr(W Ȧ) of each matrix of a stack."""
    scaled = linear.scale(tangent, transposed(weight))
    return None if scaled is None else linear.total(scaled, (tangent.ndim - 2, tangent.ndim - 1))


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    for n, *lead in ((3,), (1,), (2, 2), (2, 3, 1, 2), (4,), (0,)):
        yield [0.5 * well_conditioned(rng, dtype, n, *lead)], ()


def _scalars(types: tuple[Type, ...], params: Any) -> Type:
    a: Any = types[1]
    return array_type(a.shape[:-2], a.dtype)


# ------------------------------------------------------------------------------------- det


def _determinant(factors: Any, a: Any) -> Any:
    packed, pivots = factors
    values = np.prod(packed.diagonal(0, -2, -1), axis=-1)
    return (values * parity(pivots)).astype(a.dtype)


def _build_det(a: Node) -> Node:
    args = of_factored(a)
    return make(det, args, None, _scalars((args[0].type, args[1].type), None))


det: Op = define(
    "det",
    family="determinant",
    build=_build_det,
    infer=_scalars,
    evaluate=lambda node: _determinant,
    pushforward=lambda node, tangents: trace_with(adjugate(node.args[1]), tangents[1]),
    transpose=NOT_LINEAR,
    batch=lambda node, args, batched, size: det(args[1]),
    label="det {1}",
    domain=Cases(_draw),
)

# -------------------------------------------------------------------------------- adjugate


def _adjugate(factors: Any, a: Any) -> Any:
    if not a.size:
        return np.empty(a.shape, a.dtype)
    packed, pivots = factors
    values = _determinant(factors, a)
    result = np.empty(a.shape, a.dtype)
    for at in np.ndindex(a.shape[:-2]):
        if packed[at].diagonal().all():
            result[at] = values[at] * inverse_from(packed[at], pivots[at])
        if not packed[at].diagonal().all() or not np.isfinite(result[at]).all():
            result[at] = _singular_adjugate(a[at])
    return result


def _singular_adjugate(a: Any) -> Any:
    if not np.isfinite(a).all():
        return np.full(a.shape, np.nan, a.dtype)
    u, s, vh = np.linalg.svd(a)
    others = np.where(np.eye(len(s), dtype=bool), 1, s).prod(axis=-1)
    phase = np.linalg.det(u) * np.linalg.det(vh)
    return phase * (vh.conj().T * others) @ u.conj().T


def _push_adjugate(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    return mix_matrices(lambda v: adjugate_tangent(node.args[1], v), tangents[1])


def _build_adjugate(a: Node) -> Node:
    args = of_factored(a)
    return make(adjugate, args, None, args[1].type)


adjugate: Op = define(
    "adjugate",
    family="determinant",
    build=_build_adjugate,
    infer=like_matrix,
    evaluate=lambda node: _adjugate,
    pushforward=_push_adjugate,
    transpose=NOT_LINEAR,
    batch=lambda node, args, batched, size: adjugate(args[1]),
    label="adj {1}",
    domain=Cases(_draw),
)


def _build_adjugate_tangent(a: Node, e: Node) -> Node:
    check_square("adjugate_tangent", a)
    lead = np.broadcast_shapes(a.shape[:-2], e.shape[:-2])
    a, e = (broadcast_to(x, (*lead, *x.shape[-2:])) for x in (a, e))
    return make(adjugate_tangent, (a, e), None, array_type(e.shape, e.dtype))


def _adjugate_tangent(a: Any, e: Any) -> Any:
    if not a.size:
        return np.empty(a.shape, a.dtype)
    if not np.isfinite(a).all():
        return np.full(a.shape, np.nan, a.dtype)
    u, s, vh = np.linalg.svd(a)
    v, uh = (np.conj(np.swapaxes(x, -1, -2)) for x in (vh, u))
    n = s.shape[-1]
    k = np.arange(n)
    left_out = (k[:, None, None] == k) | (k[:, None] == k)  # (i, j, l): l is i or j
    others = np.where(left_out, 1, s[..., None, None, :]).prod(axis=-1)
    others[..., k, k] = 0
    f = uh @ e @ v
    inner = -others * f
    inner[..., k, k] = (others @ f.diagonal(0, -2, -1)[..., None])[..., 0]
    phase = np.linalg.det(u) * np.linalg.det(vh)
    return phase[..., None, None] * (v @ inner @ uh)


def _push_adjugate_tangent(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    """In A by that of det(A) (tr(D E) D − D E D) with D = A⁻¹, of which Ḋ = −D Ȧ D."""
    a, e = node.args
    a_dot, e_dot = tangents
    moved = None if e_dot is None else mix_matrices(lambda v: adjugate_tangent(a, v), e_dot)
    if a_dot is None:
        return moved
    d = inverse(a, False)
    d_dot = linear.negative(times(after(d, a_dot), d))
    inner = linear.add(
        linear.scale(_spread(trace_with(e, d_dot), node), d),
        linear.scale(d_dot, _spread(trace_with(d, e), node)),
    )
    inner = linear.add(inner, linear.negative(times(d_dot, after(e, d))))
    inner = linear.add(inner, linear.negative(after(times(d, e), d_dot)))
    of_product = linear.scale(inner, _spread(det(a), node))
    of_det = linear.scale(_spread(trace_with(d, a_dot), node), node)
    return linear.add(moved, linear.add(of_det, of_product))


def _spread(value: Node, like: Node) -> Node:
    """A number for each matrix, repeated over it."""
    return linear.broadcast(linear.move(lambda v: reshape(v, (*v.shape, 1, 1)), value), like.shape)


def _transpose_adjugate_tangent(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    """It is symmetric: det''[Cᵀ, E] = Σ C adj'[E] = Σ adj'[Cᵀ]ᵀ E."""
    a = node.args[0]
    return None, mix_matrices(lambda v: transposed(adjugate_tangent(a, transposed(v))), ct)


def _batch_adjugate_tangent(
    node: Node, args: Sequence[Node], batched: Sequence[bool], size: int
) -> Node:
    a, e = (
        x if flag else broadcast_to(x, (size, *x.shape))
        for x, flag in zip(args, batched, strict=True)
    )
    return adjugate_tangent(a, e)


def _draw_tangent(rng: np.random.Generator, dtype: Any) -> Any:
    for n, *lead in ((3,), (1,), (2, 2), (4,), (0,)):
        a, e = (0.5 * well_conditioned(rng, dtype, n, *lead) for _ in range(2))
        yield [a, e], ()


adjugate_tangent: Op = define(
    "adjugate_tangent",
    family="determinant",
    build=_build_adjugate_tangent,
    infer=lambda types, params: types[1],
    evaluate=lambda node: _adjugate_tangent,
    pushforward=_push_adjugate_tangent,
    transpose=_transpose_adjugate_tangent,
    batch=_batch_adjugate_tangent,
    label="adj'({0})[{1}]",
    domain=Cases(_draw_tangent),
)
"""adj(A)'[E], linear in E."""

# --------------------------------------------------------------------------------- slogdet


def _build_slogdet(a: Node) -> Node:
    args = of_factored(a)
    return make(slogdet, args, None, _infer_slogdet((args[0].type, args[1].type), None))


def _infer_slogdet(types: tuple[Type, ...], params: Any) -> Type:
    a: Any = types[1]
    shape = a.shape[:-2]
    return TupleType((array_type(shape, a.dtype), array_type(shape, part_dtype(a.dtype))))


def _slogdet(factors: Any, a: Any) -> Any:
    packed, pivots = factors
    diagonal = packed.diagonal(0, -2, -1)
    size = np.abs(diagonal)
    if a.dtype.kind == "c":
        signs = np.divide(diagonal, size, out=np.zeros_like(diagonal), where=size != 0)
    else:
        signs = np.sign(diagonal)
    sign = (np.prod(signs, axis=-1) * parity(pivots)).astype(a.dtype)
    with np.errstate(divide="ignore"):
        logarithm = np.sum(np.log(size), axis=-1, dtype=size.dtype)
    return sign, logarithm


def _push_slogdet(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    log_det = trace_with(inverse(node.args[1], False), tangents[1])
    if log_det is None or log_det.dtype.kind != "c":
        return None, log_det
    twice = linear.add(log_det, linear.negative(linear.pointwise(conjugate, log_det)))
    sign = item(node, 0)
    half = find("multiply")(sign, full(0.5, sign.dtype, sign.shape))
    return linear.scale(twice, half), linear.pointwise(real, log_det)


slogdet: Op = define(
    "slogdet",
    family="determinant",
    build=_build_slogdet,
    infer=_infer_slogdet,
    evaluate=lambda node: _slogdet,
    pushforward=_push_slogdet,
    transpose=NOT_LINEAR,
    batch=lambda node, args, batched, size: slogdet(args[1]),
    label="slogdet {1}",
    domain=Cases(_draw),
)
"""(sign, log |det|), as NumPy: (0, −inf) for a singular matrix."""
