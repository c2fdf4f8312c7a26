"""What is exact: a matrix known by its products with all unit vectors.

This is the place to ask whether the matrix can be had with fewer products than its order.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.estimate.operators import WIDTH, Operator

Array: TypeAlias = NDArray[np.float64]


def affordable(operator: Operator, products: int) -> bool:
    """Whether so many products are enough for the exact value."""
    return products >= operator.n


def exact_diagonal(operator: Operator) -> Array:
    """aᵢᵢ = eᵢᵀ A eᵢ, a block of unit vectors at a time."""
    n = operator.n
    result = np.empty(n)
    for start in range(0, n, WIDTH):
        own = np.arange(min(WIDTH, n - start))
        units = np.zeros((n, len(own)))
        units[start + own, own] = 1.0
        result[start + own] = operator(units)[start + own, own]
    return result


def exact_matrix(operator: Operator) -> Array:
    """The whole matrix."""
    return operator(np.eye(operator.n))
