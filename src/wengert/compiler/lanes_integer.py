"""Integers with division, shifts by values, conversion, and the tests that floats have."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.compiler.elementary.base import pure
from wengert.compiler.lanes import IntegerLanes, Value
from wengert.ops.random import GROUPS, PARITY, ROTATIONS

REVERSED = {
    "equal": "equal",
    "not_equal": "not_equal",
    "less": "greater",
    "less_equal": "greater_equal",
    "greater": "less",
    "greater_equal": "less_equal",
}
"""The comparison of b with a."""


class Integers(IntegerLanes):
    """Integers with all functions that have native rules."""

    __slots__ = ()

    @property
    def bits(self) -> int:
        return 8 * self.dtype.itemsize

    # -- conversion

    def convert(self, x: Value, to: Any) -> Value:
        kind = to.dtype.kind
        if kind == "b":
            return self.truth(x)
        if kind == "c":
            return to.join(self.convert(x, to.parts()), to.parts().const(0))
        if kind == "f":
            return self.let(f"{self.letter}itofp {self.type} {x} to {to.type}")
        if to.element == self.element:
            return x
        wider = "sext" if self.letter == "s" else "zext"
        step = wider if to.dtype.itemsize > self.dtype.itemsize else "trunc"
        return self.let(f"{step} {self.type} {x} to {to.type}")

    # -- signs, tests, rounding

    def absolute(self, a: Value) -> Value:
        return self.maximum(a, self.negative(a)) if self.letter == "s" else a

    def sign(self, a: Value) -> Value:
        result = self.minimum(a, self.const(1))
        return self.maximum(result, self.const(-1)) if self.letter == "s" else result

    def isfinite(self, a: Value) -> Value:
        return self.masks().const(True)

    def isnan(self, a: Value) -> Value:
        return self.masks().const(False)

    isinf = isnan
    floor = ceil = trunc = IntegerLanes.positive
    fmax = IntegerLanes.maximum
    fmin = IntegerLanes.minimum

    def compare_mixed(self, name: str, other: Integers, a: Value, b: Value) -> Value:
        """Compares a signed with an unsigned integer of the same size by their values: where the
        signed one is negative it is the smaller one."""
        if self.letter == "u":
            return other.compare_mixed(REVERSED[name], self, b, a)
        masks = self.masks()
        negative = self.less(a, self.const(0))
        as_unsigned = getattr(other, name)(a, b)
        if name in ("less", "less_equal", "not_equal"):
            return masks.logical_or(negative, as_unsigned)
        return masks.logical_and(masks.logical_not(negative), as_unsigned)

    # -- division: of which NumPy says that by zero it is 0

    def _quotient(self, a: Value, b: Value) -> tuple[Value, Value, Value]:
        """a / b towards zero, the rest, and where b is zero. LLVM leaves a / 0 and least / −1
        undefined: there it is a / 1, which is right for the latter, as numbers wrap around."""
        masks = self.masks()
        zero = self.equal(b, self.const(0))
        unsafe = zero
        if self.letter == "s":
            overflow = masks.logical_and(
                self.equal(a, self.const(self.least)), self.equal(b, self.const(-1))
            )
            unsafe = masks.logical_or(zero, overflow)
        b = self.select(unsafe, self.const(1), b)
        quotient = self.op(self.letter + "div", a, b)
        return quotient, self.subtract(a, self.multiply(quotient, b)), zero

    def _passes_floor(self, rest: Value, b: Value) -> Value:
        """Whether truncation is not floor: there is a rest, and its sign is not that of b."""
        signs_differ = self.less(self.bitwise_xor(rest, b), self.const(0))
        return self.masks().logical_and(self.truth(rest), signs_differ)

    def floor_divide(self, a: Value, b: Value) -> Value:
        quotient, rest, zero = self._quotient(a, b)
        if self.letter == "s":
            below = self.subtract(quotient, self.const(1))
            quotient = self.select(self._passes_floor(rest, b), below, quotient)
        return self.select(zero, self.const(0), quotient)

    def remainder(self, a: Value, b: Value) -> Value:
        _, rest, zero = self._quotient(a, b)
        if self.letter == "s":
            rest = self.select(self._passes_floor(rest, b), self.add(rest, b), rest)
        return self.select(zero, self.const(0), rest)

    def fmod(self, a: Value, b: Value) -> Value:
        _, rest, zero = self._quotient(a, b)
        return self.select(zero, self.const(0), rest)

    # -- common divisors and multiples: of the magnitudes, which are unsigned

    def unsigned(self) -> Integers:
        return Integers(self.code, np.dtype(f"u{self.dtype.itemsize}"), self.width)

    @pure()
    def euclid(self, a: Value, b: Value) -> Value:
        """The greatest common divisor of unsigned integers: while b is not zero, a and b become b
        and the rest of a / b."""
        code, zero = self.code, self.const(0)
        code.put("br label %next")
        code.label("next")
        code.put(f"%a = phi {self.type} [ {a}, %entry ], [ %b_or_a, %divide ]")
        code.put(f"%b = phi {self.type} [ {b}, %entry ], [ %rest, %divide ]")
        unfinished = self.truth("%b")
        code.put(f"br i1 {self.masks().any(unfinished)}, label %divide, label %done")
        code.label("divide")
        code.put(f"%b_or_a = select {self.mask} {unfinished}, {self.type} %b, {self.type} %a")
        by = self.select(unfinished, "%b", self.const(1))
        rest = self.op("urem", "%a", by)
        code.put(f"%rest = select {self.mask} {unfinished}, {self.type} {rest}, {self.type} {zero}")
        code.put("br label %next")
        code.label("done")
        return "%a"

    def gcd(self, a: Value, b: Value) -> Value:
        return self.unsigned().euclid(self.absolute(a), self.absolute(b))

    def lcm(self, a: Value, b: Value) -> Value:
        """|a| / gcd(a, b) · |b|; 0 where either is zero."""
        unsigned = self.unsigned()
        a, b = self.absolute(a), self.absolute(b)
        common = unsigned.maximum(unsigned.euclid(a, b), unsigned.const(1))
        return self.multiply(unsigned.op("udiv", a, common), b)

    # -- shifts: by the width or more, and by negative counts, all bits are shifted out

    def _count(self, by: Value) -> tuple[Value, Value]:
        """The count where it is within the width, and where it is."""
        within = self.compare("ult", by, self.const(self.bits))
        return self.select(within, by, self.const(0)), within

    def left_shift(self, a: Value, by: Value) -> Value:
        count, within = self._count(by)
        return self.select(within, self.op("shl", a, count), self.const(0))

    def right_shift(self, a: Value, by: Value) -> Value:
        count, within = self._count(by)
        if self.letter == "u":
            return self.select(within, self.op("lshr", a, count), self.const(0))
        return self.op("ashr", a, self.select(within, count, self.const(self.bits - 1)))

    # -- random bits

    @pure()
    def threefry(self, key: Value, counter: Value) -> Value:
        """The counter-based generator on two words of 32 bits, see `wengert.ops.random`. LLVM
        makes rotations of the shifts where the processor has them."""
        words = Integers(self.code, np.dtype(np.uint32), self.width)

        def halves(x: Value) -> list[Value]:
            upper = self.op("lshr", x, self.const(32))
            return [self.convert(part, words) for part in (upper, x)]

        k0, k1 = halves(key)
        x0, x1 = halves(counter)
        parity = words.bitwise_xor(words.bitwise_xor(k0, k1), words.const(PARITY))
        schedule = (k0, k1, parity)
        x0, x1 = words.add(x0, k0), words.add(x1, k1)
        for group in range(GROUPS):
            for by in ROTATIONS[group % 2]:
                x0 = words.add(x0, x1)
                low = words.op("shl", x1, words.const(by))
                high = words.op("lshr", x1, words.const(32 - by))
                x1 = words.bitwise_xor(words.bitwise_or(low, high), x0)
            x0 = words.add(x0, schedule[(group + 1) % 3])
            x1 = words.add(x1, schedule[(group + 2) % 3])
            x1 = words.add(x1, words.const(group + 1))
        upper = self.op("shl", words.convert(x0, self), self.const(32))
        return self.bitwise_or(upper, words.convert(x1, self))
