"""sin, cos, tan.

With x = k π/2 + r + error: sin r = r + r z S(z) and cos r = 1 − z/2 + z² C(z), z = r². S and C
interpolate at the Chebyshev nodes of the interval (relative errors: 2⁻⁵⁵·⁶ and 2⁻³⁵ for the sine,
2⁻⁶⁰ and 2⁻³⁰ for the cosine). The last sums are left to the caller, so that the tangent has both
with some bits more.
"""

from __future__ import annotations

from wengert.compiler.elementary.base import Coefficients, pure
from wengert.compiler.elementary.reduction import Reduction
from wengert.compiler.lanes import Value

SINE: Coefficients = {
    "double": (
        -0.16666666666666666,
        0.008333333333330925,
        -0.00019841269836722418,
        2.755731608381636e-06,
        -2.5051127944014188e-08,
        1.5917848524808262e-10,
    ),
    "float": (-0.166666667, 0.00833333187, -0.00019840082, 2.72493141e-06),
}
"""S."""

COSINE: Coefficients = {
    "double": (
        0.041666666666666664,
        -0.0013888888888887382,
        2.480158729874307e-05,
        -2.7557317260008837e-07,
        2.0876143827993133e-09,
        -1.1382456778061306e-11,
    ),
    "float": (0.0416666646, -0.00138883007, 2.45474372e-05),
}
"""C."""


class Trigonometric(Reduction):
    """The functions of angles.

    The kernel calls `sincos_parts` itself, not through a function: equal calls become one only
    where they stand.
    """

    __slots__ = ()

    @pure(results=5)
    def sincos_parts(self, x: Value) -> tuple[Value, ...]:
        """sin r and cos r, each as a number and its smaller rest, and k."""
        r, error, shifted = self.quarter_turns(x)
        one = self.const(1.0)
        z = self.exact_multiply(r, r)
        half = self.exact_multiply(z, self.const(0.5))
        near = self.exact_subtract(one, half)
        lost = self.exact_subtract(self.exact_subtract(one, near), half)
        cube = self.exact_multiply(z, r)
        sine = self.fma(cube, self.polynomial(z, SINE), self.exact_multiply(error, near))
        square = self.exact_multiply(z, z)
        cosine = self.fma(square, self.polynomial(z, COSINE), lost)
        cosine = self.fma(self.negative(r), error, cosine)
        return r, sine, near, cosine, shifted

    def sincos(self, x: Value) -> tuple[Value, Value]:
        """Both; what they share is computed once."""
        return self.sin(x), self.cos(x)

    def sin(self, x: Value) -> Value:
        sine, sine_rest, cosine, cosine_rest, shifted = self.sincos_parts(x)
        s = self.exact_add(sine, sine_rest)
        c = self.exact_add(cosine, cosine_rest)
        whole = self.integers()
        k = self.bits(shifted)
        result = self.select(self.is_odd(k), c, s)
        return self.select(
            self.is_tiny(x), x, self.turn(result, whole.bitwise_and(k, whole.const(2)))
        )

    def cos(self, x: Value) -> Value:
        sine, sine_rest, cosine, cosine_rest, shifted = self.sincos_parts(x)
        s = self.exact_add(sine, sine_rest)
        c = self.exact_add(cosine, cosine_rest)
        whole = self.integers()
        k = self.bits(shifted)
        result = self.select(self.is_odd(k), s, c)
        next_quarter = whole.add(k, whole.const(1))
        return self.turn(result, whole.bitwise_and(next_quarter, whole.const(2)))

    def tan(self, x: Value) -> Value:
        """The quotient, with the rests of both parts."""
        sine, sine_rest, cosine, cosine_rest, shifted = self.sincos_parts(x)
        s, s_rest = self.fast_two_sum(sine, sine_rest)
        c, c_rest = self.fast_two_sum(cosine, cosine_rest)
        whole = self.integers()
        k = self.bits(shifted)
        odd = self.is_odd(k)
        above, above_rest = self.select(odd, c, s), self.select(odd, c_rest, s_rest)
        below, below_rest = self.select(odd, s, c), self.select(odd, s_rest, c_rest)
        reciprocal = self.divide(self.const(1.0), below)
        quotient = self.exact_multiply(above, reciprocal)
        minus = self.negative(quotient)
        rest = self.exact_add(
            self.fma(minus, below, above), self.fma(minus, below_rest, above_rest)
        )
        result = self.fma(rest, reciprocal, quotient)
        sign = whole.shift_left(whole.bitwise_and(k, whole.const(1)), 1)
        return self.select(self.is_tiny(x), x, self.turn(result, sign))

    def is_odd(self, k: Value) -> Value:
        whole = self.integers()
        return whole.not_equal(whole.bitwise_and(k, whole.const(1)), whole.const(0))

    def is_tiny(self, x: Value) -> Value:
        """Whether sin x and tan x round to x (zeros keep their signs)."""
        return self.less(self.absolute(x), self.const(2.0 ** (-self.stored_bits // 2 - 1)))

    def turn(self, x: Value, two: Value) -> Value:
        """−x where `two` is 2, x where it is 0."""
        whole = self.integers()
        sign = whole.shift_left(two, 8 * self.dtype.itemsize - 2)
        return self.from_bits(whole.bitwise_xor(self.bits(x), sign))
