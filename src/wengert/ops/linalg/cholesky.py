"""The Cholesky factorisation A = L Lᴴ of Hermitian positive definite matrices.

As in NumPy only the lower triangle of A is read. The derivative is that of a Hermitian matrix: of
a tangent its Hermitian part counts, so that gradients come out Hermitian.

With F = L⁻¹ Ȧ L⁻ᴴ, from Ȧ = L̇ Lᴴ + L L̇ᴴ follows L⁻¹ L̇ + (L⁻¹ L̇)ᴴ = F with L⁻¹ L̇ lower:

    L̇ = L Φ(F)          Φ: the lower triangle, with half the diagonal

(Murray 2016, *Differentiation of the Cholesky decomposition*). On the diagonal that is
l̇ᵢᵢ = lᵢᵢ Fᵢᵢ / 2: a log-determinant by Cholesky needs no more than diag F.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.graph.literals import constant
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert
from wengert.ops.domain import Cases, hermitian, normal
from wengert.ops.families import NOT_LINEAR, batch_unary, define
from wengert.ops.linalg.lapack import ERRORS, each_matrix, inexact, routine
from wengert.ops.linalg.matrices import adjoint, after, mix_matrices
from wengert.ops.linalg.triangular import check_square, triangle, triangular_solve
from wengert.ops.native import Statement


def hermitian_part(tangent: Node) -> Node:
    """(Ȧ + Ȧᴴ) / 2."""
    half = constant(0.5, tangent)
    part: Node = linear.scale(linear.add(tangent, adjoint(tangent)), half)
    return part


def _build(a: Node) -> Node:
    check_square("cholesky", a)
    a = convert(a, inexact(a.type))
    return make(cholesky, (a,), None, a.type)


def _factor(a: Any) -> Any:
    found, info = routine("potrf", a.dtype)(a, lower=True, clean=True)
    if info > 0:
        raise np.linalg.LinAlgError("Matrix is not positive definite")
    return found


def _push(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    def moved(v: Node) -> Node:
        inner = solved_on_both_sides(node, hermitian_part(v))
        return after(node, triangle(inner, True, 0.5))

    return mix_matrices(moved, tangents[0])


def solved_on_both_sides(factor: Node, x: Node) -> Node:
    """L⁻¹ X L⁻ᴴ."""
    left = triangular_solve(factor, x)
    return adjoint(triangular_solve(factor, adjoint(left)))


def positive_definite(rng: np.random.Generator, dtype: Any, n: int, *lead: int) -> Any:
    """A stack of Hermitian positive definite matrices for the tests."""
    return hermitian(0.5 * normal(rng, dtype, *lead, n, n) + (1 + n) * np.eye(n)).astype(dtype)


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    for n, *lead in ((3,), (1,), (2, 2), (2, 3, 1, 2), (4,), (0,)):
        yield [positive_definite(rng, dtype, n, *lead)], ()


cholesky: Op = define(
    "cholesky",
    family="factorisation",
    build=_build,
    infer=lambda types, params: types[0],
    evaluate=lambda node: lambda a: each_matrix(_factor, a),
    pushforward=_push,
    transpose=NOT_LINEAR,
    batch=batch_unary(lambda node, a: cholesky(a)),
    native=Statement("cholesky"),
    sparsity=sparsity.stacked(2),
    label="chol {0}",
    domain=Cases(_draw, tangent=lambda position, tangent: hermitian(tangent)),
    raises=ERRORS,
)
