"""What a program with loops and branches must do: what the same program does written in Python.

A program is a function of a flow, which has `scan`, `while_loop`, `cond` and their kin, and of
arrays. With `wengert` as the flow they are operations of the graph; with `Unrolled` they are
Python's own loops and branches, which a trace follows step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from itertools import chain, combinations
from typing import Any

import numpy as np
import optree

import wengert as wg

Program = Callable[..., Any]


class Unrolled:
    """Structured control flow in plain Python."""

    @staticmethod
    def scan(
        f: Any, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False
    ) -> Any:
        leaves = optree.tree_leaves(xs)
        count = leaves[0].shape[0] if leaves else length
        ys: list[Any] = [None] * count
        carry = init
        for t in reversed(range(count)) if reverse else range(count):
            carry, y = f(carry, optree.tree_map(lambda x, t=t: x[t], xs))
            ys[t] = optree.tree_map(copy, y)  # which the next step may overwrite
        return carry, _stacked(ys)

    @staticmethod
    def while_loop(holds: Any, body: Any, init: Any) -> Any:
        value = init
        while holds(value):
            value = body(value)
        return value

    @staticmethod
    def fori_loop(lower: Any, upper: Any, body: Any, init: Any) -> Any:
        value = init
        for i in range(int(lower), int(upper)):
            value = body(i, value)
        return value

    @staticmethod
    def cond(pred: Any, yes: Any, no: Any, *operands: Any) -> Any:
        return yes(*operands) if pred else no(*operands)

    @staticmethod
    def switch(index: Any, branches: Sequence[Any], *operands: Any) -> Any:
        return branches[min(max(int(index), 0), len(branches) - 1)](*operands)

    @staticmethod
    def checkpoint(f: Any) -> Any:
        return f

    @staticmethod
    def map(f: Any, xs: Any) -> Any:
        return Unrolled.scan(lambda _, x: (None, f(x)), None, xs)[1]


def _stacked(ys: Sequence[Any]) -> Any:
    if not ys:
        return None
    return optree.tree_map(lambda *parts: np.stack([wg.numpy.asarray(p) for p in parts]), *ys)


def floats(args: Sequence[Any]) -> tuple[int, ...]:
    """The positions of the arguments that have derivatives."""
    return tuple(k for k, a in enumerate(args) if np.asarray(a).dtype.kind in "fc")


def scalar(flow: Any, program: Program) -> Program:
    """A real scalar of all floating results of a program."""

    def f(*args: Any) -> Any:
        total: Any = 0.0
        for k, leaf in enumerate(optree.tree_leaves(program(flow, *args))):
            if getattr(leaf, "dtype", np.dtype(np.int64)).kind in "fc":
                weights = np.cos(0.5 + k + np.arange(leaf.size)).reshape(leaf.shape)
                value = leaf if leaf.dtype.kind == "f" else leaf * (1 - 0.5j)
                total = total + np.sum(weights.astype(leaf.real.dtype) * np.real(value))
        return total

    return f


def alike(ours: Any, theirs: Any, rtol: float, what: str) -> None:
    """Two structures of arrays agree in shapes, dtypes and values."""
    found, expected = optree.tree_flatten(ours), optree.tree_flatten(theirs)
    assert found[1] == expected[1], f"{what}: {found[1]}, not {expected[1]}"
    for a, b in zip(found[0], expected[0], strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape, f"{what}: shape {a.shape}, not {b.shape}"
        assert a.dtype == b.dtype, f"{what}: dtype {a.dtype}, not {b.dtype}"
        size = np.max(np.abs(b), initial=1.0)
        np.testing.assert_allclose(a, b, rtol=0, atol=rtol * size, err_msg=what)


def directions(args: Sequence[Any], wrt: Sequence[int], seed: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)

    def one(a: Any) -> Any:
        a = np.asarray(a)
        t = rng.uniform(-1, 1, a.shape)
        return (t + 1j * rng.uniform(-1, 1, a.shape) if a.dtype.kind == "c" else t).astype(a.dtype)

    return tuple(one(args[k])[()] for k in wrt)


def pair(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """Σ re(a b): without conjugates, as `grad` has it."""
    total: Any = 0.0
    for x, y in zip(a, b, strict=True):
        total = total + np.sum(np.real(x * y))
    return total


def derivatives(f: Program, args: Sequence[Any], order: int = 3) -> Iterator[tuple[str, Any]]:
    """Every derivative of a real scalar function up to an order, by all combinations of modes."""
    wrt = floats(args)
    if not wrt:
        return
    t, u, v = (directions(args, wrt, k) for k in (1, 2, 3))

    def of(g: Program) -> Program:
        """g as a function of the differentiated arguments alone."""

        def h(*inner: Any) -> Any:
            whole = list(args)
            for k, a in zip(wrt, inner, strict=True):
                whole[k] = a
            return g(*whole)

        return h

    def forward(g: Program, d: Any) -> Program:
        return lambda *inner: wg.jvp(g, inner, d)[1]

    def reverse(g: Program, d: Any) -> Program:
        return lambda *inner: pair(wg.grad(g, tuple(range(len(wrt))))(*inner), d)

    g = of(f)
    at = tuple(args[k] for k in wrt)
    yield "grad", wg.grad(g, tuple(range(len(wrt))))(*at)
    yield "jvp", forward(g, t)(*at)
    if order > 1:
        for first in (forward, reverse):
            for second in (forward, reverse):
                name = f"{second.__name__} over {first.__name__}"
                yield name, second(first(g, t), u)(*at)
    if order > 2:
        yield "third, reverse", reverse(reverse(reverse(g, t), u), v)(*at)
        yield "third, mixed", forward(reverse(forward(g, t), u), v)(*at)


def check_program(
    program: Program,
    *args: Any,
    order: int = 3,
    rtol: float = 1e-12,
    jit: bool = True,
    unrolled: Program | None = None,
) -> None:
    """Value and derivatives as the same program written in Python has them; jit changes nothing."""
    expected = (unrolled or program)(Unrolled, *args)
    expected = optree.tree_map(np.asarray, expected)
    alike(program(wg, *args), expected, rtol, "value")
    if jit:
        compiled = wg.jit(lambda *inner: program(wg, *inner))
        for _ in range(2):
            alike(compiled(*args), expected, rtol, "value under jit")
    ours, theirs = scalar(wg, program), scalar(Unrolled, unrolled or program)
    pairs = zip(derivatives(ours, args, order), derivatives(theirs, args, order), strict=True)
    for (what, a), (_, b) in pairs:
        alike(a, b, 10 * rtol, what)
    wrt = floats(args)
    if jit and wrt:
        a = wg.jit(wg.grad(ours, wrt))(*args)
        alike(a, wg.grad(theirs, wrt)(*args), 10 * rtol, "grad under jit")


def subsets(count: int) -> Iterator[tuple[int, ...]]:
    """Every nonempty subset of the arguments."""
    return chain.from_iterable(combinations(range(count), n) for n in range(1, count + 1))


def check_vmap(
    program: Program, *batches: Any, rtol: float = 1e-12, order: int = 1, both: bool = True
) -> None:
    """vmap is the program on each instance, by every subset of the arguments; so are the gradient
    under vmap, and the gradient of what vmap gives.

    batches: the arguments with an axis of instances in front.
    """
    size = len(batches[0])
    f = scalar(wg, program)

    def picked(chosen: tuple[int, ...], k: int) -> list[Any]:
        return [b[k] if i in chosen else b[0] for i, b in enumerate(batches)]

    for chosen in subsets(len(batches)):
        axes = tuple(0 if i in chosen else None for i in range(len(batches)))
        args = [b if i in chosen else b[0] for i, b in enumerate(batches)]
        rows = [program(wg, *picked(chosen, k)) for k in range(size)]
        expected = optree.tree_map(lambda *leaves: np.stack(leaves), *rows)
        mapped = wg.vmap(lambda *inner: program(wg, *inner), axes)
        alike(mapped(*args), expected, rtol, f"vmap over {chosen}")
        wrt = floats(picked(chosen, 0))
        if not wrt:
            continue
        slopes = [wg.grad(f, wrt)(*picked(chosen, k)) for k in range(size)]
        inside = tuple(np.stack([s[i] for s in slopes]) for i in range(len(wrt)))
        alike(wg.vmap(wg.grad(f, wrt), axes)(*args), inside, rtol, f"vmap of grad over {chosen}")
        if order > 1:
            _second_under_vmap(f, args, axes, wrt, [picked(chosen, k) for k in range(size)], rtol)
        if both:
            weights = np.cos(np.arange(size))
            total = wg.grad(_weighed(wg.vmap(f, axes), weights), wrt)(*args)
            summed = tuple(
                np.asarray(a * weights.reshape(-1, *[1] * (a.ndim - 1)))
                if wrt[i] in chosen
                else np.tensordot(weights, a, 1)
                for i, a in enumerate(inside)
            )
            alike(total, summed, rtol, f"grad of vmap over {chosen}")


def _weighed(f: Program, weights: Any) -> Program:
    return lambda *args: np.sum(weights * f(*args))


def _second_under_vmap(
    f: Program, args: Any, axes: Any, wrt: Any, rows: Sequence[Any], rtol: float
) -> None:
    t = directions(rows[0], wrt, 5)

    def second(*inner: Any) -> Any:
        return wg.grad(lambda *a: pair(wg.grad(f, wrt)(*a), t), wrt)(*inner)

    each = [second(*row) for row in rows]
    expected = tuple(np.stack([e[i] for e in each]) for i in range(len(wrt)))
    alike(wg.vmap(second, axes)(*args), expected, rtol, "second order under vmap")
