"""The problems of Moré, Garbow & Hillstrom: solvers with exact derivatives end where SciPy's do by
differences, and need fewer evaluations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from more_garbow_hillstrom import PROBLEMS, Problem
from scipy.optimize._numdiff import approx_derivative

import wengert as wg
from wengert.optimize import least_squares, minimize

QUICK = {"rosenbrock", "helical_valley", "osborne_1", "watson", "brown_almost_linear", "chebyquad"}


def chosen(problems: list[Problem]) -> list[Any]:
    return [
        pytest.param(p, id=p.name, marks=() if p.name in QUICK else pytest.mark.long)
        for p in problems
    ]


class Called:
    """A function that counts its calls: SciPy's counts leave some of those for differences out."""

    def __init__(self, function: Any) -> None:
        self.function, self.count = function, 0

    def __call__(self, x: Any) -> Any:
        self.count += 1
        return self.function(x)


def solved(problem: Problem, value: float) -> bool:
    """Whether a value is one of the minima that are known, to three digits, or to a millionth of
    the values about."""
    near = 1e-6 * min(1.0, float(problem(problem.start)))
    return any(abs(value - m) <= 1e-3 * m + near for m in problem.minima)


def test_all_are_here() -> None:
    assert len({problem.name for problem in PROBLEMS}) == 35


@pytest.mark.parametrize("problem", chosen(PROBLEMS))
def test_their_minima(problem: Problem) -> None:
    """The published minima, by SciPy's Levenberg–Marquardt: the problems are written down right."""
    found = scipy.optimize.least_squares(
        problem.residuals, problem.start, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14
    )
    assert solved(problem, 2 * found.cost)


@pytest.mark.parametrize("problem", chosen(PROBLEMS))
def test_their_derivatives(problem: Problem) -> None:
    """Against differences, to their error: in proportion to the largest slope by each variable, and
    the rounding of the values over a step (about 1e-5)."""
    start = problem.start * (1 + 0.01 * np.cos(np.arange(len(problem.start)))) + 0.001
    found = wg.jacobian(problem.residuals)(start)
    expected = approx_derivative(problem.residuals, start, method="3-point")
    rounding = np.max(np.abs(problem.residuals(start))) * 1e-10
    largest = np.max(np.abs(expected), axis=0)
    assert np.all(np.abs(found - expected) <= 1e-6 * largest + rounding)


TOLERANCES = {"BFGS": 1e-8, "L-BFGS-B": 1e-10, "CG": 1e-8, "SLSQP": 1e-10, "TNC": 1e-10}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # overflows far from the minimum
@pytest.mark.parametrize("method", TOLERANCES)
@pytest.mark.parametrize("problem", chosen(PROBLEMS))
def test_minimising_them(problem: Problem, method: str) -> None:
    """To small tolerances, so that where a solver stops on its way down does not matter."""
    tol = TOLERANCES[method]
    expected = scipy.optimize.minimize(problem, problem.start, method=method, tol=tol)
    found = minimize(problem, problem.start, method=method, tol=tol)
    assert solved(problem, found.fun) or not solved(problem, expected.fun)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B"])
@pytest.mark.parametrize("problem", chosen(PROBLEMS))
def test_the_evaluations_that_it_takes(problem: Problem, method: str) -> None:
    """By the tolerances of SciPy, which are about the gradient: 1e-5 of it."""
    called = Called(problem)
    expected = scipy.optimize.minimize(called, problem.start, method=method)
    found = minimize(problem, problem.start, method=method)
    if solved(problem, expected.fun):
        assert solved(problem, found.fun) or np.max(np.abs(found.jac)) < 1e-5
        assert found.nfev + found.njev < called.count


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
@pytest.mark.parametrize("problem", chosen(PROBLEMS))
def test_fitting_them(problem: Problem, method: str) -> None:
    called = Called(problem.residuals)
    expected = scipy.optimize.least_squares(called, problem.start, method=method)
    found = least_squares(problem.residuals, problem.start, method=method)
    if solved(problem, 2 * expected.cost):
        assert solved(problem, 2 * found.cost)
        assert found.nfev + found.njev < called.count
