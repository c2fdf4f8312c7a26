"""Holders that do the same work become one that gives what each of them gives.

A derivative makes a second loop of a loop, with the same steps and more results: the residuals. Two
derivatives make two. Before a program is planned, those of the same steps on the same inputs are
made one, and results that nobody reads are left out. Values of a matrix are taken from its
factorisation, where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from wengert.control.branching import branch
from wengert.control.checkpointing import checkpoint
from wengert.control.fusing import side_by_side, without_idle_carries
from wengert.control.partitioning import partition
from wengert.control.repeating import repeat
from wengert.control.scanning import scan
from wengert.control.solving import solved
from wengert.control.together import together
from wengert.graph.body import Body
from wengert.graph.node import Node, deriving, make
from wengert.graph.walk import rebuild, substitute, topological
from wengert.ops.leaves import item
from wengert.ops.linalg.sharing import with_one_factorisation

HOLDERS = frozenset({scan, repeat, branch, partition, checkpoint})

Column = tuple[Node, ...]
"""One result of a holder: a node of each of its bodies."""


def merged(outputs: Sequence[Node], given: Sequence[Node] = ()) -> list[Node]:
    """The outputs with equal holders made one, and solvers in line.

    given: nodes whose values the caller has.
    """
    stop = set(given)
    known = solved(outputs, given)
    while True:
        order = topological(known, stop=stop)
        shared = with_one_factorisation(known, order)
        if shared is not known:
            known = shared
            continue
        holders = [node for node in order if node.op in HOLDERS]
        if not holders:
            return known
        read: dict[Node, set[Node]] = {holder: set() for holder in holders}
        for node in order:
            if node.op is item and node.args[0] in read:
                read[node.args[0]].add(node)
        groups: dict[Any, list[Node]] = {}
        for holder in holders:
            groups.setdefault(_work(holder), []).append(holder)
        changes: dict[Node, Change] = {}
        for group in groups.values():
            used = {_column(one) for holder in group for one in read[holder]}
            used = {column for column in used if not isinstance(column, int)}
            if len(group) > 1 or len(used) < len(_columns(group[0])):
                change = _joined(group, [one for holder in group for one in read[holder]])
                changes |= dict.fromkeys(group, change)
        changed = _rewritten(known, order, changes)
        if changed == known:
            new = side_by_side(order) or without_idle_carries(order)
            changed = substitute(known, new) if new else together(known, order)
        if changed == known:
            return known
        known = changed


def _fixed(node: Node) -> int:
    """How many results a holder must give: the carry of a loop."""
    if node.op is scan:
        return int(node.params[2])
    return len(node.params[1].params) - node.params[3] if node.op is repeat else 0


def _bodies(node: Node) -> tuple[Body, ...]:
    """The bodies that give the results."""
    if node.op is branch:
        choices: tuple[Body, ...] = node.params
        return choices
    if node.op is partition:
        return tuple(node.params[1:])
    return (node.params[1],) if node.op is repeat else (node.params[0],)


def _columns(node: Node) -> list[Column]:
    """The results that a holder may give or not."""
    return list(zip(*[body.outputs for body in _bodies(node)], strict=True))[_fixed(node) :]


def _work(node: Node) -> Any:
    """What a holder does, whichever results it gives. What is to be computed again stays by itself:
    a checkpoint with other results is another one."""
    if node.op is checkpoint:
        return node
    fixed = _fixed(node)
    bodies = tuple((body.params, body.outputs[:fixed]) for body in _bodies(node))
    rest = tuple(part for part in node.params if not isinstance(part, Body))
    condition = node.params[0] if node.op is repeat else None
    return node.op, node.args, bodies, rest, condition


def _column(one: Node) -> Column | int:
    """The result that an item is: its column, or its place where every holder must give it."""
    (holder,), (k,) = one.args, one.params
    fixed = _fixed(holder) + (holder.op is repeat)  # which also gives the number of steps
    return k if k < fixed else _columns(holder)[k - fixed]


@dataclass(frozen=True, slots=True)
class Change:
    """The holder that stands for all of a group. params: its own. places: of what was an item."""

    first: Node
    params: Any
    places: dict[Node, int]


def _joined(group: Sequence[Node], items: Sequence[Node]) -> Change:
    first = group[0]
    wanted = {_column(one) for one in items}
    columns = dict.fromkeys(
        column for holder in group for column in _columns(holder) if column in wanted
    )
    fixed = _fixed(first)
    params = iter(
        Body(
            body.params,
            (*body.outputs[:fixed], *(column[k] for column in columns)),
            body.opened,
        )
        for k, body in enumerate(_bodies(first))
    )
    last = first.params[0] if first.op is repeat else None
    new_params = tuple(
        part if not isinstance(part, Body) or part is last else next(params)
        for part in first.params
    )
    start = fixed + (first.op is repeat)
    place = {column: start + k for k, column in enumerate(columns)}
    places = {}
    for one in items:
        column = _column(one)
        places[one] = column if isinstance(column, int) else place[column]
    return Change(first, new_params, places)


def _rewritten(
    outputs: list[Node], order: Sequence[Node], changes: Mapping[Node, Change]
) -> list[Node]:
    """The outputs with holders changed, those whose inputs are results of others too."""
    if not changes:
        return outputs
    new: dict[Node, Node] = {}
    made: dict[Node, Node] = {}
    with deriving():
        quietly = copy_context().run
    for node in order:
        args = tuple(new.get(arg, arg) for arg in node.args)
        change = changes.get(node.args[0]) if node.op is item else None
        if change is not None:
            first = change.first
            if first not in made:
                inputs = tuple(new.get(arg, arg) for arg in first.args)
                made[first] = _remade(first, inputs, change.params)
            new[node] = item(made[first], change.places[node])
        elif node not in changes and args != node.args:
            new[node] = quietly(rebuild, node, args) if node.quiet else rebuild(node, args)
    return [new.get(node, node) for node in outputs]


def _remade(node: Node, args: tuple[Node, ...], params: Any) -> Node:
    if node.op is checkpoint:
        return checkpoint(args, *params)
    return make(node.op, args, params, node.op.infer(tuple(arg.type for arg in args), params))
