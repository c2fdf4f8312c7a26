"""The values of a sparse matrix from its products, and a probe that no place is missing.

    recovered(colouring, products)              the values at the places of the pattern
    substituted(values, steps)                  what products hold as sums, taken apart
    probe(pattern, values, v, product)          raises where J v is not the product

The compiled program recovers values in one gather; this is the same in NumPy.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.sparse.colouring.result import Colouring, Steps
from wengert.sparse.pattern import Integers, Pattern


def recovered(colouring: Colouring, products: Any) -> Any:
    """The values at the places of the pattern.

    products: those of tangents, (tangents, rows), then those of cotangents, (cotangents, columns),
        as one vector in C order.
    """
    values = np.asarray(products)[colouring.source]
    return values if colouring.steps is None else substituted(values, colouring.steps)


def substituted(values: Any, steps: Steps) -> Any:
    """The values, of which some are known as sums with others, that are taken apart level by
    level. The array given is changed and returned."""
    for level, (start, end) in enumerate(pairwise(steps.levels.tolist())):
        change = np.add if level else np.subtract
        change.at(values, steps.targets[start:end], values[steps.operands[start:end]])
    return values


def products_of(pattern: Pattern, values: Any, vector: Any) -> Any:
    """J v, for a matrix of these values at the places of the pattern."""
    terms = values * vector[pattern.indices]
    return _sums(pattern, terms)


def faulty_rows(
    pattern: Pattern, values: Any, vector: Any, product: Any, unit: float = 0.0
) -> Integers:
    """The rows in which J v is not the product, by more than rounding.

    unit: the unit of the coarsest precision on the way to the values, where it is coarser than
        theirs.

    Freivalds, *Probabilistic machines can use less running time* (1977): a row of J that lacks a
    value gives the product of a random vector with probability 0.

    Rounding. The sum of r products, each with its own rounding, is off by at most γ Σ |J v| with
    γ = (r + 1) ε / (1 − (r + 1) ε) (Higham, *Accuracy and stability of numerical algorithms*,
    §3.1), ε being the unit of the coarsest of the precisions. The values themselves and the
    product come out of a program, whose rounding nobody knows. Half of the digits are left to it:
    √ε of the sum of the row's magnitudes, and ε of the largest of all rows, times 64, for a row in
    which everything cancels. A row with an infinity or a NaN says nothing, and is left out.
    """
    product = np.asarray(product).ravel()
    with np.errstate(all="ignore"):
        terms = values * vector[pattern.indices]
        sums, sizes = _sums(pattern, terms), _sums(pattern, np.abs(terms))
        unit = max(unit, *(float(np.finfo(kind.dtype).eps) for kind in (terms, product)))
        number = (np.diff(pattern.indptr) + 1) * unit
        gamma = number / np.maximum(1 - number, unit)
        finite = np.isfinite(sizes) & np.isfinite(product)
        largest = max(sizes[finite].max(initial=0.0), np.abs(vector).max(initial=0.0))
        allowed = (gamma + unit**0.5) * sizes + 64 * unit * largest
        wrong = finite & (np.abs(sums - product) > allowed)
    return np.flatnonzero(wrong)


def probe(
    pattern: Pattern,
    values: Any,
    vector: Any,
    product: Any,
    what: str = "Jacobian",
    unit: float = 0.0,
) -> None:
    """Compare J v, from the values at the places of the pattern, with a product that was computed
    without it.

    vector: random, of the length of the columns. product: what a JVP in that direction gives.
    unit: as `faulty_rows` takes it.

    Raises WengertValueError where they differ: the matrix has a nonzero outside of the pattern.
    """
    rows = faulty_rows(pattern, values, vector, product, unit)
    if not len(rows):
        return
    first = int(rows[0])
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    raise WengertValueError(
        f"the {what} has a nonzero value outside of the sparsity pattern, in row {first}{more}, "
        f"{_element(pattern, first)}: its {pattern.nnz} places do not give the product with a "
        "random vector. A pattern found at other arguments, or given by hand, must hold every "
        "place that can become nonzero; without one, it is found anew"
    )


def _element(pattern: Pattern, row: int) -> str:
    """What a row is the derivative of."""
    for k, shape in enumerate(pattern.outputs):
        size = int(np.prod(shape))
        if row < size:
            index = ", ".join(str(int(i)) for i in np.unravel_index(row, shape)) if shape else ""
            which = f"output {k}" if len(pattern.outputs) > 1 else "the output"
            return f"element [{index}] of {which}" if index else which
        row -= size
    return "which stands in no output"


def _sums(pattern: Pattern, terms: Any) -> Any:
    """The sums of the rows."""
    result = np.zeros(pattern.shape[0], terms.dtype)
    full = np.flatnonzero(np.diff(pattern.indptr))
    if len(full):
        result[full] = np.add.reduceat(terms, pattern.indptr[full])
    return result
