"""From a bad value back to the operation that made it.

A result has bad entries (NaN, say). What they came from is found backwards, from a node to those of
its inputs that matter: an input matters if the bad entries of the result go away when a number
stands in for the bad entries of that input. So a branch that was not taken is not followed, though
it may hold NaN: nothing of it arrives. An operation whose result stays bad when all its inputs have
been mended is to blame.

Entries are followed through operations that keep them apart: elementwise ones, those that move
elements, and sums. Elsewhere all bad entries of an input count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from wengert.checking.values import (
    Mask,
    Rule,
    both,
    computed,
    either,
    holds,
    mapped,
    nowhere,
)
from wengert.graph.node import Node
from wengert.ops.holders import custom
from wengert.ops.leaves import alias, item, pack, stop_gradient

STAND_INS = (0.5, 2.0)
"""Numbers for which most functions are finite; one of them for every op."""


@dataclass(frozen=True, slots=True)
class Within:
    """The body that a node is in: of which op, and which time it ran ("step 3")."""

    holder: Node
    which: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Where bad entries come from.

    node: the operation that made them of good inputs; a leaf or a constant that has them from the
        start where `given`.
    inputs, value, where: what went in, what came out, and its bad entries that matter.
    values: of the nodes around it.
    within: the bodies that the node is in, the outermost first.
    """

    node: Node
    inputs: tuple[Any, ...]
    value: Any
    where: Mask
    given: bool
    values: Mapping[Node, Any]
    within: tuple[Within, ...] = ()

    def inside(self, holder: Node, which: str) -> Cause:
        """The same cause, seen from outside of a body."""
        return replace(self, within=(Within(holder, which), *self.within))


Shares: TypeAlias = dict[int, Mask]
"""Which entries of which inputs matter."""


Opener: TypeAlias = "Callable[[Search, Node, tuple[Any, ...], Mask], tuple[list[Cause], Shares]]"
"""How an op that holds bodies is opened: what is to blame inside, what matters of the inputs."""


@dataclass(frozen=True, slots=True)
class Search:
    """rule: what is bad. openers: op's name -> how its bodies are searched."""

    rule: Rule
    openers: Mapping[str, Opener]

    def causes(
        self, outputs: Sequence[Node], known: Mapping[Node, Any], targets: Sequence[Mask]
    ) -> list[Cause]:
        """Where the bad entries of the outputs in question come from, the first one first.

        known: the values of leaves, and of nodes that are taken as they are.
        targets: the entries in question, one mask for each output.
        """
        values = computed(outputs, known)
        pending: dict[Node, Mask] = {}
        for output, target in zip(outputs, targets, strict=True):
            pending[output] = either(pending.get(output), target)
        found: list[Cause] = []
        for node in sorted(values, key=lambda node: node.serial, reverse=True):
            if node not in pending:
                continue
            where = both(pending.pop(node), self.rule(values[node]))
            if not holds(where):
                continue
            if node in known or not node.args:
                found.append(Cause(node, (), values[node], where, True, values))
                continue
            inputs = tuple(values[arg] for arg in node.args)
            inner, shares = self._blamed(node, inputs, values, where)
            found += inner[::-1]
            for k, share in shares.items():
                pending[node.args[k]] = either(pending.get(node.args[k]), share)
        return found[::-1]

    def _blamed(
        self, node: Node, inputs: tuple[Any, ...], values: Mapping[Node, Any], where: Mask
    ) -> tuple[list[Cause], Shares]:
        """(what is to blame of a node, what matters of its inputs)."""
        bad = [self.rule(value) for value in inputs]
        passed = _passed(node, inputs, where)
        if passed is not None:
            return [], passed
        opener = self.openers.get(node.op.name)
        if opener is not None:
            inner, shares = opener(self, node, inputs, where)
            shares = {k: both(share, bad[k]) for k, share in shares.items()}
            if inner or any(map(holds, shares.values())):
                return inner, shares
        own, shares = _mended(node, inputs, where, bad, self.rule)
        if holds(own) or not shares:
            blamed = own if holds(own) else where
            return [Cause(node, inputs, values[node], blamed, False, values)], shares
        return [], shares


def _passed(node: Node, inputs: tuple[Any, ...], where: Mask) -> Shares | None:
    """What matters of the inputs of an op that hands them on; None for all others."""
    if node.op is alias or node.op is stop_gradient:
        return {0: where}
    if node.op is pack or node.op is custom:
        return dict(enumerate(where))
    if node.op is item:
        chosen = node.params[0]
        return {0: tuple(where if k == chosen else nowhere(v) for k, v in enumerate(inputs[0]))}
    return None


def _mended(
    node: Node, inputs: tuple[Any, ...], where: Mask, bad: Sequence[Mask], rule: Rule
) -> tuple[Mask, Shares]:
    """(the entries that stay bad with mended inputs, what matters of the inputs)."""
    wrong = [k for k, mask in enumerate(bad) if holds(mask)]
    if not wrong:
        return where, {}
    function = node.op.evaluate(node)

    def left(kept: int | None) -> Mask:
        """The bad entries if all inputs but one are mended."""
        remaining = None
        for number in STAND_INS:
            given = [
                v if k == kept or k not in wrong else mapped(_filled(number), v, bad[k])
                for k, v in enumerate(inputs)
            ]
            try:
                with np.errstate(all="ignore"):
                    found = rule(function(*given))
            except Exception:  # of whatever kind an opaque function of the user's raises
                continue
            remaining = both(where if remaining is None else remaining, found)
        return nowhere(where) if remaining is None else remaining

    own = left(None)
    rest = mapped(lambda w, o: w & ~o, where, own)
    if not holds(rest):
        return own, {}
    if len(wrong) == 1:
        single = {wrong[0]: rest}
    else:
        alone = {k: both(left(k), rest) for k in wrong}
        single = {k: mask for k, mask in alone.items() if holds(mask)} or dict.fromkeys(wrong, rest)
    return own, {k: _reached(node, inputs, k, mask, bad[k]) for k, mask in single.items()}


def _filled(number: float) -> Any:
    def fill(value: Any, mask: Any) -> Any:
        if not np.any(mask):
            return value
        kind = np.asarray(value).dtype.type
        return np.where(mask, kind(number), value)[()]

    return fill


def _reached(node: Node, inputs: tuple[Any, ...], k: int, where: Mask, bad: Mask) -> Mask:
    """The bad entries of an input that some entries of the result are made from."""
    if isinstance(where, tuple) or isinstance(bad, tuple):
        return bad
    family, shape = node.op.family, np.shape(inputs[k])
    if family == "elementwise":
        lead = np.ndim(where) - len(shape)
        axes = tuple(
            i
            for i, extent in enumerate(np.shape(where))
            if i < lead or (shape[i - lead] == 1 and extent != 1)
        )
        return np.reshape(np.any(where, axis=axes, keepdims=True), shape) & bad
    if family == "movement":
        places = np.arange(1.0, np.size(inputs[k]) + 1).reshape(shape)
        moved = np.broadcast_to(node.op.evaluate(node)(places), node.shape)[where].astype(int)
        found = np.zeros(np.size(inputs[k]) + 1, bool)
        found[moved] = True  # what is padded has place 0
        return found[1:].reshape(shape) & bad
    if family == "reduction" and isinstance(node.params, tuple) and len(node.args) == 1:
        axes = node.params[0]
        if isinstance(axes, tuple) and np.ndim(where) + len(axes) == len(shape):
            return np.broadcast_to(np.expand_dims(where, axes), shape) & bad
    return bad
