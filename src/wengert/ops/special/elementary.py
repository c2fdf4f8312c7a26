"""Short functions: angles in degrees, powers less one, losses, Box–Cox transforms, and
hypergeometric functions, of which the derivatives of some are made (DLMF 13.3.15, 15.5.1, 16.3.1).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.graph.op import Op, absent
from wengert.ops import linear
from wengert.ops.arithmetic import negative
from wengert.ops.complex import absolute, part_dtype
from wengert.ops.domain import Box, Cases
from wengert.ops.elementary import exp, hypot, log1p, sin
from wengert.ops.logic import not_equal
from wengert.ops.powers import log, power, square
from wengert.ops.selection import maximum, minimum
from wengert.ops.special import native
from wengert.ops.special.algebra import minus, over, plus, times
from wengert.ops.special.logistic import xlog1py, xlogy
from wengert.ops.special.ufunc import special

DEGREES = Box(((-3, 3),), kinds="f")
POSITIVE = Box(((0.5, 3), (-1, 2)), kinds="f")
DEGREE = math.pi / 180

# -------------------------------------------------------------------- angles and exponentials

sindg: Op = special("sindg", lambda y, x: times(DEGREE, cosdg(x)), label="sin {0}°", domain=DEGREES)
cosdg: Op = special(
    "cosdg", lambda y, x: times(-DEGREE, sindg(x)), label="cos {0}°", domain=DEGREES
)
tandg: Op = special(
    "tandg",
    lambda y, x: times(DEGREE, plus(1, square(y))),
    label="tan {0}°",
    domain=Box(((10, 60),), kinds="f"),
)
cotdg: Op = special(
    "cotdg",
    lambda y, x: times(-DEGREE, plus(1, square(y))),
    label="cot {0}°",
    domain=Box(((20, 60),), kinds="f"),
)
radian: Op = special(
    "radian",
    lambda y, d, m, s: constant(DEGREE, y),
    lambda y, d, m, s: constant(DEGREE / 60, y),
    lambda y, d, m, s: constant(DEGREE / 3600, y),
    label="{0}° {1}′ {2}″",
    domain=Box(((1, 30), (1, 30), (1, 30)), kinds="f"),
)
cosm1: Op = special("cosm1", lambda y, x: negative(sin(x)), label="cos {0} − 1", domain=DEGREES)
exp10: Op = special(
    "exp10",
    lambda y, x: times(math.log(10), y),
    label="10^{0}",
    domain=Box(((-1, 1),), kinds="f"),
    native=native.exp10,
)
# 1F1(1; 2; x)
exprel: Op = special(
    "exprel",
    lambda y, x: times(0.5, hyp1f1(constant(2, x), constant(3, x), x)),
    label="exprel {0}",
    domain=DEGREES,
)
powm1: Op = special(
    "powm1",
    lambda y, x, p: times(p, power(x, minus(p, 1))),
    lambda y, x, p: times(plus(1, y), log(x)),
    label="{0}^{1} − 1",
    domain=POSITIVE,
)

# ---------------------------------------------------------------------------- hypergeometric

PARAMETER = absent(
    "the derivative of a hypergeometric function by its parameters has no closed form: they must "
    "be constant"
)


def _draw_parameters(count: int, low: float, high: float, kinds: str = "fc") -> Cases:
    def draw(rng: np.random.Generator, dtype: Any) -> Any:
        x = rng.uniform(low, high, 3)
        if np.dtype(dtype).kind == "c":
            x = x + 1j * rng.uniform(-0.2, 0.2, 3)
        parameters = ([1, 2, 1], [2, 1, 3], [3, 4, 2])
        constants = [np.array(values, np.int8) for values in parameters[3 - count :]]
        yield [*constants, x.astype(dtype)], ()

    return Cases(draw, kinds)


hyp0f1: Op = special(
    "hyp0f1",
    PARAMETER,
    lambda y, b, z: over(hyp0f1(plus(b, 1), z), b),
    label="₀F₁({0}; {1})",
    domain=_draw_parameters(1, 0.2, 2),
)
hyp1f1: Op = special(
    "hyp1f1",
    PARAMETER,
    PARAMETER,
    lambda y, a, b, z: times(hyp1f1(plus(a, 1), plus(b, 1), z), over(a, b)),
    label="₁F₁({0}; {1}; {2})",
    domain=_draw_parameters(2, -1, 1),
)
hyp2f1: Op = special(
    "hyp2f1",
    PARAMETER,
    PARAMETER,
    PARAMETER,
    lambda y, a, b, c, z: times(
        hyp2f1(plus(a, 1), plus(b, 1), plus(c, 1), z), over(times(a, b), c)
    ),
    label="₂F₁({0}, {1}; {2}; {3})",
    domain=_draw_parameters(3, -0.4, 0.4),
)
# DLMF 13.3.22
hyperu: Op = special(
    "hyperu",
    PARAMETER,
    PARAMETER,
    lambda y, a, b, z: negative(times(a, hyperu(plus(a, 1), plus(b, 1), z))),
    label="U({0}, {1}, {2})",
    domain=_draw_parameters(2, 1, 3, "f"),
)
# Φ(a, b; x) = Σ xᵏ/(k! Γ(ak + b)), so that Φ′ is that of b + a
wright_bessel: Op = special(
    "wright_bessel",
    PARAMETER,
    PARAMETER,
    lambda y, a, b, x: wright_bessel(a, plus(b, a), x),
    label="Φ({0}, {1}; {2})",
    domain=_draw_parameters(2, 0.5, 2, "f"),
)
log_wright_bessel: Op = special(
    "log_wright_bessel",
    PARAMETER,
    PARAMETER,
    lambda y, a, b, x: exp(minus(log_wright_bessel(a, plus(b, a), x), y)),
    label="log Φ({0}, {1}; {2})",
    domain=_draw_parameters(2, 0.5, 2, "f"),
)


# ------------------------------------------------------------------------------------ losses

# δ < 0 is outside the domain of both
huber: Op = special(
    "huber",
    lambda y, d, r: maximum(minus(absolute(r), d), constant(0, r)),
    lambda y, d, r: maximum(minimum(r, d), negative(d)),
    label="huber({0}, {1})",
    domain=Box(((0.5, 1), (-2, 2)), kinds="f", smooth=False),
    native=native.huber,
)


def _over_size(top: Node, size: Node) -> Node:
    """0 at δ = r = 0, where pseudo_huber is 0 in all of its second powers."""
    return linear.masked(not_equal(size, constant(0, size)), over(top, size))


def _excess(d: Node, r: Node) -> Node:
    """√(δ² + r²) − δ."""
    return _over_size(square(r), plus(hypot(d, r), d))


pseudo_huber: Op = special(
    "pseudo_huber",
    lambda y, d, r: _over_size(square(_excess(d, r)), hypot(d, r)),
    lambda y, d, r: _over_size(times(d, r), hypot(d, r)),
    label="pseudo_huber({0}, {1})",
    domain=Box(((0.5, 2), (-2, 2)), kinds="f"),
)


# ------------------------------------------------------------------------------------ Box–Cox


def _exponent_slope(logarithm: Node, k: Node) -> Node:
    """∂/∂λ of (e^(λ l) − 1)/λ = l exprel(λ l): l²/2 · 1F1(2; 3; λ l), which has no 0/0."""
    argument = times(k, logarithm)
    two, three = (full(v, part_dtype(argument.dtype), argument.shape) for v in (2, 3))
    return times(0.5, square(logarithm), hyp1f1(two, three, argument))


boxcox: Op = special(
    "boxcox",
    lambda y, x, k: exp(xlogy(minus(k, 1), x)),
    lambda y, x, k: _exponent_slope(log(x), k),
    label="boxcox({0}, {1})",
    domain=POSITIVE,
)
boxcox1p: Op = special(
    "boxcox1p",
    lambda y, x, k: exp(xlog1py(minus(k, 1), x)),
    lambda y, x, k: _exponent_slope(log1p(x), k),
    label="boxcox1p({0}, {1})",
    domain=POSITIVE,
)
inv_boxcox: Op = special(
    "inv_boxcox",
    lambda y, x, k: exp(xlogy(minus(1, k), y)),
    lambda y, x, k: negative(times(exp(xlogy(minus(1, k), y)), _exponent_slope(log(y), k))),
    label="boxcox⁻¹({0}, {1})",
    domain=Box(((0.1, 0.9), (-0.8, 0.8)), kinds="f"),
)
inv_boxcox1p: Op = special(
    "inv_boxcox1p",
    lambda y, x, k: exp(xlog1py(minus(1, k), y)),
    lambda y, x, k: negative(times(exp(xlog1py(minus(1, k), y)), _exponent_slope(log1p(y), k))),
    label="boxcox1p⁻¹({0}, {1})",
    domain=Box(((0.1, 0.9), (-0.8, 0.8)), kinds="f"),
)
