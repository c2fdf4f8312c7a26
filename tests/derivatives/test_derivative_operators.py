"""Derivative matrices as SciPy operators are the dense matrices, and work in SciPy's solvers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sparse
import scipy.sparse.linalg as sla

import wengert as wg
from wengert.errors import WengertTypeError

_rng = np.random.default_rng(1)
W = _rng.standard_normal((6, 4))
X = _rng.standard_normal(4)
U, V = _rng.standard_normal((6, 3)), _rng.standard_normal((4, 3))


def f(x):
    return np.tanh(W @ x) * np.sum(x)


def energy(x):
    return np.sum(f(x) ** 2) / 2 + np.sum(x**4)


def close(ours, theirs, rtol=1e-12):
    assert np.shape(ours) == np.shape(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)


def check(operator, dense):
    """Every product of an operator, with vectors and matrices, on both sides."""
    m, n = dense.shape
    rng = np.random.default_rng(0)
    v, u = rng.standard_normal((n, 3)), rng.standard_normal((m, 3))
    assert operator.shape == (m, n)
    assert operator.dtype == dense.dtype
    adjoint = dense.conj().T
    for _ in range(3):  # on the interpreter, compiled, and again
        close(operator.matvec(v[:, 0]), dense @ v[:, 0])
        close(operator.rmatvec(u[:, 0]), adjoint @ u[:, 0])
        close(operator.matmat(v), dense @ v)
        close(operator.rmatmat(u), adjoint @ u)
    close(operator @ v[:, :1], dense @ v[:, :1])
    close(operator.T @ u, dense.T @ u)
    close(operator.H @ u[:, 0], adjoint @ u[:, 0])
    close((operator.H @ operator) @ v, adjoint @ (dense @ v))
    close((2 * operator + operator) @ v, 3 * dense @ v)
    close(operator @ (v + 1j * v), dense @ (v + 1j * v))
    assert (operator @ np.zeros((n, 0))).shape == (m, 0)


def test_jacobians():
    check(wg.jacobian_operator(f, X), wg.jacobian(f)(X))


def test_hessians():
    check(wg.hessian_operator(energy, X), wg.hessian(energy)(X))


def test_gauss_newton():
    J, r = wg.jacobian(f)(X), f(X)
    check(wg.gauss_newton_operator(f, X), J.T @ J)
    loss = lambda r: np.sum(np.exp(r))
    check(wg.gauss_newton_operator(f, X, loss=loss), J.T @ np.diag(np.exp(r)) @ J)


def test_structures_are_ravelled_leaf_after_leaf():
    def g(p, scale):
        return {"b": p["w"] @ p["w"] * p["c"][0], "a": np.sum(p["w"]) * scale}

    p = {"w": _rng.standard_normal((2, 2)), "c": (1.5,)}
    blocks = wg.jacobian(g)(p, 3.0)
    rows = [
        np.column_stack([blocks[name]["c"][0].reshape(m, 1), blocks[name]["w"].reshape(m, 4)])
        for name, m in (("a", 1), ("b", 4))
    ]
    check(wg.jacobian_operator(g, p, 3.0), np.concatenate(rows))


def test_single_precision_and_mixed():
    x = X.astype(np.float32)
    close(wg.jacobian_operator(np.sin, x) @ x, np.cos(x) * x, 1e-6)
    assert (wg.jacobian_operator(np.sin, x) @ X).dtype == np.float32
    mixed = wg.jacobian_operator(lambda p: p[0] * p[1], (x, X))
    assert mixed.dtype == np.float64
    close(mixed @ np.ones(8), X + x, 1e-6)


def test_holomorphic_functions():
    g = lambda z: np.exp(z) * z[::-1]
    z = X + 1j * X[::-1]
    check(wg.jacobian_operator(g, z, holomorphic=True), wg.jacobian(g, holomorphic=True)(z))


def test_results_that_do_not_depend_and_results_that_repeat():
    check(
        wg.jacobian_operator(lambda x: (np.ones(2), x, x), X),
        np.concatenate([np.zeros((2, 4)), np.eye(4), np.eye(4)]),
    )
    check(wg.hessian_operator(lambda x: np.sum(x), X), np.zeros((4, 4)))


def test_the_function_is_not_called_again():
    calls = []

    def g(x):
        calls.append(1)
        return np.sum(x**4)

    operator = wg.hessian_operator(g, X)
    for _ in range(5):
        close(operator @ V[:, 0], 12 * X**2 * V[:, 0])
        close(operator @ V, 12 * X[:, None] ** 2 * V)
    assert len(calls) == 1


def test_operators_hold_their_own_point():
    """Operators at several points share one program, and not their residuals; the point and what
    is captured may be overwritten later."""
    scale, x = np.ones(4), X.copy()
    g = lambda x: np.sum(scale * x**4)
    first = wg.hessian_operator(g, x)
    second = wg.hessian_operator(g, 2 * x)
    x[:] = scale[:] = 0
    for _ in range(3):
        close(first @ np.ones(4), 12 * X**2)
        close(second @ np.ones(4), 48 * X**2)


# -------------------------------------------------------------------------------- in solvers


def test_conjugate_gradients():
    H = wg.hessian_operator(energy, X)
    solution, info = sla.cg(H, np.ones(4), rtol=1e-12)
    assert info == 0
    close(solution, np.linalg.solve(wg.hessian(energy)(X), np.ones(4)), 1e-9)


def test_least_squares():
    J = wg.jacobian_operator(f, X)
    expected = np.linalg.lstsq(wg.jacobian(f)(X), np.ones(6))[0]
    for solver in (sla.lsmr, sla.lsqr):
        kwargs = {"atol": 1e-13, "btol": 1e-13}
        close(solver(J, np.ones(6), **kwargs)[0], expected, 1e-7)


def _chain(x):
    """A chain of springs, stiffer to the right, and a quartic."""
    stiffness = np.arange(1.0, len(x))
    return np.sum(stiffness * np.diff(x) ** 2) + np.sum(x**2 + x**4)


def test_eigenvalues():
    x = np.linspace(-1, 1, 60)
    H, dense = wg.hessian_operator(_chain, x), wg.hessian(_chain)(x)
    expected = np.linalg.eigvalsh(dense)[-3:]
    close(np.sort(sla.eigsh(H, k=3, which="LA", return_eigenvectors=False)), expected, 1e-9)
    start = np.random.default_rng(0).standard_normal((60, 3))
    found = sla.lobpcg(H, start, largest=True, maxiter=200, tol=1e-6)[0]
    close(np.sort(found), expected, 1e-6)
    J = wg.jacobian_operator(lambda x: np.diff(x) * x[1:], x)
    found = sla.svds(J, k=2, return_singular_vectors=False)
    close(found, np.linalg.svd(J @ np.eye(60))[1][1::-1], 1e-9)


def test_a_newton_step_by_operators():
    """Newton's method on Rosenbrock's function, a system by conjugate gradients at each step."""
    rosenbrock = lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    x = np.full(5, 1.2)
    for _ in range(12):
        step, _ = sla.minres(wg.hessian_operator(rosenbrock, x), wg.grad(rosenbrock)(x), rtol=1e-12)
        x = x - step
    close(x, np.ones(5), 1e-9)


def test_sparse_and_captured_operators():
    A = sparse.random_array((6, 4), density=0.5, rng=np.random.default_rng(0)).tocsr()
    J = wg.jacobian_operator(lambda x: np.sin(A @ x), X)
    check(J, np.cos(A @ X)[:, None] * A.toarray())
    inner = wg.grad(lambda x: np.sum((J @ x) ** 2))(X)  # an operator inside another trace
    dense = J @ np.eye(4)
    close(inner, 2 * dense.T @ dense @ X)


# ------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: wg.jacobian_operator(np.exp, X + 1j), "holomorphic=True"),
        (lambda: wg.jacobian_operator(np.exp, X, holomorphic=True), "complex arguments"),
        (lambda: wg.hessian_operator(lambda z: np.sum(np.abs(z)), X + 1j), "holomorphic"),
        (lambda: wg.gauss_newton_operator(np.exp, X + 1j), "real residuals"),
        (lambda: wg.hessian_operator(np.sin, X), "scalar"),
        (lambda: wg.hessian_operator(1.0, X), "needs a function"),
        (lambda: wg.jacobian_operator(np.sin, np.arange(3)), "astype"),
        (lambda: wg.grad(lambda x: (wg.jacobian_operator(f, x) @ X)[0])(X), "plain arrays"),
    ],
)
def test_errors(call, says):
    with pytest.raises(WengertTypeError, match=says):
        call()
