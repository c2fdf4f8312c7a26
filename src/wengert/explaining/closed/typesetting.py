"""Terms as markup, with brackets where precedence asks for them.

From loose to tight: sums and a leading minus; ∘ and ⊘; `log x` without brackets; products side by
side and quotients; superscripts; what needs no brackets anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from fractions import Fraction
from itertools import groupby

from wengert.explaining.closed.algebra import transpose
from wengert.explaining.closed.markup import (
    COMMA,
    MINUS,
    TRANSPOSE,
    Call,
    Fence,
    Juxtaposed,
    Markup,
    Name,
    Number,
    Quotient,
    Root,
    Row,
    Sign,
    Superscript,
    bracketed,
)
from wengert.explaining.closed.naming import Abbreviations, named, root_of_square
from wengert.explaining.closed.sums import add, is_variable, negative
from wengert.explaining.closed.terms import (
    Apply,
    Curvature,
    Det,
    Diag,
    Diagonal,
    Differential,
    Hadamard,
    Identity,
    Inner,
    Inverse,
    Jacobian,
    LogDet,
    LogSumExp,
    Ones,
    Pairing,
    Product,
    Pullback,
    Quadratic,
    Softmax,
    Sum,
    Symbol,
    Term,
    Trace,
    Transposed,
    Unit,
)

ONE = Fraction(1)
TWO = Fraction(2)
HALF = Fraction(1, 2)
_VULGAR_DENOMINATORS = frozenset({2, 3, 4, 6, 8})
_LARGEST_DENOMINATOR = 10**4
"""Fractions of larger denominators are written with a point."""
_PLUS, _LESS = Sign("+"), Sign("−")
_CIRCLE, _SLASHED = Sign("∘"), Sign("⊘")
_INVERSE = Row((MINUS, Number("1")))
_INVERSE_TRANSPOSE = Row((MINUS, TRANSPOSE))
_RELATIONS = {"positive": Sign(">"), "nonnegative": Sign("≥")}
"""Iverson's bracket: [u > v] is 1 where u > v, else 0."""
_TURNED = {Sign(">"): Sign("<"), Sign("≥"): Sign("≤")}
_CALLED = {"sigmoid": "σ", "sign": "sign", "normal_cdf": "Φ"}
"""Elementwise functions that are printed under another name than their own."""


class Level(IntEnum):
    """How tightly a piece of markup holds together."""

    SUM = 0
    ELEMENTWISE = 1
    OPEN = 2
    PRODUCT = 3
    POWER = 4
    ATOM = 5


Piece = tuple[Markup, Level]


