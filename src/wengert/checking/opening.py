"""Loops, branches and other ops that hold bodies, opened: which step, and which operation in it.

Each rule takes a node, the values of its inputs, the entries of its result in question and what is
wrong with them, and gives the causes inside and the entries of the inputs that matter, as
`wengert.checking.blaming` does for other nodes. It runs the body as the op does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.checking.blaming import Cause, Opener, Search, Shares
from wengert.checking.values import Mask, either, holds
from wengert.control.scanning import parts
from wengert.graph.body import Body
from wengert.graph.node import Node
from wengert.graph.registry import runner

Found = tuple[list[Cause], Shares]


def _inside(
    search: Search, node: Node, which: str, body: Body, inputs: Sequence[Any], where: Sequence[Mask]
) -> tuple[list[Cause], list[Mask | None]]:
    """(the causes in one run of a body, what matters of its parameters)."""
    known = dict(zip(body.params, inputs, strict=True))
    found = search.causes(body.outputs, known, where)
    inner = [cause.inside(node, which) for cause in found if cause.node not in known]
    matters = {cause.node: cause.where for cause in found if cause.node in known}
    return inner, [matters.get(param) for param in body.params]


def _collect(shares: Shares, first: int, masks: Sequence[Mask | None]) -> None:
    for k, mask in enumerate(masks, first):
        if mask is not None:
            shares[k] = either(shares.get(k), mask)


class _Steps:
    """The steps of a loop, from the last to the first: what is wrong goes back by the carry."""

    def __init__(self, search: Search, node: Node, body: Body, consts: int, carry: int) -> None:
        self.search, self.node, self.body = search, node, body
        self.consts, self.carry = consts, carry
        self.causes: list[Cause] = []
        self.shares: Shares = {}

    def run(
        self,
        inputs: Sequence[Sequence[Any]],
        names: Sequence[int],
        last: Sequence[Mask],
        ys: Any,
        first: int,
    ) -> list[list[Mask | None]]:
        """inputs: of each step, in the order in which they ran; names: their numbers. last: what is
        wrong with the last carry; ys: step -> with what it gives. first: where the shared inputs
        stand among those of the loop. Returns what matters of each step's own inputs."""
        back: list[Mask | None] = list(last)
        own: list[list[Mask | None]] = []
        for values, name in zip(reversed(inputs), reversed(names), strict=True):
            where = [*back, *ys(name)]
            filled = [
                np.zeros(node.shape, bool) if mask is None else mask
                for mask, node in zip(where, self.body.outputs, strict=True)
            ]
            inner, masks = ([], [None] * len(self.body.params))
            if any(map(holds, filled)):
                which = f"step {name}"
                inner, masks = _inside(self.search, self.node, which, self.body, values, filled)
            self.causes = inner + self.causes
            _collect(self.shares, first, masks[: self.consts])
            back = masks[self.consts : self.consts + self.carry]
            own.append(masks[self.consts + self.carry :])
        _collect(self.shares, first + self.consts, back)
        return own[::-1]


def _scan(search: Search, node: Node, inputs: tuple[Any, ...], where: Any) -> Found:
    body, n_consts, n_carry, fixed, reverse = node.params
    lead = len(parts(node).count)
    length = int(inputs[0]) if lead else fixed
    consts = inputs[lead : lead + n_consts]
    carry = inputs[lead + n_consts : lead + n_consts + n_carry]
    start = lead + n_consts + n_carry
    xs = inputs[start:]
    step = runner(body)
    names = list(range(length))[:: -1 if reverse else 1]
    each = []
    for t in names:
        each.append((*consts, *carry, *[x[t] for x in xs]))
        with np.errstate(all="ignore"):
            carry = step(each[-1])[:n_carry]
    steps = _Steps(search, node, body, n_consts, n_carry)
    own = steps.run(each, names, where[:n_carry], lambda t: [y[t] for y in where[n_carry:]], lead)
    for t, masks in zip(names, own, strict=True):
        for k, mask in enumerate(masks, start):
            if mask is not None:
                whole = steps.shares.setdefault(k, np.zeros(np.shape(inputs[k]), bool))
                whole[t] |= mask
    return steps.causes, steps.shares


def _repeat(search: Search, node: Node, inputs: tuple[Any, ...], where: Any) -> Found:
    condition, body, n_asked, n_consts = node.params
    going, step = runner(condition), runner(body)
    asked, consts = inputs[:n_asked], inputs[n_asked : n_asked + n_consts]
    carry = inputs[n_asked + n_consts :]
    count = len(carry)
    each = []
    with np.errstate(all="ignore"):
        while going((*asked, *carry))[0]:
            each.append((*consts, *carry))
            carry = tuple(step(each[-1])[:count])
    steps = _Steps(search, node, body, n_consts, count)
    tapes = where[count + 1 :]
    steps.run(each, range(len(each)), where[:count], lambda t: [y[t] for y in tapes], n_asked)
    return steps.causes, steps.shares


def _branch(search: Search, node: Node, inputs: tuple[Any, ...], where: Any) -> Found:
    chosen = min(max(int(inputs[0]), 0), len(node.params) - 1)
    which = f"branch {chosen}"
    inner, masks = _inside(search, node, which, node.params[chosen], inputs[1:], where)
    shares: Shares = {}
    _collect(shares, 1, masks)
    return inner, shares


def _partition(search: Search, node: Node, inputs: tuple[Any, ...], where: Any) -> Found:
    """Instance by instance, each by the body that it chose."""
    flags, *choices = node.params
    index, *operands = inputs
    found: list[Cause] = []
    shares: Shares = {}
    for row in range(len(index)):
        own = [mask[row] for mask in where]
        if not any(map(holds, own)):
            continue
        chosen = min(max(int(index[row]), 0), len(choices) - 1)
        given = [x[row] if flag else x for x, flag in zip(operands, flags, strict=True)]
        which = f"branch {chosen} of instance {row}"
        inner, masks = _inside(search, node, which, choices[chosen], given, own)
        found += inner
        for k, (mask, flag) in enumerate(zip(masks, flags, strict=True), 1):
            if mask is not None:
                whole = shares.setdefault(k, np.zeros(np.shape(inputs[k]), bool))
                whole[row if flag else ...] |= mask
    return found, shares


def _once(place: int, which: str) -> Any:
    """The rule of an op that runs the body at this place of its parameters, on all its inputs."""

    def rule_of(search: Search, node: Node, inputs: tuple[Any, ...], where: Any) -> Found:
        inner, masks = _inside(search, node, which, node.params[place], inputs, where)
        shares: Shares = {}
        _collect(shares, 0, masks)
        return inner, shares

    return rule_of


OPENERS: dict[str, Opener] = {
    "scan": _scan,
    "repeat": _repeat,
    "branch": _branch,
    "partition": _partition,
    "checkpoint": _once(0, ""),
    "linear_solve": _once(2, "its solver"),
    "root": _once(2, "its solver"),
}
"""Op's name -> how it is opened."""
