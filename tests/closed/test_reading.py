"""Functions of all kinds: their formulas agree with automatic differentiation.

The engine alone, without the check that keeps a wrong formula from being shown.
"""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np
import pytest
from engine import agrees, derived

import wengert.scipy.special as sp

rng = np.random.default_rng(0)
A = rng.normal(size=(4, 3))
b = rng.normal(size=4)
S, B, C = rng.normal(size=(3, 3, 3))
D = rng.normal(size=(4, 3))
a, c, w = rng.normal(size=(3, 3))
t = rng.uniform(0.1, 1.0, size=3)
y = np.array([1.0, -1.0, 1.0, -1.0])
labels = np.array([1, -1, 1, 1])
Y = np.eye(3)[[0, 1, 2, 1]]
Q = np.linalg.qr(S)[0]
G = S @ S.T + np.eye(3)
lam, p, eps = 0.37, 1.5, 1e-3
x = rng.uniform(0.5, 1.5, size=3)
X = rng.normal(size=(3, 3)) + 3 * np.eye(3)

COLUMNS: list[Any] = [
    lambda x: np.dot(a, x),
    lambda x: np.dot(x, S @ x),
    lambda x: x.T @ S @ x,
    lambda x: np.einsum("i,ij,j->", x, S, x),
    lambda x: np.sum((np.dot(A, x) - b) ** 2) / 2,
    lambda x: np.mean((A @ x - b) ** 2),
    lambda x: 0.5 * np.linalg.norm(A @ x - b) ** 2,
    lambda x: np.linalg.norm(A @ x - b),
    lambda x: np.square(A @ x - b).sum(),
    lambda x: np.sum((b - A @ x) ** 2),
    lambda x: np.vdot(x, x),
    lambda x: np.inner(x, S @ x),
    lambda x: np.sum(np.outer(x, x) * S),
    lambda x: np.trace(np.outer(x, x) @ S),
    lambda x: np.sum(x * x) * np.sum(x),
    lambda x: np.sum(np.logaddexp(0, -y * (A @ x))),
    lambda x: np.mean(np.log1p(np.exp(-y * (A @ x)))),
    lambda x: np.sum(np.log(1 + np.exp(-labels * (A @ x)))),
    lambda x: sp.logsumexp(x),
    lambda x: sp.logsumexp(A @ x + b),
    lambda x: -t @ sp.log_softmax(x),
    lambda x: -t @ np.log(sp.softmax(x)),
    lambda x: -np.sum(t * np.log(np.exp(x - x.max()) / np.sum(np.exp(x - x.max())))),
    lambda x: np.log(np.sum(np.exp(x - np.max(x)))) + np.max(x),
    lambda x: sp.softmax(x) @ c,
    lambda x: sp.expit(a @ x),
    lambda x: np.sum(sp.expit(A @ x)),
    lambda x: 1 / (1 + np.exp(-a @ x)),
    lambda x: np.exp(a @ x) / (1 + np.exp(a @ x)),
    lambda x: np.sum(np.maximum(A @ x, 0)),
    lambda x: np.sum(np.abs(x - w)),
    lambda x: np.sum(np.abs(A @ x - b)) + lam * np.sum(x**2),
    lambda x: np.sum(np.where(A @ x > 0, A @ x, 0)),
    lambda x: np.sum(
        np.where(np.abs(A @ x - b) <= 1, 0.5 * (A @ x - b) ** 2, np.abs(A @ x - b) - 0.5)
    ),
    lambda x: np.linalg.norm(x, 1),
    lambda x: np.sum(x**p),
    lambda x: np.sum(x**3),
    lambda x: np.sum(np.sqrt(x)),
    lambda x: np.sum(np.sqrt(x**2 + eps)),
    lambda x: np.sum(x**-2),
    lambda x: np.sum(1 / x),
    lambda x: np.sum(np.sin(x) * np.cos(x)),
    lambda x: np.sum(np.tan(x / 3)),
    lambda x: np.sum(np.tanh(A @ x)),
    lambda x: np.sum(np.arctan(x)),
    lambda x: np.sum(np.arcsin(x / 4) + np.arccos(x / 4)),
    lambda x: np.sum(np.arcsinh(x) + np.arctanh(x / 4)),
    lambda x: np.sum(np.cosh(x) + np.sinh(x)),
    lambda x: np.prod(x),
    lambda x: np.cumsum(x) @ c,
    lambda x: np.sum(np.cumsum(x) ** 2),
    lambda x: np.sum(np.convolve(x, a) ** 2),
    lambda x: x[0] * x[1] + x[2] ** 2,
    lambda x: np.sum((x[1:] - x[:-1]) ** 2),
    lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
    lambda x: x @ x / (1 + x @ x),
    lambda x: (x @ S @ x) / (x @ x),
    lambda x: np.sqrt(x @ G @ x),
    lambda x: np.log(x @ x),
    lambda x: np.exp(-0.5 * (x - c) @ np.linalg.inv(G) @ (x - c)),
    lambda x: 0.5 * (x - c) @ np.linalg.solve(G, x - c),
    lambda x: np.linalg.det(S + np.outer(x, x)),
    lambda x: np.linalg.slogdet(np.diag(x) + S @ S.T)[1],
    lambda x: c @ np.linalg.solve(np.diag(x) + G, a),
    lambda x: np.trace(np.linalg.inv(np.diag(x) + G)),
    lambda x: np.sum(np.diag(x) @ S),
    lambda x: np.var(x),
    lambda x: np.std(x),
    lambda x: np.sum(x[:, None] * S * x),
    lambda x: np.sum((x[:, None] - x[None, :]) ** 2),
    lambda x: np.sum(A * x),
    lambda x: np.sum((A * x - D) ** 2),
    lambda x: np.sum(np.exp(-((x - w) ** 2) / (2 * lam**2))),
    lambda x: np.linalg.norm(x) ** 3,
    lambda x: np.linalg.norm(x) * (a @ x),
    lambda x: np.max(x),
    lambda x: np.sum(np.sort(x) * c),
    lambda x: np.power(2.0, x).sum(),
    lambda x: np.sum(np.exp2(x)) + np.sum(np.log2(x)) + np.sum(np.log10(x)),
    lambda x: np.hypot(x[0], x[1]),
    lambda x: -np.sum(x * np.log(x)),
    lambda x: np.sum(sp.entr(x)),
    lambda x: np.sum(sp.rel_entr(x, t)),
    lambda x: np.sum(x * np.log(x / t)),
    lambda x: np.sum(sp.xlogy(x, x)),
    lambda x: np.sum(sp.erf(x)),
    lambda x: np.sum(sp.gammaln(x)),
    lambda x: np.sum(x) / np.sqrt(np.sum(x**2)),
    lambda x: (x / np.linalg.norm(x)) @ c,
    lambda x: np.sum(np.exp(A @ x)) * np.log(a @ x + 5),
    lambda x: a @ (Q @ x),
    lambda x: (Q @ x) @ (Q @ x),
    lambda x: np.sum(np.sign(x) * x),
    lambda x: x @ x * x[0],
    lambda x: np.sum(np.minimum(x, w)),
    lambda x: np.sum(np.clip(x, 0.6, 1.1)),
    lambda x: np.sum((A.T @ (A @ x - b)) ** 2),
    lambda x: np.sum((A.T @ b - x) ** 2),
    lambda x: np.log(np.sum(np.exp(A @ x) ** 2)),
    lambda x: np.exp(x @ x) * np.exp(-a @ x),
    lambda x: np.sqrt((a @ x) ** 2),
    lambda x: np.sum(np.sqrt(x * x)),
    lambda x: ((a @ x) ** 2) ** 0.5 * lam,
    lambda x: 3.0,
    lambda x: lam * a @ a,
    lambda x: A @ x + b,
    lambda x: np.tanh(A @ x),
    lambda x: x * x,
    lambda x: x,
    lambda x: sp.softmax(x),
    lambda x: x / np.linalg.norm(x),
    lambda x: np.exp(x),
    lambda x: S @ x * x,
    lambda x: np.outer(x, a),
    lambda x: np.sum(np.maximum(0, 1 - y * (A @ x)) ** 2),
    lambda x: c @ np.tanh(S @ np.tanh(B @ x)),
    lambda x: sp.softmax(S @ x) @ (B @ x),
    lambda x: np.exp(np.mean(np.log(x))),
    lambda x: a @ x / (np.linalg.norm(a) * np.linalg.norm(x)),
    lambda x: np.sum(np.exp(-np.sum((A - x) ** 2, axis=1))),
    lambda x: np.sum(np.linalg.norm(A - x, axis=1)),
    lambda x: np.sum(np.log(1 + (A @ x - b) ** 2 / 3)),
    lambda x: np.prod(sp.expit(x)),
    lambda x: np.log(np.sum(np.cumsum(np.exp(x)) ** 2)),
    lambda x: np.sum(np.abs(np.fft.rfft(x)) ** 2),
    lambda x: np.sum(np.concatenate([x, 2 * x]) ** 2),
    lambda x: np.log(x[0] * x[1] / x[2]),
    lambda x: np.sqrt(x[0] * x[1]),
    lambda x: np.sum((x[:, None, None] * np.ones((3, 2, 2))) ** 2),
    lambda x: sum((A[i] @ x - b[i]) ** 2 for i in range(4)),
    lambda x: np.sum(np.where(b > 0, A @ x, (A @ x) ** 2)),
]