@dataclass(frozen=True, slots=True)
class Typesetter:
    """Writes terms as markup, with the short names given."""

    short: Abbreviations

    def __call__(self, term: Term) -> Markup:
        return self.at(term, Level.SUM)

    def at(self, term: Term, level: Level) -> Markup:
        """The term where at least this level is needed: in brackets if it is looser."""
        if isinstance(term, Apply | LogDet | LogSumExp) and term not in self.short.terms:
            return self._function(term, level)
        markup, own = self.piece(term)
        return markup if own >= level else bracketed(markup)

    def unnamed(self, term: Term) -> Markup:
        """A term that has a short name, written out."""
        return Call("softmax", self(term.of)) if isinstance(term, Softmax) else self(term)

    def root(self, base: Term) -> Markup:
        """√base, written out."""
        return Root(self(base))

    def piece(self, term: Term) -> Piece:
        """The markup of a term and its level."""
        if term in self.short.terms:
            return self.short.terms[term], Level.ATOM
        match term:
            case Symbol():
                return named(term), Level.ATOM
            case Sum(parts=parts):
                return self._sum(parts)
            case Product():
                return self._signed(term)
            case Identity():
                return Name("Id" if "I" in self.short.taken else "I"), Level.ATOM
            case Ones():
                return Number("1"), Level.ATOM
            case Unit(index=index):
                return Name("e", str(index)), Level.ATOM
            case Transposed(of=Inverse(of=of)):
                return Superscript(self.at(of, Level.ATOM), _INVERSE_TRANSPOSE), Level.POWER
            case Transposed(of=Differential(of=Transposed(of=of))):
                return Call("d", self(of)), Level.ATOM
            case Transposed(of=of):
                return Superscript(self.at(of, Level.ATOM), TRANSPOSE), Level.POWER
            case Inverse(of=Transposed(of=of)):
                return Superscript(self.at(of, Level.ATOM), _INVERSE_TRANSPOSE), Level.POWER
            case Inverse(of=of):
                return Superscript(self.at(of, Level.ATOM), _INVERSE), Level.POWER
            case Diag(of=of):
                return Call("diag", self(of)), Level.ATOM
            case Diagonal(of=of):
                return Call("diagonal", self(of)), Level.ATOM
            case Hadamard(powers=powers):
                return self._hadamard([], powers)
            case Inner():
                return self._power_of_number(term, ONE)
            case Trace():
                return self._power_of_number(term, ONE)
            case Det(of=of):
                return Call("det", self(of)), Level.ATOM
            case Softmax(of=of):
                return Call("softmax", self(of)), Level.ATOM
        return self._of_derivations(term)

    def _of_derivations(self, term: Term) -> Piece:
        """What stands in lines of derivations, and derivatives of named intermediates."""
        match term:
            case Jacobian(of=of, by=by):
                return self._jacobian(of, by), Level.PRODUCT
            case Curvature(of=of, weight=weight):
                paired = Fence("⟨", Row((self(weight), COMMA, self(of))), "⟩")
                second = Superscript(Name("∇"), Number("2"))
                return Juxtaposed((second, paired)), Level.PRODUCT
            case Pullback(of=of, by=by, weight=weight):
                pulled = Superscript(bracketed(self._jacobian(of, by)), TRANSPOSE)
                return Juxtaposed((pulled, Fence("[", self(weight), "]"))), Level.PRODUCT
            case Differential(of=of):
                return Call("d", self(of)), Level.ATOM
            case Pairing(left=left, right=right):
                return Fence("⟨", Row((self(left), COMMA, self(right))), "⟩"), Level.ATOM
            case Quadratic(left=left, of=of, right=right):
                first = self.at(left, Level.ATOM)
                first = first if left.is_scalar else Superscript(first, TRANSPOSE)
                middle = Fence("[", self(of), "]")
                return Juxtaposed((first, middle, self.at(right, Level.POWER))), Level.PRODUCT
        raise TypeError(f"no printer knows {type(term).__name__}")

    def _jacobian(self, of: Symbol, by: Symbol) -> Markup:
        return Quotient(Juxtaposed((Name("∂"), named(of))), Juxtaposed((Name("∂"), named(by))))

    def _sum(self, parts: Sequence[Term]) -> Piece:
        """The parts with their signs, one without a minus first if there is any."""
        if not parts:
            return Number("0"), Level.ATOM
        first = next((k for k, part in enumerate(parts) if not _is_negative(part)), 0)
        items: list[Markup] = []
        for part in (parts[first], *parts[:first], *parts[first + 1 :]):
            if not items:
                items.append(self(part))
            elif _is_negative(part):
                items += [_LESS, self._unsigned(part)]
            else:
                items += [_PLUS, self.at(part, Level.ELEMENTWISE)]
        return Row(tuple(items)), Level.SUM

    def _unsigned(self, term: Product) -> Markup:
        markup, level = self._product(term)
        return markup if level > Level.SUM else bracketed(markup)

    def _signed(self, term: Product) -> Piece:
        if not _is_negative(term):
            return self._product(term)
        return Row((MINUS, self._unsigned(term))), Level.SUM

    def _product(self, term: Product) -> Piece:
        """|coefficient| · scalars · chain, as a quotient where a power is negative."""
        over, under = self._numbers(term)
        factors = term.factors
        if len(factors) == 1 and isinstance(factors[0], Hadamard):
            if not under:
                return self._hadamard(over, factors[0].powers)
            over.append(self.at(factors[0], Level.PRODUCT))
        elif under and any(isinstance(factor, Sum) for factor in factors):
            head = Quotient(_juxtaposed(over)[0], _juxtaposed(under)[0])
            return Juxtaposed((head, *self._chain(factors))), Level.PRODUCT
        else:
            over += self._chain(factors)
        above, level = _juxtaposed(over)
        if not under:
            return above, level
        return Quotient(above, _juxtaposed(under)[0]), Level.PRODUCT

    def _numbers(self, term: Product) -> tuple[list[Markup], list[Markup]]:
        """What stands in front of a chain, and what it is divided by."""
        over: list[Markup] = []
        under: list[Markup] = []
        divides = any(power < 0 for _, power in term.scalars)
        whole, parts = _coefficient(abs(term.coefficient), divides)
        over += [Number(whole)] if whole != "1" else []
        under += [Number(parts)] if parts else []
        multiplied = [pair for pair in term.scalars if pair[1] > 0]
        last_is_open = not term.factors and all(
            isinstance(base, Symbol) for base, _ in multiplied[:-1]
        )
        for k, (base, power) in enumerate(multiplied):
            loose = last_is_open and k == len(multiplied) - 1
            over.append(self._number(base, power, loose=loose))
        divisors = [pair for pair in term.scalars if pair[1] < 0]
        for base, power in divisors:
            alone = len(divisors) == 1 and not parts
            under.append(
                self(base)
                if alone and power == -1 and not self._has_root(base)
                else self._number(base, power, loose=alone)
            )
        return over, under

    def _number(self, base: Term, power: Fraction, *, loose: bool) -> Markup:
        """One number of a product; loose: it may stand without brackets as a chain does."""
        markup, level = self._power_of_number(base, power)
        return markup if level >= (Level.PRODUCT if loose else Level.POWER) else bracketed(markup)

    def _has_root(self, base: Term) -> bool:
        return base in self.short.roots or root_of_square(base) is not None

    def _power_of_number(self, base: Term, power: Fraction) -> Piece:
        """base^p, or base^−p below a fraction bar where p < 0."""
        if base in self.short.roots:
            return self._raised(self.short.roots[base], Level.ATOM, 2 * abs(power))
        if isinstance(base, Inner):
            element = _element(base.factors)
            if element is not None:
                return self._raised(element, Level.ATOM, abs(power))
        root = root_of_square(base)
        if root is not None and not _reads_better_as_chain(base, root, power):
            frobenius = "F" if isinstance(base, Trace) else ""
            norm = Fence("‖", self._alone(root), "‖", frobenius)
            return self._raised(norm, Level.ATOM, 2 * abs(power))
        power = abs(power)
        if power == HALF:
            return Root(self(base)), Level.POWER
        if power != 1 and isinstance(base, Apply) and _has_a_name(base):
            if power.denominator == 1:
                return self._call(base, power), Level.ATOM
        if power == 1 and isinstance(base, Inner):
            return _juxtaposed(self._chain(base.factors))
        if power == 1 and isinstance(base, Trace):
            return Call("tr", self._alone(base.factors)), Level.ATOM
        if power == 1:
            return self.at(base, Level.POWER), Level.POWER
        return self._raised(self.at(base, Level.ATOM), Level.ATOM, power)

    def _raised(self, base: Markup, level: Level, power: Fraction) -> Piece:
        if power == 1:
            return base, level
        return Superscript(base, _exponent(power)), Level.POWER

    def _chain(self, factors: Sequence[Term]) -> list[Markup]:
        """Factors of a product; a chain of transposes alone as the transpose of a chain."""
        if len(factors) > 2 and all(_is_transposed_matrix(factor) for factor in factors):
            straight = self._chain([transpose(factor) for factor in reversed(factors)])
            return [Superscript(bracketed(_juxtaposed(straight)[0]), TRANSPOSE)]
        runs = [(factor, len(list(run))) for factor, run in groupby(factors)]
        return [self._repeated(factor, count) for factor, count in runs]

    def _repeated(self, factor: Term, count: int) -> Markup:
        """M, M², M⁻², (M²)ᵀ: a matrix times itself."""
        if count == 1:
            return self.at(factor, Level.POWER)
        if isinstance(factor, Transposed):
            return Superscript(bracketed(self._repeated(factor.of, count)), TRANSPOSE)
        if isinstance(factor, Inverse):
            return Superscript(self.at(factor.of, Level.ATOM), _exponent(Fraction(-count)))
        return Superscript(self.at(factor, Level.ATOM), _exponent(Fraction(count)))

    def _alone(self, factors: Sequence[Term]) -> Markup:
        """A chain that brackets of another kind stand around."""
        return self(factors[0]) if len(factors) == 1 else Juxtaposed(tuple(self._chain(factors)))

    def _hadamard(self, front: list[Markup], powers: Sequence[tuple[Term, Fraction]]) -> Piece:
        """Numbers in front, then u ∘ v ⊘ w."""
        over = [piece for base, power in powers if power > 0 for piece in self._spread(base, power)]
        under = [
            piece for base, power in powers if power < 0 for piece in self._spread(base, -power)
        ]
        if over:
            over[0] = _juxtaposed([*front, over[0]])[0] if front else over[0]
        else:
            over = [_juxtaposed(front)[0]] if front else [Number("1")]
        items = _between(over, _CIRCLE)
        if under:
            divisor = under[0] if len(under) == 1 else bracketed(Row(_between(under, _CIRCLE)))
            items = (*items, _SLASHED, divisor)
        return (Row(items), Level.ELEMENTWISE) if len(items) > 1 else (items[0], Level.PRODUCT)

    def _spread(self, base: Term, power: Fraction) -> list[Markup]:
        """base^∘p: x ∘ x, tanh²(u), √u, (x − w)^∘3."""
        if power == 1:
            return [self.at(base, Level.PRODUCT)]
        if power == HALF:
            return [Root(self(base))]
        if power.denominator == 1 and isinstance(base, Apply) and _has_a_name(base):
            return [self._call(base, power)]
        if power == TWO and isinstance(base, Symbol):
            return [self.at(base, Level.ATOM)] * 2
        exponent = Row((Sign("∘", spaced=False), _exponent(power)))
        return [Superscript(self.at(base, Level.ATOM), exponent)]

    def _function(self, term: Apply | LogDet | LogSumExp, level: Level) -> Markup:
        """A function of something, without brackets where it is short and may stand so."""
        opened = level <= Level.OPEN
        if isinstance(term, LogDet):
            determinant: Markup = Call("det", self.at(term.of, Level.ATOM), fenced=False)
            certain = isinstance(term.of, Symbol) and "positive definite" in term.of.facts
            return Call(
                "log", determinant if certain else Fence("|", determinant, "|"), fenced=not opened
            )
        if isinstance(term, LogSumExp):
            if not term.is_scalar:
                return Call("logsumexp", self(term.of))
            power = self._exponential(Apply(term.of.shape, "exp", term.of), Level.POWER)
            return Call("log", Row((Sign("Σ", spaced=False), power)), fenced=not opened)
        if term.function == "exp":
            return self._exponential(term, level)
        if term.function == "abs":
            return Fence("|", self(term.of), "|")
        if term.function in _RELATIONS:
            return Fence("[", self._relation(_RELATIONS[term.function], term.of), "]")
        if term.function == "softplus":
            power = Apply(term.of.shape, "exp", term.of)
            return Call("log", Row((Number("1"), _PLUS, self.at(power, Level.ELEMENTWISE))))
        return self._call(term, ONE, opened=opened and isinstance(term.of, Symbol))

    def _relation(self, sign: Sign, difference: Term) -> Markup:
        """u > v for the difference u − v, or v < u where v alone has the variable."""
        parts = difference.parts if isinstance(difference, Sum) else (difference,)
        over = [part for part in parts if not _is_negative(part)]
        under = [negative(part) for part in parts if _is_negative(part)]
        sides = [self(add(*side)) if side else Number("0") for side in (over, under)]
        varies = [any(is_variable(s) for part in side for s in part.free) for side in (over, under)]
        if varies == [False, True]:
            return Row((sides[1], _TURNED[sign], sides[0]))
        return Row((sides[0], sign, sides[1]))

    def _call(self, term: Apply, power: Fraction, *, opened: bool = False) -> Markup:
        name = _CALLED.get(term.function, term.function)
        if name in _CALLED.values():
            opened = False
        raised = "" if power == 1 else str(power)
        return Call(name, self(term.of), raised, fenced=not opened)

    def _exponential(self, term: Apply, level: Level) -> Markup:
        inside = self(term.of)
        if "e" in self.short.taken:
            return Call("exp", inside)
        if min(term.shape) > 1:  # elementwise, and not the exponential of a matrix
            inside = Row((Sign("∘", spaced=False), self.at(term.of, Level.PRODUCT)))
        raised = Superscript(Name("e"), inside)
        return raised if level <= Level.POWER else bracketed(raised)


