"""Systems with banded matrices: the work grows with the band, not with the square of the size.

solve_banded(ab, b, (l, u))    the X of A X = b for the matrix A with l diagonals below the main
                               one and u above it, which are stored as LAPACK's: ab[u + i − j, j]
                               is A[i, j]; entries of ab outside A are not read

It is linear in b. From A Ẋ = ḃ − Ȧ X follows the tangent, where the product of a band and a matrix
is a sum over diagonals; the transpose is the system of Aᵀ, whose diagonals are those of A moved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import lazy
from wengert.errors import WengertValueError
from wengert.graph.literals import zeros
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import ArrayType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert, multiply
from wengert.ops.domain import Cases, normal
from wengert.ops.families import define, whole
from wengert.ops.linalg.matrices import batched_matrix, with_stack
from wengert.ops.linalg.sylvester import inexact_dtype
from wengert.ops.movement import broadcast_to, embed, index, reshape
from wengert.ops.reductions import any as any_over

Band = tuple[int, int]
"""How many diagonals are below and above the main one."""


def span(row: int, upper: int, n: int) -> tuple[int, int]:
    """The first column, and how many, that lie within the matrix on a stored diagonal.

    Element (i, j) of that diagonal has i = j + row − upper.
    """
    start = max(0, upper - row)
    return start, max(0, min(n, n + upper - row) - start)


def banded_product(ab: Node, x: Node, band: Band, first: bool | None = None) -> Tangent:
    """A x; linear in A if `first`, linear in x if not, in neither if None."""
    lower, upper = band
    n, columns = x.shape[-2:]
    total: Tangent = None
    for row in range(lower + upper + 1):
        start, count = span(row, upper, n)
        if not count:
            continue

        def diagonal(v: Node, at: Any = (row, start, count)) -> Node:
            entries = (*whole(v.shape[:-2]), at[0], (at[1], at[2], 1))
            picked = index(v, entries)
            return broadcast_to(
                reshape(picked, (*picked.shape, 1)), (*x.shape[:-2], at[2], columns)
            )

        def rows(v: Node, at: Any = (start, count)) -> Node:
            return index(v, (*whole(v.shape[:-2]), (*at, 1), (0, columns, 1)))

        if first is None:
            part = multiply(diagonal(ab), rows(x))
        elif first:
            part = linear.scale(linear.move(diagonal, ab), rows(x))
        else:
            part = linear.scale(linear.move(rows, x), diagonal(ab))
        if part is None:
            continue
        place = (*whole(x.shape[:-2]), (start + row - upper, count, 1), (0, columns, 1))

        def placed(v: Node, at: Any = place) -> Node:
            return embed(v, at, x.shape)

        total = linear.add(total, linear.move(placed, part))
    return total


def transposed_band(ab: Node, band: Band) -> Node:
    """The band of Aᵀ: its row l + u − r is row r of A's, moved by r − u columns."""
    lower, upper = band
    n = ab.shape[-1]
    result = zeros(ab.type)
    for row in range(lower + upper + 1):
        start, count = span(row, upper, n)
        if count:
            lead = whole(ab.shape[:-2])
            piece = index(ab, (*lead, (row, 1, 1), (start, count, 1)))
            to = (*lead, (lower + upper - row, 1, 1), (start + row - upper, count, 1))
            result = linear.add(result, embed(piece, to, ab.shape))
    return result


def _build(ab: Node, b: Node, band: Band) -> Node:
    lower, upper = band
    if ab.ndim < 2 or b.ndim < 2 or ab.shape[-1] != b.shape[-2]:
        raise WengertValueError(
            f"solve_banded: a band of shape {ab.shape} does not fit a right side of shape {b.shape}"
        )
    if ab.shape[-2] != lower + upper + 1:
        raise WengertValueError(
            f"solve_banded: {lower} lower and {upper} upper diagonals are {lower + upper + 1} rows "
            f"of ab, which has {ab.shape[-2]}"
        )
    dtype = inexact_dtype(ab.type, b.type)
    ab, b = convert(ab, dtype), convert(b, dtype)
    lead = np.broadcast_shapes(ab.shape[:-2], b.shape[:-2])
    if ab.ndim > 2:
        ab = with_stack(ab, lead)
    b = with_stack(b, lead)
    return make(solve_banded, (ab, b), (band,), array_type(b.shape, dtype))


