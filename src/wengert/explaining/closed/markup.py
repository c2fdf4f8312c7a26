"""What a formula is made of on paper: names, rows, superscripts, quotients, brackets.

Terms are turned into markup once (`typesetting`); text, LaTeX and MathML are three renderings of
it. Precedence is settled here for all of them, but for quotients, which need brackets on a line and
none where they are written in two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier: one letter, Greek or Latin, or a word; with a subscript; after a d or δ.

    Without a base it is the d alone.
    """

    base: str
    subscript: str = ""
    differential: str = ""

    @property
    def is_word(self) -> bool:
        return len(self.base) > 1 or (not self.subscript.isdigit() and bool(self.subscript))


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written, without a sign."""

    text: str


@dataclass(frozen=True, slots=True)
class Sign:
    """+ − ∘ ⊘ = and the like; spaced between two operands, close before one."""

    text: str
    spaced: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """Operands and signs one after the other."""

    items: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Juxtaposed:
    """A product: factors side by side."""

    items: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Superscript:
    base: Markup
    exponent: Markup


@dataclass(frozen=True, slots=True)
class Quotient:
    over: Markup
    under: Markup


@dataclass(frozen=True, slots=True)
class Root:
    of: Markup


@dataclass(frozen=True, slots=True)
class Fence:
    """Brackets: (·), [·], ⟨·⟩, |·|, ‖·‖; with a subscript, as ‖·‖_F."""

    left: str
    of: Markup
    right: str
    subscript: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A named function of something; fenced: in brackets, as `log x` need not be."""

    name: str
    of: Markup
    power: str = ""
    fenced: bool = True


Markup: TypeAlias = (
    Name | Number | Sign | Row | Juxtaposed | Superscript | Quotient | Root | Fence | Call
)

MINUS = Sign("−", spaced=False)
TRANSPOSE = Sign("ᵀ", spaced=False)
COMMA = Sign(", ", spaced=False)


def bracketed(of: Markup) -> Markup:
    """(·)"""
    return Fence("(", of, ")")
