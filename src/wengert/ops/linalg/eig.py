"""Eigenvalues and eigenvectors of any square matrices.

eig(a)        (w, V) with a V = V diag w, both complex
eigvals(a)    w alone

With P = V⁻¹ Ȧ V, differentiating a V = V diag w gives (Magnus 1985)

    ẇ = diag P        V̇ = V Ω,   Ωᵢⱼ = Pᵢⱼ / (wⱼ − wᵢ)

up to multiples of the vectors themselves. LAPACK's vectors have length 1, and their element of
largest magnitude is real, which fixes these: vⱼ Re(vⱼᴴ v̇ⱼ) is taken away, then the phase is turned
back (Boeddeker et al. 2017, *On the computation of complex-valued gradients with application to
statistically optimum beamforming*, and `phases`).

The results are complex for real matrices too, since whether NumPy's are depends on values. The
errors of eigenvalues are as large as the condition number of V times rounding (Bauer and Fike
1960), and nearer ones count as equal; see `coincidence`. Where V is singular the matrix is
defective, and eigenvalues have no derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import ArrayType, TupleType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert, multiply
from wengert.ops.complex import absolute, real
from wengert.ops.domain import Cases
from wengert.ops.families import NOT_LINEAR, batch_unary, define
from wengert.ops.gather import take_along_axis
from wengert.ops.leaves import item, stop_gradient
from wengert.ops.linalg.coincidence import no_columns
from wengert.ops.linalg.eigh import column_products
from wengert.ops.linalg.gaps import as_row, largest_of, rotation, separated
from wengert.ops.linalg.lapack import ERRORS, inexact
from wengert.ops.linalg.matrices import after, mix_matrices, times, transposed
from wengert.ops.linalg.phases import rates_of, with_phase
from wengert.ops.linalg.solve import inverse, well_conditioned
from wengert.ops.linalg.triangular import check_square
from wengert.ops.movement import reshape
from wengert.ops.powers import sqrt, square
from wengert.ops.reductions import argmax
from wengert.ops.reductions import sum as total


def _prepared(name: str, a: Node) -> Node:
    check_square(name, a)
    return convert(a, inexact(a.type))


def complex_dtype(dtype: Any) -> Any:
    """The complex dtype of the same precision."""
    return dtype if dtype.kind == "c" else np.dtype(f"c{2 * dtype.itemsize}")


def _values_type(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return array_type(types[0].shape[:-1], complex_dtype(types[0].dtype))


def _pair_type(types: tuple[ArrayType, ...], params: Any) -> TupleType:
    vectors = array_type(types[0].shape, complex_dtype(types[0].dtype))
    return TupleType((_values_type(types, params), vectors))


def _build(a: Node) -> Node:
    a = _prepared("eig", a)
    return make(eig, (a,), None, _pair_type((a.type,), None))


def _build_values(a: Node) -> Node:
    a = _prepared("eigvals", a)
    return make(eigvals, (a,), None, _values_type((a.type,), None))


def _evaluate(node: Node) -> Callable[..., Any]:
    dtype = complex_dtype(node.args[0].dtype)

    def run(a: Any) -> Any:
        values, vectors = np.linalg.eig(a)
        return values.astype(dtype, copy=False), vectors.astype(dtype, copy=False)

    return run


def _evaluate_values(node: Node) -> Callable[..., Any]:
    dtype = node.dtype
    return lambda a: np.linalg.eigvals(a).astype(dtype, copy=False)


def _push_values(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    vectors = item(eig(node.args[0]), 1)
    moved = times(linear.convert(tangents[0], node.dtype), vectors)
    return _diagonal_of_product(inverse(vectors), moved)


def _diagonal_of_product(a: Node, tangent: Node) -> Node:
    """diag(a Ẋ)."""
    weights = transposed(a)
    products = linear.pointwise(lambda v: multiply(v, weights), tangent)
    return linear.total(products, (products.ndim - 2,))


def _push(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    w, v = item(node, 0), item(node, 1)
    left = inverse(v)
    moved = times(linear.convert(tangents[0], w.dtype), v)
    size = stop_gradient(multiply(largest_of(w), multiply(_length(v), _length(left))))
    none = no_columns(v.shape)
    turn = mix_matrices(lambda x: rotation(x, w, size, none, 0), after(left, moved))
    free = after(v, turn)
    along = linear.convert(column_products(v, free), v.dtype)
    spread = linear.broadcast(as_row(along), v.shape)
    v_dot = linear.add(free, linear.negative(linear.pointwise(lambda x: multiply(x, v), spread)))
    return _diagonal_of_product(left, moved), _with_phase(v, v_dot)


def _length(x: Node) -> Node:
    """The Frobenius norm of each matrix."""
    return sqrt(total(square(absolute(x)), (x.ndim - 2, x.ndim - 1)))


def _with_phase(v: Node, v_dot: Node) -> Node:
    """The tangent that keeps the element of largest magnitude in each column real."""
    if not v.shape[-1]:
        return v_dot
    axis = v.ndim - 2
    largest = argmax(absolute(v), axis)
    largest = reshape(largest, (*largest.shape[:-1], 1, largest.shape[-1]))

    def picked(x: Node) -> Node:
        row = take_along_axis(x, largest, axis)
        return reshape(row, (*v.shape[:-2], v.shape[-1]))

    return with_phase(v_dot, v, rates_of(real(picked(v)), linear.move(picked, v_dot)))


def with_eigenvalues(rng: np.random.Generator, dtype: Any, *shape: int) -> Any:
    """Matrices with well separated eigenvalues, a conjugate pair of them where there are three."""
    *lead, n, _ = shape
    w = separated(rng, np.float64, *lead, n)
    middle = np.zeros(shape, np.float64)
    middle[..., np.arange(n), np.arange(n)] = w
    if n > 2:
        middle[..., 1, 2], middle[..., 2, 1] = 2.0, -2.0
    s = well_conditioned(rng, np.result_type(dtype, np.float64), n, *lead)
    return (s @ middle @ np.linalg.inv(s)).astype(dtype)


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    for shape in ((3, 3), (2, 2, 2), (1, 1), (0, 0)):
        yield [with_eigenvalues(rng, dtype, *shape)], ()


eig: Op = define(
    "eig",
    family="factorisation",
    build=_build,
    infer=_pair_type,
    evaluate=_evaluate,
    pushforward=_push,
    transpose=NOT_LINEAR,
    batch=batch_unary(lambda node, a: eig(a)),
    sparsity=sparsity.stacked(2),
    label="eig({0})",
    domain=Cases(_draw),
    raises=ERRORS,
)

eigvals: Op = define(
    "eigvals",
    family="factorisation",
    build=_build_values,
    infer=_values_type,
    evaluate=_evaluate_values,
    pushforward=_push_values,
    transpose=NOT_LINEAR,
    batch=batch_unary(lambda node, a: eigvals(a)),
    sparsity=sparsity.stacked(2),
    label="λ({0})",
    domain=Cases(_draw),
    raises=ERRORS,
)
