"""What is known of a matrix from how it is made: triangles, symmetry, factors.

A claim is about every value that the node can have, so that a system with a triangular matrix is
solved by substitution, and its determinant is the product of its diagonal, without a factorisation.
Claims end at arguments and at aliases, whose derivatives are those of any matrix. Where a claim
rests on 0 · x = 0, infinite and NaN x break it, as they break any factorisation.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Flag, auto

from wengert.graph.literals import full, is_zero
from wengert.graph.node import Node
from wengert.graph.types import INT
from wengert.ops.arithmetic import add
from wengert.ops.leaves import iota
from wengert.ops.linalg.lu import identity
from wengert.ops.linalg.matrices import transposed
from wengert.ops.logic import greater_equal, logical_not
from wengert.ops.movement import broadcast_to, embed, reshape


class Kind(Flag):
    """What is known of the matrices of a stack."""

    ANY = 0
    LOWER = auto()
    UPPER = auto()
    UNIT = auto()
    """The diagonal is one."""
    HERMITIAN = auto()
    """Equal to the conjugate transpose, to rounding."""
    DEFINITE = auto()
    """Hermitian, with no negative eigenvalue but for rounding."""


DIAGONAL = Kind.LOWER | Kind.UPPER
DEEPEST = 6
"""How many operations are looked through."""


def kind(node: Node, depth: int = DEEPEST) -> Kind:
    """What is known of a node of stacked square matrices."""
    if node.ndim < 2 or node.shape[-1] != node.shape[-2] or not depth:
        return Kind.ANY
    rule = RULES.get(node.op.name)
    return Kind.ANY if rule is None else rule(node, depth - 1)


def turned_matrix(node: Node) -> tuple[Node, str]:
    """(a, turn) with the node equal to a as it is ("N"), transposed, both or conjugated ("C")."""
    turn = "N"
    while True:
        if node.op.name == "transpose" and swaps_last_axes(node):
            turn = {"N": "T", "T": "N", "H": "C", "C": "H"}[turn]
        elif node.op.name == "conjugate":
            turn = {"N": "C", "C": "N", "T": "H", "H": "T"}[turn]
        else:
            return node, turn
        (node,) = node.args


def swaps_last_axes(node: Node) -> bool:
    """Whether a transpose of axes is that of matrices."""
    (axes,) = node.params
    n = len(axes)
    return n >= 2 and tuple(axes) == (*range(n - 2), n - 1, n - 2)


def factors(node: Node) -> tuple[Node, Node] | None:
    """(x, y) with the node equal to x y, both of them stacks of square matrices."""
    if node.op.name != "contract":
        return None
    x, y = node.args
    (over_x, over_y), along = node.params
    if not x.ndim == y.ndim == node.ndim or len(over_x) != 1:
        return None
    pairs = tuple(range(node.ndim - 2))
    if along != (pairs, pairs) or x.shape[-2:] != node.shape[-2:] != y.shape[-2:]:
        return None
    if x.shape[-1] != x.shape[-2] or y.shape[-1] != y.shape[-2]:
        return None
    return _facing(x, over_x[0] == x.ndim - 1), _facing(y, over_y[0] == y.ndim - 2)


def _facing(x: Node, as_it_is: bool) -> Node:
    return x if as_it_is else transposed(x)


def triangle_mask(rows: int, columns: int, k: int) -> Node:
    """Where an element lies on the k-th diagonal or below it."""
    shape = (rows, columns)
    down = broadcast_to(reshape(iota(rows), (rows, 1)), shape)
    if k:
        down = add(down, full(k, INT, shape))
    mask: Node = greater_equal(down, broadcast_to(iota(columns), shape))
    return mask


# ----------------------------------------------------------------------------------- rules


def _swapped(known: Kind) -> Kind:
    """Of the transpose."""
    result = known & ~DIAGONAL
    if Kind.LOWER in known:
        result |= Kind.UPPER
    if Kind.UPPER in known:
        result |= Kind.LOWER
    return result


def _of_transpose(node: Node, depth: int) -> Kind:
    return _swapped(kind(node.args[0], depth)) if swaps_last_axes(node) else Kind.ANY


def _of_same(node: Node, depth: int) -> Kind:
    return kind(node.args[0], depth)


def _of_negative(node: Node, depth: int) -> Kind:
    return kind(node.args[0], depth) & ~(Kind.UNIT | Kind.DEFINITE)


def _of_sum(node: Node, depth: int) -> Kind:
    """Of a sum: what both are; and A + Aᴴ is Hermitian."""
    a, b = node.args
    both = kind(a, depth) & kind(b, depth) & ~Kind.UNIT
    return both | Kind.HERMITIAN if is_adjoint(a, b) else both


def _of_difference(node: Node, depth: int) -> Kind:
    both = kind(node.args[0], depth) & kind(node.args[1], depth)
    return both & ~(Kind.UNIT | Kind.DEFINITE)


def _of_product(node: Node, depth: int) -> Kind:
    """Elementwise, by a real number that is known: what the matrix is, but for its sign."""
    for a, b in (node.args, node.args[::-1]):
        if b.op is full and b.dtype.kind != "c":
            return kind(a, depth) & ~(Kind.UNIT | Kind.DEFINITE)
    return Kind.ANY


def _of_quotient(node: Node, depth: int) -> Kind:
    a, b = node.args
    if b.op is full and not is_zero(b) and b.dtype.kind != "c":
        return kind(a, depth) & ~(Kind.UNIT | Kind.DEFINITE)
    return Kind.ANY


def _of_contract(node: Node, depth: int) -> Kind:
    """Products of triangles of one kind are triangles; X Xᴴ is Hermitian and semidefinite."""
    definite = Kind.HERMITIAN | Kind.DEFINITE if _is_square_of_one(node) else Kind.ANY
    pair = factors(node)
    if pair is None:
        return definite
    both = kind(pair[0], depth) & kind(pair[1], depth)
    return definite | (both & (DIAGONAL | Kind.UNIT) if both & DIAGONAL else Kind.ANY)


def _is_square_of_one(node: Node) -> bool:
    """Whether a contraction is X Xᴴ."""
    (over_x, over_y), along = node.params
    n = node.ndim
    pairs = tuple(range(n - 2))
    x, y = node.args
    if along != (pairs, pairs) or len(over_x) != 1 or not x.ndim == y.ndim == n:
        return False
    if over_x == over_y:
        return x is y if x.dtype.kind != "c" else _conjugates(x, y)
    return is_adjoint(x, y)


def _conjugates(x: Node, y: Node) -> bool:
    return any(a.op.name == "conjugate" and a.args[0] is b for a, b in ((x, y), (y, x)))


def is_adjoint(a: Node, b: Node) -> bool:
    """Whether b is known to be aᴴ."""
    (x, turn), (y, other) = turned_matrix(a), turned_matrix(b)
    wanted = {"N": "H", "H": "N", "T": "C", "C": "T"}
    if a.dtype.kind != "c":
        return x is y and (turn in "TH") != (other in "TH")
    return x is y and wanted[turn] == other


def _of_select(node: Node, depth: int) -> Kind:
    """A triangle as `np.tril` and `np.triu` make it, the unit matrix, a choice of elements."""
    mask, x, other = node.args
    if node is identity(node):
        return DIAGONAL | Kind.UNIT | Kind.HERMITIAN | Kind.DEFINITE
    if not is_zero(other):
        return Kind.ANY
    if mask.op is broadcast_to:
        (mask,) = mask.args
    known, n = kind(x, depth) & DIAGONAL, node.shape[-1]
    below = [triangle_mask(n, n, k) for k in (0, -1)]
    if mask in below:
        known |= Kind.LOWER
    if any(mask is logical_not(m) for m in below):
        known |= Kind.UPPER
    return known


def _of_triangle(node: Node, depth: int) -> Kind:
    lower, _ = node.params
    known = kind(node.args[0], depth) & DIAGONAL
    return known | (Kind.LOWER if lower else Kind.UPPER)


def _of_reshape(node: Node, depth: int) -> Kind:
    """A vector on the diagonal, as `np.diag` makes it."""
    (inner,), n = node.args, node.shape[-1]
    if inner.op is embed and inner.ndim == 1 and node.ndim == 2:
        (place,), _ = inner.params
        if place == (0, n, n + 1):
            return DIAGONAL
    return Kind.ANY


def _of_stack(node: Node, depth: int) -> Kind:
    (inner,) = node.args
    return kind(inner, depth) if inner.shape[-2:] == node.shape[-2:] else Kind.ANY


def _of_inverse(node: Node, depth: int) -> Kind:
    return kind(node.args[1], depth) & (Kind.HERMITIAN | Kind.DEFINITE)


def _of_triangular_solve(node: Node, depth: int) -> Kind:
    """t⁻¹ b is a triangle where t and b are triangles of one kind."""
    (t, b), (lower, turn, unit) = node.args, node.params
    if t.shape[-2:] != b.shape[-2:]:
        return Kind.ANY
    side = Kind.LOWER if lower == (turn in "NC") else Kind.UPPER
    known = kind(b, depth)
    return known & (side | (Kind.UNIT if unit else Kind.ANY)) if side in known else Kind.ANY


RULES: dict[str, Callable[[Node, int], Kind]] = {
    "add": _of_sum,
    "broadcast_to": _of_stack,
    "cholesky": lambda node, depth: Kind.LOWER,
    "conjugate": _of_same,
    "contract": _of_contract,
    "convert": _of_same,
    "divide": _of_quotient,
    "inverse": _of_inverse,
    "multiply": _of_product,
    "negative": _of_negative,
    "reshape": _of_reshape,
    "select": _of_select,
    "subtract": _of_difference,
    "transpose": _of_transpose,
    "triangle": _of_triangle,
    "triangular_solve": _of_triangular_solve,
}
