"""What nodes cost: an estimate of work, and what costs much more than to move what it reads.

The unit is the work of one multiplication within a fused loop, about a tenth of a nanosecond. The
estimate serves choices (which mode, what to recompute, which branches to run), which need ratios.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from wengert.graph.body import Body, bodies
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, TupleType, Type
from wengert.graph.walk import topological

COSTLY_OPS = frozenset({"scan", "repeat", "linear_solve", "root", "host_call"})
PRODUCTS_AN_ELEMENT = 32
"""Multiplications for each element read or written, from which on a contraction is costly."""

ELEMENT, FUNCTION, FACTOR = 4, 40, 10
"""Work of an element that is read, moved or combined; of one of a function such as exp or erf; and
of a multiplication in a factorisation, as against one in a matrix product."""

_SIMPLE = frozenset(
    {"add", "subtract", "negative", "multiply", "divide", "positive", "select", "convert", "join"}
    | {"maximum", "minimum", "square", "abs", "sqrt", "conjugate", "real", "imag", "sign"}
)


def is_costly(choices: Iterable[Body]) -> bool:
    """Whether bodies hold anything that costs much more than to move what it reads and gives, or
    that may fail."""
    return any(_costs(node) for body in choices for node in topological(body.outputs))


def work(node: Node) -> float:
    """The work of one node, from its op's family and the sizes of what it reads and gives."""
    family, op = node.op.family, node.op.name
    if not node.args or family == "name" or op in ("broadcast_to", "reshape", "transpose"):
        return 0.0  # nothing is computed: leaves, names and other views of the same elements
    size = elements(node.type)
    if family == "elementwise":
        simple = op in _SIMPLE or node.type.dtype.kind in "bui"
        return float((ELEMENT if simple else FUNCTION) * size)
    read = sum(elements(arg.type) for arg in node.args)
    if family == "contraction":
        return products(node) + ELEMENT * (size + read)
    inner = bodies(node.params)
    if inner:
        each = max(sum(map(work, topological(body.outputs))) for body in inner)
        return _repetitions(node) * each + ELEMENT * (size + read)
    if op == "scatter_add":
        return float(ELEMENT * (size + 2 * read))  # what is added is read where it is added to
    if family in ("movement", "indexing", "reduction", "opaque", "sampling"):
        return float(ELEMENT * (size + read))
    if family == "transform":
        longest = max((arg.type.shape[-1] for arg in node.args if arg.ndim), default=1)
        return float(FACTOR * math.log2(longest + 1) * (size + read))
    if family in ("linear solve", "linear system"):
        return solution(node) + ELEMENT * (size + read)
    return float(FACTOR * _order(node) * (size + read))


def solution(node: Node) -> float:
    """The work of the solution of a system whose matrix is factorised already: as a product."""
    return float(2 * _order(node) * elements(node.type))


def _order(node: Node) -> int:
    """The order of the largest matrix that a node reads."""
    shapes = [arg.type.shape for arg in node.args if isinstance(arg.type, ArrayType)]
    return max((min(shape[-2:]) for shape in shapes if len(shape) > 1), default=1)


def elements(type: Type) -> int:
    """How many numbers a value of this type holds; those of a tape of one step."""
    if isinstance(type, TupleType):
        return sum(map(elements, type.items))
    return math.prod(type.shape) if isinstance(type, ArrayType) else 1


_UNKNOWN = 16
"""The steps of a loop whose length nobody knows."""


def _repetitions(node: Node) -> int:
    """How often the bodies of a node run."""
    if node.op.name == "scan":
        length: int | None = node.params[3]
        return _UNKNOWN if length is None else length
    return _UNKNOWN if node.op.name in ("repeat", "root", "linear_solve") else 1


def _costs(node: Node) -> bool:
    if node.op.name in COSTLY_OPS or node.op.raises:
        return True
    if node.op.family == "contraction":
        moved = node.size + sum(arg.size for arg in node.args)
        return products(node) > PRODUCTS_AN_ELEMENT * moved
    return is_costly(bodies(node.params))


def products(node: Node) -> float:
    """The multiplications of a contraction of two arrays: √(|a| |b| |c|), where no axis is in all
    three. Those of a convolution take longer."""
    if node.op.name == "convolve":
        return float(FACTOR * node.size * min(arg.type.shape[-1] for arg in node.args))
    return float(math.prod(elements(arg.type) for arg in node.args) * node.size) ** 0.5
