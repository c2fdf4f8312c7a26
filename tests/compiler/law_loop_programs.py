"""Random programs with loops and branches, at several depths, on arrays of several dtypes.

A program is drawn from a seed. It runs with the loops of the library or, as the oracle, with
Python's: `Library` and `Unrolled` are its two readings. A function that a loop is given may be
traced several times, so that it draws from a seed of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import wengert as wg

SHAPES = ((), (2,), (3,), (5,), (2, 3), (3, 3), (1, 3), (2, 3, 3))
DTYPES = (np.float64, np.float64, np.float64, np.float32, np.complex128, np.int64, np.bool_)
DEPTH = 3


class Library:
    """The loops of the library."""

    scan = staticmethod(wg.scan)
    while_loop = staticmethod(wg.while_loop)
    cond = staticmethod(wg.cond)
    switch = staticmethod(wg.switch)


class Unrolled:
    """The same by Python, of which nothing remains in the graph."""

    @staticmethod
    def scan(f: Any, init: Any, xs: Any, length: int | None = None, reverse: bool = False) -> Any:
        count = len(xs[0]) if xs else length
        rows: list[Any] = [None] * count
        carry = tuple(map(wg.numpy.asarray, init))
        for t in reversed(range(count)) if reverse else range(count):
            new, rows[t] = f(carry, tuple(x[t] for x in xs))
            carry = tuple(fitted(a, b.shape, b.dtype) for a, b in zip(new, carry, strict=True))
        return carry, tuple(map(np.stack, zip(*map(_arrays, rows), strict=True)))

    @staticmethod
    def while_loop(go_on: Any, step: Any, init: Any) -> Any:
        state = tuple(map(wg.numpy.asarray, init))
        while bool(go_on(state)):
            state = step(state)
        return state

    @staticmethod
    def cond(which: Any, yes: Any, no: Any, *operands: Any) -> Any:
        return yes(*operands) if bool(which) else no(*operands)

    @staticmethod
    def switch(which: Any, branches: Sequence[Any], *operands: Any) -> Any:
        return branches[min(max(int(which), 0), len(branches) - 1)](*operands)


def _arrays(row: Any) -> tuple[Any, ...]:
    return tuple(map(wg.numpy.asarray, row))


def fitted(x: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """A value made from x, of a shape and dtype, of moderate size."""
    x = wg.numpy.asarray(x)
    kind, dtype = x.dtype.kind, np.dtype(dtype)
    if (x.shape, x.dtype) == (shape, dtype):
        return x
    if kind == "c" and dtype.kind != "c":
        x = np.real(x) + 0.5 * np.imag(x)
    if dtype.kind == "b" and kind != "b":
        x = x > 0.2371
    elif dtype.kind == "i" and kind != "i":
        x = np.floor(np.clip(3 * x, -4, 9)) if kind != "b" else x
    x = x.astype(dtype)
    if x.shape == shape:
        return x
    if dtype.kind == "b":
        return np.broadcast_to(np.any(x), shape)
    if dtype.kind == "i":
        return np.broadcast_to(np.max(x), shape)
    return np.broadcast_to(np.sum(x) / max(x.size, 1), shape)


def bounded(x: Any) -> Any:
    """An inexact value of moderate size."""
    if x.dtype.kind == "c":
        return x / (1 + np.real(x) ** 2 + np.imag(x) ** 2)
    return np.tanh(x)


class Draw:
    """A part of a program under way: what there is, and the choices."""

    def __init__(self, seed: Any, flow: Any, pool: Sequence[Any], depth: int, host: bool) -> None:
        self.rng = np.random.default_rng(seed)
        self.flow, self.depth, self.host = flow, depth, host
        self.pool = [wg.numpy.asarray(x) for x in pool]

    def of(self, items: Sequence[Any]) -> Any:
        return items[int(self.rng.integers(len(items)))]

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def seed(self) -> int:
        return int(self.rng.integers(2**62))

    def pick(self) -> Any:
        return self.of(self.pool)

    def some(self, count: int) -> list[Any]:
        return [self.pick() for _ in range(count)]

    def real(self, *shape: int) -> Any:
        return fitted(self.pick(), shape, np.float64)

    def inner(self, pool: Sequence[Any], seed: int, steps: int) -> Draw:
        """The values of a function inside this one, after some steps."""
        inside = Draw(seed, self.flow, pool, self.depth + 1, self.host)
        inside.steps(steps)
        return inside

    def steps(self, count: int) -> None:
        for _ in range(count):
            kinds = SIMPLE + (HELD if self.depth < DEPTH else ()) + (HOST if self.host else ())
            found = self.of(kinds)(self)
            self.pool += [wg.numpy.asarray(x) for x in found]


def unary(d: Draw) -> Any:
    x = d.pick()
    if x.dtype.kind == "b":
        return (np.logical_not(x),)
    if x.dtype.kind == "i":
        return (
            d.of((lambda x: x % 5, lambda x: -x, lambda x: x // 2, lambda x: np.minimum(x, 3)))(x),
        )
    if x.dtype.kind == "c":
        return (
            d.of((np.conj, np.square, lambda x: np.exp(0.1 * bounded(x)), np.negative))(bounded(x)),
        )
    functions = (
        np.sin,
        np.negative,
        np.square,
        lambda x: np.exp(-np.abs(x)),
        lambda x: np.sqrt(1 + x * x),
        lambda x: np.where(x > 0.1237, x, 0.3 * x),
        lambda x: np.where(x > 0.1237, np.log(np.maximum(x, 1e-3)), 0.0),
        lambda x: np.maximum(x, 0.1237),
    )
    return (d.of(functions)(bounded(x)),)


def binary(d: Draw) -> Any:
    x = d.pick()
    kind = d.of((x.dtype, np.float64, d.pick().dtype))
    y = fitted(d.pick(), d.of((x.shape, ())), kind)
    if {x.dtype.kind, y.dtype.kind} <= {"b"}:
        return (d.of((np.logical_and, np.logical_or, np.not_equal))(x, y),)
    if {x.dtype.kind, y.dtype.kind} <= {"b", "i"}:
        return (d.of((np.add, np.maximum, np.less, lambda x, y: (x * y) % 7))(x, y),)
    found = d.of((np.add, np.subtract, np.multiply))(x, y)
    return (bounded(found),)


def compare(d: Draw) -> Any:
    x, y = d.real(3), d.real(3)
    return (x < y + 0.0123, np.where(x < y + 0.0123, x, 2 * y))


def reduce(d: Draw) -> Any:
    x = d.pick()
    if not x.ndim or x.dtype.kind == "b":
        return (x,)
    axis = int(d.rng.integers(x.ndim))
    return (d.of((np.sum, np.mean, np.sum))(x, axis=axis) * 0.5,)


def view(d: Draw) -> Any:
    x = d.pick()
    if not x.ndim:
        return (x[None],)
    return (d.of((lambda x: x.T, lambda x: x[::-1], lambda x: x[0], lambda x: x.reshape(-1)))(x),)


def join(d: Draw) -> Any:
    x = d.real(2)
    return (np.concatenate([x, d.real(3)]), np.stack([x, 2 * x]))


def gather(d: Draw) -> Any:
    """With an index that the program computes."""
    x = d.pick()
    if not x.ndim:
        return (x,)
    at = fitted(d.pick(), d.of(((), (2,), (3,))), np.int64) % x.shape[0]
    if d.chance(0.3):
        at = at - x.shape[0]
    return (wg.numpy.take(x, at, axis=0),)


def write(d: Draw) -> Any:
    """In-place updates at computed places."""
    y = wg.numpy.zeros(3)
    y[:] = d.real(3)
    at = fitted(d.pick(), (), np.int64) % 3
    y[at] = d.real()
    y[1:] *= 0.5
    return (y,)


def matrix(d: Draw) -> Any:
    n = d.of((1, 2, 3, 5))
    stack = d.of(((), (), (2,)))
    A = 0.2 * np.tanh(d.real(*stack, n, n)) + 0.1 * np.tanh(d.real(n, n)).T + 3 * np.eye(n)
    b = d.real(n)
    which = int(d.rng.integers(6))
    if which == 0:
        return (np.linalg.solve(A, np.broadcast_to(b[:, None], (*stack, n, 1)))[..., 0],)
    if which == 1:
        return (np.linalg.cholesky(A @ np.swapaxes(A, -1, -2)) * 0.3,)
    if which == 2:
        return (np.linalg.inv(A),)
    if which == 3:
        return (np.linalg.det(A) / 3.0**n,)
    if which == 4:
        return (np.linalg.slogdet(A)[1],)
    return (A @ b * 0.2, np.einsum("i,j->ij", b, b))


def literal(d: Draw) -> Any:
    return (wg.numpy.asarray(d.of((0.0, 1.0, np.zeros(3), np.arange(3), True, 1j, np.eye(3)))),)


SIMPLE: tuple[Callable[[Draw], Any], ...] = (
    *(unary, unary, binary, binary, compare, reduce, view),
    *(join, gather, write, matrix, literal),
)


def scan(d: Draw) -> Any:
    """Several carries and rows; among the results carries, rows, what is outside, literals, and the
    same value twice."""
    length = d.of((1, 2, 3, 4, 6))
    start = d.some(int(d.rng.integers(0, 4)))
    rows = [np.broadcast_to(x, (length, *x.shape)) for x in d.some(int(d.rng.integers(0, 3)))]
    rows = [x * np.linspace(0.5, 1, length).reshape(-1, *(1,) * (x.ndim - 1)) for x in rows]
    rows += [x for x in d.pool if x.ndim and x.shape[0] == length][-2:]
    seed, steps, reverse = d.seed(), int(d.rng.integers(1, 4)), d.chance(0.4)
    outside = d.pool[-4:]
    passed = [d.chance(0.15) for _ in start]

    def step(carry: Any, x: Any) -> Any:
        inside = d.inner([*outside, *carry, *x], seed, steps)
        new = [
            c if same else fitted(inside.pick(), c.shape, c.dtype)
            for c, same in zip(carry, passed, strict=True)
        ]
        ys = inside.some(int(inside.rng.integers(0, 4)))
        if inside.chance(0.2):
            ys += [ys[0] if ys else wg.numpy.asarray(1.5), *x[:1]]
        return tuple(new), tuple(ys)

    last, ys = d.flow.scan(step, tuple(start), tuple(rows), length=length, reverse=reverse)
    return [y for y in (*last, *ys) if y.size < 60]


def repeat(d: Draw) -> Any:
    """A number of steps that the program computes, none too."""
    limit = fitted(d.pick(), (), np.int64) % d.of((1, 4, 8))
    start = d.some(int(d.rng.integers(1, 4)))
    seed, steps = d.seed(), int(d.rng.integers(1, 5))
    outside = d.pool[-4:]
    far = d.real()

    def go_on(state: Any) -> Any:
        return np.logical_and(state[0] < limit, fitted(state[-1], (), np.float64) < 40 + far)

    def step(state: Any) -> Any:
        inside = d.inner([*outside, *state], seed, steps)
        new = [
            fitted(x, s.shape, s.dtype)
            for x, s in zip(inside.some(len(start)), state[1:], strict=True)
        ]
        return (state[0] + 1, *new)

    return d.flow.while_loop(go_on, step, (np.int64(0), *start))


def branch(d: Draw) -> Any:
    """cond and switch, with operands and without."""
    given = d.some(int(d.rng.integers(0, 3)))
    kinds = [(x.shape, x.dtype) for x in d.some(int(d.rng.integers(1, 3)))]
    outside = d.pool[-3:]

    def one(seed: int) -> Callable[..., Any]:
        def run(*operands: Any) -> Any:
            inside = d.inner([*outside, *operands], seed, int(seed % 3))
            return tuple(fitted(inside.pick(), *kind) for kind in kinds)

        return run

    seeds = [d.seed() for _ in range(d.of((2, 2, 3)))]
    if len(seeds) == 2:
        which = fitted(d.pick(), (), np.bool_)
        return d.flow.cond(which, one(seeds[0]), one(seeds[1]), *given)
    which = fitted(d.pick(), (), np.int64) % 5 - 1
    return d.flow.switch(which, [one(seed) for seed in seeds], *given)


HELD: tuple[Callable[[Draw], Any], ...] = (scan, scan, scan, repeat, repeat, branch, branch)


def host(d: Draw) -> Any:
    """What has no native rule."""
    x = d.real(5) + np.linspace(0, 1, 5)
    return (
        d.of(
            (np.sort, lambda x: np.linalg.svd(np.outer(x, x) + np.diag(np.arange(5.0)))[1], np.sinc)
        )(x),
    )


HOST: tuple[Callable[[Draw], Any], ...] = (host,)


def arguments(seed: int) -> tuple[Any, ...]:
    rng = np.random.default_rng([seed, 1])
    return (
        np.float64(rng.normal()),
        rng.normal(size=3),
        rng.normal(size=(2, 3)),
        rng.normal(size=3).astype(np.float32),
        rng.normal(size=2) + 1j * rng.normal(size=2),
        rng.integers(-3, 9, 4),
        rng.random(3) < 0.5,
    )


def program(seed: int, flow: Any = Library) -> Callable[..., Any]:
    """The function of a seed, which returns a few arrays."""

    def run(*args: Any) -> Any:
        d = Draw(seed, flow, args, 0, seed % 5 == 0)
        d.steps(int(d.rng.integers(1, 4)))
        for kind in [d.of(HELD) for _ in range(int(d.rng.integers(1, 4)))]:
            d.pool += [wg.numpy.asarray(x) for x in kind(d)]
        d.steps(2)
        return tuple(d.pool[len(args) :][-6:])

    return run


def total(f: Callable[..., Any]) -> Callable[..., Any]:
    """A real number that rests on all inexact results."""

    def run(*args: Any) -> Any:
        found = 0.0
        for k, y in enumerate(f(*args)):
            if y.dtype.kind in "fc":
                found = found + np.sum(np.real(y * np.float32(1 + 0.25 * k)))
        return found

    return run
