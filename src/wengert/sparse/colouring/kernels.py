"""The sequential loops of colouring, as kernels (see `translating`).

A sparsity pattern comes as `indptr` and `indices`; a colouring as `colour`, one number a column,
−1 where the column is left out. What a loop writes is named last. Arrays called `mark` and the like
are work space, filled with −1 by the caller unless said otherwise.
"""

from __future__ import annotations

from wengert.sparse.colouring.translating import Array, kernel


@kernel
def transpose(
    indptr: Array, indices: Array, rows: int, columns: int, place: Array, starts: Array, out: Array
) -> int:
    """The columns as `starts` (columns + 1, zeros) and `out`, the rows of each, ascending.
    place: columns + 1 zeros."""
    for k in range(indptr[rows]):
        starts[indices[k] + 1] += 1
    for j in range(columns):
        starts[j + 1] += starts[j]
        place[j + 1] = starts[j + 1]
    for i in range(rows):
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            out[place[j]] = i
            place[j] += 1
    return 0


@kernel
def transpose_places(indptr: Array, indices: Array, rows: int, place: Array, order: Array) -> int:
    """The places in the order of the columns. place: where each column begins in it."""
    for k in range(indptr[rows]):
        j = indices[k]
        order[place[j]] = k
        place[j] += 1
    return 0


@kernel
def find_mates(indptr: Array, indices: Array, rows: int, place: Array, mate: Array) -> int:
    """The place (j, i) of each place (i, j) of a symmetric pattern; −1, or else a place without.
    place: a copy of the first `rows` of indptr."""
    for i in range(rows):
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            other = place[j]
            if other >= indptr[j + 1] or indices[other] != i:
                return k
            mate[k] = other
            place[j] += 1
    return -1


@kernel
def find_conflict(indptr: Array, indices: Array, rows: int, colour: Array, mark: Array) -> int:
    """The first row in which two columns have one colour, −1 if there is none.
    mark: one a colour."""
    for i in range(rows):
        for k in range(indptr[i], indptr[i + 1]):
            c = colour[indices[k]]
            if mark[c] == i:
                return i
            mark[c] = i
    return -1


@kernel
def find_sources(
    indptr: Array,
    indices: Array,
    rows: int,
    colour: Array,
    stride: int,
    mark: Array,
    source: Array,
) -> int:
    """colour · stride + row of each place; −1, or else a row in which two columns have one
    colour, or one that has none. mark: one a colour."""
    for i in range(rows):
        for k in range(indptr[i], indptr[i + 1]):
            c = colour[indices[k]]
            if c < 0 or mark[c] == i:
                return i
            mark[c] = i
            source[k] = c * stride + i
    return -1


@kernel
def find_row_sources(
    indptr: Array,
    indices: Array,
    rows: int,
    colour: Array,
    stride: int,
    offset: int,
    source: Array,
) -> int:
    """offset + colour · stride + column of each place, for colours of rows."""
    for i in range(rows):
        base = offset + colour[i] * stride
        for k in range(indptr[i], indptr[i + 1]):
            source[k] = base + indices[k]
    return 0


@kernel
def find_readable(
    indptr: Array, indices: Array, rows: int, colour: Array, count: Array, readable: Array
) -> int:
    """Whether no other column of the row has the colour of the place. count: one zero a colour."""
    for i in range(rows):
        for k in range(indptr[i], indptr[i + 1]):
            c = colour[indices[k]]
            if c >= 0:
                count[c] += 1
        for k in range(indptr[i], indptr[i + 1]):
            c = colour[indices[k]]
            readable[k] = c >= 0 and count[c] == 1
        for k in range(indptr[i], indptr[i + 1]):
            c = colour[indices[k]]
            if c >= 0:
                count[c] = 0
    return 0


@kernel
def colour_greedily(
    indptr: Array,
    indices: Array,
    starts: Array,
    others: Array,
    order: Array,
    number: int,
    forbidden: Array,
    colour: Array,
) -> int:
    """Give each column, in this order, the first colour that no column has which shares a row with
    it. starts, others: the transposed pattern. forbidden: one a column and one more.

    Gebremedhin, Manne, Pothen, *What color is your Jacobian?* (2005), algorithm 3.2.
    """
    most = 0
    for k in range(number):
        v = order[k]
        for r in range(starts[v], starts[v + 1]):
            i = others[r]
            for q in range(indptr[i], indptr[i + 1]):
                c = colour[indices[q]]
                if c >= 0:
                    forbidden[c] = v
        c = 0
        while forbidden[c] == v:
            c += 1
        colour[v] = c
        if c >= most:
            most = c + 1
    return most


@kernel
def order_smallest_last(
    indptr: Array,
    indices: Array,
    starts: Array,
    others: Array,
    columns: int,
    degree: Array,
    first: Array,
    following: Array,
    before: Array,
    order: Array,
) -> int:
    """Take away a column that shares rows with fewest of those left, again and again; colour them
    the other way round (Matula, Marble, Isaacson 1972). What is shared twice counts twice.

    degree: with how many each shares at first. first: one a degree and two more.
    """
    for v in range(columns):
        d = degree[v]
        following[v] = first[d]
        if first[d] >= 0:
            before[first[d]] = v
        before[v] = -1
        first[d] = v
    least = 0
    for t in range(columns):
        if least > 0:
            least -= 1
        while first[least] < 0:
            least += 1
        v = first[least]
        first[least] = following[v]
        if following[v] >= 0:
            before[following[v]] = -1
        degree[v] = -1
        order[columns - 1 - t] = v
        for r in range(starts[v], starts[v + 1]):
            i = others[r]
            for q in range(indptr[i], indptr[i + 1]):
                w = indices[q]
                d = degree[w]
                if d > 0:
                    if before[w] >= 0:
                        following[before[w]] = following[w]
                    else:
                        first[d] = following[w]
                    if following[w] >= 0:
                        before[following[w]] = before[w]
                    d -= 1
                    degree[w] = d
                    following[w] = first[d]
                    if first[d] >= 0:
                        before[first[d]] = w
                    before[w] = -1
                    first[d] = w
                    if d < least:
                        least = d
    return 0
