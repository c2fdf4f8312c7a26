"""NumPy source of formulas: functions that import NumPy alone, with what recurs named once."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wengert.explaining.closed.coding import HELPERS, Coder, is_root, root_term
from wengert.explaining.closed.problem import Named, Problem
from wengert.explaining.closed.terms import (
    Apply,
    Curvature,
    Det,
    Diag,
    Identity,
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
    Transposed,
    Unit,
)

_WIDTH = 99
_PLAIN = (Symbol, Identity, Ones, Unit)


@dataclass(frozen=True, slots=True)
class Written:
    """One function of the source: its name, what it says of itself, and the term it returns."""

    name: str
    says: str
    term: Term
    direction: Symbol | None = None


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the functions of the source take.

    positional: identifiers of the leaves of the arguments of f.
    keyword: of arrays read from outside, and of the functions that stand for what is no formula.
    names: of all symbols.
    """

    positional: tuple[str, ...]
    keyword: tuple[str, ...]
    names: dict[Term, str]


def parameters(problem: Problem, terms: Iterable[Term]) -> Parameters:
    """Identifiers for the symbols of a problem."""
    names: dict[Term, str] = {}
    taken = {"np", "math", *HELPERS}
    for named in (*problem.arguments, *problem.constants, *problem.intermediates):
        names[named.symbol] = _identifier(named.symbol.name, taken)
    positional = tuple(names[named.symbol] for named in problem.arguments)
    read = {symbol for term in terms for symbol in term.free}
    outside = [names[named.symbol] for named in problem.constants]
    computed = [names[one.symbol] for one in problem.intermediates if one.symbol in read]
    derived = dict.fromkeys(_derivatives_of_intermediates(terms, names))
    return Parameters(positional, (*outside, *computed, *derived), names)


def _derivatives_of_intermediates(terms: Iterable[Term], names: dict[Term, str]) -> Iterable[str]:
    kinds = {Jacobian: "jacobian", Curvature: "curvature", Pullback: "pullback"}
    for term in terms:
        for part in _walk(term):
            if isinstance(part, Jacobian | Curvature | Pullback):
                yield f"{names[part.of]}_{kinds[type(part)]}_{names[part.by]}"


def _identifier(name: str, taken: set[str]) -> str:
    """A Python identifier of its own for a name; `params['W']` becomes params_W."""
    digits = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
    word = re.sub(r"\W+", "_", name.translate(digits)).strip("_") or "x"
    word = f"{word}_" if keyword.iskeyword(word) else word
    found, count = word, 1
    while found in taken or not found.isidentifier():
        count += 1
        found = f"{word}_{count}" if word.isidentifier() else f"x_{word}_{count}"
    taken.add(found)
    return found


def source(problem: Problem, functions: Sequence[Written]) -> str:
    """A module that holds the functions."""
    given = parameters(problem, [one.term for one in functions])
    helpers: set[str] = set()
    bodies = [_function(problem, given, one, helpers) for one in functions]
    imports = ["import math\n"] if "erf" in helpers else []
    head = "\n".join([*imports, "import numpy as np\n"])
    pieces = [HELPERS[name] for name in HELPERS if name in helpers]
    return "\n\n".join([head, *pieces, *bodies])


def _function(problem: Problem, given: Parameters, one: Written, helpers: set[str]) -> str:
    names = dict(given.names)
    positional = list(given.positional)
    if one.direction is not None:
        names[one.direction] = _identifier(one.direction.name, {*names.values(), *HELPERS, "np"})
        positional.append(names[one.direction])
    coder = Coder(names, _sizes(problem, names, one.term.free), helpers)
    lines = [f'"""{one.says}"""']
    lines += [
        f"{names[named.symbol]} = np.squeeze({names[named.symbol]})"
        for named in (*problem.arguments, *problem.constants, *problem.intermediates)
        if named.symbol in one.term.free and _is_squeezed(named)
    ]
    if one.direction is not None and _is_squeezed_shape(_of_variable(problem).shape):
        lines.append(f"{names[one.direction]} = np.squeeze({names[one.direction]})")
    for term in _recurring(one.term):
        expression, _ = coder.code(term)
        name = _short_name(term, {*names.values(), *HELPERS, "np", "math", *given.keyword})
        names[term] = name
        lines.append(f"{name} = {expression}")
    lines.append(f"return {coder.code(one.term)[0]}")
    taken = ", ".join(positional + (["*", *given.keyword] if given.keyword else []))
    head = f"def {one.name}({taken}):"
    return "\n".join([head, *(f"    {line}" for line in lines)]) + "\n"


