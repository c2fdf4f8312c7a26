"""`trace` and `diagonal`: exact cases, variances, standard errors, intervals, stopping."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import aslinearoperator

import wengert as wg
from wengert.errors import WengertTypeError, WengertValueError
from wengert.estimate import diagonal, trace

Array = NDArray[np.float64]
METHODS = ("hutchinson", "hutch++", "xtrace", "auto")
SKETCHING = ("hutch++", "xtrace")


def with_spectrum(values: Array, seed: int = 0) -> Array:
    """A symmetric matrix with random eigenvectors."""
    q = orthogonal(len(values), seed)
    return np.asarray((q * values) @ q.T)


@cache
def orthogonal(n: int, seed: int) -> Array:
    return np.asarray(np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0])


def of_rank(n: int, r: int, symmetric: bool = True, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    u = rng.normal(size=(n, r))
    return np.asarray(u @ (u if symmetric else rng.normal(size=(n, r))).T)


class TestExactCases:
    def test_a_diagonal_matrix_takes_one_product(self) -> None:
        entries = np.random.default_rng(0).normal(size=300)
        found = trace(np.diag(entries), method="hutchinson", samples=1, rng=0)
        assert found.value == pytest.approx(np.sum(entries), abs=1e-12)
        assert found.products == 1
        assert found.stderr == np.inf  # one sample says nothing about its error
        np.testing.assert_allclose(
            diagonal(np.diag(entries), method="hutchinson", samples=1, rng=0).value, entries
        )

    def test_auto_sees_that_a_diagonal_matrix_is_done(self) -> None:
        found = trace(np.diag(np.arange(300.0)), rng=0)
        assert found.value == pytest.approx(299 * 150)
        assert found.products <= 16

    @pytest.mark.parametrize("method", SKETCHING)
    @pytest.mark.parametrize("symmetric", [True, False])
    @pytest.mark.parametrize("rank", [1, 3, 10, 19])
    def test_low_rank(self, method: str, symmetric: bool, rank: int) -> None:
        matrix = of_rank(200, rank, symmetric)
        found = trace(matrix, method=method, samples=60, rng=1)
        assert found.value == pytest.approx(np.trace(matrix), rel=1e-10, abs=1e-10)
        # the error is rounding, and so is what is said of it
        assert found.stderr < 1e-10 * np.linalg.norm(matrix)

    @pytest.mark.parametrize("method", SKETCHING)
    @pytest.mark.parametrize("rank", [1, 10, 19])
    def test_diagonal_of_low_rank(self, method: str, rank: int) -> None:
        matrix = of_rank(200, rank)
        found = diagonal(matrix, method=method, samples=60, rng=1)
        np.testing.assert_allclose(found.value, np.diag(matrix), rtol=1e-10, atol=1e-10)

    def test_the_smallest_numbers_of_products(self) -> None:
        """2(r + 1) for XTrace, 3r for Hutch++; with fewer the error is not rounding."""
        matrix = of_rank(100, 8)
        exact = np.trace(matrix)
        for method, enough in (("xtrace", 18), ("hutch++", 24)):
            errors = [
                abs(trace(matrix, method=method, samples=m, rng=0).value - exact)
                for m in (enough, enough - 3)
            ]
            assert errors[0] < 1e-10 * exact
            assert errors[1] > 1e-4 * exact

    @pytest.mark.parametrize("method", METHODS)
    def test_zero(self, method: str) -> None:
        for found in (
            trace(np.zeros((200, 200)), method=method, samples=40, rng=0),
            trace(np.zeros((200, 200)), method=method, rtol=1e-3, rng=0),
        ):
            assert (found.value, found.stderr, found.interval) == (0.0, 0.0, (0.0, 0.0))
            assert found.converged
        assert np.all(diagonal(np.zeros((200, 200)), method=method, samples=40).value == 0)

    @pytest.mark.parametrize("method", SKETCHING)
    def test_spectra_that_fall_below_rounding(self, method: str) -> None:
        """R of XTrace is then numerically singular, though not exactly."""
        values = 0.3 ** np.arange(300)
        matrix = with_spectrum(values)
        for samples in (40, 80, 200):
            found = trace(matrix, method=method, samples=samples, rng=samples)
            assert found.value == pytest.approx(
                np.sum(values), abs=1e-6 if samples == 40 else 1e-13
            )

    @pytest.mark.parametrize("method", SKETCHING)
    def test_probes_that_come_twice(self, method: str) -> None:
        """With two signs for few elements equal probes are certain; the images depend on each
        other, some columns alone, some not."""
        matrix = np.zeros((60, 60))
        matrix[:3, :3] = of_rank(3, 3)
        found = trace(matrix, method=method, samples=24, rng=0)
        assert found.value == pytest.approx(np.trace(matrix), rel=1e-12)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("n", [1, 2, 7, 33])
    def test_as_many_samples_as_elements(self, method: str, n: int) -> None:
        matrix = np.random.default_rng(n).normal(size=(n, n))
        found = trace(matrix, method=method, samples=n)
        assert found.value == pytest.approx(np.trace(matrix), rel=1e-14, abs=1e-14)
        assert (found.method, found.products, found.stderr) == ("exact", n, 0.0)
        np.testing.assert_array_equal(diagonal(matrix, samples=n).value, np.diag(matrix))


class TestVariances:
    """The variance of one sample, from 1999: its own relative standard error is √(2/1999) = 3 %,
    as the values, sums over 50 equal blocks, are nearly normal."""

    matrix = of_rank(40, 40, seed=3) / 40
    frobenius = float(np.sum(matrix**2))

    def spread(self, probes: str) -> float:
        found = trace(
            scipy.sparse.kron(scipy.sparse.eye_array(50), self.matrix, format="csr"),
            method="hutchinson",
            samples=1999,
            probes=probes,
            rng=0,
        )
        assert abs(found.value - 50 * np.trace(self.matrix)) < 4 * found.stderr
        return found.stderr**2 * found.products / 50

    def test_of_signs(self) -> None:
        expected = 2 * (self.frobenius - np.sum(np.diag(self.matrix) ** 2))
        assert self.spread("rademacher") == pytest.approx(expected, rel=0.1)

    def test_of_gaussian_vectors(self) -> None:
        assert self.spread("gaussian") == pytest.approx(2 * self.frobenius, rel=0.1)

    def test_of_the_sphere(self) -> None:
        """2n/(n + 2) (‖A‖_F² − (tr A)²/n), here for 50 equal blocks."""
        n = 50 * 40
        whole = 50 * self.frobenius - (50 * np.trace(self.matrix)) ** 2 / n
        assert self.spread("sphere") == pytest.approx(2 * n / (n + 2) * whole / 50, rel=0.1)

    def test_a_multiple_of_the_identity_is_exact_on_the_sphere(self) -> None:
        found = trace(np.eye(300) * 2.5, method="hutchinson", probes="sphere", samples=5, rng=0)
        assert found.value == pytest.approx(750.0, rel=1e-14)


SPECTRA: dict[str, Callable[[int], Array]] = {
    "flat": lambda n: 1 + 2 * np.arange(n) / (n - 1),
    "falling": lambda n: np.arange(1, n + 1) ** -2.0,
    "geometric": lambda n: 0.7 ** np.arange(n),
    "indefinite": lambda n: np.linspace(-1.0, 2.0, n),
}


def repeated(
    run: Callable[[np.random.Generator], wg.estimate.Estimate], exact: float, times: int
) -> tuple[float, float, float]:
    """(root mean square error, root mean square standard error, coverage)."""
    rng = np.random.default_rng(11)
    found = [run(rng) for _ in range(times)]
    errors = np.array([f.value for f in found]) - exact
    covered = [f.interval[0] <= exact <= f.interval[1] for f in found]
    return (
        float(np.sqrt(np.mean(errors**2))),
        float(np.sqrt(np.mean([f.stderr**2 for f in found]))),
        float(np.mean(covered)),
    )


class TestErrors:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("spectrum", SPECTRA)
    def test_intervals_cover(self, method: str, spectrum: str) -> None:
        """95 % is aimed at. 100 repetitions: 87 is 3.7 standard deviations below."""
        matrix = with_spectrum(SPECTRA[spectrum](120))
        error, said, covered = repeated(
            lambda rng: trace(matrix, method=method, samples=48, rng=rng), np.trace(matrix), 100
        )
        assert covered >= 0.87
        assert 0.6 < said / error < 2.2

    @pytest.mark.parametrize("method", METHODS)
    def test_unbiased(self, method: str) -> None:
        matrix = with_spectrum(SPECTRA["falling"](60)) + of_rank(60, 2, False, 5) / 60
        rng = np.random.default_rng(4)
        values = np.array(
            [trace(matrix, method=method, samples=24, rng=rng).value for _ in range(300)]
        )
        away = np.mean(values) - np.trace(matrix)
        assert abs(away) < 4 * np.std(values) / np.sqrt(len(values))
        diagonals = np.array(
            [diagonal(matrix, method=method, samples=24, rng=rng).value for _ in range(300)]
        )
        away = np.mean(diagonals, axis=0) - np.diag(matrix)
        # 60 elements: the largest of 60 normal numbers stays below 4.5
        assert np.all(np.abs(away) < 4.5 * np.std(diagonals, axis=0) / np.sqrt(len(diagonals)))

    def test_intervals_of_diagonals_cover(self) -> None:
        for spectrum in ("flat", "falling"):
            matrix = with_spectrum(SPECTRA[spectrum](120))
            for method in METHODS:
                rng = np.random.default_rng(1)
                found = [diagonal(matrix, method=method, samples=48, rng=rng) for _ in range(20)]
                inside = [
                    (f.interval[0] <= np.diag(matrix)) & (np.diag(matrix) <= f.interval[1])
                    for f in found
                ]
                assert np.mean(inside) > 0.9

    def test_auto_takes_the_better_one(self) -> None:
        flat = trace(with_spectrum(SPECTRA["flat"](200)), samples=60, rng=0)
        falling = trace(with_spectrum(SPECTRA["geometric"](200)), samples=60, rng=0)
        assert (flat.method, falling.method) == ("hutchinson", "xtrace")
        assert flat.products == falling.products == 60

    @pytest.mark.long
    @pytest.mark.parametrize(
        "spectrum, expected",
        [
            ("flat", (1.4e-3, 2.8e-3, 2.1e-3)),
            ("falling", (1.0e-1, 1.9e-3, 1.0e-3)),
            ("geometric", (5.2e-2, 2.1e-4, 8.3e-6)),
        ],
    )
    def test_relative_errors_of_sixty_products(
        self, spectrum: str, expected: tuple[float, float, float]
    ) -> None:
        """N = 1000, measured with other programs and 30 repetitions: the relative error of such a
        root mean square is 13 %, of 60 repetitions 9 %, so that 1.6 is three standard deviations;
        errors of falling spectra have longer tails."""
        matrix = with_spectrum(SPECTRA[spectrum](1000))
        exact = np.trace(matrix)
        for method, value in zip(METHODS, expected, strict=False):
            error, _, covered = repeated(
                lambda rng, m=method: trace(matrix, method=m, samples=60, rng=rng), exact, 60
            )
            assert value / 1.8 < error / exact < 1.8 * value
            assert covered >= 0.85


class TestStopping:
    @pytest.mark.parametrize("method", METHODS)
    def test_at_the_tolerance(self, method: str) -> None:
        matrix = with_spectrum(SPECTRA["flat"](600))
        found = trace(matrix, method=method, rtol=0.01, rng=0)
        assert found.converged
        assert found.method != "exact"
        half = (found.interval[1] - found.interval[0]) / 2
        assert half <= 0.01 * found.value
        assert abs(found.value / np.trace(matrix) - 1) < 0.02

    def test_a_smaller_tolerance_takes_more(self) -> None:
        matrix = with_spectrum(SPECTRA["flat"](600))
        products = [trace(matrix, rtol=r, rng=0).products for r in (0.01, 0.003, 0.0015)]
        assert products[0] < products[1] < products[2]

    @pytest.mark.parametrize("method", METHODS)
    def test_what_cannot_be_reached_otherwise_is_exact(self, method: str) -> None:
        matrix = with_spectrum(np.linspace(-1.0, 1.0, 150))
        found = trace(matrix, method=method, rtol=1e-9, rng=0)
        assert found.method == "exact"
        assert found.converged
        assert found.value == pytest.approx(np.trace(matrix), abs=1e-12)
        assert found.products <= 3 * 150

    def test_the_largest_number_is_kept(self) -> None:
        matrix = with_spectrum(np.linspace(-1.0, 2.0, 500))
        for method in METHODS:
            found = trace(matrix, method=method, samples=90, rtol=1e-6, rng=0)
            assert not found.converged
            assert 80 <= found.products <= 90


class TestForms:
    def test_of_the_matrix(self) -> None:
        """The same numbers from all forms."""
        dense = with_spectrum(SPECTRA["falling"](130))
        forms = [
            trace(dense, rng=3),
            trace(scipy.sparse.csr_array(dense), rng=3),
            trace(scipy.sparse.csr_matrix(dense), rng=3),
            trace(aslinearoperator(dense), rng=3),
            trace(lambda v: dense @ v, 130, rng=3),
            trace(dense.tolist(), rng=np.random.default_rng(3)),
        ]
        for found in forms:
            assert found.value == pytest.approx(forms[0].value, rel=1e-12)
            assert found.products == 100

    @pytest.mark.parametrize("method", METHODS)
    def test_of_a_hessian(self, method: str) -> None:
        def f(x: Array, scale: float) -> float:
            return np.sum(np.cos(scale * np.outer(x, x))) / 10 + np.sum(x**4)

        x = np.random.default_rng(0).normal(size=150)
        hessian = wg.hessian(f)(x, 0.7)
        found = trace(f, x=x, args=(0.7,), method=method, samples=60, rng=5)
        same = trace(hessian, method=method, samples=60, rng=5)
        assert found.value == pytest.approx(same.value, rel=1e-10)
        assert found.stderr == pytest.approx(same.stderr, rel=1e-8)
        exact = diagonal(f, x=x, args=(0.7,), samples=150)
        np.testing.assert_allclose(exact.value, np.diag(hessian), rtol=1e-12, atol=1e-12)

    def test_a_sparse_hessian_is_exact_by_its_colours(self) -> None:
        def f(x: Array) -> float:
            return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

        x = np.random.default_rng(0).normal(size=5_000)
        exact = 200.0 * np.append(0, np.ones(4_999))
        exact[:-1] += 2 + 1200 * x[:-1] ** 2 - 400 * x[1:]
        found = trace(f, x=x, samples=20)
        assert (found.method, found.products) == ("exact", 3)
        assert found.value == pytest.approx(exact.sum(), rel=1e-12)
        np.testing.assert_allclose(diagonal(f, x=x).value, exact, rtol=1e-10)
        assert trace(f, x=x, samples=2, rng=0).method != "exact"

    def test_of_structures(self) -> None:
        def f(p: dict[str, Array]) -> float:
            return np.sum(np.tanh(p["w"] @ p["w"].T)) + p["b"] ** 3

        p = {"b": 2.0, "w": np.random.default_rng(0).normal(size=(4, 3))}
        found = diagonal(f, x=p)
        assert found.value["b"] == pytest.approx(12.0)
        assert found.value["w"].shape == (4, 3)
        assert found.interval[0]["w"].shape == (4, 3)
        block = wg.hessian(f)(p)["w"]["w"].reshape(12, 12)
        np.testing.assert_allclose(found.value["w"].ravel(), np.diag(block), rtol=1e-12, atol=1e-13)
        assert trace(f, x=p).value == pytest.approx(12.0 + np.trace(block))

    def test_products_without_a_dtype(self) -> None:
        class Doubling:
            shape = (3, 3)

            def matmat(self, vectors: Array) -> Array:
                return 2 * vectors

        assert trace(Doubling()).value == 6.0

    def test_single_precision(self) -> None:
        x = np.random.default_rng(0).normal(size=150).astype(np.float32)
        found = trace(lambda x: np.sum(np.outer(x, x) ** 2), x=x, samples=20, rng=0)
        size = float(np.sum(x.astype(float) ** 2))
        assert isinstance(found.value, float)
        # 4‖x‖² I + 8 x xᵀ
        assert abs(found.value - (4 * 150 + 8) * size) < 4 * found.stderr
        low = of_rank(150, 5).astype(np.float32)
        assert trace(low, method="xtrace", samples=40, rng=0).value == pytest.approx(
            np.trace(low), rel=1e-5
        )

    def test_randomness(self) -> None:
        matrix = of_rank(150, 150)
        assert trace(matrix, rng=1).value == trace(matrix, rng=1).value
        assert trace(matrix, rng=1).value != trace(matrix, rng=2).value
        assert trace(matrix).value != trace(matrix).value

    def test_reads_well(self) -> None:
        assert repr(trace(np.eye(3))) == (
            "Estimate(value=3, stderr=0, interval=(3, 3), products=3, method='exact', "
            "converged=True)"
        )
        assert "products=2" in repr(diagonal(np.eye(2)))


class TestRefusals:
    @pytest.mark.parametrize(
        "call, kind, words",
        [
            (lambda: trace(np.ones((2, 3))), WengertValueError, "square"),
            (lambda: trace(np.ones(3)), WengertValueError, "square"),
            (lambda: trace(np.eye(3), 4), WengertValueError, "n = 4"),
            (lambda: trace(np.eye(3) * 1j), WengertTypeError, "A.real and A.imag"),
            (lambda: trace(lambda v: 1j * v, 200), WengertTypeError, "A.real and A.imag"),
            (lambda: trace(lambda v: v), WengertTypeError, "trace\\(f, x=x\\)"),
            (lambda: trace(lambda v: v, 0), WengertValueError, "n must be"),
            (lambda: trace(lambda v: v[:2], 200), WengertValueError, "shape \\(200,\\)"),
            (lambda: trace(lambda v: v / 0.0, 200), WengertValueError, "infinite or NaN"),
            (lambda: trace(np.sum, 3, x=np.ones(3)), WengertTypeError, "not both"),
            (lambda: trace(np.eye(3), args=(1,)), WengertTypeError, "args with x"),
            (lambda: trace(np.eye(3), x=np.ones(3)), WengertTypeError, "function"),
            (lambda: trace(np.sum, x=np.ones(0)), WengertValueError, "without elements"),
            (lambda: trace(np.sum, x=np.ones(2) * 1j), WengertTypeError, "complex"),
            (lambda: trace(np.eye(3), method="exact"), WengertValueError, "auto, hutchinson"),
            (lambda: trace(np.eye(3), probes="cube"), WengertValueError, "rademacher"),
            (lambda: trace(np.eye(3), samples=0), WengertValueError, "samples"),
            (lambda: trace(np.eye(3), samples=2.0), WengertValueError, "samples"),
            (lambda: trace(np.eye(3), rtol=0.0), WengertValueError, "rtol"),
            (lambda: trace(np.eye(3), samples=2, rtol=-1.0), WengertValueError, "rtol"),
            (lambda: trace(np.eye(9), samples=3, method="xtrace"), WengertValueError, "at least 4"),
            (lambda: trace(np.eye(9), samples=5, method="hutch++"), WengertValueError, "least 6"),
            (lambda: trace(np.eye(3), rng="seed"), WengertTypeError, "Generator"),
            (lambda: trace(np.eye(3), rng=-1), WengertValueError, "negative"),
        ],
    )
    @pytest.mark.filterwarnings("ignore::RuntimeWarning")
    def test_say_what_to_do(self, call: Callable[[], object], kind: type, words: str) -> None:
        with pytest.raises(kind, match=words):
            call()

    def test_inside_a_trace(self) -> None:
        with pytest.raises(WengertTypeError, match="outside of grad"):
            wg.grad(lambda x: trace(np.outer(x, x)).value)(np.ones(3))


class TestProgress:
    def test_is_shown_where_asked_for(self, capsys: pytest.CaptureFixture[str]) -> None:
        trace(np.ones((120, 120)), progress=True, rng=0)
        assert "17 products" in capsys.readouterr().err

    def test_is_quiet_otherwise(self, capsys: pytest.CaptureFixture[str]) -> None:
        trace(np.ones((120, 120)))
        trace(np.ones((120, 120)), progress=False)
        assert not capsys.readouterr().err

    def test_appears_in_a_terminal_when_it_takes_long(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from wengert.estimate import progress

        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        trace(np.ones((120, 120)))
        assert not capsys.readouterr().err
        monkeypatch.setattr(progress, "PATIENCE", 0.0)
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        trace(np.ones((120, 120)))
        assert "products" in capsys.readouterr().err
