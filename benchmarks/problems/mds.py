"""Multidimensional scaling: 300 points in space, a misfit of all squared distances."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from yardstick.floor import Floor, FloorLibrary, bind
from yardstick.problem import Arguments, Problem


def arguments(n: int) -> Arguments:
    rng = np.random.default_rng(0)
    D = rng.random((n, n))
    return rng.normal(size=(n, 3)), D + D.T


def function(np: Any) -> Callable[..., Any]:
    def stress(X: Any, D: Any) -> Any:
        d = X[:, None, :] - X[None, :, :]
        return np.sum((np.sum(d * d, axis=2) - D) ** 2)

    return stress


def by_coordinates(np: Any) -> Callable[..., Any]:
    """Without arrays whose last axis is three long, which are slow in the peers."""

    def stress(X: Any, D: Any) -> Any:
        differences = [X[:, k][:, None] - X[:, k][None, :] for k in range(3)]
        return np.sum((sum(d * d for d in differences) - D) ** 2)

    return stress


def by_hand(X: np.ndarray, D: np.ndarray) -> Any:
    """With the Gram matrix; D is symmetric."""
    squares = np.sum(X * X, axis=1)
    e = squares[:, None] + squares[None, :] - 2 * (X @ X.T) - D
    return np.sum(e * e), 8 * (np.sum(e, axis=1)[:, None] * X - e @ X)


def floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    X, D = arguments
    g = np.empty_like(X)
    return Floor(
        bind(floors, "mds_f", (len(X), X, D)), bind(floors, "mds_fg", (len(X), X, D, g), g)
    )


PROBLEMS = (
    Problem(
        name="mds",
        arguments=partial(arguments, 300),
        small=partial(arguments, 11),
        function=function,
        by_hand=by_hand,
        floor=floor,
        otherwise=dict.fromkeys(("jax", "torch", "autograd"), by_coordinates),
    ),
)
