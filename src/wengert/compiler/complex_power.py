"""Powers of complex numbers, with NumPy's cases.

    aⁿ for a whole |n| < 100 and no imaginary part: products, by squaring
    0ᵇ: 0 where Re b > 0, 1 where b = 0, NaN elsewhere
    e^(b log a) elsewhere, as the C library computes it

The error of the first grows with n, that of the last with |b log a|, in NumPy and here.
"""

from __future__ import annotations

import math

from wengert.compiler.complex_inverse import ComplexInverses
from wengert.compiler.complex_lanes import Pair
from wengert.compiler.lanes import Value
from wengert.compiler.lanes_integer import Integers

BITS = 7
"""Of the exponents for which powers are products."""
MOST = 100.0
"""The bound of these exponents."""


class Complexes(ComplexInverses):
    """Complex numbers with all functions that have native rules."""

    __slots__ = ()

    def power(self, a: Pair, b: Pair) -> Pair:
        p, masks = self.parts(), self.masks()
        re, im = b
        zero = p.const(0)
        real = p.equal(im, zero)
        whole = masks.logical_and(p.less(p.absolute(re), p.const(MOST)), p.equal(p.trunc(re), re))
        whole = masks.logical_and(real, whole)
        by_products = self._whole_power(a, p.select(whole, re, zero))
        result = self.select(whole, by_products, self.exp(self._product(b, self.log(a))))
        undefined = self.const(complex(math.nan, math.nan))
        of_zero = self.select(p.greater(re, zero), self.const(0), undefined)
        result = self.select(self.truth(a), result, of_zero)
        return self.select(self.truth(b), result, self.const(1))

    def _whole_power(self, a: Pair, n: Value) -> Pair:
        """aⁿ; the powers from 1 to 3 without the factor 1, which makes NaN of infinities."""
        p = self.parts()
        count = Integers(self.code, p.integers().dtype, self.width)
        size = p.convert(p.absolute(n), count)
        result, factor = self.const(1), a
        for bit in range(BITS):
            if bit:
                factor = self.multiply(factor, factor)
            taken = count.truth(count.bitwise_and(size, count.const(1 << bit)))
            result = self.select(taken, self.multiply(result, factor), result)
        result = self.select(p.less(n, p.const(0)), self.divide(self.const(1), result), result)
        square = self.multiply(a, a)
        for k, power in ((1, a), (2, square), (3, self.multiply(a, square))):
            result = self.select(p.equal(n, p.const(k)), power, result)
        return result

    def _product(self, a: Pair, b: Pair) -> Pair:
        """The product of C: infinite where a factor is, though parts of it are NaN (C99, annex
        G.5.1)."""
        p, masks = self.parts(), self.masks()
        re, im = self.multiply(a, b)
        lost = masks.logical_and(p.isnan(re), p.isnan(im))
        first = self.isinf(a)
        a, b = self._box(first, a), self._without_nan(first, b)
        second = self.isinf(b)
        a, b = self._without_nan(second, a), self._box(second, b)
        again = self.multiply(a, b)
        infinite = p.const(math.inf)
        again = p.exact_multiply(infinite, again[0]), p.exact_multiply(infinite, again[1])
        lost = masks.logical_and(lost, masks.logical_or(first, second))
        return self.select(lost, again, (re, im))

    def _box(self, mask: Value, z: Pair) -> Pair:
        """Where the mask holds, 1 for infinite parts and 0 for others, with their signs."""
        p = self.parts()
        boxed = [p.copysign(p.where(p.isinf(x), 1.0, p.const(0)), x) for x in z]
        return self.select(mask, (boxed[0], boxed[1]), z)

    def _without_nan(self, mask: Value, z: Pair) -> Pair:
        """Where the mask holds, 0 for NaN, with its sign."""
        p = self.parts()
        numbers = [p.select(p.isnan(x), p.copysign(p.const(0), x), x) for x in z]
        return self.select(mask, (numbers[0], numbers[1]), z)
