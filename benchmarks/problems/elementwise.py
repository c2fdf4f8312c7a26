"""Long elementwise expressions, of a million elements with transcendental ops and without."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from yardstick.floor import Floor, FloorLibrary, bind
from yardstick.problem import Arguments, Problem


def arguments(n: int) -> Arguments:
    return (np.random.default_rng(0).uniform(0.1, 1.0, n),)


def chain(np: Any) -> Callable[..., Any]:
    def f(x: Any) -> Any:
        y = x
        for _ in range(4):
            y = np.log(np.tanh(np.exp(y) * x) + 1.5)
        return np.sum(y)

    return f


def chain_by_hand(x: np.ndarray) -> Any:
    y, dy = x, 1.0
    for _ in range(4):
        u = np.exp(y)
        w = np.tanh(u * x)
        dy = (1 - w * w) * u * (dy * x + 1) / (w + 1.5)
        y = np.log(w + 1.5)
    return np.sum(y), dy


def chain_floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    (x,) = arguments
    g = np.empty_like(x)
    return Floor(bind(floors, "chain_f", (x.size, x)), bind(floors, "chain_fg", (x.size, x, g), g))


def light(np: Any) -> Callable[..., Any]:
    def f(x: Any) -> Any:
        return np.sum((2 * x + 1) * x - x * x * x * 0.5 + x * x)

    return f


def light_by_hand(x: np.ndarray) -> Any:
    return np.sum((2 * x + 1) * x - x * x * x * 0.5 + x * x), 6 * x + 1 - 1.5 * x * x


def light_floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    (x,) = arguments
    g = np.empty_like(x)
    return Floor(bind(floors, "light_f", (x.size, x)), bind(floors, "light_fg", (x.size, x, g), g))


def hundred(np: Any) -> Callable[..., Any]:
    """A hundred ops, a fifth of them transcendental."""

    def f(x: Any) -> Any:
        y = x
        for _ in range(10):
            a = y * x + 0.3
            y = np.tanh(a) - 0.5 * a * y
            y = y * np.exp(-(y * y))
        return np.sum(y)

    return f


def hundred_by_hand(x: np.ndarray) -> Any:
    y, dy = x, np.ones_like(x)
    for _ in range(10):
        a, da = y * x + 0.3, dy * x + y
        t = np.tanh(a)
        y, dy = t - 0.5 * a * y, (1 - t * t) * da - 0.5 * (da * y + a * dy)
        e = np.exp(-(y * y))
        y, dy = y * e, dy * e * (1 - 2 * y * y)
    return np.sum(y), dy


PROBLEMS = tuple(
    Problem(
        name=name,
        arguments=partial(arguments, 1_000_000),
        small=partial(arguments, 37),
        function=function,
        by_hand=by_hand,
        floor=floor,
    )
    for name, function, by_hand, floor in (
        ("chain", chain, chain_by_hand, chain_floor),
        ("polynomial", light, light_by_hand, light_floor),
    )
)

# For its compile time.
PROBLEMS += (
    Problem(
        name="hundred-ops",
        arguments=partial(arguments, 1000),
        small=partial(arguments, 37),
        function=hundred,
        by_hand=hundred_by_hand,
    ),
)
