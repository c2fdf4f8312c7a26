"""The op of branches: `branch`, which `cond` and `switch` build.

    branch(index, operands…; bodies)      the results of bodies[index], of the same types in all

An index that is too small or too large means the first or the last. Only the body that is chosen
runs. Its derivative is two branches on the same index: one that yields residuals beside the
results, a place for those of each body, and a linear one that reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import compress
from typing import Any

from wengert.control import instances, relating
from wengert.control.costs import is_costly
from wengert.control.masking import with_masks
from wengert.control.splitting import Split, has_tangent, split, strong, written
from wengert.graph.body import Body, body_of
from wengert.graph.literals import full, zeros
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.registry import find, runner
from wengert.graph.types import BOOL, ArrayType, TupleType, Type
from wengert.graph.walk import topological
from wengert.ops import linear
from wengert.ops.families import define
from wengert.ops.leaves import item, pack, parameter
from wengert.ops.movement import broadcast_to
from wengert.ops.native import Statement
from wengert.transforms.transpose import transpose as transposed


def _build(index: Node, operands: Sequence[Node], *choices: Body) -> Node:
    """Operands that no body reads are left out, so that nothing rests on them."""
    leaves = [set(topological(body.outputs)) for body in choices]
    read = [
        any(body.params[k] in own for body, own in zip(choices, leaves, strict=True))
        for k in range(len(operands))
    ]
    if not all(read):
        operands = list(compress(operands, read))
        choices = tuple(
            body_of(body.outputs, list(compress(body.params, read)), body.opened)
            for body in choices
        )
    args = (index, *operands)
    return make(branch, args, choices, _infer(tuple(arg.type for arg in args), choices))


def _infer(types: tuple[Type, ...], params: tuple[Body, ...]) -> TupleType:
    return TupleType(tuple(strong(node.type) for node in params[0].outputs))


def _evaluate(node: Node) -> Callable[..., Any]:
    runs = [runner(body) for body in node.params]
    last = len(runs) - 1

    def run(index: Any, *operands: Any) -> tuple[Any, ...]:
        return tuple(runs[min(max(int(index), 0), last)](operands))

    return run


def _pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    index, *operands = node.args
    given = tangents[1:]
    splits = [split(body, [t is not None for t in given]) for body in node.params]
    shown = [
        k for k in range(len(node.type.items)) if any(s.tangents[k] is not None for s in splits)
    ]
    if not shown:
        return None
    places, types = _places(node.params, splits)
    primal = branch(
        index,
        operands,
        *(
            Body(body.params, (*body.outputs, *_filled(own, types)), body.opened)
            for body, own in zip(node.params, places, strict=True)
        ),
    )
    count = len(node.type.items)
    kept = [item(primal, count + k) for k in range(len(types))]
    moving = [k for k, t in enumerate(given) if t is not None and has_tangent(operands[k])]
    masks = {
        k: parameter(("mask", k), given[k].args[0].type)
        for k in moving
        if linear.is_masked(given[k])
    }
    linear_bodies = []
    for body, found, own in zip(node.params, splits, places, strict=True):
        slots = [parameter(("kept", k), type) for k, type in enumerate(types)]
        for node_, k in own.items():
            slots[k] = node_
        inputs = [
            *body.params,
            *slots,
            *(found.seeds[body.params[k]] for k in moving),
        ]
        outputs = [written(found.tangents[k], body.outputs[k]) for k in shown]
        bare = body_of(outputs, inputs)
        if masks:
            first = len(inputs) - len(moving)
            own_masks = {first + moving.index(k): mask for k, mask in masks.items()}
            outputs = with_masks(bare, range(first, len(inputs)), own_masks)
            bare = body_of(outputs, [*bare.params, *masks.values()])
        linear_bodies.append(bare)
    fixed = [*operands, *kept]
    moved = [given[k].args[1] if k in masks else given[k] for k in moving]
    covers = [given[k].args[0] for k in masks]
    held = branch(index, [*fixed, *moved, *covers], *linear_bodies)
    result: list[Tangent] = [None] * count
    for place, k in enumerate(shown):
        there = [found.tangents[k] is not None for found in splits]
        result[k] = _structural(index, item(held, place), there)
    covered = [
        place
        for place in range(len(shown))
        if any(linear.is_masked(body.outputs[place]) for body in linear_bodies)
    ]
    if covered:  # masks rest on no tangent: they are results of a branch of their own
        first, last = len(fixed), len(fixed) + len(moved)
        of_masks = [
            body_of(
                [linear.as_masked(body.outputs[place]).args[0] for place in covered],
                [*body.params[:first], *body.params[last:]],
            )
            for body in linear_bodies
        ]
        chosen = branch(index, [*fixed, *covers], *of_masks)
        for i, place in enumerate(covered):
            result[shown[place]] = linear.masked(item(chosen, i), item(held, place))
    return tuple(result)


def _structural(index: Node, value: Node, there: Sequence[bool]) -> Node:
    """A linear result of a branch, masked where the bodies that are not `there` are chosen: they
    give a zero, and what it meets outside may be infinite, as it was made for the other ones."""
    if all(there):
        return value
    last = full(len(there) - 1, index.dtype)
    bounded = find("maximum")(find("minimum")(index, last), full(0, index.dtype))
    masks = [find("equal")(bounded, full(k, index.dtype)) for k, flag in enumerate(there) if flag]
    chosen = reduce(find("logical_or"), masks)
    return linear.masked(broadcast_to(chosen, value.shape), value)


def _places(
    choices: Sequence[Body], splits: Sequence[Split]
) -> tuple[list[dict[Node, int]], list[ArrayType]]:
    """For each body where its residuals are kept, and the types of these places: bodies share
    them. A residual that is an operand is read as one."""
    types: list[ArrayType] = []
    places = []
    for body, found in zip(choices, splits, strict=True):
        own: dict[Node, int] = {}
        for node in found.residuals:
            if node in body.params:
                continue
            type = strong(node.type)
            free = [k for k, t in enumerate(types) if t is type and k not in own.values()]
            if not free:
                free = [len(types)]
                types.append(type)
            own[node] = free[0]
        places.append(own)
    return places, types


def _filled(own: dict[Node, int], types: Sequence[ArrayType]) -> list[Node]:
    by_place = {k: node for node, k in own.items()}
    return [by_place.get(k) or zeros(type) for k, type in enumerate(types)]


def _transpose(node: Node, cts: Any, wanted: Sequence[bool]) -> Sequence[Tangent]:
    index, *operands = node.args
    flags = wanted[1:]
    linear_in = [k for k, flag in enumerate(flags) if flag]
    shown = [k for k, ct in enumerate(cts) if ct is not None]
    back = {k: parameter(("ct", k), strong(node.type.items[k])) for k in shown}
    covers = {
        k: parameter(("mask", k), cts[k].args[0].type) for k in shown if linear.is_masked(cts[k])
    }
    given = [
        linear.masked(covers[k], back[k]) if k in covers else back.get(k)
        for k in range(len(node.type.items))
    ]
    found = [
        transposed(body.outputs, [body.params[k] for k in linear_in], given) for body in node.params
    ]
    masked = [
        place
        for place, column in enumerate(zip(*found, strict=True))
        if any(ct is not None and linear.is_masked(ct) for ct in column)
    ]
    turned = []
    for body, own in zip(node.params, found, strict=True):
        p = body.params
        outputs = [written(ct, p[k]) for ct, k in zip(own, linear_in, strict=True)]
        outputs += [_mask(own[place], p[linear_in[place]]) for place in masked]
        inputs = [leaf for leaf, flag in zip(p, flags, strict=True) if not flag]
        turned.append(body_of(outputs, [*inputs, *back.values(), *covers.values()]))
    fixed = [own for own, flag in zip(operands, flags, strict=True) if not flag]
    bare = [cts[k].args[1] if k in covers else cts[k] for k in shown]
    held = branch(index, [*fixed, *bare, *(cts[k].args[0] for k in covers)], *turned)
    result: list[Tangent] = [None] * len(node.args)
    for place, k in enumerate(linear_in):
        there = [own[place] is not None for own in found]
        if any(there):
            result[1 + k] = _structural(index, item(held, place), there)
    for place, k in enumerate(masked, len(linear_in)):
        result[1 + linear_in[k]] = linear.masked(item(held, place), item(held, k))
    return result


def _mask(ct: Tangent, like: Node) -> Node:
    """Where a cotangent is no structural zero."""
    if ct is not None and linear.is_masked(ct):
        mask: Node = ct.args[0]
        return mask
    return full(ct is not None, BOOL, like.shape)


def _batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    """Instances that choose for themselves run every body, and take what they chose; or, where that
    costs, are sorted by what they choose (see `wengert.control.partitioning`)."""
    index, *operands = args
    flags = list(batched[1:])
    rows = [arg for arg, flag in zip(operands, flags, strict=True) if flag]
    arrays = all(isinstance(arg.type, ArrayType) for arg in rows)
    if batched[0] and arrays and is_costly(node.params):
        return find("partition")(index, operands, tuple(flags), *node.params)
    choices = [
        body_of(
            instances.settled(body, flags, len(flags), 0, size),
            instances.parameters(body, flags, size),
        )
        for body in node.params
    ]
    if not batched[0]:
        return branch(index, operands, *choices)
    results = choices[0](operands)
    for k, body in enumerate(choices[1:], 1):
        mine = find("greater_equal")(index, full(k, index.dtype, index.shape))
        results = [
            instances.chosen(mine, own, other)
            for own, other in zip(body(operands), results, strict=True)
        ]
    return pack(*results)


branch: Op = define(
    "branch",
    family="holder",
    build=_build,
    infer=_infer,
    evaluate=_evaluate,
    pushforward=_pushforward,
    transpose=_transpose,
    batch=_batch,
    native=Statement("branch"),
    sparsity=relating.branching,
    label="branch",
    domain=None,
)
