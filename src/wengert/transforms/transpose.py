"""Reverse mode: the transpose of a linear part, walked from its outputs to its inputs.

    ⟨ȳ, J ẋ⟩ = ⟨Jᵀ ȳ, ẋ⟩

Each linear node passes its cotangent on to the inputs that are linear; cotangents that meet are
added. No op states a reverse rule of its own beyond the transpose of what it does.
"""

from __future__ import annotations

from collections.abc import Sequence

from wengert.errors import NotDifferentiable
from wengert.graph.node import Node, deriving
from wengert.graph.op import Absent, Tangent
from wengert.graph.walk import dependents, topological
from wengert.ops import linear


def transpose(
    outputs: Sequence[Tangent], inputs: Sequence[Node], cotangents: Sequence[Tangent]
) -> list[Tangent]:
    """Cotangents of `inputs` from those of `outputs`, which are linear in the inputs.

    outputs: nodes, or None for a structural zero.
    Source: Frostig et al. 2021, *Decomposing reverse-mode automatic differentiation*.
    """
    found: dict[Node, Tangent] = {}
    with deriving() as watch:
        for output, cotangent in zip(outputs, cotangents, strict=True):
            if output is not None and cotangent is not None:
                found[output] = linear.add(found.get(output), cotangent)
        oldest = min((node.serial for node in inputs), default=0) - 1
        order = topological(found, after=oldest)
        involved = dependents(order, inputs)
        stop = set(inputs)
        for node in reversed(order):
            if node not in involved or node in stop or node not in found:
                continue
            cotangent = found.pop(node)
            rule = node.op.transpose
            if isinstance(rule, Absent):
                raise NotDifferentiable(f"{node.op.name} cannot be transposed: {rule.reason}")
            if watch is not None:
                watch.begin(node, "reverse")
            wanted = [arg in involved for arg in node.args]
            for arg, flag, part in zip(
                node.args, wanted, rule(node, cotangent, wanted), strict=True
            ):
                if flag and part is not None:
                    found[arg] = linear.add(found.get(arg), part)
    return [found.get(node) for node in inputs]
