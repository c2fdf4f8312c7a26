"""Simplification: a graph of the same values with less to do, made before code is generated.

A table of patterns, op name -> rules, each a function of a node whose inputs are simple that yields
another node of the same value, or None. What a rule makes is simplified in turn, until no rule
matches: so the result is a fixed point, and simplifying it again gives the same nodes.

Values keep their bits, −0, infinities and NaN included, except that sums may be reordered (see
`simplifying.sums`). Shapes and dtypes stay; bare Python numbers become plain scalars.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import copy_context

from wengert.graph.node import Node, deriving
from wengert.graph.op import Op
from wengert.transforms.simplifying import (
    arithmetic,
    contraction,
    elementwise,
    matrices,
    movement,
    places,
    selection,
    sums,
)
from wengert.transforms.simplifying.forms import Rule, Rules, again

TABLE: Rules = {}
for group in (elementwise, arithmetic, selection, movement, sums, contraction, matrices, places):
    for name, rules in group.RULES.items():
        TABLE.setdefault(name, []).extend(rules)

OF_FAMILY: Rules = {"elementwise": elementwise.FAMILY}
"""Patterns that hold for every op of a family; they come first."""


def simplify(outputs: Iterable[Node], given: Iterable[Node] = ()) -> list[Node]:
    """The outputs as simpler nodes of the same values, shapes and dtypes.

    given: nodes whose values the caller has; they stay, and nothing below them is looked at.

    A node that has become another and is met again on the way to what it has become shows that two
    patterns undo one another. That is a fault of the table, which tests find; the node then stays.
    """
    outputs = list(outputs)
    simple: dict[Node, Node] = {node: node for node in given}
    becomes: dict[Node, Node] = {}
    rules: dict[Op, tuple[Rule, ...]] = {}
    with deriving():
        quietly = copy_context().run
    stack = outputs[::-1]
    while stack:
        node = stack[-1]
        if node in simple:
            stack.pop()
            continue
        target = becomes.get(node)
        if target is None:
            waiting = [arg for arg in node.args if arg not in simple]
            if waiting:
                simple.update((arg, arg) for arg in waiting if arg in becomes)
                stack.extend(waiting)
                continue
            op = node.op
            found = rules.get(op)
            if found is None:
                found = rules[op] = (*OF_FAMILY.get(op.family, ()), *TABLE.get(op.name, ()))
            target = (
                quietly(_step, node, simple, found) if node.quiet else _step(node, simple, found)
            )
            if target is node:
                simple[node] = stack.pop()
                continue
            becomes[node] = target
        done = simple.get(target)
        if done is None:
            if target in becomes:
                simple[target] = target
            stack.append(target)
        else:
            simple[stack.pop()] = done
    return [simple[output] for output in outputs]


def _step(node: Node, simple: dict[Node, Node], rules: tuple[Rule, ...]) -> Node:
    """The node on simple inputs; if it is that, what a rule makes of it; if none does, itself."""
    for arg in node.args:
        if simple[arg] is not arg:
            return again(node, *[simple[arg] for arg in node.args])
    for rule in rules:
        simpler = rule(node)
        if simpler is not None:
            return simpler
    return node
