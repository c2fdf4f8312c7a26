"""Loops of known length whose reverse fits into a budget: segments that are computed again.

Reverse mode of a loop keeps what each step leaves for it. Written as segments under `checkpoint`, a
loop keeps the carries between segments, and what the steps of one segment leave, while that is
reversed. Segments of equal length are the steps of a loop around them; the last one is reversed at
once, and is not computed again.

    scan(step, L)  =  scan(checkpoint(scan(step, k)), n),  then scan(step, L − n k)

Segments may be segmented in turn. Where blocks are few, their nesting is that of Revolve's
schedule, which is the best one there is: with s slots, the first m blocks are one checkpoint, whose
body has s slots again, and the others follow with s − 1.

All this is done to the loop before it is differentiated; its derivatives are then those of
checkpoints and loops.

Source: Griewank & Walther 2000, *Algorithm 799: Revolve*; 2008, chapter 12.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, TypeAlias

from wengert.control.checkpointing import checkpoint
from wengert.control.revolving import first_advance
from wengert.control.scanning import Kept, Parts, parts, scan, split_loop
from wengert.errors import WengertValueError
from wengert.graph.body import Body, body_of
from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.graph.types import ArrayType, Type, array_type
from wengert.graph.walk import dependents, substitute, topological
from wengert.ops.leaves import item, parameter
from wengert.ops.movement import reshape

# ---------------------------------------------------------------------------------------- plans


@dataclass(frozen=True, slots=True)
class Steps:
    """So many steps, of which everything is kept."""

    length: int
    repeated: ClassVar[int] = 0
    size: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Segments:
    """Equal segments one behind the other, each computed again when it is reversed; then the rest,
    which is not.

    length: the steps in all. repeated: how many are run again, beside the first run of each.
    size: how many loops and checkpoints it is written as.
    """

    count: int
    segment: Plan
    rest: Plan
    length: int = field(init=False, repr=False)
    repeated: int = field(init=False, repr=False)
    size: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        segment, rest = self.segment, self.rest
        again = self.count * (segment.length + segment.repeated) + rest.repeated
        object.__setattr__(self, "length", self.count * segment.length + rest.length)
        object.__setattr__(self, "repeated", again)
        object.__setattr__(self, "size", 1 + segment.size + rest.size)


Plan: TypeAlias = Steps | Segments


def peak(plan: Plan, carry: int, residuals: int) -> int:
    """The bytes that the reverse of a loop keeps at most beside its inputs: carries, and what steps
    leave. A loop around segments keeps the carries that all of them begin with, to its end; of a
    segment by itself, the carry that it ends with is let go before it is reversed."""
    known: dict[int, int] = {}  # plans share parts

    def of(plan: Plan) -> int:
        if isinstance(plan, Steps):
            return plan.length * residuals
        found = known.get(id(plan))
        if found is None:
            stacked = plan.count * carry if plan.count > 1 else 0
            found = known[id(plan)] = stacked + max(of(plan.segment), carry + of(plan.rest))
        return found

    return of(plan)


@lru_cache(10_000)
def uniform(length: int, lengths: tuple[int, ...]) -> Plan:
    """Segments of the first length, segmented by the others. The rest is at most one segment long,
    and segmented likewise."""
    if not lengths:
        return Steps(length)
    own = lengths[0]
    if own >= length:
        return uniform(length, lengths[1:])
    count = -(-length // own) - 1
    rest = uniform(length - count * own, lengths[1:])
    return Segments(count, uniform(own, lengths[1:]), rest)


@lru_cache(10_000)
def revolved(blocks: int, slots: int, block: int, last: int) -> Plan:
    """Blocks of equal length and a last one, within slots for carries: Revolve's schedule."""
    if blocks == 1:
        return Steps(last)
    ahead = blocks - 1 if slots == 1 else first_advance(blocks, slots)
    rest = revolved(blocks - ahead, max(slots - 1, 1), block, last)
    return Segments(1, revolved(ahead, slots, block, block), rest)


MOST_BLOCKS = 32
"""Blocks that are written one by one, at most; more are steps of a loop around them."""
MOST_LEVELS = 8


def best_plan(length: int, carry: int, residuals: int, budget: int) -> Plan:
    """The plan within a budget that repeats the fewest steps.

    carry, residuals: the bytes of a carry, and of what one step leaves for its reverse.

    Raises
    ------
    WengertValueError
        Where no plan fits, with the least bytes that do.

    >>> best_plan(100, 8, 40, 4000)
    Steps(length=100)
    >>> plan = best_plan(100, 8, 40, 480)
    >>> plan, peak(plan, 8, 40), plan.repeated
    (Segments(count=9, segment=Steps(length=10), rest=Steps(length=10)), 480, 90)
    """
    if length * residuals <= budget:
        return Steps(length)
    least = 0
    for levels in range(1, MOST_LEVELS + 1):
        found = _nested(length, levels, carry, residuals)
        if levels > 1:  # with one level, these are among the others
            found += _written(length, carry, residuals, budget)
        found += [_filled(plan, carry, residuals, budget) for plan in found]
        bytes = [peak(plan, carry, residuals) for plan in found]
        fitting = [plan for plan, own in zip(found, bytes, strict=True) if own <= budget]
        if fitting:
            return min(fitting, key=lambda plan: (plan.repeated, plan.size))
        least = min([own for own in (*bytes, least) if own], default=0)
    raise WengertValueError(
        f"a loop of {length} steps, of which each leaves {residuals} bytes for its reverse and "
        f"hands on {carry}, cannot be reversed within {budget} bytes; the least is {least}"
    )


