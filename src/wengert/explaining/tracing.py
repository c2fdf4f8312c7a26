"""A function as the graph that `jit` compiles for some arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wengert.execution.border import as_input
from wengert.graph.node import Node
from wengert.tracing.forcing import check_alive
from wengert.tracing.linear_operators import teach_linear_operators
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten, unflatten


@dataclass(frozen=True, slots=True)
class Traced:
    """What was traced.

    guards: the values that control flow asked for, each with the answer. results: what the function
    returns. inputs: the leaves of its arguments, then what it reads from outside, with the values
    that these have in `outside`.
    """

    guards: Mapping[Node, Any]
    results: tuple[Node, ...]
    inputs: tuple[Node, ...]
    outside: tuple[tuple[Node, Any], ...]

    @property
    def outputs(self) -> tuple[Node, ...]:
        """What is compiled: guards, then results."""
        return (*self.guards, *self.results)


def traced(
    f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], name: str
) -> Traced:
    """Trace a function as `jit` does."""
    leaves, spec = flatten((tuple(args), dict(kwargs)))
    teach_linear_operators()
    with outermost(guarded=True) as session:
        tracers = [
            as_input(session, leaf, f"argument {k} of {name}") for k, leaf in enumerate(leaves)
        ]
        session.running = True
        positional, named = unflatten(spec, tracers)
        found = [leaf for leaf in flatten(f(*positional, **named))[0] if type(leaf) is Tracer]
        for tracer in found:
            check_alive(tracer)
        guards: dict[Node, Any] = {}
        for node, answer in session.guards:
            guards.setdefault(node, answer)
        given = tuple(tracer.node for tracer in tracers)
        outside = tuple(session.read_later(given))
    results = tuple(tracer.node for tracer in found)
    return Traced(guards, results, (*given, *(node for node, _ in outside)), outside)
