"""Powers, roots, and the logarithm that the derivative of a power needs."""

from __future__ import annotations

import numpy as np

from wengert.graph.literals import constant, full, is_literal, is_zero, literal
from wengert.graph.node import Node
from wengert.graph.op import Op
from wengert.ops import linear
from wengert.ops.arithmetic import divide, multiply, negative, one, subtract
from wengert.ops.domain import Box
from wengert.ops.families import (
    elementwise,
)
from wengert.ops.logic import equal, greater_equal, logical_and, logical_not, not_equal

square: Op = elementwise(
    np.square,
    lambda y, x: multiply(constant(2, x), x),
    label="{0}²",
    domain=Box(((-3, 3),), kinds="iufc"),
    weak=True,
)
reciprocal: Op = elementwise(
    np.reciprocal,
    lambda y, x: negative(square(y)),
    label="1/{0}",
    domain=Box(((0.5, 3),)),
)
sqrt: Op = elementwise(
    np.sqrt, lambda y, x: divide(constant(0.5, y), y), label="√{0}", domain=Box(((0.2, 4),))
)
cbrt: Op = elementwise(
    np.cbrt,
    lambda y, x: divide(constant(1 / 3, y), square(y)),
    label="∛{0}",
    domain=Box(((0.2, 4),), kinds="f"),
)


def _power_by_base(y: Node, x: Node, n: Node) -> Node:
    """n x^(n-1), and 0 where n = 0 (not 0·x^-1, which is NaN at x = 0)."""
    if n.op is full:
        if not literal(n):
            return full(0, n.dtype, n.shape)
        return multiply(n, power(x, subtract(n, one(n))))
    slope = multiply(n, power(x, subtract(n, one(n))))
    return linear.masked(not_equal(n, constant(0, n)), slope)


def _power_by_exponent(y: Node, x: Node, n: Node) -> Node:
    """x^n log x, and 0 at x = 0 where 0^n is 0 in a neighbourhood, or 1 (n >= 0)."""
    zero = constant(0, x)
    slope = multiply(y, log(x))
    if x.dtype.kind == "c":
        return linear.masked(not_equal(x, zero), slope)
    at_zero = logical_and(equal(x, zero), greater_equal(n, zero))
    return linear.masked(logical_not(at_zero), slope)


def _simplify_power(x: Node, n: Node) -> Node | None:
    if n.op is full and x.op is not full:
        if is_literal(n, 2):
            return square(x)
        if is_literal(n, 1):
            return x
    if n.op is full and is_zero(n):
        return full(1, x.dtype, x.shape, x.type.weak)
    return None


power: Op = elementwise(
    np.power,
    _power_by_base,
    _power_by_exponent,
    label="{0}^{1}",
    domain=Box(((0.2, 3), (-2, 2)), kinds="fc"),
    weak=True,
    simplify=_simplify_power,
)


# -------------------------------------------------------------------------------- log


log: Op = elementwise(
    np.log,
    lambda y, x: divide(one(x), x),
    label="log {0}",
    domain=Box(((0.2, 4),)),
)
