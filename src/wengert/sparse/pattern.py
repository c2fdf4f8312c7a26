"""The sparsity pattern of a matrix of derivatives: where it may be nonzero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from wengert.graph.types import Shape
from wengert.lazy import module

Integers: TypeAlias = "np.ndarray[Any, np.dtype[np.integer[Any]]]"


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """The places of a matrix that may be nonzero, row by row, as a SciPy CSR matrix has them.

    indptr, indices: the columns of row i are indices[indptr[i] : indptr[i + 1]], ascending and
        without repeats; int32 where they fit.
    shape: (rows, columns). Rows are the elements of the outputs one after another, columns those
        of the inputs, each array in C order.
    outputs, inputs: the shapes of these arrays.
    """

    indptr: Integers
    indices: Integers
    shape: tuple[int, int]
    outputs: tuple[Shape, ...]
    inputs: tuple[Shape, ...]

    @property
    def nnz(self) -> int:
        """How many places there are."""
        return len(self.indices)

    @property
    def rows(self) -> Integers:
        """The row of each place."""
        counts = np.diff(self.indptr)
        return np.repeat(np.arange(self.shape[0], dtype=self.indices.dtype), counts)

    def matrix(self, values: Any = None) -> Any:
        """The `scipy.sparse.csr_array` with these values (by default True) at the places. Its index
        arrays are its own: SciPy has methods that write to them."""
        if values is None:
            values = np.ones(self.nnz, np.bool_)
        csr_array = module("scipy.sparse").csr_array
        return csr_array((values, self.indices.copy(), self.indptr.copy()), shape=self.shape)

    def __repr__(self) -> str:
        rows, columns = self.shape
        return f"<pattern of {rows} × {columns}, {self.nnz} places>"
