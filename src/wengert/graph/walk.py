"""Walks over a graph: iterative, each node once, linear in the nodes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from contextvars import copy_context

from wengert.graph.node import Node, deriving, make, observer


def topological(outputs: Iterable[Node], stop: Container[Node] = (), after: int = -1) -> list[Node]:
    """The nodes that the outputs rest on, inputs before users.

    The walk does not enter nodes in `stop`, nor nodes made before serial number `after`: what rests
    on a node is younger than that node.
    """
    seen: set[Node] = set()
    placed: set[Node] = set()
    order: list[Node] = []
    stack = list(outputs)
    while stack:  # nodes alone, without marks beside them: a tuple a node would wake the collector
        node = stack[-1]
        if node in seen:
            stack.pop()
            if node not in placed:
                placed.add(node)
                order.append(node)
        elif node.serial <= after or node in stop:
            stack.pop()
        else:
            seen.add(node)
            args = node.args
            if not args:
                stack.pop()
                placed.add(node)
                order.append(node)
            elif len(args) == 1:
                stack.append(args[0])
            else:
                stack.extend(args[::-1])
    return order


def dependents(order: Iterable[Node], roots: Iterable[Node]) -> set[Node]:
    """The roots and those nodes of a topological order that rest on them."""
    found = set(roots)
    for node in order:
        if node not in found and not found.isdisjoint(node.args):
            found.add(node)
    return found


def substitute(outputs: Iterable[Node], replacement: Mapping[Node, Node]) -> list[Node]:
    """The outputs with nodes replaced; everything that rests on them is built anew."""
    new = dict(replacement)
    outputs = list(outputs)
    watch = observer.get()
    if new:
        with deriving():
            quietly = copy_context().run  # what belongs to a derivative stays part of one
        for node in topological(outputs, stop=new, after=min(n.serial for n in new) - 1):
            if any(arg in new for arg in node.args):
                args = tuple(new.get(arg, arg) for arg in node.args)
                new[node] = quietly(rebuild, node, args) if node.quiet else rebuild(node, args)
                if watch is not None:
                    watch.renamed(new[node], node)
    return [new.get(node, node) for node in outputs]


def rebuild(node: Node, args: tuple[Node, ...]) -> Node:
    """The same operation on other inputs."""
    from_types = node.op.infer(tuple(arg.type for arg in args), node.params)
    return make(node.op, args, node.params, from_types)
