"""The op of loops of known length, and of those that run over a tape: `scan`.

    scan(consts…, carry…, xs…; body)      body: (consts…, carry…, x…) -> (carry…, y…)
    carry_{t+1}, y_t = body(consts, carry_t, x_t),   t = 0, 1, …, length − 1

and the last carry and all y are the results; `reverse` runs from the end. Where `length` is None,
an input in front of the others says it, and xs and ys are tapes: arrays whose first extent is known
when the program runs.

The derivative of a loop is two loops: one that yields the residuals of each step beside its
results, and one that is linear, reads them, and carries tangents. The transpose of a linear loop
runs the other way: it carries cotangents, and adds up those of what all steps share.

    c̄_t, x̄_t  =  bodyᵀ(c̄_{t+1}, ȳ_t)

Source: Griewank & Walther 2008, chapter 4; Paszke et al. 2021, *Parallelism-preserving automatic
differentiation for second-order array languages*.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from wengert.control import instances, relating
from wengert.control.masking import is_masked, linear_scan, named_mask
from wengert.control.splitting import Split, split, strong, written
from wengert.graph.body import Body, body_of
from wengert.graph.literals import full, is_zero, zeros
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.registry import find, runner
from wengert.graph.types import BOOL, INT, ArrayType, TapeType, TupleType, Type, array_type
from wengert.graph.walk import dependents, substitute, topological
from wengert.ops import linear
from wengert.ops.families import define
from wengert.ops.leaves import item, pack, parameter, seed
from wengert.ops.movement import broadcast_to
from wengert.ops.native import Statement
from wengert.transforms.transpose import transpose as transposed


@dataclass(frozen=True, slots=True)
class Parts:
    """The inputs of a scan: how long it is, what its steps share, what they hand on, what each
    has of its own."""

    count: tuple[Node, ...]
    consts: tuple[Node, ...]
    carry: tuple[Node, ...]
    xs: tuple[Node, ...]


def parts(node: Node) -> Parts:
    """The inputs of a scan, apart."""
    _, consts, carry, length, _ = node.params
    lead = 1 if length is None else 0
    first, second = lead + consts, lead + consts + carry
    args = node.args
    return Parts(args[:lead], args[lead:first], args[first:second], args[second:])


def _build(
    body: Body,
    consts: Sequence[Node],
    carry: Sequence[Node],
    xs: Sequence[Node],
    length: int | None,
    reverse: bool = False,
    count: Node | None = None,
) -> Node:
    """count: the length of a loop over tapes, whose `length` is None."""
    if length == 0:
        steps = body.outputs[len(carry) :]
        return pack(*carry, *[zeros(array_type((0, *y.shape), y.dtype)) for y in steps])
    lead = () if count is None else (count,)
    args = (*lead, *consts, *carry, *xs)
    params = (body, len(consts), len(carry), length, reverse)
    return make(scan, args, params, _infer(tuple(arg.type for arg in args), params))


def stacked(type: ArrayType, length: int | None) -> Type:
    """The type of all steps' values of a type."""
    return (
        TapeType(strong(type)) if length is None else array_type((length, *type.shape), type.dtype)
    )


def _infer(types: tuple[Type, ...], params: Any) -> TupleType:
    body, _, carry, length, _ = params
    outputs = [node.type for node in body.outputs]
    return TupleType(
        (*map(strong, outputs[:carry]), *(stacked(type, length) for type in outputs[carry:]))
    )


def _evaluate(node: Node) -> Callable[..., Any]:
    body, _, carries, _, reverse = node.params
    step = runner(body)
    apart = parts(node)
    lead, shared, fixed = len(apart.count), len(apart.consts), node.params[3]

    def run(*values: Any) -> tuple[Any, ...]:
        length = int(values[0]) if lead else fixed
        consts = values[lead : lead + shared]
        carry = values[lead + shared : lead + shared + carries]
        xs = values[lead + shared + carries :]
        ys = [np.empty((length, *y.shape), y.dtype) for y in body.outputs[carries:]]
        for t in reversed(range(length)) if reverse else range(length):
            found = step((*consts, *carry, *[x[t] for x in xs]))
            carry = found[:carries]
            for y, value in zip(ys, found[carries:], strict=True):
                y[t] = value
        return (*carry, *ys)

    return run


# ------------------------------------------------------------------------------ forward mode


