"""Products taken apart, and which of several equal forms is the one that is kept.

A number is its own transpose and a trace is cyclic: chains have a differential, else the variable,
at their end, and few transposes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from wengert.explaining.closed.facts import is_gram, is_nonnegative
from wengert.explaining.closed.sums import (
    Power,
    absolute,
    gathered,
    is_variable,
    primitive,
    product,
    split,
    transpose,
)
from wengert.explaining.closed.terms import (
    ONE,
    SCALAR,
    Diag,
    Hadamard,
    Inner,
    Inverse,
    Product,
    Term,
    Transposed,
    is_zero,
)


def bases_of(
    term: Term,
) -> tuple[Fraction, Sequence[Power], list[Power]]:
    """A column or matrix as (coefficient, powers of numbers, elementwise powers of arrays)."""
    coefficient, scalars, chain = split(term)
    array = product(term.shape, ONE, (), chain)
    if isinstance(array, Hadamard):
        return coefficient, scalars, list(array.powers)
    common, array = primitive(array)
    return coefficient * common, scalars, [(array, ONE)]


def with_numbers(coefficient: Fraction, scalars: Iterable[Power], array: Term) -> Term:
    """Numbers in front of an array."""
    if is_zero(array):
        return array
    first, more, chain = split(array)
    return product(array.shape, coefficient * first, gathered([*scalars, *more]), chain)


def roots(scalars: Iterable[Power], exponent: Fraction) -> tuple[list[Power], list[Power]]:
    """What stays under a root, and what comes out of it as powers: √(x² y) is |x| √y."""
    under, outside = [], []
    for base, p in scalars:
        if p.denominator == 1 and p % 2 == 0 and not is_nonnegative(base):
            base = absolute(base)
        if is_nonnegative(base) or p.denominator != 1:
            outside.append((base, p * exponent))
        else:
            under.append((base, p))
    return under, outside


def between_diagonals(base: Term) -> tuple[Term, Term | None, Term | None]:
    """(N, u, v) of a matrix diag(u) N diag(v); None for what is not there."""
    before = after = None
    if isinstance(base, Product) and len(base.factors) > 1 and min(base.shape) > 1:
        factors = base.factors
        if isinstance(factors[0], Diag):
            before, factors = factors[0].of, factors[1:]
        if len(factors) > 1 and isinstance(factors[-1], Diag):
            after, factors = factors[-1].of, factors[:-1]
        base = product(base.shape, ONE, (), factors)
    return base, before, after


def outer(base: Term) -> tuple[Term, Term] | None:
    """(u, v) of a matrix u vᵀ."""
    if isinstance(base, Product) and len(base.factors) >= 2 and base.shape[1] > 1:
        for k, factor in enumerate(base.factors[:-1], start=1):
            if factor.shape[1] == 1:
                u = product((base.shape[0], 1), ONE, (), base.factors[:k])
                v = product((1, base.shape[1]), ONE, (), base.factors[k:])
                return u, transpose(v)
    return None


def inverted_run(factor: Term) -> tuple[Term, ...]:
    """(Aᵀ, A) for the inverse of AᵀA: what cancels it beside it."""
    if isinstance(factor, Inverse) and isinstance(factor.of, Product):
        return factor.of.factors
    if isinstance(factor, Transposed):
        return tuple(transpose(inside) for inside in reversed(inverted_run(factor.of)))
    return ()


def oriented(chain: Sequence[Term]) -> Term:
    """A chain or its transpose, whichever has the differential, else the variable, at its end."""
    mirrored = [transpose(factor) for factor in reversed(chain)]
    chosen = min(chain, mirrored, key=_orientation)
    return Inner(SCALAR, tuple(chosen))


def _orientation(chain: Sequence[Term]) -> tuple[object, ...]:
    last = chain[-1]
    turned = sum(isinstance(factor, Transposed) for factor in chain)
    moving = [factor.moving for factor in reversed(chain)]
    return (
        [not m for m in moving],
        sum(isinstance(factor, Transposed) and factor.moving for factor in chain[1:]),
        last.key if last.moving else "",
        -any(is_variable(symbol) for symbol in last.free),
        turned,
        [factor.key for factor in chain],
    )


def cyclic_orientation(chain: tuple[Term, ...]) -> tuple[object, ...]:
    last = chain[-1]
    return (
        not is_gram(chain),
        not last.moving,
        last.key.count("'") if last.moving else 0,
        -any(is_variable(symbol) for symbol in last.free),
        isinstance(last, Transposed),
        sum(isinstance(factor, Transposed) for factor in chain),
        [factor.key for factor in chain],
    )


def turned_last(matrix: Term) -> tuple[int, str]:
    factors = matrix.factors if isinstance(matrix, Product) else (matrix,)
    return sum(isinstance(factor, Transposed) for factor in factors), matrix.key
