"""What nodes take as NumPy computes them: bytes, temporaries, and which results are views.

All bounds are from above. A view takes nothing and keeps what it is a view of. Whether a reshape is
a view depends on the layout of what it reads, which is followed from the inputs on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.control.costs import work
from wengert.errors import Unsupported
from wengert.graph.body import Body, bodies
from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.graph.types import ArrayType, OpaqueType, TapeType, TupleType, Type

OBJECT = 160
"""Bytes of an array beside its elements."""
RESERVE = 2**14
"""Bytes of Python's own objects while a program runs, beside those of arrays."""
CALL = 10_000.0
"""Work of a call of NumPy beside what it does to elements, in the unit of `control.costs`."""

_VIEWS = frozenset(
    {"broadcast_to", "transpose", "index", "alias", "stop_gradient", "item", "pack", "real", "imag"}
)
_LEAN = frozenset({"convert", "join", "select"})
"""Elementwise ops that are no ufuncs of NumPy's and make nothing but their result."""
_WORKING = 4
"""Copies of operands and results that a factorisation or a transform makes, at most."""


_BUFFER = 8192
"""Elements of a buffer of NumPy's iterator."""


def bytes_of(type: Type) -> int:
    """Bytes of the arrays of a value."""
    if isinstance(type, ArrayType):
        return type.nbytes
    if isinstance(type, TupleType):
        return sum(map(bytes_of, type.items))
    if isinstance(type, TapeType):
        raise Unsupported(
            "a loop of unknown length keeps something of each of its steps for the derivative, and "
            "nobody knows how many bytes: give it a bound (wengert.scan, or fori_loop with fixed "
            "ends), or leave memory= out"
        )
    return 0


def held(type: Type) -> int:
    """Bytes that a value takes, with those of its objects."""
    count = len(type.items) if isinstance(type, TupleType) else 1
    return bytes_of(type) + OBJECT * count


class Layouts:
    """Which values are known to lie in memory in C order.

    of_leaves: the leaves that do; all others may lie in any way.
    """

    def __init__(self, of_leaves: Mapping[Node, str]) -> None:
        self._of_leaves = of_leaves
        self._plain: dict[Node, bool] = {}

    def is_dense(self, node: Node) -> bool:
        """Whether BLAS reads it without a copy: in C order, or transposed."""
        if node.op.name == "transpose" and node.ndim == 2:
            return self.is_dense(node.args[0])
        if node in self._of_leaves:
            return self._of_leaves[node] in "CF"
        return self.is_plain(node)

    def is_plain(self, node: Node) -> bool:
        """Whether it lies in C order; nodes are asked about in order."""
        found = self._plain.get(node)
        if found is None:
            found = self._plain[node] = self._find(node)
        return found

    def _find(self, node: Node) -> bool:
        if not isinstance(node.type, ArrayType):
            return False
        if node in self._of_leaves:
            return self._of_leaves[node] == "C"
        name, family = node.op.name, node.op.family
        if not node.args or node.ndim == 0 or name in ("contract", "embed", "join"):
            return True
        if name in ("alias", "stop_gradient"):
            return self.is_plain(node.args[0])
        if name == "reshape":
            return self.is_plain(node.args[0]) or not self.is_view(node)
        if family in ("elementwise", "reduction") or name in ("put", "concatenate"):
            bare = _bare(node)  # constants without inputs need not be asked about
            return name not in _VIEWS and all(self._plain.get(x, not x.args) for x in bare)
        return False

    def is_view(self, node: Node) -> bool:
        """Whether NumPy gives a view of what the node reads."""
        name = node.op.name
        if name == "reshape":
            (arg,) = node.args
            return arg.ndim <= 1 or _squeezed(arg) == _squeezed(node) or self.is_plain(arg)
        return name in _VIEWS


def _bare(node: Node) -> Sequence[Node]:
    """The operands, with broadcasts looked through: the interpreter passes them by, or they have
    strides of zero, which decide nothing."""
    broadcast = find("broadcast_to")
    return [
        arg.args[0] if arg.op is broadcast else arg
        for arg in node.args
        if isinstance(arg.type, ArrayType) and arg.ndim
    ]


def _squeezed(node: Node) -> tuple[int, ...]:
    return tuple(extent for extent in node.shape if extent != 1)


def temporaries(node: Node, layouts: Layouts) -> int:
    """Bytes that NumPy takes while it computes a node, beside its operands and its result."""
    name, family = node.op.name, node.op.family
    own = bytes_of(node.type)
    read = sum(_read(arg.type) for arg in node.args)
    if family == "elementwise":
        lean = name in _LEAN or isinstance(node.op.evaluate(node), np.ufunc)
        return _buffers(node, layouts) if lean else 3 * (own + read)
    if name == "contract":
        if _is_dot(node):
            return sum(arg.type.nbytes for arg in node.args if not layouts.is_dense(arg))
        return read
    if family == "reduction":
        return _buffers(node, layouts)
    if family in ("movement", "name", "leaf"):
        return 0
    inner = bodies(node.params)
    if name == "scan":
        carry = sum(bytes_of(item) for item in node.type.items[: node.params[2]])
        return body_peak(inner[0]) + carry
    if inner:
        return 2 * max(map(body_peak, inner)) + own + read
    if family in ("indexing", "opaque", "sampling"):
        return 2 * (own + read)
    return _WORKING * (own + read)


def _buffers(node: Node, layouts: Layouts) -> int:
    """Bytes of the buffers of NumPy's iterator, which works on arrays that do not all lie alike in
    memory."""
    arrays = [arg for arg in node.args if isinstance(arg.type, ArrayType) and arg.ndim]
    if all(arg.shape == node.shape and layouts.is_plain(arg) for arg in arrays):
        return 0
    every = (*arrays, node)
    return sum(min(_BUFFER, array.size) * array.dtype.itemsize for array in every)


def _read(type: Type) -> int:
    return 0 if isinstance(type, OpaqueType | TapeType) else bytes_of(type)


def _is_dot(node: Node) -> bool:
    over, along = node.params
    return not along[0] and len(over[0]) == 1 and all(0 < arg.ndim <= 2 for arg in node.args)


_BODIES: dict[str, Any] = {}


def provide_body_peak(function: Any) -> None:
    """Say how the peak of a body is found: through the problem of its graph."""
    _BODIES["peak"] = function


def body_peak(body: Body) -> int:
    """Bytes at the peak of a body, its parameters left out."""
    return int(_BODIES["peak"](body))


def cost_of(node: Node) -> float:
    """What it costs to compute a node by a call of NumPy."""
    return work(node) + CALL
