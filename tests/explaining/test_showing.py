"""How explanations are shown: formulas of every record, tables, LaTeX, HTML, groups."""

from __future__ import annotations

import io
import math
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

import wengert as wg
from wengert.errors import WengertValueError
from wengert.explaining.chain_rule import of_adjoint, of_tangent
from wengert.explaining.formulas import NAME, SUM, Formula, compose
from wengert.explaining.notation import number, shown
from wengert.explaining.report import Report, explain
from wengert.explaining.steps import Steps
from wengert.explaining.table import forward
from wengert.graph.op import OPS


def course(w1, w2):
    return w2 * np.log(w1) + np.sqrt(w2 * np.log(w1))


def network(p, x):
    for w, b in p:
        x = np.tanh(x @ w + b)
    rate = np.mean(np.maximum(x, 0.1) ** 2)
    return rate / (1e-3 + np.linalg.norm(x[1:])), x


def newton(x):
    for _ in range(40):
        x = x - (x * x - 2) / (2 * x)
    return x


def looped(x):
    last, rows = wg.scan(lambda c, r: (c * r, np.sin(c)), x[0], x)
    return wg.cond(last > 0, np.sin, np.cos, last) + np.sum(rows)


PARAMETERS = [(np.eye(3) * 0.3, np.ones(3)), (np.eye(3), np.zeros(3))]
CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "course": (course, (2.0, 3.0)),
    "network": (network, (PARAMETERS, np.arange(3.0))),
    "newton": (newton, (3.0,)),
    "looped": (looped, (np.array([0.5, 2.0]),)),
    "gradient": (wg.grad(course, argnums=(0, 1)), (2.0, 3.0)),
    "hessian": (wg.hessian(lambda x: np.sum(np.sin(x) * x**3)), (np.array([0.3, 1.0]),)),
    "solve": (lambda a: np.linalg.solve(a @ a.T + np.eye(2), a[0])[0], (np.ones((2, 2)),)),
    "constant": (lambda x: 3.0, (1.0,)),
    "odd <names> & 1%": (lambda p: p["<a & b>_%"] ** 2, ({"<a & b>_%": 2.0},)),
}
by_case = pytest.mark.parametrize("case", CASES)


def report(case: str) -> Report:
    f, args = CASES[case]
    return explain(f, *args)


# ------------------------------------------------------------------------------------ the formulas

BRACKETS = {"{": "}", "(": ")", "[": "]"}


def check_latex(text: str) -> None:
    """ASCII, braces and \\left, \\right in pairs, and nothing raised or lowered twice in a row."""
    assert text.isascii(), text
    stack = []
    for token in re.findall(r"\\left|\\right|\\begin\{[a-z*]+\}|\\end\{[a-z*]+\}|\\.|[{}]", text):
        if token in ("{", r"\left") or token.startswith(r"\begin"):
            stack.append(token.replace("begin", "end"))
        elif token == "}":
            assert stack.pop() == "{", text
        elif token == r"\right":
            assert stack.pop() == r"\left", text
        elif token.startswith(r"\end"):
            assert stack.pop() == token, text
    assert not stack, text
    group = r"(?:[^{}\\]|\\[a-zA-Z]+|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})"
    assert not re.search(rf"\^{group}\s*\^", text), text
    assert not re.search(rf"_{group}\s*_(?!\w*}})", text), text


OPERANDS = [
    [Formula(letter, letter) for letter in "abcdefghij"],
    [Formula("x + y", "x + y", SUM)] * 10,
    [Formula("x⁽¹⁾", "x^{(1)}", NAME)] * 10,
]


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_labels_of_all_records_become_latex(op: Any) -> None:
    for operands in OPERANDS:
        formula = compose(op.label.replace("{k}", "0"), operands)
        check_latex(formula.latex)
        assert "{" not in formula.text


