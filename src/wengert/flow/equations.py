"""Equations given as functions, and solvers of them, as the ops of `control.solving` hold them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.errors import DroppedTracer, NoValue, WengertTypeError
from wengert.flow.bodies import same_structure, traced
from wengert.flow.hosting import SolverCall, slots_of, template
from wengert.graph.body import Body, body_of, invariant
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, array_type, supported_dtype
from wengert.graph.walk import substitute
from wengert.ops.arithmetic import convert
from wengert.ops.holders import host_call
from wengert.ops.leaves import item
from wengert.tracing.forcing import check_inside, sample
from wengert.tracing.lifting import lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, flatten, unflatten


@dataclass(frozen=True, slots=True)
class Equation:
    """A function of the unknown x, and perhaps of a point at which it is linearised, as nodes.

    outputs: what it gives, as nodes of point, x, and what it reads from outside.
    spec: the structure of x, and of what it gives.
    """

    session: Session
    what: str
    point: tuple[Node, ...]
    x: tuple[Node, ...]
    outputs: tuple[Node, ...]
    spec: Spec

    def at(self, point: Sequence[Node]) -> Callable[[Any], Any]:
        """As users call it, with traced arrays."""
        placed = dict(zip(self.point, point, strict=True))

        def equation(x: Any) -> Any:
            leaves, spec = flatten(x)
            same_structure(self.spec, spec, self.what)
            nodes = [
                convert(lift(leaf, self.session), own.dtype)
                for leaf, own in zip(leaves, self.x, strict=True)
            ]
            for node, own in zip(nodes, self.x, strict=True):
                if node.shape != own.shape:
                    raise WengertTypeError(
                        f"the function that {self.what} hands to a solver takes {own.type}, not "
                        f"{node.type}"
                    )
            found = substitute(self.outputs, placed | dict(zip(self.x, nodes, strict=True)))
            return unflatten(self.spec, [Tracer(node, self.session) for node in found])

        return equation

    def opened(self) -> tuple[Node, ...]:
        return (*self.point, *self.x)

    def body(self, free: Sequence[Node]) -> Body:
        """The body of (free…, point…, x…)."""
        return body_of(self.outputs, [*free, *self.opened()])


@dataclass(frozen=True, slots=True)
class Solver:
    """What a solver gives, as nodes of its parameters and of what it and its equation read."""

    params: tuple[Node, ...]
    outputs: tuple[Node, ...]
    aux_spec: Spec | None

    def body(self, free: Sequence[Node]) -> Body:
        return body_of(self.outputs, [*free, *self.params])


def solver_of(
    equation: Equation,
    function: Callable[[Callable[[Any], Any], Any], Any],
    types: Sequence[ArrayType],
    has_aux: bool = False,
) -> Solver:
    """A solver (equation, given) -> solution, on leaves of these types, for an equation at a point.

    It is traced, so that it becomes a part of the program; where it asks for values, as SciPy's do,
    it is called on plain arrays instead.
    """
    session, count = equation.session, len(equation.point)
    kinds = [*(node.type for node in equation.point), *types]
    guards = len(session.guards)
    aux_spec: list[Spec] = []

    def run(*trees: Any) -> Any:
        nodes = [tracer.node for tracer in flatten(trees[:-1])[0]]
        found = function(equation.at(nodes), trees[-1])
        if not has_aux:
            return found
        if not isinstance(found, tuple) or len(found) != 2:
            raise WengertTypeError(
                f"with has_aux=True the solver given to {equation.what} returns a pair (solution, "
                f"aux), not {type(found).__name__}"
            )
        aux_spec.append(flatten(found[1])[1])
        return found

    specs = [*[equation.spec] * bool(count), equation.spec]
    try:
        found = traced(session, run, specs, kinds)
    except Exception as error:
        if not _asks_for_values(error):
            raise
        del session.guards[guards:]
        return _on_values(equation, function, kinds, has_aux)
    expected = found.spec.child(0) if has_aux else found.spec
    same_structure(equation.spec, expected, f"{equation.what} as a solver")
    n = equation.spec.num_leaves
    solution = _shaped(found.outputs[:n], types, equation.what)
    return Solver(found.params, (*solution, *found.outputs[n:]), aux_spec[0] if has_aux else None)


def _asks_for_values(error: BaseException | None) -> bool:
    """Whether an exception was raised because something asked for a value that is not there. C code
    may have gone on, and raised another one since."""
    while error is not None:
        if isinstance(error, DroppedTracer | NoValue):
            return True
        error = error.__cause__ or error.__context__
    return False


def _shaped(nodes: Sequence[Node], types: Sequence[ArrayType], what: str) -> list[Node]:
    for node, type in zip(nodes, types, strict=True):
        if node.shape != type.shape:
            raise WengertTypeError(
                f"the solver given to {what} gives {node.type} where the unknown is {type}"
            )
    return [convert(node, type.dtype) for node, type in zip(nodes, types, strict=True)]


def _on_values(
    equation: Equation, function: Callable[..., Any], kinds: Sequence[ArrayType], has_aux: bool
) -> Solver:
    """A call of the solver on plain arrays."""
    session = equation.session
    params = tuple(session.open(kind) for kind in kinds)
    tracers, slots = slots_of(function)
    read = invariant(equation.outputs, equation.opened())
    count = len(equation.point)
    types = tuple(array_type(node.shape, node.dtype) for node in equation.x)
    call = SolverCall(
        template(function, tracers),
        equation.body(read),
        (len(read), len(slots), count),
        equation.spec,
        types,
        has_aux,
        f"the solver given to {equation.what}",
    )
    aux_types: tuple[ArrayType, ...] = ()
    aux_spec = None
    if has_aux:
        found = [sample(session, node) for node in (*read, *slots)]
        start = [np.ones(kind.shape, kind.dtype)[()] for kind in kinds]
        values, aux_spec = call.with_structure([*(value for value, _ in found), *start])
        aux_types = tuple(
            array_type(v.shape, supported_dtype(v.dtype, f"the aux of {call.name}"))
            for v in map(np.asarray, values[len(types) :])
        )
    held = host_call(*read, *slots, *params, call=call, types=(*types, *aux_types))
    outputs = tuple(item(held, k) for k in range(len(types) + len(aux_types)))
    check_inside(session, outputs)
    session.closed.update(dict.fromkeys(params))
    return Solver(params, outputs, aux_spec)
