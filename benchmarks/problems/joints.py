"""A concatenation, and a gather whose gradient is a scatter, between elementwise expressions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from yardstick.floor import Floor, FloorLibrary, bind
from yardstick.problem import Arguments, Problem


def arguments_concatenate(n: int) -> Arguments:
    rng = np.random.default_rng(0)
    return rng.normal(size=n), rng.normal(size=n), rng.normal(size=2 * n)


def concatenate(np: Any) -> Callable[..., Any]:
    def f(x: Any, y: Any, w: Any) -> Any:
        return np.sum(w * np.tanh(np.concatenate((x * x, np.exp(-y)))))

    return f


def concatenate_by_hand(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Any:
    n, e = x.size, np.exp(-y)
    t = np.tanh(np.concatenate((x * x, e)))
    slope = w * (1 - t * t)
    return w @ t, (2 * slope[:n] * x, -slope[n:] * e)


def concatenate_floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    x, y, w = arguments
    g = (np.empty_like(x), np.empty_like(y))
    return Floor(
        bind(floors, "concatenate_f", (x.size, x, y, w)),
        bind(floors, "concatenate_fg", (x.size, x, y, w, *g), g),
    )


def arguments_gather(m: int, n: int) -> Arguments:
    rng = np.random.default_rng(0)
    return rng.normal(size=m), rng.normal(size=n), rng.integers(0, m, n)


def gather(np: Any) -> Callable[..., Any]:
    def f(x: Any, w: Any, index: Any) -> Any:
        return np.sum((np.sin(x)[index] * w - 1) ** 2)

    return f


def gather_by_hand(x: np.ndarray, w: np.ndarray, index: np.ndarray) -> Any:
    e = np.sin(x)[index] * w - 1
    return e @ e, np.bincount(index, 2 * e * w, x.size) * np.cos(x)


def gather_floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    x, w, index = arguments
    g = np.empty_like(x)
    sizes = (x.size, w.size)
    return Floor(
        bind(floors, "gather_f", (*sizes, x, w, index)),
        bind(floors, "gather_fg", (*sizes, x, w, index, g), g),
    )


PROBLEMS = (
    Problem(
        name="concatenate",
        arguments=partial(arguments_concatenate, 100_000),
        small=partial(arguments_concatenate, 37),
        function=concatenate,
        argnums=(0, 1),
        by_hand=concatenate_by_hand,
        floor=concatenate_floor,
    ),
    Problem(
        name="gather",
        arguments=partial(arguments_gather, 10_000, 100_000),
        small=partial(arguments_gather, 19, 83),
        function=gather,
        by_hand=gather_by_hand,
        floor=gather_floor,
    ),
)