@pytest.mark.parametrize(
    ("label", "text", "latex"),
    [
        ("{0} · {1}", "(x + y) · (x + y)", r"\left(x + y\right) \cdot  \left(x + y\right)"),
        ("{0} + {1}", "x + y + x + y", "x + y + x + y"),
        ("{0} − {1}", "x + y − (x + y)", r"x + y - \left(x + y\right)"),
        ("{0} / {1}", "(x + y) / (x + y)", r"\frac{x + y}{x + y}"),
        ("log {0}", "log(x + y)", r"\log  \left(x + y\right)"),
        ("√{0}", "√(x + y)", r"\sqrt{x + y}"),
        ("{0}²", "(x + y)²", r"\left(x + y\right)^{2}"),
        ("{0}^{1}", "(x + y)^(x + y)", r"\left(x + y\right)^{x + y}"),
        ("where({0}, {1}, {2})", "where(x + y, x + y, x + y)", None),
        ("|{0}|", "|x + y|", "|x + y|"),
        ("−{0}", "−(x + y)", r"-\left(x + y\right)"),
        ("{0} {1}", "(x + y) (x + y)", r"\left(x + y\right) \left(x + y\right)"),
        ("log(1 + {0})", "log(1 + x + y)", r"\log (1 + x + y)"),
        ("1/{0}", "1/(x + y)", r"\frac{1}{x + y}"),
        ("{0}⁻¹ {1}", "(x + y)⁻¹ (x + y)", r"\left(x + y\right)^{-1} \left(x + y\right)"),
    ],
)
def test_brackets_stand_where_they_are_needed(label: str, text: str, latex: str | None) -> None:
    formula = compose(label, OPERANDS[1])
    assert formula.text == text
    assert latex in (None, formula.latex)


@pytest.mark.parametrize(
    ("label", "inner", "text"),
    [
        ("exp {0}", "{0} log {1}", "exp(a log b)"),
        ("exp {0}", "{0}²", "exp(a²)"),
        ("sin {0}", "cos {0}", "sin(cos a)"),
        ("sin {0}", "|{0}|", "sin |a|"),
        ("{0} log {1}", "{0} + {1}", "(a + b) log(a + b)"),
        ("{0} · {1}", "cos {0}", "cos a · cos a"),
        ("{0}²", "sin {0}", "(sin a)²"),
        ("{0}ᵀ", "{0} {1}", "(a b)ᵀ"),
        ("{0} {1}", "{0} {1}", "(a b) (a b)"),
        ("−{0}", "{0} · {1}", "−a · b"),
        ("1 − I_{2}({0}, {1})", "log {0}", "1 − I_(log a)(log a, log a)"),
    ],
)
def test_functions_without_brackets_take_one_word(label: str, inner: str, text: str) -> None:
    assert compose(label, [compose(inner, OPERANDS[0])] * 10).text == text


def test_names_that_count_are_words_but_take_no_exponent() -> None:
    assert compose("exp {0}", OPERANDS[2]).text == "exp x⁽¹⁾"
    assert compose("{0}²", OPERANDS[2]).text == "(x⁽¹⁾)²"


# ------------------------------------------------------------------------------------------- LaTeX


@by_case
def test_latex_is_balanced(case: str) -> None:
    text = report(case).latex()
    check_latex(text)
    parts = 2 * math.ceil(len(report(case).steps) / 24)  # of both sweeps, for pages to break
    assert parts - 2 <= text.count(r"\begin{align*}") == text.count(r"\end{align*}") <= parts
    for step in report(case).steps:
        check_latex(step.latex)
        for partial in step.partials:
            check_latex(partial.latex)


def test_latex_of_arrays_tells_their_spaces_and_lines_are_short() -> None:
    text = explain(lambda A, x: np.sum(np.tanh(A @ x)), np.ones((20, 5)), np.ones(5)).latex()
    assert r"A &\in \mathbb{R}^{20 \times 5}" in text
    assert r"\bar{A} &= \left(" in text
    assert r"\bar{v}_1 x^{\mathsf{T}} \in \mathbb{R}^{20 \times 5}" in text
    assert "lVert" not in text
    check_latex(text)


def test_long_programs_tell_the_value_and_the_gradient() -> None:
    def f(x: Any) -> Any:
        for _ in range(150):
            x = np.sin(x) + 1.0
        return np.sum(x)

    found = explain(f, np.array([0.5, 1.0]))
    (value,) = [line for line in repr(found).splitlines() if line.startswith(" value ")]
    assert value.split()[-1] == f"{f(np.array([0.5, 1.0])):.6g}"
    assert "x̄" in repr(found)
    page = io.StringIO()
    Console(file=page, width=200).print(forward(found.steps))
    assert f"{len(found.steps) - 100} more steps are not shown" in page.getvalue()


