"""One function written in several ways has one closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from engine import agrees

import wengert.scipy.special as special

rng = np.random.default_rng(3)
A = rng.normal(size=(4, 3))
b = rng.normal(size=4)
S = rng.normal(size=(3, 3))
B = rng.normal(size=(3, 3))
C = rng.normal(size=(3, 3))
Y = np.eye(3)[[0, 2, 1, 2]]
a, c = rng.normal(size=(2, 3))
t = rng.uniform(0.1, 1.0, size=3)
y = np.array([1.0, -1.0, 1.0, 1.0])
lam = 0.37
x = rng.uniform(0.5, 1.5, size=3)
X = rng.normal(size=(3, 3)) + 3 * np.eye(3)

VARIANTS: dict[str, list[Any]] = {
    "x'Sx": [
        lambda x: x @ S @ x,
        lambda x: x.T @ S @ x,
        lambda x: np.dot(x, S @ x),
        lambda x: np.dot(x, np.dot(S, x)),
        lambda x: np.inner(x, S @ x),
        lambda x: np.vdot(x, S @ x),
        lambda x: np.sum(x * (S @ x)),
        lambda x: (S.T @ x) @ x,
        lambda x: np.einsum("i,ij,j->", x, S, x),
        lambda x: np.sum(np.outer(x, x) * S),
        lambda x: np.trace(S @ np.outer(x, x)),
        lambda x: np.sum(x[:, None] * S * x),
        lambda x: np.tensordot(x, S @ x, 1),
    ],
    "a residual": [
        lambda x: np.sum((A @ x - b) ** 2),
        lambda x: np.sum((b - A @ x) ** 2),
        lambda x: (A @ x - b) @ (A @ x - b),
        lambda x: (A @ x - b).T @ (A @ x - b),
        lambda x: np.linalg.norm(A @ x - b) ** 2,
        lambda x: np.linalg.norm(b - A @ x) ** 2,
        lambda x: np.square(np.dot(A, x) - b).sum(),
        lambda x: np.sum(np.power(A @ x - b, 2)),
        lambda x: 4 * np.mean((A @ x - b) ** 2),
        lambda x: 2 * (0.5 * np.sum((A @ x - b) ** 2)),
        lambda x: np.sum(np.abs(A @ x - b) ** 2),
        lambda x: np.einsum("i,i->", A @ x - b, A @ x - b),
    ],
    "logistic": [
        lambda x: np.sum(np.log(1 + np.exp(-y * (A @ x)))),
        lambda x: np.sum(np.log1p(np.exp(-y * (A @ x)))),
        lambda x: np.sum(np.logaddexp(0, -y * (A @ x))),
        lambda x: -np.sum(np.log(1 / (1 + np.exp(-y * (A @ x))))),
        lambda x: -np.sum(np.log(special.expit(y * (A @ x)))),
        lambda x: -np.sum(special.log_expit(y * (A @ x))),
        lambda x: np.ones(4) @ np.log(np.exp(-(y * (A @ x))) + 1),
    ],
    "cross entropy": [
        lambda x: -t @ np.log(np.exp(x) / np.sum(np.exp(x))),
        lambda x: -t @ np.log(np.exp(x - x.max()) / np.sum(np.exp(x - x.max()))),
        lambda x: -np.sum(t * np.log(special.softmax(x))),
        lambda x: -t @ special.log_softmax(x),
        lambda x: -t @ (x - special.logsumexp(x)),
        lambda x: -t @ (x - np.log(np.sum(np.exp(x)))),
        lambda x: -t @ ((x - np.max(x)) - np.log(np.sum(np.exp(x - np.max(x))))),
    ],
    "log-sum-exp": [
        lambda x: np.log(np.sum(np.exp(A @ x + b))),
        lambda x: special.logsumexp(A @ x + b),
        lambda x: np.log(np.exp(A @ x + b).sum()),
        lambda x: np.log(np.sum(np.exp(A @ x + b - np.max(A @ x + b)))) + np.max(A @ x + b),
        lambda x: np.log(np.ones(4) @ np.exp(A @ x + b)),
    ],
    "a norm": [
        lambda x: np.linalg.norm(x),
        lambda x: np.sqrt(x @ x),
        lambda x: np.sqrt(np.sum(x**2)),
        lambda x: (x @ x) ** 0.5,
        lambda x: np.sqrt(np.sum(np.abs(x) ** 2)),
    ],
    "a sigmoid": [
        lambda x: special.expit(a @ x),
        lambda x: 1 / (1 + np.exp(-a @ x)),
        lambda x: np.exp(a @ x) / (1 + np.exp(a @ x)),
        lambda x: np.reciprocal(1 + np.exp(-(x @ a))),
    ],
    "entropy": [
        lambda x: -np.sum(x * np.log(x)),
        lambda x: -(x @ np.log(x)),
        lambda x: np.sum(special.entr(x)),
        lambda x: -np.sum(special.xlogy(x, x)),
    ],
    "ReLU": [
        lambda x: np.sum(np.maximum(A @ x, 0)),
        lambda x: np.sum(np.maximum(0, A @ x)),
        lambda x: np.sum(np.where(A @ x > 0, A @ x, 0)),
        lambda x: np.sum(-np.minimum(-(A @ x), 0)),
    ],
    "|a'x|": [
        lambda x: np.abs(a @ x),
        lambda x: np.sqrt((a @ x) ** 2),
        lambda x: np.fabs(x @ a),
        lambda x: ((a @ x) ** 2) ** 0.5,
    ],
    "Rayleigh": [
        lambda x: (x @ S @ x) / (x @ x),
        lambda x: x @ S @ x / np.sum(x**2),
        lambda x: x @ S @ x / np.linalg.norm(x) ** 2,
        lambda x: (x / np.linalg.norm(x)) @ S @ (x / np.linalg.norm(x)),
    ],
}

MATRICES: dict[str, list[Any]] = {
    "trace": [
        lambda X: np.trace(B @ X),
        lambda X: np.trace(X @ B),
        lambda X: np.sum(B.T * X),
        lambda X: np.einsum("ij,ji->", B, X),
        lambda X: np.sum(np.diag(B @ X)),
        lambda X: np.trace((B @ X).T),
    ],
    "Frobenius": [
        lambda X: np.sum((B @ X - C) ** 2),
        lambda X: np.linalg.norm(B @ X - C) ** 2,
        lambda X: np.linalg.norm(B @ X - C, "fro") ** 2,
        lambda X: np.trace((B @ X - C).T @ (B @ X - C)),
        lambda X: np.einsum("ij,ij->", B @ X - C, B @ X - C),
        lambda X: 9 * np.mean((C - B @ X) ** 2),
    ],
    "log det": [
        lambda X: np.linalg.slogdet(X)[1],
        lambda X: np.log(np.abs(np.linalg.det(X))),
        lambda X: np.linalg.slogdet(X.T)[1],
        lambda X: -np.linalg.slogdet(np.linalg.inv(X))[1],
    ],
    "inverse": [
        lambda X: a @ np.linalg.inv(X) @ c,
        lambda X: a @ np.linalg.solve(X, c),
        lambda X: np.linalg.solve(X.T, a) @ c,
        lambda X: np.trace(np.outer(c, a) @ np.linalg.inv(X)),
    ],
    "softmax of rows": [
        lambda X: -np.sum(Y * special.log_softmax(A @ X, axis=1)),
        lambda X: -np.sum(Y * np.log(special.softmax(A @ X, axis=-1))),
        lambda X: -np.sum(Y * np.log(np.exp(A @ X) / np.sum(np.exp(A @ X), axis=1, keepdims=True))),
        lambda X: -np.sum(Y * (A @ X - special.logsumexp(A @ X, axis=1, keepdims=True))),
        lambda X: -np.sum(Y * (A @ X - np.log(np.sum(np.exp(A @ X), axis=1))[:, None])),
    ],
    "powers": [
        lambda X: np.trace(X @ X @ X),
        lambda X: np.trace(np.linalg.matrix_power(X, 3)),
        lambda X: np.einsum("ij,jk,ki->", X, X, X),
    ],
}


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_of_columns(name: str) -> None:
    _alike([agrees(f, x) for f in VARIANTS[name]])


@pytest.mark.parametrize("name", MATRICES)
def test_variants_of_matrices(name: str) -> None:
    _alike([agrees(f, X) for f in MATRICES[name]])


def _alike(derivations: list[Any]) -> None:
    first = derivations[0]
    for other in derivations[1:]:
        assert other.gradient == first.gradient
        assert other.hessian == first.hessian
        assert other.second == first.second
