"""Small matrices in machine code: factorisations and solves of stacks of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from support import interpreted
from wengert.compiler.nests.matrices import MOST_ORDER

SHAPES = [(1, 1), (3, 3), (5, 2, 2), (2, 3, 9, 9), (17, 17), (MOST_ORDER, MOST_ORDER)]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "solve": np.linalg.solve,
    "transposed": lambda A, b: np.linalg.solve(np.swapaxes(A, -1, -2), b),
    "inverse": lambda A, b: np.linalg.inv(A) @ b,
    "determinant": lambda A, b: np.log(np.abs(np.linalg.det(A))) + np.sum(b),
    "logarithm": lambda A, b: np.linalg.slogdet(A)[1] * np.sum(b),
    "diagonal": lambda A, b: (
        np.log(np.diagonal(np.linalg.cholesky(A @ np.swapaxes(A, -1, -2)), 0, -2, -1)) * b[..., 0]
    ),
    "cholesky": lambda A, b: np.linalg.cholesky(A @ np.swapaxes(A, -1, -2)) @ b,
    "triangle": lambda A, b: np.linalg.solve(np.tril(A), b),
}


def arguments(shape: tuple[int, ...], dtype: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(sum(shape))
    A = 0.5 * rng.normal(size=shape) / np.sqrt(shape[-1]) + 2 * np.eye(shape[-1])
    return A[..., ::-1, :].astype(dtype), rng.normal(size=(*shape[:-1], 3)).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_are_those_of_lapack(name: str, shape: tuple[int, ...]) -> None:
    function = FUNCTIONS[name]

    def loss(A: Any, b: Any) -> Any:
        return np.sum(np.sin(function(A, b)))

    A, b = arguments(shape, np.float64)
    if name == "triangle":
        A = A[..., ::-1, :]
    made = wg.value_and_grad(loss, (0, 1))
    found = wg.jit(made)(A, b)
    called = [op for op, _ in wg.trace(made, A, b).host_calls]
    assert called == (["cofactors"] if name == "determinant" and shape[-1] > 3 else [])
    with interpreted():
        expected = made(A, b)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-11, atol=1e-11)
    for one, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", ["solve", "inverse", "cholesky"])
def test_single_precision(name: str) -> None:
    A, b = arguments((6, 6), np.float32)
    found = wg.jit(FUNCTIONS[name])(A, b)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, FUNCTIONS[name](A, b), rtol=1e-4, atol=1e-4)


def test_one_matrix_for_many_right_sides() -> None:
    A, _ = arguments((4, 4), np.float64)
    b = np.random.default_rng(0).normal(size=(10, 4, 2))
    np.testing.assert_allclose(wg.jit(np.linalg.solve)(A, b), np.linalg.solve(A, b), rtol=1e-12)
    many, _ = arguments((10, 4, 4), np.float64)
    one = b[0]
    np.testing.assert_allclose(
        wg.jit(np.linalg.solve)(many, one), np.linalg.solve(many, one), rtol=1e-12
    )


def test_errors_are_numpys() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        wg.jit(np.linalg.solve)(np.zeros((2, 2)), np.ones(2))
    singular = np.stack([np.eye(3), np.diag([1.0, 0.0, 1.0])])
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        wg.jit(np.linalg.inv)(singular)
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        wg.jit(np.linalg.cholesky)(-np.eye(2))


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (5, 2, 2), (3, 3), (2, 2, 3, 3)], ids=str)
@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_cofactors_of_small_matrices_at_every_rank(rank: int, shape: tuple[int, ...]) -> None:
    n, rng = shape[-1], np.random.default_rng(rank)
    A = rng.normal(size=(*shape[:-1], rank)) @ rng.normal(size=(*shape[:-2], rank, n))
    made = wg.grad(lambda A: np.sum(np.linalg.det(A)))
    assert not wg.trace(made, A).host_calls
    with interpreted():
        expected = made(A)
    np.testing.assert_allclose(wg.jit(made)(A), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_diagonals_of_cholesky_factors_in_both_modes(n: int) -> None:
    """Whose tangent is a diagonal of a congruence, and whose cotangent a sum of one."""
    A, _ = arguments((4, n, n), np.float64)
    A = A @ np.swapaxes(A, -1, -2)
    E = np.random.default_rng(n).normal(size=A.shape)
    E = E + np.swapaxes(E, -1, -2)

    def f(A: Any) -> Any:
        return np.sin(np.log(np.diagonal(np.linalg.cholesky(A), 0, -2, -1)))

    def total(A: Any) -> Any:
        return np.sum(f(A) ** 2)

    modes = {
        "forward": lambda A, E: wg.jvp(f, (A,), (E,))[1],
        "reverse": lambda A, E: wg.grad(total)(A),
        "second order": lambda A, E: wg.hvp(total, A, E),
    }
    for made in modes.values():
        assert not wg.trace(made, A, E).host_calls
        with interpreted():
            expected = made(A, E)
        np.testing.assert_allclose(wg.jit(made)(A, E), expected, rtol=1e-10, atol=1e-12)


def test_factors_are_shared_with_host_calls() -> None:
    """The cofactors are a host call, which reads the factors that machine code made."""
    A, _ = arguments((4, 4), np.float64)
    made = wg.grad(lambda A: np.linalg.det(A) + np.sum(np.linalg.inv(A)))
    found = wg.jit(made)(A)
    with interpreted():
        np.testing.assert_allclose(found, made(A), rtol=1e-10)


def by_slogdet(S: Any) -> Any:
    return np.linalg.slogdet(S)[1]


def by_det(S: Any) -> Any:
    return np.log(np.linalg.det(S))


def by_cholesky(S: Any) -> Any:
    return 2 * np.sum(np.log(np.diag(np.linalg.cholesky(S))))


@pytest.mark.parametrize("log_det", [by_slogdet, by_det, by_cholesky])
def test_a_filter_is_one_program(log_det: Callable[[Any], Any]) -> None:
    """Kalman's filter as a scan: systems of the order of the measurement, in machine code."""
    F = np.array([[1.0, 0.1], [0.0, 1.0]])
    H = np.array([[1.0, 0.0]])

    def likelihood(q: Any, r: Any, y: Any) -> Any:
        def step(state: Any, z: Any) -> Any:
            x, P = state
            x, P = F @ x, F @ P @ F.T + q * np.eye(2)
            S = H @ P @ H.T + r * np.eye(1)
            error = z - H @ x
            K = np.linalg.solve(S, H @ P).T
            value = -0.5 * (error @ np.linalg.solve(S, error) + log_det(S))
            return (x + K @ error, P - K @ H @ P), value

        _, values = wg.scan(step, (np.zeros(2), np.eye(2)), y)
        return np.sum(values)

    y = np.random.default_rng(1).normal(size=(50, 1))
    made = wg.value_and_grad(likelihood, (0, 1))
    assert not wg.trace(made, 0.1, 0.5, y).host_calls
    found = wg.jit(made)(0.1, 0.5, y)
    with interpreted():
        expected = made(0.1, 0.5, y)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-11)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-10)
