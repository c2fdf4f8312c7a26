"""Many instances of a graph at once: each node of it acts on arrays with a batch axis in front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import copy_context

from wengert.errors import Unsupported
from wengert.graph.node import Node, deriving
from wengert.graph.op import Absent, Tangent
from wengert.graph.registry import find
from wengert.graph.walk import topological
from wengert.ops import linear


def batch(
    outputs: Sequence[Tangent], batched: Mapping[Node, Node], size: int, is_linear: bool = False
) -> list[Tangent]:
    """The outputs for `size` values of some nodes at once, the batch axis in front.

    batched: node -> the node that holds its values, of shape (size, *node.shape).
    is_linear: whether the outputs are linear in these nodes, so that structural zeros in their
        values are carried as masks (see `wengert.ops.linear`).
    An output that does not rest on these nodes is repeated; None stays None.
    """
    new: dict[Node, Node] = dict(batched)
    oldest = min((node.serial for node in new), default=0) - 1
    present = [output for output in outputs if output is not None]
    with deriving():
        quietly = copy_context().run  # as the node that is batched, so that primal ones warn
    for node in topological(present, stop=new, after=oldest):
        flags = [arg in new for arg in node.args]
        if any(flags):
            rule = node.op.batch
            if isinstance(rule, Absent):
                raise Unsupported(f"{node.op.name} cannot be batched: {rule.reason}")
            args = [new.get(arg, arg) for arg in node.args]
            masked = is_linear and any(linear.is_masked(arg) for arg in args)
            act = _with_masks if masked else rule
            given = (node, args, flags, size)
            new[node] = quietly(act, *given) if node.quiet else act(*given)
    return [
        None
        if output is None
        else new[output]
        if output in new
        else find("broadcast_to")(output, (size, *output.shape))
        for output in outputs
    ]


def _with_masks(node: Node, args: Sequence[Node], flags: Sequence[bool], size: int) -> Node:
    """A linear node on masked values: elementwise and movement ops keep the mask outermost, so that
    an infinite weight does not meet a structural zero. Ops that mix elements read the zeros."""
    rule = node.op.batch
    assert not isinstance(rule, Absent)
    if node.op is find("add"):
        total: Node = linear.add(*args)
        return total
    if sum(flags) == 1:
        (place,) = (k for k, flag in enumerate(flags) if flag)
        if not linear.is_masked(args[place]):
            return rule(node, args, flags, size)
        mask, value = args[place].args[:2]
        if node.op.family == "elementwise":
            bare = [value if k == place else arg for k, arg in enumerate(args)]
            return linear.masked(mask, rule(node, bare, flags, size))
        if node.op.family == "movement" and len(args) == 1:
            return linear.masked(rule(node, [mask], flags, size), rule(node, [value], flags, size))
    return rule(node, args, flags, size)
