"""Derivatives of decompositions against differences, as people use them: losses of the factors.

The laws of the records test the factors themselves. Here are the functions made of them, bases that
are not unique but for the space that they span, and what crosses precisions and tiers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import check_grads


def drawn(*shape: int, dtype: Any = float, seed: int = 0) -> Any:
    rng = np.random.default_rng(sum(shape) + seed)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def matrix(*shape: int, dtype: Any = float, seed: int = 0) -> Any:
    """With singular values, and eigenvalues of its Hermitian part, that lie well apart."""
    *lead, m, n = shape
    k = min(m, n)
    u, v = (np.linalg.qr(drawn(*lead, e, k, dtype=dtype, seed=seed))[0] for e in (m, n))
    if m != n:
        return (u * np.arange(1.0, k + 1)) @ adjoint(v)
    near = 0.1 * drawn(*shape, dtype=dtype, seed=seed + 1)
    return (u * np.arange(1.0, k + 1)) @ adjoint(u) + near


def adjoint(x: Any) -> Any:
    return np.conj(np.swapaxes(x, -1, -2))


def weigh(x: Any, seed: int = 5) -> Any:
    """A real number that depends on every element."""
    w = drawn(*x.shape, dtype=np.complex128, seed=seed)
    return np.sum(np.real(x * w)) + np.sum(np.abs(x * w) ** 2)


def total(parts: Any) -> Any:
    return sum(weigh(part, k) for k, part in enumerate(parts))


def hermitian_part(x: Any) -> Any:
    return x + adjoint(x)


def gram(x: Any) -> Any:
    return x @ adjoint(x)


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "qr": (lambda x: total(np.linalg.qr(x)), (4, 3)),
    "qr wide": (lambda x: total(np.linalg.qr(x)), (2, 4)),
    "qr stack": (lambda x: total(np.linalg.qr(x, "complete")), (2, 3, 3)),
    "qr r": (lambda x: weigh(np.linalg.qr(x, "r")), (3, 2)),
    "svd": (lambda x: total(np.linalg.svd(x, full_matrices=False)), (4, 3)),
    "svd wide": (lambda x: total(np.linalg.svd(x, full_matrices=False)), (2, 4)),
    "svd stack": (lambda x: total(np.linalg.svd(x)), (2, 2, 2)),
    "svd hermitian": (
        lambda x: total(np.linalg.svd(hermitian_part(x), hermitian=True)),
        (3, 3),
    ),
    "svdvals": (lambda x: weigh(np.linalg.svdvals(x)), (2, 3, 2)),
    "eigh": (lambda x: total(np.linalg.eigh(hermitian_part(x))), (3, 3)),
    "eigh upper": (lambda x: total(np.linalg.eigh(hermitian_part(x), "U")), (2, 2, 2)),
    "eigvalsh": (lambda x: weigh(np.linalg.eigvalsh(hermitian_part(x))), (3, 3)),
    "eig": (lambda x: total(np.linalg.eig(x)), (3, 3)),
    "eigvals": (lambda x: weigh(np.linalg.eigvals(x)), (2, 2, 2)),
    "pinv tall": (lambda x: weigh(np.linalg.pinv(x)), (4, 2)),
    "pinv wide": (lambda x: weigh(np.linalg.pinv(x)), (2, 3)),
    "pinv hermitian": (lambda x: weigh(np.linalg.pinv(gram(x), hermitian=True)), (2, 2)),
    "lstsq": (
        lambda x: total(part for k, part in enumerate(np.linalg.lstsq(x, drawn(4, 2))) if k != 2),
        (4, 2),
    ),
    "lstsq wide": (lambda x: weigh(np.linalg.lstsq(x, drawn(2))[0]), (2, 3)),
    "nuc": (lambda x: np.linalg.norm(x, "nuc"), (3, 4)),
    "norm 2": (lambda x: np.linalg.norm(x, 2), (3, 2)),
    "norm -2": (lambda x: np.linalg.norm(x, -2), (3, 3)),
    "norm of a stack": (lambda x: weigh(np.linalg.norm(x, "nuc", axis=(0, 2))), (2, 2, 3)),
    "cond": (lambda x: np.linalg.cond(x), (3, 3)),
    "cond 1": (lambda x: np.linalg.cond(x, 1), (2, 2)),
    "cond -2": (lambda x: np.linalg.cond(x, -2), (3, 2)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_first_and_second_derivatives_in_both_modes(name: str) -> None:
    f, shape = FUNCTIONS[name]
    check_grads(f, (matrix(*shape),), order=2)


@pytest.mark.parametrize("order", [pytest.param(1), pytest.param(2, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_complex_matrices(name: str, order: int) -> None:
    f, shape = FUNCTIONS[name]
    check_grads(f, (matrix(*shape, dtype=complex),), order=order)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize(
    ("name", "f"),
    [
        ("rest of Q", lambda x: gram(np.linalg.qr(x, "complete").Q[:, 2:])),
        ("rest of U", lambda x: gram(np.linalg.svd(x).U[:, 2:])),
        ("rest of V", lambda x: gram(adjoint(np.linalg.svd(adjoint(x)).Vh[2:]))),
        ("all of Q R", lambda x: np.matmul(*np.linalg.qr(x, "complete"))),
    ],
)
def test_the_space_that_completes_a_basis(name: str, f: Callable[[Any], Any], dtype: Any) -> None:
    """Several vectors, of which only their span is determined."""
    check_grads(lambda x: weigh(f(x)), (matrix(4, 2, dtype=dtype),), order=2)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.qr(x, "complete").Q,
        lambda x: np.linalg.svd(x).U[:, 2:],
        lambda x: np.linalg.svd(x.T).Vh[2:],
    ],
)
def test_single_vectors_that_complete_a_basis_are_refused(f: Callable[[Any], Any]) -> None:
    with pytest.raises(wg.errors.NotDifferentiable, match="complete an orthonormal basis"):
        wg.grad(lambda x: weigh(f(x)))(drawn(4, 2))


def test_nuclear_norm_and_its_hessian() -> None:
    x = drawn(3, 2)
    u, _, vh = np.linalg.svd(x, full_matrices=False)
    np.testing.assert_allclose(wg.grad(lambda x: np.linalg.norm(x, "nuc"))(x), u @ vh, atol=1e-14)
    dense = wg.hessian(lambda x: np.linalg.norm(x, "nuc"))(x)
    polar = wg.jacrev(lambda x: np.matmul(*np.linalg.svd(x, full_matrices=False)[::2]))(x)
    np.testing.assert_allclose(dense, polar, atol=1e-12)
    check_grads(lambda x: np.linalg.norm(x, "nuc"), (x,), order=2)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: total(np.linalg.qr(x)),
        lambda x: total(np.linalg.svd(x, full_matrices=False)),
        lambda x: total(np.linalg.eigh(gram(x))),
        lambda x: total(np.linalg.eig(x)),
        lambda x: weigh(np.linalg.pinv(x)),
    ],
)
def test_single_precision_batches_and_machine_code(f: Callable[[Any], Any]) -> None:
    stack = drawn(2, 3, 3)
    exact = np.stack([wg.grad(f)(x) for x in stack])
    np.testing.assert_allclose(wg.jit(wg.vmap(wg.grad(f)))(stack), exact, rtol=1e-9, atol=1e-9)
    single = wg.grad(f)(stack[0].astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, exact[0], rtol=2e-3, atol=2e-3 * np.abs(exact[0]).max())


def test_one_by_one_and_empty() -> None:
    x = np.array([[-2.0]])
    assert wg.grad(lambda x: np.linalg.norm(x, "nuc"))(x).tolist() == [[-1.0]]
    assert wg.grad(lambda x: np.linalg.eigvalsh(x)[0])(x).tolist() == [[1.0]]
    assert wg.grad(lambda x: np.sum(np.linalg.eigh(x)[1]))(x).tolist() == [[0.0]]
    assert wg.grad(lambda x: np.linalg.qr(x).R[0, 0])(x).tolist() == [[1.0]]
    assert wg.grad(lambda x: np.linalg.svd(x).U[0, 0])(x).tolist() == [[0.0]]
    empty = np.zeros((0, 0))
    for f in (np.linalg.svd, np.linalg.qr, np.linalg.eigh, lambda x: [np.linalg.pinv(x)]):
        found = wg.grad(lambda x, f=f: sum(np.sum(part) for part in f(x)))(empty)
        assert found.shape == (0, 0)


def test_a_cutoff_that_takes_more_than_zeros_is_refused() -> None:
    x = np.diag([1.0, 0.2, 0.0])
    f = wg.grad(lambda x: weigh(np.linalg.pinv(x, rcond=1e-6)))
    assert np.isfinite(f(x)).all()
    with pytest.raises(wg.errors.NotDifferentiable, match="smaller cutoff"):
        wg.grad(lambda x: weigh(np.linalg.pinv(x, rcond=0.5)))(x)
    with pytest.raises(wg.errors.NotDifferentiable, match="smaller cutoff"):
        wg.grad(lambda x: weigh(np.linalg.lstsq(x, np.ones(3), 0.5)[0]))(x)


def test_pinv_along_matrices_of_its_rank() -> None:
    """Of a matrix that is not of full rank: A(t) B(t) of rank 2."""
    a, b = matrix(4, 2), matrix(2, 3)
    check_grads(lambda a, b: weigh(np.linalg.pinv(a @ b, rcond=1e-8)), (a, b), order=1)


def test_r_of_dependent_columns_has_no_derivative() -> None:
    x = np.array([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        wg.grad(lambda x: np.sum(np.linalg.qr(x).R))(x)
