"""arcsin, arccos, arctan, arctan2.

Each is a multiple of π/4 and a small rest: arctan t = t + t z A(z) for |t| ≤ tan π/8, and
arcsin s = s + s z B(z) for |s| ≤ ½, z being the square. A and B interpolate at the Chebyshev nodes
of the interval (relative errors 2⁻⁵⁷). Larger arguments:

    arctan q = π/4 + arctan (q − 1)/(q + 1) = π/2 − arctan 1/q
    arcsin x = π/2 − 2 arcsin √((1 − x)/2)
"""

from __future__ import annotations

import math

from wengert.compiler.elementary.base import Arithmetic, pure, through_double
from wengert.compiler.lanes import Value

ARCTAN = (
    -0.3333333333333333,
    0.19999999999995438,
    -0.1428571428464918,
    0.1111111101386139,
    -0.09090904521500148,
    0.07692181876696624,
    -0.06664492955081326,
    0.058579884306572266,
    -0.05084610777582189,
    0.0392074453205456,
    -0.01914726376323698,
)
"""A."""

ARCSIN = (
    0.16666666666666669,
    0.07499999999998415,
    0.04464285714639142,
    0.03038194413563282,
    0.022372173062100795,
    0.01735238980570733,
    0.013971257700218363,
    0.011478727335132069,
    0.010325825844686153,
    0.005444236358400044,
    0.01743786618606299,
    -0.014910967384172082,
    0.028799050522138873,
)
"""B."""

QUARTERS = (
    (0.0, 0.0),
    (0.7853981633974483, 3.061616997868383e-17),
    (1.5707963267948966, 6.123233995736766e-17),
    (2.356194490192345, 9.184850993605148e-17),
    (3.141592653589793, 1.2246467991473532e-16),
)
"""The multiples of π/4, each as a number and its rest."""

BEND = math.tan(math.pi / 8)


class InverseTrigonometric(Arithmetic):
    """The angles of given sines, cosines and tangents."""

    __slots__ = ()

    def quarter(self, count: int) -> tuple[Value, Value]:
        high, low = QUARTERS[count]
        return self.const(high), self.const(low)

    def select_pair(
        self, mask: Value, a: tuple[Value, Value], b: tuple[Value, Value]
    ) -> tuple[Value, Value]:
        return self.select(mask, a[0], b[0]), self.select(mask, a[1], b[1])

    def sum_angle(self, base: tuple[Value, Value], t: Value, tail: Value) -> Value:
        """base + t + tail, where the base is zero or larger than t."""
        total, rest = self.fast_two_sum(base[0], t)
        return self.exact_add(total, self.exact_add(self.exact_add(rest, base[1]), tail))

    def arctan_of_quotient(self, y: Value, x: Value, left: Value) -> Value:
        """The angle of the point (x, y), or of (−x, y) in the lanes `left`, for x, y ≥ 0 whose sum
        is a number."""
        low = self.less(y, self.exact_multiply(x, self.const(BEND)))
        high = self.less(x, self.exact_multiply(y, self.const(BEND)))
        above = self.select(high, self.negative(x), self.exact_subtract(y, x))
        below = self.select(high, y, self.exact_add(y, x))
        t = self.divide(self.select(low, y, above), self.select(low, x, below))
        t = self.select(left, self.negative(t), t)
        outer = self.select_pair(left, self.quarter(4), self.quarter(0))
        diagonal = self.select_pair(left, self.quarter(3), self.quarter(1))
        inner = self.select_pair(high, self.quarter(2), diagonal)
        z = self.exact_multiply(t, t)
        tail = self.exact_multiply(self.exact_multiply(t, z), self.polynomial(z, ARCTAN))
        return self.sum_angle(self.select_pair(low, outer, inner), t, tail)

    @through_double
    @pure()
    def arctan(self, x: Value) -> Value:
        right = self.masks().const(False)
        result = self.arctan_of_quotient(self.absolute(x), self.const(1.0), right)
        return self.copysign(result, x)

    @through_double
    @pure()
    def arctan2(self, y: Value, x: Value) -> Value:
        """With both scaled where their sum would overflow or the smaller one lacks bits."""
        one = self.const(1.0)
        across, up = self.absolute(x), self.absolute(y)
        larger = self.select(self.greater(up, across), up, across)
        scale = self.where(self.greater(larger, self.const(2.0**1022)), 0.5, one)
        scale = self.where(self.less(larger, self.const(2.0**-900)), 2.0**110, scale)
        infinity = self.const(math.inf)
        alike = self.masks().logical_and(self.equal(up, infinity), self.equal(across, infinity))
        origin = self.equal(larger, self.const(0.0))
        across = self.select(
            self.masks().logical_or(alike, origin), one, self.exact_multiply(across, scale)
        )
        up = self.select(alike, one, self.exact_multiply(up, scale))
        whole = self.integers()
        left = whole.less(self.bits(x), whole.const(0))
        return self.copysign(self.arctan_of_quotient(up, across, left), y)

    def arcsin_root(self, x: Value) -> tuple[Value, Value, Value]:
        """Whether |x| < ½; the s of which the arc sine is taken, and s³ B(s²)."""
        size = self.absolute(x)
        half = self.const(0.5)
        near = self.less(size, half)
        rest = self.exact_multiply(self.exact_subtract(self.const(1.0), size), half)
        z = self.select(near, self.exact_multiply(x, x), rest)
        s = self.select(near, size, self.sqrt(rest))
        return near, s, self.exact_multiply(self.exact_multiply(s, z), self.polynomial(z, ARCSIN))

    @through_double
    @pure()
    def arcsin(self, x: Value) -> Value:
        near, s, tail = self.arcsin_root(x)
        minus_two = self.const(-2.0)
        t = self.select(near, s, self.exact_multiply(s, minus_two))
        tail = self.select(near, tail, self.exact_multiply(tail, minus_two))
        base = self.select_pair(near, self.quarter(0), self.quarter(2))
        return self.copysign(self.sum_angle(base, t, tail), x)

    @through_double
    @pure()
    def arccos(self, x: Value) -> Value:
        """π/2 − arcsin x near zero; else 2 arcsin √((1 − |x|)/2), or what it lacks of π."""
        near, s, tail = self.arcsin_root(x)
        negative = self.less(x, self.const(0.0))
        factor = self.where(near, -1.0, self.const(2.0))
        factor = self.select(negative, self.negative(factor), factor)
        outer = self.select_pair(negative, self.quarter(4), self.quarter(0))
        base = self.select_pair(near, self.quarter(2), outer)
        return self.sum_angle(
            base, self.exact_multiply(s, factor), self.exact_multiply(tail, factor)
        )
