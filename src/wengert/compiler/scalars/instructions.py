"""Scalar operations, before any of them has a place: what each does, and which it rests on.

A program of small arrays is a list of operations on single numbers. There may be a million of
them, so a program is columns of integers, and the number of a row is the operation's name:

    code    what it does: an index into `instructions`
    a, b, c what it does it with: other rows, NO_ROW where there is none

A row with the instruction of an input has (its element) as `a`, one of a literal (its index among
the literals); a row that stores an element of an output has (what, NO_ROW, element). Inputs without
axes count as the elements of one array, and so do such outputs: there may be many of them, one a
step of a loop. Equal rows are made once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.graph.op import Op
from wengert.graph.types import ArrayType, DType

NO_ROW = 0xFFFFFFFF
MANY = -1
"""The index of all inputs (or outputs) of a dtype that have no axes; their numbers are elements."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a row does.

    kind: "input" or "output" (`index` is its number, or
        MANY), "literal", "point" (the rule of `op`).
    """

    kind: str
    dtype: DType
    index: int = -1
    op: Op | None = None
    args: tuple[DType, ...] = ()


class Scalars:
    """The rows of a program."""

    __slots__ = ("_codes", "_rows", "code", "instructions", "literals", "pair", "third", "values")

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.code: list[int] = []
        self.pair: list[int] = []
        """a and b as one number: what many rows are made of had better not be objects that the
        garbage collector counts."""
        self.third: dict[int, int] = {}
        """c, of the rows that have it."""
        self.literals: list[Any] = []
        """Their values, as NumPy scalars."""
        self.values: dict[int, Any] = {}
        """Row of a literal -> its value."""
        self._codes: dict[Any, int] = {}
        self._rows: list[dict[int, int]] = []

    def instruction(self, instruction: Instruction) -> int:
        """The code of an instruction."""
        found = self._codes.get(instruction)
        if found is None:
            found = self._codes[instruction] = len(self.instructions)
            self.instructions.append(instruction)
            self._rows.append({})
        return found

    def maker(self, code: int) -> Callable[..., int]:
        """The function (a, b, c) -> row of an operation, which is new or not."""
        rows, codes, pairs, third = self._rows[code], self.code, self.pair, self.third

        def row(a: int, b: int = NO_ROW, c: int = NO_ROW) -> int:
            pair = a << 32 | b
            key = pair if c == NO_ROW else pair << 32 | c
            found = rows.get(key)
            if found is None:
                found = rows[key] = len(codes)
                codes.append(code)
                pairs.append(pair)
                if c != NO_ROW:
                    third[found] = c
            return found

        return row

    def first(self, row: int) -> int:
        """a of a row."""
        return self.pair[row] >> 32

    def second(self, row: int) -> int:
        """b of a row."""
        return self.pair[row] & NO_ROW

    def input(self, index: int, type: ArrayType) -> range:
        """The rows of all elements of an input."""
        scalar = not type.shape
        code = self.instruction(Instruction("input", type.dtype, MANY if scalar else index))
        first = len(self.code)
        elements = [index] if scalar else range(type.size)
        self.code += [code] * len(elements)
        self.pair += [element << 32 | NO_ROW for element in elements]
        return range(first, len(self.code))

    def literal(self, value: Any, dtype: DType) -> int:
        """The row of a constant."""
        value = np.asarray(value, dtype)[()]
        key = (dtype, value.tobytes())
        index = self._codes.get(key)
        if index is None:
            index = self._codes[key] = len(self.literals)
            self.literals.append(value)
        row = self.maker(self.instruction(Instruction("literal", dtype)))(index)
        self.values[row] = value
        return row

    def point(self, op: Op, args: tuple[DType, ...], dtype: DType) -> int:
        """The code of a pointwise op on inputs of these dtypes."""
        return self.instruction(Instruction("point", dtype, -1, op, args))

    def store(self, rows: Sequence[int], index: int, type: ArrayType) -> None:
        """Let the elements of an output be the values of rows."""
        scalar = not type.shape
        code = self.instruction(Instruction("output", type.dtype, MANY if scalar else index))
        make = self.maker(code)
        for element, row in zip([index] if scalar else range(type.size), rows, strict=True):
            make(row, NO_ROW, element)
