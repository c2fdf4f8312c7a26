"""Walks over a graph: iterative, each node once, linear in the nodes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from wengert.graph.node import Node, make


def topological(outputs: Iterable[Node], stop: Container[Node] = (), after: int = -1) -> list[Node]:
    """The nodes that the outputs rest on, inputs before users.

    The walk does not enter nodes in `stop`, nor nodes made before serial number `after`: what rests
    on a node is younger than that node.
    """
    seen: set[Node] = set()
    order: list[Node] = []
    stack: list[tuple[Node, bool]] = [(node, False) for node in outputs]
    while stack:
        node, entered = stack.pop()
        if entered:
            order.append(node)
        elif node not in seen and node.serial > after and node not in stop:
            seen.add(node)
            if node.args:
                stack.append((node, True))
                for arg in reversed(node.args):
                    if arg not in seen:
                        stack.append((arg, False))
            else:
                order.append(node)
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
    if new:
        for node in topological(outputs, stop=new, after=min(n.serial for n in new) - 1):
            if any(arg in new for arg in node.args):
                new[node] = rebuild(node, tuple(new.get(arg, arg) for arg in node.args))
    return [new.get(node, node) for node in outputs]


def rebuild(node: Node, args: tuple[Node, ...]) -> Node:
    """The same operation on other inputs."""
    from_types = node.op.infer(tuple(arg.type for arg in args), node.params)
    return make(node.op, args, node.params, from_types)
