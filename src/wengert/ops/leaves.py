"""The leaves of a graph, whose values a session binds, ops that name other values, and counting.

input(i, type)        the i-th traced argument of its type in the session
capture(k, type)      the k-th distinct array that the function reads from outside
slot(k)               the k-th Python number that changes from call to call
seed(node)            the tangent of `node`, in a linear part that will be transposed
parameter(k, type)    the k-th parameter of a body, which a loop or a branch binds
lane(i, type)         one instance of what `vmap` maps over, which the session knows as a whole
pack(x, y, …)         several values as one tuple
alias(x, k)           the same value under a name of its own: what an inner `grad` marks
item(t, k)            the k-th result of an op that has several
iota(n)               0, 1, …, n − 1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import NoValue
from wengert.graph.node import Node, make, observer
from wengert.graph.op import ZERO, Op, Tangent, absent
from wengert.graph.types import INT, TapeType, TupleType, Type, array_type
from wengert.graph.walk import rebuild
from wengert.ops import sparsity
from wengert.ops.families import batch_unary, define, whole_batch
from wengert.ops.native import SAME, Statement

NO_INPUTS = absent("a leaf has no inputs")


def _leaf(
    name: str,
    label: str,
    what: str = "",
    missing: str = "has no value in this session",
    of_bodies: bool = False,
) -> Op:
    """A leaf whose parameters are (what distinguishes it, its type).

    what, missing: what it is, and why it has no value where it is asked for one.
    of_bodies: whether it is named the same in every trace; where one is observed it is new.
    """
    what = what or f"the {name}"

    def build(which: Any, type: Type) -> Node:
        if of_bodies:
            watch = observer.get()
            which = which if watch is None else ("observed", watch.number, which)
        return make(op, (), (which, type), type)

    def evaluate(node: Node) -> Callable[..., Any]:
        raise NoValue(f"{what} ({node.type}) {missing}")

    op = define(
        name,
        family="leaf",
        build=build,
        infer=lambda types, params: params[1],
        evaluate=evaluate,
        pushforward=ZERO,
        transpose=NO_INPUTS,
        batch=NO_INPUTS,
        sparsity=ZERO,
        label=label,
        domain=None,
    )
    return op


input: Op = _leaf("input", "x")
capture: Op = _leaf("capture", "c")
slot: Op = _leaf("slot", "s")
_seed: Op = _leaf("seed", "dx")
parameter: Op = _leaf(
    "parameter",
    "p",
    "a value that rests on a variable of a loop or a branch",
    "is asked for while it is traced once for all its steps, so that Python's `if`, `while`, `int` "
    "and `print` cannot see it: write np.where, wengert.cond or wengert.while_loop; for an index "
    "into a plain array A, wengert.numpy.asarray(A)[i]",
    of_bodies=True,
)
lane: Op = _leaf("lane", "x")

LEAVES = frozenset({input, capture, slot, _seed, parameter, lane})


def seed(node: Node) -> Node:
    """The leaf that stands for the tangent of `node`."""
    type = node.type
    return _seed(node, type if isinstance(type, TapeType) else array_type(type.shape, type.dtype))


def _build_alias(x: Node, k: int) -> Node:
    return make(alias, (x,), (k,), x.type)


alias: Op = define(
    "alias",
    family="name",
    build=_build_alias,
    infer=lambda types, params: types[0],
    evaluate=lambda node: _identity,
    pushforward=lambda node, tangents: tangents[0],
    transpose=lambda node, ct, wanted: (ct,),
    batch=batch_unary(lambda node, x: x),
    native=SAME,
    sparsity=sparsity.same,
    label="{0}",
    domain=None,
)


def _identity(value: Any) -> Any:
    return value


def _build_item(x: Node, k: int) -> Node:
    if x.op is pack:
        return x.args[k]
    types: TupleType = x.type
    return make(item, (x,), (k,), types.items[k])


def _push_item(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    return tangents[0][node.params[0]]


def _transpose_item(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    types: TupleType = node.args[0].type
    return (tuple(ct if i == node.params[0] else None for i in range(len(types.items))),)


def _evaluate_item(node: Node) -> Callable[..., Any]:
    k = node.params[0]
    return lambda values: values[k]


item: Op = define(
    "item",
    family="name",
    build=_build_item,
    infer=lambda types, params: types[0].items[params[0]],
    evaluate=_evaluate_item,
    pushforward=_push_item,
    transpose=_transpose_item,
    batch=lambda node, args, batched, size: rebuild(node, tuple(args)),
    native=Statement("item"),
    sparsity=sparsity.item,
    label="{0}[{k}]",
    domain=None,
)


def _build_pack(*parts: Node) -> Node:
    return make(pack, parts, None, TupleType(tuple(part.type for part in parts)))


def _evaluate_pack(node: Node) -> Callable[..., Any]:
    return lambda *values: values


def _batch_pack(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    return _build_pack(*whole_batch(args, batched, size))


pack: Op = define(
    "pack",
    family="name",
    build=_build_pack,
    infer=lambda types, params: TupleType(types),
    evaluate=_evaluate_pack,
    pushforward=lambda node, tangents: tuple(tangents),
    transpose=lambda node, cts, wanted: cts,
    batch=_batch_pack,
    sparsity=sparsity.packed,
    label="({0}, …)",
    domain=None,
)
"""Several values as one tuple: an op of several results each of which is made by itself."""


stop_gradient: Op = define(
    "stop_gradient",
    family="name",
    build=lambda x: make(stop_gradient, (x,), None, x.type),
    infer=lambda types, params: types[0],
    evaluate=lambda node: _identity,
    pushforward=ZERO,
    transpose=absent("no derivative passes through stop_gradient"),
    batch=batch_unary(lambda node, x: stop_gradient(x)),
    native=SAME,
    sparsity=ZERO,
    label="stop({0})",
    domain=None,
)


def _build_iota(extent: int) -> Node:
    return make(iota, (), (extent,), array_type((extent,), INT))


def _evaluate_iota(node: Node) -> Callable[..., Any]:
    value = np.arange(node.params[0])
    value.flags.writeable = False
    return lambda: value


iota: Op = define(
    "iota",
    family="leaf",
    build=_build_iota,
    infer=lambda types, params: array_type(params, INT),
    evaluate=_evaluate_iota,
    pushforward=ZERO,
    transpose=NO_INPUTS,
    batch=NO_INPUTS,
    native=Statement("iota"),
    sparsity=ZERO,
    label="0…",
    domain=None,
)
"""0, 1, …, n − 1."""
