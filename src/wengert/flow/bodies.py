"""The functions that loops and branches are given, traced once on parameters of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError
from wengert.flow.closures import held
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, Shape, array_type
from wengert.ops.arithmetic import convert
from wengert.tracing.forcing import check_inside
from wengert.tracing.lifting import lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, flatten, unflatten


@dataclass(frozen=True, slots=True)
class Traced:
    """A function, traced: its parameters, its results, and their structure."""

    params: tuple[Node, ...]
    outputs: tuple[Node, ...]
    spec: Spec


def traced(
    session: Session,
    function: Callable[..., Any],
    specs: Sequence[Spec],
    types: Sequence[ArrayType],
) -> Traced:
    """A function of arguments of these structures, whose leaves have these types.

    It is traced once, however often it will run: it must not write to what is outside.
    """
    outside = [(tracer, tracer.node) for tracer in held([function])]
    params = [session.open(type) for type in types]
    tracers = iter([Tracer(param, session) for param in params])
    args = [unflatten(spec, [next(tracers) for _ in range(spec.num_leaves)]) for spec in specs]
    nested, session.running = session.running, True
    try:
        leaves, spec = flatten(function(*args))
    finally:
        session.running = nested
    _refuse_writes(outside)
    outputs = tuple(lift(leaf, session) for leaf in leaves)
    check_inside(session, outputs)
    session.closed.update(dict.fromkeys(params))
    return Traced(tuple(params), outputs, spec)


def _refuse_writes(outside: Sequence[tuple[Tracer, Node]]) -> None:
    written = [(tracer, before) for tracer, before in outside if tracer.node is not before]
    for tracer, before in written:
        tracer.node = before
    for _, before in written:
        raise WengertTypeError(
            f"a function given to a loop or a branch writes into a traced array ({before.type}) "
            "from outside. It is traced once, however often it runs: make the array a part of the "
            "carry or an operand, and return it"
        )


def strong(node: Node) -> Node:
    """The node without the weakness of a Python number."""
    type: ArrayType = node.type
    return convert(node, type.dtype) if type.weak else node


def settled(
    start: Sequence[Node], trace: Callable[[Sequence[ArrayType]], tuple[Any, Sequence[Node]]]
) -> tuple[list[Node], Any, list[Node]]:
    """The values that a loop begins with and those that a step gives, of the same types.

    trace: types of the former -> (what was traced, the nodes of the latter). Where a step gives a
    wider dtype, the loop begins with that: with 0.0 where it is given 0. A Python number takes the
    dtype of what a step makes of it.
    Returns (the first values, what was traced, the nodes that a step gives).
    """
    begin = list(start)
    for _ in range(4):
        found, given = trace([node.type for node in begin])
        if len(given) != len(begin):
            break
        wider = [
            convert(a, to.dtype, weak=to.weak)
            for a, b in zip(begin, given, strict=True)
            for to in (common([a.type, b.type], a.shape),)
        ]
        if all(a is b for a, b in zip(wider, begin, strict=True)):
            break
        begin = wider
    return [strong(node) for node in begin], found, [strong(node) for node in given]


_KINDS = "biufc"
_PYTHON = {"b": False, "i": 0, "u": 0, "f": 0.0, "c": 0j}


def common(types: Sequence[ArrayType], shape: Shape) -> ArrayType:
    """The type of which all of these are, as NumPy's results: Python numbers give way."""
    fixed = [type.dtype for type in types if not type.weak]
    weak = [type.dtype for type in types if type.weak]
    if not fixed:
        return array_type(shape, max(weak, key=lambda dtype: _KINDS.index(dtype.kind)), True)
    numbers = [_PYTHON[dtype.kind] for dtype in weak]
    return array_type(shape, np.result_type(*fixed, *numbers))


def check_same(begin: Sequence[Node], given: Sequence[Node], what: str) -> list[Node]:
    """What a step gives, in the dtypes of what it is given; an error where a shape differs."""
    found = []
    for k, (a, b) in enumerate(zip(begin, given, strict=True)):
        if a.shape != b.shape:
            raise WengertTypeError(
                f"the function given to {what} must return a carry of the shapes that it is "
                f"given: leaf {k} goes in as {a.type} and comes out as {b.type}"
            )
        if a.dtype != b.dtype:
            b = convert(b, a.dtype)
        found.append(b)
    return found


def same_structure(expected: Spec, found: Spec, what: str) -> None:
    """An error where a function returns another structure than it must."""
    if expected != found:
        raise WengertTypeError(
            f"the function given to {what} must return the structure {expected}, not {found}"
        )


def shaped(node: Node) -> ArrayType:
    """The type of one step of stacked values."""
    return array_type(node.shape[1:], node.dtype)
