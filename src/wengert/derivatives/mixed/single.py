"""A Jacobian by one mode: a pass for each column, or for each row; and the work of that.

The work is that of the graph which is run: derived, batched and simplified, every node once, where
estimates from the program alone do not see what zeros, diagonals and shared parts save.
"""

from __future__ import annotations

from collections.abc import Sequence

from wengert.control.costs import ELEMENT, elements, work
from wengert.derivatives.derive import gradient, jacobian_columns, jacobian_rows
from wengert.errors import WengertError
from wengert.graph.body import bodies
from wengert.graph.literals import zeros
from wengert.graph.node import Node, deriving
from wengert.graph.op import Tangent
from wengert.graph.registry import find
from wengert.graph.types import array_type, is_inexact
from wengert.graph.walk import topological
from wengert.ops.movement import reshape, transpose
from wengert.transforms.simplify import simplify

FUSED = 2
"""The work of an element of one simple operation, in a loop that others share."""


def by_single_mode(mode: str, outputs: Sequence[Node], inputs: Sequence[Node]) -> list[list[Node]]:
    """By "forward" or "reverse" mode: for every output and input an array of shape
    output.shape + input.shape."""
    with deriving():
        if mode == "reverse":
            return [
                [
                    shaped(block, output, node)
                    for block, node in zip(_rows(output, inputs), inputs, strict=True)
                ]
                for output in outputs
            ]
        by_input = [jacobian_columns(outputs, node) for node in inputs]
        return [
            [
                shaped(_last_axis(columns[k]), output, node)
                for columns, node in zip(by_input, inputs, strict=True)
            ]
            for k, output in enumerate(outputs)
        ]


def shaped(block: Tangent, output: Node, node: Node) -> Node:
    """A block in the shape output.shape + input.shape; zeros where there is none."""
    shape = (*output.shape, *node.shape)
    dtype = output.dtype if is_inexact(output.dtype) else node.dtype
    return zeros(array_type(shape, dtype)) if block is None else reshape(block, shape)


def work_by_single_mode(mode: str, outputs: Sequence[Node], inputs: Sequence[Node]) -> float | None:
    """The work of a Jacobian by one mode; None where it cannot be derived so."""
    try:
        blocks = [block for row in by_single_mode(mode, outputs, inputs) for block in row]
    except WengertError:
        return None
    simple = simplify(blocks, inputs)
    nodes = topological(simple, stop=set(inputs))
    return sum(map(_work, nodes)) + sum(map(_turning, simple))


def follows_rules(nodes: Sequence[Node]) -> bool:
    """Whether rules of the user's are run where nodes are differentiated."""
    custom = find("custom")
    return any(
        node.op is custom
        or any(follows_rules(topological(body.outputs)) for body in bodies(node.params))
        for node in nodes
    )


def _work(node: Node) -> float:
    """The work of a node of a simplified graph, of which loops are made."""
    estimate = work(node)
    if node.op.family == "elementwise":
        fused = FUSED * elements(node.type)
        return min(estimate, fused) if estimate <= ELEMENT * elements(node.type) else estimate
    return estimate


def _turning(block: Node) -> float:
    """The work of turning a matrix that was made column by column."""
    while block.op is find("reshape"):
        (block,) = block.args
    return float(ELEMENT * elements(block.type)) if block.op is find("transpose") else 0.0


def _rows(output: Node, inputs: Sequence[Node]) -> Sequence[Tangent]:
    if not is_inexact(output.dtype):
        return [None for _ in inputs]
    return gradient(output, inputs) if not output.shape else jacobian_rows(output, inputs)


def _last_axis(columns: Tangent) -> Tangent:
    """(input size, *output.shape) -> (*output.shape, input size)."""
    if columns is None:
        return None
    return transpose(columns, (*range(1, columns.ndim), 0))
