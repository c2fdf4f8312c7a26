"""The error function, its kin, and the normal distribution.

DLMF 7.10 has the derivatives. Those of dawsn, and of erfcx and wofz of complex numbers, are
differences of nearly equal numbers for large arguments: the relative error is about 2x² units.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.graph.op import Op, absent
from wengert.ops.arithmetic import negative
from wengert.ops.domain import Box, Cases
from wengert.ops.elementary import exp
from wengert.ops.logic import greater
from wengert.ops.powers import square
from wengert.ops.selection import select
from wengert.ops.special import integrals, native
from wengert.ops.special.algebra import minus, over, plus, times
from wengert.ops.special.ufunc import special, written

ROOT_PI = math.sqrt(math.pi)
ALL = Box(((-2, 2),))
REAL = Box(((-2, 2),), kinds="f")


def _gauss(x: Node, factor: float) -> Node:
    """factor · exp(−x²)."""
    return times(factor, exp(negative(square(x))))


erf: Op = special(
    "erf", lambda y, x: _gauss(x, 2 / ROOT_PI), label="erf {0}", domain=ALL, native=native.erf
)
erfc: Op = special(
    "erfc", lambda y, x: _gauss(x, -2 / ROOT_PI), label="erfc {0}", domain=ALL, native=native.erfc
)


def _draw_integrals(rng: np.random.Generator, dtype: Any) -> Any:
    yield [np.array([1, 2, 3, 1], np.int8), rng.uniform(0.5, 3, 4).astype(dtype)], ()


# For x > 0: the derivative of e^(x²) iⁿerfc(x) is −2 (n + 1) e^(x²) iⁿ⁺¹erfc(x) (DLMF 7.18.4)
scaled_erfc_integral: Op = written(
    "scaled_erfc_integral",
    integrals.scaled_erfc_integral,
    absent("the order of a repeated integral is a constant"),
    lambda y, n, x: times(-2, plus(n, 1), scaled_erfc_integral(plus(n, 1), x)),
    label="e^({1}²) i^{0}erfc {1}",
    domain=Cases(_draw_integrals, "f"),
)


def _erfcx_slope(y: Node, x: Node) -> Node:
    """2 x y − 2/√π; for x > 1, where these cancel, −2 e^(x²) ierfc(x)."""
    plain = minus(times(2, x, y), 2 / ROOT_PI)
    if x.dtype.kind == "c":
        return plain
    one = constant(1, x)
    return select(greater(x, one), times(-2, scaled_erfc_integral(one, x)), plain)


erfcx: Op = special("erfcx", _erfcx_slope, label="erfcx {0}", domain=ALL)
erfi: Op = special(
    "erfi",
    lambda y, x: times(2 / ROOT_PI, exp(square(x))),
    label="erfi {0}",
    domain=Box(((-1, 1),)),
)
dawsn: Op = special(
    "dawsn", lambda y, x: minus(1, times(2, x, y)), label="F({0})", domain=Box(((-1.5, 1.5),))
)
# w' = −2 z w + 2i/√π (DLMF 7.10.3)
wofz: Op = special(
    "wofz",
    lambda y, z: plus(times(-2, z, y), 2j / ROOT_PI),
    label="w({0})",
    domain=Box(((-1.5, 1.5),), kinds="c"),
)
erfinv: Op = special(
    "erfinv",
    lambda y, x: times(ROOT_PI / 2, exp(square(y))),
    label="erf⁻¹ {0}",
    domain=Box(((-0.8, 0.8),), kinds="f"),
)
erfcinv: Op = special(
    "erfcinv",
    lambda y, x: times(-ROOT_PI / 2, exp(square(y))),
    label="erfc⁻¹ {0}",
    domain=Box(((0.3, 1.7),), kinds="f"),
)

# ------------------------------------------------------------------- the normal distribution

ROOT_TWO_PI = math.sqrt(2 * math.pi)
ROOT_HALF = math.sqrt(0.5)

ndtr: Op = special(
    "ndtr",
    lambda y, x: times(1 / ROOT_TWO_PI, exp(times(-0.5, square(x)))),
    label="Φ({0})",
    domain=ALL,
    native=native.ndtr,
)
# φ/Φ, which is near −x in the left tail: no difference of logarithms
log_ndtr: Op = special(
    "log_ndtr",
    lambda y, x: over(math.sqrt(2 / math.pi), erfcx(times(-ROOT_HALF, x))),
    label="log Φ({0})",
    domain=ALL,
)
ndtri: Op = special(
    "ndtri",
    lambda y, p: times(ROOT_TWO_PI, exp(times(0.5, square(y)))),
    label="Φ⁻¹({0})",
    domain=Box(((0.2, 0.8),), kinds="f"),
)
# log Φ(y) = x, so that y' = Φ(y)/φ(y)
ndtri_exp: Op = special(
    "ndtri_exp",
    lambda y, x: times(math.sqrt(math.pi / 2), erfcx(times(-ROOT_HALF, y))),
    label="Φ⁻¹(exp {0})",
    domain=Box(((-3, -0.3),), kinds="f"),
)
