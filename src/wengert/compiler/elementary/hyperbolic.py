"""sinh, cosh, tanh, arcsinh, arccosh, arctanh.

With |x| = k ln 2 + r, c = cosh(k ln 2) = (2ᵏ + 2⁻ᵏ)/2 and s = sinh(k ln 2) = (2ᵏ − 2⁻ᵏ)/2:

    sinh |x| = s cosh r + c sinh r,      cosh |x| = c cosh r + s sinh r

where sinh r = r + r z S(z) and cosh r = 1 + z C(z), z = r². tanh is a rational function (a
polynomial in float32) near zero, and 1 − 2/(e²ˣ + 1) beyond. The inverse functions are logarithms
of 1 + v, v being known with its rounding error. All coefficients interpolate at the Chebyshev nodes
of the interval; relative errors at most 2⁻⁵⁷ and 2⁻²⁶.
"""

from __future__ import annotations

import math

from wengert.compiler.elementary.base import Coefficients, pure, through_double
from wengert.compiler.elementary.exponential import TAIL
from wengert.compiler.elementary.logarithmic import Logarithmic
from wengert.compiler.lanes import Value

SINH: Coefficients = {
    "double": (
        0.16666666666666669,
        0.008333333333330062,
        0.00019841269863053618,
        2.7557268459997064e-06,
        2.510038549551032e-08,
    ),
    "float": (0.166666667, 0.00833331093, 0.000198909908),
}
"""S."""

COSH: Coefficients = {
    "double": (
        0.5,
        0.04166666666666668,
        0.0013888888888879073,
        2.4801587336442236e-05,
        2.75572632790885e-07,
        2.0918137737642736e-09,
    ),
    "float": (0.500000001, 0.0416664649, 0.001393365),
}
"""C."""

SINH_LIMIT = {"double": 710.6, "float": 89.5}
"""Beyond all finite results, while 2ᵏ⁻² is a number."""

TANH_BELOW: Coefficients = {
    "double": (
        1.0,
        0.46149635702592257,
        0.023291313171336696,
        0.00020653307162000844,
    ),
    "float": (1.0,),
}
TANH_ABOVE: Coefficients = {
    "double": (-0.3333333333333333, -0.020498785675308686, -0.00019917742187467818),
    "float": (-0.333333289, 0.133327677, -0.0538505966, 0.0209956945, -0.00609455497),
}
"""(tanh(x)/x − 1)/z as a quotient, |x| ≤ 5/8."""

TANH_LIMIT = {"double": 20.0, "float": 10.0}
"""Beyond, tanh rounds to 1."""


