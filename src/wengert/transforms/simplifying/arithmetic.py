"""Patterns of elementwise arithmetic. All are exact: the same bits but for the payload of a NaN
(and 1/x is rounded correctly where a library's x^−1 may not be).

What they rest on, in IEEE 754 with rounding to nearest: negation changes the sign bit alone and
commutes with +, ·, / where it changes the sign of both sides; x − y is x + (−y); scaling by a power
of two is exact unless it over- or underflows, and by one of at least 1 it cannot underflow. A
complex product has sums inside, whose zeros change their sign with the terms, so signs stay where
they are in those.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from wengert.graph.literals import full, is_literal, is_zero, literal
from wengert.graph.node import Node, make
from wengert.graph.op import Op
from wengert.graph.registry import find
from wengert.graph.types import BOOL
from wengert.ops.arithmetic import add, divide, multiply, negative, subtract
from wengert.ops.complex import absolute
from wengert.ops.movement import broadcast_to, reshape, transpose
from wengert.ops.powers import reciprocal, square
from wengert.ops.selection import select
from wengert.transforms.simplifying.forms import REAL, Rule, Rules, again, number, raw

_SAME_SIZE = frozenset({reshape, transpose})
_MOVEMENT = frozenset({reshape, transpose, broadcast_to})


def _negated(node: Node, through: Collection[Op]) -> Node | None:
    """x of −x, which may stand under ops that move elements."""
    if node.op is negative:
        return node.args[0]
    if node.op in through:
        inner = _negated(node.args[0], through)
        return None if inner is None else again(node, inner)
    return None


def _taken_away(node: Node) -> Node | None:
    """What adding the node subtracts: x of −x, c x of (−c) x."""
    if node.op is multiply:
        for factor, other in (node.args, node.args[::-1]):
            if factor.op is full and factor.dtype.kind in "if" and literal(factor) < 0:
                return multiply(_opposite(factor), other)
    return _negated(node, _MOVEMENT)


def _add_negated(node: Node) -> Node | None:
    """a + (−b) = a − b."""
    for a, b in (node.args, node.args[::-1]):
        minus = _taken_away(b)
        if minus is not None:
            return subtract(a, minus)
    return None


def _subtract_negated(node: Node) -> Node | None:
    """a − (−b) = a + b."""
    a, b = node.args
    minus = _taken_away(b)
    return None if minus is None else add(a, minus)


def _add_to_itself(node: Node) -> Node | None:
    """x + x = 2 x."""
    a, b = node.args
    return multiply(number(2, a), a) if a is b and a.dtype.kind in REAL else None


def _add_integer_zero(node: Node) -> Node | None:
    """x + 0 = x for integers; of floats −0 + 0 is +0."""
    if node.dtype.kind in "iu":
        for a, b in (node.args, node.args[::-1]):
            if is_zero(b):
                return a
    return None


def _add_complementary(node: Node) -> Node | None:
    """where(m, a, 0) + where(m, 0, b) = where(m, a, b) + 0."""
    a, b = node.args
    if a.op is not select or b.op is not select or a.args[0] is not b.args[0]:
        return None
    for x, y in ((a, b), (b, a)):
        if is_zero(x.args[2]) and is_zero(y.args[1]):
            return add(select(x.args[0], x.args[1], y.args[2]), x.args[2])
    return None


def _subtract_zero(node: Node) -> Node | None:
    """x − 0 = x, −0 included."""
    return node.args[0] if is_zero(node.args[1]) and node.dtype.kind in REAL else None


def _signs_outwards(node: Node) -> Node | None:
    """(−a) b = −(a b) and (−a)/b = −(a/b), for either operand."""
    if node.dtype.kind in REAL:
        a, b = node.args
        minus = _negated(a, _SAME_SIZE)
        if minus is not None:
            return negative(raw(node, minus, b))
        minus = _negated(b, _SAME_SIZE)
        if minus is not None:
            return negative(raw(node, a, minus))
    return None


def _sign_into_literal(node: Node) -> Node | None:
    """−(c x) = (−c) x, −(x/c) = x/(−c), −(c/x) = (−c)/x."""
    (inner,) = node.args
    if inner.op in (multiply, divide) and node.dtype.kind in "if":
        a, b = inner.args
        if a.op is full:
            return raw(inner, _opposite(a), b)
        if b.op is full:
            return raw(inner, a, _opposite(b))
    return None


def _opposite(node: Node) -> Node:
    """The literal of the other sign."""
    with np.errstate(all="ignore"):
        return number(-literal(node), node)


def _times_minus_one(node: Node) -> Node | None:
    """−1 · x = −x."""
    if node.dtype.kind in "if":
        for c, x in (node.args, node.args[::-1]):
            if is_literal(c, -1):
                return negative(x)
    return None


def _times_itself(node: Node) -> Node | None:
    """x · x = x²."""
    a, b = node.args
    return square(a) if a is b and a.dtype.kind in REAL else None


def _merge_powers_of_two(node: Node) -> Node | None:
    """2ᵐ (2ⁿ x) = 2ᵐ⁺ⁿ x for m, n ≥ 0: each step is exact, or overflows as the whole does."""
    for c, x in (node.args, node.args[::-1]):
        if _doubles(c) and x.op is multiply:
            for d, y in (x.args, x.args[::-1]):
                if _doubles(d):
                    with np.errstate(all="ignore"):
                        product = literal(c) * literal(d)
                    return multiply(number(product, c), y) if np.isfinite(product) else None
    return None


def _doubles(node: Node) -> bool:
    """Whether the node is the literal ±2ⁿ with n ≥ 0, of a floating dtype."""
    if node.op is not full or node.dtype.kind != "f":
        return False
    return _is_power_of_two(node) and abs(literal(node)) >= 1


def _is_power_of_two(node: Node) -> bool:
    mantissa, _ = np.frexp(literal(node))
    return bool(abs(mantissa) == 0.5)


def _divide_by_power_of_two(node: Node) -> Node | None:
    """x / 2ⁿ = x · 2⁻ⁿ: both round the same number."""
    a, b = node.args
    if b.op is full and b.dtype.kind == "f" and _is_power_of_two(b):
        with np.errstate(all="ignore"):
            inverse = 1 / literal(b)
        tiny = np.finfo(b.dtype).tiny
        if tiny <= abs(inverse) < np.inf:
            return multiply(a, number(inverse, b))
    return None


def _even(node: Node) -> Node | None:
    """f(−x) = f(x) and f(|x|) = f(x) for |x| and x²."""
    (x,) = node.args
    if (x.op is negative or x.op is absolute) and x.args[0].dtype.kind in "if":
        return raw(node, x.args[0])
    return None


def _absolute_of_square(node: Node) -> Node | None:
    """|x²| = x², of floats: integers overflow."""
    (x,) = node.args
    return x if x.op is square and x.dtype.kind == "f" else None


def _inverse_power(node: Node) -> Node | None:
    """x^−1 = 1/x."""
    x, n = node.args
    return reciprocal(x) if is_literal(n, -1) and x.dtype.kind == "f" else None


def _equal_operands(node: Node) -> Node | None:
    """max(x, x) = x."""
    a, b = node.args
    return a if a is b else None


def _compared_with_itself(node: Node) -> Node | None:
    """x = x for integers; NaN is not equal to itself."""
    a, b = node.args
    if a is not b or a.dtype.kind not in "biu":
        return None
    return full(node.op.name in ("equal", "greater_equal", "less_equal"), BOOL, node.shape)


def in_order(node: Node) -> Node | None:
    """a op b = b op a: the older one first, so that both are one node."""
    a, b = node.args
    return make(node.op, (b, a), node.params, node.type) if b.serial < a.serial else None


def _mirrored(name: str) -> Rule:
    """a > b is b < a: the older one first."""

    def rule(node: Node) -> Node | None:
        a, b = node.args
        return make(find(name), (b, a), None, node.type) if b.serial < a.serial else None

    return rule


RULES: Rules = {
    "add": [
        _add_to_itself,
        _add_negated,
        _add_integer_zero,
        _add_complementary,
        in_order,
    ],
    "subtract": [_subtract_zero, _subtract_negated],
    "multiply": [
        _times_minus_one,
        _signs_outwards,
        _times_itself,
        _merge_powers_of_two,
        in_order,
    ],
    "divide": [_divide_by_power_of_two, _signs_outwards],
    "negative": [_sign_into_literal],
    "square": [_even],
    "absolute": [_even, _absolute_of_square],
    "power": [_inverse_power],
    **{name: [_equal_operands] for name in ("maximum", "minimum", "fmax", "fmin")},
    **{name: [_compared_with_itself, in_order] for name in ("equal", "not_equal")},
    "greater": [_compared_with_itself, _mirrored("less")],
    "less": [_compared_with_itself, _mirrored("greater")],
    "greater_equal": [_compared_with_itself, _mirrored("less_equal")],
    "less_equal": [_compared_with_itself, _mirrored("greater_equal")],
}
