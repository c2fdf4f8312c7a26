"""Operations on several values at once: `<W x T>` vectors, or scalars where W is 1.

    lanes(code, dtype, width)   the operations on values of a dtype

A value is the name of an LLVM value or a constant; a complex one is a pair of such (its parts in
two registers). Methods bear the names of the ops whose native rule they are; a dtype that lacks a
method has no native rule for that op, and the op runs as a host call.

Only `add`, `subtract` and `multiply` may be contracted to fused multiply-adds; `exact_*` never are:
error-compensated lines of the elementary functions rest on that. Here is what these are made of;
`wengert.compiler.values` has the classes with all functions.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from wengert.compiler.code import Code
from wengert.graph.types import BOOL, DType

Value = Any
"""The name of an LLVM value, or a constant; a pair of them where the dtype is complex."""

_SCALAR = {"f8": "double", "f4": "float", "b1": "i1"}


def element_type(dtype: DType) -> str:
    """LLVM's type of one element in a register; complex numbers have two elements of it."""
    if dtype.kind == "c":
        return "double" if dtype.itemsize == 16 else "float"
    found = _SCALAR.get(dtype.str[1:])
    return found or f"i{8 * dtype.itemsize}"


def vector_type(element: str, width: int) -> str:
    """`element`, or a vector of it."""
    return element if width == 1 else f"<{width} x {element}>"


def float_constant(value: float, element: str) -> str:
    """A floating constant as LLVM writes it: the bits of a double, also for floats."""
    if element == "float":
        with np.errstate(all="ignore"):
            value = float(np.float32(value))
    (bits,) = struct.unpack("<Q", struct.pack("<d", value))
    return f"0x{bits:016X}"


class Lanes:
    """What values of every dtype have: constants, comparison, choice."""

    __slots__ = ("code", "dtype", "element", "mask", "suffix", "type", "width")

    def __init__(self, code: Code, dtype: DType, width: int) -> None:
        self.code = code
        self.dtype = dtype
        self.width = width
        self.element = element_type(dtype)
        self.type = vector_type(self.element, width)
        self.mask = vector_type("i1", width)
        """The type of a comparison's result."""
        bits = {"double": "f64", "float": "f32"}.get(self.element, self.element)
        self.suffix = bits if width == 1 else f"v{width}{bits}"
        """How the names of intrinsics end: llvm.fma.<suffix>."""

    def let(self, text: str) -> Value:
        return self.code.let(text)

    def splat(self, scalar: Value) -> Value:
        """A scalar (a name or a constant) in every lane."""
        if self.width == 1:
            return scalar
        if not scalar.startswith("%"):
            return f"splat ({self.element} {scalar})"
        one = self.let(f"insertelement {self.type} poison, {self.element} {scalar}, i64 0")
        return self.let(
            f"shufflevector {self.type} {one}, {self.type} poison, <{self.width} x i32> "
            "zeroinitializer"
        )

    def const(self, value: Any) -> Value:
        """A constant in every lane."""
        return self.splat(self.constant(value))

    def constant(self, value: Any) -> str:
        """A constant element."""
        return str(int(value))

    def intrinsic(self, name: str, *args: Value) -> Value:
        """A call of llvm.<name>.<suffix> on values of this type."""
        return self.code.call(
            f"llvm.{name}.{self.suffix}", self.type, *((self.type, arg) for arg in args)
        )

    def select(self, mask: Value, a: Value, b: Value) -> Value:
        return self.let(f"select {self.mask} {mask}, {self.type} {a}, {self.type} {b}")

    def masks(self) -> BoolLanes:
        """Operations on the results of comparisons."""
        return BoolLanes(self.code, BOOL, self.width)

    def multiply(self, a: Value, b: Value) -> Value:
        raise NotImplementedError

    def square(self, a: Value) -> Value:
        return self.multiply(a, a)

    def positive(self, a: Value) -> Value:
        return a

    conjugate = positive

    def equal(self, a: Value, b: Value) -> Value:
        raise NotImplementedError

    def not_equal(self, a: Value, b: Value) -> Value:
        raise NotImplementedError

    def logical_not(self, a: Value) -> Value:
        return self.equal(a, self.const(0))

    def truth(self, a: Value) -> Value:
        """Whether a value is not zero."""
        return self.not_equal(a, self.const(0))

    def logical_and(self, a: Value, b: Value) -> Value:
        return self.masks().logical_and(self.truth(a), self.truth(b))

    def logical_or(self, a: Value, b: Value) -> Value:
        return self.masks().logical_or(self.truth(a), self.truth(b))

    def logical_xor(self, a: Value, b: Value) -> Value:
        return self.masks().logical_xor(self.truth(a), self.truth(b))


