"""A formula that prints: as text, LaTeX and MathML."""

from __future__ import annotations

from dataclasses import dataclass

from wengert.explaining.closed.latex import latex
from wengert.explaining.closed.markup import Markup, Row, Sign
from wengert.explaining.closed.mathml import document, mathml
from wengert.explaining.closed.terms import Term
from wengert.explaining.closed.typesetting import Typesetter
from wengert.explaining.closed.unicode import text

_EQUALS = Sign("=")


@dataclass(frozen=True, slots=True, repr=False)
class Formula:
    """One side of an equation, with what the short names in it stand for.

    term: what it is made of; left: what it equals, as ∇f; where: p = softmax(x) and the like.
    """

    term: Term
    left: Markup
    right: Markup
    where: tuple[tuple[Markup, Markup], ...] = ()

    @property
    def text(self) -> str:
        """The formula in Unicode, without what stands on its left and without the short names."""
        return text(self.right)

    @property
    def latex(self) -> str:
        """The formula in LaTeX, without dollar signs."""
        return latex(self.right)

    @property
    def mathml(self) -> str:
        """The formula as a `math` element."""
        return document(mathml(self.right))

    @property
    def equation(self) -> Markup:
        """Left side = right side."""
        return Row((self.left, _EQUALS, self.right))

    def __str__(self) -> str:
        where = ", ".join(f"{text(name)} = {text(meaning)}" for name, meaning in self.where)
        return f"{self.text}, where {where}" if where else self.text

    def __repr__(self) -> str:
        return f"<{text(self.left)} = {self}>"

    def _repr_latex_(self) -> str:
        where = ", ".join(f"{latex(name)} = {latex(meaning)}" for name, meaning in self.where)
        tail = rf" \quad\text{{where}}\quad {where}" if where else ""
        return f"$\\displaystyle {latex(self.equation)}{tail}$"


@dataclass(frozen=True, slots=True, repr=False)
class DerivationStep:
    """One line of a derivation: left = right, with the rule in a few words.

    term: the right side, which `setter` writes as markup when it is asked for.
    """

    left: Markup
    term: Term
    setter: Typesetter
    why: str

    @property
    def right(self) -> Markup:
        """The right side as markup."""
        return self.setter(self.term)

    @property
    def text(self) -> str:
        """The line in Unicode."""
        return f"{text(self.left)} = {text(self.right)}"

    @property
    def latex(self) -> str:
        """The line in LaTeX, without dollar signs."""
        return f"{latex(self.left)} = {latex(self.right)}"

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{self.text}>"
