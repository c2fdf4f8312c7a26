"""What the functions given to loops and branches hold of the trace around them.

A branch computes what its function computes, and reads what was there before. Nodes cannot tell
which is which, as an equal node may be there from another trace; but what a function reads from
outside it holds, in its closure or in the objects that this holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from wengert.graph.node import Node
from wengert.ops.leaves import alias
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer


class There:
    """The nodes that were there when functions were given to a branch, as a container.

    What inner transformations differentiate by is known from the session, however it is reached: to
    take it for a part of the branch would lose a derivative.
    """

    __slots__ = ("_aliases", "_nodes")

    def __init__(self, session: Session, functions: Iterable[Any]) -> None:
        self._nodes = {tracer.node for tracer in held(functions)}
        self._aliases = session.aliases()

    def __contains__(self, node: object) -> bool:
        if node in self._nodes:
            return True
        return (
            isinstance(node, Node)
            and node.op is alias
            and node.params[0] < self._aliases.get(node.args[0], 0)
        )


MOST_OBJECTS = 10_000
"""How many objects are looked at. What is not found is computed again where it is read."""

_NOTHING_BEHIND = (
    *(str, bytes, bool, int, float, complex, type, type(None)),
    *(ModuleType, BuiltinFunctionType, np.ndarray, np.generic, np.dtype, Node, Session),
)


def held(functions: Iterable[Any]) -> list[Tracer]:
    """The traced arrays that functions, or other objects, can reach, each once."""
    found: list[Tracer] = []
    stack: list[Any] = list(functions)
    seen: dict[int, Any] = {}  # the objects too, so that no identity is used again meanwhile
    while stack and len(seen) < MOST_OBJECTS:
        value = stack.pop()
        if isinstance(value, _NOTHING_BEHIND) or id(value) in seen:
            continue
        seen[id(value)] = value
        if isinstance(value, Tracer):
            found.append(value)
            if value.link is not None and value.link.root is not None:
                stack.append(value.link.root)
        else:
            stack += _behind(value)
    return found[::-1]


def _behind(value: Any) -> Iterator[Any]:
    if isinstance(value, FunctionType):
        for cell in value.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # a variable that is not assigned yet
                continue
        yield value.__defaults__
        yield value.__kwdefaults__
    elif isinstance(value, MethodType):
        yield value.__func__
        yield value.__self__
    elif isinstance(value, partial):
        yield from (value.func, value.args, value.keywords)
    elif isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset):
        yield from value
    else:
        yield getattr(value, "__dict__", None)
        for kind in type(value).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                yield getattr(value, name, None)
