"""The LU factorisation with row exchanges, P A = L U, as LAPACK packs it.

lu(A) is (packed, pivots): L below the diagonal (its diagonal is 1) and U on it and above; row i was
exchanged with row pivots[i] at step i. All that is computed of one matrix, solves, its inverse, its
determinant, and their derivatives, reads one `lu` node: there is one factorisation.

With F = L⁻¹ (P Ȧ) U⁻¹, from P Ȧ = L̇ U + L U̇ follow L̇ = L stril(F), U̇ = triu(F) U, whose sum is
the tangent of the packed array (de Hoog, Anderssen & Lukas 2011, *Differentiation of matrix
functionals using triangular factorization*).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.graph.literals import constant
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent, absent
from wengert.graph.types import INT, ArrayType, TupleType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import add, convert
from wengert.ops.domain import Cases, normal
from wengert.ops.families import batch_unary, define, opaque
from wengert.ops.gather import take_along_axis
from wengert.ops.leaves import iota, item
from wengert.ops.linalg.lapack import empty_matrices, inexact, routine
from wengert.ops.linalg.matrices import after, mix_matrices, times, transposed
from wengert.ops.linalg.triangular import check_square, triangle, triangular_solve
from wengert.ops.logic import equal
from wengert.ops.movement import broadcast_to, reshape
from wengert.ops.native import Statement
from wengert.ops.selection import select

PIVOT = np.dtype(np.int32)


def _build(a: Node) -> Node:
    check_square("lu", a)
    a = convert(a, inexact(a.type))
    return make(lu, (a,), None, _infer((a.type,), None))


def _infer(types: tuple[ArrayType, ...], params: Any) -> TupleType:
    shape, dtype = types[0].shape, types[0].dtype
    return TupleType((array_type(shape, dtype), array_type(shape[:-1], PIVOT)))


def factor(a: Any) -> tuple[Any, Any]:
    """(packed, pivots) of each matrix of a stack."""
    if a.ndim == 2 and a.size:
        packed, pivots, _ = routine("getrf", a.dtype)(a)
        return packed, pivots
    packed, pivots = empty_matrices(a.shape, a.dtype), np.empty(a.shape[:-1], PIVOT)
    if a.size:
        for at in np.ndindex(a.shape[:-2]):
            packed[at], pivots[at] = factor(a[at])
    return packed, pivots


def _push(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    packed, pivots = item(node, 0), item(node, 1)
    order = permutation(pivots)
    rows = broadcast_to(reshape(order, (*order.shape, 1)), packed.shape)

    def moved(v: Node) -> Node:
        right = triangular_solve(packed, take_along_axis(v, rows, v.ndim - 2), True, "N", True)
        turned = triangular_solve(packed, transposed(right), False, "T")
        inner = transposed(turned)
        below, above = triangle(inner, True, 0.0), triangle(inner, False)
        sum_of_both: Node = linear.add(
            after(lower_factor(packed), below), times(above, upper_factor(packed))
        )
        return sum_of_both

    return mix_matrices(moved, tangents[0]), None


def lower_factor(packed: Node) -> Node:
    """L of the packed factors."""
    factor: Node = add(triangle(packed, True, 0.0), identity(packed))
    return factor


def upper_factor(packed: Node) -> Node:
    """U of the packed factors."""
    factor: Node = triangle(packed, False)
    return factor


def identity(like: Node) -> Node:
    """The unit matrix, repeated in the shape of a stack."""
    n = like.shape[-1]
    rows = broadcast_to(reshape(iota(n), (n, 1)), like.shape)
    diagonal = equal(rows, broadcast_to(iota(n), like.shape))
    unit: Node = select(diagonal, constant(1, like), constant(0, like))
    return unit


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    """Matrices whose pivots stay the same nearby: exchanged rows of diagonally dominant ones."""

    def matrix(n: int, *lead: int) -> Any:
        dominant = 0.5 * normal(rng, dtype, *lead, n, n) + 3 * np.eye(n)
        return dominant[..., ::-1, :].astype(dtype)

    for shape in ((3,), (1,), (2, 2), (2, 2, 1), (0,), (4, 2, 0, 3)):
        yield [matrix(shape[-1], *shape[:-1])], ()


lu: Op = define(
    "lu",
    family="factorisation",
    build=_build,
    infer=_infer,
    evaluate=lambda node: factor,
    pushforward=_push,
    transpose=absent("a factorisation is not linear"),
    batch=batch_unary(lambda node, a: lu(a)),
    native=Statement("lu"),
    sparsity=sparsity.stacked(2),
    label="lu {0}",
    domain=Cases(_draw),
)

# ----------------------------------------------------------------------------- permutation


def orders(pivots: Any) -> Any:
    """p with A[p] = L U, from the row exchanges."""
    n = pivots.shape[-1]
    result = np.empty((*pivots.shape[:-1], n), INT)
    result[...] = np.arange(n)
    if not result.size:
        return result
    flat, steps = result.reshape(-1, n), pivots.reshape(-1, n)
    which = np.arange(len(flat))
    for k in range(n):
        other = steps[:, k]
        flat[which, k], flat[which, other] = flat[which, other], flat[which, k].copy()
    return flat.reshape(result.shape)


def _draw_pivots(rng: np.random.Generator, dtype: Any) -> Any:
    for lead, n in (((), 4), ((2, 2), 3), ((), 0)):
        least = np.broadcast_to(np.arange(n), (*lead, n))
        yield [rng.integers(least, n).astype(dtype)], ()


permutation: Op = opaque(
    "permutation",
    build=lambda pivots: make(permutation, (pivots,), None, array_type(pivots.shape, INT)),
    infer=lambda types, params: array_type(types[0].shape, INT),
    evaluate=lambda node: orders,
    batch=batch_unary(lambda node, pivots: permutation(pivots)),
    label="order {0}",
    domain=Cases(_draw_pivots, kinds="i"),
)
"""The rows of A in the order in which L U has them, from the pivots: A[p] = L U."""


def parity(pivots: Any) -> Any:
    """−1 where the number of row exchanges is odd, else 1."""
    exchanged = np.count_nonzero(pivots != np.arange(pivots.shape[-1]), axis=-1)
    return 1 - 2 * (exchanged % 2)
