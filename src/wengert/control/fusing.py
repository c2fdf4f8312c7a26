"""Two loops that run side by side become one, and what no step hands on to a result is left out.

Forward mode makes of a loop one that keeps residuals and one that reads them, step by step in the
same order. As one loop nothing is kept. (Fusion of loops with equal bounds; the residuals of
reverse mode are read in the other order, and stay.)
"""

from __future__ import annotations

from collections.abc import Sequence

from wengert.control.scanning import parts, scan
from wengert.graph.body import Body, body_of
from wengert.graph.node import Node
from wengert.graph.walk import dependents, topological
from wengert.ops.leaves import item, parameter


def side_by_side(order: Sequence[Node]) -> dict[Node, Node]:
    """item -> what stands for it, for the first two loops of a topological order one of which reads
    the rows of the other; nothing where there are none."""
    made = set(order)  # what is given is not made here
    for second in order:
        if second.op is scan and second.params[3] is not None:
            rows = [x for x in parts(second).xs if x.op is item and x in made]
            for first in dict.fromkeys(x.args[0] for x in rows):
                if _can_join(first, second, order):
                    return _joined(first, second, order)
    return {}


def _rows(first: Node, x: Node) -> bool:
    """Whether x is what the steps of a loop give, row by row."""
    return x.op is item and x.args[0] is first and x.params[0] >= first.params[2]


def _can_join(first: Node, second: Node, order: Sequence[Node]) -> bool:
    if first.op is not scan or first.params[3:] != second.params[3:]:
        return False
    own = parts(second)
    others = [*own.consts, *own.carry, *(x for x in own.xs if not _rows(first, x))]
    return dependents(order, [first]).isdisjoint(others)


def _joined(first: Node, second: Node, order: Sequence[Node]) -> dict[Node, Node]:
    body, consts, carry, length, reverse = first.params
    other, more_consts, more_carry, _, _ = second.params
    a, b = parts(first), parts(second)
    fed = [k for k, x in enumerate(b.xs) if _rows(first, x)]
    own = [parameter(("second", k), p.type) for k, p in enumerate(other.params)]
    for k in fed:
        own[more_consts + more_carry + k] = body.outputs[b.xs[k].params[0]]
    results = other(own)
    left = [k for k in range(len(b.xs)) if k not in fed]
    inputs = [
        *body.params[:consts],
        *own[:more_consts],
        *body.params[consts : consts + carry],
        *own[more_consts : more_consts + more_carry],
        *body.params[consts + carry :],
        *(own[more_consts + more_carry + k] for k in left),
    ]
    outputs = [
        *body.outputs[:carry],
        *results[:more_carry],
        *body.outputs[carry:],
        *results[more_carry:],
    ]
    held = scan(
        body_of(outputs, inputs, (body.opened, other.opened)),
        [*a.consts, *b.consts],
        [*a.carry, *b.carry],
        [*a.xs, *(b.xs[k] for k in left)],
        length,
        reverse,
    )
    shift = len(body.outputs)

    def place(holder: Node, k: int) -> int:
        if holder is first:
            return k if k < carry else k + more_carry
        return carry + k if k < more_carry else shift + k

    return {
        node: item(held, place(node.args[0], node.params[0]))
        for node in order
        if node.op is item and node.args[0] in (first, second)
    }


def without_idle_carries(order: Sequence[Node]) -> dict[Node, Node]:
    """item -> what stands for it, for the first loop with a carry that no result rests on."""
    read: dict[Node, list[Node]] = {}
    for node in order:
        if node.op is item and node.args[0].op is scan and node.args[0].params[3] is not None:
            read.setdefault(node.args[0], []).append(node)
    for holder, items in read.items():
        body, consts, carry, length, reverse = holder.params
        needed = _needed(body, consts, carry, {one.params[0] for one in items})
        if len(needed) < carry:
            own = parts(holder)
            kept = sorted(needed)
            steps = range(carry, len(body.outputs))
            p = body.params
            names = [p[consts + k] for k in kept]
            rest = body_of(
                [body.outputs[k] for k in (*kept, *steps)],
                [*p[:consts], *names, *p[consts + carry :]],
                body.opened,
            )
            new = scan(rest, own.consts, [own.carry[k] for k in kept], own.xs, length, reverse)
            place = {k: i for i, k in enumerate((*kept, *steps))}
            return {one: item(new, place[one.params[0]]) for one in items}
    return {}


def _needed(body: Body, consts: int, carry: int, wanted: set[int]) -> set[int]:
    """The carries that the wanted results rest on, in any step."""
    needed = {k for k in wanted if k < carry}
    results = {k for k in wanted if k >= carry}
    while True:
        inside = set(topological([body.outputs[k] for k in needed | results]))
        more = {k for k in range(carry) if body.params[consts + k] in inside} - needed
        if not more:
            return needed
        needed |= more
