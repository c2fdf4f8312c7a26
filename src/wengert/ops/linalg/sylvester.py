"""Linear equations for matrices: Sylvester's and Stein's, each linear in its right side.

sylvester(a, b, q)    the X of  a X + X b = q
stein(a, b, q)        the X of  X − a X b = q

Differentiating the equation gives the equation again, for the tangent, with another right side:

    a Ẋ + Ẋ b = q̇ − ȧ X − X ḃ            Ẋ − a Ẋ b = q̇ + ȧ X b + a X ḃ

and with the pairing Σ c x its transpose is the equation of the transposed factors: from
a X + X b = q and aᵀ Y + Y bᵀ = c follows Σ c X = Σ Y q. Lyapunov equations are those with b = aᴴ.
They carry the derivatives of matrix square roots and of Riccati equations.

Sylvester's equation is solved by Bartels and Stewart (1972, Comm. ACM 15), Stein's in the same way
(Barraud 1977, IEEE Trans. Autom. Control 22): both factors are brought to Schur form, where the
solution is found a column at a time. One Schur form serves all right sides of a stack. Where the
solution is not unique the result is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import lazy
from wengert.errors import WengertValueError
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import ArrayType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert
from wengert.ops.domain import Cases, normal
from wengert.ops.families import define
from wengert.ops.linalg.matrices import (
    after,
    batched_matrix,
    matmul,
    mix_matrices,
    times,
    transposed,
    with_stack,
)

Solver = Callable[..., Any]


def inexact_dtype(*types: ArrayType) -> Any:
    """The dtype of LAPACK in which these are computed."""
    return np.result_type(
        np.float32 if types[0].dtype.kind in "fc" else np.float64,
        *[np.float64 if type.dtype.kind in "biu" else type.dtype for type in types],
    )


def _prepared(name: str, a: Node, b: Node, q: Node) -> tuple[Node, Node, Node]:
    """One dtype; a and b have no stack, or that of q."""
    for x in (a, b, q):
        if x.ndim < 2:
            raise WengertValueError(f"{name} needs matrices, not an array of shape {x.shape}")
    n, m = q.shape[-2:]
    if a.shape[-2:] != (n, n) or b.shape[-2:] != (m, m):
        raise WengertValueError(
            f"{name}: matrices of shapes {a.shape} and {b.shape} do not fit a right side of shape "
            f"{q.shape}"
        )
    dtype = inexact_dtype(a.type, b.type, q.type)
    a, b, q = convert(a, dtype), convert(b, dtype), convert(q, dtype)
    try:
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2], q.shape[:-2])
    except ValueError:
        raise WengertValueError(
            f"{name}: the stacks of shapes {a.shape}, {b.shape} and {q.shape} do not broadcast"
        ) from None
    a, b = (with_stack(x, lead) if x.ndim > 2 else x for x in (a, b))
    return a, b, with_stack(q, lead)


def _infer(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return array_type(types[2].shape, types[2].dtype)


def _equation(
    name: str,
    solver: Solver,
    moved: Callable[[Node, Tangent, Tangent], Tangent],
    label: str,
    draw: Any,
) -> Op:
    """The record. solver: (a, b) -> a function of right sides; moved: (node, ȧ, ḃ) -> what the
    tangent's right side holds of them."""

    def build(a: Node, b: Node, q: Node) -> Node:
        a, b, q = _prepared(name, a, b, q)
        return make(op, (a, b, q), None, array_type(q.shape, q.dtype))

    def pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
        a, b, _ = node.args
        right = linear.add(tangents[2], moved(node, tangents[0], tangents[1]))
        return None if right is None else mix_matrices(lambda v: op(a, b, v), right)

    def transpose(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
        a, b, _ = node.args
        to = mix_matrices(lambda v: op(transposed(a), transposed(b), v), ct)
        return None, None, to

    def batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
        lead = node.shape[:-2]
        a, b = (
            batched_matrix(x, flag, before.ndim - 2, size, lead)
            for x, flag, before in zip(args[:2], batched[:2], node.args[:2], strict=True)
        )
        q = args[2] if batched[2] else with_stack(args[2], (size, *lead))
        return op(a, b, q)

    op: Op = define(
        name,
        family="matrix equation",
        build=build,
        infer=_infer,
        evaluate=lambda node: lambda a, b, q: _over_stacks(solver, a, b, q),
        pushforward=pushforward,
        transpose=transpose,
        batch=batch,
        sparsity=sparsity.stacked(2, 2, 2),
        label=label,
        domain=Cases(draw),
    )
    return op


def _over_stacks(solver: Solver, a: Any, b: Any, q: Any) -> Any:
    """The solver on each pair of factors, with all the right sides that share them at once."""
    if a.ndim == b.ndim == 2:
        return solver(a, b)(q) if a.size and b.size else np.zeros(q.shape, q.dtype)
    result = np.empty(q.shape, q.dtype)
    for at in np.ndindex(q.shape[:-2]):
        result[at] = _over_stacks(
            solver, a[at] if a.ndim > 2 else a, b[at] if b.ndim > 2 else b, q[at]
        )
    return result


def _unsolvable(q: Any) -> Any:
    return np.full(q.shape, np.nan, q.dtype)


# ------------------------------------------------------------------------------- sylvester


def _sylvester_solver(a: Any, b: Any) -> Solver:
    """a = U R Uᴴ and b = V S Vᴴ: R Y + Y S = Uᴴ q V, X = U Y Vᴴ; real where a and b are."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return _unsolvable
    scipy = lazy.module("scipy.linalg")
    r, u = scipy.schur(a, output="real")
    s, v = scipy.schur(b, output="real")
    (trsyl,) = scipy.get_lapack_funcs(("trsyl",), (r, s))
    left, right = u.conj().T, v.conj().T

    def solve(q: Any) -> Any:
        turned = left @ q @ v
        found = np.empty_like(turned)
        for at in np.ndindex(q.shape[:-2]):
            y, scale, info = trsyl(r, s, turned[at])
            found[at] = np.nan if info else y / scale
        return u @ found @ right

    return solve


def _moved_sylvester(node: Node, a_dot: Tangent, b_dot: Tangent) -> Tangent:
    return linear.negative(
        linear.add(
            None if a_dot is None else times(a_dot, node),
            None if b_dot is None else after(node, b_dot),
        )
    )


def _draw_sylvester(rng: np.random.Generator, dtype: Any) -> Any:
    def factor(n: int, *lead: int) -> Any:  # eigenvalues near 2
        return (2 * np.eye(n) + 0.4 * normal(rng, dtype, *lead, n, n)).astype(dtype)

    yield [factor(3), factor(2), normal(rng, dtype, 3, 2)], ()
    yield [factor(1), factor(1), normal(rng, dtype, 1, 1)], ()
    yield [factor(2, 2), factor(3), normal(rng, dtype, 2, 2, 3)], ()
    yield [factor(2), factor(2), normal(rng, dtype, 2, 2, 2)], ()
    yield [factor(0), factor(2), normal(rng, dtype, 0, 2)], ()


sylvester: Op = _equation(
    "sylvester",
    _sylvester_solver,
    _moved_sylvester,
    "sylvester({0}, {1}, {2})",
    _draw_sylvester,
)

# ----------------------------------------------------------------------------------- stein


def _stein_solver(a: Any, b: Any) -> Solver:
    """a = U R Uᴴ and b = V S Vᴴ, both triangular: Y − R Y S = Uᴴ q V is, for column j,
    (I − s_jj R) y_j = (Uᴴ q V)_j + R Σ_{k<j} y_k s_kj."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return _unsolvable
    scipy = lazy.module("scipy.linalg")
    r, u = scipy.schur(a, output="complex")
    s, v = scipy.schur(b, output="complex")
    rows = np.arange(len(r))
    # singular to rounding: eigenvalues λ of a and μ of b with λ μ = 1
    gaps = np.abs(1 - np.multiply.outer(r.diagonal(), s.diagonal()))
    size = 1 + np.abs(r).max() * np.abs(s).max()
    if gaps.min() <= np.finfo(r.dtype).eps * size:
        return _unsolvable
    real = a.dtype.kind != "c"

    def solve(q: Any) -> Any:
        turned = np.moveaxis(u.conj().T @ q @ v, -2, 0)  # (row, stack, column)
        found = np.empty_like(turned)
        for j in range(len(s)):
            column = turned[..., j] + np.tensordot(r, found[..., :j] @ s[:j, j], 1)
            matrix = -s[j, j] * r
            matrix[rows, rows] += 1
            flat = column.reshape(len(r), -1)
            found[..., j] = scipy.solve_triangular(matrix, flat).reshape(column.shape)
        result = u @ np.moveaxis(found, 0, -2) @ v.conj().T
        return result.real if real else result

    return solve


def _moved_stein(node: Node, a_dot: Tangent, b_dot: Tangent) -> Tangent:
    a, b, _ = node.args
    return linear.add(
        None if a_dot is None else times(a_dot, matmul(node, b)),
        None if b_dot is None else after(matmul(a, node), b_dot),
    )


def _draw_stein(rng: np.random.Generator, dtype: Any) -> Any:
    def factor(n: int, *lead: int) -> Any:  # eigenvalues within the unit circle
        return (0.25 * normal(rng, dtype, *lead, n, n)).astype(dtype)

    yield [factor(3), factor(2), normal(rng, dtype, 3, 2)], ()
    yield [factor(1), factor(1), normal(rng, dtype, 1, 1)], ()
    yield [factor(2, 2), factor(3), normal(rng, dtype, 2, 2, 3)], ()
    yield [factor(2), factor(2), normal(rng, dtype, 2, 2, 2)], ()
    yield [factor(0), factor(2), normal(rng, dtype, 0, 2)], ()


stein: Op = _equation(
    "stein",
    _stein_solver,
    _moved_stein,
    "stein({0}, {1}, {2})",
    _draw_stein,
)
