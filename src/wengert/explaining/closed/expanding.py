"""Sums written out, where much cancels then.

M(Mx − 2x) + x = x − Mx   for M = A(AᵀA)⁻¹Aᵀ
(1 − t) ∘ σ(u) − t ∘ σ(−u) = σ(u) − t
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from wengert.explaining.closed.algebra import hadamard, multiply, power, times
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


def expanded(term: Sum) -> Iterator[Term]:
    """The sum with the brackets in its chains multiplied out, where there are any."""
    if any(_bracket(part) is not None for part in term.parts):
        yield add(*map(_multiplied_out, term.parts))


def _bracket(part: Term) -> int | None:
    """The place of the first sum in the chain of a part."""
    chain = split(part)[2]
    return next((k for k, f in enumerate(chain) if len(chain) > 1 and len(parts_of(f)) > 1), None)


def _multiplied_out(part: Term) -> Term:
    place = _bracket(part)
    if place is None:
        return part
    coefficient, scalars, chain = split(part)
    front = product(SCALAR, coefficient, scalars, ())
    pieces = [
        multiply(*chain[:place], piece, *chain[place + 1 :]) for piece in parts_of(chain[place])
    ]
    return times(front, add(*pieces))


def without_complements(term: Sum) -> Iterator[Term]:
    """The sum with σ(u) for σ(−u), which is 1 − σ(u), and its products with sums written out."""
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
