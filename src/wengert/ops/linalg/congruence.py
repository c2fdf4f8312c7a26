"""The diagonal of a Cholesky factor, and the congruence that its derivative is.

With F = L⁻¹ Ȧ L⁻ᴴ the diagonal of L moves by l̇ᵢᵢ = lᵢᵢ Re Fᵢᵢ / 2 (see `cholesky`), so that it has
a derivative of its own, cheaper than that of L: its transpose is Ā = L⁻ᵀ diag(d) L̄⁻¹, where the
transpose of the whole needs a matrix product more. A log-determinant is 2 Σ log lᵢᵢ.

    congruent_diagonal(L, X)    diag(L⁻¹ X L⁻ᴴ)              linear in X
    congruent_sum(L, d)         L⁻ᵀ diag(d) L̄⁻¹              linear in d, the transpose of the other

With K = L⁻¹ L̇ the inverse moves by −K L⁻¹, which gives the derivatives of both in L.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.graph.literals import constant
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import ArrayType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import multiply
from wengert.ops.complex import conjugate
from wengert.ops.domain import Cases, hermitian, normal
from wengert.ops.families import NOT_LINEAR, define
from wengert.ops.linalg.cholesky import (
    cholesky,
    hermitian_part,
    positive_definite,
    solved_on_both_sides,
)
from wengert.ops.linalg.inverting import inverse_triangle, product_with_adjoint
from wengert.ops.linalg.lapack import empty_matrices
from wengert.ops.linalg.matrices import mix_matrices, transposed
from wengert.ops.linalg.triangular import triangle, triangular_solve
from wengert.ops.movement import broadcast_to, reshape
from wengert.ops.reductions import any as any_over


def _vectors(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return array_type(types[1].shape[:-1], types[1].dtype)


def _matrices(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return types[0]


def _moved_inverse(factor: Node, tangent: Node) -> Node:
    """K = L⁻¹ L̇: only the lower triangle counts."""
    return mix_matrices(lambda v: triangular_solve(factor, triangle(v, True)), tangent)


def _rows(value: Node, n: int) -> Node:
    """A vector as the factor of the rows of a matrix."""
    return linear.broadcast(
        linear.move(lambda v: reshape(v, (*v.shape, 1)), value), (*value.shape, n)
    )


def _last(value: Node) -> Node:
    return linear.total(value, (value.ndim - 1,))


# ----------------------------------------------------------------------- congruent_diagonal


def _build_diagonal(factor: Node, x: Node) -> Node:
    kind = _vectors((factor.type, x.type), None)
    return make(congruent_diagonal, (factor, x), None, kind)


def _diagonal(factor: Any, x: Any) -> Any:
    """The rows of the inverse against those of X times it."""
    result = np.empty(x.shape[:-1], x.dtype)
    if not x.size:
        return result
    for at in np.ndindex(x.shape[:-2]):
        inverse = inverse_triangle(factor[at])
        result[at] = np.sum((inverse @ x[at]) * inverse.conj(), axis=-1)
    return result


def _push_diagonal(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    factor, x = node.args
    factor_dot, x_dot = tangents
    result = None if x_dot is None else _diagonal_of(factor, x_dot)
    if factor_dot is not None:
        k = _moved_inverse(factor, factor_dot)
        inner = mix_matrices(lambda v: solved_on_both_sides(factor, v), x)
        left = linear.scale(k, transposed(inner))
        right = linear.scale(linear.pointwise(conjugate, k) if _is_complex(k) else k, inner)
        moved = linear.negative(_last(linear.add(left, right)))
        result = linear.add(result, moved)
    return result


def _is_complex(node: Node) -> bool:
    return node.dtype.kind == "c"


def _diagonal_of(factor: Node, x: Node) -> Node:
    """congruent_diagonal of a linear value."""
    result: Node = congruent_diagonal(factor, x)
    if not linear.is_masked(x):
        return result
    seen = any_over(x.args[0], (x.ndim - 2, x.ndim - 1))
    return linear.masked(broadcast_to(reshape(seen, (*seen.shape, 1)), result.shape), result)


def _sum_of(factor: Node, d: Node) -> Node:
    """congruent_sum of a linear value."""
    result: Node = congruent_sum(factor, d)
    if not linear.is_masked(d):
        return result
    seen = any_over(d.args[0], (d.ndim - 1,))
    return linear.masked(broadcast_to(reshape(seen, (*seen.shape, 1, 1)), result.shape), result)


def _batched(args: Sequence[Node], flags: Sequence[bool], size: int) -> list[Node]:
    return [
        x if flag else broadcast_to(x, (size, *x.shape))
        for x, flag in zip(args, flags, strict=True)
    ]


def _draw_diagonal(rng: np.random.Generator, dtype: Any) -> Any:
    for n, *lead in ((3,), (1,), (2, 2), (0,)):
        factor = np.tril(positive_definite(rng, dtype, n, *lead))
        yield [factor, normal(rng, dtype, *lead, n, n)], ()


congruent_diagonal: Op = define(
    "congruent_diagonal",
    family="linear system",
    build=_build_diagonal,
    infer=_vectors,
    evaluate=lambda node: _diagonal,
    pushforward=_push_diagonal,
    transpose=lambda node, ct, wanted: (None, _sum_of(node.args[0], ct)),
    batch=lambda node, args, flags, size: congruent_diagonal(*_batched(args, flags, size)),
    sparsity=sparsity.stacked(2, 2),
    label="diag {0}⁻¹{1}{0}⁻ᴴ",
    domain=Cases(_draw_diagonal),
)

# ---------------------------------------------------------------------------- congruent_sum


def _build_sum(factor: Node, d: Node) -> Node:
    return make(congruent_sum, (factor, d), None, factor.type)


def _sum(factor: Any, d: Any) -> Any:
    result = empty_matrices(factor.shape, factor.dtype)
    if not d.size:
        return result
    if factor.ndim == 2:
        return product_with_adjoint(inverse_triangle(factor), d)
    for at in np.ndindex(factor.shape[:-2]):
        result[at] = product_with_adjoint(inverse_triangle(factor[at]), d[at])
    return result


def _push_sum(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    factor, d = node.args
    factor_dot, d_dot = tangents
    result = None if d_dot is None else _sum_of(factor, d_dot)
    if factor_dot is not None:
        k = _moved_inverse(factor, factor_dot)
        n = factor.shape[-1]
        weights = broadcast_to(reshape(d, (*d.shape[:-1], 1, n)), factor.shape)
        left = linear.scale(transposed(k), weights)
        right = linear.scale(
            linear.pointwise(conjugate, k) if _is_complex(k) else k, transposed(weights)
        )
        inner = linear.negative(linear.add(left, right))
        result = linear.add(result, mix_matrices(lambda v: _outside(factor, v), inner))
    return result


def _outside(factor: Node, z: Node) -> Node:
    """L⁻ᵀ Z L̄⁻¹."""
    left = triangular_solve(factor, z, True, "T")
    return transposed(triangular_solve(factor, transposed(left), True, "H"))


def _draw_sum(rng: np.random.Generator, dtype: Any) -> Any:
    for n, *lead in ((3,), (1,), (2, 2), (0,)):
        factor = np.tril(positive_definite(rng, dtype, n, *lead))
        yield [factor, normal(rng, dtype, *lead, n)], ()
    yield (
        [
            np.tril(positive_definite(rng, dtype, 2)),
            (np.abs(normal(rng, dtype, 2)) + 1).astype(dtype),
        ],
        (),
    )


congruent_sum: Op = define(
    "congruent_sum",
    family="linear system",
    build=_build_sum,
    infer=_matrices,
    evaluate=lambda node: _sum,
    pushforward=_push_sum,
    transpose=lambda node, ct, wanted: (None, _diagonal_of(node.args[0], ct)),
    batch=lambda node, args, flags, size: congruent_sum(*_batched(args, flags, size)),
    sparsity=sparsity.stacked(2, 1),
    label="{0}⁻ᵀ diag({1}) {0}⁻*",
    domain=Cases(_draw_sum),
)

# ------------------------------------------------------------------------ cholesky_diagonal


def _build_cholesky_diagonal(a: Node) -> Node:
    factor = cholesky(a)
    args = (factor, factor.args[0])
    return make(cholesky_diagonal, args, None, _vectors((factor.type, factor.type), None))


def _push_cholesky_diagonal(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    tangent = tangents[1]
    if tangent is None:  # the factor alone has a tangent
        return None
    if _is_complex(tangent):  # of a real matrix the other part gives nothing
        tangent = hermitian_part(tangent)
    half = multiply(node, constant(0.5, node))
    return linear.scale(_diagonal_of(node.args[0], tangent), half)


def _draw_cholesky(rng: np.random.Generator, dtype: Any) -> Any:
    for n, *lead in ((3,), (1,), (2, 2), (0,)):
        yield [positive_definite(rng, dtype, n, *lead)], ()


cholesky_diagonal: Op = define(
    "cholesky_diagonal",
    family="factorisation",
    build=_build_cholesky_diagonal,
    infer=_vectors,
    evaluate=lambda node: lambda factor, a: factor.diagonal(0, -2, -1).copy(),
    pushforward=_push_cholesky_diagonal,
    transpose=NOT_LINEAR,
    batch=lambda node, args, flags, size: cholesky_diagonal(args[1]),
    sparsity=sparsity.stacked(2, 2),
    label="diag {0}",
    domain=Cases(_draw_cholesky, tangent=lambda position, tangent: hermitian(tangent)),
)
"""The diagonal of the Cholesky factor of A, from the factor; differentiated by A."""
