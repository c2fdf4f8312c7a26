"""Inverses from factors, in one array each: memory that is touched for the first time costs more
than the arithmetic on matrices of some hundred rows.

LAPACK's `trtri` spends most of its time in products with thin panels. Here a triangle is inverted
by halves, so that nearly all the work is in products of large blocks:

    [A 0]⁻¹   [   A⁻¹         0 ]
    [B C]   = [−C⁻¹ B A⁻¹   C⁻¹ ]
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from wengert.ops.linalg.lapack import blas, routine

PANEL = 48
"""The extent of triangles that LAPACK inverts."""


@lru_cache(maxsize=64)
def _upper(n: int) -> Any:
    """Where a matrix has its upper triangle, without the diagonal."""
    return ~np.tri(n, dtype=bool)


def inverse_triangle(t: Any) -> Any:
    """The inverse of a lower triangle, with zeros above. NaN where it is singular."""
    result = np.array(t, order="F")
    _invert(result, 0, len(t))
    return result


def _invert(t: Any, start: int, stop: int) -> None:
    """Replace rows and columns start … stop of a lower triangle by those of the inverse."""
    if stop - start <= PANEL:
        block = t[start:stop, start:stop]
        found, info = routine("trtri", t.dtype)(block, lower=1)
        block[...] = np.nan if info else found
        block[_upper(stop - start)] = 0
        return
    middle = start + (stop - start) // 2
    _invert(t, start, middle)
    _invert(t, middle, stop)
    multiply = blas("trmm", t.dtype)
    first, last = slice(start, middle), slice(middle, stop)
    left = multiply(-1, t[last, last], t[last, first], lower=1)
    t[last, first] = multiply(1, t[first, first], left, side=1, lower=1, overwrite_b=1)
    t[first, last] = 0


def transposed_inverse(packed: Any, pivots: Any) -> Any:
    """The transposed inverse from LU factors, in C's order; NaN where a factor is singular."""
    result = packed.T.copy()
    if result.size:
        work = 64 * len(result)
        found, info = routine("getri", result.dtype)(result.T, pivots, lwork=work, overwrite_lu=1)
        if info:
            return np.full_like(result, np.nan)
        if not np.may_share_memory(found, result):  # the wrapper made a copy
            return np.ascontiguousarray(found.T)
    return result


def product_with_adjoint(w: Any, d: Any) -> Any:
    """Wᵀ diag(d) W̄ of a lower triangle W, whose memory may be used. Weights of one sign are shared
    by both factors, whose product LAPACK computes with half the work."""
    is_complex = w.dtype.kind == "c"
    sign = 0 if is_complex else 1 if (d > 0).all() else -1 if (d < 0).all() else 0
    if not sign:
        return w.T @ (d[:, None] * w.conj())
    if (d != sign).any():
        w *= np.sqrt(np.abs(d))[:, None]
    half, _ = routine("lauum", w.dtype)(w, lower=1, overwrite_c=1)
    _mirror(half)
    return half if sign > 0 else np.negative(half, out=half)


def _mirror(lower: Any) -> None:
    """Give a matrix the upper triangle that makes it symmetric."""
    n = len(lower)
    for start in range(0, n, PANEL):
        stop = min(start + PANEL, n)
        here = slice(start, stop)
        block = lower[here, here]
        np.copyto(block, block.T.copy(), where=_upper(stop - start))
        lower[here, stop:] = lower[stop:, here].T
