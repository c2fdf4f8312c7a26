"""Branches for many instances that choose for themselves: `partition`.

    partition(index, operands…; flags, bodies)     row i is the result of bodies[index[i]]

Two ways: every body runs on all instances and each takes its own (`select`), which is right for a
few elementwise operations; or instances are sorted by what they chose, and each body runs on its
own, which is right for loops, factorisations and large products, and for bodies that fail, or never
end, on instances that did not choose them. The derivative of one row is that of a branch, for many
instances at once; each part of it takes the way that is right for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.control import instances, relating
from wengert.control.branching import branch
from wengert.graph.body import Body, body_of
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.registry import runner
from wengert.graph.types import ArrayType, TupleType, Type, array_type
from wengert.graph.walk import substitute
from wengert.ops import linear
from wengert.ops.families import define
from wengert.ops.leaves import item, pack, parameter
from wengert.ops.movement import broadcast_to, reshape
from wengert.transforms.batch import batch


def _build(index: Node, operands: Sequence[Node], flags: tuple[bool, ...], *choices: Body) -> Node:
    """flags: which operands have a row for each instance."""
    args = (index, *operands)
    params = (tuple(flags), *choices)
    return make(partition, args, params, _infer(tuple(arg.type for arg in args), params))


def _infer(types: tuple[Type, ...], params: Any) -> TupleType:
    index = types[0]
    assert isinstance(index, ArrayType)
    rows = [array_type((*index.shape, *one.shape), one.dtype) for one in params[1].outputs]
    return TupleType(tuple(rows))


def _evaluate(node: Node) -> Callable[..., Any]:
    flags, *choices = node.params
    runs: dict[tuple[int, int], Callable[[Sequence[Any]], Sequence[Any]]] = {}

    def of_many(k: int, count: int) -> Callable[[Sequence[Any]], Sequence[Any]]:
        """A body for so many instances."""
        if (k, count) not in runs:
            own = list(flags)
            outputs = instances.settled(choices[k], own, len(own), 0, count)
            wide = instances.parameters(choices[k], own, count)
            runs[k, count] = runner(body_of(outputs, wide))
        return runs[k, count]

    def run(index: Any, *operands: Any) -> tuple[Any, ...]:
        results = [np.empty(type.shape, type.dtype) for type in node.type.items]
        chosen = np.clip(index, 0, len(choices) - 1)
        for k in range(len(choices)):
            rows = np.flatnonzero(chosen == k)
            if not rows.size:
                continue
            # numbers of instances are powers of two, so that there are few programs; the first
            # instance fills the rest
            count = min(1 << int(rows.size - 1).bit_length(), len(chosen))
            padded = np.concatenate([rows, np.full(count - rows.size, rows[0])])
            given = [x[padded] if flag else x for x, flag in zip(operands, flags, strict=True)]
            for result, found in zip(results, of_many(k, count)(given), strict=True):
                result[rows] = found[: rows.size]
        return tuple(results)

    return run


@dataclass(frozen=True, slots=True)
class One:
    """The branch of one instance. leaves: its inputs. whole: leaf -> what it is of all instances.
    shared: leaf -> what it is for each of them."""

    branch: Node
    leaves: list[Node]
    whole: dict[Node, Node]
    shared: dict[Node, Node]

    def of_all(self, found: Sequence[Tangent]) -> list[Tangent]:
        """What was found for one instance, for all."""
        present = [node for node in found if node is not None]
        placed = iter(substitute(present, self.shared))
        own = [None if node is None else next(placed) for node in found]
        return batch(own, self.whole, next(iter(self.whole.values())).shape[0])


def _one(node: Node) -> One:
    flags, *choices = node.params
    leaves: list[Node] = []
    whole: dict[Node, Node] = {}
    shared: dict[Node, Node] = {}
    for k, (arg, flag) in enumerate(zip(node.args, (True, *flags), strict=True)):
        leaf = parameter(("one", k), _row(arg) if flag else arg.type)
        leaves.append(leaf)
        (whole if flag else shared)[leaf] = arg
    return One(branch(leaves[0], leaves[1:], *choices), leaves, whole, shared)


def _row(node: Node) -> ArrayType:
    return array_type(node.shape[1:], node.dtype)


def _pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    one = _one(node)
    moved: dict[Node, Tangent] = {}
    for k, (tangent, leaf) in enumerate(zip(tangents, one.leaves, strict=True)):
        moved[leaf] = tangent
        if tangent is not None and leaf in one.whole:
            moved[leaf] = parameter(("tangent", k), _row(tangent))
            one.whole[moved[leaf]] = tangent
    rule: Any = branch.pushforward
    # operands that no body reads are left out of a branch
    found = rule(one.branch, [moved[leaf] for leaf in one.branch.args])
    return None if found is None else tuple(one.of_all(found))


def _transpose(node: Node, cts: Any, wanted: Sequence[bool]) -> Sequence[Tangent]:
    one = _one(node)
    rows: list[Tangent] = [None] * len(cts)
    for k, ct in enumerate(cts):
        if ct is not None:
            rows[k] = parameter(("cotangent", k), _row(ct))
            one.whole[rows[k]] = ct
    flags = dict(zip(one.leaves, wanted, strict=True))
    rule: Any = branch.transpose
    found = rule(one.branch, tuple(rows), [flags[leaf] for leaf in one.branch.args])
    pulled = dict(zip(one.branch.args, one.of_all(found), strict=True))
    result: list[Tangent] = []
    for leaf in one.leaves:
        ct = pulled.get(leaf)
        result.append(ct if ct is None or leaf in one.whole else linear.total(ct, (0,)))
    return result


def _batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    """All instances of all instances, in a row."""
    flags, *choices = node.params
    inner = node.args[0].shape[0]
    flat, new = [], []
    for arg, flag, has in zip(args, (True, *flags), batched, strict=True):
        if not has and not flag:
            flat.append(arg)
        else:
            rest = arg.shape[int(flag) + int(has) :]
            lead = reshape(arg, (size, 1, *rest)) if has and not flag else arg
            whole = broadcast_to(lead, (size, inner, *rest))
            flat.append(reshape(whole, (size * inner, *rest)))
        new.append(flag or has)
    held = partition(flat[0], flat[1:], tuple(new[1:]), *choices)
    parts = [item(held, k) for k in range(len(held.type.items))]
    return pack(*(reshape(part, (size, inner, *part.shape[1:])) for part in parts))


partition: Op = define(
    "partition",
    family="holder",
    build=_build,
    infer=_infer,
    evaluate=_evaluate,
    pushforward=_pushforward,
    transpose=_transpose,
    batch=_batch,
    sparsity=relating.partitioned,
    label="partition",
    domain=None,
)
