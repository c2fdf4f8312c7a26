"""The pseudo-inverse and least squares.

pinv(a, cutoff, hermitian)   A⁺, with singular values at most cutoff times the largest taken as 0
lstsq(a, b, cutoff)          A⁺ b, found without A⁺

While the rank stays what it is, with P = A⁺ and x = P b,

    Ṗ = −P Ȧ P + P Pᴴ Ȧᴴ (1 − A P) + (1 − P A) Ȧᴴ Pᴴ P
    ẋ = P (ḃ − Ȧ x) + P Pᴴ Ȧᴴ (b − A x) + (1 − P A) Ȧᴴ Pᴴ x

(Golub and Pereyra 1973, *The differentiation of pseudo-inverses and nonlinear least squares
problems whose variables separate*). It takes no singular vectors, so that equal singular values do
no harm. Of a matrix without full rank it is the derivative along matrices of that rank; along
others there is none.

The formula holds where what is cut off is zero to rounding. A cutoff among larger singular values
makes another function of A, with terms that it lacks, and an error says so (`kept`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import NotDifferentiable
from wengert.graph.literals import full
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import ArrayType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert, subtract
from wengert.ops.complex import part_dtype
from wengert.ops.domain import Cases, normal
from wengert.ops.families import NOT_LINEAR, define, whole_batch
from wengert.ops.linalg.coincidence import NOISE
from wengert.ops.linalg.gaps import batched_as
from wengert.ops.linalg.lapack import ERRORS, inexact
from wengert.ops.linalg.lu import identity
from wengert.ops.linalg.matrices import adjoint, after, matmul, times
from wengert.ops.linalg.svd import check_matrix, with_singular_values
from wengert.ops.movement import broadcast_to

# kept(x, a, p) is x, where p is the pseudo-inverse of a, and an error where a − a p a is more than
# rounding. All tangents by a go through it.


def _evaluate_kept(node: Node) -> Callable[..., Any]:
    def run(x: Any, a: Any, p: Any) -> Any:
        if a.size:
            size = np.max(np.abs(a), axis=(-2, -1))
            spread = size * np.max(np.abs(p), axis=(-2, -1)) * max(a.shape[-2:]) + 1
            lost = np.max(np.abs(a - a @ p @ a), axis=(-2, -1))
            if np.any(lost > NOISE * max(a.shape[-2:]) * np.finfo(a.dtype).eps * size * spread):
                raise NotDifferentiable(
                    "the cutoff (rcond, rtol) of a pseudo-inverse or of least squares takes "
                    "singular values as zero that are not, and the derivative of that is not "
                    "known. Choose a smaller cutoff, or differentiate the regularised problem: "
                    "np.linalg.solve(A.T @ A + damping * np.eye(n), A.T @ b)"
                )
        return x

    return run


def _pushed_kept(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    return None if tangents[0] is None else _kept(tangents[0], *node.args[1:])


def _kept(x: Node, a: Node, p: Node) -> Node:
    return linear.pointwise(lambda v: kept(v, a, p), x)


def _draw_kept(rng: np.random.Generator, dtype: Any) -> Any:
    for shape in ((2, 3), (2, 2, 1), (0, 2)):
        a = np.zeros(shape, dtype)
        a[...] = np.eye(*shape[-2:]) * 2
        yield [normal(rng, dtype, *shape), a, np.swapaxes(a, -1, -2) / 4], ()


kept: Op = define(
    "kept",
    family="spectral",
    build=lambda x, a, p: make(kept, (x, a, p), (), array_type(x.shape, x.dtype)),
    infer=lambda types, params: types[0],
    evaluate=_evaluate_kept,
    pushforward=_pushed_kept,
    transpose=lambda node, ct, wanted: (_kept(ct, *node.args[1:]), None, None),
    batch=batched_as("kept"),
    sparsity=sparsity.SPECTRAL,
    label="{0}",
    domain=Cases(_draw_kept, tangent=lambda place, tangent: tangent if place == 0 else 0 * tangent),
)

# ------------------------------------------------------------------------------------ pinv


def _infer(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    *lead, m, n = types[0].shape
    return array_type((*lead, n, m), types[0].dtype)


def _build(a: Node, cutoff: Node, is_hermitian: bool = False) -> Node:
    check_matrix(a)
    a = convert(a, inexact(a.type))
    cutoff = broadcast_to(convert(cutoff, part_dtype(a.dtype)), a.shape[:-2])
    return make(pinv, (a, cutoff), (bool(is_hermitian),), _infer((a.type,), None))


def _evaluate(node: Node) -> Callable[..., Any]:
    (is_hermitian,) = node.params
    return lambda a, cutoff: np.linalg.pinv(a, cutoff, is_hermitian)


def _push(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    a, p = node.args[0], node
    if tangents[0] is None:  # by the cutoff, at which nothing changes but by jumps
        return None
    a_dot = _kept(tangents[0], a, p)
    turned = adjoint(a_dot)
    within = times(after(p, a_dot), p)
    left = times(after(matmul(p, adjoint(p)), turned), _one_less(matmul(a, p)))
    right = after(_one_less(matmul(p, a)), times(turned, matmul(adjoint(p), p)))
    return linear.add(linear.negative(within), linear.add(left, right))


def _one_less(product: Node) -> Node:
    """1 − a product, of matrices."""
    return subtract(broadcast_to(identity(product), product.shape), product)


def _batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    return pinv(*whole_batch(args, batched, size), *node.params)


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    small = np.asarray(1e-5, part_dtype(np.dtype(dtype)))
    for shape in ((3, 3), (4, 2), (2, 2, 3), (1, 1), (0, 2)):
        yield [with_singular_values(rng, dtype, *shape), small], ()


pinv: Op = define(
    "pinv",
    family="factorisation",
    build=_build,
    infer=_infer,
    evaluate=_evaluate,
    pushforward=_push,
    transpose=NOT_LINEAR,
    batch=_batch,
    sparsity=sparsity.stacked(2, 0),
    label="{0}⁺",
    domain=Cases(_draw),
    raises=ERRORS,
)

# ----------------------------------------------------------------------------------- lstsq


def _build_lstsq(a: Node, b: Node, cutoff: float) -> Node:
    check_matrix(a)
    if b.ndim != a.ndim or a.shape[:-1] != b.shape[:-1]:
        raise np.linalg.LinAlgError("Incompatible dimensions")
    dtype = inexact(a.type, b.type)
    a, b = convert(a, dtype), convert(b, dtype)
    return make(lstsq, (a, b), (float(cutoff),), _infer_lstsq((a.type, b.type), None))


def _infer_lstsq(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    a, b = types
    return array_type((*a.shape[:-2], a.shape[-1], b.shape[-1]), a.dtype)


def _evaluate_lstsq(node: Node) -> Callable[..., Any]:
    (cutoff,) = node.params

    def run(a: Any, b: Any) -> Any:
        if a.ndim == 2:
            return np.linalg.lstsq(a, b, cutoff)[0]
        result = np.empty(node.shape, node.dtype)
        for at in np.ndindex(a.shape[:-2]):
            result[at] = np.linalg.lstsq(a[at], b[at], cutoff)[0]
        return result

    return run


def _push_lstsq(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    (a, b), (a_dot, b_dot), x = node.args, tangents, node
    cutoff = full(node.params[0], part_dtype(a.dtype), a.shape[:-2])
    p = pinv(a, cutoff)
    result = None if b_dot is None else after(p, b_dot)
    if a_dot is not None:
        a_dot = _kept(a_dot, a, p)
        turned = adjoint(a_dot)
        within = linear.negative(after(p, times(a_dot, x)))
        left = after(matmul(p, adjoint(p)), times(turned, subtract(b, matmul(a, x))))
        right = after(_one_less(matmul(p, a)), times(turned, matmul(adjoint(p), x)))
        result = linear.add(result, linear.add(within, linear.add(left, right)))
    return result


def _batch_lstsq(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    return lstsq(*whole_batch(args, batched, size), *node.params)


def _draw_lstsq(rng: np.random.Generator, dtype: Any) -> Any:
    for m, n, k in ((4, 2, 1), (3, 3, 2), (2, 3, 1)):
        yield [with_singular_values(rng, dtype, m, n), normal(rng, dtype, m, k)], (1e-5,)


lstsq: Op = define(
    "lstsq",
    family="factorisation",
    build=_build_lstsq,
    infer=_infer_lstsq,
    evaluate=_evaluate_lstsq,
    pushforward=_push_lstsq,
    transpose=NOT_LINEAR,
    batch=_batch_lstsq,
    sparsity=sparsity.stacked(2, 2),
    label="{0}⁺ {1}",
    domain=Cases(_draw_lstsq),
    raises=ERRORS,
)
