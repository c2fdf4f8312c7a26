"""Colourings of columns and rows: known answers, and random patterns."""

from time import process_time

import colour_cases as patterns
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from wengert.sparse.colouring.bidirectional import least_cost
from wengert.sparse.colouring.choosing import choose
from wengert.sparse.colouring.result import seeds

FIVE, NINE, THIRTEEN, SEVEN = patterns.FIVE, patterns.NINE, patterns.THIRTEEN, patterns.SEVEN


def checked(pattern, **how):
    colouring = choose(pattern, 1.0, 1.0, **how)
    patterns.check_recovery(pattern, colouring)
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
        patterns.check_recovery(pattern, colouring)


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


@settings(deadline=None)
@given(matrices)
def test_colours_of_random_patterns(matrix):
    pattern = patterns.of_matrix(matrix)
    colouring = choose(pattern, 1.0, 1.0, method="forward")
    patterns.check_columns(pattern, colouring.columns)
    assert colouring.tangents >= matrix.sum(axis=1).max()
    patterns.check_recovery(pattern, colouring)
    colouring = choose(pattern, 1.0, 1.0, method="reverse")
    patterns.check_columns(patterns.of_matrix(matrix.T), colouring.rows)
    patterns.check_recovery(pattern, colouring)


@settings(deadline=None)
@given(matrices, st.sampled_from([0.1, 1.0, 5.0]))
def test_products_of_both_sides_of_random_patterns(matrix, cost):
    pattern = patterns.of_matrix(matrix)
    both = choose(pattern, 1.0, cost, method="bidirectional")
    patterns.check_recovery(pattern, both)
    cheapest = choose(pattern, 1.0, cost)
    patterns.check_recovery(pattern, cheapest)
    turned = patterns.of_matrix(matrix.T)
    assert price(cheapest, cost) >= least_cost(pattern, turned, 1.0, cost) - 1e-9
    for method in ("forward", "reverse"):
        assert price(cheapest, cost) <= price(choose(pattern, 1.0, cost, method=method), cost)


def price(colouring, cost):
    return colouring.tangents + cost * colouring.cotangents


@pytest.mark.parametrize("n", [10, 300, 10_000])
def test_an_arrow_takes_three_products_of_both_sides(n):
    pattern = patterns.arrow(n)
    colouring = choose(pattern, 1.0, 1.0)
    assert colouring.method == "bidirectional"
    assert colouring.products == 3
    if n < 1000:
        patterns.check_recovery(pattern, colouring)


def test_a_triangle_takes_three_products_of_both_sides():
    pattern = patterns.of_matrix([[1, 1, 0], [0, 1, 1], [1, 0, 1]])
    assert checked(pattern, method="bidirectional") == 3


def test_dense_rows_and_columns_are_peeled():
    matrix = patterns.dense(patterns.banded(200, 2))
    matrix[[3, 90]] = True
    assert checked(patterns.of_matrix(matrix)) == 3 + 2
    assert checked(patterns.of_matrix(matrix.T)) == 3 + 2
    matrix[:, [50, 120]] = True
    assert checked(patterns.of_matrix(matrix)) <= 3 + 4


def test_one_mode_is_chosen_by_what_its_products_cost():
    pattern = patterns.of_matrix(np.ones((3, 5)))
    assert choose(pattern, 1.0, 1.0).method == "reverse"
    assert choose(pattern, 1.0, 1.6).method == "reverse"
    assert choose(pattern, 1.0, 1.7).method == "forward"


def test_methods_have_names():
    with pytest.raises(ValueError, match="method is one of auto, forward"):
        choose(patterns.arrow(3), 1.0, 1.0, method="backward")


def test_seeds_are_the_colours():
    colours = np.array([0, 1, 2, -1, 1, 0])
    expected = [[0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 0]]
    assert np.array_equal(seeds(colours, 1, 3, np.float32), expected)
    assert seeds(colours, 1, 3, np.float32).dtype == np.float32


@pytest.mark.parametrize("number", [2, 3])
def test_grids_of_several_lengths_are_coloured_as_one(number):
    # velocities on the faces of cells, pressures in them: a staggered grid
    shapes = ((9, 8), (8, 9), (8, 8))[:number]
    sizes = [a * b for a, b in shapes]
    cells = [np.arange(a * b).reshape(a, b) + sum(sizes[:k]) for k, (a, b) in enumerate(shapes)]
    parts = [cells[0][:-1], cells[0][1:], cells[1][:, :-1], cells[1][:, 1:], *cells[2:]]
    columns = np.stack([part.ravel() for part in parts])
    rows = np.broadcast_to(np.arange(64), columns.shape)
    matrix = scipy.sparse.coo_array((np.ones(columns.size), (rows.ravel(), columns.ravel())))
    assert checked(patterns.of_matrix(matrix, inputs=shapes), method="forward") == len(parts)


@pytest.mark.long
@pytest.mark.parametrize("n, limit", [(316, 0.008), (1000, 0.150)])
def test_a_large_stencil_is_coloured_in_no_time(n, limit):
    pattern = patterns.stencil((n, n), FIVE)
    times = []
    for _ in range(20):
        start = process_time()
        colouring = choose(pattern, 1.0, 1.0)
        times.append(process_time() - start)
    assert colouring.products == 5
    assert min(times) < limit


@pytest.mark.long
def test_a_million_places_are_coloured_in_well_under_a_second():
    n = 100_000
    columns = np.random.default_rng(0).integers(0, n, 10 * n)
    rows = np.repeat(np.arange(n), 10)
    pattern = patterns.of_matrix(scipy.sparse.coo_array((np.ones(10 * n), (rows, columns))))
    times = []
    for _ in range(5):
        start = process_time()
        choose(pattern, 1.0, 1.0, method="forward")
        times.append(process_time() - start)
    assert min(times) < 0.7
