"""Eigenvalues and singular values of `scipy.linalg` on tracers, and what is made of them.

Eigenvectors and singular vectors have SciPy's norms; their signs and phases are arbitrary, and may
be others than SciPy's. How many of them a function returns is found from the values. Bands and
tridiagonal matrices are made whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from wengert.errors import Unsupported, WengertValueError
from wengert.numpy.dispatch import apply, refuse
from wengert.scipy.linalg.arguments import (
    adjoint,
    arrays,
    as_given,
    check_matrices,
    check_square,
    results,
    vector_or_matrix,
)
from wengert.scipy.linalg.factorising import dense_hermitian_band
from wengert.scipy.linalg.solving import cholesky_factor, mirrored, triangular
from wengert.scipy.namespace import implements

# --------------------------------------------------------------------------- singular values


@implements(linalg.svd)
def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    (a,) = arrays(a)
    check_matrices(a, "a")
    if not compute_uv:
        return apply("svdvals", a)
    return results("svd", 3, a, is_full=full_matrices)


@implements(linalg.svdvals)
def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return svd(a, compute_uv=False)


def _rank(s: Any, tolerance: Any) -> int:
    """How many singular values are above a tolerance: found from the values, for one matrix."""
    if s.ndim != 1:
        raise Unsupported(
            "how many vectors span a space is found from the values, for one traced matrix at a "
            "time; loop over the stack"
        )
    return int(np.sum(s > tolerance))


def _epsilon(s: Any) -> Any:
    return np.finfo(s.dtype).eps


def _cut(a: Any, s: Any, rcond: Any) -> Any:
    scale = _epsilon(s) * max(a.shape[-2:]) if rcond is None else rcond
    return np.max(s, initial=0.0) * scale


@implements(linalg.orth)
def orth(A: Any, rcond: Any = None) -> Any:
    (A,) = arrays(A)
    u, s, _ = svd(A, full_matrices=False)
    return u[:, : _rank(s, _cut(A, s, rcond))]


@implements(linalg.null_space)
def null_space(
    A: Any,
    rcond: Any = None,
    *,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    (A,) = arrays(A)
    _, s, vh = svd(A)
    return adjoint(vh[_rank(s, _cut(A, s, rcond)) :, :])


@implements(linalg.polar)
def polar(a: Any, side: str = "right") -> Any:
    if side not in ("right", "left"):
        raise WengertValueError("`side` must be either 'right' or 'left'")
    w, s, vh = svd(a, full_matrices=False)
    if side == "right":
        return w @ vh, (adjoint(vh) * s[..., np.newaxis, :]) @ vh
    return w @ vh, (w * s[..., np.newaxis, :]) @ adjoint(w)


@implements(linalg.orthogonal_procrustes)
def orthogonal_procrustes(A: Any, B: Any, check_finite: bool = True) -> Any:
    A, B = arrays(A, B)
    if A.ndim < 2 or A.shape != B.shape:
        raise WengertValueError(f"the shapes of A and B differ ({A.shape} vs {B.shape})")
    u, w, vh = svd(np.swapaxes(np.swapaxes(B, -1, -2) @ np.conj(A), -1, -2))
    return u @ vh, np.sum(w, axis=-1)


@implements(linalg.subspace_angles)
def subspace_angles(A: Any, B: Any) -> Any:
    """Angles from their cosines or their sines, whichever is the better conditioned (Knyazev and
    Argentati 2002)."""
    first, second = orth(A), orth(B)
    if len(first) != len(second):
        raise WengertValueError(
            f"A and B must have the same number of rows, got {len(first)} and {len(second)}"
        )
    across = adjoint(first) @ second
    cosines = svdvals(across)
    if first.shape[1] >= second.shape[1]:
        rest = second - first @ across
    else:
        rest = first - second @ adjoint(across)
    small = cosines**2 >= 0.5
    sines = np.where(small, np.clip(svdvals(rest), -1.0, 1.0), 0.0)
    others = np.where(small, 0.0, np.clip(cosines[::-1], -1.0, 1.0))
    return np.where(small, np.arcsin(sines), np.arccos(others))


@implements(linalg.pinv)
def pinv(
    a: Any,
    *,
    atol: Any = None,
    rtol: Any = None,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    (a,) = arrays(a)
    check_matrices(a, "a")
    return _pseudo_inverse(a, atol, rtol, return_rank, hermitian=False)


@implements(linalg.pinvh)
def pinvh(
    a: Any,
    atol: Any = None,
    rtol: Any = None,
    lower: bool = True,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    (a,) = arrays(a)
    check_square(a, "a")
    return _pseudo_inverse(mirrored(a, lower), atol, rtol, return_rank, hermitian=True)


def _pseudo_inverse(a: Any, atol: Any, rtol: Any, return_rank: bool, hermitian: bool) -> Any:
    refuse("the pseudoinverse of a traced array", atol=(atol, None))
    s = svdvals(a)
    rtol = max(a.shape[-2:]) * _epsilon(s) if rtol is None else rtol
    found = apply("pinv", a, rtol, is_hermitian=hermitian)
    return (found, _rank(s, np.max(s, initial=0.0) * rtol)) if return_rank else found


@implements(linalg.lstsq)
def lstsq(
    a: Any,
    b: Any,
    cond: Any = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    lapack_driver: Any = None,
) -> Any:
    """x, residues, rank and singular values; one matrix at a time."""
    a, b = arrays(a, b)
    if a.ndim != 2 or b.ndim not in (1, 2):
        raise Unsupported("lstsq of traced arrays takes one matrix at a time")
    if len(a) != len(b):
        raise WengertValueError(
            f"Shape mismatch: a and b should have the same number of rows ({len(a)} != {len(b)})."
        )
    m, n = a.shape
    s = svdvals(a)
    cond = _epsilon(s) if cond is None else cond
    rank = _rank(s, np.max(s, initial=0.0) * cond)
    right, was_vector = vector_or_matrix(b)
    x = as_given(apply("lstsq", a, right, cutoff=cond), was_vector)
    residues = np.zeros(0, x.dtype)
    if m > n == rank:
        rest = b - a @ x
        residues = np.sum(np.real(rest) ** 2 + np.imag(rest) ** 2, axis=0)
    return (x, residues, rank, None if lapack_driver == "gelsy" else s)


# -------------------------------------------------------------------------------- eigenvalues


def _chosen(values: Any, subset_by_index: Any, subset_by_value: Any) -> slice:
    """Which of the eigenvalues in rising order are asked for."""
    n = values.shape[-1]
    if subset_by_index is not None:
        first, last = (int(k) for k in subset_by_index)
        if not 0 <= first <= last < n:
            raise WengertValueError(
                f"Requested eigenvalue indices are not valid. Valid range is [0, {n - 1}] and "
                f"start <= end, but start={first}, end={last} is given"
            )
        return slice(first, last + 1)
    if subset_by_value is not None:
        least, most = subset_by_value
        return slice(n - _rank(values, least), n - _rank(values, most))
    return slice(0, n)


def _hermitian_pairs(a: Any, lower: bool, vectors: bool) -> tuple[Any, Any]:
    """Eigenvalues, and eigenvectors if asked for."""
    uplo = "L" if lower else "U"
    if not vectors:
        return apply("eigvalsh", a, uplo=uplo), None
    w, v = results("eigh", 2, a, uplo=uplo)
    return w, v


def _generalised(a: Any, b: Any, lower: bool, kind: int, vectors: bool) -> tuple[Any, Any]:
    """With b = L Lᴴ:  1: a v = w b v,  2: a b v = w v,  3: b a v = w v."""
    a = mirrored(a, lower)
    factor = cholesky_factor(b, lower)
    if kind == 1:
        half = triangular(factor, a, True)
        reduced = adjoint(triangular(factor, adjoint(half), True))
    elif kind in (2, 3):
        reduced = adjoint(factor) @ a @ factor
    else:
        raise WengertValueError('"type" keyword only accepts 1, 2, and 3.')
    w, y = _hermitian_pairs(mirrored(reduced, True), True, vectors)
    if y is not None:
        y = factor @ y if kind == 3 else triangular(factor, y, True, "H")
    return w, y


@implements(linalg.eigh)
def eigh(
    a: Any,
    b: Any = None,
    *,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: Any = None,
) -> Any:
    a, b = arrays(a, b)
    check_square(a, "a")
    if b is None:
        w, v = _hermitian_pairs(a, lower, not eigvals_only)
    else:
        check_square(b, "b")
        w, v = _generalised(a, b, lower, type, not eigvals_only)
    if subset_by_index is not None and subset_by_value is not None:
        raise WengertValueError("Either index or value subset can be requested.")
    chosen = _chosen(w, subset_by_index, subset_by_value)
    return w[..., chosen] if v is None else (w[..., chosen], v[..., chosen])


@implements(linalg.eigvalsh)
def eigvalsh(
    a: Any,
    b: Any = None,
    *,
    lower: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: Any = None,
) -> Any:
    return eigh(
        a,
        b,
        lower=lower,
        eigvals_only=True,
        type=type,
        subset_by_index=subset_by_index,
        subset_by_value=subset_by_value,
    )


_SELECTIONS = {0: "a", 1: "v", 2: "i", "all": "a", "value": "v", "index": "i"}


def _selected(pairs: tuple[Any, Any], select: Any, select_range: Any) -> Any:
    """As `eig_banded` and `eigh_tridiagonal` say which eigenvalues they want."""
    w, v = pairs
    kind = _SELECTIONS.get(select, select)
    if kind not in ("a", "v", "i"):
        raise WengertValueError("invalid argument for select")
    chosen = _chosen(
        w, select_range if kind == "i" else None, select_range if kind == "v" else None
    )
    return w[..., chosen] if v is None else (w[..., chosen], v[..., chosen])


@implements(linalg.eig_banded)
def eig_banded(
    a_band: Any,
    lower: bool = False,
    eigvals_only: bool = False,
    overwrite_a_band: bool = False,
    select: Any = "a",
    select_range: Any = None,
    max_ev: int = 0,
    check_finite: bool = True,
) -> Any:
    (a_band,) = arrays(a_band)
    check_matrices(a_band, "a_band")
    a = dense_hermitian_band(a_band, lower)
    return _selected(_hermitian_pairs(a, True, not eigvals_only), select, select_range)


@implements(linalg.eigvals_banded)
def eigvals_banded(
    a_band: Any,
    lower: bool = False,
    overwrite_a_band: bool = False,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
) -> Any:
    return eig_banded(a_band, lower, True, False, select, select_range)


@implements(linalg.eigh_tridiagonal)
def eigh_tridiagonal(
    d: Any,
    e: Any,
    eigvals_only: bool = False,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> Any:
    d, e = arrays(d, e)
    if d.dtype.kind == "c" or e.dtype.kind == "c":
        raise Unsupported("eigh_tridiagonal takes real diagonals alone")
    if d.shape[-1] != e.shape[-1] + 1:
        raise WengertValueError(
            f"d ({d.shape[-1]}) must have one more element than e ({e.shape[-1]})"
        )
    lead = np.broadcast_shapes(d.shape[:-1], e.shape[:-1])
    d = np.broadcast_to(d, (*lead, d.shape[-1]))
    e = np.broadcast_to(e, (*lead, e.shape[-1]))
    gap = np.zeros_like(d[..., :1])
    below = np.concatenate((e, gap), axis=-1)
    a = dense_hermitian_band(np.stack((d, below), axis=-2), lower=True)
    return _selected(_hermitian_pairs(a, True, not eigvals_only), select, select_range)


@implements(linalg.eigvalsh_tridiagonal)
def eigvalsh_tridiagonal(
    d: Any,
    e: Any,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> Any:
    return eigh_tridiagonal(d, e, True, select, select_range)


def _reduced(a: Any, b: Any, homogeneous: bool) -> Any:
    """The matrix whose eigenvalues are asked for: b⁻¹ a."""
    a, b = arrays(a, b)
    check_square(a, "a")
    if homogeneous:
        raise Unsupported("homogeneous_eigvals=True cannot be traced; use the quotients w = α / β")
    return a if b is None else apply("solve", b, a)


def _unit_columns(v: Any) -> Any:
    sizes = np.sum(np.real(v) ** 2 + np.imag(v) ** 2, axis=-2, keepdims=True)
    return v / np.sqrt(sizes)


@implements(linalg.eig)
def eig(
    a: Any,
    b: Any = None,
    left: bool = False,
    right: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    """With b, the eigenvectors of b⁻¹ a. Left eigenvectors are the rows of v⁻¹ at unit length (of
    v⁻¹ b⁻¹ with b)."""
    if not left and not right:
        return eigvals(a, b, homogeneous_eigvals=homogeneous_eigvals)
    w, v = results("eig", 2, _reduced(a, b, homogeneous_eigvals))
    if not left:
        return w, v
    rows = np.linalg.inv(v)
    if b is not None:
        rows = rows @ np.linalg.inv(arrays(b, w)[0])
    vl = _unit_columns(adjoint(rows))
    return (w, vl, v) if right else (w, vl)


@implements(linalg.eigvals)
def eigvals(
    a: Any,
    b: Any = None,
    overwrite_a: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    return apply("eigvals", _reduced(a, b, homogeneous_eigvals))
