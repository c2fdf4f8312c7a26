"""Exponential, logarithmic, trigonometric and hyperbolic functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.graph.op import ZERO, Op
from wengert.ops import linear
from wengert.ops.arithmetic import add, convert, divide, multiply, negative, one, subtract
from wengert.ops.domain import Box, Cases, normal
from wengert.ops.families import elementwise
from wengert.ops.logic import equal, not_equal
from wengert.ops.native import Pointwise
from wengert.ops.powers import sqrt, square
from wengert.ops.rounding import isinf
from wengert.ops.selection import select

ALL = Box(((-2, 2),))
REAL = Box(((-2, 2),), kinds="f")
POSITIVE = Box(((0.2, 4),))
UNIT = Box(((-0.8, 0.8),))
PAIR = Box(((0.3, 2), (0.3, 2)), kinds="f")


def one_minus_square(x: Node) -> Node:
    """1 − x², without cancellation near ±1."""
    return multiply(subtract(one(x), x), add(one(x), x))


# ------------------------------------------------------------------- exponential, logarithmic

exp: Op = elementwise(np.exp, lambda y, x: y, label="exp {0}", domain=ALL)
exp2: Op = elementwise(
    np.exp2,
    lambda y, x: multiply(y, constant(math.log(2), y)),
    label="2^{0}",
    domain=ALL,
)
expm1: Op = elementwise(np.expm1, lambda y, x: exp(x), label="exp({0}) − 1", domain=ALL)
log2: Op = elementwise(
    np.log2,
    lambda y, x: divide(constant(1 / math.log(2), x), x),
    label="log₂ {0}",
    domain=POSITIVE,
)
log10: Op = elementwise(
    np.log10,
    lambda y, x: divide(constant(1 / math.log(10), x), x),
    label="log₁₀ {0}",
    domain=POSITIVE,
)
log1p: Op = elementwise(
    np.log1p,
    lambda y, x: divide(one(x), add(one(x), x)),
    label="log(1 + {0})",
    domain=Box(((-0.5, 3),)),
)


def _log_add_weight(y: Node, x: Node, other: Node, ratio: Node) -> Node:
    """e^x / (e^x + e^other) = e^(x − y); where y is infinite, the infinite one has it all."""
    mine, others = (convert(equal(v, y), y.dtype) for v in (x, other))
    return select(isinf(y), divide(mine, add(mine, others)), ratio)


logaddexp: Op = elementwise(
    np.logaddexp,
    lambda y, a, b: _log_add_weight(y, a, b, exp(subtract(a, y))),
    lambda y, a, b: _log_add_weight(y, b, a, exp(subtract(b, y))),
    label="log(exp {0} + exp {1})",
    domain=PAIR,
)
logaddexp2: Op = elementwise(
    np.logaddexp2,
    lambda y, a, b: _log_add_weight(y, a, b, exp2(subtract(a, y))),
    lambda y, a, b: _log_add_weight(y, b, a, exp2(subtract(b, y))),
    label="log₂(2^{0} + 2^{1})",
    domain=PAIR,
)

# ------------------------------------------------------------------------- trigonometric

sin: Op = elementwise(np.sin, lambda y, x: cos(x), label="sin {0}", domain=ALL)
cos: Op = elementwise(np.cos, lambda y, x: negative(sin(x)), label="cos {0}", domain=ALL)
tan: Op = elementwise(
    np.tan,
    lambda y, x: add(one(y), square(y)),
    label="tan {0}",
    domain=Box(((-1.2, 1.2),)),
)
arcsin: Op = elementwise(
    np.arcsin,
    lambda y, x: divide(one(x), sqrt(one_minus_square(x))),
    label="arcsin {0}",
    domain=UNIT,
)
arccos: Op = elementwise(
    np.arccos,
    lambda y, x: divide(constant(-1, x), sqrt(one_minus_square(x))),
    label="arccos {0}",
    domain=UNIT,
)
arctan: Op = elementwise(
    np.arctan,
    lambda y, x: divide(one(x), add(one(x), square(x))),
    label="arctan {0}",
    domain=UNIT,
)


arctan2: Op = elementwise(
    np.arctan2,
    lambda y, a, b: divide(b, add(square(a), square(b))),
    lambda y, a, b: negative(divide(a, add(square(a), square(b)))),
    label="arctan2({0}, {1})",
    domain=PAIR,
)


def _over(x: Node, h: Node) -> Node:
    """x / h, and 0 where h = 0: the subgradient of a norm at zero."""
    return linear.masked(not_equal(h, constant(0, h)), divide(x, h))


hypot: Op = elementwise(
    np.hypot,
    lambda y, a, b: _over(a, y),
    lambda y, a, b: _over(b, y),
    label="hypot({0}, {1})",
    domain=PAIR,
)
deg2rad: Op = elementwise(
    np.deg2rad, lambda y, x: constant(math.pi / 180, y), label="{0}°", domain=REAL
)
rad2deg: Op = elementwise(
    np.rad2deg, lambda y, x: constant(180 / math.pi, y), label="{0} rad", domain=REAL
)
radians: Op = elementwise(
    np.radians, lambda y, x: constant(math.pi / 180, y), label="{0}°", domain=REAL
)
degrees: Op = elementwise(
    np.degrees, lambda y, x: constant(180 / math.pi, y), label="{0} rad", domain=REAL
)

# ---------------------------------------------------------------------------- hyperbolic

sinh: Op = elementwise(np.sinh, lambda y, x: cosh(x), label="sinh {0}", domain=ALL)
cosh: Op = elementwise(np.cosh, lambda y, x: sinh(x), label="cosh {0}", domain=ALL)
tanh: Op = elementwise(
    np.tanh, lambda y, x: subtract(one(y), square(y)), label="tanh {0}", domain=Box(((-1.2, 1.2),))
)
arcsinh: Op = elementwise(
    np.arcsinh,
    lambda y, x: divide(one(x), sqrt(add(square(x), one(x)))),
    label="arsinh {0}",
    domain=UNIT,
)
arccosh: Op = elementwise(
    np.arccosh,
    lambda y, x: divide(one(x), multiply(sqrt(subtract(x, one(x))), sqrt(add(x, one(x))))),
    label="arcosh {0}",
    domain=Box(((1.3, 4),)),
)
arctanh: Op = elementwise(
    np.arctanh,
    lambda y, x: divide(one(x), one_minus_square(x)),
    label="artanh {0}",
    domain=UNIT,
)


def _draw_ldexp(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 3), rng.integers(-2, 4, 3)], ()
    yield [normal(rng, dtype, 2, 1), rng.integers(-2, 4, 3).astype(np.int32)], ()


ldexp: Op = elementwise(
    np.ldexp,
    lambda y, x, n: ldexp(one(x), n),
    ZERO,
    label="{0}·2^{1}",
    native=Pointwise(lambda ins, out, x, n: out.ldexp(x, n, ins[1])),
    domain=Cases(_draw_ldexp, kinds="f"),
)
