"""`closed_form`: gradient and Hessian of a NumPy function as formulas, with their derivation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

from wengert.errors import WengertTypeError
from wengert.explaining.closed.binding import bound
from wengert.explaining.closed.calling import Call, arrays_for_lists
from wengert.explaining.closed.deriving import derive
from wengert.explaining.closed.formula import DerivationStep, Formula
from wengert.explaining.closed.lifting import lift
from wengert.explaining.closed.problem import Derivation
from wengert.explaining.closed.setting import Formulas, Page, formulas, page
from wengert.explaining.closed.source import Written, parameters, source
from wengert.explaining.closed.unicode import text
from wengert.explaining.closed.verifying import Verification, verified
from wengert.lazy import module

if TYPE_CHECKING:
    from rich.console import RenderableType

_NUMERIC = "gradient_function and hessian_function differentiate automatically"


@dataclass(frozen=True, slots=True, repr=False)
class ClosedForm:
    """Gradient and Hessian of a function as formulas, and how they were derived.

    function: the function as a formula.
    gradient: the formula of the gradient, None where there is none to show (`verification` says
        why); it prints as text, and has `.text`, `.latex`, `.mathml` and `.term`.
    hessian: of the Hessian; for a matrix X that of V ↦ H[V], the derivative of the gradient in the
        direction V.
    second: for a matrix X the formula of d²f with V for dX, else None.
    steps: the lines of the derivation.
    numpy: source of functions that compute them, with NumPy alone.
    gradient_function, hessian_function: take the arguments of the function (and V last, where X is
        a matrix). They run the source; where it does not hold (no formula, other shapes than those
        of the examples, other values of arguments that are no arrays, a function that branches)
        they differentiate automatically.
    verification: at how many random points formulas and source agree with automatic
        differentiation, and the largest difference.
    """

    function: Formula
    gradient: Formula | None
    hessian: Formula | None
    second: Formula | None
    steps: tuple[DerivationStep, ...]
    numpy: str
    gradient_function: Callable[..., Any]
    hessian_function: Callable[..., Any]
    verification: Verification | None
    derivation: Derivation

    @property
    def text(self) -> str:
        """The derivation and what comes out, in Unicode."""
        return self._page().text

    @property
    def latex(self) -> str:
        """The derivation and what comes out, as an `align*` environment."""
        return self._page().latex

    @property
    def mathml(self) -> str:
        """The derivation and what comes out, as a `math` element that browsers draw."""
        return self._page().mathml

    def _page(self) -> Page:
        """All that is printed; where there is no formula, why."""
        checked = self.verification
        remark = ""
        if checked is not None and not checked.passed:
            remark = f"no formula is shown: {checked.reason}; {_NUMERIC}"
        elif checked is not None and checked.steps:
            remark = f"the steps are not shown: {checked.steps}"
        elif self.derivation.problem.branched:
            remark = "the function branches on values: this is the branch that the examples take"
        elif self.hessian is None:
            remark = f"the Hessian has no formula here; {_NUMERIC}"
        return page([self.gradient, self.hessian], self.steps or [self.function], remark)

    def __repr__(self) -> str:
        return self.text

    def __rich__(self) -> RenderableType:
        text: RenderableType = module("rich.text").Text(self.text)
        return text

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex.replace('align*', 'aligned')}\n$$"

    def _repr_html_(self) -> str:
        return f"<div class='wengert-closed-form'>{self.mathml}</div>"


def closed_form(
    f: Callable[..., Any],
    *examples: Any,
    wrt: str | int | None = None,
    assume: Mapping[str, Any] | None = None,
) -> ClosedForm:
    """Gradient and Hessian of a function as formulas, derived by differentials.

    The function is traced, its graph is read as matrix calculus, differentiated twice by rules for
    differentials, and brought to its shortest form. Formulas and source are compared with automatic
    differentiation at three random points near the examples before they are shown; a formula that
    does not agree is not shown, and the result says so.

    Parameters
    ----------
    f
        A function written with NumPy that returns one real number.
    examples
        Arguments for it: numbers, arrays, or structures of them; a list of numbers is taken as an
        array. Their shapes say which are columns
        and which are matrices; their values say where formulas are compared.
    wrt
        The argument to differentiate by, by its name or place; by default the first that holds
        floats.
    assume
        What holds of arguments and of arrays read from outside, by name: "symmetric", "diagonal",
        "orthogonal", "positive definite", "idempotent", "signs" (each element 1 or −1) or
        "positive"; a tuple where several hold.

    Returns
    -------
    A `ClosedForm`, which prints as its derivation and has the formulas as text, LaTeX, MathML and
    NumPy source. What is no matrix calculus has a name in it, z₁ = cumsum(x), and stays in the
    formulas with its Jacobian.

    Raises
    ------
    WengertTypeError
        Where there are no examples, the function returns no real number, or an argument cannot be
        traced.
    WengertValueError
        Where `wrt` or `assume` names nothing of the function, an example contradicts what is
        assumed, or the function is too long for a formula (hundreds of operations, as an unrolled
        loop has).

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> A, b = np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 1.0]]), np.array([1.0, 0.0, 2.0])
    >>> form = wg.closed_form(lambda x: 0.5 * np.sum((A @ x - b) ** 2), np.array([0.3, 0.5]))
    >>> print(form.gradient)
    Aᵀ(Ax − b)
    >>> print(form.hessian)
    AᵀA
    >>> form.gradient_function(np.array([0.0, 0.0]))
    array([-3., -4.])

    Source: Magnus & Neudecker, *Matrix Differential Calculus*; Minka 2000, *Old and New Matrix
    Algebra Useful for Statistics*.
    """
    return derived(f, examples, wrt, assume, verify=True)


def derived(
    f: Callable[..., Any],
    examples: Sequence[Any],
    wrt: str | int | None,
    assume: Mapping[str, Any] | None,
    *,
    verify: bool,
) -> ClosedForm:
    if not examples:
        raise WengertTypeError(
            "closed_form needs an example of each argument, which says what is a number, a column "
            "or a matrix: write closed_form(f, np.ones(3))"
        )
    examples = arrays_for_lists(examples)
    problem = lift(f, examples, wrt, assume)
    if prod(problem.shape) != 1:
        raise WengertTypeError(
            f"closed_form needs a function that returns one real number, but {problem.name} "
            f"returned an array of shape {problem.shape}: sum its elements, or take one of them"
        )
    derivation = derive(problem)
    call = Call.of(f, examples, problem)
    shown = formulas(derivation)
    functions = _functions(derivation, shown)
    given = parameters(problem, call.names, [one.term for one in functions])
    code = source(problem, given, functions, call.remarks())
    computed = bound(code, problem, given)
    checked = None
    if verify:
        checked = verified(call, derivation, computed, given.arrays)
        if not checked.passed:
            shown = Formulas(shown.function, None, None, None, ())
            computed, code = {}, ""
        elif checked.steps:
            shown = replace(shown, steps=())
    return ClosedForm(
        function=shown.function,
        gradient=shown.gradient,
        hessian=shown.hessian,
        second=shown.second,
        steps=shown.steps,
        numpy=code,
        gradient_function=call.of_arguments("gradient", computed.get("gradient")),
        hessian_function=call.of_arguments("hessian", computed.get("hessian")),
        verification=checked,
        derivation=derivation,
    )


def _functions(derivation: Derivation, shown: Formulas) -> list[Written]:
    """The functions of the source."""
    functions = [Written("function", f"f = {shown.function}", derivation.function)]
    matrix = derivation.direction is not None
    second = derivation.hessian_map if matrix else derivation.hessian
    if derivation.gradient is not None and shown.gradient is not None:
        says = f"{text(shown.gradient.left)} = {shown.gradient}"
        functions.append(Written("gradient", says, derivation.gradient, None, like_variable=True))
    if second is not None and shown.hessian is not None:
        says = f"{text(shown.hessian.left)} = {shown.hessian}"
        functions.append(
            Written("hessian", says, second, derivation.direction, like_variable=matrix)
        )
    return functions
