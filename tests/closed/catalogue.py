"""Functions with known closed forms: the identities of matrix calculus, written three ways.

Each stands as a person would write it with NumPy, as the text that is expected, and as gradient
and Hessian in NumPy, derived by hand (Magnus & Neudecker 1988; Petersen & Pedersen 2012).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

RNG = np.random.default_rng(20)
x = RNG.normal(size=3)
positive = RNG.uniform(0.5, 2.0, size=3)
a, c, t, w = RNG.normal(size=(4, 3))
A = RNG.normal(size=(4, 3))
b = RNG.normal(size=4)
S, Q = RNG.normal(size=(2, 3, 3))
P = Q + Q.T
W = np.diag(RNG.uniform(0.5, 2.0, size=4))
y = RNG.normal(size=4)
signs = np.array([1.0, -1.0, -1.0, 1.0])
eye = np.eye(3)


@dataclass(frozen=True)
class Identity:
    """A function, what its closed form reads, and an oracle.

    gradient, hessian: the text. hessian_value takes V first where the variable is a matrix, and
    gives H[V]; second is then the text of the second differential, with V for dX.
    """

    name: str
    f: Callable[..., Any]
    examples: tuple[Any, ...]
    gradient: str
    hessian: str
    gradient_value: Callable[..., Any]
    hessian_value: Callable[..., Any]
    assume: dict[str, str] = field(default_factory=dict)
    second: str = ""

    @property
    def matrix(self) -> bool:
        return np.ndim(self.examples[0]) == 2


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax(z: Any) -> Any:
    return np.exp(z) / np.sum(np.exp(z))


def spread(p: Any) -> Any:
    return np.diag(p) - np.outer(p, p)


VECTORS = [
    Identity("1", lambda x, a: a @ x, (x, a), "a", "0", lambda x, a: a, lambda x, a: 0 * eye),
    Identity(
        "2",
        lambda x, S: x @ S @ x,
        (x, S),
        "(S + Sᵀ)x",
        "S + Sᵀ",
        lambda x, S: (S + S.T) @ x,
        lambda x, S: S + S.T,
    ),
    Identity(
        "3",
        lambda x, A, b: 0.5 * np.sum((A @ x - b) ** 2),
        (x, A, b),
        "Aᵀ(Ax − b)",
        "AᵀA",
        lambda x, A, b: A.T @ (A @ x - b),
        lambda x, A, b: A.T @ A,
    ),
    Identity(
        "4",
        lambda x, A, b, lam: np.sum((A @ x - b) ** 2) + lam * np.sum(x**2),
        (x, A, b, 0.3),
        "2Aᵀ(Ax − b) + 2λx",
        "2(AᵀA + λI)",
        lambda x, A, b, lam: 2 * A.T @ (A @ x - b) + 2 * lam * x,
        lambda x, A, b, lam: 2 * A.T @ A + 2 * lam * eye,
    ),
    Identity(
        "5",
        lambda x: np.linalg.norm(x),
        (x,),
        "x/‖x‖",
        "(1/‖x‖)(I − xxᵀ/‖x‖²)",
        lambda x: x / np.sqrt(x @ x),
        lambda x: eye / np.sqrt(x @ x) - np.outer(x, x) / (x @ x) ** 1.5,
    ),
    Identity(
        "6",
        lambda x, a: np.log(1 + np.exp(a @ x)),
        (x, a),
        "σ(aᵀx)a",
        "σ(aᵀx)(1 − σ(aᵀx))aaᵀ",
        lambda x, a: sigmoid(a @ x) * a,
        lambda x, a: sigmoid(a @ x) * sigmoid(-a @ x) * np.outer(a, a),
    ),
    Identity(
        "6 with labels",
        lambda x, a, y: np.log(1 + np.exp(-y * (a @ x))),
        (x, a, -1.5),
        "−yσ(−yaᵀx)a",
        "y²σ(yaᵀx)(1 − σ(yaᵀx))aaᵀ",
        lambda x, a, y: -y * sigmoid(-y * (a @ x)) * a,
        lambda x, a, y: y**2 * sigmoid(y * (a @ x)) * sigmoid(-y * (a @ x)) * np.outer(a, a),
    ),
    Identity(
        "7",
        lambda x, A, y: np.sum(np.log(1 + np.exp(-y * (A @ x)))),
        (x, A, y),
        "−Aᵀ(y ∘ σ(−y ∘ Ax))",
        "Aᵀdiag(y ∘ y ∘ σ(y ∘ Ax) ∘ (1 − σ(y ∘ Ax)))A",
        lambda x, A, y: -A.T @ (y * sigmoid(-y * (A @ x))),
        lambda x, A, y: A.T @ np.diag(y**2 * sigmoid(y * (A @ x)) * sigmoid(-y * (A @ x))) @ A,
    ),
    Identity(
        "7 with signs",
        lambda x, A, y: np.sum(np.log(1 + np.exp(-y * (A @ x)))),
        (x, A, signs),
        "−Aᵀ(y ∘ σ(−y ∘ Ax))",
        "Aᵀdiag(σ(Ax) ∘ (1 − σ(Ax)))A",
        lambda x, A, y: -A.T @ (y * sigmoid(-y * (A @ x))),
        lambda x, A, y: A.T @ np.diag(sigmoid(A @ x) * sigmoid(-A @ x)) @ A,
        assume={"y": "signs"},
    ),
    Identity(
        "8",
        lambda x: -np.exp(-x @ x),
        (x,),
        "2e^{−xᵀx}x",
        "2e^{−xᵀx}(I − 2xxᵀ)",
        lambda x: 2 * np.exp(-x @ x) * x,
        lambda x: 2 * np.exp(-x @ x) * (eye - 2 * np.outer(x, x)),
    ),
    Identity(
        "9",
        lambda x, P: np.exp(-0.5 * x @ P @ x),
        (x, P),
        "−e^{−½xᵀPx}Px",
        "e^{−½xᵀPx}(PxxᵀP − P)",
        lambda x, P: -np.exp(-0.5 * x @ P @ x) * (P @ x),
        lambda x, P: np.exp(-0.5 * x @ P @ x) * (np.outer(P @ x, P @ x) - P),
        assume={"P": "symmetric"},
    ),
    Identity(
        "10",
        lambda x: np.log(np.sum(np.exp(x))),
        (x,),
        "p",
        "diag(p) − ppᵀ",
        softmax,
        lambda x: spread(softmax(x)),
    ),
    Identity(
        "11",
        lambda x, A, b: np.log(np.sum(np.exp(A @ x + b))),
        (x, A, b),
        "Aᵀp",
        "Aᵀ(diag(p) − ppᵀ)A",
        lambda x, A, b: A.T @ softmax(A @ x + b),
        lambda x, A, b: A.T @ spread(softmax(A @ x + b)) @ A,
    ),
    Identity(
        "12",
        lambda x: np.sum(x * np.log(x)),
        (positive,),
        "log x + 1",
        "diag(1 ⊘ x)",
        lambda x: np.log(x) + 1,
        lambda x: np.diag(1 / x),
    ),
    Identity(
        "13",
        lambda x: np.sum(np.exp(x)),
        (x,),
        "e^x",
        "diag(e^x)",
        np.exp,
        lambda x: np.diag(np.exp(x)),
    ),
    Identity(
        "14",
        lambda x, t: -t @ np.log(np.exp(x) / np.sum(np.exp(x))),
        (x, t),
        "(1ᵀt)p − t",
        "(1ᵀt)(diag(p) − ppᵀ)",
        lambda x, t: np.sum(t) * softmax(x) - t,
        lambda x, t: np.sum(t) * spread(softmax(x)),
    ),
    Identity(
        "15",
        lambda x: (x @ x) ** 2,
        (x,),
        "4(xᵀx)x",
        "4(xᵀx)I + 8xxᵀ",
        lambda x: 4 * (x @ x) * x,
        lambda x: 4 * (x @ x) * eye + 8 * np.outer(x, x),
    ),
    Identity(
        "16",
        lambda x, a, c: (a @ x) * (c @ x),
        (x, a, c),
        "(aᵀx)c + (cᵀx)a",
        "acᵀ + caᵀ",
        lambda x, a, c: (a @ x) * c + (c @ x) * a,
        lambda x, a, c: np.outer(a, c) + np.outer(c, a),
    ),
    Identity(
        "17",
        lambda x, A, b, W: (A @ x - b) @ W @ (A @ x - b),
        (x, A, b, W),
        "2AᵀW(Ax − b)",
        "2AᵀWA",
        lambda x, A, b, W: 2 * A.T @ W @ (A @ x - b),
        lambda x, A, b, W: 2 * A.T @ W @ A,
        assume={"W": "diagonal"},
    ),
    Identity(
        "18",
        lambda x: np.sqrt(1 + x @ x),
        (x,),
        "x/s",
        "(1/s)(I − xxᵀ/s²)",
        lambda x: x / np.sqrt(1 + x @ x),
        lambda x: eye / np.sqrt(1 + x @ x) - np.outer(x, x) / (1 + x @ x) ** 1.5,
    ),
    Identity(
        "19",
        lambda x, w: np.sum((x * x - w) ** 2),
        (x, w),
        "4x ∘ (x ∘ x − w)",
        "diag(12x ∘ x − 4w)",
        lambda x, w: 4 * x * (x * x - w),
        lambda x, w: np.diag(12 * x * x - 4 * w),
    ),
    Identity(
        "20",
        lambda x, A, b: np.sum(np.exp(A @ x)) - b @ A @ x,
        (x, A, b),
        "Aᵀ(e^{Ax} − b)",
        "Aᵀdiag(e^{Ax})A",
        lambda x, A, b: A.T @ (np.exp(A @ x) - b),
        lambda x, A, b: A.T @ np.diag(np.exp(A @ x)) @ A,
    ),
    Identity(
        "21",
        lambda x, A, b, c: 0.5 * x @ A @ x - b @ x + c,
        (x, S, a, 3.0),
        "½(A + Aᵀ)x − b",
        "½(A + Aᵀ)",
        lambda x, A, b, c: (A + A.T) @ x / 2 - b,
        lambda x, A, b, c: (A + A.T) / 2,
    ),
]
"""Functions of a vector."""

X = 2 * eye + 0.5 * RNG.normal(size=(3, 3))
tall = RNG.normal(size=(4, 3))
left, right = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 2))
C = RNG.normal(size=(5, 3))
D = RNG.normal(size=(5, 2))
E = RNG.normal(size=(3, 2))
inv, det = np.linalg.inv, np.linalg.det


def _gram_hessian(V: Any, X: Any) -> Any:
    K = inv(X.T @ X)
    return 2 * V @ K - 2 * X @ K @ (V.T @ X + X.T @ V) @ K


def _tanh_hessian(V: Any, X: Any, a: Any, c: Any) -> Any:
    s = np.tanh(X @ c)
    return np.outer(-2 * a * s * (1 - s**2) * (V @ c), c)


MATRICES = [
    Identity(
        "M1",
        lambda X, B: np.trace(B @ X),
        (X, S),
        "Bᵀ",
        "0",
        lambda X, B: B.T,
        lambda V, X, B: 0 * V,
        second="0",
    ),
    Identity(
        "M2",
        lambda X, B: np.trace(X.T @ B @ X),
        (X, S),
        "(B + Bᵀ)X",
        "(B + Bᵀ)V",
        lambda X, B: (B + B.T) @ X,
        lambda V, X, B: (B + B.T) @ V,
        second="2tr(VᵀBV)",
    ),
    Identity(
        "M3",
        lambda X: np.linalg.slogdet(X)[1],
        (X,),
        "X⁻ᵀ",
        "−(X⁻¹VX⁻¹)ᵀ",
        lambda X: inv(X).T,
        lambda V, X: -(inv(X) @ V @ inv(X)).T,
        second="−tr(X⁻¹VX⁻¹V)",
    ),
    Identity(
        "M4",
        lambda X: np.linalg.det(X),
        (X,),
        "det(X)X⁻ᵀ",
        "det(X)(tr(X⁻¹V)X⁻ᵀ − (X⁻¹VX⁻¹)ᵀ)",
        lambda X: det(X) * inv(X).T,
        lambda V, X: det(X) * (np.trace(inv(X) @ V) * inv(X).T - (inv(X) @ V @ inv(X)).T),
    ),
    Identity(
        "M5",
        lambda X, B: np.trace(B @ np.linalg.inv(X)),
        (X, S),
        "−(X⁻¹BX⁻¹)ᵀ",
        "X⁻ᵀ((VX⁻¹B)ᵀ + (BX⁻¹V)ᵀ)X⁻ᵀ",
        lambda X, B: -(inv(X) @ B @ inv(X)).T,
        lambda V, X, B: (inv(X) @ V @ inv(X) @ B @ inv(X) + inv(X) @ B @ inv(X) @ V @ inv(X)).T,
    ),
    Identity(
        "M6",
        lambda X, B, C: 0.5 * np.sum((B @ X - C) ** 2),
        (X, left, C),
        "Bᵀ(BX − C)",
        "BᵀBV",
        lambda X, B, C: B.T @ (B @ X - C),
        lambda V, X, B, C: B.T @ B @ V,
        second="‖BV‖_F²",
    ),
    Identity(
        "M7",
        lambda X: np.linalg.norm(X),
        (tall,),
        "X/‖X‖_F",
        "(1/‖X‖_F)(V − tr(XᵀV)X/‖X‖_F²)",
        lambda X: X / np.sqrt(np.sum(X**2)),
        lambda V, X: V / np.sqrt(np.sum(X**2)) - np.sum(X * V) * X / np.sum(X**2) ** 1.5,
    ),
    Identity(
        "M8",
        lambda X, a, c: a @ X @ X.T @ c,
        (E, a, c),
        "(acᵀ + caᵀ)X",
        "(acᵀ + caᵀ)V",
        lambda X, a, c: (np.outer(a, c) + np.outer(c, a)) @ X,
        lambda V, X, a, c: (np.outer(a, c) + np.outer(c, a)) @ V,
    ),
    Identity(
        "M9",
        lambda X, A, C, D: 0.5 * np.sum((A @ X @ C - D) ** 2),
        (X, left, right, D),
        "Aᵀ(AXC − D)Cᵀ",
        "AᵀAVCCᵀ",
        lambda X, A, C, D: A.T @ (A @ X @ C - D) @ C.T,
        lambda V, X, A, C, D: A.T @ A @ V @ C @ C.T,
    ),
    Identity(
        "M10",
        lambda X: np.linalg.slogdet(X.T @ X)[1],
        (tall,),
        "2X(XᵀX)⁻¹",
        "2(V − X(XᵀX)⁻¹(VᵀX + XᵀV))(XᵀX)⁻¹",
        lambda X: 2 * X @ inv(X.T @ X),
        _gram_hessian,
    ),
    Identity(
        "M11",
        lambda X: np.sum(np.exp(X)),
        (tall,),
        "e^{∘X}",
        "e^{∘X} ∘ V",
        np.exp,
        lambda V, X: np.exp(X) * V,
    ),
    Identity(
        "M12",
        lambda X, a, c: a @ np.tanh(X @ c),
        (tall, b, c),
        "(a ∘ (1 − tanh²(Xc)))cᵀ",
        "−2(a ∘ tanh(Xc) ∘ (1 − tanh²(Xc)) ∘ Vc)cᵀ",
        lambda X, a, c: np.outer(a * (1 - np.tanh(X @ c) ** 2), c),
        _tanh_hessian,
    ),
    Identity(
        "M13",
        lambda X, B, C: np.sum((X @ B - C) ** 2),
        (tall, E, RNG.normal(size=(4, 2))),
        "2(XB − C)Bᵀ",
        "2VBBᵀ",
        lambda X, B, C: 2 * (X @ B - C) @ B.T,
        lambda V, X, B, C: 2 * V @ B @ B.T,
    ),
]
"""Functions of a matrix."""

CATALOGUE = VECTORS + MATRICES
