"""Inverses from factors, by halves.

LAPACK's own routines spend most of their time in products with thin panels. Here a triangle is
inverted by halves, so that nearly all the work is in products of large blocks:

    [A 0]⁻¹   [   A⁻¹         0 ]
    [B C]   = [−C⁻¹ B A⁻¹   C⁻¹ ]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.linalg.lapack import blas, routine

PANEL = 48
"""The extent of triangles that LAPACK inverts."""


def inverse_triangle(t: Any, lower: bool = True, unit: bool = False) -> Any:
    """The inverse of a triangle; what is stored in the other one is not read. NaN where it is
    singular."""
    if not lower:
        return inverse_triangle(t.T, True, unit).T
    result = np.zeros(t.shape, t.dtype, order="F")
    _invert(t, result, 0, len(t), unit)
    return result


def _invert(t: Any, result: Any, start: int, stop: int, unit: bool) -> None:
    """Fill the rows and columns start … stop of the inverse of a lower triangle."""
    if stop - start <= PANEL:
        here = slice(start, stop)
        found, info = routine("trtri", t.dtype)(np.tril(t[here, here]), lower=1, unitdiag=unit)
        if info:
            found = np.tril(np.full(found.shape, np.nan, t.dtype))
        elif unit:
            np.fill_diagonal(found, 1)
        result[here, here] = found
        return
    middle = start + (stop - start) // 2
    _invert(t, result, start, middle, unit)
    _invert(t, result, middle, stop, unit)
    first, last = slice(start, middle), slice(middle, stop)
    multiply = blas("trmm", t.dtype)
    left = multiply(-1, result[last, last], t[last, first], lower=1)
    result[last, first] = multiply(1, result[first, first], left, side=1, lower=1, overwrite_b=1)


def product_with_adjoint(w: Any, d: Any) -> Any:
    """Wᵀ diag(d) W̄ of a lower triangle W. Weights of one sign are shared by both factors, whose
    product LAPACK computes with half the work."""
    is_complex = w.dtype.kind == "c"
    sign = 0 if is_complex else 1 if (d > 0).all() else -1 if (d < 0).all() else 0
    if not sign:
        return w.T @ (d[:, None] * w.conj())
    scaled = np.sqrt(np.abs(d))[:, None] * w
    half, _ = routine("lauum", w.dtype)(np.asfortranarray(scaled), lower=1, overwrite_c=1)
    return mirrored(half) * sign if sign < 0 else mirrored(half)


def mirrored(lower: Any) -> Any:
    """The symmetric matrix of which the lower triangle is given, the upper being zero."""
    result = lower + lower.T
    places = np.arange(len(result))
    result[places, places] *= 0.5
    return result


def inverse_from(packed: Any, pivots: Any) -> Any:
    """The inverse from LU factors; NaN where a factor is singular."""
    found, info = routine("getri", packed.dtype)(packed, pivots, lwork=64 * len(pivots))
    return found if not info else np.full(packed.shape, np.nan, packed.dtype)
