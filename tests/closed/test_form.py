"""`closed_form`: what it takes, what it says, and that it shows nothing that it did not check."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from catalogue import A, S, X, b, c, x

import wengert as wg
from wengert.explaining.closed import form as module
from wengert.explaining.closed.algebra import multiply
from wengert.explaining.closed.problem import Derivation
from wengert.explaining.closed.sums import scale
from wengert.explaining.closed.terms import Product


def residual(x: Any) -> Any:
    return 0.5 * np.sum((A @ x - b) ** 2)


# ---------------------------------------------------------------------------------- what it takes


def test_names_come_from_the_closure_and_the_signature() -> None:
    form = wg.closed_form(residual, x)
    assert form.function.text == "½‖Ax − b‖²"
    assert form.gradient.text == "Aᵀ(Ax − b)"
    np.testing.assert_allclose(form.gradient_function(x), A.T @ (A @ x - b))


def test_any_argument_by_name_or_place() -> None:
    def f(x: Any, S: Any) -> Any:
        return x @ S @ x

    for wrt in ("S", 1, -1):
        form = wg.closed_form(f, x, S, wrt=wrt)
        assert form.gradient.text == "xxᵀ"
        np.testing.assert_allclose(form.gradient_function(x, S), np.outer(x, x))


def test_structures() -> None:
    def f(parameters: dict[str, Any]) -> Any:
        return parameters["w"] @ parameters["w"] * parameters["b"]

    parameters = {"w": x, "b": 2.0}
    form = wg.closed_form(f, parameters, wrt="w")
    assert form.gradient.text == "2bw"
    np.testing.assert_allclose(form.gradient_function(parameters), 4 * x)


def test_lists_of_numbers_are_arrays() -> None:
    form = wg.closed_form(lambda x: x @ x, [1.0, 2.0])
    assert form.gradient.text == "2x"
    np.testing.assert_allclose(form.gradient_function([3.0, 4.0]), [6.0, 8.0])


def test_columns_of_two_axes_and_results_of_one_element() -> None:
    column = x[:, None]
    form = wg.closed_form(lambda x: x.T @ S @ x, column)
    assert form.gradient.text == "(S + Sᵀ)x"
    assert form.gradient_function(column).shape == (3, 1)
    np.testing.assert_allclose(form.gradient_function(column), (S + S.T) @ column)
    np.testing.assert_allclose(form.hessian_function(column), S + S.T)


def test_arrays_of_three_axes_are_columns_of_their_elements() -> None:
    cube = np.random.default_rng(0).normal(size=(2, 3, 4))
    form = wg.closed_form(lambda T: np.sum(T**2), cube)
    np.testing.assert_allclose(form.gradient_function(cube), 2 * cube)


def test_numbers_have_derivatives_with_primes() -> None:
    form = wg.closed_form(lambda t: np.sin(t) * t**2, 1.5)
    assert "f′ = " in form.text
    assert "f″ = " in form.text
    np.testing.assert_allclose(form.hessian_function(1.5), wg.hessian(form_of_numbers)(1.5))


def form_of_numbers(t: Any) -> Any:
    return np.sin(t) * t**2


def test_single_precision() -> None:
    form = wg.closed_form(lambda x: np.sum(np.exp(x)), x.astype(np.float32))
    assert form.verification.passed
    assert form.gradient.text == "e^x"


def test_what_is_no_matrix_calculus_has_a_name() -> None:
    form = wg.closed_form(lambda x: np.sum(np.cumsum(x) ** 2) + x @ x, x)
    assert form.verification.passed
    assert "∂z₁/∂x" in form.gradient.text
    assert "z₁ = cumsum(x)" in str(form.gradient)
    np.testing.assert_allclose(
        form.gradient_function(x), wg.grad(lambda x: np.sum(np.cumsum(x) ** 2) + x @ x)(x)
    )
    assert "z1_of" in form.numpy


def test_branches_by_what_is_held() -> None:
    def f(X: Any, x: Any) -> Any:
        return np.where(x > 0, x, 0.1 * x) @ (X @ x)

    form = wg.closed_form(f, X, x)
    assert form.verification.passed
    np.testing.assert_allclose(form.gradient_function(X, x), wg.grad(f)(X, x))


# ------------------------------------------------------------------------------------- what it says


def iterated(x: float) -> float:
    total = 0.0
    for _ in range(200):
        x = np.sin(x)
        total = total + x * x
    return total


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: wg.closed_form(residual), TypeError, "an example of each argument"),
        (lambda: wg.closed_form(lambda x: A @ x, x), TypeError, "one real number"),
        (lambda: wg.closed_form(residual, x, wrt="y"), ValueError, "the function has x"),
        (lambda: wg.closed_form(residual, x, wrt=3), ValueError, "out of range"),
        (lambda: wg.closed_form(residual, x, wrt=("x", "A")), TypeError, "once for each"),
        (lambda: wg.closed_form(lambda z: z * z, 1 + 2j), TypeError, "complex"),
        (
            lambda: wg.closed_form(lambda p: p["a"] * p["b"], {"a": 1.0, "b": 2.0}),
            ValueError,
            "a, b",
        ),
        (lambda: wg.closed_form(iterated, 0.5), ValueError, "up to 500 operations"),
        (lambda: wg.closed_form(residual, x, assume={"A": "round"}), ValueError, "symmetric"),
        (lambda: wg.closed_form(residual, x, assume={"Q": "symmetric"}), ValueError, "Q"),
        (
            lambda: wg.closed_form(lambda x, S: x @ S @ x, x, S, assume={"S": "diagonal"}),
            ValueError,
            "not diagonal",
        ),
        (lambda: wg.closed_form(lambda x, y: x @ x, x, assume={"x": "signs"}), TypeError, "y"),
    ],
)
def test_errors_say_what_to_do(call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()


# ----------------------------------------------------------------------------- nothing is unchecked


def _planted(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    derive = module.derive
    monkeypatch.setattr(module, "derive", lambda problem: change(derive(problem)))


def _doubled(term: Any) -> Any:
    return scale(2, term)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: replace(d, gradient=_doubled(d.gradient)),
        lambda d: replace(d, hessian=_doubled(d.hessian)),
        lambda d: replace(d, function=_doubled(d.function)),
        lambda d: replace(d, gradient=scale(1 + Fraction(1, 10**6), d.gradient)),
    ],
    ids=["gradient", "Hessian", "function", "a millionth"],
)
def test_a_wrong_formula_is_not_shown(change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _planted(monkeypatch, change)
    form = wg.closed_form(residual, x)
    assert not form.verification.passed
    assert form.gradient is None
    assert form.hessian is None
    assert form.steps == ()
    assert form.numpy == ""
    assert "no formula is shown" in form.text
    assert "Aᵀ" not in form.text
    np.testing.assert_allclose(form.gradient_function(x), A.T @ (A @ x - b))
    np.testing.assert_allclose(form.hessian_function(x), A.T @ A)


def test_a_wrong_second_differential_of_a_matrix_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _planted(monkeypatch, lambda d: replace(d, second=_doubled(d.second)))
    form = wg.closed_form(lambda X: np.sum(X**2), X)
    assert form.second is None
    np.testing.assert_allclose(form.hessian_function(X, X), 2 * X)


def test_wrong_steps_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(derivation: Derivation) -> Derivation:
        *lines, last = derivation.lines
        wrong = replace(lines[1], term=_doubled(lines[1].term))
        return replace(derivation, lines=(lines[0], wrong, *lines[2:], last))

    _planted(monkeypatch, change)
    form = wg.closed_form(residual, x)
    assert form.steps == ()
    assert "the steps are not shown: line 2" in form.text
    assert form.gradient.text == "Aᵀ(Ax − b)"


def test_what_holds_of_captured_arrays_by_chance_does_not_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """2Px is the gradient of xᵀPx for symmetric P alone, and nobody said that P is."""
    P = S + S.T

    def change(derivation: Derivation) -> Derivation:
        problem = derivation.problem
        (captured,) = problem.constants
        wrong = scale(2, multiply(captured.symbol, problem.variable))
        return replace(derivation, gradient=wrong)

    _planted(monkeypatch, change)
    form = wg.closed_form(lambda x: x @ P @ x, x)
    assert form.gradient is None
    assert "gradient" in form.verification.reason


def test_wrong_steps_of_flat_functions_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(derivation: Derivation) -> Derivation:
        first, second, *others = derivation.lines
        wrong = replace(second, term=_doubled(second.term))
        return replace(derivation, lines=(first, wrong, *others))

    _planted(monkeypatch, change)
    form = wg.closed_form(lambda x: 1e-9 * np.sum((A @ x - b) ** 2), x)
    assert form.steps == ()


def test_wrong_source_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    write = module.source
    monkeypatch.setattr(
        module, "source", lambda *args: write(*args).replace("A @ x - b", "A @ x + b")
    )
    form = wg.closed_form(residual, x)
    assert form.gradient is None
    assert "source" in form.verification.reason


def test_a_function_that_is_nowhere_finite_has_no_formula() -> None:
    form = wg.closed_form(lambda x: np.sum(np.log(-np.exp(x))), x)
    assert form.gradient is None
    assert "not finite" in form.text


def test_points_are_drawn_where_assumptions_hold() -> None:
    form = wg.closed_form(
        lambda x, S: x @ np.linalg.inv(S) @ x,
        x,
        S @ S.T + np.eye(3),
        assume={"S": "positive definite"},
    )
    assert form.gradient.text == "2S⁻¹x"
    form = wg.closed_form(lambda x: np.sum(np.log(x) * x**0.5), np.abs(c) + 0.1)
    assert form.verification.points == 3


def test_coefficients_print_as_fractions_and_decimals() -> None:
    assert isinstance(wg.closed_form(lambda x: 0.5 * x @ x / 3, x).derivation.gradient, Product)
    assert wg.closed_form(lambda x: 0.5 * x @ x / 3, x).gradient.text == "⅓x"


@pytest.mark.parametrize(
    ("f", "gradient"),
    [
        (lambda x: np.sum(np.where(x >= 1, x**2, 0 * x)), "2x ∘ [x ≥ 1]"),
        (lambda x: np.sum(np.where(x > 1, x**2, 3 * x)), "2x ∘ [x > 1] + 3[x ≤ 1]"),
        (lambda x: np.sum(np.where(x < 1, x**2, 3 * x)), "2x ∘ [x < 1] + 3[x ≥ 1]"),
        (lambda x: np.sum((x <= 1) * x**2), "2x ∘ [x ≤ 1]"),
    ],
)
def test_conditions_hold_at_their_boundary(f: Any, gradient: str) -> None:
    x = np.array([1.0, 2.0, 0.5])
    form = wg.closed_form(f, x)
    assert form.gradient.text == gradient
    assert np.array_equal(form.gradient_function(x), wg.grad(f)(x))


def test_what_cancels_when_it_is_factored() -> None:
    """xᵀ(P − Pᵀ)x is 0."""
    form = wg.closed_form(lambda P: np.diag(P) @ (P - P.T) @ np.diag(P), S)
    assert form.gradient.text == "0"
    assert not np.any(form.gradient_function(S))


@pytest.mark.parametrize(
    ("f", "means"),
    [
        (lambda X: np.sum(X[:, 1:] ** 2), "Z₁ = X[:, 1:]"),
        (lambda X: np.sum(X[::-1, 1:3] ** 2), "Z₁ = X[::-1, 1:3]"),
        (lambda X: np.sum(np.cos(X[1][::-2])), "z₁ = (Xᵀe₁)[::-2]"),
        (lambda X: np.cumsum(X.ravel()) @ X.ravel(), "z₁ = ravel(X)"),
        (lambda X: np.sum(X.reshape(4, -1) ** 2), "Z₁ = reshape(X, (4, 2))"),
        (
            lambda X: np.sum((X[:, None, :] - X) ** 2),
            "z₁ = broadcast_to(X[:, None, :], (2, 2, 4))",
        ),
    ],
)
def test_what_is_no_formula_is_written_as_the_code_says_it(f: Any, means: str) -> None:
    X = 1 + np.arange(8.0).reshape(2, 4)
    assert f"where {means}" in wg.closed_form(f, X).text


def test_multiples_of_irrational_numbers_are_read() -> None:
    def density(x: Any) -> Any:
        return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)

    assert wg.closed_form(density, 0.4).function.text == "e^{−½x²}/√(2π)"
    assert wg.closed_form(lambda r: 4 / 3 * np.pi * r**3, 1.5).gradient.text == "4πr²"
    assert wg.closed_form(lambda x: np.sum(np.cos(2 * np.pi * x)), x).hessian.text == (
        "−4π² diag(cos(2πx))"
    )
    squared = wg.closed_form(lambda x: np.sum((x / np.sqrt(2)) ** 2), x)
    assert (squared.gradient.text, squared.hessian.text) == ("x", "I")
    assert wg.closed_form(lambda x: np.e**x, 0.3).gradient.text == "e^x"
    assert wg.closed_form(lambda x: 0.1234567890123 * x, 0.3).gradient.text == "0.1234567890123"


def test_cross_entropy_by_its_definition() -> None:
    """−Σ tᵢ log σᵢ + (1 − tᵢ) log(1 − σᵢ), which loses digits where it is computed so."""

    def loss(x: Any) -> Any:
        p = 1 / (1 + np.exp(-(A @ x)))
        return -np.sum(b * np.log(p) + (1 - b) * np.log(1 - p))

    form = wg.closed_form(loss, x)
    assert form.gradient.text == "Aᵀ(σ(Ax) − b)"
    assert form.hessian.text == "Aᵀdiag(σ(Ax) ∘ (1 − σ(Ax)))A"


def test_points_where_the_function_loses_its_digits_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At large Ax what the code computes is 1 − 1, and so is its derivative."""

    def loss(x: Any) -> Any:
        p = 1 / (1 + np.exp(-(6 * A @ x)))
        return -np.sum(b * np.log(p) + (1 - b) * np.log(1 - p))

    form = wg.closed_form(loss, np.array([0.5, -1.0, 0.8]))
    assert form.verification.passed
    _planted(monkeypatch, lambda d: replace(d, gradient=scale(1 + Fraction(1, 10**6), d.gradient)))
    assert not wg.closed_form(loss, np.array([0.5, -1.0, 0.8])).verification.passed


