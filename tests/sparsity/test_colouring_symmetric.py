"""Colourings of symmetric matrices: known answers, and random patterns."""

import colour_cases as patterns
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wengert.sparse.colouring.choosing import choose
from wengert.sparse.recovery import recovered

FIVE, NINE = patterns.FIVE, patterns.NINE


def star(pattern):
    """The number of colours of the direct method, after slow checks of its colouring."""
    colouring = choose(pattern, 1.0, 1.0, symmetric=True)
    assert colouring.method == "symmetric"
    assert colouring.steps is None
    check_symmetrically_orthogonal(pattern, colouring.columns)
    check(pattern, colouring)
    return colouring.products


def acyclic(pattern):
    """The number of colours of the method by substitution, after slow checks of its colouring."""
    colouring = choose(pattern, 1.0, 1.0, symmetric=True, substitution=True)
    if colouring.method == "symmetric":  # where that takes no more
        assert colouring.products == choose(pattern, 1.0, 1.0, symmetric=True).products
    else:
        assert colouring.method == "substitution"
        check_acyclic(pattern, colouring.columns)
    check(pattern, colouring)
    return colouring.products


def check(pattern, colouring):
    values = patterns.symmetric_values(pattern, np.random.default_rng(0))
    products = patterns.products(pattern.matrix(values), colouring)
    assert np.array_equal(recovered(colouring, products), values)


def check_symmetrically_orthogonal(pattern, colours):
    """Of each entry one of the two stands alone in its row among the columns of its colour."""
    matrix = patterns.dense(pattern)
    for i, j in np.argwhere(matrix):
        alone = [
            colours[b] >= 0 and matrix[a, colours == colours[b]].sum() == 1
            for a, b in ((i, j), (j, i))
        ]
        assert any(alone)


def check_acyclic(pattern, colours):
    """Neighbours have two colours; any two colours have a forest between them: as many vertices as
    edges and parts."""
    matrix = patterns.dense(pattern) & ~np.eye(len(colours), dtype=bool)
    for a in range(colours.max(initial=0) + 1):
        assert not matrix[np.ix_(colours == a, colours == a)].any()
        for b in range(a):
            among = np.isin(colours, [a, b])
            part = matrix[np.ix_(among, among)]
            reached = np.linalg.matrix_power(part | np.eye(len(part), dtype=bool), len(part))
            parts = len({tuple(row) for row in reached})
            assert len(part) == part.sum() // 2 + parts


@pytest.mark.parametrize("n", [1, 2, 20])
def test_a_diagonal(n):
    assert star(patterns.banded(n, 0)) == 1
    assert acyclic(patterns.banded(n, 0)) == 1


@pytest.mark.parametrize("off", [2, 4, 6, 10])
def test_bands(off):
    assert star(patterns.banded(40, off)) == off + 1
    assert acyclic(patterns.banded(40, off)) == off // 2 + 1


@pytest.mark.parametrize("n", [2, 10, 400])
def test_arrows(n):
    colouring = choose(patterns.arrow(n), 1.0, 1.0, symmetric=True)
    assert colouring.products == 2
    check(patterns.arrow(n), colouring)
    assert choose(patterns.arrow(n), 1.0, 1.0, symmetric=True, substitution=True).products == 2


def test_a_large_arrow_takes_no_longer_for_its_hub():
    assert choose(patterns.arrow(100_000), 1.0, 1.0, symmetric=True).products == 2


@pytest.mark.parametrize(
    "shape, offsets, stars, trees",
    [
        ((3, 3), FIVE, 4, 3),
        ((4, 4), FIVE, 5, 3),
        ((4, 5), FIVE, 5, 3),
        ((3, 3), NINE, 5, 4),
        ((4, 4), NINE, 7, 5),
    ],
)
@pytest.mark.parametrize("flat", [False, True])
def test_grids(shape, offsets, stars, trees, flat):
    pattern = patterns.stencil(shape, offsets, flat=flat)
    assert star(pattern) == stars
    assert acyclic(pattern) == trees


@pytest.mark.parametrize("size", [1, 2, 5])
def test_diagonal_blocks(size):
    assert star(patterns.blocks(6, size)) == size
    assert acyclic(patterns.blocks(6, size)) == size


def test_a_large_grid():
    pattern = patterns.stencil((100, 100), FIVE)
    assert choose(pattern, 1.0, 1.0, symmetric=True).products == 5
    assert choose(pattern, 1.0, 1.0, symmetric=True, substitution=True).products == 3


def test_colours_that_nothing_is_read_by_take_no_product():
    # x·y of two vectors: the Hessian is [0 I; I 0], and one side tells the other
    eye, zero = np.eye(5), np.zeros((5, 5))
    pattern = patterns.of_matrix(np.block([[zero, eye], [eye, zero]]))
    colouring = choose(pattern, 1.0, 1.0, symmetric=True)
    check(pattern, colouring)
    assert colouring.products == 1
    assert np.count_nonzero(colouring.columns == -1) == 5
    # a hub without a diagonal: its own product tells all
    spokes = np.zeros((6, 6))
    spokes[0, 1:] = spokes[1:, 0] = 1
    assert star(patterns.of_matrix(spokes)) == 1


@pytest.mark.parametrize("substitution", [False, True])
@pytest.mark.parametrize("n", [0, 1, 4])
def test_what_is_zero_takes_no_product(n, substitution):
    pattern = patterns.of_matrix(np.zeros((n, n)))
    colouring = choose(pattern, 1.0, 1.0, symmetric=True, substitution=substitution)
    assert colouring.products == 0
    assert colouring.source.shape == (0,)


def test_a_symmetric_matrix_may_be_taken_as_any_other():
    pattern = patterns.arrow(6)
    assert choose(pattern, 1.0, 1.0, symmetric=True, method="forward").products == 6
    assert choose(pattern, 1.0, 1.0, symmetric=True, method="symmetric").products == 2


@pytest.mark.parametrize(
    "how",
    [
        {"method": "symmetric"},
        {"substitution": True},
        {"symmetric": True, "method": "forward", "substitution": True},
    ],
)
def test_what_rests_on_symmetry_is_refused_without_it(how):
    with pytest.raises(ValueError, match="is for symmetric matrices, as Hessians are"):
        choose(patterns.arrow(6), 1.0, 1.0, **how)


def test_what_is_not_symmetric_is_refused():
    with pytest.raises(ValueError, match=r"has \(0, 2\) and not \(2, 0\)"):
        choose(patterns.of_matrix([[1, 1, 1], [1, 1, 0], [0, 0, 1]]), 1.0, 1.0, symmetric=True)
    with pytest.raises(ValueError, match=r"has \(2, 0\) and not \(0, 2\)"):
        choose(patterns.of_matrix([[1, 1, 0], [1, 1, 0], [1, 0, 1]]), 1.0, 1.0, symmetric=True)
    with pytest.raises(ValueError, match="is square, and this is 2 × 3"):
        choose(patterns.of_matrix(np.ones((2, 3))), 1.0, 1.0, symmetric=True)


matrices = st.tuples(st.integers(1, 12), st.floats(0.02, 0.8), st.integers(0, 10**6)).map(
    lambda k: np.random.default_rng(k[2]).random((k[0], k[0])) < k[1]
)


@settings(deadline=None)
@given(matrices)
def test_colours_of_random_patterns(matrix):
    pattern = patterns.of_matrix(matrix | matrix.T)
    assert acyclic(pattern) <= star(pattern)
    assert star(pattern) <= choose(pattern, 1.0, 1.0, method="forward").products
