"""NumPy source of formulas: functions that import NumPy alone, with what recurs named once."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wengert.explaining.closed.breaking import wrapped
from wengert.explaining.closed.coding import (
    HELPERS,
    Coder,
    derivative_name,
    is_root,
    rank,
    root_term,
)
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

_WIDTH = 88
_PLAIN = (Symbol, Identity, Ones, Unit)


@dataclass(frozen=True, slots=True)
class Written:
    """One function of the source: its name, what it says of itself, and the term it returns.

    direction: V, where it takes one; like_variable: whether it returns an array like the variable.
    """

    name: str
    says: str
    term: Term
    direction: Symbol | None = None
    like_variable: bool = False


@dataclass(frozen=True, slots=True)
class Outside:
    """A function that stands for what is no formula: z₁, or a derivative of it.

    kind: "value", "jacobian", "curvature" or "pullback".
    """

    named: Named
    kind: str
    by: Symbol | None = None


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the functions of the source take.

    positional: identifiers of the leaves of the arguments of f.
    arrays: those of arrays read from outside.
    functions: those of functions for what is no formula.
    names: of all symbols.
    """

    positional: tuple[str, ...]
    arrays: dict[str, Named]
    functions: dict[str, Outside]
    names: dict[Term, str]

    @property
    def keyword(self) -> list[str]:
        return [*self.arrays, *self.functions]


def parameters(problem: Problem, leaves: Sequence[str], terms: Sequence[Term]) -> Parameters:
    """Identifiers for the arguments of f, whose leaves have the names given, and for the rest."""
    names: dict[Term, str] = {}
    taken = {"np", "math", *HELPERS}
    by_leaf = {leaf: _identifier(leaf, taken) for leaf in leaves}
    for named in problem.arguments:
        names[named.symbol] = by_leaf[named.symbol.name]
    for named in (*problem.constants, *problem.intermediates):
        names[named.symbol] = _identifier(named.symbol.name, taken)
    computed = _computed(problem, terms)
    read = {symbol for term in terms for symbol in term.free}
    read.update(symbol for named in computed for symbol in named.arguments)
    functions = {
        f"{names[one.symbol]}_of": Outside(one, "value") for one in computed if one.symbol in read
    }
    by_symbol = {one.symbol: one for one in computed}
    for term in terms:
        for part in _walk(term):
            if isinstance(part, _DERIVED):
                kind = _KINDS[type(part)]
                name = derivative_name(names, kind, part.of, part.by)
                functions[name] = Outside(by_symbol[part.of], kind, part.by)
    arrays = {names[one.symbol]: one for one in problem.constants if one.symbol in read}
    return Parameters(tuple(by_leaf.values()), arrays, functions, names)


_KINDS: dict[type[Term], str] = {
    Jacobian: "jacobian",
    Curvature: "curvature",
    Pullback: "pullback",
}


_DERIVED = (Jacobian, Curvature, Pullback)


def _computed(problem: Problem, terms: Sequence[Term]) -> list[Named]:
    """The intermediates that terms rest on, each after those that it is computed from."""
    read = {symbol for term in terms for symbol in term.free}
    read |= {part.of for term in terms for part in _walk(term) if isinstance(part, _DERIVED)}
    found: list[Named] = []
    for named in reversed(problem.intermediates):
        if named.symbol in read:
            read.update(named.arguments)
            found.insert(0, named)
    return found


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


def source(
    problem: Problem, given: Parameters, functions: Sequence[Written], remarks: Iterable[str] = ()
) -> str:
    """A module that holds the functions, below remarks."""
    helpers: set[str] = set()
    bodies = [_function(problem, given, one, helpers) for one in functions]
    imports = ["import math\n"] if "erf" in helpers else []
    head = "\n".join([*imports, "import numpy as np\n"])
    pieces = [HELPERS[name] for name in HELPERS if name in helpers]
    comment = "".join(f"# {line}\n" for line in (*remarks, *_remarks(given)))
    top = f"{head}\n{comment}" if comment else head
    return "\n\n".join([top, *pieces, *bodies])


def _remarks(given: Parameters) -> Iterable[str]:
    """What the keyword arguments are."""
    if given.arrays:
        yield f"From outside of the function: {', '.join(given.arrays)}."
    for name, function in given.functions.items():
        takes = ", ".join(given.names[symbol] for symbol in function.named.arguments)
        weight = "w, " if function.kind in ("curvature", "pullback") else ""
        yield f"{name}({weight}{takes}): {_MEANINGS[function.kind]} {function.named.formula}"


_MEANINGS = {
    "value": "computes",
    "jacobian": "the Jacobian of",
    "curvature": "the Hessian of ⟨w, ·⟩ for",
    "pullback": "the transposed Jacobian, applied to w, of",
}


def _function(problem: Problem, given: Parameters, one: Written, helpers: set[str]) -> str:
    names = dict(given.names)
    positional = list(given.positional)
    reserved = {*names.values(), *HELPERS, "np", "math", *given.keyword, *positional}
    if one.direction is not None:
        names[one.direction] = _identifier(one.direction.name, reserved)
        positional.append(names[one.direction])
    computed = _computed(problem, [one.term])
    from_what = {named.symbol: named.arguments for named in computed}
    coder = Coder(names, _sizes(problem, names), from_what, helpers)
    read = one.term.free.union(*(named.arguments for named in computed))
    says = one.says if len(one.says) < _WIDTH - 10 else one.says.partition(" = ")[0]
    lines = [f'"""{says}"""']
    lines += [
        f"{names[named.symbol]} = {_reshaped(names[named.symbol], named.symbol)}"
        for named in (*problem.arguments, *problem.constants)
        if named.symbol in read and _needs_reshaping(named.symbol, named.shape)
    ]
    lines += [
        f"{names[named.symbol]} = {names[named.symbol]}_of("
        f"{', '.join(names[symbol] for symbol in named.arguments)})"
        for named in computed
        if named.symbol in one.term.free
    ]
    variable = _of_variable(problem)
    if one.direction is not None and _needs_reshaping(one.direction, variable.shape):
        name = names[one.direction]
        lines.append(f"{name} = {_reshaped(name, one.direction)}")
    for term in _recurring(one.term):
        expression, _ = coder.code(term)
        name = _short_name(term, reserved)
        reserved.add(name)
        names[term] = name
        lines += wrapped(f"{name} = ", expression)
    result = coder.code(one.term)[0]
    if one.like_variable and _needs_reshaping(problem.variable, variable.shape):
        shape = ", ".join(map(str, variable.shape))
        result = f"np.reshape({result}, ({shape}{',' if len(variable.shape) == 1 else ''}))"
    lines += wrapped("return ", result)
    taken = ", ".join(positional + (["*", *given.keyword] if given.keyword else []))
    head = f"def {one.name}({taken}):"
    return "\n".join([head, *(f"    {line}" for line in lines)]) + "\n"


def _of_variable(problem: Problem) -> Named:
    return next(one for one in problem.arguments if one.symbol == problem.variable)


def _needs_reshaping(symbol: Symbol, shape: Sequence[int]) -> bool:
    """Whether an array has other axes than the source computes with."""
    return len(shape) != rank(symbol)


def _reshaped(name: str, symbol: Symbol) -> str:
    """A column of an array of any number of axes; a number or a matrix without its axes of one."""
    return f"np.ravel({name})" if rank(symbol) == 1 else f"np.squeeze({name})"


def _sizes(problem: Problem, names: dict[Term, str]) -> _Sizes:
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
        while isinstance(one, Transposed):
            one = one.of
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
