"""Entries without machine code of their own: the same answers, through Python and ctypes."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.compiler.native import Native
from wengert.execution.calling.entries import (
    Constant,
    Entry,
    Form,
    Items,
    Keyed,
    Leaf,
    Made,
    Result,
    ResultForm,
    Same,
    is_plain,
)
from wengert.graph.types import ArrayType, TapeType

_ARENA_ALIGNMENT = 64
_CONVENTION = (ctypes.c_int64, *[ctypes.c_void_p] * 4)
_RELEASING = ctypes.CFUNCTYPE(*_CONVENTION)
_HOLDING = ctypes.PYFUNCTYPE(*_CONVENTION)


def run(native: Native, inputs: Sequence[np.ndarray[Any, Any]]) -> list[Any] | None:
    """The outputs of a program as new arrays, or None where its status is no success.

    inputs: of the types that it expects, plain in memory.
    """
    inputs = [
        _handle(array) if isinstance(type, TapeType) else array
        for array, type in zip(inputs, native.inputs, strict=True)
    ]
    outputs = [
        np.zeros(3, np.int64) if isinstance(type, TapeType) else np.empty(type.shape, type.dtype)
        for type in native.outputs
    ]
    arena = np.empty(native.arena_bytes + _ARENA_ALIGNMENT, np.uint8)
    start = -(-arena.ctypes.data // _ARENA_ALIGNMENT) * _ARENA_ALIGNMENT
    function = (_RELEASING if native.long else _HOLDING)(native.address)
    table = None if native.table is None else ctypes.addressof(native.table)
    status = function(_addresses(inputs), _addresses(outputs), start, table)
    outputs = [
        _rows(array, type.step) if isinstance(type, TapeType) else array
        for array, type in zip(outputs, native.outputs, strict=True)
    ]
    return None if status else outputs


def _handle(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A tape as machine code reads it: where its rows are, the room for them, their number."""
    return np.array([rows.ctypes.data, len(rows), len(rows)])


def _rows(handle: np.ndarray[Any, Any], step: ArrayType) -> np.ndarray[Any, Any]:
    """The rows of a tape that machine code gives away, which are freed."""
    start, _, count = handle.tolist()
    rows = np.empty((count, *step.shape), step.dtype)
    ctypes.memmove(rows.ctypes.data, start, rows.nbytes)
    _free(start)
    return rows


_free = ctypes.CDLL(None).free
_free.argtypes = [ctypes.c_void_p]
_free.restype = None


def _addresses(arrays: Sequence[np.ndarray[Any, Any]]) -> Any:
    return (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])


def attempt(entry: Entry, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[bool, Any]:
    """(whether the entry answers this call, its result)."""
    signature = entry.signature
    if len(args) != len(signature.positional) or tuple(kwargs) != signature.names:
        return False, None
    inputs: list[Any] = [None] * len(entry.native.inputs)
    for form, value in zip(signature.parts, (*args, *kwargs.values()), strict=True):
        if not _take(form, value, inputs):
            return False, None
    for k, value in enumerate(entry.held, len(inputs) - len(entry.held)):
        expected = entry.native.inputs[k]
        if not _take(Leaf(k, type(value), expected.dtype, expected.shape), value, inputs):
            return False, None
    outputs = run(entry.native, inputs)
    if outputs is None:
        return False, None
    count = len(entry.guards)
    for found, bits in zip(outputs[:count], entry.guards, strict=True):
        if found.tobytes() != bits:
            return False, None
    return True, _build(entry.result, outputs[count:])


def _take(form: Form, value: Any, inputs: list[Any]) -> bool:
    """Whether a value has this form; its leaves go to their places among the inputs."""
    kind = type(value)
    if isinstance(form, Leaf):
        if kind is not form.kind:
            return False
        if kind is int and not -(2**63) <= value < 2**63:
            return False
        array = value if kind is np.ndarray else np.asarray(value, form.dtype)
        inputs[form.index] = array
        return (array.shape, array.dtype) == (form.shape, form.dtype) and is_plain(array)
    if isinstance(form, Same):
        expected = form.value
        alike = kind is type(expected) and kind in (str, int)
        return value is expected or (alike and bool(value == expected))
    if isinstance(form, Items):
        if kind is not form.kind or len(value) != len(form.parts):
            return False
        return all(_take(part, item, inputs) for part, item in zip(form.parts, value, strict=True))
    if kind is not dict or tuple(value) != form.keys:
        return False
    return all(
        _take(part, item, inputs) for part, item in zip(form.parts, value.values(), strict=True)
    )


def _build(form: ResultForm, outputs: Sequence[np.ndarray[Any, Any]]) -> Any:
    if isinstance(form, Result):
        found = outputs[form.index]
        return found if found.shape else found[()]
    if isinstance(form, Constant):
        return form.value.copy() if isinstance(form.value, np.ndarray) else form.value
    parts = [_build(part, outputs) for part in form.parts]
    if isinstance(form, Keyed):
        return dict(zip(form.keys, parts, strict=True))
    if isinstance(form, Made):
        return form.function(*parts)
    return form.kind._make(parts) if hasattr(form.kind, "_make") else form.kind(parts)