def _of_variable(problem: Problem) -> Named:
    return next(one for one in problem.arguments if one.symbol == problem.variable)


def _is_squeezed(named: Named) -> bool:
    return _is_squeezed_shape(named.shape)


def _is_squeezed_shape(shape: Sequence[int]) -> bool:
    return 1 in shape


def _sizes(problem: Problem, names: dict[Term, str], free: Iterable[Symbol]) -> _Sizes:
    others = [one.symbol for one in problem.arguments] + [one.symbol for one in problem.constants]
    return _Sizes([problem.variable, *others], names)


@dataclass(frozen=True, slots=True)
class _Sizes:
    """The length of an axis, as an expression of an argument: the variable first."""

    symbols: Sequence[Symbol]
    names: dict[Term, str]

    def __call__(self, length: int) -> str:
        for symbol in self.symbols:
            if length in symbol.shape:
                name = self.names[symbol]
                if 1 in symbol.shape:
                    return f"{name}.size"
                return f"{name}.shape[{symbol.shape.index(length)}]"
        return str(length)


# ------------------------------------------------------------------------- what recurs


def _walk(term: Term) -> Iterable[Term]:
    for inside in _inside(term):
        yield from _walk(inside)
    yield term


def _inside(term: Term) -> Iterable[Term]:
    """What a term is computed from; roots of numbers are terms of their own."""
    if isinstance(term, Product) and not _is_root(term):
        for base, power in term.scalars:
            yield root_term(base) if is_root(base, power) else base
        yield from term.factors
    else:
        yield from term.inside()


def _is_root(term: Term) -> bool:
    return (
        isinstance(term, Product)
        and term.coefficient == 1
        and len(term.scalars) == 1
        and not term.factors
        and is_root(*term.scalars[0])
    )


def _recurring(term: Term) -> list[Term]:
    """What is used more than once, each after what it is computed from."""
    uses: Counter[Term] = Counter()
    order: list[Term] = []

    def visit(one: Term) -> None:
        uses[one] += 1
        if uses[one] == 1:
            for inside in _inside(one):
                visit(inside)
            order.append(one)

    visit(term)
    return [one for one in order if uses[one] > 1 and _is_worth_a_name(one)]


def _is_worth_a_name(term: Term) -> bool:
    if isinstance(term, _PLAIN):
        return False
    if isinstance(term, Transposed):
        return False
    return not isinstance(term, Diag) and any(True for _ in term.inside())


def _short_name(term: Term, taken: set[str]) -> str:
    """r for a residual, p for a softmax, s for a σ or a root, e for an exponential, …."""
    match term:
        case Softmax():
            wanted = "p"
        case Apply(function="exp"):
            wanted = "e"
        case Apply(function="sigmoid") | Product():
            wanted = "s"
        case Apply(function=function):
            wanted = function[0]
        case Inverse(of=Symbol(name=name)) if name.isidentifier():
            wanted = f"{name}_inv"
        case Inverse():
            wanted = "K"
        case Sum():
            wanted = "r" if min(term.shape) == 1 else "R"
        case Det() | LogDet():
            wanted = "d"
        case LogSumExp():
            wanted = "m"
        case _:
            wanted = "u" if min(term.shape) == 1 else "U"
    found, count = wanted, 1
    while found in taken:
        count += 1
        found = f"{wanted}{count}"
    return found