def _is_negative(term: Term) -> bool:
    return isinstance(term, Product) and term.coefficient < 0


def _is_transposed_matrix(term: Term) -> bool:
    return isinstance(term, Transposed) and min(term.shape) > 1


def _element(factors: Sequence[Term]) -> Markup | None:
    """x₀ for the number e₀ᵀx, an element of a column, counted from 0; not of dx: dx₁ is another."""
    match factors:
        case (Transposed(of=Unit(index=index)), Symbol() as column):
            pass
        case (Transposed(of=Symbol() as column), Unit(index=index)):
            pass
        case _:
            return None
    name = named(column)
    if name.subscript or column.role == "differential":
        return None
    return replace(name, subscript=str(index))


def _has_a_name(term: Apply) -> bool:
    return term.function not in ("exp", "abs", "softplus", *_RELATIONS)


def _reads_better_as_chain(base: Term, root: Sequence[Term], power: Fraction) -> bool:
    """Whether xᵀx is left as it is: at whole powers of a lone symbol."""
    short = len(root) == 1 and isinstance(root[0], Symbol) and isinstance(base, Inner)
    return short and power.denominator == 1 and power > 0


def _juxtaposed(items: Sequence[Markup]) -> Piece:
    if not items:
        return Number("1"), Level.ATOM
    if len(items) == 1:
        return items[0], Level.PRODUCT if isinstance(items[0], Juxtaposed) else Level.POWER
    return Juxtaposed(tuple(items)), Level.PRODUCT


