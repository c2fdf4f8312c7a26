"""Arrays as sets against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.numpy as wnp
from support import check, check_value, leaves, same

V = np.array([2.0, 0.5, 2.0, -1.0, 0.5, 3.0])
M = np.array([[1.0, 2.0, 1.0], [0.0, 5.0, 0.0], [1.0, 2.0, 1.0], [0.0, 4.0, 0.0]])
D = np.array([2.0, 0.5, -1.0, 3.0])
NAN = np.array([np.nan, 1.0, np.nan, 1.0])

VALUES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "unique": (lambda x: np.unique(x), (V,)),
    "unique with all": (lambda x: np.unique(x, True, True, True), (V,)),
    "unique of a matrix": (lambda x: np.unique(x, return_inverse=True), (M,)),
    "unique rows": (lambda x: np.unique(x, True, True, True, axis=0), (M,)),
    "unique columns": (lambda x: np.unique(x, True, True, True, axis=-1), (M,)),
    "unique along a line": (lambda x: np.unique(x, return_inverse=True, axis=0), (V,)),
    "unique NaN": (lambda x: np.unique(x, return_counts=True), (NAN,)),
    "unique distinct NaN": (lambda x: np.unique(x, equal_nan=False), (NAN,)),
    "unique complex": (lambda x: np.unique(x * (1 + 1j)), (V,)),
    "unique of nothing": (lambda x: np.unique(x, True, True, True), (V[:0],)),
    "unique of booleans": (lambda x: np.unique(x > 1), (V,)),
    "unique_all": (lambda x: tuple(np.unique_all(x)), (V,)),
    "unique_counts": (lambda x: tuple(np.unique_counts(x)), (NAN,)),
    "unique_inverse": (lambda x: tuple(np.unique_inverse(x)), (M,)),
    "unique_values": (lambda x: np.sort(np.unique_values(x)), (V,)),
    "isin": (lambda x: np.isin(x, [0.5, 3.0, 7.0]), (V,)),
    "isin traced": (lambda x, y: np.isin(x, y, invert=True), (M, V)),
    "isin nothing": (lambda x: np.isin(x, []), (V,)),
    "isin NaN": (lambda x: np.isin(x, [np.nan, 1.0]), (NAN,)),
    "union1d": (lambda x, y: np.union1d(x, y), (V, M)),
    "intersect1d": (lambda x, y: np.intersect1d(x, y), (V, M)),
    "intersect1d places": (lambda x, y: np.intersect1d(x, y, return_indices=True), (V, M)),
    "intersect1d unique": (
        lambda x, y: np.intersect1d(x, y, assume_unique=True, return_indices=True),
        (D, D[1:] + 0),
    ),
    "setdiff1d": (lambda x, y: np.setdiff1d(x, y), (V, M)),
    "setdiff1d unique": (lambda x: np.setdiff1d(x, [0.5, 9.0], assume_unique=True), (D,)),
    "setxor1d": (lambda x, y: np.setxor1d(x, y), (V, M)),
    "setxor1d of nothing": (lambda x: np.setxor1d(x, []), (V[:0],)),
}


@pytest.mark.parametrize("name", VALUES)
def test_value(name: str) -> None:
    f, args = VALUES[name]
    check_value(f, *args)


GRADIENTS: dict[str, Callable[..., Any]] = {
    "unique": lambda x: np.unique(x),
    "unique rows": lambda x: np.unique(x.reshape(2, 2), axis=0),
    "union1d": lambda x: np.union1d(x, [7.0, 8.0]),
    "setdiff1d": lambda x: np.setdiff1d(x, [7.0]),
    "setxor1d": lambda x: np.setxor1d(x, [7.0]),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient_of_distinct_values(name: str) -> None:
    f = GRADIENTS[name]
    check(f, D)
    wg.check_grads(lambda x: np.sin(f(x)), (D,), order=2)


def test_the_first_of_equal_values_has_the_derivative() -> None:
    gradient = wg.grad(lambda x: np.sum(np.unique(x) * [1.0, 2.0, 3.0, 4.0]))(V)
    np.testing.assert_array_equal(gradient, [3, 2, 0, 1, 0, 4])
    common = wg.grad(lambda x: np.sum(np.intersect1d(x, [2.0, 3.0])))(V)
    np.testing.assert_array_equal(common, [1, 0, 0, 0, 0, 1])


def test_named_results() -> None:
    def f(x: Any) -> Any:
        result = np.unique_all(x)
        assert result._fields == ("values", "indices", "inverse_indices", "counts")
        return np.sum(result.values)

    wg.grad(f)(V)


def test_under_jit() -> None:
    f = wg.jit(lambda x: np.unique(x, return_inverse=True, return_counts=True))
    for x in (V, V[::-1].copy(), np.arange(6.0), V * 0):
        for ours, numpys in zip(
            leaves(f(x)), np.unique(x, return_inverse=True, return_counts=True), strict=True
        ):
            same(ours, numpys)


def test_plain_and_traced() -> None:
    def f(x: Any) -> Any:
        return np.sum(wnp.isin([1.0, 2.0], x) * x[0]) + np.sum(wnp.setdiff1d([9.0, 2.0], x) * x[1])

    np.testing.assert_array_equal(wg.grad(f)(V), [1, 9, 0, 0, 0, 0])
