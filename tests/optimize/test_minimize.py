"""`wengert.optimize.minimize`: every method of SciPy, with exact derivatives and true counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from numpy.testing import assert_allclose
from scipy.optimize import BFGS, Bounds, LinearConstraint, NonlinearConstraint

import wengert as wg
from wengert.errors import WengertTypeError, WengertValueError
from wengert.optimize import minimize
from wengert.optimize.structure import weighted_hessian

START = np.array([-1.2, 1.0, -0.5])
BY_GRADIENT = ("CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP")
BY_PRODUCTS = ("Newton-CG", "trust-ncg", "trust-krylov", "trust-constr")
BY_HESSIAN = ("dogleg", "trust-exact")
WITHOUT = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")


def rosenbrock(x: Any, scale: float = 10.0) -> Any:
    return np.sum(scale * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


class Called:
    """A function that counts its calls."""

    def __init__(self, function: Any) -> None:
        self.function, self.count = function, 0

    def __call__(self, *args: Any) -> Any:
        self.count += 1
        return self.function(*args)


class TestMethods:
    @pytest.mark.parametrize("method", [*BY_GRADIENT, *BY_PRODUCTS, *BY_HESSIAN])
    def test_each_finds_the_minimum(self, method: str) -> None:
        result = minimize(rosenbrock, START, method=method)
        assert isinstance(result, scipy.optimize.OptimizeResult)
        assert result.success
        # SciPy's tolerances: 1e-4 of a step (Newton-CG), 1e-9 of the value (L-BFGS-B, TNC, SLSQP)
        assert_allclose(result.x, np.ones(3), atol=2e-3)
        assert result.fun < 1e-5

    @pytest.mark.parametrize("method", WITHOUT)
    def test_those_without_derivatives_are_scipys(self, method: str) -> None:
        fun = Called(rosenbrock)
        options = {"maxiter": 200}
        found = minimize(fun, START, method=method, options=options)
        expected = scipy.optimize.minimize(rosenbrock, START, method=method, options=options)
        np.testing.assert_array_equal(found.x, expected.x)
        assert found.nfev == fun.count == expected.nfev

    def test_the_default_is_scipys(self) -> None:
        assert "hess_inv" in minimize(rosenbrock, START)  # BFGS
        bounded = minimize(rosenbrock, START, bounds=[(-2, 0.5)] * 3)
        assert isinstance(bounded.hess_inv, scipy.optimize.LbfgsInvHessProduct)
        constrained = minimize(rosenbrock, START, constraints=LinearConstraint([[1, 1, 1]], 0, 1))
        assert "multipliers" in constrained or "hess_inv" not in constrained  # SLSQP

    @pytest.mark.parametrize("method", [*BY_GRADIENT, *BY_PRODUCTS, *BY_HESSIAN])
    def test_derivatives_are_exact(self, method: str) -> None:
        """The result is that of SciPy with derivatives by hand, step by step."""
        der, hess = scipy.optimize.rosen_der, scipy.optimize.rosen_hess
        second: dict[str, Any] = {}
        if method in BY_PRODUCTS:
            second = {"hessp": scipy.optimize.rosen_hess_prod}
        if method in BY_HESSIAN:
            second = {"hess": hess}
        options = {"maxfun" if method == "TNC" else "maxiter": 5}
        found = minimize(lambda x: rosenbrock(x, 100.0), START, method=method, options=options)
        expected = scipy.optimize.minimize(
            scipy.optimize.rosen, START, method=method, jac=der, options=options, **second
        )
        # TNC takes differences of gradients, which enlarge their last digits by 1e8
        assert_allclose(found.x, expected.x, rtol=1e-6 if method == "TNC" else 1e-8)

    def test_a_method_of_the_callers_gets_derivatives(self) -> None:
        def newton(fun: Any, x0: Any, jac: Any, hess: Any, hessp: Any, **_: Any) -> Any:
            x = x0
            for _step in range(20):
                assert_allclose(hessp(x, x), hess(x) @ x, rtol=1e-12)
                x = x - np.linalg.solve(hess(x), jac(x))
            return scipy.optimize.OptimizeResult(x=x, fun=fun(x), success=True)

        result = minimize(rosenbrock, START, method=newton)
        assert_allclose(result.x, np.ones(3), rtol=1e-10)
        assert (result.nhev, result.nhvp) == (40, 20)


class TestCounts:
    def test_a_point_is_computed_once(self) -> None:
        """With compiled=False each evaluation runs the function, so the counts can be seen."""
        for method in (*BY_GRADIENT, *BY_PRODUCTS, *BY_HESSIAN):
            fun = Called(rosenbrock)
            result = minimize(fun, START, method=method, compiled=False)
            assert result.nfev == result.njev > 0
            assert fun.count == result.nfev + result.nhev + result.nhvp
            assert (result.nhvp > 0) == (method in BY_PRODUCTS)
            assert (result.nhev > 0) == (method in BY_HESSIAN)

    def test_a_compiled_function_runs_once(self) -> None:
        fun = Called(rosenbrock)
        assert minimize(fun, START).nfev > 10
        assert fun.count == 1

    def test_control_flow_on_values(self) -> None:
        def absolute(x: Any) -> Any:
            total = 0.0
            for value in x:
                total = total + (value**2 if value > 0 else 2 * value**2)
            return total

        assert_allclose(minimize(absolute, START).x, np.zeros(3), atol=1e-5)

    def test_a_solve_sees_what_has_changed(self) -> None:
        target = 1.0
        fun = lambda x: np.sum((x - target) ** 2)
        first = minimize(fun, START).x
        target = 2.0
        assert_allclose([first, minimize(fun, START).x], [np.ones(3), np.full(3, 2.0)], atol=1e-6)


class TestGivenDerivatives:
    def test_a_gradient_is_used(self) -> None:
        fun, jac = Called(rosenbrock), Called(wg.grad(rosenbrock))
        result = minimize(fun, START, jac=jac)
        assert (result.nfev, result.njev) == (fun.count, jac.count)
        assert_allclose(result.x, np.ones(3), atol=1e-4)

    def test_a_function_that_returns_both(self) -> None:
        fun = Called(wg.value_and_grad(rosenbrock))
        result = minimize(fun, START, jac=True, method="Newton-CG")
        assert_allclose(result.x, np.ones(3), atol=1e-3)
        assert fun.count == result.nfev + 1  # traced once more for the products
        assert result.nhvp > 0

    def test_second_derivatives_are_used(self) -> None:
        hess = Called(wg.hessian(rosenbrock))
        result = minimize(rosenbrock, START, method="trust-exact", hess=hess)
        assert result.nhev == hess.count > 0
        hessp = Called(lambda x, v: wg.hvp(rosenbrock, x, v))
        result = minimize(rosenbrock, START, method="trust-ncg", hessp=hessp)
        assert result.nhvp == hessp.count > 0
        result = minimize(rosenbrock, START, method="trust-constr", hess=BFGS())
        assert result.nhvp == 0
        assert_allclose(result.x, np.ones(3), atol=1e-3)

    def test_differences_where_they_are_asked_for(self) -> None:
        fun = Called(rosenbrock)
        found = minimize(fun, START, jac="3-point")
        expected = scipy.optimize.minimize(rosenbrock, START, jac="3-point")
        np.testing.assert_array_equal(found.x, expected.x)
        assert found.nfev == fun.count

    def test_other_words_are_refused(self) -> None:
        with pytest.raises(WengertValueError, match="jac must be a function"):
            minimize(rosenbrock, START, jac="exact")


@dataclass
class Line:
    slope: Any
    offsets: Any


class TestStructures:
    def test_they_go_in_and_come_out(self) -> None:
        t = np.linspace(0, 1, 5)

        def misfit(line: Line, seen: Any) -> Any:
            return np.sum((line.slope * t + line.offsets[:, None] - seen) ** 2)

        seen = 3 * t + np.array([[1.0], [2.0]])
        shown = []
        result = minimize(misfit, Line(0.0, np.zeros(2)), args=(seen,), callback=shown.append)
        assert isinstance(result.x, Line)
        assert isinstance(result.jac, Line)
        assert_allclose(result.x.slope, 3.0, rtol=1e-6)
        assert_allclose(result.x.offsets, [1.0, 2.0], rtol=1e-6)
        assert all(isinstance(line, Line) for line in shown)
        assert_allclose(shown[-1].offsets, result.x.offsets)

    def test_a_callback_by_results(self) -> None:
        values = []

        def callback(intermediate_result: Any) -> None:
            values.append((intermediate_result.x["w"].shape, intermediate_result.fun))

        minimize(lambda p: np.sum((p["w"] - 1) ** 2), {"w": np.zeros((2, 2))}, callback=callback)
        assert values[-1] == ((2, 2), pytest.approx(0.0))

    def test_arrays_of_any_shape_and_float32(self) -> None:
        x0 = np.zeros((2, 3), np.float32)
        seen = []

        def fun(x: Any) -> Any:
            seen.append((x.shape, x.dtype))
            return np.sum((x - 2) ** 2)

        result = minimize(fun, x0)
        assert seen == [((2, 3), np.float32)]
        assert result.x.shape == (2, 3)
        assert result.x.dtype == np.float32
        assert_allclose(result.x, np.full((2, 3), 2.0), rtol=1e-5)

    def test_trust_constr(self) -> None:
        """Its `jac` is about the constraints, and its gradient has a name of its own."""
        fun = lambda p: (p["a"] - 3) ** 2 + np.sum((p["b"] + 1) ** 2)
        limit = NonlinearConstraint(lambda p: p["a"] ** 2 + np.sum(p["b"] ** 2), -np.inf, 1.0)
        for constraints in ((), limit):
            shown: list[Any] = []
            result = minimize(
                fun,
                {"a": 0.1, "b": np.zeros(2)},
                method="trust-constr",
                constraints=constraints,
                callback=lambda p, state, shown=shown: shown.append(p["b"].shape),
            )
            scale = 1 / np.sqrt(11) if constraints else 1.0
            assert_allclose(result.x["a"], 3 * scale, atol=1e-3)
            assert_allclose(result.x["b"], np.full(2, -scale), atol=1e-3)
            assert result.grad["b"].shape == (2,)
            assert len(shown) > 0
            assert set(shown) == {(2,)}

    @pytest.mark.parametrize("jac", ["2-point", "3-point", "cs"])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_differences(self, jac: str, dtype: Any) -> None:
        """Their small or imaginary steps reach the function."""
        x0 = {"a": np.zeros(2, dtype)}
        result = minimize(lambda p: np.sum((p["a"] - 3) ** 2), x0, jac=jac)
        assert_allclose(result.x["a"], [3.0, 3.0], rtol=1e-5)
        assert result.x["a"].dtype == dtype

    def test_bounds_of_structures(self) -> None:
        fun = lambda p: (p["a"] - 3) ** 2 + np.sum((p["b"] + 1) ** 2)
        x0 = {"a": 0.0, "b": np.zeros(2)}
        low, high = {"a": -1.0, "b": np.array([0.0, -np.inf])}, {"a": 1.0, "b": np.inf}
        for bounds in ((low, high), Bounds([-1, 0, -np.inf], [1, np.inf, np.inf])):
            result = minimize(fun, x0, bounds=bounds)
            assert_allclose(result.x["a"], 1.0)
            assert_allclose(result.x["b"], [0.0, -1.0], atol=1e-6)

    def test_numbers_and_lists_are_vectors_as_in_scipy(self) -> None:
        assert minimize(lambda x: x**2, 3).x.shape == (1,)
        assert minimize(lambda x: np.sum(x**2), [3, 4]).x.shape == (2,)
        assert minimize(lambda x: np.sum(x**2), (3.0, 4)).x.dtype == float


CIRCLE = NonlinearConstraint(lambda x: x[0] ** 2 + x[1] ** 2, -np.inf, 1.0)
NEAREST = np.array([0.6, 0.8])


def distance(x: Any) -> Any:
    return np.sum((x - np.array([3.0, 4.0])) ** 2)


class TestConstraints:
    @pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
    @pytest.mark.parametrize(
        "constraint",
        [
            CIRCLE,
            [CIRCLE, LinearConstraint([[1.0, 1.0]], -np.inf, 10.0)],
            {"type": "ineq", "fun": lambda x, r: r - np.sum(x**2), "args": (1.0,)},
            ({"type": "eq", "fun": lambda x: 1 - np.sum(x**2)},),
        ],
        ids=["new", "list", "old", "equality"],
    )
    def test_they_get_exact_derivatives(self, method: str, constraint: Any) -> None:
        result = minimize(distance, np.array([0.5, 0.1]), method=method, constraints=constraint)
        assert result.success
        assert_allclose(result.x, NEAREST, atol=1e-4)  # that of trust-constr's barrier

    def test_hessians_of_constraints(self) -> None:
        """trust-constr gets them by products; a strategy of the caller's is kept."""
        program = lambda x: np.stack([x[0] ** 2 * x[1], np.sin(x[1])])
        x, v = np.array([0.5, 0.1]), np.array([2.0, 3.0])
        operator = weighted_hessian(program, wg.jit)(x, v)
        expected = wg.hessian(lambda x: v @ program(x))(x)
        assert_allclose(operator @ np.eye(2), expected, rtol=1e-13)
        kept = NonlinearConstraint(CIRCLE.fun, -np.inf, 1.0, hess=scipy.optimize.SR1())
        for constraint, is_exact in ((CIRCLE, True), (kept, False)):
            result = minimize(distance, x, method="trust-constr", constraints=constraint)
            assert (result.constr_nhev[0] > 0) == is_exact
            assert_allclose(result.x, NEAREST, atol=1e-4)

    def test_of_structures(self) -> None:
        limit = NonlinearConstraint(lambda p: {"r": p["x"] ** 2 + p["y"] ** 2}, 0.0, 1.0)
        result = minimize(
            lambda p: (p["x"] - 3) ** 2 + (p["y"] - 4) ** 2,
            {"x": 0.5, "y": 0.1},
            method="SLSQP",
            constraints=limit,
            tol=1e-12,
        )
        assert_allclose([result.x["x"], result.x["y"]], NEAREST, atol=1e-6)

    def test_given_jacobians_are_used(self) -> None:
        jac = Called(lambda x: 2 * x[None])
        new = NonlinearConstraint(CIRCLE.fun, -np.inf, 1.0, jac=jac)
        old = {"type": "ineq", "fun": lambda x: 1 - np.sum(x**2), "jac": lambda x: -jac(x)}
        for constraint in (new, old):
            jac.count = 0
            result = minimize(
                distance, [0.5, 0.1], method="SLSQP", constraints=constraint, tol=1e-12
            )
            assert_allclose(result.x, NEAREST, atol=1e-6)
            assert jac.count > 0

    def test_methods_without_derivatives(self) -> None:
        result = minimize(distance, [0.5, 0.1], method="COBYQA", constraints=CIRCLE)
        assert_allclose(result.x, NEAREST, atol=1e-5)


