"""power: exp(y log |x|), the logarithm as a sum of two numbers, and IEEE 754's special cases.

With x = 2ᵏ (1 + f), s = f/(2 + f) and z = s²:

    log x = k ln 2 + 2 s + s z (2/3 + z P(z))

A product with y of up to 2¹⁰ costs ten bits, so that all but z P is summed with its rounding
errors. P interpolates at the Chebyshev nodes of the interval; the logarithm's relative error is
2⁻⁶⁵. float32 needs none of this: its powers are exp2(y log2 |x|) in float64.
"""

from __future__ import annotations

import math

from wengert.compiler.elementary.base import pure
from wengert.compiler.elementary.exponential import LN2
from wengert.compiler.elementary.logarithmic import Logarithmic
from wengert.compiler.lanes import Value

RATIO_TAIL = (
    0.4,
    0.2857142857142937,
    0.22222222221652765,
    0.18181818336099848,
    0.1538459488700718,
    0.1333480879881234,
    0.11706126464563398,
    0.11724327060846747,
)
"""P."""

TWO_THIRDS = (0.6666666666666666, 3.700743415417188e-17)


class Power(Logarithmic):
    """Powers with real exponents."""

    __slots__ = ()

    def exact_log(self, x: Value) -> tuple[Value, Value]:
        """log x as a number and its rest, for finite positive x."""
        one = self.const(1.0)
        m, k = self.split_any_power(x)
        f = self.exact_subtract(m, one)
        below, below_rest = self.fast_two_sum(one, m)
        reciprocal = self.divide(one, below)
        s = self.exact_multiply(f, reciprocal)
        minus = self.negative(s)
        s_rest = self.fma(minus, below_rest, self.fma(minus, below, f))
        s_rest = self.exact_multiply(s_rest, reciprocal)
        twice = self.exact_add(s, s)
        z, z_rest = self.two_product(s, s)
        z_rest = self.fma(twice, s_rest, z_rest)
        two_thirds, more = self.parts(TWO_THIRDS)
        tail = self.exact_multiply(z, self.polynomial(z, RATIO_TAIL))
        c, c_rest = self.fast_two_sum(two_thirds, tail)
        c_rest = self.exact_add(c_rest, more)
        cz, cz_rest = self.product_of_sums(z, z_rest, c, c_rest)
        u, u_rest = self.product_of_sums(s, s_rest, cz, cz_rest)
        high, low = self.fast_two_sum(twice, u)
        low = self.exact_add(low, self.fma(self.const(2.0), s_rest, u_rest))
        first, second = LN2[self.element]
        total, lost = self.fast_two_sum(self.exact_multiply(k, self.const(first)), high)
        lost = self.exact_add(lost, self.fma(k, self.const(second), low))
        return self.fast_two_sum(total, lost)

    def exp_of_product(self, size: Value, y: Value) -> Value:
        """exp(y log size), for finite positive size and finite y."""
        if self.element == "float":
            wide = self.doubles()
            logarithm = wide.log2(self.to_double(size))
            return self.from_double(wide.exp2(wide.exact_multiply(self.to_double(y), logarithm)))
        high, low = self.exact_log(size)
        y = self.clamp(y, -(2.0**64), 2.0**64)
        product, lost = self.two_product(y, high)
        lost = self.fma(y, low, lost)
        bound = self.const(800.0)
        outside = self.greater(self.absolute(product), bound)
        product = self.select(outside, self.copysign(bound, product), product)
        total, tail, k = self.exp_of_sum(product, self.where(outside, 0.0, lost))
        return self.scale(self.exact_add(total, tail), k)

    @pure()
    def power(self, x: Value, y: Value) -> Value:
        masks = self.masks()
        zero, one, infinity = self.const(0.0), self.const(1.0), self.const(math.inf)
        size = self.absolute(x)
        y_infinite = self.equal(self.absolute(y), infinity)
        edge = masks.logical_or(self.equal(size, zero), self.equal(size, infinity))
        grows = masks.logical_xor(self.greater(size, one), self.less(y, zero))
        limit = self.where(grows, math.inf, zero)
        result = self.exp_of_product(size, y)
        result = self.select(masks.logical_or(edge, y_infinite), limit, result)
        half = self.exact_multiply(y, self.const(0.5))
        whole = self.equal(self.trunc(y), y)
        odd = masks.logical_and(whole, self.not_equal(self.trunc(half), half))
        bits = self.integers()
        negative = bits.less(self.bits(x), bits.const(0))
        flipped = self.select(masks.logical_and(negative, odd), self.negative(result), result)
        real = masks.logical_or(masks.logical_or(whole, edge), masks.logical_not(negative))
        result = self.select(real, flipped, self.const(math.nan))
        result = self.where(self.compare("uno", x, y), math.nan, result)
        unit = masks.logical_or(self.equal(x, one), self.equal(y, zero))
        unit = masks.logical_or(unit, masks.logical_and(self.equal(size, one), y_infinite))
        return self.where(unit, 1.0, result)
