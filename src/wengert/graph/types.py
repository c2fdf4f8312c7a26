"""The type of a node: the shape and dtype of an array, a tuple of types, an opaque value, a tape.

A type is *weak* when it is that of a bare Python number, which by NumPy's rules (NEP 50) takes the
dtype of what it meets: `np.float32(1) * 2.0` is a float32. Array types are interned by `array_type`
and compared by identity: they are keys wherever nodes are made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from wengert.errors import Unsupported
from wengert.graph.interning import WeakTable

Shape: TypeAlias = tuple[int, ...]
DType: TypeAlias = "np.dtype[Any]"

float0: DType = np.dtype([("float0", np.void, 0)])
"""The dtype of the tangent of an integer or boolean array: it holds no information."""

BOOL: DType = np.dtype(np.bool_)
INT: DType = np.dtype(np.int64)
FLOAT: DType = np.dtype(np.float64)
COMPLEX: DType = np.dtype(np.complex128)

SUPPORTED = frozenset(np.dtype(c) for c in "?bhilqBHILQfdFD")
_BY_VALUE = {dtype: dtype for dtype in SUPPORTED}


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ArrayType:
    """An array: `shape`, `dtype`, and whether the dtype is weak. Made by `array_type` alone."""

    shape: Shape
    dtype: DType
    weak: bool = False

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __str__(self) -> str:
        extents = ",".join(map(str, self.shape))
        return f"{self.dtype.name}[{extents}]" + ("*" if self.weak else "")


@dataclass(frozen=True, slots=True)
class TupleType:
    """Several results of one op, taken apart by `item` nodes."""

    items: tuple[Type, ...]

    def __str__(self) -> str:
        return "(" + ", ".join(map(str, self.items)) + ")"


@dataclass(frozen=True, slots=True)
class OpaqueType:
    """A captured object that is no array (a sparse matrix, a linear operator): matrix-like."""

    shape: Shape
    dtype: DType

    def __str__(self) -> str:
        extents = ",".join(map(str, self.shape))
        return f"operator {self.dtype.name}[{extents}]"


@dataclass(frozen=True, slots=True)
class TapeType:
    """What a loop of unknown length leaves of each step: an array with one more axis in front,
    whose extent is known when it has run."""

    step: ArrayType

    def __str__(self) -> str:
        return f"tape {self.step}"


Type: TypeAlias = ArrayType | TupleType | OpaqueType | TapeType

_types: WeakTable[ArrayType] = WeakTable()


def array_type(shape: Shape, dtype: DType, weak: bool = False) -> ArrayType:
    """The interned array type."""
    key = (shape, dtype, weak)
    ref = _types.table.get(key)
    found = None if ref is None else ref()
    if found is None:
        found = ArrayType(shape, dtype, weak)
        _types.remember(key, found)
    return found


def supported_dtype(dtype: Any, what: object) -> DType:
    """`dtype` in native byte order if it can be traced, or an error that names it."""
    dtype = np.dtype(dtype)
    native = _BY_VALUE.get(dtype.newbyteorder("="))
    if native is None:
        raise Unsupported(
            f"{what} has dtype {dtype}, which wengert does not trace; convert it with "
            ".astype(np.float64) (traced dtypes: bool, integers, float32, float64, complex64, "
            "complex128)"
        )
    return native


def is_inexact(dtype: DType) -> bool:
    """Whether values of this dtype have derivatives: floating and complex ones do."""
    return dtype.kind in "fc"
