"""The shorter of expanded and factored.

    4 e^u x xᵀ − 2 e^u I = 2 e^u (2 x xᵀ − I)       Aᵀ M A − Aᵀ N A = Aᵀ (M − N) A
    S x + Sᵀ x = (S + Sᵀ) x                         diag(u) + diag(v) = diag(u + v)

Powers of numbers that all parts share always go in front. A rational factor and factors of chains
do where fewer symbols are left; brackets inside brackets count as a symbol, so that
2Aᵀ(Ax − b) + 2λx stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import reduce
from math import gcd, lcm

from wengert.explaining.closed.algebra import (
    hadamard,
    power,
    times,
)
from wengert.explaining.closed.expanding import expanded, without_complements
from wengert.explaining.closed.lengths import written_length
from wengert.explaining.closed.sums import (
    add,
    coefficient_of,
    diag,
    is_negative,
    ones,
    product,
    scale,
    split,
    transpose,
)
from wengert.explaining.closed.terms import (
    ONE,
    SCALAR,
    Diag,
    Hadamard,
    Identity,
    Product,
    Shape,
    Sum,
    Term,
    Transposed,
    is_zero,
    zero,
)

_LONGEST = 1500
"""Terms of more symbols than this stay as they are."""
_MOST_SUMS = 150
_MOST_PARTS = 10
"""Of sums of more parts only what all share is taken out."""

Part = tuple[Fraction, tuple[tuple[Term, Fraction], ...], tuple[Term, ...]]


def factored(term: Term) -> Term:
    """A term in its shorter form, at the top and in what its products hold."""
    return term if term.size > _LONGEST else _Factoring().of(term)


class _Factoring:
    """One search for a shorter form. left: how many sums may still be tried; all ways to factor
    many parts are exponentially many."""

    __slots__ = ("known", "left")

    def __init__(self) -> None:
        self.left = _MOST_SUMS
        self.known: dict[Term, Term] = {}

    def of(self, term: Term) -> Term:
        """A term in its shorter form."""
        if isinstance(term, Sum):
            return self._of_sum(term)
        if isinstance(term, Product):
            factors = tuple(self._of_factor(factor) for factor in term.factors)
            scalars = tuple((self._of_factor(base), p) for base, p in term.scalars)
            if any(map(is_zero, (*factors, *(base for base, _ in scalars)))):
                return zero(term.shape)
            return _front(term.shape, term.coefficient, scalars, factors)
        return self._of_factor(term)

    def _of_factor(self, term: Term) -> Term:
        match term:
            case Sum():
                return self._of_sum(term)
            case Diag(of=of) if isinstance(of, Sum):
                inside = self._of_sum(of)
                return zero(term.shape) if is_zero(inside) else Diag(term.shape, inside)
        return term

    def _of_sum(self, term: Sum) -> Term:
        if not term.parts:
            return term
        merged = _merged_diagonals(term)
        return self._grouped(merged) if isinstance(merged, Sum) else self.of(merged)

    def _grouped(self, term: Sum) -> Term:
        """The best of the ways to take out common factors, again and again."""
        if term not in self.known:
            self.left -= 1
            self.known[term] = self._searched(term) if self.left > 0 else term
        return self.known[term]

    def _searched(self, term: Sum) -> Term:
        shared = self._shared_scalars(term) or self._shared_powers(term)
        if shared is not None:
            return shared
        length = written_length(term)
        best: Term = term
        for candidate in self._candidates(term):
            candidate_length = written_length(candidate)
            if candidate_length < length:
                best, length = candidate, candidate_length
        if best is term or is_zero(best) or not isinstance(best, Sum):
            return best
        return self._grouped(best)

    def _shared_scalars(self, term: Sum) -> Term | None:
        """The powers of numbers that all parts share, in front of the rest."""
        splits = [split(part) for part in term.parts]
        powers = [dict(scalars) for _, scalars, _ in splits]
        common = _shared(powers)
        if not common:
            return None
        inside = []
        for (coefficient, _, chain), of in zip(splits, powers, strict=True):
            rest = [(base, p - common.get(base, Fraction(0))) for base, p in of.items()]
            kept = tuple((base, p) for base, p in rest if p)
            inside.append(product(term.shape, coefficient, kept, chain))
        bracket = self.of(add(*inside))
        if is_zero(bracket):
            return zero(term.shape)
        return _in_front(term.shape, tuple(common.items()), bracket)

    def _shared_powers(self, term: Sum) -> Term | None:
        """The elementwise powers of arrays that all parts share, outside of the bracket."""
        splits = [split(part) for part in term.parts]
        arrays = [product(term.shape, ONE, (), chain) for _, _, chain in splits]
        if not any(isinstance(array, Hadamard) for array in arrays):
            return None
        powers = [
            dict(array.powers) if isinstance(array, Hadamard) else {array: ONE} for array in arrays
        ]
        common = _shared(powers)
        if not common:
            return None
        inside = []
        for (coefficient, scalars, _), of in zip(splits, powers, strict=True):
            rest: Term = ones(term.shape)
            for base, p in of.items():
                rest = hadamard(rest, power(base, p - common.get(base, Fraction(0))))
            inside.append(times(product(SCALAR, coefficient, scalars, ()), rest))
        bracket = self.of(add(*inside))
        if is_zero(bracket):
            return zero(term.shape)
        outside = _powers_of(bracket)
        if isinstance(bracket, Sum):
            coefficient, bracket = _primitive(bracket)
            scalars: tuple[tuple[Term, Fraction], ...] = ()
            outside = ((bracket, ONE),)
        else:
            coefficient, scalars, _ = split(bracket)
        array = Hadamard(term.shape, (*common.items(), *outside))
        return _front(term.shape, coefficient, scalars, (array,))

    def _candidates(self, term: Sum) -> Iterator[Term]:
        """Ways to write a sum with something taken out."""
        yield from _rational(term)
        yield from without_complements(term)
        yield from expanded(term)
        splits = [split(part) for part in term.parts]
        chains: dict[tuple[Term, ...], list[int]] = {}
        for k, (_, _, chain) in enumerate(splits):
            if chain:
                chains.setdefault(chain, []).append(k)
        for alike in chains.values():
            if len(alike) > 1:
                yield self._numbers_taken_out(term, splits, alike)
        if len(splits) > _MOST_PARTS:
            return
        for side in (0, -1):
            groups: dict[Term, list[int]] = {}
            for k, (_, _, chain) in enumerate(splits):
                if len(chain) > 1:
                    groups.setdefault(chain[side], []).append(k)
            for factor, places in groups.items():
                if len(places) > 1 and (factor.free or len(places) == len(splits)):
                    made = self._taken_out(term, splits, places, factor, side)
                    if made is not None:
                        yield made
        if term.shape == SCALAR:
            yield from self._common_number(term, splits)

    def _taken_out(
        self, term: Sum, splits: Sequence[Part], places: Sequence[int], factor: Term, side: int
    ) -> Term | None:
        """The parts at some places with the first (side 0) or last factor of chains outside."""
        if len({splits[k][2] for k in places}) == 1:
            return None  # the whole chains are alike
        rows, columns = term.shape
        inner_shape = (factor.shape[1], columns) if side == 0 else (rows, factor.shape[0])
        if inner_shape[0] == 1 or (inner_shape[1] == 1 and side == -1):
            return None
        inside = []
        for k in places:
            coefficient, scalars, chain = splits[k]
            rest = chain[1:] if side == 0 else chain[:-1]
            inside.append(product(inner_shape, coefficient, scalars, rest))
        bracket = self.of(add(*inside))
        if is_zero(bracket):
            return _together(term, places, None)
        coefficient, scalars, chain = split(bracket)
        around = (factor, *chain) if side == 0 else (*chain, factor)
        whole = _front(term.shape, coefficient, scalars, around)
        return _together(term, places, whole)

    def _numbers_taken_out(self, term: Sum, splits: Sequence[Part], places: Sequence[int]) -> Term:
        """a M + b M = (a + b) M for numbers a and b and a chain M."""
        numbers = [product(SCALAR, splits[k][0], splits[k][1], ()) for k in places]
        bracket = self.of(add(*numbers))
        if is_zero(bracket):
            return _together(term, places, None)
        if isinstance(bracket, Sum):
            coefficient, bracket = _primitive(bracket)
            scalars, _ = _bracket(bracket)
        else:
            coefficient, scalars, _ = split(bracket)
        whole = Product(term.shape, coefficient, scalars, splits[places[0]][2])
        return _together(term, places, whole)

    def _common_number(self, term: Sum, splits: Sequence[Part]) -> Iterator[Term]:
        """a b + a c = a (b + c) for numbers, some of the parts."""
        groups: dict[Term, list[int]] = {}
        for k, (_, scalars, _) in enumerate(splits):
            for base, p in scalars:
                if p == 1:
                    groups.setdefault(base, []).append(k)
        for base, places in groups.items():
            if len(places) > 1:
                rest = [
                    product(
                        SCALAR,
                        splits[k][0],
                        tuple(pair for pair in splits[k][1] if pair[0] != base),
                        (),
                    )
                    for k in places
                ]
                bracket = self.of(add(*rest))
                if is_zero(bracket):
                    yield _together(term, places, None)
                    continue
                coefficient, scalars, _ = split(bracket)
                whole = Product(SCALAR, coefficient, ((base, ONE), *scalars), ())
                yield _together(term, places, whole)


def _front(
    shape: Shape,
    coefficient: Fraction,
    scalars: tuple[tuple[Term, Fraction], ...],
    factors: tuple[Term, ...],
) -> Term:
    """A product, with the rational number of a Sum in it brought to the front."""
    moved: list[Term] = []
    for factor in factors:
        if isinstance(factor, Sum):
            common, inside = _primitive(factor)
            coefficient *= common
            moved.append(inside)
        elif isinstance(factor, Product) and not factor.scalars:
            coefficient *= factor.coefficient
            moved += factor.factors
        else:
            moved.append(factor)
    if len(moved) > 1:
        moved = [f for f in moved if not isinstance(f, Identity)] or moved[:1]
    if len(moved) > 2 and min(shape) > 1 and all(isinstance(f, Transposed) for f in moved):
        whole = Product(shape[::-1], ONE, (), tuple(map(transpose, reversed(moved))))
        moved = [Transposed(shape, whole)]  # (X⁻¹ B X⁻¹)ᵀ
    if coefficient == 1 and not scalars and len(moved) == 1:
        return moved[0]
    return Product(shape, coefficient, scalars, tuple(moved))


def _merged_diagonals(term: Sum) -> Term:
    """diag(u) + diag(v) as diag(u + v)."""
    columns, rest = [], []
    for part in term.parts:
        coefficient, scalars, chain = split(part)
        if len(chain) == 1 and isinstance(chain[0], Diag):
            front = product(SCALAR, coefficient, scalars, ())
            columns.append(times(front, chain[0].of))
        else:
            rest.append(part)
    if len(columns) < 2:
        return term
    return add(diag(add(*columns)), *rest) if rest else diag(add(*columns))


def _powers_of(term: Term) -> tuple[tuple[Term, Fraction], ...]:
    """The array of a term, without the numbers in front, as elementwise powers."""
    if isinstance(term, Sum):
        return ((term, ONE),)
    array = product(term.shape, ONE, (), split(term)[2])
    if array == ones(term.shape):
        return ()
    return array.powers if isinstance(array, Hadamard) else ((array, ONE),)


def _shared(powers: Sequence[dict[Term, Fraction]]) -> dict[Term, Fraction]:
    """The bases that all have, to the power of one sign that is nearest to zero."""
    common: dict[Term, Fraction] = {}
    for base, p in powers[0].items():
        others = [of.get(base) for of in powers]
        if all(q is not None and (q > 0) == (p > 0) for q in others):
            common[base] = min((q for q in others if q is not None), key=abs)
    return common


def _in_front(shape: Shape, scalars: tuple[tuple[Term, Fraction], ...], bracket: Term) -> Term:
    if isinstance(bracket, Sum):
        coefficient, bracket = _primitive(bracket)
        more, chain = _bracket(bracket)
    else:
        coefficient, more, chain = split(bracket)
    return Product(shape, coefficient, scalars + more, chain)


def _primitive(term: Sum) -> tuple[Fraction, Sum]:
    """The rational number in front of a sum that stands in brackets anyhow, and the rest."""
    common = _common(term)
    if common == 1:
        return ONE, term
    inside = Sum(term.shape, tuple(scale(1 / common, part) for part in term.parts))
    shorter = written_length(inside) + (abs(common) != 1) <= written_length(term)
    return (common, inside) if shorter else (ONE, term)


def _rational(term: Sum) -> Iterator[Term]:
    """The rational number that all parts share, where it is no fraction of its own making."""
    common = _shared_number(term)
    if common != 1:
        inside = add(*[scale(1 / common, part) for part in term.parts])
        yield Product(term.shape, common, *_bracket(inside))


def _common(term: Sum) -> Fraction:
    """The number that all parts share; negative where all parts are."""
    common = _shared_number(term)
    return -common if all(coefficient_of(part) < 0 for part in term.parts) else common


def _shared_number(term: Sum) -> Fraction:
    values = [coefficient_of(part) for part in term.parts]
    top = reduce(gcd, [abs(value.numerator) for value in values])
    return Fraction(top, reduce(lcm, [value.denominator for value in values]))


def _bracket(
    inside: Term,
) -> tuple[tuple[tuple[Term, Fraction], ...], tuple[Term, ...]]:
    """A term as what stands in a product."""
    return (((inside, ONE),), ()) if inside.shape == SCALAR else ((), (inside,))


def _together(term: Sum, places: Sequence[int], whole: Term | None) -> Term:
    """The sum with one part for those at some places; none where they cancel."""
    rest = [part for k, part in enumerate(term.parts) if k not in set(places)]
    if whole is None:
        return add(*rest) if rest else zero(term.shape)
    return Sum(term.shape, tuple(sorted((whole, *rest), key=is_negative))) if rest else whole
