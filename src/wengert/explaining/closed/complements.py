"""σ(−u) as 1 − σ(u) in sums that hold both: (1 − t) ∘ σ(u) − t ∘ σ(−u) is σ(u) − t."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from wengert.explaining.closed.algebra import hadamard, power, times
from wengert.explaining.closed.functions import apply
from wengert.explaining.closed.sums import (
    add,
    negative,
    ones,
    parts_of,
    product,
    split,
    subtract,
)
from wengert.explaining.closed.terms import ONE, SCALAR, Apply, Hadamard, Sum, Term


def without_complements(term: Sum) -> Iterator[Term]:
    """The sum with one σ for two, products with sums written out."""
    found = {base for part in term.parts for base, _ in _elementwise(part)[1]}
    turned: dict[Term, Term] = {}
    for base in sorted(found, key=lambda base: base.key):
        if isinstance(base, Apply) and base.function == "sigmoid":
            straight = apply("sigmoid", negative(base.of))
            if straight in found and straight not in turned:
                turned[base] = subtract(ones(base.shape), straight)
    if turned:
        yield add(*[_spread(part, turned) for part in term.parts])


def _elementwise(part: Term) -> tuple[Term, tuple[tuple[Term, Fraction], ...]]:
    """(the number in front, elementwise powers) of a part of a sum."""
    coefficient, scalars, chain = split(part)
    if part.shape == SCALAR:
        return product(SCALAR, coefficient, (), ()), scalars
    array = product(part.shape, ONE, (), chain)
    front = product(SCALAR, coefficient, scalars, ())
    return front, array.powers if isinstance(array, Hadamard) else ((array, ONE),)


def _spread(part: Term, turned: Mapping[Term, Term]) -> Term:
    front, powers = _elementwise(part)
    result = ones(part.shape)
    for base, p in powers:
        factor = turned.get(base, base) if p == 1 else power(base, p)
        pieces = [hadamard(one, other) for one in parts_of(result) for other in parts_of(factor)]
        result = add(*pieces)
    return times(front, result)
