"""What is exact: the diagonal of a matrix by its products with all unit vectors, or with the fewer
sums of them that the colours of a sparse Hessian are.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.estimate.operators import WIDTH, Operator

Array: TypeAlias = NDArray[np.float64]


def gives_diagonal(operator: Operator, products: int) -> bool:
    """Whether so many products are enough for the diagonal."""
    if products >= operator.n:
        return True
    coloured = operator.coloured()
    return coloured is not None and products >= coloured[0]


def exact_diagonal(operator: Operator) -> Array:
    """aᵢᵢ by colours; or aᵢᵢ = eᵢᵀ A eᵢ, a block of unit vectors at a time."""
    coloured = operator.coloured()
    if coloured is not None:
        products, by_colours = coloured
        operator.products += products
        return by_colours()
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
