"""What is known of a term from its form and from what was assumed of its symbols."""

from __future__ import annotations

from fractions import Fraction

from wengert.explaining.closed.terms import (
    Apply,
    Curvature,
    Det,
    Diag,
    Hadamard,
    Identity,
    Inner,
    Inverse,
    Ones,
    Product,
    Softmax,
    Sum,
    Symbol,
    Term,
    Trace,
    Transposed,
    Unit,
)

FACTS = frozenset(
    {"symmetric", "diagonal", "orthogonal", "positive definite", "signs", "positive", "idempotent"}
)
"""What may be assumed of an argument or a captured array."""

IMPLIED = {
    "diagonal": frozenset({"symmetric"}),
    "positive definite": frozenset({"symmetric"}),
}
"""A fact and what follows from it."""

NONNEGATIVE = frozenset(
    {"exp", "sigmoid", "softplus", "cosh", "abs", "relu", "step", "positive", "nonnegative"}
)
"""Elementwise functions that have no negative values."""


def is_symmetric(term: Term) -> bool:
    """Whether an atom is known to be its own transpose."""
    match term:
        case Symbol(facts=facts):
            return "symmetric" in facts
        case Identity() | Diag() | Curvature():
            return True
        case Inverse(of=of):
            return is_symmetric(of)
    return False


def is_nonnegative(term: Term) -> bool:
    """Whether every element of a term is known to be ≥ 0 wherever it is defined."""
    match term:
        case Symbol(facts=facts):
            return "positive" in facts
        case Apply(function=function):
            return function in NONNEGATIVE
        case Ones() | Unit() | Softmax():
            return True
        case Sum(parts=parts):
            return all(map(is_nonnegative, parts))
        case Product(coefficient=coefficient, scalars=scalars, factors=factors):
            return (
                coefficient >= 0
                and all(is_nonnegative_power(base, power) for base, power in scalars)
                and all(map(is_nonnegative, factors))
            )
        case Hadamard(powers=powers):
            return all(is_nonnegative_power(base, power) for base, power in powers)
        case Transposed(of=of) | Diag(of=of):
            return is_nonnegative(of)
        case Inner(factors=factors):
            return is_gram(factors) or all(map(is_nonnegative, factors))
        case Trace(factors=factors):
            return is_gram(factors)
        case Det(of=Symbol(facts=facts)):
            return "positive definite" in facts
    return False


def is_nonnegative_power(base: Term, power: Fraction) -> bool:
    """Whether base^power ≥ 0 wherever it is defined: an even power, a root, or a base ≥ 0."""
    return power.numerator % 2 == 0 or power.denominator != 1 or is_nonnegative(base)


def is_gram(factors: tuple[Term, ...]) -> bool:
    """Whether a chain is Mᵀ P M with P absent or positive definite, so that its number is ≥ 0."""
    half = len(factors) // 2
    if len(factors) == 1:
        return False
    if len(factors) % 2:
        middle = factors[half]
        if not (isinstance(middle, Symbol) and "positive definite" in middle.facts):
            return False
    return all(
        _are_transposes(first, last)
        for first, last in zip(factors[:half], reversed(factors), strict=False)
    )


def _are_transposes(first: Term, last: Term) -> bool:
    if isinstance(first, Transposed):
        return first.of == last
    if isinstance(last, Transposed):
        return last.of == first
    return first == last and is_symmetric(first)
