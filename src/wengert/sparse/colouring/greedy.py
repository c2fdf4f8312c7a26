"""Colourings of the columns of a matrix: columns of one colour share no row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from wengert.sparse.colouring import kernels
from wengert.sparse.colouring.lattice import lattice_colours
from wengert.sparse.colouring.structure import (
    contiguous,
    descending,
    fullest,
    renumbered,
    transposed,
)
from wengert.sparse.pattern import Pattern

ROUNDS = 60
"""Of iterated greedy colouring, at most."""
EFFORT, ITERATED = 10_000_000, 3_000_000
"""Visits to the places of rows, at most, by greedy colourings after the first, and by those that
are iterated."""


def column_colours(pattern: Pattern, turned: Pattern | None = None) -> tuple[Any, int]:
    """The colour of each column and the number of colours, as few as are found.

    turned: the transposed pattern, where it is known.
    """
    bound = fullest(pattern)
    columns = pattern.shape[1]
    if bound <= 1:
        return np.full(columns, bound - 1, np.int32), bound
    if bound == columns:
        return np.arange(columns, dtype=np.int32), columns
    indptr, indices = contiguous(pattern)

    def fault(colours: Any, p: int) -> int:
        mark = np.full(p, -1, np.int32)
        return kernels.find_conflict(indptr, indices, pattern.shape[0], colours, mark)

    best = lattice_colours(pattern, bound, bound + 4 + bound // 4, fault)
    if best is not None and best[1] == bound:
        return best
    for found in _greedy(pattern, transposed(pattern) if turned is None else turned, bound):
        if best is None or found[1] < best[1]:
            best = found
            if best[1] == bound:
                break
    assert best is not None
    return renumbered(best[0])


def _greedy(pattern: Pattern, turned: Pattern, bound: int) -> Iterator[tuple[Any, int]]:
    """Greedy colourings in one order after another."""
    indptr, indices = contiguous(pattern)
    starts, others = contiguous(turned)
    columns = pattern.shape[1]
    counts = np.diff(indptr)

    def coloured(order: Any) -> tuple[Any, int]:
        colour = np.full(columns, -1, np.int32)
        forbidden = np.full(columns + 1, -1, np.int32)
        order = np.ascontiguousarray(order, np.int32)
        number = kernels.colour_greedily(
            indptr, indices, starts, others, order, columns, forbidden, colour
        )
        return colour, number

    work = int(np.sum(counts.astype(np.int64) ** 2))
    sums = np.concatenate([[0], np.cumsum((counts - 1)[others], dtype=np.int64)])
    degree = sums[starts[1:]] - sums[starts[:-1]]
    best = coloured(descending(degree))
    yield best
    if work > EFFORT:
        return
    for order in (lambda: _smallest_last(pattern, turned, degree), lambda: np.arange(columns)):
        found = coloured(order())
        yield found
        if found[1] <= best[1]:
            best = found
    yield from _iterated(best, coloured, work)


def _smallest_last(pattern: Pattern, turned: Pattern, degree: Any) -> Any:
    columns = pattern.shape[1]
    first = np.full(int(degree.max()) + 2, -1, np.int32)
    following, before, order = (np.full(columns, -1, np.int32) for _ in range(3))
    kernels.order_smallest_last(
        *contiguous(pattern), *contiguous(turned), columns, degree, first, following, before, order
    )
    return order


def _iterated(best: tuple[Any, int], coloured: Any, work: int) -> Iterator[tuple[Any, int]]:
    """Colour again, one colour after another: that never takes more colours, and by and by fewer.

    Culberson, *Iterated greedy graph coloring and the difficulty landscape* (1992).
    """
    random = np.random.default_rng(0)
    colours, number = best
    for k in range(min(ROUNDS, ITERATED // max(work, 1))):
        if k % 3 == 0:
            rank = -np.arange(number)
        elif k % 3 == 1:
            rank = random.permutation(number)
        else:
            rank = -np.bincount(colours, minlength=number) * number - np.arange(number)
        colours, number = coloured(np.argsort(rank[colours], kind="stable"))
        yield colours, number
