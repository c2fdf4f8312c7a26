"""Whether a call has the form of an entry, in machine code; where its inputs lie."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from wengert.execution.calling import helpers, layout
from wengert.execution.calling.entries import Entry, Form, Items, Keyed, Leaf, Same
from wengert.execution.calling.writer import Writer

_COUNT_MASK = 0x7FFF_FFFF_FFFF_FFFF  # without PY_VECTORCALL_ARGUMENTS_OFFSET


def match_call(w: Writer, entry: Entry) -> str:
    """Hand the call on unless the entry answers it; the addresses of the inputs in a row."""
    count = len(entry.native.inputs)
    inputs = w.code.slot(f"[{max(count, 1)} x ptr]", 16)
    _match_arguments(w, entry, inputs)
    for k, value in enumerate(entry.held, count - len(entry.held)):
        expected = entry.native.inputs[k]
        if type(value) is np.ndarray:
            leaf = Leaf(k, np.ndarray, value.dtype, expected.shape)
            _array(w, leaf, w.object(value), w.at(inputs, 8 * k))
        else:
            number = np.array(value, expected.dtype)
            w.kept.append(number)
            w.code.put(f"store ptr {w.word(number.ctypes.data)}, ptr {w.at(inputs, 8 * k)}")
    return inputs


def _match_arguments(w: Writer, entry: Entry, inputs: str) -> None:
    signature = entry.signature
    count = w.code.let(f"and i64 %count, {_COUNT_MASK}")
    w.need("i64", count, len(signature.positional))
    if signature.names:
        w.go_on_if(w.code.let("icmp ne ptr %names, null"), "miss")
        w.need("i64", w.load("%names", layout.SIZE, "i64"), len(signature.names))
        for k, name in enumerate(signature.names):
            _match_same(w, name, w.load("%names", layout.TUPLE_ITEMS + 8 * k))
    else:
        w.need("ptr", "%names", "null")
    for k, form in enumerate(signature.parts):
        _match(w, form, w.load("%args", 8 * k), inputs)


def _match(w: Writer, form: Form, value: str, inputs: str, shared: bool = False) -> None:
    """Hand the call on unless a value has this form; find the addresses of its leaves.

    shared: whether the value lies in a list or a dict, which another thread may empty.
    """
    if isinstance(form, Same):
        _match_same(w, form.value, value)
        return
    kind = dict if isinstance(form, Keyed) else form.kind
    w.need("ptr", w.load(value, layout.TYPE), w.object(kind))
    if isinstance(form, Leaf):
        if shared:
            w.held.append(value)
        place = w.at(inputs, 8 * form.index)
        if kind is np.ndarray:
            _array(w, form, value, place)
        else:
            w.code.put(f"store ptr {_number(w, form, value)}, ptr {place}")
    elif isinstance(form, Items):
        w.need("i64", w.load(value, layout.SIZE, "i64"), len(form.parts))
        is_list = kind is list
        base = w.load(value, layout.LIST_ITEMS) if is_list else value
        start = 0 if is_list else layout.TUPLE_ITEMS
        for k, part in enumerate(form.parts):
            _match(w, part, w.load(base, start + 8 * k), inputs, shared or is_list)
    else:
        _match_dict(w, form, value, inputs)


def _match_dict(w: Writer, form: Keyed, value: str, inputs: str) -> None:
    w.need("i64", w.call("PyDict_Size", "i64", f"ptr {value}"), len(form.keys))
    place, key, item = w.slot("i64", "i64 0"), w.slot("ptr"), w.slot("ptr")
    for expected, part in zip(form.keys, form.parts, strict=True):
        where = (f"ptr {value}", f"ptr {place}", f"ptr {key}", f"ptr {item}")
        w.call("PyDict_Next", "i32", *where)
        _match_same(w, expected, w.code.let(f"load ptr, ptr {key}"))
        _match(w, part, w.code.let(f"load ptr, ptr {item}"), inputs, shared=True)


def _match_same(w: Writer, expected: Any, value: str) -> None:
    known = w.object(expected)
    if type(expected) in (str, int):
        w.helpers.add(helpers.SAME)
        compare = w.word(layout.api("PyObject_RichCompareBool"))
        same = w.code.let(f"call i1 @same(ptr {value}, ptr {known}, ptr {compare})")
    else:
        same = w.code.let(f"icmp eq ptr {value}, {known}")
    w.go_on_if(same, "miss")


def _array(w: Writer, leaf: Leaf, value: str, place: str) -> None:
    """The address of an array's data goes to its place."""
    w.helpers.add(helpers.ARRAY)
    known = layout.description(leaf.dtype)
    words = (id(known), known.num, len(leaf.shape), *leaf.shape)
    expected = (ctypes.c_size_t * len(words))(*words)
    w.kept.append((known, expected))
    given = f"ptr {value}, ptr {w.word(ctypes.addressof(expected))}, ptr {place}"
    w.go_on_if(w.code.let(f"call i1 @array({given})"), "miss")


def _number(w: Writer, leaf: Leaf, value: str) -> str:
    """The value of a number. Floats, complex numbers and NumPy's scalars are read where they
    lie."""
    if leaf.kind is bool:
        is_true = w.code.let(f"icmp eq ptr {value}, {w.object(True)}")
        return w.slot("i8", f"i8 {w.code.let(f'zext i1 {is_true} to i8')}")
    if leaf.kind is int:
        overflow = w.slot("i32", "i32 0")
        found = w.call("PyLong_AsLongLongAndOverflow", "i64", f"ptr {value}", f"ptr {overflow}")
        w.need("i32", w.code.let(f"load i32, ptr {overflow}"), 0)
        return w.slot("i64", f"i64 {found}")
    return w.at(value, layout.VALUE)
