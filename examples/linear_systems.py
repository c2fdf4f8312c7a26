"""Gradients through a linear system and through singular values, against their formulas.

Linear systems.  With A x = b and L a function of x, let g = dL/dx. From A ẋ = ḃ − Ȧ x follow

    dL/db = A⁻ᵀ g                         one more system, with the matrix transposed
    dL/dA = −A⁻ᵀ g xᵀ = −(dL/db) xᵀ       an outer product

so the factors P A = L U of the forward pass serve again: two triangular solves give dL/db, and no
inverse is made. A symmetric positive definite A has A = C Cᵀ, and dL/db = C⁻ᵀ C⁻¹ g.

Singular values.  With W = U diag(s) Vᵀ and L a function of s alone,

    dL/dW = U diag(dL/ds) Vᵀ

whatever L is: L = Σ s, the nuclear norm, has dL/dW = U Vᵀ; L = s₁, the spectral norm, u₁ v₁ᵀ;
L = ½ Σ s² has W.

Topic: matrix calculus and implicit differentiation (Giles 2008, *Collected matrix derivative
results for forward and reverse mode algorithmic differentiation*).
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

import wengert as wg

Array = NDArray[np.float64]


def loss(x: Array) -> float:
    """L(x) = Σ sin xᵢ."""
    return np.sum(np.sin(x))


def slope(x: Array) -> Array:
    """dL/dx = cos x."""
    return np.cos(x)


def of_system(a: Array, b: Array) -> float:
    """L(x) where A x = b."""
    return loss(np.linalg.solve(a, b))


def system_by_hand(a: Array, b: Array) -> tuple[Array, Array]:
    """(dL/dA, dL/db), by two triangular solves with the factors of A."""
    factors = scipy.linalg.lu_factor(a)
    x = scipy.linalg.lu_solve(factors, b)
    by_b = scipy.linalg.lu_solve(factors, slope(x), trans=1)
    return -np.outer(by_b, x), by_b


def of_definite_system(root: Array, b: Array) -> float:
    """L(x) where (R Rᵀ + 1) x = b, by Cholesky's factor."""
    c = np.linalg.cholesky(root @ root.T + np.eye(len(b)))
    return loss(np.linalg.solve(c.T, np.linalg.solve(c, b)))


def definite_by_hand(root: Array, b: Array) -> tuple[Array, Array]:
    """(dL/dR, dL/db): dL/dA as above, and then dL/dR = (dL/dA + (dL/dA)ᵀ) R."""
    by_a, by_b = system_by_hand(root @ root.T + np.eye(len(b)), b)
    return (by_a + by_a.T) @ root, by_b


def nuclear_norm(w: Array) -> float:
    """Σ s."""
    return np.sum(np.linalg.svd(w, compute_uv=False))


def spectral_norm(w: Array) -> float:
    """s₁."""
    return np.linalg.svd(w, compute_uv=False)[0]


def entropy(w: Array) -> float:
    """−Σ p log p with p = s²/Σ s²: how many directions W has."""
    s = np.linalg.svd(w, compute_uv=False)
    p = s**2 / np.sum(s**2)
    return -np.sum(p * np.log(p))


def entropy_by_hand(w: Array) -> Array:
    """U diag(dL/ds) Vᵀ with dL/ds = −2 s/Σ s² (log p + L)."""
    u, s, vt = np.linalg.svd(w, full_matrices=False)
    p = s**2 / np.sum(s**2)
    by_s = -2 * s / np.sum(s**2) * (np.log(p) - np.sum(p * np.log(p)))
    return u @ np.diag(by_s) @ vt


def comparisons() -> dict[str, tuple[object, object]]:
    """What is computed, and what it must be."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(6, 6)) + 4 * np.eye(6), rng.normal(size=6)
    w = rng.normal(size=(5, 3))
    u, _, vt = np.linalg.svd(w, full_matrices=False)
    by_a, by_b = wg.grad(of_system, argnums=(0, 1))(a, b)
    by_root, by_b_too = wg.grad(of_definite_system, argnums=(0, 1))(a / 4, b)
    hand_a, hand_b = system_by_hand(a, b)
    hand_root, hand_b_too = definite_by_hand(a / 4, b)
    return {
        "A x = b: dL/dA": (by_a, hand_a),
        "A x = b: dL/db": (by_b, hand_b),
        "(R Rᵀ + 1) x = b: dL/dR": (by_root, hand_root),
        "(R Rᵀ + 1) x = b: dL/db": (by_b_too, hand_b_too),
        "the nuclear norm": (wg.grad(nuclear_norm)(w), u @ vt),
        "the spectral norm": (wg.grad(spectral_norm)(w), np.outer(u[:, 0], vt[0])),
        "½ ‖W‖²": (wg.grad(lambda w: np.linalg.norm(w) ** 2 / 2)(w), w),
        "the entropy of singular values": (wg.grad(entropy)(w), entropy_by_hand(w)),
    }


def main() -> None:
    for name, (computed, expected) in comparisons().items():
        worst = np.max(np.abs(np.subtract(computed, expected)))
        print(f"{name:32} greatest difference from the formula {worst:.1e}")


if __name__ == "__main__":
    main()
