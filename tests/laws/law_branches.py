"""Programs with branches, written twice: vectorised with np.where, and with Python's `if`.

The first computes both branches everywhere; the branch not taken is NaN or infinite, or its
derivative is. The second never computes it. A program is a list of steps (what, which, how) on a
vector; `run` takes the style.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

N = 4
MATRIX = np.random.default_rng(3).uniform(-1, 1, (N, N))
PICKED = np.array([2, 0, 0, 3])

Scalar = Callable[[Any], Any]

# (where the branch is taken, the branch, what is taken elsewhere)
GUARDS: tuple[tuple[Scalar, Scalar, Scalar], ...] = (
    (lambda v: v > 0, np.log, lambda v: 0.0 * v),
    (lambda v: v > 0, np.sqrt, lambda v: v),
    (lambda v: v > 0, lambda v: v**0.5, lambda v: 0.5 * v),
    (lambda v: v > 0, lambda v: v**-1.5, np.sin),
    (lambda v: v != 0, lambda v: 1.0 / v, lambda v: 1.0 + v),
    (lambda v: v != 0, lambda v: np.sin(v) / v, lambda v: 1.0 - v * v / 6.0),
    (lambda v: v > 0, lambda v: v * np.log(v), lambda v: v * v),
    (lambda v: abs(v) < 0.9, np.arcsin, np.tanh),
    (lambda v: abs(v) < 0.9, np.arctanh, lambda v: 0.3 * v),
    (lambda v: v != 0, lambda v: np.exp(-1.0 / (v * v)), lambda v: v),
    (lambda v: v > 0, lambda v: np.exp(v * np.log(v)), lambda v: 1.0 + v),
    (lambda v: v > 0, lambda v: v**v, lambda v: 2.0 * v),
    (lambda v: v != 0, lambda v: np.hypot(v, 0.0) / v, lambda v: v),
    (lambda v: v > 0, lambda v: np.log1p(-1.0 / (1.0 + v)), lambda v: v),
    (lambda v: v > 0, lambda v: np.cbrt(v) + np.log2(v), lambda v: v),
    (lambda v: v < 0, lambda v: np.sqrt(-v), lambda v: np.cos(v)),
)

CHAINS: tuple[Scalar, ...] = (
    lambda r: r,
    lambda r: 1.5 * r + 1.0,
    np.sin,
    lambda r: r / (1.0 + r * r),
    lambda r: np.exp(-r * r),
    lambda r: np.arctan(r) * np.arctan(r),
)


def _each(v: Any, function: Callable[[int], Any]) -> Any:
    return np.stack([function(i) for i in range(v.shape[0])])


def guard(v: Any, which: int, how: int, vectorised: bool) -> Any:
    """A branch on every element, with a chain of operations inside it."""
    condition, branch, other = GUARDS[which % len(GUARDS)]
    chain = CHAINS[how % len(CHAINS)]
    if vectorised:
        return np.where(condition(v), chain(branch(v)), other(v))
    return _each(v, lambda i: chain(branch(v[i])) if condition(v[i]) else other(v[i]))


def moved_guard(v: Any, which: int, how: int, vectorised: bool) -> Any:
    """The branch is moved about before the choice: indices with duplicates, reversal, joining."""
    condition, branch, other = GUARDS[which % len(GUARDS)]
    if how % 3 == 0:
        if vectorised:
            return np.where(condition(v)[PICKED], branch(v)[PICKED], other(v)[PICKED])
        picked = [v[i] for i in PICKED]
        return np.stack([branch(e) if condition(e) else other(e) for e in picked])
    if how % 3 == 1:
        if vectorised:
            turned = branch(v)[::-1].reshape(2, -1)
            return np.where(condition(v[::-1]).reshape(2, -1), turned, 0.5).reshape(-1)
        return _each(v, lambda i: branch(v[-1 - i]) if condition(v[-1 - i]) else 0.5 + 0.0 * v[i])
    if vectorised:
        both = np.concatenate([branch(v), np.sin(v)])
        return np.where(np.concatenate([condition(v), v == v]), both, 0.0)[1 : 1 + N]
    ends = [branch(v[i]) if condition(v[i]) else 0.0 * v[i] for i in range(N)]
    return np.stack([*ends, *(np.sin(v[i]) for i in range(N))])[1 : 1 + N]


def mixed_guard(v: Any, which: int, how: int, vectorised: bool) -> Any:
    """Rows of a matrix are dead; what mixes the elements of a row is done before the choice."""
    condition, branch, other = GUARDS[which % len(GUARDS)]
    weights = np.cos(v)
    if vectorised:
        rows = branch(v)[:, None] * weights[None, :]
        result = (
            lambda: np.sum(rows, axis=1),
            lambda: rows @ weights,
            lambda: np.cumsum(rows, axis=1)[:, -1],
            lambda: (rows @ MATRIX)[:, 1],
            lambda: np.concatenate([rows, rows[:, ::-1]], axis=1).mean(axis=1),
            lambda: np.max(rows, axis=1),
        )[how % 6]()
        return np.where(condition(v), result, other(v))

    def row(i: int) -> Any:
        cells = branch(v[i]) * weights
        return (
            lambda: np.sum(cells),
            lambda: np.sum(cells * weights),
            lambda: np.sum(cells),
            lambda: np.sum(cells * MATRIX[:, 1]),
            lambda: np.mean(cells),
            lambda: np.max(cells),
        )[how % 6]()

    return _each(v, lambda i: row(i) if condition(v[i]) else other(v[i]))


def mix(v: Any, which: int, how: int, vectorised: bool) -> Any:
    """What stands between branches, the same in both styles."""
    y = v.copy()
    kind = which % 10
    if kind == 0:
        return MATRIX @ v
    if kind == 1:
        return np.cumsum(v)
    if kind == 2:
        return v[PICKED] * v
    if kind == 3:
        return np.concatenate([v[1:], v[:1]]) - np.sum(v) / 8
    if kind == 4:
        np.add.at(y, PICKED, 0.5 * v)
        return y
    if kind == 5:
        y[PICKED] = np.tanh(v)
        return y
    if kind == 6:
        return (v[:, None] * np.sin(v)[None, :]) @ v / N
    if kind == 7:
        y[::2] = v[1::2] * v[::2]
        return y
    if kind == 8:
        return np.maximum(v, 0.25 * v)
    return v - 0.5


STEPS = (guard, guard, moved_guard, mixed_guard, mix, mix)
Step = tuple[int, int, int]


def run(program: list[Step], x: Any, vectorised: bool) -> Any:
    """A number: the weighted sum of what every step gives."""
    v, total = x, np.sum(x * np.arange(1.0, N + 1))
    for what, which, how in program:
        v = STEPS[what % len(STEPS)](v, which, how, vectorised)
        total = total + np.sum(v * np.cos(np.arange(N) + how))
    return total


def programs(longest: int = 4) -> st.SearchStrategy[list[Step]]:
    """Programs as Hypothesis draws them."""
    step = st.tuples(
        st.integers(0, len(STEPS) - 1), st.integers(0, len(GUARDS) - 1), st.integers(0, 5)
    )
    return st.lists(step, min_size=1, max_size=longest)


def points() -> st.SearchStrategy[list[float]]:
    """Arguments: zeros, negatives and others, at which branches are dead."""
    value = st.sampled_from([0.0, 0.0, -0.0, -1.25, -0.5, 0.375, 0.75, 1.0, 1.5])
    return st.lists(value, min_size=N, max_size=N)
