"""x = k π/2 + r with |r| ≤ π/4: the arguments of sin, cos and tan.

Moderate x: π/2 is taken in three parts, of which k times the first is subtracted exactly, since
both are multiples of one unit and their difference is small (Cody and Waite, with fused
multiply-adds).

Huge x = m 2ᵉ (M. Payne, R. Hanek): the bits of 2/π that make multiples of four with x are left out,
256 of the bits behind them are multiplied with m in integers, and the fraction of the product is r.
"""

from __future__ import annotations

from functools import cache

from wengert.compiler.elementary.base import Arithmetic, float_bits, pure
from wengert.compiler.lanes import Value

HALF_PI = {
    "double": (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
    "float": (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
}
"""π/2 = the sum of the three, to 163 and 76 bits."""

MODERATE = {"double": 2.0**30, "float": 2.0**13}
"""Up to here the error of three parts is below the rounding of the smallest r."""

TABLE_WORDS = 21
"""2/π after 64 zeros, as far as the largest number needs it."""


@cache
def two_over_pi() -> tuple[int, ...]:
    """The words of 2⁻⁶⁴ 2/π, most significant first; π by Machin's formula."""
    bits = 64 * TABLE_WORDS + 64

    def arctan_of_reciprocal(n: int) -> int:
        term = total = (1 << bits) // n
        k = 1
        while term:
            term //= -n * n
            k += 2
            total += term // k
        return total

    pi = 4 * (4 * arctan_of_reciprocal(5) - arctan_of_reciprocal(239))
    quotient = (2 << (2 * bits)) // pi >> 128
    return tuple(quotient >> 64 * k & (1 << 64) - 1 for k in reversed(range(TABLE_WORDS)))


PAYNE_HANEK = """
define internal {{ double, double, double }} @wengert.payne_hanek(double %x)
    noinline cold memory(none) nounwind willreturn {{
  %bits = bitcast double %x to i64
  %top = lshr i64 %bits, 52
  %exponent = and i64 %top, 2047
  %low = and i64 %bits, 4503599627370495
  %m = or i64 %low, 4503599627370496
  %offset = sub i64 %exponent, 1013
  %word = lshr i64 %offset, 6
  %at0 = getelementptr i64, ptr @wengert.two_over_pi, i64 %word
  %at1 = getelementptr i64, ptr %at0, i64 1
  %at2 = getelementptr i64, ptr %at0, i64 2
  %at3 = getelementptr i64, ptr %at0, i64 3
  %w0 = load i64, ptr %at0
  %w1 = load i64, ptr %at1
  %w2 = load i64, ptr %at2
  %w3 = load i64, ptr %at3
  %v0 = zext i64 %w0 to i256
  %v1 = zext i64 %w1 to i256
  %v2 = zext i64 %w2 to i256
  %v3 = zext i64 %w3 to i256
  %s0 = shl i256 %v0, 192
  %s1 = shl i256 %v1, 128
  %s2 = shl i256 %v2, 64
  %or1 = or i256 %s0, %s1
  %or2 = or i256 %or1, %s2
  %words = or i256 %or2, %v3
  %odd = and i64 %offset, 63
  %by = zext i64 %odd to i256
  %window = shl i256 %words, %by
  %wide = zext i64 %m to i256
  %turns = mul i256 %window, %wide            ; x/2π modulo 1, times 2²⁵⁶
  %half = shl i256 1, 253
  %rounded = add i256 %turns, %half
  %quarter = lshr i256 %rounded, 254
  %whole = shl i256 %quarter, 254
  %rest = sub i256 %turns, %whole             ; of a quarter turn, times 2²⁵⁴
  %below = icmp slt i256 %rest, 0
  %opposite = sub i256 0, %rest
  %size = select i1 %below, i256 %opposite, i256 %rest
  %zeros = call i256 @llvm.ctlz.i256(i256 %size, i1 false)
  %normal = shl i256 %size, %zeros
  %high.256 = lshr i256 %normal, 203
  %low.256 = lshr i256 %normal, 150
  %high.64 = trunc i256 %high.256 to i64
  %low.all = trunc i256 %low.256 to i64
  %low.64 = and i64 %low.all, 9007199254740991
  %high.units = uitofp i64 %high.64 to double
  %low.units = uitofp i64 %low.64 to double
  %zeros.64 = trunc i256 %zeros to i64
  %power = sub i64 972, %zeros.64
  %power.bits = shl i64 %power, 52
  %unit = bitcast i64 %power.bits to double
  %high = fmul double %high.units, %unit
  %low.scaled = fmul double %low.units, %unit
  %low.part = fmul double %low.scaled, {ulp}
  %r = fmul double %high, {half_pi}
  %minus = fneg double %r
  %e1 = call double @llvm.fma.f64(double %high, double {half_pi}, double %minus)
  %e2 = fmul double %low.part, {half_pi}
  %e3 = call double @llvm.fma.f64(double %high, double {half_pi_rest}, double %e2)
  %error = fadd double %e1, %e3
  %negative = icmp slt i64 %bits, 0
  %flip = xor i1 %negative, %below
  %flipped.r = fneg double %r
  %flipped.error = fneg double %error
  %signed.r = select i1 %flip, double %flipped.r, double %r
  %signed.error = select i1 %flip, double %flipped.error, double %error
  %q = trunc i256 %quarter to i64
  %minus.q = sub i64 0, %q
  %signed.q = select i1 %negative, i64 %minus.q, i64 %q
  %quadrant = and i64 %signed.q, 3
  %k.bits = or i64 %quadrant, {shifter}
  %k = bitcast i64 %k.bits to double
  %one = insertvalue {{ double, double, double }} poison, double %signed.r, 0
  %two = insertvalue {{ double, double, double }} %one, double %signed.error, 1
  %all = insertvalue {{ double, double, double }} %two, double %k, 2
  ret {{ double, double, double }} %all
}}"""


class Reduction(Arithmetic):
    """The remainder of an argument by π/2."""

    __slots__ = ()

    @pure(results=3)
    def quarter_turns(self, x: Value) -> tuple[Value, Value, Value]:
        """r, its rounding error, and k modulo 4 as the last bits of a number."""
        first, second, third = HALF_PI[self.element]
        size = self.absolute(x)
        k, shifted = self.nearest(x, 0.6366197723675814)
        exact = self.fma(k, self.const(-first), x)
        by, of_product = self.two_product(k, self.const(second))
        r = self.exact_subtract(exact, by)
        error = self.exact_subtract(self.exact_subtract(exact, r), by)
        error = self.fma(k, self.const(-third), self.exact_subtract(error, of_product))
        huge = self.masks().logical_and(
            self.greater(size, self.const(MODERATE[self.element])),
            self.less(size, self.const(float("inf"))),
        )
        before = self.code.block
        self.code.put(f"br i1 {self.any(huge)}, label %huge, label %done")
        self.code.label("huge")
        moderate = r, error, shifted
        exact_parts = self.huge_quarter_turns(
            self.select(huge, x, self.const(2.0 * MODERATE["double"]))
        )
        chosen = [self.select(huge, a, b) for a, b in zip(exact_parts, moderate, strict=True)]
        self.code.put("br label %done")
        self.code.label("done")
        return tuple(
            self.let(f"phi {self.type} [ {a}, %{before} ], [ {b}, %huge ]")
            for a, b in zip(moderate, chosen, strict=True)
        )

    @pure(results=3, inline="noinline cold")
    def huge_quarter_turns(self, x: Value) -> tuple[Value, Value, Value]:
        """The same for finite arguments that are all huge."""
        if self.element == "float":
            return self._quarter_turns_in_double(x)
        self._declare_payne_hanek()
        if self.width == 1:
            return self._payne_hanek(x)
        return self._lane_by_lane(x)

    def _quarter_turns_in_double(self, x: Value) -> tuple[Value, Value, Value]:
        wide = self.doubles()
        r, error, shifted = wide.quarter_turns(self.to_double(x))
        high = self.from_double(r)
        rest = wide.exact_add(wide.exact_subtract(r, self.to_double(high)), error)
        whole = self.integers()
        last = self.let(f"trunc {wide.integers().type} {wide.bits(shifted)} to {whole.type}")
        last = whole.bitwise_and(last, whole.const(3))
        shifter = whole.const(float_bits(self.shifter, self.element))
        return high, self.from_double(rest), self.from_bits(whole.bitwise_or(last, shifter))

    def _payne_hanek(self, x: Value) -> tuple[Value, Value, Value]:
        result = "{ double, double, double }"
        value = self.code.call("wengert.payne_hanek", result, ("double", x))
        return tuple(self.let(f"extractvalue {result} {value}, {k}") for k in range(3))

    def _lane_by_lane(self, x: Value) -> tuple[Value, Value, Value]:
        """A loop over the lanes, which lie in memory meanwhile."""
        code = self.code
        slots = [code.slot(self.type) for _ in range(4)]
        code.put(f"store {self.type} {x}, ptr {slots[0]}")
        code.put("br label %loop")
        code.label("loop")
        code.put("%i = phi i64 [ 0, %entry ], [ %next, %loop ]")
        places = [self.let(f"getelementptr double, ptr {slot}, i64 %i") for slot in slots]
        results = self._payne_hanek(self.let(f"load double, ptr {places[0]}"))
        for result, place in zip(results, places[1:], strict=True):
            code.put(f"store double {result}, ptr {place}")
        code.put("%next = add i64 %i, 1")
        code.put(f"%more = icmp ult i64 %next, {self.width}")
        code.put("br i1 %more, label %loop, label %end")
        code.label("end")
        return tuple(self.let(f"load {self.type}, ptr {slot}") for slot in slots[1:])

    def _declare_payne_hanek(self) -> None:
        declared = self.code.declared
        if "wengert.payne_hanek" in declared:
            return
        words = ", ".join(f"i64 {word}" for word in two_over_pi())
        declared["wengert.two_over_pi"] = (
            f"@wengert.two_over_pi = internal constant [{TABLE_WORDS} x i64] [{words}]"
        )
        declared.setdefault("llvm.fma.f64", "declare double @llvm.fma.f64(double, double, double)")
        declared["llvm.ctlz.i256"] = "declare i256 @llvm.ctlz.i256(i256, i1)"
        first, second, _ = HALF_PI["double"]
        declared["wengert.payne_hanek"] = PAYNE_HANEK.format(
            half_pi=self.constant(first),
            half_pi_rest=self.constant(second),
            ulp=self.constant(2.0**-53),
            shifter=float_bits(self.shifter, "double"),
        )
