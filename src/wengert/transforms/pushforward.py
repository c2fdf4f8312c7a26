"""Forward mode: tangents of outputs from tangents of inputs, as nodes of the same graph.

    ẏ = Σᵢ ∂op/∂xᵢ ẋᵢ          for every node y = op(x₁, …, xₙ), inputs before users

The tangent part is linear in the given tangents by construction (every rule builds it with
`wengert.ops.linear`), which is what `transpose` relies on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wengert.errors import NotDifferentiable
from wengert.graph.node import Node, deriving
from wengert.graph.op import Absent, Tangent, Zero
from wengert.graph.walk import topological


def pushforward(outputs: Sequence[Node], tangents: Mapping[Node, Tangent]) -> list[Tangent]:
    """Tangents of `outputs`; None where an output does not depend on what has a tangent.

    Source: Wengert 1964; the form is that of Radul et al. 2023, *You Only Linearize Once*.
    """
    known: dict[Node, Tangent] = dict(tangents)
    if not known:
        return [None for _ in outputs]
    oldest = min(node.serial for node in known)
    with deriving() as watch:
        for node in topological(outputs, stop=known, after=oldest):
            incoming = [known.get(arg) for arg in node.args]
            rule = node.op.pushforward
            if isinstance(rule, Zero) or all(tangent is None for tangent in incoming):
                continue
            if isinstance(rule, Absent):
                raise NotDifferentiable(f"{node.op.name} has no derivative: {rule.reason}")
            if watch is not None:
                watch.begin(node, "forward")
            tangent = rule(node, incoming)
            if tangent is not None:
                known[node] = tangent
    return [known.get(node) for node in outputs]
