"""`least_squares` and `curve_fit` against SciPy's with Jacobians by hand or by differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from numpy.testing import assert_allclose

import wengert as wg
from wengert.errors import WengertTypeError, WengertValueError
from wengert.optimize import curve_fit, least_squares

T = np.linspace(0, 4, 40)
TRUTH = np.array([2.5, 1.3, 0.5])
RNG = np.random.default_rng(0)
SEEN = TRUTH[0] * np.exp(-TRUTH[1] * T) + TRUTH[2] + 0.05 * RNG.normal(size=40)
START = np.ones(3)


def decay(t: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * t) + c


def slopes(t: Any, a: Any, b: Any, c: Any) -> Any:
    e = np.exp(-b * t)
    return np.stack([e, -a * t * e, np.ones_like(t)], axis=1)


def residuals(p: Any) -> Any:
    return decay(T, *p) - SEEN


class TestLeastSquares:
    @pytest.mark.parametrize(
        "method, loss",
        [("trf", "linear"), ("trf", "huber"), ("dogbox", "cauchy"), ("lm", "linear")],
    )
    def test_as_with_the_jacobian_by_hand(self, method: str, loss: str) -> None:
        options = {"method": method, "loss": loss, "f_scale": 0.05}
        found = least_squares(residuals, START, **options)
        jac = lambda p: slopes(T, *p)
        expected = scipy.optimize.least_squares(residuals, START, jac=jac, **options)
        assert_allclose(found.x, expected.x, rtol=1e-8)
        # the robust losses scale rows by what remains of them, some 1e-8 of rounding
        assert_allclose(found.jac, expected.jac, rtol=1e-8, atol=1e-7)
        assert found.success
        assert found.nfev == found.njev <= expected.nfev

    def test_bounds(self) -> None:
        found = least_squares(residuals, START, bounds=([0, 0, 0.6], np.inf))
        assert found.x[2] == pytest.approx(0.6)
        assert found.active_mask[2] == -1

    def test_structures(self) -> None:
        def misfit(p: Any, seen: Any, scale: float) -> Any:
            model = decay(T[:20], *p["ab"], p["c"]), decay(T[20:], *p["ab"], p["c"])
            return {"first": scale * (model[0] - seen[:20]), "rest": model[1] - seen[20:]}

        found = least_squares(
            misfit,
            {"ab": np.ones(2), "c": 0.2},
            args=(SEEN,),
            kwargs={"scale": 1.0},
            bounds=({"ab": 0.0, "c": -1.0}, {"ab": np.array([9.0, 9.0]), "c": 0.4}),
        )
        expected = scipy.optimize.least_squares(
            residuals, [1, 1, 0.2], bounds=([0, 0, -1], [9, 9, 0.4])
        )
        assert_allclose([*found.x["ab"], found.x["c"]], expected.x, rtol=1e-5)
        assert found.grad["ab"].shape == (2,)
        assert found.jac.shape == (40, 3)

    def test_by_products(self) -> None:
        A = RNG.normal(size=(60, 20))
        seen = np.tanh(A @ np.ones(20) / 5)
        found = least_squares(lambda x: np.tanh(A @ x / 5) - seen, np.zeros(20), jac="operator")
        assert isinstance(found.jac, scipy.sparse.linalg.LinearOperator)
        assert_allclose(found.x, np.ones(20), rtol=1e-5)
        assert found.nproducts > found.nfev
        dense = wg.jacobian(lambda x: np.tanh(A @ x / 5))(found.x)
        assert_allclose(found.jac @ np.eye(20), dense, rtol=1e-12)
        assert_allclose(found.jac.T @ np.eye(60), dense.T, rtol=1e-12)

    def test_given_jacobians_and_differences(self) -> None:
        for jac in (lambda p: slopes(T, *p), "3-point"):
            found = least_squares(residuals, START, jac=jac)
            assert_allclose(found.x, least_squares(residuals, START).x, rtol=1e-6)

    def test_what_is_refused(self) -> None:
        with pytest.raises(WengertValueError, match="diff_step belongs to differences"):
            least_squares(residuals, START, diff_step=1e-3)
        with pytest.raises(WengertValueError, match="jac must be"):
            least_squares(residuals, START, jac="exact")
        with pytest.raises(WengertTypeError, match="traced value from outside"):
            wg.grad(lambda a: least_squares(lambda x: x - a, [1.0]).cost)(2.0)


class TestCurveFit:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"p0": [1, 1, 1], "method": "dogbox"},
            {"sigma": np.linspace(0.1, 0.2, 40), "absolute_sigma": True},
            {"sigma": np.diag(np.linspace(0.1, 0.2, 40)) + 0.001},
            {"bounds": (0, [3.0, 1.0, 0.45])},
        ],
        ids=["default", "dogbox", "errors", "covariances", "bounds"],
    )
    def test_as_with_the_jacobian_by_hand(self, options: dict[str, Any]) -> None:
        best, covariance = curve_fit(decay, T, SEEN, **options)
        expected = scipy.optimize.curve_fit(decay, T, SEEN, jac=slopes, **options)
        assert_allclose(best, expected[0], rtol=1e-7)
        assert_allclose(covariance, expected[1], rtol=1e-5)

    def test_full_output_and_counts(self) -> None:
        best, _, info, _, status = curve_fit(decay, T, SEEN, full_output=True)
        assert status in (1, 2, 3, 4)
        assert info["nfev"] == info["njev"] < 20
        assert_allclose(info["fvec"], decay(T, *best) - SEEN, rtol=1e-10)

    def test_data_of_any_kind(self) -> None:
        def plane(where: Any, a: Any, b: Any) -> Any:
            return a * where[0] + b * where[1] ** 2

        where = np.stack([T, T[::-1]])
        best, _ = curve_fit(plane, where, plane(where, 2.0, -1.0))
        assert_allclose(best, [2.0, -1.0], rtol=1e-10)
        best, _ = curve_fit(lambda o, a: a * o["t"], {"t": T}, 3 * T)
        assert_allclose(best, [3.0])

    def test_missing_data(self) -> None:
        holed = SEEN.copy()
        holed[3] = np.nan
        best, _ = curve_fit(decay, T, holed, nan_policy="omit")
        expected, _ = curve_fit(decay, np.delete(T, 3), np.delete(SEEN, 3))
        assert_allclose(best, expected, rtol=1e-8)

    def test_a_given_jacobian_is_used(self) -> None:
        calls = []
        best, _ = curve_fit(decay, T, SEEN, jac=lambda *a: calls.append(1) or slopes(*a))
        assert calls
        assert_allclose(best, curve_fit(decay, T, SEEN)[0], rtol=1e-7)