def _pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    body, _, _, length, reverse = node.params
    own = parts(node)
    found = split_loop(body, [t is not None for t in tangents[len(own.count) :]], node.params[1:3])
    if no_tangents(found, body, node.params[1:3], length):
        return None
    kept = Kept(body, node.params[1:3], found)
    primal = scan(kept.body, own.consts, own.carry, own.xs, length, reverse, *own.count)
    stored = [item(primal, k) for k in kept.places]
    return linear_loop(kept, own, tangents[len(own.count) :], stored, own.count, length, reverse)


def split_loop(body: Body, given: Sequence[bool], sizes: tuple[int, int]) -> Split:
    """The derivative of a step, by the parameters that have tangents in any step: a carry has one
    where it is given one, or a step gives it one."""
    consts, carry = sizes
    active = list(given)
    while True:
        found = split(body, active)
        more = [
            consts + k
            for k in range(carry)
            if found.tangents[k] is not None and not active[consts + k]
        ]
        if not more:
            return found
        for k in more:
            active[k] = True


def no_tangents(found: Split, body: Body, sizes: tuple[int, int], length: int | None) -> bool:
    """Whether no result of a loop has a tangent. A loop of unknown length may have no steps, and
    give back the carry that it is given."""
    consts, carry = sizes
    given = body.params[consts : consts + carry] if length is None else ()
    return all(tangent is None for tangent in found.tangents) and found.seeds.keys().isdisjoint(
        given
    )


class Kept:
    """Where the linear part of a loop finds the residuals of a step: they are invariant and
    computed once, or given with the step, or kept by the primal loop, which yields them.

    body: the step of the primal loop, with what it keeps among its results; places: where.
    """

    def __init__(self, body: Body, sizes: tuple[int, int], found: Split) -> None:
        self.split = found
        self.sizes = sizes
        self.step = body
        self.invariant: list[Node] = []
        self.given: list[Node] = []
        self.kept: list[Node] = []
        consts, carry = sizes
        varying = dependents(topological(found.residuals), body.params[consts:])
        xs = body.params[consts + carry :]
        for node in found.residuals:
            if node not in varying:
                self.invariant.append(node)
            elif node in xs:
                self.given.append(node)
            else:
                self.kept.append(node)
        known = {node: carry + k for k, node in enumerate(body.outputs[carry:])}
        new = [node for node in self.kept if node not in known]
        known |= {node: len(body.outputs) + k for k, node in enumerate(new)}
        self.places = [known[node] for node in self.kept]
        self.body = Body(body.params, (*body.outputs, *new), body.opened)


def linear_loop(
    kept: Kept,
    own: Parts,
    tangents: Sequence[Tangent],
    stored: Sequence[Node],
    count: Sequence[Node],
    length: int | None,
    reverse: bool,
) -> Tangent:
    """The tangents of a loop's results, by a loop that is linear in those of its inputs.

    own, tangents: the inputs of the loop, and theirs. stored: what the primal loop kept.
    """
    body, found, (consts, carries) = kept.step, kept.split, kept.sizes
    inputs = [*own.consts, *own.carry, *own.xs]
    outer = dict(zip(body.params[:consts], own.consts, strict=True))
    seeds = found.seeds
    moving = [k for k in range(carries) if body.params[consts + k] in seeds]

    def chosen(first: int, last: int) -> list[int]:
        return [k for k in range(first, last) if body.params[k] in seeds]

    of_consts, of_xs = chosen(0, consts), chosen(consts + carries, len(inputs))
    shared = [*substitute(kept.invariant, outer), *(tangents[k] for k in of_consts)]
    start = [written(tangents[consts + k], own.carry[k]) for k in moving]
    places = {param: k for k, param in enumerate(body.params)}
    steps = [
        *(inputs[places[node]] for node in kept.given),
        *stored,
        *(tangents[k] for k in of_xs),
    ]
    parameters = [
        *kept.invariant,
        *(seeds[body.params[k]] for k in of_consts),
        *(seeds[body.params[consts + k]] for k in moving),
        *kept.given,
        *kept.kept,
        *(seeds[body.params[k]] for k in of_xs),
    ]
    leaves = set(seeds.values())
    linear_in = [k for k, leaf in enumerate(parameters) if leaf in leaves]
    shown = [k for k, t in enumerate(found.tangents[carries:], carries) if t is not None]
    outputs = [written(found.tangents[k], body.outputs[k]) for k in (*moving, *shown)]
    step = body_of(outputs, parameters)
    moved = linear_scan(step, shared, start, steps, linear_in, length, reverse, count)
    result: list[Tangent] = [None] * len(body.outputs)
    for k, tangent in zip((*moving, *shown), moved, strict=True):
        result[k] = tangent
    return tuple(result)


