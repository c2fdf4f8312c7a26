"""The differential of a term, by rules over its kinds.

    d(AB) = dA B + A dB      d(X⁻¹) = −X⁻¹ dX X⁻¹       d f(u) = f′(u) ∘ du
    d det X = det(X) tr(X⁻¹ dX)                         d log|det X| = tr(X⁻¹ dX)
    d log Σ e^u = pᵀ du, p = softmax(u)                 dp = p ∘ du − p (pᵀ du)
    d ‖u‖ = uᵀ du/‖u‖        (from the power ½ of uᵀu)

Source: Magnus & Neudecker, chapters 8 and 9; Petersen & Pedersen, section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from wengert.explaining.closed.algebra import (
    diagonal,
    hadamard,
    multiply,
    power,
    times,
    trace,
)
from wengert.explaining.closed.functions import derivative
from wengert.explaining.closed.matrices import (
    inverse,
)
from wengert.explaining.closed.sums import (
    add,
    diag,
    negative,
    ones,
    product,
    scale,
    subtract,
    transpose,
)
from wengert.explaining.closed.terms import (
    ONE,
    SCALAR,
    Apply,
    Curvature,
    Det,
    Diag,
    Diagonal,
    Differential,
    Hadamard,
    Inner,
    Inverse,
    Jacobian,
    LogDet,
    LogSumExp,
    Product,
    Softmax,
    Sum,
    Symbol,
    Term,
    Trace,
    Transposed,
    Unit,
    number,
    zero,
)

Rule: TypeAlias = "Callable[[Term], Term]"


class NoDifferential(Exception):
    """There is no rule: a third derivative of a named intermediate."""


@dataclass(frozen=True, slots=True)
class Differentials:
    """d(·) with respect to one variable.

    symbols: the variable and the intermediates that rest on it -> their differentials.
    """

    variable: Symbol
    symbols: dict[Symbol, Term]

    def of(self, term: Term, depth: int = 1000) -> Term:
        """The differential of a term; below `depth` rules it is left as d(·)."""
        if not self.moves(term):
            return zero(term.shape)
        if isinstance(term, Symbol):
            return self.symbols[term]
        if depth == 0 and self._worth(term):
            return self._standing(term)
        return self._rule(term, lambda inside: self.of(inside, depth - self._worth(term)))

    def moves(self, term: Term) -> bool:
        """Whether a term depends on the variable."""
        return any(symbol in self.symbols for symbol in term.free)

    def _worth(self, term: Term) -> int:
        """How many rules a kind counts for: sums, transposes and elements of columns are none."""
        is_element = isinstance(term, Inner) and any(
            isinstance(transpose(factor), Unit) for factor in term.factors
        )
        return 0 if isinstance(term, Sum | Transposed) or is_element else 1

    def _standing(self, term: Term) -> Term:
        """d(·) not worked out, numbers in front of it."""
        if isinstance(term, Product):
            fixed = [pair for pair in term.scalars if not self.moves(pair[0])]
            rest = [pair for pair in term.scalars if self.moves(pair[0])]
            if fixed or term.coefficient != 1:
                inside = product(term.shape, ONE, rest, term.factors)
                return times(product(SCALAR, term.coefficient, fixed, ()), self.of(inside, 0))
        return Differential(term.shape, term)

    def _rule(self, term: Term, d: Rule) -> Term:
        match term:
            case Sum(parts=parts):
                return add(*map(d, parts))
            case Product():
                return self._of_product(term, d)
            case Transposed(of=of):
                return transpose(d(of))
            case Inverse(of=of):
                return negative(multiply(term, d(of), term))
            case Diag(of=of):
                return diag(d(of))
            case Diagonal(of=of):
                return diagonal(d(of))
            case Hadamard():
                return self._of_powers(term, d)
            case Apply(function=function, of=of):
                return hadamard(derivative(function, of), d(of))
            case Inner(factors=factors):
                return self._of_chain(SCALAR, factors, d)
            case Trace(factors=factors):
                return self._of_trace(factors, d)
            case Det(of=of):
                return times(term, trace(multiply(inverse(of), d(of))))
            case LogDet(of=of):
                return trace(multiply(inverse(of), d(of)))
            case LogSumExp(of=of):
                return _of_log_sum_exp(of, d(of))
            case Softmax(of=of):
                return _of_softmax(term, d(of))
        raise NoDifferential(f"there is no rule for the differential of {term}")

    def _of_product(self, term: Product, d: Rule) -> Term:
        """Over the powers of numbers, then over the factors of the chain."""
        terms = []
        for k, (base, p) in enumerate(term.scalars):
            if self.moves(base):
                rest = term.scalars[:k] + term.scalars[k + 1 :]
                others = product(term.shape, term.coefficient, rest, term.factors)
                if p != 1:
                    others = scale(p, times(power(base, p - 1), others))
                terms.append(times(d(base), others))
        if any(map(self.moves, term.factors)):
            front = product(SCALAR, term.coefficient, term.scalars, ())
            terms.append(times(front, self._of_chain(term.shape, term.factors, d)))
        return add(*terms)

    def _of_chain(self, shape: tuple[int, int], factors: tuple[Term, ...], d: Rule) -> Term:
        terms = []
        for k, factor in enumerate(factors):
            if self.moves(factor):
                before, after = factors[:k], factors[k + 1 :]
                if isinstance(factor, Transposed) and isinstance(factor.of, Jacobian):
                    terms.append(self._of_jacobian(factor.of, before, after))
                elif isinstance(factor, Jacobian):
                    mirrored = [tuple(map(transpose, part[::-1])) for part in (after, before)]
                    terms.append(transpose(self._of_jacobian(factor, *mirrored)))
                else:
                    terms.append(multiply(*before, d(factor), *after))
        return add(*terms) if terms else zero(shape)

    def _of_jacobian(
        self, jacobian: Jacobian, before: tuple[Term, ...], after: tuple[Term, ...]
    ) -> Term:
        """d(Jᵀ w) with w held: Σₖ wₖ ∇²zₖ dx."""
        weight = multiply(*after) if after else number(1)
        if weight.shape[1] != 1 or jacobian.by.shape[1] != 1:
            raise NoDifferential(f"the second derivative of {jacobian.of} meets a matrix")
        size = jacobian.by.shape[0]
        curvature = Curvature((size, size), jacobian.of, jacobian.by, weight)
        return multiply(*before, curvature, self.symbols[jacobian.by])

    def _of_trace(self, factors: tuple[Term, ...], d: Rule) -> Term:
        return add(
            *[
                trace(multiply(*factors[k + 1 :], *factors[:k], d(factor)))
                for k, factor in enumerate(factors)
                if self.moves(factor)
            ]
        )

    def _of_powers(self, term: Hadamard, d: Rule) -> Term:
        terms = []
        for k, (base, p) in enumerate(term.powers):
            if self.moves(base):
                rest: Term = ones(term.shape)
                others = term.powers[:k] + term.powers[k + 1 :]
                for other, q in others:
                    rest = hadamard(rest, power(other, q))
                if p != 1:
                    rest = scale(p, hadamard(rest, power(base, p - 1)))
                terms.append(hadamard(rest, d(base)))
        return add(*terms)


def _of_log_sum_exp(u: Term, du: Term) -> Term:
    p = Softmax(u.shape, u)
    if u.shape[1] == 1:
        return multiply(transpose(p), du)
    return multiply(hadamard(p, du), ones((u.shape[1], 1)))


def _of_softmax(p: Term, du: Term) -> Term:
    if p.shape[1] == 1:
        return subtract(hadamard(p, du), times(multiply(transpose(p), du), p))
    weighted = hadamard(p, du)
    totals = multiply(weighted, ones((p.shape[1], 1)))
    return subtract(weighted, multiply(diag(totals), p))