def test_numbers_that_are_zero_have_no_sign() -> None:
    assert number(-0.0) == shown(np.float64(-0.0)) == "0"
    assert shown(np.array([-0.0, 1.0])) == "2 [0, 1]"
    assert number(-0.5) == "−0.5"


def test_latex_of_the_course() -> None:
    lines = [line.strip() for line in explain(course, 2.0, 3.0).latex().splitlines()]
    assert (
        r"v_3 &= \sqrt{v_2} = 1.44203 & \dot{v}_3 &= \frac{\partial v_3}{\partial v_2}\cdot "
        r"\dot{v}_2 = \frac{\dot{v}_2}{2 v_3} \\"
    ) in lines
    assert (  # a number for each direction, which is no value of one tangent
        r"& & & \frac{\partial v_3}{\partial w_1} = 0.520101,"
        r"\quad \frac{\partial v_3}{\partial w_2} = 0.240338 \\"
    ) in lines
    assert (
        r"\bar{v}_2 &= \bar{v}_3\cdot \frac{\partial v_3}{\partial v_2} + \bar{v}_4\cdot "
        r"\frac{\partial v_4}{\partial v_2} = \frac{\bar{v}_3}{2 v_3} + \bar{v}_4 = 1.34673 \\"
    ) in lines


# -------------------------------------------------------------------------------------------- HTML


