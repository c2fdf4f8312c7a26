"""What is no formula as a function of the arrays that it is computed from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.execution.border import deliver, entered
from wengert.explaining.closed.terms import Symbol, Term, Transposed
from wengert.graph.node import Node
from wengert.graph.walk import substitute
from wengert.tracing.lifting import lift as node_of
from wengert.tracing.tracer import Tracer


def computation(
    node: Node,
    leaves: Sequence[Node],
    terms: Mapping[Node, Term],
    arguments: Sequence[Symbol],
    values: Mapping[Node, Any],
) -> Callable[..., Any]:
    """The function of the arguments' arrays that a node computes; it can be traced.

    Arrays that have no symbol are bound to the values that they had.
    """
    given: list[tuple[Node, int]] = []
    fixed: list[tuple[Node, Any]] = []
    for leaf in leaves:
        term = terms.get(leaf)
        symbol = term.of if isinstance(term, Transposed) else term
        if isinstance(symbol, Symbol):
            given.append((leaf, arguments.index(symbol)))
        else:
            fixed.append((leaf, values[leaf]))

    def compute(*arrays: Any) -> Any:
        call = entered(arrays)
        with call as session:
            replacement = {leaf: node_of(_typed(arrays[k], leaf), session) for leaf, k in given}
            replacement |= {leaf: node_of(value, session) for leaf, value in fixed}
            (made,) = substitute([node], replacement)
            return deliver(session, call.owner, Tracer(made, session))

    return compute


def _typed(array: Any, leaf: Node) -> Any:
    """Masks are 0 and 1 in formulas."""
    return np.asarray(array, bool) if leaf.dtype.kind == "b" else array
