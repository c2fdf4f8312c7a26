"""What the patterns are written with: which axes a value repeats, and small constructors.

Simplified graphs have movement ops in one order, the first applied first: index, transpose, reshape
(that inserts or removes axes of extent 1), broadcast_to. Elementwise ops stand inside all of these
where they can, and negations and constant factors of sums outside.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeAlias

import numpy as np

from wengert.graph.literals import full, literal
from wengert.graph.node import Node, make
from wengert.graph.op import Op
from wengert.graph.types import Shape
from wengert.graph.walk import rebuild
from wengert.ops.arithmetic import divide, multiply
from wengert.ops.movement import broadcast_to, reshape
from wengert.ops.reductions import kept, without

Rule: TypeAlias = Callable[[Node], "Node | None"]
"""Another node of the same value, or None where the pattern does not match."""

Rules: TypeAlias = dict[str, list[Rule]]
"""Op name -> its patterns."""

REAL = "iuf"
NUMERIC = "iufc"


def again(node: Node, *args: Node) -> Node:
    """The same operation on other inputs of the same shapes and dtypes, in its record's normal
    form where the op has one."""
    if node.op.family in _WITH_NORMAL_FORM and (node.op.family == "elementwise" or len(args) == 1):
        return node.op.build(*args, *(node.params or ()))
    return rebuild(node, args)


_WITH_NORMAL_FORM = frozenset({"elementwise", "movement"})


def raw(node: Node, *args: Node) -> Node:
    """The same operation on these inputs and no other, whatever its normal form is."""
    return make(node.op, args, node.params, node.type)


def number(value: Any, like: Node) -> Node:
    """The constant of a node's dtype and shape; integers wrap around, as their sums do."""
    with np.errstate(all="ignore"):
        return full(np.asarray(value).astype(like.dtype), like.dtype, like.shape)


def is_factor(node: Node) -> bool:
    """Whether the node is a literal that may be moved out of a sum: not 0, and finite."""
    return node.op is full and bool(np.isfinite(literal(node))) and bool(literal(node))


def refilled(node: Node, shape: Shape) -> Node:
    """A literal in another shape."""
    return full(literal(node), node.dtype, shape)


def split_factor(product: Node) -> tuple[Op, Node, Node] | None:
    """c x or x / c, or a product with such a factor, as (multiply or divide, c, the rest).

    Only for values that are summed: what is left out of a product of three is rounded elsewhere.
    """
    if product.op is not multiply and product.op is not divide:
        return None
    a, b = product.args
    if is_factor(b):
        return product.op, b, a
    if product.op is not multiply:
        return None
    if is_factor(a):
        return multiply, a, b
    for factor, other in ((a, b), (b, a)):
        if factor.op is multiply or factor.op is divide:
            c, x = factor.args[1], factor.args[0]
            if factor.op is multiply and not is_factor(c):
                c, x = x, c
            if is_factor(c):
                return factor.op, c, multiply(x, other)
    return None


# ------------------------------------------------------------------------------- repetition


def repeats(node: Node) -> frozenset[int]:
    """The axes, of extent other than 1, along which all elements are known to be equal."""
    shape = node.type.shape
    if node.op is full:
        return frozenset(axis for axis, extent in enumerate(shape) if extent != 1)
    if node.op is not broadcast_to:
        return _NONE
    inner = node.args[0].type.shape
    lead = len(shape) - len(inner)
    return frozenset(
        axis
        for axis, extent in enumerate(shape)
        if extent != 1 and (axis < lead or inner[axis - lead] == 1)
    )


_NONE: frozenset[int] = frozenset()


def narrowed(node: Node, axes: Collection[int]) -> Node:
    """The value without some of the axes that it repeats."""
    shape = without(node.shape, tuple(axes))
    if node.op is full:
        return refilled(node, shape)
    (inner,) = node.args
    lead = node.ndim - inner.ndim
    small = tuple(extent for k, extent in enumerate(inner.shape) if k + lead not in axes)
    return broadcast_to(reshape(inner, small), shape)


def widened(node: Node, axes: Collection[int], shape: Shape) -> Node:
    """The value repeated along axes that it does not have."""
    return broadcast_to(reshape(node, kept(shape, tuple(axes))), shape)


def renumbered(axes: Sequence[int], removed: Collection[int]) -> tuple[int, ...]:
    """Axes as they are called once others are removed; those removed left out."""
    return tuple(
        axis - sum(gone < axis for gone in removed) for axis in axes if axis not in removed
    )


def long_axes(shape: Shape) -> list[int]:
    """The axes of extent other than 1."""
    return [axis for axis, extent in enumerate(shape) if extent != 1]


def is_squeeze(node: Node) -> bool:
    """Whether the node is a reshape that only inserts or removes axes of extent 1."""
    if node.op is not reshape:
        return False
    old, new = node.args[0].shape, node.shape
    return [n for n in old if n != 1] == [n for n in new if n != 1]