MATRICES: list[Any] = [
    lambda X: np.trace(X),
    lambda X: np.trace(B @ X),
    lambda X: np.trace(X @ B),
    lambda X: np.trace(X.T @ B @ X),
    lambda X: np.trace(X @ X),
    lambda X: np.trace(X @ X @ X),
    lambda X: np.trace(np.linalg.matrix_power(X, 3)),
    lambda X: np.sum(X * X),
    lambda X: np.sum(X * B),
    lambda X: np.linalg.slogdet(X)[1],
    lambda X: np.log(np.abs(np.linalg.det(X))),
    lambda X: np.log(np.linalg.det(X @ X.T)),
    lambda X: np.linalg.slogdet(X.T @ X)[1],
    lambda X: np.linalg.det(X),
    lambda X: np.linalg.det(X) ** 2,
    lambda X: np.linalg.det(2 * X),
    lambda X: np.trace(B @ np.linalg.inv(X)),
    lambda X: a @ np.linalg.inv(X) @ c,
    lambda X: a @ np.linalg.solve(X, c),
    lambda X: a @ X @ c,
    lambda X: a @ X @ X.T @ c,
    lambda X: a @ X.T @ X @ c,
    lambda X: 0.5 * np.linalg.norm(B @ X - C) ** 2,
    lambda X: 0.5 * np.linalg.norm(B @ X - C, "fro") ** 2,
    lambda X: np.linalg.norm(X),
    lambda X: np.sum((A @ X @ C - D) ** 2),
    lambda X: np.sum(np.exp(X)),
    lambda X: np.sum(np.log(1 + np.exp(X))),
    lambda X: a @ np.tanh(X @ c),
    lambda X: np.sum(np.tanh(A @ X) ** 2),
    lambda X: np.sum((X @ B - C) ** 2),
    lambda X: np.mean((X @ B - C) ** 2),
    lambda X: np.sum(X),
    lambda X: np.sum(X, axis=0) @ a,
    lambda X: np.sum(np.sum(X, axis=1) ** 2),
    lambda X: np.sum(np.diag(X) ** 2),
    lambda X: X[0, 1] * X[2, 2],
    lambda X: X[1] @ X[:, 2],
    lambda X: np.sum(sp.logsumexp(A @ X, axis=1)),
    lambda X: np.sum(sp.logsumexp(A @ X, axis=1)) - np.sum(Y * (A @ X)),
    lambda X: -np.sum(Y * sp.log_softmax(A @ X, axis=1)),
    lambda X: -np.sum(Y * np.log(sp.softmax(A @ X, axis=1))),
    lambda X: -np.mean(np.sum(Y * sp.log_softmax(A @ X, axis=-1), axis=-1)),
    lambda X: np.sum(sp.softmax(A @ X, axis=1) * Y),
    lambda X: np.sum(sp.logsumexp(X, axis=0)),
    lambda X: np.sum(np.log(np.sum(np.exp(A @ X), axis=1))),
    lambda X: np.sum(np.log(np.sum(np.exp(A @ X), axis=1, keepdims=True))),
    lambda X: np.sum(Y * np.log(np.exp(A @ X) / np.sum(np.exp(A @ X), axis=1, keepdims=True))),
    lambda X: np.linalg.slogdet(X @ X.T)[1] + np.trace(np.linalg.inv(X @ X.T) @ G),
    lambda X: np.sum((X - np.mean(X, axis=0)) ** 2),
    lambda X: np.sum(X / np.linalg.norm(X)),
    lambda X: np.sum(X * a),
    lambda X: np.sum(X * a[:, None]),
    lambda X: np.einsum("ij,jk,ki->", X, B, X),
    lambda X: np.einsum("ij,ij->", X, B),
    lambda X: np.einsum("ij,ij->i", X, B) @ a,
    lambda X: np.sum(X.ravel() ** 2),
    lambda X: np.sum((X.T - B) ** 2),
    lambda X: np.linalg.norm(X - X.T) ** 2,
    lambda X: np.trace(X.T @ X @ X.T @ X),
    lambda X: np.sum(np.abs(X)),
    lambda X: np.sum(np.linalg.svd(X)[1]),
    lambda X: np.linalg.cholesky(X @ X.T + np.eye(3))[0, 0],
    lambda X: np.sum(np.cumsum(X, axis=0) ** 2),
    lambda X: np.linalg.norm(np.cumsum(X @ B, axis=0)),
    lambda X: np.sum(np.triu(X) ** 2),
    lambda X: np.sum(np.kron(X, B) ** 2),
    lambda X: np.max(np.linalg.eigvalsh(X + X.T)),
    lambda X: np.sum(np.log(np.diag(X) ** 2)),
    lambda X: a @ np.linalg.solve(X.T @ X, c),
]

