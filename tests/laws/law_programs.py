"""Random programs: lists of small integers, each of which means something for any shapes.

A program is a list of instructions (operation, i, j, k) that run on a growing pool of arrays; the
integers are taken modulo what there is, so that every list is a program and shrinks well. It is run
by the same code on arrays and on traced arrays. No array is empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

Instruction = tuple[int, int, int, int]
Pool = list[Any]

CONSTANTS = np.random.default_rng(5).uniform(-1.5, 1.5, (6, 4))


def _unary(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda pool, i, j, k: function(pool[i % len(pool)])


def _binary(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """On two arrays that broadcast, or else on an array and the mean of another."""

    def run(pool: Pool, i: int, j: int, k: int) -> Any:
        a, b = pool[i % len(pool)], pool[j % len(pool)]
        try:
            shape = np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            return function(a, np.mean(b))
        return function(a, b) if np.prod(shape) <= 40 else function(a, np.mean(b))

    return run


def _axis(a: Any, k: int) -> int:
    return k % a.ndim


def _reduce(pool: Pool, i: int, j: int, k: int) -> Any:
    a = pool[i % len(pool)]
    if not a.ndim:
        return a * 2.0
    function = (np.sum, np.mean)[j % 2]
    return function(a, axis=_axis(a, k), keepdims=bool(j // 2 % 2))


def _turn(pool: Pool, i: int, j: int, k: int) -> Any:
    a = pool[i % len(pool)]
    if a.ndim < 2:
        return a.reshape((1, *a.shape))
    return (a.T, np.swapaxes(a, 0, -1), a.reshape(-1), np.moveaxis(a, 0, -1))[j % 4]


def _slice(pool: Pool, i: int, j: int, k: int) -> Any:
    a = pool[i % len(pool)]
    if not a.ndim:
        return a
    n = a.shape[0]
    key = (slice(None, None, -1), slice(k % min(n, 2), None, 1 + j % 2), k % n, (None, Ellipsis))
    return a[key[j % 4]]


def _pick(pool: Pool, i: int, j: int, k: int) -> Any:
    """Integer arrays with duplicates and negative entries, and masks."""
    a = pool[i % len(pool)]
    if not a.ndim:
        return a
    n = a.shape[0]
    rows = (np.arange(4) * (k + 1) + j) % n - (n if j % 2 else 0)
    if j % 3 == 0 and a.ndim > 1:
        return a[rows, (np.arange(4) + k) % a.shape[1]]
    if j % 3 == 1:
        return a[(np.arange(n) * 7 + k) % 3 > 0] if n > 2 else a[rows]
    return a[rows]


def _matmul(pool: Pool, i: int, j: int, k: int) -> Any:
    a, b = pool[i % len(pool)], pool[j % len(pool)]
    if a.ndim == 2 and b.ndim == 2 and a.shape[1] == b.shape[0]:
        return a @ b / a.shape[1]
    if a.ndim == 2:
        return (a @ CONSTANTS[: a.shape[1], :3] if a.shape[1] <= 6 else a) / 2
    if a.ndim == 1 and b.ndim == 1:
        return np.outer(a[:4], b[:4])
    return a


def _where(pool: Pool, i: int, j: int, k: int) -> Any:
    a, b = pool[i % len(pool)], pool[j % len(pool)]
    other = b if b.shape == a.shape else np.mean(b)
    condition = (a > 0.1 * k, a < np.mean(b), CONSTANTS[k % 6, j % 4] > a)[j % 3]
    return np.where(condition, np.sin(a), other)


def _join(pool: Pool, i: int, j: int, k: int) -> Any:
    a, b = pool[i % len(pool)], pool[j % len(pool)]
    if a.shape == b.shape and a.ndim and a.size <= 12:
        return np.concatenate([a, b], axis=_axis(a, k))
    return np.concatenate([a.reshape(-1)[:5], b.reshape(-1)[:5]])


def _cumulate(pool: Pool, i: int, j: int, k: int) -> Any:
    a = pool[i % len(pool)]
    return np.cumsum(a, axis=_axis(a, k)) / a.size if a.ndim else a


def _write(pool: Pool, i: int, j: int, k: int) -> Any:
    """Views and writes through them, on a copy."""
    a, b = pool[i % len(pool)], pool[j % len(pool)]
    y = a.copy()
    value = np.mean(b)
    if not y.ndim:
        return y + value
    n = y.shape[0]
    kind = k % 6
    if kind == 0:
        y[k % n] = value
    elif kind == 1:
        y[::-2] *= value
    elif kind == 2:
        view = y.T[..., : 1 + j % 2]
        view += np.sin(value)
    elif kind == 3:
        y[y > value] = 0.5 * value
    elif kind == 4:
        y[np.array([0, n - 1, 0])] = np.tanh(y[:1] + value)
    else:
        np.add.at(y, np.array([0, -1, 0]), value)
    return y


def _extremum(pool: Pool, i: int, j: int, k: int) -> Any:
    a = pool[i % len(pool)]
    if not a.ndim:
        return a
    return (np.max, np.min)[j % 2](a, axis=_axis(a, k)) if j % 3 else np.maximum(a, 0.3)


OPERATIONS: tuple[Callable[..., Any], ...] = (
    _unary(np.sin),
    _unary(np.tanh),
    _unary(lambda a: np.exp(np.cos(a))),
    _unary(lambda a: np.sqrt(1.0 + a**2)),
    _unary(lambda a: np.log1p(np.square(a))),
    _unary(lambda a: 2.0 ** np.arctan(a) - abs(a - 7.0)),
    _binary(lambda a, b: a + b),
    _binary(lambda a, b: a * np.tanh(b)),
    _binary(lambda a, b: a - 0.5 * b),
    _binary(lambda a, b: a / (2.0 + b * b)),
    _binary(lambda a, b: np.hypot(a, 1.0) ** np.sin(b)),
    _binary(lambda a, b: np.arctan2(a, 2.0 + np.cos(b))),
    _reduce,
    _reduce,
    _turn,
    _slice,
    _pick,
    _matmul,
    _where,
    _join,
    _cumulate,
    _write,
    _write,
    _extremum,
)

SHAPES = ((3,), (2, 3), (4, 2), (), (2, 1, 3))


def run(program: list[Instruction], *given: Any) -> Any:
    """The pool after the program, as one vector of weighted means."""
    pool: Pool = list(given)
    for operation, i, j, k in program:
        result = OPERATIONS[operation % len(OPERATIONS)](pool, i, j, k)
        pool.append(np.tanh(result) * 1.5 if len(pool) % 3 == 0 else result)
    parts = []
    for number, value in enumerate(pool):
        weights = np.cos(1.0 + number + np.arange(value.size)).reshape(value.shape)
        parts.append(np.sum(weights * value))
    return np.stack(parts)


def programs(longest: int = 9) -> st.SearchStrategy[list[Instruction]]:
    """Programs as Hypothesis draws them."""
    small = st.integers(0, 11)
    return st.lists(
        st.tuples(st.integers(0, len(OPERATIONS) - 1), small, small, small),
        min_size=1,
        max_size=longest,
    )


def points(seed: int) -> list[Any]:
    """The arguments of a program: two arrays of shapes that the seed chooses."""
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(-1.5, 1.5, SHAPES[k % len(SHAPES)])) for k in (seed, seed // 5)]
