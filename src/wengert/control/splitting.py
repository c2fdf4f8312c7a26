"""The derivative of a body in two parts: what the primal one leaves, and what is linear.

    tangents of the outputs  =  linear(residuals, tangents of the parameters)

A holder's pushforward makes a primal holder that yields the residuals beside its results, and a
linear holder that reads them. Residuals are the nodes where the linear part touches the primal one;
those that a few cheap operations make from others are made again instead of kept.

Source: Radul et al. 2023, *You Only Linearize Once*, section 6.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from wengert.graph.body import Body, is_constant
from wengert.graph.literals import zeros
from wengert.graph.node import Node, deriving
from wengert.graph.op import Tangent
from wengert.graph.registry import find
from wengert.graph.types import INT, ArrayType, TapeType, TupleType, array_type, is_inexact
from wengert.graph.walk import dependents, rebuild, topological
from wengert.ops import linear as linear_ops
from wengert.ops.leaves import item, pack, seed
from wengert.transforms.pushforward import pushforward

CHEAP = frozenset(
    {
        "add",
        "subtract",
        "multiply",
        "negative",
        "square",
        "convert",
        "conjugate",
        "real",
        "imag",
        "select",
        "logical_and",
        "logical_or",
        "logical_not",
        "equal",
        "not_equal",
        "less",
        "less_equal",
        "greater",
        "greater_equal",
    }
)
"""Elementwise ops that cost no more than to read their result back."""


@dataclass(frozen=True, slots=True)
class Split:
    """tangents: of the outputs of a body. seeds: parameter -> the leaf that is its tangent.
    residuals: the nodes of the body that the tangents read."""

    tangents: list[Tangent]
    seeds: dict[Node, Node]
    residuals: list[Node]


def split(body: Body, active: Sequence[bool]) -> Split:
    """The derivative of a body by its active parameters."""
    seeds = {
        param: seed(param)
        for param, flag in zip(body.params, active, strict=True)
        if flag and has_tangent(param)
    }
    leaves = list(seeds.values())
    tangents = _taken_apart(pushforward(body.outputs, seeds), leaves)
    tangents, safe = _with_safe_residuals(tangents, leaves)
    return Split(tangents, seeds, _residuals(tangents, leaves, body.params, safe))


def _taken_apart(tangents: Sequence[Tangent], seeds: Sequence[Node]) -> list[Tangent]:
    """The tangents with what they read of several results, as a factorisation has, put together
    from these: a loop keeps arrays."""
    order = topological([tangent for tangent in tangents if tangent is not None])
    linear = dependents(order, seeds)
    new: dict[Node, Node] = {}
    for node in order:
        if node in linear:
            for arg in node.args:
                if isinstance(arg.type, TupleType) and arg.args and arg not in linear:
                    new[arg] = pack(*(item(arg, k) for k in range(len(arg.type.items))))
            args = tuple(new.get(arg, arg) for arg in node.args)
            if args != node.args:
                with deriving():
                    new[node] = rebuild(node, args)
    return [new.get(tangent, tangent) for tangent in tangents]


def _with_safe_residuals(
    tangents: Sequence[Tangent], seeds: Sequence[Node]
) -> tuple[list[Tangent], set[Node]]:
    """The tangents with select(M, w, 0) in place of residuals w that are read under masks M alone,
    and these: a residual of a dead branch may be infinite, and so may be its derivative. On a tape
    the cotangent of w is a plain zero there; that of select(M, w, 0) is masked where w is made.
    """
    order = topological([tangent for tangent in tangents if tangent is not None])
    linear = dependents(order, seeds)
    everywhere = {t for t in tangents if t is not None}
    masks: dict[Node, set[Node]] = {}  # where a node is read; of all others, everywhere
    for node in reversed(order):
        if node not in linear:
            continue
        if node.op.name == "select" and node.args[0] not in linear:
            mask = node.args[0]
            places: list[set[Node] | None] = [None, {mask}, {find("logical_not")(mask)}]
        elif node.op.family == "elementwise" and node not in everywhere:
            places = [masks.get(node)] * len(node.args)
        else:
            places = [None] * len(node.args)
        for arg, place in zip(node.args, places, strict=True):
            if place is None:
                everywhere.add(arg)
            else:
                masks.setdefault(arg, set()).update(place)
    new: dict[Node, Node] = {}
    safe: set[Node] = set()
    for node in order:
        if node not in linear or node.op.name == "select":
            wanted: list[Node] = []
        else:
            wanted = [a for a in node.args if a in masks and a not in everywhere | linear]
        for arg in wanted:
            if arg not in new and is_inexact(arg.dtype) and not is_constant(arg):
                mask = reduce(
                    lambda a, b: find("logical_or")(a, b), sorted(masks[arg], key=_serial)
                )
                new[arg] = linear_ops.masked(mask, arg)
                safe.add(new[arg])
        args = tuple(new.get(arg, arg) for arg in node.args) if node in linear else node.args
        if args != node.args:
            with deriving():
                new[node] = rebuild(node, args)
    return [new.get(tangent, tangent) for tangent in tangents], safe


def _serial(node: Node) -> int:
    return node.serial


def has_tangent(node: Node) -> bool:
    """Whether a node is of a type that has derivatives."""
    return isinstance(node.type, ArrayType) and is_inexact(node.dtype)


def written(tangent: Tangent, like: Node) -> Node:
    """A tangent as a node: a structural zero written out."""
    return zeros(strong(like.type)) if tangent is None else tangent


def strong(type: ArrayType) -> ArrayType:
    """The type without the weakness of a Python number."""
    return array_type(type.shape, type.dtype)


def _residuals(
    tangents: Sequence[Tangent],
    seeds: Sequence[Node],
    params: Iterable[Node],
    safe: Collection[Node] = (),
) -> list[Node]:
    """safe: residuals that are kept as they are."""
    present = [tangent for tangent in tangents if tangent is not None]
    order = topological(present)
    linear = dependents(order, seeds)
    read = {arg for node in order if node in linear for arg in node.args}
    found = {node for node in read if node not in linear and not is_constant(node)}
    for node in [node for node in found if node.op is pack]:
        found.remove(node)
        found.update(node.args)
    found = _without_tapes(found)
    available = found.union(params)
    for node in sorted(found, key=lambda node: -node.serial):
        if node in safe:
            continue
        roots = _roots(node, available)
        if roots is None or node not in found:
            continue
        new = roots - available
        if not new or (len(new) == 1 and next(iter(new)).size <= node.size):
            found.remove(node)
            found |= roots
            available.discard(node)
            available |= roots
    return sorted(found, key=lambda node: node.serial)


MOST_REMADE = 4
"""Cheap operations that make a residual again, at most."""


def _roots(node: Node, available: set[Node]) -> set[Node] | None:
    """The nodes that a residual is made from again by cheap operations; None where it is not."""
    roots: set[Node] = set()
    stack, count = [node], 0
    while stack:
        own = stack.pop()
        if is_constant(own):
            continue
        if own is not node and own in available:
            roots.add(own)
        elif own.op.name == "select" and not _has_choices(own, available):
            if own is node:
                return None
            roots.add(own)
        elif own.op.name in CHEAP or (own.op.family == "movement" and len(own.args) == 1):
            count += own.op.family != "movement"
            stack.extend(own.args)
        elif own is node:
            return None
        else:
            roots.add(own)
        if count > MOST_REMADE:
            return None
    return roots


def _has_choices(node: Node, available: set[Node]) -> bool:
    """Whether a select is made again from what is there. What it does not take may be infinite, and
    so may be its derivative: it is no residual, since where it is not taken is forgotten then."""
    for choice in node.args[1:]:
        if choice not in available and not is_constant(choice):
            roots = _roots(choice, available)
            if roots is None or not roots <= available:
                return False
    return True


def _without_tapes(found: set[Node]) -> set[Node]:
    """The residuals with the inputs of inner loops in place of what these leave on tapes.

    How long a tape is differs from step to step, so that an outer loop cannot keep it: the inner
    loop runs again in the linear part, and its number of steps is counted there too, since another
    program may round otherwise. So an outer loop keeps no more than its inner ones begin with.
    """
    stack = [node for node in found if isinstance(node.type, TapeType)]
    again: set[Node] = set()
    while stack:
        node = stack.pop()
        if node not in again:
            again.add(node)
            stack += [arg for arg in node.args if _is_made(arg)]
    loops = {node for node in again if isinstance(node.type, TupleType)}
    begin = {
        arg for node in again for arg in node.args if not _is_made(arg) and not is_constant(arg)
    }
    kept = (found | begin) - again
    return {node for node in kept if loops.isdisjoint(node.args) or node.dtype != INT}


def _is_made(node: Node) -> bool:
    """Whether a node is a tape, or several results, of something."""
    return isinstance(node.type, TapeType | TupleType) and bool(node.args)
