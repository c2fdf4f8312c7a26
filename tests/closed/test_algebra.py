"""Terms in normal form: what is equal as a formula is equal as a term, and nothing else is."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from wengert.explaining.closed.algebra import hadamard, multiply, power, times, total, trace
from wengert.explaining.closed.evaluating import Evaluator
from wengert.explaining.closed.functions import apply, log_sum_exp, softmax
from wengert.explaining.closed.matrices import determinant, inverse, log_determinant
from wengert.explaining.closed.reading import rational
from wengert.explaining.closed.sums import add, diag, negative, ones, scale, subtract, transpose
from wengert.explaining.closed.terms import Identity, Symbol, Term, is_zero, number

HALF = Fraction(1, 2)
x = Symbol((3, 1), "x", "variable")
y, z = (Symbol((3, 1), name) for name in "yz")
A, B, C = (Symbol((3, 3), name) for name in "ABC")
P = Symbol((3, 3), "P", facts=frozenset({"symmetric"}))
s, t = (Symbol((1, 1), name) for name in "st")
one = ones((3, 1))

rng = np.random.default_rng(8)
VALUES = {symbol: rng.uniform(0.4, 2.0, size=symbol.shape) for symbol in (x, y, z, A, B, C, s, t)}
VALUES[P] = VALUES[A] + VALUES[A].T


def dot(u: Term, v: Term) -> Term:
    return multiply(transpose(u), v)


EQUAL = [
    (add(x, y, x), add(y, scale(2, x))),
    (subtract(x, x), scale(0, y)),
    (dot(x, y), dot(y, x)),
    (dot(x, multiply(A, y)), dot(y, multiply(transpose(A), x))),
    (dot(x, multiply(P, y)), dot(y, multiply(P, x))),
    (total(hadamard(x, y)), dot(x, y)),
    (total(power(x, 2)), dot(x, x)),
    (total(hadamard(A, B)), trace(multiply(transpose(A), B))),
    (total(add(x, hadamard(x, y))), add(dot(one, x), dot(x, y))),
    (multiply(diag(x), y), hadamard(x, y)),
    (multiply(inverse(multiply(transpose(A), A)), transpose(A), A, y), y),
    (multiply(B, transpose(B), transpose(inverse(multiply(B, transpose(B)))), y), y),
    (multiply(inverse(multiply(A, B)), A, B), Identity((3, 3))),
    (
        multiply(transpose(inverse(multiply(A, B))), transpose(B), y),
        multiply(transpose(inverse(multiply(A, B))), transpose(B), y),
    ),
    (multiply(C, inverse(multiply(A, C)), A, C, x), multiply(C, x)),
    (multiply(diag(x), diag(y)), diag(hadamard(x, y))),
    (hadamard(multiply(x, transpose(y)), A), multiply(diag(x), A, diag(y))),
    (hadamard(hadamard(x, y), x), hadamard(power(x, 2), y)),
    (hadamard(x, power(x, -1)), one),
    (trace(multiply(A, B, C)), trace(multiply(C, A, B))),
    (trace(multiply(A, B)), trace(multiply(transpose(A), transpose(B)))),
    (trace(multiply(x, transpose(y))), dot(x, y)),
    (multiply(A, inverse(A)), Identity((3, 3))),
    (inverse(scale(2, A)), scale(HALF, inverse(A))),
    (determinant(scale(2, A)), scale(8, determinant(A))),
    (log_determinant(inverse(A)), negative(log_determinant(A))),
    (transpose(add(A, transpose(A))), add(A, transpose(A))),
    (dot(subtract(x, y), subtract(x, y)), dot(subtract(y, x), subtract(y, x))),
    (power(power(s, 2), HALF), apply("abs", s)),
    (power(power(s, 3), 2), power(s, 6)),
    (power(dot(x, x), HALF), power(total(power(x, 2)), HALF)),
    (power(power(dot(x, x), HALF), 2), dot(x, x)),
    (power(scale(4, s), HALF), scale(2, power(s, HALF))),
    (times(apply("exp", s), apply("exp", t)), apply("exp", add(s, t))),
    (power(apply("exp", s), 2), apply("exp", scale(2, s))),
    (apply("log", add(number(1), apply("exp", s))), apply("softplus", s)),
    (apply("sin", negative(s)), negative(apply("sin", s))),
    (apply("cos", negative(s)), apply("cos", s)),
    (apply("abs", scale(-3, s)), scale(3, apply("abs", s))),
    (power(apply("abs", x), 2), power(x, 2)),
    (log_sum_exp(add(x, times(s, one))), add(log_sum_exp(x), s)),
    (softmax(subtract(x, times(s, one))), softmax(x)),
    (total(softmax(x)), number(1)),
]


@pytest.mark.parametrize(("a", "b"), EQUAL, ids=lambda term: str(term))
def test_equal_terms(a: Term, b: Term) -> None:
    assert a == b
    value = Evaluator(VALUES, ())
    np.testing.assert_allclose(value(a), value(b))


DIFFERENT = [
    (power(power(s, 2), HALF), s),
    (multiply(A, B), multiply(B, A)),
    (trace(multiply(A, B, C)), trace(multiply(B, A, C))),
    (A, transpose(A)),
    (dot(x, multiply(A, y)), dot(y, multiply(A, x))),
    (apply("log", add(number(2), apply("exp", s))), apply("softplus", s)),
    (apply("cosh", s), apply("sinh", s)),
]


@pytest.mark.parametrize(("a", "b"), DIFFERENT, ids=lambda term: str(term))
def test_different_terms(a: Term, b: Term) -> None:
    assert a != b


def test_roots_of_negative_numbers_stay_together() -> None:
    """√(s t) is not √s √t where both may be negative."""
    values = {s: np.array([[-2.0]]), t: np.array([[-3.0]])}
    np.testing.assert_allclose(Evaluator(values, ())(power(times(s, t), HALF)), np.sqrt(6.0))
    np.testing.assert_allclose(Evaluator(values, ())(power(power(s, 2), HALF)), 2.0)
    np.testing.assert_allclose(Evaluator(values, ())(power(scale(-2, s), HALF)), 2.0)


def test_fractions_that_people_mean() -> None:
    assert rational(0.1) == Fraction(1, 10)
    assert rational(1 / 3) == Fraction(1, 3)
    assert rational(0.123456789) == Fraction("0.123456789")


def test_deviations_from_a_mean_have_none() -> None:
    mean = scale(Fraction(1, 3), multiply(one, transpose(one), A))
    deviations = subtract(A, mean)
    assert is_zero(multiply(transpose(one), deviations))
    assert is_zero(multiply(transpose(deviations), one))
    assert is_zero(multiply(B, transpose(deviations), one))
    assert not is_zero(multiply(deviations, one))
    assert not is_zero(multiply(transpose(one), subtract(A, scale(HALF, mean))))
