"""What several nodes of a graph are together: norms, diagonals, branches, determinants.

A plan says of which nodes the terms are needed, and what is made of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from wengert.explaining.closed.algebra import diagonal, hadamard, multiply, power, times
from wengert.explaining.closed.functions import apply
from wengert.explaining.closed.matrices import determinant, inverse, log_determinant
from wengert.explaining.closed.reading import READINGS, constant, rational, reciprocal, shape_of
from wengert.explaining.closed.sums import add, diag, negative, ones, subtract, transpose
from wengert.explaining.closed.terms import (
    Apply,
    Hadamard,
    Product,
    Term,
    is_zero,
    number,
    zero,
)
from wengert.graph.literals import is_zero as is_literal_zero
from wengert.graph.literals import literal
from wengert.graph.node import Node


@dataclass(frozen=True, slots=True)
class Plan:
    """How the term of a node is made: from those of the nodes in `needs`."""

    needs: tuple[Node, ...]
    build: Callable[..., Term | None]


def plan_of(node: Node) -> Plan | None:
    """What several nodes together are, else the reading of the node's op."""
    pattern = PATTERNS.get(node.op.name)
    found = None if pattern is None else pattern(node)
    if found is not None:
        return found
    reading = READINGS.get(node.op.name)
    if reading is None:
        return None
    return Plan(node.args, partial(reading, node))


def _literal_plan(node: Node) -> Plan | None:
    value = literal(node)
    if node.dtype.kind == "c" or not math.isfinite(value):
        return None
    term = times(constant(float(value)), ones(shape_of(node.shape)))
    return Plan((), lambda: term if value else zero(shape_of(node.shape)))


def _power_plan(node: Node) -> Plan | None:
    """A power whose exponent is written as a number."""
    base, exponent = node.args
    if base.op.name == "full" and literal(base) > 0:
        value = float(literal(base))
        if value == math.e:
            return Plan((exponent,), partial(apply, "exp"))
        front = apply("log", number(rational(value)))
        return Plan((exponent,), lambda u: apply("exp", times(front, u)))
    if exponent.op.name != "full":
        return None
    value = rational(float(literal(exponent)))
    if value == -1:
        return Plan((base,), reciprocal)
    return Plan((base,), lambda u: power(u, value)) if value.denominator <= 24 else None


def _select_plan(node: Node) -> Plan | None:
    """The norm, whose root is taken where the square is not 0; branches by an inequality."""
    mask, a, b = node.args
    name = mask.op.name
    if name in ("equal", "not_equal"):
        zero, root = (a, b) if name == "equal" else (b, a)
        is_norm = is_literal_zero(zero) and root.op.name == "sqrt" and root.args[0] in mask.args
        if is_norm and any(map(is_literal_zero, mask.args)):
            return Plan((root,), lambda root: root)
        return _root_plan(mask, zero, root)
    if name in ("greater", "greater_equal"):
        return Plan((*mask.args, a, b), lambda p, q, a, b: _selected(name, subtract(p, q), a, b))
    if name in ("less", "less_equal"):
        return Plan((*mask.args, a, b), lambda p, q, a, b: _selected(name, subtract(q, p), a, b))
    return None


def _root_plan(mask: Node, zero: Node, root: Node) -> Plan | None:
    """The root of another order, whose base is not 0 either: of ‖x‖ₚ."""
    if not (is_literal_zero(zero) and root.op.name == "power"):
        return None
    chosen, exponent = root.args
    is_guarded = chosen.op.name == "select" and chosen.args[0] is mask
    if not (is_guarded and exponent.op.name == "full" and any(map(is_literal_zero, mask.args))):
        return None
    bases = [base for base in chosen.args[1:] if base in mask.args and not is_literal_zero(base)]
    value = rational(float(literal(exponent)))
    return Plan(tuple(bases), lambda u: power(u, value)) if len(bases) == 1 else None


