"""What the elementary functions are written with.

    @pure()              makes a method a function of the module, without effects
    @through_double      computes float32 in float64
    polynomial           by Horner's scheme, in two halves
    nearest              the nearest integer, as a number and as bits
    fast_two_sum, two_sum, two_product     a result and its rounding error, exactly

A function is written once for float64 and float32 where its error bounds do not depend on the
format; the coefficients stand above it under the LLVM names of the formats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from wengert.compiler.code import Code
from wengert.compiler.lanes import FloatLanes, Value

Coefficients = dict[str, tuple[float, ...]]
"""The coefficients of a polynomial for "double" and "float", constant term first."""

WITHOUT_EFFECTS = "memory(none) nounwind willreturn"


def pure(
    results: int = 1, inline: str = "alwaysinline"
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A method as an LLVM function of as many results, without effects, that is always inlined.

    It is written once a module, however often it is called, and equal calls of a block are one:
    sin(x) and cos(x) share what they have in common.
    """

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(self: Arithmetic, *args: Value) -> Any:
            result = self.type if results == 1 else f"{{ {', '.join([self.type] * results)} }}"
            name = f"wengert.{method.__name__}.{self.suffix}"
            if name not in self.code.declared:
                names = [f"%x{k}" for k in range(len(args))]
                parameters = ", ".join(f"{self.type} {each}" for each in names)
                self.code.declared[name] = (
                    f"define internal {result} @{name}({parameters}) {inline} {WITHOUT_EFFECTS} "
                    f"{{\n{_body(self, method, names, result)}\n}}"
                )
            found = self.code.known.get((name, args))
            if found is None:
                found = self.code.call(name, result, *((self.type, arg) for arg in args))
                if results > 1:
                    parts = range(results)
                    found = tuple(self.let(f"extractvalue {result} {found}, {k}") for k in parts)
                self.code.known[name, args] = found
            return found

        return call

    return decorate


def _body(lane: Arithmetic, method: Callable[..., Any], names: list[Value], result: str) -> str:
    """The instructions of the method on parameters of these names."""
    code = Code(lane.code.declared)
    value = method(type(lane)(code, lane.dtype, lane.width), *names)
    if isinstance(value, tuple):
        parts, value = value, "poison"
        for k, part in enumerate(parts):
            value = code.let(f"insertvalue {result} {value}, {lane.type} {part}, {k}")
    return "\n".join(["entry:", *code.entry, *code.lines, f"ret {result} {value}"])


def through_double(method: Callable[..., Value]) -> Callable[..., Value]:
    """A function whose float32 values are those of float64, rounded."""

    @wraps(method)
    def call(self: Arithmetic, *args: Value) -> Value:
        if self.element == "double":
            return method(self, *args)
        wide = self.doubles()
        return self.from_double(method(wide, *[self.to_double(arg) for arg in args]))

    return call


