"""LAPACK's routines on arrays and on stacks of them.

LAPACK reads a matrix column by column. A matrix in Fortran's order is taken as it is, one in C's
order is copied by the wrapper; results are in Fortran's order, each matrix of a stack by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from wengert import lazy
from wengert.graph.types import FLOAT, ArrayType, DType

ERRORS = (np.linalg.LinAlgError,)
"""What the evaluation of a factorisation or a solve raises for values that have none."""

MOST_ORDER = 64
"""Matrices that are no larger have machine code; LAPACK, which then is faster, has the others."""

_PREFIX = {"f": "s", "d": "d", "F": "c", "D": "z"}


def routine(name: str, dtype: DType) -> Callable[..., Any]:
    """LAPACK's routine for a dtype: dgetrf for ("getrf", float64)."""
    found: Callable[..., Any] = getattr(
        lazy.module("scipy.linalg.lapack"), _PREFIX[dtype.char] + name
    )
    return found


def blas(name: str, dtype: DType) -> Callable[..., Any]:
    """The same for BLAS."""
    found: Callable[..., Any] = getattr(
        lazy.module("scipy.linalg.blas"), _PREFIX[dtype.char] + name
    )
    return found


def inexact(*types: ArrayType) -> DType:
    """The dtype in which `numpy.linalg` computes: integers and booleans become float64."""
    return np.result_type(*[type.dtype if type.dtype.kind in "fc" else FLOAT for type in types])


def singular() -> NoReturn:
    """NumPy's error."""
    raise np.linalg.LinAlgError("Singular matrix")


def empty_matrices(shape: tuple[int, ...], dtype: DType) -> Any:
    """An array of a stack's shape, each matrix in Fortran's order."""
    turned = np.empty((*shape[:-2], shape[-1], shape[-2]), dtype)
    return np.swapaxes(turned, -1, -2)


def each_matrix(function: Callable[[Any], Any], x: Any) -> Any:
    """A function of a matrix, whose result has the matrix's shape, on each of a stack."""
    if not x.size:
        return np.empty(x.shape, x.dtype)
    if x.ndim == 2:
        return function(x)
    result = empty_matrices(x.shape, x.dtype)
    for at in np.ndindex(x.shape[:-2]):
        result[at] = function(x[at])
    return result


def each_system(solve: Callable[..., Any], b: Any, *factors: Any) -> Any:
    """solve(b, *factors) for each right side b of a stack, whose factors broadcast against it.

    factors: (array, how many axes each one of them has). Where there is one system for the whole
    stack, all right sides are columns of one.
    """
    if not b.size:
        return np.empty(b.shape, b.dtype)
    bare = [array for array, _ in factors]
    if b.ndim == 2:
        return solve(b, *bare)
    if all(array.ndim == own for array, own in factors):
        columns = np.moveaxis(b, -2, 0)
        found = solve(columns.reshape(b.shape[-2], -1), *bare)
        return np.moveaxis(found.reshape(columns.shape), 0, -2)
    lead = b.shape[:-2]
    spread = [np.broadcast_to(a, (*lead, *a.shape[a.ndim - own :])) for a, own in factors]
    result = empty_matrices(b.shape, b.dtype)
    for at in np.ndindex(lead):
        result[at] = solve(b[at], *[array[at] for array in spread])
    return result
