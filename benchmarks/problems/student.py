"""Linear regression whose errors are Student's t of four degrees of freedom."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from yardstick.floor import Floor, FloorLibrary, bind
from yardstick.problem import Arguments, Problem

NU = 4.0


def arguments(n: int, d: int) -> Arguments:
    rng = np.random.default_rng(0)
    return rng.normal(size=d), rng.normal(size=(n, d)), rng.normal(size=n)


def function(np: Any) -> Callable[..., Any]:
    def misfit(w: Any, X: Any, y: Any) -> Any:
        r = X @ w - y
        return np.sum(np.log1p(r * r / NU))

    return misfit


def by_hand(w: np.ndarray, X: np.ndarray, y: np.ndarray) -> Any:
    r = X @ w - y
    q = r * r
    return np.sum(np.log1p(q / NU)), (2 * r / (NU + q)) @ X


def floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    w, X, y = arguments
    g = np.empty_like(w)
    return Floor(
        bind(floors, "student_f", (*X.shape, NU, w, X, y)),
        bind(floors, "student_fg", (*X.shape, NU, w, X, y, g), g),
    )


PROBLEMS = tuple(
    Problem(
        name=f"student-{d}",
        arguments=partial(arguments, 4000, d),
        small=partial(arguments, 43, d),
        function=function,
        by_hand=by_hand,
        floor=floor,
    )
    for d in (30, 200)
)
