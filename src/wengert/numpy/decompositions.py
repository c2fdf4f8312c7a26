"""`numpy.linalg` on tracers: QR, singular values, eigenvalues, and what is made of them.

Integers become float64, as in NumPy. Where singular values or eigenvalues coincide, functions of
the values alone and functions that do not depend on the choice of vectors have derivatives, all
others an error (see `wengert.ops.linalg.coincidence`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import Unsupported, WengertValueError
from wengert.graph.literals import full
from wengert.graph.node import Node, deriving
from wengert.graph.types import FLOAT, INT
from wengert.numpy.dispatch import implements, nodes, tracers
from wengert.numpy.norms import squared_magnitude
from wengert.ops.arithmetic import convert, subtract
from wengert.ops.complex import part_dtype
from wengert.ops.leaves import item
from wengert.ops.linalg.eig import eig as eig_op
from wengert.ops.linalg.eig import eigvals as eigvals_op
from wengert.ops.linalg.eigh import eigh as eigh_op
from wengert.ops.linalg.eigh import eigvalsh as eigvalsh_op
from wengert.ops.linalg.matrices import matmul
from wengert.ops.linalg.pseudoinverse import lstsq as lstsq_op
from wengert.ops.linalg.pseudoinverse import pinv as pinv_op
from wengert.ops.linalg.qr import qr as qr_op
from wengert.ops.linalg.solve import inverse
from wengert.ops.linalg.svd import check_matrix
from wengert.ops.linalg.svd import svd as svd_op
from wengert.ops.linalg.svd import svdvals as svdvals_op
from wengert.ops.linalg.triangular import check_square
from wengert.ops.movement import reshape
from wengert.ops.reductions import sum as total
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer

QRResult: Any = type(np.linalg.qr(np.eye(1)))
SVDResult: Any = type(np.linalg.svd(np.eye(1)))
EighResult: Any = type(np.linalg.eigh(np.eye(1)))
EigResult: Any = type(np.linalg.eig(np.eye(1)))


def _items(node: Node, count: int, session: Session) -> list[Tracer]:
    return [Tracer(item(node, k), session) for k in range(count)]


@implements(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    if mode == "raw":
        raise Unsupported(
            "np.linalg.qr(mode='raw') gives the reflections that LAPACK made, which cannot be "
            "traced; ask for mode='reduced' or 'complete'"
        )
    if mode not in ("reduced", "complete", "r"):
        raise WengertValueError(f"Unrecognized mode {mode!r}")
    session, (x,) = nodes(a)
    q, r = _items(qr_op(x, mode == "complete"), 2, session)
    return r if mode == "r" else QRResult(q, r)


@implements(np.linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    session, (x,) = nodes(a)
    if not compute_uv:
        return _singular_values(x, hermitian, session)
    if hermitian:
        return SVDResult(*_hermitian_svd(x, session))
    return SVDResult(*_items(svd_op(x, full_matrices), 3, session))


def _hermitian_svd(x: Node, session: Session) -> tuple[Any, Any, Any]:
    """From the eigenvalues, whose magnitudes are sorted, and whose signs go into V."""
    w, v = _items(eigh_op(x), 2, session)
    signs, size = np.where(w < 0, -1.0, 1.0).astype(w.dtype), np.abs(w)
    order = np.argsort(size)[..., ::-1]
    signs, size = (np.take_along_axis(y, order, axis=-1) for y in (signs, size))
    u = np.take_along_axis(v, order[..., None, :], axis=-1)
    return u, size, np.conj(np.matrix_transpose(u * signs[..., None, :]))


def _singular_values(x: Node, hermitian: bool, session: Session) -> Any:
    if hermitian:
        return np.sort(np.abs(Tracer(eigvalsh_op(x), session)))[..., ::-1]
    return Tracer(svdvals_op(x), session)


@implements(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    session, (node,) = nodes(x)
    return Tracer(svdvals_op(node), session)


@implements(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """Reads one triangle; derivatives are those of a Hermitian matrix."""
    session, (x,) = nodes(a)
    return EighResult(*_items(eigh_op(x, UPLO), 2, session))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    session, (x,) = nodes(a)
    return Tracer(eigvalsh_op(x, UPLO), session)


@implements(np.linalg.eig)
def eig(a: Any) -> Any:
    """Complex results always: whether NumPy's are depends on values. `.real` where all are real."""
    session, (x,) = nodes(a)
    return EigResult(*_items(eig_op(x), 2, session))


