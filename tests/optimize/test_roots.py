"""`root` and `root_scalar` against SciPy's with derivatives by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from numpy.testing import assert_allclose

import wengert as wg
from wengert.errors import WengertValueError
from wengert.optimize import root, root_scalar

START = np.full(10, -1.0)


def broyden(x: Any) -> Any:
    """The tridiagonal function of Broyden 1965."""
    padded = np.concatenate([np.zeros(1), x, np.zeros(1)])
    return (3 - 2 * x) * x - padded[:-2] - 2 * padded[2:] + 1


def jacobian(x: Any) -> Any:
    return np.diag(3 - 4 * x) - np.eye(10, k=-1) - 2 * np.eye(10, k=1)


class TestRoot:
    @pytest.mark.parametrize("method", ["hybr", "lm"])
    def test_as_with_the_jacobian_by_hand(self, method: str) -> None:
        found = root(broyden, START, method=method)
        expected = scipy.optimize.root(broyden, START, method=method, jac=jacobian)
        assert found.success
        assert_allclose(found.x, expected.x, rtol=1e-9)
        assert found.nfev == found.njev <= expected.nfev

    def test_krylov_by_exact_products(self) -> None:
        found = root(broyden, START, method="krylov", tol=1e-13)
        assert found.success
        assert_allclose(broyden(found.x), np.zeros(10), atol=1e-11)
        assert found.nproducts > found.nit
        assert found.nfev <= 2 * found.nit + 1

    def test_options_of_krylov(self) -> None:
        seen = []
        options = {"maxiter": 2, "jac_options": {"method": "gmres", "inner_maxiter": 5}}
        found = root(
            broyden,
            START,
            method="krylov",
            options=options,
            callback=lambda x, f: seen.append(x),
        )
        assert (found.nit, found.success, len(seen)) == (2, False, 2)
        with pytest.raises(WengertValueError, match="no options maxfev"):
            root(broyden, START, method="krylov", options={"maxfev": 3})

    def test_methods_in_capitals(self) -> None:
        """Names are taken as SciPy takes them, and none of them means differences."""
        assert root(broyden, START, method="HYBR").njev > 0
        assert root(broyden, START, method="Krylov").nproducts > 0
        found = root_scalar(lambda x: x**3 - 2.0, x0=1.0, method="Halley")
        assert found.converged
        assert found.iterations == 3

    @pytest.mark.parametrize("method", ["broyden1", "anderson", "df-sane"])
    def test_methods_without_derivatives_are_scipys(self, method: str) -> None:
        found, expected = root(broyden, START, method=method), None
        expected = scipy.optimize.root(broyden, START, method=method)
        np.testing.assert_array_equal(found.x, expected.x)
        assert found.nfev == expected.nfev

    def test_structures(self) -> None:
        def equations(p: Any, r: float) -> Any:
            return p["x"] + p["y"] - 3, (p["x"] ** 2 + p["y"] ** 2 - r) * np.ones(1)

        for method in ("hybr", "lm", "krylov"):
            found = root(equations, {"x": 0.0, "y": 4.0}, args=(5.0,), method=method, tol=1e-12)
            assert_allclose([found.x["x"], found.x["y"]], [1.0, 2.0], atol=1e-9)

    def test_given_jacobians_are_used(self) -> None:
        calls = []

        def counted(x: Any) -> Any:
            calls.append(1)
            return jacobian(x)

        for fun, jac in ((broyden, counted), (lambda x: (broyden(x), counted(x)), True)):
            calls.clear()
            assert_allclose(root(fun, START, jac=jac).x, root(broyden, START).x, rtol=1e-8)
            assert calls
        with pytest.raises(WengertValueError, match="jac must be"):
            root(broyden, START, jac="2-point")


class TestRootScalar:
    def test_newton_and_halley(self) -> None:
        f = lambda x, a: x**3 - a
        newton = root_scalar(f, args=(2.0,), x0=1.0)
        expected = scipy.optimize.root_scalar(
            lambda x: x**3 - 2, fprime=lambda x: 3 * x**2, x0=1.0, method="newton"
        )
        assert newton.root == pytest.approx(expected.root, rel=1e-14)
        assert newton.iterations == expected.iterations
        halley = root_scalar(f, args=(2.0,), x0=1.0, method="halley")
        assert halley.root == pytest.approx(2 ** (1 / 3), rel=1e-14)
        assert halley.iterations < newton.iterations

    def test_the_method_is_scipys_where_it_can_be_chosen(self) -> None:
        f = lambda x: np.cos(x) - x
        for given in ({"bracket": (0, 1)}, {"x0": 0.0, "x1": 1.0}):
            expected = scipy.optimize.root_scalar(f, **given)
            found = root_scalar(f, **given)
            assert (found.root, found.method) == (expected.root, expected.method)

    def test_given_derivatives_are_used(self) -> None:
        f, slope = lambda x: np.cos(x) - x, wg.grad(lambda x: np.cos(x) - x)
        calls = []
        found = root_scalar(f, x0=0.5, fprime=lambda x: calls.append(x) or slope(x))
        assert len(calls) == found.iterations
        both = root_scalar(lambda x: (f(x), slope(x)), x0=0.5, fprime=True)
        assert both.root == pytest.approx(found.root, rel=1e-14)
