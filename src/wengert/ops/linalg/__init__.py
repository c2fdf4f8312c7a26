"""Linear algebra: factorisations, linear solves, functions of matrices, equations for matrices."""

from wengert.ops.linalg import (
    banded,
    cholesky,
    determinant,
    functions,
    lu,
    riccati,
    solve,
    sylvester,
    triangular,
)

__all__ = [
    "triangular",
    "solve",
    "lu",
    "determinant",
    "cholesky",
    "banded",
    "functions",
    "riccati",
    "sylvester",
]
