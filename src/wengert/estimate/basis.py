"""An orthonormal basis of a growing range, and the matrix times it."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.estimate.operators import Operator

Array: TypeAlias = NDArray[np.float64]


CLOSE = 1e-3
"""How near to the span of others, relative to its size, a column is treated with care."""


class Basis:
    """The basis Q of the span of the blocks that were added, and A Q.

    Earlier columns stay as they are, so that no product is computed twice. A direction that is
    within rounding of what is there is left out: with a matrix of low rank the basis stops growing.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._scale = 0.0
        self.vectors = np.empty((operator.n, 0))
        self.images = np.empty((operator.n, 0))

    @property
    def threshold(self) -> float:
        """What counts as zero beside the norm of the columns that were added: a product rounds at
        about ε times the norm of its factors, √n times that of one element."""
        return 10 * self._operator.eps * float(np.sqrt(self._operator.n)) * self._scale

    def add(self, block: Array) -> None:
        """Extend the span by the columns of a block."""
        if block.shape[1]:
            self._scale = max(self._scale, float(np.max(np.linalg.norm(block, axis=0))))
        rest = self._away(block)
        room = self._operator.n - self.vectors.shape[1]
        new, r = np.linalg.qr(rest)
        if rest.shape[1] > room or np.any(np.abs(np.diagonal(r)) < CLOSE * self._scale):
            # some columns depend on others, or nearly so: what is left of these is orthogonal to
            # the basis only after rounding errors are projected out again
            left, sizes, _ = np.linalg.svd(r)
            independent = new @ left[:, sizes > self.threshold][:, :room]
            new = np.linalg.qr(self._away(independent))[0]
        self.vectors = np.concatenate([self.vectors, new], axis=1)
        self.images = np.concatenate([self.images, self._operator(new)], axis=1)

    def _away(self, block: Array) -> Array:
        """The part orthogonal to the basis. Twice is enough (Giraud, Langou and Rozložník 2005)."""
        for _ in range(2):
            block = block - self.vectors @ (self.vectors.T @ block)
        return block
