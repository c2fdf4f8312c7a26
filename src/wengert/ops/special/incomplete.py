"""The incomplete gamma and beta functions, their inverses, by all of their arguments.

    ∂P/∂a = (log x − ψ(a + 1)) P(a, x) − L₁(a, x)       x below about a + ½
          = −(log x − ψ(a)) Q(a, x) − U₁(a, x)          above

and likewise for I_x(a, b), in which the two terms have one sign each time, so that they do not
cancel. The integrals L, U and B (`wengert.ops.special.integrals`) are records themselves, whose
derivatives are integrals of the next order: so there are derivatives of every order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.graph.op import Op, absent
from wengert.ops.arithmetic import negative
from wengert.ops.domain import Box, Cases
from wengert.ops.elementary import log1p
from wengert.ops.logic import equal, less
from wengert.ops.powers import log
from wengert.ops.selection import select
from wengert.ops.special import integrals
from wengert.ops.special.algebra import minus, over, plus, times
from wengert.ops.special.gamma import digamma
from wengert.ops.special.logistic import xlog1py, xlogy
from wengert.ops.special.ufunc import special, written

SHAPE = Box(((0.6, 3), (0.3, 4)), kinds="f")
UNIT = Box(((0.6, 3), (0.6, 3), (0.1, 0.9)), kinds="f")
POWER = absent("the power of the logarithm in these integrals is a constant")

# -------------------------------------------------------------------------------- densities

# f′ = f(a − 1) − f(a), which has no 0/0 at x = 0
gamma_density: Op = written(
    "gamma_density",
    integrals.gamma_density,
    lambda y, a, x: minus(xlogy(y, x), times(y, digamma(a))),
    lambda y, a, x: minus(gamma_density(minus(a, 1), x), y),
    label="{1}^({0}−1) e^−{1}/Γ({0})",
    domain=Box(((1.2, 3), (0.3, 4)), kinds="f"),
)

# x′: (a + b − 1) (f(a − 1, b) − f(a, b − 1))
beta_density: Op = written(
    "beta_density",
    lambda a, b, x: integrals.beta_density(a, b, x, 1 - x),
    lambda y, a, b, x: plus(xlogy(y, x), times(y, minus(digamma(plus(a, b)), digamma(a)))),
    lambda y, a, b, x: plus(
        xlog1py(y, negative(x)), times(y, minus(digamma(plus(a, b)), digamma(b)))
    ),
    lambda y, a, b, x: times(
        minus(plus(a, b), 1),
        minus(beta_density(minus(a, 1), b, x), beta_density(a, minus(b, 1), x)),
    ),
    label="{2}^({0}−1) (1−{2})^({1}−1)/B({0}, {1})",
    domain=Box(((1.2, 3), (1.2, 3), (0.1, 0.9)), kinds="f"),
)

# -------------------------------------------------------------------------------- integrals


def _cases(*intervals: tuple[float, float], orders: int = 1) -> Cases:
    """Arguments in intervals, after whole powers of which one is not 0."""

    def draw(rng: np.random.Generator, dtype: Any) -> Any:
        powers = [np.array([1, 2, 1 + k], np.int8) for k in range(orders)]
        if orders == 2:
            powers = [np.array([1, 0, 1], np.int8), np.array([0, 1, 1], np.int8)]
        yield [*powers, *(rng.uniform(*i, 3).astype(dtype) for i in intervals)], ()

    return Cases(draw, "f")


def _by_bound(at_zero: Node, *terms: tuple[Node, Node, Node]) -> Node:
    """The derivative by the bound x: the sum of power · (integral of one power less)/x, and what
    stands under the integral where all powers are 0."""
    powers = [power for power, _, _ in terms]
    total = plus(*[over(times(power, lower), x) for power, lower, x in terms])
    zero = constant(0, powers[0])
    return select(equal(plus(*powers), zero), at_zero, total)


gamma_below: Op = written(
    "gamma_below",
    integrals.gamma_below,
    POWER,
    lambda y, k, a, x: minus(
        times(y, minus(log(x), digamma(plus(a, 1)))), gamma_below(plus(k, 1), a, x)
    ),
    lambda y, k, a, x: _by_bound(
        gamma_density(plus(a, 1), x), (k, gamma_below(minus(k, 1), a, x), x)
    ),
    label="L_{0}({1}, {2})",
    domain=_cases((1.5, 3), (0.5, 1.5)),
)
gamma_above: Op = written(
    "gamma_above",
    integrals.gamma_above,
    POWER,
    lambda y, k, a, x: plus(times(y, minus(log(x), digamma(a))), gamma_above(plus(k, 1), a, x)),
    lambda y, k, a, x: negative(
        _by_bound(gamma_density(a, x), (k, gamma_above(minus(k, 1), a, x), x))
    ),
    label="U_{0}({1}, {2})",
    domain=_cases((0.6, 2), (2, 4)),
)
beta_below: Op = written(
    "beta_below",
    lambda j, k, a, b, x: integrals.beta_below(j, k, a, b, x, 1 - x),
    POWER,
    POWER,
    lambda y, j, k, a, b, x: minus(
        times(y, plus(log(x), minus(digamma(plus(a, b)), digamma(a)))),
        beta_below(plus(j, 1), k, a, b, x),
    ),
    lambda y, j, k, a, b, x: plus(
        times(y, plus(log1p(negative(x)), minus(digamma(plus(a, b)), digamma(b)))),
        beta_below(j, plus(k, 1), a, b, x),
    ),
    lambda y, j, k, a, b, x: _by_bound(
        beta_density(a, b, x),
        (j, beta_below(minus(j, 1), k, a, b, x), x),
        (k, beta_below(j, minus(k, 1), a, b, x), minus(1, x)),
    ),
    label="B_{0}{1}({2}, {3}, {4})",
    domain=_cases((1.5, 3), (0.6, 2), (0.2, 0.5), orders=2),
)
# B_jk of what lies above x
beta_above: Op = written(
    "beta_above",
    lambda j, k, a, b, x: integrals.beta_below(k, j, b, a, 1 - x, x),
    POWER,
    POWER,
    lambda y, j, k, a, b, x: plus(
        times(y, plus(log(x), minus(digamma(plus(a, b)), digamma(a)))),
        beta_above(plus(j, 1), k, a, b, x),
    ),
    lambda y, j, k, a, b, x: minus(
        times(y, plus(log1p(negative(x)), minus(digamma(plus(a, b)), digamma(b)))),
        beta_above(j, plus(k, 1), a, b, x),
    ),
    lambda y, j, k, a, b, x: negative(
        _by_bound(
            beta_density(a, b, x),
            (j, beta_above(minus(j, 1), k, a, b, x), x),
            (k, beta_above(j, minus(k, 1), a, b, x), minus(1, x)),
        )
    ),
    label="B̄_{0}{1}({2}, {3}, {4})",
    domain=_cases((0.6, 2), (1.5, 3), (0.5, 0.8), orders=2),
)


# ----------------------------------------------------------------------- incomplete gamma


def gammainc_by_a(a: Node, x: Node) -> Node:
    """∂P(a, x)/∂a."""
    p, q, one = gammainc(a, x), gammaincc(a, x), constant(1, x)
    below = minus(xlogy(p, x), plus(times(p, digamma(plus(a, 1))), gamma_below(one, a, x)))
    above = plus(minus(xlogy(q, x), times(q, digamma(a))), gamma_above(one, a, x))
    return select(less(x, plus(a, 0.5)), below, negative(above))


gammainc: Op = special(
    "gammainc",
    lambda y, a, x: gammainc_by_a(a, x),
    lambda y, a, x: gamma_density(a, x),
    label="P({0}, {1})",
    domain=SHAPE,
)
gammaincc: Op = special(
    "gammaincc",
    lambda y, a, x: negative(gammainc_by_a(a, x)),
    lambda y, a, x: negative(gamma_density(a, x)),
    label="Q({0}, {1})",
    domain=SHAPE,
)
# P(a, y) = p: the derivatives of an implicit function
gammaincinv: Op = special(
    "gammaincinv",
    lambda y, a, p: negative(over(gammainc_by_a(a, y), gamma_density(a, y))),
    lambda y, a, p: over(1, gamma_density(a, y)),
    label="P⁻¹({0}, {1})",
    domain=Box(((0.8, 3), (0.2, 0.8)), kinds="f"),
)
gammainccinv: Op = special(
    "gammainccinv",
    lambda y, a, q: negative(over(gammainc_by_a(a, y), gamma_density(a, y))),
    lambda y, a, q: over(-1, gamma_density(a, y)),
    label="Q⁻¹({0}, {1})",
    domain=Box(((0.8, 3), (0.2, 0.8)), kinds="f"),
)

# ------------------------------------------------------------------------ incomplete beta


def _betainc_slope(a: Node, b: Node, x: Node, by_a: bool) -> Node:
    """∂I_x(a, b)/∂a or ∂b."""
    rest = minus(digamma(plus(a, b)), digamma(a if by_a else b))
    one, zero = constant(1, x), constant(0, x)
    powers = (one, zero) if by_a else (zero, one)
    integral, other = beta_below(*powers, a, b, x), beta_above(*powers, a, b, x)

    def with_logarithm(part: Node) -> Node:
        own = xlogy(part, x) if by_a else xlog1py(part, negative(x))
        return plus(own, times(part, rest))

    below, above = with_logarithm(betainc(a, b, x)), with_logarithm(betaincc(a, b, x))
    if by_a:
        below, above = minus(below, integral), plus(above, other)
    else:
        below, above = plus(below, integral), minus(above, other)
    return select(less(times(plus(a, b), x), a), below, negative(above))


def betainc_by_a(a: Node, b: Node, x: Node) -> Node:
    """∂I_x(a, b)/∂a."""
    return _betainc_slope(a, b, x, True)


def betainc_by_b(a: Node, b: Node, x: Node) -> Node:
    """∂I_x(a, b)/∂b."""
    return _betainc_slope(a, b, x, False)


betainc: Op = special(
    "betainc",
    lambda y, a, b, x: betainc_by_a(a, b, x),
    lambda y, a, b, x: betainc_by_b(a, b, x),
    lambda y, a, b, x: beta_density(a, b, x),
    label="I_{2}({0}, {1})",
    domain=UNIT,
)
betaincc: Op = special(
    "betaincc",
    lambda y, a, b, x: negative(betainc_by_a(a, b, x)),
    lambda y, a, b, x: negative(betainc_by_b(a, b, x)),
    lambda y, a, b, x: negative(beta_density(a, b, x)),
    label="1 − I_{2}({0}, {1})",
    domain=UNIT,
)
betaincinv: Op = special(
    "betaincinv",
    lambda y, a, b, p: negative(over(betainc_by_a(a, b, y), beta_density(a, b, y))),
    lambda y, a, b, p: negative(over(betainc_by_b(a, b, y), beta_density(a, b, y))),
    lambda y, a, b, p: over(1, beta_density(a, b, y)),
    label="I⁻¹({0}, {1}, {2})",
    domain=Box(((0.8, 3), (0.8, 3), (0.2, 0.8)), kinds="f"),
)
betainccinv: Op = special(
    "betainccinv",
    lambda y, a, b, q: negative(over(betainc_by_a(a, b, y), beta_density(a, b, y))),
    lambda y, a, b, q: negative(over(betainc_by_b(a, b, y), beta_density(a, b, y))),
    lambda y, a, b, q: over(-1, beta_density(a, b, y)),
    label="(1 − I)⁻¹({0}, {1}, {2})",
    domain=Box(((0.8, 3), (0.8, 3), (0.2, 0.8)), kinds="f"),
)
