"""Singular values and singular vectors.

svd(a, full)    (U, s, Vᴴ) with a = U diag s Vᴴ; U and V have min(m, n) columns, or all if `full`
svdvals(a)      s alone

With P = Uᴴ Ȧ V of the vectors that belong to singular values,

    ṡ = Re diag P        U̇ = U Ωu + (1 − U Uᴴ) Ȧ V / s        V̇ = V Ωv + (1 − V Vᴴ) Ȧᴴ U / s

where Ωu and Ωv are those of `turning`. (Townsend 2016, *Differentiating the singular value
decomposition*; Wan and Zhang 2019, *Automatic differentiation for complex valued SVD*.) ṡ needs no
gaps. The rest of a full basis, U₂, is arbitrary but for being orthogonal to U; its tangent is taken
as the least that stays so,

    U̇₂ = −U U̇ᴴ U₂

which serves every function that depends on the space alone, as U₂ U₂ᴴ. In reverse mode a function
that depends on the single vectors of U₂ is an error (see `agreed`).

A singular value has a kink at 0, like |x|. Among the values alone (svdvals, norms) the derivative
of one that is zero to rounding is 0, as that of |x| is; beside vectors, whose signs are those of
this branch, it is uᴴ Ȧ v. Where values coincide or vanish, see `coincidence`, for phases `phases`.
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
from wengert.ops.complex import part_dtype
from wengert.ops.domain import Cases, normal
from wengert.ops.families import NOT_LINEAR, batch_unary, define, whole
from wengert.ops.leaves import item
from wengert.ops.linalg.coincidence import no_columns
from wengert.ops.linalg.complement import least_turn
from wengert.ops.linalg.eigh import column_products
from wengert.ops.linalg.gaps import beyond_rounding, outside, separated
from wengert.ops.linalg.lapack import ERRORS, inexact
from wengert.ops.linalg.matrices import adjoint, after, mix_matrices, times
from wengert.ops.linalg.phases import phase_rates, with_phase
from wengert.ops.linalg.turning import part, stacked_map, turning
from wengert.ops.movement import concatenate, index


def check_matrix(a: Node) -> None:
    """NumPy's error for what is no matrix."""
    if a.ndim < 2:
        raise np.linalg.LinAlgError(
            f"{a.ndim}-dimensional array given. Array must be at least two-dimensional"
        )


def _prepared(a: Node) -> Node:
    check_matrix(a)
    return convert(a, inexact(a.type))


