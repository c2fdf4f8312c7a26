"""The names of steps, from the user's variables, and the lines of source that made them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import wengert as wg
from wengert.explaining.notation import name_in_latex, numbered, plain
from wengert.explaining.report import explain

MATRIX = np.arange(6.0).reshape(2, 3) / 7


def operations(f: Callable[..., Any], *args: Any) -> list[tuple[str, str | None]]:
    """(name, formula) of what is no input."""
    steps = explain(f, *args).steps
    return [(step.name, step.formula) for step in steps if step.kind != "input"]


def test_assignments() -> None:
    def f(x, w1):
        a = np.sin(x)
        b_2 = a * w1
        rate = b_2 + a
        return rate * 2

    assert operations(f, 1.0, 2.0) == [
        ("a", "sin x"),
        ("b₂", "a · w₁"),
        ("rate", "b₂ + a"),
        ("v₁", "rate · 2"),
    ]


def test_the_first_of_several_names_stays() -> None:
    def f(x):
        a = np.sin(x)
        b = a
        return b * a

    assert operations(f, 1.0) == [("a", "sin x"), ("v₁", "a · a")]


def test_a_variable_that_is_bound_again_counts() -> None:
    def f(x):
        y = np.sin(x)
        y = y * x
        y = np.exp(y)
        return y

    assert operations(f, 1.0) == [
        ("y⁽¹⁾", "sin x"),
        ("y⁽²⁾", "y⁽¹⁾ · x"),
        ("y⁽³⁾", "exp y⁽²⁾"),
    ]


def test_a_parameter_that_is_bound_again_keeps_its_name() -> None:
    def newton(x):
        for _ in range(2):
            x = x - (x * x - 2) / (2 * x)
        return x

    steps = explain(newton, 1.5).steps
    assert [step.name for step in steps if step.name.startswith("x")] == ["x", "x⁽¹⁾", "x⁽²⁾"]
    assert steps.output == "x⁽²⁾"
    assert steps["x(2)"] is steps["x⁽²⁾"]
    assert steps["x(2)"].latex == "x^{(2)}"


def test_augmented_assignments() -> None:
    def f(x):
        total = 0.0
        for k in range(1, 4):
            total += x**k
        return total

    names = [name for name, _ in operations(f, 2.0)]
    assert names[-1] == "total⁽³⁾"


def test_tuples_and_walrus() -> None:
    def f(x):
        (a, b), c = (np.sin(x), np.cos(x)), np.tan(x)
        if (d := a * b) is not None:
            return d + c
        return d

    assert operations(f, 1.0) == [
        ("a", "sin x"),
        ("b", "cos x"),
        ("c", "tan x"),
        ("d", "a · b"),
        ("v₁", "d + c"),
    ]


def test_comprehensions() -> None:
    def f(x):
        powers = [np.sin(x * k) for k in range(1, 4)]
        return sum(term for term in powers)

    names = [name for name, _ in operations(f, 1.0)]
    assert names == ["term⁽¹⁾", "v₁", "term⁽²⁾", "v₂", "term⁽³⁾", "v₃", "v₄", "v₅"]


def helper(q, scale):
    r = q * scale
    return np.exp(r)


def test_functions_that_are_called() -> None:
    def f(x):
        a = helper(x, 2.0)
        b = helper(a, 3.0)
        return a + b

    assert operations(f, 0.1) == [
        ("r⁽¹⁾", "x · 2"),
        ("a", "exp r⁽¹⁾"),
        ("r⁽²⁾", "a · 3"),
        ("b", "exp r⁽²⁾"),
        ("v₁", "a + b"),
    ]
    steps = explain(f, 0.1).steps
    assert steps["r(1)"].place.function == "helper"
    assert steps["r(1)"].place.text == "r = q * scale"
    assert steps["a"].place.text == "return np.exp(r)"
    assert steps["v1"].place.text == "return a + b"


def test_nested_functions_and_closures() -> None:
    def f(x):
        outer = np.sin(x)

        def inner(t):
            middle = t * outer
            return middle + 1

        return inner(outer)

    assert operations(f, 1.0) == [
        ("outer", "sin x"),
        ("middle", "outer · outer"),
        ("v₁", "middle + 1"),
    ]


def test_lambdas_have_no_variables_but_their_parameters() -> None:
    assert operations(lambda x: np.sin(x) * x, 1.0) == [("v₁", "sin x"), ("v₂", "v₁ · x")]
    assert operations(lambda x: (lambda t: t * t)(np.sin(x)), 1.0) == [
        ("t", "sin x"),
        ("v₁", "t · t"),
    ]


def test_bookkeeping_is_no_step() -> None:
    """Names that `grad` gives its arguments, and numbers that become arrays."""

    def f(x):
        return np.exp(wg.numpy.asarray(x * 2.0)) * wg.grad(lambda t: t * np.sin(x))(x)

    assert [formula for _, formula in operations(f, 1.0)] == [
        "x · 2",
        "exp v₁",
        "sin x",
        "v₂ · v₃",
    ]
    steps = explain(f, 1.0).steps
    assert steps["x"].adjoint == pytest.approx(wg.grad(f)(1.0))


def test_conversions_that_matter_are_steps() -> None:
    def f(x):
        single = wg.numpy.asarray(x, np.float32)
        return single * 2.0 + np.float32(1) * (x * 3.0)

    steps = explain(f, 1.0).steps
    assert steps["single"].formula == "convert(x)"
    assert steps[steps.output].dtype == np.asarray(f(1.0)).dtype == np.float32


def test_methods_and_callables() -> None:
    @dataclass
    class Model:
        slope: float

        def __call__(self, x):
            height = self.slope * x
            return np.tanh(height)

        def loss(self, x):
            error = self(x) - 1
            return error**2

    model = Model(2.0)
    assert operations(model, 1.0)[0] == ("height", "2 · x")
    assert [name for name, _ in operations(model.loss, 1.0)] == ["height", "v₁", "error", "v₂"]


def test_parameters_that_are_written_alike_are_told_apart() -> None:
    def f(x1, x_1, x__1, _, __):
        x1 = x1 * x_1 * x__1
        return x1 * _ + __

    steps = wg.explain(f, 2.0, 3.0, 4.0, 5.0, 6.0).steps
    assert steps.inputs == ("x₁", "x₁⁽²⁾", "x_₁⁽³⁾", "_", "_⁽²⁾")
    assert len({step.latex for step in steps}) == len({step.name for step in steps}) == len(steps)
    for step in steps:
        assert steps[step.name] is step
    assert [steps[name].adjoint for name in steps.inputs] == [60.0, 40.0, 30.0, 24.0, 1.0]
    assert "x₁⁽⁴⁾" in repr(wg.explain(f, 2.0, 3.0, 4.0, 5.0, 6.0))


class Pair(NamedTuple):
    first: Any
    second: Any


@dataclass
class Record:
    first: Any
    second: Any


@pytest.mark.parametrize("kind", [Pair, Record])
def test_fields_are_no_variables(kind: Any) -> None:
    def f(x):
        pair = kind(2 * x, 3 * x)
        a = pair.first
        return a * pair.second

    assert [name for name, _ in operations(f, 2.0)] == ["a", "v₁", "v₂"]


def test_results_of_numpy_have_the_names_that_the_user_gives() -> None:
    def f(a):
        w, _v = np.linalg.eigh(a + a.T)
        return np.sum(w)

    names = [name for name, _ in operations(f, np.eye(2))]
    assert "w" in names
    assert "eigenvalues" not in names


def test_arrays_from_outside_have_their_names() -> None:
    offset = np.ones(2)

    def f(x):
        return MATRIX @ x - offset

    assert operations(f, np.ones(3)) == [
        ("MATRIX", None),
        ("offset", None),
        ("v₁", "MATRIX x"),
        ("v₂", "v₁ − offset"),
    ]


def test_numbers_of_steps_avoid_variables() -> None:
    def f(x):
        v1 = np.sin(x)
        return np.exp(v1) * x

    assert [name for name, _ in operations(f, 1.0)] == ["v₁", "z₁", "z₂"]


def test_every_name_is_there_once() -> None:
    def f(x, x_1):
        x1 = np.sin(x)
        x = x1 * x_1
        x1 = x + x1
        return np.exp(x1) * x

    names = [step.name for step in explain(f, 1.0, 2.0).steps]
    assert len(set(map(plain, names))) == len(names) == 7


def test_variables_inside_of_derivatives() -> None:
    def f(x):
        square = x * x
        return np.sin(square)

    found = operations(wg.grad(f), 1.5)
    assert found[0] == ("square", "x · x")
    assert ("v₁", "cos square") in found
    steps = explain(wg.grad(f), 1.5).steps
    assert steps["x"].adjoint == pytest.approx(wg.grad(wg.grad(f))(1.5))
    assert all(step.place.file == __file__ for step in steps if step.formula)


def test_places_are_lines_of_this_file() -> None:
    def f(x):
        a = np.sin(x)
        return (
            a
            * x
        )  # fmt: skip

    steps = explain(f, 1.0).steps
    first = steps.first_line
    assert steps.source[0].strip() == "def f(x):"
    assert steps["a"].place.line == first + 1
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    for step in steps:
        if step.kind == "operation":
            assert Path(step.place.file) == Path(__file__)
            assert first < step.place.line < first + len(steps.source)
            assert step.place.text == lines[step.place.line - 1].strip()
    assert steps["x"].place is None


def test_functions_without_source() -> None:
    steps = explain(np.hypot, 3.0, 4.0).steps
    assert (steps.source, steps.first_line) == ((), 0)
    scope: dict[str, Any] = {}
    exec("def f(x):\n    y = x * x\n    return y + 1\n", scope)
    steps = explain(scope["f"], 3.0).steps
    assert [step.name for step in steps] == ["x", "y", "v₁"]


def test_jit_and_decorated_functions_are_seen_through() -> None:
    @wg.jit
    def f(x):
        inside = np.sin(x)
        return inside * 2

    f(1.0)
    for _ in range(2):
        assert operations(f, 1.0) == [("inside", "sin x"), ("v₁", "inside · 2")]
    assert explain(f, 1.0).steps.source[1].strip() == "def f(x):"


def test_the_same_function_again_gives_the_same_steps() -> None:
    def f(x):
        y = np.sin(x)
        return y * x

    first = [(s.name, s.formula, s.place) for s in explain(f, 1.0).steps]
    for _ in range(3):
        wg.grad(f)(1.0)
        assert [(s.name, s.formula, s.place) for s in explain(f, 1.0).steps] == first


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("w₁", "w_1"),
        ("w₁₂", "w_{12}"),
        ("x⁽³⁾", "x^{(3)}"),
        ("x₁⁽¹²⁾", "x_1^{(12)}"),
        ("rate", r"\mathit{rate}"),
        ("learning_rate", r"\mathit{learning\_rate}"),
        ("p['w']", r"\texttt{p['w']}"),
        ("λ", r"\lambda"),
        ("_", r"\texttt{\_}"),
    ],
)
def test_names_in_latex(name: str, latex: str) -> None:
    assert name_in_latex(name) == latex


def test_names_that_can_be_typed() -> None:
    assert plain(numbered("x₁", 12)) == "x1(12)"
    assert [plain(name) for name in ("w₁", "w_1", "w1", "p['w1']")] == ["w1", "w1", "w1", "p['w1']"]
