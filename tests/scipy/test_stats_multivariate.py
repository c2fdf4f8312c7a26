"""Distributions of several numbers: SciPy's values, derivatives against differences of SciPy's."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import wengert as wg
from support import interpreted, numeric_grad
from wengert.errors import Unsupported, WengertValueError
from wengert.scipy import stats as traced

RNG = np.random.default_rng(8)


def positive_definite(n: int, seed: int = 0) -> Any:
    a = np.random.default_rng(seed).standard_normal((n, n))
    return a @ a.T / n + np.eye(n)


CASES: dict[str, tuple[str, str, tuple[Any, ...], tuple[int, ...]]] = {
    # distribution, method, arguments, those that have derivatives
    "normal": (
        "multivariate_normal",
        "logpdf",
        (RNG.standard_normal((4, 3)), RNG.standard_normal(3), positive_definite(3)),
        (0, 1, 2),
    ),
    "normal density": (
        "multivariate_normal",
        "pdf",
        (RNG.standard_normal(3), RNG.standard_normal(3), positive_definite(3)),
        (0, 1, 2),
    ),
    "normal of a diagonal": (
        "multivariate_normal",
        "logpdf",
        (RNG.standard_normal((2, 5, 3)), np.zeros(3), np.array([0.5, 1.5, 2.0])),
        (0, 2),
    ),
    "normal about zero": (
        "multivariate_normal",
        "logpdf",
        (RNG.standard_normal((2, 1, 3)), None, positive_definite(3)),
        (0, 2),
    ),
    "normal of a number": (
        "multivariate_normal",
        "logpdf",
        (RNG.standard_normal((4, 3)), RNG.standard_normal(3), 1.7),
        (0, 1, 2),
    ),
    "normal on the line": (
        "multivariate_normal",
        "logpdf",
        (RNG.standard_normal(5), 0.3, 1.7),
        (0, 1, 2),
    ),
    "t": (
        "multivariate_t",
        "logpdf",
        (RNG.standard_normal((4, 3)), RNG.standard_normal(3), positive_definite(3), 3.4),
        (0, 1, 2, 3),
    ),
    "wishart": (
        "wishart",
        "logpdf",
        (
            np.stack([positive_definite(3, 4), positive_definite(3, 5)], axis=-1),
            5.3,
            positive_definite(3),
        ),
        (0, 1, 2),
    ),
    "wishart of one": ("wishart", "logpdf", (positive_definite(2, 4), 3.3, np.eye(2)), (1, 2)),
    "dirichlet": (
        "dirichlet",
        "logpdf",
        (np.array([[0.2, 0.5], [0.3, 0.1], [0.5, 0.4]]), np.array([1.5, 0.7, 2.2])),
        (1,),
    ),
    "dirichlet without the last": (
        "dirichlet",
        "pdf",
        (np.array([0.2, 0.3]), np.array([1.5, 0.7, 2.2])),
        (0, 1),
    ),
    "multinomial": (
        "multinomial",
        "logpmf",
        (np.array([[1, 3, 2], [2, 2, 2], [1, 1, 1]]), 6, np.array([0.2, 0.3, 0.5])),
        (),
    ),
}


def changed(args: tuple[Any, ...], k: int, value: Any) -> list[Any]:
    return [value if i == k else a for i, a in enumerate(args)]


@pytest.mark.parametrize("case", CASES)
def test_values_and_derivatives(case: str) -> None:
    name, method, args, which = CASES[case]
    mine: Callable[..., Any] = getattr(getattr(traced, name), method)
    original: Callable[..., Any] = getattr(getattr(stats, name), method)
    expected = original(*args)
    given = [k for k, a in enumerate(args) if a is not None]

    def call(*some: Any) -> Any:
        return mine(*[some[given.index(k)] if k in given else None for k in range(len(args))])

    value = wg.jit(call)(*[args[k] for k in given])
    assert value.shape == np.shape(expected)
    np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-13)
    weights = np.linspace(0.5, 1.5, np.size(expected)).reshape(np.shape(expected))
    with interpreted():
        for k in which:
            total = lambda v, f=mine, k=k: np.sum(weights * f(*changed(args, k, v)))
            at = np.asarray(args[k], float)
            matrix = at.ndim > 1 and at.shape[0] == at.shape[1] and name != "dirichlet" and k != 0
            if matrix or (name == "wishart" and k == 0):
                # along symmetric directions, since SciPy reads one triangle, or both
                turn = np.random.default_rng(k).standard_normal(at.shape)
                turn = turn + np.swapaxes(turn, 0, 1)
                along = lambda s, f=total, at=at, turn=turn: f(at + s * turn)
                plain = lambda s, k=k, at=at, turn=turn: np.sum(
                    weights * original(*changed(args, k, at + s * turn))
                )
                first = wg.grad(along)
                assert first(0.0) == pytest.approx(numeric_grad(plain, 0.0), rel=1e-7)
                second = wg.grad(lambda s, f=first: f(s))(0.0)
                assert second == pytest.approx(numeric_grad(first, 0.0), rel=1e-6)
                continue
            plain = lambda v, k=k: np.sum(
                weights * original(*changed(args, k, v if np.ndim(v) else float(v)))
            )
            gradient = wg.grad(total)(at)
            np.testing.assert_allclose(gradient, numeric_grad(plain, at), rtol=1e-7, atol=1e-8)
            row = np.ones(at.shape)
            second = wg.jvp(wg.grad(total), (at,), (row,))[1]
            differences = numeric_grad(lambda v, f=total: np.sum(wg.grad(f)(v)), at)
            np.testing.assert_allclose(second, differences, rtol=1e-6, atol=1e-7)


def test_covariance_by_its_own_parameters() -> None:
    """As people fit a covariance: of a triangle, in a frozen distribution."""
    data = RNG.standard_normal((6, 2))

    def f(theta: Any) -> Any:
        import wengert.numpy as wnp

        factor = wnp.array([[np.exp(theta[0]), 0.0], [theta[1], np.exp(theta[2])]])
        return np.sum(traced.multivariate_normal(np.zeros(2), factor @ factor.T).logpdf(data))

    def plain(theta: Any) -> Any:
        factor = np.array([[np.exp(theta[0]), 0.0], [theta[1], np.exp(theta[2])]])
        return np.sum(stats.multivariate_normal(np.zeros(2), factor @ factor.T).logpdf(data))

    theta = np.array([0.2, -0.4, 0.1])
    np.testing.assert_allclose(wg.grad(f)(theta), numeric_grad(plain, theta), rtol=1e-8)
    wg.check_grads(f, (theta,), order=2)


def test_multinomial_probabilities() -> None:
    """By a softmax, whose values sum to 1; and where SciPy takes the last of them from the rest."""
    x = np.array([1, 3, 2])

    def f(z: Any) -> Any:
        p = np.exp(z) / np.sum(np.exp(z))
        return traced.multinomial.logpmf(x, 6, p)

    z = np.array([0.3, -0.2, 0.5])
    p = np.exp(z) / np.exp(z).sum()
    np.testing.assert_allclose(wg.grad(f)(z), x - 6 * p, rtol=1e-12)
    off = np.array([0.2, 0.3, 0.1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        expected = stats.multinomial.logpmf(x, 6, off)
    assert wg.jit(traced.multinomial.logpmf)(x, 6, off) == pytest.approx(expected, rel=1e-14)
    zero = np.array([0.5, 0.5, 0.0])
    assert wg.jit(traced.multinomial.logpmf)(x, 6, zero) == -np.inf
    assert not wg.grad(lambda p: traced.multinomial.logpmf(x, 6, p))(zero).any()


def test_outside_of_the_simplex() -> None:
    alpha = np.array([1.5, 0.7, 2.2])
    f = wg.jit(traced.dirichlet.logpdf)
    assert f(np.array([0.5, 0.6, -0.1]), alpha) == -np.inf
    assert f(np.array([0.5, 0.2, 0.2]), alpha) == -np.inf
    assert np.isnan(f(np.array([0.5, 0.2, 0.3]), -alpha))


def test_degrees_of_freedom() -> None:
    x, loc, shape = RNG.standard_normal((4, 3)), np.zeros(3), positive_definite(3)
    f = wg.jit(lambda df: traced.multivariate_t.logpdf(x, loc, shape, df))
    np.testing.assert_allclose(f(np.inf), stats.multivariate_normal.logpdf(x, loc, shape))
    assert np.isnan(f(-1.0)).all()


def test_errors() -> None:
    x = np.zeros(3)
    with pytest.raises(Unsupported, match="positive definite"):
        wg.grad(lambda m: traced.multivariate_normal.logpdf(x, m, np.eye(3), True))(x)
    with pytest.raises(Unsupported, match="pdf, logpdf can"):
        wg.grad(lambda m: traced.multivariate_normal.cdf(x, m, np.eye(3)))(x)
    with pytest.raises(WengertValueError, match="vector of length 2"):
        wg.grad(lambda m: traced.multivariate_normal.logpdf(x, m, np.eye(3)))(np.zeros(2))
    with pytest.raises(WengertValueError, match="one row fewer"):
        wg.grad(lambda a: traced.dirichlet.logpdf(x, a))(np.ones(5))
    with pytest.raises(WengertValueError, match="last axis"):
        wg.grad(lambda p: traced.multinomial.logpmf([1, 2], 3, p))(np.ones(3) / 3)
    with pytest.raises(np.linalg.LinAlgError):
        wg.grad(lambda m: traced.multivariate_normal.logpdf(x, m, -np.eye(3)))(x)
