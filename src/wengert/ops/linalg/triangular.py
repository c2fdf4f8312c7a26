"""Triangles of matrices, and linear systems with a triangular matrix.

triangle(x)               the lower or the upper triangle, with the diagonal times 1, 1/2 or 0
triangular_solve(t, b)    the x of t x = b, or of tᵀ x = b, tᴴ x = b, t̄ x = b

Only the triangle of t is read, so that only it has a tangent:

    t ẋ = ḃ − tri(ṫ) x

and with the pairing Σ c x the transpose of x = t⁻¹ b is the solve with tᵀ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import BOOL, ArrayType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert
from wengert.ops.complex import conjugate
from wengert.ops.domain import Cases, normal
from wengert.ops.families import define, movement
from wengert.ops.linalg.lapack import ERRORS, each_system, inexact, routine, singular
from wengert.ops.linalg.matrices import adjoint, times, transposed
from wengert.ops.movement import broadcast_to, reshape, transpose
from wengert.ops.native import Statement
from wengert.ops.reductions import any as any_over

TURNS = "NTHC"
"""How the matrix of a system stands in it: as it is, transposed, both, conjugated."""

TRANSPOSED = dict(zip("NTHC", "TNCH", strict=True))
"""How it stands in the transposed system."""


def turned_as(turn: str, dtype: Any) -> str:
    """One of "N" and "T" where nothing is complex."""
    if turn not in TURNS:
        raise WengertValueError(f"turn must be one of N, T, H and C, not {turn!r}")
    return turn if dtype.kind == "c" else {"H": "T", "C": "N"}.get(turn, turn)


def turned(x: Node, turn: str) -> Node:
    """The matrices (or their tangents) as they stand in the system."""
    if turn == "N":
        return x
    if turn == "C":
        return linear.pointwise(conjugate, x)
    return transposed(x) if turn == "T" else adjoint(x)


def check_square(name: str, a: Node) -> None:
    """NumPy's errors for what is no square matrix."""
    if a.ndim < 2:
        raise np.linalg.LinAlgError(
            f"{a.ndim}-dimensional array given. Array must be at least two-dimensional"
        )
    if a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")


def prepared(name: str, a: Node, b: Node) -> tuple[Node, Node]:
    """Matrix and right side (a matrix too) in one dtype; the right side has the whole stack."""
    check_square(name, a)
    if b.ndim < 2 or b.shape[-2] != a.shape[-1]:
        raise WengertValueError(
            f"{name}: matrices of shape {a.shape} do not fit a right side of shape {b.shape}"
        )
    dtype = inexact(a.type, b.type)
    try:
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise WengertValueError(
            f"{name}: the stacks of shapes {a.shape} and {b.shape} do not broadcast"
        ) from None
    return convert(a, dtype), broadcast_to(convert(b, dtype), (*lead, *b.shape[-2:]))


def batched_system(
    build: Callable[[Node, Node], Node],
    a: Node,
    b: Node,
    batched: Sequence[bool],
    size: int,
    depth: int,
) -> Node:
    """The solutions of systems with a batch axis in front. depth: how many axes b had before.

    Where the matrix is the same for all, they are columns of one system: LAPACK, and loops over the
    columns, do many of them together.
    """
    if batched[0]:
        ones = (1,) * (depth + 1 - a.ndim)
        a = reshape(a, (size, *ones, *a.shape[1:]))
        return build(a, b if batched[1] else broadcast_to(b, (size, *b.shape)))
    *lead, n, columns = b.shape[1:]
    apart = (*lead, n, size, columns)
    together = transpose(b, (*range(1, depth), 0, depth))
    found = build(a, reshape(together, (*lead, n, size * columns)))
    return transpose(reshape(found, apart), (depth - 1, *range(depth - 1), depth))


def mix_columns(build: Callable[[Node], Node], value: Node) -> Node:
    """A linear map of columns in which every element may rest on every other of its column."""
    result = build(value)
    if not linear.is_masked(value):
        return result
    seen = any_over(value.args[0], (value.ndim - 2,))
    seen = reshape(seen, (*seen.shape[:-1], 1, seen.shape[-1]))
    return linear.masked(broadcast_to(seen, result.shape), result)


# -------------------------------------------------------------------------------- triangle

WEIGHTS = (1.0, 0.5, 0.0)


def _build_triangle(x: Node, lower: bool, diagonal: float = 1.0) -> Node:
    if diagonal not in WEIGHTS:
        raise WengertValueError(f"the diagonal may be taken times 1, 1/2 or 0, not {diagonal}")
    return make(triangle, (x,), (lower, float(diagonal)), array_type(x.shape, x.dtype))


