"""What closed forms are made from and what comes out: a problem and its derivation, as terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wengert.explaining.closed.terms import Symbol, Term


@dataclass(frozen=True, slots=True)
class Named:
    """A symbol that stands for an array or for a computation.

    symbol: the term.
    value: the array of a constant or an argument, None for an intermediate.
    shape: of the array as NumPy has it (an axis of length one is kept here, and not in the term).
    formula: how an intermediate is computed, e.g. "conv(x, w)"; None for arguments and captures.
    arguments: the symbols that an intermediate is computed from.
    compute: of an intermediate, the arrays of `arguments` -> its array; it can be traced.
    is_outside: whether f reads it from outside by a name.
    operation, inputs: of an intermediate, as "cumsum({})" or "{}[1:]", and the terms that it is
        given.
    """

    symbol: Symbol
    value: Any
    shape: tuple[int, ...]
    formula: str | None = None
    arguments: tuple[Symbol, ...] = ()
    compute: Callable[..., Any] | None = None
    is_outside: bool = False
    operation: str | None = None
    inputs: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A function lifted to a term.

    function: the term of its value.
    variable: the symbol by which it is differentiated.
    arguments: the arguments of f, in the order of its signature (leaves of structures apart).
    constants: captured arrays that occur, in order of appearance.
    intermediates: what could not be lifted, each after those that it is computed from.
    name: of the function.
    shape: of the function's value as NumPy has it, () for a number.
    branched: whether control flow of Python's asked for values: the term is that of the path taken
        at the examples.
    """

    function: Term
    variable: Symbol
    arguments: tuple[Named, ...]
    constants: tuple[Named, ...]
    intermediates: tuple[Named, ...]
    name: str
    shape: tuple[int, ...]
    branched: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One rewritten line: "f", "df" or "d²f" = term. why: the rule in a few words, e.g. "dx to the
    right"."""

    left: str
    term: Term
    why: str


@dataclass(frozen=True, slots=True)
class Derivation:
    """Derivatives as terms.

    gradient: of the shape of the variable, for a function that is a number; else None.
    jacobian: for a function that is a column of a column or number; else None.
    hessian: for a number of a number or a column: n × n (or a number). For a matrix variable None,
        and where it would be too long to be read, or a named intermediate has no second derivative
        that can be written.
    second: d²f as a number, with the differential `direction` (V) twice; for matrix variables.
    hessian_map: V ↦ H[V], of the shape of the variable; for matrix variables.
    direction: the symbol V.
    lines: the derivation; each line is `left = term`, several lines of one `left` follow each other
        as equations.
    """

    problem: Problem
    function: Term
    gradient: Term | None
    jacobian: Term | None
    hessian: Term | None
    second: Term | None
    hessian_map: Term | None
    direction: Symbol | None
    lines: tuple[Line, ...]
