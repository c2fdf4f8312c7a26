"""Colourings of small patterns take as few colours as there can be: all are tried."""

import colour_cases as patterns
import numpy as np
import pytest

from wengert.sparse.colouring.choosing import choose


def fewest(vertices, is_valid):
    """The least number of colours, by trying all colourings. is_valid(colours) tells whether those
    of the first vertices may be so."""

    def is_enough(colours, number):
        if len(colours) == vertices:
            return True
        names = range(min(max(colours, default=-1) + 2, number))
        return any(
            is_valid(more) and is_enough(more, number) for more in ([*colours, c] for c in names)
        )

    return next(number for number in range(1, vertices + 1) if is_enough([], number))


def of_columns(matrix):
    return lambda colours: all(
        matrix[:, : len(colours)][:, np.equal(colours, c)].sum(axis=1).max() <= 1 for c in colours
    )


def of_stars(matrix):
    """No path of four vertices has two colours: of any two colours, no two vertices with more than
    one neighbour are neighbours."""

    def is_valid(colours):
        edges = among(matrix, colours)
        same = np.equal.outer(colours, colours)
        if (edges & same).any():
            return False
        for v, w in np.argwhere(edges):
            if (edges[v] & same[w]).sum() > 1 and (edges[w] & same[v]).sum() > 1:
                return False
        return True

    return is_valid


def of_trees(matrix):
    """What is left of two colours is nothing, once leaves are taken away again and again."""

    def is_valid(colours):
        edges = among(matrix, colours)
        if (edges & np.equal.outer(colours, colours)).any():
            return False
        for a in set(colours):
            for b in set(colours) - {a}:
                chosen = np.isin(colours, [a, b])
                part = edges & np.outer(chosen, chosen)
                for _ in colours:
                    part = part & np.outer(part.sum(axis=1) > 1, part.sum(axis=0) > 1)
                if part.any():
                    return False
        return True

    return is_valid


def among(matrix, colours):
    first = matrix[: len(colours), : len(colours)]
    return first & ~np.eye(len(colours), dtype=bool)


@pytest.mark.parametrize("seed", range(30))
def test_small_patterns_take_the_fewest_colours(seed):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(2, 7, 2)
    matrix = rng.random((m, n)) < rng.uniform(0.2, 0.6)
    matrix[0, 0] = True
    colouring = choose(patterns.of_matrix(matrix), 1.0, 1.0, method="forward")
    assert colouring.products == fewest(n, of_columns(matrix))
    square = rng.random((n, n)) < rng.uniform(0.1, 0.5)
    square = square | square.T | np.eye(n, dtype=bool)
    pattern = patterns.of_matrix(square)
    colouring = choose(pattern, 1.0, 1.0, symmetric=True)
    assert colouring.products == fewest(n, of_stars(square))
    colouring = choose(pattern, 1.0, 1.0, symmetric=True, substitution=True)
    assert colouring.products == fewest(n, of_trees(square))
