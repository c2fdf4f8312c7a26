"""The entries of one function in a row: each hands on what it does not answer.

A link owns its entry, the code, and the memory that the code reads; it owns the link after it, so
that a call which is under way may go on through a chain that was shortened meanwhile.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from wengert.compiler.machine import Loaded
from wengert.execution.calling import layout, state
from wengert.execution.calling.chain_ends import (
    DISPATCH,
    LAST_RESORT,
    LAST_RESORT_FUNCTIONS,
    WAY_OUT,
)
from wengert.execution.calling.emission import emit
from wengert.execution.calling.entries import Entry
from wengert.lazy import module

_free = ctypes.pythonapi["PyMem_RawFree"]
_free.argtypes, _free.restype = (ctypes.c_void_p,), None


class Link:
    """An entry in a chain. state: the memory of its machine code, None where it has none."""

    __slots__ = ("code", "entry", "kept", "next", "state")

    def __init__(self, entry: Entry, following: Link | None) -> None:
        self.entry = entry
        self.next = following
        self.code: Loaded | None = None
        self.state: Any = None
        self.kept: Any = ()

    @property
    def address(self) -> int:
        return ctypes.addressof(self.state)

    def __del__(self) -> None:
        if self.state is not None and self.state[state.ARENA]:
            _free(self.state[state.ARENA])


def with_machine_code(link: Link, last: int) -> Link:
    """A link whose code is loaded. last: the state of the last resort."""
    text, words, link.kept = emit(link.entry)
    link.code = loaded(text)
    native = link.entry.native
    words[state.FUNCTION] = link.code.address("enter")
    words[state.NEXT] = last if link.next is None else link.next.address
    words[state.OWNER] = id(link)
    words[state.FINISH], _ = _finish()
    words[state.PROGRAM] = native.address
    words[state.TABLE] = 0 if native.table is None else ctypes.addressof(native.table)
    link.state = _memory(words)
    return link


def shorten(link: Link, most: int, last: int) -> None:
    """Let go of the links after the first `most`."""
    for _ in range(most - 1):
        if link.next is None:
            return
        link = link.next
    if link.state is not None:
        link.state[state.NEXT] = last
    link.next = None


@cache
def last_resort(function: Callable[..., Any]) -> tuple[Any, Loaded]:
    """The state that ends a chain: it calls a Python function with the object and its arguments."""
    text = LAST_RESORT.replace("FIRST", str(state.COMMON_WORDS))
    code = loaded(text)
    words = [0] * state.COMMON_WORDS
    words[state.FUNCTION] = code.address("enter")
    words += [id(function), *map(layout.api, LAST_RESORT_FUNCTIONS)]
    return _memory(words), code


@cache
def dispatcher(chain: int, first: int) -> tuple[int, Loaded]:
    """The vectorcall of objects with their chain and its state at these offsets."""
    code = loaded(DISPATCH.format(chain=chain, first=first, last=first + 8))
    return code.address("dispatch"), code


@cache
def _finish() -> tuple[int, Loaded]:
    code = loaded(WAY_OUT)
    return code.address("finish"), code


@lru_cache(256)
def loaded(text: str) -> Loaded:
    """The machine code of a module; entries of the same form share it."""
    code: Loaded = module("wengert.compiler.pipeline").loaded(text)
    return code


def _memory(words: list[int]) -> Any:
    return (ctypes.c_size_t * len(words))(*words)
