"""Operations on literals that need not be done, of exactly the same values.

Arrays that were put together from parts have structural zeros and ones among their elements, which
no simplification of the graph can see. IEEE 754 lets 1 x, x / 1, x + (−0), x − 0 go, but not 0 x
(x may be infinite), nor x + 0 (x may be −0) unless x is such a sum already.

A rule takes (rows, code, dtype of the first argument, rows of the arguments), and gives another row
or None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.compiler.scalars.instructions import Scalars
from wengert.graph.types import DType


def _is_zero(value: Any, sign: bool) -> bool:
    """Whether a literal is zero with this sign; integers have one zero, which is both."""
    if value is None or value != 0:
        return False
    if value.dtype.kind == "f":
        return bool(np.signbit(value)) is sign
    return value.dtype.kind in "iu"


def _add(rows: Scalars, code: int, dtype: DType, a: int, b: int) -> int | None:
    values = rows.values
    if b not in values:
        if a not in values:
            return None
        a, b = b, a
    value = values[b]
    if _is_zero(value, True):
        return a
    if _is_zero(value, False) and rows.code[a] == code:
        if _is_zero(values.get(rows.first(a)), False) or _is_zero(
            values.get(rows.second(a)), False
        ):
            return a
    return None


def _subtract(rows: Scalars, code: int, dtype: DType, a: int, b: int) -> int | None:
    return a if b in rows.values and _is_zero(rows.values[b], False) else None


def _multiply(rows: Scalars, code: int, dtype: DType, a: int, b: int) -> int | None:
    if dtype.kind == "c":
        return None
    values = rows.values
    if b in values and values[b] == 1:
        return a
    if a in values and values[a] == 1:
        return b
    return None


def _divide(rows: Scalars, code: int, dtype: DType, a: int, b: int) -> int | None:
    return a if dtype.kind == "f" and b in rows.values and rows.values[b] == 1 else None


def _negative(rows: Scalars, code: int, dtype: DType, a: int) -> int | None:
    return rows.first(a) if rows.code[a] == code else None


def _select(rows: Scalars, code: int, dtype: DType, mask: int, a: int, b: int) -> int | None:
    if a == b:
        return a
    if mask in rows.values:
        return a if rows.values[mask] else b
    return None


SIMPLIFIED: dict[str, Callable[..., int | None]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negative": _negative,
    "select": _select,
}
"""The rules by the name of the op."""
