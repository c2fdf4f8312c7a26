"""Loops and branches in machine code: memory that they share, and what happens where they fail."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import optree
import pytest

import wengert as wg
from support import interpreted

RNG = np.random.default_rng(0)


def check(f: Callable[..., Any], *args: Any, rtol: float = 1e-11) -> None:
    """Machine code gives what the interpreter gives."""
    jitted = wg.jit(f)
    found = [jitted(*args) for _ in range(2)][1]
    with interpreted():
        expected = wg.jit(f)(*args)
    for ours, theirs in zip(optree.tree_leaves(found), optree.tree_leaves(expected), strict=True):
        assert np.shape(ours) == np.shape(theirs)
        assert np.asarray(ours).dtype == np.asarray(theirs).dtype
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)


# ---------------------------------------------------------------------- memory that loops share


def two_columns(x: Any) -> Any:
    """Two results of each step, which lie together where other loops alone read them."""
    return wg.scan(lambda c, row: (c + np.sum(row), (np.sin(row) * c, np.cos(row) + c)), 0.0, x)[1]


def read(columns: Any, like: Any, reverse: bool = False) -> Any:
    return wg.scan(
        lambda c, row: (c * 0.5 + row[0] * row[1], c), np.zeros(like), columns, reverse=reverse
    )


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    "view",
    [
        lambda y: y,
        lambda y: y.reshape(12, 2),
        lambda y: y.reshape(3, 8),
        lambda y: y[:4],
        lambda y: y[2:],
        lambda y: y[::-1],
        lambda y: y.T,
        lambda y: y.reshape(24, 1),
    ],
)
def test_rows_are_read_at_another_length(view: Callable[..., Any], reverse: bool) -> None:
    def f(x: Any) -> Any:
        y, z = two_columns(x)
        return read((view(y), view(z)), view(y).shape[1:], reverse)

    check(f, RNG.normal(size=(6, 4)))
    check(wg.grad(lambda x: np.sum(f(x)[0])), RNG.normal(size=(6, 4)))


def test_columns_are_read_in_several_ways() -> None:
    def f(x: Any) -> Any:
        y, z = two_columns(x)
        _, first = read((y, z), (4,))
        _, second = read((z, y), (4,), True)
        total, _ = wg.scan(lambda c, row: (c + row @ z[0], None), 0.0, y)
        return first + second, total, np.sum(y)

    check(f, RNG.normal(size=(6, 4)))


@pytest.mark.parametrize("function", [np.linalg.cholesky, np.linalg.inv, np.linalg.det])
def test_the_first_matrices_of_a_stack(function: Callable[..., Any]) -> None:
    A = RNG.normal(size=(6, 3, 3))
    A = A @ A.swapaxes(1, 2) + np.eye(3)
    check(lambda A: function(A[:4]), A)
    check(lambda A: function((2 * A)[:4]), A)
    check(lambda A, b: np.linalg.solve(A[:4], b[:4]), A, RNG.normal(size=(5, 3, 2)))


# ---------------------------------------------------------------------------- what fails


def doubled(go_on: Callable[..., Any], step: Callable[..., Any], start: Any = 1.0) -> Any:
    return wg.while_loop(go_on, step, start)


def never(v: Any) -> Any:
    return np.logical_not(v > 10)


AWAY: list[Callable[..., Any]] = [
    lambda x, i: wg.while_loop(never, lambda v: v * x[i], 1.0),
    lambda x, i: (lambda y: wg.while_loop(never, lambda v: v * y, 1.0))(x[i]),
    lambda x, i: wg.while_loop(lambda v: np.logical_not(v > 10 + 0 * x[i]), lambda v: v * 0.5, 1.0),
    lambda x, i: wg.cond(
        x[i] > 0, lambda: wg.while_loop(never, lambda v: v * x[i], 1.0), lambda: 1.0
    ),
    lambda x, i: wg.scan(
        lambda c, k: (wg.while_loop(never, lambda v: v * x[i + k], c), None), 1.0, np.arange(3)
    )[0],
]


@pytest.mark.parametrize("f", AWAY)
def test_a_loop_ends_where_an_index_is_out_of_range(f: Callable[..., Any]) -> None:
    """The element that is read in its stead would keep the loop going for ever."""
    jitted = wg.jit(f)
    x = np.array([2.0, 4.0, 2.0, 0.5])
    if f is not AWAY[2]:
        assert jitted(x, 0) > 10
    for _ in range(2):
        with pytest.raises(IndexError):
            jitted(x, 4)


def test_a_loop_ends_where_a_matrix_is_singular() -> None:
    def f(A: Any) -> Any:
        return wg.while_loop(
            lambda v: np.logical_not(v[0] > 10), lambda v: np.linalg.solve(A, v), np.ones(2)
        )

    jitted = wg.jit(f)
    np.testing.assert_allclose(jitted(np.eye(2) / 2), [16, 16])
    for _ in range(2):
        with pytest.raises(np.linalg.LinAlgError):
            jitted(np.zeros((2, 2)))


def test_what_fails_in_one_step_fails_the_loop() -> None:
    def f(x: Any, at: Any) -> Any:
        return wg.scan(lambda c, i: (c + x[i], c * x[i]), 0.0, at)

    jitted = wg.jit(wg.value_and_grad(lambda x, at: np.sum(f(x, at)[1])))
    x = np.arange(5.0)
    jitted(x, np.array([0, 4, -5]))
    for wrong in ([5, 0, 0], [0, -6, 0], [0, 0, 5]):
        with pytest.raises(IndexError):
            jitted(x, np.array(wrong))
    check(f, x, np.array([3, 1, -1]))


def test_factors_of_steps_that_did_not_run_are_not_read() -> None:
    """A loop that fails leaves no pivots, and rows are exchanged by these."""

    def f(A: Any, at: Any) -> Any:
        def step(c: Any, i: Any) -> Any:
            return c + A[i][0, 0], np.linalg.inv(A[i])

        total, inverses = wg.scan(step, 0.0, at)
        return total + np.sum(np.linalg.inv(inverses))

    A = RNG.normal(size=(4, 3, 3))
    jitted = wg.jit(wg.grad(f))
    jitted(A, np.array([0, 1, 2]))
    with pytest.raises(IndexError):
        jitted(A, np.array([4, 1, 2]))


# ------------------------------------------------------------------------------ other paths


@pytest.mark.parametrize("native", [True, False])
def test_a_loop_of_another_path_is_not_run(native: bool) -> None:
    """It might never end."""

    def grown(a: Any) -> Any:
        return wg.while_loop(lambda v: v < 100, lambda v: v * (1 + a), 1.0)

    def f(a: Any, x: Any) -> Any:
        if a > 0:
            first = grown(a)
            if first + x > 150:
                return wg.scan(lambda c, _: (c + grown(a - x), None), first, length=2)[0]
            return first
        return a * 0.0

    def check_all() -> None:
        jitted = wg.jit(f)
        assert jitted(1.0, 0.0) == 128
        assert jitted(-0.5, 0.0) == 0
        assert jitted(101.0, 100.0) == 102 + 2 * 128
        assert jitted(1.0, 3.0) == 128
        assert jitted(-0.5, 0.0) == 0
        assert jitted(101.0, 100.0) == 102 + 2 * 128

    if native:
        check_all()
    else:
        with interpreted():
            check_all()


def test_functions_of_loops_in_loops_have_names_of_their_own() -> None:
    """What loops at several depths call is written once for each of them."""

    def inner(c: Any, a: float) -> Any:
        for k in range(8):
            c = np.arctan2(c + 0.1 * k, a) + np.power(np.abs(c) + 1, a * 0.1) * 0.01
        return c

    def level(depth: int, c: Any, a: float) -> Any:
        if depth == 0:
            return inner(c, a)

        def step(c: Any, _: Any) -> Any:
            return level(depth - 1, level(depth - 1, c, a) * 0.5, a + 1), None

        return wg.scan(step, c, length=2)[0]

    check(lambda x: level(1, level(3, x, 0.7) * 0.3, 1.3) + level(2, x, 0.3), np.float64(0.3))


# -------------------------------------------------------------------------------- no steps


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_loop_without_steps_gives_what_it_is_given(steps: int) -> None:
    """Though no step hands on a derivative."""

    def f(x: Any, n: Any) -> Any:
        return wg.while_loop(lambda s: s[0] < n, lambda s: (s[0] + 1, 5.0), (0, 3 * x))[1]

    expected = 3.0 if steps == 0 else 0.0
    for run in (wg.grad(f), wg.jit(wg.grad(f)), wg.jacfwd(f)):
        assert run(1.0, steps) == expected
    several = wg.vmap(wg.grad(f))(np.ones(3), np.array([0, 2, 0]))
    np.testing.assert_array_equal(several, [3, 0, 3])


# ------------------------------------------------------------------------- computed places


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.bool_, np.complex128])
def test_writes_at_a_place_or_two_are_machine_code(dtype: Any) -> None:
    def f(x: Any, i: Any, j: Any) -> Any:
        y, z = wg.numpy.zeros((4, 3), dtype), wg.numpy.zeros(5, dtype)
        y[:] = x[:3]
        z[:] = x
        y[i] = x[1]
        z[np.stack([i, j])] = x[:2]
        z[j] += x[4]
        return y, z

    x = RNG.normal(size=5).round(1).astype(dtype)
    for i, j in ((0, 1), (3, 3), (-1, 2), (-4, 0)):
        check(f, x, i, j)
        expected = np.array(x)
        expected[[i, j]] = x[:2]
        expected[j] += x[4]
        np.testing.assert_array_equal(wg.jit(f)(x, i, j)[1], expected)
    assert not wg.trace(f, x, 0, 1).host_calls
    with pytest.raises(IndexError):
        wg.jit(f)(x, 4, 0)


def test_a_loop_that_writes_an_element_a_step_is_machine_code() -> None:
    def f(x: Any) -> Any:
        def step(i: Any, y: Any) -> Any:
            y[i] = np.sin(y[i - 1]) * x[i]
            return y

        y = wg.numpy.zeros(6)
        y[0] = x[0]
        return np.sum(wg.fori_loop(1, 6, step, y) ** 2)

    x = RNG.normal(size=6)
    made = wg.value_and_grad(f)
    check(made, x)
    assert not wg.trace(made, x).host_calls

    def unrolled(x: Any) -> Any:
        y = [x[0]]
        for k in range(1, 6):
            y.append(np.sin(y[-1]) * x[k])
        return np.sum(np.stack(y) ** 2)

    np.testing.assert_allclose(made(x)[1], wg.grad(unrolled)(x), rtol=1e-12)
    check(wg.hessian(f), x)


# --------------------------------------------------------------------------------- memory


def taken(x: Any, n: Any) -> Any:
    return wg.while_loop(
        lambda s: s[0] < n, lambda s: (s[0] + 1, np.sin(s[1]) * x + 0.1 * s[1]), (0, x)
    )[1]


@pytest.mark.parametrize("steps", [0, 1, 63, 64, 65, 129])
def test_tapes_grow(steps: int) -> None:
    def unrolled(x: Any) -> Any:
        v = x
        for _ in range(steps):
            v = np.sin(v) * x + 0.1 * v
        return v

    found, expected = wg.jit(wg.grad(taken))(0.7, steps), wg.grad(unrolled)(0.7)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_tapes_are_freed() -> None:
    """Those of calls that fail too."""

    def f(x: Any, n: Any) -> Any:
        return wg.while_loop(
            lambda s: s[0] < n, lambda s: (s[0] + 1, np.sin(s[1] * x[s[0]])), (0, x[0])
        )[1]

    jitted, fails, x = wg.jit(wg.grad(taken)), wg.jit(wg.grad(f)), np.linspace(0.5, 1, 2000)
    jitted(0.7, 2000)
    fails(x, 2000)
    path = next(iter(fails._paths._held.values()))[0][0]
    assert path.native is not None
    before = resident()
    for _ in range(2_000):
        jitted(0.7, 2000)
        assert path._run_native([x, np.asarray(2001)]) is None
    assert resident() - before < 20e6  # 64 MB would be lost of either


def test_threads_run_one_loop() -> None:
    def f(x: Any) -> Any:
        return np.sum(wg.scan(lambda c, row: (np.sin(c) * 0.5 + row, c), x[0], x)[1] ** 2)

    jitted, x = wg.jit(wg.grad(f)), RNG.normal(size=(50, 300))
    expected = jitted(x)
    wrong: list[Any] = []

    def run() -> None:
        for _ in range(50):
            if not np.array_equal(jitted(x), expected):
                wrong.append(1)
            if jitted_tape(0.7, 100) != of_tape:
                wrong.append(2)

    jitted_tape = wg.jit(wg.grad(taken))
    of_tape = jitted_tape(0.7, 100)
    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
