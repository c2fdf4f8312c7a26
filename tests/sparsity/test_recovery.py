"""Values from products, and the probe for missing places."""

import colour_cases as patterns
import numpy as np
import pytest

from wengert.sparse.colouring.choosing import choose
from wengert.sparse.colouring.result import Steps
from wengert.sparse.pattern import Pattern
from wengert.sparse.recovery import faulty_rows, probe, products_of, recovered, substituted


@pytest.mark.parametrize("method", ["forward", "reverse", "bidirectional"])
def test_values_come_out_of_products(method):
    matrix = np.random.default_rng(0).random((12, 9)) < 0.3
    pattern = patterns.of_matrix(matrix)
    colouring = choose(pattern, 1.0, 1.0, method=method)
    values = np.random.default_rng(1).standard_normal(pattern.nnz)
    products = patterns.products(pattern.matrix(values), colouring)
    assert np.array_equal(recovered(colouring, products), values)


def test_values_are_solved_for_along_trees():
    pattern = patterns.banded(30, 2)
    colouring = choose(pattern, 1.0, 1.0, symmetric=True, substitution=True)
    values = patterns.symmetric_values(pattern, np.random.default_rng(0))
    products = patterns.products(pattern.matrix(values), colouring)
    assert colouring.products == 2
    assert np.array_equal(recovered(colouring, products), values)
    # a path of 30, from both ends at once, in levels of 1, 2, 4 and 8 steps
    assert len(colouring.steps.levels) - 1 <= 4


def test_levels_are_done_one_after_another():
    steps = Steps(np.array([1, 1, 2, 3]), np.array([0, 3, 1, 2]), np.array([0, 2, 4]))
    found = substituted(np.array([1.0, 10.0, 20.0, 2.0]), steps)
    # the first level takes away; the second adds, and reads what was there before it
    assert found.tolist() == [1, 7, 27, 22]


def test_the_product_of_a_sparse_matrix():
    matrix = np.random.default_rng(0).random((8, 6)) < 0.4
    matrix[3] = False
    pattern = patterns.of_matrix(matrix)
    values = np.random.default_rng(1).standard_normal(pattern.nnz)
    v = np.random.default_rng(2).standard_normal(6)
    assert np.allclose(products_of(pattern, values, v), pattern.matrix(values) @ v, rtol=1e-14)
    empty = patterns.of_matrix(np.zeros((4, 3)))
    assert np.array_equal(products_of(empty, np.zeros(0), np.ones(3)), np.zeros(4))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(5))
def test_rounding_is_no_missing_place(dtype, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((300, 400)) * 10.0 ** rng.integers(-6, 6, (300, 1))
    matrix *= rng.random((300, 400)) < 0.2
    matrix[:, 0] = -matrix[:, 1:].sum(axis=1)  # rows that cancel
    pattern = patterns.of_matrix(matrix)
    values = matrix.astype(dtype)[pattern.rows, pattern.indices]
    for v in (rng.standard_normal(400).astype(dtype), np.ones(400, dtype)):
        product = (matrix @ v.astype(float)).astype(dtype)
        assert not len(faulty_rows(pattern, values, v, product))


@pytest.mark.parametrize("method", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_missing_place_is_found(method, dtype):
    rng = np.random.default_rng(0)
    matrix = np.where(rng.random((15, 12)) < 0.3, rng.standard_normal((15, 12)), 0).astype(dtype)
    v = rng.standard_normal(12).astype(dtype)
    for row, column in np.argwhere(matrix):
        known = matrix.copy()
        known[row, column] = 0
        pattern = patterns.of_matrix(known)
        colouring = choose(pattern, 1.0, 1.0, method=method)
        values = recovered(colouring, patterns.products(matrix, colouring)).astype(dtype)
        faulty = faulty_rows(pattern, values, v, matrix @ v)
        if method == "forward":
            assert faulty.tolist() == [row]
        assert row in faulty
        with pytest.raises(ValueError, match="nonzero value outside of the sparsity pattern"):
            probe(pattern, values, v, matrix @ v)


def test_the_row_is_named_by_its_output():
    pattern = Pattern(np.zeros(8, np.int32), np.zeros(0, np.int32), (7, 2), ((), (3, 2)), ((2,),))
    product = np.zeros(7)
    product[4] = 1
    with pytest.raises(ValueError, match=r"in row 4, element \[1, 1\] of output 1"):
        probe(pattern, np.zeros(0), np.ones(2), product)
    product[:] = 1
    with pytest.raises(ValueError, match=r"row 0 \(and 6 more\), output 0"):
        probe(pattern, np.zeros(0), np.ones(2), product, "Hessian")


def test_rows_without_finite_values_say_nothing():
    pattern = patterns.banded(3, 2)
    values = np.ones(pattern.nnz)
    values[0] = np.inf
    product = products_of(pattern, np.ones(pattern.nnz), np.ones(3))
    assert not len(faulty_rows(pattern, values, np.ones(3), product))
    product[2] = np.nan
    assert not len(faulty_rows(pattern, values, np.ones(3), product))
    product[1] += 1
    assert faulty_rows(pattern, values, np.ones(3), product).tolist() == [1]
