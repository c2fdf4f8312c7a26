"""The QR factorisation, A = Q R, as LAPACK computes it: the diagonal of R is real.

With m ≥ n and B = Ȧ R⁻¹, differentiating A = Q R and Qᴴ Q = 1 gives

    T = ½ diag(C + Cᴴ) + strict upper part of (C + Cᴴ),   C = Qᴴ B
    Ṙ = T R        Q̇ = B − Q T

since Q̇ᴴ Q is skew and Ṙ R⁻¹ upper triangular with a real diagonal. With m < n, A = (A₁ A₂) and
A₁ = Q R₁ is that, and R₂ = Qᴴ A₂ follows. A complete Q = (Q₁ Q₂) of a tall matrix has columns Q₂
that are arbitrary; for their tangent see `complement`. (Roberts and Roberts 2020, *QR and LQ
decomposition matrix backpropagation algorithms for square, wide, and deep matrices*; complex:
Walter, Lehmann and Lamour 2012.) Where the first columns of A depend on one another R is singular
and the factors have no derivatives: the triangular solve raises LinAlgError.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import ArrayType, TupleType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert
from wengert.ops.domain import Cases
from wengert.ops.families import NOT_LINEAR, batch_unary, define, whole
from wengert.ops.leaves import item
from wengert.ops.linalg.complement import least_turn
from wengert.ops.linalg.lapack import ERRORS, inexact
from wengert.ops.linalg.matrices import adjoint, after, times, transposed
from wengert.ops.linalg.svd import check_matrix, columns, joined, with_singular_values
from wengert.ops.linalg.triangular import mix_columns, triangle, triangular_solve
from wengert.ops.movement import embed, index


def _infer(types: tuple[ArrayType, ...], params: Any) -> TupleType:
    *lead, m, n = types[0].shape
    (is_complete,) = params
    inner, dtype = m if is_complete else min(m, n), types[0].dtype
    return TupleType((array_type((*lead, m, inner), dtype), array_type((*lead, inner, n), dtype)))


def _build(a: Node, is_complete: bool = False) -> Node:
    check_matrix(a)
    a = convert(a, inexact(a.type))
    params = (bool(is_complete) and a.shape[-2] > a.shape[-1],)
    return make(qr, (a,), params, _infer((a.type,), params))


def _evaluate(node: Node) -> Callable[..., Any]:
    mode: Any = "complete" if node.params[0] else "reduced"
    return lambda a: tuple(np.linalg.qr(a, mode))


def _push(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    (a,), (a_dot,) = node.args, tangents
    *_, m, n = a.shape
    k = min(m, n)
    all_q, all_r = item(node, 0), item(node, 1)
    q = columns(all_q, 0, k)
    square = index(all_r, (*whole(a.shape[:-2]), (0, k, 1), (0, k, 1)))
    q_dot, t = _of_independent(q, square, _linear_columns(a_dot, 0, k))
    r_dot = times(t, square)
    if n > k:
        rest = columns(a, k, n)
        beyond = linear.add(
            times(adjoint(q_dot), rest), after(adjoint(q), _linear_columns(a_dot, k, n))
        )
        r_dot = joined(r_dot, beyond)
    if all_q is not q:
        shape = all_r.shape
        entries = (*whole(shape[:-2]), (0, k, 1), (0, n, 1))
        r_dot = linear.move(lambda v: embed(v, entries, shape), r_dot)
        q_dot = joined(q_dot, least_turn(q, q_dot, columns(all_q, k, m)))
    return q_dot, r_dot


def _of_independent(q: Node, r: Node, a_dot: Node) -> tuple[Node, Node]:
    """(Q̇, T) of a matrix with independent columns."""
    b = transposed(mix_columns(lambda v: triangular_solve(r, v, False, "T"), transposed(a_dot)))
    c = after(adjoint(q), b)
    both = linear.add(c, adjoint(c))
    t = linear.move(lambda v: triangle(v, False, 0.5), both)
    q_dot: Node = linear.add(b, linear.negative(after(q, t)))
    return q_dot, t


def _linear_columns(tangent: Node, start: int, stop: int) -> Node:
    return linear.move(lambda v: columns(v, start, stop), tangent)


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    for shape in ((3, 3), (4, 2), (2, 2, 3), (1, 1), (1, 3), (2, 0), (0, 2)):
        yield [with_singular_values(rng, dtype, *shape)], (False,)
    if np.dtype(dtype).kind == "f":
        # one further column of Q; several are any basis, and a complex one has any phase: these
        # are tested in functions of their space
        yield [with_singular_values(rng, dtype, 3, 2)], (True,)
        yield [with_singular_values(rng, dtype, 2, 2, 1)], (True,)


qr: Op = define(
    "qr",
    family="factorisation",
    build=_build,
    infer=_infer,
    evaluate=_evaluate,
    pushforward=_push,
    transpose=NOT_LINEAR,
    batch=batch_unary(lambda node, a: qr(a, *node.params)),
    sparsity=sparsity.stacked(2),
    label="qr({0})",
    domain=Cases(_draw),
    raises=ERRORS,
)