NUMBERS: list[Any] = [
    lambda s: s**2 + 3 * s,
    lambda s: np.sin(s) * np.exp(-s),
    lambda s: np.log(1 + np.exp(s)),
    lambda s: s**p,
    lambda s: np.sum((s * a - c) ** 2),
    lambda s: np.sqrt(1 + s**2),
    lambda s: np.sum(np.exp(s * a)),
    lambda s: np.exp(-s) * a,
    lambda s: np.abs(s) * s,
    lambda s: np.linalg.det(s * B + C),
    lambda s: np.linalg.slogdet(s * np.eye(3) + G)[1],
    lambda s: np.sum(np.cumsum(s * a)),
    lambda s: 1 / s,
    lambda s: np.maximum(s, 0) ** 2,
]


@pytest.mark.parametrize("f", COLUMNS)
def test_functions_of_columns(f: Any) -> None:
    agrees(f, x)


@pytest.mark.parametrize("f", MATRICES)
def test_functions_of_matrices(f: Any) -> None:
    agrees(f, X)


@pytest.mark.parametrize("f", NUMBERS)
def test_functions_of_numbers(f: Any) -> None:
    agrees(f, 0.7)


@pytest.mark.parametrize(
    "f", [lambda x: A @ x + b, lambda x: np.tanh(A @ x), lambda x: x * (S @ x)]
)
def test_columns_have_jacobians(f: Any) -> None:
    assert agrees(f, x).jacobian is not None