@lru_cache(1_000)
def least_peak(length: int, carry: int, residuals: int) -> int:
    """The least bytes that any plan needs."""
    plans: list[Plan] = [Steps(length)]
    for levels in range(1, MOST_LEVELS + 1):
        plans += _nested(length, levels, carry, residuals)
    return min(peak(plan, carry, residuals) for plan in plans)


def _nested(length: int, levels: int, carry: int, residuals: int) -> list[Plan]:
    """Plans of so many levels of equal segments: any number of them at the first level, and below
    it those that need the least memory."""
    plans = []
    for own in _lengths(length):
        inner = _least(own, levels - 1, carry, residuals)
        if inner is not None:
            plans.append(uniform(length, (own, *inner)))
    return plans


def _filled(plan: Plan, carry: int, residuals: int, budget: int) -> Plan:
    """The plan with a rest of which everything is kept, as long as there is room; the segments are
    the shorter for it."""
    if isinstance(plan, Steps) or not residuals:
        return plan
    stacked = plan.count * carry if plan.count > 1 else 0
    total = plan.length
    rest = min((budget - stacked - carry) // residuals, total - 1)
    if rest <= plan.rest.length or not isinstance(plan.segment, Steps):
        return plan
    own = -(-(total - rest) // plan.count)
    count = -(-(total - rest) // own)
    return Segments(count, Steps(own), Steps(total - count * own)) if count * own < total else plan


def _lengths(length: int) -> list[int]:
    """The lengths of segments worth a look: the shortest for each number of segments."""
    return sorted({-(-length // count) for count in (*range(1, 65), *_powers(length))})


def _powers(length: int) -> list[int]:
    found, own = [], 64.0
    while own < length:
        found.append(int(own))
        own *= 1.1
    return found


@lru_cache(10_000)
def _least(length: int, levels: int, carry: int, residuals: int) -> tuple[int, ...] | None:
    """The lengths of segments, level by level, with which a segment needs the least memory: n
    carries a level, where n^levels · (n · carry / residuals) is the length."""
    if levels == 0:
        return ()
    ratio = max(residuals, 1) / max(carry, 1)
    each = max(2.0, (length * ratio) ** (1 / (levels + 1)))
    if each**levels > length:
        each = max(2.0, length ** (1 / levels))
    own = -(-length // round(each))
    if own < 1 or own >= length:
        return None
    inner = _least(own, levels - 1, carry, residuals)
    return None if inner is None else (own, *inner)


def _written(length: int, carry: int, residuals: int, budget: int) -> list[Plan]:
    """Revolve's plans of few blocks, with as many slots as the budget has room for."""
    plans = []
    for count in range(2, min(length, MOST_BLOCKS) + 1):
        block = -(-length // count)
        blocks = -(-length // block)
        room = (budget - block * residuals) // max(carry, 1)
        last = length - (blocks - 1) * block
        # the first carry is an input; the one that the last block begins with may need no slot
        slots = {min(own, blocks) for own in (room, room + 1) if own >= 1}
        plans += [revolved(blocks, own, block, last) for own in sorted(slots)]
    return plans


# --------------------------------------------------------------------------------------- graphs


@dataclass(frozen=True, slots=True)
class Sizes:
    """A loop as its reverse sees it: the bytes of its carry, and of what a step leaves."""

    length: int
    carry: int
    residuals: int


def sizes(loop: Node, active: Sequence[bool] | None = None) -> Sizes:
    """What a loop of known length hands on and keeps, if it is differentiated by its active inputs,
    by default by all that have derivatives."""
    body, consts, carry, steps, _ = loop.params
    found = split_loop(
        body, [True] * len(body.params) if active is None else active, (consts, carry)
    )
    kept = Kept(body, (consts, carry), found)
    residuals = sum(_bytes(node.type) for node in kept.kept)
    states = sum(_bytes(body.outputs[k].type) for k in range(carry))
    return Sizes(steps, states, residuals)


def _bytes(type: Type) -> int:
    return type.nbytes if isinstance(type, ArrayType) else 0


def scan_within(loop: Node, budget: int, active: Sequence[bool] | None = None) -> list[Node]:
    """The results of a loop of known length, by steps of which the reverse keeps no more than the
    budget.

    active: the inputs that it is differentiated by; all, where that is not said.

    Raises
    ------
    WengertValueError
        Where no plan fits, with the least bytes that do.
    """
    own = sizes(loop, active)
    return segmented(loop, best_plan(own.length, own.carry, own.residuals, budget))


def segmented(loop: Node, plan: Plan) -> list[Node]:
    """The results of a loop of known length, by a plan for its steps."""
    body, _, _, steps, reverse = loop.params
    if isinstance(plan, Steps):
        return [item(loop, k) for k in range(len(loop.type.items))]
    assert plan.length == steps
    own = parts(loop)
    return Planned(body, reverse).run(plan, own)


class Planned:
    """A loop that is written anew. reverse: whether it runs from the end."""

    def __init__(self, body: Body, reverse: bool) -> None:
        self.body = body
        self.reverse = reverse

    def run(self, plan: Plan, own: Parts) -> list[Node]:
        """The last carry and the stacked results of a plan's steps."""
        if isinstance(plan, Steps):
            held = scan(self.body, own.consts, own.carry, own.xs, plan.length, self.reverse)
            return [item(held, k) for k in range(len(held.type.items))]
        carries = len(own.carry)
        first = plan.count * plan.segment.length
        head, tail = (
            zip(*[self._cut(x, first) for x in own.xs], strict=True) if own.xs else ((), ())
        )
        segments = self._segments if plan.count > 1 else self._segment
        before = segments(plan, Parts((), own.consts, own.carry, head))
        after = self.run(plan.rest, Parts((), own.consts, tuple(before[:carries]), tail))
        ys = zip(before[carries:], after[carries:], strict=True)
        pairs = [pair[::-1] if self.reverse else pair for pair in ys]
        return [*after[:carries], *(find("concatenate")(*pair, axis=0) for pair in pairs)]

    def _cut(self, x: Node, first: int) -> tuple[Node, Node]:
        """(what the first steps are given, what the others are)."""
        count = x.shape[0]
        if self.reverse:
            return _rows(x, count - first, count), _rows(x, 0, count - first)
        return _rows(x, 0, first), _rows(x, first, count)

    def _segment(self, plan: Segments, own: Parts) -> list[Node]:
        """One segment."""
        inputs = [*own.consts, *own.carry, *own.xs]
        leaves = [parameter(("segment", k), node.type) for k, node in enumerate(inputs)]
        a, b = len(own.consts), len(own.consts) + len(own.carry)
        inside = Parts((), tuple(leaves[:a]), tuple(leaves[a:b]), tuple(leaves[b:]))
        results = self.run(plan.segment, inside)
        held = checkpoint(inputs, body_of(results, leaves, self.body.opened))
        return [item(held, k) for k in range(len(results))]

    def _segments(self, plan: Segments, own: Parts) -> list[Node]:
        """A loop whose steps are segments."""
        size = plan.segment.length
        rows = [reshape(x, (plan.count, size, *x.shape[1:])) for x in own.xs]
        inputs = [*own.consts, *own.carry, *rows]
        a, b = len(own.consts), len(own.consts) + len(own.carry)
        leaves = [
            parameter(("step", k), node.type if k < b else array_type(node.shape[1:], node.dtype))
            for k, node in enumerate(inputs)
        ]
        inside = Parts((), tuple(leaves[:a]), tuple(leaves[a:b]), tuple(leaves[b:]))
        results = self._segment(plan, inside)
        step = body_of(results, leaves, self.body.opened)
        held = scan(step, own.consts, own.carry, rows, plan.count, self.reverse)
        carries = len(own.carry)
        found = [item(held, k) for k in range(len(results))]
        ys = [reshape(y, (plan.count * size, *y.shape[2:])) for y in found[carries:]]
        return [*found[:carries], *ys]


def _rows(x: Node, first: int, last: int) -> Node:
    rest = ((0, extent, 1) for extent in x.shape[1:])
    found: Node = find("index")(x, ((first, last - first, 1), *rest))
    return found


def scans_within(outputs: Sequence[Node], inputs: Sequence[Node], budget: int) -> list[Node]:
    """Outputs whose loops are segmented so that the reverse by the inputs keeps no more than the
    budget for all of them together, if nothing else were kept.

    Each loop gets a part of the budget: all that it keeps, where that fits; otherwise what it needs
    at least, and of the rest as much as it would take.

    Raises
    ------
    WengertValueError
        Where the loops need more at the least.
    """
    order = topological(outputs)
    moving = dependents(order, inputs)
    loops = [
        node
        for node in order
        if node.op is scan and node.params[3] is not None and not moving.isdisjoint(node.args)
    ]
    known = {loop: sizes(loop, [arg in moving for arg in loop.args]) for loop in loops}
    whole = {loop: own.length * own.residuals for loop, own in known.items()}
    if sum(whole.values()) <= budget:
        return list(outputs)
    least = {loop: least_peak(own.length, own.carry, own.residuals) for loop, own in known.items()}
    spare = budget - sum(least.values())
    if spare < 0:
        raise WengertValueError(
            f"the loops cannot be reversed within {budget} bytes; the least is {budget - spare}"
        )
    wish = sum(whole.values()) - sum(least.values())
    found = list(outputs)
    for loop in reversed(loops):  # whose inputs are what they were, until those before it change
        part = least[loop] + spare * (whole[loop] - least[loop]) // max(wish, 1)
        results = scan_within(loop, part, [arg in moving for arg in loop.args])
        new = {item(loop, k): value for k, value in enumerate(results)}
        found = substitute(found, {old: value for old, value in new.items() if old is not value})
    return found
