"""Linear algebra: factorisations, linear solves, functions of matrices, equations for matrices."""

from wengert.ops.linalg import (
    functions,
    sylvester,
)

__all__ = [
    "functions",
    "sylvester",
]
