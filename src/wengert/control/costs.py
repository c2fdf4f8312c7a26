"""What costs much more than to move what it reads and gives."""

from __future__ import annotations

import math
from collections.abc import Iterable

from wengert.graph.body import Body, bodies
from wengert.graph.node import Node
from wengert.graph.walk import topological

COSTLY_OPS = frozenset({"scan", "repeat", "linear_solve", "root", "host_call"})
PRODUCTS_AN_ELEMENT = 32
"""Multiplications for each element read or written, from which on a contraction is costly."""


def is_costly(choices: Iterable[Body]) -> bool:
    """Whether bodies hold anything that costs much more than to move what it reads and gives, or
    that may fail."""
    return any(_costs(node) for body in choices for node in topological(body.outputs))


def _costs(node: Node) -> bool:
    if node.op.name in COSTLY_OPS or node.op.raises:
        return True
    if node.op.family == "contraction":
        moved = node.size + sum(arg.size for arg in node.args)
        return _products(node) > PRODUCTS_AN_ELEMENT * moved
    return is_costly(bodies(node.params))


def _products(node: Node) -> float:
    """The multiplications of a contraction of two arrays: √(|a| |b| |c|), where no axis is in all
    three."""
    return float(math.prod(arg.size for arg in node.args) * node.size) ** 0.5
