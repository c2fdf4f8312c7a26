"""Inverses and determinants of matrices as terms."""

from __future__ import annotations

from wengert.explaining.closed.algebra import power, times
from wengert.explaining.closed.sums import (
    absolute,
    diag,
    negative,
    product,
    split,
    transpose,
)
from wengert.explaining.closed.terms import (
    ONE,
    SCALAR,
    Apply,
    Det,
    Diag,
    Identity,
    Inverse,
    LogDet,
    Product,
    Symbol,
    Term,
    Transposed,
    zero,
)


def inverse(term: Term) -> Term:
    if term.shape == SCALAR:
        return power(term, -1)
    match term:
        case Inverse(of=of):
            return of
        case Identity():
            return term
        case Diag(of=of):
            return diag(power(of, -1))
        case Transposed(of=of):
            return transpose(inverse(of))
        case Symbol(facts=facts) if "orthogonal" in facts:
            return transpose(term)
        case Product(coefficient=coefficient, scalars=scalars, factors=factors):
            front = power(product(SCALAR, coefficient, scalars, ()), -1)
            if coefficient != 1 or scalars:
                return times(front, inverse(product(term.shape, ONE, (), factors)))
    return Inverse(term.shape, term)


def determinant(term: Term) -> Term:
    """det, with numbers in front: det(c M) = cⁿ det M."""
    if term.shape == SCALAR:
        return term
    coefficient, scalars, chain = split(term)
    matrix = product(term.shape, ONE, (), chain)
    front = power(product(SCALAR, coefficient, scalars, ()), term.shape[0])
    match matrix:
        case Identity():
            return front
        case Transposed(of=of):
            return times(front, determinant(of))
        case Inverse(of=of):
            return times(front, power(determinant(of), -1))
    return times(front, Det(SCALAR, matrix))


def log_determinant(term: Term) -> Term:
    """log|det|."""
    if term.shape == SCALAR:
        return Apply(SCALAR, "log", absolute(term))
    match term:
        case Transposed(of=of):
            return log_determinant(of)
        case Inverse(of=of):
            return negative(log_determinant(of))
        case Identity():
            return zero(SCALAR)
    return LogDet(SCALAR, term)
