"""`finite_difference` and `two_point`: errors, variances, unbiasedness, refusals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import wengert as wg
from wengert.errors import WengertTypeError, WengertValueError
from wengert.zeroth import finite_difference, two_point

Array = NDArray[np.float64]
DIRECTIONS = ("sphere", "gaussian", "rademacher", "coordinates")


def smooth(x: Array) -> float:
    return np.sum(np.sin(x) * np.exp(x / 3)) + x[0] * x[-1]


POINT = np.random.default_rng(0).normal(size=6)


class TestDifferences:
    @pytest.mark.parametrize(
        "method, tolerance, evaluations",
        [("forward", 1e-7, 7), ("central", 1e-9, 12), ("complex", 1e-14, 8)],
    )
    def test_against_the_gradient(self, method: str, tolerance: float, evaluations: int) -> None:
        found = finite_difference(smooth, POINT, method=method)
        np.testing.assert_allclose(found.value, wg.grad(smooth)(POINT), rtol=0, atol=tolerance)
        assert found.evaluations == evaluations
        assert np.all(found.stderr == 0)

    def test_the_step_follows_the_size_of_x(self) -> None:
        """At 10⁸ a step of ε^{1/3} would be lost among the roundings."""
        found = finite_difference(lambda x: x**2, np.array([1e8, 1e-8]))
        np.testing.assert_allclose(found.value, np.diag([2e8, 2e-8]), rtol=1e-9, atol=1e-15)

    def test_the_error_is_smallest_at_the_steps_that_are_chosen(self) -> None:
        """A thousand times more or less is worse by 100 at least: h² or ε/h, h or ε/h."""
        exact = np.cos(1.0)
        for method, power in (("forward", 1 / 2), ("central", 1 / 3)):
            h = np.finfo(float).eps ** power

            def error(step: float | None, method: str = method) -> float:
                steps = [None] if step is None else step * np.geomspace(0.7, 1.4, 9)
                return max(
                    abs(finite_difference(np.sin, 1.0, method=method, step=s).value - exact)
                    for s in steps
                )

            assert error(1e3 * h) > 100 * error(None)
            assert error(1e-3 * h) > 100 * error(None)

    @pytest.mark.parametrize("method", ["forward", "central", "complex"])
    def test_of_arrays_and_structures(self, method: str) -> None:
        def f(p: dict[str, Array], power: int) -> Array:
            return np.stack([p["a"] ** power, np.sum(p["b"] ** 2), p["a"] * p["b"][1, 0]])

        p = {"a": 2.0, "b": np.arange(6.0).reshape(3, 2)}
        found = finite_difference(f, p, 3, method=method)
        exact = wg.jacobian(lambda p: f(p, 3))(p)
        assert found.value["b"].shape == (3, 3, 2)
        for name in p:
            np.testing.assert_allclose(found.value[name], exact[name], rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize("method, tolerance", [("forward", 2e-3), ("central", 2e-4)])
    def test_single_precision(self, method: str, tolerance: float) -> None:
        x = POINT.astype(np.float32)
        seen = []

        def f(x: Array) -> float:
            seen.append(x.dtype)
            return smooth(x)

        found = finite_difference(f, x, method=method)
        assert set(seen) == {np.dtype(np.float32)}
        np.testing.assert_allclose(found.value, wg.grad(smooth)(POINT), atol=tolerance)

    def test_a_function_that_is_not_analytic_is_seen(self) -> None:
        for f in (
            lambda x: np.sum(np.abs(x)) + np.sum(x**2),
            lambda x: np.real(np.vdot(x, x)),
            lambda x: np.sum(x * np.conj(x)),
        ):
            with pytest.raises((WengertTypeError, WengertValueError), match="method='central'"):
                finite_difference(f, POINT, method="complex")

    @pytest.mark.parametrize("seed", range(5))
    def test_what_is_analytic_passes_the_check(self, seed: int) -> None:
        x = np.random.default_rng(seed).normal(size=4) * 10.0**seed / 100
        for f in (np.sin, lambda x: np.sum(np.exp(x / 1e3)) * 1e9, lambda x: x @ x, np.arctan):
            found = finite_difference(f, x, method="complex").value
            np.testing.assert_allclose(found, wg.jacobian(f)(x), rtol=1e-12, atol=1e-300)


class TestTwoPoint:
    @pytest.mark.parametrize("directions", DIRECTIONS)
    @pytest.mark.parametrize("method", ["central", "forward"])
    def test_unbiased(self, directions: str, method: str) -> None:
        found = two_point(smooth, POINT, directions=directions, method=method, samples=2002, rng=0)
        away = np.abs(found.value - wg.grad(smooth)(POINT))
        assert np.all(away < 4 * found.stderr + 2e-6)  # and the error of the differences
        assert found.evaluations == (4004 if method == "central" else 2003)

    @pytest.mark.parametrize("directions", DIRECTIONS)
    @pytest.mark.parametrize("n", [3, 10])
    def test_the_mean_square_of_one_sample(self, directions: str, n: int) -> None:
        """n‖g‖², Gaussian (n + 2)‖g‖². The relative standard deviation of ‖G‖² = n²(g·u)²‖u‖² is
        below 2.2 for these n, so that of 2500 below 4.4 %."""
        g = np.random.default_rng(1).normal(size=n)
        rng = np.random.default_rng(2)
        squares = [
            np.sum(
                two_point(
                    lambda x: g @ x, np.zeros(n), directions=directions, method="forward", rng=rng
                ).value
                ** 2
            )
            for _ in range(2500)
        ]
        expected = (n + 2 if directions == "gaussian" else n) * (g @ g)
        assert np.mean(squares) == pytest.approx(expected, rel=0.15)

    @pytest.mark.parametrize("directions", DIRECTIONS)
    def test_standard_errors(self, directions: str) -> None:
        """Beside the spread of 200 repetitions, whose relative standard error is 5 %."""
        rng = np.random.default_rng(0)
        samples = 4 if directions == "coordinates" else 30
        found = [
            two_point(smooth, POINT, directions=directions, samples=samples, rng=rng)
            for _ in range(200)
        ]
        spread = np.std([f.value for f in found], axis=0, ddof=1)
        said = np.array([f.stderr for f in found])
        if directions == "coordinates":
            # those that were drawn: 4 of 6, n²g²/n (1 − 1/n) the variance of one sample
            drawn = np.isfinite(said)
            assert np.mean(drawn) == pytest.approx(4 / 6)
            g = wg.grad(smooth)(POINT)
            expected = np.abs(g) * np.sqrt(6 / 4 - 1)
            np.testing.assert_allclose(spread, expected, rtol=0.25)
            one = np.where(drawn, said, 0).max(axis=0)
            np.testing.assert_allclose(one, np.abs(g) * 6 * 0.5 * np.sqrt(1 / 12), rtol=1e-6)
        else:
            np.testing.assert_allclose(np.sqrt(np.mean(said**2, axis=0)), spread, rtol=0.25)

    def test_all_coordinates_are_the_central_difference(self) -> None:
        for rounds in (1, 3):
            found = two_point(smooth, POINT, directions="coordinates", samples=6 * rounds, rng=0)
            np.testing.assert_allclose(found.value, wg.grad(smooth)(POINT), atol=1e-8)
            assert np.all(found.stderr == 0)

    def test_one_sample_says_nothing_about_its_error(self) -> None:
        assert np.all(np.isinf(two_point(smooth, POINT).stderr))

    def test_structures_and_seeds(self) -> None:
        def f(p: tuple[float, Array]) -> float:
            return p[0] ** 2 + float(np.sum(p[1]))

        p = (3.0, np.ones((2, 2)))
        found = two_point(f, p, samples=500, rng=7)
        same = two_point(f, p, samples=500, rng=np.random.default_rng(7))
        np.testing.assert_array_equal(found.value[1], same.value[1])
        assert found.value[1].shape == (2, 2)
        assert abs(found.value[0] - 6) < 4 * found.stderr[0]
        assert two_point(f, p).value[0] != two_point(f, p).value[0]


class TestRefusals:
    @pytest.mark.parametrize(
        "call, kind, words",
        [
            (lambda: finite_difference(np.sum(POINT), POINT), WengertTypeError, "function"),
            (lambda: finite_difference(np.sum, np.ones(0)), WengertValueError, "without elements"),
            (lambda: finite_difference(np.sum, POINT * 1j), WengertTypeError, "real numbers"),
            (lambda: finite_difference(np.sum, "x"), WengertTypeError, "real numbers"),
            (lambda: finite_difference(np.log, 0.0), WengertValueError, "inside of its domain"),
            (lambda: finite_difference(np.sum, POINT, method="best"), WengertValueError, "central"),
            (lambda: finite_difference(np.sum, POINT, step=0.0), WengertValueError, "step"),
            (lambda: finite_difference(np.sin, 1.0, step=1e-20), WengertValueError, "larger step"),
            (lambda: finite_difference(np.sin, np.inf), WengertValueError, "not finite"),
            (
                lambda: finite_difference(np.sin, np.float32(1), method="forward", step=1e-9),
                WengertValueError,
                "larger step",
            ),
            (lambda: two_point(np.sum, POINT, step=1e-20), WengertValueError, "larger step"),
            (lambda: two_point(np.sum, POINT * np.nan), WengertValueError, "not finite"),
            (lambda: finite_difference(str, 1.0), WengertTypeError, "real number"),
            (lambda: two_point(np.sin, POINT), WengertTypeError, "one number"),
            (lambda: two_point(np.sum, POINT, directions="up"), WengertValueError, "sphere"),
            (lambda: two_point(np.sum, POINT, method="complex"), WengertValueError, "central"),
            (lambda: two_point(np.sum, POINT, samples=0), WengertValueError, "samples"),
            (lambda: two_point(np.sum, POINT, step=-1.0), WengertValueError, "step"),
            (lambda: two_point(np.sum, POINT, rng=1.5), WengertTypeError, "Generator"),
            (
                lambda: wg.grad(lambda x: finite_difference(np.sum, x).value[0])(POINT),
                WengertTypeError,
                "outside of grad",
            ),
        ],
    )
    @pytest.mark.filterwarnings("ignore::RuntimeWarning")
    def test_say_what_to_do(self, call: Callable[[], object], kind: type, words: str) -> None:
        with pytest.raises(kind, match=words):
            call()
