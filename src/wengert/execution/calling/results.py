"""Where a program writes, and what its outputs become, in machine code."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wengert.execution.calling import layout
from wengert.execution.calling.entries import Constant, Items, Keyed, Made, Result, ResultForm
from wengert.execution.calling.writer import Writer
from wengert.graph.types import BOOL, ArrayType


@dataclass(frozen=True, slots=True)
class Room:
    """Memory for an output: on the stack, or in a new object, whose reference is in a slot."""

    memory: str
    slot: str = ""


def on_stack(w: Writer, type: ArrayType) -> Room:
    """Memory that ends with the call."""
    return Room(w.code.slot(f"[{max(type.nbytes, 1)} x i8]", 16))


def room(w: Writer, type: ArrayType) -> Room:
    """Memory for an output that is returned: that of a NumPy scalar or of an array."""
    if type.shape:
        made = w.own(_new_array(w, type))
        return Room(w.load(made, layout.DATA), w.last_owned())
    if type.dtype == BOOL:  # there are but two objects, one for each value
        return on_stack(w, type)
    kind = type.dtype.type
    allocate = w.word(layout.allocator(kind))
    made = w.own(w.code.let(f"call ptr {allocate}(ptr {w.object(kind)}, i64 0)"))
    return Room(w.at(made, layout.VALUE), w.last_owned())


def _new_array(w: Writer, type: ArrayType) -> str:
    extents = (ctypes.c_ssize_t * len(type.shape))(*type.shape)
    w.kept.append(extents)
    description = w.object(layout.description(type.dtype))
    w.call("Py_IncRef", "void", f"ptr {description}")  # which the array takes over
    return w.call(
        "PyArray_NewFromDescr",
        "ptr",
        f"ptr {w.object(np.ndarray)}",
        f"ptr {description}",
        f"i32 {len(type.shape)}",
        f"ptr {w.word(ctypes.addressof(extents))}",
        "ptr null",
        "ptr null",
        "i32 0",
        "ptr null",
    )


def build(w: Writer, form: ResultForm, rooms: Sequence[Room]) -> str:
    """A slot with a new reference to the result."""
    if isinstance(form, Result):
        found = rooms[form.index]
        return found.slot or _bool(w, found.memory)
    if isinstance(form, Constant):
        value = w.object(form.value)
        if isinstance(form.value, np.ndarray):
            w.own(w.call("PyArray_NewCopy", "ptr", f"ptr {value}", "i32 0"))  # NPY_CORDER
        else:
            w.call("Py_IncRef", "void", f"ptr {value}")
            w.own(value)
        return w.last_owned()
    parts = [build(w, part, rooms) for part in form.parts]
    if isinstance(form, Made):
        return _call(w, form, parts)
    if isinstance(form, Keyed):
        return _dict(w, form, parts)
    return _items(w, form, parts)


def _bool(w: Writer, memory: str) -> str:
    byte = w.code.let(f"load i8, ptr {memory}")
    is_true = w.code.let(f"icmp ne i8 {byte}, 0")
    either = (w.object(np.True_), w.object(np.False_))
    value = w.code.let(f"select i1 {is_true}, ptr {either[0]}, ptr {either[1]}")
    w.call("Py_IncRef", "void", f"ptr {value}")
    w.own(value)
    return w.last_owned()


def _items(w: Writer, form: Items, parts: Sequence[str]) -> str:
    count = f"i64 {len(parts)}"
    if form.kind is list:
        made = w.own(w.call("PyList_New", "ptr", count))
    elif form.kind is tuple:
        made = w.own(w.call("PyTuple_New", "ptr", count))
    else:  # a named tuple
        kind = f"ptr {w.object(form.kind)}"
        allocate = w.word(layout.allocator(form.kind))
        made = w.own(w.code.let(f"call ptr {allocate}({kind}, {count})"))
    slot = w.last_owned()
    put = "PyList_SetItem" if form.kind is list else "PyTuple_SetItem"
    for k, part in enumerate(parts):
        w.call(put, "i32", f"ptr {made}", f"i64 {k}", f"ptr {w.take(part)}")
    return slot


def _dict(w: Writer, form: Keyed, parts: Sequence[str]) -> str:
    made = w.own(w.call("PyDict_New", "ptr"))
    slot = w.last_owned()
    for key, part in zip(form.keys, parts, strict=True):
        value = w.code.let(f"load ptr, ptr {part}")
        given = (f"ptr {made}", f"ptr {w.object(key)}", f"ptr {value}")
        failed = w.call("PyDict_SetItem", "i32", *given)
        w.go_on_if(w.code.let(f"icmp eq i32 {failed}, 0"), "error")
        w.call("Py_DecRef", "void", f"ptr {w.take(part)}")
    return slot


def _call(w: Writer, form: Made, parts: Sequence[str]) -> str:
    values = w.table([w.code.let(f"load ptr, ptr {part}") for part in parts])
    function = f"ptr {w.object(form.function)}"
    given = (function, f"ptr {values}", f"i64 {len(parts)}", "ptr null")
    w.own(w.call("PyObject_Vectorcall", "ptr", *given))
    slot = w.last_owned()
    for part in parts:
        w.call("Py_DecRef", "void", f"ptr {w.take(part)}")
    return slot
