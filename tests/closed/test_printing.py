"""What closed forms print: text, LaTeX, MathML, source; of the identities and of random terms."""

from __future__ import annotations

import ast
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from catalogue import CATALOGUE, A, X, b, x
from test_never_wrong import _case

import wengert as wg
from wengert.explaining.closed.form import derived

MATHML = "{http://www.w3.org/1998/Math/MathML}"
ELEMENTS = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "msup", "msub", "mfrac", "msqrt", "mstyle", "mtable",
    "mtr", "mtd", "mspace",
}  # fmt: skip
CHILDREN = {"msup": 2, "msub": 2, "mfrac": 2, "msqrt": 1}


def _forms() -> list[Any]:
    """Closed forms of the identities and of some random functions."""
    found = [derived(one.f, one.examples, None, one.assume, verify=False) for one in CATALOGUE]
    cases = [case for seed in range(500, 540) if (case := _case(seed, 2)) is not None]
    return found + [derived(f, args, None, None, verify=False) for f, args, _ in cases]


@pytest.fixture(scope="module")
def printed() -> list[Any]:
    return _forms()


def test_latex_is_balanced(printed: list[Any]) -> None:
    for form in printed:
        latex = form.latex
        depth = 0
        for character in re.sub(r"\\[{}|]", "", latex):
            depth += (character == "{") - (character == "}")
            assert depth >= 0
        assert depth == 0
        assert latex.count(r"\left") == latex.count(r"\right")
        assert latex.startswith(r"\begin{align*}")
        assert latex.endswith(r"\end{align*}")
        for line in latex.splitlines()[1:-1]:
            assert line.count("&") == 1
            assert line.count(r"\left") == line.count(r"\right")
        assert latex.isascii(), re.sub(r"[\x00-\x7f]", "", latex)


def test_mathml_is_well_formed(printed: list[Any]) -> None:
    for form in printed:
        root = ElementTree.fromstring(form.mathml)
        assert root.tag == MATHML + "math"
        for element in root.iter():
            name = element.tag.removeprefix(MATHML)
            assert name in ELEMENTS
            if name in CHILDREN:
                assert len(element) == CHILDREN[name]
            if name in ("mi", "mn", "mo"):
                assert element.text


def test_text_has_balanced_brackets(printed: list[Any]) -> None:
    pairs = {")": "(", "]": "[", "}": "{", "⟩": "⟨"}
    for form in printed:
        open_brackets = []
        for character in form.text:
            if character in pairs.values():
                open_brackets.append(character)
            elif character in pairs:
                assert open_brackets.pop() == pairs[character]
        assert not open_brackets
        assert form.text.count("‖") % 2 == 0


def test_source_imports_numpy_alone(printed: list[Any]) -> None:
    for form in printed:
        tree = ast.parse(form.numpy)
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert {name.name for one in imports for name in one.names} <= {"numpy", "math"}
        names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        assert names[-3:] in (["function", "gradient", "hessian"], names[-2:])
        assert all(len(line) < 120 for line in form.numpy.splitlines())


def test_source_names_what_recurs() -> None:
    form = wg.closed_form(lambda x, A, b: np.log(np.sum(np.exp(A @ x + b))), x, A, b)
    hessian = form.numpy.partition("def hessian")[2]
    assert "p = softmax(A @ x + b)" in hessian
    assert hessian.count("softmax(A") == 2  # in what it says of itself, and once in what it does


