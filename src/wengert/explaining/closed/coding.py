"""Terms as NumPy expressions: 1-D arrays for columns and rows, 2-D arrays for matrices.

Functions that would overflow are written so that they do not (σ, softplus, softmax, log Σ exp by
`np.logaddexp`); chains are bracketed so that matrices meet columns first; diag(v) M is
v[:, None] * M, and X⁻¹u is a solve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction

from wengert.explaining.closed.algebra import transpose
from wengert.explaining.closed.naming import root_of_square
from wengert.explaining.closed.terms import (
    SCALAR,
    Apply,
    Curvature,
    Det,
    Diag,
    Diagonal,
    Hadamard,
    Identity,
    Inner,
    Inverse,
    Jacobian,
    LogDet,
    LogSumExp,
    Ones,
    Product,
    Pullback,
    Softmax,
    Sum,
    Symbol,
    Term,
    Trace,
    Transposed,
    Unit,
)

ONE = Fraction(1)
HALF = Fraction(1, 2)
_LARGEST_DENOMINATOR = 10**4


class Level(IntEnum):
    """How tightly an expression of Python holds together."""

    SUM = 0
    MATMUL = 1
    TIMES = 2
    UNARY = 3
    POWER = 4
    ATOM = 5


Code = tuple[str, Level]

HELPERS = {
    "sigmoid": "def sigmoid(z):\n    return np.exp(-np.logaddexp(0, -z))\n",
    "softplus": "def softplus(z):\n    return np.logaddexp(0, z)\n",
    "logsumexp": "def logsumexp(z):\n    return np.logaddexp.reduce(z, axis=-1)\n",
    "softmax": (
        "def softmax(z):\n    return np.exp(z - np.logaddexp.reduce(z, axis=-1, keepdims=True))\n"
    ),
    "erf": "erf = np.vectorize(math.erf, otypes=[float])\n",
}
"""Functions that NumPy has not, without overflow."""

_CALLED = {
    "relu": "np.maximum({}, 0)",
    "step": "np.heaviside({}, 0.5)",
    "positive": "np.heaviside({}, 0)",
    "nonnegative": "np.heaviside({}, 1)",
}


@dataclass(slots=True)
class Coder:
    """Writes terms as expressions.

    names: what symbols and named subterms are called.
    given: of what is no formula, what it is computed from.
    sizes: an expression for the length of an axis, from an argument that has it.
    helpers: those of HELPERS that were used.
    """

    names: Mapping[Term, str]
    sizes: Callable[[int], str]
    given: Mapping[Symbol, Sequence[Symbol]]
    helpers: set[str] = field(default_factory=set)

    def at(self, term: Term, level: Level) -> str:
        """The expression where at least this level is needed."""
        return _at(self.code(term), level)

    def code(self, term: Term) -> Code:
        """The expression of a term."""
        if term in self.names:
            return self.names[term], Level.ATOM
        match term:
            case Symbol(name="π"):
                return "np.pi", Level.ATOM
            case Sum(parts=parts):
                return self._sum(term, parts)
            case Product():
                return self._product(term)
            case Identity():
                return f"np.eye({self.sizes(term.shape[0])})", Level.ATOM
            case Ones():
                return f"np.ones({self.sizes(term.shape[0])})", Level.ATOM
            case Unit(index=index):
                return f"np.eye({self.sizes(term.shape[0])})[{index}]", Level.ATOM
            case Transposed(of=of):
                if rank(of) < 2:
                    return self.code(of)
                return f"{self.at(of, Level.ATOM)}.T", Level.ATOM
            case Inverse(of=of):
                return f"np.linalg.inv({self.at(of, Level.SUM)})", Level.ATOM
            case Diag(of=of) | Diagonal(of=of):
                return f"np.diag({self.at(of, Level.SUM)})", Level.ATOM
            case Hadamard(powers=powers):
                return self._quotient(ONE, powers, None)
            case Apply(function=function, of=of):
                return self._applied(function, self.at(of, Level.SUM))
            case Inner(factors=factors):
                return self._inner(factors)
            case Trace(factors=factors):
                return self._trace(factors)
            case Det(of=of):
                return f"np.linalg.det({self.at(of, Level.SUM)})", Level.ATOM
            case LogDet(of=of):
                return f"np.linalg.slogdet({self.at(of, Level.SUM)})[1]", Level.ATOM
            case LogSumExp(of=of):
                return self._helped("logsumexp", self.at(of, Level.SUM))
            case Softmax(of=of):
                return self._helped("softmax", self.at(of, Level.SUM))
            case Jacobian(of=of, by=by):
                return self._of_intermediate("jacobian", of, by, None)
            case Curvature(of=of, by=by, weight=weight):
                return self._of_intermediate("curvature", of, by, weight)
            case Pullback(of=of, by=by, weight=weight):
                return self._of_intermediate("pullback", of, by, weight)
        raise TypeError(f"{type(term).__name__} is no part of a formula")

    # ------------------------------------------------------------------------------- pieces

    def _helped(self, helper: str, argument: str) -> Code:
        self.helpers.add(helper)
        return f"{helper}({argument})", Level.ATOM

    def _applied(self, function: str, argument: str) -> Code:
        if function in HELPERS:
            return self._helped(function, argument)
        if function in _CALLED:
            return _CALLED[function].format(argument), Level.ATOM
        return f"np.{function}({argument})", Level.ATOM

    def _of_intermediate(self, what: str, of: Symbol, by: Symbol, weight: Term | None) -> Code:
        """A derivative of what is no formula: a function that the source takes as an argument."""
        name = derivative_name(self.names, what, of, by)
        taken = [] if weight is None else [self.at(weight, Level.SUM)]
        taken += [self.names[symbol] for symbol in self.given[of]]
        return f"{name}({', '.join(taken)})", Level.ATOM

    def _sum(self, term: Term, parts: Sequence[Term]) -> Code:
        if not parts:
            return self._zeros(term), Level.ATOM
        complement = self._complement_of_sigmoid(parts)
        if complement is not None:
            return complement
        broadcast = not all(map(_is_constant, parts))
        first = next((k for k, part in enumerate(parts) if not _is_negative(part)), 0)
        line = ""
        for part in (parts[first], *parts[:first], *parts[first + 1 :]):
            negative = bool(line) and _is_negative(part)
            shown = _opposite(part) if negative else part
            code = self._constant(shown) if broadcast and _is_constant(shown) else self.code(shown)
            sign = (" - " if negative else " + ") if line else ""
            line += sign + _at(code, Level.MATMUL if line else Level.SUM)
        return line, Level.SUM

    def _zeros(self, term: Term) -> str:
        if rank(term) == 0:
            return "0.0"
        if rank(term) == 1:
            return f"np.zeros({self.sizes(max(term.shape))})"
        return f"np.zeros(({self.sizes(term.shape[0])}, {self.sizes(term.shape[1])}))"

    def _complement_of_sigmoid(self, parts: Sequence[Term]) -> Code | None:
        """1 − σ(z) = σ(−z), which loses no digits."""
        if len(parts) != 2:
            return None
        for one, other in (parts, parts[::-1]):
            if not (_is_constant(one) and isinstance(other, Product) and other.coefficient == -1):
                continue
            inside = [base for base, power in other.scalars if power == 1] + [*other.factors]
            if len(inside) != 1 or len(other.scalars) + len(other.factors) != 1:
                continue
            (only,) = inside
            if isinstance(only, Apply) and only.function == "sigmoid" and self._is_one(one):
                return self._helped("sigmoid", _negated(self.code(only.of)))
        return None

    def _is_one(self, term: Term) -> bool:
        return self._constant(term)[0] == "1"

    def _constant(self, term: Term) -> Code:
        """The number that all elements of a term of ones are."""
        if isinstance(term, Product):
            return self._quotient(term.coefficient, term.scalars, None)
        return "1", Level.ATOM

    def _product(self, term: Product) -> Code:
        chain = None
        if term.factors:
            single = term.factors[0] if len(term.factors) == 1 else None
            if isinstance(single, Hadamard) and single not in self.names:
                return self._quotient(term.coefficient, (*term.scalars, *single.powers), None)
            chain = self.chain(term.factors)
        return self._quotient(term.coefficient, term.scalars, chain)

    def _quotient(
        self, coefficient: Fraction, powers: Sequence[tuple[Term, Fraction]], chain: Code | None
    ) -> Code:
        """coefficient · powers · chain with what is divided by at the end."""
        over = [self.power(base, power) for base, power in powers if power > 0]
        under = [self.power(base, -power) for base, power in powers if power < 0]
        over += [] if chain is None else [chain]
        size = abs(coefficient)
        if 1 < size.denominator < _LARGEST_DENOMINATOR and Fraction(repr(float(size))) != size:
            under.insert(0, (str(size.denominator), Level.ATOM))
            size = Fraction(size.numerator)
        front = str(size) if size.denominator == 1 else repr(float(size))
        if size != 1 or not over:
            over.insert(0, (front, Level.ATOM))
        if len(over) == 1 and not under:
            return _minus(over[0]) if coefficient < 0 else over[0]
        line = " * ".join(
            _at(code, Level.UNARY if k else Level.TIMES) for k, code in enumerate(over)
        )
        if under:
            below = [_at(code, Level.UNARY if len(under) == 1 else Level.TIMES) for code in under]
            line += f" / {below[0]}" if len(under) == 1 else f" / ({' * '.join(below)})"
        return (f"-{line}" if coefficient < 0 else line), Level.TIMES

    def power(self, base: Term, power: Fraction) -> Code:
        """base^p of a number, or elementwise, for p > 0; roots of squares are norms."""
        if power.denominator == 2 and is_root(base, power) and root_term(base) in self.names:
            return _raised((self.names[root_term(base)], Level.ATOM), 2 * power)
        root = root_of_square(base) if power.denominator == 2 else None
        if root is not None:
            norm = f"np.linalg.norm({_at(self.chain(root), Level.SUM)})"
            return _raised((norm, Level.ATOM), 2 * power)
        if power == HALF:
            return f"np.sqrt({self.at(base, Level.SUM)})", Level.ATOM
        return _raised(self.code(base), power)

    # ------------------------------------------------------------------------------- chains

    def chain(self, factors: Sequence[Term]) -> Code:
        """A product of rows, columns and matrices."""
        for k in range(1, len(factors)):
            if factors[k - 1].shape[1] == 1 and factors[k].shape[0] == 1:
                left, right = self.chain(factors[:k]), self.chain(factors[k:])
                return f"np.outer({left[0]}, {right[0]})", Level.ATOM
        if len(factors) == 1:
            return self.code(factors[0])
        if factors[-1].shape[1] == 1:
            return self._from_right(factors)
        return self._from_left(factors)

    def _from_right(self, factors: Sequence[Term]) -> Code:
        """Matrices applied to a column, the last first."""
        *before, last = factors
        if isinstance(last, Ones):
            axis = "" if before[0].shape[0] == 1 else ", axis=1"
            return f"np.sum({self.chain(before)[0]}{axis})", Level.ATOM
        if isinstance(last, Unit):
            taken = self.chain(before)
            place = f"[{last.index}]" if before[0].shape[0] == 1 else f"[:, {last.index}]"
            return f"{_at(taken, Level.ATOM)}{place}", Level.ATOM
        found = self.code(last)
        for factor in reversed(before):
            found = self._applied_to(factor, found)
        return found

    def _applied_to(self, factor: Term, column: Code) -> Code:
        match factor:
            case Transposed(of=Ones()):
                return f"np.sum({column[0]})", Level.ATOM
            case Transposed(of=Unit(index=index)):
                return f"{_at(column, Level.ATOM)}[{index}]", Level.ATOM
            case Identity():
                return column
            case Diag(of=of) if factor not in self.names:
                return f"{self.at(of, Level.TIMES)} * {_at(column, Level.UNARY)}", Level.TIMES
            case Inverse(of=of) if factor not in self.names:
                return f"np.linalg.solve({self.at(of, Level.SUM)}, {column[0]})", Level.ATOM
            case Transposed(of=Inverse(of=of)) if factor.of not in self.names:
                solve = f"np.linalg.solve({self.at(of, Level.ATOM)}.T, {column[0]})"
                return solve, Level.ATOM
        return f"{self.at(factor, Level.UNARY)} @ {_at(column, Level.UNARY)}", Level.MATMUL

    def _from_left(self, factors: Sequence[Term]) -> Code:
        """A row or a matrix, and matrices after it."""
        first, *others = factors
        if isinstance(first, Diag) and first not in self.names and others:
            scaled = f"{self.at(first.of, Level.ATOM)}[:, None]"
            rest = _at(self.chain(others), Level.UNARY)
            return f"{scaled} * {rest}", Level.TIMES
        if isinstance(first, Transposed) and isinstance(first.of, Ones) and others:
            return f"np.sum({self.chain(others)[0]}, axis=0)", Level.ATOM
        if isinstance(first, Transposed) and isinstance(first.of, Unit) and others:
            return f"{_at(self.chain(others), Level.ATOM)}[{first.of.index}]", Level.ATOM
        found = self.code(first)
        for factor in others:
            match factor:
                case Identity():
                    continue
                case Diag(of=of) if factor not in self.names:
                    code = f"{_at(found, Level.TIMES)} * {self.at(of, Level.UNARY)}"
                    found = code, Level.TIMES
                case _:
                    left = _at(found, Level.UNARY) if found[1] != Level.MATMUL else found[0]
                    found = f"{left} @ {self.at(factor, Level.UNARY)}", Level.MATMUL
        return found

    def _inner(self, factors: Sequence[Term]) -> Code:
        plain = not any(isinstance(factor, Ones | Unit | Diag | Inverse) for factor in factors)
        plain = plain and not any(
            isinstance(factor, Transposed) and isinstance(factor.of, Ones | Unit | Inverse)
            for factor in factors
        )
        if plain:
            return " @ ".join(self.at(factor, Level.UNARY) for factor in factors), Level.MATMUL
        return self._from_right(factors)

    def _trace(self, factors: Sequence[Term]) -> Code:
        """tr(AB…) as the sum of the elements of Aᵀ ∘ (B…)."""
        first, *others = factors
        if not others:
            return f"np.trace({self.at(first, Level.SUM)})", Level.ATOM
        turned = self.at(transpose(first), Level.TIMES)
        rest = _at(self.chain(others), Level.UNARY)
        if turned == rest:
            level = Level.ATOM if turned.isidentifier() else Level.UNARY
            return f"np.sum({_raised((turned, level), Fraction(2))[0]})", Level.ATOM
        return f"np.sum({turned} * {rest})", Level.ATOM


def derivative_name(names: Mapping[Term, str], what: str, of: Symbol, by: Symbol) -> str:
    """What the source calls a derivative of an intermediate: z1_jacobian_x."""
    return f"{names[of]}_{what}_{names[by]}"


def rank(term: Term) -> int:
    """The number of axes of the array of a term."""
    return sum(length > 1 for length in term.shape)


def _at(code: Code, level: Level) -> str:
    return code[0] if code[1] >= level else f"({code[0]})"


def _minus(code: Code) -> Code:
    return f"-{_at(code, Level.UNARY)}", Level.UNARY


def _negated(code: Code) -> str:
    text, level = code
    if level == Level.UNARY and text.startswith("-"):
        return text[1:]
    return f"-{_at(code, Level.UNARY)}"


def _raised(base: Code, power: Fraction) -> Code:
    if power == 1:
        return base
    exponent = _written(power)
    below = _at(base, Level.ATOM)
    sign = "**" if below.isidentifier() and not exponent.startswith("(") else " ** "
    return f"{below}{sign}{exponent}", Level.POWER


def _written(power: Fraction) -> str:
    """A positive exponent."""
    if power.denominator == 1:
        return str(power)
    decimal = repr(float(power))
    return decimal if Fraction(decimal) == power else f"({power})"


def _is_negative(term: Term) -> bool:
    return isinstance(term, Product) and term.coefficient < 0


def _opposite(term: Term) -> Term:
    assert isinstance(term, Product)
    if term.coefficient == -1 and not term.scalars and len(term.factors) == 1:
        return term.factors[0]
    return Product(term.shape, -term.coefficient, term.scalars, term.factors)


def _is_constant(term: Term) -> bool:
    """Whether all elements are one number: c, c 1, c 1 1ᵀ."""
    factors = term.factors if isinstance(term, Product) else (term,)
    if isinstance(term, Product) and term.shape == SCALAR:
        return not term.scalars
    return all(
        isinstance(factor.of if isinstance(factor, Transposed) else factor, Ones)
        for factor in factors
    )


def is_root(base: Term, power: Fraction) -> bool:
    """Whether base^p is written by the square root of base."""
    return power.denominator == 2 and base.is_scalar


def root_term(base: Term) -> Term:
    """√base as a term of its own, to be named."""
    return Product(SCALAR, ONE, ((base, HALF),))
