"""The chain rule of a step, written out in both modes.

    forward    v̇ᵢ = Σⱼ ∂vᵢ/∂vⱼ v̇ⱼ        reverse    v̄ⱼ = Σᵢ v̄ᵢ ∂vᵢ/∂vⱼ

First with the signs ∂vᵢ/∂vⱼ, then with the local derivatives in their places, where these have
short formulas.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from wengert.explaining.formulas import (
    APPLY,
    ATOM,
    POWER,
    PRODUCT,
    SIGN,
    SUM,
    Formula,
    compose,
    strength_of,
)
from wengert.explaining.notation import barred, barred_in_latex, dotted, dotted_in_latex
from wengert.explaining.steps import Partial, Step, Steps

ONE, ZERO = Formula("1", "1"), Formula("0", "0")
MOST_TERMS = 6


def adjoint(step: Step) -> Formula:
    """v̄ for v."""
    return Formula(barred(step.name), barred_in_latex(step.latex), POWER)


def tangent(step: Step) -> Formula:
    """v̇ for v."""
    return Formula(dotted(step.name), dotted_in_latex(step.latex), POWER)


def of_adjoint(steps: Steps, step: Step) -> tuple[Formula, Formula]:
    """(the sum that an adjoint is, the same with the local derivatives in their places)."""
    signs = [] if step.seed is None else [ONE]
    places = list(signs)
    for name, _ in step.terms[:MOST_TERMS]:
        user = steps[name]
        (partial,) = [part for part in user.partials if part.arg == step.name] or [None]
        sign = _pulled_back_sign(user, step, partial)
        signs.append(sign)
        places.append(_pulled_back(partial, adjoint(user)) or sign)
    more = len(step.terms) > MOST_TERMS
    return _sum(signs, more), _sum(places, more)


def of_tangent(steps: Steps, step: Step) -> tuple[Formula, Formula]:
    """(the sum that a tangent is, the same with the local derivatives in their places)."""
    signs, places = [], []
    for partial in step.partials[:MOST_TERMS]:
        operand = steps[partial.arg]
        sign = compose("{0}·{1}", [_symbol(step, operand), tangent(operand)])
        signs.append(sign)
        places.append(_times(partial, tangent(operand)) or sign)
    more = len(step.partials) > MOST_TERMS
    return _sum(signs, more), _sum(places, more)


def _symbol(user: Step, operand: Step) -> Formula:
    """∂vᵢ/∂vⱼ."""
    return Formula(
        f"∂{user.name}/∂{operand.name}",
        rf"\frac{{\partial {user.latex}}}{{\partial {operand.latex}}}",
    )


def _pulled_back_sign(user: Step, operand: Step, partial: Partial | None) -> Formula:
    """v̄ᵢ·∂vᵢ/∂vⱼ; of arrays, unless it goes element by element, (∂vᵢ/∂vⱼ)ᵀ v̄ᵢ."""
    symbol, factor = _symbol(user, operand), adjoint(user)
    if partial is None or partial.value is not None or not (user.shape or operand.shape):
        return compose("{0}·{1}", [factor, symbol])
    return Formula(
        f"({symbol.text})ᵀ {factor.text}",
        rf"\left({symbol.latex}\right)^{{\mathsf{{T}}}} {factor.latex}",
        PRODUCT,
    )


def _pulled_back(partial: Partial | None, factor: Formula) -> Formula | None:
    """What an operand has of the adjoint of a step; None where it has no short formula."""
    if partial is not None and partial.pullback:
        return _applied(Formula(partial.pullback, partial.pullback_latex), factor)
    return None if partial is None or "↦" in partial.formula else _times(partial, factor)


def _times(partial: Partial | None, factor: Formula) -> Formula | None:
    """A local derivative times a tangent or an adjoint; None where it has no short formula."""
    if partial is None or not partial.formula:
        return None
    slope = Formula(partial.formula, partial.latex, strength_of(partial.formula))
    if "↦" in slope.text:
        return _applied(slope, factor)
    if slope.text == "0":
        return ZERO
    if slope.strength == SIGN:
        product = _product(_negated(slope), factor)
        return Formula(f"−{product.text}", f"-{product.latex}", SIGN)
    return _product(slope, factor)


def _product(slope: Formula, factor: Formula) -> Formula:
    if slope.text == "1":
        return factor
    if slope.text.startswith("1/"):
        latex = slope.latex.replace(r"\frac{1}", rf"\frac{{{factor.latex}}}", 1)
        return Formula(factor.text + slope.text[1:], latex, PRODUCT)
    if slope.strength == APPLY:
        return Formula(f"{factor.text}·{slope.text}", rf"{factor.latex} \, {slope.latex}", PRODUCT)
    slope = slope.within(PRODUCT if slope.strength == PRODUCT else POWER)
    return Formula(f"{slope.text}·{factor.text}", rf"{slope.latex} \, {factor.latex}", PRODUCT)


def _applied(linear_map: Formula, to: Formula) -> Formula:
    """h ↦ A h, of v̇: A v̇."""
    variable, text = linear_map.text.split(" ↦ ", 1)
    latex = linear_map.latex.split(r" \mapsto ", 1)[1]
    variable_latex = linear_map.latex.split(r" \mapsto ", 1)[0]
    word, letters = (rf"(?<![\w\\]){re.escape(v)}(?!(?!ᵀ)\w)" for v in (variable, variable_latex))
    raised = to.within(ATOM) if "^" in to.latex else to  # (x⁽¹⁾)ᵀ
    text = re.sub(word + "(?=ᵀ)", lambda _: raised.text, text)
    latex = re.sub(letters + r"(?=\^)", lambda _: raised.latex, latex)
    moved = re.sub(word, lambda _: to.text, text), re.sub(letters, lambda _: to.latex, latex)
    return Formula(*moved, strength_of(text))


def _negated(formula: Formula) -> Formula:
    text = formula.text[1:]
    return Formula(text, formula.latex.removeprefix("-"), strength_of(text))


def _sum(terms: Sequence[Formula], more: bool = False) -> Formula:
    """The terms with plus signs and minus signs between them."""
    terms = [term for term in terms if term.text != "0"] or [ZERO]
    text, latex = terms[0].text, terms[0].latex
    for term in terms[1:]:
        if term.strength == SIGN:
            term = _negated(term)
            text, latex = f"{text} − {term.text}", f"{latex} - {term.latex}"
        else:
            text, latex = f"{text} + {term.text}", f"{latex} + {term.latex}"
    if more:
        text, latex = f"{text} + …", rf"{latex} + \dots"
    return Formula(text, latex, SUM if len(terms) > 1 else ATOM)