def test_projections_cancel() -> None:
    """The residual of least squares, by the pseudo-inverse of A."""
    form = wg.closed_form(lambda b: np.sum((A @ np.linalg.solve(A.T @ A, A.T @ b) - b) ** 2), b)
    assert form.gradient.text == "2(b − A(AᵀA)⁻¹Aᵀb)"
    assert form.hessian.text == "2(I − A(AᵀA)⁻¹Aᵀ)"


def test_the_transpose_of_an_idempotent_matrix_is_its_own_square() -> None:
    oblique = np.array([[1.0, 1.0], [0.0, 0.0]])
    form = wg.closed_form(
        lambda x, P: np.sum((P.T @ (P.T @ x)) ** 2), x[:2], oblique, assume={"P": "idempotent"}
    )
    assert form.gradient.text == "2PPᵀx"


def test_powers_by_their_exponent() -> None:
    form = wg.closed_form(lambda x: x**x, 1.4)
    assert form.function.text == "e^{x log(x)}"
    assert form.gradient.text == "e^{x log(x)}(log x + 1)"
    by_exponent = wg.closed_form(lambda p, x: np.sum(x**p), 1.5, np.abs(x))
    assert by_exponent.gradient.text == "log(x)ᵀe^{p log(x)}"


def test_norms_of_other_orders() -> None:
    form = wg.closed_form(lambda x: np.linalg.norm(x, 4), x)
    assert form.function.text == "(1ᵀ(x^{∘4}))^¼"
    assert form.gradient.text == "x^{∘3}/(1ᵀ(x^{∘4}))^¾"