@pytest.mark.parametrize("shape", [(3,), (3, 1), (1, 3)])
def test_axes_of_length_one_are_no_axes(shape: tuple[int, ...]) -> None:
    def f(z: Any) -> Any:
        return np.sum((A @ z.reshape(3) - b) ** 2)

    found = agrees(f, x.reshape(shape))
    assert str(found.gradient) == "2*A'*(A*z - b)"


def test_a_column_of_one_element_is_a_number() -> None:
    assert str(agrees(lambda x: np.sum(x**2) + x[0], np.array([0.7])).gradient) == "2*x + 1"


def test_conditions_on_constants_are_computed() -> None:
    """At b = 0 a step would be ½."""
    zeros = np.array([0.0, 1.0, -1.0, 0.0])
    agrees(lambda x: np.sum(np.where(zeros > 0, A @ x, -2 * (A @ x))), x)
    agrees(lambda x: np.sum((zeros >= 0) * (A @ x)), x)
    agrees(lambda x: x @ np.where(np.exp(c) > 0, np.exp(c), 0.1 * c), x)


def test_what_has_no_formula_gets_a_name() -> None:
    found = agrees(lambda x: np.log(np.sum(np.cumsum(np.exp(x)) ** 2)), x)
    (z,) = found.problem.intermediates
    assert (z.symbol.name, z.operation, z.inputs[0].key) == ("z1", "cumsum({})", "exp(x)")
    assert str(found.gradient) == "2*<z1'*z1>^(-1)*J[z1/x]'*z1"
    assert found.hessian is not None


