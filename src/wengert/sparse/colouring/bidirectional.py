"""Products on both sides: some values are read from products J s, the others from Jᵀ s.

A few full rows make every colouring of the columns dear, and a few full columns every colouring of
the rows; an arrow has both. Two ways are tried.

Peeling: the fullest rows are recovered from products Jᵀ s, by a colouring of their own, and the
columns are coloured for the rows that are left. Or the same of the transposed matrix.

Star bicolouring: the matrix [0 Jᵀ; J 0] is symmetric, and a star colouring of its graph lets each
value of J be read by the colour of its column or by that of its row. Colours that read nothing take
no product.

Hossain and Steihaug, *Computing a sparse Jacobian matrix by rows and columns* (1998); Coleman and
Verma, *The efficient computation of sparse Jacobian matrices using automatic differentiation*
(1998); Montoison, Dalle, Gebremedhin, *Revisiting sparse matrix coloring and bicoloring* (2025).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

import numpy as np

from wengert.sparse.colouring import kernels
from wengert.sparse.colouring.covering import kept
from wengert.sparse.colouring.greedy import column_colours
from wengert.sparse.colouring.result import Colouring, index_dtype
from wengert.sparse.colouring.structure import (
    contiguous,
    insist,
    renumbered,
    transposed,
)
from wengert.sparse.colouring.symmetric import Graph, graph_of, star_colourings
from wengert.sparse.pattern import Pattern

CUTS = 16
"""Of the ways to tell full rows from others, so many are looked at."""
TRIED = 2
"""And so many of them are coloured."""
STARS = 20_000_000
"""Visits to places, at most, by a star bicolouring."""


def least_cost(pattern: Pattern, turned: Pattern, tangent: float, cotangent: float) -> float:
    """What products of both sides cost at least: p products J s give at most p values of each row,
    q products Jᵀ s at most q of each column, so that

        Σ min(p, places of row i) + Σ min(q, places of column j) ≥ places.
    """
    by_rows, by_columns = _reach(pattern), _reach(turned)
    p = np.arange(len(by_rows))
    q = np.searchsorted(by_columns, pattern.nnz - by_rows)
    return float(np.min(p * tangent + q * cotangent))


def _reach(pattern: Pattern) -> Any:
    """Σ min(p, places of row i) for p = 0, 1, …"""
    counts = np.bincount(np.diff(pattern.indptr))
    fuller = counts.sum() - np.cumsum(counts)  # rows of more than p places
    return np.concatenate([[0], np.cumsum(fuller[:-1])])


def bidirectional(
    pattern: Pattern, turned: Pattern, tangent: float, cotangent: float, worth: float = inf
) -> Colouring:
    """The cheapest colouring of both sides that is found.

    worth: what may cost no less is not looked at, as long as there is another.
    """
    cuts = [(cost, False, most) for cost, most in _cuts(pattern, tangent, cotangent)]
    cuts += [(cost, True, most) for cost, most in _cuts(turned, cotangent, tangent)]
    ways = []
    for cost, of_columns, most in sorted(cuts)[:TRIED]:
        if cost >= worth:
            break
        some, rest = _peeled(turned if of_columns else pattern, most)
        ways.append((some, rest) if of_columns else (rest, some))
    graph = _of_both_sides(pattern, turned)
    if graph.work <= STARS:
        ways.append(_bicoloured(graph, pattern.shape[1], tangent, cotangent))
    if not ways:
        ways.append((column_colours(pattern, turned)[0], np.full(pattern.shape[0], -1, np.int32)))
    found = [_read(pattern, turned, columns, rows) for columns, rows in ways]
    return min(found, key=lambda c: c.tangents * tangent + c.cotangents * cotangent)


# ------------------------------------------------------------------------------------ peeling


def _cuts(pattern: Pattern, tangent: float, cotangent: float) -> Iterator[tuple[float, int]]:
    """Numbers of places above which a row may be called full, and what that costs at least."""
    counts = np.diff(pattern.indptr)
    sizes = np.unique(counts)
    if len(sizes) < 2:
        return
    drops = sizes[1:] / np.maximum(sizes[:-1], 1)
    for most in sizes[np.argsort(-drops, kind="stable")[:CUTS]].tolist():
        places = pattern.indices[_places(pattern, counts > most)]
        yield float(np.bincount(places).max() * cotangent + most * tangent), most


def _peeled(pattern: Pattern, most: int) -> tuple[Any, Any]:
    """Colours of the rows of more places than `most`, and of the columns for all others."""
    full = np.diff(pattern.indptr) > most
    some = _of_rows(pattern, full)
    rows, _ = column_colours(transposed(some), some)
    columns, _ = column_colours(_of_rows(pattern, ~full))
    return np.where(full, rows, np.int32(-1)), columns


def _places(pattern: Pattern, rows: Any) -> Any:
    """Which places lie in these rows."""
    return np.repeat(rows, np.diff(pattern.indptr))


def _of_rows(pattern: Pattern, rows: Any) -> Pattern:
    """The pattern of a matrix whose other rows are zero."""
    counts = np.where(rows, np.diff(pattern.indptr), 0)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(pattern.indptr.dtype)
    indices = np.ascontiguousarray(pattern.indices[_places(pattern, rows)])
    return Pattern(indptr, indices, pattern.shape, pattern.outputs, pattern.inputs)


# ------------------------------------------------------------------------------- bicolouring


def _of_both_sides(pattern: Pattern, turned: Pattern) -> Graph:
    """The graph of [0 Jᵀ; J 0]: columns, then rows."""
    n = pattern.shape[1]
    dtype = index_dtype(2 * pattern.nnz + sum(pattern.shape))
    indptr = np.concatenate([turned.indptr, pattern.indptr[1:].astype(dtype) + pattern.nnz])
    indices = np.concatenate([turned.indices.astype(dtype) + n, pattern.indices])
    return graph_of(indptr.astype(dtype), indices.astype(dtype))


def _bicoloured(graph: Graph, n: int, tangent: float, cotangent: float) -> tuple[Any, Any]:
    """Colours of columns and rows by a star colouring of both. n: the number of columns."""
    best: tuple[float, Any] | None = None
    for colours, number in star_colourings(graph, 2, thorough=False):
        # a colour of columns and rows is two, one of each
        both = colours.copy()
        both[n:] += number
        readable = np.empty(len(graph.indices), np.int8)
        count = np.zeros(number, np.int32)
        vertices = graph.vertices
        kernels.find_readable(graph.indptr, graph.indices, vertices, colours, count, readable)
        costs = np.repeat([float(tangent), float(cotangent)], number)
        needed = kept(graph.indptr, graph.indices, graph.mate, readable, both, costs)
        left = np.where(needed, both, np.int32(-1))
        cost = float(np.sum(costs[np.unique(left[left >= 0])]))
        if best is None or cost < best[0]:
            best = cost, left
    assert best is not None
    return best[1][:n], best[1][n:]


# ----------------------------------------------------------------------------------- sources


def _read(pattern: Pattern, turned: Pattern, columns: Any, rows: Any) -> Colouring:
    """The colouring of these colours: each value is read by the colour of its column where that is
    alone in its row, or else by that of its row."""
    m, n = pattern.shape
    by_column = _readable(pattern, columns)
    order = np.empty(pattern.nnz, turned.indptr.dtype)
    kernels.transpose_places(*contiguous(pattern), m, turned.indptr[:-1].copy(), order)
    by_row = np.empty(pattern.nnz, np.bool_)
    by_row[order] = _readable(turned, rows)
    insist(bool(np.all(by_column | by_row)))
    used = np.zeros(n, np.bool_)
    used[pattern.indices[by_column]] = True
    columns, tangents = renumbered(np.where(used, columns, np.int32(-1)))
    row = pattern.rows
    used = np.zeros(m, np.bool_)
    used[row[~by_column]] = True
    rows, cotangents = renumbered(np.where(used, rows, np.int32(-1)))
    dtype = index_dtype(tangents * m + cotangents * n)
    source = np.where(
        by_column,
        columns[pattern.indices].astype(dtype) * m + row,
        dtype(tangents * m) + rows[row].astype(dtype) * n + pattern.indices,
    )
    return Colouring("bidirectional", columns, rows, tangents, cotangents, source.astype(dtype))


def _readable(pattern: Pattern, colours: Any) -> Any:
    """Whether no other column of the row has the colour of the place."""
    indptr, indices = contiguous(pattern)
    readable = np.empty(pattern.nnz, np.int8)
    count = np.zeros(int(colours.max(initial=-1)) + 1, np.int32)
    kernels.find_readable(
        indptr, indices, pattern.shape[0], np.ascontiguousarray(colours), count, readable
    )
    return readable != 0
