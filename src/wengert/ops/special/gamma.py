"""The gamma function and its kin; the zeta function of Hurwitz.

DLMF 5.2, 5.5 (reflection), 5.12 (beta), 5.15 (polygamma), 25.11 (zeta).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert import lazy
from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.graph.op import ZERO, Op, absent
from wengert.ops.arithmetic import negative
from wengert.ops.complex import real
from wengert.ops.domain import Box, Cases
from wengert.ops.elementary import cos, sin
from wengert.ops.logic import equal, less
from wengert.ops.selection import select
from wengert.ops.special.algebra import minus, plus, real_constant, times
from wengert.ops.special.ufunc import special, written

POSITIVE = Box(((0.5, 4),), kinds="f")
RIGHT = Box(((0.7, 3),))
PAIR = Box(((0.5, 3), (0.5, 3)), kinds="f")


# -------------------------------------------------------------------------------- polygamma

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
TERMS = 12
"""(q + 12)⁻¹⁶ is below the rounding error of the sum, for orders up to about 12."""


def _hurwitz(s: Any, q: Any) -> Any:
    """ζ(s, q) = Σ (q + k)⁻ˢ for complex q and whole s > 1, by Euler–Maclaurin (DLMF 25.11.28).

    Arguments on the left are moved right by the recurrence ζ(s, q) = q⁻ˢ + ζ(s, q + 1).
    """
    total = np.zeros(np.shape(q), np.complex128)
    steps = np.maximum(np.ceil(TERMS + s - q.real), 0)
    for k in range(int(np.max(steps, initial=0))):
        total = total + np.where(k < steps, (q + k) ** -s, 0)
    q = q + steps
    total = total + q ** (1 - s) / (s - 1) + q**-s / 2
    rising, power = s.astype(float), q ** (-s - 1)
    for j, number in enumerate(BERNOULLI, 1):
        total = total + number / math.factorial(2 * j) * rising * power
        rising = rising * (s + 2 * j - 1) * (s + 2 * j)
        power = power / q**2
    return total


def _polygamma(n: Any, x: Any) -> Any:
    """SciPy's for real x; (−1)ⁿ⁺¹ n! ζ(n + 1, x) (DLMF 5.15.1) for complex x."""
    module = lazy.module("scipy.special")
    if x.dtype.kind != "c":
        return module.polygamma(n, x)
    factor = (-1.0) ** (n + 1) * module.gamma(n + 1)
    return np.where(n == 0, module.psi(x), factor * _hurwitz(np.maximum(n, 1) + 1, x))


def _draw_polygamma(rng: np.random.Generator, dtype: Any) -> Any:
    x = rng.uniform(1, 3, 4)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.uniform(-2, 2, 4)
    yield [np.array([0, 1, 2, 4], np.int8), x.astype(dtype)], ()


ORDER = absent("the order of a polygamma function must be constant: it has no derivative by it")

polygamma: Op = written(
    "polygamma",
    _polygamma,
    ORDER,
    lambda y, n, x: polygamma(plus(n, 1), x),
    label="ψ⁽{0}⁾({1})",
    domain=Cases(_draw_polygamma),
    real=1,
)
digamma: Op = special(
    "psi", lambda y, x: polygamma(real_constant(1, x), x), label="ψ({0})", domain=RIGHT
)


def _zeta(s: Any, q: Any) -> Any:
    return lazy.module("scipy.special").zeta(s, q)


def _draw_zeta(rng: np.random.Generator, dtype: Any) -> Any:
    yield [np.array([2, 3, 5], np.int8), rng.uniform(0.8, 3, 3).astype(dtype)], ()


zeta: Op = written(
    "zeta",
    _zeta,
    absent("the derivative of zeta(x, q) by x has no closed form; by q it has one"),
    lambda y, s, q: negative(times(s, zeta(plus(s, 1), q))),
    label="ζ({0}, {1})",
    domain=Cases(_draw_zeta, kinds="f"),
)

# ------------------------------------------------------------------------------------ gamma

gamma: Op = special("gamma", lambda y, x: times(y, digamma(x)), label="Γ({0})", domain=RIGHT)
gammaln: Op = special("gammaln", lambda y, x: digamma(x), label="log Γ({0})", domain=POSITIVE)
loggamma: Op = special("loggamma", lambda y, x: digamma(x), label="log Γ({0})", domain=RIGHT)
gammasgn: Op = special(
    "gammasgn",
    ZERO,
    label="sgn Γ({0})",
    domain=Box(((-3, 3),), kinds="f", smooth=False),
)


def reciprocal_slope(y: Node, x: Node) -> Node:
    """(1/Γ)' = −ψ/Γ, and left of ½ by the reflection 1/Γ(x) = Γ(1 − x) sin(πx)/π, since 1/Γ is
    smooth where ψ has poles: Γ(1 − x) (cos πx − ψ(1 − x) sin(πx)/π)."""
    angle, mirrored = times(math.pi, x), minus(1, x)
    sine = times(1 / math.pi, sin(angle), digamma(mirrored))
    reflected = times(gamma(mirrored), minus(cos(angle), sine))
    direct = negative(times(y, digamma(x)))
    left = less(real(x), real_constant(0.5, x))
    return select(left, reflected, direct)


rgamma: Op = special("rgamma", reciprocal_slope, label="1/Γ({0})", domain=Box(((-2.7, 3),)))

# Γ(a + m)/Γ(a)
poch: Op = special(
    "poch",
    lambda y, a, m: times(y, minus(digamma(plus(a, m)), digamma(a))),
    lambda y, a, m: times(y, digamma(plus(a, m))),
    label="({0})_{1}",
    domain=PAIR,
)
beta: Op = special(
    "beta",
    lambda y, a, b: times(y, minus(digamma(a), digamma(plus(a, b)))),
    lambda y, a, b: times(y, minus(digamma(b), digamma(plus(a, b)))),
    label="B({0}, {1})",
    domain=PAIR,
)
betaln: Op = special(
    "betaln",
    lambda y, a, b: minus(digamma(a), digamma(plus(a, b))),
    lambda y, a, b: minus(digamma(b), digamma(plus(a, b))),
    label="log B({0}, {1})",
    domain=PAIR,
)


def _binom_slope(y: Node, by_psi: Node, by_reciprocals: Node) -> Node:
    """y ψ-difference, and where y = 0 a formula in 1/Γ, which has no poles there."""
    return select(equal(y, constant(0, y)), by_reciprocals, times(y, by_psi))


def _binom_by_n(y: Node, n: Node, k: Node) -> Node:
    rest = plus(minus(n, k), 1)
    slope = reciprocal_slope(rgamma(rest), rest)
    zero = times(gamma(plus(n, 1)), rgamma(plus(k, 1)), slope)
    zero = plus(zero, times(y, digamma(plus(n, 1))))  # 0 there, but its derivative is not
    return _binom_slope(y, minus(digamma(plus(n, 1)), digamma(rest)), zero)


def _binom_by_k(y: Node, n: Node, k: Node) -> Node:
    rest, above = plus(minus(n, k), 1), plus(k, 1)
    one, other = rgamma(above), rgamma(rest)
    by_above = times(other, reciprocal_slope(one, above))
    by_rest = times(one, reciprocal_slope(other, rest))
    zero = times(gamma(plus(n, 1)), minus(by_above, by_rest))
    return _binom_slope(y, minus(digamma(rest), digamma(above)), zero)


binom: Op = special(
    "binom",
    _binom_by_n,
    _binom_by_k,
    label="binom({0}, {1})",
    domain=Box(((2.2, 4), (0.3, 2)), kinds="f"),
)
