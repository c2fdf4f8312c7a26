"""Colourings of grids: the colour of the element at index x is (a · x) mod p.

Where a function acts alike all over a grid, as a stencil does, so can its colouring; and a linear
one is often the best there is: (1, 2) mod 5 colours the columns of the five-point stencil, where
greedy colourings take seven. Two columns x and y of a row may not have one colour:

    a · (x − y) mod p ≠ 0.

This speaks of differences alone, of which a stencil has few. So those of some rows are gathered,
each a of [0, p)^D is tried on them, and what is left is tried on all rows; a row that refutes it
gives its differences to those that are known.

(Lattice colourings of stencils: Goldfarb and Toint, *Optimal estimation of Jacobian and Hessian
matrices that arise in finite difference calculations*, 1984.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from math import prod
from typing import Any

import numpy as np

from wengert.graph.types import Shape
from wengert.sparse.colouring.structure import fullest
from wengert.sparse.pattern import Pattern

AXES = 4
"""Grids have so many axes; the first ones of a longer shape are taken as one."""
SAMPLE = 64
"""Rows whose differences are looked at first."""
WIDEST = 256
"""Nonzeros of a row, at most, for which this is tried."""
STRIDES = 4
"""Strides, at most, that are guessed from a pattern."""
TRIALS = 24
"""Candidates, at most, that are tried on all rows."""
EFFORT, EFFORT_A_PLACE = 500_000, 100
"""Products a · d, at most, and for each place of the pattern."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Arrays of one rank, one after another: an element is at (number of its array, *index)."""

    shapes: tuple[Shape, ...]

    def coordinates(self, elements: Any) -> Any:
        """The positions of elements, an axis a row."""
        sizes = np.cumsum([0, *map(prod, self.shapes)])
        if len(self.shapes) == 1:
            return np.stack([np.zeros_like(elements), *np.unravel_index(elements, self.shapes[0])])
        number = np.searchsorted(sizes, elements, side="right") - 1
        result = np.empty((1 + len(self.shapes[0]), len(elements)), np.int64)
        result[0] = number
        for k, shape in enumerate(self.shapes):
            chosen = number == k
            result[1:, chosen] = np.unravel_index(elements[chosen] - sizes[k], shape)
        return result

    def colours(self, a: Any, p: int) -> Any:
        """(a · x) mod p of all elements."""
        parts = []
        for k, shape in enumerate(self.shapes):
            colours = np.full((1,) * len(shape), int(a[0]) * k % p, np.int32)
            for axis, length in enumerate(shape):
                steps = np.arange(length, dtype=np.int32) % np.int32(p) * np.int32(a[1 + axis]) % p
                others = tuple(d for d in range(len(shape)) if d != axis)
                colours = colours + np.expand_dims(steps, others)
            # sums of so few small numbers: a table is faster than a division
            table = np.arange((1 + len(shape)) * p, dtype=np.int32) % p
            parts.append(table[colours].ravel())
        return np.concatenate(parts) if len(parts) > 1 else parts[0]


def pairs_in_rows(pattern: Pattern, rows: Any) -> Any:
    """The pairs of columns that have places in one of these rows, as two rows."""
    found = [np.empty((2, 0), np.int64)]
    for row in rows.tolist():
        columns = pattern.indices[pattern.indptr[row] : pattern.indptr[row + 1]]
        found.append(columns[_both_of(len(columns))].astype(np.int64))
    return np.concatenate(found, axis=1)


@lru_cache(64)
def _both_of(number: int) -> Any:
    """The pairs of numbers below this one, as two rows."""
    return np.stack(np.triu_indices(number, 1))


def lattice_colours(
    pattern: Pattern,
    bound: int,
    most: int,
    fault: Callable[[Any, int], int],
    pairs_of: Callable[[Pattern, Any], Any] = pairs_in_rows,
) -> tuple[Any, int] | None:
    """Colours of the columns, at least `bound` and at most `most`, and their number.

    fault(colours, p): a row in which the colouring fails, −1 if there is none.
    pairs_of(pattern, rows): the pairs of columns that may not have one colour, found in these rows.
    """
    if not pattern.nnz or fullest(pattern) > WIDEST:
        return None
    pairs = pairs_of(pattern, _some_rows(pattern))
    searches = [_Search(grid, pairs) for grid in _grids(pattern, pairs)]
    effort, trials = min(EFFORT, EFFORT_A_PLACE * pattern.nnz), TRIALS
    for p in range(bound, most + 1):
        for search in searches:
            effort -= search.cost(p)
            if effort < 0:
                return None
            for a in search.candidates(p):
                colours = search.grid.colours(a, p)
                row = fault(colours, p)
                if row < 0:
                    return colours, p
                trials -= 1
                if trials < 0:
                    return None
                search.learn(pairs_of(pattern, np.array([row])))
    return None


