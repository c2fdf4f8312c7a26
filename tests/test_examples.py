"""The programs of examples/ run, and compute what they say."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import wengert as wg

FOLDER = Path(__file__).parents[1] / "examples"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
COMPARING = [name for name in NAMES if "def comparisons(" in (FOLDER / f"{name}.py").read_text()]


@pytest.fixture(autouse=True)
def adoption() -> Iterator[None]:
    """As users have it: on. What the programs adopt is given back."""
    with wg.adoption("on"):
        yield
    wg.unadopt()


@cache
def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"examples.{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_runs_and_prints(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    example(name).main()
    assert capsys.readouterr().out.strip()


def test_the_list_names_all_programs() -> None:
    listed = re.findall(r"^\| \[(\w+)\.py\]", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == NAMES


@pytest.mark.parametrize("name", COMPARING)
def test_agrees_with_the_formulas(name: str) -> None:
    compared = example(name).comparisons()
    assert compared
    for what, (computed, expected) in compared.items():
        # the formulas are sums of a few terms, each rounded a few times
        np.testing.assert_allclose(computed, expected, rtol=1e-12, atol=1e-12, err_msg=what)


def test_the_step_table_agrees_with_the_one_by_hand() -> None:
    program = example("step_table")
    for point in [(2.0, 3.0), (1.1, 0.2), (50.0, 7.0)]:
        computed, expected = program.traced(*point), program.by_hand(*point)
        assert computed.keys() == expected.keys()
        for name in expected:
            np.testing.assert_allclose(computed[name], expected[name], rtol=1e-14, err_msg=name)


class TestCities:
    def test_the_map_is_recovered_up_to_the_curvature_of_the_earth(self) -> None:
        result = example("cities").recover()
        assert result.flat_off < 1e-3  # km: on flat distances nothing but the descent errs
        assert result.off < 5
        assert result.classical_off < 5
        assert result.distances_off < 5

    @pytest.mark.parametrize("seed", range(1, 4))
    def test_other_starts_find_the_same_map(self, seed: int) -> None:
        cities = example("cities")
        assert cities.recover(seed).off == pytest.approx(cities.recover(0).off, abs=0.01)

    def test_distances_between_known_cities(self) -> None:
        cities = example("cities")
        names, angles = cities.load()
        km = 1e3 * cities.great_circles(angles)
        place = {name: k for k, name in enumerate(names)}
        assert km[place["London"], place["Paris"]] == pytest.approx(344, abs=2)
        assert km[place["Lisbon"], place["Moscow"]] == pytest.approx(3906, abs=4)
        assert km[place["Berlin"], place["Rome"]] == pytest.approx(1184, abs=3)

    def test_laying_over_undoes_a_move_a_turn_and_a_mirror(self) -> None:
        cities = example("cities")
        rng = np.random.default_rng(0)
        truth = rng.normal(size=(10, 2))
        turn = np.array([[0.6, -0.8], [0.8, 0.6]]) @ np.diag([1, -1])
        np.testing.assert_allclose(cities.laid_over(truth @ turn + 3, truth), truth, atol=1e-14)
        assert cities.off_by(truth @ turn + 3, truth) < 1e-10

    def test_the_figure_is_a_picture(self, tmp_path: Path) -> None:
        example("cities").main(tmp_path / "new")
        assert (tmp_path / "new" / "cities.png").read_bytes().startswith(b"\x89PNG")


class TestNetwork:
    def test_reads_digits(self) -> None:
        assert example("network").main() >= 0.95

    def test_does_not_read_digits_before_training(self) -> None:
        network = example("network")
        _, images, _, digits = network.load()
        untrained = network.initial(np.random.default_rng(0))
        assert network.accuracy(untrained, images, digits) < 0.3

    def test_its_gradient_is_that_of_backpropagation(self) -> None:
        """For one hidden layer: δ₂ = (p − 1_digit)/n, δ₁ = δ₂ w₂ᵀ ⊙ v(1 − v), w̄ = vᵀ δ, b̄ = Σ δ."""
        network = example("network")
        rng = np.random.default_rng(0)
        x, digits = rng.normal(size=(7, 5)), rng.integers(0, 3, size=7)
        parameters = network.initial(rng, (5, 4, 3))
        gradient = network.wg.grad(network.loss)(parameters, x, digits)

        v = network.sigmoid(x @ parameters[0]["w"] + parameters[0]["b"])
        s = v @ parameters[1]["w"] + parameters[1]["b"]
        p = np.exp(s) / np.sum(np.exp(s), axis=1, keepdims=True)
        delta2 = (p - np.eye(3)[digits]) / 7
        delta1 = delta2 @ parameters[1]["w"].T * v * (1 - v)
        for layer, v_in, delta in zip(gradient, (x, v), (delta1, delta2), strict=True):
            np.testing.assert_allclose(layer["w"], v_in.T @ delta, rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(layer["b"], delta.sum(axis=0), rtol=1e-12, atol=1e-15)


class TestPendulum:
    def test_the_gradients_of_both_solvers_agree(self) -> None:
        pendulum = example("pendulum")
        start = np.array([2.2, 0.5, 2.5])
        by_scan, by_scipy = pendulum.gradients(start, pendulum.observations())
        # the fixed steps err by some 1e-8 (fourth order, h = 0.01 s), SciPy's by 1e-9
        np.testing.assert_allclose(by_scan, by_scipy, rtol=1e-7)

    def test_the_parameters_are_found(self) -> None:
        """Within five standard deviations, σ² (JᵀJ)⁻¹, where the gradient vanishes."""
        pendulum = example("pendulum")
        seen = pendulum.observations()
        found = pendulum.fit(seen, np.array([1.7, 0.1, 1.0]))
        slopes = wg.jacobian(pendulum.angles)(found.parameters)
        deviations = pendulum.NOISE * np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes)))
        assert np.all(deviations < 0.01)
        assert np.all(np.abs(found.parameters - pendulum.TRUTH) < 5 * deviations)
        np.testing.assert_allclose(slopes.T @ found.residuals, 0.0, atol=1e-4)

    def test_without_noise_they_are_exact(self) -> None:
        pendulum = example("pendulum")
        found = pendulum.fit(pendulum.angles(pendulum.TRUTH), np.array([1.7, 0.1, 1.0]))
        np.testing.assert_allclose(found.parameters, pendulum.TRUTH, rtol=1e-10)

    def test_the_adjoint_equation_gives_the_jacobian_of_forward_mode(self) -> None:
        angles = example("pendulum").angles
        parameters = np.array([1.7, 0.1, 1.0])
        forward, reverse = wg.jacfwd(angles)(parameters), wg.jacrev(angles)(parameters)
        np.testing.assert_allclose(forward, reverse, rtol=1e-11, atol=1e-12)


class TestForwardOrReverse:
    def test_all_ways_give_the_matrix(self) -> None:
        program = example("forward_or_reverse")
        rng = np.random.default_rng(0)
        for outputs, cheaper in ((7, "reverse"), (150, "forward")):
            A, x = rng.normal(size=(outputs, program.INPUTS)), rng.normal(size=program.INPUTS)
            chosen, calls = program.ways(A, x)
            assert chosen == cheaper
            assert set(calls) == set(program.LABELS)
            for call in calls.values():
                np.testing.assert_allclose(call(), A, rtol=1e-13)

    def test_forward_mode_grows_slower(self) -> None:
        """From 60 to 400 outputs: a factor of about 7 against one of about 45."""
        program = example("forward_or_reverse")
        with program.one_thread():
            few, many = (program.measured(outputs, 15).seconds for outputs in (60, 400))
        assert many["forward"] / few["forward"] < many["reverse"] / few["reverse"]


class TestMemoryBudget:
    def test_budgets_are_held_and_the_gradient_stays(self) -> None:
        found = example("memory_budget").compare(20, (1.0, 0.5, 0.3), rounds=1)
        assert found[0].overhead == 0
        assert found[1].overhead < found[2].overhead
        for one in found:
            assert max(one.live) == one.peak <= one.budget
            assert one.off < 1e-13  # sums of 64 terms in another order, through twenty layers


class TestCurveFitting:
    def test_the_answers_are_the_certified_ones(self) -> None:
        """To 8 of their 11 digits, as far as a solver gets that stops where steps do not matter."""
        for what, (computed, certified) in example("curve_fitting").answers().items():
            np.testing.assert_allclose(computed, certified, rtol=1e-8, err_msg=what)


class TestHangingChain:
    def test_it_is_at_rest(self) -> None:
        chain = example("hanging_chain")
        found = chain.hang()
        assert found.success
        assert found.x.shape == chain.start().shape
        assert np.max(np.abs(chain.stretched(found.x))) < 1e-10
        growth = np.diff(chain.slopes(found.x))
        np.testing.assert_allclose(growth, np.mean(growth), rtol=1e-5)

    def test_differences_agree_and_need_more(self) -> None:
        chain = example("hanging_chain")
        found, expected = chain.hang(), chain.hang_by_differences()
        np.testing.assert_allclose(found.x.ravel(), expected.x, atol=1e-5)
        assert 5 * (found.nfev + found.njev) < expected.nfev


class TestHutchinson:
    def test_the_errors_are_those_of_the_variance_and_less_with_xtrace(self) -> None:
        """They fall as 1/√V. Of 60 repetitions the root mean square is known to 9 %."""
        program = example("hutchinson")
        found = program.errors([48, 96], repetitions=60)
        ratios = found.measured["hutchinson"] / found.predicted
        assert np.all((ratios > 0.7) & (ratios < 1.3))
        for method in program.METHODS:
            said = found.said[method] / found.measured[method]
            assert np.all((said > 0.6) & (said < 2.2))
        assert 1.5 * found.measured["xtrace"][1] < found.predicted[1]


class TestSpectralDensity:
    @pytest.mark.parametrize("steps", [0, 100])
    def test_the_density_is_right_within_its_error(self, steps: int) -> None:
        found = example("spectral_density").spectrum(steps)
        density = found.estimated
        assert np.all(np.abs(density.density - found.exact) < 6 * density.stderr + 0.02)
        assert np.trapezoid(density.density, density.points) == pytest.approx(1, abs=1e-3)
        # most eigenvalues are small
        assert np.mean(np.abs(found.eigenvalues) < 0.1 * found.eigenvalues[-1]) > 0.7


class TestZeroOrder:
    def test_the_factor_n(self) -> None:
        found = example("zero_order").compare([10, 100], 0.02)
        ratios = [evaluated.steps / (n * exact.steps) for n, (exact, evaluated) in found.items()]
        assert all(0.8 < ratio < 3.5 for ratio in ratios)


class TestDifferences:
    def test_the_error_is_a_v(self) -> None:
        """Slopes on logarithmic axes: h and h² on the right, 1/h on the left."""
        found = example("differences").errors()
        h = np.log(found.steps)
        right, left = (h > np.log(1e-4)) & (h < np.log(1e-2)), h < np.log(1e-10)
        for method, power in (("forward", 1), ("central", 2)):
            error = np.log(found.differences[method])
            assert np.polyfit(h[right], error[right], 1)[0] == pytest.approx(power, abs=0.05)
            assert np.polyfit(h[left], error[left], 1)[0] == pytest.approx(-1, abs=0.2)
        assert np.min(found.differences["forward"]) > 1e-10
        assert np.min(found.differences["central"]) > 1e-13
        assert found.automatic < 1e-15

    def test_reverse_mode_does_not_grow_with_the_dimension(self) -> None:
        found = example("differences").times([10, 300])
        grown = found.differences / found.evaluation
        assert grown[1] > 10 * grown[0]  # as n, thirtyfold
        assert found.automatic[1] < 10 * found.evaluation[1]
        assert np.all(found.apart < 1e-8)
