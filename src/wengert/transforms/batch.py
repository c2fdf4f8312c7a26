"""Many instances of a graph at once: each node of it acts on arrays with a batch axis in front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wengert.errors import Unsupported
from wengert.graph.node import Node, deriving
from wengert.graph.op import Absent, Tangent
from wengert.graph.registry import find
from wengert.graph.walk import topological


def batch(outputs: Sequence[Tangent], batched: Mapping[Node, Node], size: int) -> list[Tangent]:
    """The outputs for `size` values of some nodes at once, the batch axis in front.

    batched: node -> the node that holds its values, of shape (size, *node.shape).
    An output that does not rest on these nodes is repeated; None stays None.
    """
    new: dict[Node, Node] = dict(batched)
    oldest = min((node.serial for node in new), default=0) - 1
    present = [output for output in outputs if output is not None]
    with deriving():
        for node in topological(present, stop=new, after=oldest):
            flags = [arg in new for arg in node.args]
            if any(flags):
                rule = node.op.batch
                if isinstance(rule, Absent):
                    raise Unsupported(f"{node.op.name} cannot be batched: {rule.reason}")
                args = [new.get(arg, arg) for arg in node.args]
                new[node] = rule(node, args, flags, size)
        return [
            None
            if output is None
            else new[output]
            if output in new
            else find("broadcast_to")(output, (size, *output.shape))
            for output in outputs
        ]
