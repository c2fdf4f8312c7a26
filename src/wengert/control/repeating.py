"""The op of loops that run while a condition holds: `repeat`, which `while_loop` builds.

    repeat(asked…, consts…, carry…; condition, body)

    condition: (asked…, carry…) -> bool        body: (consts…, carry…) -> (carry…, y…)

The results are the last carry, how many steps there were, and a tape of each y. The derivative is
that of a loop: a `repeat` that leaves the residuals of its steps on tapes, and a linear `scan` over
them, whose length is the number of steps; so it has a reverse mode, of any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from wengert.control import instances, relating
from wengert.control.scanning import (
    Kept,
    Parts,
    by_pushforward,
    linear_loop,
    no_tangents,
    split_loop,
)
from wengert.control.splitting import strong
from wengert.graph.body import Body, body_of
from wengert.graph.literals import full
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.registry import find, runner
from wengert.graph.types import INT, TapeType, TupleType, Type, array_type
from wengert.ops import linear, sparsity
from wengert.ops.families import define
from wengert.ops.leaves import item, pack, parameter
from wengert.ops.movement import broadcast_to
from wengert.ops.native import Statement


def _build(
    condition: Body,
    body: Body,
    asked: Sequence[Node],
    consts: Sequence[Node],
    carry: Sequence[Node],
) -> Node:
    args = (*asked, *consts, *carry)
    params = (condition, body, len(asked), len(consts))
    return make(repeat, args, params, _infer((), params))


def _infer(types: tuple[Type, ...], params: Any) -> TupleType:
    body = params[1]
    carry = len(body.params) - params[3]
    kinds = [strong(node.type) for node in body.outputs]
    return TupleType((*kinds[:carry], array_type((), INT), *map(TapeType, kinds[carry:])))


def _apart(node: Node) -> tuple[Sequence[Node], Sequence[Node], Sequence[Node]]:
    """(what the condition alone reads, what the body alone reads, the carry at first)."""
    _, _, asked, consts = node.params
    args = node.args
    return args[:asked], args[asked : asked + consts], args[asked + consts :]


def _evaluate(node: Node) -> Callable[..., Any]:
    condition, body, asked, consts = node.params
    holds, step = runner(condition), runner(body)
    carries = len(body.params) - consts

    def run(*values: Any) -> tuple[Any, ...]:
        of_condition, of_body = values[:asked], values[asked : asked + consts]
        carry = values[asked + consts :]
        rows: list[list[Any]] = [[] for _ in body.outputs[carries:]]
        count = 0
        while holds((*of_condition, *carry))[0]:
            found = step((*of_body, *carry))
            carry = found[:carries]
            count += 1
            for row, value in zip(rows, found[carries:], strict=True):
                row.append(value)
        tapes = [
            np.array(row, y.dtype).reshape(count, *y.shape)
            for row, y in zip(rows, body.outputs[carries:], strict=True)
        ]
        return (*carry, np.int64(count), *tapes)

    return run


def _pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    condition, body, n_asked, n_consts = node.params
    asked, consts, carry = _apart(node)
    given = tangents[n_asked:]
    sizes = (n_consts, len(carry))
    found = split_loop(body, [t is not None for t in given], sizes)
    if no_tangents(found, body, sizes, None):
        return None
    kept = Kept(body, sizes, found)
    primal = repeat(condition, kept.body, asked, consts, carry)
    count = len(carry)
    stored = [item(primal, k + 1) for k in kept.places]  # the number of steps lies in between
    own = Parts((), tuple(consts), tuple(carry), ())
    moved = linear_loop(kept, own, given, stored, [item(primal, count)], None, False)
    return (*moved[:count], None, *moved[count:])


def _transpose(node: Node, cts: Any, wanted: Sequence[bool]) -> Sequence[Tangent]:
    return by_pushforward(node, cts, wanted)


def _batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    """The instances run in step until none goes on; those that have ended stay as they are."""
    condition, body, n_asked, n_consts = node.params
    lead = n_asked + n_consts
    count = len(args) - lead
    flags = list(batched)
    while True:  # until the flags of the carry are those of all steps
        before = list(flags)
        asks = [*flags[:n_asked], *flags[lead:]]
        (holds,) = instances.outputs(condition, asks, size)
        if holds.ndim:
            flags[lead:] = [True] * count
        steps = flags[n_asked:]
        outputs = instances.settled(body, steps, n_consts, count, size)
        flags[n_asked:] = steps
        if flags == before:
            break
    whole = instances.repeated(args, batched, flags, size)
    asked, consts, carry = whole[:n_asked], whole[n_asked:lead], whole[lead:]
    p = instances.parameters(condition, asks, size)
    q = instances.parameters(body, flags[n_asked:], size)
    if not holds.ndim:
        held = repeat(body_of([holds], p), body_of(outputs, q), asked, consts, carry)
        steps_taken = broadcast_to(item(held, count), (size,))
    else:
        # each instance takes a step where its own condition holds, and counts its steps
        taken = parameter(("taken", 0), array_type((size,), INT))
        read = [parameter(("asked", k), own.type) for k, own in enumerate(p[:n_asked])]
        (going,) = body_of([holds], p)([*read, *q[n_consts:]])
        news, olds = (
            [*outputs[:count], find("add")(taken, full(1, INT, (size,)))],
            [
                *q[n_consts:],
                taken,
            ],
        )
        chosen = map(partial(instances.chosen, going), news, olds)
        held = repeat(
            body_of([find("any")(holds, (0,))], [*p, taken]),
            body_of([*chosen, *outputs[count:]], [*read, *q, taken]),
            asked,
            [*asked, *consts],
            [*carry, full(0, INT, (size,))],
        )
        steps_taken = item(held, count)
    shown = [
        item(held, k) if flag else broadcast_to(item(held, k), (size, *body.outputs[k].shape))
        for k, flag in enumerate(flags[lead:])
    ]
    first = count + 1 + bool(holds.ndim)
    tapes = [item(held, first + k) for k in range(len(outputs) - count)]
    return pack(*shown, steps_taken, *tapes)


repeat: Op = define(
    "repeat",
    family="holder",
    build=_build,
    infer=_infer,
    evaluate=_evaluate,
    pushforward=_pushforward,
    transpose=_transpose,
    batch=_batch,
    native=Statement("repeat"),
    sparsity=relating.repeating,
    label="repeat",
    domain=None,
)


def _build_sum(a: Node, b: Node) -> Node:
    return make(add_tapes, (a, b), None, a.type)


add_tapes: Op = define(
    "add_tapes",
    family="holder",
    build=_build_sum,
    infer=lambda types, params: types[0],
    evaluate=lambda node: np.add,
    pushforward=lambda node, tangents: linear.add(*tangents),
    transpose=lambda node, ct, wanted: (ct, ct),
    batch=lambda node, args, batched, size: add_tapes(*args),
    sparsity=sparsity.pointwise,
    label="{0} + {1}",
    domain=None,
)
"""The sum of two tapes of one loop: of the cotangents of what it keeps."""
