"""Four closed forms, with their derivations."""

from __future__ import annotations

from html import escape
from types import ModuleType
from typing import Any

from wengert.cli.report.markup import Section, greatest, number, paragraph
from wengert.explaining.closed.form import ClosedForm, closed_form
from wengert.explaining.closed.formula import DerivationStep, Formula
from wengert.explaining.closed.markup import Row, Sign
from wengert.explaining.closed.mathml import document, mathml

_EQUALS = Sign("=")


def formulas(program: ModuleType) -> Section:
    """program: examples/closed_forms.py, which has them by hand too."""
    x, known = program.problems()
    cards, offs = [], []
    for name, by_hand in known.items():
        form = closed_form(by_hand.f, x)
        off = max(
            greatest(form.gradient_function(x), by_hand.gradient(x)),
            greatest(form.hessian_function(x), by_hand.hessian(x)),
        )
        offs.append(off)
        cards.append(_card(name, form, off))
    return Section(
        "closed-forms",
        "Gradients and Hessians as formulas",
        paragraph(
            "From the graph of a plain NumPy function, <code>wengert.closed_form</code> derives "
            "its gradient and Hessian as one would on paper: write the differential, move dx to "
            "the right, read off what it is multiplied with. Each formula is compared with "
            "automatic differentiation at random points before it is shown."
        )
        + "".join(cards),
        (str(len(known)), f"closed forms, at most {number(max(offs), 2)} off those by hand"),
    )


def _card(name: str, form: ClosedForm, off: float) -> str:
    lines = "".join(map(_line, form.steps))
    return (
        f'<article class="formula"><h3>{escape(name)}</h3><dl>'
        f"{_row('function', form.function)}{_row('gradient', form.gradient)}"
        f"{_row('Hessian', form.hessian)}</dl>"
        f'<h4>Derivation</h4><ol class="steps">{lines}</ol>'
        f"<h4>As NumPy</h4><pre><code>{escape(_closer(form.numpy))}</code></pre>"
        f'<p class="about">{escape(_verified(form, off))}</p></article>'
    )


def _row(what: str, formula: Formula | None) -> str:
    if formula is None:
        return f"<dt>{what}</dt><dd>none was found</dd>"
    where = "".join(
        f" where {document(mathml(Row((short, _EQUALS, meaning))), block=False)}"
        for short, meaning in formula.where
    )
    return f"<dt>{what}</dt><dd>{document(mathml(formula.right), block=False)}{where}</dd>"


def _line(step: DerivationStep) -> str:
    written = document(mathml(Row((step.left, _EQUALS, step.right))), block=False)
    return (
        f'<li><span class="math">{written}</span><span class="why">{escape(step.why)}</span></li>'
    )


def _closer(source: str) -> str:
    """With one empty line where there are two."""
    return source.strip().replace("\n\n\n", "\n\n")


def _verified(form: ClosedForm, off: float) -> str:
    found: Any = form.verification
    checked = "" if found is None else f"Checked at {found.points} random points. "
    if not off:
        return f"{checked}It agrees with the one by hand in every bit."
    return f"{checked}It differs from the one by hand by at most {number(off, 2)}."
