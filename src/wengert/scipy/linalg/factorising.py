"""Factorisations of `scipy.linalg` on tracers: LU, Cholesky, QR, and what is made of them.

Rows and columns that a factorisation exchanges are constant nearby.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from wengert.errors import Unsupported, WengertValueError
from wengert.numpy.dispatch import apply, as_tracer
from wengert.scipy.linalg.arguments import (
    adjoint,
    arrays,
    as_given,
    check_matrices,
    check_square,
    results,
    vector_or_matrix,
)
from wengert.scipy.linalg.solving import (
    cholesky_factor,
    shifted,
    solve_band,
    triangular,
    turn_of,
    whole_band,
)
from wengert.scipy.namespace import implements

# ---------------------------------------------------------------------------------- Cholesky


@implements(linalg.cholesky)
def cholesky(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    (a,) = arrays(a)
    check_square(a, "a")
    factor = cholesky_factor(a, lower)
    return factor if lower else adjoint(factor)


@implements(linalg.cho_factor)
def cho_factor(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    """The factor in one triangle; the other holds what it held before."""
    (a,) = arrays(a)
    factor = cholesky(a, lower)
    return factor + (np.triu(a, 1) if lower else np.tril(a, -1)), lower


@implements(linalg.cho_solve)
def cho_solve(
    c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    c, lower = c_and_lower
    c, b = arrays(c, b)
    check_square(c, "c")
    b, was_vector = vector_or_matrix(b)
    first, then = ("N", "H") if lower else ("H", "N")
    inner = triangular(c, b, bool(lower), first)
    return as_given(triangular(c, inner, bool(lower), then), was_vector)


def dense_band(ab: Any, below: int, above: int) -> Any:
    """The matrix of a band in LAPACK's form."""
    n = ab.shape[-1]
    total: Any = None
    for row in range(below + above + 1):
        offset = above - row
        if abs(offset) >= n:
            continue
        diagonal = shifted(ab[..., row, :], -offset) if offset > 0 else ab[..., row, :]
        # element k of it stands in row k for offset >= 0, in column k else
        place = np.eye(n, k=offset, dtype=ab.dtype)
        part = diagonal[..., :, np.newaxis] if offset > 0 else diagonal[..., np.newaxis, :]
        total = part * place if total is None else total + part * place
    return total


def dense_hermitian_band(ab: Any, lower: bool) -> Any:
    """The Hermitian matrix of which ab holds the lower or the upper diagonals."""
    band, count = whole_band(ab, lower)
    return dense_band(band, count, count)


def _upper_band(x: Any, count: int) -> Any:
    """The main diagonal and those above it, in LAPACK's form."""
    n = x.shape[-1]
    rows = []
    for k in range(count, -1, -1):
        found = np.diagonal(x, k, -2, -1) if k < n else x[..., 0, :0]
        gap = np.zeros_like(x[..., 0, : min(k, n)])
        rows.append(np.concatenate((gap, found), axis=-1))
    return np.stack(rows, axis=-2)


@implements(linalg.cholesky_banded)
def cholesky_banded(
    ab: Any, overwrite_ab: bool = False, lower: bool = False, check_finite: bool = True
) -> Any:
    """By the whole matrix. Elements of ab that lie outside it stay."""
    (ab,) = arrays(ab)
    check_matrices(ab, "ab")
    count = ab.shape[-2] - 1
    factor = np.linalg.cholesky(dense_hermitian_band(ab, lower))
    upper = _upper_band(adjoint(factor), count)
    n = ab.shape[-1]
    if not lower:
        inside = np.arange(n) >= np.arange(count, -1, -1)[:, np.newaxis]
        return np.where(inside, upper, ab)
    rows = [shifted(np.conj(upper[..., count - k, :]), -k) for k in range(count + 1)]
    inside = np.arange(n) < n - np.arange(count + 1)[:, np.newaxis]
    return np.where(inside, np.stack(rows, axis=-2), ab)