@pytest.mark.parametrize(
    ("f", "formula"),
    [
        (lambda X: np.linalg.svd(X)[1].sum(), "svd[1](X)"),
        (lambda X: np.sum(np.abs(np.fft.rfft(X @ a)) ** 2), "absolute∘rfft(X*a)"),
        (lambda X: np.linalg.eigh(X @ X.T)[1][0, 0], "eigh[1](X*X')"),
    ],
)
def test_what_names_stand_for(f: Any, formula: str) -> None:
    found = derived(f, X)
    assert [z.formula for z in found.problem.intermediates] == [formula]


def test_linear_computations_have_no_curvature() -> None:
    found = agrees(lambda x: np.sum(np.cumsum(x) ** 2), x)
    assert str(found.hessian) == "2*J[z1/x]'*J[z1/x]"


def test_names_of_matrices_pull_back() -> None:
    found = agrees(lambda X: np.linalg.norm(np.cumsum(X @ B, axis=0)), X)
    assert str(found.gradient) == "J[Z1/X]'[tr(Z1'*Z1)^(-1/2)*Z1]"
    assert found.hessian_map is None


def test_arrays_made_inside_keep_their_values() -> None:
    """What computes an intermediate must not read the arrays of another trace."""
    weights = np.arange(3.0)
    found = agrees(lambda x: np.sum(np.cumsum(x * np.array([1.0, 2.0, 4.0]) + weights)), x)
    assert len(found.problem.intermediates) == 1


@pytest.mark.parametrize(
    ("f", "gradient"),
    [
        (lambda X: np.trace(B @ np.linalg.inv(X)), "-(inv(X)*B*inv(X))'"),
        (
            lambda X: np.sum(sp.logsumexp(A @ X, axis=1)) - np.sum(Y * (A @ X)),
            "A'*(softmax(A*X) - Y)",
        ),
        (lambda X: np.linalg.norm(X - X.T) ** 2, "4*(X - X')"),
    ],
)
def test_shorter_of_expanded_and_factored(f: Any, gradient: str) -> None:
    assert str(derived(f, X).gradient) == gradient


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(functools.reduce(lambda u, k: np.tanh(S @ u), range(60), x)),
        lambda x: sum(
            (x[k % 3] * x[(k + 1) % 3] - k) ** 2 / (1 + x[k % 3] ** 2) for k in range(60)
        ),
        lambda x: functools.reduce(lambda u, k: u * np.sin(x[k % 3] + k), range(30), 1.0),
        lambda x: sum(np.sum((A @ x - k) ** 2) * np.exp(-x @ x / k) for k in range(1, 12)),
    ],
    ids=["nested", "sum", "product", "sum of products"],
)
def test_long_functions_do_not_blow_up(f: Any) -> None:
    """Names keep formulas short; what nobody would read is not worked out."""
    began = time.process_time()
    found = derived(f, x)
    assert time.process_time() - began < 5
    assert found.gradient.size < 1500
    agrees(f, x)
