"""The test problems of Moré, Garbow & Hillstrom 1981, *Testing unconstrained optimization
software*, ACM Transactions on Mathematical Software 7, in their order: sums of squares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """A vector of residuals, where solvers begin, and the minima of its sum of squares that are
    known (a solver may find any of them)."""

    name: str
    residuals: Callable[[Any], Any]
    start: Array
    minima: tuple[float, ...]

    def __call__(self, x: Any) -> Any:
        return np.sum(self.residuals(x) ** 2)

    def __repr__(self) -> str:
        return self.name


PROBLEMS: list[Problem] = []


def problem(start: Any, *minima: float) -> Callable[[Callable[[Any], Any]], Problem]:
    def enter(residuals: Callable[[Any], Any]) -> Problem:
        name = residuals.__name__.strip("_")
        found = Problem(name, residuals, np.array(start, float), minima)
        PROBLEMS.append(found)
        return found

    return enter


@problem([-1.2, 1.0], 0.0)
def rosenbrock(x):
    return np.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])


@problem([0.5, -2.0], 0.0, 48.98425)
def freudenstein_and_roth(x):
    a, b = x
    return np.stack([-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b])


@problem([0.0, 1.0], 0.0)
def powell_badly_scaled(x):
    return np.stack([1e4 * x[0] * x[1] - 1, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001])


@problem([1.0, 1.0], 0.0)
def brown_badly_scaled(x):
    return np.stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


@problem([1.0, 1.0], 0.0)
def beale(x):
    return np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** np.arange(1, 4))


@problem([0.3, 0.4], 124.36218)
def jennrich_and_sampson(x):
    i = np.arange(1, 11)
    return 2 + 2 * i - (np.exp(i * x[0]) + np.exp(i * x[1]))


@problem([-1.0, 0.0, 0.0], 0.0)
def helical_valley(x):
    angle = np.arctan2(x[1], x[0]) / (2 * np.pi)
    turned = np.where(x[0] < 0, np.where(angle < 0, angle + 1, angle), angle)
    return np.stack([10 * (x[2] - 10 * turned), 10 * (np.hypot(x[0], x[1]) - 1), x[2]])


BARD = np.array(
    [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39]
)


@problem([1.0, 1.0, 1.0], 8.21487e-3, 17.4286)
def bard(x):
    u = np.arange(1, 16)
    v = 16 - u
    return BARD - (x[0] + u / (v * x[1] + np.minimum(u, v) * x[2]))


GAUSSIAN = np.array(
    [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989]
    + [0.3521, 0.2420, 0.1295, 0.0540, 0.0175, 0.0044, 0.0009]
)


@problem([0.4, 1.0, 0.0], 1.12793e-8)
def gaussian(x):
    t = (8 - np.arange(1, 16)) / 2
    return x[0] * np.exp(-x[1] * (t - x[2]) ** 2 / 2) - GAUSSIAN


MEYER = np.array(
    [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744]
    + [8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]
)


@problem([0.02, 4000.0, 250.0], 87.9458)
def meyer(x):
    t = 45 + 5 * np.arange(1, 17)
    return x[0] * np.exp(x[1] / (t + x[2])) - MEYER


@problem([5.0, 2.5, 0.15], 0.0)
def gulf_research_and_development(x):
    t = np.arange(1, 100) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)
    return np.exp(-(np.abs(y - x[1]) ** x[2]) / x[0]) - t


@problem([0.0, 10.0, 20.0], 0.0)
def box_three_dimensional(x):
    t = 0.1 * np.arange(1, 11)
    return np.exp(-t * x[0]) - np.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


@problem([3.0, -1.0, 0.0, 1.0], 0.0)
def powell_singular(x):
    a, b, c, d = x
    return np.stack(
        [a + 10 * b, np.sqrt(5) * (c - d), (b - 2 * c) ** 2, np.sqrt(10) * (a - d) ** 2]
    )


@problem([-3.0, -1.0, -3.0, -1.0], 0.0)
def wood(x):
    a, b, c, d = x
    return np.stack(
        [
            10 * (b - a**2),
            1 - a,
            np.sqrt(90) * (d - c**2),
            1 - c,
            np.sqrt(10) * (b + d - 2),
            (b - d) / np.sqrt(10),
        ]
    )


KOWALIK = np.array(
    [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
)


@problem([0.25, 0.39, 0.415, 0.39], 3.07505e-4, 1.02734e-3)
def kowalik_and_osborne(x):
    u = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
    return KOWALIK - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


@problem([25.0, 5.0, -5.0, -1.0], 85822.2)
def brown_and_dennis(x):
    t = np.arange(1, 21) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


OSBORNE_1 = np.array(
    [0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751]
    + [0.718, 0.685, 0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490]
    + [0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406]
)


@problem([0.5, 1.5, -1.0, 0.01, 0.02], 5.46489e-5)
def osborne_1(x):
    t = 10 * np.arange(33)
    return OSBORNE_1 - (x[0] + x[1] * np.exp(-t * x[3]) + x[2] * np.exp(-t * x[4]))


@problem([1.0, 2.0, 1.0, 1.0, 1.0, 1.0], 0.0, 5.65565e-3, 0.306367)
def biggs_exp6(x):
    t = 0.1 * np.arange(1, 14)
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * np.exp(-t * x[0]) - x[3] * np.exp(-t * x[1]) + x[5] * np.exp(-t * x[4]) - y


OSBORNE_2 = np.array(
    [1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608]
    + [0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661]
    + [0.612, 0.558, 0.533, 0.495, 0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428]
    + [0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559]
    + [0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054]
)


@problem([1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5], 4.01377e-2)
def osborne_2(x):
    t = np.arange(65) / 10
    return OSBORNE_2 - (
        x[0] * np.exp(-t * x[4])
        + x[1] * np.exp(-((t - x[8]) ** 2) * x[5])
        + x[2] * np.exp(-((t - x[9]) ** 2) * x[6])
        + x[3] * np.exp(-((t - x[10]) ** 2) * x[7])
    )


@problem(np.zeros(6), 2.28767e-3)
def watson(x):
    t = np.arange(1, 30) / 29
    powers = t[:, None] ** np.arange(len(x))
    slopes = np.arange(1, len(x)) * powers[:, :-1]
    main = slopes @ x[1:] - (powers @ x) ** 2 - 1
    return np.concatenate([main, np.stack([x[0], x[1] - x[0] ** 2 - 1])])


@problem(np.tile([-1.2, 1.0], 5), 0.0)
def extended_rosenbrock(x):
    odd, even = x[::2], x[1::2]
    return np.concatenate([10 * (even - odd**2), 1 - odd])


@problem(np.tile([3.0, -1.0, 0.0, 1.0], 3), 0.0)
def extended_powell_singular(x):
    a, b, c, d = x[::4], x[1::4], x[2::4], x[3::4]
    return np.concatenate(
        [a + 10 * b, np.sqrt(5) * (c - d), (b - 2 * c) ** 2, np.sqrt(10) * (a - d) ** 2]
    )


@problem(np.arange(1, 11), 7.08765e-5)
def penalty_1(x):
    return np.concatenate([np.sqrt(1e-5) * (x - 1), np.stack([np.sum(x**2) - 0.25])])


@problem(np.full(10, 0.5), 2.93660e-4)
def penalty_2(x):
    n = len(x)
    i = np.arange(2, n + 1)
    y = np.exp(i / 10) + np.exp((i - 1) / 10)
    small = np.sqrt(1e-5)
    return np.concatenate(
        [
            np.stack([x[0] - 0.2]),
            small * (np.exp(x[1:] / 10) + np.exp(x[:-1] / 10) - y),
            small * (np.exp(x[1:] / 10) - np.exp(-1 / 10)),
            np.stack([np.sum(np.arange(n, 0, -1) * x**2) - 1]),
        ]
    )


@problem(1 - np.arange(1, 11) / 10, 0.0)
def variably_dimensioned(x):
    weighted = np.sum(np.arange(1, len(x) + 1) * (x - 1))
    return np.concatenate([x - 1, np.stack([weighted, weighted**2])])


@problem(np.full(10, 0.1), 0.0, 2.79506e-5)
def trigonometric(x):
    n = len(x)
    return n - np.sum(np.cos(x)) + np.arange(1, n + 1) * (1 - np.cos(x)) - np.sin(x)


@problem(np.full(10, 0.5), 0.0, 1.0)
def brown_almost_linear(x):
    n = len(x)
    return np.concatenate([x[:-1] + np.sum(x) - (n + 1), np.stack([np.prod(x) - 1])])


NODES = np.arange(1, 11) / 11


@problem(NODES * (NODES - 1), 0.0)
def discrete_boundary_value(x):
    h = 1 / (len(x) + 1)
    t = h * np.arange(1, len(x) + 1)
    padded = np.concatenate([np.zeros(1), x, np.zeros(1)])
    return 2 * x - padded[:-2] - padded[2:] + h**2 * (x + t + 1) ** 3 / 2


@problem(NODES * (NODES - 1), 0.0)
def discrete_integral_equation(x):
    h = 1 / (len(x) + 1)
    t = h * np.arange(1, len(x) + 1)
    cubes = (x + t + 1) ** 3
    kernel = np.minimum(np.outer(1 - t, t), np.outer(t, 1 - t))
    return x + h * (kernel @ cubes) / 2


@problem(np.full(10, -1.0), 0.0)
def broyden_tridiagonal(x):
    padded = np.concatenate([np.zeros(1), x, np.zeros(1)])
    return (3 - 2 * x) * x - padded[:-2] - 2 * padded[2:] + 1


@problem(np.full(10, -1.0), 0.0, 3.057278)
def broyden_banded(x):
    n = len(x)
    i, j = np.indices((n, n))
    band = ((j >= i - 5) & (j <= i + 1) & (j != i)).astype(float)
    return x * (2 + 5 * x**2) + 1 - band @ (x * (1 + x))


@problem(np.ones(10), 10.0)
def linear_full_rank(x):
    mean = 2 * np.sum(x) / 20
    return np.concatenate([x - mean - 1, np.full(10, -1.0) - mean])


@problem(np.ones(10), 20 * 19 / (2 * (2 * 20 + 1)))
def linear_rank_1(x):
    return np.arange(1, 21) * np.sum(np.arange(1, 11) * x) - 1


@problem(np.ones(10), (20**2 + 3 * 20 - 6) / (2 * (2 * 20 - 3)))
def linear_rank_1_with_zeros(x):
    inner = np.sum(np.arange(2, 10) * x[1:-1])
    return np.concatenate([np.full(1, -1.0), np.arange(1, 19) * inner - 1, np.full(1, -1.0)])


@problem(np.arange(1, 9) / 9, 3.51687e-3)
def chebyquad(x):
    y = 2 * x - 1
    before, now = np.ones(len(x)), y
    means = []
    for i in range(1, len(x) + 1):
        exact = 0.0 if i % 2 else -1 / (i**2 - 1)
        means.append(np.mean(now) - exact)
        before, now = now, 2 * y * now - before
    return np.stack(means)
