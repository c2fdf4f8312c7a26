"""The inverse circular and hyperbolic functions of complex numbers.

W. Kahan, Branch Cuts for Complex Elementary Functions (1987): with s = √(1 − z) and t = √(1 + z),

    arcsin z = arctan(x / Re(s t)) + i arsinh Im(s̄ t)
    arccos z = 2 arctan(Re s / Re t) + i arsinh Im(t̄ s)
    artanh z = log(1 + 4x / |1 − z|²) / 4 + i arg(1 − |z|² + 2iy) / 2

No term of Re(s t) and Im(s̄ t) cancels another. Beyond |z| = 1/ε the functions are their leading
terms at infinity, which also give C99's values at infinities and NaN. The others are these, turned
by a right angle: arsinh z = −i arcsin iz and arctan z = −i artanh iz; arcosh z = ±i arccos z.
"""

from __future__ import annotations

import math

from wengert.compiler.complex_functions import ComplexFunctions
from wengert.compiler.complex_lanes import Pair
from wengert.compiler.lanes import Value


class ComplexInverses(ComplexFunctions):
    """Complex numbers with inverse circular and hyperbolic functions."""

    __slots__ = ()

    # -- what they have in common

    def _is_far(self, z: Pair) -> Value:
        """Whether |z| is beyond 1/ε."""
        p = self.parts()
        size = p.fmax(p.absolute(z[0]), p.absolute(z[1]))
        return p.greater(size, p.const(4 * 2.0**p.stored_bits))

    def _log_of_twice(self, z: Pair) -> Value:
        """log |2z|."""
        return self.parts().exact_add(self._log_of_modulus(*z), self.parts().const(math.log(2)))

    def _roots(self, z: Pair) -> tuple[Pair, Pair]:
        """√(1 − z) and √(1 + z)."""
        p, one = self.parts(), self.parts().const(1)
        below = p.exact_subtract(one, z[0]), p.negative(z[1])
        return self.sqrt(below), self.sqrt((p.exact_add(one, z[0]), z[1]))

    def _arcsin(self, z: Pair) -> Pair:
        p = self.parts()
        x, y = z
        far = self._is_far(z)
        s, t = self._roots(z)
        times = p.exact_multiply
        across = p.exact_subtract(times(s[0], t[0]), times(s[1], t[1]))
        re = p.arctan2(x, p.select(far, p.absolute(y), across))
        im = p.arcsinh(p.exact_subtract(times(s[0], t[1]), times(s[1], t[0])))
        im = p.select(far, p.copysign(self._log_of_twice(z), y), im)
        return p.select(p.equal(x, p.const(0)), x, re), im

    def _arctanh(self, z: Pair) -> Pair:
        p = self.parts()
        x, y = p.absolute(z[0]), z[1]
        one, two, four, zero = p.const(1), p.const(2), p.const(4), p.const(0)
        times, plus, minus = p.exact_multiply, p.exact_add, p.exact_subtract
        left, square = minus(one, x), times(y, y)
        quotient = p.divide(times(four, x), plus(times(left, left), square))
        re = times(p.log1p(quotient), p.const(0.25))
        # beside the pole y² vanishes
        height = p.absolute(y)
        pole = self.masks().logical_and(
            p.equal(x, one), p.less(height, p.const(2.0**-p.stored_bits))
        )
        steep = minus(p.const(math.log(2)), p.log(height))
        re = p.select(pole, times(steep, p.const(0.5)), re)
        im = p.arctan2(times(two, y), minus(times(left, plus(one, x)), square))
        im = times(im, p.const(0.5))
        far = self._is_far(z)
        size = p.hypot(x, y)
        vanishing = p.select(p.isinf(size), zero, p.divide(p.divide(x, size), size))
        re = p.select(p.equal(x, zero), zero, p.select(far, vanishing, re))
        quarter = p.copysign(p.const(math.pi / 2), y)
        for undefined in (y, size):
            quarter = p.select(p.isnan(undefined), undefined, quarter)
        return p.copysign(re, z[0]), p.select(far, quarter, im)

    # -- the functions

    def arcsin(self, z: Pair) -> Pair:
        return self._arcsin(z)

    def arccos(self, z: Pair) -> Pair:
        p = self.parts()
        x, y = z
        far = self._is_far(z)
        s, t = self._roots(z)
        times = p.exact_multiply
        half = p.arctan2(s[0], t[0])
        re = p.select(far, p.arctan2(p.absolute(y), x), p.exact_add(half, half))
        re = p.select(p.equal(x, p.const(0)), p.const(math.pi / 2), re)
        im = p.arcsinh(p.exact_subtract(times(t[0], s[1]), times(t[1], s[0])))
        outward = p.copysign(self._log_of_twice(z), p.negative(y))
        return re, p.select(far, outward, im)

    def arctanh(self, z: Pair) -> Pair:
        return self._arctanh(z)

    def arcsinh(self, z: Pair) -> Pair:
        im, re = self._arcsin((z[1], z[0]))
        return re, im

    def arctan(self, z: Pair) -> Pair:
        im, re = self._arctanh((z[1], z[0]))
        return re, im

    def arccosh(self, z: Pair) -> Pair:
        p = self.parts()
        re, im = self.arccos(z)
        return p.absolute(im), p.copysign(re, z[1])
