"""Derivations as formulas, steps and pages: what `ClosedForm` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from wengert.explaining.closed.formula import DerivationStep, Formula
from wengert.explaining.closed.latex import latex
from wengert.explaining.closed.markup import (
    COMMA,
    MINUS,
    Call,
    Fence,
    Juxtaposed,
    Markup,
    Name,
    Number,
    Row,
    Sign,
    Superscript,
    bracketed,
)
from wengert.explaining.closed.mathml import document, mathml
from wengert.explaining.closed.naming import Abbreviations, abbreviations
from wengert.explaining.closed.problem import Derivation, Named, Problem
from wengert.explaining.closed.terms import Term
from wengert.explaining.closed.typesetting import Level, Typesetter
from wengert.explaining.closed.unicode import text

_PRIME, _PRIMES = Sign("′", spaced=False), Sign("″", spaced=False)
_NABLA = Name("∇")
_FEW = 6
"""Arrays of more elements are said by their shape."""


@dataclass(frozen=True, slots=True)
class Formulas:
    """What was derived, as it prints; None where there is none."""

    function: Formula
    gradient: Formula | None
    hessian: Formula | None
    second: Formula | None
    steps: tuple[DerivationStep, ...]


def formulas(derivation: Derivation) -> Formulas:
    """The function, its derivatives and the lines between them."""
    problem = derivation.problem
    mapped = derivation.direction is not None
    results = [derivation.gradient, derivation.hessian_map if mapped else derivation.hessian]
    shown = [term for term in (*results, derivation.second) if term is not None]
    taken = {symbol for term in (derivation.function, *shown) for symbol in term.free}
    short = abbreviations(shown, taken)
    plain, setter = Typesetter(short.without_names()), Typesetter(short)

    def made(left: Markup, term: Term | None, setter: Typesetter) -> Formula | None:
        if term is None:
            return None
        where = [*_meanings(problem, plain, term), *_definitions(setter.short, term)]
        return Formula(term, left, setter(term), tuple(where))

    left = _lefts(derivation, short)
    function = made(left["f"], derivation.function, plain)
    assert function is not None
    steps = tuple(
        DerivationStep(left[line.left], line.term, plain if line.left == "f" else setter, line.why)
        for line in derivation.lines
    )
    return Formulas(
        function,
        made(left["gradient"], results[0], setter),
        made(left["hessian"], results[1], setter),
        made(left["d²f"], derivation.second, setter),
        steps,
    )


def _lefts(derivation: Derivation, short: Abbreviations) -> dict[str, Markup]:
    """f, df, d²f, ∇f and ∇²f; f′ and f″ of a number; ∇²f[V] of a matrix."""
    letter = next((letter for letter in "fgFG" if letter not in short.taken), "f")
    f, two = Name(letter), Number("2")
    lines: dict[str, Markup] = {
        "f": f,
        "df": Name(letter, differential="d"),
        "d²f": Juxtaposed((Superscript(Name("", differential="d"), two), f)),
    }
    if derivation.problem.variable.is_scalar:
        return lines | {"gradient": Row((f, _PRIME)), "hessian": Row((f, _PRIMES))}
    second: tuple[Markup, ...] = (Superscript(_NABLA, two), f)
    if derivation.direction is not None:
        along = Typesetter(short.without_names())(derivation.direction)
        second = (*second, Fence("[", along, "]"))
    return lines | {"gradient": Juxtaposed((_NABLA, f)), "hessian": Juxtaposed(second)}


def _computation(setter: Typesetter, named: Named) -> Markup:
    """cumsum(x), x[1:]: how an intermediate is computed."""
    head, _, tail = (named.operation or "").partition("{}")
    items: list[Markup] = []
    for term in named.inputs:
        inside = setter(term) if head else setter.at(term, Level.ATOM)
        items += [COMMA, inside] if items else [inside]
    name, rest = head.removesuffix("("), tail.removesuffix(")") if head else tail
    given = Row((*items, *([Sign(rest, spaced=False)] if rest else [])))
    return Call(name, given) if name else given


def _array(value: Any) -> Markup:
    """An array that the function makes: its elements where they are few, else its shape."""
    few = np.ndim(value) == 1 and np.size(value) <= _FEW
    numbers = [f"{number:g}" for number in value] if few else list(map(str, np.shape(value)))
    items: list[Markup] = []
    for number in numbers:
        sign = [MINUS] if number.startswith("-") else []
        items += [*([COMMA] if items else []), *sign, Number(number.removeprefix("-"))]
    return bracketed(Row(tuple(items))) if few else Call("constant", Row(tuple(items)))


def _meanings(problem: Problem, setter: Typesetter, term: Term) -> list[tuple[Markup, Markup]]:
    """z₁ = cumsum(x): the intermediates of a term, and those that they are computed from; arrays
    that the function makes."""
    made = [one for one in problem.constants if not one.is_outside]
    inside = set(_everything(term)) if problem.intermediates or made else set()
    found: list[tuple[Markup, Markup]] = []
    for one in reversed(problem.intermediates):
        if one.symbol in inside and one.operation is not None:
            inside.update(part for given in one.inputs for part in _everything(given))
            found.insert(0, (setter(one.symbol), _computation(setter, one)))
    return [(setter(one.symbol), _array(one.value)) for one in made if one.symbol in inside] + found


def _definitions(short: Abbreviations, term: Term) -> Iterator[tuple[Markup, Markup]]:
    """p = softmax(x), s = √(1 + xᵀx): those that occur in a term."""
    inside = set(_everything(term))
    for named, name in short.terms.items():
        if named in inside:
            others = {t: n for t, n in short.terms.items() if t is not named}
            yield name, Typesetter(replace(short, terms=others)).unnamed(named)
    for base, name in short.roots.items():
        if base in inside:
            yield name, Typesetter(replace(short, roots={})).root(base)


def _everything(term: Term) -> Iterator[Term]:
    yield term
    for inside in term.inside():
        yield from _everything(inside)


# ------------------------------------------------------------------------------------------ pages


@dataclass(frozen=True, slots=True)
class Page:
    """Equations in groups, each with its left side once, and remarks."""

    groups: Sequence[tuple[Markup, Sequence[Markup]]]
    where: Sequence[tuple[Markup, Markup]]
    remark: str

    @property
    def text(self) -> str:
        lines = []
        for left, rights in self.groups:
            head = text(left)
            lines.append(f"{head} = {text(rights[0])}")
            lines += [f"{' ' * len(head)} = {text(right)}" for right in rights[1:]]
        lines += [f"where {text(name)} = {text(meaning)}" for name, meaning in self.where]
        return "\n".join([*lines, *([f"({self.remark})"] if self.remark else [])])

    @property
    def latex(self) -> str:
        lines = []
        for left, rights in self.groups:
            lines.append(f"{latex(left)} &= {latex(rights[0])}")
            lines += [f"&= {latex(right)}" for right in rights[1:]]
        lines += [
            rf"\text{{where}}\quad {latex(name)} &= {latex(meaning)}"
            for name, meaning in self.where
        ]
        return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"

    @property
    def mathml(self) -> str:
        rows = []
        for left, rights in self.groups:
            for k, right in enumerate(rights):
                rows.append(_row(mathml(left) if k == 0 else "", mathml(right)))
        rows += [
            _row(f"<mtext>where&#xA0;</mtext>{mathml(name)}", mathml(meaning))
            for name, meaning in self.where
        ]
        return document(f"<mtable>{''.join(rows)}</mtable>")


_RIGHT, _LEFT = 'style="text-align: right"', 'style="text-align: left"'


def _row(left: str, right: str) -> str:
    return (
        f"<mtr><mtd {_RIGHT}><mrow>{left}</mrow></mtd><mtd><mo>=</mo></mtd>"
        f"<mtd {_LEFT}><mrow>{right}</mrow></mtd></mtr>"
    )


def page(
    found: Sequence[Formula | None], steps: Sequence[DerivationStep | Formula], remark: str
) -> Page:
    """The derivation, then the formulas, then what short names stand for."""
    groups: list[tuple[Markup, Sequence[Markup]]] = [
        (left, [step.right for step in group])
        for left, group in groupby(steps, key=lambda step: step.left)
    ]
    shown = [formula for formula in found if formula is not None]
    groups += [(formula.left, [formula.right]) for formula in shown]
    where = dict.fromkeys(pair for formula in shown for pair in formula.where)
    return Page(groups, list(where), remark)
