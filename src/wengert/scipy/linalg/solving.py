"""Linear systems, inverses, determinants and norms of `scipy.linalg` on tracers.

Where SciPy reads one triangle of a matrix that it is told to be symmetric, so does this; the
derivative is that of the symmetric part of the matrix, and gradients are symmetric. `check_finite`
and `overwrite_…` change nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from wengert.errors import Unsupported, WengertValueError
from wengert.numpy.dispatch import apply
from wengert.ops.linalg.systems import solved
from wengert.scipy.linalg.arguments import (
    adjoint,
    arrays,
    as_given,
    check_square,
    refuse_complex_transpose,
    vector_or_matrix,
)
from wengert.scipy.linalg.structured import circulant, toeplitz
from wengert.scipy.namespace import implements
from wengert.tracing.tracer import Tracer


def mirrored(a: Any, lower: bool, conjugate: bool = True) -> Any:
    """The symmetric or Hermitian matrices of which a holds the lower or the upper triangle.

    As that of `numpy.linalg.cholesky` and `eigh`, the derivative is that of the symmetric part, so
    that gradients are symmetric.
    """
    turned = adjoint if conjugate else _transposed
    fixed = apply("stop_gradient", a)
    strict = np.tril(fixed, -1) if lower else np.triu(fixed, 1)
    diagonal = np.eye(a.shape[-1], dtype=a.dtype) * fixed
    whole = strict + turned(strict) + (diagonal + turned(diagonal)) / 2
    half = (a + turned(a)) / 2
    return apply("stop_gradient", whole) + (half - apply("stop_gradient", half))


def _transposed(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def cholesky_factor(a: Any, lower: bool) -> Any:
    """The lower factor L of L Lᴴ, of the triangle of a that holds the matrix."""
    return np.linalg.cholesky(a if lower else adjoint(a))


def triangular(a: Any, b: Any, lower: bool, turn: str = "N", unit: bool = False) -> Any:
    """The x of a x = b for the triangle of a; turn as in `wengert.ops.linalg.triangular`."""
    return apply("triangular_solve", a, b, lower=lower, turn=turn, unit=unit)


def _with_structure(a: Any, assume_a: Any, lower: bool) -> Any:
    """The matrix that SciPy reads, for the kinds that are solved as general ones."""
    if assume_a in (None, "general", "gen", "banded"):
        return a
    if assume_a in ("sym", "symmetric"):
        return mirrored(a, lower, conjugate=False)
    if assume_a in ("her", "hermitian"):
        return mirrored(a, lower)
    if assume_a == "tridiagonal":
        return np.triu(np.tril(a, 1), -1)
    raise WengertValueError(f"{assume_a} is not a recognized matrix structure")


_TRIANGULAR = {"upper triangular": False, "lower triangular": True}
_POSITIVE = ("pos", "positive definite")


def _solve(a: Any, b: Any, lower: bool, assume_a: Any, transposed: bool) -> Any:
    """The x of a x = b for matrices of right sides."""
    turn = "T" if transposed else "N"
    if assume_a in _POSITIVE:
        factor = cholesky_factor(a, lower)
        return triangular(factor, triangular(factor, b, True), True, "H")
    if assume_a in _TRIANGULAR:
        return triangular(a, b, _TRIANGULAR[assume_a], turn)
    if assume_a == "diagonal":
        return b / np.diagonal(a, axis1=-2, axis2=-1)[..., np.newaxis]
    matrix, right = arrays(_with_structure(a, assume_a, lower), b)
    return Tracer(solved(matrix.node, right.node, turn), matrix.session)


@implements(linalg.solve)
def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: Any = None,
    transposed: bool = False,
) -> Any:
    a, b = arrays(a, b)
    if a.ndim < 2:
        a = a.reshape((1,) * (2 - a.ndim) + a.shape)
    check_square(a, "a")
    refuse_complex_transpose("solve", a, transposed)
    b, was_vector = vector_or_matrix(b.reshape(1) if b.ndim == 0 else b)
    if a.size == 1:
        return as_given(b / a, was_vector)
    return as_given(_solve(a, b, lower, assume_a, transposed), was_vector)


@implements(linalg.inv)
def inv(
    a: Any,
    overwrite_a: bool = False,
    check_finite: bool = True,
    *,
    assume_a: Any = None,
    lower: bool = False,
) -> Any:
    (a,) = arrays(a)
    check_square(a, "a")
    if assume_a in _TRIANGULAR:
        a = np.tril(a) if _TRIANGULAR[assume_a] else np.triu(a)
    elif assume_a in _POSITIVE:
        a = mirrored(a, lower)
    elif assume_a == "diagonal":
        a = a * np.eye(a.shape[-1], dtype=a.dtype)
    else:
        a = _with_structure(a, assume_a, lower)
    return np.linalg.inv(a)


@implements(linalg.det)
def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    (a,) = arrays(a)
    check_square(a, "a")
    return np.linalg.det(a.astype(np.result_type(a.dtype, np.float64)))


_TRANS = {0: "N", 1: "T", 2: "H", "N": "N", "T": "T", "C": "H"}


def turn_of(trans: Any) -> str:
    """How a matrix stands in a system, from SciPy's `trans`."""
    try:
        return _TRANS[trans]
    except (KeyError, TypeError):
        raise WengertValueError(f"trans must be one of 0, 1, 2, N, T, C, not {trans!r}") from None


