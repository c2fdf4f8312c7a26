"""Logistic regression: a Hessian-vector product of 10k x 500, a Hessian of 10k x 100."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from yardstick.problem import Arguments, Problem


def arguments_hvp(n: int, d: int) -> Arguments:
    rng = np.random.default_rng(0)
    w, v = rng.normal(size=d) / d, rng.normal(size=d)
    return w, v, rng.normal(size=(n, d)), np.sign(rng.normal(size=n))


def arguments_hessian(n: int, d: int) -> Arguments:
    w, _, X, y = arguments_hvp(n, d)
    return w, X, y


def function(np: Any) -> Callable[..., Any]:
    def loss(w: Any, X: Any, y: Any) -> Any:
        return np.sum(np.log1p(np.exp(-y * (X @ w))))

    return loss


def curvature(w: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(y * (X @ w)))
    return p * (1 - p)


def hvp_by_hand(w: np.ndarray, v: np.ndarray, X: np.ndarray, y: np.ndarray) -> Any:
    return (curvature(w, X, y) * (X @ v)) @ X


def hessian_by_hand(w: np.ndarray, X: np.ndarray, y: np.ndarray) -> Any:
    return X.T @ (curvature(w, X, y)[:, None] * X)


PROBLEMS = (
    Problem(
        name="logistic-hvp",
        arguments=partial(arguments_hvp, 10_000, 500),
        small=partial(arguments_hvp, 31, 7),
        function=function,
        derivative="hvp",
        by_hand=hvp_by_hand,
    ),
    Problem(
        name="logistic-hessian",
        arguments=partial(arguments_hessian, 10_000, 100),
        small=partial(arguments_hessian, 31, 7),
        function=function,
        derivative="hessian",
        by_hand=hessian_by_hand,
    ),
)
