"""Sparse matrices and linear operators in functions that are linearised, and of one row or axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import aslinearoperator

from support import same
from wengert import grad, jit, linear_transpose, linearize, vjp

DENSE = np.arange(6.0).reshape(2, 3)
X = np.array([1.0, 2.0, 3.0])
CT = np.array([1.0, -2.0])
OPERATORS: dict[str, Callable[[Any], Any]] = {
    "sparse array": sp.csr_array,
    "sparse matrix": sp.csc_matrix,
    "linear operator": aslinearoperator,
}


@pytest.mark.parametrize("make", OPERATORS.values(), ids=OPERATORS)
def test_linear_maps_hold_operators(make):
    operator = make(DENSE)

    def f(x):
        return (operator @ x) ** 2

    jacobian = 2 * (DENSE @ X)[:, None] * DENSE
    same(vjp(f, X)[1](CT)[0], CT @ jacobian)
    same(jit(lambda x: vjp(f, x)[1](CT)[0])(X), CT @ jacobian)
    same(linearize(f, X)[1](X), jacobian @ X)
    same(linear_transpose(lambda x: operator @ x, X)(CT)[0], CT @ DENSE)


@pytest.mark.parametrize("make", OPERATORS.values(), ids=OPERATORS)
def test_linear_maps_that_hold_operators_are_differentiated(make):
    operator = make(DENSE)
    _, pullback = vjp(lambda x: (operator @ x) ** 2, X)
    jacobian = 2 * (DENSE @ X)[:, None] * DENSE
    same(grad(lambda ct: np.sum(pullback(ct)[0] ** 2))(CT), 2 * jacobian @ (CT @ jacobian))


def test_a_sparse_array_of_one_axis_gives_an_inner_product():
    row = sp.csr_array(DENSE)[1]
    same(vjp(lambda x: row @ x, X)[0], DENSE[1] @ X)
    same(grad(lambda x: (row @ x) ** 2)(X), 2 * (DENSE[1] @ X) * DENSE[1])


def test_a_sparse_array_of_one_row_gives_an_array_of_one_element():
    row = sp.coo_array(DENSE[1:])
    same(vjp(lambda x: row @ x, X)[0], DENSE[1:] @ X)
