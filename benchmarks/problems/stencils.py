"""Stencils: the squared differences of a line, the squared five-point Laplacian of a grid."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from yardstick.floor import Floor, FloorLibrary, bind
from yardstick.problem import Arguments, Problem


def arguments(*shape: int) -> Arguments:
    return (np.random.default_rng(0).normal(size=shape),)


def differences(np: Any) -> Callable[..., Any]:
    def f(u: Any) -> Any:
        return np.sum((u[1:] - u[:-1]) ** 2)

    return f


def differences_by_hand(u: np.ndarray) -> Any:
    d = u[1:] - u[:-1]
    g = np.zeros_like(u)
    g[1:] += d
    g[:-1] -= d
    return d @ d, 2 * g


def differences_floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    (u,) = arguments
    g = np.empty_like(u)
    return Floor(
        bind(floors, "differences_f", (u.size, u)),
        bind(floors, "differences_fg", (u.size, u, g), g),
    )


def laplacian(np: Any) -> Callable[..., Any]:
    def energy(u: Any) -> Any:
        middle = u[1:-1, 1:-1]
        neighbours = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2]
        return np.sum((neighbours - 4 * middle) ** 2)

    return energy


def laplacian_by_hand(u: np.ndarray) -> Any:
    e = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1]
    value = np.vdot(e, e)
    e *= 2
    g = np.zeros_like(u)
    g[2:, 1:-1] += e
    g[:-2, 1:-1] += e
    g[1:-1, 2:] += e
    g[1:-1, :-2] += e
    g[1:-1, 1:-1] -= 4 * e
    return value, g


def laplacian_floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    (u,) = arguments
    g = np.empty_like(u)
    return Floor(
        bind(floors, "laplacian_f", (*u.shape, u)),
        bind(floors, "laplacian_fg", (*u.shape, u, g), g),
    )


PROBLEMS = (
    Problem(
        name="differences",
        arguments=partial(arguments, 100_000),
        small=partial(arguments, 37),
        function=differences,
        by_hand=differences_by_hand,
        floor=differences_floor,
    ),
    Problem(
        name="laplacian",
        arguments=partial(arguments, 512, 512),
        small=partial(arguments, 9, 14),
        function=laplacian,
        by_hand=laplacian_by_hand,
        floor=laplacian_floor,
    ),
)
