"""Linear algebra: factorisations, linear solves, functions of matrices, equations for matrices."""

from wengert.ops.linalg import (
    banded,
    cholesky,
    complement,
    determinant,
    eigh,
    functions,
    gaps,
    lu,
    pivots,
    riccati,
    solve,
    svd,
    sylvester,
    triangular,
    turning,
)

__all__ = [
    "triangular",
    "solve",
    "lu",
    "determinant",
    "cholesky",
    "banded",
    "functions",
    "pivots",
    "riccati",
    "sylvester",
    "complement",
    "eigh",
    "gaps",
    "svd",
    "turning",
]
