"""Random programs on arrays of a few shared extents, for the compiler of loop nests.

A program is drawn from a seed and runs on whatever arrays it is given, traced ones too. Each of its
steps is a function of the values so far, of which it takes some.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

EXTENTS = (1, 2, 3, 5, 8, 9, 17, 33, 40, 70)
LONG = (128, 130, 257)
"""Extents of several tiles, drawn now and then."""
MOST = 30_000
"""Elements of a value, at most."""

Array = np.ndarray[Any, Any]
Rng = np.random.Generator

UNARY: tuple[Callable[[Any], Any], ...] = (
    np.tanh,
    np.sin,
    np.cos,
    np.negative,
    np.square,
    np.arctan,
    lambda x: np.exp(-np.abs(x)),
    lambda x: np.sqrt(1.0 + x * x),
    lambda x: np.log1p(x * x),
    lambda x: np.maximum(x, 0.1),
    lambda x: np.minimum(x, 0.3),
    lambda x: np.clip(x, -0.5, 0.5),
    lambda x: x * 0.5 - 0.1,
    lambda x: 1.0 / (1.5 + np.sin(x)),
    lambda x: np.where(x > 0, x, 0.3 * x),
    lambda x: np.exp(0.1 * np.tanh(x)),
)
BINARY: tuple[Callable[[Any, Any], Any], ...] = (
    np.add,
    np.subtract,
    np.multiply,
    lambda x, y: x / (2.0 + np.sin(y)),
    np.maximum,
    np.minimum,
    lambda x, y: np.where(x < y, x, np.sin(y)),
    lambda x, y: np.arctan2(x, 2.0 + np.cos(y)),
    np.hypot,
)


def norm(x: Any) -> Any:
    """The value, of moderate size."""
    return np.tanh(x) * 1.5


@dataclass
class Draw:
    """A program under way: the values so far, and the choices."""

    rng: Rng
    pool: list[Any]

    def pick(self) -> Any:
        """A value, more often a late one."""
        k = len(self.pool) - 1 - int(min(self.rng.geometric(0.25), len(self.pool)) - 1)
        return self.pool[k] if self.rng.random() < 0.7 else self.of(self.pool)

    def of(self, items: Sequence[Any]) -> Any:
        return items[int(self.rng.integers(len(items)))]

    def axis(self, x: Any) -> int:
        return int(self.rng.integers(-x.ndim, x.ndim))

    def axes(self, x: Any) -> tuple[int, ...]:
        return tuple(a for a in range(x.ndim) if self.rng.random() < 0.5) or (self.axis(x),)

    def chance(self, p: float = 0.5) -> bool:
        return bool(self.rng.random() < p)


def _small(*shape: int) -> bool:
    return int(np.prod(shape)) <= MOST


def unary(d: Draw) -> Any:
    return d.of(UNARY)(d.pick())


def binary(d: Draw) -> Any:
    """Of values that broadcast, with axes put in where they do not."""
    f, x, y = d.of(BINARY), d.pick(), d.of(d.pool)
    for candidate in (y, y[..., None], y.T, y.T[..., None] if y.ndim < 3 else y):
        try:
            shape = np.broadcast_shapes(x.shape, candidate.shape)
        except ValueError:
            continue
        if _small(*shape) and len(shape) <= 4:
            return f(x, candidate)
    return f(x, np.mean(y))


def reduce(d: Draw) -> Any:
    x = d.pick()
    if not x.ndim:
        return x * 2.0
    f = d.of((np.sum, np.sum, np.sum, np.mean, np.max, np.min, np.var))
    if f in (np.max, np.min):
        x = x + d.of((-2.0, 0.0, 2.0))
    axis = None if d.chance(0.1) else d.axes(x) if d.chance() else d.axis(x)
    if f is np.sum and d.chance():
        return np.sum(x, axis=axis, keepdims=d.chance()) / 8
    return f(x, axis=axis, keepdims=d.chance())


def product(d: Draw) -> Any:
    """A reduction by multiplication, of factors near one."""
    x = d.pick()
    return np.prod(1.0 + 0.05 * np.sin(x), axis=d.axis(x)) if x.ndim else x


def truth(d: Draw) -> Any:
    x = d.pick()
    if not x.ndim:
        return x
    f = d.of((np.any, np.all))
    return np.where(f(x > 0.2, axis=d.axis(x), keepdims=True), x, -x)


def turn(d: Draw) -> Any:
    x = d.pick()
    if not x.ndim:
        return x.reshape((1, 1))
    which = int(d.rng.integers(5))
    if which == 0:
        return x.T
    if which == 1:
        return np.transpose(x, tuple(int(a) for a in d.rng.permutation(x.ndim)))
    if which == 2:
        return np.moveaxis(x, d.axis(x), d.axis(x))
    if which == 3:
        return np.expand_dims(x, int(d.rng.integers(x.ndim + 1))) if x.ndim < 4 else x
    return np.squeeze(x)


def reshape(d: Draw) -> Any:
    """Axes merged and split."""
    x = d.pick()
    if d.chance(0.3):
        return x.reshape(-1)
    shape = list(x.shape)
    if len(shape) >= 2 and d.chance():
        k = int(d.rng.integers(len(shape) - 1))
        shape[k : k + 2] = [shape[k] * shape[k + 1]]
        if d.chance() and shape[k] > 1:
            parts = [p for p in range(1, shape[k] + 1) if shape[k] % p == 0]
            p = d.of(parts)
            shape[k : k + 1] = [p, shape[k] // p]
    elif shape and len(shape) < 4:
        k = int(d.rng.integers(len(shape)))
        if shape[k]:
            p = d.of([p for p in range(1, shape[k] + 1) if shape[k] % p == 0])
            shape[k : k + 1] = [p, shape[k] // p]
    return x.reshape(tuple(shape))


def cut(d: Draw) -> Any:
    """Basic indexing: slices of both directions, integers, new axes."""
    x = d.pick()
    if not x.ndim:
        return x
    key: list[Any] = []
    for extent in x.shape:
        which = int(d.rng.integers(7))
        if which == 0 and extent:
            key.append(int(d.rng.integers(-extent, extent)))
        elif which == 1:
            key.append(slice(None, None, -1))
        elif which == 2:
            key.append(slice(int(d.rng.integers(0, 3)), None, int(d.rng.integers(1, 4))))
        elif which == 3:
            key.append(slice(None, None, -int(d.rng.integers(1, 4))))
        elif which == 4:
            key.append(slice(int(d.rng.integers(0, 2)), -1 if extent > 2 else None))
        else:
            key.append(slice(None))
    if d.chance(0.2) and x.ndim < 4:
        key.insert(0, None)
    y = x[tuple(key)]
    return y if y.size else x


def stencil(d: Draw) -> Any:
    """Differences of neighbours."""
    x = d.pick()
    if not x.ndim or x.shape[0] < 3:
        return x
    which = int(d.rng.integers(3))
    if which == 0:
        return x[1:] - x[:-1]
    if which == 1:
        return x[2:] - 2.0 * x[1:-1] + x[:-2]
    return np.roll(x, d.of((1, -1, 2)), axis=d.axis(x)) * 0.5 + x


def join(d: Draw) -> Any:
    x, y = d.pick(), d.of(d.pool)
    which = int(d.rng.integers(4))
    if which == 0 and x.ndim and _small(2 * x.size):
        axis = d.axis(x)
        return np.concatenate([x, np.flip(x, axis), x[:1] if axis in (0, -x.ndim) else x], axis)
    if which == 1 and x.ndim < 4 and _small(2 * x.size):
        return np.stack([x, np.sin(x)], axis=int(d.rng.integers(-1, x.ndim + 1)))
    if which == 2 and x.ndim:
        widths = [(int(d.rng.integers(0, 3)), int(d.rng.integers(0, 3))) for _ in x.shape]
        return np.pad(x, widths)
    if x.size + y.size <= MOST:
        return np.concatenate([x.ravel()[::2], y.ravel()])
    return x


def gather(d: Draw) -> Any:
    """Integer arrays with repeated and negative entries."""
    x = d.pick()
    if not x.ndim:
        return x
    axis = d.axis(x) % x.ndim
    extent = x.shape[axis]
    shape = d.of(((3,), (9,), (17,), (2, 5), (40,), (1,)))
    index = d.rng.integers(-extent, extent, shape)
    if x.size // extent * index.size > MOST or x.ndim + index.ndim > 5:
        return x
    if d.chance():
        return np.take(x, index, axis=axis)
    if x.ndim >= 2 and d.chance():
        return x[index % x.shape[0], d.rng.integers(-x.shape[1], x.shape[1], shape)]
    return x[(slice(None),) * axis + (index,)]


def write(d: Draw) -> Any:
    """In-place updates of a copy."""
    x = d.pick()
    y = x.copy()
    value = np.mean(d.of(d.pool))
    if not y.ndim:
        return y + value
    n = y.shape[0]
    which = int(d.rng.integers(7))
    if which == 0:
        y[int(d.rng.integers(-n, n))] = value
    elif which == 1:
        y[::-2] *= value
    elif which == 2:
        view = y.T[..., : 1 + int(d.rng.integers(2))]
        view += np.sin(value)
    elif which == 3:
        y[y > value] = 0.5 * value
    elif which == 4:
        y[n // 2 :] = np.sin(y[: n - n // 2])
    elif which == 5:
        index = d.rng.integers(-n, n, 5)
        np.add.at(y, index, value)
    else:
        y[..., -1] += np.tanh(y[..., 0])
    return y


def matrix(d: Draw) -> Any:
    x, y = d.pick(), d.of(d.pool)
    which = int(d.rng.integers(6))
    if which == 0 and x.ndim == 1 and y.ndim == 1 and _small(x.size, y.size):
        return np.outer(x, y)
    if which == 1 and x.ndim == 2 and _small(x.shape[0], x.shape[0]):
        return x @ x.T / x.shape[1]
    if which == 2 and x.ndim == 2 and _small(x.shape[1], x.shape[1]):
        return np.einsum("ij,ik->jk", x, x) / x.shape[0]
    if which == 3 and x.ndim == 1:
        return x[:, None] - x[None, :]
    if which == 4 and x.ndim == 3:
        return np.einsum("ijk,ilk->ijl", x, x[:, :2]) / x.shape[2]
    if x.ndim >= 1 and y.ndim >= 2 and x.shape[-1] == y.shape[-2] and x.ndim <= 2:
        return x @ y / x.shape[-1]
    if x.ndim >= 1 and y.ndim >= 1 and x.shape[-1] == y.shape[0]:
        rest = int(np.prod(x.shape[:-1]) * np.prod(y.shape[1:]))
        if rest <= MOST and x.ndim + y.ndim <= 5:
            return np.tensordot(x, y, 1) / x.shape[-1]
    weights = d.rng.standard_normal((x.shape[-1], d.of((1, 3, 8, 50)))) if x.ndim else None
    if weights is None or not _small(x.size // x.shape[-1], weights.shape[1]):
        return x
    return x @ weights / x.shape[-1]


def score(d: Draw) -> Any:
    """Log-sum-exp and softmax."""
    x = d.pick()
    if not x.ndim:
        return x
    axis = d.axis(x)
    shifted = x - np.max(x, axis=axis, keepdims=True)
    e = np.exp(shifted)
    if d.chance():
        return e / np.sum(e, axis=axis, keepdims=True)
    return np.log(np.sum(e, axis=axis))


def cumulate(d: Draw) -> Any:
    x = d.pick()
    return np.cumsum(x, axis=d.axis(x)) / max(x.size, 1) if x.ndim else x


def precision(d: Draw) -> Any:
    """Through the other precision."""
    x = d.pick()
    return x.astype(np.float32 if d.chance() else np.float64)


def whole(d: Draw) -> Any:
    """Through complex numbers or integers, and back."""
    x = d.pick()
    if d.chance():
        z = x + 1j * np.cos(x)
        z = d.of((np.exp, np.conj, np.square, lambda v: v * (1 - 2j)))(z)
        return norm(d.of((np.abs, np.real, np.imag))(z))
    n = np.floor(4 * x).astype(d.of((np.int64, np.int32, np.int8)))
    return np.where(d.of((n % 2 == 0, n > 1, (n & 1) == 0)), x, 0.5 * x + 0.1 * n)


def rank(d: Draw) -> Any:
    """A triangle, a trace, a diagonal."""
    x = d.pick()
    if x.ndim != 2:
        return x
    which = int(d.rng.integers(3))
    if which == 0:
        return np.tril(x)
    if which == 1:
        return np.diagonal(x) + 0.0
    return np.where(np.eye(*x.shape, dtype=bool), 0.0, x)


STEPS: tuple[tuple[float, Callable[[Draw], Any]], ...] = (
    (4, unary),
    (5, binary),
    (3, reduce),
    (0.5, product),
    (0.5, truth),
    (2, turn),
    (1.5, reshape),
    (2, cut),
    (1, stencil),
    (1.5, join),
    (1.5, gather),
    (1.5, write),
    (2, matrix),
    (1, score),
    (0.3, cumulate),
    (0.7, precision),
    (0.5, whole),
    (0.5, rank),
)
_WEIGHTS = np.array([weight for weight, _ in STEPS]) / sum(weight for weight, _ in STEPS)


def points(seed: int) -> list[Array]:
    """The inputs: a matrix, two vectors along it, another matrix, sometimes more axes."""
    rng = np.random.default_rng([seed, 0])
    n, m, p = (int(rng.choice(LONG if rng.random() < 0.12 else EXTENTS)) for _ in range(3))
    shapes = [(n, m), (m,), (m, p), (n,)]
    if rng.random() < 0.3:
        shapes.append((2, n, 3))
    if rng.random() < 0.1:
        shapes.append(())
    dtype = np.float32 if rng.random() < 0.2 else np.float64
    mixed = rng.random() < 0.2
    return [
        np.asarray(
            rng.normal(size=shape) * 0.7, np.float32 if mixed and rng.random() < 0.4 else dtype
        )
        for shape in shapes
    ]


def run(seed: int, *given: Any) -> tuple[Any, Any]:
    """(a number, a value on the way to it) of the program of a seed."""
    rng = np.random.default_rng([seed, 1])
    d = Draw(rng, list(given))
    for _ in range(int(rng.integers(3, 13))):
        step = STEPS[int(rng.choice(len(STEPS), p=_WEIGHTS))][1]
        value = step(d)
        if not 0 < value.size <= MOST or value.ndim > 5:
            continue
        d.pool.append(norm(value) if d.chance(0.15) else value)
    total = 0.0
    for value in d.pool[-4:]:
        weights = np.cos(1.0 + np.arange(value.size)).reshape(value.shape)
        total = total + np.sum(weights * value) / np.sqrt(value.size)
    return total, d.pool[-1]
