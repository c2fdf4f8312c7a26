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
        larger = self.select(self.greater(a, b), a, b)  # b where either is NaN
        return self.select(self.isnan(b), a, larger)

    def fmin(self, a: Value, b: Value) -> Value:
        smaller = self.select(self.less(a, b), a, b)
        return self.select(self.isnan(b), a, smaller)

    # -- arithmetic

    def reciprocal(self, a: Value) -> Value:
        return self.divide(self.const(1), a)

    def deg2rad(self, a: Value) -> Value:
        return self.exact_multiply(a, self.const(np.pi / 180))

    def rad2deg(self, a: Value) -> Value:
        factor = np.divide(180, np.pi, dtype=self.dtype)  # as NumPy rounds it
        return self.exact_multiply(a, self.const(factor))

    radians = deg2rad
    degrees = rad2deg

    # -- exponents

    def exponent(self, x: Value) -> Value:
        """e of a positive finite x = 2ᵉ·f, 1 ≤ f < 2, as an integer."""
        whole = self.integers()
        tiny = self.less(x, self.const(self.smallest_normal))
        up = self.stored_bits + 1
        scaled = self.select(tiny, self.exact_multiply(x, self.const(2.0**up)), x)
        biased = whole.shift_right_logical(self.bits(scaled), self.stored_bits)
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
        up, down = self.bias, self.stored_bits + 2 - self.bias
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
        ordered = self.compare("ord", x, to)
        return self.select(ordered, result, self.exact_add(x, to))

    # -- division

    @pure()
    def fmod(self, a: Value, b: Value) -> Value:
        """a − b trunc(a / b), exactly: with the sign of a; NaN where a is infinite or b is zero.

        Long division: while x ≥ y, a multiple q·y·2ᵉ is taken from x, with the least e ≥ 0 for
        which x / (y 2ᵉ) has no more bits than the significand. q, that quotient rounded and cut
        off, is right or one too large; then y 2ᵉ is added again. Both steps are exact, as the rest
        is a multiple of the last place of y 2ᵉ, or of x, and not larger than y 2ᵉ.
        """
        whole, label = self.integers(), self.code.label
        defined = self.masks().logical_and(self.isfinite(a), self.truth(b))
        x = self.select(defined, self.absolute(a), self.const(0))
        y = self.select(defined, self.absolute(b), self.const(1))
        bits_of_y = self.exponent(y)
        self.code.put("br label %next")
        label("next")
        left = "%left"
        self.code.put(f"{left} = phi {self.type} [ {x}, %entry ], [ %rest, %divide ]")
        unfinished = self.greater_equal(left, y)
        self.code.put(f"br i1 {self.any(unfinished)}, label %divide, label %done")
        label("divide")
        excess = whole.subtract(self.exponent(left), bits_of_y)
        up = whole.maximum(whole.subtract(excess, whole.const(self.stored_bits)), whole.const(0))
        up = whole.select(unfinished, up, whole.const(0))
        unit = self.scale(y, up)
        quotient = self.trunc(self.divide(left, unit))
        rest = self.fma(self.negative(quotient), unit, left)
        rest = self.select(self.less(rest, self.const(0)), self.exact_add(rest, unit), rest)
        self.code.put(
            f"%rest = select {self.mask} {unfinished}, {self.type} {rest}, {self.type} {left}"
        )
        self.code.put("br label %next")
        label("done")
        nan = self.const(math.nan)
        defined = self.masks().logical_and(defined, self.compare("ord", a, b))
        return self.select(defined, self.copysign(left, a), nan)

    def _floor_rest(self, a: Value, b: Value) -> tuple[Value, Value, Value]:
        """fmod(a, b), whether its sign is not that of b, and the rest of the same sign as b."""
        rest = self.fmod(a, b)
        zero = self.const(0)
        other_sign = self.masks().not_equal(self.less(rest, zero), self.less(b, zero))
        other_sign = self.masks().logical_and(other_sign, self.truth(rest))
        return rest, other_sign, self.select(other_sign, self.exact_add(rest, b), rest)

    def remainder(self, a: Value, b: Value) -> Value:
        """With the sign of b, also where it is zero."""
        rest, _, floored = self._floor_rest(a, b)
        exact = self.masks().logical_and(self.logical_not(rest), self.truth(b))
        return self.select(exact, self.copysign(self.const(0), b), floored)

    def floor_divide(self, a: Value, b: Value) -> Value:
        """The integer next to (a − rest) / b, less one where the rest has the other sign; a / b
        where b is zero."""
        rest, other_sign, _ = self._floor_rest(a, b)
        zero, one = self.const(0), self.const(1)
        quotient = self.divide(self.exact_subtract(a, rest), b)
        quotient = self.select(other_sign, self.exact_subtract(quotient, one), quotient)
        floor = self.floor(quotient)
        low = self.greater(self.exact_subtract(quotient, floor), self.const(0.5))
        floor = self.select(low, self.exact_add(floor, one), floor)
        plain = self.divide(a, b)
        result = self.select(self.equal(quotient, zero), self.copysign(zero, plain), floor)
        return self.select(self.equal(b, zero), plain, result)
