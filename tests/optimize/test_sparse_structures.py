"""Sparse Jacobians and Hessians for solvers: the right entries at the right places, on every path
through the function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose
from scipy.optimize import LinearConstraint, NonlinearConstraint

import wengert as wg
from wengert.derivatives.sparse import sparsity
from wengert.errors import WengertValueError
from wengert.optimize import least_squares, minimize
from wengert.optimize.interior_point import Problem, limits
from wengert.optimize.objective import Objective
from wengert.optimize.structure import Entries, residuals
from wengert.optimize.variables import Variables


def chained(x: Any) -> Any:
    """Broyden's tridiagonal function."""
    padded = np.concatenate([np.zeros(1), x, np.zeros(1)])
    return (3 - 2 * x) * x - padded[:-2] - 2 * padded[2:] + 1


def branching(x: Any) -> Any:
    return x**2 if x[0] > 0 else np.sin(x) * x[::-1]


class TestEntries:
    @pytest.mark.parametrize("compile", [wg.jit, lambda f: f], ids=["jit", "python"])
    def test_they_follow_branches(self, compile: Any) -> None:
        """The diagonal first, its mirror image with it from the other branch on."""
        x = np.linspace(1, 2, 6)
        entries = Entries("jacobian", branching, compile, sparsity(branching)(x))
        for point, places in ((x, 6), (-x, 12), (2 * x, 12), (-3 * x, 12)):
            matrix, value = entries.matrix(point)
            assert matrix.nnz == places
            assert_allclose(matrix.toarray(), wg.jacobian(branching)(point), rtol=1e-13)
            assert_allclose(value, branching(point))

    def test_where_the_pattern_is_fixed(self) -> None:
        x = np.linspace(1, 2, 6)
        entries = Entries("jacobian", branching, wg.jit, sparsity(branching)(x), is_fixed=True)
        entries(2 * x)
        with pytest.raises(WengertValueError, match="nonzeros at other places"):
            entries(-x)

    def test_of_a_hessian(self) -> None:
        energy = lambda x, w: np.sum(w * chained(x) ** 2)
        x, w = np.linspace(-1, 1, 30), np.cos(np.arange(30))
        plan = sparsity(energy, of="hessian")(x, np.ones(30))
        values, value = Entries("hessian", energy, wg.jit, plan)(x, w)
        found = plan.places.matrix(values)
        assert found.nnz == 30 + 2 * 29 + 2 * 28
        assert_allclose(found.toarray(), wg.hessian(energy)(x, w), rtol=1e-12, atol=1e-12)
        assert_allclose(value, energy(x, w))

    def test_large_ones_are_sparse_by_themselves(self) -> None:
        for size, program, is_sparse in (
            (600, chained, True),
            (50, chained, False),
            (600, lambda x: chained(x) + np.sum(x), False),
        ):
            x = np.full(size, -1.0)
            found = residuals(program, wg.jit, x)
            assert scipy.sparse.issparse(found.jacobian(x)) == found.is_sparse == is_sparse
            assert_allclose(found.value(x), program(x))


class TestLeastSquares:
    def test_sparse_is_as_dense(self) -> None:
        start = np.full(40, -1.0)
        dense = least_squares(chained, start, jac="dense", tr_solver="lsmr")
        found = least_squares(chained, start, jac="sparse")
        assert scipy.sparse.issparse(found.jac)
        assert_allclose(found.x, dense.x, rtol=1e-6)

    def test_thousands_of_unknowns(self) -> None:
        found = least_squares(chained, np.full(3000, -1.0))
        assert scipy.sparse.issparse(found.jac)
        assert found.cost < 1e-15
        assert found.nfev == found.njev < 15

    def test_levenberg_and_marquardt_stays_dense(self) -> None:
        found = least_squares(chained, np.full(600, -1.0), method="lm", max_nfev=3)
        assert isinstance(found.jac, np.ndarray)


class TestConstraints:
    def test_trust_constr(self) -> None:
        """Neighbours at most 1 apart, with a linear constraint that is dense."""
        target = np.arange(600.0) * 2
        apart = NonlinearConstraint(lambda x: np.diff(x) ** 2, -np.inf, 1.0)
        fixed = LinearConstraint(np.eye(1, 600), 0.0, 0.0)
        result = minimize(
            lambda x: np.sum((x - target) ** 2) / 600,
            np.arange(600.0) / 2,
            method="trust-constr",
            constraints=[apart, fixed],
            options={"maxiter": 8},
        )
        assert all(scipy.sparse.issparse(matrix) for matrix in result.jac)
        expected = wg.jacobian(lambda x: np.diff(x) ** 2)(result.x)
        found = next(matrix for matrix in result.jac if matrix.shape[0] == 599)
        assert_allclose(found.toarray(), expected, rtol=1e-12, atol=1e-12)

    def test_ipopt_is_told_the_nonzeros(self) -> None:
        energy = lambda x: np.sum(chained(x) ** 2)
        x, weights = np.linspace(-1, 1, 50), np.cos(np.arange(49))
        links = NonlinearConstraint(lambda x: np.diff(x) ** 3, 0.0, 1.0)
        limited = limits(links, Variables(None), x, compiled=True)
        problem = Problem(Objective(energy, Variables(None)), limited, x, compiled=True)
        rows, columns = problem.jacobianstructure()
        assert len(rows) == 2 * 49
        jacobian = scipy.sparse.coo_array((problem.jacobian(x), (rows, columns)), (49, 50))
        assert_allclose(jacobian.toarray(), wg.jacobian(links.fun)(x), rtol=1e-13, atol=1e-14)
        where = problem.hessianstructure()
        assert len(where[0]) == 50 + 49 + 48
        lower = scipy.sparse.coo_array((problem.hessian(x, weights, 2.0), where), (50, 50))
        expected = wg.hessian(lambda x: 2 * energy(x) + weights @ links.fun(x))(x)
        assert_allclose(lower.toarray(), np.tril(expected), rtol=1e-12, atol=1e-11)
