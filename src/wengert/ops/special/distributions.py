"""Distribution functions of statistics, which are incomplete gamma and beta functions of other
arguments, and their inverses: implicit functions, whose derivatives are quotients.

The derivatives by counts, which SciPy rounds down, are zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.graph.op import ZERO, Op, absent
from wengert.ops.arithmetic import convert, negative
from wengert.ops.complex import sign
from wengert.ops.domain import Cases
from wengert.ops.elementary import exp, log1p
from wengert.ops.powers import log, square
from wengert.ops.rounding import floor
from wengert.ops.special.algebra import minus, over, plus, times
from wengert.ops.special.error import ROOT_TWO_PI, ndtri
from wengert.ops.special.gamma import betaln
from wengert.ops.special.incomplete import (
    beta_density,
    betainc_by_a,
    betainc_by_b,
    gamma_density,
    gammainc_by_a,
)
from wengert.ops.special.ufunc import special


def _draw(*columns: Any) -> Cases:
    """Whole numbers in the columns that are lists, and what lies in the intervals that are not."""

    def draw(rng: np.random.Generator, dtype: Any) -> Any:
        size = 3 if any(isinstance(c, list) for c in columns) else 2
        yield (
            [
                np.array(c) if isinstance(c, list) else rng.uniform(c[0], c[1], size).astype(dtype)
                for c in columns
            ],
            (),
        )

    return Cases(draw, "f")


PAIR = _draw((0.8, 3), (0.5, 3))
TRIPLE = _draw((0.8, 3), (0.8, 3), (0.4, 3))
COUNT = absent("the number of trials of this distribution must be constant")


def _minus(slopes: Any) -> Any:
    """The same derivatives with the other sign."""
    return [lambda *nodes, s=s: negative(s(*nodes)) for s in slopes]


def _inverse(slopes: Any, of: int, sense: int = 1) -> Any:
    """The derivatives of an inverse: of the argument at `of`, where F(…) = ± p stands in its place.

    slopes: those of F, functions of F's arguments.
    """

    def partial(k: int) -> Any:
        def rule(y: Node, *args: Node) -> Node:
            point = [y if i == of else arg for i, arg in enumerate(args)]
            by_result = slopes[of](*point)
            if k == of:
                return over(float(sense), by_result)
            return negative(over(slopes[k](*point), by_result))

        return rule

    return [partial(k) for k in range(len(slopes))]


def _of(slopes: Any) -> Any:
    """Slopes as partials, which get the result first."""
    return [lambda y, *args, s=s: s(*args) for s in slopes]


# -------------------------------------------------------------- gamma, chi-square, Poisson


def _gdtr_by_shape(a: Node, b: Node, x: Node) -> Node:
    return gammainc_by_a(b, times(a, x))


# P(b, a x)
GDTR = (
    lambda a, b, x: times(x, gamma_density(b, times(a, x))),
    _gdtr_by_shape,
    lambda a, b, x: times(a, gamma_density(b, times(a, x))),
)
gdtr: Op = special("gdtr", *_of(GDTR), label="gdtr({0}, {1}, {2})", domain=TRIPLE)
gdtrc: Op = special("gdtrc", *_of(_minus(GDTR)), label="gdtrc({0}, {1}, {2})", domain=TRIPLE)

# P(v/2, x/2)
CHDTR = (
    lambda v, x: times(0.5, gammainc_by_a(times(0.5, v), times(0.5, x))),
    lambda v, x: times(0.5, gamma_density(times(0.5, v), times(0.5, x))),
)
chdtr: Op = special("chdtr", *_of(CHDTR), label="χ²({0}, {1})", domain=PAIR)
chdtrc: Op = special("chdtrc", *_of(_minus(CHDTR)), label="1 − χ²({0}, {1})", domain=PAIR)
QUANTILE = _draw((0.8, 3), (0.2, 0.8))
chdtri: Op = special("chdtri", *_inverse(CHDTR, 1, -1), label="χ²⁻¹({0}, {1})", domain=QUANTILE)


def _poisson(sense: float) -> Any:
    """Q(⌊k⌋ + 1, m) and P."""
    return lambda y, k, m: times(sense, gamma_density(plus(floor(k), 1), m))


pdtr: Op = special(
    "pdtr",
    ZERO,
    _poisson(-1),
    label="Poisson({0}, {1})",
    domain=_draw([0, 1, 3], (0.5, 3)),
)
pdtrc: Op = special(
    "pdtrc",
    ZERO,
    _poisson(1),
    label="1 − Poisson({0}, {1})",
    domain=_draw([0, 1, 3], (0.5, 3)),
)
# Q(⌊k⌋ + 1, m) = p
pdtri: Op = special(
    "pdtri",
    ZERO,
    lambda y, k, p: over(-1, gamma_density(plus(floor(convert(k, y.dtype)), 1), y)),
    label="Poisson⁻¹({0}, {1})",
    domain=_draw([0, 1, 3], (0.2, 0.8)),
)

# ----------------------------------------------------------------- beta: F, t, the binomials


def _f_point(n: Node, d: Node, x: Node) -> tuple[Node, Node, Node]:
    """I of n x/(d + n x), with n/2 and d/2."""
    top = times(n, x)
    return times(0.5, n), times(0.5, d), over(top, plus(d, top))


def _f_by_n(n: Node, d: Node, x: Node) -> Node:
    point = _f_point(n, d, x)
    inner = over(times(x, d), square(plus(d, times(n, x))))
    return plus(times(0.5, betainc_by_a(*point)), times(beta_density(*point), inner))


def _f_by_d(n: Node, d: Node, x: Node) -> Node:
    point = _f_point(n, d, x)
    inner = over(times(n, x), square(plus(d, times(n, x))))
    return minus(times(0.5, betainc_by_b(*point)), times(beta_density(*point), inner))


def _f_by_x(n: Node, d: Node, x: Node) -> Node:
    inner = over(times(n, d), square(plus(d, times(n, x))))
    return times(beta_density(*_f_point(n, d, x)), inner)


FDTR = (_f_by_n, _f_by_d, _f_by_x)
fdtr: Op = special("fdtr", *_of(FDTR), label="F({0}, {1}, {2})", domain=TRIPLE)
fdtrc: Op = special("fdtrc", *_of(_minus(FDTR)), label="1 − F({0}, {1}, {2})", domain=TRIPLE)
fdtri: Op = special(
    "fdtri",
    *_inverse(FDTR, 2),
    label="F⁻¹({0}, {1}, {2})",
    domain=_draw((1, 3), (1.5, 3), (0.3, 0.7)),
)


def _t_density(v: Node, t: Node) -> Node:
    """(1 + t²/v)^(−(v + 1)/2)/(√v B(½, v/2))."""
    power = times(-0.5, plus(v, 1), log1p(over(square(t), v)))
    scale = plus(betaln(constant(0.5, v), times(0.5, v)), times(0.5, log(v)))
    return exp(minus(power, scale))


def _t_by_df(v: Node, t: Node) -> Node:
    """F = ½ + ½ I_w(½, v/2) for t > 0, with w = t²/(v + t²), and mirrored for t < 0; the density
    of w by dw/dv is −2 f(t) t/v."""
    half = constant(0.5, v)
    w = over(square(t), plus(v, square(t)))
    by_shape = times(0.25, sign(t), betainc_by_b(half, times(0.5, v), w))
    return minus(by_shape, times(0.5, _t_density(v, t), over(t, v)))


STDTR = (_t_by_df, _t_density)
T = _draw((1.2, 4), (-2, 2))
stdtr: Op = special("stdtr", *_of(STDTR), label="t({0}, {1})", domain=T)
stdtrit: Op = special(
    "stdtrit",
    *_inverse(STDTR, 1),
    label="t⁻¹({0}, {1})",
    domain=_draw((1.2, 4), (0.2, 0.8)),
)


# --------------------------------------------------------------------------------- binomials


def _successes(k: Node, n: Node, p: Node) -> tuple[Node, Node, Node]:
    """The arguments of 1 − I_p(k + 1, n − k)."""
    return plus(k, 1), minus(n, k), p


def _failures(k: Node, n: Node, p: Node) -> tuple[Node, Node, Node]:
    """The arguments of I_p(n, k + 1)."""
    return n, plus(k, 1), p


def _by_probability(point: Any, sense: float, inverse: bool = False) -> Any:
    def partial(y: Node, k: Node, n: Node, p: Node) -> Node:
        k, n = floor(convert(k, y.dtype)), convert(n, y.dtype)
        slope = times(sense, beta_density(*point(k, n, y if inverse else p)))
        return over(1, slope) if inverse else slope

    return partial


CHANCE = _draw([0, 1, 2], [3, 4, 6], (0.2, 0.8))
for _name, _point, _sense, _label in (
    ("bdtr", _successes, -1.0, "binomial"),
    ("bdtrc", _successes, 1.0, "1 − binomial"),
    ("nbdtr", _failures, 1.0, "negative binomial"),
    ("nbdtrc", _failures, -1.0, "1 − negative binomial"),
):
    special(
        _name,
        ZERO,
        COUNT,
        _by_probability(_point, _sense),
        label=f"{_label}({{0}}, {{1}}, {{2}})",
        domain=CHANCE,
    )
bdtri: Op = special(
    "bdtri",
    ZERO,
    COUNT,
    _by_probability(_successes, -1.0, inverse=True),
    label="binomial⁻¹({0}, {1}, {2})",
    domain=CHANCE,
)
nbdtri: Op = special(
    "nbdtri",
    ZERO,
    COUNT,
    _by_probability(_failures, 1.0, inverse=True),
    label="negative binomial⁻¹({0}, {1}, {2})",
    domain=CHANCE,
)

# ------------------------------------------------------ inverses by a parameter, as if continuous

BETA = (betainc_by_a, betainc_by_b, beta_density)
POISSON = (
    lambda k, m: negative(gammainc_by_a(plus(k, 1), m)),
    lambda k, m: negative(gamma_density(plus(k, 1), m)),
)
BINOMIAL = (
    lambda k, n, p: minus(betainc_by_b(*_successes(k, n, p)), betainc_by_a(*_successes(k, n, p))),
    lambda k, n, p: negative(betainc_by_b(*_successes(k, n, p))),
    lambda k, n, p: negative(beta_density(*_successes(k, n, p))),
)
NEGATIVE_BINOMIAL = (
    lambda k, n, p: betainc_by_b(*_failures(k, n, p)),
    lambda k, n, p: betainc_by_a(*_failures(k, n, p)),
    lambda k, n, p: beta_density(*_failures(k, n, p)),
)
P = (0.3, 0.7)
"""Probabilities that are drawn."""


def _inverse_by_parameter(
    name: str, slopes: Any, of: int, label: str, *intervals: tuple[float, float]
) -> Op:
    """F(…) = p, of which the argument at `of` is the result, and p stands in its place."""
    drawn = (*intervals[:of], P, *intervals[of:])
    return special(name, *_inverse(slopes, of), label=label, domain=_draw(*drawn))


gdtria = _inverse_by_parameter("gdtria", GDTR, 0, "gdtr⁻¹(·, {1}, {2})", (0.8, 3), (0.5, 2))
gdtrib = _inverse_by_parameter("gdtrib", GDTR, 1, "gdtr⁻¹({0}, ·, {2})", (0.8, 2), (1, 2))
gdtrix = _inverse_by_parameter("gdtrix", GDTR, 2, "gdtr⁻¹({0}, {1}, ·)", (0.8, 2), (0.8, 3))
chdtriv = _inverse_by_parameter("chdtriv", CHDTR, 0, "χ²⁻¹(·, {1})", (1, 3))
btdtria = _inverse_by_parameter("btdtria", BETA, 0, "I⁻¹(·, {1}, {2})", (0.8, 3), (0.3, 0.6))
btdtrib = _inverse_by_parameter("btdtrib", BETA, 1, "I⁻¹({0}, ·, {2})", (0.8, 3), (0.3, 0.6))
fdtridfd = _inverse_by_parameter("fdtridfd", FDTR, 1, "F⁻¹({0}, ·, {2})", (1, 3), (1, 1.5))
stdtridf: Op = special(
    "stdtridf",
    *_inverse(STDTR, 0),
    label="t⁻¹(·, {1})",
    domain=_draw((0.74, 0.8), (2, 3)),
)
pdtrik = _inverse_by_parameter("pdtrik", POISSON, 0, "Poisson⁻¹(·, {1})", (2, 4))
bdtrik = _inverse_by_parameter("bdtrik", BINOMIAL, 0, "binomial⁻¹(·, {1}, {2})", (6, 9), (0.4, 0.6))
bdtrin = _inverse_by_parameter("bdtrin", BINOMIAL, 1, "binomial⁻¹({0}, ·, {2})", (2, 3), (0.4, 0.6))
nbdtrik = _inverse_by_parameter(
    "nbdtrik", NEGATIVE_BINOMIAL, 0, "negative binomial⁻¹(·, {1}, {2})", (3, 5), (0.3, 0.5)
)
nbdtrin = _inverse_by_parameter(
    "nbdtrin", NEGATIVE_BINOMIAL, 1, "negative binomial⁻¹({0}, ·, {2})", (3, 5), (0.3, 0.5)
)

# ---------------------------------------------------------- parameters of the normal distribution

# x − s Φ⁻¹(p), and (x − m)/Φ⁻¹(p)
nrdtrimn: Op = special(
    "nrdtrimn",
    lambda y, p, s, x: negative(times(s, _quantile_slope(p))),
    lambda y, p, s, x: negative(ndtri(p)),
    lambda y, p, s, x: constant(1, y),
    label="x − s Φ⁻¹(p)",
    domain=_draw(P, (0.5, 2), (-1, 1)),
)
nrdtrisd: Op = special(
    "nrdtrisd",
    lambda y, m, p, x: over(-1, ndtri(p)),
    lambda y, m, p, x: negative(times(y, over(_quantile_slope(p), ndtri(p)))),
    lambda y, m, p, x: over(1, ndtri(p)),
    label="(x − m)/Φ⁻¹(p)",
    domain=_draw((-1, 0), (0.6, 0.9), (1, 2)),
)


def _quantile_slope(p: Node) -> Node:
    return times(ROOT_TWO_PI, exp(times(0.5, square(ndtri(p)))))
