"""What results depend on, a rule for each family of ops.

A rule gets a node, the dependences of its inputs (`wengert.ops.dependence`; None is none, a tuple
belongs to a tuple type) and a `Scope`, and gives the dependence of the result. It may look at the
values of inputs, where they are known: a factor that is zero passes nothing on.
"""

from __future__ import annotations

from collections import Counter
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
from wengert.ops.dependence import MOST_PAIRS, Columns, Dependence, Tree, leaves
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
    order = topological(outputs, stop=found)
    uses = Counter(arg for node in order for arg in node.args)
    uses.update(outputs)
    for node in order:
        op = node.op
        parts = [found[arg] for arg in node.args]
        if isinstance(op.sparsity, Zero) or not any(map(leaves, parts)) or is_discrete(node.type):
            found[node] = None
        elif isinstance(op.sparsity, Absent):
            _tell(op.name, op.sparsity.reason)
            found[node] = everything(node, parts, scope)
        else:
            found[node] = op.sparsity(node, parts, scope)
        uses.subtract(node.args)
        for arg in node.args:
            if not uses[arg]:
                found[arg] = None  # its maps may be large
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
        if ends[-1] * (parts[0].size // max(extent, 1)) > MOST_PAIRS:
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


def grouped(targets: Any, count: int, sources: Any = None) -> tuple[Any, Any]:
    """(indptr, indices): for each of `count` targets the sources that go there, by default the
    places in `targets`."""
    order = np.argsort(targets, kind="stable")
    ends = np.concatenate(([0], np.cumsum(np.bincount(targets, minlength=count))))
    return ends, order if sources is None else sources[order]


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

        kind: Any = node.type
        if isinstance(kind, TupleType):
            return tuple(map(result, kind.items))
        if apart is None:
            return result(kind)
        return scope.columns.union(scope.columns.spread(found, (*stack, 1, 1), kind.shape), apart)

    return rule


def _first(kind: Any) -> Shape:
    """The shape of an array, or of the first of several."""
    one: Any = kind.items[0] if isinstance(kind, TupleType) else kind
    shape: Shape = one.shape
    return shape
