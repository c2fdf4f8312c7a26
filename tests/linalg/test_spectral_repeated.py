"""Coinciding and vanishing values: a derivative where there is one, and an error where not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from support import numeric_grad
from wengert.errors import NotDifferentiable

RNG = np.random.default_rng(2)
WEIGHTS = RNG.standard_normal((4, 4))
TURN = np.linalg.qr(RNG.standard_normal((4, 4)))[0]
OTHER = np.linalg.qr(RNG.standard_normal((4, 4)))[0]


def with_eigenvalues(*w: float, dtype: Any = float) -> Any:
    """A Hermitian matrix of these eigenvalues."""
    q = TURN
    if np.dtype(dtype).kind == "c":
        q = np.linalg.qr(TURN + 1j * OTHER)[0]
    return (q * np.array(w)) @ q.conj().T


def with_singular_values(*s: float) -> Any:
    return (TURN * np.array(s)) @ OTHER


def symmetric(x: Any) -> Any:
    return (x + np.conj(x.T)) / 2


def weigh(x: Any) -> Any:
    return np.sum(np.real(WEIGHTS[: x.shape[0], : x.shape[1]] * x))


def polar(x: Any) -> Any:
    u, _, vh = np.linalg.svd(x)
    return weigh(u @ vh)


def projection(start: int, stop: int) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        v = np.linalg.eigh(symmetric(x))[1][:, start:stop]
        return weigh(v @ np.conj(v.T)) + np.sum(np.abs(v @ np.conj(v.T)) ** 4)

    return f


def whitened(x: Any) -> Any:
    """Reads values and vectors, but only of the two largest."""
    w, v = np.linalg.eigh(symmetric(x))
    return weigh((v[:, 2:] / np.sqrt(w[2:])) @ v[:, 2:].T)


def inverted(x: Any) -> Any:
    """A pseudo-inverse: zeros are zero by structure."""
    w, v = np.linalg.eigh(symmetric(x))
    positive = w > 1e-6
    return weigh((v * np.where(positive, 1 / np.where(positive, w, 1), 0)) @ v.T)


def check(f: Callable[[Any], Any], x: Any) -> None:
    expected = numeric_grad(f, x)
    for grad in (wg.grad(f), wg.jit(wg.grad(f))):
        np.testing.assert_allclose(grad(x), expected, atol=3e-9, rtol=1e-8)


SMOOTH = {
    "nuclear norm of I": (lambda x: np.linalg.norm(x, "nuc"), np.eye(3)),
    "nuclear norm": (lambda x: np.linalg.norm(x, "nuc"), with_singular_values(3, 2, 2, 2)),
    "squares of singular values, some 0": (
        lambda x: np.sum(np.linalg.svdvals(x) ** 2),
        with_singular_values(2, 2, 0, 0),
    ),
    "sum of the largest": (
        lambda x: np.sum(np.linalg.eigvalsh(symmetric(x))[2:]),
        with_eigenvalues(1, 1, 2, 2),
    ),
    "power sums": (lambda x: np.sum(np.linalg.eigvalsh(symmetric(x)) ** 3), np.eye(3)),
    "orthogonal factor of I": (polar, np.eye(3)),
    "orthogonal factor": (polar, with_singular_values(2, 2, 2, 1)),
    "a projection": (projection(2, 4), with_eigenvalues(1, 2, 3, 3)),
    "the other projection": (projection(0, 1), with_eigenvalues(1, 3, 3, 3)),
    "a complex projection": (projection(1, 3), with_eigenvalues(1, 2, 2, 3, dtype=complex)),
    "vectors beside coinciding ones": (whitened, with_eigenvalues(1, 1, 2, 3)),
    "log det of eigenvalues": (
        lambda x: np.sum(np.log(np.linalg.eigvalsh(symmetric(x)))),
        with_eigenvalues(2, 2, 2, 2),
    ),
    "eigenvalues of a general matrix": (
        lambda x: np.sum(np.linalg.eigvals(x).real ** 2 - np.linalg.eigvals(x).imag ** 2),
        np.eye(3),
    ),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_what_is_smooth_has_its_gradient(name: str) -> None:
    check(*SMOOTH[name])


def test_zeros_by_structure_do_no_harm() -> None:
    """Differences leave the matrices of this rank; the derivative along them is that of pinv."""
    x = with_eigenvalues(0, 0, 2, 3)
    along = symmetric(WEIGHTS @ x + x @ WEIGHTS.T)  # the rank stays
    expected = wg.jvp(lambda x: weigh(np.linalg.pinv(x, 1e-6)), (x,), (along,))[1]
    np.testing.assert_allclose(np.sum(wg.grad(inverted)(x) * along), expected, rtol=1e-9)


def test_a_kink_at_zero_has_the_derivative_zero() -> None:
    """The least of the subgradients, as of |x|."""
    x = with_singular_values(2, 1, 0, 0)
    u, _, vh = np.linalg.svd(x)
    expected = u[:, :2] @ vh[:2]
    found = wg.grad(lambda x: np.linalg.norm(x, "nuc"))(x)
    np.testing.assert_allclose(found, expected, atol=1e-13)
    for order in ("nuc", 2, -2):
        zeros = wg.grad(lambda x, order=order: np.linalg.norm(x, order))(np.zeros((3, 3)))
        assert zeros.tolist() == np.zeros((3, 3)).tolist()


def eigenvector(x: Any) -> Any:
    return weigh(np.linalg.eigh(symmetric(x))[1])


def half_a_group(x: Any) -> Any:
    return projection(3, 4)(x)


ARBITRARY = {
    "an eigenvector": (eigenvector, with_eigenvalues(1, 2, 2, 3), "eigenvalues number 1 "),
    "half a group": (half_a_group, with_eigenvalues(1, 2, 3, 3), "eigenvalues number 2 "),
    "a singular vector": (
        lambda x: weigh(np.linalg.svd(x)[0]),
        with_singular_values(3, 2, 2, 1),
        "singular values number 1 ",
    ),
    "the vector of a zero": (
        lambda x: weigh(np.linalg.svd(x, full_matrices=False)[0]),
        with_singular_values(3, 2, 1, 0)[:, :] @ OTHER.T[:, :4] @ np.eye(4)[:, [0, 1, 3]],
        "is zero to rounding",
    ),
    "an eigenvector of a general matrix": (
        lambda x: weigh(np.real(np.linalg.eig(x)[1])),
        np.diag([1.0, 1.0, 2.0]),
        "eigenvalues number 0 ",
    ),
}


@pytest.mark.parametrize("name", ARBITRARY)
def test_what_depends_on_arbitrary_vectors_is_refused(name: str) -> None:
    f, x, says = ARBITRARY[name]
    for grad in (wg.grad(f), wg.jit(wg.grad(f))):
        with pytest.raises(NotDifferentiable, match=says) as caught:
            grad(x)
        assert "depends on individual vectors" in str(caught.value)


def function_of_matrix(x: Any) -> Any:
    w, v = np.linalg.eigh(symmetric(x))
    return weigh((v * np.log(w)) @ v.T)


def rebuilt(x: Any) -> Any:
    u, s, vh = np.linalg.svd(x)
    return weigh((u * s) @ vh)


@pytest.mark.parametrize("f", [function_of_matrix, rebuilt])
def test_values_beside_their_vectors_are_refused(f: Callable[[Any], Any]) -> None:
    """Their cotangents do not hold the limit, which is not 0: a gradient without it is wrong."""
    check(f, with_eigenvalues(1, 1.5, 2, 3))
    with pytest.raises(NotDifferentiable, match="reads both these values and their vectors"):
        wg.grad(f)(with_eigenvalues(1, 2, 2, 3))
    with pytest.raises(NotDifferentiable, match="sqrtm, logm"):
        wg.grad(f)(np.eye(4))


def test_values_from_another_call_are_known_to_be_the_same() -> None:
    def f(x: Any) -> Any:
        x = symmetric(x)
        return weigh((np.linalg.eigh(x)[1] * np.linalg.eigvalsh(x) ** 2) @ np.linalg.eigh(x)[1].T)

    check(f, with_eigenvalues(1, 2, 4, 3))
    with pytest.raises(NotDifferentiable, match="reads both"):
        wg.grad(f)(np.eye(4))


def test_forward_mode_goes_along_what_does_not_split_the_values() -> None:
    x, f = with_eigenvalues(1, 2, 3, 3), projection(2, 4)
    q = np.linalg.eigh(x)[1]
    turning = q @ np.diag([1.0, 0.5, 0, 0]) @ WEIGHTS @ q.T
    split = q[:, 2:] @ np.diag([1.0, -1.0]) @ q[:, 2:].T
    along = symmetric(turning - q[:, 2:] @ (q[:, 2:].T @ turning @ q[:, 2:]) @ q[:, 2:].T)
    expected = np.sum(wg.grad(f)(x) * along)
    np.testing.assert_allclose(wg.jvp(f, (x,), (along,))[1], expected, rtol=1e-9)
    mixing = split + q[:, 2:] @ np.array([[0, 1.0], [1, 0]]) @ q[:, 2:].T
    with pytest.raises(NotDifferentiable, match="forward mode"):
        wg.jvp(f, (x,), (mixing,))


@pytest.mark.parametrize("f", [lambda x: np.sum(np.linalg.eigvalsh(x) ** 2), polar])
def test_second_derivatives_there_are_refused_not_wrong(f: Callable[[Any], Any]) -> None:
    """The Hessian of tr x² is 2, of which the eigenvalues alone would give a part."""
    with pytest.raises(NotDifferentiable, match="second derivatives cannot"):
        wg.hessian(f)(np.eye(3))
    for other in (with_eigenvalues(1, 2, 3, 4),):
        assert np.isfinite(wg.hessian(f)(other)).all()


def test_values_that_differ_by_little_are_told_apart() -> None:
    x = with_eigenvalues(1, 2, 2 + 1e-6, 3)
    found = wg.grad(projection(2, 4))(x)
    assert np.isfinite(found).all()
    assert np.abs(found).max() > 1e4


@pytest.mark.parametrize("gap", [1e-14, 3e-14, 1e-13, 3e-13])
def test_near_values_of_a_projection_bring_no_noise(gap: float) -> None:
    """Rounding in the cotangents is not divided by little more than rounding."""
    exact = wg.grad(projection(2, 4))(with_eigenvalues(1, 2, 3, 3))
    near = wg.grad(projection(2, 4))(with_eigenvalues(1, 2, 3, 3 + gap))
    np.testing.assert_allclose(near, exact, atol=1e-9)
    with pytest.raises(NotDifferentiable, match="reads both"):
        wg.grad(function_of_matrix)(with_eigenvalues(1, 2, 3, 3 + gap))


def test_single_precision_knows_its_rounding() -> None:
    x = with_eigenvalues(1, 2, 3, 3).astype(np.float32)
    found = wg.grad(projection(2, 4))(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, numeric_grad(projection(2, 4), x.astype(float)), atol=1e-4)
    with pytest.raises(NotDifferentiable, match="eigenvalues number 2"):
        wg.grad(half_a_group)(x)


def test_one_bad_matrix_of_a_batch() -> None:
    stack = np.stack([with_eigenvalues(1, 2, 3, 4), with_eigenvalues(1, 2, 3, 3)])
    with pytest.raises(NotDifferentiable, match="eigenvalues number 2"):
        wg.vmap(wg.grad(eigenvector))(stack)
    assert wg.vmap(wg.grad(projection(2, 4)))(stack).shape == (2, 4, 4)


def test_a_branch_not_taken_is_not_refused() -> None:
    def f(x: Any) -> Any:
        return np.where(np.trace(x) > 100, eigenvector(x), np.sum(x))

    np.testing.assert_array_equal(wg.grad(f)(np.eye(4)), np.ones((4, 4)))


@pytest.mark.xfail(
    raises=pytest.fail.Exception,
    reason="the choice of vectors is judged to first order, at the choice that LAPACK made",
)
def test_a_function_that_is_stationary_at_this_choice_of_vectors() -> None:
    with pytest.raises(NotDifferentiable):
        wg.grad(lambda a: np.sum(np.linalg.eigh(a)[1]))(np.eye(2))
