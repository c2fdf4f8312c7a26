"""Linear systems and inverses, from one LU factorisation.

    A x = b          A ẋ = ḃ − Ȧ x
    X = A⁻¹          Ẋ = −X Ȧ X

The nodes hold (lu(A), A, …): they are computed from the factors, and differentiated by A, so that
the tangent of the factors is never asked for. With the pairing Σ c x the transpose of x = A⁻¹ b is
the solve with Aᵀ and the same factors. So a backward pass costs two triangular solves and no
second factorisation, in every order: dL/db = A⁻ᵀ dL/dx and dL/dA = −(dL/db) xᵀ (Giles 2008,
*Collected matrix derivative results for forward and reverse mode algorithmic differentiation*).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import Type, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert
from wengert.ops.domain import Cases, normal
from wengert.ops.families import NOT_LINEAR, define
from wengert.ops.linalg.inverting import transposed_inverse
from wengert.ops.linalg.lapack import ERRORS, each_system, inexact, routine, singular
from wengert.ops.linalg.lu import lu
from wengert.ops.linalg.matrices import after, times, transposed
from wengert.ops.linalg.triangular import (
    TRANSPOSED,
    batched_system,
    check_square,
    mix_columns,
    prepared,
    turned,
    turned_as,
)
from wengert.ops.native import Statement


def well_conditioned(rng: np.random.Generator, dtype: Any, n: int, *lead: int) -> Any:
    """A stack of matrices for the tests."""
    return (0.5 * normal(rng, dtype, *lead, n, n) + (1 + n) * np.eye(n)).astype(dtype)


# ----------------------------------------------------------------------------------- solve


def _build_solve(a: Node, b: Node, turn: str = "N") -> Node:
    a, b = prepared("solve", a, b)
    params = (turned_as(turn, b.dtype),)
    return make(solve, (lu(a), a, b), params, array_type(b.shape, b.dtype))


def _evaluate_solve(node: Node) -> Callable[..., Any]:
    (turn,) = node.params

    def run(factors: Any, a: Any, b: Any) -> Any:
        packed, pivots = factors
        if not packed.diagonal(0, -2, -1).all():
            singular()
        if turn == "C":
            return each_system(_solve, b.conj(), (packed, 2), (pivots, 1)).conj()
        return each_system(by_turn, b, (packed, 2), (pivots, 1))

    def by_turn(b: Any, packed: Any, pivots: Any) -> Any:
        return _solve(b, packed, pivots, "NTH".index(turn))

    return run


def _solve(b: Any, packed: Any, pivots: Any, turn: int = 0) -> Any:
    return routine("getrs", b.dtype)(packed, pivots, b, turn)[0]


def _push_solve(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    (_, a, _), (turn,) = node.args, node.params
    _, a_dot, right = tangents
    if a_dot is not None:
        right = linear.add(right, linear.negative(times(turned(a_dot, turn), node)))
    if right is None:
        return None
    return mix_columns(lambda v: solve(a, v, turn), right)


def _transpose_solve(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    (_, a, _), (turn,) = node.args, node.params
    return None, None, mix_columns(lambda v: solve(a, v, TRANSPOSED[turn]), ct)


def _batch_solve(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    def build(a: Node, b: Node) -> Node:
        return solve(a, b, *node.params)

    return batched_system(build, args[1], args[2], batched[1:], size, node.ndim)


def _draw_solve(rng: np.random.Generator, dtype: Any) -> Any:
    def matrix(n: int, *lead: int) -> Any:
        return well_conditioned(rng, dtype, n, *lead)

    yield [matrix(3), normal(rng, dtype, 3, 2)], ()
    yield [matrix(4), normal(rng, dtype, 4, 1)], ("T",)
    yield [matrix(2, 3), normal(rng, dtype, 3, 2, 2)], ("H",)
    yield [matrix(2), normal(rng, dtype, 2, 2, 1)], ("C",)
    yield [matrix(2, 2, 1), normal(rng, dtype, 3, 2, 1)], ()
    yield [matrix(1), normal(rng, dtype, 1, 1)], ("H",)
    yield [matrix(0), normal(rng, dtype, 0, 2)], ()


solve: Op = define(
    "solve",
    family="linear system",
    build=_build_solve,
    infer=lambda types, params: array_type(types[2].shape, types[2].dtype),
    evaluate=_evaluate_solve,
    pushforward=_push_solve,
    transpose=_transpose_solve,
    batch=_batch_solve,
    native=Statement("solve"),
    sparsity=sparsity.stacked(2, 2, 2, columns=True),
    label="{1}⁻¹ {2}",
    domain=Cases(_draw_solve),
    raises=ERRORS,
)

# --------------------------------------------------------------------------------- inverse


def of_factored(a: Node) -> tuple[Node, Node]:
    """(lu(a), a) in the dtype of LAPACK: the inputs of what is computed from the factors."""
    check_square("lu", a)
    a = convert(a, inexact(a.type))
    return lu(a), a


def like_matrix(types: tuple[Type, ...], params: Any) -> Type:
    return types[1]


def _build_inverse(a: Node, strict: bool = True, is_turned: bool = False) -> Node:
    args = of_factored(a)
    return make(inverse, args, (strict, is_turned), args[1].type)


def _evaluate_inverse(node: Node) -> Callable[..., Any]:
    strict, is_turned = node.params

    def run(factors: Any, a: Any) -> Any:
        packed, pivots = factors
        if strict and not packed.diagonal(0, -2, -1).all():
            singular()
        if a.ndim == 2:
            result = transposed_inverse(packed, pivots)
        else:
            result = np.empty(a.shape, a.dtype)
            for at in np.ndindex(a.shape[:-2]):
                result[at] = transposed_inverse(packed[at], pivots[at])
        return result if is_turned else np.swapaxes(result, -1, -2)

    return run


def _push_inverse(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    moved = tangents[1]
    if moved is None:  # the factors alone have a tangent
        return None
    moved = transposed(moved) if node.params[1] else moved
    return linear.negative(times(after(node, moved), node))


def _draw_inverse(rng: np.random.Generator, dtype: Any) -> Any:
    yield [well_conditioned(rng, dtype, 3)], ()
    yield [well_conditioned(rng, dtype, 1)], (False,)
    yield [well_conditioned(rng, dtype, 2, 3)], (False, True)
    yield [well_conditioned(rng, dtype, 4, 2, 1, 2)], ()
    yield [well_conditioned(rng, dtype, 0)], ()


inverse: Op = define(
    "inverse",
    family="linear system",
    build=_build_inverse,
    infer=like_matrix,
    evaluate=_evaluate_inverse,
    pushforward=_push_inverse,
    transpose=NOT_LINEAR,
    batch=lambda node, args, batched, size: inverse(args[1], *node.params),
    native=Statement("inverse"),
    sparsity=sparsity.stacked(2, 2),
    label="{1}⁻¹",
    domain=Cases(_draw_inverse),
    raises=ERRORS,
)
"""The inverse. strict: whether a singular matrix is an error, else its inverse is NaN or infinite.
is_turned: whether it is transposed, as gradients of determinants have it."""
