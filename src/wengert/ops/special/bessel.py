"""Bessel functions, modified and spherical ones, and those of Hankel.

The derivatives by the argument are sums of the functions of the orders above and below, with no
division by it (DLMF 10.6.1, 10.29.1-3, 10.51.2). Those by the order have no closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import lazy
from wengert.errors import NotDifferentiable
from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.graph.op import Op, absent
from wengert.ops.arithmetic import negative
from wengert.ops.complex import sign
from wengert.ops.domain import Box, Cases
from wengert.ops.selection import maximum
from wengert.ops.special.algebra import minus, over, plus, times
from wengert.ops.special.ufunc import special, written

REAL = Box(((-3, 3),), kinds="f")
RIGHT = Box(((0.5, 4),), kinds="f")
ORDER = absent(
    "the derivative of a Bessel function by its order has no closed form: the order must be "
    "constant (an integer array, or wengert.stop_gradient(order))"
)


def _draw(kinds: str, low: float, high: float) -> Cases:
    """Whole orders 0 to 3, the last one of each sign."""

    def draw(rng: np.random.Generator, dtype: Any) -> Any:
        x = rng.uniform(low, high, 4)
        if np.dtype(dtype).kind == "c":
            x = x + 1j * rng.uniform(-1, 1, 4)
        yield [np.array([0, 1, 2, -2], np.int8), x.astype(dtype)], ()

    return Cases(draw, kinds)


def _orders(op: Callable[[], Op], below: float, above: float) -> Any:
    """below · (order − 1) + above · (order + 1) of the function."""

    def partial(y: Node, v: Node, x: Node) -> Node:
        left, right = (op()(shifted, x) for shifted in (minus(v, 1), plus(v, 1)))
        if below == above:
            return times(below, plus(left, right))
        return times(below, minus(left, right))

    return partial


def _shrunk(name: str, slope: Any) -> Any:
    """The slope of e^(−|Re z|) f(z) or e^(−|Im z|) f(z), for real z alone."""

    def partial(y: Node, *args: Node) -> Node:
        if y.dtype.kind == "c":
            raise NotDifferentiable(
                f"{name} of a complex argument is not holomorphic, as it is scaled by the absolute "
                "value of a part of it; scale the unscaled function by hand"
            )
        return slope(y, *args)  # type: ignore[no-any-return]

    return partial


def _bessel(name: str, below: float, above: float, label: str, domain: Cases) -> Op:
    """A function of (order, argument) with the derivative below · f₋ + above · f₊."""
    op: Op = special(name, ORDER, _orders(lambda: op, below, above), label=label, domain=domain)
    return op


jv = _bessel("jv", 0.5, -0.5, "J_{0}({1})", _draw("fc", 0.5, 4))
yv = _bessel("yv", 0.5, -0.5, "Y_{0}({1})", _draw("fc", 1, 4))
yn = _bessel("yn", 0.5, -0.5, "Y_{0}({1})", _draw("f", 1, 4))
iv = _bessel("iv", 0.5, 0.5, "I_{0}({1})", _draw("fc", -2, 2))
kv = _bessel("kv", -0.5, -0.5, "K_{0}({1})", _draw("fc", 1, 4))
kn = _bessel("kn", -0.5, -0.5, "K_{0}({1})", _draw("f", 1, 4))
hankel1 = _bessel("hankel1", 0.5, -0.5, "H⁽¹⁾_{0}({1})", _draw("c", 1, 3))
hankel2 = _bessel("hankel2", 0.5, -0.5, "H⁽²⁾_{0}({1})", _draw("c", 1, 3))

# ------------------------------------------------------------------------- orders 0 and 1


def _of(op: Op, order: int, x: Node) -> Node:
    return op(constant(order, x), x)


j0: Op = special("j0", lambda y, x: negative(j1(x)), label="J₀({0})", domain=REAL)
j1: Op = special(
    "j1", lambda y, x: times(0.5, minus(j0(x), _of(jv, 2, x))), label="J₁({0})", domain=REAL
)
y0: Op = special("y0", lambda y, x: negative(y1(x)), label="Y₀({0})", domain=RIGHT)
y1: Op = special(
    "y1", lambda y, x: times(0.5, minus(y0(x), _of(yv, 2, x))), label="Y₁({0})", domain=RIGHT
)
i0: Op = special("i0", lambda y, x: i1(x), label="I₀({0})", domain=REAL)
i1: Op = special(
    "i1", lambda y, x: times(0.5, plus(i0(x), _of(iv, 2, x))), label="I₁({0})", domain=REAL
)
k0: Op = special("k0", lambda y, x: negative(k1(x)), label="K₀({0})", domain=RIGHT)
k1: Op = special(
    "k1", lambda y, x: times(-0.5, plus(k0(x), _of(kv, 2, x))), label="K₁({0})", domain=RIGHT
)

# ------------------------------------------------------------------- with exponential factors

# e^(−|x|) I: the factor has a kink at 0, where sign is 0, the derivative's mean of both sides.
ive: Op = special(
    "ive",
    ORDER,
    _shrunk(
        "ive",
        lambda y, v, x: minus(
            times(0.5, plus(ive(minus(v, 1), x), ive(plus(v, 1), x))), times(sign(x), y)
        ),
    ),
    label="e⁻|{1}| I_{0}({1})",
    domain=_draw("f", -2, 2),
)
i0e: Op = special(
    "i0e",
    lambda y, x: minus(i1e(x), times(sign(x), y)),
    label="e⁻|{0}| I₀({0})",
    domain=REAL,
)
i1e: Op = special(
    "i1e",
    lambda y, x: minus(times(0.5, plus(i0e(x), _of(ive, 2, x))), times(sign(x), y)),
    label="e⁻|{0}| I₁({0})",
    domain=REAL,
)
kve: Op = special(
    "kve",
    ORDER,
    lambda y, v, x: minus(y, times(0.5, plus(kve(minus(v, 1), x), kve(plus(v, 1), x)))),
    label="e^{1} K_{0}({1})",
    domain=_draw("fc", 1, 4),
)
k0e: Op = special("k0e", lambda y, x: minus(y, k1e(x)), label="e^{0} K₀({0})", domain=RIGHT)
k1e: Op = special(
    "k1e",
    lambda y, x: minus(y, times(0.5, plus(k0e(x), _of(kve, 2, x)))),
    label="e^{0} K₁({0})",
    domain=RIGHT,
)
jve: Op = special(
    "jve",
    ORDER,
    _shrunk("jve", _orders(lambda: jve, 0.5, -0.5)),
    label="J_{0}({1})",
    domain=_draw("f", 0.5, 4),
)
yve: Op = special(
    "yve",
    ORDER,
    _shrunk("yve", _orders(lambda: yve, 0.5, -0.5)),
    label="Y_{0}({1})",
    domain=_draw("f", 1, 4),
)


def _hankel_scaled(name: str, factor: complex, label: str) -> Op:
    """e^(∓iz) H(z)."""
    half = _orders(lambda: op, 0.5, -0.5)
    op: Op = special(
        name,
        ORDER,
        lambda y, v, z: plus(half(y, v, z), times(factor, y)),
        label=label,
        domain=_draw("c", 1, 3),
    )
    return op


hankel1e = _hankel_scaled("hankel1e", -1j, "e^(−i{1}) H⁽¹⁾_{0}({1})")
hankel2e = _hankel_scaled("hankel2e", 1j, "e^(i{1}) H⁽²⁾_{0}({1})")

# --------------------------------------------------------------------------------- spherical


def _spherical(name: str) -> Callable[[Any, Any], Any]:
    def evaluate(n: Any, x: Any) -> Any:
        if name == "spherical_jn" and not n.any():
            y = np.where(x == 0, np.finfo(float).eps, x)  # sin(eps)/eps is 1 to the last bit
            return np.sin(y) / y
        return getattr(lazy.module("scipy.special"), name)(n.astype(int), x)

    return evaluate


def _draw_spherical(low: float) -> Cases:
    def draw(rng: np.random.Generator, dtype: Any) -> Any:
        for n in (np.array([0, 1, 2, 3], np.int8), np.zeros((), np.int8)):
            x = rng.uniform(low, 3, 4)
            if np.dtype(dtype).kind == "c":
                x = x + 1j * rng.uniform(-1, 1, 4)
            yield [n, x.astype(dtype)], ()

    return Cases(draw, "fc")


def _sphere(name: str, below: int, above: int, label: str, low: float) -> Op:
    """(2n + 1) f′ = below · n f₋ + above · (n + 1) f₊ (DLMF 10.51.2, 10.51.5)."""

    def slope(y: Node, n: Node, x: Node) -> Node:
        lower = op(maximum(minus(n, 1), constant(0, n)), x)  # its weight is 0 where n is
        upper = op(plus(n, 1), x)
        total = plus(times(below, n, lower), times(above, plus(n, 1), upper))
        return over(total, plus(times(2, n), 1))

    op: Op = written(
        name, _spherical(name), ORDER, slope, label=label, domain=_draw_spherical(low), real=1
    )
    return op


spherical_jn = _sphere("spherical_jn", 1, -1, "j_{0}({1})", -3)
spherical_yn = _sphere("spherical_yn", 1, -1, "y_{0}({1})", 1)
spherical_in = _sphere("spherical_in", 1, 1, "i_{0}({1})", -2)
spherical_kn = _sphere("spherical_kn", -1, -1, "k_{0}({1})", 1)
