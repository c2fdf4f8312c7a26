"""The arguments of a differentiated function: which are marked, and with what they are replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.execution.border import as_input
from wengert.execution.inspecting import inspector
from wengert.graph.literals import zeros
from wengert.graph.node import Node
from wengert.graph.op import Tangent
from wengert.graph.types import array_type, is_inexact
from wengert.tracing.forcing import check_alive, check_inside
from wengert.tracing.lifting import lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, flatten, leaf_name, unflatten

Argnums = int | Sequence[int]


@dataclass(frozen=True, slots=True)
class Marked:
    """Arguments with tracers of their own names in place of the marked leaves.

    args: what the function is called with.
    nodes: one input node a marked leaf, in order.
    spec: the structure of the marked arguments: of the one argument, or of the tuple of them.
    concrete: those nodes that this call gave values to.
    nested: whether this happens inside a traced function, which may overwrite its arrays later.
    """

    args: tuple[Any, ...]
    nodes: list[Node]
    spec: Spec
    concrete: list[Node]
    nested: bool


def chosen(argnums: Argnums, count: int, what: str) -> tuple[int, ...]:
    """The marked positions as non-negative ints; errors for those that do not exist."""
    numbers = tuple(argnums) if isinstance(argnums, Iterable) else (argnums,)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | np.integer):
            raise WengertTypeError(
                f"argnums of {what} must be an int or a tuple of ints, not {argnums!r}"
            )
        if not -count <= number < count:
            raise WengertValueError(
                f"{what} was asked for argument {number}, but was called with {count} positional "
                f"argument{'s' if count != 1 else ''}; arguments that are differentiated must be "
                "passed by position"
            )
    if len({n % count for n in numbers}) != len(numbers):
        raise WengertValueError(f"argnums of {what} names an argument twice: {argnums!r}")
    return tuple(int(n) % count for n in numbers)


def mark(
    session: Session,
    args: tuple[Any, ...],
    argnums: Argnums,
    what: str,
    allow_integers: bool = False,
) -> Marked:
    """Replace the leaves of the arguments in `argnums` by tracers of fresh input nodes.

    allow_integers: whether integer and boolean arrays may be among them (of tangent float0).
    """
    positions = chosen(argnums, len(args), what)
    single = isinstance(argnums, int | np.integer)
    structure = args[positions[0]] if single else tuple(args[i] for i in positions)
    leaves, spec = flatten(structure)
    tracers = []
    concrete = []
    for k, leaf in enumerate(leaves):
        where = _Where(what, positions, single, structure, k)
        tracer = as_input(session, leaf, where, True)
        if not is_inexact(tracer.dtype) and not allow_integers:
            raise WengertTypeError(
                f"{where} has dtype {tracer.dtype}, and only "
                "floating and complex numbers have derivatives: pass it as x.astype(float), or "
                "leave it out of argnums"
            )
        tracers.append(tracer)
        if type(leaf) is not Tracer:
            concrete.append(tracer.node)
    filled = unflatten(spec, tracers)
    parts = (filled,) if single else filled
    new = list(args)
    for position, part in zip(positions, parts, strict=True):
        new[position] = part
    nested, session.running = session.running, True
    return Marked(tuple(new), [tracer.node for tracer in tracers], spec, concrete, nested)


@dataclass(frozen=True, slots=True)
class _Where:
    """The description of a leaf of an argument, put into words only when an error needs it.

    structure: the one marked argument, or the tuple of those at `positions`; index: which leaf.
    """

    what: str
    positions: tuple[int, ...]
    single: bool
    structure: Any
    index: int

    def __str__(self) -> str:
        parts = (self.structure,) if self.single else self.structure
        names = [f"argument {k}" for k in self.positions]
        name = leaf_name(dict(zip(names, parts, strict=True)), self.index)
        return f"{name} of the function given to {self.what}"


def need_function(fun: Callable[..., Any], what: str) -> None:
    """An error where something else is given to be differentiated."""
    if not callable(fun):
        raise WengertTypeError(
            f"{what} needs a function as its first argument, not {type(fun).__name__}: write "
            f"{what}(f, ...) and not {what}(f(x), ...)"
        )


def split_aux(result: Any, has_aux: bool, what: str) -> tuple[Any, Any]:
    """(output, aux) of a function that returns both."""
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise WengertTypeError(
            f"{what} with has_aux=True needs a function that returns a pair (output, aux), not "
            f"{_kind(result)}"
        )
    return result[0], result[1]


def output_nodes(result: Any, session: Session, what: str) -> tuple[list[Node], Spec]:
    """The leaves of a function's result as nodes."""
    leaves, spec = flatten(result)
    nodes = []
    for leaf in leaves:
        if type(leaf) is Tracer:
            check_alive(leaf)
        elif not isinstance(leaf, bool | int | float | complex | np.ndarray | np.generic):
            raise WengertTypeError(
                f"{what} needs a function that returns numbers or arrays (or structures of them), "
                f"but it returned {_kind(leaf)}"
            )
        nodes.append(lift(leaf, session))
    check_inside(session, nodes)
    looking = inspector()
    if looking is not None:
        looking.differentiates(nodes)
    return nodes, spec


def distinct(session: Session, nodes: Sequence[Node]) -> list[Node]:
    """The nodes, with a name of its own for each place that one stands in: a value that is returned
    twice has two cotangents."""
    seen: set[Node] = set()
    result = []
    for node in nodes:
        result.append(session.alias(node) if node in seen else node)
        seen.add(node)
    return result


def scalar_output(result: Any, session: Session, what: str) -> Node:
    """The one real scalar that `grad` needs."""
    if result is None:
        raise WengertTypeError(
            f"{what} needs a function that returns a scalar, but it returned None"
        )
    nodes, spec = output_nodes(result, session, what)
    if len(nodes) != 1 or not spec.is_leaf():
        raise WengertTypeError(
            f"{what} needs a function that returns one scalar, but it returned {_kind(result)}; "
            "return an extra result with has_aux=True, or use jacobian"
        )
    (node,) = nodes
    if node.shape:
        raise WengertTypeError(
            f"{what} needs a scalar output, but the function returned an array of shape "
            f"{node.shape}: reduce it (for instance with .sum()), or use wengert.jacobian for "
            "the derivative of each of its elements"
        )
    if not is_inexact(node.dtype):
        if isinstance(result, Tracer):
            raise WengertTypeError(
                f"{what} needs a real floating output, but the function returned dtype "
                f"{node.dtype}, whose derivative is zero everywhere"
            )
        node = lift(float(result), session)
    return node


def _kind(value: Any) -> str:
    if isinstance(value, Tracer):
        return f"a traced array {value.node.type}"
    return f"{type(value).__name__} ({value!r:.60})"


def written(tangent: Tangent, like: Node) -> Node:
    """A derivative as a node: a structural zero written out."""
    return zeros(array_type(like.shape, like.dtype)) if tangent is None else tangent


def traced(session: Session, spec: Spec, nodes: Sequence[Node]) -> Any:
    """The structure with tracers of these nodes."""
    return unflatten(spec, [Tracer(node, session) for node in nodes])
