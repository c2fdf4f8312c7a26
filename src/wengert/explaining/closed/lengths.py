"""How long terms are when they are written."""

from __future__ import annotations

from wengert.explaining.closed.terms import (
    Hadamard,
    Identity,
    Inner,
    Product,
    Sum,
    Symbol,
    Term,
    Trace,
    Transposed,
)

_BRACKET = 0.5
_NESTED = 0.75


def written_length(term: Term) -> float:
    """How long a term is when it is written: symbols, and brackets, nested ones more."""
    return _length(term)[0]


def _length(term: Term) -> tuple[float, bool]:
    """(length, whether there are brackets in it)."""
    match term:
        case Symbol() | Identity():
            return 1.0, False
        case Sum(parts=parts):
            found = [_length(part) for part in parts]
            return sum(length for length, _ in found), any(nested for _, nested in found)
        case Product(coefficient=coefficient, scalars=scalars, factors=factors):
            length = 0.0 if abs(coefficient) == 1 and (scalars or factors) else 1.0
            nested = False
            for piece in [base for base, _ in scalars] + list(factors):
                inside, brackets = _length(piece)
                length += inside
                nested = nested or brackets
                bare = piece.of if isinstance(piece, Transposed) else piece
                if isinstance(bare, Sum):
                    length += _BRACKET + (_NESTED if brackets else 0)
                    nested = True
            return length, nested
        case Hadamard(powers=powers):
            found = [_length(base) for base, _ in powers]
            count = sum(
                length * abs(p.numerator) if abs(p) in (2, 3) else length + (p != 1)
                for (length, _), (_, p) in zip(found, powers, strict=True)
            )
            return float(count), any(isinstance(base, Sum) for base, _ in powers)
        case Inner(factors=factors) | Trace(factors=factors):
            found = [_length(factor) for factor in factors]
            return sum(length for length, _ in found), False
    return 1.0 + sum(_length(inside)[0] for inside in term.inside()), False
