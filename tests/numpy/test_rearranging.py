"""Tiles, flips, rolls, diagonals, triangles against NumPy: values, gradients, views, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.numpy as wnp
from support import check, check_value, same, traced_value
from wengert.graph.walk import topological

V = np.array([0.3, -1.2, 2.0])
M = np.array([[1.0, -2.0, 0.5], [0.1, 3.0, -1.0]])
S = np.arange(9.0).reshape(3, 3) / 4 - 1
T = np.arange(24.0).reshape(2, 3, 4) / 7 - 1

CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "tile": (lambda x: np.tile(x, 2), (V,)),
    "tile shape": (lambda x: np.tile(x, (2, 1, 3)), (M,)),
    "tile few": (lambda x: np.tile(x, (2,)), (T,)),
    "tile none": (lambda x: np.tile(x, (0, 2)), (M,)),
    "tile scalar": (lambda x: np.tile(x, 3), (V[0],)),
    "tile once": (lambda x: np.tile(x, 1), (V,)),
    "repeat": (lambda x: np.repeat(x, 3), (M,)),
    "repeat axis": (lambda x: np.repeat(x, 2, axis=-2), (T,)),
    "repeat array": (lambda x: np.repeat(x, [2, 0, 1], axis=1), (M,)),
    "repeat listed": (lambda x: x.repeat([2], axis=0), (M,)),
    "repeat never": (lambda x: np.repeat(x, 0), (V,)),
    "repeat scalar": (lambda x: np.repeat(x, 2), (V[0],)),
    "flip": (lambda x: np.flip(x), (T,)),
    "flip axes": (lambda x: np.flip(x, (0, -1)), (T,)),
    "flip axis": (lambda x: np.flip(x, 1), (M,)),
    "fliplr": (lambda x: np.fliplr(x), (M,)),
    "flipud": (lambda x: np.flipud(x), (M,)),
    "roll": (lambda x: np.roll(x, 2), (M,)),
    "roll back": (lambda x: np.roll(x, -1, axis=0), (T,)),
    "roll axes": (lambda x: np.roll(x, (1, -5), axis=(1, 2)), (T,)),
    "roll one shift": (lambda x: np.roll(x, 1, axis=(0, 1)), (M,)),
    "roll same axis": (lambda x: np.roll(x, (1, 1), axis=(1, 1)), (M,)),
    "roll empty": (lambda x: np.roll(x, 1), (V[:0],)),
    "roll shifts": (lambda x: np.roll(x, (1, 1)), (V,)),
    "rot90": (lambda x: np.rot90(x), (M,)),
    "rot90 twice": (lambda x: np.rot90(x, 2), (M,)),
    "rot90 back": (lambda x: np.rot90(x, -1, axes=(2, 0)), (T,)),
    "rot90 round": (lambda x: np.rot90(x, 4), (M,)),
    "diagonal": (lambda x: np.diagonal(x), (M,)),
    "diagonal offset": (lambda x: x.diagonal(-1), (S,)),
    "diagonal axes": (lambda x: np.diagonal(x, 1, axis1=2, axis2=0), (T,)),
    "diagonal outside": (lambda x: np.diagonal(x, 5), (S,)),
    "tril": (lambda x: np.tril(x), (S,)),
    "tril stack": (lambda x: np.tril(x, -1), (T,)),
    "tril vector": (lambda x: np.tril(x), (V,)),
    "triu": (lambda x: np.triu(x, 1), (M,)),
    "triu vector": (lambda x: np.triu(x, k=-1), (V,)),
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient(name: str) -> None:
    f, args = CASES[name]
    check(f, *args)
    if np.size(f(*args)):
        wg.check_grads(lambda *xs: np.sin(f(*xs)), args, order=2)


@pytest.mark.parametrize("trim", ["fb", "f", "B"])
def test_trim_zeros(trim: str) -> None:
    x = np.array([0, 0, 1.5, 0, 2, 0])
    check_value(lambda x: np.trim_zeros(x, trim), x)
    check_value(lambda x: np.trim_zeros(x, trim), x * 0)
    start, stop = (2 if "f" in trim.lower() else 0), (5 if "b" in trim.lower() else 6)
    gradient = wg.grad(lambda x: np.sum(np.trim_zeros(x, trim) * 2))(x)
    np.testing.assert_array_equal(np.flatnonzero(gradient == 2), np.arange(start, stop))


def test_trim_zeros_of_matrices() -> None:
    x = np.zeros((5, 6))
    x[1:3, 2:5] = 1.0
    x[3, 3] = -2.0
    if np.lib.NumpyVersion(np.__version__) < "2.2.0":
        pytest.skip("NumPy 2.2 trims matrices")
    for axis in (None, 0, -1, (0, 1)):
        check_value(lambda x, axis=axis: np.trim_zeros(x, axis=axis), x)
    check_value(lambda x: np.trim_zeros(x), x * 0)


def test_dtype() -> None:
    for f in (
        lambda x: np.tril(x > 0),
        lambda x: np.triu((x > 0).astype(np.int8)),
        lambda x: np.roll(x.astype(np.float32), 1),
    ):
        same(traced_value(f, S)[0], f(S))


VIEWS = [
    lambda y: np.flip(y),
    lambda y: np.flip(y, 1),
    lambda y: np.fliplr(y),
    lambda y: np.flipud(y),
    lambda y: np.rot90(y),
    lambda y: np.rot90(y, 2),
    lambda y: np.rot90(y, 3),
    lambda y: np.rot90(y, 0),
    lambda y: np.trim_zeros(y[0])[None],
]


@pytest.mark.parametrize("take", VIEWS)
def test_views_pass_writes_on(take: Callable[[Any], Any]) -> None:
    def f(x: Any) -> Any:
        y = x * 1.0
        part = take(y)
        part[0] = part[0] * part[-1, ::-1]
        y[0, 1] *= 3.0
        part += 1.0
        return y, part

    check(f, S)


COPIES = [
    lambda y: np.roll(y, 0),
    lambda y: np.tile(y, 1),
    lambda y: np.repeat(y, 1, axis=0),
    lambda y: np.tril(y, 5),
]


@pytest.mark.parametrize("make", COPIES)
def test_copies_do_not(make: Callable[[Any], Any]) -> None:
    def f(x: Any) -> Any:
        y = x * 1.0
        part = make(y)
        part *= 2.0
        return y, part

    check(f, S)


def test_diagonal_is_read_only_and_follows() -> None:
    def follows(x: Any) -> Any:
        y = x * 1.0
        line = np.diagonal(y)
        y[1, 1] *= 5.0
        return line * 1.0

    check(follows, S)

    def writes(x: Any) -> Any:
        line = np.diagonal(x)
        line[0] = 1.0
        return x.sum()

    with pytest.raises(ValueError, match="read-only"):
        wg.grad(writes)(S)


def test_few_nodes() -> None:
    counts = {
        "tile": (lambda x: np.tile(x, 4), 3),
        "roll": (lambda x: np.roll(x, 1), 3),
        "flip": (lambda x: np.flip(x), 1),
        "diagonal": (lambda x: np.diag(x), 2),
        "tril": (lambda x: np.tril(x), 8),  # the places are compared, not captured as an array
    }
    for f, most in counts.values():
        sizes: list[int] = []

        def count(x: Any, f: Any = f, sizes: list[int] = sizes) -> Any:
            y = f(x)
            sizes.append(len(topological([y.node])) - 1)
            return y.sum()

        wg.grad(count)(V)
        assert sizes[0] <= most


def test_traced_counts_are_forced_and_guarded() -> None:
    @wg.jit
    def f(x: Any) -> Any:
        k = np.argmax(x)
        return np.repeat(x, k + 1).sum() + np.roll(x, k)[0]

    for x in (V, V[::-1].copy(), V):
        k = int(np.argmax(x))
        np.testing.assert_allclose(f(x), x.sum() * (k + 1) + np.roll(x, k)[0])


def test_trim_zeros_under_jit() -> None:
    f = wg.jit(lambda x: np.trim_zeros(x) ** 2)
    for x in ([0, 1, 2.0, 0], [0, 3, 4.0, 0], [1.0, 0, 0, 2.0], [0.0, 0, 0, 0]):
        np.testing.assert_array_equal(f(np.array(x)), np.trim_zeros(np.array(x)) ** 2)


ERRORS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "tile": (lambda x: np.tile(x, -1), "negative"),
    "repeat": (lambda x: np.repeat(x, -1), "negative"),
    "fliplr": (lambda x: np.fliplr(x), ">= 2-d"),
    "flipud": (lambda x: np.flipud(x[0]), ">= 1-d"),
    "roll": (lambda x: np.roll(x, [[1]], axis=0), "1D sequences"),
    "roll traced": (lambda x: np.roll(x, x), "must be known"),
    "rot90 axes": (lambda x: np.rot90(x[None], 1, (0, 0)), "must be different"),
    "rot90 range": (lambda x: np.rot90(x[None], 1, (0, 3)), "out of range"),
    "diagonal": (lambda x: np.diagonal(x), "at least two"),
    "diagonal axes": (lambda x: np.diagonal(x[None], 0, 1, 1), "cannot be the same"),
    "tril": (lambda x: np.tril(x[0]), "one dimension"),
    "trim_zeros": (lambda x: np.trim_zeros(x, "x"), "unexpected character"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    f, message = ERRORS[name]
    with pytest.raises(wg.WengertError, match=message):
        wg.grad(lambda x: np.sum(f(x)))(V)


def test_lists_of_traced_values() -> None:
    def f(x: Any) -> Any:
        return wnp.flip([x[0], x[1]])[0] * wnp.tile([x[2], 1.0], 2)[2]

    np.testing.assert_allclose(wg.grad(f)(V), [0, V[2], V[1]])
