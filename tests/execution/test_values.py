"""Errors of values (a matrix that has no factorisation) reach the `try` of the traced function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg

GOOD = np.array([[2.0, 0.5], [0.5, 1.0]])
BAD = np.array([[1.0, 2.0], [2.0, 1.0]])
TRACES: list[str] = []


def log_det(a: Any) -> Any:
    """With jitter where the matrix is not positive definite."""
    TRACES.append("log_det")
    try:
        factor = np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        factor = np.linalg.cholesky(a + 5.0 * np.eye(2))
    return 2 * np.sum(np.log(np.diag(factor)))


def inverse_of(a: Any) -> Any:
    return np.linalg.inv(a if np.linalg.eigvalsh(a)[0] > 0 else a + 5.0 * np.eye(2))


@pytest.mark.parametrize("a", [GOOD, BAD])
@pytest.mark.parametrize("compiled", [False, True])
def test_the_function_catches(a: Any, compiled: bool) -> None:
    wrap = wg.jit if compiled else lambda f: f
    expected = inverse_of(a)
    value, gradient = wrap(wg.value_and_grad(log_det))(a)
    assert value == pytest.approx(log_det(a))
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)
    np.testing.assert_allclose(wrap(wg.grad(log_det))(a), expected, rtol=1e-12)
    value, tangent = wrap(lambda x, t: wg.jvp(log_det, (x,), (t,)))(a, np.eye(2))
    assert tangent == pytest.approx(np.trace(expected))
    value, pull = wg.vjp(log_det, a)
    np.testing.assert_allclose(pull(np.float64(1.0))[0], expected, rtol=1e-12)
    hessian = wrap(wg.hessian(log_det))(a)
    np.testing.assert_allclose(hessian[0, 0], -np.outer(expected[0], expected[0]), rtol=1e-12)


def test_jit_finds_the_path_of_each_call() -> None:
    f = wg.jit(log_det)
    TRACES.clear()
    for a in (GOOD, BAD, GOOD, BAD, BAD + 0.1, GOOD + 0.1):
        assert f(a) == pytest.approx(log_det(a))
    # two paths: the second met with the error, and was traced watched at once; log_det itself ran
    assert len(TRACES) - 6 == 2


def test_jit_begins_with_the_error() -> None:
    f = wg.jit(log_det)
    TRACES.clear()
    for a in (BAD, GOOD, BAD, GOOD):
        assert f(a) == pytest.approx(log_det(a))
    assert len(TRACES) - 4 == 3


def test_nothing_is_traced_twice_where_nothing_raises() -> None:
    TRACES.clear()
    wg.grad(log_det)(GOOD)
    wg.jit(log_det)(GOOD)
    assert len(TRACES) == 2


def is_definite(a: Any) -> Any:
    """The factor itself is not used."""
    try:
        np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return -np.sum(a**2)
    return np.sum(a**3)


def test_jit_keeps_what_only_the_try_needs() -> None:
    f = wg.jit(lambda a: is_definite(a) + 0.0 * log_det(a))
    for a in (BAD, GOOD, BAD, GOOD, BAD):
        assert f(a) == pytest.approx(is_definite(a))


def uncaught(a: Any) -> Any:
    return np.sum(np.linalg.solve(a, np.ones(2)) ** 2)


def test_what_nobody_catches_is_numpys_error() -> None:
    singular = np.ones((2, 2))
    f = wg.jit(uncaught)
    f(GOOD)
    for call in (wg.grad(uncaught), wg.jit(uncaught), f, wg.jit(wg.grad(uncaught))):
        for _ in range(2):
            with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
                call(singular)
    assert f(GOOD) == pytest.approx(uncaught(GOOD))


def test_a_traced_right_side_is_watched_too() -> None:
    def f(b: Any, a: Any) -> Any:
        try:
            return np.sum(np.linalg.solve(a, b) ** 2)
        except np.linalg.LinAlgError:
            return np.sum(b)

    singular = np.ones((2, 2))
    np.testing.assert_array_equal(wg.grad(f)(np.ones(2), singular), np.ones(2))
    compiled = wg.jit(f)
    for a in (GOOD, singular, GOOD):
        assert compiled(np.ones(2), a) == pytest.approx(f(np.ones(2), a))


def test_inner_transformations_are_caught_outside() -> None:
    def f(a: Any) -> Any:
        try:
            return np.sum(wg.grad(uncaught)(a))
        except np.linalg.LinAlgError:
            return np.sum(a**2)

    np.testing.assert_array_equal(wg.grad(f)(np.ones((2, 2))), 2 * np.ones((2, 2)))


def test_errors_of_the_function_are_raised() -> None:
    def f(x: Any) -> Any:
        raise np.linalg.LinAlgError("mine")

    with pytest.raises(np.linalg.LinAlgError, match="mine"):
        wg.grad(f)(1.0)
