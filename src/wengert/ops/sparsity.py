"""What results depend on, a rule for each family of ops.

A rule gets a node, the dependences of its inputs (`wengert.ops.dependence`; None is none, a tuple
belongs to a tuple type) and a `Scope`, and gives the dependence of the result. It may look at the
values of inputs, where they are known: a factor that is zero passes nothing on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from wengert.graph.node import Node
from wengert.graph.op import Absent, Sparsity, Zero, absent
from wengert.graph.registry import find
from wengert.graph.types import ArrayType, Shape, TapeType, TupleType, array_type, is_inexact
from wengert.graph.walk import rebuild, topological
from wengert.logging import logger
from wengert.ops.dependence import Columns, Dependence, Tree, leaves
from wengert.ops.knowledge import Knowledge

UNSTATED = absent("no rule says which elements of the inputs an element of the result rests on")


@dataclass(frozen=True, slots=True)
class Scope:
    """What rules work with: the columns, and what is known of values."""

    columns: Columns
    knowledge: Knowledge


def everything(node: Node, trees: Sequence[Tree], scope: Scope) -> Tree:
    """All of the result depends on all that the inputs depend on."""
    name = scope.columns.together(trees)
    return filled(node.type, name, scope)


def filled(kind: Any, name: int, scope: Scope) -> Tree:
    """Of a value of a type all of whose elements depend on one set."""
    if isinstance(kind, TupleType):
        return tuple(filled(part, name, scope) for part in kind.items)
    if is_discrete(kind):
        return None
    if isinstance(kind, TapeType):  # all steps of a tape are taken together
        kind = kind.step
    return scope.columns.constant(name, kind.shape)


def propagated(outputs: Sequence[Node], given: Mapping[Node, Tree], scope: Scope) -> list[Tree]:
    """What nodes depend on, from what the given nodes do; all other leaves depend on nothing."""
    found: dict[Node, Tree] = dict(given)
    for node in topological(outputs, stop=found):
        op = node.op
        parts = [found[arg] for arg in node.args]
        if isinstance(op.sparsity, Zero) or not any(map(leaves, parts)) or is_discrete(node.type):
            found[node] = None
        elif isinstance(op.sparsity, Absent):
            _tell(op.name, op.sparsity.reason)
            found[node] = everything(node, parts, scope)
        else:
            found[node] = op.sparsity(node, parts, scope)
    return [found[node] for node in outputs]


def is_discrete(kind: Any) -> bool:
    """Whether values of a type have no derivatives."""
    return isinstance(kind, ArrayType) and not is_inexact(kind.dtype)


@cache
def _tell(name: str, reason: str) -> None:
    """Once for each op."""
    logger.info(
        "sparsity: %s is taken to depend on all of its inputs everywhere (%s)", name, reason
    )


# -------------------------------------------------------------------------------- elementwise


def elementwise(passing: Sequence[bool]) -> Sparsity:
    """Each element depends on those at its place. passing: whether there is a derivative by an
    input."""

    def rule(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
        given = [part for part, flag in zip(parts, passing, strict=True) if flag]
        return scope.columns.union(*given)

    return rule


def pointwise(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """Each element depends on those at its place in every input."""
    return scope.columns.union(*parts)


def masked(of: Dependence | None, mask: Any) -> Dependence | None:
    """Nothing outside a mask; None is a mask that is true everywhere."""
    if of is None or mask is None:
        return of
    if not mask.any():
        return None
    zero = of.maps[0].dtype.type(0)
    return Dependence(tuple(np.where(mask, one, zero) for one in of.maps), of.tight)


def product(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """a b: what a factor depends on passes where the other factor is not zero."""
    first, second = parts
    a, b = node.args
    look = scope.knowledge.nonzero
    return scope.columns.union(
        None if first is None else masked(first, look(b)),
        None if second is None else masked(second, look(a)),
    )


def quotient(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """a / b: what b depends on passes where a is not zero."""
    first, second = parts
    by = None if second is None else masked(second, scope.knowledge.nonzero(node.args[0]))
    return scope.columns.union(first, by)


def selected(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """where(mask, a, b): of a known mask the branch that it chooses, else of both."""
    _, first, second = parts
    mask = scope.knowledge.value(node.args[0])
    if mask is None:
        return scope.columns.union(first, second)
    if first is None or second is None:
        return scope.columns.union(masked(first, mask), masked(second, ~np.asarray(mask)))
    nothing = scope.columns.nothing(first.shape)
    count = max(len(first.maps), len(second.maps))
    a, b = (part.maps + (nothing,) * (count - len(part.maps)) for part in (first, second))
    maps = tuple(np.where(mask, x, y) for x, y in zip(a, b, strict=True))
    return Dependence(maps, max(first.tight, second.tight))


# ----------------------------------------------------------------------------------- movement


def moved(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """The op itself, on the maps: where it leaves zeros, nothing is depended on. Inputs of integers
    that say where to are taken as they are."""
    given = [part for part in parts if part is not None]
    if not given or not node.size:
        return None
    dtype = scope.columns.dtype
    fakes = tuple(
        find("parameter")(("map", k), array_type(arg.shape, dtype)) if _moves(arg) else arg
        for k, arg in enumerate(node.args)
    )
    run = node.op.evaluate(rebuild(node, fakes))
    places = [None if _moves(arg) else scope.knowledge.value(arg) for arg in node.args]
    maps = []
    for k in range(max(len(part.maps) for part in given)):
        values = [
            place
            if place is not None
            else part.maps[k]
            if part is not None and k < len(part.maps)
            else scope.columns.nothing(arg.shape)
            for arg, part, place in zip(node.args, parts, places, strict=True)
        ]
        maps.append(np.asarray(run(*values)))
    return scope.columns.fitted(Dependence(tuple(maps), max(part.tight for part in given)))


def _moves(arg: Node) -> bool:
    return arg.dtype.kind in "fc"


# --------------------------------------------------------------------- reductions, transforms


def reduced(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """The union over the axes that a reduction removes."""
    return scope.columns.over(parts[0], node.params[0])


def mixed(axes: Any) -> Sparsity:
    """The union along axes, a function of the node, that stay, perhaps with other extents."""

    def rule(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
        return scope.columns.union(
            *(scope.columns.along(part, axes(node), node.shape) for part in parts)
        )

    return rule


def cumulative(axis: Any) -> Sparsity:
    """Each element depends on itself and those before it along an axis, a function of the node."""

    def rule(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
        at = axis(node)
        extent = node.shape[at]
        if parts[0] is None:
            return None
        lengths = np.arange(1, extent + 1)
        ends = np.concatenate(([0], np.cumsum(lengths)))
        if ends[-1] * (parts[0].size // max(extent, 1)) > 10**8:
            return scope.columns.along(parts[0], (at,), node.shape)
        indices = np.arange(ends[-1]) - np.repeat(ends[:-1], lengths)
        return related(parts[0], at, ends, indices, scope)

    return rule


def related(
    of: Dependence | None, axis: int, indptr: Any, indices: Any, scope: Scope
) -> Dependence | None:
    """`Columns.joined` along an axis."""
    if of is None:
        return None
    front = Dependence(tuple(np.moveaxis(one, axis, 0) for one in of.maps), of.tight)
    found = scope.columns.joined(front, indptr, indices)
    if found is None:
        return None
    return Dependence(tuple(np.moveaxis(one, 0, axis) for one in found.maps), found.tight)


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


def grouped(targets: Any, count: int, sources: Any = None) -> tuple[Any, Any]:
    """(indptr, indices): for each of `count` targets the sources that go there, by default the
    places in `targets`."""
    order = np.argsort(targets, kind="stable")
    ends = np.concatenate(([0], np.cumsum(np.bincount(targets, minlength=count))))
    return ends, order if sources is None else sources[order]


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
        stack = node.shape[:lead]
        lines = Dependence(tuple(one.reshape((*stack, -1)) for one in of.maps), of.tight)
        moved_on = related(lines, lead, ends, flat, scope) if lead == 1 else None
        if lead != 1:
            count = math.prod(stack)
            wide = Dependence(tuple(one.reshape(count, -1) for one in of.maps), of.tight)
            moved_on = related(wide, 1, ends, flat, scope)
        found.append(scope.columns.spread(moved_on, node.shape, node.shape))
    return scope.columns.union(*found)


def recurrent(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """recurrence(a; x): an element depends on the x before it, and on all coefficients."""
    by_a, by_x = parts
    last = node.ndim - 1
    seen = cumulative(lambda node: last)(node, [by_x], scope)
    return scope.columns.union(seen, scope.columns.along(by_a, (last,), node.shape))


# ----------------------------------------------------------------------------- names and tuples


def same(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """Of another name."""
    of: Tree = parts[0]
    return of


def item(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """Of a part of a tuple."""
    of: Tree = None if parts[0] is None else parts[0][node.params[0]]
    return of


def packed(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """Of a tuple."""
    return tuple(parts)


def several(node: Node, parts: Sequence[Any], scope: Scope) -> Tree:
    """Elementwise, with several results."""
    return (scope.columns.union(*parts),) * len(node.type.items)


def turned(
    rows: Sequence[Node],
    cotangents: Sequence[Node],
    still: Mapping[Node, Tree],
    given: Sequence[Dependence | None],
    scope: Scope,
) -> tuple[Dependence | None, ...]:
    """What results depend on, from how the cotangents of the inputs rest on theirs.

    rows: the cotangents of the inputs, whose dependences are `given`.
    """
    sizes = [node.size for node in cotangents]
    starts = np.cumsum([0, *sizes]).tolist()
    inner = Columns(starts[-1])
    leaf = {ct: inner.input(start, ct.shape) for ct, start in zip(cotangents, starts, strict=False)}
    reached = propagated(rows, {**still, **leaf}, Scope(inner, scope.knowledge))
    found: list[Dependence | None] = [None] * len(cotangents)
    for row, of, own in zip(rows, reached, given, strict=True):
        if of is None or own is None or isinstance(of, tuple):
            continue
        indptr, indices = inner.csr(of, row.size)
        sources = np.repeat(np.arange(row.size), np.diff(indptr))
        ends, members = grouped(indices, starts[-1], sources)
        flat = Dependence(tuple(one.ravel() for one in own.maps), own.tight)
        for k, (ct, first, size) in enumerate(zip(cotangents, starts, sizes, strict=False)):
            low, high = int(ends[first]), int(ends[first + size])
            part = scope.columns.joined(
                flat, ends[first : first + size + 1] - low, members[low:high]
            )
            shaped = scope.columns.spread(part, ct.shape, ct.shape)
            found[k] = scope.columns.union(found[k], shaped)
    return tuple(found)


# ------------------------------------------------------------------------- stacks of matrices

SPECTRAL = absent("it stands in second derivatives of factorisations, where all rests on all")


def stacked(*cores: int, columns: bool = False) -> Sparsity:
    """Each instance of a stack depends on the instances at its place, all of it on all of them.

    cores: for each input, or for all alike, how many axes an instance has; those before are the
        axes of the stack, and an input without them belongs to all instances.
    columns: whether each column of the result depends on the same column of the last input alone,
        as that of a linear system.
    """

    def rule(node: Node, trees: Sequence[Tree], scope: Scope) -> Tree:
        ranks = cores if len(cores) > 1 else cores * len(trees)
        parts = [
            (part, core) for tree, core in zip(trees, ranks, strict=True) for part in leaves(tree)
        ]
        shapes = [
            _first(arg.type)[: len(_first(arg.type)) - core]
            for arg, core in zip(node.args, ranks, strict=True)
        ]
        stack = max(shapes, key=len)
        apart = None
        if columns and trees[-1] is not None:
            part, _ = parts.pop()
            apart = scope.columns.along(part, (node.ndim - 2,), node.shape)
        seen = []
        for part, core in parts:
            lead = part.shape[: len(part.shape) - core]
            if lead not in ((), stack):
                return everything(node, trees, scope)
            instance = scope.columns.over(part, tuple(range(len(lead), len(part.shape))))
            seen.append(scope.columns.spread(instance, lead or (1,) * len(stack), stack))
        found = scope.columns.union(*seen)

        def result(kind: Any) -> Tree:
            if is_discrete(kind):
                return None
            ones = (1,) * (len(kind.shape) - len(stack))
            return scope.columns.spread(found, (*stack, *ones), kind.shape)

        if isinstance(node.type, TupleType):
            return tuple(map(result, node.type.items))
        if apart is None:
            return result(node.type)
        return scope.columns.union(scope.columns.spread(found, (*stack, 1, 1), node.shape), apart)

    return rule


def _first(kind: Any) -> Shape:
    """The shape of an array, or of the first of several."""
    shape: Shape = kind.items[0].shape if isinstance(kind, TupleType) else kind.shape
    return shape