def _between(items: Sequence[Markup], sign: Sign) -> tuple[Markup, ...]:
    return tuple(piece for item in items for piece in (sign, item))[1:]


def _coefficient(value: Fraction, divides: bool) -> tuple[str, str]:
    """A positive number as what is multiplied by and what is divided by: ½, 0.3, 2/7."""
    if value.denominator == 1:
        return str(value.numerator), ""
    if divides and not _is_decimal(value):
        return str(value.numerator), str(value.denominator)
    if value.denominator in _VULGAR_DENOMINATORS and value.numerator < value.denominator:
        return f"{value.numerator}/{value.denominator}", ""
    if _is_decimal(value):
        return decimal(value), ""
    return f"{value.numerator}/{value.denominator}", ""


def _is_decimal(value: Fraction) -> bool:
    """Whether a number is one that is written with a point: 0.3, and not ½, 3/16 or 2/7."""
    if value.denominator > _LARGEST_DENOMINATOR:
        return True
    binary = value.denominator & (value.denominator - 1) == 0
    plain = not binary and value.denominator not in _VULGAR_DENOMINATORS
    return plain and Fraction(repr(float(value))) == value


def decimal(value: Fraction) -> str:
    """A number as NumPy code has it."""
    return repr(float(value))


def _exponent(power: Fraction) -> Markup:
    sign = (MINUS,) if power < 0 else ()
    whole, parts = _coefficient(abs(power), divides=False)
    number = Number(whole if not parts else f"{whole}/{parts}")
    return Row((*sign, number)) if sign else number
