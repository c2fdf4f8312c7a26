"""Sparsity patterns to colour, and slow, obvious checks of what colourings promise."""

import numpy as np
import scipy.sparse

from wengert.sparse.pattern import Pattern


def of_matrix(matrix, inputs=None, outputs=None):
    """The pattern of a dense or sparse matrix."""
    csr = scipy.sparse.csr_array(matrix)
    csr.sort_indices()
    rows, columns = csr.shape
    return Pattern(
        csr.indptr.astype(np.int32),
        csr.indices.astype(np.int32),
        (rows, columns),
        outputs or ((rows,),),
        inputs or ((columns,),),
    )


def dense(pattern):
    return pattern.matrix().toarray()


def banded(n, off):
    """A square matrix with `off` diagonals beside the main one, half of them on each side."""
    reach = range(-(off // 2), off // 2 + 1)
    return of_matrix(scipy.sparse.diags_array([np.ones(n - abs(k)) for k in reach], offsets=reach))


def arrow(n):
    rows = np.concatenate([np.arange(n), np.zeros(n - 1, int), np.arange(1, n)])
    columns = np.concatenate([np.arange(n), np.arange(1, n), np.zeros(n - 1, int)])
    return of_matrix(scipy.sparse.coo_array((np.ones(len(rows)), (rows, columns))))


def blocks(number, size):
    return of_matrix(scipy.sparse.block_diag([np.ones((size, size))] * number))


def stencil(shape, offsets, periodic=False, flat=False):
    """Each element of a grid depends on those at these offsets from it."""
    size = int(np.prod(shape))
    here = np.stack(np.unravel_index(np.arange(size), shape))
    lengths = np.array(shape)[:, None]
    places = [np.empty((2, 0), int)]
    for offset in offsets:
        there = here + np.array(offset)[:, None]
        inside = np.all((there >= 0) & (there < lengths), axis=0) | periodic
        rows = np.flatnonzero(inside)
        columns = np.ravel_multi_index(tuple((there % lengths)[:, inside]), shape)
        places.append(np.stack([rows, columns]))
    rows, columns = np.concatenate(places, axis=1)
    matrix = scipy.sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    shapes = ((size,),) if flat else (tuple(shape),)
    return of_matrix(matrix, inputs=shapes, outputs=shapes)


def cross(axes, reach):
    """The offsets of the star of 1 + 2 · axes · reach points."""
    eye = np.eye(axes, dtype=int)
    steps = [s * k * e for e in eye for k in range(1, reach + 1) for s in (1, -1)]
    return [(0,) * axes, *(tuple(step.tolist()) for step in steps)]


FIVE = cross(2, 1)
NINE = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
THIRTEEN = [*cross(2, 2), (1, 1), (1, -1), (-1, 1), (-1, -1)]
SEVEN = cross(3, 1)


def brusselator(n, inputs):
    """Two substances that react at each point of a periodic n × n grid and diffuse."""
    size = n * n
    diffusion = stencil((n, n), FIVE, periodic=True).matrix()
    eye = scipy.sparse.eye_array(size)
    return of_matrix(scipy.sparse.block_array([[diffusion, eye], [eye, diffusion]]), inputs=inputs)


def check_columns(pattern, colours):
    """No two columns of one colour have a nonzero in one row."""
    matrix = dense(pattern)
    for colour in set(colours.tolist()) - {-1}:
        assert matrix[:, colours == colour].sum(axis=1).max(initial=0) <= 1
    assert not matrix[:, colours == -1].any()


def products(matrix, colouring):
    """The products of a matrix that a colouring asks for, one after another as one vector."""
    rows, columns = matrix.shape
    assert colouring.columns.shape == (columns,)
    assert colouring.rows.shape == (rows,)
    tangents = np.zeros((colouring.tangents, columns))
    cotangents = np.zeros((colouring.cotangents, rows))
    for c in range(colouring.tangents):
        tangents[c, colouring.columns == c] = 1
        assert tangents[c].any()
    for c in range(colouring.cotangents):
        cotangents[c, colouring.rows == c] = 1
        assert cotangents[c].any()
    return np.concatenate([(tangents @ matrix.T).ravel(), (cotangents @ matrix).ravel()])


def check_recovery(pattern, colouring):
    """All values of a random matrix of this pattern come out of its products, bit for bit: sums of
    one number and zeros are exact."""
    values = np.random.default_rng(0).standard_normal(pattern.nnz)
    found = products(pattern.matrix(values), colouring)
    assert colouring.steps is None
    assert np.array_equal(found[colouring.source], values)


def symmetric_values(pattern, rng):
    """Random values of a symmetric matrix: small whole numbers, of which sums are exact."""
    values = rng.integers(1, 100, pattern.shape)
    return (values + values.T)[pattern.rows, pattern.indices].astype(float)
