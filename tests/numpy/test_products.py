"""Matrix products, einsum, norms, and constant sparse matrices and linear operators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import wengert as wg
from support import check, check_value, traced_value
from wengert.errors import WengertError


def real(*shape: int, seed: int = 7) -> np.ndarray[Any, Any]:
    """The same numbers for a shape in every test, away from zero and of magnitudes that differ:
    norms have kinks elsewhere."""
    rng = np.random.default_rng([seed, *shape])
    size = int(np.prod(shape))
    magnitudes = 0.5 + (rng.permutation(size) + rng.uniform(0.3, 0.7, size)) / max(size, 1)
    return (rng.choice([-1.0, 1.0], size) * magnitudes).reshape(shape)


def cplx(*shape: int) -> np.ndarray[Any, Any]:
    return real(*shape) + 1j * real(*shape, seed=8)


PAIRS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 2)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((2, 0), (0, 3)),
]


@pytest.mark.parametrize("a, b", PAIRS)
def test_matmul(a: Any, b: Any) -> None:
    check(lambda x, y: x @ y, real(*a), real(*b))
    check(lambda x, y: np.matmul(x, y), cplx(*a), real(*b))


@pytest.mark.parametrize("a, b", [*PAIRS[:4], ((2, 3), (4, 3, 2)), ((), (3,)), ((2, 2), ())])
def test_dot(a: Any, b: Any) -> None:
    check(lambda x, y: np.dot(x, y), real(*a), real(*b))


def test_other_products() -> None:
    check(lambda x, y: np.vdot(x, y), cplx(2, 3), cplx(2, 3))
    check(lambda x, y: np.inner(x, y), real(2, 3), real(4, 3))
    check(lambda x, y: np.outer(x, y), real(2, 2), real(3))
    check(lambda x, y: np.kron(x, y), real(2, 3), real(3, 1, 2))
    check(lambda x, y: np.vecdot(x, y, axis=0), cplx(3, 2), cplx(3, 2))
    check(lambda x, y: np.matvec(x, y), real(4, 2, 3), real(4, 3))
    check(lambda x, y: np.vecmat(x, y), cplx(4, 3), real(4, 3, 2))
    check(lambda x, y: np.tensordot(x, y, 1), real(2, 3), real(3, 4))
    check(lambda x, y: np.tensordot(x, y, ([0, 2], [1, 0])), real(2, 3, 4), real(4, 2, 5))
    check(lambda x, y: np.cross(x, y), real(4, 3), real(3))
    check(lambda x, y: np.cross(x, y, axisa=0, axisb=1, axisc=0), real(3, 4), real(4, 3))
    check(lambda x, y, z: np.linalg.multi_dot([x, y, z]), real(2), real(2, 5), real(5, 3))


EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("ij->", (2, 3)),
    ("ij->ji", (2, 3)),
    ("i,i,i->", (4,), (4,), (4,)),
    ("bij,bjk,bk->bi", (2, 3, 4), (2, 4, 5), (2, 5)),
    ("...ij,...j->...i", (2, 3, 4), (4,)),
    ("ij,kl->jl", (2, 3), (4, 5)),
    ("iij,j->i", (3, 3, 2), (2,)),
    ("ij,ij->ij", (2, 3), (1, 3)),
    ("aab,bcc,ac->", (2, 2, 3), (3, 4, 4), (2, 4)),
]


@pytest.mark.parametrize("spec, shapes", [(s[0], s[1:]) for s in EINSUMS])
def test_einsum(spec: str, shapes: Any) -> None:
    check(lambda *xs: np.einsum(spec, *xs), *[real(*shape) for shape in shapes])
    check_value(lambda *xs: np.einsum(spec, *xs), *[cplx(*shape) for shape in shapes])


def test_einsum_by_lists_and_bad_einsums() -> None:
    check(lambda x, y: np.einsum(x, [0, 1], y, [1], [0]), real(2, 3), real(3))
    with pytest.raises(ValueError, match="subscript"):
        traced_value(lambda x: np.einsum("ij,j", x, x), real(2, 3))


@pytest.mark.parametrize("order", [None, 0.5, 1, 2, 3, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, 1])
def test_vector_norms(order: Any, axis: int) -> None:
    check(lambda x: np.linalg.norm(x, order, axis, keepdims=True), real(3, 4))
    check(lambda x: np.linalg.vector_norm(x, axis=axis, ord=order or 2), cplx(3, 4))


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_matrix_norms(order: Any) -> None:
    check(lambda x: np.linalg.norm(x, order, axis=(2, 0)), real(3, 2, 4))
    check(lambda x: np.linalg.matrix_norm(x, ord=order or "fro"), real(3, 2, 4))


def test_a_norm_at_zero_has_subgradient_zero() -> None:
    for order in (None, 1, 2, 3):
        f = lambda x, order=order: np.linalg.norm(x, order)
        np.testing.assert_array_equal(wg.grad(f)(np.zeros(3)), np.zeros(3))
        assert np.all(np.isfinite(wg.hessian(f)(np.zeros(3))))


# ------------------------------------------------------------------ constant linear operators

DENSE = real(3, 4) * (np.random.default_rng(8).random((3, 4)) < 0.6)
OPERATORS: list[Any] = [
    sp.csr_array(DENSE),
    sp.csc_array(DENSE),
    sp.coo_array(DENSE),
    sp.csr_matrix(DENSE),
    aslinearoperator(DENSE),
]


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda a: type(a).__name__)
def test_a_constant_operator_multiplies_traced_arrays(operator: Any) -> None:
    x, y, many = real(4), real(3), real(4, 2)
    for product, matrix, arg in (
        (lambda v: operator @ v, DENSE, x),
        (lambda v: operator.T @ v, DENSE.T, y),
        (lambda v: operator @ v, DENSE, many),
    ):
        np.testing.assert_allclose(wg.jit(product)(arg), matrix @ arg, rtol=1e-14)
        expected = wg.jacobian(lambda v, m=matrix: m @ v)(arg)
        for mode in (wg.jacfwd, wg.jacrev):
            np.testing.assert_allclose(mode(product)(arg), expected, rtol=1e-14)
    loss = lambda v: np.sum((operator @ v) ** 2)
    np.testing.assert_allclose(wg.hessian(loss)(x), 2 * DENSE.T @ DENSE, atol=1e-13)


def test_from_the_left() -> None:
    y = real(3)
    for operator in OPERATORS:
        np.testing.assert_allclose(wg.jacobian(lambda v, a=operator: v @ a)(y), DENSE.T, atol=1e-15)


def test_methods_of_linear_operators() -> None:
    a = cplx(3, 4)
    operator = aslinearoperator(a)
    x, y = cplx(4), cplx(3)
    for f, m, v in (
        (lambda v: operator.matvec(v), a, x),
        (lambda v: operator.rmatvec(v), a.conj().T, y),
        (lambda v: operator.dot(v), a, x),
    ):
        np.testing.assert_allclose(wg.jit(f)(v), m @ v, rtol=1e-13)
        np.testing.assert_allclose(wg.jacrev(f, holomorphic=True)(v), m, rtol=1e-13)
    np.testing.assert_allclose(operator @ x, a @ x, rtol=1e-13)


def test_matrix_free_operators_need_their_adjoint() -> None:
    shift = LinearOperator((3, 3), matvec=lambda v: np.roll(v, 1), rmatvec=lambda v: np.roll(v, -1))
    weights = real(3)
    got = wg.grad(lambda v: weights @ (shift @ v))(real(3))
    np.testing.assert_allclose(got, np.roll(weights, -1))


def test_bad_shapes() -> None:
    with pytest.raises(ValueError, match="linear operator of shape"):
        wg.grad(lambda v: np.sum(OPERATORS[0] @ v))(real(5))
    with pytest.raises(WengertError, match=r"\(2, 3\)"):
        wg.grad(lambda v: np.sum(real(2, 3) @ v))(real(4))
