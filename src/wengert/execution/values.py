"""Exceptions of values: a factorisation that fails for the numbers that it is given.

A trace computes nothing, so that `LinAlgError` would be raised when the function has returned, and
its `except` would never see it. Where a call raises such an error, the function is traced again in
a *watched* session: what may raise (`Op.raises`) is computed where it is recorded. The function
catches the error or does not, as under NumPy. Nothing is paid where nothing raises.

Under `jit` the answer is a guard of the path: `ran(y)`, for what did not raise, fails with it, and
`failed(op, inputs)` runs the op again and says whether it raises.

What rests on an instance under `vmap`, or on the variables of a loop, has no value of its own while
it is traced; the error is then raised by the call as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.graph.node import Node, make
from wengert.graph.op import OPS, absent
from wengert.graph.registry import evaluate
from wengert.graph.types import BOOL, Type, array_type
from wengert.graph.walk import topological
from wengert.ops.families import opaque
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer

_OPEN = frozenset({"seed", "parameter", "lane"})


def of_values(error: Exception) -> bool:
    """Whether an op may have raised this error for the values that it was given."""
    return any(isinstance(error, op.raises) for op in OPS.values())


def watch(result: Any) -> Any:
    """What a function on tracers returned, computed as far as it may raise."""
    for part in result if isinstance(result, tuple | list) else (result,):
        if type(part) is Tracer and part.session.watched:
            _compute(part.session, part.node)
    return result


def _compute(session: Session, node: Node) -> None:
    has_value: dict[Node, bool] = {}
    for step in topological([node], stop=session.values):
        known = step in session.values or (
            step.op.name not in _OPEN and all(has_value.get(arg, True) for arg in step.args)
        )
        has_value[step] = known
        if step.op.raises and known:
            _run(session, step)


def _run(session: Session, node: Node) -> None:
    session.forces += 1
    try:
        evaluate(session, [node])
    except node.op.raises:
        session.guard(failed(node), True)
        raise
    session.guard(ran(node), True)


# -------------------------------------------------------------------------- the guards' nodes

ANSWER = array_type((), BOOL)
ONE_AT_A_TIME = absent("what Python was told is asked of all instances of vmap at once")


def _answer(types: tuple[Type, ...], params: Any) -> Type:
    return ANSWER


def _build_failed(node: Node) -> Node:
    return make(failed, node.args, (node.op.name, node.params), ANSWER)


def _evaluate_failed(node: Node) -> Callable[..., Any]:
    name, params = node.params
    op = OPS[name]
    kind = op.infer(tuple(arg.type for arg in node.args), params)
    function = op.evaluate(make(op, node.args, params, kind))

    def run(*values: Any) -> bool:
        try:
            function(*values)
        except op.raises:
            return True
        return False

    return run


failed = opaque(
    "failed",
    build=_build_failed,
    infer=_answer,
    evaluate=_evaluate_failed,
    batch=ONE_AT_A_TIME,
    label="failed({0})",
    domain=None,
)
"""Whether the op of a node raises for its inputs."""

ran = opaque(
    "ran",
    build=lambda node: make(ran, (node,), None, ANSWER),
    infer=_answer,
    evaluate=lambda node: lambda value: True,
    batch=ONE_AT_A_TIME,
    label="ran({0})",
    domain=None,
)
"""True, once its input has been computed."""
