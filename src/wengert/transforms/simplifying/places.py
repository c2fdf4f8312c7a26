"""Patterns of writes at computed places: a few of them are choices, element by element.

`y[i] = v` has no native rule, as of equal places the last one counts. With a place or two it is
where(k = i, v, y) over the positions k, which fuses with what stands around it; so a loop that
writes an element in each step is machine code.
"""

from __future__ import annotations

from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.graph.types import BOOL
from wengert.ops.leaves import iota
from wengert.ops.movement import broadcast_to, index, reshape
from wengert.ops.selection import select
from wengert.transforms.simplifying.forms import Rules

MOST_PLACES = 2


def _few_places(node: Node) -> Node | None:
    base, places, value = node.args
    if not 0 < places.size <= MOST_PLACES or not node.size:
        return None
    rest = base.shape[1:]
    flat, rows = reshape(places, (places.size,)), reshape(value, (places.size, *rest))
    positions = broadcast_to(iota(base.shape[0]), base.shape[:1])
    result = base
    for k in range(places.size):
        here = broadcast_to(index(flat, (k,)), positions.shape)
        mask = find("equal")(positions, find("convert")(here, positions.dtype))
        column = reshape(mask, (*mask.shape, *(1 for _ in rest)))
        row = index(rows, (k, *((0, extent, 1) for extent in rest)))
        result = select(broadcast_to(column, base.shape), broadcast_to(row, base.shape), result)
    return result


def _last_of_few(node: Node) -> Node | None:
    """Of one place it is the last; of two the first is, where they differ."""
    (places,) = node.args
    if places.size == 1:
        return full(True, BOOL, node.shape)
    if places.size != MOST_PLACES:
        return None
    flat = reshape(places, (MOST_PLACES,))
    first = find("not_equal")(index(flat, (0,)), index(flat, (1,)))
    parts = [reshape(one, (1,)) for one in (first, full(True, BOOL, ()))]
    return reshape(find("concatenate")(*parts, axis=0), node.shape)


RULES: Rules = {"scatter_put": [_few_places], "winners": [_last_of_few]}
