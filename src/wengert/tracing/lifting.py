"""Anything that NumPy would take for an array, as a node of a session."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from wengert.errors import Unsupported, WengertRuntimeError, WengertTypeError
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.registry import FUNCTIONS
from wengert.graph.types import BOOL, COMPLEX, FLOAT, INT
from wengert.tracing.forcing import check_alive
from wengert.tracing.session import Session, changes
from wengert.tracing.tracer import Tracer


def is_traced(x: Any) -> bool:
    """Whether x is a tracer, or a list or tuple that holds one."""
    if type(x) is Tracer:
        return True
    return isinstance(x, list | tuple) and any(is_traced(item) for item in x)


def find_session(*values: Any) -> Session | None:
    """The session of the first tracer among the values (lists and tuples are searched)."""
    for value in values:
        if type(value) is Tracer:
            return value.session
        if isinstance(value, list | tuple):
            session = find_session(*value)
            if session is not None:
                return session
    return None


def lift(x: Any, session: Session) -> Node:
    """The node of anything that NumPy would take for an array."""
    kind = type(x)
    if kind is Tracer:
        if x.session is not session:
            _refuse_mixed(x, session)
        return x.node  # type: ignore[no-any-return]
    if kind is float:
        return session.slot(x) if changes(x) else full(x, FLOAT, (), True)
    if kind is int:
        return _lift_int(x)
    if kind is bool:
        return full(x, BOOL)
    if kind is complex:
        return full(x, COMPLEX, (), True)
    if isinstance(x, np.ndarray | np.generic):
        if x.dtype.kind == "O":
            _refuse_objects(np.asarray(x))
        if isinstance(x, np.ma.MaskedArray | np.matrix):
            raise Unsupported(
                f"a {type(x).__name__} cannot be traced; pass a plain array "
                "(np.asarray(x), or x.filled(value) for a masked one)"
            )
        return session.capture(x)
    if isinstance(x, list | tuple):
        if is_traced(x):
            stacked: Node = FUNCTIONS["array"](x).node
            return stacked
        return session.capture(np.asarray(x))
    if isinstance(x, int | float | complex):  # of a subclass: an enum, a unit
        return lift(_plain_number(x), session)
    if hasattr(x, "__array__"):
        return session.capture(np.asarray(x))
    raise WengertTypeError(
        f"a value of type {type(x).__name__} cannot be used with traced arrays: "
        f"{x!r:.100}. Numbers, arrays and nested lists of them can"
    )


def _plain_number(x: int | float | complex) -> int | float | complex:
    if isinstance(x, int):
        return int(x)
    return float(x) if isinstance(x, float) else complex(x)


def _lift_int(x: int) -> Node:
    if -(2**63) <= x < 2**63:
        return full(x, INT, (), True)
    if 0 <= x < 2**64:
        return full(x, np.dtype(np.uint64))
    return full(float(x), FLOAT, (), True)


def _refuse_objects(x: np.ndarray[Any, Any]) -> NoReturn:
    if any(type(item) is Tracer for item in x.flat):
        raise WengertTypeError(
            "an object array holds traced values; NumPy works on it element by element and slowly. "
            "Build it with wengert.numpy.array, wengert.numpy.zeros or np.stack instead"
        )
    raise Unsupported("object arrays cannot be traced; convert them with .astype(np.float64)")


def _refuse_mixed(x: Tracer, session: Session) -> NoReturn:
    check_alive(x)
    raise WengertRuntimeError(
        "a traced value of another trace is used here: it was probably shared through a global or "
        "an object with another thread. Pass it as an argument instead"
    )
