"""Constructors of terms in normal form: sums, powers of bases, transposes.

add        like parts are merged; a number times a Sum is distributed
gathered   x² x is x³, e^u e^v is e^(u+v), a sign to an even power is 1
transpose  (AB)ᵀ = Bᵀ Aᵀ ; a Sum stays whole, so that r = Ax − b is seen in rᵀ
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd, isqrt
from typing import TypeAlias

from wengert.explaining.closed.facts import is_nonnegative, is_symmetric
from wengert.explaining.closed.terms import (
    ONE,
    SCALAR,
    Apply,
    Diag,
    Hadamard,
    Identity,
    Inverse,
    Ones,
    Product,
    Shape,
    Sum,
    Symbol,
    Term,
    Transposed,
    is_zero,
    number,
    zero,
)

Power: TypeAlias = "tuple[Term, Fraction]"
"""A base and its exponent."""


# ------------------------------------------------------------------------------------- taking apart


def parts_of(term: Term) -> tuple[Term, ...]:
    """The summands of a term; those of the transpose of a Sum are transposed."""
    if isinstance(term, Sum):
        return term.parts
    if isinstance(term, Transposed) and isinstance(term.of, Sum):
        return tuple(map(transpose, term.of.parts))
    return (term,)


def split(term: Term) -> tuple[Fraction, tuple[Power, ...], tuple[Term, ...]]:
    """(coefficient, powers of numbers, chain) of any term but a zero."""
    if isinstance(term, Product):
        return term.coefficient, term.scalars, term.factors
    if term.shape == SCALAR:
        return ONE, ((term, ONE),), ()
    return ONE, (), (term,)


def product(
    shape: Shape,
    coefficient: Fraction,
    scalars: Iterable[Power],
    chain: Sequence[Term],
) -> Term:
    """The term of a coefficient, powers of numbers and a chain that are in normal form."""
    if not coefficient:
        return zero(shape)
    scalars, chain = tuple(scalars), tuple(chain)
    for base, p in scalars:
        if isinstance(base, Product) and not base.scalars and p.denominator == 1:  # √2 √2 is 2
            rest = [pair for pair in scalars if pair[0] != base]
            return product(shape, coefficient * base.coefficient ** int(p), rest, chain)
    if not scalars and len(chain) == 1:
        if coefficient == 1:
            return chain[0]
        if isinstance(chain[0], Sum):
            return add(*[scale(coefficient, part) for part in chain[0].parts])
    if not chain and len(scalars) == 1 and scalars[0][1] == 1:
        base = scalars[0][0]
        if coefficient == 1:
            return base
        if isinstance(base, Sum):
            return add(*[scale(coefficient, part) for part in base.parts])
    return Product(shape, coefficient, scalars, chain)


def coefficient_of(term: Term) -> Fraction:
    """The rational factor of a term that is no Sum."""
    return term.coefficient if isinstance(term, Product) else ONE


# --------------------------------------------------------------------------------------------- sums


def scale(coefficient: Fraction | int, term: Term) -> Term:
    """A rational number times a term."""
    if coefficient == 1 or is_zero(term):
        return term
    if not coefficient:
        return zero(term.shape)
    if isinstance(term, Sum):
        return add(*[scale(coefficient, part) for part in term.parts])
    first, scalars, chain = split(term)
    return product(term.shape, first * coefficient, scalars, chain)


def negative(term: Term) -> Term:
    return scale(-1, term)


def is_negative(term: Term) -> bool:
    """Whether a term is written with a minus sign in front."""
    if isinstance(term, Sum):
        return sum(coefficient_of(part) < 0 for part in term.parts) * 2 > len(term.parts)
    return coefficient_of(term) < 0


def add(*terms: Term) -> Term:
    """The sum of terms of one shape, like parts merged, in an order of its own."""
    if len(terms) == 1:
        return terms[0]
    shape = terms[0].shape
    if shape[0] == 1 < shape[1]:
        return transpose(add(*map(transpose, terms)))
    merged: dict[tuple[object, object], Fraction] = {}
    for term in terms:
        if term.shape != shape:
            raise ValueError(f"a sum of shapes {shape} and {term.shape}")
        for part in parts_of(term):
            coefficient, scalars, chain = split(part)
            if is_one_sum(scalars, chain):  # a number times a Sum, made by factoring
                inside = chain[0] if chain else scalars[0][0]
                pieces = [(coefficient * c, s, f) for c, s, f in map(split, parts_of(inside))]
            else:
                pieces = [(coefficient, scalars, chain)]
            for value, base, factors in pieces:
                key = (base, factors)
                merged[key] = merged.get(key, Fraction(0)) + value
    parts = [product(shape, c, s, f) for (s, f), c in merged.items() if c]  # type: ignore[arg-type]
    if len(parts) == 1:
        return parts[0]
    return Sum(shape, tuple(sorted(parts, key=_place_in_sum)))


def is_one_sum(scalars: Sequence[Power], chain: Sequence[Term]) -> bool:
    """Whether a product is a rational number times one Sum."""
    if chain:
        is_sum = isinstance(chain[0], Sum) or is_transposed_sum(chain[0])
        return not scalars and len(chain) == 1 and is_sum
    return len(scalars) == 1 and scalars[0][1] == 1 and isinstance(scalars[0][0], Sum)


def is_transposed_sum(term: Term) -> bool:
    return isinstance(term, Transposed) and isinstance(term.of, Sum)


def _place_in_sum(part: Term) -> tuple[bool, bool, int, str]:
    return is_negative(part), not part.free, -part.size, part.key


def subtract(a: Term, b: Term) -> Term:
    return add(a, negative(b))


def common_number(term: Sum) -> Fraction:
    """The positive number of which all coefficients of a sum are whole multiples, or else 1: of
    x − ⅓ y it is 1, since 3x − y would be no shorter."""
    values = [abs(coefficient_of(part)) for part in term.parts]
    if len(set(values)) == 1:
        return values[0]
    if any(value.denominator != 1 for value in values):
        return ONE
    return Fraction(gcd(*[value.numerator for value in values]))


def primitive(term: Term) -> tuple[Fraction, Term]:
    """c and s where a factor is c s: of a Sum, the rational number that all parts share.

    The parts with the variable, if any, come out positive where they are all negative: Ax − b and
    b − Ax are one residual. Not where they are taken from one or from I: 1 − σ stays.
    """
    if isinstance(term, Transposed) and isinstance(term.of, Sum):
        common, inside = primitive(term.of)
        return common, transpose(inside)
    if not isinstance(term, Sum) or not term.parts:
        return ONE, term
    common = common_number(term)
    if _is_turned(term):
        common = -common
    if common == 1:
        return ONE, term
    return common, add(*[scale(1 / common, part) for part in term.parts])


def _is_turned(term: Sum) -> bool:
    """Whether a Sum is a residual with its sign turned, or negative throughout."""
    negatives = [part for part in term.parts if coefficient_of(part) < 0]
    if len(negatives) == len(term.parts):
        return True
    if not negatives or any(not part.free or isinstance(part, Identity) for part in term.parts):
        return False
    variable = [part for part in term.parts if any(map(is_variable, part.free))]
    return bool(variable) and all(coefficient_of(part) < 0 for part in variable)


def is_variable(symbol: Symbol) -> bool:
    return symbol.role == "variable"


# ------------------------------------------------------------------------------------------- powers


def gathered(scalars: Iterable[Power]) -> tuple[Power, ...]:
    """Powers of bases merged: x² x is x³, e^u e^v is e^(u+v), a sign to an even power is 1."""
    powers: dict[Term, Fraction] = {}
    exponents: list[Term] = []
    for base, power in scalars:
        if isinstance(base, Apply) and base.function == "exp":
            exponents.append(scale(power, base.of))
        elif _is_zero_or_one(base) and power.denominator == 1 <= power:
            powers[base] = ONE
        elif isinstance(base, Apply) and base.function == "abs" and power % 2 == 0:
            for inside, p in _bases_of(base.of):
                powers[inside] = powers.get(inside, Fraction(0)) + p * power
        else:
            powers[base] = powers.get(base, Fraction(0)) + power
    if exponents:
        exponent = add(*exponents)
        if not is_zero(exponent):
            powers[Apply(exponent.shape, "exp", exponent)] = ONE
    for base in [base for base in powers if isinstance(base, Symbol) and "signs" in base.facts]:
        if powers[base].denominator == 1:
            powers[base] = Fraction(powers[base] % 2)
    kept = [(base, power) for base, power in powers.items() if power]
    return tuple(sorted(kept, key=_place_of_power)) if len(kept) > 1 else tuple(kept)


def _is_zero_or_one(base: Term) -> bool:
    """Whether all elements are 0 or 1, so that their powers are themselves."""
    if isinstance(base, Symbol):
        return "zero or one" in base.facts
    return isinstance(base, Apply) and base.function in ("step", "positive", "nonnegative")


def _bases_of(term: Term) -> Sequence[Power]:
    """A number or array without a coefficient as powers of others."""
    if term.shape == SCALAR:
        return split(term)[1]
    return term.powers if isinstance(term, Hadamard) else [(term, ONE)]


def _place_of_power(power: Power) -> tuple[bool, bool, bool, int, str]:
    """Differentials last, divisors after factors; π and √2 first among either."""
    base, exponent = power
    known = all(symbol.name == "π" for symbol in base.free)
    return base.moving, exponent < 0, not known, base.size, base.key


def absolute(term: Term) -> Term:
    """|term|, of a symbol or any other base of powers."""
    if is_nonnegative(term):
        return term
    return Apply(term.shape, "abs", negative(term) if is_negative(term) else term)


def rational_power(value: Fraction, exponent: Fraction) -> Fraction | None:
    """value^exponent where it is rational."""
    if exponent.denominator == 1:
        return value ** int(exponent)
    if value == 1:
        return ONE
    if exponent.denominator != 2 or value < 0:
        return None
    above, below = isqrt(value.numerator), isqrt(value.denominator)
    if above * above != value.numerator or below * below != value.denominator:
        return None
    return Fraction(above, below) ** exponent.numerator


# ------------------------------------------------------------------- transposes, ones and diagonals


def transpose(term: Term) -> Term:
    if term.shape == SCALAR:
        return term
    shape = term.shape[::-1]
    match term:
        case Transposed(of=of):
            return of
        case Sum(parts=parts):
            if not parts:
                return zero(shape)
            if shape == term.shape and add(*map(transpose, parts)) == term:
                return term
            return Transposed(shape, term)
        case Product(coefficient=coefficient, scalars=scalars, factors=factors):
            turned = tuple(transpose(factor) for factor in reversed(factors))
            return Product(shape, coefficient, scalars, turned)
        case Hadamard(powers=powers) if min(shape) > 1:
            return Hadamard(shape, gathered((transpose(base), p) for base, p in powers))
        case Inverse(of=of) if transpose(of) == of:
            return term
        case Apply(of=of) if shape == term.shape and transpose(of) == of:
            return term
    return term if is_symmetric(term) else Transposed(shape, term)


def ones(shape: Shape) -> Term:
    """The term of this shape whose elements are all one."""
    rows, columns = shape
    if shape == SCALAR:
        return number(1)
    if columns == 1:
        return Ones(shape)
    if rows == 1:
        return Transposed(shape, Ones((columns, 1)))
    return Product(shape, ONE, (), (Ones((rows, 1)), Transposed((1, columns), Ones((columns, 1)))))


def diag(term: Term) -> Term:
    """The diagonal matrix of a column."""
    size = term.shape[0]
    shape = (size, size)
    if term.shape == SCALAR:
        return term
    if is_zero(term):
        return zero(shape)
    if isinstance(term, Sum) and term.moving:
        return add(*map(diag, term.parts))
    if isinstance(term, Sum):
        return Diag(shape, term)
    coefficient, scalars, chain = split(term)
    column = product(term.shape, ONE, (), chain)
    matrix = Identity(shape) if isinstance(column, Ones) else Diag(shape, column)
    return product(shape, coefficient, scalars, (matrix,))
