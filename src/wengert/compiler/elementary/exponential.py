"""exp, exp2, expm1, logistic.

x = k ln 2 + r with |r| ≤ ln 2 / 2, and exp x = 2ᵏ (1 + r + r² q(r)), where q interpolates
(eʳ − 1 − r)/r² at the Chebyshev nodes of the interval (relative error of eʳ: 2⁻⁶¹ and 2⁻³¹). ln 2
is taken in two parts, the first short enough for k times it to be exact (W. J. Cody, W. Waite).
"""

from __future__ import annotations

import math

from wengert.compiler.elementary.base import Arithmetic, Coefficients, pure
from wengert.compiler.lanes import Value

LN2 = {
    "double": (0.6931471803691238, 1.9082149292705877e-10),
    "float": (0.693145751953125, 1.4286068203094173e-06),
}
"""Two parts of ln 2; the first has 32 and 15 bits."""

LN2_ROUNDED = (0.6931471805599453, 2.3190468138462996e-17)
"""ln 2 and its rest."""

TAIL: Coefficients = {
    "double": (
        0.5,
        0.1666666666666667,
        0.04166666666666667,
        0.008333333333326136,
        0.0013888888888883748,
        0.00019841269874820627,
        2.4801587325547743e-05,
        2.7557255400206422e-06,
        2.75572736431103e-07,
        2.5105217004720745e-08,
        2.0914686968086876e-09,
    ),
    "float": (0.500000001, 0.166666667, 0.0416664649, 0.00833331093, 0.001393365, 0.000198909908),
}
"""q."""

EXP_RANGE = {"double": (-746.0, 710.0), "float": (-104.0, 89.0)}
"""Below the first exp is zero, above the second infinite."""

EXP2_RANGE = {"double": (-1076.0, 1025.0), "float": (-151.0, 129.0)}


class Exponential(Arithmetic):
    """The exponential functions."""

    __slots__ = ()

    def reduce_by_ln2(self, x: Value) -> tuple[Value, Value, Value]:
        """r and its rounding error, and k as the sum with the shifter, for x = k ln 2 + r."""
        high, low = LN2[self.element]
        k, shifted = self.nearest(x, 1.0 / math.log(2.0))
        exact = self.fma(k, self.const(-high), x)
        r = self.fma(k, self.const(-low), exact)
        error = self.fma(k, self.const(-low), self.exact_subtract(exact, r))
        return r, error, shifted

    def exp_tail(self, r: Value) -> Value:
        """r² q(r)."""
        return self.exact_multiply(self.exact_multiply(r, r), self.polynomial(r, TAIL))

    def exp_of_sum(self, high: Value, low: Value) -> tuple[Value, Value, Value]:
        """exp(high + low) = (a + b) 2ᵏ: a, its smaller rest b, and the integer k."""
        first, second = LN2[self.element]
        k, shifted = self.nearest(high, 1.0 / math.log(2.0))
        exact = self.fma(k, self.const(-first), high)
        rest = self.fma(k, self.const(-second), low)
        r = self.exact_add(exact, rest)
        error = self.exact_subtract(rest, self.exact_subtract(r, exact))
        total, lost = self.fast_two_sum(self.const(1.0), r)
        tail = self.exact_add(lost, self.exact_add(error, self.exp_tail(r)))
        return total, tail, self.integer(shifted)

    @pure(results=4)
    def exp_parts(self, x: Value) -> tuple[Value, ...]:
        """r, its rounding error, q(r) and k, of which exp and expm1 are made."""
        r, error, shifted = self.reduce_by_ln2(self.clamp(x, *EXP_RANGE[self.element]))
        return r, error, self.polynomial(r, TAIL), shifted

    def exp(self, x: Value) -> Value:
        r, _, q, shifted = self.exp_parts(x)
        tail = self.fma(self.exact_multiply(r, r), q, r)
        return self.scale(self.exact_add(self.const(1.0), tail), self.integer(shifted))

    @pure()
    def exp2(self, x: Value) -> Value:
        """2ˣ = 2ᵏ exp(r ln 2), where r = x − k is exact."""
        high, low = self.parts(LN2_ROUNDED)
        x = self.clamp(x, *EXP2_RANGE[self.element])
        k, shifted = self.nearest(x)
        r = self.exact_subtract(x, k)
        scaled, error = self.two_product(r, high)
        error = self.fma(r, low, error)
        tail = self.exact_add(error, self.exp_tail(scaled))
        power = self.exact_add(self.const(1.0), self.exact_add(scaled, tail))
        return self.scale(power, self.integer(shifted))

    def expm1(self, x: Value) -> Value:
        """2ᵏ r + (2ᵏ − 1), summed with its error, and then 2ᵏ r² q(r); halved, since 2¹⁰²⁴ is no
        number. Smaller powers than 2⁻⁹⁹ are rounded away."""
        r, error, q, shifted = self.exp_parts(x)
        whole = self.integers()
        k = whole.maximum(self.integer(shifted), whole.const(-99))
        power = self.power_of_two(whole.subtract(k, whole.const(1)))
        base = self.exact_subtract(power, self.const(0.5))
        total, rest = self.fast_two_sum(base, self.exact_multiply(power, r))
        tail = self.fma(self.exact_multiply(r, r), q, error)
        half = self.exact_add(total, self.fma(power, tail, rest))
        tiny = self.less(self.absolute(x), self.const(2.0 ** (-self.stored_bits - 2)))
        return self.select(tiny, x, self.exact_add(half, half))

    @pure()
    def logistic(self, x: Value) -> Value:
        """1 / (1 + e⁻ˣ), as eˣ / (1 + eˣ) for negative x, so that no result is lost to overflow;
        the quotient with the rounding error of the sum."""
        one = self.const(1.0)
        power = self.exp(self.negative(self.absolute(x)))
        above = self.where(self.greater(x, self.const(0.0)), 1.0, power)
        below, lost = self.fast_two_sum(one, power)
        reciprocal = self.divide(one, below)
        quotient = self.exact_multiply(above, reciprocal)
        minus = self.negative(quotient)
        rest = self.fma(minus, lost, self.fma(minus, below, above))
        return self.fma(rest, reciprocal, quotient)
