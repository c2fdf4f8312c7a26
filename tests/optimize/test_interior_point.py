"""Ipopt: what it is given, and the call of it, with a stand-in for cyipopt where there is none."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from numpy.testing import assert_allclose
from scipy.optimize import LinearConstraint, NonlinearConstraint

import wengert as wg
from wengert import lazy
from wengert.errors import WengertTypeError
from wengert.optimize import minimize
from wengert.optimize.interior_point import Problem, limits
from wengert.optimize.objective import Objective
from wengert.optimize.variables import variables

# Problem 71 of Hock & Schittkowski 1981, *Test examples for nonlinear programming codes*.
START = np.array([1.0, 5.0, 5.0, 1.0])
BEST = np.array([1.0, 4.742994, 3.8211503, 1.3794082])
LOWEST = 17.0140173
BOUNDS = [(1, 5)] * 4


def cost(x: Any) -> Any:
    return x[0] * x[3] * np.sum(x[:3]) + x[2]


CONSTRAINTS = (
    {"type": "ineq", "fun": lambda x: np.prod(x) - 25},
    LinearConstraint([[1.0, 0.0, 0.0, 2.0]], 0.0, 10.0),
    NonlinearConstraint(lambda x: np.sum(x**2), 40.0, 40.0),
)


def problem_of(constraints: Any) -> tuple[Problem, Any]:
    described, start = variables(START, "minimize")
    limited = limits(constraints, described, start, compiled=True)
    return Problem(Objective(cost, described), limited, start, compiled=True), limited


def dense(values: Any, where: Any, shape: tuple[int, int]) -> Any:
    return scipy.sparse.coo_array((values, where), shape).toarray()


class TestProblem:
    def test_values_and_derivatives(self) -> None:
        problem, limited = problem_of(CONSTRAINTS)
        x, weights, factor = START + 0.1, np.array([7.0, -2.0, 0.5]), 3.0
        # linear constraints come first
        joined = lambda x: np.stack([x[0] + 2 * x[3], np.prod(x) - 25, np.sum(x**2)])
        assert_allclose(limited.low, [0.0, 0.0, 40.0])
        assert_allclose(limited.high, [10.0, np.inf, 40.0])
        assert_allclose(problem.objective(x), cost(x))
        assert_allclose(problem.gradient(x), wg.grad(cost)(x))
        assert_allclose(problem.constraints(x), joined(x))
        jacobian = dense(problem.jacobian(x), problem.jacobianstructure(), (3, 4))
        assert_allclose(jacobian, wg.jacobian(joined)(x), rtol=1e-13)
        lower = dense(problem.hessian(x, weights, factor), problem.hessianstructure(), (4, 4))
        expected = wg.hessian(lambda x: factor * cost(x) + weights @ joined(x))(x)
        assert_allclose(lower, np.tril(expected), rtol=1e-12, atol=1e-12)

    def test_without_nonlinear_constraints(self) -> None:
        for constraints in ((), CONSTRAINTS[1]):
            problem, limited = problem_of(constraints)
            rows = limited.low.size
            assert problem.constraints(START).shape == (rows,)
            assert len(problem.jacobian(START)) == len(problem.jacobianstructure()[0]) == 2 * rows
            lower = dense(
                problem.hessian(START, np.zeros(rows), 2.0), problem.hessianstructure(), (4, 4)
            )
            assert_allclose(lower, np.tril(2 * wg.hessian(cost)(START)))

    def test_other_constraints_are_refused(self) -> None:
        with pytest.raises(WengertTypeError, match="a constraint is"):
            problem_of([np.sum])


class StandIn:
    """The interface of cyipopt's Problem on a solver of SciPy's."""

    def __init__(self, n: int, m: int, problem_obj: Any, lb: Any, ub: Any, cl: Any, cu: Any):
        self.n, self.m, self.problem, self.bounds = n, m, problem_obj, (lb, ub)
        self.limits, self.options = (cl, cu), dict[str, Any]()

    def add_option(self, name: str, value: Any) -> None:
        self.options[name] = value

    def solve(self, x: Any) -> tuple[Any, dict[str, Any]]:
        p = self.problem
        assert self.options["print_level"] == 0
        by = lambda x: dense(p.jacobian(x), p.jacobianstructure(), (self.m, self.n))

        def weighted(x: Any, v: Any) -> Any:
            lower = dense(p.hessian(x, v, 0.0), p.hessianstructure(), (self.n, self.n))
            return lower + np.tril(lower, -1).T

        def hess(x: Any) -> Any:
            lower = dense(p.hessian(x, np.zeros(self.m), 1.0), p.hessianstructure(), (self.n,) * 2)
            return lower + np.tril(lower, -1).T

        found = scipy.optimize.minimize(
            p.objective,
            x,
            jac=p.gradient,
            hess=hess,
            method="trust-constr",
            bounds=scipy.optimize.Bounds(*self.bounds),
            constraints=[NonlinearConstraint(p.constraints, *self.limits, jac=by, hess=weighted)],
            options={"gtol": 1e-9, "xtol": 1e-12, "barrier_tol": 1e-10, "maxiter": 900},
        )
        p.intermediate(0, found.nit, found.fun, *[0.0] * 8)
        return found.x, {"obj_val": found.fun, "status": 0, "status_msg": b"solved"}


@pytest.fixture
def ipopt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """cyipopt, or what stands in for it."""
    if importlib.util.find_spec("cyipopt") is None:
        stand_in = ModuleType("cyipopt")
        stand_in.Problem = StandIn
        stand_in.__spec__ = importlib.util.spec_from_loader("cyipopt", loader=None)
        monkeypatch.setitem(sys.modules, "cyipopt", stand_in)
    lazy.module.cache_clear()  # it keeps what it has imported
    yield
    lazy.module.cache_clear()


class TestMinimize:
    @pytest.mark.usefixtures("ipopt")
    def test_the_known_solution(self) -> None:
        constraints = (CONSTRAINTS[0], CONSTRAINTS[2])
        result = minimize(
            cost, START, method="ipopt", bounds=BOUNDS, constraints=constraints, tol=1e-9
        )
        assert result.success
        assert isinstance(result.message, str)
        assert_allclose(result.x, BEST, rtol=1e-5)
        assert_allclose(result.fun, LOWEST, rtol=1e-5)
        assert result.nit > 0
        assert min(result.nfev, result.njev, result.nhev) > 0

    @pytest.mark.usefixtures("ipopt")
    def test_structures_and_linear_constraints(self) -> None:
        result = minimize(
            lambda p: np.sum((p["a"] - 2) ** 2) + (p["b"] - 3) ** 2,
            {"a": np.zeros(2), "b": 0.0},
            method="ipopt",
            bounds=(-1.0, 2.5),
            constraints=LinearConstraint([[1.0, 1.0, 0.0]], -np.inf, 3.0),
        )
        assert_allclose(result.x["a"], [1.5, 1.5], rtol=1e-4)
        assert_allclose(result.x["b"], 2.5, rtol=1e-4)

    @pytest.mark.usefixtures("ipopt")
    def test_what_is_not_taken(self) -> None:
        with pytest.raises(WengertTypeError, match="takes no callback"):
            minimize(cost, START, method="ipopt", callback=print)
        with pytest.raises(WengertTypeError, match="hess"):
            minimize(cost, START, method="ipopt", hess=wg.hessian(cost))

    def test_where_it_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(ImportError, match=r"pip install 'wengert\[ipopt\]'"):
            minimize(cost, START, method="ipopt")