class WholeLanes(Lanes):
    """Integers and booleans: bits."""

    __slots__ = ()

    def op(self, name: str, a: Value, b: Value) -> Value:
        return self.let(f"{name} {self.type} {a}, {b}")

    def bitwise_and(self, a: Value, b: Value) -> Value:
        return self.op("and", a, b)

    def bitwise_or(self, a: Value, b: Value) -> Value:
        return self.op("or", a, b)

    def bitwise_xor(self, a: Value, b: Value) -> Value:
        return self.op("xor", a, b)

    def invert(self, a: Value) -> Value:
        return self.op("xor", a, self.const(-1))

    def compare(self, predicate: str, a: Value, b: Value) -> Value:
        return self.let(f"icmp {predicate} {self.type} {a}, {b}")

    def equal(self, a: Value, b: Value) -> Value:
        return self.compare("eq", a, b)

    def not_equal(self, a: Value, b: Value) -> Value:
        return self.compare("ne", a, b)


class BoolLanes(WholeLanes):
    """Booleans: i1 in registers, bytes in memory."""

    __slots__ = ()

    def constant(self, value: Any) -> str:
        return "true" if value else "false"

    def convert(self, x: Value, to: Lanes) -> Value:
        """x as a value of other lanes: NumPy's astype, as in all families."""
        if to.dtype.kind == "b":
            return x
        return to.select(x, to.const(1), to.const(0))

    def truth(self, a: Value) -> Value:
        return a

    def logical_not(self, a: Value) -> Value:
        return self.op("xor", a, self.const(True))

    def logical_and(self, a: Value, b: Value) -> Value:
        return self.op("and", a, b)

    def logical_or(self, a: Value, b: Value) -> Value:
        return self.op("or", a, b)

    def logical_xor(self, a: Value, b: Value) -> Value:
        return self.op("xor", a, b)

    add = logical_or
    multiply = logical_and
    maximum = fmax = logical_or
    minimum = fmin = logical_and
    invert = logical_not
    absolute = floor = ceil = trunc = truth

    def any(self, mask: Value) -> Value:
        """Whether it holds in a lane."""
        if self.width == 1:
            return mask
        return self.code.call(f"llvm.vector.reduce.or.{self.suffix}", "i1", (self.type, mask))

    def isfinite(self, a: Value) -> Value:
        return self.const(True)

    def isnan(self, a: Value) -> Value:
        return self.const(False)

    isinf = isnan

    def greater(self, a: Value, b: Value) -> Value:
        return self.compare("ugt", a, b)

    def greater_equal(self, a: Value, b: Value) -> Value:
        return self.compare("uge", a, b)

    def less(self, a: Value, b: Value) -> Value:
        return self.compare("ult", a, b)

    def less_equal(self, a: Value, b: Value) -> Value:
        return self.compare("ule", a, b)


class IntegerLanes(WholeLanes):
    """Integers, which wrap around as NumPy's do: what the elementary functions are made of."""

    __slots__ = ()

    @property
    def letter(self) -> str:
        """Of LLVM's signed or unsigned instructions."""
        return "s" if self.dtype.kind == "i" else "u"

    @property
    def least(self) -> int:
        """The smallest number."""
        return 0 if self.dtype.kind == "u" else -1 << (8 * self.dtype.itemsize - 1)

    def constant(self, value: Any) -> str:
        value = int(value)
        bits = 8 * self.dtype.itemsize
        return str(value - (1 << bits) if value >= 1 << (bits - 1) else value)

    def add(self, a: Value, b: Value) -> Value:
        return self.op("add", a, b)

    def subtract(self, a: Value, b: Value) -> Value:
        return self.op("sub", a, b)

    def multiply(self, a: Value, b: Value) -> Value:
        return self.op("mul", a, b)

    def negative(self, a: Value) -> Value:
        return self.op("sub", self.const(0), a)

    def shift_left(self, a: Value, by: int) -> Value:
        """Shifts by a constant within the width."""
        return self.op("shl", a, self.const(by))

    def shift_right(self, a: Value, by: int) -> Value:
        """Arithmetic for signed, logical for unsigned integers."""
        return self.op("ashr" if self.letter == "s" else "lshr", a, self.const(by))

    def shift_right_logical(self, a: Value, by: int) -> Value:
        return self.op("lshr", a, self.const(by))

    def greater(self, a: Value, b: Value) -> Value:
        return self.compare(self.letter + "gt", a, b)

    def greater_equal(self, a: Value, b: Value) -> Value:
        return self.compare(self.letter + "ge", a, b)

    def less(self, a: Value, b: Value) -> Value:
        return self.compare(self.letter + "lt", a, b)

    def less_equal(self, a: Value, b: Value) -> Value:
        return self.compare(self.letter + "le", a, b)

    def maximum(self, a: Value, b: Value) -> Value:
        return self.intrinsic(self.letter + "max", a, b)

    def minimum(self, a: Value, b: Value) -> Value:
        return self.intrinsic(self.letter + "min", a, b)


