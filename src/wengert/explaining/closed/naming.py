"""What symbols are called on paper, and short names for what formulas use again and again.

p = softmax(…) and s = √(…) are named in gradients and Hessians: they are what textbooks name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from wengert.explaining.closed.algebra import transpose
from wengert.explaining.closed.markup import Name
from wengert.explaining.closed.terms import (
    Inner,
    Product,
    Softmax,
    Sum,
    Symbol,
    Term,
    Trace,
)

HALF = Fraction(1, 2)
_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "kappa": "κ", "lam": "λ", "lambda": "λ", "lamda": "λ", "lmbda": "λ",
    "mu": "μ", "nu": "ν", "xi": "ξ", "rho": "ρ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
"""Without sigma, which would be read as the logistic function."""
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def named(symbol: Symbol) -> Name:
    """A symbol as it is printed: `lam` as λ, `w1` and `w_1` as w₁, `x_train` with a subscript."""
    name, differential = symbol.name, ""
    if symbol.role == "differential" and len(name) > 1 and name[0] in "dδ":
        differential, name = name[0], name[1:]
    base, digits = re.fullmatch(r"(.*?)_*(\d*)_*", name.translate(_DIGITS)).groups()  # type: ignore[union-attr]
    if not digits and re.fullmatch(r"[^\W\d_]+_\w+", name):
        base, _, digits = name.partition("_")
        if len(_GREEK.get(base, base)) > 1:
            base, digits = name, ""
    if not base:
        base, digits = name, ""
    return Name(_GREEK.get(base, base), digits, differential)


@dataclass(frozen=True, slots=True)
class Abbreviations:
    """Short names: of terms, and of square roots of numbers (by what stands under the root).

    taken: the letters that symbols have, so that e and I are not used for something else.
    """

    terms: dict[Term, Name]
    roots: dict[Term, Name]
    taken: frozenset[str]

    def without_names(self) -> Abbreviations:
        """None of the short names."""
        return Abbreviations({}, {}, self.taken)


def abbreviations(shown: Iterable[Term], taken: Iterable[Symbol]) -> Abbreviations:
    """Names for what is named in the terms shown, other than the names that are taken."""
    letters = frozenset(named(symbol).base for symbol in taken)
    free = _Free(set(letters))
    terms: dict[Term, Name] = {}
    roots: dict[Term, Name] = {}
    for term in dict.fromkeys(part for whole in shown for part in subterms(whole)):
        if isinstance(term, Softmax) and term not in terms:
            terms[term] = free.one_of("pqπ" if term.shape[1] == 1 else "PQΠ")
        elif isinstance(term, Product):
            for base, power in term.scalars:
                if _is_root(base, power) and base not in roots:
                    roots[base] = free.one_of("stuv")
    return Abbreviations(terms, roots, letters)


def _is_root(base: Term, power: Fraction) -> bool:
    return isinstance(base, Sum) and power.denominator == HALF.denominator


class _Free:
    """Gives out names that are not taken."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        self.count = 0

    def one_of(self, letters: str) -> Name:
        for letter in letters:
            if letter not in self.taken:
                self.taken.add(letter)
                return Name(letter)
        self.count += 1
        return Name(letters[0], str(self.count))


def subterms(term: Term) -> Iterator[Term]:
    """A term and all that it is made of, inner ones first."""
    for inside in term.inside():
        yield from subterms(inside)
    yield term


def root_of_square(term: Term) -> tuple[Term, ...] | None:
    """The chain u where a number is uᵀu or tr(UᵀU), so that its root is a norm; else None."""
    if not isinstance(term, Inner | Trace) or len(term.factors) % 2:
        return None
    middle = len(term.factors) // 2
    left, right = term.factors[:middle], term.factors[middle:]
    mirrored = all(
        transpose(one) == other for one, other in zip(reversed(left), right, strict=True)
    )
    return right if mirrored else None
