"""One elementwise rule as a Python function of arrays: a loop over vectors, compiled and loaded."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.compiler import machine
from wengert.compiler.code import Code
from wengert.compiler.lanes import Lanes, Value, vector_type
from wengert.compiler.values import lanes

Emit = Callable[..., Value]
"""emit(ins, out, *values) -> value, as the rule of a Pointwise record."""


def elementwise(
    emit: Emit, dtypes: Sequence[Any], result_dtype: Any, width: int
) -> Callable[..., np.ndarray[Any, Any]]:
    """The rule as a function of arrays of these dtypes, `width` elements at a time."""
    types = [np.dtype(dtype) for dtype in dtypes]
    result = np.dtype(result_dtype)
    loaded = machine.Loaded(machine.object_code(loop_text(emit, types, result, width)))
    pointers = [ctypes.c_void_p] * (len(types) + 1)
    loop = ctypes.CFUNCTYPE(None, ctypes.c_int64, *pointers)(loaded.address("loop"))

    def call(*arrays: Any) -> np.ndarray[Any, Any]:
        given = np.broadcast_arrays(
            *[np.asarray(a, dtype) for a, dtype in zip(arrays, types, strict=True)]
        )
        shape, size = given[0].shape, given[0].size
        blocks = -(-size // width)
        padded = [np.zeros(blocks * width, array.dtype) for array in given]
        for block, array in zip(padded, given, strict=True):
            block[:size] = array.ravel()
        out = np.zeros(blocks * width, result)
        loop(blocks, *[array.ctypes.data for array in (*padded, out)])
        return out[:size].reshape(shape)

    call.code = loaded  # type: ignore[attr-defined]  # lives as long as the function
    call.loop = loop  # type: ignore[attr-defined]  # without the copies: what a benchmark times
    return call


def loop_text(emit: Emit, dtypes: Sequence[Any], result_dtype: Any, width: int) -> str:
    """The module of void loop(i64 blocks, ptr input..., ptr result)."""
    code = Code()
    code.label("loop")
    code.put("%i = phi i64 [ 0, %entry ], [ %next, %end ]")
    ins = [lanes(code, np.dtype(dtype), width) for dtype in dtypes]
    out = lanes(code, np.dtype(result_dtype), width)
    values = [_load(lane, f"%in{k}") for k, lane in enumerate(ins)]
    _store(out, emit(ins, out, *values), "%out")
    code.put("br label %end")
    code.label("end")
    code.put("%next = add i64 %i, 1")
    code.put("%more = icmp slt i64 %next, %blocks")
    code.put("br i1 %more, label %loop, label %exit")
    code.label("exit")
    code.put("ret void")
    parameters = ", ".join(f"ptr noalias %in{k}" for k in range(len(ins)))
    body = "\n".join(
        [
            *code.entry,
            "%some = icmp sgt i64 %blocks, 0",
            "br i1 %some, label %loop, label %exit",
            *code.lines,
        ]
    )
    declared = "\n".join(code.declared.values())
    return (
        f"{declared}\ndefine void @loop(i64 %blocks, {parameters}, ptr noalias %out) {{\n"
        f"entry:\n{body}\n}}\n"
    )


def _address(lane: Lanes, base: str) -> str:
    size = lane.width * lane.dtype.itemsize
    offset = lane.let(f"mul i64 %i, {size}")
    return lane.let(f"getelementptr i8, ptr {base}, i64 {offset}")


def _pairs(lane: Lanes) -> tuple[str, str, str]:
    """The type of `width` complex numbers in memory; the masks of the even and odd places."""
    even = ", ".join(f"i32 {2 * k}" for k in range(lane.width))
    odd = ", ".join(f"i32 {2 * k + 1}" for k in range(lane.width))
    return vector_type(lane.element, 2 * lane.width), f"<{even}>", f"<{odd}>"


def _load(lane: Lanes, base: str) -> Value:
    """`width` elements of an array; booleans are bytes in memory, complex numbers are pairs."""
    where = _address(lane, base)
    if lane.dtype.kind == "b":
        bytes_type = vector_type("i8", lane.width)
        return lane.let(
            f"trunc {bytes_type} {lane.let(f'load {bytes_type}, ptr {where}, align 1')}"
            f" to {lane.type}"
        )
    align = lane.dtype.itemsize
    if lane.dtype.kind != "c":
        return lane.let(f"load {lane.type}, ptr {where}, align {align}")
    wide, even, odd = _pairs(lane)
    both = lane.let(f"load {wide}, ptr {where}, align {align // 2}")
    if lane.width == 1:
        return tuple(lane.let(f"extractelement {wide} {both}, i64 {k}") for k in (0, 1))
    count = f"<{lane.width} x i32>"
    return tuple(
        lane.let(f"shufflevector {wide} {both}, {wide} poison, {count} {places}")
        for places in (even, odd)
    )


def _store(lane: Lanes, value: Value, base: str) -> None:
    where = _address(lane, base)
    if lane.dtype.kind == "b":
        bytes_type = vector_type("i8", lane.width)
        byte = lane.let(f"zext {lane.type} {value} to {bytes_type}")
        lane.code.put(f"store {bytes_type} {byte}, ptr {where}, align 1")
        return
    if lane.dtype.kind != "c":
        lane.code.put(f"store {lane.type} {value}, ptr {where}, align {lane.dtype.itemsize}")
        return
    wide, _, _ = _pairs(lane)
    if lane.width == 1:
        one = lane.let(f"insertelement {wide} poison, {lane.element} {value[0]}, i64 0")
        both = lane.let(f"insertelement {wide} {one}, {lane.element} {value[1]}, i64 1")
    else:
        places = ", ".join(f"i32 {k}, i32 {lane.width + k}" for k in range(lane.width))
        both = lane.let(
            f"shufflevector {lane.type} {value[0]}, {lane.type} {value[1]}, "
            f"<{2 * lane.width} x i32> <{places}>"
        )
    lane.code.put(f"store {wide} {both}, ptr {where}, align {lane.dtype.itemsize // 2}")
