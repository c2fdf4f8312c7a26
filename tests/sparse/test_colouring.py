"""Colourings of columns and rows: known answers, and random patterns."""

import colour_cases as patterns
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wengert.sparse.colouring.choosing import choose

FIVE, NINE, THIRTEEN, SEVEN = patterns.FIVE, patterns.NINE, patterns.THIRTEEN, patterns.SEVEN


def checked(pattern, **how):
    colouring = choose(pattern, 1.0, 1.0, **how)
    patterns.check_recovery(pattern, colouring, np.random.default_rng(0))
    return colouring.products


@pytest.mark.parametrize("n", [1, 2, 50])
def test_a_diagonal_takes_one_colour(n):
    assert checked(patterns.banded(n, 0)) == 1


@pytest.mark.parametrize("off", [2, 4, 10, 20])
@pytest.mark.parametrize("n", [30, 101])
def test_a_band_takes_as_many_colours_as_it_is_wide(n, off):
    assert checked(patterns.banded(n, off)) == off + 1


def test_a_bidiagonal_matrix_takes_two_colours():
    assert checked(patterns.of_matrix(np.eye(49, 50) + np.eye(49, 50, 1))) == 2


def test_the_columns_of_an_arrow_take_a_colour_each():
    assert checked(patterns.arrow(40), method="forward") == 40
    assert checked(patterns.arrow(40), method="reverse") == 40


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize(
    "shape, offsets, colours",
    [
        ((3, 3), FIVE, 5),
        ((4, 4), FIVE, 5),
        ((4, 5), FIVE, 5),
        ((3, 3), NINE, 9),
        ((4, 4), NINE, 9),
        ((20, 20), FIVE, 5),
        ((20, 20), NINE, 9),
        ((20, 20), THIRTEEN, 13),
        ((20, 20), patterns.cross(2, 2), 10),
        ((8, 8, 8), SEVEN, 7),
    ],
)
def test_stencils(shape, offsets, colours, flat):
    pattern = patterns.stencil(shape, offsets, flat=flat)
    assert checked(pattern, method="forward") == colours
    assert checked(pattern, method="reverse") == colours


@pytest.mark.parametrize("n, colours", [(6, 6), (24, 6), (100, 8)])
@pytest.mark.parametrize("layout", ["one array", "two arrays", "vector"])
def test_the_periodic_brusselator(n, colours, layout):
    inputs = {"one array": ((2, n, n),), "two arrays": ((n, n),) * 2, "vector": ((2 * n * n,),)}
    pattern = patterns.brusselator(n, inputs[layout])
    colouring = choose(pattern, 1.0, 1.0, method="forward")
    assert colouring.products == colours
    if n < 100:
        patterns.check_recovery(pattern, colouring, np.random.default_rng(0))


def test_a_triangle_takes_three_colours():
    assert checked(patterns.of_matrix([[1, 1, 0], [0, 1, 1], [1, 0, 1]])) == 3


@pytest.mark.parametrize("size", [1, 3, 7])
def test_diagonal_blocks_take_as_many_colours_as_they_are_wide(size):
    assert checked(patterns.blocks(9, size)) == size


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (4, 5), (1, 1)])
@pytest.mark.parametrize("method", ["auto", "forward", "reverse"])
def test_what_is_zero_takes_no_product(shape, method):
    assert checked(patterns.of_matrix(np.zeros(shape)), method=method) == 0


def test_what_is_full_takes_its_shorter_side():
    assert checked(patterns.of_matrix(np.ones((4, 7)))) == 4
    assert checked(patterns.of_matrix(np.ones((7, 4)))) == 4


matrices = st.tuples(
    st.integers(1, 12), st.integers(1, 12), st.floats(0.05, 0.9), st.integers(0, 10**6)
).map(lambda k: np.random.default_rng(k[3]).random(k[:2]) < k[2])


@given(matrices)
def test_colours_of_random_patterns(matrix):
    pattern = patterns.of_matrix(matrix)
    colouring = choose(pattern, 1.0, 1.0, method="forward")
    patterns.check_columns(pattern, colouring.columns)
    assert colouring.tangents >= matrix.sum(axis=1).max()
    patterns.check_recovery(pattern, colouring, np.random.default_rng(0))
    colouring = choose(pattern, 1.0, 1.0, method="reverse")
    patterns.check_columns(patterns.of_matrix(matrix.T), colouring.rows)
    patterns.check_recovery(pattern, colouring, np.random.default_rng(0))
