"""The cheapest way to recover a sparse matrix from its products."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import WengertRuntimeError, WengertValueError
from wengert.sparse.colouring import kernels
from wengert.sparse.colouring.greedy import column_colours
from wengert.sparse.colouring.result import Colouring, index_dtype
from wengert.sparse.colouring.structure import contiguous, fullest, transposed
from wengert.sparse.pattern import Pattern

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

    Raises WengertValueError for a method that is none.
    """
    if method not in METHODS:
        raise WengertValueError(f"method is one of {', '.join(METHODS)}, not {method!r}")
    if method == "forward":
        return forward(pattern)
    if method == "reverse":
        return reverse(pattern)
    turned = transposed(pattern)
    bounds = (fullest(pattern) * tangent_cost, fullest(turned) * cotangent_cost)
    if bounds[0] <= bounds[1]:
        found = forward(pattern, turned)
        cost = found.tangents * tangent_cost
        if _may_be_less(bounds[1], cost, bounds[0]):
            other = reverse(pattern, turned)
            found = other if other.cotangents * cotangent_cost < cost else found
    else:
        found = reverse(pattern, turned)
        cost = found.cotangents * cotangent_cost
        if _may_be_less(bounds[0], cost, bounds[1]):
            other = forward(pattern, turned)
            found = other if other.tangents * tangent_cost < cost else found
    return found


def _may_be_less(bound: float, cost: float, its_bound: float) -> bool:
    """Whether to try what costs at least `bound`, after what was bounded by `its_bound` cost this.
    Colourings that miss their bounds mostly do so alike."""
    return bound * max(1.0, 0.8 * cost / max(its_bound, 1e-300)) < cost


def forward(pattern: Pattern, turned: Pattern | None = None) -> Colouring:
    """From products J s alone."""
    rows = pattern.shape[0]
    colours, number = column_colours(pattern, turned)
    indptr, indices = contiguous(pattern)
    source = np.empty(pattern.nnz, index_dtype(number * rows))
    mark = np.full(max(number, 1), -1, np.int32)
    row = kernels.find_sources(indptr, indices, rows, colours, rows, mark, source)
    _insist(row < 0)
    return Colouring("forward", colours, _none(rows), number, 0, source)


def reverse(pattern: Pattern, turned: Pattern | None = None) -> Colouring:
    """From products Jᵀ s alone."""
    rows, columns = pattern.shape
    turned = transposed(pattern) if turned is None else turned
    colours, number = column_colours(turned, pattern)
    mark = np.full(max(number, 1), -1, np.int32)
    _insist(kernels.find_conflict(*contiguous(turned), columns, colours, mark) < 0)
    source = np.empty(pattern.nnz, index_dtype(number * columns))
    kernels.find_row_sources(*contiguous(pattern), rows, colours, columns, 0, source)
    return Colouring("reverse", _none(columns), colours, 0, number, source)


def _none(number: int) -> Any:
    return np.full(number, -1, np.int32)


def _insist(holds: bool) -> None:
    """A colouring is checked whenever it is used: a wrong one would give wrong derivatives."""
    if not holds:
        raise WengertRuntimeError("the colouring of a sparsity pattern is not valid: please report")
