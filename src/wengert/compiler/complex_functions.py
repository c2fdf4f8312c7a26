"""The elementary functions of complex numbers, through those of their parts.

The formulas are the addition theorems, arranged so that the error is small against the modulus of
the result and no intermediate result overflows; the values at infinities, NaN and signed zeros are
those of C99's annex G, and of glibc where that leaves signs open.
"""

from __future__ import annotations

import math

from wengert.compiler.complex_lanes import ComplexLanes, Pair
from wengert.compiler.lanes import Value

FAR = {"double": (600.0, 400.0), "float": (60.0, 55.0)}
"""Beyond the first, eˣ is eʰ·e^(x−2h)·eʰ with the second as h: it may overflow where its product
with a sine does not."""

FAR_FROM_ZERO = {
    "double": ((700.0, 340.0), (800.0, 380.0)),
    "float": ((85.0, 37.5), (120.0, 54.0)),
}
"""The same of sinh x and cosh x, where x − 2h must not be small."""

TANH_LIMIT = {"double": 20.0, "float": 10.0}
"""Beyond, sinh² + cos² is e^(2|x|)/4 in the format."""


class ComplexFunctions(ComplexLanes):
    """Complex numbers with exponential, logarithmic, circular and hyperbolic functions."""

    __slots__ = ()

    # -- exponential

    def _times_exp(self, x: Value, factors: Pair) -> Pair:
        """eˣ times each factor."""
        p = self.parts()
        limit, moved = FAR[p.element]
        far = p.greater(x, p.const(limit))
        power = p.exp(p.select(far, p.exact_subtract(x, p.const(2 * moved)), x))
        back = p.where(far, math.exp(moved), p.const(1))
        times = p.exact_multiply
        first, second = (times(times(times(factor, back), power), back) for factor in factors)
        return first, second

    def exp(self, z: Pair) -> Pair:
        """eˣ cos y + i eˣ sin y."""
        p, masks = self.parts(), self.masks()
        x, y = z
        sine, cosine = p.sincos(y)
        re, im = self._times_exp(x, (cosine, sine))
        zero = p.const(0)
        im = p.select(p.equal(y, zero), y, im)
        turns = masks.logical_not(p.isfinite(y))
        re = p.where(masks.logical_and(turns, p.equal(x, p.const(math.inf))), math.inf, re)
        vanishes = masks.logical_and(turns, p.equal(x, p.const(-math.inf)))
        return self.select(vanishes, (zero, p.copysign(zero, y)), (re, im))

    def exp2(self, z: Pair) -> Pair:
        return self.exp(self._scaled(z, math.log(2)))

    def expm1(self, z: Pair) -> Pair:
        """(eˣ − 1) cos y − 2 sin²(y/2) + i eˣ sin y."""
        p = self.parts()
        x, y = z
        half = p.sin(p.exact_multiply(y, p.const(0.5)))
        square = p.exact_multiply(half, half)
        sine, cosine = p.sincos(y)
        re = p.exact_subtract(p.exact_multiply(p.expm1(x), cosine), p.exact_add(square, square))
        return re, p.exact_multiply(p.exp(x), sine)

    # -- logarithms

    def _log_of_modulus(self, x: Value, y: Value) -> Value:
        """log |x + iy|: as log1p(|z|² − 1)/2 near the unit circle, where the error is small against
        log |z| or against the angle; scaled where |z| overflows or has lost digits."""
        p = self.parts()
        x, y = p.absolute(x), p.absolute(y)
        larger, smaller = p.fmax(x, y), p.fmin(x, y)
        one = p.const(1)
        above = p.exact_multiply(p.exact_subtract(larger, one), p.exact_add(larger, one))
        excess = p.fma(smaller, smaller, above)
        near = self.masks().logical_and(p.greater(larger, p.const(0.5)), p.less(larger, p.const(2)))
        beside = p.exact_multiply(p.log1p(p.select(near, excess, p.const(0))), p.const(0.5))
        huge = p.greater(larger, p.const(2.0 ** (p.bias - 1)))
        small = p.less(larger, p.const(p.smallest_normal * 2.0**p.stored_bits))
        up = 2.0 ** (2 * p.stored_bits)
        scale = p.where(huge, 0.5, p.where(small, up, one))
        back = p.where(huge, math.log(2), p.where(small, -math.log(up), p.const(0)))
        modulus = p.hypot(p.exact_multiply(x, scale), p.exact_multiply(y, scale))
        defined = p.compare("ord", x, y)
        near = self.masks().logical_and(near, defined)
        return p.select(near, beside, p.exact_add(p.log(modulus), back))

    def log(self, z: Pair) -> Pair:
        return self._log_of_modulus(*z), self.parts().arctan2(z[1], z[0])

    def log1p(self, z: Pair) -> Pair:
        """Near zero |1 + z|² − 1 = x (x + 2) + y²."""
        p = self.parts()
        x, y = z
        moved = p.exact_add(x, p.const(1))
        half = p.const(0.5)
        near = self.masks().logical_and(p.less(p.absolute(x), half), p.less(p.absolute(y), half))
        excess = p.fma(y, y, p.exact_multiply(x, p.exact_add(x, p.const(2))))
        beside = p.exact_multiply(p.log1p(p.select(near, excess, p.const(0))), half)
        return p.select(near, beside, self._log_of_modulus(moved, y)), p.arctan2(y, moved)

    def log2(self, z: Pair) -> Pair:
        return self._scaled(self.log(z), 1 / math.log(2))

    def log10(self, z: Pair) -> Pair:
        return self._scaled(self.log(z), 1 / math.log(10))

    def _scaled(self, z: Pair, factor: float) -> Pair:
        p = self.parts()
        return p.exact_multiply(z[0], p.const(factor)), p.exact_multiply(z[1], p.const(factor))

    # -- square root

    def sqrt(self, z: Pair) -> Pair:
        """t = √((|x| + |z|)/2) is the larger part, |y|/(2t) the other; scaled by a power of four
        where |z| overflows or has lost digits."""
        p = self.parts()
        size = p.fmax(p.absolute(z[0]), p.absolute(z[1]))
        huge = p.greater(size, p.const(2.0 ** (p.bias - 2)))
        small = p.less(size, p.const(p.smallest_normal * 2.0**p.stored_bits))
        up = 2.0 ** (p.stored_bits + 1)
        one, two, zero = p.const(1), p.const(2), p.const(0)
        scale = p.where(huge, 0.0625, p.where(small, up * up, one))
        back = p.where(huge, 4.0, p.where(small, 1 / up, one))
        x, y = p.exact_multiply(z[0], scale), p.exact_multiply(z[1], scale)
        total = p.exact_add(p.absolute(x), p.hypot(x, y))
        t = p.sqrt(p.exact_multiply(total, p.const(0.5)))
        other = p.divide(y, p.exact_multiply(t, two))
        t, other = p.exact_multiply(t, back), p.exact_multiply(other, back)
        left = p.less(x, zero)
        re = p.select(left, p.absolute(other), t)
        im = p.select(left, p.copysign(t, y), other)
        re, im = self.select(self.truth(z), (re, im), (zero, z[1]))
        infinite = p.isinf(z[1])
        return p.where(infinite, math.inf, re), p.select(infinite, z[1], im)

    # -- hyperbolic and circular functions: f(ix) = i g(x) exchanges the parts

    def _hyperbolic(self, h: Value) -> tuple[Value, Value, Value]:
        """sinh h, cosh h and a factor that both lack twice, so that they do not overflow."""
        p = self.parts()
        size = p.absolute(h)
        moved, back = p.const(0), p.const(1)
        for limit, step in FAR_FROM_ZERO[p.element]:
            far = p.greater(size, p.const(limit))
            moved, back = p.where(far, 2 * step, moved), p.where(far, math.exp(step), back)
        sinh, cosh = p.sinhcosh(p.exact_subtract(size, moved))
        return p.copysign(sinh, h), cosh, back

    def _sinh(self, h: Value, t: Value) -> Pair:
        """sinh h cos t, cosh h sin t."""
        p, masks = self.parts(), self.masks()
        sinh, cosh, back = self._hyperbolic(h)
        sine, cosine = p.sincos(t)
        times = p.exact_multiply
        first = times(times(times(cosine, back), sinh), back)
        second = times(times(times(sine, back), cosh), back)
        zero = p.const(0)
        turns = masks.logical_not(p.isfinite(t))
        first = p.select(masks.logical_and(turns, p.equal(h, zero)), h, first)
        first = p.where(masks.logical_and(turns, p.isinf(h)), math.inf, first)
        return first, p.select(p.equal(t, zero), t, second)

    def _cosh(self, h: Value, t: Value) -> Pair:
        """cosh h cos t, sinh h sin t."""
        p, masks = self.parts(), self.masks()
        sinh, cosh, back = self._hyperbolic(h)
        sine, cosine = p.sincos(t)
        times = p.exact_multiply
        first = times(times(times(cosine, back), cosh), back)
        second = times(times(times(sine, back), sinh), back)
        zero = p.const(0)
        turns = masks.logical_not(p.isfinite(t))
        first = p.where(masks.logical_and(turns, p.isinf(h)), math.inf, first)
        second = p.where(masks.logical_and(turns, p.equal(h, zero)), 0.0, second)
        signed = p.select(p.less(p.copysign(p.const(1), h), zero), p.negative(t), t)
        signed = p.select(p.isnan(h), t, signed)
        return first, p.select(p.equal(t, zero), signed, second)

    def _tanh(self, h: Value, t: Value) -> Pair:
        """sinh h cosh h / d and sin t cos t / d, where d = sinh² h + cos² t."""
        p, masks = self.parts(), self.masks()
        size = p.absolute(h)
        limit = p.const(TANH_LIMIT[p.element])
        far = p.greater(size, limit)
        sinh, cosh = p.sinhcosh(p.select(far, limit, size))
        sine, cosine = p.sincos(t)
        by = p.fma(sinh, sinh, p.exact_multiply(cosine, cosine))
        turned = p.exact_multiply(sine, cosine)
        first = p.divide(p.exact_multiply(sinh, cosh), by)
        second = p.divide(turned, by)
        small = p.exact_multiply(p.const(4), p.exp(p.exact_multiply(p.const(-2), size)))
        first = p.copysign(p.where(far, 1.0, first), h)
        second = p.select(far, p.exact_multiply(turned, small), second)
        zero = p.const(0)
        turns = masks.logical_not(p.isfinite(t))
        infinite = p.isinf(h)
        undefined = masks.logical_and(turns, masks.logical_not(infinite))
        first = p.where(undefined, math.nan, first)
        first = p.select(masks.logical_and(turns, p.equal(h, zero)), h, first)
        second = p.select(masks.logical_and(turns, infinite), p.copysign(zero, t), second)
        return first, p.select(p.equal(t, zero), t, second)

    def sinh(self, z: Pair) -> Pair:
        return self._sinh(*z)

    def cosh(self, z: Pair) -> Pair:
        return self._cosh(*z)

    def tanh(self, z: Pair) -> Pair:
        return self._tanh(*z)

    def sin(self, z: Pair) -> Pair:
        im, re = self._sinh(z[1], z[0])
        return re, im

    def cos(self, z: Pair) -> Pair:
        return self._cosh(self.parts().negative(z[1]), z[0])

    def tan(self, z: Pair) -> Pair:
        im, re = self._tanh(z[1], z[0])
        return re, im
