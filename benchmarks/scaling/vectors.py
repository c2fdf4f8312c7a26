"""Vector functions of many kinds, without a waist: for choices between modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Vector = tuple[Callable[[Any], Any], Any]
"""A function and its argument."""


def vectors() -> dict[str, Vector]:
    """Networks, linear maps, stencils, transforms, products, systems, and a few numbers."""
    rng = np.random.default_rng(1)
    w1, w2 = rng.normal(size=(40, 30)) / 6, rng.normal(size=(50, 40)) / 6
    tall, wide = rng.normal(size=(300, 20)), rng.normal(size=(20, 300))
    square, inner = rng.normal(size=(2, 100, 100)) / 10
    left, right = rng.normal(size=(12, 15)), rng.normal(size=(15, 10))
    weights = rng.normal(size=7)

    def draw(size: int) -> Any:
        return rng.normal(size=size)

    return {
        "network 30-40-50": (lambda x: np.tanh(w2 @ np.tanh(w1 @ x)), draw(30)),
        "network 50-40-30": (lambda x: np.tanh(w1.T @ np.tanh(w2.T @ x)), draw(50)),
        "network 100-100-100": (lambda x: np.tanh(inner @ np.tanh(square @ x)), draw(100)),
        "tall linear map": (lambda x: np.sin(tall @ x), draw(20)),
        "wide linear map": (lambda x: np.sin(wide @ x), draw(300)),
        "logistic": (lambda x: 1 / (1 + np.exp(-square @ x)), draw(100)),
        "softmax": (_softmax, draw(80)),
        "elementwise": (lambda x: np.exp(np.sin(x)) * x, draw(200)),
        "cumulative": (lambda x: np.cumsum(np.exp(0.01 * x)), draw(150)),
        "sorted": (lambda x: np.sort(x) ** 2, draw(80)),
        "differences": (lambda x: np.diff(x, 2) ** 2, draw(400)),
        "convolution": (lambda x: np.tanh(np.convolve(x, weights, "valid")), draw(200)),
        "stencil 20 × 20": (lambda x: _stencil(x.reshape(20, 20)).ravel(), draw(400)),
        "power spectrum": (lambda x: np.abs(np.fft.rfft(x)) ** 2, draw(128)),
        "einsum": (
            lambda x: np.einsum("ij,jk,kl->il", left, x.reshape(15, 15), right),
            draw(225),
        ),
        "A Aᵀ A": (lambda x: _cubed(x.reshape(6, 6)), draw(36)),
        "A Aᵀ": (lambda x: x.reshape(20, 5) @ x.reshape(20, 5).T, draw(100)),
        "a few numbers": (
            lambda x: np.stack([x[0] * x[1], np.sin(x[1] / x[2]), x[2] ** x[0]]),
            np.array([1.0, 2.0, 3.0]),
        ),
        "a curve fit": (lambda p: p[0] * np.exp(-p[1] * tall[:, 0] ** 2) + p[2], draw(3)),
        "solution": (
            lambda x: np.linalg.solve(w1.T @ w1 + np.diag(x**2 + 1), x),
            draw(30),
        ),
    }


def _softmax(x: Any) -> Any:
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def _stencil(x: Any) -> Any:
    inner = x[1:-1, 1:-1]
    around = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]
    return 4 * inner - around + np.exp(inner)


def _cubed(a: Any) -> Any:
    return a @ a.T @ a
