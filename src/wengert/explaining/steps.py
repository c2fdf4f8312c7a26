"""The records of an explanation: the elementary operations of a function, with their derivatives.

    forward    v̇ᵢ = Σⱼ ∂vᵢ/∂vⱼ v̇ⱼ     over the operands vⱼ of step i
    reverse    v̄ⱼ = Σᵢ v̄ᵢ ∂vᵢ/∂vⱼ     over the steps i that use vⱼ;  v̄ of the output is 1

Source: Wengert 1964; Griewank & Walther 2008, *Evaluating Derivatives*, chapters 2 and 3.
`wengert.explaining.sweeping` makes them of a function.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wengert.explaining.notation import plain
from wengert.graph.node import Node
from wengert.graph.types import DType, Shape
from wengert.tracing.observing import Place

__all__ = ["Group", "Kind", "Partial", "Place", "Step", "Steps"]

Kind = Literal["input", "constant", "operation"]


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """∂vᵢ/∂vⱼ, the derivative of a step by one of its operands.

    arg: the name of the operand's step.
    formula, latex: the derivative in terms of names of steps; where it is no number and no
        diagonal, the linear map h ↦ …; empty where none is short.
    value: a number of a number; of an elementwise operation on arrays, the diagonal as an array;
        None else, and where the function has a rule that was given for reverse mode alone.
    pullback, pullback_latex: where it is no number and no diagonal, the map h ↦ … that takes the
        adjoint of the step to what the operand has of it; empty where none is short.
    """

    arg: str
    formula: str
    latex: str
    value: Any
    pullback: str = ""
    pullback_latex: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One elementary operation, or an input, or an array that the function reads from outside.

    name: the user's variable, where there is one; else v₁, v₂, … for operations and c₁, c₂, … for
        arrays from outside; an input has the name of its parameter. latex: the same in LaTeX.
    op: the name of the operation's record; "input" and "capture" for those.
    args: the names of the steps that it takes, each once; constants in a formula are no steps.
    formula, formula_latex: the operation in terms of the names of other steps; None where it has
        no operands.
    value: what it computes; a tuple of an operation of several results.
    shape, dtype, nbytes: of the value; dtype is None of several results.
    partials: its derivatives by those of its operands that rest on an input.
    tangents: its derivative in the direction of each of `Steps.inputs`, in their order; None where
        the function uses a rule that was given for reverse mode alone, and, in large programs, of
        inputs after the first few.
    adjoint: the derivative of the output by it, None where it rests on no input.
    terms: (the name of a step i that uses it, v̄ᵢ ∂vᵢ/∂v), whose sum the adjoint is, with `seed`.
    place: the user's line that made it. kind: whether it is an input, a constant or an operation.
    seed: the part of its adjoint that it has because it is an output: 1 in every element; else
        None.
    """

    name: str
    latex: str
    op: str
    args: tuple[str, ...]
    formula: str | None
    formula_latex: str | None
    value: Any
    shape: Shape
    dtype: DType | None
    nbytes: int
    partials: tuple[Partial, ...]
    tangents: tuple[Any, ...]
    adjoint: Any
    terms: tuple[tuple[str, Any], ...]
    place: Place | None
    kind: Kind
    seed: Any = None


@dataclass(frozen=True, slots=True)
class Group:
    """The steps that one line of source made.

    place: the line; None of the inputs, and of what rests on no argument.
    counts: name of an operation -> how many of the steps are it.
    """

    place: Place | None
    steps: tuple[str, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """The steps of a function at a point: the inputs, then the constants, then the operations in
    the order in which the program computes them, each after its operands.

    function: its name.
    inputs: the names of the inputs that have derivatives. The tangents are in the direction of 1
        in every element of one of them: for a number, the derivative by it.
    output: the name of the step that is the value of the function; of several results, the last.
    source, first_line: the lines of the function's source, and the number of the first one; none
        where Python does not know them.
    outputs: the names of the steps of all its results. Where these are not one number, the
        adjoints are the derivatives of the sum of all their entries.
    nodes: the node of each step in the graph that runs.
    notes: sentences about what the numbers mean, where that is not plain.
    """

    function: str
    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    output: str
    source: tuple[str, ...] = ()
    first_line: int = 0
    outputs: tuple[str, ...] = ()
    nodes: tuple[Node, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()
    _found: dict[str, Step] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_found", {plain(step.name): step for step in self.steps})

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, name: str) -> Step:
        """The step of this name; `w1` finds w₁ too, and `x(2)` finds x⁽²⁾."""
        step = self._found.get(plain(name))
        if step is None:
            raise KeyError(f"no step is called {name!r}")
        return step

    @property
    def forward(self) -> tuple[str, ...]:
        """The names of the steps in the order in which forward mode computes them."""
        return tuple(step.name for step in self.steps)

    @property
    def reverse(self) -> tuple[str, ...]:
        """The names of the steps in the order in which reverse mode completes their adjoints: each
        as soon as all the steps that use it have passed theirs on."""
        waiting = {step.name: len(step.terms) for step in self.steps}
        users = {step.name: step for step in self.steps}
        passed: dict[str, list[str]] = {}
        for step in self.steps:
            for user, _ in step.terms:
                passed.setdefault(user, []).append(step.name)
        order: list[str] = []
        for step in reversed(self.steps):
            if not step.terms and step.seed is not None:
                order.append(step.name)
        for name in order:
            for operand in reversed(passed.get(name, ())):
                waiting[operand] -= 1
                if not waiting[operand]:
                    order.append(operand)
        reached = set(order)
        left = (s.name for s in self.steps if s.adjoint is not None and s.name not in reached)
        return (*order, *(name for name in left if users[name].kind != "constant"))

    @property
    def groups(self) -> tuple[Group, ...]:
        """The steps by the line of source that made them, in the order of first use."""
        found: dict[Any, list[Step]] = {}
        for step in self.steps:
            place = step.place
            found.setdefault(place and (place.file, place.line), []).append(step)
        return tuple(
            Group(
                steps[0].place,
                tuple(step.name for step in steps),
                dict(Counter(step.op for step in steps)),
            )
            for steps in found.values()
        )
