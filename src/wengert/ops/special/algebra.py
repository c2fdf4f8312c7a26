"""Sums, products and quotients of nodes and numbers: what the formulas of this package are in."""

from __future__ import annotations

from functools import reduce

from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.ops.arithmetic import add, divide, multiply, subtract
from wengert.ops.complex import part_dtype

Term = Node | float | complex


def _nodes(terms: tuple[Term, ...]) -> list[Node]:
    """Numbers take the dtype and shape of the first node."""
    like = next(term for term in terms if isinstance(term, Node))
    return [term if isinstance(term, Node) else constant(term, like) for term in terms]


def real_constant(value: float, like: Node) -> Node:
    """`value` in the shape of a node, and the dtype of its parts."""
    return full(value, part_dtype(like.dtype), like.shape)


def plus(*terms: Term) -> Node:
    """The sum."""
    return reduce(add, _nodes(terms))


def minus(a: Term, b: Term) -> Node:
    """a − b."""
    return subtract(*_nodes((a, b)))


def times(*factors: Term) -> Node:
    """The product."""
    return reduce(multiply, _nodes(factors))


def over(a: Term, b: Term) -> Node:
    """a / b."""
    return divide(*_nodes((a, b)))
