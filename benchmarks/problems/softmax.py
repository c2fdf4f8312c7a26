"""Softmax regression: the cross-entropy of 4000 points of 30 features in 10 classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from yardstick.floor import Floor, FloorLibrary, bind
from yardstick.problem import Arguments, Problem


def arguments(n: int, d: int, classes: int) -> Arguments:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, n)
    return rng.normal(size=(d, classes)), rng.normal(size=(n, d)), np.eye(classes)[labels]


def function(np: Any) -> Callable[..., Any]:
    def cross_entropy(W: Any, X: Any, Y: Any) -> Any:
        Z = X @ W
        m = np.max(Z, axis=1, keepdims=True)
        return np.sum(np.log(np.sum(np.exp(Z - m), axis=1)) + m[:, 0]) - np.sum(Y * Z)

    return cross_entropy


def with_logsumexp(np: Any) -> Callable[..., Any]:
    """For JAX, whose own function takes no derivative of the maximum."""
    import jax

    def cross_entropy(W: Any, X: Any, Y: Any) -> Any:
        Z = X @ W
        return np.sum(jax.nn.logsumexp(Z, axis=1)) - np.sum(Y * Z)

    return cross_entropy


def by_hand(W: np.ndarray, X: np.ndarray, Y: np.ndarray) -> Any:
    Z = X @ W
    m = Z.max(axis=1, keepdims=True)
    P = np.exp(Z - m)
    s = P.sum(axis=1, keepdims=True)
    value = np.sum(np.log(s) + m) - np.vdot(Y, Z)
    P /= s
    P -= Y
    return value, X.T @ P


def floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    W, X, Y = arguments
    g = np.empty_like(W)
    sizes = (*X.shape, W.shape[1])
    return Floor(
        bind(floors, "softmax_f", (*sizes, W, X, Y)),
        bind(floors, "softmax_fg", (*sizes, W, X, Y, g), g),
    )


def products(arguments: Arguments) -> Mapping[str, Callable[[], Any]]:
    """The two matrix products of the gradient alone, through BLAS."""
    W, X, Y = arguments
    return {"two products": lambda: (X @ W, X.T @ Y)}


PROBLEMS = (
    Problem(
        name="softmax",
        arguments=partial(arguments, 4000, 30, 10),
        small=partial(arguments, 77, 7, 11),
        function=function,
        by_hand=by_hand,
        floor=floor,
        otherwise={"jax": with_logsumexp},
        beside=products,
    ),
)