MASK = np.array([True, False, True])


@pytest.mark.parametrize(
    ("f", "gradient"),
    [
        (lambda x: np.sum(np.where(MASK, x**2, 2 * x)), "2(c₁ ∘ x + 1 − c₁)"),
        (lambda x: np.sum((MASK * x) ** 2), "2c₁ ∘ x"),
        (lambda x: np.sum(np.where((x > 0) & (x < 1), x**2, 0)), "2x ∘ [x > 0] ∘ [x < 1]"),
        (lambda x: np.sum(np.where(~MASK | (x > 0), x**2, 0)), None),
        (lambda x: np.sum(np.cumsum(np.where(MASK, 1 / x, 0))), None),
        (lambda x: np.sum(np.tril(np.outer(x, x)) ** 2), None),
        (lambda x: np.arange(3) @ x, "c₁"),
    ],
)
def test_masks_are_read(f: Any, gradient: str | None) -> None:
    form = wg.closed_form(f, x)
    assert form.verification.passed
    assert gradient is None or form.gradient.text == gradient
    if gradient == "c₁":
        assert "where c₁ = (0, 1, 2)" in form.text
    np.testing.assert_allclose(form.gradient_function(x), wg.grad(f)(x), rtol=1e-12)


# ------------------------------------------------- where the formulas do not hold, differentiation


