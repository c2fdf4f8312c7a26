"""The estimators of traces and diagonals. Each spends products when told to, and says at any time
what it has found.

Let z be random with E z zᵀ = I. Then E zᵀAz = tr A, and E z ⊙ Az = diag A.

Hutchinson      the mean of zᵀAz. With signs the variance of one sample is 2(‖A‖_F² − Σ aᵢᵢ²) for a
                symmetric A, with Gaussian vectors 2‖A‖_F².
Hutch++         A third of the products finds a basis Q of the range of A; the trace of QᵀAQ is
                computed, that of the rest (I − QQᵀ)A(I − QQᵀ) estimated.
XTrace          Each probe ωᵢ in turn estimates the rest, with the basis Q₍ᵢ₎ of the images of the
                others, and all estimates are averaged.

Sources: Hutchinson 1990; Bekas, Kokiopoulou and Saad 2007 (diagonals); Meyer, Musco, Musco and
Woodruff 2021, *Hutch++: Optimal stochastic trace estimation*; Baston and Nakatsukasa 2022
(diagonals by Hutch++); Epperly, Tropp and Webber 2024, *XTrace: Making the most of every sample in
stochastic trace estimation*.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.estimate.basis import Basis
from wengert.estimate.operators import WIDTH, Operator
from wengert.estimate.probes import Draw, rademacher
from wengert.estimate.results import Moments, moments

Array: TypeAlias = NDArray[np.float64]


class Sampler(Protocol):
    """One method, for the trace or the diagonal of one matrix.

    least: the fewest products that give a standard error.
    """

    name: str
    least: int

    def spend(self, products: int) -> None:
        """Multiply with at most so many vectors."""

    def found(self) -> Moments:
        """The estimate from what was multiplied so far."""


class Hutchinson:
    """The mean over independent probes, kept as running moments."""

    name = "hutchinson"
    least = 2

    def __init__(
        self, operator: Operator, rng: np.random.Generator, diagonal: bool, draw: Draw
    ) -> None:
        self._operator, self._rng, self._diagonal, self._draw = operator, rng, diagonal, draw
        shape = (operator.n,) if diagonal else ()
        self._count = 0
        self._mean = np.zeros(shape)
        self._squares = np.zeros(shape)  # Σ (value − mean)²

    def spend(self, products: int) -> None:
        for start in range(0, products, WIDTH):
            count = min(WIDTH, products - start)
            probes = self._draw(self._rng, self._operator.n, count)
            self.take(probes, self._operator(probes))

    def take(self, probes: Array, images: Array) -> None:
        """Join probes and their images to what was found (Chan, Golub and LeVeque 1983)."""
        values = readings(probes, images, self._diagonal)
        count, total = len(values), self._count + len(values)
        mean = np.mean(values, axis=0)
        away = mean - self._mean
        self._squares = (
            self._squares
            + np.sum((values - mean) ** 2, axis=0)
            + away**2 * (self._count * count / total)
        )
        self._mean = self._mean + away * (count / total)
        self._count = total

    def found(self) -> Moments:
        count = self._count
        if count == 1:
            return Moments(self._mean, np.full(self._mean.shape, np.inf), 0)
        return Moments(
            self._mean, np.asarray(np.sqrt(self._squares / (count * (count - 1)))), count - 1
        )


def readings(left: Array, right: Array, diagonal: bool) -> Array:
    """What each pair of columns says: its inner product (k,), or its elementwise product (k, n)."""
    if diagonal:
        return (left * right).T
    return np.asarray(np.sum(left * right, axis=0))


class HutchPlusPlus:
    """A third of the products for the sketch, as many for its basis, the rest for the remainder.

    The probes of the remainder are independent of the sketch, so they serve with every later and
    larger basis: (I − QQᵀ)A(I − QQᵀ)g takes no further product, as Ag and AQ are known.
    """

    name = "hutch++"
    least = 6

    def __init__(self, operator: Operator, rng: np.random.Generator, diagonal: bool) -> None:
        self._operator, self._rng, self._diagonal = operator, rng, diagonal
        self._basis = Basis(operator)
        self._probes = np.empty((operator.n, 0))
        self._images = np.empty((operator.n, 0))

    def spend(self, products: int) -> None:
        before = self._operator.products
        sketch = rademacher(self._rng, self._operator.n, products // 3)
        self._basis.add(self._operator(sketch))
        left = products - (self._operator.products - before)
        probes = rademacher(self._rng, self._operator.n, left)
        self._probes = np.concatenate([self._probes, probes], axis=1)
        self._images = np.concatenate([self._images, self._operator(probes)], axis=1)

    def found(self) -> Moments:
        q, image = self._basis.vectors, self._basis.images
        inner = q.T @ self._probes
        rest = self._images - image @ inner  # A (I − QQᵀ) g
        if self._diagonal:
            # diag(A QQᵀ) + E g ⊙ A(I − QQᵀ)g
            values = np.sum(image * q, axis=1) + (self._probes * rest).T
        else:
            values = np.sum(image * q) + np.sum((self._probes - q @ inner) * rest, axis=0)
        return moments(np.asarray(values))


CORRELATION = float(np.sqrt(2.0))
"""By how much the standard error of XTrace is larger than that of independent estimates.

