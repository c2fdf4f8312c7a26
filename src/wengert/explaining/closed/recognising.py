"""SciPy's log-sum-exp and softmax, which are many nodes each, recognised as what they are.

Nodes are interned: these functions, called again on what a maximum was taken of, give the nodes
that are there already, if the traced function called them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from wengert.explaining.closed.functions import log_softmax, log_sum_exp, softmax
from wengert.explaining.closed.patterns import Plan
from wengert.explaining.closed.sums import (
    transpose,
)
from wengert.explaining.closed.terms import Term
from wengert.graph.node import Node
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer

Reading: TypeAlias = "Callable[[Term], Term]"


def recognised(order: Iterable[Node], session: Session) -> dict[Node, Plan]:
    """How the nodes among these are read that SciPy's functions returned."""
    special = sys.modules.get("wengert.scipy.special")
    plans: dict[Node, Plan] = {}
    if special is not None:
        for node in order:
            if node.op.name == "max":
                (source,), (axes,) = node.args, node.params
                if len(axes) == 1 and len(source.shape) <= 2:
                    plans |= _rebuilt(source, axes[0], special, session)
    return plans


def _rebuilt(source: Node, axis: int, special: Any, session: Session) -> dict[Node, Plan]:
    x = Tracer(source, session)
    by_columns = len(source.shape) == 2 and axis == 0
    plans = {}
    for function, reading in (("softmax", softmax), ("log_softmax", log_softmax)):
        node = getattr(special, function)(x, axis=axis).node
        plans[node] = Plan((source,), _mirrored(reading) if by_columns else reading)
    for keepdims in (False, True):
        node = special.logsumexp(x, axis=axis, keepdims=keepdims).node
        plans[node] = Plan((source,), _of_columns(keepdims) if by_columns else log_sum_exp)
    return plans


def _mirrored(reading: Reading) -> Reading:
    """A function of the rows of a matrix as one of the columns."""
    return lambda u: transpose(reading(transpose(u)))


def _of_columns(keepdims: bool) -> Reading:
    def reading(u: Term) -> Term:
        result = log_sum_exp(transpose(u))
        return transpose(result) if keepdims else result

    return reading