def _evaluate_triangle(node: Node) -> Callable[..., Any]:
    lower, diagonal = node.params
    rows, columns = node.shape[-2:]
    keep = np.tri(rows, columns, 0 if lower else -1, dtype=bool)
    if not lower:
        keep = ~keep
    places = np.arange(min(rows, columns))
    halved = diagonal == 0.5 and node.dtype != BOOL
    if diagonal == 0.0:
        keep[places, places] = False

    def run(x: Any) -> Any:
        result = np.where(keep, x, x.dtype.type(0))
        if halved:
            result[..., places, places] *= 0.5
        return result

    return run


def _draw_triangle(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 3, 3)], (True,)
    yield [normal(rng, dtype, 2, 3, 3)], (False, 0.0)
    yield [normal(rng, dtype, 3, 3)], (True, 0.5)
    yield [normal(rng, dtype, 2, 4)], (False, 0.5)
    yield [normal(rng, dtype, 0, 0)], (True, 0.0)


triangle: Op = movement(
    "triangle",
    build=_build_triangle,
    again=lambda node, x: triangle(x, *node.params),
    infer=lambda types, params: array_type(types[0].shape, types[0].dtype),
    evaluate=_evaluate_triangle,
    transpose=lambda node, ct: linear.move(lambda v: triangle(v, *node.params), ct),
    batch=lambda node, x: triangle(x, *node.params),
    label="tri {0}",
    domain=Cases(_draw_triangle),
)

# ------------------------------------------------------------------------ triangular_solve


def _build_solve(t: Node, b: Node, lower: bool = True, turn: str = "N", unit: bool = False) -> Node:
    t, b = prepared("triangular_solve", t, b)
    params = (lower, turned_as(turn, b.dtype), unit)
    return make(triangular_solve, (t, b), params, array_type(b.shape, b.dtype))


def _infer_solve(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return array_type(types[1].shape, types[1].dtype)


def _evaluate_solve(node: Node) -> Callable[..., Any]:
    lower, turn, unit = node.params

    def solve(b: Any, t: Any) -> Any:
        return solve_triangle(t, b, lower, turn, unit)

    return lambda t, b: each_system(solve, b, (t, 2))


def solve_triangle(t: Any, b: Any, lower: bool, turn: str = "N", unit: bool = False) -> Any:
    """The x of t x = b for two matrices; tᵀ where t lies in memory row by row."""
    if not t.flags.f_contiguous:
        t, lower, turn = t.T, not lower, TRANSPOSED[turn]
    if turn == "C":
        return solve_triangle(t, b.conj(), lower, "N", unit).conj()
    x, info = routine("trtrs", b.dtype)(t, b, lower, "NTH".index(turn), unit)
    if info > 0:
        singular()
    return x


def _push_solve(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    (t, _), (lower, turn, unit) = node.args, node.params
    t_dot, right = tangents
    if t_dot is not None:
        read = linear.move(lambda v: triangle(v, lower, 0.0 if unit else 1.0), t_dot)
        right = linear.add(right, linear.negative(times(turned(read, turn), node)))
    return mix_columns(lambda v: triangular_solve(t, v, lower, turn, unit), right)


def _transpose_solve(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    (t, _), (lower, turn, unit) = node.args, node.params
    to = mix_columns(lambda v: triangular_solve(t, v, lower, TRANSPOSED[turn], unit), ct)
    return None, to


def _batch_solve(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    def build(t: Node, b: Node) -> Node:
        return triangular_solve(t, b, *node.params)

    return batched_system(build, args[0], args[1], batched, size, node.ndim)


def _draw_solve(rng: np.random.Generator, dtype: Any) -> Any:
    def matrix(n: int, *lead: int) -> Any:
        return (normal(rng, dtype, *lead, n, n) + 3 * np.eye(n)).astype(dtype)

    yield [matrix(3), normal(rng, dtype, 3, 2)], ()
    yield [matrix(3), normal(rng, dtype, 3, 1)], (False, "T")
    yield [matrix(2, 3), normal(rng, dtype, 3, 2, 2)], (True, "H", True)
    yield [matrix(2), normal(rng, dtype, 2, 2, 1)], (False, "C")
    yield [matrix(2, 2, 1), normal(rng, dtype, 3, 2, 1)], (True, "C", True)
    yield [matrix(1), normal(rng, dtype, 1, 1)], (True, "H")
    yield [matrix(0), normal(rng, dtype, 0, 2)], ()


triangular_solve: Op = define(
    "triangular_solve",
    family="linear system",
    build=_build_solve,
    infer=_infer_solve,
    evaluate=_evaluate_solve,
    pushforward=_push_solve,
    transpose=_transpose_solve,
    batch=_batch_solve,
    native=Statement("triangular_solve"),
    sparsity=sparsity.stacked(2, 2, columns=True),
    label="{0}⁻¹ {1}",
    domain=Cases(_draw_solve),
    raises=ERRORS,
)