class Page(HTMLParser):
    """The elements of a page, which must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.seen.append(tag)
        assert not any(name in ("src", "href") or name.startswith("on") for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@by_case
def test_html_is_well_formed_and_alone(case: str) -> None:
    found = report(case)
    page = Page(found._repr_html_())
    assert "script" not in page.seen
    assert "url(" not in page.text
    assert page.seen.count("details") == (2 if len(found.steps) <= 100 else len(found.steps.groups))
    for step in found.steps:
        assert step.name in page.text
    for note in found.steps.notes:
        assert note in page.text


def test_rows_have_a_cell_for_each_column() -> None:
    for case in CASES:
        for table in re.findall(r"<table>.*?</table>", report(case)._repr_html_(), re.DOTALL):
            head, *rows = re.findall(r"<tr>.*?</tr>", table, re.DOTALL)
            assert {row.count("<td") + 1 for row in rows} <= {head.count("<th")}


def test_html_of_long_lines_says_what_it_leaves_out() -> None:
    def f(x):
        for _ in range(150):
            x = np.sin(x) + 0.5
        return x

    page = Page(explain(f, 1.0)._repr_html_())
    assert "100 more steps of this line are not shown" in page.text
    assert "150 sin, 150 add" in page.text


# ------------------------------------------------------------------------------------------ groups


@by_case
def test_groups_are_the_steps_by_line(case: str) -> None:
    steps = report(case).steps
    names = [name for group in steps.groups for name in group.steps]
    assert sorted(names) == sorted(step.name for step in steps)
    for group in steps.groups:
        assert sum(group.counts.values()) == len(group.steps)
        for name in group.steps:
            place = steps[name].place
            assert (place is None) == (group.place is None)
            assert place is None or (place.file, place.line) == (group.place.file, group.place.line)


def test_lines_that_run_again_are_one_group() -> None:
    inputs, line = explain(newton, 3.0).steps.groups
    assert (inputs.place, inputs.steps) == (None, ("x",))
    assert line.place.text == "x = x - (x * x - 2) / (2 * x)"
    assert line.counts == {"multiply": 80, "subtract": 80, "divide": 40}


# ------------------------------------------------------------------------------------- the terminal


@by_case
@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_tables_fit_the_terminal(case: str, width: int) -> None:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(report(case))
    assert max(map(cell_len, captured.get().splitlines())) <= width


def test_brackets_are_no_markup() -> None:
    """`[b]` is what turns bold on where rich reads markup."""
    b = np.array([1, 0])
    text = str(explain(lambda x: np.sum(x[b] * 2), np.ones(2)))
    assert " x[c₁] " in text
    assert "∂/∂p['b']·1" in str(explain(lambda p: p["b"][0], {"b": np.ones(2)}))


def test_long_programs_are_shown_by_line() -> None:
    text = str(explain(newton, 3.0))
    assert "201 steps by line of source" in text
    assert "80 multiply" in text
    assert "greatest |adjoint|" in text
    assert "test_showing.py:" in text


def test_whole_loops_are_named() -> None:
    (note,) = (note for note in report("looped").steps.notes if "whole loop" in note)
    assert "(scan)" in note
    assert "(branch)" in note
    assert note in " ".join(str(report("looped")).split())


def test_several_results_are_told() -> None:
    assert "sum of all entries" in " ".join(str(report("network")).split())
    assert report("course").steps.notes == ()


# ---------------------------------------------------------------------------------- the chain rule


def sums(steps: Steps, name: str) -> list[str]:
    step = steps[name]
    return [formula.text for formula in (*of_tangent(steps, step), *of_adjoint(steps, step))]


def test_the_chain_rule_is_written_out() -> None:
    steps = explain(lambda a, b: np.sin(a * b) - a / b, 1.0, 2.0).steps
    assert sums(steps, "v1") == [
        "∂v₁/∂a·ȧ + ∂v₁/∂b·ḃ",
        "b·ȧ + a·ḃ",
        "v̄₂·∂v₂/∂v₁",
        "v̄₂·cos v₁",
    ]
    assert sums(steps, "v3") == ["∂v₃/∂a·ȧ + ∂v₃/∂b·ḃ", "ȧ/b − v₃/b·ḃ", "v̄₄·∂v₄/∂v₃", "−v̄₄"]


def test_maps_are_applied_to_tangents() -> None:
    a = np.eye(2)
    steps = explain(lambda h: np.sum(a @ h), np.ones(2)).steps
    assert sums(steps, "v1")[:2] == ["∂v₁/∂h·ḣ", "a ḣ"]
    assert sums(steps, "v2")[:2] == ["∂v₂/∂v₁·v̇₁", "Σ v̇₁"]


def test_results_that_are_used_further_have_a_seed() -> None:
    steps = explain(lambda x: (np.exp(x), np.exp(x) * x), 1.0).steps
    assert of_adjoint(steps, steps["v1"])[0].text == "1 + v̄₂·∂v₂/∂v₁"


def test_many_users_are_cut_short() -> None:
    steps = explain(lambda x: sum(np.sin(x * k) for k in range(2, 12)), 1.0).steps
    assert of_adjoint(steps, steps["x"])[0].text.endswith("+ …")
    assert len(steps["x"].terms) == 10


# -------------------------------------------------------------------------------------- the report


def test_a_jit_function_is_explained_by_its_newest_signature() -> None:
    @wg.jit
    def f(x):
        return np.sum(np.sin(x))

    with pytest.raises(WengertValueError, match="has not been called yet"):
        explain(f)
    f(np.ones(3))
    found = explain(f)
    assert (found.function, found.args) == (f, None)
    with pytest.raises(WengertValueError, match=r"write explain\(f, \*args\)"):
        _ = found.steps
    assert "sin" in str(found)
    assert Page(found._repr_html_()).seen == ["pre"]


def test_the_report_holds_what_it_is_of() -> None:
    found = explain(course, 2.0, 3.0)
    assert found.function is course
    assert found.args == (2.0, 3.0)
    assert found.steps.output == "v₄"


BESIDE_V8 = """
import wengert as wg
from wengert.compiler.machine import Loaded, object_code

wg.explain(lambda x: x * x, 3.0).svg()
sums = "".join(f" %y{k + 1} = fadd double %y{k}, {k}.125\\n" for k in range(3000))
start = "define double @f(double %x){\\n %y0 = fadd double %x, 1.5\\n"
code = object_code(start + sums + " ret double %y3000\\n}\\n")
loaded = [Loaded(code) for _ in range(250)]
assert all(each.address("f") for each in loaded)
"""


@pytest.mark.long
def test_machine_code_is_loaded_after_a_picture_was_drawn() -> None:
    """V8 reserves so much address space that code and its constants may be loaded far apart."""
    for _ in range(3):
        subprocess.run([sys.executable, "-c", BESIDE_V8], check=True, timeout=300)


def test_zero_has_no_sign() -> None:
    text = repr(explain(lambda x: -np.sum(np.cos(x)), np.array([0.0, 1.0])))
    assert "2 [0, −0.8415]" in text
    assert "−0," not in text
