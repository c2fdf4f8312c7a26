"""`.cost` of an explanation: what a function and its gradient cost as compiled programs.

The steps are simplified together, as the compiler does it; each operation that is left belongs to
the step that it is, or to the first step that it became a part of. So the operations of the steps
add up to those of the program, and a step that was folded into another has none.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.derivatives.gradients import value_and_grad
from wengert.errors import WengertError, WengertValueError
from wengert.execution.compiled import simplified
from wengert.execution.jit import Jitted
from wengert.explaining.cost_table import cost_table
from wengert.explaining.counting import nbytes, operations, weighted
from wengert.explaining.kernels import Made, made_of
from wengert.explaining.notation import subscripted
from wengert.explaining.pages import as_html, as_text
from wengert.explaining.recorded import program_of, recorded
from wengert.explaining.report import Report, explain
from wengert.explaining.timing import Measured, measured
from wengert.explaining.tracing import traced
from wengert.graph.node import Node
from wengert.graph.types import is_inexact
from wengert.graph.walk import topological
from wengert.numpy.creation import asarray
from wengert.ops.leaves import LEAVES
from wengert.tracing.trees import flatten

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, slots=True)
class StepCost:
    """What one step costs.

    name, formula: as in the table of steps. place: the user's line, "file:line", and source: its
    text; empty where it is not known.
    operations: on numbers. read, written: bytes in memory; what stays in registers has none.
    kernel: the number of the kernel that computes it, None where nothing does: an input, a view, or
    what was folded into other steps.
    """

    name: str
    formula: str
    place: str
    source: str
    operations: int
    read: int
    written: int
    kernel: int | None


@dataclass(frozen=True, slots=True)
class KernelCost:
    """A piece of the compiled program: the steps that share one loop nest, or one call.

    what: "loop nest", "numbers" (straight code on single numbers), "library call", "loop or
    branch", "host call" (a call of NumPy), with the reason for one.
    """

    number: int
    what: str
    steps: tuple[str, ...]
    operations: int
    read: int
    written: int
    reason: str
    weighted: int = 0


@dataclass(frozen=True, slots=True)
class ProgramCost:
    """A compiled program in all.

    operations: on numbers. read, written: bytes that its kernels move.
    peak: the most bytes that are there: inputs, results, scratch memory, and what goes from one
    program to the next where host calls stand between.
    kernels, host_calls: how many there are.
    """

    operations: int
    read: int
    written: int
    inputs: int
    results: int
    scratch: int
    peak: int
    kernels: int
    host_calls: int


@dataclass(frozen=True, slots=True, repr=False)
class Cost:
    """What a function costs, step by step and in all, and its gradient beside it.

    forward, gradient: the programs in all; the gradient is that of value_and_grad by all arguments
    that have one, None where there is none. Of a function of several numbers it is that of their
    sum.
    """

    function: str
    forward: ProgramCost
    gradient: ProgramCost | None
    steps: tuple[StepCost, ...]
    kernels: tuple[KernelCost, ...]
    _programs: tuple[Callable[..., Any], Callable[..., Any] | None] = field(compare=False)
    _args: tuple[Any, ...] | None = field(compare=False)

    @property
    def ratio(self) -> float | None:
        """The operations of value and gradient, as a multiple of those of the function. Baur &
        Strassen 1983: at most about five, for elementary operations."""
        if self.gradient is None or not self.forward.operations:
            return None
        return self.gradient.operations / self.forward.operations

    @property
    def fused(self) -> tuple[tuple[str, ...], ...]:
        """The groups of steps that share a loop nest or straight code."""
        return tuple(k.steps for k in self.kernels if len(k.steps) > 1)

    @property
    def host_calls(self) -> tuple[KernelCost, ...]:
        """What runs as calls of NumPy, each with the reason."""
        return tuple(kernel for kernel in self.kernels if kernel.what == "host call")

    def measured(self) -> Measured:
        """Time the function and value_and_grad of it, both under `jit`, at the arguments given.

        Returns the seconds of one call each, the least of some series, without tracing and
        compiling; and their ratio. Raises WengertValueError where there are no arguments.
        """
        if self._args is None:
            raise WengertValueError(
                f"a jit function keeps no values to be timed with: write explain({self.function}, "
                "*args).cost.measured()"
            )
        return measured(*self._programs, self._args)

    def as_dict(self) -> dict[str, Any]:
        """The same as numbers, texts, lists and dicts, which `json.dumps` takes."""
        return {
            "function": self.function,
            "forward": asdict(self.forward),
            "gradient": None if self.gradient is None else asdict(self.gradient),
            "ratio": self.ratio,
            "steps": [asdict(step) for step in self.steps],
            "kernels": [{**asdict(k), "steps": list(k.steps)} for k in self.kernels],
        }

    def __rich__(self) -> RenderableType:
        return cost_table(self)

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def cost(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Cost:
    """What a function and its gradient cost as compiled programs: `explain(f, *args).cost`.

    Parameters
    ----------
    f
        A function written with NumPy that returns real numbers or arrays, or what `grad` and the
        like make of one.
    args
        Its arguments. Without any, of a `jit` function that has been called: its newest program.
    kwargs
        Its keyword arguments, as `explain` takes them.

    Returns
    -------
    A report that prints as tables: operations, bytes read and written, peak memory of the function
    and of its gradient; the kernels, each with the steps that share its loops; and the steps.
    `.ratio` is the operations of value and gradient as a multiple of those of the function,
    `.measured()` times both, `.as_dict()` is for programs.

    Raises
    ------
    WengertTypeError
        Where an argument or a result is complex, or an argument cannot be traced.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> found = wg.cost(lambda x: np.sum(np.sin(x) * x), np.linspace(0.0, 1.0, 1000))
    >>> found.forward.operations, found.forward.peak, found.ratio
    (3000, 8008, 2.0)
    >>> found.fused
    (('v₁', 'v₂', 'v₃'),)
    """
    found: Cost = explain(f, *args, **kwargs).cost
    return found


def cost_of(report: Report) -> Cost:
    """The cost of what a report explains; of what a `jit` function has recorded, its newest
    program."""
    if report.traced is None:
        return _of_recorded(report.function)
    function, args, steps = report.function, report.args, report.steps
    names = {node: step.name for node, step in zip(steps.nodes, steps, strict=True)}
    ends = [
        node for node, step in zip(steps.nodes, steps, strict=True) if step.name in steps.outputs
    ]
    inputs = [node for node in topological(steps.nodes) if node.op in LEAVES]
    simple = simplified(ends, inputs)
    owners = _owners(simple, inputs, names, simplified(steps.nodes, inputs), ends)
    made = made_of(simple, inputs)
    kernels = _kernels(made, owners)
    there = {*inputs, *made.stored}
    own: dict[str, list[int]] = {name: [0, 0, 0] for name in names.values()}
    for node in topological(simple, stop=set(inputs)):
        if node.args:
            sums = own[owners[node]]
            sums[0] += operations(node)
            sums[1] += _read(node, made, there)
            sums[2] += _written(node, made)
    numbers = {name: kernel.number for kernel in reversed(kernels) for name in kernel.steps}
    costs = tuple(
        StepCost(
            name=step.name,
            formula=step.formula or "",
            place=f"{step.place.file}:{step.place.line}" if step.place else "",
            source=step.place.text if step.place else "",
            operations=own[step.name][0],
            read=own[step.name][1],
            written=own[step.name][2],
            kernel=numbers.get(step.name),
        )
        for step in steps
    )
    with_gradient = gradient_function(function, args)
    return Cost(
        function=steps.function,
        forward=_in_all(simple, inputs, made),
        gradient=None if with_gradient is None else program_cost(with_gradient, args),
        steps=costs,
        kernels=kernels,
        _programs=(function, with_gradient),
        _args=tuple(args),
    )


def _of_recorded(function: Jitted) -> Cost:
    """The newest program of a function under `jit`. Its values are v₁, v₂, …, and there are no
    lines of source and no gradient."""
    outputs, inputs = program_of(recorded(function)[-1].paths[0])
    simple = simplified(outputs, inputs)
    order = topological([*inputs, *simple])
    letters, numbering = {True: "v", False: "x"}, {True: count(1), False: count(1)}
    names = {
        node: subscripted(f"{letters[bool(node.args)]}{next(numbering[bool(node.args)])}")
        for node in order
    }
    made = made_of(simple, inputs)
    kernels = _kernels(made, names)
    numbers = {name: kernel.number for kernel in reversed(kernels) for name in kernel.steps}
    there = {*inputs, *made.stored}
    return Cost(
        function=function.__name__,
        forward=_in_all(simple, inputs, made),
        gradient=None,
        steps=tuple(
            StepCost(
                name=name,
                formula=_applied(node, names),
                place="",
                source="",
                operations=operations(node),
                read=_read(node, made, there),
                written=_written(node, made),
                kernel=numbers.get(name),
            )
            for node, name in names.items()
        ),
        kernels=kernels,
        _programs=(function, None),
        _args=None,
    )


def _applied(node: Node, names: dict[Node, str]) -> str:
    return f"{node.op.name}({', '.join(names[arg] for arg in node.args)})" if node.args else ""


def program_cost(f: Callable[..., Any], args: Sequence[Any]) -> ProgramCost | None:
    """What a function costs in all; None where it has no such program."""
    try:
        found = traced(f, args, {}, getattr(f, "__name__", "f"))
    except WengertError:
        return None
    simple = simplified(found.outputs, found.inputs)
    return _in_all(simple, found.inputs, made_of(simple, found.inputs))


def gradient_function(f: Callable[..., Any], args: Sequence[Any]) -> Callable[..., Any] | None:
    """`value_and_grad` of the sum of a function's results, by all arguments that are floats."""
    argnums = tuple(k for k, arg in enumerate(args) if _is_differentiable(arg))
    if not argnums:
        return None

    def total(*given: Any) -> Any:
        leaves = [asarray(leaf) for leaf in flatten(f(*given))[0]]
        parts = [leaf if leaf.shape == () else leaf.sum() for leaf in leaves if _is_real(leaf)]
        return sum(parts[1:], parts[0]) if parts else 0.0

    return value_and_grad(total, argnums=argnums)


