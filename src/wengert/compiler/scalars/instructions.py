"""Scalar operations, before any of them has a place: what each does, and which it rests on.

A program of small arrays is a list of operations on single numbers. There may be a million of
them, so a program is columns of integers, and the number of a row is the operation's name:

    code    what it does: an index into `instructions`
    a, b, c what it does it with: other rows, -1 where there is none

A row with the instruction of an input has (its element) as `a`, one of a literal (its index among
the literals); a row that stores an element of an output has (what, -1, element). Equal rows are
made once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from wengert.compiler.code import Code
from wengert.compiler.values import lanes
from wengert.graph.op import Op
from wengert.graph.types import DType


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a row does.

    kind: "input" or "output" (`index` is its number), "literal", "point" (the rule of `op`).
    """

    kind: str
    dtype: DType
    index: int = -1
    op: Op | None = None
    args: tuple[DType, ...] = ()


@lru_cache(maxsize=4_096)
def emits(op: Op, args: tuple[DType, ...], dtype: DType) -> bool:
    """Whether a pointwise op takes these dtypes: tried on constants."""
    code = Code()
    try:
        ins = [lanes(code, own, 1) for own in args]
        op.native.rule(ins, lanes(code, dtype, 1), *[own.const(1) for own in ins])
    except (AttributeError, NotImplementedError, KeyError):
        return False
    return True


class Scalars:
    """The rows of a program."""

    __slots__ = ("_codes", "_rows", "a", "b", "c", "code", "instructions", "literals", "values")

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.code: list[int] = []
        self.a: list[int] = []
        self.b: list[int] = []
        self.c: list[int] = []
        self.literals: list[Any] = []
        """Their values, as NumPy scalars."""
        self.values: dict[int, Any] = {}
        """Row of a literal -> its value."""
        self._codes: dict[Any, int] = {}
        self._rows: dict[tuple[int, int, int, int], int] = {}

    def instruction(self, instruction: Instruction) -> int:
        """The code of an instruction."""
        found = self._codes.get(instruction)
        if found is None:
            found = self._codes[instruction] = len(self.instructions)
            self.instructions.append(instruction)
        return found

    def row(self, code: int, a: int, b: int = -1, c: int = -1) -> int:
        """The row of an operation, which is new or not."""
        key = (code, a, b, c)
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = len(self.code)
            self.code.append(code)
            self.a.append(a)
            self.b.append(b)
            self.c.append(c)
        return found

    def input(self, index: int, dtype: DType, size: int) -> range:
        """The rows of all elements of an input."""
        code = self.instruction(Instruction("input", dtype, index))
        first = len(self.code)
        self.code += [code] * size
        self.a += range(size)
        self.b += [-1] * size
        self.c += [-1] * size
        return range(first, first + size)

    def literal(self, value: Any, dtype: DType) -> int:
        """The row of a constant."""
        value = np.asarray(value, dtype)[()]
        key = (dtype, value.tobytes())
        index = self._codes.get(key)
        if index is None:
            index = self._codes[key] = len(self.literals)
            self.literals.append(value)
        row = self.row(self.instruction(Instruction("literal", dtype)), index)
        self.values[row] = value
        return row

    def point(self, op: Op, args: tuple[DType, ...], dtype: DType) -> int:
        """The code of a pointwise op on inputs of these dtypes."""
        return self.instruction(Instruction("point", dtype, -1, op, args))

    def store(self, row: int, index: int, dtype: DType, element: int) -> None:
        """Let an element of an output be the value of a row."""
        self.row(self.instruction(Instruction("output", dtype, index)), row, -1, element)

    def dtype(self, row: int) -> DType:
        """The dtype of a row's value."""
        return self.instructions[self.code[row]].dtype
