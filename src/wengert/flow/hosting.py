"""Solvers that run on plain values: calls of Python inside a program.

What a solver is made of is never differentiated, so it may be anything that computes: SciPy's
iterative methods, a loop with `if` and `break`, C code. Where it cannot be traced it becomes a host
call, which gets arrays. Traced arrays that its closure holds are handed to it as operands, and take
their places in a copy of the function when it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError
from wengert.flow.closures import held
from wengert.graph.body import Body
from wengert.graph.node import Node
from wengert.graph.registry import runner
from wengert.graph.types import ArrayType
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, flatten, unflatten

# ----------------------------------------------------------------- functions without tracers


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a traced array, by its number."""

    number: int


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """Anything else. Numbers and the like are known by value, other objects by identity."""

    value: Any

    def _key(self) -> Any:
        plain = isinstance(self.value, int | float | complex | str | bytes | type(None))
        return (type(self.value), repr(self.value)) if plain else id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@dataclass(frozen=True, slots=True)
class Sequenced:
    """A list or tuple."""

    kind: type
    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Closure:
    """A Python function: the code, and what it holds. Two functions that a `def` gave, one at each
    trace, are equal if they hold the same."""

    code: CodeType
    name: str
    scope: Constant
    cells: tuple[Any, ...]
    defaults: Any
    named: tuple[tuple[str, Any], ...]
    whole: FunctionType | None = field(compare=False)
    """The function itself, where it holds nothing that is traced."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A `functools.partial`."""

    function: Any
    args: tuple[Any, ...]
    named: tuple[tuple[str, Any], ...]


def template(value: Any, tracers: Sequence[Tracer], inside: tuple[int, ...] = ()) -> Any:
    """A value with slots in place of the traced arrays that it holds."""
    if isinstance(value, Tracer):
        return Slot(next(k for k, own in enumerate(tracers) if own is value))
    slots = bool(held([value]))
    if id(value) in inside or not (slots or isinstance(value, FunctionType)):
        return Constant(value)
    inner = (*inside, id(value))

    def each(parts: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(template(part, tracers, inner) for part in parts)

    def named(parts: dict[str, Any] | None) -> tuple[tuple[str, Any], ...]:
        return tuple((k, template(part, tracers, inner)) for k, part in (parts or {}).items())

    if isinstance(value, FunctionType):
        return Closure(
            value.__code__,
            value.__name__,
            Constant(value.__globals__),
            each([cell.cell_contents for cell in value.__closure__ or ()]),
            template(value.__defaults__, tracers, inner),
            named(value.__kwdefaults__),
            None if slots else value,
        )
    if isinstance(value, partial):
        return Applied(
            template(value.func, tracers, inner), each(value.args), named(value.keywords)
        )
    if type(value) in (list, tuple):
        return Sequenced(type(value), each(value))
    raise WengertTypeError(
        f"a solver that runs on plain values holds traced arrays in a {type(value).__name__}, "
        "where they cannot be given values: let it read them from variables of the function around "
        "it, or from tuples and lists"
    )


def filled(part: Any, values: Sequence[Any]) -> Any:
    """The value that a template stands for, with arrays in its slots."""
    match part:
        case Slot(number):
            return values[number]
        case Constant(value):
            return value
        case Sequenced(kind, parts):
            return kind([filled(own, values) for own in parts])
        case Applied(function, args, named):
            rest = {name: filled(own, values) for name, own in named}
            return partial(filled(function, values), *[filled(own, values) for own in args], **rest)
        case Closure(whole=FunctionType() as function):
            return function
        case Closure(code, name, scope, cells, defaults, named):
            inner = tuple(CellType(filled(own, values)) for own in cells)
            made = FunctionType(code, scope.value, name, filled(defaults, values), inner)
            made.__kwdefaults__ = {key: filled(own, values) for key, own in named} or None
            return made
    raise AssertionError(part)


# ------------------------------------------------------------------------------- the call


@lru_cache(maxsize=256)
def _run(body: Body) -> Callable[[Sequence[Any]], Sequence[Any]]:
    return runner(body)


@dataclass(frozen=True, slots=True)
class SolverCall:
    """A solver as a function of plain arrays: those that the equation reads, those that the solver
    itself holds, the point, and what it is given.

    function: the template of (equation, given) -> solution. equation: (read…, point…, x…) -> its
    value. types: of the solution; further results keep the types that they have.
    """

    function: Any
    equation: Body
    sizes: tuple[int, int, int]
    spec: Spec
    types: tuple[ArrayType, ...]
    has_aux: bool
    name: str

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        return self.with_structure(values)[0]

    def with_structure(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], Spec | None]:
        """(the solution and the further results, the structure of these)."""
        own = [np.array(value)[()] for value in values]
        parts: list[list[Any]] = []
        for size in self.sizes:
            parts.append(own[:size])
            del own[:size]
        read, slots, point = parts
        run = _run(self.equation)

        def equation(x: Any) -> Any:
            return unflatten(self.spec, run((*read, *point, *self._leaves(x))))

        found = filled(self.function, slots)(equation, unflatten(self.spec, own))
        aux: Any = None
        if self.has_aux:
            found, aux = found
        rest, aux_spec = flatten(aux)
        return (*self._leaves(found), *map(np.array, rest)), aux_spec

    def _leaves(self, tree: Any) -> Iterator[Any]:
        leaves, _ = flatten(tree)
        if len(leaves) != len(self.types):
            raise WengertTypeError(
                f"{self.name} gives {len(leaves)} arrays, and the unknown has {len(self.types)}"
            )
        for leaf, type in zip(leaves, self.types, strict=True):
            array = np.asarray(leaf)
            if array.shape != type.shape:
                raise WengertTypeError(
                    f"{self.name} gives an array of shape {array.shape} where the unknown has "
                    f"{type.shape}"
                )
            yield array.astype(type.dtype)[()]


def slots_of(function: Callable[..., Any]) -> tuple[list[Tracer], list[Node]]:
    """The traced arrays that a function holds, and their nodes."""
    tracers = held([function])
    return tracers, [tracer.node for tracer in tracers]