def _is_differentiable(arg: Any) -> bool:
    leaves = flatten(arg)[0]
    return bool(leaves) and all(
        isinstance(leaf, int | float) or is_inexact(np.asarray(leaf).dtype) for leaf in leaves
    )


def _is_real(value: Any) -> bool:
    return bool(value.dtype.kind == "f")


def _owners(
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    names: Mapping[Node, str],
    simple: Sequence[Node],
    ends: Sequence[Node],
) -> dict[Node, str]:
    """The step that each node of a simplified program belongs to.

    names: of the nodes of the steps. simple: these, simplified together. outputs: the ends of the
    program, simplified alone: long programs are left as they are, and so may be one of the two and
    not the other.
    """
    own: dict[Node, str] = {}
    for found in (simple, names):
        for node, name in zip(found, names.values(), strict=True):
            own.setdefault(node, name)
    for output, end in zip(outputs, ends, strict=True):
        own.setdefault(output, names[end])
    for node in reversed(topological(outputs, stop=set(inputs))):
        for arg in node.args:
            own.setdefault(arg, own[node])
    return own


def _kernels(made: Made, owners: dict[Node, str]) -> tuple[KernelCost, ...]:
    return tuple(
        KernelCost(
            number=number,
            what=kernel.what,
            steps=tuple(
                dict.fromkeys(owners[n] for n in kernel.nodes or kernel.copied if n in owners)
            ),
            operations=sum(map(operations, kernel.nodes)),
            read=kernel.read,
            written=kernel.written,
            reason=kernel.reason,
            weighted=sum(map(weighted, kernel.nodes)),
        )
        for number, kernel in enumerate(made.kernels)
    )