class TestErrors:
    def test_complex_starts(self) -> None:
        with pytest.raises(WengertTypeError, match="real numbers"):
            minimize(lambda x: abs(x[0]), np.array([1j]))

    def test_outputs_that_are_no_numbers(self) -> None:
        with pytest.raises(WengertTypeError, match="must return one number"):
            minimize(lambda x: x**2, START)

    def test_inside_a_trace(self) -> None:
        """A solution has no derivative here, and none is dropped."""
        with pytest.raises(WengertTypeError, match="traced x0"):
            wg.grad(lambda a: minimize(rosenbrock, a).fun)(START)
        with pytest.raises(WengertTypeError, match="custom_root"):
            wg.grad(lambda a: minimize(lambda x: np.sum((x - a) ** 2), START).fun)(1.0)

    def test_on_plain_values_inside_a_trace(self) -> None:
        found = wg.grad(lambda a: a * minimize(rosenbrock, START).x[0])(2.0)
        assert_allclose(found, 1.0, atol=1e-4)


def test_bounds_of_a_dict_are_dicts():
    def fun(p):
        return (p["z"] - 1) ** 2 + (p["a"] - 1) ** 2

    start = {"z": 0.0, "a": 0.0}
    found = wg.optimize.minimize(
        fun, start, bounds=({"z": -np.inf, "a": 0.0}, {"z": 0.25, "a": 0.75})
    )
    np.testing.assert_allclose([found.x["z"], found.x["a"]], [0.25, 0.75])
    for bounds in ([(0, 0.25), (0, 0.75)], {"z": (0, 1), "a": (2, 3)}, ({"a": 0.0}, 9.0)):
        with pytest.raises(WengertTypeError, match="pair \\(lower, upper\\) of dicts"):
            wg.optimize.minimize(fun, start, bounds=bounds)


def test_a_function_of_several_numbers_is_sent_to_least_squares():
    with pytest.raises(WengertTypeError, match="least_squares"):
        wg.optimize.minimize(lambda x: x**2, np.ones(2))
