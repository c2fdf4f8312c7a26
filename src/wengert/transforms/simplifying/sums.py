"""Patterns of reductions.

Those of `sum` may reorder and regroup its terms and the products that these are, with the rounding
that goes with it: the error stays within n ε Σ|terms|. Overflow on the way, infinite factors and
the sign of a sum that is zero may come out otherwise, as they may by reordering.

A sum of a difference is not split, Σ (x − m) = Σ x − n m: its terms are small where x and m are
close, and those of the right-hand side are not. Sums of products are, see `_sum_of_separable`.
"""

from __future__ import annotations

import math

from wengert.graph.literals import full, is_zero, zeros
from wengert.graph.node import Node
from wengert.ops.arithmetic import add, divide, multiply, negative, subtract
from wengert.ops.contraction import contract, free
from wengert.ops.movement import embed, reshape, transpose
from wengert.ops.reductions import sum as total
from wengert.ops.reductions import without
from wengert.ops.selection import select
from wengert.transforms.simplifying.forms import (
    NUMERIC,
    REAL,
    Rules,
    is_squeeze,
    long_axes,
    narrowed,
    number,
    refilled,
    renumbered,
    repeats,
    split_factor,
)

Axes = tuple[int, ...]

# ------------------------------------------------------------------------- any reduction


def _of_ones(node: Node) -> Node | None:
    """Nothing is combined along axes of extent 1."""
    (x,), (axes,) = node.args, node.params
    if x.dtype != node.dtype or all(x.shape[axis] != 1 for axis in axes):
        return None
    gone = [axis for axis in axes if x.shape[axis] == 1]
    left = node.op(reshape(x, without(x.shape, gone)), renumbered(axes, gone))
    return left


def _merged(node: Node) -> Node | None:
    """A reduction of a reduction is one over the axes of both."""
    (x,), (axes,) = node.args, node.params
    if x.op is not node.op:
        return None
    (inner,), (first,) = x.args, x.params
    left = [axis for axis in range(inner.ndim) if axis not in first]
    return node.op(inner, (*first, *(left[axis] for axis in axes)))


def _of_transpose(node: Node) -> Node | None:
    """Axes are exchanged after reducing."""
    (x,), (axes,) = node.args, node.params
    if x.op is not transpose:
        return None
    (inner,), (order,) = x.args, x.params
    kept = [axis for k, axis in enumerate(order) if k not in axes]
    rank = {axis: k for k, axis in enumerate(sorted(kept))}
    reduced = node.op(inner, tuple(order[axis] for axis in axes))
    return transpose(reduced, [rank[axis] for axis in kept])


def _of_squeeze(node: Node) -> Node | None:
    """Axes of extent 1 are inserted and removed after reducing; where nothing is left, the shape
    before does not matter."""
    (x,), (axes,) = node.args, node.params
    if x.op is not reshape:
        return None
    (inner,) = x.args
    if not is_squeeze(x):
        return node.op(inner, tuple(range(inner.ndim))) if len(axes) == x.ndim else None
    if any(x.shape[axis] == 1 for axis in axes):
        return None
    places = dict(zip(long_axes(x.shape), long_axes(inner.shape), strict=True))
    return reshape(node.op(inner, tuple(places[axis] for axis in axes)), node.shape)


def _of_equal(node: Node) -> Node | None:
    """The largest of equal elements is each of them."""
    (x,), (axes,) = node.args, node.params
    repeated = [axis for axis in repeats(x) if axis in axes and x.shape[axis]]
    if not repeated or x.dtype != node.dtype:
        return None
    return node.op(narrowed(x, repeated), renumbered(axes, repeated))


# -------------------------------------------------------------------------------------- sum


def _sum_of_nothing(node: Node) -> Node | None:
    (x,) = node.args
    return zeros(node.type) if not x.size else None


def _sum_of_negative(node: Node) -> Node | None:
    """Σ −x = −Σ x."""
    (x,) = node.args
    return negative(total(x.args[0], node.params[0])) if x.op is negative else None


def _sum_of_equal(node: Node) -> Node | None:
    """The sum of n equal terms x is n x."""
    (x,), (axes,) = node.args, node.params
    repeated = [axis for axis in repeats(x) if axis in axes]
    if not repeated or x.dtype.kind not in REAL:
        return None
    left = total(narrowed(x, repeated), renumbered(axes, repeated))
    return multiply(number(math.prod(x.shape[axis] for axis in repeated), left), left)


def _sum_of_scaled(node: Node) -> Node | None:
    """Σ c x = c Σ x for a constant c, which may be a factor of a factor."""
    (x,), (axes,) = node.args, node.params
    split = split_factor(x)
    if split is None:
        return None
    op, factor, rest = split
    return op(total(rest, axes), refilled(factor, node.shape))


def _sum_of_product(node: Node) -> Node | None:
    """Σ over A of a b, with b equal along B ⊂ A, is Σ over A − B of (Σ over B of a) b."""
    (x,), (axes,) = node.args, node.params
    if x.op is not multiply or x.dtype.kind not in NUMERIC:
        return None
    for b, a in (x.args, x.args[::-1]):
        common = _common(b, axes)
        if common:
            inner = multiply(total(a, common), narrowed(b, common))
            return total(inner, renumbered(axes, common))
    return None


