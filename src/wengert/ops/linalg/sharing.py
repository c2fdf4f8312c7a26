"""Values alone from the factorisation that gives them with their vectors, where a program has both.

A function of singular values or eigenvalues computes them alone, which is cheaper. Its derivative
needs the vectors: in a program with both, one factorisation gives all.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from wengert.graph.node import Node, deriving
from wengert.graph.op import Op
from wengert.graph.walk import rebuild
from wengert.ops.leaves import item
from wengert.ops.linalg.eig import eig, eigvals
from wengert.ops.linalg.eigh import eigh, eigvalsh
from wengert.ops.linalg.svd import svd, svdvals

WHOLE: dict[Op, tuple[Op, int]] = {svdvals: (svd, 1), eigvalsh: (eigh, 0), eigvals: (eig, 0)}
"""op of values alone -> (op of the factorisation, which of its results they are)."""


def with_one_factorisation(outputs: list[Node], order: Sequence[Node]) -> list[Node]:
    """The outputs, whose nodes are given in order; the same list where nothing can be shared."""
    alone = [node for node in order if node.op in WHOLE]
    if not alone:
        return outputs
    new: dict[Node, Node] = {}
    for node in alone:
        whole, k = WHOLE[node.op]
        for other in order:
            if other.op is whole and other.args == node.args and _same(node, other):
                new[node] = item(other, k)
                break
    if not new:
        return outputs
    for node in order:
        if node not in new and any(arg in new for arg in node.args):
            with deriving() if node.quiet else nullcontext():
                new[node] = rebuild(node, tuple(new.get(arg, arg) for arg in node.args))
    return [new.get(node, node) for node in outputs]


def _same(values: Node, whole: Node) -> bool:
    """Whether both read the same of the matrix: one triangle, or all of it."""
    return values.op is not eigvalsh or values.params == whole.params