class Arithmetic(FloatLanes):
    """Floating numbers with the building blocks of elementary functions."""

    __slots__ = ()

    # -- the format

    @property
    def bias(self) -> int:
        """Of the exponent."""
        return 1023 if self.element == "double" else 127

    @property
    def shifter(self) -> float:
        """1.5 times the first power of two whose neighbours are integers: what is added to it is
        rounded to an integer, which stands in the last bits of the sum."""
        return 1.5 * 2.0**self.stored_bits

    @property
    def smallest_normal(self) -> float:
        return 2.0 ** (1 - self.bias)

    def doubles(self) -> Any:
        """The operations on as many float64."""
        return type(self)(self.code, np.dtype(np.float64), self.width)

    def to_double(self, x: Value) -> Value:
        return self.let(f"fpext {self.type} {x} to {self.doubles().type}")

    def from_double(self, x: Value) -> Value:
        return self.let(f"fptrunc {self.doubles().type} {x} to {self.type}")

    # -- integers, powers of two

    def nearest(self, x: Value, scale: float = 1.0) -> tuple[Value, Value]:
        """The integer next to x·scale, of less than half the significand's bits: as a number, and
        as the sum with the shifter, whose last bits it is."""
        shifter = self.const(self.shifter)
        shifted = self.fma(x, self.const(scale), shifter)
        return self.exact_subtract(shifted, shifter), shifted

    def integer(self, shifted: Value) -> Value:
        """The integer of `nearest`'s second result, as an integer."""
        bits = int(float_bits(self.shifter, self.element))
        return self.integers().subtract(self.bits(shifted), self.integers().const(bits))

    def power_of_two(self, k: Value) -> Value:
        """2ᵏ for an integer k within the exponents of normal numbers."""
        whole = self.integers()
        biased = whole.add(k, whole.const(self.bias))
        return self.from_bits(whole.shift_left(biased, self.stored_bits))

    def scale(self, x: Value, k: Value) -> Value:
        """x 2ᵏ for k up to twice the exponents of normal numbers, rounded once where x 2^(k/2) is
        normal."""
        whole = self.integers()
        half = whole.shift_right(k, 1)
        rest = whole.subtract(k, half)
        once = self.exact_multiply(x, self.power_of_two(half))
        return self.exact_multiply(once, self.power_of_two(rest))

    # -- constants

    def parts(self, pair: tuple[float, float]) -> tuple[Value, Value]:
        """A constant known as a double and its rest, as a number of the format and its rest."""
        high, low = pair
        if self.element == "float":
            rounded = float(np.float32(high))
            high, low = rounded, high - rounded
        return self.const(high), self.const(low)

    # -- choice

    def clamp(self, x: Value, low: float, high: float) -> Value:
        """x between the bounds; NaN stays."""
        x = self.select(self.greater(x, self.const(high)), self.const(high), x)
        return self.select(self.less(x, self.const(low)), self.const(low), x)

    def where(self, mask: Value, value: float, otherwise: Value) -> Value:
        """A constant where the mask holds."""
        return self.select(mask, self.const(value), otherwise)

    def any(self, mask: Value) -> Value:
        """Whether the mask holds in a lane."""
        if self.width == 1:
            return mask
        return self.code.call(f"llvm.vector.reduce.or.v{self.width}i1", "i1", (self.mask, mask))

    # -- polynomials

    def polynomial(self, x: Value, coefficients: Coefficients | Sequence[float]) -> Value:
        """Constant term first, which is added last, so that the others' rounding is small against
        it; they are summed by Horner's scheme, the even and the odd ones apart, which halves the
        chain of instructions that wait for each other."""
        if isinstance(coefficients, dict):
            coefficients = coefficients[self.element]
        if len(coefficients) < 5:
            return self.horner(x, coefficients)
        first, *others = coefficients
        square = self.exact_multiply(x, x)
        odd = self.horner(square, others[1::2])
        rest = self.fma(odd, x, self.horner(square, others[::2]))
        return self.fma(rest, x, self.const(first))

    def horner(self, x: Value, coefficients: Sequence[float]) -> Value:
        result = self.const(coefficients[-1])
        for coefficient in coefficients[-2::-1]:
            result = self.fma(result, x, self.const(coefficient))
        return result

    # -- exact sums and products (T. J. Dekker, D. E. Knuth)

    def fast_two_sum(self, a: Value, b: Value) -> tuple[Value, Value]:
        """a + b and its error, for |a| ≥ |b| or a = 0."""
        total = self.exact_add(a, b)
        return total, self.exact_subtract(b, self.exact_subtract(total, a))

    def two_sum(self, a: Value, b: Value) -> tuple[Value, Value]:
        total = self.exact_add(a, b)
        of_b = self.exact_subtract(total, a)
        of_a = self.exact_subtract(total, of_b)
        return total, self.exact_add(self.exact_subtract(a, of_a), self.exact_subtract(b, of_b))

    def two_product(self, a: Value, b: Value) -> tuple[Value, Value]:
        product = self.exact_multiply(a, b)
        return product, self.fma(a, b, self.negative(product))

    def product_of_sums(
        self, a: Value, a_rest: Value, b: Value, b_rest: Value
    ) -> tuple[Value, Value]:
        """(a + a_rest)(b + b_rest) without the product of the rests."""
        product, error = self.two_product(a, b)
        return product, self.fma(a, b_rest, self.fma(a_rest, b, error))


def float_bits(value: float, element: str) -> int:
    """The bits of a positive number in a format."""
    if element == "double":
        return int(np.float64(value).view(np.int64))
    return int(np.float32(value).view(np.int32))
