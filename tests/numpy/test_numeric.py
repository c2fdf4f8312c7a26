"""Clipping, rounding, comparisons, and questions about types and memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from support import check, check_value, traced_value
from wengert.derivatives.gradients import grad

RNG = np.random.default_rng(5)
X = RNG.standard_normal((3, 4)) * 2
ODD = np.array([0.0, 1.5, np.nan, np.inf, -np.inf, -2.25])
Z = X + 1j * RNG.standard_normal((3, 4))


def as_int(x: Any, dtype: Any = int) -> Any:
    return np.rint(x).astype(dtype)


# --------------------------------------------------------------------------------- clipping


def test_clip() -> None:
    check(lambda x: np.clip(x, -1, 1.2), X)
    check(lambda x: np.clip(x, None, 0.3), X)
    check(lambda x: np.clip(x, a_min=0.1, a_max=None), X)
    check(lambda x: np.clip(x, min=0.1), X)
    check(lambda x: np.clip(x, max=X[0], min=-1), X)
    check(lambda x, low, high: np.clip(x, low, high), X, X[:1] - 1, X[:, :1] + 1)
    check(lambda low: np.clip(np.arange(4), low, 2), X[0])
    check(lambda x: x.clip(-1, 0.5), X)
    check(lambda x: x.clip(max=0.5), X)
    check(lambda x: np.clip(x, None, None), X)
    check_value(lambda x: np.clip(x, 1.0, -1.0), X)
    check_value(lambda x: np.clip(x, -1, 1), ODD)


def test_clip_dtypes() -> None:
    check_value(lambda x: np.clip(as_int(x), 0, 1), X)
    check_value(lambda x: np.clip(as_int(x), 0.0, 1.0), X)
    check_value(lambda x: np.clip(as_int(x, np.int8), -1000, 1000), X)
    check_value(lambda x: np.clip(as_int(x, np.int8), -1, None), X)
    check_value(lambda x: np.clip(x.astype(np.float32), -1, 0.5), X)
    check_value(lambda x: np.clip(x.astype(np.float32), np.float64(-1), 0.5), X)


def test_clip_refuses() -> None:
    with pytest.raises(TypeError, match="a_max"):
        traced_value(lambda x: np.clip(x, 1), X)
    with pytest.raises(ValueError, match="forbidden"):
        traced_value(lambda x: np.clip(x, 1, 2, min=0), X)
    with pytest.raises(NotImplementedError, match="casting="):
        traced_value(lambda x: np.clip(x, 1, 2, casting="unsafe"), X)


def test_clip_at_the_bound() -> None:
    assert grad(lambda x: np.clip(x, 0.0, 1.0))(1.0) == 0.5


# --------------------------------------------------------------------------------- rounding


@pytest.mark.parametrize("decimals", [0, 1, 3, -1])
def test_round(decimals: int) -> None:
    check_value(lambda x: np.round(x, decimals), X * 7)
    check_value(lambda x: np.around(x, decimals), X)
    check_value(lambda x: x.round(decimals), X)
    check_value(lambda z: np.round(z, decimals), Z)
    check_value(lambda x: np.round(as_int(x), decimals), X * 40)
    check_value(lambda x: np.round(x.astype(np.float32), decimals), X * 40)
    assert np.all(grad(lambda x: np.sum(np.round(x, decimals)))(X) == 0)


def test_python_rounding() -> None:
    assert traced_value(lambda x: round(x), 2.5) == [2]
    assert traced_value(lambda x: round(x, 1), 2.57) == [2.6]
    assert traced_value(lambda x: (math.floor(x), math.ceil(x)), 2.5) == [2, 3]
    check_value(lambda x: np.fix(x), X)
    check_value(lambda x: np.fix(as_int(x)), X)


def test_nan_to_num() -> None:
    check(lambda x: np.nan_to_num(x), X)
    check_value(lambda x: np.nan_to_num(x), ODD)
    check_value(lambda x: np.nan_to_num(x, nan=7, posinf=9.0, neginf=-1), ODD)
    check_value(lambda x: np.nan_to_num(x.astype(np.float32)), ODD)
    check_value(lambda x: np.nan_to_num(as_int(x)), X)
    check_value(lambda z: np.nan_to_num(z * np.nan), Z)
    ours = grad(lambda x: np.sum(np.nan_to_num(x) * np.arange(6)))(ODD)
    np.testing.assert_array_equal(ours, [0, 1, 0, 0, 0, 5])

    def in_place(x: Any) -> Any:
        y = x + 0
        np.nan_to_num(y, copy=False)
        return y

    check_value(in_place, ODD)


# ------------------------------------------------------------------------------ comparisons


@pytest.mark.parametrize("equal_nan", [False, True])
def test_closeness(equal_nan: bool) -> None:
    other = ODD + 1e-7
    check_value(lambda x: np.isclose(x, other, equal_nan=equal_nan), ODD)
    check_value(lambda x: np.isclose(1.5, x, 0.2, 0.0), ODD)
    check_value(lambda x: np.isclose(as_int(x), x, atol=0.3), X)
    check_value(lambda x: np.allclose(x, other, equal_nan=equal_nan), ODD)
    check_value(lambda x: np.allclose(x, x + 1e-9), X)
    check_value(lambda x: np.array_equal(x, ODD, equal_nan=equal_nan), ODD)
    check_value(lambda x: np.array_equal(x, X[0]), X)
    check_value(lambda x: np.array_equal(as_int(x), as_int(x), equal_nan), X)
    check_value(lambda x: np.array_equiv(x[:1], x), np.ones((3, 2)))
    check_value(lambda x: np.array_equiv(x, x[:, :2]), X)


def test_comparisons_in_control_flow() -> None:
    def f(x: Any) -> Any:
        if np.allclose(x, 0):
            return np.sum(x)
        return np.sum(x**2) if np.array_equal(x, X) else np.sum(x**3)

    np.testing.assert_allclose(grad(f)(X), 2 * X)
    np.testing.assert_allclose(grad(f)(X * 2), 12 * X**2)


@pytest.mark.parametrize(
    "test", [np.isposinf, np.isneginf, np.iscomplex, np.isreal], ids=lambda f: f.__name__
)
def test_kinds_of_values(test: Any) -> None:
    check_value(lambda x: test(x), ODD)
    check_value(lambda x: test(as_int(x)), X)
    if test in (np.iscomplex, np.isreal):
        check_value(lambda z: test(z * (abs(z) > 1)), Z)
    else:
        with pytest.raises(TypeError, match="ambiguous"):
            traced_value(lambda z: test(z), Z)


def test_real_if_close() -> None:
    check_value(lambda z: np.real_if_close(z), X + 1e-15j)
    check_value(lambda z: np.real_if_close(z), Z)
    check_value(lambda z: np.real_if_close(z, tol=0.5), X + 0.4j)
    check(lambda x: np.real_if_close(x), X)


# --------------------------------------------------------------------------- types, memory


def test_dtypes() -> None:
    seen = []

    def f(x: Any, s: Any, z: Any) -> Any:
        single = x.astype(np.float32)
        seen.append(
            [
                np.result_type(single, s),
                np.result_type(single, np.float64),
                np.result_type(x, z),
                np.result_type(as_int(x, np.int8), 3),
                np.can_cast(x, np.float32),
                np.can_cast(single, np.float64),
                np.can_cast(np.float64, x.dtype),
                np.min_scalar_type(x),
                np.min_scalar_type(as_int(x[0, 0])),
                np.common_type(single, as_int(x)),
                np.common_type(single, z.astype(np.complex64)),
                np.iscomplexobj(z),
                np.isrealobj(z),
                np.iscomplexobj(x),
            ]
        )
        return x.sum()

    f(X, 1.5, Z)
    grad(f, argnums=(0, 1, 2))(X, 1.5, Z)
    assert seen[1] == seen[0]


def test_memory() -> None:
    seen = []

    def f(x: Any) -> Any:
        pairs = [(x, x), (x[0], x), (x[:, 0], x[:, 1]), (x.T, x[1:]), (x + 0, x), (x[0], X)]
        seen.append([np.shares_memory(a, b) for a, b in pairs])
        seen.append([np.may_share_memory(a, b) for a, b in pairs])
        return x.sum()

    grad(f)(X)
    assert seen[0] == [True, True, False, True, False, False]
    assert seen[1] == [True, True, True, True, False, False]
