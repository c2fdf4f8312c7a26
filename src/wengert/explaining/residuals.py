"""What the reverse step of an operation reads: the residuals of its pushforward.

    v̄ⱼ += v̄ᵢ ∂vᵢ/∂vⱼ

The step of an addition reads no value, that of a product its operands, that of a square root its
result. Nothing is listed here: the tangent of the operation is built by its record, and what it
reads beside the tangents is what its transpose reads.
"""

from __future__ import annotations

from collections.abc import Collection, Container

from wengert.errors import WengertError
from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.graph.types import ArrayType, TupleType, is_inexact
from wengert.graph.walk import topological
from wengert.ops.leaves import seed
from wengert.tracing.trees import flatten
from wengert.transforms.pushforward import pushforward


def residuals(user: Node, active: Container[Node], there: Collection[Node]) -> tuple[Node, ...]:
    """The values among those `there` that the reverse step of `user` reads.

    active: the nodes that have adjoints. A rule that was given for reverse mode alone is taken to
    read its operands and its result.
    """
    seeds = {arg: _seeds(arg) if arg in active else None for arg in user.args}
    try:
        tangents = pushforward([user], seeds)
    except WengertError:
        return tuple(node for node in (*user.args, user) if node in there)
    linear = [part for part in flatten(tangents)[0] if part is not None]
    made = topological(linear, stop=there)
    read = {arg for node in made for arg in node.args}.union(linear)
    return tuple(sorted((node for node in read if node in there), key=lambda node: node.serial))


def _seeds(node: Node) -> Node | tuple[Node | None, ...] | None:
    """A seed for each result of a node that has derivatives."""
    if isinstance(node.type, TupleType):
        item = find("item")
        parts = (item(node, k) for k in range(len(node.type.items)))
        return tuple(_seeds(part) for part in parts)
    if isinstance(node.type, ArrayType) and is_inexact(node.dtype):
        return seed(node)
    return None
