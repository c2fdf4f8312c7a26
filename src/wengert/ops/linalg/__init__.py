"""Linear algebra: factorisations, linear solves, functions of matrices, equations for matrices."""

from wengert.ops.linalg import (
    banded,
    functions,
    riccati,
    sylvester,
)

__all__ = [
    "banded",
    "functions",
    "riccati",
    "sylvester",
]
