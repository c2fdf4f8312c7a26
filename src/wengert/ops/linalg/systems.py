"""Systems, inverses and determinants of matrices of which something is known (see `structure`).

A triangle is solved by substitution, a product of triangles (L Lᴴ) by two substitutions, and a
transposed matrix with the factors of the matrix itself; all others go through `lu`.
"""

from __future__ import annotations

from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.ops.arithmetic import add, convert, multiply
from wengert.ops.complex import absolute, sign
from wengert.ops.leaves import item
from wengert.ops.linalg import determinant
from wengert.ops.linalg.cholesky import cholesky
from wengert.ops.linalg.congruence import cholesky_diagonal
from wengert.ops.linalg.lapack import inexact
from wengert.ops.linalg.lu import identity
from wengert.ops.linalg.solve import inverse, solve
from wengert.ops.linalg.structure import DIAGONAL, Kind, factors, kind, turned_matrix
from wengert.ops.linalg.triangular import check_square, triangular_solve, turned
from wengert.ops.movement import index, reshape
from wengert.ops.reductions import prod
from wengert.ops.reductions import sum as total


def solved(a: Node, b: Node, turn: str = "N") -> Node:
    """The x of a x = b (or of aᵀ, aᴴ, ā); b is a stack of matrices."""
    check_square("solve", a)
    result: Node
    bare, own = turned_matrix(a)
    combined = composed(own, turn)
    known = kind(bare)
    if known & DIAGONAL:
        result = triangular_solve(bare, b, Kind.LOWER in known, combined, Kind.UNIT in known)
        return result
    pair = factors(bare)
    if pair is not None and all(kind(x) & DIAGONAL for x in pair):
        first, last = pair if combined in "NC" else pair[::-1]
        return solved(last, solved(first, b, combined), combined)
    result = solve(bare, b, combined)
    return result


def composed(first: str, second: str) -> str:
    """How a matrix stands that is turned twice."""
    is_transposed = (first in "TH") != (second in "TH")
    is_conjugated = (first in "HC") != (second in "HC")
    return ("NC", "TH")[is_transposed][is_conjugated]


def inverted(a: Node) -> Node:
    """The inverse."""
    check_square("inv", a)
    a = convert(a, inexact(a.type))
    bare, own = turned_matrix(a)
    result: Node
    if kind(bare) & DIAGONAL:
        result = solved(bare, identity(bare))
    else:
        result = inverse(bare)
    return turned(result, own)


def diagonal_of_factor(a: Node) -> Node | None:
    """The diagonal of what is known to be a Cholesky factor, which has a derivative of its own."""
    bare, turn = turned_matrix(a)
    if bare.op is not cholesky:
        return None
    result: Node = cholesky_diagonal(bare.args[0])
    return result if turn in "NT" else turned(result, "C")


def _diagonal(a: Node) -> Node:
    found = diagonal_of_factor(a)
    if found is not None:
        return found
    n = a.shape[-1]
    flat = reshape(a, (*a.shape[:-2], n * n))
    place = (0, n, n + 1) if n else (0, 0, 1)
    picked: Node = index(flat, (*((0, extent, 1) for extent in flat.shape[:-1]), place))
    return picked


def determined(a: Node) -> Node:
    """The determinant."""
    check_square("det", a)
    a = convert(a, inexact(a.type))
    result: Node
    if kind(a) & DIAGONAL:
        result = prod(_diagonal(a), (a.ndim - 2,))
        return result
    pair = factors(a)
    if pair is not None and all(kind(x) & DIAGONAL for x in pair):
        result = multiply(determined(pair[0]), determined(pair[1]))
        return result
    result = determinant.det(a)
    return result


def log_determined(a: Node) -> tuple[Node, Node]:
    """(sign, logarithm of the absolute value) of the determinant."""
    check_square("slogdet", a)
    a = convert(a, inexact(a.type))
    if kind(a) & DIAGONAL:
        values, axes = _diagonal(a), (a.ndim - 2,)
        return prod(sign(values), axes), total(find("log")(absolute(values)), axes)
    pair = factors(a)
    if pair is not None and all(kind(x) & DIAGONAL for x in pair):
        (s, x), (t, y) = map(log_determined, pair)
        return multiply(s, t), add(x, y)
    both = determinant.slogdet(a)
    return item(both, 0), item(both, 1)
