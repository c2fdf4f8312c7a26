"""Matrices of a structure, made of traced elements: Toeplitz, Hankel, circulant, block diagonal, …

Axes before those of SciPy's description are stacks. Functions that make matrices of known numbers
alone (`hilbert`, `pascal`, `dft`) have nothing to trace.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from wengert.errors import Unsupported, WengertValueError
from wengert.graph.literals import full
from wengert.graph.types import FLOAT
from wengert.numpy.dispatch import as_tracer, tracers
from wengert.scipy.linalg.arguments import check_matrices
from wengert.scipy.namespace import implements
from wengert.tracing.tracer import Tracer


def _at_least_1d(*values: Any) -> list[Any]:
    return [x.reshape(1) if x.ndim == 0 else x for x in tracers(*values)]


def zeros(shape: tuple[int, ...], like: Tracer) -> Tracer:
    """Zeros of the dtype of `like` and in its trace."""
    return Tracer(full(0, like.dtype, shape), like.session)


def _stacked_alike(*values: Any) -> list[Any]:
    """Vectors with the axes before the last one broadcast."""
    lead = np.broadcast_shapes(*[x.shape[:-1] for x in values])
    return [np.broadcast_to(x, (*lead, x.shape[-1])) for x in values]


def _from_diagonals(values: Any, rows: int, columns: int) -> Any:
    """M[i, j] = values[rows − 1 − i + j]."""
    at = np.arange(rows - 1, -1, -1)[:, np.newaxis] + np.arange(columns)
    return np.take(values, at, axis=-1)


def _toeplitz(c: Any, r: Any) -> Any:
    c, r = _stacked_alike(c, r)
    values = np.concatenate((c[..., ::-1], r[..., 1:]), axis=-1)
    return _from_diagonals(values, c.shape[-1], r.shape[-1])


@implements(linalg.toeplitz)
def toeplitz(c: Any, r: Any = None) -> Any:
    if r is None:
        (c,) = _at_least_1d(c)
        return _toeplitz(c, np.conj(c))
    return _toeplitz(*_at_least_1d(c, r))


@implements(linalg.hankel)
def hankel(c: Any, r: Any = None) -> Any:
    c, r = tracers(c, np.zeros(np.shape(c)) if r is None else r)
    if c.ndim != 1 or r.ndim != 1:
        raise Unsupported("hankel of traced arrays takes vectors; ravel the arguments")
    r = r.astype(np.result_type(c, r)) if r.dtype.kind == "c" else r.astype(c.dtype)
    values = np.concatenate((c, r[1:]))
    return np.take(values, np.arange(len(c))[:, np.newaxis] + np.arange(len(r)), axis=0)


@implements(linalg.circulant)
def circulant(c: Any) -> Any:
    (c,) = _at_least_1d(c)
    n = c.shape[-1]
    return np.take(c, (np.arange(n)[:, np.newaxis] - np.arange(n)) % max(n, 1), axis=-1)


@implements(linalg.block_diag)
def block_diag(*arrs: Any) -> Any:
    blocks = [x.reshape((1,) * (2 - x.ndim) + x.shape) if x.ndim < 2 else x for x in tracers(*arrs)]
    lead = np.broadcast_shapes(*[x.shape[:-2] for x in blocks])
    dtype = np.result_type(*[x.dtype for x in blocks])
    width = sum(x.shape[-1] for x in blocks)
    rows, start = [], 0
    for block in blocks:
        x = np.broadcast_to(block, (*lead, *block.shape[-2:])).astype(dtype)
        stop = start + x.shape[-1]
        parts = (
            zeros((*x.shape[:-1], start), x),
            x,
            zeros((*x.shape[:-1], width - stop), x),
        )
        rows.append(np.concatenate(parts, axis=-1))
        start = stop
    return np.concatenate(rows, axis=-2)


def _divided_by_first(a: Any) -> Any:
    if bool(np.any(a[..., 0] == 0)):
        raise WengertValueError(
            "The first coefficient(s) of `a` (i.e. elements of `a[..., 0]`) must not be zero."
        )
    return a / (1.0 * a[..., :1])


@implements(linalg.companion)
def companion(a: Any) -> Any:
    (a,) = _at_least_1d(a)
    n = a.shape[-1]
    if n < 2:
        raise WengertValueError("The length of `a` along the last axis must be at least 2.")
    first = -_divided_by_first(a)[..., np.newaxis, 1:]
    below = np.eye(n - 2, n - 1, dtype=first.dtype)
    return np.concatenate((first, np.broadcast_to(below, (*a.shape[:-1], n - 2, n - 1))), axis=-2)


@implements(linalg.fiedler_companion)
def fiedler_companion(a: Any) -> Any:
    (a,) = _at_least_1d(a)
    n = a.shape[-1] - 1
    if n < 1:
        return np.take(a, np.arange(0), axis=-1)
    a = _divided_by_first(a)
    if n == 1:
        return -a[..., 1:, np.newaxis]
    # each coefficient stands once, the ones around them
    ones, place = np.zeros((n, n), a.dtype), np.zeros((n, n), int)
    ones[range(3, n, 2), range(1, n - 2, 2)] = 1
    ones[range(0, n - 2, 2), range(2, n, 2)] = 1
    ones[1, 0] = 1
    place[range(2, n, 2), range(1, n - 1, 2)] = range(3, n + 1, 2)
    place[range(0, n - 1, 2), range(1, n, 2)] = range(2, n + 1, 2)
    place[0, 0] = 1
    return np.where(place > 0, -np.take(a, place, axis=-1), ones)


@implements(linalg.fiedler)
def fiedler(a: Any) -> Any:
    (a,) = _at_least_1d(a)
    if a.size == 0:
        return zeros((0,), as_tracer(a.astype(FLOAT), a.session))
    return np.abs(a[..., :, np.newaxis] - a[..., np.newaxis, :])


@implements(linalg.leslie)
def leslie(f: Any, s: Any) -> Any:
    f, s = _at_least_1d(f, s)
    n = f.shape[-1]
    if n != s.shape[-1] + 1:
        raise WengertValueError(
            "Incorrect lengths for f and s. The length of s along the last axis must be one less "
            "than the length of f."
        )
    if n < 2:
        raise WengertValueError("The length of s must be at least 1.")
    f, s = _stacked_alike(f, s)
    below = s[..., :, np.newaxis] * np.eye(n - 1, n)
    top = f[..., np.newaxis, :]
    dtype = np.result_type(f, s)
    return np.concatenate((top.astype(dtype), below.astype(dtype)), axis=-2)


@implements(linalg.convolution_matrix)
def convolution_matrix(a: Any, n: int, mode: str = "full") -> Any:
    if n <= 0:
        raise WengertValueError("n must be a positive integer.")
    (a,) = tracers(a)
    if a.size == 0:
        raise WengertValueError("len(a) must be at least 1.")
    if mode not in ("full", "valid", "same"):
        raise WengertValueError("'mode' argument must be one of ('full', 'valid', 'same')")
    a = a.reshape(1) if a.ndim == 0 else a
    m = a.shape[-1]
    edge = zeros((*a.shape[:-1], n - 1), a)
    values = np.concatenate((edge, a[..., ::-1], edge), axis=-1)
    whole = _from_diagonals(values, m + n - 1, n)  # M[i, j] = a[i − j]
    trim = 0 if mode == "full" else min(n, m) - 1
    before = trim // 2 if mode == "same" else trim
    after = trim - before if mode == "same" else trim
    return whole[..., before : m + n - 1 - after, :]


@implements(linalg.khatri_rao)
def khatri_rao(a: Any, b: Any) -> Any:
    a, b = tracers(a, b)
    check_matrices(a, "a")
    check_matrices(b, "b")
    if a.shape[-1] != b.shape[-1]:
        raise WengertValueError("The number of columns for both arrays should be equal.")
    product = a[..., :, np.newaxis, :] * b[..., np.newaxis, :, :]
    return product.reshape((*product.shape[:-3], a.shape[-2] * b.shape[-2], a.shape[-1]))


@implements(linalg.diagsvd)
def diagsvd(s: Any, M: int, N: int) -> Any:
    (s,) = _at_least_1d(s)
    n = s.shape[-1]
    if n not in (M, N):
        raise WengertValueError("Length of s must be M or N.")
    square = s[..., :, np.newaxis] * np.eye(n, dtype=s.dtype)
    if n == M:
        return np.concatenate((square, zeros((*s.shape[:-1], M, N - M), s)), axis=-1)
    return np.concatenate((square, zeros((*s.shape[:-1], M - N, N), s)), axis=-2)


@implements(linalg.cdf2rdf)
def cdf2rdf(w: Any, v: Any) -> Any:
    """Real block diagonal form: which eigenvalues are complex is found from their values."""
    w, v = tracers(w, v)
    if w.ndim < 1 or v.ndim != w.ndim + 1 or v.shape[-2:] != (w.shape[-1],) * 2:
        raise WengertValueError(f"shapes {w.shape} and {v.shape} are not those of eigenvectors")
    is_complex = np.asarray(np.imag(w) != 0)
    if (is_complex.sum(axis=-1) % 2).any():
        raise WengertValueError("expected complex-conjugate pairs of eigenvalues")
    n = w.shape[-1]
    first = is_complex & (np.cumsum(is_complex, axis=-1) % 2 == 1)
    second = is_complex & ~first
    unit = np.eye(n)
    above = first[..., :, np.newaxis] * np.eye(n, k=1)
    below = second[..., :, np.newaxis] * np.eye(n, k=-1)
    real, imaginary = np.real(w)[..., np.newaxis], np.imag(w)[..., np.newaxis]
    blocks = unit * real + (above + below) * imaginary
    mixing = (
        (1 - is_complex)[..., np.newaxis] * unit
        + 0.5j * first[..., np.newaxis] * unit
        + 0.5 * second[..., np.newaxis] * unit
        + 0.5 * above
        - 0.5j * below
    )
    return blocks, np.real(v @ mixing)
