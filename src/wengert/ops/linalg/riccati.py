"""Algebraic Riccati equations of continuous and discrete time, differentiated implicitly.

    aᴴ X + X a − (X b + s) K + q = 0        K = r⁻¹ (bᴴ X + sᴴ)                 continuous
    aᴴ X a − X − (aᴴ X b + s) K + q = 0     K = (r + bᴴ X b)⁻¹ (bᴴ X a + sᴴ)    discrete

for Hermitian q and r, whose Hermitian parts are what is read. With the closed loop A = a − b K the
derivative of the left side by X is that of Sylvester's and of Stein's equation, so that the tangent
of X is their solution (Kao, Hennequin 2020, *Automatic differentiation of Sylvester, Lyapunov, and
algebraic Riccati equations*):

    Aᴴ Ẋ + Ẋ A = −W      Ẋ − Aᴴ Ẋ A = W      W = Y + Yᴴ + Kᴴ ṙ K + q̇
    Y = P ȧ − P ḃ K − ṡ K,     P = X in continuous, Aᴴ X in discrete time
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert import lazy
from wengert.errors import WengertValueError
from wengert.graph.literals import full
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import ArrayType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import add, convert, negative
from wengert.ops.domain import Cases, hermitian, normal
from wengert.ops.families import NOT_LINEAR, define
from wengert.ops.linalg.matrices import adjoint, after, matmul, mix_matrices, times, with_stack
from wengert.ops.linalg.solve import solve
from wengert.ops.linalg.sylvester import inexact_dtype, stein, sylvester


def _prepared(name: str, *args: Node) -> tuple[Node, ...]:
    """One dtype and one stack."""
    if any(x.ndim < 2 for x in args):
        raise WengertValueError(f"{name} takes matrices alone")
    a, b, *_ = args
    n, m = b.shape[-2:]
    expected = ((n, n), (n, m), (n, n), (m, m), (n, m))
    for letter, x, shape in zip("abqrs", args, expected, strict=False):
        if x.shape[-2:] != shape:
            raise WengertValueError(
                f"{name}: for a of shape {a.shape} and b of shape {b.shape} the matrix {letter} "
                f"must be of shape {shape}, not {x.shape[-2:]}"
            )
    dtype = inexact_dtype(*[x.type for x in args])
    lead = np.broadcast_shapes(*[x.shape[:-2] for x in args])
    return tuple(with_stack(convert(x, dtype), lead) for x in args)


def _gain(node: Node) -> Node:
    """K."""
    a, b, _, r, *s = node.args
    adjoint_b = adjoint(b)
    if node.op is care:
        weight, right = r, matmul(adjoint_b, node)
    else:
        reach = matmul(adjoint_b, node)
        weight, right = add(r, matmul(reach, b)), matmul(reach, a)
    return solve(weight, add(right, adjoint(s[0])) if s else right)


def _hermitian_part(v: Node) -> Node:
    half: Node = linear.scale(v, full(0.5, v.dtype, v.shape))
    both: Node = linear.add(half, adjoint(half))
    return both


def _pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    a, b, *_ = node.args
    a_dot, b_dot, q_dot, r_dot, *s_dot = tangents
    gain = _gain(node)
    closed = add(a, negative(matmul(b, gain)))
    before = node if node.op is care else matmul(adjoint(closed), node)
    half: Tangent = None
    if a_dot is not None:
        half = after(before, a_dot)
    if b_dot is not None:
        half = linear.add(half, linear.negative(times(after(before, b_dot), gain)))
    if s_dot and s_dot[0] is not None:
        half = linear.add(half, linear.negative(times(s_dot[0], gain)))
    right = None if half is None else linear.add(half, adjoint(half))
    if r_dot is not None:
        right = linear.add(right, times(after(adjoint(gain), _hermitian_part(r_dot)), gain))
    if q_dot is not None:
        right = linear.add(right, _hermitian_part(q_dot))
    if right is None:
        return None
    if node.op is care:
        right = linear.negative(right)
        return mix_matrices(lambda v: sylvester(adjoint(closed), closed, v), right)
    return mix_matrices(lambda v: stein(adjoint(closed), closed, v), right)


def _equation(name: str, solver: str, domain: Cases) -> Op:
    """The record; `solver` is SciPy's function."""

    def build(*args: Node) -> Node:
        args = _prepared(name, *args)
        return make(op, args, None, infer(tuple(x.type for x in args), None))

    def infer(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
        return array_type(types[0].shape, types[0].dtype)

    def one(a: Any, b: Any, q: Any, r: Any, s: Any = None) -> Any:
        function = getattr(lazy.module("scipy.linalg"), solver)
        return function(a, b, hermitian(q), hermitian(r), s=s)

    def run(*args: Any) -> Any:
        a = args[0]
        if not a.size:
            return np.zeros(a.shape, a.dtype)
        result = np.empty(a.shape, a.dtype)
        for at in np.ndindex(a.shape[:-2]):
            result[at] = one(*[x[at] for x in args])
        return result

    def batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
        return op(
            *[
                x if flag else with_stack(x, (size, *node.shape[:-2]))
                for x, flag in zip(args, batched, strict=True)
            ]
        )

    op: Op = define(
        name,
        family="matrix equation",
        build=build,
        infer=infer,
        evaluate=lambda node: run,
        pushforward=_pushforward,
        transpose=NOT_LINEAR,
        batch=batch,
        sparsity=sparsity.stacked(2),
        label=f"{name}({{0}}, {{1}}, …)",
        domain=domain,
        raises=(np.linalg.LinAlgError,),
    )
    return op


def _definite(rng: np.random.Generator, dtype: Any, *shape: int) -> Any:
    x = 0.3 * normal(rng, dtype, *shape)
    return (x @ np.conj(np.swapaxes(x, -1, -2)) + np.eye(shape[-1])).astype(dtype)


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    def system(n: int, m: int, *lead: int) -> list[Any]:
        a = (0.4 * normal(rng, dtype, *lead, n, n) - 0.5 * np.eye(n)).astype(dtype)
        b = (normal(rng, dtype, *lead, n, m)).astype(dtype)
        return [a, b, _definite(rng, dtype, *lead, n, n), _definite(rng, dtype, *lead, m, m)]

    yield [*system(2, 2), (0.1 * normal(rng, dtype, 2, 2)).astype(dtype)], ()
    yield system(1, 1, 2), ()


_DOMAIN = Cases(_draw)
care: Op = _equation("care", "solve_continuous_are", _DOMAIN)
dare: Op = _equation("dare", "solve_discrete_are", _DOMAIN)
