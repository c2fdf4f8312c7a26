"""Patterns of `contract`, a sum of products: they may reorder it as those of `sum` may."""

from __future__ import annotations

from wengert.graph.literals import is_literal, is_zero
from wengert.graph.node import Node
from wengert.ops.arithmetic import multiply, negative
from wengert.ops.contraction import contract, free
from wengert.ops.leaves import iota
from wengert.ops.logic import equal
from wengert.ops.movement import broadcast_to, reshape, transpose
from wengert.ops.reductions import sum as total
from wengert.ops.reductions import without
from wengert.ops.selection import select
from wengert.transforms.simplifying.forms import (
    NUMERIC,
    Rules,
    narrowed,
    refilled,
    renumbered,
    repeats,
    split_factor,
    widened,
)

SIDES = (0, 1)


def _with(node: Node, side: int, operand: Node) -> Node:
    """The same contraction of another operand of the same shape."""
    a, b = node.args
    return contract(operand, b, *node.params) if side == 0 else contract(a, operand, *node.params)


def _free_of(node: Node, side: int) -> tuple[int, ...]:
    over, along = node.params
    return free(node.args[side].shape, over[side], along[side])


def _of_ones(node: Node) -> Node | None:
    """Axes of extent 1 are left out, and inserted into the result."""
    if all(1 not in arg.shape for arg in node.args):
        return None
    operands, over, along = [], [], []
    for side in SIDES:
        arg = node.args[side]
        ones = [axis for axis, extent in enumerate(arg.shape) if extent == 1]
        operands.append(reshape(arg, without(arg.shape, ones)))
        over.append(renumbered(node.params[0][side], ones))
        along.append(renumbered(node.params[1][side], ones))
    result = contract(*operands, (over[0], over[1]), (along[0], along[1]))
    return reshape(result, node.shape)


def _of_transpose(node: Node) -> Node | None:
    """The axes of a transposed operand are those of the operand, in another order."""
    over, along = node.params
    for side in SIDES:
        arg = node.args[side]
        if arg.op is not transpose:
            continue
        (inner,), (order,) = arg.args, arg.params
        mapped_over, mapped_along = list(over), list(along)
        mapped_over[side] = tuple(order[axis] for axis in over[side])
        mapped_along[side] = tuple(order[axis] for axis in along[side])
        operands = list(node.args)
        operands[side] = inner
        result = contract(*operands, tuple(mapped_over), tuple(mapped_along))
        wanted = [order[axis] for axis in _free_of(node, side)]
        rank = {axis: k for k, axis in enumerate(sorted(wanted))}
        start = len(along[0]) + (len(_free_of(node, 0)) if side == 1 else 0)
        places = list(range(result.ndim))
        places[start : start + len(wanted)] = [start + rank[axis] for axis in wanted]
        return transpose(result, places)
    return None


def _of_negative(node: Node) -> Node | None:
    """The sign goes outside, where that is no more work."""
    for side in SIDES:
        arg = node.args[side]
        if arg.op is negative and node.size <= arg.size:
            return negative(_with(node, side, arg.args[0]))
    return None


def _of_scaled(node: Node) -> Node | None:
    """A constant factor goes outside, where that is less work."""
    for side in SIDES:
        split = split_factor(node.args[side]) if node.size < node.args[side].size else None
        if split is not None:
            op, factor, rest = split
            return op(_with(node, side, rest), refilled(factor, node.shape))
    return None


def _of_equal_along_contracted(node: Node) -> Node | None:
    """Σ a b over an axis along which a is the same: b is summed first."""
    over, along = node.params
    for side in SIDES:
        arg, other = node.args[side], node.args[1 - side]
        repeated = repeats(arg)
        places = [k for k, axis in enumerate(over[side]) if axis in repeated]
        if not places:
            continue
        removed = [(), ()]
        removed[side] = tuple(over[side][k] for k in places)
        removed[1 - side] = tuple(over[1 - side][k] for k in places)
        operands = [node.args[0], node.args[1]]
        operands[side] = narrowed(arg, removed[side])
        operands[1 - side] = total(other, removed[1 - side])
        return contract(
            *operands,
            (renumbered(over[0], removed[0]), renumbered(over[1], removed[1])),
            (renumbered(along[0], removed[0]), renumbered(along[1], removed[1])),
        )
    return None


