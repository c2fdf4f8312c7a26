"""Single values in memory: booleans are bytes, complex numbers are pairs."""

from __future__ import annotations

from wengert.compiler.code import Code
from wengert.compiler.lanes import Value, element_type
from wengert.graph.types import DType

WORD = 8
"""Values that one function hands to another lie at multiples of so many bytes."""


def words(dtype: DType) -> int:
    """The bytes that a value takes among those handed over."""
    return max(WORD, dtype.itemsize)


def at(code: Code, base: str, offset: int | str) -> str:
    """The address so many bytes on."""
    return base if offset == 0 else code.let(f"getelementptr i8, ptr {base}, i64 {offset}")


def load(code: Code, dtype: DType, base: str, offset: int | str = 0) -> Value:
    """The value at an address."""
    address = at(code, base, offset)
    if dtype.kind == "b":
        return code.let(f"trunc i8 {code.let(f'load i8, ptr {address}')} to i1")
    type = element_type(dtype)
    if dtype.kind != "c":
        return code.let(f"load {type}, ptr {address}")
    second = at(code, address, dtype.itemsize // 2)
    return code.let(f"load {type}, ptr {address}"), code.let(f"load {type}, ptr {second}")


def store(code: Code, dtype: DType, value: Value, base: str, offset: int | str = 0) -> None:
    """Put a value at an address."""
    address = at(code, base, offset)
    if dtype.kind == "b":
        byte = code.let(f"zext i1 {value} to i8")
        code.put(f"store i8 {byte}, ptr {address}")
        return
    type = element_type(dtype)
    if dtype.kind != "c":
        code.put(f"store {type} {value}, ptr {address}")
        return
    second = at(code, address, dtype.itemsize // 2)
    code.put(f"store {type} {value[0]}, ptr {address}")
    code.put(f"store {type} {value[1]}, ptr {second}")