def _infer(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return array_type(types[1].shape, types[1].dtype)


def _evaluate(node: Node) -> Callable[..., Any]:
    (band,) = node.params

    def one(ab: Any, b: Any) -> Any:
        if not np.isfinite(ab).all():
            return np.full(b.shape, np.nan, b.dtype)
        solve = lazy.module("scipy.linalg").solve_banded
        return solve(band, ab, b, check_finite=False)

    def run(ab: Any, b: Any) -> Any:
        if not b.size:
            return np.zeros(b.shape, b.dtype)
        if ab.ndim == 2:  # all right sides at once
            n = b.shape[-2]
            flat = np.moveaxis(b, -2, 0).reshape(n, -1)
            return np.moveaxis(one(ab, flat).reshape(n, *b.shape[:-2], b.shape[-1]), 0, -2)
        result = np.empty(b.shape, b.dtype)
        for at in np.ndindex(b.shape[:-2]):
            result[at] = one(ab[at], b[at])
        return result

    return run


def _masked_columns(build: Callable[[Node], Node], value: Node) -> Node:
    """Each column of the solution rests on that column of the right side alone."""

    def seen(mask: Node) -> Node:
        found = any_over(mask, (mask.ndim - 2,))
        found = reshape(found, (*found.shape[:-1], 1, found.shape[-1]))
        return broadcast_to(found, mask.shape)

    return linear.mix(build, seen, value)


def _pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    ab, _ = node.args
    (band,) = node.params
    right = tangents[1]
    if tangents[0] is not None:
        moved = banded_product(tangents[0], node, band, True)
        right = linear.add(right, linear.negative(moved))
    if right is None:
        return None
    return _masked_columns(lambda v: solve_banded(ab, v, band), right)


def _transpose(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    ((lower, upper),) = node.params
    turned = transposed_band(node.args[0], (lower, upper))
    return None, _masked_columns(lambda v: solve_banded(turned, v, (upper, lower)), ct)


def _batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    lead = node.shape[:-2]
    ab = batched_matrix(args[0], batched[0], node.args[0].ndim - 2, size, lead)
    b = args[1] if batched[1] else with_stack(args[1], (size, *lead))
    return solve_banded(ab, b, *node.params)


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    def band(lower: int, upper: int, *shape: int) -> Any:
        ab = 0.3 * normal(rng, dtype, *shape[:-1], lower + upper + 1, shape[-1])
        ab[..., upper, :] += 2
        return ab.astype(dtype)

    yield [band(1, 1, 4), normal(rng, dtype, 4, 2)], ((1, 1),)
    yield [band(2, 1, 4), normal(rng, dtype, 4, 1)], ((2, 1),)
    yield [band(0, 2, 2, 3), normal(rng, dtype, 2, 3, 1)], ((0, 2),)
    yield [band(1, 0, 3), normal(rng, dtype, 2, 3, 2)], ((1, 0),)
    yield [band(1, 1, 1), normal(rng, dtype, 1, 1)], ((1, 1),)
    yield [band(1, 1, 0), normal(rng, dtype, 0, 2)], ((1, 1),)


solve_banded: Op = define(
    "solve_banded",
    family="linear solve",
    build=_build,
    infer=_infer,
    evaluate=_evaluate,
    pushforward=_pushforward,
    transpose=_transpose,
    batch=_batch,
    sparsity=sparsity.stacked(2, 2, columns=True),
    label="band({0})⁻¹ {1}",
    domain=Cases(_draw),
    raises=(np.linalg.LinAlgError,),
)
