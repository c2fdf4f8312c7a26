"""A network of 784-512-512-10 on 128 points: gradients in both precisions, a Hessian product."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy import ndarray
from yardstick.problem import Arguments, Problem

SIZES = (784, 512, 512, 10)
SMALL = (7, 6, 5, 3)


def parameters(rng: np.random.Generator, sizes: tuple[int, ...], dtype: Any) -> list[ndarray]:
    """Weights and biases, layer after layer."""
    return [
        (rng.normal(size=shape) / np.sqrt(a)).astype(dtype)
        for a, b in pairwise(sizes)
        for shape in ((a, b), (b,))
    ]


def arguments(sizes: tuple[int, ...], batch: int, dtype: Any) -> Arguments:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(batch, sizes[0])).astype(dtype)
    Y = np.eye(sizes[-1], dtype=dtype)[rng.integers(0, sizes[-1], batch)]
    return parameters(rng, sizes, dtype), X, Y


def arguments_hvp(sizes: tuple[int, ...], batch: int) -> Arguments:
    at, X, Y = arguments(sizes, batch, float)
    return at, parameters(np.random.default_rng(1), sizes, float), X, Y


def function(np: Any) -> Callable[..., Any]:
    def cross_entropy(parameters: Any, X: Any, Y: Any) -> Any:
        W1, b1, W2, b2, W3, b3 = parameters
        H = np.tanh(X @ W1 + b1)
        H = np.tanh(H @ W2 + b2)
        Z = H @ W3 + b3
        m = np.max(Z, axis=1, keepdims=True)
        return np.sum(np.log(np.sum(np.exp(Z - m), axis=1)) + m[:, 0]) - np.sum(Y * Z)

    return cross_entropy


def probabilities(Z: ndarray) -> tuple[ndarray, ndarray]:
    """Of the classes, and the logarithm of their normaliser."""
    m = Z.max(axis=1, keepdims=True)
    P = np.exp(Z - m)
    s = P.sum(axis=1, keepdims=True)
    return P / s, np.log(s) + m


def by_hand(parameters: list[ndarray], X: ndarray, Y: ndarray) -> Any:
    W1, b1, W2, b2, W3, b3 = parameters
    H1 = np.tanh(X @ W1 + b1)
    H2 = np.tanh(H1 @ W2 + b2)
    Z = H2 @ W3 + b3
    P, normaliser = probabilities(Z)
    R3 = P - Y
    R2 = (R3 @ W3.T) * (1 - H2 * H2)
    R1 = (R2 @ W2.T) * (1 - H1 * H1)
    value = np.sum(normaliser) - np.sum(Y * Z)
    return value, [X.T @ R1, R1.sum(0), H1.T @ R2, R2.sum(0), H2.T @ R3, R3.sum(0)]


def hvp_by_hand(at: list[ndarray], v: list[ndarray], X: ndarray, Y: ndarray) -> Any:
    """Each line of `by_hand` followed by its derivative along v, named d.

    Source: Pearlmutter 1994, *Fast exact multiplication by the Hessian*.
    """
    W1, b1, W2, b2, W3, b3 = at
    dW1, db1, dW2, db2, dW3, db3 = v
    H1 = np.tanh(X @ W1 + b1)
    S1 = 1 - H1 * H1
    dH1 = S1 * (X @ dW1 + db1)
    H2 = np.tanh(H1 @ W2 + b2)
    S2 = 1 - H2 * H2
    dH2 = S2 * (dH1 @ W2 + H1 @ dW2 + db2)
    P, _ = probabilities(H2 @ W3 + b3)
    dZ = dH2 @ W3 + H2 @ dW3 + db3
    R3 = P - Y
    dR3 = P * (dZ - np.sum(P * dZ, axis=1, keepdims=True))
    T2 = R3 @ W3.T
    R2 = T2 * S2
    dR2 = (dR3 @ W3.T + R3 @ dW3.T) * S2 - 2 * T2 * H2 * dH2
    T1 = R2 @ W2.T
    dR1 = (dR2 @ W2.T + R2 @ dW2.T) * S1 - 2 * T1 * H1 * dH1
    products = [X.T @ dR1, dH1.T @ R2 + H1.T @ dR2, dH2.T @ R3 + H2.T @ dR3]
    sums = [dR1.sum(0), dR2.sum(0), dR3.sum(0)]
    return [part for pair in zip(products, sums, strict=True) for part in pair]


PROBLEMS = (
    Problem(
        name="mlp-float64",
        arguments=partial(arguments, SIZES, 128, np.float64),
        small=partial(arguments, SMALL, 4, np.float64),
        function=function,
        by_hand=by_hand,
    ),
    Problem(
        name="mlp-float32",
        arguments=partial(arguments, SIZES, 128, np.float32),
        small=partial(arguments, SMALL, 4, np.float32),
        function=function,
        by_hand=by_hand,
        tolerance=5e-6,
    ),
    Problem(
        name="mlp-hvp",
        arguments=partial(arguments_hvp, SIZES, 128),
        small=partial(arguments_hvp, SMALL, 4),
        function=function,
        derivative="hvp",
        by_hand=hvp_by_hand,
    ),
)
