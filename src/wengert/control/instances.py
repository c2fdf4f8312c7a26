"""Bodies for many instances at once, as loops and branches need them under `vmap`."""

from __future__ import annotations

from collections.abc import Sequence

from wengert.graph.body import Body
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, TupleType, Type, array_type
from wengert.graph.walk import dependents, topological
from wengert.ops.leaves import parameter
from wengert.ops.movement import broadcast_to, reshape, transpose
from wengert.ops.selection import select
from wengert.transforms.batch import batch


def parameters(body: Body, flags: Sequence[bool], size: int) -> list[Node]:
    """The parameters of a body for many instances: those flagged have an axis in front."""
    return [
        parameter(("wide", k), _wide(p.type, size)) if flag else p
        for k, (p, flag) in enumerate(zip(body.params, flags, strict=True))
    ]


def _wide(type: Type, size: int) -> Type:
    if isinstance(type, TupleType):  # what a factorisation gives
        return TupleType(tuple(_wide(part, size) for part in type.items))
    assert isinstance(type, ArrayType)
    return array_type((size, *type.shape), type.dtype)


def outputs(body: Body, flags: Sequence[bool], size: int) -> list[Node]:
    """The outputs for many instances; those that are the same for all stay as they are."""
    wide = parameters(body, flags, size)
    mapped = {p: own for p, own, flag in zip(body.params, wide, flags, strict=True) if flag}
    inside = dependents(topological(body.outputs), mapped)
    found = batch(body.outputs, mapped, size)
    return [own if one in inside else one for own, one in zip(found, body.outputs, strict=True)]


def settled(body: Body, flags: list[bool], consts: int, carry: int, size: int) -> list[Node]:
    """The outputs of the step of a loop, all with instances but carries that have none in any step.
    flags: of the parameters; the carries that become different are flagged here."""
    while True:
        found = outputs(body, flags, size)
        more = [
            consts + k
            for k in range(carry)
            if not flags[consts + k] and found[k].ndim > body.outputs[k].ndim
        ]
        if not more:
            break
        for k in more:
            flags[k] = True
    return [
        own
        if own.ndim > one.ndim or (k < carry and not flags[consts + k])
        else broadcast_to(own, (size, *own.shape))
        for k, (own, one) in enumerate(zip(found, body.outputs, strict=True))
    ]


def repeated(
    args: Sequence[Node], batched: Sequence[bool], wanted: Sequence[bool], size: int
) -> list[Node]:
    """The inputs, with instances where they are wanted."""
    return [
        broadcast_to(arg, (size, *arg.shape)) if flag and not has else arg
        for arg, has, flag in zip(args, batched, wanted, strict=True)
    ]


def chosen(mask: Node, new: Node, old: Node) -> Node:
    """What each instance has: the new value where the mask says so."""
    shape = (*mask.shape, *(1 for _ in range(new.ndim - mask.ndim)))
    return select(broadcast_to(reshape(mask, shape), new.shape), new, old)


def swapped(x: Node) -> Node:
    """The first two axes, instances and steps, in the other order."""
    return transpose(x, (1, 0, *range(2, x.ndim)))
