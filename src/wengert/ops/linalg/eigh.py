"""Eigenvalues and eigenvectors of Hermitian matrices.

eigh(a, uplo)        (w, V) with a V = V diag w, the eigenvalues rising
eigvalsh(a, uplo)    w alone

With P = Vᴴ Ȧ V, Ȧ taken as Hermitian,

    ẇ = Re diag P        V̇ = V Ω,   Ωᵢⱼ = Pᵢⱼ / (wⱼ − wᵢ)   (0 on the diagonal)

(Magnus 1985, *On differentiating eigenvalues and eigenvectors*). LAPACK reads one triangle; the
derivative is that by Hermitian matrices, which have both: a cotangent comes out Hermitian. ẇ needs
no gaps. Where eigenvalues coincide see `coincidence`, for the phases of complex vectors `phases`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import ArrayType, TupleType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert, multiply
from wengert.ops.complex import conjugate, part_dtype, real
from wengert.ops.domain import Cases, hermitian, normal
from wengert.ops.families import NOT_LINEAR, batch_unary, define
from wengert.ops.leaves import item
from wengert.ops.linalg.coincidence import no_columns
from wengert.ops.linalg.gaps import largest_of, rotation, separated
from wengert.ops.linalg.lapack import ERRORS, inexact
from wengert.ops.linalg.matrices import adjoint, after, mix_matrices, times
from wengert.ops.linalg.phases import phase_rates, with_phase
from wengert.ops.linalg.triangular import check_square


def _prepared(name: str, a: Node, uplo: str) -> tuple[Node, str]:
    check_square(name, a)
    uplo = uplo.upper()
    if uplo not in ("L", "U"):
        raise WengertValueError("UPLO argument must be 'L' or 'U'")
    return convert(a, inexact(a.type)), uplo


def _values_type(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return array_type(types[0].shape[:-1], part_dtype(types[0].dtype))


def _pair_type(types: tuple[ArrayType, ...], params: Any) -> TupleType:
    vectors = array_type(types[0].shape, types[0].dtype)
    return TupleType((_values_type(types, params), vectors))


def _build(a: Node, uplo: str = "L") -> Node:
    a, uplo = _prepared("eigh", a, uplo)
    return make(eigh, (a,), (uplo,), _pair_type((a.type,), None))


def _build_values(a: Node, uplo: str = "L") -> Node:
    a, uplo = _prepared("eigvalsh", a, uplo)
    return make(eigvalsh, (a,), (uplo,), _values_type((a.type,), None))


def _evaluate(node: Node) -> Callable[..., Any]:
    (uplo,) = node.params
    return lambda a: tuple(np.linalg.eigh(a, uplo))


def _evaluate_values(node: Node) -> Callable[..., Any]:
    (uplo,) = node.params
    return lambda a: np.linalg.eigvalsh(a, uplo)


def column_products(vectors: Node, tangent: Node) -> Node:
    """Re Σᵢ v̄ᵢⱼ ẋᵢⱼ for every column j."""
    products = linear.pointwise(
        real, linear.pointwise(lambda v: multiply(v, conjugate(vectors)), tangent)
    )
    return linear.total(products, (products.ndim - 2,))


def _push_values(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    vectors = item(eigh(node.args[0], *node.params), 1)
    return column_products(vectors, times(tangents[0], vectors))


def _push(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    (uplo,) = node.params
    w, v = item(node, 0), item(node, 1)
    moved = times(tangents[0], v)
    p = after(adjoint(v), moved)
    size = largest_of(w)
    turn = mix_matrices(lambda x: rotation(x, w, size, no_columns(x.shape), 1), p)
    v_dot = after(v, turn)
    rates = phase_rates(v, v_dot, 0 if uplo == "L" else -1)
    return column_products(v, moved), with_phase(v_dot, v, rates)


def with_spectrum(rng: np.random.Generator, dtype: Any, *shape: int) -> Any:
    """Hermitian matrices with well separated eigenvalues."""
    q = np.linalg.qr(normal(rng, dtype, *shape).astype(np.result_type(dtype, np.float64)))[0]
    w = separated(rng, np.float64, *shape[:-1]) * np.where(np.arange(shape[-1]) % 2, 1, -1)
    return hermitian((q * w[..., None, :]) @ np.conj(np.swapaxes(q, -1, -2))).astype(dtype)


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    for *shape, uplo in ((3, 3, "L"), (2, 2, 2, "U"), (1, 1, "L"), (0, 0, "L")):
        yield [with_spectrum(rng, dtype, *shape)], (uplo,)


DOMAIN = Cases(_draw, tangent=lambda position, tangent: hermitian(tangent))

eigh: Op = define(
    "eigh",
    family="factorisation",
    build=_build,
    infer=_pair_type,
    evaluate=_evaluate,
    pushforward=_push,
    transpose=NOT_LINEAR,
    batch=batch_unary(lambda node, a: eigh(a, *node.params)),
    sparsity=sparsity.stacked(2),
    label="eigh({0})",
    domain=DOMAIN,
    raises=ERRORS,
)

eigvalsh: Op = define(
    "eigvalsh",
    family="factorisation",
    build=_build_values,
    infer=_values_type,
    evaluate=_evaluate_values,
    pushforward=_push_values,
    transpose=NOT_LINEAR,
    batch=batch_unary(lambda node, a: eigvalsh(a, *node.params)),
    sparsity=sparsity.stacked(2),
    label="λ({0})",
    domain=DOMAIN,
    raises=ERRORS,
)
