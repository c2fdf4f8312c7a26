"""Reading derivatives off what is linear in a differential.

    ⟨G, L(dx)⟩ = ⟨L*(G), dx⟩   the adjoint of each kind of linear term:

    M dx N → Mᵀ G Nᵀ       s(dx) M → s*(⟨G, M⟩)       v ∘ dx → G ∘ v
    dxᵀ → Gᵀ               diag(dx) → diagonal(G)     tr(M dX) → g Mᵀ

    L(dx) = M dx for columns: M dx → M       s(dx) v → v s*(1)ᵀ       v ∘ (M dx) → diag(v) M
    (H ∘ (P diag(dx) Q)) u → P ∘ (H diag(u) Qᵀ)

Source: Magnus & Neudecker, chapter 9 (the identification theorems).
"""

from __future__ import annotations

from wengert.explaining.closed.algebra import (
    diagonal,
    hadamard,
    multiply,
    power,
    times,
    total,
)
from wengert.explaining.closed.sums import (
    add,
    diag,
    ones,
    parts_of,
    product,
    transpose,
)
from wengert.explaining.closed.terms import (
    ONE,
    SCALAR,
    Diag,
    Diagonal,
    Hadamard,
    Identity,
    Inner,
    Product,
    Pullback,
    Sum,
    Symbol,
    Term,
    Trace,
    Transposed,
    number,
    zero,
)


class NotLinear(Exception):
    """A term is not written as something linear in the differential that can be read off."""


