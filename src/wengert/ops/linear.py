"""Constructors of the linear part: everything that tangents and cotangents are built with.

The mask rule lives here and only here. `where(x > 0, log(x), 0)` has derivative 0 at x <= 0 though
the derivative of log is infinite or NaN there, because a structural zero is carried as a mask:

    the outermost op of a linear value that has structural zeros is select(M, v, 0);
    outside M, v may be anything.

So a product acts on v and leaves the select outside, a movement op moves M with v, and an op that
mixes elements (a sum, a matrix product) reads the masked value and yields the mask "any of those
that were mixed". Such a rewrite would be wrong in primal code, where where(m, a, 0) * inf is NaN in
NumPy and stays so; linear values are exact zeros where they are zeros by structure.

A tangent is a node or None, the structural zero of everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wengert.graph.literals import full, is_literal, is_zero, zeros
from wengert.graph.node import Node
from wengert.graph.op import Tangent
from wengert.graph.registry import find
from wengert.graph.types import BOOL, ArrayType, Shape

_LEAVES = frozenset({"input", "capture", "slot", "full"})


def is_masked(value: Node) -> bool:
    """Whether the value is select(M, v, 0)."""
    return value.op.name == "select" and is_zero(value.args[2])


def masked(mask: Node, value: Node) -> Node:
    """select(mask, value, 0)."""
    return find("select")(mask, value, zeros(value.type))


def as_masked(value: Node) -> Node:
    """The value as select(M, v, 0), with M all true (all false for a zero) where it has no mask."""
    if is_masked(value):
        return value
    mask = full(not is_zero(value), BOOL, value.shape)
    return find("select").build(mask, value, zeros(value.type), fold=False)


def move(build: Callable[[Node], Node], value: Node) -> Node:
    """A movement op, or any that maps each element by itself and zero to zero."""
    if is_masked(value):
        return masked(build(value.args[0]), build(value.args[1]))
    return build(value)


def pointwise(build: Callable[[Node], Node], value: Node) -> Node:
    """An elementwise linear op that keeps the shape: the mask stays what it is."""
    if is_masked(value):
        return masked(value.args[0], build(value.args[1]))
    return build(value)


def mix(build: Callable[[Node], Node], build_any: Callable[[Node], Node], value: Node) -> Node:
    """An op that mixes elements: zero where all that it mixes are structural zeros."""
    if is_masked(value):
        return masked(build_any(value.args[0]), build(value))
    return build(value)


def add(a: Tangent, b: Tangent) -> Tangent:
    """a + b; tuples of tangents are added item by item."""
    if a is None:
        return b
    if b is None:
        return a
    if isinstance(a, tuple):
        return tuple(add(x, y) for x, y in zip(a, b, strict=True))
    plus = find("add" if isinstance(a.type, ArrayType) else "add_tapes")
    if is_masked(a) and is_masked(b):
        m, n = a.args[0], b.args[0]
        if m is n:
            return masked(m, plus(a.args[1], b.args[1]))
        return masked(find("logical_or")(m, n), plus(a, b))
    return plus(a, b)


def negative(value: Tangent) -> Tangent:
    """-value."""
    return None if value is None else pointwise(find("negative"), value)


def convert(value: Node, dtype: object) -> Node:
    """The value in another dtype; the real part where that dtype is real and the value complex."""
    return pointwise(lambda v: find("convert")(v, dtype), value)


def scale(value: Node, weight: Node) -> Tangent:
    """value * weight, elementwise. A weight that is a mask becomes one."""
    if weight.op is full:
        if is_zero(weight):
            return None
        if is_literal(weight, 1):
            return value
    if is_masked(weight) and weight is not value:
        return select(weight.args[0], scale(value, weight.args[1]), None)
    if weight.op.name == "convert" and weight.args[0].dtype == BOOL:
        return select(weight.args[0], value, None)
    return pointwise(lambda v: find("multiply")(v, weight), value)


def divide(value: Node, by: Node) -> Node:
    """value / by, elementwise."""
    return pointwise(lambda v: find("divide")(v, by), value)


def select(mask: Node, a: Tangent, b: Tangent) -> Tangent:
    """where(mask, a, b); masks merge, so that the outermost select carries them all."""
    if a is None and b is None:
        return None
    both, inverse, either = find("logical_and"), find("logical_not"), find("logical_or")
    if b is None:
        if is_masked(a):
            return masked(both(mask, a.args[0]), a.args[1])
        return masked(mask, a)
    if a is None:
        return select(inverse(mask), b, None)
    if is_masked(a) and is_masked(b):
        support = either(both(mask, a.args[0]), both(inverse(mask), b.args[0]))
        return masked(support, find("select")(mask, a.args[1], b.args[1]))
    return find("select")(mask, a, b)


def broadcast(value: Node, shape: Shape) -> Node:
    """broadcast_to."""
    return move(lambda v: find("broadcast_to")(v, shape), value)


def total(value: Node, axes: Sequence[int]) -> Node:
    """Sum over axes."""
    if not axes:
        return value
    axes = tuple(axes)
    return mix(lambda v: find("sum")(v, axes), lambda m: find("any")(m, axes), value)


def unbroadcast(value: Node, shape: Shape) -> Node:
    """The transpose of broadcast_to: sums over what was repeated."""
    if value.shape == shape:
        return value
    lead = len(value.shape) - len(shape)
    axes = [
        i
        for i, extent in enumerate(value.shape)
        if i < lead or (shape[i - lead] == 1 and extent != 1)
    ]
    return move(lambda v: find("reshape")(v, shape), total(value, axes))


def rests_on_trace(node: Node) -> bool:
    """Whether a weight can hold what a dead branch left in it: it is computed, not given."""
    return node.op.name not in _LEAVES
