"""A graph as groups of nodes that are compiled together, each with one result.

Views and constants belong to every group that reads them. Any other node joins the group of what
reads it, where that is one group and need not read more bytes for that: its value never leaves the
machine code. A group has one node at most that costs much more than to move what it reads, so that
the others may be computed again without it. What has no native rule is a group of its own, and runs
as a call of NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wengert.compiler.support import is_native
from wengert.control.costs import is_costly
from wengert.execution.budget.sizes import bytes_of
from wengert.graph.body import Body
from wengert.graph.node import Node
from wengert.graph.types import ArrayType
from wengert.graph.walk import topological
from wengert.ops.native import View

MOST_NODES = 100
"""Nodes of a group, so that no group becomes a program of its own."""
_NAMES = frozenset({"alias", "stop_gradient", "item"})


@dataclass(frozen=True, slots=True)
class Group:
    """What computes the value of one node: from the values of `reads`, with `nodes` in between.

    native: whether as machine code.
    """

    root: Node
    reads: tuple[Node, ...]
    nodes: tuple[Node, ...]
    native: bool


def is_free(node: Node) -> bool:
    """Whether a node only says where elements lie, or names a value."""
    return isinstance(node.op.native, View) or node.op.name in _NAMES


def groups(outputs: Sequence[Node], leaves: Mapping[Node, object], fused: bool) -> list[Group]:
    """The groups of outputs, in an order in which they can be computed.

    fused: whether nodes join others at all.
    """
    order = topological(outputs, stop=leaves)
    inside = [n for n in order if n.args and n not in leaves]
    readers: dict[Node, set[Node]] = {}
    home: dict[Node, Node] = {}
    count: dict[Node, int] = {}
    heavy: dict[Node, bool] = {}
    wanted = set(outputs)
    for node in reversed(inside):
        if is_free(node) and node not in wanted:
            for arg in node.args:
                readers.setdefault(arg, set()).update(readers.get(node, ()))
            continue
        own = readers.get(node, set())
        native = is_native(node)
        costs = _is_heavy(node)
        place = node
        if fused and native and len(own) == 1 and node not in wanted:
            (root,) = own
            joins = is_native(root) and count[root] < MOST_NODES
            joins = joins and not (costs and heavy[root]) and isinstance(node.type, ArrayType)
            if joins:
                more = (b for b in _bases(node, leaves) if root not in readers.get(b, ()))
                if sum(bytes_of(b.type) for b in more) <= bytes_of(node.type):
                    place = root
        home[node] = place
        count[place] = count.get(place, 0) + 1
        heavy[place] = heavy.get(place, False) or costs
        for arg in node.args:
            readers.setdefault(arg, set()).add(place)
    return [_group(node, home, leaves) for node in inside if home.get(node) is node]


def _bases(node: Node, leaves: Mapping[Node, object]) -> set[Node]:
    """What a node reads, views looked through; inputs and constants, which are there, left out."""
    found: set[Node] = set()
    stack = list(node.args)
    while stack:
        arg = stack.pop()
        if arg in leaves or not arg.args:
            continue
        if is_free(arg):
            stack.extend(arg.args)
        else:
            found.add(arg)
    return found


def _is_heavy(node: Node) -> bool:
    if node.op.family in ("elementwise", "movement", "reduction"):
        return False
    return is_costly((Body((), (node,)),)) or node.op.family != "indexing"


def _group(root: Node, home: Mapping[Node, Node], leaves: Mapping[Node, object]) -> Group:
    """The group of a root; what it reads is in the order in which a walk from the root meets it, so
    that equal groups are the same body."""
    reads: dict[Node, None] = {}
    members: dict[Node, None] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if node in members or node in reads:
            continue
        if node in leaves or home.get(node, root) is not root:
            reads[node] = None
        else:
            members[node] = None
            stack.extend(reversed(node.args))
    return Group(root, tuple(reads), tuple(members), is_native(root))
