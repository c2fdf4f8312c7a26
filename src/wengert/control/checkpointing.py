"""The op of functions that keep nothing for their derivative: `checkpoint`.

    checkpoint(xs…; body)      the results of the body

Nodes are interned, so that a node made again is the node itself: to compute something twice, it has
to be in a body. The derivative is another one, of the primal inputs and the tangents, whose body
computes what it needs of the primal one by itself; its transpose takes cotangents in their place:

    ẏ = checkpoint(xs…, ẋs…; the pushforward of the body)
    x̄ = checkpoint(xs…, ȳs…; the transpose of that)

so that between the two runs nothing is alive but the inputs. Masks of structural zeros go in and
out beside what they mask.

Source: Griewank & Walther 2008, chapter 12; Chen et al. 2016, *Training deep nets with sublinear
memory cost*.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

from wengert.control import instances, relating
from wengert.control.splitting import has_tangent, strong
from wengert.graph.body import Body, body_of, is_constant
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.registry import runner
from wengert.graph.types import TupleType, Type
from wengert.graph.walk import topological
from wengert.ops import linear
from wengert.ops.families import define
from wengert.ops.leaves import item, pack, parameter
from wengert.ops.native import Statement
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose as transposed


def _build(args: Sequence[Node], body: Body) -> Node:
    """Inputs that the body does not read are left out, so that nothing rests on them."""
    leaves = set(topological(body.outputs))
    read = [param in leaves for param in body.params]
    if not any(read):
        return pack(*body.outputs)
    if not all(read):
        args = list(compress(args, read))
        body = body_of(body.outputs, list(compress(body.params, read)), body.opened)
    args = tuple(args)
    return make(checkpoint, args, (body,), _infer(tuple(arg.type for arg in args), (body,)))


def _infer(types: tuple[Type, ...], params: tuple[Body]) -> TupleType:
    return TupleType(tuple(strong(node.type) for node in params[0].outputs))


def _evaluate(node: Node) -> Callable[..., Any]:
    run = runner(node.params[0])
    return lambda *values: tuple(run(values))


class Inputs:
    """The inputs of a new body under construction: leaves, and what they stand for outside."""

    def __init__(self, leaves: Sequence[Node], outer: Sequence[Node]) -> None:
        self.outer = dict(zip(leaves, outer, strict=True))

    def linear(self, what: str, k: int, value: Tangent) -> Tangent:
        """A linear value, inside. Where it has a mask, that goes in by itself."""
        if value is None:
            return None
        if not linear.is_masked(value):
            return self._leaf(what, k, value)
        mask, bare = value.args[:2]
        own = mask if is_constant(mask) else self._leaf(f"{what} mask", k, mask)
        return linear.masked(own, self._leaf(what, k, bare))

    def _leaf(self, what: str, k: int, value: Node) -> Node:
        leaf = parameter((what, k), strong(value.type))
        self.outer[leaf] = value
        return leaf

    def held(self, values: Sequence[Tangent]) -> list[Tangent]:
        """Linear values of the body, outside. Masks rest on primal inputs alone, and nothing
        outside may take them for linear: they are results of a holder of their own."""
        present = [value for value in values if value is not None]
        bare = [value.args[1] if linear.is_masked(value) else value for value in present]
        masks = [value.args[0] for value in present if linear.is_masked(value)]
        moved, covered = self._given(bare), self._given(masks)
        outside = [
            linear.masked(covered[value.args[0]], moved[own])
            if linear.is_masked(value)
            else moved[own]
            for value, own in zip(present, bare, strict=True)
        ]
        found = iter(outside)
        return [None if value is None else next(found) for value in values]

    def _given(self, nodes: Sequence[Node]) -> dict[Node, Node]:
        """Node of the body -> what it is outside."""
        known = {node: self.outer.get(node, node) for node in nodes}
        made = [node for node in known if node not in self.outer and not is_constant(node)]
        if made:
            body = body_of(made, list(self.outer))
            holder = checkpoint(list(self.outer.values()), body)
            known |= {node: item(holder, k) for k, node in enumerate(made)}
        return known


def _pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    (body,) = node.params
    inside = Inputs(body.params, node.args)
    given = {
        param: inside.linear("tangent", k, tangent)
        for k, (param, tangent) in enumerate(zip(body.params, tangents, strict=True))
        if tangent is not None and has_tangent(param)
    }
    found = inside.held(pushforward(body.outputs, given))
    return None if all(tangent is None for tangent in found) else tuple(found)


def _transpose(node: Node, cts: Any, wanted: Sequence[bool]) -> Sequence[Tangent]:
    (body,) = node.params
    kept = [not flag for flag in wanted]
    inside = Inputs(list(compress(body.params, kept)), list(compress(node.args, kept)))
    given = [inside.linear("cotangent", k, ct) for k, ct in enumerate(cts)]
    pulled = transposed(body.outputs, list(compress(body.params, wanted)), given)
    found = iter(inside.held(pulled))
    return [next(found) if flag else None for flag in wanted]


def _batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    (body,) = node.params
    flags = list(batched)
    outputs = instances.settled(body, flags, len(flags), 0, size)
    return checkpoint(args, body_of(outputs, instances.parameters(body, flags, size)))


checkpoint: Op = define(
    "checkpoint",
    family="holder",
    build=_build,
    infer=_infer,
    evaluate=_evaluate,
    pushforward=_pushforward,
    transpose=_transpose,
    batch=_batch,
    native=Statement("checkpoint"),
    sparsity=relating.checkpointed,
    label="checkpoint",
    domain=None,
)
