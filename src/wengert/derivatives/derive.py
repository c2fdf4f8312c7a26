"""Derivatives of graphs, node to node, each derived once.

Everything that people call is one of three compositions:

    forward      pushforward
    reverse      transpose of pushforward
    Jacobians    either, batched over a basis of its seeds

and `vmap` batches over what it is given.

The caches are keyed by the identity of the nodes: a function that is traced again in a loop meets
the graph that was derived the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from wengert.execution.programs import recall, remember
from wengert.graph.literals import constant, full
from wengert.graph.node import Node, deriving, mark
from wengert.graph.op import Tangent
from wengert.graph.types import is_inexact
from wengert.ops import linear
from wengert.ops.leaves import iota, seed
from wengert.ops.logic import equal
from wengert.ops.movement import broadcast_to, reshape
from wengert.tracing.session import need_session
from wengert.transforms.batch import batch
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose


def once(key: tuple[object, ...], make: Callable[[], list[Tangent]]) -> list[Tangent]:
    """What `make` derives, from the cache where it was derived before.

    A derivation that ran a rule of the user's is not kept: the rule may read other values next
    time.
    """
    session = need_session()
    ran = session.rules_run
    found: list[Tangent] | None = recall(key)
    if found is None:
        start = mark()
        found = make()
        if session.rules_run == ran:
            remember(key, found, mark() - start)  # the nodes made for it
    return found


def forward(
    outputs: Sequence[Node], inputs: Sequence[Node], tangents: Sequence[Tangent]
) -> list[Tangent]:
    """Tangents of the outputs; a tangent of None is zero."""
    key = ("forward", *outputs, None, *inputs, None, *tangents)
    given = {n: t for n, t in zip(inputs, tangents, strict=True) if t is not None}
    return once(key, lambda: pushforward(outputs, given))


def seeds(inputs: Sequence[Node]) -> list[Tangent]:
    """A seed for each input that has derivatives, None for the others."""
    return [seed(node) if is_inexact(node.dtype) else None for node in inputs]


def reverse(
    outputs: Sequence[Node], inputs: Sequence[Node], cotangents: Sequence[Tangent]
) -> list[Tangent]:
    """Cotangents of the inputs; a cotangent of None is zero."""
    key = ("reverse", *outputs, None, *inputs, None, *cotangents)

    def make() -> list[Tangent]:
        given = seeds(inputs)
        tangents = forward(outputs, inputs, given)
        present = [s for s in given if s is not None]
        found = iter(transpose(tangents, present, cotangents))
        return [None if s is None else next(found) for s in given]

    return once(key, make)


def gradient(output: Node, inputs: Sequence[Node]) -> list[Tangent]:
    """The gradient of a scalar node."""
    return reverse([output], inputs, [constant(1, output)])


def basis(node: Node) -> Node:
    """The unit vectors of a node's space, shape (size, *shape): as masks, so that what one output
    does not depend on stays out of its derivative."""
    rows = broadcast_to(reshape(iota(node.size), (node.size, 1)), (node.size, node.size))
    columns = broadcast_to(iota(node.size), (node.size, node.size))
    unit = reshape(equal(rows, columns), (node.size, *node.shape))
    return linear.masked(unit, full(1, node.dtype, unit.shape))


def jacobian_columns(outputs: Sequence[Node], input: Node) -> list[Tangent]:
    """Forward mode by one input: for each output an array (input.size, *output.shape), or None."""
    key = ("columns", *outputs, None, input)

    def make() -> list[Tangent]:
        tangent = seed(input)
        moved = forward(outputs, [input], [tangent])
        with deriving():
            return batch(moved, {tangent: basis(input)}, input.size, is_linear=True)

    return once(key, make)


def jacobian_rows(output: Node, inputs: Sequence[Node]) -> list[Tangent]:
    """Reverse mode from one output: for each input (output.size, *input.shape), or None."""
    key = ("rows", output, None, *inputs)

    def make() -> list[Tangent]:
        cotangent = seed(output)
        pulled = reverse([output], inputs, [cotangent])
        with deriving():
            return batch(pulled, {cotangent: basis(output)}, output.size, is_linear=True)

    return once(key, make)


def batched(outputs: Sequence[Node], lanes: Mapping[Node, Node], size: int) -> list[Node]:
    """The outputs for all instances: for each node of one of them, the node of all is given."""
    key = ("batched", size, *outputs, None, *lanes, None, *lanes.values())
    return once(key, lambda: batch(outputs, lanes, size))