def test_source_does_not_overflow() -> None:
    form = wg.closed_form(lambda x, a: np.log(1 + np.exp(a @ x)), x, x)
    far = np.array([500.0, -400.0, 800.0])
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_array_equal(form.gradient_function(far, far), far)
        np.testing.assert_array_equal(form.gradient_function(far, -far), 0 * far)
        np.testing.assert_array_equal(form.hessian_function(far, far), np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("f", "args", "gradient"),
    [
        (lambda weights, data: np.sum((data @ weights) ** 2), (x, A), "2·dataᵀ·data·weights"),
        (lambda w1, x_train: w1 @ x_train, (x, x), "x_train"),
        (lambda t, alpha: np.sin(alpha * t), (0.5, 2.0), "α cos(αt)"),
        (lambda x, e: np.sum(np.exp(x)) + e @ x, (x, x), "exp(x) + e"),
        (lambda x, p: np.log(np.sum(np.exp(x))) + p @ x, (x, x), "q + p"),
        (lambda x: np.sum(x) ** 2, (x,), "2(1ᵀx)·1"),
        (lambda x: 0.3 * x @ x, (x,), "0.6x"),
        (lambda x: x @ x / 7, (x,), "(2/7)x"),
        (lambda X: np.sum(X**3), (X,), "3X ∘ X"),
        (lambda x: x[0] ** 2 * x[1], (x,), "x₀(2x₁e₀ + x₀e₁)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_names_and_numbers(f: Any, args: tuple[Any, ...], gradient: str) -> None:
    assert wg.closed_form(f, *args).gradient.text == gradient


def test_forms_show_themselves_in_terminals_and_notebooks() -> None:
    form = wg.closed_form(lambda x: 0.5 * np.sum((A @ x - b) ** 2), x)
    assert repr(form) == form.text
    assert str(form.__rich__()) == form.text
    assert "<math" in form._repr_html_()
    assert r"\begin{aligned}" in form._repr_latex_()
    assert form.gradient._repr_latex_().startswith("$")
    assert repr(form.gradient) == "<∇f = Aᵀ(Ax − b)>"
    assert [step.why for step in form.steps][-1] == "the Hessian stands between"


def test_derivation_of_the_well() -> None:
    form = wg.closed_form(lambda x: -np.exp(-x @ x), x)
    assert form.text.splitlines() == [
        "f = −e^{−xᵀx}",
        "df = −d(e^{−xᵀx})",
        "   = e^{−xᵀx}d(xᵀx)",
        "   = 2e^{−xᵀx}(xᵀdx)",
        "   = ⟨2e^{−xᵀx}x, dx⟩",
        "d²f = 2e^{−xᵀx}(dx₁ᵀdx) − 4e^{−xᵀx}(xᵀdx₁)(xᵀdx)",
        "    = dx₁ᵀ[2e^{−xᵀx}(I − 2xxᵀ)]dx",
        "∇f = 2e^{−xᵀx}x",
        "∇²f = 2e^{−xᵀx}(I − 2xxᵀ)",
    ]


def test_differentials_are_not_taken_for_something_else() -> None:
    """The second differential of b₁ is δb₁, and a variable d is slanted."""

    def shifted(b1: Any, d: float) -> Any:
        return d * np.sum(np.exp(d * b1))

    form = wg.closed_form(shifted, x, 0.7)
    assert form.function.text == "𝑑·1ᵀe^{𝑑b₁}"
    assert form.steps[-1].text == "d²f = δb₁ᵀ[𝑑³ diag(e^{𝑑b₁})]db₁"
    assert r"\delta b_{1}^{\top}" in form.steps[-1].latex
    assert form.hessian.latex == r"d^{3} \operatorname{diag}\left( e^{d b_{1}} \right)"


@pytest.mark.parametrize(
    ("f", "function", "gradient"),
    [
        (lambda X: np.trace(X @ X @ X), "tr(X³)", "3(X²)ᵀ"),
        (lambda X: np.trace(np.linalg.matrix_power(X, 4)), "tr(X⁴)", "4(X³)ᵀ"),
        (lambda X: np.trace(np.linalg.inv(X)), "tr(X⁻¹)", "−(X⁻²)ᵀ"),
        (lambda X: np.trace(X @ X), "tr(X²)", "2Xᵀ"),
    ],
)
def test_a_matrix_times_itself_is_its_power(f: Any, function: str, gradient: str) -> None:
    form = wg.closed_form(f, A[:3, :3] + 3 * np.eye(3))
    assert (form.function.text, form.gradient.text) == (function, gradient)
