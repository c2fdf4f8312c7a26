"""Elliptic integrals: of Legendre, and the symmetric ones of Carlson (DLMF 19).

Derivatives of Carlson's integrals are integrals of the same kind,

    C(p, q, r, s; x, y, z, w) = ∫₀^∞ (t+x)⁻ᵖ (t+y)⁻ᵠ (t+z)⁻ʳ (t+w)⁻ˢ dt,    ∂C/∂x = −p C(p + 1, …),

taken by the trapezoidal rule in NumPy code. All factors are positive. Those of Legendre's by
the parameter m are Carlson's, or hypergeometric functions, with no division by m or 1 − m.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.op import Op, absent
from wengert.ops.arithmetic import negative
from wengert.ops.complex import part_dtype
from wengert.ops.domain import Box, Cases
from wengert.ops.elementary import cos, sin
from wengert.ops.powers import sqrt, square
from wengert.ops.rounding import rint
from wengert.ops.special.algebra import minus, over, plus, times
from wengert.ops.special.elementary import hyp2f1
from wengert.ops.special.integrals import blockwise
from wengert.ops.special.ufunc import special, written

# ----------------------------------------------------------------------------------- Carlson

_NODES = np.linspace(0, 1, 361)
"""By the trapezoidal rule in log t, over all scales from the least of x, y, z, w to the largest."""
POWER = absent("the powers in an integral of Carlson's are constants")


@blockwise
def _carlson(*args: Any) -> Any:
    """e^(s/2) is what the integrand is at worst for small t = eˢ, and e^(s (1 − Σp)) for large t.

    The singularities lie at a distance π from the line: the error is about e^(−2π²/step).
    """
    powers, points = args[:4], args[4:]
    sizes = [np.abs(point) for point in points]
    least = np.minimum.reduce([np.where(size == 0, np.inf, size) for size in sizes])
    start = np.log(least) - 80
    stop = np.log(np.maximum.reduce(sizes)) + 40 / (sum(powers[1:], powers[0]).real - 1)
    t = np.exp(start + (stop - start) * _NODES)
    logarithms = [p * np.log(t + x) for p, x in zip(powers, points, strict=True)]
    terms = t * np.exp(-sum(logarithms[1:], logarithms[0]))
    return (stop - start) / (len(_NODES) - 1) * np.sum(terms, axis=1, keepdims=True)


def _raised(k: int) -> Any:
    """∂/∂ of the argument k: −p times the integral with that power raised."""

    def partial(y: Node, *args: Node) -> Node:
        powers = [plus(p, 1) if i == k else p for i, p in enumerate(args[:4])]
        return negative(times(args[k], carlson(*powers, *args[4:])))

    return partial


def _draw_carlson(rng: np.random.Generator, dtype: Any) -> Any:
    x = rng.uniform(0.5, 2, (4, 3))
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.uniform(-0.5, 0.5, (4, 3))
    yield [*[np.ones(3, np.int8)] * 4, *x.astype(dtype)], ()


carlson: Op = written(
    "carlson",
    _carlson,
    *[POWER] * 4,
    *[_raised(k) for k in range(4)],
    label="C({4}, {5}, {6}, {7})",
    domain=Cases(_draw_carlson),
    real=4,
)


def _c(powers: tuple[float, ...], *arguments: Node) -> Node:
    """C with these powers, three or four; the fourth argument is 0 if it is not given."""
    like = arguments[0]
    known = [full(p, part_dtype(like.dtype), like.shape) for p in (*powers, 0.0)[:4]]
    return carlson(*known, *(*arguments, full(0, like.dtype, like.shape))[:4])


def _three(name: str, factor: float, powers: tuple[float, ...], label: str, linear: bool) -> Op:
    """factor · C(powers), and with one factor t more under the integral of R_G's derivatives."""

    def partial(k: int) -> Any:
        def rule(y: Node, *args: Node) -> Node:
            raised = tuple(p + (i == k) for i, p in enumerate(powers))
            if linear:
                return times(factor, _c((*raised, -1.0), *args))
            return times(-factor * powers[k], _c(raised, *args))

        return rule

    return special(
        name,
        *[partial(k) for k in range(len(powers))],
        label=label,
        domain=Box(((0.5, 2),) * len(powers)),
    )


elliprf = _three("elliprf", 0.5, (0.5, 0.5, 0.5), "R_F({0}, {1}, {2})", False)
elliprd = _three("elliprd", 1.5, (0.5, 0.5, 1.5), "R_D({0}, {1}, {2})", False)
# ∂R_G/∂x = ⅛ ∫ t (t+x)^(−3/2) (t+y)^(−1/2) (t+z)^(−1/2) dt, from DLMF 19.23.7
elliprg = _three("elliprg", 0.125, (0.5, 0.5, 0.5), "R_G({0}, {1}, {2})", True)


def _draw_four(rng: np.random.Generator, dtype: Any) -> Any:
    x = rng.uniform(0.5, 2, (4, 3))
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.uniform(-0.3, 0.3, (4, 3))
    yield list(x.astype(dtype)), ()