# ------------------------------------------------------------------------------ reverse mode


def _transpose(node: Node, cts: Any, wanted: Sequence[bool]) -> Sequence[Tangent]:
    """cts: of the last carry and of the ys, None for zero."""
    body, n_consts, n_carry, length, reverse = node.params
    own = parts(node)
    lead = len(own.count)
    flags = list(wanted[lead:])
    involved = _linear_parameters(body, flags, n_consts, n_carry)
    carried = range(n_consts, n_consts + n_carry)
    if not all(body.params[k] in involved for k in carried):
        return by_pushforward(node, cts, wanted)
    inputs = [*own.consts, *own.carry, *own.xs]
    of_consts = [k for k in range(n_consts) if flags[k]]
    of_xs = [k for k in range(n_consts + n_carry, len(inputs)) if flags[k]]
    fixed = [k for k in range(n_consts) if not flags[k]]
    read = [k for k in range(n_consts + n_carry, len(inputs)) if not flags[k]]
    shown = [k for k in range(n_carry, len(body.outputs)) if cts[k] is not None]

    p = body.params
    back = [_named("c", k, body.outputs[k]) for k in range(n_carry)]
    sums = [_named("s", k, p[k]) for k in of_consts]
    ys = {k: _named("y", k, body.outputs[k]) for k in shown}
    linear_in = [p[k] for k in (*of_consts, *carried, *of_xs)]
    if any(map(is_masked, cts)):  # then a carry without a cotangent begins as a structural zero
        begin = [written(ct, own) for ct, own in zip(cts[:n_carry], body.outputs, strict=False)]
        begin = [linear.as_masked(ct) if is_zero(ct) else ct for ct in begin]
        cts = [*begin, *cts[n_carry:]]
    covers = {
        k: named_mask(n_consts + k if k < n_carry else ("y", k), body.outputs[k])
        for k in (*range(n_carry), *shown)
        if is_masked(cts[k])
    }
    bare = [ct.args[1] if k in covers else ct for k, ct in enumerate(cts)]
    given = [back[k] if k < n_carry else ys.get(k) for k in range(len(body.outputs))]
    given = [linear.masked(covers[k], ct) if k in covers else ct for k, ct in enumerate(given)]
    found = transposed(body.outputs, linear_in, given)
    a, b = len(of_consts), len(of_consts) + n_carry
    by_param = dict(zip((*of_consts, *carried, *of_xs), found, strict=True))
    # where all steps give a structural zero, or the last one for a carry, the sum is one too
    masked = {
        k: named_mask(k, p[k])
        for k in (*of_consts, *carried)
        if k - n_consts in covers or (_is_made(inputs[k]) and is_masked(by_param[k]))
    }
    masks = [
        linear.as_masked(written(by_param[k], p[k])).args[0]
        if k in carried
        else find("logical_or")(own_mask, by_param[k].args[0])
        for k, own_mask in masked.items()
    ]
    stepwise = [
        k for k in of_xs if length is not None and _is_made(inputs[k]) and is_masked(by_param[k])
    ]
    covered = [k for k in shown if k in covers]
    outputs = [
        *(written(ct, p[k]) for ct, k in zip(found[a:b], carried, strict=True)),
        *(linear.add(total, ct) for total, ct in zip(sums, found[:a], strict=True)),
        *masks,
        *(written(ct, p[k]) for ct, k in zip(found[b:], of_xs, strict=True)),
        *(by_param[k].args[0] for k in stepwise),
    ]
    parameters = [
        *(p[k] for k in fixed),
        *back,
        *sums,
        *masked.values(),
        *(p[k] for k in read),
        *(ys[k] for k in shown),
        *(covers[k] for k in covered),
    ]
    held = scan(
        body_of(outputs, parameters),
        [inputs[k] for k in fixed],
        [
            *(written(bare[k], body.outputs[k]) for k in range(n_carry)),
            *(zeros(strong(p[k].type)) for k in of_consts),
            *(
                cts[k - n_consts].args[0]
                if k - n_consts in covers
                else full(k in carried, BOOL, p[k].shape)
                for k in masked
            ),
        ],
        [
            *(inputs[k] for k in read),
            *(bare[k] for k in shown),
            *(cts[k].args[0] for k in covered),
        ],
        length,
        not reverse,
        *own.count,
    )
    result: list[Tangent] = [None] * len(node.args)
    for place, k in enumerate((*carried, *of_consts, *masked, *of_xs, *stepwise)):
        value, known = item(held, place), result[lead + k]
        result[lead + k] = value if known is None else linear.masked(value, known)
    for k in (*of_consts, *of_xs):
        if by_param[k] is None:
            result[lead + k] = None
    return result