def _values_type(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    *lead, m, n = types[0].shape
    return array_type((*lead, min(m, n)), part_dtype(types[0].dtype))


def _triple_type(types: tuple[ArrayType, ...], params: Any) -> TupleType:
    *lead, m, n = types[0].shape
    k, dtype = min(m, n), types[0].dtype
    (is_full,) = params
    u = array_type((*lead, m, m if is_full else k), dtype)
    vh = array_type((*lead, n if is_full else k, n), dtype)
    return TupleType((u, _values_type(types, params), vh))


def _build(a: Node, is_full: bool = True) -> Node:
    a = _prepared(a)
    *_, m, n = a.shape
    params = (bool(is_full) and m != n,)
    return make(svd, (a,), params, _triple_type((a.type,), params))


def _build_values(a: Node) -> Node:
    a = _prepared(a)
    return make(svdvals, (a,), None, _values_type((a.type,), None))


def _evaluate(node: Node) -> Callable[..., Any]:
    (is_full,) = node.params
    return lambda a: tuple(np.linalg.svd(a, full_matrices=is_full))


def _push_values(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    (a,) = node.args
    factors = svd(a, False)
    u, s, vh = (item(factors, k) for k in range(3))
    tangent = column_products(u, times(tangents[0], adjoint(vh)))
    return linear.select(beyond_rounding(s, max(a.shape[-2:])), tangent, None)


def _push(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    (a,) = node.args
    (a_dot,) = tangents
    *_, m, n = a.shape
    k, extent = min(m, n), max(m, n)
    s = item(node, 1)
    all_u, all_v = item(node, 0), adjoint(item(node, 2))
    u, v = columns(all_u, 0, k), columns(all_v, 0, k)
    none = no_columns((*a.shape[:-2], k, k))
    moved, back = times(a_dot, v), times(adjoint(a_dot), u)
    p = after(adjoint(u), moved)
    turns = stacked_map(lambda x: turning(x, s, none, extent), p, (*p.shape[:-2], 2, *p.shape[-2:]))
    u_dot, v_dot = after(u, part(turns, 0)), after(v, part(turns, 1))
    if m > k:
        u_dot = linear.add(u_dot, mix_matrices(lambda x: outside(x, u, s, none, extent), moved))
    if n > k:
        v_dot = linear.add(v_dot, mix_matrices(lambda x: outside(x, v, s, none, extent), back))
    rates = phase_rates(v, v_dot, 0) if m >= n else phase_rates(u, u_dot, 0)
    u_dot, v_dot = with_phase(u_dot, u, rates), with_phase(v_dot, v, rates)
    if all_u is not u:
        u_dot = joined(u_dot, least_turn(u, u_dot, columns(all_u, k, m)))
    if all_v is not v:
        v_dot = joined(v_dot, least_turn(v, v_dot, columns(all_v, k, n)))
    return u_dot, column_products(u, moved), adjoint(v_dot)


def columns(x: Node, start: int, stop: int) -> Node:
    """Columns of matrices, or all of them."""
    return index(x, (*whole(x.shape[:-1]), (start, stop - start, 1)))


def joined(a: Node, b: Node) -> Node:
    """Two linear values side by side."""
    if linear.is_masked(a) or linear.is_masked(b):
        a, b = linear.as_masked(a), linear.as_masked(b)
        return linear.masked(
            concatenate(a.args[0], b.args[0], axis=a.ndim - 1),
            concatenate(a.args[1], b.args[1], axis=a.ndim - 1),
        )
    return concatenate(a, b, axis=a.ndim - 1)


def with_singular_values(rng: np.random.Generator, dtype: Any, *shape: int) -> Any:
    """Matrices with well separated singular values, none near zero."""
    *lead, m, n = shape
    k, wide = min(m, n), np.result_type(dtype, np.float64)
    u, v = (np.linalg.qr(normal(rng, wide, *lead, extent, k))[0] for extent in (m, n))
    s = separated(rng, np.float64, *lead, k)
    return ((u * s[..., None, :]) @ np.conj(np.swapaxes(v, -1, -2))).astype(dtype)


SHAPES = ((3, 3), (4, 2), (2, 2, 3), (1, 1), (0, 2))


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    for shape in SHAPES:
        yield [with_singular_values(rng, dtype, *shape)], (False,)
    if np.dtype(dtype).kind == "f":
        # one further vector, which the others and its sign determine; a complex one has a phase,
        # and several are any basis: these are tested in functions of their space
        yield [with_singular_values(rng, dtype, 3, 2)], (True,)
        yield [with_singular_values(rng, dtype, 2, 1, 2)], (True,)


def _draw_values(rng: np.random.Generator, dtype: Any) -> Any:
    for shape in SHAPES:
        yield [with_singular_values(rng, dtype, *shape)], ()


svd: Op = define(
    "svd",
    family="factorisation",
    build=_build,
    infer=_triple_type,
    evaluate=_evaluate,
    pushforward=_push,
    transpose=NOT_LINEAR,
    batch=batch_unary(lambda node, a: svd(a, *node.params)),
    sparsity=sparsity.stacked(2),
    label="svd({0})",
    domain=Cases(_draw),
    raises=ERRORS,
)

svdvals: Op = define(
    "svdvals",
    family="factorisation",
    build=_build_values,
    infer=_values_type,
    evaluate=lambda node: lambda a: np.linalg.svd(a, compute_uv=False),
    pushforward=_push_values,
    transpose=NOT_LINEAR,
    batch=batch_unary(lambda node, a: svdvals(a)),
    sparsity=sparsity.stacked(2),
    label="σ({0})",
    domain=Cases(_draw_values),
    raises=ERRORS,
)
