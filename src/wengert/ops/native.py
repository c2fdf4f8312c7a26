"""What the `native` slot of a record holds: how machine code computes the op.

    Pointwise    one element of the result from one of each input
    View         where an element of the result lies in the input: no code at all
    Reduction    the elements along axes, combined
    Statement    a form of its own, named here and emitted by the compiler
    HOST         none: the program calls the op's NumPy implementation

The rules are functions of what the compiler hands them, so that this layer knows nothing of LLVM.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from wengert.graph.node import Node
from wengert.graph.op import Absent, absent

HOST: Absent = absent("it has no native rule and runs as a host call")


@dataclass(frozen=True, slots=True)
class Pointwise:
    """rule(ins, out, *values) -> value; `ins` are the lanes of each input, `out` of the result."""

    rule: Callable[..., Any]


def by_method(name: str) -> Pointwise:
    """The method of that name of the first input's lanes."""
    return Pointwise(lambda ins, out, *values: getattr(ins[0], name)(*values))


@dataclass(frozen=True, slots=True)
class Term:
    """A position along one axis of the input: offset + Σ step · (position along an axis of the
    result), the axes being (axis, step)."""

    offset: int = 0
    axes: tuple[tuple[int, int], ...] = ()


Place: TypeAlias = tuple[Term, ...]
"""One term an axis of the input."""


@dataclass(frozen=True, slots=True)
class View:
    """place(node) -> where each element of the result lies in the input."""

    place: Callable[[Node], Place]


@dataclass(frozen=True, slots=True)
class Reduction:
    """What is combined along the axes of params[0]; kind: a key of COMBINING."""

    kind: str


COMBINING = {
    "sum": "add",
    "prod": "multiply",
    "max": "maximum",
    "min": "minimum",
    "any": "logical_or",
    "all": "logical_and",
}
"""The op that a reduction applies again and again."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A form of its own; the compiler holds the emission under this name."""

    name: str


SAME = View(lambda node: tuple(Term(0, ((axis, 1),)) for axis in range(node.ndim)))
"""The value itself, under another name."""