class FloatLanes(Lanes):
    """Floating numbers: what the elementary functions are made of."""

    __slots__ = ()

    @property
    def stored_bits(self) -> int:
        """Bits of the significand that are stored."""
        return 52 if self.element == "double" else 23

    def constant(self, value: Any) -> str:
        return float_constant(float(value), self.element)

    def integers(self) -> IntegerLanes:
        """Operations on the bits, as signed integers of the same size."""
        return IntegerLanes(self.code, np.dtype(f"i{self.dtype.itemsize}"), self.width)

    def bits(self, x: Value) -> Value:
        """The bits as integers."""
        return self.let(f"bitcast {self.type} {x} to {self.integers().type}")

    def from_bits(self, x: Value) -> Value:
        return self.let(f"bitcast {self.integers().type} {x} to {self.type}")

    def add(self, a: Value, b: Value) -> Value:
        return self.let(f"fadd contract {self.type} {a}, {b}")

    def subtract(self, a: Value, b: Value) -> Value:
        return self.let(f"fsub contract {self.type} {a}, {b}")

    def multiply(self, a: Value, b: Value) -> Value:
        return self.let(f"fmul contract {self.type} {a}, {b}")

    def exact_add(self, a: Value, b: Value) -> Value:
        return self.let(f"fadd {self.type} {a}, {b}")

    def exact_subtract(self, a: Value, b: Value) -> Value:
        return self.let(f"fsub {self.type} {a}, {b}")

    def exact_multiply(self, a: Value, b: Value) -> Value:
        return self.let(f"fmul {self.type} {a}, {b}")

    def divide(self, a: Value, b: Value) -> Value:
        return self.let(f"fdiv {self.type} {a}, {b}")

    def negative(self, a: Value) -> Value:
        return self.let(f"fneg {self.type} {a}")

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """a b + c, rounded once."""
        return self.intrinsic("fma", a, b, c)

    def absolute(self, a: Value) -> Value:
        return self.intrinsic("fabs", a)

    fabs = absolute

    def sqrt(self, a: Value) -> Value:
        return self.intrinsic("sqrt", a)

    def copysign(self, a: Value, b: Value) -> Value:
        return self.intrinsic("copysign", a, b)

    def floor(self, a: Value) -> Value:
        return self.intrinsic("floor", a)

    def ceil(self, a: Value) -> Value:
        return self.intrinsic("ceil", a)

    def trunc(self, a: Value) -> Value:
        return self.intrinsic("trunc", a)

    def rint(self, a: Value) -> Value:
        return self.intrinsic("roundeven", a)

    def compare(self, predicate: str, a: Value, b: Value) -> Value:
        return self.let(f"fcmp {predicate} {self.type} {a}, {b}")

    def equal(self, a: Value, b: Value) -> Value:
        return self.compare("oeq", a, b)

    def not_equal(self, a: Value, b: Value) -> Value:
        return self.compare("une", a, b)

    def greater(self, a: Value, b: Value) -> Value:
        return self.compare("ogt", a, b)

    def greater_equal(self, a: Value, b: Value) -> Value:
        return self.compare("oge", a, b)

    def less(self, a: Value, b: Value) -> Value:
        return self.compare("olt", a, b)

    def less_equal(self, a: Value, b: Value) -> Value:
        return self.compare("ole", a, b)

    def isnan(self, a: Value) -> Value:
        return self.compare("uno", a, a)

    def maximum(self, a: Value, b: Value) -> Value:
        """NaN where either is NaN."""
        larger = self.select(self.compare("ugt", a, b), a, b)  # a where either is NaN
        return self.select(self.isnan(b), b, larger)

    def minimum(self, a: Value, b: Value) -> Value:
        smaller = self.select(self.compare("ult", a, b), a, b)
        return self.select(self.isnan(b), b, smaller)
