"""What is no formula, as the code of the user says it: x[1:], ravel(X), cumsum(x)."""

from __future__ import annotations

from math import prod
from typing import Any

from wengert.graph.node import Node
from wengert.graph.types import ArrayType


def described(node: Node) -> tuple[str, tuple[Node, ...]]:
    """How a node is computed, with {} for what it is computed from, and of which real arrays."""
    name, inputs = _operation(node)
    if inputs == node.args:
        if node.op.name == "index":
            return f"{{}}[{_entries(node)}]", inputs
        if node.op.name == "reshape":
            return _reshape(node), inputs
        if node.op.name == "broadcast_to":
            return _broadcast(node), inputs
        if node.op.name == "transpose":
            return f"transpose({{}}, {node.params[0]})", inputs
        if node.op.name == "contract" and not any(map(any, node.params)):
            return "multiply.outer({})", inputs
    return f"{name}({{}})", inputs


def _operation(node: Node) -> tuple[str, tuple[Node, ...]]:
    """The name of what a node computes, and of which real arrays: ("absolute∘rfft", (x,)).

    Results of an op with several are numbered: svd[1].
    """
    name, args = node.op.name, node.args
    if name == "item":
        (several,), (k,) = args, node.params
        inner, of = _operation(several)
        return f"{inner}[{k}]", of
    if name == "index":
        name = f"slice[{_entries(node)}]"
    inputs: tuple[Node, ...] = ()
    for arg in args:
        if is_real(arg):
            inputs += (arg,)
        elif arg.args:
            inner, more = _operation(arg)
            name, inputs = f"{name}∘{inner}", inputs + more
    return name, inputs


def is_real(node: Node) -> bool:
    """Whether a node is one array of real numbers."""
    return isinstance(node.type, ArrayType) and node.dtype.kind != "c"


def _entries(node: Node) -> str:
    """What stands in the brackets of an index, as Python writes it."""
    (entries,) = node.params
    shape = node.args[0].shape
    return ", ".join(_slice(entry, extent) for entry, extent in zip(entries, shape, strict=True))


def _slice(entry: Any, extent: int) -> str:
    if isinstance(entry, int):
        return str(entry)
    start, count, step = entry
    stop = start + count * step
    first = "" if start == (0 if step > 0 else extent - 1) else str(start)
    last = "" if stop >= extent or stop < 0 else str(stop)
    return f"{first}:{last}" + ("" if step == 1 else f":{step}")


def _reshape(node: Node) -> str:
    if len(node.shape) == 1 and node.shape[0] == prod(node.args[0].shape):
        return "ravel({})"
    return f"reshape({{}}, {node.shape})"


def _broadcast(node: Node) -> str:
    """broadcast_to(X[:, None, :], (3, 3, 2)): an axis of length one is said, for X has none."""
    source = node.args[0].shape
    axes = ", ".join("None" if extent == 1 else ":" for extent in source)
    return f"broadcast_to({{}}{f'[{axes}]' if 1 in source else ''}, {node.shape})"
