"""Functions of `scipy.linalg` that traced arrays are refused by, and why."""

from __future__ import annotations

_SCHUR = (
    "the derivative of a Schur form depends on the order and the signs that LAPACK chose; "
    "eigenvalues have wengert.scipy.linalg.eig, functions of matrices expm, logm and sqrtm"
)
_PENCIL = (
    "a generalised Schur form depends on the order and the signs that LAPACK chose; eigenvalues "
    "have wengert.scipy.linalg.eig(a, b)"
)
_UPDATE = "updates of a QR factorisation are for speed; factorise the changed matrix with qr"
_COMMON = (
    "its vectors are determined up to rotations that LAPACK chose; use svd or qr of the blocks"
)

REFUSED = {
    "schur": _SCHUR,
    "rsf2csf": _SCHUR,
    "hessenberg": "a Hessenberg form depends on the reflections that LAPACK chose",
    "ldl": "its pivots are blocks whose sizes jump; use cholesky, or lu",
    "qz": _PENCIL,
    "ordqz": _PENCIL,
    "cossin": _COMMON,
    "matrix_balance": "the scaling is by powers of two, which jump",
    "funm": "it has no derivative of the function; use expm, logm, sqrtm or eig",
    "expm_cond": "a condition number of a derivative is a norm that has no rule",
    "clarkson_woodruff_transform": "it multiplies by a random matrix; multiply by one of yours",
    "qr_delete": _UPDATE,
    "qr_insert": _UPDATE,
    "qr_update": _UPDATE,
    "bandwidth": "it looks at the values; call it on a plain array, outside the trace",
    "issymmetric": "it looks at the values; call it on a plain array, outside the trace",
    "ishermitian": "it looks at the values; call it on a plain array, outside the trace",
}
