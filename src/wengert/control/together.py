"""Checkpoints that do the same work at the same time become one.

Forward mode makes of a checkpoint one for its results and one for its tangents, and masks of
structural zeros come from one of their own. Each does the work of the first again. Where the one
does not wait for the other, as it does in reverse mode, they are one, which does the work once and
keeps nothing for later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import copy_context

from wengert.control.checkpointing import checkpoint
from wengert.control.costs import work
from wengert.graph.body import Body
from wengert.graph.node import Node, deriving
from wengert.graph.walk import rebuild, topological
from wengert.ops.leaves import item

LEAST_SHARED = 0.5
"""The part of the work of a checkpoint that another one must do too."""


def together(outputs: list[Node], order: Sequence[Node]) -> list[Node]:
    """The outputs with such checkpoints made one; the same list where there are none.

    order: the nodes of the outputs, inputs before users.
    """
    holders = [node for node in order if node.op is checkpoint]
    if len(holders) < 2:
        return outputs
    pairs = _pairs(holders, _ancestors(order))
    while pairs:
        sequence = _in_sequence(order, pairs)
        if sequence is not None:
            return _rebuilt(outputs, sequence, pairs)
        pairs = dict(list(pairs.items())[:1])  # one pair alone is always possible
    return outputs


def _ancestors(order: Sequence[Node]) -> dict[Node, int]:
    """For each node the checkpoints that it rests on, as bits in their order."""
    found: dict[Node, int] = {}
    bit = 1
    for node in order:
        own = 0
        for arg in node.args:
            own |= found.get(arg, 0)
        if node.op is checkpoint:
            own |= bit
            bit <<= 1
        found[node] = own
    return found


def _pairs(holders: Sequence[Node], ancestors: Mapping[Node, int]) -> dict[Node, Node]:
    """A checkpoint -> a younger one that does its work too and does not wait for it."""
    readers: dict[Node, list[Node]] = {}
    for holder in holders:
        for arg in dict.fromkeys(holder.args):
            readers.setdefault(arg, []).append(holder)
    bits = {holder: 1 << k for k, holder in enumerate(holders)}
    pairs: dict[Node, Node] = {}
    taken: set[Node] = set()
    for first in holders:
        if first in taken:
            continue
        few = min((readers[arg] for arg in first.args), key=len)
        for second in sorted(few, key=_serial, reverse=True):
            if (
                second is not first
                and second not in taken
                and not ancestors[second] & bits[first]
                and not ancestors[first] & bits[second]
                and set(first.args) <= set(second.args)
                and _shares_work(first, second)
            ):
                pairs[first] = second
                taken |= {first, second}
                break
    return pairs


def _inside(first: Node, second: Node) -> list[Node]:
    """The results of the first one in the body of the second, which has its inputs too."""
    body: Body = second.params[0]
    names = dict(zip(second.args, body.params, strict=True))
    own: Body = first.params[0]
    return own([names[arg] for arg in first.args])


def _shares_work(first: Node, second: Node) -> bool:
    own = topological(_inside(first, second))
    there = set(topological(second.params[0].outputs))
    whole = sum(map(work, own))
    return sum(work(node) for node in own if node in there) >= LEAST_SHARED * whole


def _in_sequence(order: Sequence[Node], pairs: Mapping[Node, Node]) -> list[Node] | None:
    """The nodes, inputs before users, with pairs in the place of the second one, which waits for
    what either reads; None where two pairs would wait for one another."""
    of_second = {second: first for first, second in pairs.items()}
    inside = set(order)
    reads = {}
    for node in order:
        args = [*node.args, *(of_second[node].args if node in of_second else ())]
        reads[node] = {pairs.get(arg, arg) for arg in args if arg in inside}
    users: dict[Node, list[Node]] = {}
    waiting: dict[Node, int] = {}
    for node, args in reads.items():
        if node not in pairs:
            waiting[node] = len(args)
            for arg in args:
                users.setdefault(arg, []).append(node)
    ready = [node for node in order if waiting.get(node) == 0][::-1]
    found = []
    while ready:
        node = ready.pop()
        found.append(node)
        for user in users.get(node, ()):
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    return found if len(found) == len(waiting) else None


def _rebuilt(
    outputs: Sequence[Node], sequence: Sequence[Node], pairs: Mapping[Node, Node]
) -> list[Node]:
    new: dict[Node, Node] = {}
    of_second = {second: first for first, second in pairs.items()}
    shift: dict[Node, int] = {}
    with deriving():
        quietly = copy_context().run
    for node in sequence:
        args = tuple(new.get(arg, arg) for arg in node.args)
        first = of_second.get(node)
        if first is not None:
            body: Body = node.params[0]
            whole = Body(body.params, (*body.outputs, *_inside(first, node)), body.opened)
            new[node] = new[first] = checkpoint(args, whole)
            shift[first] = len(body.outputs)
        elif node.op is item and node.args[0] in shift:
            new[node] = item(*args, node.params[0] + shift[node.args[0]])
        elif args != node.args:
            new[node] = quietly(rebuild, node, args) if node.quiet else rebuild(node, args)
    return [new.get(node, node) for node in outputs]


def _serial(node: Node) -> int:
    return node.serial
