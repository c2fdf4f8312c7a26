"""log, log1p, log2, log10, logaddexp, logaddexp2.

x = 2ᵏ (1 + f) with 1 + f between √½ and √2; s = f/(2 + f), so that

    log(1 + f) = 2 artanh s = f − f²/2 + s (f²/2 + R(s²)),      R(z) = 2 (artanh(s)/s − 1)

where f − f²/2 is summed last, so that only its rounding counts. (The form of K. C. Ng, as in
FreeBSD's msun.) R/z interpolates at the Chebyshev nodes of the interval: errors 2⁻⁵⁶·⁶ and 2⁻²⁷.
"""

from __future__ import annotations

import math

from wengert.compiler.elementary.base import Coefficients, float_bits, pure
from wengert.compiler.elementary.exponential import LN2, Exponential
from wengert.compiler.lanes import Value

RATIO: Coefficients = {
    "double": (
        0.666666666666667,
        0.3999999999989889,
        0.28571428626253836,
        0.22222211089379496,
        0.1818289243253687,
        0.15331611722055008,
        0.14617807153417325,
    ),
    "float": (0.666666851, 0.399887577, 0.295809859),
}
"""R(z)/z."""

PER_LN2 = (1.4426950408889634, 2.0355273740931033e-17)
PER_LN10 = (0.4342944819032518, 1.098319650216765e-17)
LOG10_2 = (0.3010299956639812, -2.8037281277851704e-18)
"""1/ln 2, 1/ln 10 and log₁₀ 2, each as a number and its rest."""


