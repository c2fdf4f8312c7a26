"""Sorting, partitions and searches, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from support import check, check_value, traced_value
from wengert.derivatives.gradients import grad

RNG = np.random.default_rng(2)
X = RNG.permutation(24).reshape(2, 3, 4) / 10 + RNG.uniform(0, 0.01, (2, 3, 4))
V = RNG.permutation(40) / 7
REPEATED = np.array([2.0, 1.0, 2.0, 0.0, 1.0, np.nan, 2.0])


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_sort(axis: Any) -> None:
    check(lambda x: np.sort(x, axis=axis), X)
    check_value(lambda x: np.argsort(x, axis=axis), X)


def test_sort_kinds() -> None:
    check_value(lambda x: np.sort(x), REPEATED)
    check_value(lambda x: np.sort(x, stable=True), REPEATED)
    for kind in ("stable", "quicksort", "heapsort", "mergesort"):
        check_value(lambda x, k=kind: np.argsort(x, kind=k), np.repeat(V, 2))
    check_value(lambda x: x.argsort(), V)
    check_value(lambda x: np.sort((x > 1).astype(np.int8)), V)
    with pytest.raises(ValueError, match="same time"):
        traced_value(lambda x: np.sort(x, kind="stable", stable=True), V)
    with pytest.raises(ValueError, match="sort kind"):
        traced_value(lambda x: np.sort(x, kind="bogus"), V)
    with pytest.raises(NotImplementedError, match="order="):
        traced_value(lambda x: np.sort(x, order="f"), V)


def test_sort_complex() -> None:
    z = V[:6] + 1j * V[6:12]
    check(lambda z: np.sort(z), z)
    check(lambda z: np.sort_complex(z), z)
    check_value(lambda x: np.sort_complex(x), V)
    check_value(lambda x: np.sort_complex(x.astype(np.int16)), V)


def test_sort_in_place() -> None:
    def run(x: Any) -> Any:
        y = x * 1
        row = y[0]
        assert row.sort() is None
        y.sort(axis=1)
        return y, row

    check(run, X)


def test_partition() -> None:
    k = [3, 10]
    ours = traced_value(lambda x: np.partition(x, k), V)[0]
    np.testing.assert_array_equal(np.sort(ours), np.sort(V))
    np.testing.assert_array_equal(ours[k], np.sort(V)[k])
    assert ours[:3].max() < ours[3] <= ours[4:10].min()
    check(lambda x: np.partition(x, 5)[5], V)
    check(lambda x: np.partition(x, -2, axis=1)[:, -2], X)
    check(lambda x: x[np.argpartition(x, 4)][4], V)
    check(lambda x: np.partition(x, 4, axis=None)[4], X)

    def in_place(x: Any) -> Any:
        y = x + 0
        y.partition(7)
        return y[7]

    check(in_place, V)
    check_value(lambda z: np.partition(z, 2)[2], V + 1j)
    with pytest.raises(ValueError, match="out of bounds"):
        traced_value(lambda x: np.partition(x, 40), V)
    with pytest.raises(ValueError, match="introselect"):
        traced_value(lambda x: np.partition(x, 4, kind="bogus"), V)


def test_lexsort() -> None:
    second = (V * 3) // 4
    check_value(lambda x: np.lexsort((x, second)), V)
    check_value(lambda x: np.lexsort((x[0], np.floor(x[1])), axis=0), X)
    check_value(lambda x: np.lexsort(x, axis=-1), X)
    with pytest.raises(ValueError, match="same shape"):
        traced_value(lambda x: np.lexsort((x, x[:3])), V)


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(side: Any) -> None:
    line = np.sort(V)
    wanted = np.array([[0.0, 3.1], [line[4], 99.0]])
    check_value(lambda a, v: np.searchsorted(a, v, side), line, wanted)
    check_value(lambda a: a.searchsorted(2, side=side), line)
    check_value(lambda v: np.searchsorted(np.arange(5), v, side=side), wanted)
    check_value(lambda a: np.searchsorted(a, wanted, side, np.argsort(V)), V)


def test_searchsorted_refuses() -> None:
    with pytest.raises(ValueError, match="side"):
        traced_value(lambda a: np.searchsorted(a, 1.0, side="middle"), V)
    with pytest.raises(ValueError, match="1-d"):
        traced_value(lambda a: np.searchsorted(a, 1.0), X)
    with pytest.raises(TypeError, match="integers"):
        traced_value(lambda a: np.searchsorted(a, 1.0, sorter=V), V)


@pytest.mark.parametrize("right", [False, True])
def test_digitize(right: bool) -> None:
    bins = np.array([0.0, 1.0, 1.5, 4.0])
    check_value(lambda x: np.digitize(x, bins, right), V)
    check_value(lambda x, b: np.digitize(x, b[::-1], right), V, bins)
    with pytest.raises(ValueError, match="monotonically"):
        traced_value(lambda x: np.digitize(x, [1, 0, 2]), V)


def test_derivative_follows_the_order() -> None:
    gradient = grad(lambda x: np.sum(np.sort(x) * np.arange(3)))
    np.testing.assert_array_equal(gradient(np.array([5.0, 1.0, 3.0])), [2, 0, 1])


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobians_of_sorted_vectors(mode: str) -> None:
    """The lanes of a Jacobian share the order: one index moves them, in machine code."""
    x = np.random.default_rng(7).normal(size=9)
    jacobian = wg.jacobian(np.sort, mode=mode)
    expected = np.eye(9)[np.argsort(x)]
    for _ in range(3):
        np.testing.assert_array_equal(jacobian(x), expected)
    assert {name for name, _ in wg.trace(jacobian, x).host_calls} <= {"argsort"}
