"""The machine code of a call entry: CPython's vectorcall for calls of one form.

    ptr enter(ptr self, ptr args, i64 count, ptr names, ptr state)

The first four are those of vectorcall (PEP 590). `state` is the memory of the entry: addresses of
objects and functions, so that the code itself holds none and serves all entries of the same form.
What an entry does not answer it hands on, with the same arguments, to the next one.

Nothing runs Python before the arguments are known to fit. From there on the entry holds a reference
to itself, and one to each input that a list or a dict might let go of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.compiler.native import Native
from wengert.execution.calling import layout, state
from wengert.execution.calling.entries import Entry
from wengert.execution.calling.matching import match_call
from wengert.execution.calling.results import build, on_stack, room
from wengert.execution.calling.writer import Writer

ARENA_ALIGNMENT = 64
_MOST_STACK_BYTES = 2_048
"""Larger arenas are allocated: Windows wants a frame of more than a page to be probed."""


def emit(entry: Entry) -> tuple[str, list[int], list[Any]]:
    """(the module, the words of the state, what must live as long as they do)."""
    w = Writer()
    code, native = w.code, entry.native
    inputs = match_call(w, entry)
    owner = w.load("%state", 8 * state.OWNER)
    w.call("Py_IncRef", "void", f"ptr {owner}")
    held = w.table(w.held) if w.held else "null"
    w.each("Py_IncRef", held, len(w.held))
    count = len(entry.guards)
    guards = [on_stack(w, type) for type in native.outputs[:count]]
    rooms = [room(w, type) for type in native.outputs[count:]]
    outputs = w.table([found.memory for found in (*guards, *rooms)])
    status = _run(w, native, inputs, outputs)
    w.go_on_if(code.let(f"icmp eq i64 {status}, 0"), "drop")
    _match_guards(w, [guard.memory for guard in guards], entry.guards)
    result = w.take(build(w, entry.result, rooms))
    _finish(w, result, owner, held)
    _ways_out(w, owner, held)
    return w.text(), w.words, w.kept


def _match_guards(w: Writer, memory: Sequence[str], guards: Sequence[bytes]) -> None:
    """Drop the call unless the guards have the bits that they had."""
    for found, bits in zip(memory, guards, strict=True):
        expected = np.frombuffer(bits, np.uint8)
        w.kept.append(expected)
        known = w.word(expected.ctypes.data)
        typed = (("ptr", found), ("ptr", known), ("i64", str(len(bits))))
        differs = w.code.call("memcmp", "i32", *typed)
        w.go_on_if(w.code.let(f"icmp eq i32 {differs}, 0"), "drop")


def _run(w: Writer, native: Native, inputs: str, outputs: str) -> str:
    """The status of the program."""
    if native.arena_bytes > _MOST_STACK_BYTES:
        return _run_with_arena(w, native, inputs, outputs)
    arena = "null"
    if native.arena_bytes:
        arena = w.code.slot(f"[{native.arena_bytes} x i8]", ARENA_ALIGNMENT)
    return _run_in(w, native, inputs, outputs, arena)


def _run_with_arena(w: Writer, native: Native, inputs: str, outputs: str) -> str:
    """The arena is the one that the last call left, or a new one where another thread has it."""
    code = w.code
    cell = w.at("%state", 8 * state.ARENA)
    idle = code.let(f"atomicrmw xchg ptr {cell}, i64 0 seq_cst")
    block = w.slot("i64", f"i64 {idle}")
    none = code.let(f"icmp eq i64 {idle}, 0")
    code.put(f"br i1 {none}, label %allocate, label %ready")
    code.label("allocate")
    fresh = w.call("PyMem_RawMalloc", "ptr", f"i64 {native.arena_bytes + ARENA_ALIGNMENT}")
    code.put(f"store ptr {fresh}, ptr {block}")
    missing = code.let(f"icmp eq ptr {fresh}, null")
    code.put(f"br i1 {missing}, label %no_memory, label %ready")
    code.label("no_memory")
    w.call("PyErr_NoMemory", "ptr")
    code.put("br label %error")
    code.label("ready")
    raw = code.let(f"load i64, ptr {block}")
    past = code.let(f"add i64 {raw}, {ARENA_ALIGNMENT - 1}")
    aligned = code.let(f"and i64 {past}, {-ARENA_ALIGNMENT}")
    arena = code.let(f"inttoptr i64 {aligned} to ptr")
    status = _run_in(w, native, inputs, outputs, arena)
    swapped = code.let(f"cmpxchg ptr {cell}, i64 0, i64 {raw} seq_cst seq_cst")
    kept = code.let(f"extractvalue {{ i64, i1 }} {swapped}, 1")
    code.put(f"br i1 {kept}, label %kept, label %spare")
    code.label("spare")
    w.call("PyMem_RawFree", "void", f"ptr {code.let(f'inttoptr i64 {raw} to ptr')}")
    code.put("br label %kept")
    code.label("kept")
    return status


def _run_in(w: Writer, native: Native, inputs: str, outputs: str, arena: str) -> str:
    program, table = w.load("%state", 8 * state.PROGRAM), w.load("%state", 8 * state.TABLE)
    given = f"ptr {inputs}, ptr {outputs}, ptr {arena}, ptr {table}"
    thread = w.call("PyEval_SaveThread", "ptr") if native.long else ""
    status = w.code.let(f"call i64 {program}({given})")
    if thread:
        w.call("PyEval_RestoreThread", "void", f"ptr {thread}")
    return status


def _ways_out(w: Writer, owner: str, held: str) -> None:
    """`miss` before anything was done; `drop` and `error` after it."""
    code = w.code
    code.label("miss")
    code.put(f"ret ptr {_next(w, 'musttail call')}")
    for label in ("drop", "error"):
        code.label(label)
        w.each("Py_DecRef", "%owned", w.owned)
        _finish(w, _next(w, "call") if label == "drop" else "null", owner, held)


def _finish(w: Writer, result: str, owner: str, held: str) -> None:
    """Return, and let go of the inputs and of the entry itself: by other code, since with the entry
    its own may go."""
    w.each("Py_DecRef", held, len(w.held))
    finish, release = w.load("%state", 8 * state.FINISH), w.word(layout.api("Py_DecRef"))
    given = f"ptr {result}, ptr {owner}, i64 0, ptr {release}, ptr null"
    w.code.put(f"ret ptr {w.code.let(f'musttail call ptr {finish}({given})')}")


def _next(w: Writer, call: str) -> str:
    """The result of the next entry of the chain."""
    following = w.load("%state", 8 * state.NEXT)
    function = w.load(following, 8 * state.FUNCTION)
    given = f"ptr %self, ptr %args, i64 %count, ptr %names, ptr {following}"
    return w.code.let(f"{call} ptr {function}({given})")
