"""Gradients within a budget of memory, where loops are in the way of it.

A loop is one operation to the plan of a program: what its steps leave for the derivative it leaves
as a whole. Where the gradient does not hold to its budget, the loops of known length are written as
loops of checkpointed segments, by Revolve's schedule, before it is derived.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from wengert.control.scanning import scan
from wengert.control.segmenting import scans_within
from wengert.derivatives.derive import gradient
from wengert.derivatives.marking import written
from wengert.errors import MemoryBudgetError, WengertValueError
from wengert.execution.budget.sizes import bytes_of
from wengert.execution.programs import program, recall, remember
from wengert.graph.node import Node
from wengert.graph.walk import topological
from wengert.ops.leaves import LEAVES

Both: TypeAlias = tuple[Node, list[Node]]
"""The output of a function, and its gradient by the inputs."""
SHARES = (0.9, 0.75, 0.6, 0.45, 0.3, 0.2, 0.12, 0.06)
"""What of the budget loops are given, in the order in which it is tried."""


def gradient_within(
    output: Node, inputs: Sequence[Node], budget: int | None, with_value: bool
) -> Both:
    """The output, and its gradient, so that they can be computed within the budget.

    with_value: whether the output is computed as well. Where no way is found, they are those
    without segments, and running them raises the error that says so.
    """
    if budget is None:
        return output, _derived(output, inputs)
    key = ("gradient within", budget, with_value, output, None, *inputs)
    found: Both | None = recall(key)
    if found is None:
        found = _segmented(output, inputs, budget, with_value)
        remember(key, found, len(topological(found[1])))
    return found


def _derived(output: Node, inputs: Sequence[Node]) -> list[Node]:
    found = zip(gradient(output, inputs), inputs, strict=True)
    return [written(tangent, node) for tangent, node in found]


def _segmented(output: Node, inputs: Sequence[Node], budget: int, with_value: bool) -> Both:
    def fits(both: Both) -> bool:
        results = [both[0], *both[1]] if with_value else both[1]
        try:
            program(results, memory=budget)
        except MemoryBudgetError:
            return False
        return True

    plain = output, _derived(output, inputs)
    order = topological([output])
    if all(node.op is not scan for node in order) or fits(plain):
        return plain
    there = sum(bytes_of(node.type) for node in order if node.op in LEAVES)
    return _tried(output, inputs, max(0, budget - there), fits) or plain


def _tried(
    output: Node, inputs: Sequence[Node], room: int, fits: Callable[[Both], bool]
) -> Both | None:
    for share in SHARES:
        try:
            (segmented,) = scans_within([output], inputs, int(share * room))
        except WengertValueError:  # not even one step fits
            return None
        both = segmented, _derived(segmented, inputs)
        if fits(both):
            return both
    return None
