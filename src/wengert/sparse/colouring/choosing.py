"""The cheapest way to recover a sparse matrix from its products."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from operator import itemgetter
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.sparse.colouring import kernels
from wengert.sparse.colouring.bidirectional import bidirectional, least_cost
from wengert.sparse.colouring.greedy import column_colours
from wengert.sparse.colouring.result import Colouring, index_dtype
from wengert.sparse.colouring.structure import contiguous, fullest, insist, transposed
from wengert.sparse.colouring.symmetric import by_substitution
from wengert.sparse.colouring.symmetric import symmetric as symmetric_colouring
from wengert.sparse.pattern import Pattern

PROMISE, LARGE = 0.5, 20_000
"""The bound from below says little of products of both sides: of patterns with many places they
are looked for where it is less than so much of what others cost."""
METHODS = ("auto", "forward", "reverse", "bidirectional", "symmetric")


def choose(
    pattern: Pattern,
    tangent_cost: float,
    cotangent_cost: float,
    symmetric: bool = False,
    method: str = "auto",
    substitution: bool = False,
) -> Colouring:
    """The colouring whose products cost least.

    pattern: of the matrix, that is to be recovered.
    tangent_cost, cotangent_cost: what one product J s and one Jᵀ s cost, in any unit.
    symmetric: whether the matrix is, as a Hessian: then its products are all J s.
    method: "forward" (products J s alone), "reverse" (Jᵀ s alone), "bidirectional" (both),
        "symmetric", or the cheapest of those that fit.
    substitution: for a symmetric matrix, let products hold sums that are taken apart one after
        another; there are fewer of them, and rounding adds up.

    Raises WengertValueError for a method that is none, and for what is of symmetric matrices alone
    where the matrix is none.
    """
    if method not in METHODS:
        raise WengertValueError(f"method is one of {', '.join(METHODS)}, not {method!r}")
    by_symmetry = symmetric and method in ("auto", "symmetric")
    if not by_symmetry and (substitution or method == "symmetric"):
        what = "substitution=True" if substitution else 'method="symmetric"'
        other = f', and not for method="{method}"' if symmetric else ""
        raise WengertValueError(f"{what} is for symmetric matrices, as Hessians are{other}")
    if by_symmetry:
        return by_substitution(pattern) if substitution else symmetric_colouring(pattern)
    if method == "forward":
        return forward(pattern)
    if method == "reverse":
        return reverse(pattern)
    turned = transposed(pattern)
    if method == "bidirectional":
        return bidirectional(pattern, turned, tangent_cost, cotangent_cost)
    return _cheapest(pattern, turned, tangent_cost, cotangent_cost)


def _cheapest(pattern: Pattern, turned: Pattern, tangent: float, cotangent: float) -> Colouring:
    """What costs least, beginning with what may; bounds tell what need not be tried."""

    # products of both kinds are two programs, each of which runs the function itself
    twice = min(tangent, cotangent)

    def cost(colouring: Colouring) -> float:
        both = twice if colouring.tangents and colouring.cotangents else 0.0
        return colouring.tangents * tangent + colouring.cotangents * cotangent + both

    best: Colouring | None = None
    missed = 1.0  # colourings that miss their bounds mostly do so alike

    def of_both_sides() -> Colouring:
        worth = inf if best is None else cost(best) / missed
        return bidirectional(pattern, turned, tangent, cotangent, worth)

    bound = least_cost(pattern, turned, tangent, cotangent) + twice
    ways: list[tuple[float, Callable[[], Colouring]]] = [
        (fullest(pattern) * tangent, lambda: forward(pattern, turned)),
        (fullest(turned) * cotangent, lambda: reverse(pattern, turned)),
        (bound / (PROMISE if pattern.nnz > LARGE else 1.0), of_both_sides),
    ]
    for bound, way in sorted(ways, key=itemgetter(0)):
        if best is None or bound * missed < cost(best):
            found = way()
            if bound > 0:
                missed = max(missed, 0.8 * cost(found) / bound)
            if best is None or cost(found) < cost(best):
                best = found
    assert best is not None
    return best


def forward(pattern: Pattern, turned: Pattern | None = None) -> Colouring:
    """From products J s alone."""
    rows = pattern.shape[0]
    colours, number = column_colours(pattern, turned)
    indptr, indices = contiguous(pattern)
    source = np.empty(pattern.nnz, index_dtype(number * rows))
    mark = np.full(max(number, 1), -1, np.int32)
    row = kernels.find_sources(indptr, indices, rows, colours, rows, mark, source)
    insist(row < 0)
    return Colouring("forward", colours, _none(rows), number, 0, source)


def reverse(pattern: Pattern, turned: Pattern | None = None) -> Colouring:
    """From products Jᵀ s alone."""
    rows, columns = pattern.shape
    turned = transposed(pattern) if turned is None else turned
    colours, number = column_colours(turned, pattern)
    mark = np.full(max(number, 1), -1, np.int32)
    insist(kernels.find_conflict(*contiguous(turned), columns, colours, mark) < 0)
    source = np.empty(pattern.nnz, index_dtype(number * columns))
    kernels.find_row_sources(*contiguous(pattern), rows, colours, columns, 0, source)
    return Colouring("reverse", _none(columns), colours, 0, number, source)


def _none(number: int) -> Any:
    return np.full(number, -1, np.int32)
