"""Where a trace needs a value, and what must not be lost by it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.errors import WengertRuntimeError
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.op import ZERO
from wengert.graph.registry import all_instances, evaluate, find
from wengert.graph.types import BOOL
from wengert.graph.walk import topological
from wengert.tracing.session import Session, untraced

if TYPE_CHECKING:
    from wengert.tracing.tracer import Tracer


def check_alive(tracer: Tracer) -> None:
    """Raise if the trace of this tracer has ended."""
    check_open(tracer.session, tracer.node)


def check_open(session: Session, node: Node) -> None:
    """Raise if a node is used in a session that has ended."""
    if not session.alive:
        raise WengertRuntimeError(
            f"a traced value ({node.type}) is used after its trace has ended: it was "
            "probably stored in a global, an object or a generator by a function that was being "
            "differentiated. Return it from that function instead"
        )


def check_inside(session: Session, nodes: Iterable[Node]) -> None:
    """Raise if a node rests on a variable of a loop or a branch that has been traced."""
    closed = session.closed
    if closed:
        oldest = min(node.serial for node in closed)
        for node in topological(nodes, after=oldest - 1):
            if node in closed:
                raise WengertRuntimeError(
                    f"a value that rests on a variable ({node.type}) of a loop or a branch is used "
                    "outside of it: it was probably stored in a list or an object by the function "
                    "that the loop was given, which is traced once for all steps. Return it from "
                    "there instead"
                )


def force(tracer: Tracer) -> Any:
    """The value of a traced array now; the trace goes on."""
    check_alive(tracer)
    return force_node(tracer.session, tracer.node)


def force_node(session: Session, node: Node) -> Any:
    """The value of a node now."""
    session.forces += 1
    value = session.values.get(node)
    if value is not None:
        return value
    with untraced():
        return evaluate(session, [node])[0]


def sample(session: Session, node: Node) -> tuple[Any, bool]:
    """A value of a node's type, and whether it is the node's own. Tangents have none while they are
    derived, nor have the variables of a loop while it is traced: ones stand for them; for an
    instance under `vmap`, the first one."""
    if not _is_open(session, node):
        return force_node(session, node), True
    whole, _ = all_instances(session, node, 0)
    if whole is node or whole.size == 0 or _is_open(session, whole):
        return np.ones(node.shape, node.dtype)[()], False
    return np.reshape(force_node(session, whole), (-1, *node.shape))[0], False


def _is_open(session: Session, node: Node) -> bool:
    order = topological([node], stop=session.values)
    return any(n.op.name in ("seed", "parameter", "lane") for n in order)


def guard_array(tracer: Tracer) -> None:
    """Under `jit`, the compiled program holds only while this array has this value."""
    if tracer.session.guarded:
        tracer.session.guard(tracer.node, np.asarray(force(tracer)))


def as_bool(node: Node) -> Node:
    """Whether a scalar is nonzero, as a node."""
    return node if node.dtype == BOOL else find("not_equal")(node, full(0, node.dtype, node.shape))


def depends_on_input(node: Node) -> bool:
    """Whether a value rests on an argument that may be differentiated.

    Integers, comparisons and `stop_gradient` cut the dependence: their derivative is zero.
    """
    order = topological([node], stop=_CUT)
    return any(n.op.name in _TRACED and n.dtype.kind in "fc" for n in order)


_TRACED = frozenset({"input", "alias", "lane", "parameter"})


class _Cut:
    """The nodes through which no derivative passes, as a container."""

    def __contains__(self, node: object) -> bool:
        return isinstance(node, Node) and bool(node.args) and node.op.pushforward is ZERO


_CUT = _Cut()
