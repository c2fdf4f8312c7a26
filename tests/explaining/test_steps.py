"""Step tables: names, formulas, values, tangents, adjoints, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import wengert as wg
from wengert.errors import WengertTypeError
from wengert.explaining.notation import barred, number, shown, subscripted
from wengert.explaining.report import explain
from wengert.explaining.steps import Steps
from wengert.explaining.table import forward


def steps(f: Callable[..., Any], *args: Any) -> Steps:
    return explain(f, *args).steps


def course(w1, w2):
    return w2 * np.log(w1) + np.sqrt(w2 * np.log(w1))


def formulas(table: Steps) -> dict[str, str]:
    return {step.name: step.formula for step in table if step.formula}


class TestTheTableOfTheCourse:
    def test_formulas(self) -> None:
        table = steps(course, 2.0, 3.0)
        assert formulas(table) == {
            "v₁": "log w₁",
            "v₂": "w₂ · v₁",
            "v₃": "√v₂",
            "v₄": "v₂ + v₃",
        }
        assert [step.name for step in table][:2] == ["w₁", "w₂"] == list(table.inputs)
        assert table.output == "v₄"
        assert table.function == "course"
        assert len(table) == 6

    def test_numbers(self) -> None:
        table = steps(course, 2.0, 3.0)
        v1 = np.log(2)
        v2, v3 = 3 * v1, np.sqrt(3 * v1)
        slope = 1 + 1 / (2 * v3)
        expected = {
            "w1": (2, 1, 0, slope * 3 / 2),
            "w2": (3, 0, 1, slope * v1),
            "v1": (v1, 1 / 2, 0, slope * 3),
            "v2": (v2, 3 / 2, v1, slope),
            "v3": (v3, 3 / 2 / (2 * v3), v1 / (2 * v3), 1),
            "v4": (v2 + v3, slope * 3 / 2, slope * v1, 1),
        }
        for name, numbers in expected.items():
            step = table[name]
            assert_allclose((step.value, *step.tangents, step.adjoint), numbers, rtol=1e-14)

    def test_the_chain_rule_names_every_user(self) -> None:
        table = steps(course, 2.0, 3.0)
        (third, by_third), (fourth, by_fourth) = table["v2"].terms
        assert (third, fourth) == ("v₃", "v₄")
        assert_allclose([by_third, by_fourth], [1 / (2 * np.sqrt(3 * np.log(2))), 1], rtol=1e-14)
        assert table["v4"].terms == ()


def energy(p, x, n):
    z = np.tanh(x @ p["w"] + p["b"][0])
    return np.sum(z * np.sin(z)) / n + p["w"][0] * p["w"][1]


POINT = ({"w": np.array([0.3, -0.2, 0.5]), "b": [0.1]}, np.arange(6.0).reshape(2, 3) / 7, 4)


class TestLaws:
    def test_adjoints_are_the_sums_of_their_terms(self) -> None:
        for step in steps(energy, *POINT):
            if step.terms:
                assert_allclose(step.adjoint, sum(term for _, term in step.terms), rtol=1e-14)

    def test_adjoints_of_the_inputs_are_the_gradient(self) -> None:
        table = steps(energy, *POINT)
        of_p, of_x, of_n = wg.grad(energy, argnums=(0, 1, 2))(*POINT)
        assert_allclose(table["p['w']"].adjoint, of_p["w"], rtol=1e-14)
        assert_allclose(table["p['b'][0]"].adjoint, of_p["b"][0], rtol=1e-14)
        assert_allclose(table["x"].adjoint, of_x, rtol=1e-14)
        assert_allclose(table["n"].adjoint, of_n, rtol=1e-14)

    def test_both_modes_agree_at_the_output(self) -> None:
        table = steps(energy, *POINT)
        forward = table[table.output].tangents
        reverse = [np.sum(table[name].adjoint) for name in table.inputs]
        assert len(forward) == 4
        assert_allclose(forward, reverse, rtol=1e-13)

    def test_both_modes_agree_through_any_step_that_all_paths_cross(self) -> None:
        def f(x):
            waist = np.exp(x[0] * x[1])
            return np.sin(waist) * waist**3

        table = steps(f, np.array([0.3, 0.7]))
        (waist,) = [step for step in table if step.formula and step.formula.startswith("exp")]
        output = table[table.output]
        assert_allclose(waist.adjoint * waist.tangents[0], output.tangents[0], rtol=1e-14)

    def test_adjoints_of_the_steps_are_gradients_of_what_follows(self) -> None:
        def after(u):
            return np.sum(u**2 * np.cos(u))

        x = np.array([0.2, 1.1])
        table = steps(lambda x: after(np.exp(x)), x)
        assert_allclose(table["u"].adjoint, wg.grad(after)(np.exp(x)), rtol=1e-14)

    def test_a_term_is_the_direct_effect_alone(self) -> None:
        """In x·log x the step uses x, and log x that uses x: the term of x is log x."""
        table = steps(lambda x: x * np.log(x), 3.0)
        assert dict(table["x"].terms) == pytest.approx({"v₁": 1.0, "v₂": np.log(3)})
        assert table["x"].adjoint == pytest.approx(1 + np.log(3))

    def test_a_step_that_uses_a_value_twice_is_one_term(self) -> None:
        table = steps(lambda x: np.exp(x) * np.exp(x), 0.5)
        assert dict(table["v1"].terms) == pytest.approx({"v₂": 2 * np.exp(0.5)})


class TestWhatIsShown:
    def test_constants_stand_in_the_formulas(self) -> None:
        table = steps(lambda x: (x * 2.5 - 3) * -1.5, 1.0)
        assert formulas(table) == {"v₁": "x · 2.5", "v₂": "v₁ − 3", "v₃": "v₂ · (−1.5)"}

    def test_complex_constants_stand_in_brackets(self) -> None:
        table = steps(lambda x: np.abs(x * 2j), -3.0)
        assert "· (0+2j)" in " ".join(formulas(table).values())
        assert_allclose(table["x"].adjoint, -2)

    def test_constants_that_change_from_call_to_call(self) -> None:
        for rate in (0.25, 0.75, 0.125):
            table = steps(lambda x, rate=rate: x * rate, 1.0)
            assert formulas(table) == {"v₁": f"x · {rate}"}

    def test_arrays_from_outside_are_rows_without_adjoints(self) -> None:
        data = np.array([1.0, 2.0])
        table = steps(lambda x: (x * data)[1] + np.sum(x * np.array([3.0, 4.0])), np.ones(2))
        for name, value in (("data", data), ("c1", [3.0, 4.0])):
            assert_allclose(table[name].value, value)
            assert table[name].formula is None
            assert table[name].adjoint is None
            assert table[name].kind == "constant"
            assert any(table[name].name in step.args for step in table)

    def test_operations_without_a_sign_go_by_their_name(self) -> None:
        table = steps(lambda x: np.reshape(x, (3, 2))[0, 0], np.ones((2, 3)))
        assert table["v1"].formula == "reshape(x, 3×2)"

    def test_inputs_that_do_not_matter_have_zeros(self) -> None:
        table = steps(lambda x, y: x * np.floor(x), 1.5, np.ones(2))
        assert_allclose(table["y"].adjoint, np.zeros(2))
        assert table["x"].adjoint == 1
        assert dict(table["x"].terms) == {"v₂": 1}

    def test_integer_arrays_have_no_derivatives(self) -> None:
        table = steps(lambda x, k: x[k[1]], np.array([1.0, 5.0]), np.array([0, 1]))
        assert table.inputs == ("x",)
        assert table["k"].adjoint is None
        assert_allclose(table["x"].adjoint, [0, 1])

    def test_the_output_may_be_an_input(self) -> None:
        table = steps(lambda x: x, 2.0)
        assert table.output == "x"
        assert (table["x"].adjoint, table["x"].tangents) == (1, (1,))

    def test_the_output_may_rest_on_nothing(self) -> None:
        table = steps(lambda x: 3.0, 2.0)
        assert [step.kind for step in table] == ["input", "constant"]
        assert table[table.output].value == 3
        assert table["x"].adjoint == 0
        assert table.reverse == ("x",)

    def test_control_flow_shows_the_branch_taken(self) -> None:
        def f(x):
            return np.sin(x) if x > 0 else np.exp(x)

        assert formulas(steps(f, 1.0)) == {"v₁": "sin x"}
        assert formulas(steps(f, -1.0)) == {"v₁": "exp x"}

    def test_derivatives_inside_are_steps_too(self) -> None:
        table = steps(lambda x: wg.grad(lambda t: t**3)(x) * x, 2.0)
        assert table["x"].adjoint == pytest.approx(9 * 4)

    def test_operations_of_several_results(self) -> None:
        """A function with a rule of its own is one step with a tuple of results."""

        @wg.custom_jvp
        def polar(r, phi):
            return r * np.cos(phi), r * np.sin(phi)

        @polar.defjvp
        def _(primals, tangents):
            (r, phi), (dr, dphi) = primals, tangents
            x, y = polar(r, phi)
            return (x, y), (dr * np.cos(phi) - y * dphi, dr * np.sin(phi) + x * dphi)

        def f(r, phi):
            x, y = polar(r, phi)
            return x * y

        table = steps(f, 2.0, 0.3)
        both = next(step for step in table if isinstance(step.value, tuple))
        assert_allclose(both.value, (2 * np.cos(0.3), 2 * np.sin(0.3)))
        assert_allclose(both.adjoint, (2 * np.sin(0.3), 2 * np.cos(0.3)))
        assert_allclose(both.tangents, [np.divide(both.value, 2), (-both.value[1], both.value[0])])
        assert table["phi"].adjoint == pytest.approx(4 * np.cos(0.6))

    def test_rules_for_reverse_mode_alone_leave_the_tangents_empty(self) -> None:
        @wg.custom_vjp
        def clipped(x):
            return x * 1.0

        clipped.defvjp(lambda x: (x, None), lambda _, ct: (np.minimum(ct, 1.0),))
        table = steps(lambda x, y: 5 * clipped(x) * y, 2.0, 3.0)
        assert table["x"].adjoint == 1
        assert table["y"].adjoint == 10
        assert table["x"].tangents[0] == 1
        assert table[table.output].tangents[0] is None
        assert table[table.output].tangents[1] == 10

    def test_names_of_steps_avoid_those_of_inputs(self) -> None:
        table = steps(lambda v1, c: v1 * c * np.array(2.0), 1.0, 2.0)
        assert [step.name for step in table] == ["v₁", "c", "k₁", "z₁", "z₂"]

    def test_variadic_functions_and_structures(self) -> None:
        @dataclass
        class Line:
            slope: float
            height: float

        def f(line, *points):
            return line.slope * points[0] + line.height * points[1]

        table = steps(f, Line(2.0, 1.0), 3.0, 4.0)
        assert table.inputs == ("line.slope", "line.height", "points[0]", "points[1]")
        assert table["line.height"].adjoint == 4

    def test_functions_that_tell_no_names(self) -> None:
        assert steps(np.hypot, 3.0, 4.0)["v1"].formula in ("hypot(x₁, x₂)", "hypot(x1, x2)")

    def test_the_arguments_are_not_aliased(self) -> None:
        x = np.ones(2)
        table = steps(lambda x: x[0], x)
        x[:] = 7
        assert_allclose(table["x"].value, [1, 1])

    def test_long_programs(self) -> None:
        def f(x):
            for _ in range(3000):
                x = np.sin(x) + 0.5
            return x

        report = explain(f, 0.3)
        assert len(report.steps) == 6001
        assert report.steps["x"].adjoint == pytest.approx(wg.grad(f)(0.3))
        text = str(report)
        assert "6001 steps by line of source" in text
        assert "3000 sin, 3000 add" in text


class TestComplexNumbers:
    def test_adjoints_are_those_of_grad(self) -> None:
        def f(z, x):
            w = np.exp(z * x) / (z + 2)
            return np.sum(np.abs(w) ** 2 + np.real(w * np.conj(z)) - np.imag(w))

        z, x = np.array([0.3 + 0.7j, -1.1 + 0.2j]), np.array([0.4, 1.5])
        report = explain(f, z, x)
        by_z, by_x = wg.grad(f, argnums=(0, 1))(z, x)
        assert_allclose(report.steps["z"].adjoint, by_z, rtol=1e-12)
        assert_allclose(report.steps["x"].adjoint, by_x, rtol=1e-12)
        assert "∂/∂x − i ∂/∂y" in " ".join(report.steps.notes)

    def test_tangents_are_by_the_real_part(self) -> None:
        table = steps(lambda z: np.abs(z) ** 2, 3 + 4j)
        assert_allclose(table[table.output].tangents, [6])
        assert_allclose(table["z"].adjoint, 6 - 8j)

    def test_local_derivatives_by_complex_values_are_maps(self) -> None:
        """That of the conjugate is no factor."""
        table = steps(lambda z: np.real(np.conj(z) * z), 1 + 2j)
        parts = [part for step in table for part in step.partials]
        assert all("↦" in part.formula and part.value is None for part in parts)
        for step in table:
            if step.terms:
                assert_allclose(sum(term for _, term in step.terms), step.adjoint)


class TestErrors:
    def test_the_output_must_be_real_and_floating(self) -> None:
        with pytest.raises(WengertTypeError, match="explain needs real results"):
            steps(lambda x: x * 1j, np.ones(3))
        with pytest.raises(WengertTypeError, match="derivative is zero everywhere"):
            steps(np.argmax, np.ones(3))
        with pytest.raises(WengertTypeError, match="it returned none"):
            steps(lambda x: None, np.ones(3))

    def test_arguments_must_be_numbers(self) -> None:
        with pytest.raises(WengertTypeError, match="argument mode of explain"):
            steps(lambda mode: mode, "fast")

    def test_unknown_steps_are_named(self) -> None:
        with pytest.raises(KeyError, match="v9"):
            steps(course, 2.0, 3.0)["v9"]


class TestPrinting:
    def test_the_report_prints_both_sweeps(self) -> None:
        report = explain(course, 2.0, 3.0)
        assert str(report) == repr(report)
        lines = [" ".join(line.split()) for line in str(report).splitlines()]
        there = lines.index("reverse mode: adjoints")
        assert lines.index("v₁ log w₁ 0.693147 v̇₁ = ∂v₁/∂w₁·ẇ₁ = ẇ₁/w₁ 0.5 0") < there
        first = lines.index("v₄ v̄₄ = 1 1")
        assert first > there
        assert lines[first + 2 : first + 5] == [
            "v₂ v̄₂ = v̄₃·∂v₃/∂v₂ + v̄₄·∂v₄/∂v₂ 0.346734 + 1 1.34673",
            "= v̄₃/(2v₃) + v̄₄",
            "v₁ v̄₁ = v̄₂·∂v₂/∂v₁ = w₂·v̄₂ 4.0402",
        ]

    def test_lines_fit_the_terminal(self) -> None:
        assert max(map(len, str(explain(course, 2.0, 3.0)).splitlines())) <= 100

    def test_wide_programs_show_four_directions(self) -> None:
        report = explain(lambda *x: sum(x), *np.arange(6.0))
        assert "2 more inputs" in str(report)
        assert len(forward(report.steps).columns) == 4 + 4

    def test_arrays_say_in_which_direction(self) -> None:
        assert "∂/∂x·1" in str(explain(lambda x: x[0], np.ones(3)))

    @pytest.mark.parametrize(
        ("name", "expected"),
        [("w1", "w₁"), ("w_12", "w₁₂"), ("x", "x"), ("layer2b", "layer2b"), ("p['w1']", "p['w1']")],
    )
    def test_subscripts(self, name: str, expected: str) -> None:
        assert subscripted(name) == expected

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("w₁", "w\u0304₁"),
            ("ab", "a\u0305b\u0305"),
            ("p['w']", "p\u0304['w']"),
            ("_", "adjoint of _"),
        ],
    )
    def test_bars(self, name: str, expected: str) -> None:
        assert barred(name) == expected

    def test_values(self) -> None:
        assert shown(np.float64(-0.5)) == "−0.5"
        assert shown(None) == "—"
        assert shown(np.zeros((2, 3))) == "2×3 [0, 0, 0, …] ‖·‖ 0"
        assert shown(np.array([1.0, np.pi])) == "2 [1, 3.142]"
        assert shown((1.0, np.ones(1))) == "(1, 1 [1])"
        assert number(True) == "True"
        assert number(2**0.5 * 1j) == "0+1.41421j"


def test_formulas_of_operations_that_read_factors() -> None:
    """The label names the matrix; the factors that serve the computation are not a part of it."""
    table = steps(lambda a: np.sum(np.linalg.solve(a, np.ones((2, 1)))), np.eye(2))
    assert formulas(table)["v₂"] == "a⁻¹ c₁"


LOOPS: list[Callable[..., Any]] = [
    lambda x: np.sum(np.sort(x) * x[::-1]),
    lambda x: np.linalg.det(np.outer(x, x) + np.eye(3)),
    lambda x: np.sum(np.linalg.inv(np.outer(x, x) + np.eye(3))),
    lambda x: np.linalg.slogdet(np.outer(x, x) + np.eye(3))[1],
    lambda x: np.sum(wg.numpy.take(x, (x > 1).astype(int))),
    lambda x: sum(map(np.sum, wg.scan(lambda c, r: (c * r, np.sin(c) * np.ones(2)), x[0], x))),
    lambda x: np.sum(
        sum(wg.while_loop(lambda s: s[1][0] < 3, lambda s: (s[1] * 2, s[0] + 1), (x, x)))
    ),
]


@pytest.mark.parametrize("f", LOOPS)
def test_steps_of_several_results_and_of_integers(f: Callable[..., Any]) -> None:
    """The table is written, and its adjoint is the gradient."""
    x = np.array([0.5, 2.0, 1.0])
    report = wg.explain(f, x)
    assert "by the chain rule" in str(report)
    assert_allclose(steps(f, x)["x"].adjoint, wg.grad(f)(x), rtol=1e-12)
