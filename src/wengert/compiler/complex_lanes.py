"""Complex numbers: pairs of floating values, in two registers.

Formulas and special values are NumPy's (its loops, and the C library's functions that C99's annex G
describes). Products are never contracted: z·conj(z) has an imaginary part of zero.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from wengert.compiler.lanes import Lanes, Value
from wengert.compiler.lanes_float import Floats

Pair: TypeAlias = tuple[Value, Value]


class ComplexLanes(Lanes):
    """Complex numbers."""

    __slots__ = ()

    def parts(self) -> Floats:
        """The operations on real and imaginary parts."""
        return Floats(self.code, np.dtype(f"f{self.dtype.itemsize // 2}"), self.width)

    # -- building blocks

    def splat(self, scalar: Pair) -> Pair:
        parts = self.parts()
        return parts.splat(scalar[0]), parts.splat(scalar[1])

    def const(self, value: Any) -> Pair:
        value = complex(value)
        return self.parts().const(value.real), self.parts().const(value.imag)

    def select(self, mask: Value, a: Pair, b: Pair) -> Pair:
        parts = self.parts()
        return parts.select(mask, a[0], b[0]), parts.select(mask, a[1], b[1])

    def convert(self, x: Pair, to: Any) -> Value:
        """Real numbers are made of complex ones by `real`."""
        if to.dtype.kind == "b":
            return self.truth(x)
        parts = self.parts()
        return parts.convert(x[0], to.parts()), parts.convert(x[1], to.parts())

    def join(self, re: Value, im: Value) -> Pair:
        return re, im

    def real(self, z: Pair) -> Value:
        return z[0]

    def imag(self, z: Pair) -> Value:
        return z[1]

    # -- arithmetic

    def add(self, a: Pair, b: Pair) -> Pair:
        parts = self.parts()
        return parts.add(a[0], b[0]), parts.add(a[1], b[1])

    def subtract(self, a: Pair, b: Pair) -> Pair:
        parts = self.parts()
        return parts.subtract(a[0], b[0]), parts.subtract(a[1], b[1])

    def negative(self, z: Pair) -> Pair:
        return self.parts().negative(z[0]), self.parts().negative(z[1])

    def conjugate(self, z: Pair) -> Pair:
        return z[0], self.parts().negative(z[1])

    def multiply(self, a: Pair, b: Pair) -> Pair:
        parts = self.parts()
        times = parts.exact_multiply
        return (
            parts.exact_subtract(times(a[0], b[0]), times(a[1], b[1])),
            parts.exact_add(times(a[0], b[1]), times(a[1], b[0])),
        )

    def divide(self, a: Pair, b: Pair) -> Pair:
        """R. L. Smith's division: by the larger part of b first."""
        p = self.parts()
        times, plus, minus = p.exact_multiply, p.exact_add, p.exact_subtract
        wide = p.greater_equal(p.absolute(b[0]), p.absolute(b[1]))
        larger, smaller = p.select(wide, b[0], b[1]), p.select(wide, b[1], b[0])
        ratio = p.divide(smaller, larger)
        factor = p.divide(p.const(1), plus(larger, times(smaller, ratio)))
        first, second = p.select(wide, a[0], a[1]), p.select(wide, a[1], a[0])
        re = times(plus(first, times(second, ratio)), factor)
        turned = times(first, ratio)
        im = minus(p.select(wide, a[1], turned), p.select(wide, turned, a[0]))
        zero = p.absolute(b[0])
        by_zero = self.logical_not(b)
        return self.select(
            by_zero, (p.divide(a[0], zero), p.divide(a[1], zero)), (re, times(im, factor))
        )

    def reciprocal(self, z: Pair) -> Pair:
        p = self.parts()
        wide = p.less_equal(p.absolute(z[1]), p.absolute(z[0]))
        larger, smaller = p.select(wide, z[0], z[1]), p.select(wide, z[1], z[0])
        ratio = p.divide(smaller, larger)
        by = p.exact_add(larger, p.exact_multiply(smaller, ratio))
        one, other = p.divide(p.const(1), by), p.divide(ratio, by)
        return p.select(wide, one, other), p.negative(p.select(wide, other, one))

    def absolute(self, z: Pair) -> Value:
        return self.parts().hypot(*z)

    def sign(self, z: Pair) -> Pair:
        """z / |z|, and 0 at 0; where |z| is infinite, or overflows, a unit along an axis."""
        p = self.parts()
        size, zero, one = self.absolute(z), p.const(0), p.const(1)
        regular = self.select(
            self.truth(z), (p.divide(z[0], size), p.divide(z[1], size)), self.const(0)
        )
        along = p.isinf(z[0])
        re = p.select(along, p.copysign(one, z[0]), zero)
        im = p.select(along, zero, p.copysign(one, z[1]))
        both = self.masks().logical_and(along, p.isinf(z[1]))
        unit = self.select(both, self.const(complex(np.nan, np.nan)), (re, im))
        return self.select(p.isinf(size), unit, regular)

    # -- comparison: the order is lexicographic

    def equal(self, a: Pair, b: Pair) -> Value:
        parts, masks = self.parts(), self.masks()
        return masks.logical_and(parts.equal(a[0], b[0]), parts.equal(a[1], b[1]))

    def not_equal(self, a: Pair, b: Pair) -> Value:
        return self.masks().logical_not(self.equal(a, b))

    def _ordered(self, strict: str, by_imag: str, a: Pair, b: Pair) -> Value:
        """By the real parts where the imaginary ones are numbers; by the latter in a tie."""
        parts, masks = self.parts(), self.masks()
        first = masks.logical_and(
            getattr(parts, strict)(a[0], b[0]), parts.compare("ord", a[1], b[1])
        )
        tie = masks.logical_and(parts.equal(a[0], b[0]), getattr(parts, by_imag)(a[1], b[1]))
        return masks.logical_or(first, tie)

    def less(self, a: Pair, b: Pair) -> Value:
        return self._ordered("less", "less", a, b)

    def less_equal(self, a: Pair, b: Pair) -> Value:
        return self._ordered("less", "less_equal", a, b)

    def greater(self, a: Pair, b: Pair) -> Value:
        return self._ordered("greater", "greater", a, b)

    def greater_equal(self, a: Pair, b: Pair) -> Value:
        return self._ordered("greater", "greater_equal", a, b)

    def maximum(self, a: Pair, b: Pair) -> Pair:
        """The first one that has a NaN, where any has."""
        first = self.masks().logical_or(self.greater_equal(a, b), self.isnan(a))
        return self.select(first, a, b)

    def minimum(self, a: Pair, b: Pair) -> Pair:
        first = self.masks().logical_or(self.less_equal(a, b), self.isnan(a))
        return self.select(first, a, b)

    def fmax(self, a: Pair, b: Pair) -> Pair:
        """The other one where either has a NaN."""
        first = self.masks().logical_or(self.greater_equal(a, b), self.isnan(b))
        return self.select(first, a, b)

    def fmin(self, a: Pair, b: Pair) -> Pair:
        first = self.masks().logical_or(self.less_equal(a, b), self.isnan(b))
        return self.select(first, a, b)

    def rint(self, z: Pair) -> Pair:
        return self.parts().rint(z[0]), self.parts().rint(z[1])

    def isnan(self, z: Pair) -> Value:
        return self.parts().compare("uno", z[0], z[1])

    def isinf(self, z: Pair) -> Value:
        return self.masks().logical_or(self.parts().isinf(z[0]), self.parts().isinf(z[1]))

    def isfinite(self, z: Pair) -> Value:
        return self.masks().logical_and(self.parts().isfinite(z[0]), self.parts().isfinite(z[1]))