class _Search:
    """The vectors a that no known difference refutes, on one grid."""

    def __init__(self, grid: Grid, pairs: Any) -> None:
        self.grid = grid
        self.differences = np.empty((1 + len(grid.shapes[0]), 0), np.int64)
        self.learn(pairs)
        self.free = [
            len(grid.shapes) > 1,
            *(max(lengths) > 1 for lengths in zip(*grid.shapes, strict=True)),
        ]

    def learn(self, pairs: Any) -> None:
        """Add the differences of pairs of columns."""
        both = self.grid.coordinates(pairs.ravel())
        both = both.reshape(len(both), *pairs.shape)
        found = np.concatenate([self.differences, both[:, 1] - both[:, 0]], axis=1)
        radix = 2 * np.abs(found).max(1, initial=0) + 1
        weights = np.cumprod([1, *radix[:-1].tolist()], dtype=np.int64)
        _, first = np.unique(weights @ found, return_index=True)
        self.differences = found[:, first]

    def cost(self, p: int) -> int:
        """About how many products the candidates for p take."""
        vectors = p ** max(sum(self.free) - 1, 0) * len(_divisors(p))
        return int(vectors) * min(self.differences.shape[1], 16)

    def candidates(self, p: int) -> Iterator[Any]:
        """What is left for p; differences learnt meanwhile are heeded."""
        left = _directions(p, self.free)
        divisible = np.arange(len(self.free) * p * p) % p == 0
        while True:
            differences = self.differences % p  # few are left, and of small numbers
            known = self.differences.shape[1]
            start, size = 0, 4
            while start < known and len(left):
                some = differences[:, start : start + size].astype(np.float32)
                products = (left.astype(np.float32) @ some).astype(np.int32)
                left = left[~divisible[products].any(axis=1)]
                start, size = start + size, 4 * size
            while len(left) and self.differences.shape[1] == known:
                yield left[0]
                left = left[1:]
            if not len(left):
                return


def _directions(p: int, free: list[bool]) -> Any:
    """The vectors a of [0, p)^D but for those that name the colours of others anew: multiplied by a
    unit of the integers mod p, the first number that is not 0 becomes a divisor of p."""
    axes = [axis for axis, is_free in enumerate(free) if is_free]
    parts = []
    for position, axis in enumerate(axes):
        later = axes[position + 1 :]
        rest = np.indices((p,) * len(later)).reshape(len(later), p ** len(later))
        for divisor in _divisors(p):
            part = np.zeros((rest.shape[1], len(free)), np.int64)
            part[:, axis] = divisor
            part[:, later] = rest.T
            parts.append(part)
    return np.concatenate(parts) if parts else np.zeros((1, len(free)), np.int64)


def _divisors(p: int) -> list[int]:
    return [d for d in range(1, p) if p % d == 0] or [0]


def _some_rows(pattern: Pattern) -> Any:
    """Rows from all over the matrix, and the first of the fullest."""
    counts = np.diff(pattern.indptr)
    fullest = int(np.argmax(counts))
    number = max(4, min(SAMPLE, 200_000 // int(counts[fullest]) ** 2))
    if pattern.shape[0] <= number:
        return np.arange(pattern.shape[0])
    spread = np.linspace(0, pattern.shape[0] - 1, number - 1).astype(np.int64)
    return np.append(spread, fullest)


def _grids(pattern: Pattern, pairs: Any) -> list[Grid]:
    """The grid of the inputs; and, since programs pass grids as vectors, those whose strides are
    seen in the pattern."""
    shapes = pattern.inputs
    rank = max(map(len, shapes), default=0)
    padded = tuple((1,) * (rank - len(shape)) + shape for shape in shapes)
    most = AXES - (len(shapes) > 1)
    grids = [Grid(tuple(_of_rank(shape, most) for shape in padded))]
    if rank != 1:
        return grids
    differences, counts = np.unique(np.abs(pairs[1] - pairs[0]), return_counts=True)
    lengths = [length for (length,) in padded]
    strides = [
        int(d)
        for d in differences[np.argsort(-counts, kind="stable")]
        if d > 1 and all(length % d == 0 and length > d for length in lengths)
    ][:STRIDES]
    for number in (1, 2):
        for chosen in combinations(sorted(strides, reverse=True), number):
            if number < most and all(a % b == 0 for a, b in pairwise(chosen)):
                grids.append(Grid(tuple(_split(length, chosen) for length in lengths)))
    return grids


def _of_rank(shape: Shape, most: int) -> Shape:
    extra = len(shape) - most
    return shape if extra <= 0 else (prod(shape[: extra + 1]), *shape[extra + 1 :])


def _split(length: int, strides: tuple[int, ...]) -> Shape:
    """A vector as a grid with these strides, largest first."""
    result = []
    for stride in strides:
        result.append(length // stride)
        length = stride
    return (*result, length)
