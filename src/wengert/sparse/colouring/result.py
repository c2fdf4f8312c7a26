"""A colouring: which products recover a matrix, and where in them each of its values stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.sparse.pattern import Integers


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """What is left to do where products hold sums of values, level by level:

        values[targets[k]] -= values[operands[k]]     for k of the first level
        values[targets[k]] += values[operands[k]]     for k of each of the others

    levels: pairs levels[i] : levels[i + 1] are done at once, with the values from before the level.
        One target may stand in several.
    """

    targets: Integers
    operands: Integers
    levels: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Colouring:
    """The products of a matrix J of m rows and n columns that hold the values of its pattern.

    method: "forward", "reverse", "bidirectional", "symmetric" or "substitution".
    columns: the colour of each column, −1 for none. Columns of one colour are added up by one
        tangent: product c is J s, where s is 1 at the columns of colour c and 0 elsewhere.
    rows: the colour of each row, −1 for none. Product c is Jᵀ s, for the rows of colour c.
    tangents, cotangents: the numbers of colours of columns and of rows.
    source: for each place of the pattern the index of its value in the products one after another:
        those of tangents, (tangents, m) in C order, then those of cotangents, (cotangents, n).
    steps: what turns these into the values; None where they are the values.
    """

    method: str
    columns: Integers
    rows: Integers
    tangents: int
    cotangents: int
    source: Integers
    steps: Steps | None = None

    @property
    def products(self) -> int:
        """The number of products."""
        return self.tangents + self.cotangents

    def __repr__(self) -> str:
        return (
            f"<colouring, {self.method}: {self.tangents} tangents and {self.cotangents} cotangents>"
        )


def seeds(colours: Integers, first: int, last: int, dtype: Any = np.float64) -> Any:
    """The tangents (or cotangents) of colours first to last − 1, one a row."""
    result = np.zeros((last - first, len(colours)), dtype)
    chosen = np.flatnonzero((colours >= first) & (colours < last))
    result[colours[chosen] - first, chosen] = 1
    return result


def index_dtype(most: int) -> Any:
    """The integers in which indices below `most` are kept."""
    return np.int32 if most <= np.iinfo(np.int32).max else np.int64
