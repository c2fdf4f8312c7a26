"""The addresses that compiled programs call through their table: BLAS, as SciPy carries it, and
the pool of threads."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

from wengert.compiler import pool
from wengert.lazy import module

POOL = "pool"
"""The name of the pool's `run`; all others are BLAS functions, called as Fortran calls them."""


@cache
def address(name: str) -> int:
    """The address behind a name."""
    if name == POOL:
        return pool.address()
    capsule = module("scipy.linalg.cython_blas").__pyx_capi__[name]
    pool.limit_blas()
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return int(api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule)))


def table(names: Sequence[str]) -> Any:
    """The table of a program, None where it calls nothing."""
    if not names:
        return None
    return (ctypes.c_void_p * len(names))(*map(address, names))
