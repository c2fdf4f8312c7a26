"""What Python asks of one instance under `vmap`: it is asked of all of them, and they must agree.

A function under `vmap` runs once, on tracers of one instance (`lane` leaves). Where it needs a
value, for `if` or `int`, the value is computed for all instances. If they have the same one, the
trace goes on with it; under `jit`, that they all have it is the guard.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.errors import NoValue
from wengert.graph.node import Node
from wengert.graph.registry import evaluate, provide_instances
from wengert.graph.walk import topological
from wengert.ops.leaves import lane
from wengert.tracing.session import Session
from wengert.transforms.batch import batch


def agree(session: Session, nodes: Sequence[Node]) -> None:
    """Give nodes that rest on one instance the value that they have in all of them."""
    for node in nodes:
        if node in session.values or not _lanes(session, node):
            continue
        whole = _of_all(session, node)
        (values,) = evaluate(session, [whole])
        flat = np.reshape(values, (-1, *node.shape))
        if len(flat) == 0:
            raise NoValue(
                "the traced function asks for a value of an instance, and vmap maps over none"
            )
        first = flat[0]
        if any(other.tobytes() != first.tobytes() for other in flat[1:]):
            raise NoValue(
                f"the instances that vmap maps over differ in a value ({node.type}) that Python "
                "asks for (by `if`, `while`, `int`, `float` or an index), and the function runs "
                "once for all of them: write np.where or wengert.cond instead of `if`, "
                "wengert.while_loop instead of `while`"
            )
        session.values[node] = first[()]


def _lanes(session: Session, node: Node) -> list[Node]:
    """The instances that a node rests on, those of the innermost `vmap` last."""
    order = topological([node], stop=session.values)
    found = {leaf for leaf in order if leaf.op is lane and leaf in session.lanes}
    return [leaf for leaf in session.lanes if leaf in found]


def _of_all(session: Session, node: Node) -> Node:
    """A node of one instance as one of all: each `vmap` that it is under gives an axis in front."""
    while found := _lanes(session, node):
        call = session.lanes[found[-1]][1]
        mapped = {leaf: whole for leaf, (whole, own) in session.lanes.items() if own is call}
        size = next(iter(mapped.values())).shape[0]
        (node,) = batch([node], mapped, size)
    return node


def _guard(session: Session, node: Node, value: Any) -> tuple[Node, Any]:
    whole = _of_all(session, node)
    return whole, value if whole is node else np.broadcast_to(value, whole.shape)


provide_instances(_guard)
