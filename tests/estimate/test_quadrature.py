"""`logdet`, `trace_function` and `spectral_density`, and the Lanczos method that they rest on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse
from numpy.typing import NDArray

import wengert as wg
from wengert.errors import WengertTypeError, WengertValueError
from wengert.estimate import logdet, spectral_density, trace_function
from wengert.estimate.lanczos import Lanczos
from wengert.estimate.operators import operator_of
from wengert.estimate.progress import Bar

Array = NDArray[np.float64]


def second_differences(n: int, middle: float = 2.0) -> scipy.sparse.dia_array:
    """tridiag(−1, 2, −1), of determinant n + 1."""
    return scipy.sparse.diags_array(
        [-1.0, middle, -1.0], offsets=[-1, 0, 1], shape=(n, n), format="csr"
    )


def covariance(n: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, 2 * n))
    return np.asarray(a @ a.T / (2 * n) + 0.1 * np.eye(n))


def lanczos(matrix: Array, start: Array, limit: int) -> Lanczos:
    found = Lanczos(operator_of(matrix, None, None, (), "test", Bar(False, "")), start, limit)
    while not found.ended:
        found.step()
    return found


class TestLanczos:
    def test_quadrature_is_exact_for_polynomials(self) -> None:
        """vᵀ A^p v for p ≤ 2m − 1."""
        matrix, start = covariance(50), np.random.default_rng(1).normal(size=(50, 3))
        for m in (1, 2, 5):
            found = lanczos(matrix, start, m).quadratures()
            for p in range(2 * m):
                power = np.linalg.matrix_power(matrix, p)
                for v, q in zip(start.T, found, strict=True):
                    assert (v @ v) * (q.weights @ q.nodes**p) == pytest.approx(v @ power @ v)
            v, q = start[:, 0], found[0]
            beyond = v @ np.linalg.matrix_power(matrix, 2 * m) @ v
            assert (v @ v) * (q.weights @ q.nodes ** (2 * m)) != pytest.approx(beyond)

    def test_no_copies_of_eigenvalues(self) -> None:
        """A lone large eigenvalue converges early; without reorthogonalisation it comes back."""
        values = np.r_[np.linspace(0.0, 1.0, 199), 1000.0]
        (found,) = lanczos(np.diag(values), np.ones((200, 1)), 60).quadratures()
        assert np.sum(found.nodes > 2) == 1
        assert np.sum(found.weights) == pytest.approx(1, rel=1e-14)

    def test_breakdown(self) -> None:
        """Four different eigenvalues: an invariant span after four steps, the exact quadrature."""
        matrix = np.diag(np.repeat([1.0, 2.0, 5.0, 7.0], 25))
        start = np.ones((100, 2))
        start[25:, 1] = 0.0  # an eigenvector: one step
        found = lanczos(matrix, start, 50)
        assert found.steps == 4
        first, second = found.quadratures()
        np.testing.assert_allclose(first.nodes, [1, 2, 5, 7], rtol=1e-13)
        np.testing.assert_allclose(first.weights, 0.25, rtol=1e-12)
        np.testing.assert_allclose(second.nodes, [1.0])

    def test_all_steps_give_the_spectrum(self) -> None:
        matrix = covariance(30)
        (found,) = lanczos(matrix, np.random.default_rng(0).normal(size=(30, 1)), 100).quadratures()
        np.testing.assert_allclose(found.nodes, np.linalg.eigvalsh(matrix), rtol=1e-11)


class TestDeterminants:
    @pytest.mark.parametrize("n", [1, 2, 10, 100, 150])
    def test_of_second_differences(self, n: int) -> None:
        found = logdet(second_differences(n))
        assert found.value == pytest.approx(np.log(n + 1), rel=1e-12)
        assert (found.method, found.products) == ("exact", n)

    def test_estimated(self) -> None:
        found = logdet(second_differences(300), samples=64, rng=3)
        assert found.method == "lanczos"
        assert found.interval[0] <= np.log(301) <= found.interval[1]

    def test_intervals_cover(self) -> None:
        """log det tridiag(−1, c, −1) = log((r^{n+1} − r^{−n−1})/(r − 1/r)) with r + 1/r = c. Of 60
        intervals at least 51 (3.6 standard deviations below 95 %)."""
        n, rng = 300, np.random.default_rng(0)
        r = (2.5 + np.sqrt(2.5**2 - 4)) / 2
        exact = (n + 1) * np.log(r) - np.log(r - 1 / r)
        found = [logdet(second_differences(n, 2.5), samples=12, rng=rng) for _ in range(60)]
        inside = [f.interval[0] <= exact <= f.interval[1] for f in found]
        assert np.sum(inside) >= 51
        errors = np.array([f.value for f in found]) - exact
        said = np.sqrt(np.mean([f.stderr**2 for f in found]))
        assert 0.7 < said / np.sqrt(np.mean(errors**2)) < 1.5
        assert abs(np.mean(errors)) < 4 * np.std(errors) / np.sqrt(60)

    def test_to_a_tolerance(self) -> None:
        matrix = covariance(250)
        exact = np.linalg.slogdet(matrix)[1]
        found = logdet(matrix, rtol=0.3, rng=0)
        assert found.converged
        assert found.method == "lanczos"
        assert abs(found.value / exact - 1) < 0.45
        sharp = logdet(matrix, rtol=1e-4, rng=0)
        assert (sharp.method, sharp.converged) == ("exact", True)
        assert sharp.value == pytest.approx(exact, rel=1e-12)
        few = logdet(matrix, rtol=1e-5, samples=8, rng=0)
        assert not few.converged

    def test_of_a_hessian(self) -> None:
        def f(x: Array) -> float:
            return np.sum(x[:-1] * x[1:]) + 2 * np.sum(np.cosh(x))  # a sparse Hessian

        x = np.linspace(0.0, 1.0, 200)
        exact = np.linalg.slogdet(wg.hessian(f)(x))[1]
        found = logdet(f, x=x, rng=0, samples=64)
        assert found.interval[0] <= exact <= found.interval[1]
        assert logdet(f, x=x, samples=200).value == pytest.approx(exact, rel=1e-12)
        operator = wg.hessian_operator(f, x)
        assert logdet(operator, rng=0, samples=64).value == pytest.approx(found.value, rel=1e-10)

    def test_needs_a_positive_definite_matrix(self) -> None:
        for n in (50, 300):
            with pytest.raises(WengertValueError, match="positive definite"):
                logdet(np.diag(np.linspace(-1.0, 1.0, n)))


class TestFunctions:
    @pytest.mark.parametrize("n", [40, 300])
    def test_a_constant_is_exact(self, n: int) -> None:
        found = trace_function(covariance(n), np.ones_like, samples=3, rng=0)
        assert found.value == pytest.approx(n, rel=1e-13)

    def test_exponential(self) -> None:
        matrix = covariance(300)
        exact = np.sum(np.exp(np.linalg.eigvalsh(matrix)))
        found = trace_function(matrix, np.exp, rng=1)
        assert found.interval[0] <= exact <= found.interval[1]
        assert found.products <= 32 * 20  # a smooth function takes few steps
        assert found.stderr < 0.02 * exact

    def test_too_few_steps_are_in_the_error(self) -> None:
        """√ at 0 converges slowly; what two steps miss is seen by comparison with one."""
        matrix = np.diag(np.linspace(0.0, 1.0, 400) ** 4)
        exact = np.sum(np.linspace(0.0, 1.0, 400) ** 2)
        found = trace_function(matrix, np.sqrt, steps=2, samples=64, rng=0)
        assert abs(found.value - exact) < 2 * found.stderr
        assert found.stderr > 0.02 * exact
        more = trace_function(matrix, np.sqrt, steps=60, samples=64, rng=0)
        assert abs(more.value / exact - 1) < 1e-3

    def test_one_step_tells_nothing_of_its_error(self) -> None:
        matrix = np.diag(np.linspace(1.0, 2.0, 400))
        assert trace_function(matrix, np.exp, steps=1, samples=8, rng=0).stderr == np.inf
        assert trace_function(3 * np.eye(400), np.exp, steps=1, samples=8, rng=0).stderr < 1e-9

    @pytest.mark.parametrize("smallest", [1e-6, 1e-12])
    def test_slow_convergence_is_in_the_error(self, smallest: float) -> None:
        """Eigenvalues over many orders of magnitude: 150 steps do not settle the logarithm, and
        its last changes are much smaller than what is missing."""
        values = np.geomspace(smallest, 1.0, 600)
        found = logdet(np.diag(values), rng=0)
        low, high = found.interval
        assert low <= np.sum(np.log(values)) <= high

    @pytest.mark.parametrize("n", [40, 300])
    def test_refusals(self, n: int) -> None:
        with pytest.raises(WengertTypeError, match="real or imaginary part"):
            trace_function(np.eye(n), lambda t: t + 1j)
        with pytest.raises(WengertValueError, match="not symmetric"):
            trace_function(np.triu(np.ones((n, n))), np.exp)
        with pytest.raises(WengertValueError, match="infinite or NaN at"):
            trace_function(np.eye(n), lambda t: t / 0)
        with pytest.raises(WengertValueError, match="array of that shape"):
            trace_function(np.eye(n), np.sum)
        with pytest.raises(WengertValueError, match="steps"):
            trace_function(np.eye(n), np.exp, steps=0)
        with pytest.raises(WengertTypeError, match="twice"):
            trace_function(np.eye(n) * 1j, np.exp)

    test_refusals = pytest.mark.filterwarnings("ignore::RuntimeWarning")(test_refusals)


class TestDensities:
    @pytest.mark.parametrize("n", [60, 400])
    def test_against_the_eigenvalues(self, n: int) -> None:
        """Within errors that are said: the largest of some 100 independent ones stays below 5."""
        matrix = covariance(n)
        found = spectral_density(matrix, width=0.1, rng=0)
        values = np.linalg.eigvalsh(matrix)
        away = (found.points[:, None] - values) / 0.1
        exact = np.mean(np.exp(-(away**2) / 2), axis=1) / (0.1 * np.sqrt(2 * np.pi))
        assert found.method == ("exact" if n == 60 else "lanczos")
        assert np.all(np.abs(found.density - exact) <= 5 * found.stderr + 1e-4)
        assert np.trapezoid(found.density, found.points) == pytest.approx(1, abs=1e-4)
        if n == 60:
            np.testing.assert_allclose(found.density, exact, atol=1e-12)
        else:
            inside = (found.interval[0] - 1e-4 <= exact) & (exact <= found.interval[1] + 1e-4)
            assert np.mean(inside) > 0.8  # neighbouring points are not independent

    def test_semicircle(self) -> None:
        """Wigner 1958: eigenvalues of a large random symmetric matrix, √(4 − t²)/2π."""
        n = 1000
        a = np.random.default_rng(0).normal(size=(n, n))
        found = spectral_density(
            (a + a.T) / np.sqrt(2 * n), width=0.1, rng=0, points=np.linspace(-1.7, 1.7, 50)
        )
        expected = np.sqrt(4 - found.points**2) / (2 * np.pi)
        np.testing.assert_allclose(found.density, expected, rtol=0.1)

    def test_of_a_hessian(self) -> None:
        """Two clusters: a fifth of the eigenvalues at 12, the others at 2."""
        x = np.ones(200)
        found = spectral_density(lambda x: np.sum(x[:40] ** 4) + np.sum(x[40:] ** 2), x=x, rng=0)
        upper = found.points > 7
        share = np.trapezoid(found.density[upper], found.points[upper])
        assert share == pytest.approx(0.2, abs=1e-6)
        assert found.products <= 16 * 3  # it breaks down after two steps

    def test_refusals(self) -> None:
        calls: list[Callable[[], object]] = [
            lambda: spectral_density(np.eye(3), points=[2.0, 1.0]),
            lambda: spectral_density(np.eye(3), width=-1.0),
            lambda: spectral_density(np.eye(3), samples=0),
        ]
        for call in calls:
            with pytest.raises(WengertValueError):
                call()

    def test_one_eigenvalue(self) -> None:
        found = spectral_density(3 * np.eye(200), rng=0)
        assert found.points[np.argmax(found.density)] == pytest.approx(3, abs=found.width)
        assert "512 points" in repr(found)