def test_other_shapes_than_those_of_the_examples() -> None:
    form = wg.closed_form(lambda x: np.mean(x**2), x)
    assert form.gradient.text == "⅔x"
    np.testing.assert_allclose(form.gradient_function(np.ones(5)), np.full(5, 2 / 5))
    np.testing.assert_allclose(form.hessian_function(np.ones(5)), 2 / 5 * np.eye(5))
    assert "# For arrays of these shapes: x (3)." in form.numpy


def test_numbers_whose_values_are_part_of_the_formulas() -> None:
    def f(x: Any, n: Any) -> Any:
        return np.sum(x**n)

    form = wg.closed_form(f, x, 3)
    assert form.gradient.text == "3x ∘ x"
    assert "# n is held at 3." in form.numpy
    np.testing.assert_allclose(form.gradient_function(x, 3), 3 * x**2)
    np.testing.assert_allclose(form.gradient_function(x, 2), 2 * x)
    form = wg.closed_form(f, np.abs(x), 1.5)
    np.testing.assert_allclose(form.gradient_function(np.abs(x), 2.0), 2 * np.abs(x))


def test_functions_that_branch_on_values() -> None:
    def f(x: Any) -> Any:
        return x @ x if x[0] > 0 else np.sum(x)

    form = wg.closed_form(f, np.ones(3))
    assert form.gradient.text == "2x"
    assert "branches on values" in form.text
    np.testing.assert_allclose(form.gradient_function(np.ones(3)), 2 * np.ones(3))
    np.testing.assert_allclose(form.gradient_function(-np.ones(3)), np.ones(3))


def test_integer_examples_are_floats() -> None:
    form = wg.closed_form(lambda x: x @ x, np.array([1, 2, 3]))
    assert form.gradient.text == "2x"
    np.testing.assert_allclose(form.gradient_function(np.array([1, 2, 3])), [2, 4, 6])


@pytest.mark.parametrize("shape", [(3,), (3, 1), (1, 3), (1,), (1, 1), ()])
def test_hessians_have_two_axes_whatever_computes_them(shape: tuple[int, ...]) -> None:
    form = wg.closed_form(lambda x: np.sum(x**3), np.full(shape, 0.7))
    by_formula = form.hessian_function(np.full(shape, 0.5))
    others = np.full(tuple(extent + (extent > 1) for extent in shape), 0.5)
    size = others.size
    assert np.shape(form.hessian_function(others)) == ((size, size) if size > 1 else ())
    assert np.ndim(by_formula) == np.ndim(form.hessian_function(others))
