"""Structural zeros across the borders of bodies: masks go in and out beside what they mask.

A tangent that enters a body as select(M, v, 0) would be a plain zero there, of which an infinite
weight makes NaN. So M and v enter apart, and the body acts on select(M, v, 0). See
`wengert.ops.linear` for the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wengert.control.splitting import strong, written
from wengert.graph.body import Body, body_of
from wengert.graph.literals import is_zero, zeros
from wengert.graph.node import Node
from wengert.graph.op import Tangent
from wengert.graph.registry import find
from wengert.graph.types import BOOL, array_type
from wengert.graph.walk import substitute, topological
from wengert.ops import linear
from wengert.ops.leaves import item, parameter, seed
from wengert.transforms.pushforward import pushforward


def is_masked(ct: Tangent) -> bool:
    """Whether a tangent has structural zeros."""
    return ct is not None and linear.is_masked(ct)


def named_mask(which: Any, like: Node) -> Node:
    """The leaf that is the mask of something in a body."""
    return parameter(("mask", which), array_type(like.shape, BOOL))


def with_masks(body: Body, linear_in: Iterable[int], masks: Mapping[int, Node]) -> list[Node]:
    """The outputs of a body that is linear in some of its parameters, where these have structural
    zeros. A linear function is its own derivative, and the rules of derivatives carry masks.

    linear_in: the places of these parameters. masks: place -> the leaf that is its mask.
    """
    own = {body.params[k]: seed(body.params[k]) for k in linear_in}
    given = {
        param: linear.masked(masks[k], own[param]) if k in masks else own[param]
        for k, param in enumerate(body.params)
        if param in own
    }
    moved = pushforward(body.outputs, given)
    outputs = [
        written(tangent, output) for tangent, output in zip(moved, body.outputs, strict=True)
    ]
    # a holder inside keeps residuals of itself, which rest on no linear value
    outputs = substitute(outputs, {param: zeros(strong(param.type)) for param in own})
    return substitute(outputs, {leaf: param for param, leaf in own.items()})


def linear_scan(
    body: Body,
    consts: Sequence[Node],
    carry: Sequence[Node],
    xs: Sequence[Node],
    linear_in: Sequence[int],
    length: int | None,
    reverse: bool,
    count: Sequence[Node],
) -> list[Node]:
    """The results of a loop that is linear in some of its inputs. Masks of these go into the loop
    beside them, and come out beside the results; how those of the carry go on from step to step
    rests on no linear value, so that they come from a loop of their own.

    linear_in: the places of the parameters that are linear.
    """
    inputs = [*consts, *carry, *xs]
    a, b = len(consts), len(consts) + len(carry)
    if any(is_masked(inputs[k]) for k in linear_in):  # then a zero to begin with is one, too
        inputs[a:b] = [linear.as_masked(node) if is_zero(node) else node for node in inputs[a:b]]
    names = {k: named_mask(k, body.params[k]) for k in linear_in if is_masked(inputs[k])}
    outputs = with_masks(body, linear_in, names) if names else list(body.outputs)

    def given(places: range) -> dict[Node, Node]:
        return {body.params[k]: inputs[k].args[1] if k in names else inputs[k] for k in places}

    def masks(places: range) -> dict[Node, Node]:
        return {name: inputs[k].args[0] for k, name in names.items() if k in places}

    of_carry = range(a, b)
    start, begin = given(of_carry), masks(of_carry)
    shared = given(range(a)) | masks(range(a))
    rows = given(range(b, len(inputs))) | masks(range(b, len(inputs)))
    masked = [k - a for k in names if k in of_carry]
    shown = {
        k: outputs[k].args[0]
        for k in range(len(carry), len(outputs))
        if length is not None and is_masked(outputs[k])
    }
    covers = {k: rows[mask] for k, mask in shown.items() if mask in rows}
    new = [k for k in shown if k not in covers]
    if masked or new:
        handed = [linear.as_masked(outputs[k]).args[0] for k in masked]
        made = [*handed, *begin, *(shown[k] for k in new)]
        held = _scan_of(made, shared, begin, rows, length, reverse, count)
        rows |= {name: item(held, k) for k, name in enumerate(begin, len(masked))}
        covers |= {k: item(held, place) for place, k in enumerate(masked)}
        covers |= {k: item(held, place) for place, k in enumerate(new, 2 * len(masked))}
    held = _scan_of(outputs, shared, start, rows, length, reverse, count)
    found = [item(held, k) for k in range(len(outputs))]
    return [linear.masked(covers[k], t) if k in covers else t for k, t in enumerate(found)]


def _scan_of(
    outputs: Sequence[Node],
    consts: Mapping[Node, Node],
    carry: Mapping[Node, Node],
    xs: Mapping[Node, Node],
    length: int | None,
    reverse: bool,
    count: Sequence[Node],
) -> Node:
    """A loop of these outputs. consts, carry, xs: leaf -> the input that it stands for; those that
    no step reads are left out, so that nothing rests on them."""
    read = set(topological(outputs))
    consts = {leaf: value for leaf, value in consts.items() if leaf in read}
    xs = {leaf: value for leaf, value in xs.items() if leaf in read}
    body = body_of(outputs, [*consts, *carry, *xs])
    values = [list(part.values()) for part in (consts, carry, xs)]
    held: Node = find("scan")(body, *values, length, reverse, *count)
    return held
