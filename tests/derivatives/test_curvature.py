"""Laplacians, Hessian diagonals and Gauss–Newton products are those of the dense matrices."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert.derivatives.curvature import _seconds
from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.types import FLOAT, array_type
from wengert.graph.walk import topological
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer

_rng = np.random.default_rng(3)
W, U = _rng.standard_normal((6, 4)), _rng.standard_normal((6, 6))
X = np.array([0.3, -0.4, 1.2, 0.8])
EYE = np.eye(4)

FUNCTIONS = {
    "network": lambda x: np.sum(np.tanh(U @ np.tanh(W @ x))),
    "elementwise": lambda x: np.sum(x**3 * np.exp(x)),
    "weighted": lambda x: W[0] @ np.cos(x) + np.sum(x),
    "product of sums": lambda x: np.sum(np.sin(x)) ** 2 * np.sum(x * x),
    "prod": lambda x: np.prod(x) * np.sum(np.sin(x)),
    "norm": lambda x: 1 / np.linalg.norm(x),
    "indexing": lambda x: np.exp(x[0]) * x[1] + x[2] * x[3] ** 2,
    "det": lambda x: np.linalg.det(np.outer(x, x) + np.diag(np.exp(x))),
    "logdet": lambda x: np.linalg.slogdet(np.outer(x, x) + np.diag(np.exp(x)))[1],
    "solve": lambda x: np.sum(np.linalg.solve(np.outer(x, x) + 3 * EYE, np.sin(x))),
    "eigenvalues": lambda x: np.sum(np.linalg.eigvalsh(np.outer(x, x) + np.diag(np.exp(x))) ** 3),
    "kinks": lambda x: np.max(x) ** 3 + np.sum(np.abs(x) * x),
    "scan": lambda x: wg.scan(lambda c, a: (np.sin(c * a), None), x[0], x)[0],
    "constant": lambda x: np.sum(W[0]),
    "linear": lambda x: W[1] @ x,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_scalar_functions(name):
    f = FUNCTIONS[name]
    dense = wg.hessian(f)(X)
    scale = 1e-13 * (1 + np.abs(dense).max())
    np.testing.assert_allclose(wg.laplacian(f)(X), np.trace(dense), rtol=0, atol=4 * scale)
    np.testing.assert_allclose(wg.hessian_diagonal(f)(X), np.diag(dense), rtol=0, atol=scale)


def test_harmonic_functions():
    for f in (lambda x: 1 / np.linalg.norm(x), lambda x: x[0] ** 2 - x[1] * x[2] - x[1] ** 2):
        assert abs(wg.laplacian(f)(np.array([1.0, -2.0, 0.5]))) < 1e-15
    gaussian = lambda x: np.exp(-np.sum(x * x) / 2)
    expected = (X @ X - 4) * gaussian(X)
    np.testing.assert_allclose(wg.laplacian(gaussian)(X), expected, rtol=1e-14)


def test_array_outputs_and_structures():
    def f(p, scale):
        hidden = np.tanh(W @ p["x"]) * p["y"][0] ** 3
        return {"a": hidden[:, None] * p["x"], "b": (np.sum(p["x"] ** 4) * scale,)}

    p = {"x": X, "y": (1.3,)}
    ours = wg.laplacian(f)(p, 2.0)
    dense = wg.jacobian(wg.jacobian(f))(p, 2.0)

    def trace(block):
        return np.einsum("...ii", block["x"]["x"]) + block["y"][0]["y"][0]

    np.testing.assert_allclose(ours["a"], trace(dense["a"]), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(ours["b"][0], trace(dense["b"][0]), rtol=1e-13)
    total = lambda p, s: np.sum(f(p, s)["a"])
    diagonal, dense = wg.hessian_diagonal(total)(p, 2.0), wg.hessian(total)(p, 2.0)
    np.testing.assert_allclose(diagonal["x"], np.diag(dense["x"]["x"]), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(diagonal["y"][0], dense["y"][0]["y"][0], rtol=1e-13)


def test_matrices_argnums_and_aux():
    f = lambda s, m: (np.sum(np.linalg.inv(m) * m.T) * s**3, m[0])
    m = EYE * 3 + 0.1 * U[:4, :4]
    value, aux = wg.hessian_diagonal(f, argnums=1, has_aux=True)(2.0, m)
    dense = wg.hessian(lambda m: f(2.0, m)[0])(m).reshape(16, 16)
    np.testing.assert_allclose(value, np.diag(dense).reshape(4, 4), rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(aux, m[0])
    both, _ = wg.laplacian(f, argnums=(0, 1), has_aux=True)(2.0, m)
    first = wg.hessian(lambda s: f(s, m)[0])(2.0)
    np.testing.assert_allclose(both, first + np.trace(dense), rtol=1e-12)


def test_scalars_and_single_precision():
    assert wg.laplacian(lambda x: x**3)(2.0) == 12.0
    assert wg.hessian_diagonal(lambda x: x**3)(2.0) == 12.0
    x = X.astype(np.float32)
    for made in (wg.laplacian, wg.hessian_diagonal):
        ours = made(FUNCTIONS["elementwise"])(x)
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, made(FUNCTIONS["elementwise"])(X), rtol=1e-5)


def test_other_transformations():
    f = FUNCTIONS["network"]
    through = lambda x: np.trace(wg.hessian(f)(x))
    np.testing.assert_allclose(wg.grad(wg.laplacian(f))(X), wg.grad(through)(X), rtol=1e-11)
    np.testing.assert_allclose(wg.jit(wg.laplacian(f))(X), through(X), rtol=1e-13)
    rows = np.stack([X, 2 * X, -X])
    np.testing.assert_allclose(
        wg.vmap(wg.laplacian(f))(rows), [through(x) for x in rows], rtol=1e-12
    )
    np.testing.assert_allclose(
        wg.laplacian(wg.laplacian(lambda x: np.sum(x) ** 4))(X), 24 * 16, rtol=1e-13
    )


def test_nothing_comes_from_a_branch_not_taken():
    f = lambda x: np.sum(np.where(x > 0, np.log(x), x * x) ** 2) * np.sum(x)
    g = lambda x: np.sum(x[:2] ** 4) * np.sum(x) + np.log(x[2]) ** 2 * np.sum(x)
    x = np.array([-1.0, -2.0, 0.5])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(wg.hessian_diagonal(f)(x), wg.hessian_diagonal(g)(x), rtol=1e-13)
        np.testing.assert_allclose(wg.laplacian(f)(x), wg.laplacian(g)(x), rtol=1e-13)


def _sizes(f, n, summed):
    with outermost() as session:
        x = session.input(np.ones(n), array_type((n,), FLOAT))
        (found,) = _seconds([f(Tracer(x, session)).node], x, summed)
        return [node.size for node in topological([found])]


@pytest.mark.parametrize("name", ["elementwise", "weighted"])
def test_what_is_elementwise_costs_one_direction(name):
    f = {
        "elementwise": lambda x: np.sum(x**3 * np.exp(x)),
        "weighted": lambda x: np.arange(50.0) @ (np.cos(x) / (1 + x * x)),
    }[name]
    for summed in (True, False):
        assert max(_sizes(f, 50, summed)) == 50


def test_the_laplacian_holds_first_derivatives_alone():
    """Beside the unit vectors, and those times a slope, every array has n directions of an m."""
    n, m = 30, 2
    weights = np.ones((m, n))
    sizes = _sizes(lambda x: np.sum(np.sin(weights @ (x * x))), n, True)
    assert max(sizes) == n * n  # the unit vectors
    assert sum(size == n * n for size in sizes) <= 12
    assert {size for size in sizes if n < size < n * n} == {n * m}


# ------------------------------------------------------------------------------- Gauss–Newton


def _residual(p):
    return {"r": np.tanh(W @ p["x"]) * p["y"], "s": (np.sum(p["x"] ** 2),)}


POINT = {"x": X, "y": 1.3}
DIRECTION = {"x": X[::-1].copy(), "y": -0.4}


def _flat(tree):
    return np.concatenate([np.ravel(tree["x"]), np.ravel(tree["y"])])


def _dense_jacobian():
    J = wg.jacobian(_residual)(POINT)
    rows = [J["r"], J["s"][0]]
    return np.concatenate(
        [np.column_stack([np.atleast_2d(r["x"]), np.atleast_1d(r["y"])]) for r in rows]
    )


def test_gauss_newton_products():
    J = _dense_jacobian()
    ours = wg.gauss_newton_vp(_residual, POINT, DIRECTION)
    np.testing.assert_allclose(_flat(ours), J.T @ (J @ _flat(DIRECTION)), rtol=1e-13)
    jitted = wg.jit(lambda p, v: wg.gauss_newton_vp(_residual, p, v))(POINT, DIRECTION)
    np.testing.assert_allclose(_flat(jitted), _flat(ours), rtol=1e-13)


def test_gauss_newton_products_of_a_loss():
    loss = lambda t: np.log(np.sum(np.exp(t["r"]))) + t["s"][0] ** 4
    J = _dense_jacobian()
    r = _residual(POINT)
    p = np.exp(r["r"]) / np.exp(r["r"]).sum()
    curvature = np.zeros((7, 7))
    curvature[:6, :6] = np.diag(p) - np.outer(p, p)
    curvature[6, 6] = 12 * r["s"][0] ** 2
    ours = wg.gauss_newton_vp(_residual, POINT, DIRECTION, loss=loss)
    np.testing.assert_allclose(_flat(ours), J.T @ curvature @ J @ _flat(DIRECTION), rtol=1e-12)


def test_gauss_newton_is_the_hessian_of_linear_residuals():
    residual = lambda x, b: W @ x - b
    v = X[::-1].copy()
    b = np.arange(6.0)
    ours = wg.gauss_newton_vp(residual, X, v, b)
    theirs = wg.hvp(lambda x, b: np.sum(residual(x, b) ** 2) / 2, X, v, b)
    np.testing.assert_allclose(ours, theirs, rtol=1e-13)
    slope = wg.grad(lambda x: np.sum(wg.gauss_newton_vp(lambda x: x**2, x, v)))(X)
    np.testing.assert_allclose(slope, 8 * X * v, rtol=1e-13)


# ------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: wg.laplacian(np.sum)(X + 1j), WengertTypeError, "real arguments"),
        (lambda: wg.hessian_diagonal(np.sum)(X + 1j), WengertTypeError, "real arguments"),
        (lambda: wg.hessian_diagonal(np.sin)(X), WengertTypeError, "scalar"),
        (lambda: wg.laplacian(np.sum)(np.arange(3)), WengertTypeError, "astype"),
        (lambda: wg.gauss_newton_vp(np.sin, X, X[:2]), WengertValueError, "gauss_newton_vp"),
        (lambda: wg.gauss_newton_vp(np.exp, X + 1j, X + 1j), WengertTypeError, "real residuals"),
        (
            lambda: wg.gauss_newton_vp(np.exp, X, X, loss=np.exp),
            WengertTypeError,
            "the loss of gauss_newton_vp",
        ),
    ],
)
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_the_diagonal_of_a_sparse_hessian_comes_from_its_colours(monkeypatch) -> None:
    """A chain of 300: a few products, and no batch of 300 directions."""
    import wengert.derivatives.curvature as module

    def refused(*args):
        raise AssertionError("n directions were taken")

    def chain(p):
        x = p["x"]
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2) + np.sum(p["y"] ** 3)

    rng = np.random.default_rng(3)
    p = {"x": rng.normal(size=300), "y": rng.normal(size=(4, 5))}
    monkeypatch.setattr(module, "_second", refused)
    found = wg.hessian_diagonal(chain)(p)
    exact = np.append(2 + 1200 * p["x"][:-1] ** 2 - 400 * p["x"][1:], 0.0)
    exact[1:] += 200
    np.testing.assert_allclose(found["x"], exact, rtol=1e-12)
    np.testing.assert_allclose(found["y"], 6 * p["y"], rtol=1e-14)
    np.testing.assert_allclose(wg.jit(wg.hessian_diagonal(chain))(p)["x"], exact, rtol=1e-12)


@pytest.mark.parametrize("n", [5, 40])
def test_the_diagonal_has_the_precision_of_each_argument(n):
    a, b = np.arange(1.0, n + 1, dtype=np.float32), np.linspace(1, 2, n)
    found = wg.hessian_diagonal(lambda a, b: np.sum(a[1:] ** 2 * b[:-1] ** 3 * a[:-1]), (0, 1))(
        a, b
    )
    assert [part.dtype for part in found] == [np.float32, np.float64]
