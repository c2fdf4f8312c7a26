"""Linear systems, determinants and singular values: what a gradient adds to one factorisation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray
from scipy.linalg import lapack, lu_factor, lu_solve
from yardstick.problem import Arguments, Problem


def system(n: int) -> Arguments:
    """A matrix whose condition is moderate, and a right-hand side."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, n)) + 2 * np.sqrt(n) * np.eye(n), rng.normal(size=n)


def matrix(n: int) -> Arguments:
    return system(n)[:1]


def definite(n: int) -> Arguments:
    """Symmetric to the last bit: each factorisation reads a triangle of its own choice."""
    X = np.random.default_rng(0).normal(size=(n, n))
    S = X @ X.T / n
    return ((S + S.T) / 2 + np.eye(n),)


def systems(count: int, n: int) -> Arguments:
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, n, n)) + 4 * np.eye(n), rng.normal(size=(count, n, 1))


def rectangle(n: int, m: int) -> Arguments:
    return (np.random.default_rng(0).normal(size=(n, m)),)


def solve(np: Any) -> Callable[..., Any]:
    def f(A: Any, b: Any) -> Any:
        return np.sum(np.linalg.solve(A, b) ** 2)

    return f


def solve_by_hand(A: ndarray, b: ndarray) -> Any:
    """One factorisation serves both systems. With x = A⁻¹ b the gradients are λ = A⁻ᵀ 2x and
    -λ xᵀ."""
    factors = lu_factor(A, check_finite=False)
    x = lu_solve(factors, b, check_finite=False)
    adjoint = lu_solve(factors, 2 * x, trans=1, check_finite=False)
    return x @ x, (np.multiply.outer(-adjoint, x), adjoint)


def batched_by_hand(A: ndarray, b: ndarray) -> Any:
    """NumPy has no factors of stacks, so each matrix is factored twice."""
    x = np.linalg.solve(A, b)
    adjoint = np.linalg.solve(A.swapaxes(1, 2), 2 * x)
    return np.vdot(x, x), (-adjoint * x.swapaxes(1, 2), adjoint)


def singular_values(np: Any) -> Callable[..., Any]:
    """The nuclear norm."""

    def f(W: Any) -> Any:
        return np.sum(np.linalg.svd(W, compute_uv=False))

    return f


def singular_values_of_torch(np: Any) -> Callable[..., Any]:
    """Its svd cannot leave the vectors out."""

    def f(W: Any) -> Any:
        return np.sum(np.linalg.svdvals(W))

    return f


def singular_values_by_hand(W: ndarray) -> Any:
    U, s, Vt = np.linalg.svd(W, full_matrices=False)
    return np.sum(s), U @ Vt


def by_cholesky(np: Any) -> Callable[..., Any]:
    def f(A: Any) -> Any:
        return 2 * np.sum(np.log(np.diag(np.linalg.cholesky(A))))

    return f


def by_cholesky_by_hand(A: ndarray) -> Any:
    """The inverse from the factor: LAPACK gives a triangle of it."""
    factor = np.linalg.cholesky(A)
    # The transpose is in LAPACK's order as it stands, and its upper triangle.
    triangle, info = lapack.dpotri(factor.T, lower=0)
    assert info == 0
    inverse = np.triu(triangle)
    inverse += np.triu(triangle, 1).T
    return 2 * np.sum(np.log(np.diag(factor))), inverse


def by_slogdet(np: Any) -> Callable[..., Any]:
    def f(A: Any) -> Any:
        return np.linalg.slogdet(A)[1]

    return f


def by_slogdet_by_hand(A: ndarray) -> Any:
    lu, pivots = lu_factor(A, check_finite=False)
    value = np.sum(np.log(np.abs(np.diag(lu))))
    inverse, info = lapack.dgetri(lu, pivots)
    assert info == 0
    return value, inverse.T


PROBLEMS = (
    Problem(
        name="solve",
        arguments=partial(system, 300),
        small=partial(system, 7),
        function=solve,
        argnums=(0, 1),
        by_hand=solve_by_hand,
    ),
    Problem(
        name="batched-solve",
        arguments=partial(systems, 10_000, 4),
        small=partial(systems, 5, 4),
        function=solve,
        argnums=(0, 1),
        by_hand=batched_by_hand,
        # A few of so many matrices are nearly singular.
        tolerance=1e-8,
    ),
    Problem(
        name="logdet-cholesky",
        arguments=partial(definite, 300),
        small=partial(definite, 7),
        function=by_cholesky,
        by_hand=by_cholesky_by_hand,
    ),
    Problem(
        name="logdet-slogdet",
        arguments=partial(matrix, 300),
        small=partial(matrix, 7),
        function=by_slogdet,
        by_hand=by_slogdet_by_hand,
    ),
    Problem(
        name="svd",
        arguments=partial(rectangle, 200, 100),
        small=partial(rectangle, 7, 4),
        function=singular_values,
        by_hand=singular_values_by_hand,
        otherwise={"torch": singular_values_of_torch},
    ),
)
