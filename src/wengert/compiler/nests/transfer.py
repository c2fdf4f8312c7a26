"""Vectors to and from memory: lanes that are neighbours, that lie apart, or in turn with others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wengert.compiler.code import Code
from wengert.compiler.lanes import vector_type
from wengert.compiler.machine import vector_bytes
from wengert.compiler.nests.statements import memory_type
from wengert.compiler.nests.weaving import shuffled, woven
from wengert.graph.types import DType


class Transfer:
    """Moves vectors of `width` lanes; where a mask does not hold they are zero, and not written."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.width = 1

    def element(self, base: str, type: str, position: int | str) -> str:
        """The address of an element."""
        if position == 0:
            return base
        return self.code.let(f"getelementptr {type}, ptr {base}, i64 {position}")

    def apart(self, at: str, type: str, mask: str | None) -> tuple[str, str]:
        """Numbers whose parts lie in turn: both parts."""
        width = self.width
        if mask is not None:
            mask = shuffled(self.code, "i1", mask, mask, width, [q // 2 for q in range(2 * width)])
        both = self.in_a_row(at, type, 2 * width, mask)
        real, imaginary = (
            shuffled(self.code, type, both, both, 2 * width, range(first, 2 * width, 2))
            for first in (0, 1)
        )
        return real, imaginary

    def in_a_row(self, at: str, type: str, width: int, mask: str | None) -> str:
        """A vector whose lanes are neighbours."""
        vector = vector_type(type, width)
        if mask is None:
            return self.code.let(f"load {vector}, ptr {at}, align 1")
        return self.code.call(
            f"llvm.masked.load.{_suffix(type, width)}.p0",
            vector,
            ("ptr", at),
            (f"<{width} x i1>", mask),
            (vector, "zeroinitializer"),
        )

    def lanes_at(self, at: str, type: str, step: int, mask: str | None) -> str:
        """A vector whose lanes lie `step` elements apart."""
        width = self.width
        if step == 1:
            return self.in_a_row(at, type, width, mask)
        vector, suffix = vector_type(type, width), _suffix(type, width)
        ramp = ", ".join(f"i64 {q * step}" for q in range(width))
        each = self.code.let(f"getelementptr {type}, ptr {at}, <{width} x i64> <{ramp}>")
        return self.code.call(
            f"llvm.masked.gather.{suffix}.v{width}p0",
            vector,
            (f"<{width} x ptr>", each),
            (f"<{width} x i1>", mask or "splat (i1 true)"),
            (vector, "zeroinitializer"),
        )

    def woven_to(self, at: str, dtype: DType, values: Sequence[str], mask: str | None) -> None:
        """Vectors of which the lanes lie in turn: register by register."""
        code, type, width, count = self.code, memory_type(dtype), self.width, len(values)
        lanes = min(width, vector_bytes() // dtype.itemsize)
        for first in range(0, width, lanes):
            picks = range(first, first + lanes)
            parts = [shuffled(code, type, v, v, width, picks) for v in values]
            for k, value in enumerate(woven(code, type, parts, lanes)):
                start = first * count + k * lanes
                of = [(start + lane) // count for lane in range(lanes)]
                held = None if mask is None else shuffled(code, "i1", mask, mask, width, of)
                self.to_a_row(self.element(at, type, start), type, lanes, value, held)

    def to_a_row(self, at: str, type: str, width: int, value: str, mask: str | None) -> None:
        """A vector to lanes that are neighbours."""
        vector = vector_type(type, width)
        if mask is None:
            self.code.put(f"store {vector} {value}, ptr {at}, align 1")
            return
        self.code.call_void(
            f"llvm.masked.store.{_suffix(type, width)}.p0",
            (vector, value),
            ("ptr", at),
            (f"<{width} x i1>", mask),
        )

    def lanes_to(self, at: str, type: str, step: int, value: str, mask: str | None) -> None:
        """A vector to lanes that lie `step` elements apart."""
        width = self.width
        if step == 1:
            self.to_a_row(at, type, width, value, mask)
            return
        vector, suffix = vector_type(type, width), _suffix(type, width)
        flags = (f"<{width} x i1>", mask or "splat (i1 true)")
        ramp = ", ".join(f"i64 {q * step}" for q in range(width))
        each = self.code.let(f"getelementptr {type}, ptr {at}, <{width} x i64> <{ramp}>")
        self.code.call_void(
            f"llvm.masked.scatter.{suffix}.v{width}p0",
            (vector, value),
            (f"<{width} x ptr>", each),
            flags,
        )


def part_dtype(dtype: DType) -> DType:
    """The dtype of the parts of a complex number; of others, their own."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def _suffix(type: str, width: int) -> str:
    name = {"double": "f64", "float": "f32"}.get(type, type)
    return f"v{width}{name}"