def _of_equal_along_free(node: Node) -> Node | None:
    """The result is the same along the free axes along which an operand is."""
    over, along = node.params
    for side in SIDES:
        arg = node.args[side]
        frees = _free_of(node, side)
        gone = [axis for axis in frees if axis in repeats(arg)]
        if not gone:
            continue
        start = len(along[0]) + (len(_free_of(node, 0)) if side == 1 else 0)
        operands, overs, alongs = list(node.args), list(over), list(along)
        operands[side] = narrowed(arg, gone)
        overs[side] = renumbered(over[side], gone)
        alongs[side] = renumbered(along[side], gone)
        result = contract(*operands, tuple(overs), tuple(alongs))
        return widened(result, [start + frees.index(axis) for axis in gone], node.shape)
    return None


def _elementwise(node: Node) -> Node | None:
    """Where nothing is summed and one operand has paired axes only, it is a product of views."""
    (over, along), (a, b) = node.params, node.args
    if over[0] or node.dtype.kind not in NUMERIC:
        return None
    for side, arg, other in ((0, a, b), (1, b, a)):
        if len(along[side]) == arg.ndim:
            weights = transpose(arg, along[side])
            weights = reshape(weights, (*weights.shape, *(1 for _ in _free_of(node, 1 - side))))
            moved = transpose(other, (*along[1 - side], *_free_of(node, 1 - side)))
            return multiply(broadcast_to(weights, node.shape), moved)
    return None


def _of_diagonal(node: Node) -> Node | None:
    """Σⱼ aᵢⱼ δⱼₖ dₖ = aᵢₖ dₖ in derivatives, where δ holds the seeds of a Jacobian: its zeros stand
    for what is not there, and nothing is multiplied by them."""
    over, along = node.params
    if not node.quiet or along[0] or len(over[0]) != 1:
        return None
    for side in SIDES:
        diagonal = _diagonal(node.args[side])
        if diagonal is None:
            continue
        other, (axis,) = node.args[1 - side], over[1 - side]
        rest = [k for k in range(other.ndim) if k != axis]
        moved = transpose(other, (axis, *rest) if side == 0 else (*rest, axis))
        if is_literal(diagonal, 1):
            return moved
        if node.dtype.kind not in NUMERIC:
            return None
        shape = (diagonal.size, *(1 for _ in rest)) if side == 0 else diagonal.shape
        return multiply(moved, broadcast_to(reshape(diagonal, shape), node.shape))
    return None


def _diagonal(x: Node) -> Node | None:
    """The elements d of a matrix that is where(row = column, d, 0), as what elementwise operations
    make of the basis of a space is written."""
    if x.op is not select or x.ndim != 2 or not is_zero(x.args[2]):
        return None
    mask, value, _ = x.args
    if mask.op is not equal or {_counted(arg) for arg in mask.args} != {0, 1}:
        return None
    repeated = repeats(value)
    return narrowed(value, [min(repeated)]) if repeated else None


def _counted(x: Node) -> int | None:
    """The axis of a matrix along which its elements count 0, 1, …; None where there is none."""
    if x.op is not broadcast_to:
        return None
    (inner,) = x.args
    if inner.op is iota:
        return 1
    column = inner.op is reshape and inner.args[0].op is iota and inner.shape == (x.shape[0], 1)
    return 0 if column else None


RULES: Rules = {
    "contract": [
        _of_ones,
        _of_transpose,
        _of_negative,
        _of_scaled,
        _of_equal_along_contracted,
        _of_equal_along_free,
        _of_diagonal,
        _elementwise,
    ],
}
