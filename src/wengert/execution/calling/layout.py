"""What machine code must know of CPython and NumPy: addresses of their functions, offsets of
fields. All of it is compared with what Python reports on real objects before it is believed.

Sources: CPython's `Include/cpython/*.h`; NumPy 2's `ndarraytypes.h` and `__multiarray_api.h`, whose
table keeps its order within an ABI version.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from wengert.graph.types import SUPPORTED, DType
from wengert.lazy import module
from wengert.logging import logger

VERSIONS = ((3, 11), (3, 14))
"""The first and the last CPython whose objects are known."""

TYPE = 8  # PyObject.ob_type
VALUE = 16  # ob_fval, cval, and obval of NumPy's scalars
SIZE = 16  # PyVarObject.ob_size
LIST_ITEMS = 24  # PyListObject.ob_item
TUPLE_ITEMS = tuple.__basicsize__  # PyTupleObject.ob_item
DATA, RANK, EXTENTS, DESCRIPTION, FLAGS = 16, 24, 32, 56, 64  # PyArrayObject
BYTE_ORDER, NUMBER = 26, 28  # PyArray_Descr
PLAIN = 0x1 | 0x100  # NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED

_TP_ALLOC = 47  # typeslots.h
_ABI = 0x02000000
_TABLE = {"PyArray_NewCopy": 85, "PyArray_NewFromDescr": 94}


def is_known_python() -> bool:
    """Whether this interpreter may be one whose objects are known."""
    return (
        platform.python_implementation() == "CPython"
        and VERSIONS[0] <= sys.version_info[:2] <= VERSIONS[1]
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
        and sys.byteorder == "little"
        and struct.calcsize("P") == 8
    )


@cache
def api(name: str) -> int:
    """The address of a function of CPython, or of NumPy's table."""
    if name in _TABLE:
        return int(_table()[_TABLE[name]])
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


_get_slot = ctypes.pythonapi["PyType_GetSlot"]
_get_slot.argtypes, _get_slot.restype = (ctypes.py_object, ctypes.c_int), ctypes.c_void_p


def allocator(kind: type) -> int:
    """The address of the function that allocates the instances of a type."""
    return int(_get_slot(kind, _TP_ALLOC))


def description(dtype: DType) -> DType:
    """The one object that stands for a built-in dtype."""
    return np.dtype(dtype.char)


@cache
def _table() -> Any:
    capsule = module("numpy._core.multiarray")._ARRAY_API
    get_pointer = ctypes.pythonapi["PyCapsule_GetPointer"]
    get_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)
    get_pointer.restype = ctypes.POINTER(ctypes.c_size_t)
    return get_pointer(capsule, None)


@cache
def machine_entries() -> bool:
    """Whether call entries may be machine code here; where not, the log says why."""
    if os.environ.get("WENGERT_ENTRY") == "portable":
        return False
    if not is_known_python():
        logger.info("call entries go through Python: %s is not known", sys.version)
        return False
    for probe in _PROBES:
        try:
            passed = probe()
        except Exception as error:
            logger.info("call entries go through Python: %s", error)
            return False
        if not passed:
            logger.info("call entries go through Python: %s", probe.__doc__)
            return False
    return True


# -------------------------------------------------------------------------------------- probes


def _read(kind: Any, value: Any, offset: int) -> Any:
    return kind.from_address(id(value) + offset).value


def _bytes(value: Any, offset: int, count: int) -> bytes:
    return ctypes.string_at(id(value) + offset, count)


def _objects() -> bool:
    """tuples, lists or numbers have another layout"""
    triple, several = (1.5, "a", None), [1.5, "a", None]
    items = ctypes.c_size_t.from_address(id(several) + LIST_ITEMS).value
    there = [ctypes.c_size_t.from_address(items + 8 * k).value for k in range(3)]
    return (
        [_read(ctypes.c_size_t, triple, TUPLE_ITEMS + 8 * k) for k in range(3)]
        == there
        == list(map(id, triple))
        and _read(ctypes.c_ssize_t, triple, SIZE) == _read(ctypes.c_ssize_t, several, SIZE) == 3
        and _read(ctypes.c_size_t, triple, TYPE) == id(tuple)
        and _read(ctypes.c_double, 1.5, VALUE) == 1.5
        and _bytes(1.5 - 2j, VALUE, 16) == struct.pack("dd", 1.5, -2)
    )


def _scalars() -> bool:
    """NumPy's scalars have another layout"""
    samples = [dtype.type(1 if dtype.kind == "b" else 77) for dtype in SUPPORTED]
    return all(_bytes(s, VALUE, s.itemsize) == s.tobytes() for s in samples)


def _arrays() -> bool:
    """NumPy's arrays have another layout"""
    samples: list[Any] = [
        np.zeros((2, 3)),
        np.zeros((3, 4), np.float32).T,
        np.zeros((5, 4))[::2, 1:],
    ]
    samples += [np.array(3), np.frombuffer(bytes(17), np.uint8)[1:].view(np.float64)]
    for array in samples:
        extents = _read(ctypes.c_size_t, array, EXTENTS)
        shape = [ctypes.c_ssize_t.from_address(extents + 8 * k).value for k in range(array.ndim)]
        plain = array.flags.c_contiguous and array.flags.aligned
        if (
            _read(ctypes.c_size_t, array, DATA) != array.ctypes.data
            or _read(ctypes.c_int, array, RANK) != array.ndim
            or tuple(shape) != array.shape
            or _read(ctypes.c_size_t, array, DESCRIPTION) != id(array.dtype)
            or ((_read(ctypes.c_int, array, FLAGS) & PLAIN) == PLAIN) is not plain
        ):
            return False
    return True


def _descriptions() -> bool:
    """NumPy's dtypes have another layout"""
    swapped = [dtype.newbyteorder() for dtype in SUPPORTED if dtype.itemsize > 1]
    return all(
        _read(ctypes.c_int, dtype, NUMBER) == dtype.num
        and _bytes(dtype, BYTE_ORDER, 1) == dtype.byteorder.encode()
        for dtype in [*SUPPORTED, *swapped]
    ) and all(description(dtype) is description(np.dtype(dtype.str)) for dtype in _EXACT)


_EXACT = [np.dtype(char) for char in "?bhlBHLfdFD"]


def _functions() -> bool:
    """NumPy's table of functions has another order"""
    table = _table()
    version = ctypes.PYFUNCTYPE(ctypes.c_uint)(table[0])()
    if version != _ABI or table[2] != id(np.ndarray):
        return False
    make = ctypes.PYFUNCTYPE(
        ctypes.py_object,
        ctypes.py_object,
        ctypes.py_object,
        ctypes.c_int,
        *[ctypes.c_void_p] * 3,
        ctypes.c_int,
        ctypes.c_void_p,
    )(api("PyArray_NewFromDescr"))
    take = ctypes.PYFUNCTYPE(None, ctypes.py_object)(api("Py_IncRef"))
    dtype = np.dtype("f")
    take(dtype)  # the new array takes the reference over
    extents = (ctypes.c_ssize_t * 2)(2, 3)
    made = make(np.ndarray, dtype, 2, ctypes.addressof(extents), None, None, 0, None)
    copy = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.c_int)
    made[...] = 7
    copied = copy(api("PyArray_NewCopy"))(made, 0)
    return (
        (made.shape, made.dtype, made.flags.owndata) == ((2, 3), dtype, True)
        and made.flags.c_contiguous
        and np.array_equal(made, copied)
        and copied.base is None
    )


_PROBES: tuple[Callable[[], bool], ...] = (_objects, _scalars, _arrays, _descriptions, _functions)