def _by_rj(k: int) -> Any:
    powers = [0.5, 0.5, 0.5, 1.0]
    raised = tuple(p + (i == k) for i, p in enumerate(powers))
    return lambda y, *args: times(-1.5 * powers[k], _c(raised, *args))


elliprj: Op = special(
    "elliprj",
    *[_by_rj(k) for k in range(4)],
    label="R_J({0}, {1}, {2}, {3})",
    domain=Cases(_draw_four),
)
# R_C(x, y) = R_F(x, y, y), for y > 0
elliprc: Op = special(
    "elliprc",
    lambda y, x, z: times(-0.25, _c((1.5, 1.0, 0.0), x, z, z)),
    lambda y, x, z: times(-0.5, _c((0.5, 2.0, 0.0), x, z, z)),
    label="R_C({0}, {1})",
    domain=Box(((0.5, 2), (0.5, 2))),
)
# M(a, b) = π/(2 R_F(0, a², b²)) (DLMF 19.22.1)
agm: Op = special(
    "agm",
    lambda y, a, b: _agm_slope(y, a, b),
    lambda y, a, b: _agm_slope(y, b, a),
    label="agm({0}, {1})",
    domain=Box(((0.5, 2), (0.5, 2)), kinds="f"),
)


def _agm_slope(y: Node, a: Node, b: Node) -> Node:
    zero = times(0.0, a)
    return times(2 / (3 * math.pi), square(y), a, elliprd(zero, square(b), square(a)))


# ---------------------------------------------------------------------------------- Legendre

PARAMETER = Box(((-2, 0.6),), kinds="f")


def _hyper(a: float, b: float, c: float, m: Node) -> Node:
    return hyp2f1(*(full(v, m.dtype, m.shape) for v in (a, b, c)), m)


def ellipk_by_m(m: Node) -> Node:
    """K = π/2 · 2F1(½, ½; 1; m) (DLMF 19.5.1)."""
    return times(math.pi / 8, _hyper(1.5, 1.5, 2, m))


def ellipe_by_m(m: Node) -> Node:
    """E = π/2 · 2F1(−½, ½; 1; m) (DLMF 19.5.2)."""
    return times(-math.pi / 8, _hyper(0.5, 1.5, 2, m))


ellipk: Op = special("ellipk", lambda y, m: ellipk_by_m(m), label="K({0})", domain=PARAMETER)
ellipe: Op = special("ellipe", lambda y, m: ellipe_by_m(m), label="E({0})", domain=PARAMETER)
# K(1 − p) = R_F(0, p, 1)
ellipkm1: Op = special(
    "ellipkm1",
    lambda y, p: times(-1 / 6, elliprd(full(0, p.dtype, p.shape), full(1, p.dtype, p.shape), p)),
    label="K(1 − {0})",
    domain=Box(((0.3, 2),), kinds="f"),
)


def _turns(phi: Node) -> tuple[Node, Node, Node]:
    """The half turns in φ, sin and cos of what is left, within [−π/2, π/2]."""
    turns = rint(times(1 / math.pi, phi))
    rest = minus(phi, times(math.pi, turns))
    return turns, sin(rest), cos(rest)


def _delta_square(sine: Node, m: Node) -> Node:
    return minus(1, times(m, square(sine)))


def ellipkinc_by_m(phi: Node, m: Node) -> Node:
    """F = sin φ R_F(cos² φ, 1 − m sin² φ, 1) within a quarter turn (DLMF 19.25.5)."""
    turns, sine, cosine = _turns(phi)
    square_sine, delta = square(sine), _delta_square(sine, m)
    one = full(1, m.dtype, m.shape)
    rest = times(1 / 6, sine, square_sine, elliprd(square(cosine), one, delta))
    return plus(times(2, turns, ellipk_by_m(m)), rest)


def ellipeinc_by_m(phi: Node, m: Node) -> Node:
    """∂E/∂m = (E − F)/(2m) = −sin³ φ R_D(cos² φ, 1 − m sin² φ, 1)/6 (DLMF 19.25.9)."""
    turns, sine, cosine = _turns(phi)
    square_sine, delta = square(sine), _delta_square(sine, m)
    one = full(1, m.dtype, m.shape)
    rest = times(-1 / 6, sine, square_sine, elliprd(square(cosine), delta, one))
    return plus(times(2, turns, ellipe_by_m(m)), rest)


ANGLES = Box(((-4.5, 4.5), (-1, 0.6)), kinds="f")
ellipkinc: Op = special(
    "ellipkinc",
    lambda y, phi, m: over(1, sqrt(_delta_square(sin(phi), m))),
    lambda y, phi, m: ellipkinc_by_m(phi, m),
    label="F({0}, {1})",
    domain=ANGLES,
)
ellipeinc: Op = special(
    "ellipeinc",
    lambda y, phi, m: sqrt(_delta_square(sin(phi), m)),
    lambda y, phi, m: ellipeinc_by_m(phi, m),
    label="E({0}, {1})",
    domain=ANGLES,
)