class Logarithmic(Exponential):
    """The logarithms."""

    __slots__ = ()

    def split_power(self, x: Value) -> tuple[Value, Value]:
        """m between √½ and √2 and the number k, x = 2ᵏ m, for positive normal x."""
        whole = self.integers()
        start = float_bits(math.sqrt(0.5), self.element)
        one = float_bits(1.0, self.element)
        moved = whole.add(self.bits(x), whole.const(one - start))
        fraction = whole.bitwise_and(moved, whole.const((1 << self.stored_bits) - 1))
        exponent = whole.shift_right_logical(moved, self.stored_bits)
        base = 2.0**self.stored_bits
        number = whole.bitwise_or(exponent, whole.const(float_bits(base, self.element)))
        k = self.exact_subtract(self.from_bits(number), self.const(base + self.bias))
        return self.from_bits(whole.add(fraction, whole.const(start))), k

    def split_any_power(self, x: Value) -> tuple[Value, Value]:
        """The same for all positive x: subnormal ones are scaled up before."""
        by = self.stored_bits + 2
        small = self.less(x, self.const(self.smallest_normal))
        x = self.select(small, self.exact_multiply(x, self.const(2.0**by)), x)
        m, k = self.split_power(x)
        return m, self.exact_add(k, self.where(small, -by, self.const(0.0)))

    def log_parts(self, f: Value) -> tuple[Value, Value]:
        """f²/2 and s (f²/2 + R): log(1 + f) is f less the first plus the second."""
        s = self.divide(f, self.exact_add(f, self.const(2.0)))
        z = self.exact_multiply(s, s)
        half_square = self.exact_multiply(self.exact_multiply(self.const(0.5), f), f)
        return half_square, self.exact_multiply(
            s, self.fma(z, self.polynomial(z, RATIO), half_square)
        )

    def log_sum(self, k: Value, f: Value, correction: Value) -> Value:
        """k ln 2 + log(1 + f) + correction, the correction being small."""
        high, low = LN2[self.element]
        half_square, rest = self.log_parts(f)
        rest = self.exact_add(self.fma(k, self.const(low), correction), rest)
        rest = self.exact_subtract(f, self.exact_subtract(half_square, rest))
        return self.fma(k, self.const(high), rest)

    def log_domain(self, x: Value, result: Value) -> Value:
        """The result of a logarithm, with its values at 0, ∞, NaN and below 0."""
        result = self.select(self.equal(x, self.const(math.inf)), x, result)
        result = self.where(self.compare("ult", x, self.const(0.0)), math.nan, result)
        return self.where(self.equal(x, self.const(0.0)), -math.inf, result)

    @pure()
    def log(self, x: Value) -> Value:
        m, k = self.split_any_power(x)
        result = self.log_sum(k, self.exact_subtract(m, self.const(1.0)), self.const(0.0))
        return self.log_domain(x, result)

    def split_one_plus(self, high: Value, low: Value) -> tuple[Value, Value, Value]:
        """k, f and a rest of f with 2ᵏ (1 + f) = 1 + high + low, low being small against high: the
        rounded sum is split, and its rounding error is added to f."""
        one = self.const(1.0)
        u, error = self.two_sum(one, high)
        error = self.exact_add(error, low)
        m, k = self.split_power(u)
        whole = self.integers()
        up = whole.const(float_bits(1.0, self.element))
        scale = self.from_bits(whole.subtract(whole.add(self.bits(m), up), self.bits(u)))
        large = self.greater(u, self.const(2.0 ** (self.stored_bits + 2)))
        error = self.where(large, 0.0, self.exact_multiply(error, scale))
        f, rest = self.two_sum(self.exact_subtract(m, one), error)
        return k, f, rest

    @pure()
    def log1p(self, x: Value) -> Value:
        result = self.log_sum(*self.split_one_plus(x, self.const(0.0)))
        result = self.log_domain(self.exact_add(x, self.const(1.0)), result)
        tiny = self.less(self.absolute(x), self.const(2.0 ** (-self.stored_bits - 2)))
        return self.select(tiny, x, result)

    def log_with_rest(self, f: Value, correction: Value) -> tuple[Value, Value]:
        """log(1 + f) + correction as a number and its rest."""
        half_square, rest = self.log_parts(f)
        half = self.exact_multiply(self.const(0.5), f)
        lost = self.fma(half, f, self.negative(half_square))
        high, low = self.fast_two_sum(f, self.negative(half_square))
        return high, self.exact_add(
            self.exact_subtract(low, lost), self.exact_add(rest, correction)
        )

    def scaled_log(
        self, f: Value, correction: Value, factor: tuple[float, float]
    ) -> tuple[Value, Value]:
        """The same, times a factor."""
        high, low = self.log_with_rest(f, correction)
        first, second = self.parts(factor)
        product, error = self.two_product(high, first)
        return product, self.fma(low, first, self.fma(high, second, error))

    @pure()
    def log2(self, x: Value) -> Value:
        m, k = self.split_any_power(x)
        f = self.exact_subtract(m, self.const(1.0))
        product, error = self.scaled_log(f, self.const(0.0), PER_LN2)
        total, rest = self.fast_two_sum(k, product)
        return self.log_domain(x, self.exact_add(total, self.exact_add(rest, error)))

    @pure()
    def log10(self, x: Value) -> Value:
        m, k = self.split_any_power(x)
        f = self.exact_subtract(m, self.const(1.0))
        product, error = self.scaled_log(f, self.const(0.0), PER_LN10)
        first, second = self.parts(LOG10_2)
        power, lost = self.two_product(k, first)
        lost = self.fma(k, second, lost)
        total, rest = self.fast_two_sum(power, product)
        rest = self.exact_add(rest, self.exact_add(lost, error))
        return self.log_domain(x, self.exact_add(total, rest))

    def larger_and_distance(self, a: Value, b: Value) -> tuple[Value, Value]:
        """The larger number and minus the distance, zero of equal infinities; NaN if one is."""
        larger = self.maximum(a, b)
        distance = self.negative(self.absolute(self.exact_subtract(a, b)))
        return larger, self.where(self.equal(a, b), 0.0, distance)

    def sum_from_larger(self, larger: Value, total: Value, rest: Value) -> Value:
        """The sum of three, of which the first two may cancel, or the first be infinite."""
        rounded, error = self.two_sum(larger, total)
        result = self.exact_add(rounded, self.exact_add(error, rest))
        return self.select(self.isnan(result), rounded, result)

    @pure()
    def logaddexp(self, a: Value, b: Value) -> Value:
        """log(eᵃ + eᵇ), within the rounding of the larger argument or of the result."""
        larger, distance = self.larger_and_distance(a, b)
        k, f, rest = self.split_one_plus(self.exp(distance), self.const(0.0))
        high, low = self.log_with_rest(f, rest)
        first, second = LN2[self.element]
        total, rest = self.fast_two_sum(self.exact_multiply(k, self.const(first)), high)
        rest = self.exact_add(rest, self.fma(k, self.const(second), low))
        return self.sum_from_larger(larger, total, rest)

    @pure()
    def logaddexp2(self, a: Value, b: Value) -> Value:
        larger, distance = self.larger_and_distance(a, b)
        k, f, rest = self.split_one_plus(self.exp2(distance), self.const(0.0))
        product, error = self.scaled_log(f, rest, PER_LN2)
        total, rest = self.fast_two_sum(k, product)
        return self.sum_from_larger(larger, total, self.exact_add(rest, error))