def _read(node: Node, made: Made, there: Container[Node]) -> int:
    """The bytes of its operands that lie in memory, where it does anything with them."""
    if not operations(node) and (node not in made.stored or node.op.family in _VIEWS):
        return 0
    return sum(nbytes(arg.type) for arg in dict.fromkeys(node.args) if arg in there)


def _written(node: Node, made: Made) -> int:
    """The bytes of its value, where that is written to memory."""
    is_written = node in made.stored and node.op.family not in _VIEWS
    return nbytes(node.type) if is_written and node.args else 0


_VIEWS = frozenset({"movement", "name"})


def _in_all(outputs: Sequence[Node], inputs: Sequence[Node], made: Made) -> ProgramCost:
    given = sum(nbytes(node.type) for node in inputs)
    results = sum(nbytes(node.type) for node in outputs)
    scratch = made.arena + made.crossing
    return ProgramCost(
        operations=sum(map(operations, topological(outputs, stop=set(inputs)))),
        read=sum(kernel.read for kernel in made.kernels),
        written=sum(kernel.written for kernel in made.kernels),
        inputs=given,
        results=results,
        scratch=scratch,
        peak=given + results + scratch,
        kernels=len(made.kernels),
        host_calls=sum(kernel.what == "host call" for kernel in made.kernels),
    )
