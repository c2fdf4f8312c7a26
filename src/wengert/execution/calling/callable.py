"""`vectorcalled`: a class whose objects are called through a chain of entries, in machine code
where that is possible.

An ordinary class says everything else: names, binding, pickling, and the slow way of a call. On top
of it comes a heap type made by PyType_FromSpecWithBases, whose objects have three words more:

    vectorcall    null, so that CPython calls `__call__`, or machine code once there is an entry
    first, last   the states of the first entry and of the last resort

These are borrowed addresses. What they point to is owned by the slot `_chain`, which CPython itself
visits and clears: machine code looks whether it is null before it believes `first`.
"""

from __future__ import annotations

import ctypes
from functools import cache
from threading import RLock
from typing import Any, TypeVar

from wengert.execution.calling import layout
from wengert.execution.calling.chain import (
    Link,
    dispatcher,
    last_resort,
    shorten,
    with_machine_code,
)
from wengert.execution.calling.entries import Entry
from wengert.execution.calling.portable import attempt
from wengert.tracing.wrapping import Wrapped

MOST_ENTRIES = 32
"""The oldest entry of an object goes when there would be more: a call may try them all."""

_pushing = RLock()


class Entered(Wrapped):
    """A callable that answers calls of known forms by entries, and all others by `slow`."""

    __slots__ = ("_chain",)
    _chain: Link

    def slow(self, *args: Any, **kwargs: Any) -> Any:
        """The answer where no entry has one."""
        raise NotImplementedError

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        link: Link | None = getattr(self, "_chain", None)
        while link is not None:
            answered, result = attempt(link.entry, args, kwargs)
            if answered:
                return result
            link = link.next
        return self.slow(*args, **kwargs)

    def push_entry(self, entry: Entry) -> None:
        """Let calls of a form be answered by an entry, before all others."""
        by_machine = _takes_machine_code(type(self))
        with _pushing:
            link = Link(entry, getattr(self, "_chain", None))
            if not by_machine:
                self._chain = link
                shorten(link, MOST_ENTRIES, 0)
                return
            state, _ = last_resort(type(self).slow)
            last = ctypes.addressof(state)
            with_machine_code(link, last)
            self._chain = link
            start = _words_at[type(self)]
            words = (ctypes.c_size_t * 3).from_address(id(self) + start)
            words[1:] = [link.address, last]
            words[0], _ = dispatcher(_CHAIN, start + 8)
            shorten(link, MOST_ENTRIES, last)

    def forget_entries(self) -> None:
        """Answer every call by `slow`."""
        with _pushing:
            if hasattr(self, "_chain"):
                del self._chain


_CHAIN = Entered.__basicsize__ - 8  # the slot is the last that the class adds


# ---------------------------------------------------------------------------------- the type

_VECTORCALL, _METHOD_DESCRIPTOR = 1 << 11, 1 << 17  # Py_TPFLAGS_HAVE_..., Py_TPFLAGS_...
_TP_MEMBERS = 72  # typeslots.h
_PYSSIZET, _READONLY = 19, 1  # structmember.h
_WORDS = 3


class _Member(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


class _Slot(ctypes.Structure):
    _fields_ = (("slot", ctypes.c_int), ("function", ctypes.c_void_p))


class _Spec(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    )


_kept: list[Any] = []
"""The specifications of types: CPython refers to their names."""

_words_at: dict[type, int] = {}
"""The types made here, with the offset of their words."""

T = TypeVar("T", bound=Entered)


def vectorcalled(cls: type[T]) -> type[T]:
    """The class whose objects can be called through machine code; `cls` where there is none."""
    if not layout.is_known_python():
        return cls
    start = cls.__basicsize__
    members = (_Member * 2)(_Member(b"__vectorcalloffset__", _PYSSIZET, start, _READONLY))
    slots = (_Slot * 2)(_Slot(_TP_MEMBERS, ctypes.addressof(members)))
    name = f"{cls.__module__}.{cls.__qualname__}".encode()
    flags = _VECTORCALL | _METHOD_DESCRIPTOR
    spec = _Spec(name, start + 8 * _WORDS, 0, flags, slots)
    _kept.append((spec, members))
    make = ctypes.pythonapi["PyType_FromSpecWithBases"]
    make.argtypes, make.restype = (ctypes.c_void_p, ctypes.py_object), ctypes.py_object
    made: type[T] = make(ctypes.addressof(spec), (cls,))
    made.__doc__ = cls.__doc__
    _words_at[made] = start
    return made


@cache
def _takes_machine_code(cls: type[Entered]) -> bool:
    """Whether the objects of a class have the words, and their chain where it is expected."""
    if cls not in _words_at or not layout.machine_entries():
        return False
    sample: Any = cls.__new__(cls)
    mark = object()
    sample._chain = mark
    return ctypes.c_size_t.from_address(id(sample) + _CHAIN).value == id(mark)
