"""Terms of matrix calculus: what the formulas of closed forms are made of.

A term is an immutable tree in normal form. Terms are equal if their `key`s are; a key is a plain
text of the term for tests and errors (what people read is made by the printers).

An axis of length one is no axis: a number has the shape (1, 1), a column (n, 1), a row (1, n), a
matrix (m, n). A row is written as the transpose of a column.

The kinds, with n, m ≥ 2:

    Sum(parts)            a + b + …, no part is a Sum; without parts it is zero
    Product(coefficient, scalars, factors)
                          coefficient · s₁^p₁ s₂^p₂ … · (M₁ M₂ …): a fraction, powers of numbers,
                          and a chain of rows, columns and matrices. Without factors it is a
                          number; without scalars too a rational number. Sums stand in it in
                          brackets
    Symbol(name, shape)   an argument, a captured array, a differential (dx, dx₁, dX, V), or a
                          named intermediate (z₁); `role` says which, `facts` what is assumed
    Identity  I           (n, n)
    Ones      1           (n, 1), all ones
    Unit(index)  eᵢ       (n, 1), one at the index (from 0), zero elsewhere
    Transposed(of)        (·)ᵀ of a symbol, a Sum, a Hadamard, …; of a chain (a Product) only in
                          results, where it is shorter: (X⁻¹ B X⁻¹)ᵀ
    Inverse(of)           (·)⁻¹
    Diag(of)              the diagonal matrix of a column
    Diagonal(of)          the diagonal of a matrix, as a column
    Hadamard(powers)      u^∘p ∘ v^∘q ∘ …: elementwise powers of columns or matrices (powers are
                          fractions: x ∘ x is ((x, 2),), 1 ⊘ x is ((x, -1),), √u is ((u, ½),))
    Apply(function, of)   an elementwise function of a number, a column or a matrix; its names are
                          the keys of `wengert.explaining.closed.functions.FUNCTIONS`
    Inner(factors)        the number M₁ M₂ … of a chain from a row to a column; Inner((uᵀ, u)) to
                          the power ½ is ‖u‖, to the power 1 it is ‖u‖²
    Trace(factors)        tr(M₁ M₂ …); Trace((Mᵀ, M)) to the power ½ is ‖M‖_F
    Det(of)               the determinant
    LogDet(of)            log|det(·)|; log det(·) where `of` is known to be positive definite
    LogSumExp(of)         log Σ exp of a column: a number. Of a matrix: of each row, a column
    Softmax(of)           exp(u)/Σ exp(u) of a column; of a matrix: of each row
    Jacobian(of, by)      ∂z/∂x of a named intermediate z, (size of z, size of x)
    Curvature(of, by, weight)
                          Σₖ wₖ ∇²zₖ of a named intermediate z by x with weights w: symmetric
    Pullback(of, by, weight)
                          (∂z/∂x)ᵀ[w] where z or x is a matrix: the gradient by x of ⟨w, z⟩, w
                          fixed

and in lines of derivations only:

    Differential(of)      d(·), not yet worked out
    Pairing(left, right)  ⟨left, right⟩
    Quadratic(left, of, right)
                          leftᵀ [of] right

What a printer may rely on beside this module and `problem`, in `closed.deriving`:

    lift(f, examples, wrt=None, assume=None) -> Problem
    derive(problem) -> Derivation
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

Shape: TypeAlias = tuple[int, int]
SCALAR: Shape = (1, 1)
ONE = Fraction(1)
NOTHING: frozenset[Symbol] = frozenset()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Term:
    """Any term. key: its text. free: the symbols in it. moving: whether it holds a differential."""

    shape: Shape
    key: str = field(init=False)
    free: frozenset[Symbol] = field(init=False)
    moving: bool = field(init=False)
    size: int = field(init=False)
    _hash: int = field(init=False)

    def __post_init__(self) -> None:
        inside = tuple(self.inside())
        write = object.__setattr__
        write(self, "free", NOTHING.union(*[term.free for term in inside]))
        write(self, "moving", any(term.moving for term in inside))
        write(self, "size", 1 + sum([term.size for term in inside]))
        key = self.text()
        write(self, "key", key)
        write(self, "_hash", hash((key, self.shape)))

    def inside(self) -> Iterable[Term]:
        """The terms that this one is made of."""
        return ()

    def text(self) -> str:
        """What `key` is."""
        raise NotImplementedError

    @property
    def is_scalar(self) -> bool:
        return self.shape == SCALAR

    def holds(self, symbol: Symbol) -> bool:
        """Whether the symbol occurs in it."""
        return symbol in self.free

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Term) and self.key == other.key and self.shape == other.shape

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Symbol(Term):
    """A name. role: "variable", "constant", "intermediate" or "differential".

    depends: whether an intermediate rests on the variable.
    facts: what is assumed of it: "symmetric", "diagonal", "orthogonal", "positive definite",
        "signs", "positive", …. An intermediate may be "linear" in the variable.
    """

    name: str
    role: str = "constant"
    facts: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        write = object.__setattr__
        write(self, "key", self.name)
        write(self, "_hash", hash((self.name, self.shape)))
        write(self, "free", frozenset((self,)))
        write(self, "moving", self.role == "differential")
        write(self, "size", 1)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sum(Term):
    parts: tuple[Term, ...]

    def inside(self) -> Iterable[Term]:
        return self.parts

    def text(self) -> str:
        if not self.parts:
            return "0"
        texts = [part.key for part in self.parts]
        return texts[0] + "".join(
            f" - {text[1:]}" if text[0] == "-" else f" + {text}" for text in texts[1:]
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Product(Term):
    coefficient: Fraction
    scalars: tuple[tuple[Term, Fraction], ...] = ()
    factors: tuple[Term, ...] = ()

    def inside(self) -> Iterator[Term]:
        for base, _ in self.scalars:
            yield base
        yield from self.factors

    def text(self) -> str:
        pieces = [_powered(base, power) for base, power in self.scalars]
        pieces += [_bracketed(factor) for factor in self.factors]
        if not pieces:
            return str(self.coefficient)
        if abs(self.coefficient) != 1:
            pieces.insert(0, str(abs(self.coefficient)))
        return ("-" if self.coefficient < 0 else "") + "*".join(pieces)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Identity(Term):
    def text(self) -> str:
        return "I"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ones(Term):
    def text(self) -> str:
        return "1"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Unit(Term):
    index: int

    def text(self) -> str:
        return f"e[{self.index}]"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Of(Term):
    """A term of one other."""

    of: Term

    def inside(self) -> Iterable[Term]:
        return (self.of,)

    def text(self) -> str:
        return f"{type(self).__name__.lower()}({self.of.key})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Transposed(Of):
    def __post_init__(self) -> None:
        Term.__post_init__(self)
        object.__setattr__(self, "size", self.of.size)  # beside its transpose a term comes first

    def text(self) -> str:
        return f"{_bracketed(self.of)}'"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Inverse(Of):
    def text(self) -> str:
        return f"inv({self.of.key})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Diag(Of):
    pass


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Diagonal(Of):
    pass


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Det(Of):
    pass


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LogDet(Of):
    pass


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LogSumExp(Of):
    pass


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Softmax(Of):
    pass


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Apply(Term):
    function: str
    of: Term

    def inside(self) -> Iterable[Term]:
        return (self.of,)

    def text(self) -> str:
        return f"{self.function}({self.of.key})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Hadamard(Term):
    powers: tuple[tuple[Term, Fraction], ...]

    def inside(self) -> Iterable[Term]:
        return [base for base, _ in self.powers]

    def text(self) -> str:
        return "(" + " o ".join(_powered(base, power, "^o") for base, power in self.powers) + ")"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Inner(Term):
    factors: tuple[Term, ...]

    def inside(self) -> Iterable[Term]:
        return self.factors

    def text(self) -> str:
        return "<" + "*".join(map(_bracketed, self.factors)) + ">"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Trace(Term):
    factors: tuple[Term, ...]

    def inside(self) -> Iterable[Term]:
        return self.factors

    def text(self) -> str:
        return "tr(" + "*".join(map(_bracketed, self.factors)) + ")"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Jacobian(Term):
    of: Symbol
    by: Symbol

    def __post_init__(self) -> None:
        Term.__post_init__(self)
        if "linear" in self.of.facts:
            object.__setattr__(self, "free", NOTHING)

    def inside(self) -> Iterable[Term]:
        return (self.of, self.by)

    def text(self) -> str:
        return f"J[{self.of.key}/{self.by.key}]"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Weighted(Term):
    """A derivative of ⟨weight, z⟩, for an intermediate z, by a symbol that z is computed from."""

    of: Symbol
    by: Symbol
    weight: Term

    def inside(self) -> Iterable[Term]:
        return (self.of, self.by, self.weight)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Curvature(Weighted):
    def text(self) -> str:
        return f"H[{self.of.key}/{self.by.key}; {self.weight.key}]"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pullback(Weighted):
    def text(self) -> str:
        return f"J[{self.of.key}/{self.by.key}]'[{self.weight.key}]"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Differential(Of):
    def __post_init__(self) -> None:
        Term.__post_init__(self)
        object.__setattr__(self, "moving", True)

    def text(self) -> str:
        return f"d({self.of.key})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pairing(Term):
    left: Term
    right: Term

    def inside(self) -> Iterable[Term]:
        return (self.left, self.right)

    def text(self) -> str:
        return f"<{self.left.key}, {self.right.key}>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Quadratic(Term):
    left: Term
    of: Term
    right: Term

    def inside(self) -> Iterable[Term]:
        return (self.left, self.of, self.right)

    def text(self) -> str:
        return f"{self.left.key}'[{self.of.key}]{self.right.key}"


def zero(shape: Shape) -> Term:
    """The zero of a shape."""
    return Sum(shape, ())


def number(value: Fraction | int) -> Term:
    """A rational number."""
    return Product(SCALAR, Fraction(value)) if value else zero(SCALAR)


def is_zero(term: Term) -> bool:
    return isinstance(term, Sum) and not term.parts


def _bracketed(term: Term) -> str:
    return f"({term.key})" if isinstance(term, Sum | Product) else term.key


def _powered(base: Term, power: Fraction, sign: str = "^") -> str:
    if power == 1:
        return _bracketed(base)
    text = str(power)
    return f"{_bracketed(base)}{sign}{text if text.isdigit() else f'({text})'}"