def _is_defined_everywhere(term: Term) -> bool:
    """Whether a term is finite at all arguments: an unselected branch must be."""
    match term:
        case Apply(function=function):
            if function in ("log", "tan", "arcsin", "arccos", "arccosh", "arctanh"):
                return False
        case Hadamard(powers=powers):
            if any(p < 0 or p.denominator != 1 for _, p in powers):
                return False
        case Product(scalars=scalars):
            if any((p < 0 or p.denominator != 1) and base.free for base, p in scalars):
                return False
    return all(map(_is_defined_everywhere, term.inside()))


def _selected(condition: str, u: Term, a: Term, b: Term) -> Term | None:
    """a where u > 0, or u ≥ 0 where the condition has an "equal", else b."""
    if is_zero(b) and a == u:
        return apply("relu", u)
    if a == u and b == negative(u):
        return apply("abs", u)
    if not (_is_defined_everywhere(a) and _is_defined_everywhere(b)):
        return None
    holds, fails = "positive", "nonnegative"
    if condition.endswith("equal"):
        holds, fails = fails, holds
    return add(hadamard(apply(holds, u), a), hadamard(apply(fails, negative(u)), b))


def is_condition(mask: Node) -> bool:
    """Whether a mask is inequalities and arrays from outside, and what logic makes of them."""
    if mask.op.name in ("greater", "greater_equal", "less", "less_equal"):
        return True
    is_logic = mask.op.name in _LOGIC or not mask.args
    return mask.dtype.kind == "b" and is_logic and all(map(is_condition, mask.args))


_LOGIC = frozenset(
    {"logical_not", "logical_and", "logical_or", "bitwise_not", "bitwise_and", "bitwise_or"}
)


def masked(mask: Term, a: Term, b: Term) -> Term | None:
    """a where a mask is 1, b where it is 0."""
    if not (_is_defined_everywhere(a) and _is_defined_everywhere(b)):
        return None
    return add(hadamard(mask, a), hadamard(subtract(ones(mask.shape), mask), b))


def _index_plan(node: Node) -> Plan | None:
    """The diagonal of a matrix: every (n + 1)-th of its elements in a row."""
    (flat,), (entries,) = node.args, node.params
    if flat.op.name == "reshape" and len(node.shape) == 1 and len(flat.args[0].shape) == 2:
        rows, columns = flat.args[0].shape
        if rows == columns and entries == ((0, rows, columns + 1),):
            return Plan(flat.args, diagonal)
    return None


def _reshape_plan(node: Node) -> Plan | None:
    """The diagonal matrix of a column."""
    (flat,) = node.args
    if flat.op.name == "embed" and len(flat.args[0].shape) == 1:
        (extent,) = flat.args[0].shape
        if flat.params[0] == ((0, extent, extent + 1),) and node.shape == (extent, extent):
            return Plan(flat.args, diag)
    return None


def _item_plan(node: Node) -> Plan | None:
    (several,), (k,) = node.args, node.params
    if several.op.name != "slogdet" or len(several.args[1].shape) != 2:
        return None
    if k == 1:
        return Plan(several.args[1:], log_determinant)
    return Plan(several.args[1:], lambda a: apply("sign", determinant(a)))


def _system_plan(node: Node) -> Plan | None:
    """Solutions and inverses: their first input is the factored matrix."""
    if any(len(arg.shape) != 2 for arg in node.args[1:]):
        return None
    reading = {"solve": _solve, "inverse": _inverse, "det": _determinant}[node.op.name]
    return Plan(node.args[1:], partial(reading, node))


def _solve(node: Node, a: Term, b: Term) -> Term | None:
    (turn,) = node.params
    return multiply(inverse(transpose(a) if turn in "TH" else a), b)


def _inverse(node: Node, a: Term) -> Term:
    return inverse(a)


def _determinant(node: Node, a: Term) -> Term:
    return determinant(a)


PATTERNS: dict[str, Callable[[Node], Plan | None]] = {
    "full": _literal_plan,
    "power": _power_plan,
    "select": _select_plan,
    "index": _index_plan,
    "reshape": _reshape_plan,
    "item": _item_plan,
    "solve": _system_plan,
    "inverse": _system_plan,
    "det": _system_plan,
}
"""What is read off several nodes at once, by the name of the last op."""
