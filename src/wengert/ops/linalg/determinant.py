"""Determinants and their logarithms, from one LU factorisation.

    d det A = Σ cof(A) Ȧ                      (Jacobi)
    d log det A = Σ A⁻ᵀ Ȧ                     sign = exp(i Im log det), log |det| = Re log det

cof(A) = det(A) A⁻ᵀ where A is regular. It is a polynomial of A, and so right for a singular matrix
too, where it comes from A = U S Vᴴ: cof(A)ᵀ = det(U) det(Vᴴ) V cof(S) Uᴴ, cof(S) having on its
diagonal the products of all singular values but one. In the same way its derivative along E:

    cof(A)'[E]ᵀ = det(U) det(Vᴴ) V G Uᴴ,      F = Uᴴ E V
    Gᵢᵢ = Σ_{k≠i} F_kk Π_{l≠i,k} s_l          Gᵢⱼ = −Fᵢⱼ Π_{l≠i,j} s_l

so that first and second derivatives of det hold at every matrix. The derivative of cof(A)'[E] in A,
for third derivatives of det, is that of det(A) (tr(D E) D − D E D)ᵀ with D = A⁻¹: it needs a
regular A, and is NaN elsewhere.
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
from wengert.ops import linear, sparsity
from wengert.ops.complex import conjugate, part_dtype, real
from wengert.ops.domain import Cases
from wengert.ops.families import NOT_LINEAR, define
from wengert.ops.leaves import item
from wengert.ops.linalg.inverting import transposed_inverse
from wengert.ops.linalg.lu import parity
from wengert.ops.linalg.matrices import after, mix_matrices, times, transposed
from wengert.ops.linalg.solve import inverse, like_matrix, of_factored, well_conditioned
from wengert.ops.linalg.triangular import check_square
from wengert.ops.movement import broadcast_to, reshape


def pairing(weight: Node, tangent: Tangent) -> Tangent:
    """Σ W Ȧ of each matrix of a stack; None where the factors of A alone have a tangent."""
    if tangent is None:
        return None
    scaled = linear.scale(tangent, weight)
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
    pushforward=lambda node, tangents: pairing(cofactors(node.args[1]), tangents[1]),
    transpose=NOT_LINEAR,
    batch=lambda node, args, batched, size: det(args[1]),
    sparsity=sparsity.stacked(2, 2),
    label="det {1}",
    domain=Cases(_draw),
)

# ------------------------------------------------------------------------------- cofactors


def _cofactors(factors: Any, a: Any) -> Any:
    packed, pivots = factors
    values = _determinant(factors, a)
    if a.ndim == 2:
        return _cofactors_of_one(packed, pivots, values, a)
    result = np.empty(a.shape, a.dtype)
    for at in np.ndindex(a.shape[:-2]):
        result[at] = _cofactors_of_one(packed[at], pivots[at], values[at], a[at])
    return result


def _cofactors_of_one(packed: Any, pivots: Any, value: Any, a: Any) -> Any:
    if packed.diagonal().all():
        result = transposed_inverse(packed, pivots)
        result *= value
        if np.isfinite(result).all():
            return result
    if not np.isfinite(a).all():
        return np.full(a.shape, np.nan, a.dtype)
    u, s, vh = np.linalg.svd(a)
    others = np.where(np.eye(len(s), dtype=bool), 1, s).prod(axis=-1)
    phase = np.linalg.det(u) * np.linalg.det(vh)
    return phase * ((u.conj() * others) @ vh.conj())


def _push_cofactors(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    if tangents[1] is None:  # the factors alone have a tangent
        return None
    return mix_matrices(lambda v: cofactor_tangent(node.args[1], v), tangents[1])


def _build_cofactors(a: Node) -> Node:
    args = of_factored(a)
    return make(cofactors, args, None, args[1].type)


cofactors: Op = define(
    "cofactors",
    family="determinant",
    build=_build_cofactors,
    infer=like_matrix,
    evaluate=lambda node: _cofactors,
    pushforward=_push_cofactors,
    transpose=NOT_LINEAR,
    batch=lambda node, args, batched, size: cofactors(args[1]),
    sparsity=sparsity.stacked(2, 2),
    label="cof {1}",
    domain=Cases(_draw),
)


def _build_tangent(a: Node, e: Node) -> Node:
    check_square("cofactor_tangent", a)
    lead = np.broadcast_shapes(a.shape[:-2], e.shape[:-2])
    a, e = (broadcast_to(x, (*lead, *x.shape[-2:])) for x in (a, e))
    return make(cofactor_tangent, (a, e), None, array_type(e.shape, e.dtype))


def _tangent(a: Any, e: Any) -> Any:
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
    return np.swapaxes(phase[..., None, None] * (v @ inner @ uh), -1, -2)


def _push_tangent(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    """In A by that of det(A) (tr(D E) D − D E D)ᵀ, of which Ḋ = −D Ȧ D."""
    a, e = node.args
    a_dot, e_dot = tangents
    moved = None if e_dot is None else mix_matrices(lambda v: cofactor_tangent(a, v), e_dot)
    if a_dot is None or node.shape[-1] <= 2:  # cof(A) is linear
        return moved
    d = inverse(a, False)
    d_dot = linear.negative(times(after(d, a_dot), d))
    inner = linear.add(
        linear.scale(_spread(pairing(transposed(e), d_dot), node), d),
        linear.scale(d_dot, _spread(pairing(transposed(d), e), node)),
    )
    inner = linear.add(inner, linear.negative(times(d_dot, after(e, d))))
    inner = linear.add(inner, linear.negative(after(times(d, e), d_dot)))
    of_product = transposed(linear.scale(inner, _spread(det(a), node)))
    of_det = linear.scale(_spread(pairing(transposed(d), a_dot), node), node)
    return linear.add(moved, linear.add(of_det, of_product))


def _spread(value: Node, like: Node) -> Node:
    """A number for each matrix, repeated over it."""
    return linear.broadcast(linear.move(lambda v: reshape(v, (*v.shape, 1, 1)), value), like.shape)


def _transpose_tangent(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    """It is symmetric: Σ C cof'[E] is the second derivative of det in C and E."""
    return None, mix_matrices(lambda v: cofactor_tangent(node.args[0], v), ct)


def _batch_tangent(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    a, e = (
        x if flag else broadcast_to(x, (size, *x.shape))
        for x, flag in zip(args, batched, strict=True)
    )
    return cofactor_tangent(a, e)


def _draw_tangent(rng: np.random.Generator, dtype: Any) -> Any:
    for n, *lead in ((3,), (1,), (2, 2), (4,), (0,)):
        a, e = (0.5 * well_conditioned(rng, dtype, n, *lead) for _ in range(2))
        yield [a, e], ()


cofactor_tangent: Op = define(
    "cofactor_tangent",
    family="determinant",
    build=_build_tangent,
    infer=lambda types, params: types[1],
    evaluate=lambda node: _tangent,
    pushforward=_push_tangent,
    transpose=_transpose_tangent,
    batch=_batch_tangent,
    sparsity=sparsity.stacked(2, 2),
    label="cof'({0})[{1}]",
    domain=Cases(_draw_tangent),
)
"""cof(A)'[E], linear in E."""

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
    log_det = pairing(inverse(node.args[1], False, True), tangents[1])
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
    sparsity=sparsity.stacked(2, 2),
    label="slogdet {1}",
    domain=Cases(_draw),
)
"""(sign, log |det|), as NumPy: (0, −inf) for a singular matrix."""
