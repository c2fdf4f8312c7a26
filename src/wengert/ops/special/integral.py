"""Functions that are integrals, or solve a short equation: exponential integrals, Spence's
function, Struve's, Kelvin's, Lambert's and Wright's.

The derivative of an integral by its bound is what stands under it (DLMF 6.2, 8.19.13, 11.4, 4.13).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert import lazy
from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.graph.op import Op, absent
from wengert.ops.arithmetic import negative
from wengert.ops.complex import absolute, join, part_dtype, real
from wengert.ops.domain import Box, Cases
from wengert.ops.elementary import exp
from wengert.ops.logic import equal, less
from wengert.ops.powers import log, power, square
from wengert.ops.selection import maximum, select
from wengert.ops.special.algebra import minus, over, plus, times
from wengert.ops.special.elementary import hyp2f1
from wengert.ops.special.error import ROOT_TWO_PI, erf, wofz
from wengert.ops.special.gamma import rgamma
from wengert.ops.special.ufunc import special, written

RIGHT = Box(((0.5, 3),))
REAL = Box(((0.5, 3),), kinds="f")
ORDER = absent("the order of this function must be constant: it has no derivative by it")


def _draw_order(low: float, high: float, orders: Any = (0, 1, 2, 3)) -> Cases:
    def draw(rng: np.random.Generator, dtype: Any) -> Any:
        yield [np.array(orders, np.int8), rng.uniform(low, high, 4).astype(dtype)], ()

    return Cases(draw, "f")


# ------------------------------------------------------------------------------- exponential

exp1: Op = special(
    "exp1", lambda y, x: negative(over(exp(negative(x)), x)), label="E₁({0})", domain=RIGHT
)
expi: Op = special("expi", lambda y, x: over(exp(x), x), label="Ei({0})", domain=RIGHT)


def _expn_slope(y: Node, n: Node, x: Node) -> Node:
    """−E_{n−1}, and of E₀ = e^(−x)/x its own."""
    decay = exp(negative(x))
    lower = expn(maximum(minus(n, 1), constant(0, n)), x)
    of_zero = plus(over(decay, x), over(decay, square(x)))
    return negative(select(equal(n, constant(0, n)), of_zero, lower))


expn: Op = special("expn", ORDER, _expn_slope, label="E_{0}({1})", domain=_draw_order(0.5, 3))


def _spence_slope(y: Node, z: Node) -> Node:
    """log z/(1 − z); near z = 1, −2F1(1, 1; 2; 1 − z)."""
    rest = minus(1, z)
    one, two = (full(v, part_dtype(z.dtype), z.shape) for v in (1, 2))
    near = negative(hyp2f1(one, one, two, rest))
    return select(less(absolute(rest), full(0.5, one.dtype, z.shape)), near, over(log(z), rest))


spence: Op = special("spence", _spence_slope, label="Li₂(1 − {0})", domain=Box(((0.6, 2.5),)))

# ------------------------------------------------------------------------------------ Struve


def _struve_slope(op: Any, sign: float) -> Any:
    """H′ = ½ (H₋ − H₊ + (x/2)^v/(√π Γ(v + 3/2))), and L′ with + H₊ (DLMF 11.4.25-26)."""

    def partial(y: Node, v: Node, x: Node) -> Node:
        lower, upper = op()(minus(v, 1), x), op()(plus(v, 1), x)
        rest = times(power(times(0.5, x), v), rgamma(plus(v, 1.5)), 1 / math.sqrt(math.pi))
        return times(0.5, plus(lower, times(sign, upper), rest))

    return partial


struve: Op = special(
    "struve",
    ORDER,
    _struve_slope(lambda: struve, -1),
    label="H_{0}({1})",
    domain=_draw_order(0.5, 3),
)
modstruve: Op = special(
    "modstruve",
    ORDER,
    _struve_slope(lambda: modstruve, 1),
    label="L_{0}({1})",
    domain=_draw_order(0.5, 3),
)
itstruve0: Op = special(
    "itstruve0", lambda y, x: struve(constant(0, x), x), label="∫H₀({0})", domain=REAL
)
it2struve0: Op = special(
    "it2struve0",
    lambda y, x: negative(over(struve(constant(0, x), x), x)),
    label="∫H₀/t({0})",
    domain=REAL,
)
itmodstruve0: Op = special(
    "itmodstruve0", lambda y, x: modstruve(constant(0, x), x), label="∫L₀({0})", domain=REAL
)


def _draw_besselpoly(rng: np.random.Generator, dtype: Any) -> Any:
    a = rng.uniform(0.5, 2, 3).astype(dtype)
    yield [a, np.array([1, 2, 1], np.int8), np.array([0, 1, 2], np.int8)], ()


# ∫₀¹ x^λ J_v(2 a x) dx, in which 2 x J_v′ = x (J_{v−1} − J_{v+1})
besselpoly: Op = special(
    "besselpoly",
    lambda y, a, k, v: minus(
        besselpoly(a, plus(k, 1), minus(v, 1)), besselpoly(a, plus(k, 1), plus(v, 1))
    ),
    ORDER,
    ORDER,
    label="∫x^{1} J_{2}(2 {0} x)",
    domain=Cases(_draw_besselpoly, "f"),
)

# ------------------------------------------------------------------------------------ Kelvin


def _kelvin(letter: str) -> None:
    """w = ber + i bei and ker + i kei: x w″ + w′ = i x w (DLMF 10.61.3); w″(0) = i w(0)/2."""
    real_part, imaginary = f"{letter}er", f"{letter}ei"
    ops: dict[str, Op] = {}

    def second(first: str, factor: float, other: str) -> Any:
        def partial(y: Node, x: Node) -> Node:
            w = times(factor, ops[other](x))
            at_zero = equal(x, constant(0, x))
            return select(at_zero, times(0.5, w), minus(w, over(y, x)))

        return partial

    for name, factor, other in ((real_part, -1.0, imaginary), (imaginary, 1.0, real_part)):
        prime = f"{name}p"
        ops[name] = special(
            name, lambda y, x, p=prime: ops[p](x), label=f"{name} {{0}}", domain=REAL
        )
        ops[prime] = special(
            prime, second(name, factor, other), label=f"{name}′ {{0}}", domain=REAL
        )


_kelvin("b")
_kelvin("k")

# ------------------------------------------------------------------- equations, distributions

# ω + log ω = z
wrightomega: Op = special(
    "wrightomega", lambda y, z: over(y, plus(1, y)), label="ω({0})", domain=Box(((-1, 2),))
)


def _lambert(z: Any, k: Any) -> Any:
    return lazy.module("scipy.special").lambertw(z, k.real.astype(int))


def _draw_lambert(rng: np.random.Generator, dtype: Any) -> Any:
    z = rng.uniform(0.5, 2, 3) + 1j * rng.uniform(-1, 1, 3)
    yield [z.astype(dtype), np.array([0, 1, -1], np.int8)], ()


# w e^w = z
lambertw: Op = written(
    "lambertw",
    _lambert,
    lambda y, z, k: over(exp(negative(y)), plus(1, y)),
    absent("the branch of lambertw is an integer"),
    label="W({0})",
    domain=Cases(_draw_lambert, "c"),
)
# T(h, a) = 1/2π ∫₀ᵃ e^(−h²(1 + t²)/2)/(1 + t²) dt
owens_t: Op = special(
    "owens_t",
    lambda y, h, a: times(
        -0.5 / ROOT_TWO_PI,
        exp(times(-0.5, square(h))),
        erf(times(math.sqrt(0.5), a, h)),
    ),
    lambda y, h, a: over(
        times(1 / (2 * math.pi), exp(times(-0.5, square(h), plus(1, square(a))))),
        plus(1, square(a)),
    ),
    label="T({0}, {1})",
    domain=Box(((-2, 2), (-2, 2)), kinds="f"),
)


def _voigt(index: int) -> Any:
    """Re w(ζ)/(σ √2π) with ζ = (x + iγ)/(σ √2), by x, σ, γ."""

    def partial(y: Node, x: Node, s: Node, g: Node) -> Node:
        unit = times(math.sqrt(2), s)
        z = join(over(x, unit), over(g, unit))
        slope = plus(times(-2, z, wofz(z)), 2j / math.sqrt(math.pi))
        if index == 1:
            return negative(over(plus(y, over(real(times(slope, z)), times(ROOT_TWO_PI, s))), s))
        turned = real(slope if index == 0 else times(1j, slope))
        return over(turned, times(2 * math.sqrt(math.pi), square(s)))

    return partial


voigt_profile: Op = special(
    "voigt_profile",
    *[_voigt(k) for k in range(3)],
    label="voigt({0}, {1}, {2})",
    domain=Box(((-2, 2), (0.5, 2), (0.5, 2)), kinds="f"),
)
# Tukey's lambda, whose quantile is (pˡ − (1 − p)ˡ)/l
tklmbda: Op = special(
    "tklmbda",
    lambda y, x, k: over(1, plus(power(y, minus(k, 1)), power(minus(1, y), minus(k, 1)))),
    absent("the derivative of tklmbda by its shape has no closed form"),
    label="F({0}; {1})",
    domain=Cases(
        lambda rng, d: iter(
            [([rng.uniform(-0.5, 0.5, 3).astype(d), np.int8(1) + np.zeros(3, np.int8)], ())]
        ),
        "f",
    ),
)
