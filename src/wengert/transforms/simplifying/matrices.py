"""Patterns of matrices: what is computed of their elements alone is written out, so that it fuses
with what stands around it: triangles, determinants of what is factored, cofactors of order three
at most, diagonals of Cholesky's factors and what their derivatives are."""

from __future__ import annotations

from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.graph.types import Shape
from wengert.ops.leaves import iota, item, pack
from wengert.ops.linalg.lapack import MOST_ORDER
from wengert.ops.linalg.lu import identity
from wengert.ops.linalg.matrices import matmul, transposed
from wengert.ops.movement import broadcast_to, concatenate, index, reshape
from wengert.ops.selection import select
from wengert.transforms.simplifying.forms import Rules


def _triangle(node: Node) -> Node:
    """The triangle of x is x where the row is below (or above) the column, and 0 elsewhere."""
    (x,), (lower, diagonal) = node.args, node.params
    rows, columns = _places(x.shape)
    beside = find("less")(columns, rows) if lower else find("less")(rows, columns)
    zero = constant(0, x)
    if diagonal == 0.0:
        return select(beside, x, zero)
    if diagonal == 1.0 or x.dtype.kind == "b":
        return select(find("logical_or")(beside, find("equal")(rows, columns)), x, zero)
    half = find("multiply")(x, constant(diagonal, x))
    return select(beside, x, select(find("equal")(rows, columns), half, zero))


def _places(shape: Shape) -> tuple[Node, Node]:
    """The row and the column of each element of a stack of matrices."""
    rows, columns = shape[-2:]
    row = broadcast_to(reshape(iota(rows), (rows, 1)), (rows, columns))
    column = broadcast_to(iota(columns), (rows, columns))
    return broadcast_to(row, shape), broadcast_to(column, shape)


def _diagonal(x: Node) -> Node:
    n = x.shape[-1]
    flat = reshape(x, (*x.shape[:-2], n * n))
    lead = tuple((0, extent, 1) for extent in x.shape[:-2])
    return index(flat, (*lead, (0, n, n + 1)))


def _exchanged(pivots: Node, like: Node) -> Node:
    """−1 for each row that was exchanged with another one, else 1."""
    places = broadcast_to(find("convert")(iota(pivots.shape[-1]), pivots.dtype), pivots.shape)
    moved = find("not_equal")(pivots, places)
    one = full(1, like.dtype, like.shape)
    return select(moved, full(-1, like.dtype, like.shape), one)


def _factors(node: Node) -> tuple[Node, Node]:
    """The diagonal of U, and the signs of the row exchanges."""
    factored = node.args[0]
    diagonal = _diagonal(item(factored, 0))
    return diagonal, _exchanged(item(factored, 1), diagonal)


def _is_small(matrices: Node) -> bool:
    """Whether the factors lie as machine code reads them: LAPACK's lie column by column."""
    return bool(matrices.size) and matrices.shape[-1] <= MOST_ORDER


def _det(node: Node) -> Node | None:
    if not _is_small(node.args[1]):
        return None
    diagonal, signs = _factors(node)
    last = (diagonal.ndim - 1,)
    return find("multiply")(find("prod")(diagonal, last), find("prod")(signs, last))


def _slogdet(node: Node) -> Node | None:
    if not _is_small(node.args[1]) or node.args[1].dtype.kind != "f":
        return None
    diagonal, signs = _factors(node)
    last = (diagonal.ndim - 1,)
    sign = find("prod")(find("multiply")(find("sign")(diagonal), signs), last)
    return pack(sign, find("sum")(find("log")(find("absolute")(diagonal)), last))


def _cofactors(node: Node) -> Node | None:
    """Of order three each is a product less another one, of the rows and of the columns that
    follow in the circle: aᵢ₊₁ⱼ₊₁ aᵢ₊₂ⱼ₊₂ − aᵢ₊₁ⱼ₊₂ aᵢ₊₂ⱼ₊₁. Larger ones need the factors, and
    more where these are singular."""
    a = node.args[1]
    n = a.shape[-1]
    if n > 3 or not a.size or a.dtype.kind != "f":
        return None
    if n == 1:
        return full(1, a.dtype, a.shape)
    lead = tuple((0, extent, 1) for extent in a.shape[:-2])
    if n == 2:
        row, column = _places(a.shape)
        other = index(a, (*lead, (1, 2, -1), (1, 2, -1)))
        return select(find("equal")(row, column), other, find("negative")(other))
    twice = concatenate(a, a, axis=a.ndim - 2)
    twice = concatenate(twice, twice, axis=a.ndim - 1)

    def after(i: int, j: int) -> Node:
        return index(twice, (*lead, (i, 3, 1), (j, 3, 1)))

    multiply = find("multiply")
    return find("subtract")(multiply(after(1, 1), after(2, 2)), multiply(after(1, 2), after(2, 1)))


def _is_small_factor(factor: Node) -> bool:
    return _is_small(factor) and factor.dtype.kind == "f"


def _cholesky_diagonal(node: Node) -> Node | None:
    return _diagonal(node.args[0]) if _is_small_factor(node.args[0]) else None


def _congruent_diagonal(node: Node) -> Node | None:
    """diag(L⁻¹ X L⁻ᵀ), by two solves."""
    factor, x = node.args
    if not _is_small_factor(factor):
        return None
    solve = find("triangular_solve")
    return _diagonal(solve(factor, transposed(solve(factor, x))))


def _congruent_sum(node: Node) -> Node | None:
    """L⁻ᵀ diag(d) L⁻¹, from the inverse."""
    factor, d = node.args
    if not _is_small_factor(factor):
        return None
    inverse = find("triangular_solve")(factor, identity(factor))
    weights = broadcast_to(reshape(d, (*d.shape, 1)), factor.shape)
    return matmul(transposed(inverse), find("multiply")(weights, inverse))


def _item_of_pack(node: Node) -> Node | None:
    (packed,), (k,) = node.args, node.params
    return packed.args[k] if packed.op is pack else None


RULES: Rules = {
    "triangle": [_triangle],
    "det": [_det],
    "slogdet": [_slogdet],
    "cofactors": [_cofactors],
    "cholesky_diagonal": [_cholesky_diagonal],
    "congruent_diagonal": [_congruent_diagonal],
    "congruent_sum": [_congruent_sum],
    "item": [_item_of_pack],
}