def _sum_of_quotient(node: Node) -> Node | None:
    """The same where b divides."""
    (x,), (axes,) = node.args, node.params
    if x.op is not divide:
        return None
    a, b = x.args
    common = _common(b, axes)
    if not common:
        return None
    return total(divide(total(a, common), narrowed(b, common)), renumbered(axes, common))


def _common(factor: Node, axes: Axes) -> Axes:
    """The summed axes along which a factor is the same."""
    if factor.op is full:  # NaN, infinity or 0; others are factors
        return ()
    repeated = repeats(factor)
    return tuple(axis for axis in axes if axis in repeated)


def _sum_of_masked(node: Node) -> Node | None:
    """Σ of where(m, x, 0) is where(m, Σ x, 0) along axes along which m is the same."""
    (x,), (axes,) = node.args, node.params
    if x.op is not select or x.dtype.kind not in NUMERIC:
        return None
    mask, a, b = x.args
    repeated = repeats(mask)
    common = tuple(axis for axis in axes if axis in repeated)
    if not common or not (is_zero(a) or is_zero(b)):
        return None
    inner = select(narrowed(mask, common), total(a, common), total(b, common))
    return total(inner, renumbered(axes, common))


def _sum_of_scaled_within_mask(node: Node) -> Node | None:
    """Σ where(m, −x, 0) = −Σ where(m, x, 0), and so for a constant factor."""
    (x,), (axes,) = node.args, node.params
    if x.op is not select or not is_zero(x.args[2]):
        return None
    mask, a, zero = x.args
    if a.op is negative:
        return negative(total(select(mask, a.args[0], zero), axes))
    split = split_factor(a)
    if split is None:
        return None
    op, factor, rest = split
    return op(total(select(mask, rest, zero), axes), refilled(factor, node.shape))


def _sum_of_embedded(node: Node) -> Node | None:
    """The zeros around add nothing."""
    (x,), (axes,) = node.args, node.params
    if x.op is not embed:
        return None
    (inner,), (entries, shape) = x.args, x.params
    slices = [axis for axis, entry in enumerate(entries) if not isinstance(entry, int)]
    summed = total(inner, tuple(k for k, axis in enumerate(slices) if axis in axes))
    return embed(summed, without(entries, axes), without(shape, axes))


def _sum_of_contraction(node: Node) -> Node | None:
    """Σ over a free axis of one operand: that operand is summed first; over a pair of axes: the
    pair is contracted."""
    (x,), (axes,) = node.args, node.params
    if x.op is not contract or x.dtype.kind not in NUMERIC:
        return None
    (a, b), (over, along) = x.args, x.params
    pairs = len(along[0])
    free_a, free_b = free(a.shape, over[0], along[0]), free(b.shape, over[1], along[1])
    rows = tuple(free_a[k - pairs] for k in axes if pairs <= k < pairs + len(free_a))
    columns = tuple(free_b[k - pairs - len(free_a)] for k in axes if k >= pairs + len(free_a))
    summed = [k for k in axes if k < pairs]
    sides = []
    for side, gone in ((0, rows), (1, columns)):
        contracted = (*over[side], *(along[side][k] for k in summed))
        paired = [axis for k, axis in enumerate(along[side]) if k not in summed]
        sides.append((renumbered(contracted, gone), renumbered(paired, gone)))
    (over_a, along_a), (over_b, along_b) = sides
    return contract(total(a, rows), total(b, columns), (over_a, over_b), (along_a, along_b))


def _sum_of_separable(node: Node) -> Node | None:
    """Σ (a ± b) = Σ a ± Σ b where either is a product of which one factor alone is summed: the sums
    go into the products. Unlike differences in general, Σ|a| and Σ|b| are sums of the terms'
    own factors then, so that the bound of the error stays."""
    (x,), (axes,) = node.args, node.params
    if x.op not in (add, subtract) or not all(_separable(term, axes) for term in x.args):
        return None
    return x.op(*[total(term, axes) for term in x.args])


def _separable(x: Node, axes: Axes) -> bool:
    """Whether x is a product of which only one factor has the axes."""
    while x.op is negative or x.op is transpose:
        if x.op is transpose:
            axes = tuple(x.params[0][axis] for axis in axes)
        (x,) = x.args
    if x.op is multiply:
        return any(_common(factor, axes) == tuple(axes) for factor in x.args)
    if x.op is not contract:
        return False
    a = x.args[0]
    over, along = x.params
    start = len(along[0])
    middle = start + len(free(a.shape, over[0], along[0]))
    return all(start <= k < middle for k in axes) or all(k >= middle for k in axes)


_OF_VIEWS = [_of_ones, _merged, _of_transpose, _of_squeeze]

RULES: Rules = {
    "sum": [
        _sum_of_nothing,
        *_OF_VIEWS,
        _sum_of_negative,
        _sum_of_equal,
        _sum_of_scaled,
        _sum_of_product,
        _sum_of_quotient,
        _sum_of_masked,
        _sum_of_scaled_within_mask,
        _sum_of_embedded,
        _sum_of_contraction,
        _sum_of_separable,
    ],
    **{name: [*_OF_VIEWS, _of_equal] for name in ("max", "min", "any", "all")},
}