@implements(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    session, (x,) = nodes(a)
    return Tracer(eigvals_op(x), session)


# ------------------------------------------------------------------ what is made of them

_UNSET: Any = np._NoValue


@implements(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = _UNSET) -> Any:
    if rcond is not None and rtol is not _UNSET:
        raise WengertValueError("`rtol` and `rcond` can't be both set.")
    cutoff = rcond
    if cutoff is None:
        cutoff = 1e-15 if rtol is _UNSET else rtol
    (x,) = tracers(a)
    check_matrix(x.node)
    if cutoff is None:
        cutoff = max(x.shape[-2:]) * float(np.finfo(_real_dtype(x.node)).eps)
    session, (matrix, least) = nodes(x, cutoff)
    return Tracer(pinv_op(matrix, least, hermitian), session)


def _real_dtype(x: Node) -> Any:
    return part_dtype(x.dtype) if x.dtype.kind in "fc" else FLOAT


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """Without full rank, NumPy's residuals are an empty array; here they are what they are."""
    session, (matrix, right) = nodes(a, b)
    if matrix.ndim != 2:
        raise np.linalg.LinAlgError(
            f"{matrix.ndim}-dimensional array given. Array must be two-dimensional"
        )
    is_vector = right.ndim == 1
    if is_vector:
        right = reshape(right, (*right.shape, 1))
    m, n = matrix.shape
    values = svdvals_op(matrix)
    eps = float(np.finfo(values.dtype).eps)
    cutoff = eps * max(m, n) if rcond is None else eps if rcond < 0 else float(rcond)
    x = lstsq_op(matrix, right, cutoff)
    if m > n:
        rest = squared_magnitude(subtract(convert(right, x.dtype), matmul(_as(matrix, x), x)))
        residuals = total(rest, (0,))
    else:
        residuals = full(0, values.dtype, (0,))
    if is_vector:
        x = reshape(x, (n,))
    s = Tracer(values, session)
    rank = np.sum(s > cutoff * s[:1], dtype=np.int32)
    return Tracer(x, session), Tracer(residuals, session), rank, s


def _as(x: Node, like: Node) -> Node:
    converted: Node = convert(x, like.dtype)
    return converted


@implements(np.linalg.matrix_rank)
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """An integer, whose derivative is zero."""
    if rtol is not None and tol is not None:
        raise WengertValueError("`tol` and `rtol` can't be both set.")
    session, (x,) = nodes(A)
    if x.ndim < 2:
        return np.any(Tracer(x, session) != 0).astype(INT)
    s = _singular_values(x, hermitian, session)
    if not s.shape[-1]:
        return Tracer(full(0, INT, x.shape[:-2]), session)
    if tol is None:
        if rtol is None:
            rtol = max(x.shape[-2:]) * float(np.finfo(s.dtype).eps)
        tol = s.max(axis=-1) * rtol
    least = tol[..., None] if np.ndim(tol) else tol
    return np.count_nonzero(s > least, axis=-1)


@implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    (matrix,) = tracers(x)
    node, session = matrix.node, matrix.session
    check_matrix(node)
    if not node.type.size:
        raise np.linalg.LinAlgError("cond is not defined on empty arrays")
    with deriving():  # in which a division by zero does not warn
        if p is None or p in (2, -2):
            s = Tracer(svdvals_op(node), session)
            found = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        else:
            check_square("cond", node)
            other = Tracer(inverse(node, False), session)
            found = np.linalg.norm(matrix, p, axis=(-2, -1)) * np.linalg.norm(
                other, p, axis=(-2, -1)
            )
        unknown = np.isnan(found) & ~np.any(np.isnan(matrix), axis=(-2, -1))
        return np.where(unknown, np.inf, found).astype(found.dtype)