@implements(linalg.solve_triangular)
def solve_triangular(
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    a, b = arrays(a, b)
    check_square(a, "a")
    b, was_vector = vector_or_matrix(b)
    x = triangular(a, b, bool(lower), turn_of(trans), bool(unit_diagonal))
    return as_given(x, was_vector)


@implements(linalg.norm)
def norm(
    a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True
) -> Any:
    (a,) = arrays(a)
    return np.linalg.norm(a, ord=ord, axis=axis, keepdims=keepdims)


# -------------------------------------------------------------------- systems of a structure


def solve_band(band: tuple[int, int], ab: Any, b: Any) -> Any:
    """The record on a vector or matrices of right sides."""
    b, was_vector = vector_or_matrix(b)
    return as_given(apply("solve_banded", ab, b, band=band), was_vector)


@implements(linalg.solve_banded)
def solve_banded(
    l_and_u: Any,
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    below, above = l_and_u
    return solve_band((int(below), int(above)), *arrays(ab, b))


def shifted(row: Any, by: int) -> Any:
    """A stored diagonal moved by some columns to the right; zeros come in."""
    n = row.shape[-1]
    k = min(abs(by), n)
    gap = np.zeros_like(row[..., :k])
    if by >= 0:
        return np.concatenate((gap, row[..., : n - k]), axis=-1)
    return np.concatenate((row[..., k:], gap), axis=-1)


def whole_band(ab: Any, lower: bool) -> tuple[Any, int]:
    """All diagonals of a Hermitian matrix, from the lower or the upper ones; how many are above."""
    count = ab.shape[-2] - 1
    rows = [ab[..., k, :] for k in range(count + 1)]
    main, others = (rows[0], rows[1:]) if lower else (rows[-1], rows[-2::-1])
    # others[k - 1] is the diagonal at distance k
    if lower:
        above = [shifted(np.conj(row), k) for k, row in enumerate(others, 1)]
        below = others
    else:
        above = others
        below = [shifted(np.conj(row), -k) for k, row in enumerate(others, 1)]
    main = np.real(main).astype(ab.dtype)
    return np.stack((*above[::-1], main, *below), axis=-2), count


@implements(linalg.solveh_banded)
def solveh_banded(
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    lower: bool = False,
    check_finite: bool = True,
) -> Any:
    """Hermitian banded systems. That the matrix is positive definite is not checked."""
    ab, b = arrays(ab, b)
    band, count = whole_band(ab, lower)
    return solve_band((count, count), band, b)


def _double(x: Any) -> Any:
    return x.astype(np.result_type(x.dtype, np.float64))


def _matrix_and_right(c_or_cr: Any, b: Any) -> tuple[Any, Any]:
    """The Toeplitz matrix and the right side, in double precision as in SciPy."""
    if isinstance(c_or_cr, tuple):
        c, r, b = map(_double, arrays(*c_or_cr, b))
        return toeplitz(c, r), b
    c, b = map(_double, arrays(c_or_cr, b))
    return toeplitz(c), b


@implements(linalg.solve_toeplitz)
def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: bool = True) -> Any:
    """By the whole matrix: the work is that of a general system."""
    matrix, b = _matrix_and_right(c_or_cr, b)
    check_square(matrix, "the Toeplitz matrix")
    b, was_vector = vector_or_matrix(b)
    return as_given(apply("solve", matrix, b), was_vector)


@implements(linalg.matmul_toeplitz)
def matmul_toeplitz(c_or_cr: Any, x: Any, check_finite: bool = False, workers: Any = None) -> Any:
    """By the whole matrix."""
    matrix, x = _matrix_and_right(c_or_cr, x)
    return matrix @ x


@implements(linalg.solve_circulant)
def solve_circulant(
    c: Any,
    b: Any,
    singular: str = "raise",
    tol: Any = None,
    caxis: int = -1,
    baxis: int = 0,
    outaxis: int = 0,
) -> Any:
    """By the whole matrix. A singular one is an error."""
    if singular != "raise":
        raise Unsupported(
            f"solve_circulant with singular={singular!r} cannot be traced: whether a circulant "
            "matrix is singular jumps; use singular='raise'"
        )
    c, b = (x.reshape(1) if x.ndim == 0 else x for x in arrays(c, b))
    c, b = _double(np.moveaxis(c, caxis, -1)), _double(np.moveaxis(b, baxis, -1))
    if c.shape[-1] != b.shape[-1]:
        raise WengertValueError(f"Shapes of c {c.shape} and b {b.shape} are incompatible")
    if c.ndim == 1:  # one matrix, many right sides
        lead = b.shape[:-1]
        flat = b.reshape(-1, b.shape[-1]).T
        x = apply("solve", circulant(c), flat).T.reshape(*lead, b.shape[-1])
    else:
        x = apply("solve", circulant(c), b[..., np.newaxis])[..., 0]
    return np.moveaxis(x, -1, outaxis)