class Extraction:
    """Reads off coefficients of the differential `dx` of `variable`.

    others: differentials of intermediates -> the intermediates.
    """

    __slots__ = ("differential", "others", "variable")

    def __init__(
        self, variable: Symbol, differential: Symbol, others: dict[Symbol, Symbol]
    ) -> None:
        self.variable = variable
        self.differential = differential
        self.others = others

    def gradient(self, df: Term) -> Term:
        """g where df = ⟨g, dx⟩, for a number df that is linear in dx."""
        return add(zero(self.variable.shape), *[self._adjoint(p, number(1)) for p in parts_of(df)])

    def matrix(self, column: Term) -> Term:
        """M where the column, or the number, is M dx, dx a column or a number."""
        shape = (column.shape[0], self.variable.shape[0])
        return add(zero(shape), *[self._matrix(part) for part in parts_of(column)])

    def _moves(self, term: Term) -> bool:
        return self.differential in term.free or any(s in self.others for s in term.free)

    # ---------------------------------------------------------------------------- adjoints

    def _adjoint(self, term: Term, weight: Term) -> Term:
        """The gradient of ⟨weight, term⟩ by the variable."""
        match term:
            case Symbol():
                if term == self.differential:
                    return weight
                return Pullback(self.variable.shape, self.others[term], self.variable, weight)
            case Sum(parts=parts):
                return add(*[self._adjoint(part, weight) for part in parts if self._moves(part)])
            case Transposed(of=of):
                return self._adjoint(of, transpose(weight))
            case Diag(of=of):
                return self._adjoint(of, diagonal(weight))
            case Diagonal(of=of):
                return self._adjoint(of, diag(weight))
            case Hadamard():
                rest, moving = self._apart(term)
                return self._adjoint(moving, hadamard(weight, rest))
            case Inner(factors=factors):
                return self._of_chain(factors, weight)
            case Trace(factors=factors):
                k = self._position(factors)
                rest = [*factors[k + 1 :], *factors[:k]]
                size = factors[k].shape[1]
                around = multiply(*rest) if rest else Identity((size, size))
                return self._adjoint(factors[k], times(weight, transpose(around)))
            case Product():
                return self._of_product(term, weight)
        raise NotLinear(f"{term} is not linear in {self.differential}")

    def _of_product(self, term: Product, weight: Term) -> Term:
        scalars, factors = term.scalars, term.factors
        for k, (base, p) in enumerate(scalars):
            if self._moves(base):
                if p != 1:
                    raise NotLinear(f"{term} is not linear in {self.differential}")
                others = scalars[:k] + scalars[k + 1 :]
                rest = product(term.shape, term.coefficient, others, factors)
                return self._adjoint(base, total(hadamard(weight, rest)))
        front = product(SCALAR, term.coefficient, scalars, ())
        return self._of_chain(factors, times(front, weight))

    def _of_chain(self, factors: tuple[Term, ...], weight: Term) -> Term:
        k = self._position(factors)
        around = [transpose(factor) for factor in reversed(factors[:k])]
        around.append(weight)
        around += [transpose(factor) for factor in reversed(factors[k + 1 :])]
        return self._adjoint(factors[k], multiply(*around))

    def _position(self, factors: tuple[Term, ...]) -> int:
        places = [k for k, factor in enumerate(factors) if self._moves(factor)]
        if len(places) != 1:
            raise NotLinear(f"{factors} are not linear in {self.differential}")
        return places[0]

    def _apart(self, term: Hadamard) -> tuple[Term, Term]:
        """(what stands still, what moves) of an elementwise product."""
        rest: Term = ones(term.shape)
        moving = None
        for base, p in term.powers:
            if self._moves(base):
                if p != 1 or moving is not None:
                    raise NotLinear(f"{term} is not linear in {self.differential}")
                moving = base
            else:
                rest = hadamard(rest, power(base, p))
        assert moving is not None
        return rest, moving

    # ---------------------------------------------------------------------------- matrices

    def _matrix(self, term: Term) -> Term:
        """M of one part M dx."""
        if term.shape == SCALAR:
            return transpose(self._adjoint(term, number(1)))
        match term:
            case Symbol() if term == self.differential:
                size = term.shape[0]
                return Identity((size, size))
            case Hadamard():
                rest, moving = self._apart(term)
                return multiply(diag(rest), self.matrix(moving))
            case Product(coefficient=coefficient, scalars=scalars, factors=factors):
                for k, (base, p) in enumerate(scalars):
                    if self._moves(base) and p == 1:
                        others = scalars[:k] + scalars[k + 1 :]
                        rest = product(term.shape, coefficient, others, factors)
                        row = transpose(self._adjoint(base, number(1)))
                        return multiply(rest, row)
                last = factors[-1]
                if self._position(factors) == len(factors) - 1:
                    front = product(SCALAR, coefficient, scalars, ())
                    if len(factors) == 1:
                        return times(front, self.matrix(last))
                    head = product((term.shape[0], last.shape[0]), ONE, (), factors[:-1])
                    return times(front, multiply(head, self.matrix(last)))
                front = product(SCALAR, coefficient, scalars, ())
                return times(front, self._of_scaled(factors))
        raise NotLinear(f"{term} is not a matrix times {self.differential}")

    def _of_scaled(self, factors: tuple[Term, ...]) -> Term:
        """M of a chain in which an elementwise product with P diag(·) Q stands before a column."""
        k = self._position(factors)
        factor, column = factors[k], multiply(*factors[k + 1 :])
        bare = factor.of if isinstance(factor, Transposed) else factor
        if not isinstance(bare, Hadamard) or column.shape[1] != 1:
            raise NotLinear(f"{factors} is not a matrix times {self.differential}")
        rest, moving = self._apart(bare)
        if bare is not factor:
            rest, moving = transpose(rest), transpose(moving)
        if not isinstance(moving, Product):
            raise NotLinear(f"{factors} is not a matrix times {self.differential}")
        place = self._position(moving.factors)
        middle = moving.factors[place]
        if not isinstance(middle, Diag):
            raise NotLinear(f"{factors} is not a matrix times {self.differential}")
        before, after = moving.factors[:place], moving.factors[place + 1 :]
        right = multiply(rest, diag(column), *[transpose(f) for f in reversed(after)])
        if before:
            matrix = multiply(hadamard(multiply(*before), right), self.matrix(middle.of))
        else:
            matrix = multiply(diag(diagonal(right)), self.matrix(middle.of))
        return multiply(*factors[:k], matrix)
