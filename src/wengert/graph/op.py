"""The record of an op: everything that is known about one elementary operation, in one place.

Records are made by the family constructors in `wengert.ops`, and found by tests, docs and tools
through `wengert.graph.registry`. A slot is never silently empty: it holds a rule or
`absent("the reason")`. An op whose derivative is zero wherever it exists says `ZERO`, which is not
the same as having none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from wengert.errors import NotDifferentiable
from wengert.graph.node import Interned, Node, Params
from wengert.graph.types import Type


@dataclass(frozen=True, slots=True)
class Absent:
    """A slot that has no rule, and the reason."""

    reason: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotDifferentiable(self.reason)


@dataclass(frozen=True, slots=True)
class Zero:
    """The derivative is zero wherever it exists (comparisons, rounding, integers)."""


def absent(reason: str) -> Absent:
    """A slot without a rule; using it raises an error that says `reason`."""
    return Absent(reason)


ZERO = Zero()

Tangent: TypeAlias = Any
"""A tangent or cotangent: a node, None for a structural zero, a tuple of these for a tuple type."""

Infer: TypeAlias = Callable[[tuple[Any, ...], Any], Type]
Evaluate: TypeAlias = Callable[[Node], Callable[..., Any]]
Pushforward: TypeAlias = Callable[[Node, Sequence[Tangent]], Tangent]
Transpose: TypeAlias = Callable[[Node, Tangent, Sequence[bool]], Sequence[Tangent]]
Batch: TypeAlias = Callable[[Node, Sequence[Node], Sequence[bool], int], Node]
Sparsity: TypeAlias = Callable[[Node, Sequence[Any], Any], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One elementary operation.

    name: unique, NumPy's name where NumPy has one.
    family: the constructor that made it.
    build: arguments as people write them -> node (promotion, broadcasting, normal form).
    infer: the type of the result from the types of the inputs and the parameters.
    evaluate: given a node, the NumPy function of its inputs' values.
    pushforward: the tangent of the result from those of the inputs (None is zero).
    transpose: for linear ops, cotangents of the wanted inputs from that of the result.
    batch: the op over inputs some of which have a batch axis in front.
    sparsity: what the elements of the result depend on, from what those of the inputs do and from
        what is known of values, see `wengert.ops.sparsity`; where it is absent, on all of them.
    native: how machine code computes it, see `wengert.ops.native`; an absent one is a host call.
    label: how pictures and formulas write it, `{0}` being the first input.
    domain: how the generic tests draw inputs; see `wengert.ops.domain`.
    raises: the errors that `evaluate` raises for some values (a singular matrix), which a function
        may expect: its `try` must see them. See `wengert.execution.values`.
    """

    name: str
    family: str
    build: Callable[..., Node]
    infer: Infer
    evaluate: Evaluate
    pushforward: Pushforward | Zero | Absent
    transpose: Transpose | Absent
    batch: Batch | Absent
    sparsity: Sparsity | Zero | Absent
    native: Any
    label: str
    domain: Any
    interned: Interned = field(repr=False)
    raises: tuple[type[Exception], ...] = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Node:
        return self.build(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        from_name: Callable[[str], Op] = find_by_name
        return from_name, (self.name,)


def find_by_name(name: str) -> Op:
    """The registered op of this name (used by pickle)."""
    return OPS[name]


OPS: dict[str, Op] = {}
"""Every op by its name. Written only by `wengert.graph.registry.register`."""

Rule: TypeAlias = "Pushforward | Zero | Absent"
__all__ = ["OPS", "ZERO", "Absent", "Op", "Params", "Rule", "Zero", "absent"]
