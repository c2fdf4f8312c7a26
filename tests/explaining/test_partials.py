"""Local derivatives: their values by differences for every record, their formulas by evaluation."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
from matplotlib.mathtext import MathTextParser
from numpy.testing import assert_allclose

import wengert as wg
from wengert.explaining.chain_rule import of_adjoint, of_tangent
from wengert.explaining.report import explain
from wengert.explaining.steps import Step, Steps
from wengert.graph.op import OPS, Op
from wengert.tracing.session import need_session
from wengert.tracing.tracer import Tracer

sys.path.append(str(Path(__file__).resolve().parents[1] / "laws"))
from law_checks import has_derivative
from law_samples import Function, Sample, claims, samples

FLOAT = np.dtype(np.float64)
STEP = 1e-4


def is_real(op: Op) -> bool:
    """Whether the op makes real numbers of real numbers, element by element."""
    if op.family != "elementwise" or not claims(op, FLOAT) or not has_derivative(op):
        return False
    (result, *_) = Function(next(samples(op, FLOAT))).outputs
    return result.op is op and result.dtype == FLOAT


SMOOTH = [op for op in OPS.values() if is_real(op)]


def applied(sample: Sample) -> Callable[..., Any]:
    """The op of a sample as a function of traced arrays."""

    def f(*args: Any) -> Any:
        session = need_session()
        nodes = [arg.node if isinstance(arg, Tracer) else session.capture(arg) for arg in args]
        return Tracer(sample.op(*nodes, *sample.params, **sample.keywords), session)

    return f


def difference(function: Function, k: int) -> Any:
    """∂/∂x of argument k in every element, by differences of the sixth order; NaN where those of
    two steps do not agree."""
    found = []
    for h in (STEP, 2 * STEP):
        total = 0.0
        for m, weight in ((1, 45), (2, -9), (3, 1)):
            above, below = list(function.sample.arrays), list(function.sample.arrays)
            above[k], below[k] = above[k] + m * h, below[k] - m * h
            with np.errstate(all="ignore"):
                total = total + weight * (function.at(above)[0] - function.at(below)[0])
        found.append(total / (60 * h))
    return np.where(np.isclose(*found, rtol=1e-6, atol=1e-7), found[0], np.nan)


@pytest.mark.parametrize("op", SMOOTH, ids=lambda op: op.name)
def test_partials_are_what_differences_say(op: Op) -> None:
    """For every elementwise record, found by itself."""
    checked = 0
    for number in range(5):
        sample = next(samples(op, FLOAT, number))
        steps = explain(applied(sample), *sample.arrays).steps
        step = steps[steps.output]
        assert step.op == op.name
        function = Function(sample)
        for partial in step.partials:
            k = int(re.fullmatch(r"args\[(\d)\]", partial.arg)[1])
            expected = difference(function, k)
            sure = np.isfinite(expected)
            assert partial.value.shape == step.shape
            assert_allclose(partial.value[sure], expected[sure], rtol=1e-5, atol=1e-6)
            checked += int(sure.sum())
        if checked:
            return
    assert not step.partials, f"{op.name}: differences converge nowhere"


# ------------------------------------------------------------------------------------- the formulas

WORDS = {
    "log": np.log, "exp": np.exp, "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh,
    "cosh": np.cosh, "tanh": np.tanh, "sign": np.sign, "where": np.where, "sqrt": np.sqrt,
    "erf": scipy.special.erf, "arctan2": np.arctan2, "hypot": np.hypot, "σ": scipy.special.expit,
}  # fmt: skip


SIGNS = {
    "−": "-", "·": "*", "²": "**2", "^": "**", "≥": ">=", "≤": "<=", "≠": "!=", " = ": " == ",
    "∧": "&", "√": "sqrt ",
}  # fmt: skip


def evaluated(formula: str, values: dict[str, Any]) -> Any:
    """The number that a formula as it is printed stands for, read as people read it."""
    names = {name: f"n{k}_" for k, name in enumerate(values)}
    text = formula
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![^\W\d]){re.escape(name)}(?![A-Za-z0-9₀-₉⁽])", names[name], text)
    for old, new in SIGNS.items():
        text = text.replace(old, new)
    text = re.sub(r"\[([^\[\]]*)\]", r"((\1)*1)", text)
    text = re.sub(r"(?<=\d|\)) ?(?=n\d|[a-z]{3}|\()(?<!log)", "*", text)
    for _ in range(3):  # a word takes what comes next
        text = re.sub(r"([a-zσ]{3,6}) +(n\d+_|\([^()]*\)|\d[\d.]*)", r"\1(\2)", text)
    variables = {names[name]: value for name, value in values.items()}
    return eval(text, {"__builtins__": {}}, {**WORDS, **variables})


FORMULAS: list[Callable[..., Any]] = [
    lambda x, y: x * y + x / y - y / x,
    lambda x, y: np.sqrt(x) / np.cbrt(y) + np.log(x) * np.exp(-y),
    lambda x, y: np.sin(x) * np.cos(y) + np.tan(x) / np.tanh(y),
    lambda x, y: x**3 + x**-2.5 + x**0.5 + 2.0**y + 1 / (x * y) ** 2,
    lambda x, y: x**y,
    lambda x, y: np.log1p(x) + np.expm1(y) + np.exp2(x) + np.log2(y) + np.log10(x),
    lambda x, y: np.sinh(x) * np.cosh(y) + np.hypot(x, y) + np.arctan2(x, y),
    lambda x, y: np.maximum(x, y) + np.where(x > 1, np.log(x), y) + np.abs(-x),
    lambda x, y: np.arcsin(x / 9) + np.arccos(y / 9) + np.arctan(x) + np.arcsinh(y),
    lambda x, y: np.reciprocal(x) + np.square(y) + np.square(x * y) - np.positive(x),
    lambda x, y: (x + y) * (x - y) / (x * y + 3) * 0.3 + 1e-7 * x,
    lambda x, y: wg.scipy.special.erf(x) + wg.scipy.special.expit(y),
    lambda x, y: wg.grad(lambda t: np.sin(t) * t**2)(x) * y,
]


@pytest.mark.parametrize("f", FORMULAS)
def test_formulas_say_what_the_values_are(f: Callable[..., Any]) -> None:
    """Read as printed, with the values of the steps in place of their names."""
    for point in ((1.7, 0.6), (0.4, 2.3)):
        steps = explain(f, *point).steps
        values = {step.name: step.value for step in steps}
        seen = 0
        for step in steps:
            for partial in step.partials:
                assert partial.formula, f"{step.formula} by {partial.arg}"
                found = evaluated(partial.formula, values)
                assert_allclose(found, partial.value, rtol=2e-5, err_msg=partial.formula)
                seen += 1
        assert seen


def partials(f: Callable[..., Any], *args: Any) -> list[str]:
    return [part.formula for step in explain(f, *args).steps for part in step.partials]


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: np.sqrt(x), "1/(2v₁)"),
        (lambda x: np.log(x), "1/x"),
        (lambda x: np.sin(x), "cos x"),
        (lambda x: np.cos(x), "−sin x"),
        (lambda x: np.exp(x), "v₁"),
        (lambda x: np.tanh(x), "1 − v₁²"),
        (lambda x: x**2, "2x"),
        (lambda x: x**5, "5x^4"),
        (lambda x: 1 / x, "−v₁²"),
        (lambda x: 3 / x, "−v₁/x"),
        (lambda x: x * x, "2x"),
        (lambda x: x / 4, "0.25"),
        (lambda x: np.floor(x), "0"),
        (lambda x: wg.scipy.special.exp1(x), "−exp(−x)/x"),
        (lambda x: wg.scipy.special.expi(x), "(exp x)/x"),
        (lambda x: wg.scipy.special.boxcox(x, 3.0), "exp(2 log x)"),
    ],
)
def test_short_formulas(f: Callable[..., Any], expected: str) -> None:
    assert partials(f, 1.5) == [expected]


def test_formulas_are_the_same_whichever_node_was_made_first() -> None:
    """The simplifier orders what commutes by age, which an earlier trace may have changed."""

    def f(x, n):
        return x**n + np.tan(x * n) + np.where(n >= x, x * n, 0.0)

    def other(x, n):
        return (n >= 0.0) * ((x == 0.0) | (n * x > 2)) * np.maximum(n, x) + n + x

    found = [part.formula for step in explain(f, 2.0, 3.0).steps for part in step.partials]
    assert found[0] == "where(n ≠ 0, n · x^(n − 1), 0)"
    assert found[1] == "where((n ≥ 0) ∧ (x = 0), 0, v₁ · log x)"
    for _ in range(3):
        explain(other, 2.0, 3.0)
        assert partials(f, 2.0, 3.0) == found


def test_maps_of_arrays() -> None:
    a = np.arange(6.0).reshape(2, 3)
    assert partials(lambda x: np.sum(a @ x), np.ones(3)) == ["h ↦ a h", "h ↦ Σ h"]
    assert partials(lambda h: h[1:], np.ones(3)) == ["g ↦ g[1:]"]
    assert partials(lambda x: np.exp(x), np.ones(3)) == ["v₁"]


def test_values_are_diagonals_or_numbers_or_none() -> None:
    steps = explain(lambda x: np.sum(np.exp(x)) * 2, np.array([0.0, 1.0])).steps
    assert_allclose(steps["v1"].partials[0].value, np.exp([0.0, 1.0]))
    assert steps["v2"].partials[0].value is None
    assert steps["v3"].partials[0].value == 2


def test_rules_for_reverse_mode_alone_have_no_local_value() -> None:
    @wg.custom_vjp
    def f(x):
        return x * 2

    f.defvjp(lambda x: (x, None), lambda _, ct: (ct * 2,))
    steps = explain(lambda x: f(x) + x, 1.0).steps
    assert steps["x"].adjoint == 3
    assert [value for _, value in steps["x"].terms] == [2, 1]


# ----------------------------------------------------------------------------------------- the sums


def layers(p, x):
    for w, b in p:
        x = np.tanh(x @ w + b)
    return np.sum(x**2) / 2, x[0]


def scalars(x, y):
    a = np.sin(x) * y
    for _ in range(4):
        a = a * np.exp(-a) + x / (1 + y * y)
    return np.where(a > 0, np.log(a), a) + np.maximum(x, y)


def arrays(x, y):
    z = np.exp(x) * np.log(y) + x**2
    return np.sqrt(z * z + 1) / y


CASES: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (scalars, (0.7, 1.9)),
    (arrays, (np.array([0.2, 1.1]), np.array([2.0, 0.5]))),
    (layers, ([(np.eye(3) * 0.3, np.ones(3)), (np.eye(3), np.zeros(3))], np.arange(3.0))),
    (wg.grad(scalars), (0.7, 1.9)),
]


@pytest.mark.parametrize(("f", "args"), CASES)
def test_adjoints_are_sums_of_terms_and_tangents_of_products(f: Any, args: Any) -> None:
    steps = explain(f, *args).steps
    for step in steps:
        if step.adjoint is not None:
            total = sum((value for _, value in step.terms), 0.0 if step.seed is None else step.seed)
            assert_allclose(total, step.adjoint, rtol=1e-12, atol=1e-15)
        for k in range(len(steps.inputs)):
            products = forward_terms(steps, step, k)
            if products is not None:
                assert_allclose(sum(products), step.tangents[k], rtol=1e-10, atol=1e-14)


def forward_terms(steps: Steps, step: Step, k: int) -> list[Any] | None:
    """∂vᵢ/∂vⱼ v̇ⱼ of the operands, where all of them are known as numbers or diagonals."""
    if not step.partials or any(part.value is None for part in step.partials):
        return None
    return [part.value * steps[part.arg].tangents[k] for part in step.partials]


@pytest.mark.parametrize(("f", "args"), CASES)
def test_terms_are_products_with_the_local_derivatives(f: Any, args: Any) -> None:
    steps = explain(f, *args).steps
    seen = 0
    for step in steps:
        for name, term in step.terms:
            user = steps[name]
            for part in user.partials:
                if part.arg == step.name and part.value is not None:
                    assert_allclose(term, user.adjoint * part.value, rtol=1e-12, atol=1e-15)
                    seen += 1
    assert seen > 3


@pytest.mark.parametrize(("f", "args"), CASES)
def test_both_orders_are_those_of_the_sweeps(f: Any, args: Any) -> None:
    steps = explain(f, *args).steps
    assert sorted(steps.forward) == sorted(step.name for step in steps)
    assert len(set(steps.forward)) == len(steps)
    place = {name: k for k, name in enumerate(steps.forward)}
    for step in steps:
        assert all(place[name] < place[step.name] for name in step.args)
    assert set(steps.reverse) == {step.name for step in steps if step.adjoint is not None}
    assert len(set(steps.reverse)) == len(steps.reverse)
    place = {name: k for k, name in enumerate(steps.reverse)}
    for step in steps:
        assert all(place[user] < place[step.name] for user, _ in step.terms)


def test_an_adjoint_is_complete_as_soon_as_its_users_are() -> None:
    def f(x, y):
        a = np.sin(x)
        return np.exp(a) * y

    assert explain(f, 1.0, 2.0).steps.reverse == ("v₂", "v₁", "y", "a", "x")


def test_several_results_are_summed() -> None:
    steps = explain(
        lambda x: (x**2, {"b": x * 3, "n": np.argmax(x)}, x), np.array([1.0, 2.0])
    ).steps
    assert_allclose(steps["x"].adjoint, 2 * np.array([1.0, 2.0]) + 3 + 1)
    assert_allclose(steps["x"].seed, [1, 1])
    assert set(steps.outputs) == {"v₁", "v₂", "v₃", "x"}
    assert "sum of all entries" in " ".join(steps.notes)


def test_inputs_beyond_the_first_few_have_no_tangents_in_large_programs() -> None:
    def f(x):
        s = 0.0
        for k in range(len(x)):
            for _ in range(25):
                s = np.sin(s * 0.5 + x[k])
        return s

    steps = explain(f, [0.1 * k for k in range(40)]).steps
    known = [tangent is not None for tangent in steps[steps.output].tangents]
    count = sum(known)
    assert 1 <= count < 40
    assert known == [True] * count + [False] * (40 - count)
    assert f"first {count} of 40 inputs" in " ".join(steps.notes)
    assert_allclose(steps["x[39]"].adjoint, wg.grad(f)([0.1 * k for k in range(40)])[39])


# ----------------------------------------------------------------------------------------- as LaTeX

UNKNOWN_TO_MATPLOTLIB = {r"\texttt": r"\mathtt", r"\ge ": r"\geq ", r"\le ": r"\leq "}


def typeset(latex: str) -> None:
    """Let matplotlib read a formula, the one reader of LaTeX among the tests' packages."""
    for command, known in UNKNOWN_TO_MATPLOTLIB.items():
        latex = latex.replace(command, known)
    MathTextParser("path").parse(f"${latex}$")


@pytest.mark.long
def test_formulas_of_all_elementwise_records_can_be_typeset() -> None:
    formulas: set[str] = set()
    for op in SMOOTH:
        sample = next(samples(op, FLOAT))
        steps = explain(lambda x, *y, op=sample: applied(op)(x, *y), *sample.arrays).steps
        step = steps[steps.output]
        formulas.update([step.formula_latex, *(partial.latex for partial in step.partials)])
    for latex in formulas - {""}:
        typeset(latex)


def test_sums_can_be_typeset() -> None:
    steps = explain(lambda a, b: np.sin(a * b) - a / b, 1.0, 2.0).steps
    for step in steps:
        for formula in (*of_adjoint(steps, step), *of_tangent(steps, step)):
            typeset(formula.latex)


def test_results_that_are_integers_have_no_adjoint() -> None:
    steps = explain(lambda x: (x * x, np.argmax(x)), np.arange(3.0)).steps
    place = steps[steps.outputs[1]]
    assert (place.op, place.adjoint, place.seed) == ("argmax", None, None)
    assert steps.reverse == ("v₁", "x")
