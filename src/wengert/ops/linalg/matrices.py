"""Products of stacks of matrices for the rules of this package, in values and in tangents.

The last two axes are those of the matrices, the axes before them are broadcast.
"""

from __future__ import annotations

from collections.abc import Callable

from wengert.graph.node import Node
from wengert.graph.types import Shape
from wengert.ops import linear
from wengert.ops.complex import conjugate
from wengert.ops.contraction import contract, product
from wengert.ops.families import broadcast_shapes
from wengert.ops.movement import broadcast_to, reshape, transpose
from wengert.ops.reductions import any as any_over


def matmul(a: Node, b: Node) -> Node:
    """a b."""
    return _matmul(a, b, None)


def times(tangent: Node, b: Node) -> Node:
    """Ȧ b, linear in the first."""
    return _matmul(tangent, b, True)


def after(a: Node, tangent: Node) -> Node:
    """a Ḃ, linear in the second."""
    return _matmul(a, tangent, False)


def _matmul(a: Node, b: Node, first: bool | None) -> Node:
    """`first` says which of the two is a linear value, None that neither is."""
    spread = linear.broadcast if first is not None else broadcast_to

    def contracted(over: tuple[int, int], paired: int) -> Node:
        pairs = tuple(range(paired))
        node = contract(a, b, ((over[0],), (over[1],)), (pairs, pairs))
        return node if first is None else product(node, a if first else b, first)

    if b.ndim == 2:
        return contracted((a.ndim - 1, 0), 0)
    stack = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if a.ndim == 2:  # (i, stack, k) from (i, j) and (stack, j, k)
        order = (*range(1, len(stack) + 1), 0, len(stack) + 1)
        return linear.move(lambda v: transpose(v, order), contracted((1, b.ndim - 2), 0))
    a, b = spread(a, (*stack, *a.shape[-2:])), spread(b, (*stack, *b.shape[-2:]))
    return contracted((a.ndim - 1, b.ndim - 2), len(stack))


def transposed(x: Node) -> Node:
    """Each matrix transposed; x may be a linear value."""
    order = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)
    return linear.move(lambda v: transpose(v, order), x)


def adjoint(x: Node) -> Node:
    """Each matrix transposed and conjugated; x may be a linear value."""
    turned = transposed(x)
    return linear.pointwise(conjugate, turned) if x.dtype.kind == "c" else turned


def mix_matrices(build: Callable[[Node], Node], value: Node) -> Node:
    """A linear map of each matrix of a stack in which every element may rest on every other.

    What it yields has the shape of the stack with matrices of any other extents.
    """
    result = build(value)
    if not linear.is_masked(value):
        return result
    seen = any_over(value.args[0], (value.ndim - 2, value.ndim - 1))
    seen = reshape(seen, (*seen.shape, 1, 1))
    return linear.masked(broadcast_to(seen, result.shape), result)


def with_stack(x: Node, lead: Shape) -> Node:
    """The matrices x repeated along the axes `lead`, which end like those x has."""
    return broadcast_to(x, (*lead, *x.shape[-2:]))


def batched_matrix(x: Node, is_batched: bool, depth: int, size: int, lead: Shape) -> Node:
    """A factor of a batched op, which has either no stack or that of the whole op.

    x has a batch axis in front if `is_batched`, and had `depth` stack axes before.
    """
    inner = x.shape[-2:]
    if not is_batched:
        return with_stack(x, (size, *lead)) if depth else x
    if not depth:
        x = reshape(x, (size, *(1 for _ in lead), *inner))
    return with_stack(x, (size, *lead))
