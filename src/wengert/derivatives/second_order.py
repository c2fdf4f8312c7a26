"""Second derivatives of a graph along many directions at once, by one walk from inputs to outputs.

With ẋᵢ the derivative of x along direction i and Hᵢ or L the second ones, for each node y = op(x):

    ẏᵢ = J ẋᵢ
    ÿᵢ = J ẍᵢ + ẋᵢᵀ H ẋᵢ             along each direction
    L_y = J L_x + Σᵢ ẋᵢᵀ H ẋᵢ        their sum, the Laplacian for an orthonormal basis

The sum is taken at once, so that beside the first derivatives only one more array a node is needed.
H is the pushforward of the op's pushforward along the same direction; linear ops have none.

Source: Li et al. 2024, *A computational framework for neural network-based variational Monte Carlo
with Forward Laplacian*, Nature Machine Intelligence 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wengert.errors import NotDifferentiable
from wengert.graph.node import Node, deriving
from wengert.graph.op import Absent, Tangent, Zero
from wengert.graph.walk import topological
from wengert.ops import linear
from wengert.ops.leaves import item, seed
from wengert.transforms.batch import batch
from wengert.transforms.pushforward import pushforward

Second = tuple[Tangent, Tangent]
"""First derivatives, of shape (directions, *shape), and second ones: of that shape too, or summed
and of the node's own shape."""


def second_order(
    outputs: Sequence[Node], given: Mapping[Node, Second], size: int, summed: bool
) -> list[Tangent]:
    """The second derivatives of the outputs; None where they are zero by structure.

    given: nodes with their derivatives, along `size` directions.
    """
    known: dict[Node, Second] = dict(given)
    oldest = min(node.serial for node in known)
    with deriving():
        for node in topological(outputs, stop=known, after=oldest):
            if not isinstance(node.op.pushforward, Zero) and any(arg in known for arg in node.args):
                known[node] = _through(node, known, size, summed)
    return [known[node][1] if node in known else None for node in outputs]


def _through(node: Node, known: Mapping[Node, Second], size: int, summed: bool) -> Second:
    rule = node.op.pushforward
    if isinstance(rule, Absent):
        raise NotDifferentiable(f"{node.op.name} has no derivative: {rule.reason}")
    assert not isinstance(rule, Zero)
    firsts, seconds = zip(*[known.get(arg, (None, None)) for arg in node.args], strict=True)
    seeds = tuple(_seeds(arg, first) for arg, first in zip(node.args, firsts, strict=True))
    tangent = None if _is_zero(seeds) else rule(node, seeds)
    if _is_zero(tangent):
        return None, None
    moved = _batched(tangent, seeds, firsts, size)
    along = {arg: s for arg, s in zip(node.args, seeds, strict=True) if not _is_zero(s)}
    bent = _with_parts(lambda parts: pushforward(parts, {**along, node: tangent}), tangent)
    curved = _batched(bent, seeds, firsts, size, is_quadratic=True)
    straight = None
    if summed:
        curved = _mapped(lambda each: linear.total(each, (0,)), curved)
        if not _is_zero(seconds):
            straight = rule(node, seconds)
    elif not _is_zero(seconds):
        names = tuple(_seeds(arg, second) for arg, second in zip(node.args, seconds, strict=True))
        straight = _batched(rule(node, names), names, seconds, size)
    return moved, linear.add(straight, curved)


def _seeds(node: Node, present: Tangent) -> Tangent:
    """Names for the tangent of a node, where it has one."""
    if isinstance(present, tuple):
        return tuple(_seeds(item(node, k), part) for k, part in enumerate(present))
    return None if present is None else seed(node)


def _batched(
    tangent: Tangent, seeds: Any, values: Any, size: int, is_quadratic: bool = False
) -> Tangent:
    """What is linear in some seeds, or quadratic, for their values along all directions."""
    if _is_zero(tangent):
        return None
    pairs = zip(_flat(seeds), _flat(values), strict=True)
    lanes = {name: value for name, value in pairs if name is not None}
    kind = {"is_quadratic" if is_quadratic else "is_linear": True}
    return _with_parts(lambda parts: batch(parts, lanes, size, **kind), tangent)


def _is_zero(tangent: Any) -> bool:
    return all(part is None for part in _flat(tangent))


def _flat(tangent: Any) -> list[Tangent]:
    """The nodes of a tangent, which is a tuple for an op of several results."""
    if isinstance(tangent, tuple):
        return [leaf for part in tangent for leaf in _flat(part)]
    return [tangent]


def _with_parts(build: Callable[[list[Node]], list[Tangent]], tangent: Any) -> Tangent:
    """What `build` makes of the nodes of a tangent, in the structure of the tangent."""
    found = iter(build([part for part in _flat(tangent) if part is not None]))

    def placed(part: Any) -> Tangent:
        if isinstance(part, tuple):
            return tuple(map(placed, part))
        return None if part is None else next(found)

    return placed(tangent)


def _mapped(build: Callable[[Node], Tangent], tangent: Any) -> Tangent:
    if isinstance(tangent, tuple):
        return tuple(_mapped(build, part) for part in tangent)
    return None if tangent is None else build(tangent)
