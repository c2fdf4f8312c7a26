"""Lanczos' method for several start vectors at once, with full reorthogonalisation.

From a start vector v it makes an orthonormal basis of the span of v, Av, A²v, … in which the
symmetric A is a tridiagonal matrix T. The eigenvalues θⱼ of T and the squared first components τⱼ
of its eigenvectors are the nodes and weights of a Gauss quadrature: for ‖v‖² = n

    vᵀ f(A) v ≈ n Σⱼ τⱼ f(θⱼ),

exact for polynomials of degree 2m − 1 after m steps (Golub and Meurant 2010, *Matrices, Moments and
Quadrature*). Without reorthogonalisation rounding would give copies of eigenvalues that have been
found. Where the span is invariant the method breaks down, and the quadrature is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.errors import WengertValueError
from wengert.estimate.operators import Operator
from wengert.lazy import module

Array: TypeAlias = NDArray[np.float64]

ASYMMETRY = 1e-5
"""Which |uᵀAv − vᵀAu| / (‖Au‖‖v‖) is more than rounding, in single precision too."""


@dataclass(frozen=True, slots=True)
class Quadrature:
    """Nodes and weights; the weights sum to one."""

    nodes: Array
    weights: Array


class Lanczos:
    """The bases and tridiagonal matrices that grow from start vectors, one for each column.

    start: the vectors, (n, k); limit: the largest number of steps.
    """

    def __init__(self, operator: Operator, start: Array, limit: int) -> None:
        count = start.shape[1]
        self._operator = operator
        self.limit = min(limit, operator.n)
        self._basis = np.empty((count, self.limit, operator.n))  # filled as the steps are made
        self._basis[:, 0] = (start / np.linalg.norm(start, axis=0)).T
        self._alpha = np.zeros((count, self.limit))  # the diagonals of T
        self._beta = np.zeros((count, self.limit))  # beside them
        self._lengths = np.zeros(count, int)
        self._scale = np.zeros(count)
        self._live = np.ones(count, bool)
        self.steps = 0

    @property
    def ended(self) -> bool:
        """Whether every vector has broken down or made all its steps."""
        return self.steps == self.limit or not np.any(self._live)

    @property
    def is_exact(self) -> bool:
        """Whether every vector has broken down, so that nothing is missing."""
        return not np.any(self._live)

    def step(self) -> None:
        """One product for every vector that has not broken down."""
        live = np.flatnonzero(self._live)
        current = self._basis[live, self.steps]
        images = self._operator(current.T).T
        if self.steps == 0:
            self._check_symmetry(current, images)
        for k, vector, image in zip(live, current, images, strict=True):
            self._extend(int(k), vector, image)
        self.steps += 1

    def _extend(self, k: int, vector: Array, image: Array) -> None:
        j = self.steps
        self._alpha[k, j] = vector @ image
        self._lengths[k] = j + 1
        known = self._basis[k, : j + 1]
        # the recurrence of three terms, then once more against all: twice is enough (Giraud, Langou
        # and Rozložník 2005)
        rest = image - self._alpha[k, j] * vector
        if j:
            rest -= self._beta[k, j - 1] * known[j - 1]
        rest -= (known @ rest) @ known
        beta = np.linalg.norm(rest)
        self._scale[k] = max(self._scale[k], abs(self._alpha[k, j]) + beta)
        rounding = 10 * self._operator.eps * np.sqrt(self._operator.n) * self._scale[k]
        if beta <= rounding:
            self._live[k] = False  # the span is invariant
        elif j + 1 < self.limit:
            self._beta[k, j] = beta
            self._basis[k, j + 1] = rest / beta

    def quadratures(self, steps: int | None = None) -> list[Quadrature]:
        """One for each start vector, of all steps or of the first ones."""
        found = []
        for k, length in enumerate(self._lengths):
            m = int(length) if steps is None else min(int(length), steps)
            nodes, vectors = module("scipy.linalg").eigh_tridiagonal(
                self._alpha[k, :m], self._beta[k, : m - 1]
            )
            found.append(Quadrature(nodes, vectors[0] ** 2))
        return found

    def _check_symmetry(self, vectors: Array, images: Array) -> None:
        """Where there are two start vectors, whether uᵀAv = vᵀAu."""
        crossed = vectors @ images.T
        sizes = np.linalg.norm(images, axis=1)
        if np.any(np.abs(crossed - crossed.T) > ASYMMETRY * np.maximum(sizes[:, None], sizes)):
            raise WengertValueError(
                "A is not symmetric: uᵀAv and vᵀAu differ for random u and v, and Lanczos' method "
                "needs a symmetric matrix"
            )