The mean of the i-th estimate over its own probe is the trace, whatever the others are. So in
Hoeffding's decomposition it consists of terms in which that probe takes part: alone, in pairs, in
larger sets. A pair {i, j} is in the estimates i and j alike and counts twice in the variance of the
mean, where independent estimates would count it once. Pairs prevail unless the basis is about to
capture a cluster of eigenvalues. (Measured: the error is 1.0 to 1.5 times std/√k.)
"""


class XTrace:
    """Half of the products for the probes, half for the basis of their images.

    Q₍ᵢ₎ is never formed. The images are Y = QR; leaving out yᵢ takes away the one direction Qsᵢ
    that is orthogonal to all others, so that Q₍ᵢ₎Q₍ᵢ₎ᵀ = Q(I − sᵢsᵢᵀ)Qᵀ. The sᵢ are the columns of
    R⁻ᵀ, scaled to length one. Where Y has not full rank, a column that the others span takes
    nothing away, sᵢ = 0; these are the columns whose unit vector is not in the row space of R. The
    others have their sᵢ in the pseudoinverse.
    """

    name = "xtrace"
    least = 4

    def __init__(
        self,
        operator: Operator,
        rng: np.random.Generator,
        diagonal: bool,
        draw: Draw,
        spherical: bool,
    ) -> None:
        self._operator, self._rng, self._diagonal, self._draw = operator, rng, diagonal, draw
        self._spherical = spherical
        self._basis = Basis(operator)
        self._probes = np.empty((operator.n, 0))
        self._images = np.empty((operator.n, 0))

    def spend(self, products: int) -> None:
        probes = self._draw(self._rng, self._operator.n, products // 2)
        self.take(probes, self._operator(probes))

    def take(self, probes: Array, images: Array) -> None:
        """Join probes and their images; the basis of these takes as many products again."""
        self._probes = np.concatenate([self._probes, probes], axis=1)
        self._images = np.concatenate([self._images, images], axis=1)
        self._basis.add(images)

    def found(self) -> Moments:
        q, image, probes = self._basis.vectors, self._basis.images, self._probes
        s = self._left_out()
        w = q.T @ probes
        inner = w - s * np.sum(s * w, axis=0)  # Q₍ᵢ₎ᵀωᵢ in the coordinates of Q
        rest = self._images - image @ inner  # A (I − Q₍ᵢ₎Q₍ᵢ₎ᵀ) ωᵢ
        if self._diagonal:
            values = np.sum(image * q, axis=1) - ((image @ s) * (q @ s)).T + (probes * rest).T
            return moments(np.asarray(values), CORRELATION)
        h = q.T @ image
        outside = probes - q @ inner
        remainder = np.sum(outside * rest, axis=0)
        if self._spherical:
            # (I − Q₍ᵢ₎Q₍ᵢ₎ᵀ)ωᵢ has a uniform direction in its space: its length is set to the mean
            room = self._operator.n - q.shape[1] + np.sum(s * s, axis=0)
            remainder = remainder * (room / np.sum(outside * outside, axis=0))
        return moments(np.trace(h) - np.sum(s * (h @ s), axis=0) + remainder, CORRELATION)

    def _left_out(self) -> Array:
        """The sᵢ as columns, (rank, probes)."""
        r = self._basis.vectors.T @ self._images
        left, sizes, right = np.linalg.svd(r, full_matrices=False)
        kept = sizes > self._basis.threshold
        left, sizes, right = left[:, kept], sizes[kept], right[kept]
        # a scaling of each sᵢ is free: with the smallest size 1 nothing overflows
        dual = left @ (right * (np.min(sizes, initial=np.inf) / sizes)[:, None])
        alone = np.sum(right * right, axis=0) > 1 - 1e-10
        lengths = np.linalg.norm(dual, axis=0)
        return np.asarray(np.where(alone, dual / np.where(alone, lengths, 1.0), 0.0))
