"""Linear algebra: factorisations, linear solves, functions of matrices, equations for matrices."""

from wengert.ops.linalg import (
    sylvester,
)

__all__ = [
    "sylvester",
]
