"""The log-likelihood of a mixture of Gaussians with a Wishart prior, as ADBench has it.

Source: Šrajer, Kukelova and Fitzgibbon 2018, *A benchmark of selected algorithmic differentiation
tools on some problems in computer vision and machine learning*.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy
from numpy import ndarray
from yardstick.floor import Floor, FloorLibrary, bind
from yardstick.problem import Arguments, Problem

# The prior's: precision and degrees of freedom above the dimension.
GAMMA, M = 1.0, 0

SIZES = (
    (2, 5, 1_000),
    (2, 25, 1_000),
    (10, 25, 1_000),
    (32, 25, 1_000),
    (2, 25, 10_000),
    (10, 5, 10_000),
    (10, 25, 10_000),
    (32, 25, 10_000),
)


def arguments(d: int, K: int, n: int) -> Arguments:
    """Logits, means, factors of the inverse covariances (log diagonal, then columns), points."""
    rng = numpy.random.default_rng(0)
    return (
        rng.normal(size=K),
        rng.random((K, d)),
        0.3 * rng.normal(size=(K, d * (d + 1) // 2)),
        rng.normal(size=(n, d)),
    )


def below_diagonal(d: int) -> tuple[ndarray, ndarray]:
    """Rows and columns of a strictly lower triangle, column after column."""
    columns, rows = numpy.triu_indices(d, 1)
    return rows, columns


def distances(np: Any, Q: Any, L: Any, means: Any, x: Any) -> Any:
    """Of each point from each mean, squared, in the mixture's metrics."""
    centred = x[:, None, :] - means[None, :, :]
    Qx = Q[None] * centred + np.einsum("kij,nkj->nki", L, centred)
    return np.sum(Qx * Qx, axis=2)


def distances_by_products(np: Any, Q: Any, L: Any, means: Any, x: Any) -> Any:
    """The same as one large matrix product, which is faster in libraries that do not fuse."""
    factors = L + Q[:, :, None] * np.asarray(numpy.eye(x.shape[1]))
    Qx = np.einsum("kij,nj->kin", factors, x)
    Qx = Qx - np.einsum("kij,kj->ki", factors, means)[:, :, None]
    return np.sum(Qx * Qx, axis=1).T


def function(np: Any, distances: Callable[..., Any] = distances) -> Callable[..., Any]:
    def logsumexp(a: Any, axis: int) -> Any:
        m = np.max(a, axis=axis, keepdims=True)
        return np.log(np.sum(np.exp(a - m), axis=axis)) + np.squeeze(m, axis)

    def log_likelihood(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
        n, d = x.shape
        rows, columns = below_diagonal(d)
        place, mask = numpy.zeros((d, d), int), numpy.zeros((d, d))
        place[rows, columns], mask[rows, columns] = numpy.arange(len(rows)), 1.0
        Q = np.exp(icf[:, :d])
        log_determinant = np.sum(icf[:, :d], axis=1)
        L = icf[:, d:][:, place] * np.asarray(mask)
        inner = alphas + log_determinant - 0.5 * distances(np, Q, L, means, x)
        prior = 0.5 * GAMMA**2 * (np.sum(Q * Q) + np.sum(icf[:, d:] ** 2))
        prior = prior - M * np.sum(log_determinant)
        return np.sum(logsumexp(inner, 1)) - n * logsumexp(alphas, 0) - prior

    return log_likelihood


def by_hand(alphas: ndarray, means: ndarray, icf: ndarray, x: ndarray) -> Any:
    np = numpy
    n, d = x.shape
    K = len(alphas)
    rows, columns = below_diagonal(d)
    Q, s = np.exp(icf[:, :d]), icf[:, :d].sum(axis=1)
    L = np.zeros((K, d, d))
    L[:, rows, columns] = icf[:, d:]
    L[:, np.arange(d), np.arange(d)] = Q
    centred = x.T[None] - means[:, :, None]
    Qx = L @ centred
    inner = (alphas + s)[:, None] - 0.5 * np.einsum("kin,kin->kn", Qx, Qx)
    m = inner.max(axis=0)
    weights = np.exp(inner - m)
    total = weights.sum(axis=0)
    m_alphas = alphas.max()
    shares = np.exp(alphas - m_alphas)
    prior = 0.5 * GAMMA**2 * (np.sum(Q * Q) + np.sum(icf[:, d:] ** 2)) - M * np.sum(s)
    value = np.sum(np.log(total) + m) - n * (np.log(shares.sum()) + m_alphas) - prior
    weights /= total
    mass = weights.sum(axis=1)
    Qx *= weights[:, None, :]
    pull = Qx @ centred.transpose(0, 2, 1)
    g_icf = np.empty_like(icf)
    diagonal = pull[:, np.arange(d), np.arange(d)]
    g_icf[:, :d] = mass[:, None] - diagonal * Q - GAMMA**2 * Q * Q + M
    g_icf[:, d:] = -pull[:, rows, columns] - GAMMA**2 * icf[:, d:]
    g_means = np.einsum("kij,ki->kj", L, Qx.sum(axis=2))
    return value, (mass - n * shares / shares.sum(), g_means, g_icf)


def floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    alphas, means, icf, x = arguments
    n, d = x.shape
    value = numpy.empty(1)
    gradients = tuple(numpy.empty_like(a) for a in (alphas, means, icf))
    data = (n, d, len(alphas), alphas, means, icf, x, GAMMA, M, 0.0, value)
    return Floor(
        bind(floors, "gmm_f", data, value=value),
        bind(floors, "gmm_fg", data + gradients, gradients, value=value),
    )


PROBLEMS = tuple(
    Problem(
        name=f"gmm-{d}-{K}-{n // 1000}k",
        arguments=partial(arguments, d, K, n),
        small=partial(arguments, min(d, 5), 3, 70),
        function=function,
        argnums=(0, 1, 2),
        by_hand=by_hand,
        floor=floor,
        otherwise=dict.fromkeys(
            ("jax", "torch", "autograd"), partial(function, distances=distances_by_products)
        ),
    )
    for d, K, n in SIZES
)
