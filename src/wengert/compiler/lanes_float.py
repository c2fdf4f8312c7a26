"""Floating numbers with remainders, neighbours, tests of values, and conversion."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.compiler.elementary import Elementary
from wengert.compiler.elementary.base import pure
from wengert.compiler.lanes import Value
from wengert.compiler.lanes_integer import Integers


class Floats(Elementary):
    """Floating numbers with all functions that have native rules."""

    __slots__ = ()

    # -- conversion

    def convert(self, x: Value, to: Any) -> Value:
        kind = to.dtype.kind
        if kind == "b":
            return self.truth(x)
        if kind == "c":
            return to.join(self.convert(x, to.parts()), to.parts().const(0))
        if kind != "f":
            return self._convert_to_integer(x, to)
        if to.element == self.element:
            return x
        step = "fpext" if to.element == "double" else "fptrunc"
        return self.let(f"{step} {self.type} {x} to {to.type}")

    def _convert_to_integer(self, x: Value, to: Integers) -> Value:
        """Truncation; NaN and what is out of range become what x86 makes of them, which C and LLVM
        leave undefined: the least integer of 32 bits, or of 64 where the result has them or is
        uint32, cut to its size. A uint64 from 2**63 on is converted without its highest bit."""
        wide = to.dtype.itemsize == 8 or to.dtype == np.uint32
        signed = Integers(self.code, np.dtype("i8" if wide else "i4"), self.width)
        bound = self.const(-float(signed.least))
        high = None
        if to.dtype == np.uint64:
            high = self.greater_equal(x, bound)
            x = self.select(high, self.exact_subtract(x, bound), x)
        fits = self.less(self.absolute(x), bound)
        safe = self.select(fits, x, self.const(0))
        whole = self.let(f"fptosi {self.type} {safe} to {signed.type}")
        whole = signed.select(fits, whole, signed.const(signed.least))
        if high is not None:
            flipped = signed.bitwise_xor(whole, signed.const(signed.least))
            whole = signed.select(high, flipped, whole)
        return signed.convert(whole, to)

    # -- tests of values, signs

    def isinf(self, a: Value) -> Value:
        return self.equal(self.absolute(a), self.const(math.inf))

    def isfinite(self, a: Value) -> Value:
        return self.less(self.absolute(a), self.const(math.inf))

    def signbit(self, a: Value) -> Value:
        return self.integers().less(self.bits(a), self.integers().const(0))

    def sign(self, a: Value) -> Value:
        """NaN stays; zeros lose their sign."""
        zero = self.const(0)
        result = self.select(self.equal(a, zero), zero, a)
        result = self.select(self.less(a, zero), self.const(-1), result)
        return self.select(self.greater(a, zero), self.const(1), result)

    def heaviside(self, a: Value, at_zero: Value) -> Value:
        zero = self.const(0)
        result = self.select(self.equal(a, zero), at_zero, a)  # NaN stays
        result = self.select(self.less(a, zero), zero, result)
        return self.select(self.greater(a, zero), self.const(1), result)

    def fmax(self, a: Value, b: Value) -> Value:
        """The other one where either is NaN."""
        larger = self.select(self.compare("ugt", b, a), b, a)  # b where either is NaN
        return self.select(self.isnan(b), a, larger)

    def fmin(self, a: Value, b: Value) -> Value:
        smaller = self.select(self.compare("ult", b, a), b, a)
        return self.select(self.isnan(b), a, smaller)

    # -- arithmetic

    def reciprocal(self, a: Value) -> Value:
        return self.divide(self.const(1), a)

    def deg2rad(self, a: Value) -> Value:
        return self.exact_multiply(a, self.const(np.pi / 180))

    def rad2deg(self, a: Value) -> Value:
        return self.exact_multiply(a, self.const(180 / np.pi))

    radians = deg2rad
    degrees = rad2deg

    # -- exponents

    def exponent(self, x: Value) -> Value:
        """e of a positive finite x = 2ᵉ·f, 1 ≤ f < 2, as an integer."""
        whole = self.integers()
        tiny = self.less(x, self.const(self.smallest_normal))
        up = self.half_bits + 1
        scaled = self.select(tiny, self.exact_multiply(x, self.const(2.0**up)), x)
        biased = whole.shift_right_logical(self.bits(scaled), self.half_bits)
        bias = whole.select(tiny, whole.const(self.bias + up), whole.const(self.bias))
        return whole.subtract(biased, bias)

    def frexp_exponent(self, x: Value, to: Any) -> Value:
        """e of x = 2ᵉ·f, ½ ≤ |f| < 1; 0 of zeros, infinities and NaN."""
        whole = Integers(self.code, self.integers().dtype, self.width)
        size = self.absolute(x)
        regular = self.masks().logical_and(self.isfinite(x), self.truth(x))
        size = self.select(regular, size, self.const(0.5))
        return whole.convert(whole.add(self.exponent(size), whole.const(1)), to)

    def ldexp(self, x: Value, n: Value, of_n: Integers) -> Value:
        """x 2ⁿ, rounded once: factors that are powers of two, of which those but the last leave
        what is large a normal number (the scalbn of musl and FreeBSD does the same)."""
        most = 4 * self.bias
        if of_n.least < -most:  # else every n is within
            n = of_n.maximum(of_n.minimum(n, of_n.const(most)), of_n.const(-most))
        whole = Integers(self.code, self.integers().dtype, self.width)
        n = of_n.convert(n, whole)
        up, down = self.bias, self.half_bits + 2 - self.bias
        for _ in range(2):
            for step, beyond in ((up, whole.greater), (down, whole.less)):
                far = beyond(n, whole.const(up if step > 0 else 1 - self.bias))
                moved = self.exact_multiply(x, self.const(2.0**step))
                x = self.select(far, moved, x)
                n = whole.select(far, whole.subtract(n, whole.const(step)), n)
        n = whole.minimum(whole.maximum(n, whole.const(1 - self.bias)), whole.const(self.bias))
        return self.exact_multiply(x, self.power_of_two(n))

    # -- neighbours: those of the bits, taken as an integer

    def neighbour(self, x: Value, step: int | Value) -> Value:
        """The number that is so many steps away from zero."""
        whole = self.integers()
        by = whole.const(step) if isinstance(step, int) else step
        return self.from_bits(whole.add(self.bits(x), by))

    def spacing(self, x: Value) -> Value:
        """The distance to the neighbour away from zero, with the sign of x; NaN for infinities."""
        size = self.absolute(x)
        distance = self.exact_subtract(self.neighbour(size, 1), size)
        signed = self.select(self.less(x, self.const(0)), self.negative(distance), distance)
        return self.select(self.isnan(x), x, signed)

    def nextafter(self, x: Value, to: Value) -> Value:
        whole = self.integers()
        zero = self.const(0)
        away = self.masks().equal(self.less(x, to), self.greater(x, zero))
        step = whole.select(away, whole.const(1), whole.const(-1))
        smallest = self.copysign(self.from_bits(whole.const(1)), to)
        result = self.select(self.equal(x, zero), smallest, self.neighbour(x, step))
        result = self.select(self.equal(x, to), to, result)
        neither = self.compare("ord", x, to)
        return self.select(neither, result, self.exact_add(x, to))

    # -- division

    @pure()
    def fmod(self, a: Value, b: Value) -> Value:
        """a − b trunc(a / b), exactly: with the sign of a, NaN where a is infinite or b is zero.

        Long division: while x ≥ y, q y 2ᵉ is taken from x, where e ≥ 0 is such that x / (y 2ᵉ) is
        less than 2 to the number of bits of the significand. q = trunc(x / (y 2ᵉ)) is right or,
        rounded up, one too large; then y 2ᵉ is added again. Both steps are exact: the rest is a
        multiple of the last place of y 2ᵉ and no larger than y 2ᵉ.
        """
        code, whole = self.code, self.integers()
        defined = self.masks().logical_and(
            self.isfinite(a), self.less(self.const(0), self.absolute(b))
        )
        x = self.select(defined, self.absolute(a), self.const(0))
        y = self.select(defined, self.absolute(b), self.const(1))
        of_y = self.exponent(self.clamp(y, 0, float(np.finfo(self.dtype).max)))
        code.put("br label %again")
        code.label("again")
        left = f"%left{self.width}"
        code.put(f"{left} = phi {self.type} [ {x}, %entry ], [ %rest, %divide ]")
        more = self.any(self.greater_equal(left, y))
        code.put(f"br i1 {more}, label %divide, label %done")
        code.label("divide")
        larger = self.greater_equal(left, y)
        safe = self.select(larger, left, y)
        up = whole.subtract(
            self.exponent(self.clamp(safe, 0, float(np.finfo(self.dtype).max))), of_y
        )
        up = whole.maximum(whole.subtract(up, whole.const(self.half_bits)), whole.const(0))
        unit = self.scale(y, up)
        quotient = self.trunc(self.divide(safe, unit))
        rest = self.fma(self.negative(quotient), unit, safe)
        rest = self.select(self.less(rest, self.const(0)), self.exact_add(rest, unit), rest)
        code.put(f"%rest = select {self.mask} {larger}, {self.type} {rest}, {self.type} {left}")
        code.put("br label %again")
        code.label("done")
        result = self.copysign(left, a)
        result = self.select(self.compare("ord", result, b), result, self.exact_add(a, b))
        return self.select(defined, result, self.divide(self.const(0), self.const(0)))
