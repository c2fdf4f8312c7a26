"""What lower layers call and upper layers provide.

Ops by name, the tables in which their nodes are interned (there before the op is, so that the
tracer's operators can bind them), NumPy functions on tracers, and the evaluator. Each entry is
written once, at import.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.graph.node import Interned, Node
from wengert.graph.op import OPS, Op

_TABLES: dict[str, Interned] = {}

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""Array functions and methods on tracers, by NumPy's name."""

NUMPY: dict[Any, Callable[..., Any]] = {}
"""NumPy's function object -> the function that does the same on tracers."""

UFUNCS: dict[Any, Op] = {}
"""NumPy's ufunc -> the op that it is."""

_EVALUATORS: list[Callable[[Any, Sequence[Node]], list[Any]]] = []


def interned(name: str) -> Interned:
    """The table of nodes of the op called `name`."""
    return _TABLES.setdefault(name, Interned())


def register(op: Op) -> Op:
    """Make the op known. A name is taken once."""
    if op.name in OPS:
        raise ValueError(f"an op called {op.name!r} exists already")
    OPS[op.name] = op
    op.interned.op = op
    return op


def find(name: str) -> Op:
    """The op called `name`."""
    return OPS[name]


_INSTANCES: list[Callable[[Any, Node, Any], tuple[Node, Any]]] = []


def provide_instances(rule: Callable[[Any, Node, Any], tuple[Node, Any]]) -> None:
    """Say how a value of one instance under `vmap` is one of all (called once, by the execution
    layer)."""
    _INSTANCES[:] = [rule]


def all_instances(session: Any, node: Node, value: Any) -> tuple[Node, Any]:
    """A node of one instance under `vmap`, and the value that it has in each, for all of them."""
    return _INSTANCES[0](session, node, value)


_RUNNERS: list[Callable[[Any], Callable[[Sequence[Any]], Sequence[Any]]]] = []


def provide_runner(make: Callable[[Any], Callable[[Sequence[Any]], Sequence[Any]]]) -> None:
    """Say how a body is run (called once, by the execution layer)."""
    _RUNNERS[:] = [make]


def runner(body: Any) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """The function from values of a body's parameters to values of its outputs."""
    return _RUNNERS[0](body)


def provide_evaluator(evaluate: Callable[[Any, Sequence[Node]], list[Any]]) -> None:
    """Say how nodes get values in a session (called once, by the execution layer)."""
    _EVALUATORS[:] = [evaluate]


def evaluate(session: Any, nodes: Sequence[Node]) -> list[Any]:
    """Values of the nodes in a session; what is computed on the way is remembered there."""
    return _EVALUATORS[0](session, nodes)