def _linear_parameters(body: Body, flags: Sequence[bool], consts: int, carry: int) -> set[Node]:
    """The parameters of a step that hold linear values: those wanted, and the carries that become
    linear from them. Those that begin as zeros written out are among them."""
    found = {param for param, flag in zip(body.params, flags, strict=True) if flag}
    while True:
        order = topological(body.outputs)
        inside = dependents(order, found)
        more = {body.params[consts + k] for k in range(carry) if body.outputs[k] in inside} - found
        if not more:
            return found
        found |= more


def _named(what: str, k: int, like: Node) -> Node:
    """A leaf of a step that is being transposed."""
    return parameter((what, k), strong(like.type))


def _is_made(node: Node) -> bool:
    """Whether a cotangent of a node goes on from there: it is no leaf, or one of a body around."""
    return bool(node.args) or node.op is parameter


def by_pushforward(node: Node, cts: Any, wanted: Sequence[bool]) -> Sequence[Tangent]:
    """The transpose of a holder that is linear in some inputs, while others go through it that are
    not: it is its own derivative by those, whose loops have linear carries alone."""
    seeds = [seed(arg) if flag else None for arg, flag in zip(node.args, wanted, strict=True)]
    moved = node.op.pushforward(node, seeds)  # type: ignore[operator]
    inputs = [leaf for leaf in seeds if leaf is not None]
    found = iter(transposed(moved or [None] * len(cts), inputs, cts))
    return [None if leaf is None else next(found) for leaf in seeds]


# ------------------------------------------------------------------------------ many at once


def _batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    """The steps of all instances at once. Loops over tapes may have a length for each: those that
    have ended stay as they are."""
    body, n_consts, n_carry, length, reverse = node.params
    lead = len(parts(node).count)
    flags = list(batched[lead:])
    carried = slice(n_consts, n_consts + n_carry)
    own_lengths = any(batched[:lead])
    if own_lengths:
        flags[carried] = [True] * n_carry
    outputs = instances.settled(body, flags, n_consts, n_carry, size)
    whole = instances.repeated(args[lead:], batched[lead:], flags, size)
    consts, carry, xs = whole[:n_consts], whole[carried], whole[n_consts + n_carry :]
    if length is not None:
        of_xs = flags[n_consts + n_carry :]
        xs = [instances.swapped(x) if flag else x for x, flag in zip(xs, of_xs, strict=True)]
    inputs = instances.parameters(body, flags, size)
    count = args[:lead]
    if own_lengths:
        t, n = parameter(("t", 0), array_type((), INT)), parameter(("n", 0), args[0].type)
        going = find("less")(broadcast_to(t, n.shape), n)
        olds = inputs[carried]
        outputs[:n_carry] = map(partial(instances.chosen, going), outputs[:n_carry], olds)
        one = full(-1 if reverse else 1, INT)
        outputs.insert(n_carry, find("add")(t, one))
        inputs = [n, *inputs[:n_consts], *olds, t, *inputs[n_consts + n_carry :]]
        longest = find("max")(args[0], (0,))
        first = find("subtract")(longest, full(1, INT)) if reverse else full(0, INT)
        consts, carry, count = [args[0], *consts], [*carry, first], (longest,)
    held = scan(body_of(outputs, inputs), consts, carry, xs, length, reverse, *count)
    results = []
    for k in range(len(body.outputs)):
        result = item(held, k + (own_lengths and k >= n_carry))
        if k < n_carry and not flags[n_consts + k]:
            result = broadcast_to(result, (size, *result.shape))
        elif k >= n_carry and length is not None:
            result = instances.swapped(result)
        results.append(result)
    return pack(*results)


scan: Op = define(
    "scan",
    family="holder",
    build=_build,
    infer=_infer,
    evaluate=_evaluate,
    pushforward=_pushforward,
    transpose=_transpose,
    batch=_batch,
    native=Statement("scan"),
    sparsity=relating.scanning,
    label="scan",
    domain=None,
)
