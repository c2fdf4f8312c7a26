"""cbrt and hypot."""

from __future__ import annotations

import math

from wengert.compiler.elementary.base import pure, through_double
from wengert.compiler.elementary.logarithmic import Logarithmic
from wengert.compiler.lanes import Value

RECIPROCAL_ROOT = (
    1.8703181530987938,
    -1.8451218112597738,
    1.5368872650826355,
    -0.6868349195182568,
    0.12472299301851394,
)
"""m^(−1/3) between √½ and √2, interpolated at the Chebyshev nodes: relative error 2⁻¹⁴."""


class Roots(Logarithmic):
    """Roots that are no instruction."""

    __slots__ = ()

    @pure()
    def cbrt(self, x: Value) -> Value:
        """x = 2^(3q) n. One step of E. Halley's method for y = n^(−1/3), which needs no division;
        then one of Newton's for n y² = ∛n, whose residual n − t³ is exact."""
        size = self.absolute(x)
        m, k = self.split_any_power(size)
        q, shifted = self.nearest(k, 1.0 / 3.0)
        rest = self.fma(q, self.const(-3.0), k)
        one = self.const(1.0)
        up, down = self.equal(rest, one), self.equal(rest, self.const(-1.0))
        n = self.exact_multiply(m, self.where(up, 2.0, self.where(down, 0.5, one)))
        root = self.where(up, 2.0 ** (-1.0 / 3.0), self.where(down, 2.0 ** (1.0 / 3.0), one))
        y = self.exact_multiply(root, self.polynomial(m, RECIPROCAL_ROOT))
        square = self.exact_multiply(y, y)
        error = self.fma(self.negative(self.exact_multiply(n, y)), square, one)
        step = self.polynomial(error, (1.0 / 3.0, 2.0 / 9.0))
        y = self.fma(self.exact_multiply(y, error), step, y)
        square = self.exact_multiply(y, y)
        t = self.exact_multiply(n, square)
        t_square, lost = self.two_product(t, t)
        residual = self.fma(self.negative(t_square), t, n)
        residual = self.fma(self.negative(lost), t, residual)
        third = self.exact_multiply(square, self.const(1.0 / 3.0))
        t = self.fma(residual, third, t)
        result = self.exact_multiply(t, self.power_of_two(self.integer(shifted)))
        finite = self.masks().logical_and(
            self.greater(size, self.const(0.0)), self.less(size, self.const(math.inf))
        )
        return self.select(finite, self.copysign(result, x), x)

    @through_double
    @pure()
    def hypot(self, x: Value, y: Value) -> Value:
        """With both scaled where the squares would overflow or vanish."""
        x, y = self.absolute(x), self.absolute(y)
        swap = self.less(x, y)
        larger, smaller = self.select(swap, y, x), self.select(swap, x, y)
        huge = self.greater(larger, self.const(2.0**500))
        small = self.less(larger, self.const(2.0**-400))
        one = self.const(1.0)
        scale = self.where(huge, 2.0**-600, self.where(small, 2.0**600, one))
        back = self.where(huge, 2.0**600, self.where(small, 2.0**-600, one))
        a, b = self.exact_multiply(larger, scale), self.exact_multiply(smaller, scale)
        root = self.sqrt(self.fma(a, a, self.exact_multiply(b, b)))
        infinity = self.const(math.inf)
        infinite = self.masks().logical_or(self.equal(x, infinity), self.equal(y, infinity))
        return self.where(infinite, math.inf, self.exact_multiply(root, back))
