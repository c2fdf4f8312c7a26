"""What sums of products depend on, and what is picked and added by indices.

Where a factor is known, its zeros pass nothing on; where indices are known, elements go where they
say. The rules are those of `wengert.ops.sparsity`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.graph.node import Node
from wengert.graph.types import Shape
from wengert.ops.dependence import Dependence, Tree
from wengert.ops.sparsity import Scope, cumulative, everything, grouped, moved, related

# ---------------------------------------------------------------------------------- contraction


def contracted(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """Σ_k a_pik b_pkj. Row (p, i, j) of the result depends on the a_pik where b_pkj is not zero,
    and on the b_pkj where a_pik is not: without zeros on rows of a, and columns of b."""
    found = []
    for side in (0, 1):
        if parts[side] is not None:
            mask = scope.knowledge.nonzero(node.args[1 - side])
            found.append(_by_factor(node, parts[side], mask, side, scope))
    return scope.columns.union(*found)


def _by_factor(node: Node, of: Dependence, mask: Any, side: int, scope: Scope) -> Dependence | None:
    over, along = node.params
    mine, other = node.args[side].shape, node.args[1 - side].shape

    def rest(k: int, shape: Shape) -> tuple[int, ...]:
        taken = {*over[k], *along[k]}
        return tuple(axis for axis in range(len(shape)) if axis not in taken)

    own, others = rest(side, mine), rest(1 - side, other)
    paired = tuple(mine[axis] for axis in along[side])
    free = tuple(mine[axis] for axis in own)
    outer = tuple(other[axis] for axis in others)
    if mask is None:
        seen = scope.columns.over(of, over[side])
        if seen is None:
            return None
        left = [axis for axis in range(len(mine)) if axis not in over[side]]
        turn = [left.index(axis) for axis in (*along[side], *own)]
        maps = tuple(one.transpose(turn) for one in seen.maps)
        ones = (1,) * len(outer)
        kept = (*paired, *free, *ones) if side == 0 else (*paired, *ones, *free)
        return scope.columns.spread(Dependence(maps, seen.tight), kept, node.shape)
    inner = math.prod(mine[axis] for axis in over[side])
    pairs, width = math.prod(paired), math.prod(outer)
    # rows (p, j) of the relation: the k with b_pkj ≠ 0, among the rows (p, k) of what is moved
    order = (*along[1 - side], *others, *over[1 - side])
    there = mask.transpose(order).reshape(pairs * width, inner)
    rows, columns = np.nonzero(there)
    ends = np.concatenate(([0], np.cumsum(np.count_nonzero(there, axis=1))))
    order = (*along[side], *over[side], *own)
    lines = Dependence(
        tuple(one.transpose(order).reshape(pairs * inner, -1) for one in of.maps), of.tight
    )
    found = scope.columns.joined(lines, ends, rows // max(width, 1) * inner + columns)
    if found is None:
        return None
    maps = tuple(one.reshape((*paired, *outer, *free)) for one in found.maps)
    if side == 0:
        first, second = len(paired), len(paired) + len(outer)
        turn = [*range(first), *range(second, node.ndim), *range(first, second)]
        maps = tuple(one.transpose(turn) for one in maps)
    return Dependence(maps, found.tight)


def applied(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """A x with an operator A: by its nonzeros where it is a known sparse matrix."""
    of = parts[1]
    if of is None:
        return None
    found = scope.knowledge.structure(node.args[0])
    if found is None:
        return scope.columns.along(of, (0,), node.shape)
    indptr, indices = found
    if node.params[0]:
        rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
        indptr, indices = grouped(indices, node.shape[0], rows)
    return scope.columns.joined(of, indptr, indices)


# -------------------------------------------------------------------------------------- indexing


def picked(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """gather: known indices move the maps; else any element of the axis may be picked."""
    if scope.knowledge.knows(node.args[1]):
        return moved(node, parts, scope)
    (axis,) = node.params
    of, index = parts[0], node.args[1]
    if of is None:
        return None
    kept = (*of.shape[:axis], *(1,) * index.ndim, *of.shape[axis + 1 :])
    return scope.columns.spread(scope.columns.over(of, (axis,)), kept, node.shape)


def picked_along(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """take_along_axis, in the same way."""
    if scope.knowledge.knows(node.args[1]):
        return moved(node, parts, scope)
    return scope.columns.along(parts[0], node.params[:1], node.shape)


def added(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """scatter_add: an element depends on all that is added to it."""
    of, (axis, extent) = parts[0], node.params
    if of is None:
        return None
    index = node.args[1]
    axes = tuple(range(axis, axis + index.ndim))
    places = scope.knowledge.value(index)
    if places is None:
        kept = (*of.shape[:axis], 1, *of.shape[axis + index.ndim :])
        return scope.columns.spread(scope.columns.over(of, axes), kept, node.shape)
    shape = (*of.shape[:axis], index.size, *of.shape[axis + index.ndim :])
    lines = Dependence(tuple(one.reshape(shape) for one in of.maps), of.tight)
    return related(lines, axis, *grouped(np.ravel(places), extent), scope)


def added_along(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """add_along_axis: by the flat places that the indices mean."""
    of, (axis, _) = parts[0], node.params
    if of is None:
        return None
    index = scope.knowledge.value(node.args[1])
    if index is None:
        return scope.columns.along(of, (axis,), node.shape)
    where = list(np.ogrid[tuple(slice(n) for n in of.shape)])
    where[axis] = index
    flat = np.ravel_multi_index(tuple(np.broadcast_arrays(*where)), node.shape).ravel()
    line = Dependence(tuple(one.ravel() for one in of.maps), of.tight)
    found = scope.columns.joined(line, *grouped(flat, node.size))
    return scope.columns.spread(found, node.shape, node.shape)


def placed(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """scatter_put: known indices move the maps; else a row may be any of the new ones."""
    if scope.knowledge.knows(node.args[1]):
        return moved(node, parts, scope)
    base, _, new = parts
    index = node.args[1]
    rows = scope.columns.over(new, tuple(range(index.ndim)))
    kept = (1, *node.shape[1:])
    return scope.columns.union(base, scope.columns.spread(rows, kept, node.shape))


# ---------------------------------------------------------------------------------- convolutions


def convolved(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """y_i = Σ_j a_{i−j} v_j over the last axes: a passes where v is not zero, and the other way.

    In the valid part the indices of y begin where those of the full convolution are m − 1.
    """
    mode, rank = node.params
    lead = node.ndim - rank
    if node.shape[:lead] and any(arg.shape[:lead] != node.shape[:lead] for arg in node.args):
        return everything(node, parts, scope)
    found = []
    for side in (0, 1):
        of, other = parts[side], node.args[1 - side]
        if of is None or not other.size or not of.size:
            continue
        mask = scope.knowledge.nonzero(other)
        inner = other.shape[lead:]
        there = np.ones(inner, np.bool_) if mask is None else mask.any(tuple(range(lead)))
        extents = of.shape[lead:]
        offset = np.array(node.args[1].shape[lead:]) - 1 if mode == "valid" else np.zeros(rank, int)
        places = np.stack(np.meshgrid(*map(np.arange, node.shape[lead:]), indexing="ij"), -1)
        steps = np.argwhere(there)
        sources = places.reshape(-1, 1, rank) + offset - steps
        valid = ((sources >= 0) & (sources < np.array(extents))).all(-1)
        flat = np.ravel_multi_index(tuple(np.moveaxis(sources[valid], -1, 0)), extents)
        ends = np.concatenate(([0], np.cumsum(valid.sum(1))))
        count = math.prod(node.shape[:lead])
        lines = Dependence(tuple(one.reshape(count, -1) for one in of.maps), of.tight)
        sums = related(lines, 1, ends, flat, scope)
        found.append(scope.columns.spread(sums, node.shape, node.shape))
    return scope.columns.union(*found)


def recurrent(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """recurrence(a; x): an element depends on the x before it, and on all coefficients."""
    by_a, by_x = parts
    last = node.ndim - 1
    seen = cumulative(lambda node: last)(node, [by_x], scope)
    return scope.columns.union(seen, scope.columns.along(by_a, (last,), node.shape))