@implements(linalg.cho_solve_banded)
def cho_solve_banded(
    cb_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    cb, lower = cb_and_lower
    cb, b = arrays(cb, b)
    count = cb.shape[-2] - 1
    rows = [cb[..., k, :] for k in range(count + 1)]
    if lower:
        below = cb
        above = np.stack([shifted(np.conj(rows[k]), k) for k in range(count, -1, -1)], axis=-2)
    else:
        above = cb
        below = np.stack([shifted(np.conj(rows[count - k]), -k) for k in range(count + 1)], axis=-2)
    return solve_band((0, count), above, solve_band((count, 0), below, b))


# ---------------------------------------------------------------------------------------- LU


@implements(linalg.lu_factor)
def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    (a,) = arrays(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise Unsupported("lu_factor of a traced array takes square matrices; use lu for others")
    return results("lu", 2, a)


@implements(linalg.lu_solve)
def lu_solve(
    lu_and_piv: Any, b: Any, trans: Any = 0, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    packed, pivots = lu_and_piv
    packed, b = arrays(packed, b)
    check_square(packed, "lu")
    turn = turn_of(trans)
    b, was_vector = vector_or_matrix(b)
    pivots = as_tracer(pivots, packed.session)
    order = apply("permutation", pivots)
    if turn != "N":
        order = np.argsort(order, axis=-1)
    lead = np.broadcast_shapes(packed.shape[:-2], b.shape[:-2])
    rows = np.broadcast_to(order[..., np.newaxis], (*lead, *b.shape[-2:]))
    b = np.broadcast_to(b, (*lead, *b.shape[-2:]))
    if turn == "N":
        inner = triangular(packed, np.take_along_axis(b, rows, -2), True, unit=True)
        return as_given(triangular(packed, inner, False), was_vector)
    inner = triangular(packed, triangular(packed, b, False, turn), True, turn, unit=True)
    return as_given(np.take_along_axis(inner, rows, -2), was_vector)


@implements(linalg.lu)
def lu(
    a: Any,
    permute_l: bool = False,
    overwrite_a: bool = False,
    check_finite: bool = True,
    p_indices: bool = False,
) -> Any:
    """P, L, U of matrices of any shape.

    With the rows in order, the leading square block is L₁ U₁ without exchanges; below it
    L₂ = A₂ U₁⁻¹, and to its right U₂ = L₁⁻¹ A₂.
    """
    (a,) = arrays(a)
    check_matrices(a, "a")
    m, n = a.shape[-2:]
    k = min(m, n)
    order = apply("row_order", apply("stop_gradient", a))
    rows = np.broadcast_to(order[..., np.newaxis], a.shape)
    ordered = np.take_along_axis(a, rows, -2)
    packed, _ = results("lu", 2, ordered[..., :k, :k])
    lower = np.tril(packed, -1) + np.eye(k, dtype=a.dtype)
    upper = np.triu(packed)
    if m > n:
        rest = np.swapaxes(ordered[..., k:, :], -1, -2)
        below = np.swapaxes(triangular(packed, rest, False, "T"), -1, -2)
        lower = np.concatenate((lower, below), axis=-2)
    elif n > m:
        right = triangular(packed, ordered[..., k:], True, unit=True)
        upper = np.concatenate((upper, right), axis=-1)
    placed = np.argsort(order, axis=-1)
    if permute_l:
        at = np.broadcast_to(placed[..., np.newaxis], lower.shape)
        return np.take_along_axis(lower, at, -2), upper
    if p_indices:
        return placed.astype(np.int32), lower, upper
    real = np.zeros(0, a.dtype).real.dtype
    return (placed[..., np.newaxis] == np.arange(m)).astype(real), lower, upper


# ---------------------------------------------------------------------------------------- QR


def _qr(a: Any, complete: bool) -> tuple[Any, Any]:
    q, r = results("qr", 2, a, is_complete=complete)
    return q, r


def _pivoted(a: Any, pivoting: bool) -> tuple[Any, tuple[Any, ...]]:
    """The matrix with its columns in order, and the order to return."""
    if not pivoting:
        return a, ()
    order = apply("column_order", apply("stop_gradient", a))
    columns = np.broadcast_to(order[..., np.newaxis, :], a.shape)
    return np.take_along_axis(a, columns, -1), (order.astype(np.int32),)


@implements(linalg.qr)
def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    if mode not in ("full", "economic", "r"):
        raise Unsupported(f"qr with mode={mode!r} of a traced array: use 'full', 'economic' or 'r'")
    (a,) = arrays(a)
    check_matrices(a, "a")
    a, order = _pivoted(a, pivoting)
    if mode != "r":
        return (*_qr(a, mode == "full"), *order)
    m, n = a.shape[-2:]
    _, r = _qr(a, complete=False)
    if m > n:
        r = np.concatenate((r, np.zeros_like(a[..., n:, :])), axis=-2)
    return (r, *order)


@implements(linalg.qr_multiply)
def qr_multiply(
    a: Any,
    c: Any,
    mode: str = "right",
    pivoting: bool = False,
    conjugate: bool = False,
    overwrite_a: bool = False,
    overwrite_c: bool = False,
) -> Any:
    if mode not in ("left", "right"):
        raise WengertValueError(f"Mode argument can only be 'left' or 'right' but got '{mode}'")
    a, c = arrays(a, c)
    check_matrices(a, "a")
    m, n = a.shape[-2:]
    a, order = _pivoted(a, pivoting)
    vector = c.ndim == 1
    if vector:
        c = c[:, np.newaxis] if mode == "left" else c[np.newaxis, :]
    whole = mode == "left" and c.shape[-2] == m and m > n
    q, r = _qr(a, whole)
    if conjugate:
        q = np.conj(q)
    product = q @ c if mode == "left" else c @ q
    if vector:
        product = product.ravel()
    return (product, r[..., : min(m, n), :], *order)


@implements(linalg.rq)
def rq(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    check_finite: bool = True,
) -> Any:
    """a = R Q, from a QR factorisation of the reverse: with J the reversal of an order,
    (J a J)ᴴ = Q₁ R₁ gives R = J R₁ᴴ J and Q = J Q₁ᴴ J."""
    if mode not in ("full", "r", "economic"):
        raise WengertValueError("Mode argument should be one of ['full', 'r', 'economic']")
    (a,) = arrays(a)
    check_matrices(a, "a")
    m, n = a.shape[-2:]
    reduced = mode == "economic" or n <= m
    q, r = _qr(adjoint(a[..., ::-1, ::-1]), not reduced)
    upper = adjoint(r)[..., ::-1, ::-1]
    return upper if mode == "r" else (upper, adjoint(q)[..., ::-1, ::-1])
