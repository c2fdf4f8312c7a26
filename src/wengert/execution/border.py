"""Where values enter and leave a trace.

`entered` finds or opens the session of a call; `deliver` turns what a transformation returns into
arrays where the session is its own, and leaves it traced inside another trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError
from wengert.execution.inspecting import inspector
from wengert.execution.programs import run
from wengert.graph.node import Node
from wengert.graph.types import array_type, supported_dtype
from wengert.graph.walk import topological
from wengert.ops.leaves import LEAVES, capture, slot
from wengert.tracing.forcing import check_alive
from wengert.tracing.linear_operators import teach_linear_operators
from wengert.tracing.session import (
    Session,
    current_session,
    make_current,
    outermost,
    restore_current,
    untraced,
)
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten, unflatten
from wengert.tracing.views import Link


class entered:
    """The session of a call: that of its traced arguments, else the one under way, else a new one.

    Source of the rule: helper threads, generators and asyncio tasks hold the tracers of their
    caller but not its context.
    """

    __slots__ = ("looked_at", "opened", "owner", "session", "token")

    def __init__(self, leaves: Sequence[Any]) -> None:
        self.session: Session | None = current_session()
        self.opened: outermost | None = None
        for leaf in leaves:
            if type(leaf) is Tracer:
                check_alive(leaf)
                self.session = leaf.session
                break
        self.looked_at: Any = None
        if self.session is None:
            looking = inspector()
            if looking is not None:
                self.looked_at = looking.call()
                self.looked_at.__enter__()
            self.opened = outermost()
            self.session = self.opened.session
        self.owner = self.opened is not None

    def __enter__(self) -> Session:
        if self.opened is not None:
            teach_linear_operators()
            self.opened.__enter__()
        assert self.session is not None
        self.token = make_current(self.session)
        return self.session

    def __exit__(self, *error: object) -> None:
        if self.token is not None:
            restore_current(self.token)
        if self.opened is not None:
            self.opened.__exit__(*error)
        if self.looked_at is not None:
            self.looked_at.__exit__(*error)


_NUMBERS = (bool, int, float, complex)


def as_input(session: Session, leaf: Any, what: object, integers_as_floats: bool = False) -> Tracer:
    """A leaf of an argument as a tracer of its own name in the session.

    integers_as_floats: whether a Python int stands for a float, as where it is differentiated.
    """
    if type(leaf) is Tracer:
        check_alive(leaf)
        if leaf.session is not session:
            raise WengertTypeError(f"{what} is a traced value of another trace")
        tracer = Tracer(session.alias(leaf.node), session)
        tracer.link = None if leaf.link is None else Link()
        return tracer
    kind = type(leaf)
    if kind in _NUMBERS:
        if integers_as_floats and kind is int:
            leaf = float(leaf)
        value = np.asarray(leaf)
        return Tracer(session.input(value, array_type((), value.dtype, kind is not bool)), session)
    if not isinstance(leaf, np.ndarray | np.generic):
        if not hasattr(leaf, "__array__"):
            raise WengertTypeError(
                f"{what} is a {kind.__name__}, not a number or an array: {leaf!r:.80}. "
                "Numbers, arrays, and tuples, lists, dicts and dataclasses of them can be traced; "
                "pass others as further arguments (under jit: static_argnums or static_argnames)"
            )
        leaf = np.asarray(leaf)
    if isinstance(leaf, np.ma.MaskedArray | np.matrix):
        raise WengertTypeError(
            f"{what} is a {kind.__name__}; pass a plain array (np.asarray(x), or x.filled(value))"
        )
    dtype = supported_dtype(leaf.dtype, what)
    value = leaf.astype(dtype, copy=session.running)
    tracer = Tracer(session.input(value, array_type(value.shape, dtype)), session)
    if isinstance(leaf, np.ndarray) and not leaf.shape:
        tracer.link = Link()  # a 0-d array, unlike a NumPy scalar, can be written to
    return tracer


def deliver(
    session: Session,
    owner: bool,
    result: Any,
    marked: Sequence[Node] = (),
    memory: int | None = None,
) -> Any:
    """The result of a transformation, as its caller gets it.

    marked: inputs that this call gave to the session. Inside another trace, a result that rests on
        no other input is a value already, and is returned as one.
    memory: the budget in bytes within which it is computed, if any.
    """
    leaves, spec = flatten(result)
    traced = [k for k, leaf in enumerate(leaves) if type(leaf) is Tracer]
    if not traced:
        return result
    nodes = []
    for k in traced:
        check_alive(leaves[k])
        nodes.append(leaves[k].node)
    if owner or (marked and _all_bound(nodes, marked)):
        if owner and memory is not None:
            session.forget()
        with untraced():
            values = run(session, nodes, memory)
        for k, value in zip(traced, values, strict=True):
            leaves[k] = value
    return unflatten(spec, leaves)


def _all_bound(nodes: Sequence[Node], marked: Sequence[Node]) -> bool:
    """Whether nodes rest on nothing but these inputs and what the session captured."""
    mine = set(marked)
    return all(
        node in mine or node.op is capture or node.op is slot
        for node in topological(nodes)
        if node.op in LEAVES
    )