class Hyperbolic(Logarithmic):
    """The hyperbolic functions and their inverses."""

    __slots__ = ()

    @pure(results=2)
    def sinhcosh(self, x: Value) -> tuple[Value, Value]:
        size = self.absolute(x)
        r, error, shifted = self.reduce_by_ln2(self.clamp(size, 0.0, SINH_LIMIT[self.element]))
        z = self.exact_multiply(r, r)
        sinh_tail = self.fma(self.exact_multiply(r, z), self.polynomial(z, SINH), error)
        cosh_tail = self.fma(r, error, self.exact_multiply(z, self.polynomial(z, COSH)))
        whole = self.integers()
        k = self.integer(shifted)
        two = whole.const(2)
        up = self.power_of_two(whole.subtract(k, two))
        down = self.power_of_two(whole.subtract(whole.subtract(whole.const(0), k), two))
        seen = whole.less(k, whole.const(2 * self.stored_bits))
        down = self.select(seen, down, self.const(0.0))
        c, c_rest = self.fast_two_sum(up, down)
        s, s_rest = self.fast_two_sum(up, self.negative(down))

        def combine(a: Value, a_rest: Value, b: Value) -> Value:
            """2 ((a + a_rest) cosh r + b sinh r), a being zero or the larger term."""
            product, lost = self.two_product(b, r)
            total, rest = self.fast_two_sum(a, product)
            tail = self.fma(a, cosh_tail, self.fma(b, sinh_tail, a_rest))
            half = self.exact_add(total, self.exact_add(self.exact_add(rest, lost), tail))
            return self.exact_add(half, half)

        tiny = self.less(size, self.const(2.0 ** (-self.stored_bits // 2 - 1)))
        sinh = self.copysign(combine(s, s_rest, c), x)
        return self.select(tiny, x, sinh), combine(c, c_rest, s)

    def sinh(self, x: Value) -> Value:
        return self.sinhcosh(x)[0]

    def cosh(self, x: Value) -> Value:
        return self.sinhcosh(x)[1]

    @pure()
    def tanh(self, x: Value) -> Value:
        size = self.absolute(x)
        near = self.less(size, self.const(0.625))
        z = self.exact_multiply(x, x)
        one = self.const(1.0)
        limit = self.const(TANH_LIMIT[self.element])
        bounded = self.select(self.greater(size, limit), limit, size)
        r, _, shifted = self.reduce_by_ln2(self.exact_add(bounded, bounded))
        tail = self.fma(self.exact_multiply(r, r), self.polynomial(r, TAIL), r)
        power = self.power_of_two(self.integer(shifted))
        exp_plus_one = self.exact_add(self.fma(power, tail, power), one)
        cube = self.exact_multiply(size, z)
        above = self.exact_multiply(cube, self.polynomial(z, TANH_ABOVE))
        quotient = self.divide(
            self.select(near, above, self.const(-2.0)),
            self.select(near, self.polynomial(z, TANH_BELOW), exp_plus_one),
        )
        return self.copysign(self.exact_add(self.select(near, size, one), quotient), x)

    @through_double
    @pure()
    def arcsinh(self, x: Value) -> Value:
        """log(1 + v) with v = a + a²/(1 + √(1 + a²)); log 2a where a² counts alone."""
        a = self.absolute(x)
        one = self.const(1.0)
        square = self.exact_multiply(a, a)
        root = self.sqrt(self.exact_add(square, one))
        v = self.fast_two_sum(a, self.divide(square, self.exact_add(root, one)))
        return self.copysign(self.log1p_or_log_double(a, *v), x)

    @through_double
    @pure()
    def arccosh(self, x: Value) -> Value:
        """log(1 + v) with v = t + √(t² + 2t), t = x − 1; log 2x where x² counts alone."""
        t = self.exact_subtract(x, self.const(1.0))
        root = self.sqrt(self.fma(t, t, self.exact_add(t, t)))
        result = self.log1p_or_log_double(x, *self.fast_two_sum(root, t))
        result = self.select(self.equal(t, self.const(0.0)), t, result)
        return self.where(self.less(x, self.const(1.0)), math.nan, result)

    def log1p_or_log_double(self, a: Value, high: Value, low: Value) -> Value:
        """log(1 + high + low) up to 2³⁰, then log 2a; a where it rounds to a."""
        large = self.greater(a, self.const(2.0**30))
        less = self.exact_subtract(a, self.const(1.0))
        rest = self.exact_subtract(self.exact_subtract(a, less), self.const(1.0))
        more = self.where(large, 1.0, self.const(0.0))
        k, f, rest = self.split_one_plus(
            self.select(large, less, high), self.select(large, rest, low)
        )
        result = self.log_sum(self.exact_add(k, more), f, rest)
        result = self.select(self.equal(a, self.const(math.inf)), a, result)
        return self.select(self.less(a, self.const(2.0**-28)), a, result)

    @through_double
    @pure()
    def arctanh(self, x: Value) -> Value:
        """½ log(1 + 2a/(1 − a)), the quotient with its error."""
        a = self.absolute(x)
        one = self.const(1.0)
        below = self.exact_subtract(one, a)
        below_rest = self.exact_subtract(self.exact_subtract(one, below), a)
        above = self.exact_add(a, a)
        quotient = self.divide(above, below)
        minus = self.negative(quotient)
        rest = self.fma(minus, below_rest, self.fma(minus, below, above))
        log = self.log_sum(*self.split_one_plus(quotient, self.divide(rest, below)))
        result = self.exact_multiply(log, self.const(0.5))
        result = self.where(self.equal(a, one), math.inf, result)
        result = self.where(self.greater(a, one), math.nan, result)
        result = self.select(self.less(a, self.const(2.0**-28)), a, result)
        return self.copysign(result, x)
