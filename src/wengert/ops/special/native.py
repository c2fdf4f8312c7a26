"""The native rules of special functions: SciPy's cases, written with the lanes' functions.

They are of floating lanes alone. A dtype that they do not take runs as a host call, as do all
functions without a rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from wengert.ops.native import Pointwise


def real_rule(rule: Callable[..., Any]) -> Pointwise:
    """rule(lanes, *values), for floating lanes."""

    def checked(ins: Any, out: Any, *values: Any) -> Any:
        if out.dtype.kind != "f":
            raise NotImplementedError
        return rule(out, *values)

    return Pointwise(checked)


@real_rule
def logistic(lane: Any, x: Any) -> Any:
    """expit."""
    return lane.logistic(x)


@real_rule
def log_expit(lane: Any, x: Any) -> Any:
    """−log(1 + e^(−x)), and x − log(1 + eˣ) for x < 0."""
    rest = lane.log1p(lane.exp(lane.negative(lane.absolute(x))))
    below = lane.exact_subtract(x, rest)
    return lane.select(lane.less(x, lane.const(0)), below, lane.negative(rest))


@real_rule
def logit(lane: Any, x: Any) -> Any:
    """log(x/(1 − x)), and 2 artanh(2x − 1) for x between ¼ and ¾, where 2x − 1 is exact."""
    one = lane.const(1)
    shifted = lane.exact_subtract(lane.exact_add(x, x), one)
    middle = lane.less(lane.absolute(shifted), lane.const(0.5))
    half = lane.arctanh(lane.select(middle, shifted, lane.const(0)))
    outer = lane.log(lane.divide(x, lane.exact_subtract(one, x)))
    return lane.select(middle, lane.exact_add(half, half), outer)


def _product(lane: Any, x: Any, y: Any, logarithm: Any) -> Any:
    """x · logarithm, and 0 where x is 0 and y is a number."""
    zero = lane.const(0)
    nothing = lane.masks().logical_and(lane.equal(x, zero), lane.compare("ord", y, y))
    return lane.select(nothing, zero, lane.exact_multiply(x, logarithm))


@real_rule
def xlogy(lane: Any, x: Any, y: Any) -> Any:
    """x log y."""
    return _product(lane, x, y, lane.log(y))


@real_rule
def xlog1py(lane: Any, x: Any, y: Any) -> Any:
    """x log(1 + y)."""
    return _product(lane, x, y, lane.log1p(y))


@real_rule
def entr(lane: Any, x: Any) -> Any:
    """−x log x; 0 at 0 and −∞ below."""
    zero = lane.const(0)
    value = lane.exact_multiply(lane.negative(x), lane.log(x))
    value = lane.select(lane.equal(x, zero), zero, value)
    return lane.select(lane.less(x, zero), lane.const(-math.inf), value)


@real_rule
def rel_entr(lane: Any, x: Any, y: Any) -> Any:
    """x log(x/y), by log1p where x and y are close, by two logarithms where the quotient is no
    normal number; 0 for x = 0 ≤ y, and ∞ for negative numbers and y = 0."""
    zero, masks = lane.const(0), lane.masks()
    ratio = lane.divide(x, y)
    close = masks.logical_and(lane.greater(ratio, lane.const(0.5)), lane.less(ratio, lane.const(2)))
    normal = masks.logical_and(
        lane.greater(ratio, lane.const(lane.smallest_normal)),
        lane.less(ratio, lane.const(math.inf)),
    )
    near = lane.log1p(lane.divide(lane.exact_subtract(x, y), y))
    far = lane.exact_subtract(lane.log(x), lane.log(y))
    logarithm = lane.select(close, near, lane.select(normal, lane.log(ratio), far))
    value = lane.exact_multiply(x, logarithm)
    inside = masks.logical_and(lane.greater(x, zero), lane.greater(y, zero))
    nothing = masks.logical_and(lane.equal(x, zero), lane.greater_equal(y, zero))
    value = lane.select(inside, value, lane.const(math.inf))
    value = lane.select(nothing, zero, value)
    return lane.select(lane.compare("uno", x, y), lane.const(math.nan), value)


ROOT_HALF, ROOT_HALF_REST = 0.7071067811865476, -4.833646656726457e-17
"""√½ as a double, and what that lacks."""


@real_rule
def ndtr(lane: Any, x: Any) -> Any:
    """½ erfc(−x/√2), by erf near the middle; float32 in float64.

    erfc turns a relative error of its argument into x² times that of the result: so the rounding
    error δ of z = x/√2 is taken along, by erfc(z + δ) ≈ erfc(z) (1 − (z + √(z² + 2)) δ).
    """
    wide = lane if lane.element == "double" else lane.doubles()
    argument = x if wide is lane else lane.to_double(x)
    half, zero, one = wide.const(0.5), wide.const(0), wide.const(1)
    z, lost = wide.two_product(argument, wide.const(ROOT_HALF))
    size = wide.clamp(wide.absolute(z), 0, 28)
    rest = wide.fma(argument, wide.const(ROOT_HALF_REST), lost)
    delta = wide.exact_multiply(wide.copysign(one, argument), rest)
    slope = wide.exact_add(size, wide.sqrt(wide.fma(size, size, wide.const(2))))
    correct = wide.fma(wide.negative(slope), delta, one)
    correct = wide.select(wide.less(wide.absolute(z), wide.const(28)), correct, one)
    middle = wide.fma(half, wide.erf(z), half)
    tail = wide.exact_multiply(wide.exact_multiply(half, wide.erfc(wide.absolute(z))), correct)
    outer = wide.select(wide.greater(z, zero), wide.exact_subtract(one, tail), tail)
    result = wide.select(wide.less(wide.absolute(z), one), middle, outer)
    return result if wide is lane else lane.from_double(result)


@real_rule
def erf(lane: Any, x: Any) -> Any:
    """The error function."""
    return lane.erf(x)


@real_rule
def erfc(lane: Any, x: Any) -> Any:
    """Its complement."""
    return lane.erfc(x)


@real_rule
def exp10(lane: Any, x: Any) -> Any:
    """10ˣ."""
    return lane.power(lane.const(10), x)


@real_rule
def huber(lane: Any, delta: Any, r: Any) -> Any:
    """½ r², and δ (|r| − ½ δ) for |r| > δ; ∞ for δ < 0."""
    half, size = lane.const(0.5), lane.absolute(r)
    inner = lane.exact_multiply(half, lane.exact_multiply(r, r))
    outer = lane.exact_multiply(delta, lane.exact_subtract(size, lane.exact_multiply(half, delta)))
    value = lane.select(lane.less_equal(size, delta), inner, outer)
    return lane.select(lane.less(delta, lane.const(0)), lane.const(math.inf), value)
