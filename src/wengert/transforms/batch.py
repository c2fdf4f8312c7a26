"""Many instances of a graph at once: each node of it acts on arrays with a batch axis in front."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from itertools import compress

from wengert.errors import Unsupported
from wengert.graph.body import bodies
from wengert.graph.node import Node, deriving, mark, observer
from wengert.graph.op import Absent, Tangent
from wengert.graph.registry import find
from wengert.graph.types import ArrayType, is_inexact
from wengert.graph.walk import substitute, topological
from wengert.ops import linear
from wengert.ops.leaves import item, pack, seed
from wengert.transforms.pushforward import pushforward


def batch(
    outputs: Sequence[Tangent],
    batched: Mapping[Node, Node],
    size: int,
    is_linear: bool = False,
    is_quadratic: bool = False,
) -> list[Tangent]:
    """The outputs for `size` values of some nodes at once, the batch axis in front.

    batched: node -> the node that holds its values, of shape (size, *node.shape).
    is_linear: whether the outputs are linear in these nodes, so that structural zeros in their
        values are carried as masks (see `wengert.ops.linear`).
    is_quadratic: whether they are quadratic, so that masks are carried too, but not into bodies:
        a holder is its own derivative where it is linear in all that is batched, and only there.
    An output that does not rest on these nodes is repeated; None stays None.
    """
    keep_masks = is_linear or is_quadratic
    new: dict[Node, Node] = dict(batched)
    oldest = min((node.serial for node in new), default=0) - 1
    present = [output for output in outputs if output is not None]
    with deriving():
        quietly = copy_context().run  # as the node that is batched, so that primal ones warn
    watch = observer.get()
    for node in topological(present, stop=new, after=oldest):
        flags = [arg in new for arg in node.args]
        if any(flags):
            rule = node.op.batch
            if isinstance(rule, Absent):
                raise Unsupported(f"{node.op.name} cannot be batched: {rule.reason}")
            args = [new.get(arg, arg) for arg in node.args]
            if keep_masks and node.op is item and args[0].op is pack:
                new[node] = args[0].args[node.params[0]]  # which may have a mask
                continue
            act: Callable[..., Node] = rule
            if keep_masks and any(linear.is_masked(arg) for arg in args):
                act = _held_with_masks if is_linear and bodies(node.params) else _with_masks
            given = (node, args, flags, size)
            start = 0 if watch is None else mark()
            new[node] = quietly(act, *given) if node.quiet else act(*given)
            if watch is not None:
                for made in topological([new[node]], stop=set(args), after=start):
                    watch.renamed(made, node)
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
    is_cover = node.op is find("select") and flags == [True, True, False]
    if is_cover and linear.is_masked(args[1]):  # a result of a holder, with a mask from there
        mask, value = args[1].args[:2]
        return linear.masked(mask, rule(node, [args[0], value, args[2]], flags, size))
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


def _held_with_masks(node: Node, args: Sequence[Node], flags: Sequence[bool], size: int) -> Node:
    """A linear holder on masked values: it is its own derivative, which takes masks into its body.
    What it gives beside linear results, as it does masks, rests on no linear value."""
    rule = node.op.batch
    assert not isinstance(rule, Absent)
    moving = [flag and _is_moving(arg) for arg, flag in zip(args, flags, strict=True)]
    leaves = [seed(arg) if flag else arg for arg, flag in zip(args, moving, strict=True)]
    given = dict(compress(zip(leaves, args, strict=True), moving))
    plain = rule(node, leaves, flags, size)
    (moved,) = pushforward([plain], given)
    tangents = moved or [None] * len(plain.type.items)
    values = [item(plain, k) if own is None else own for k, own in enumerate(tangents)]
    return pack(*substitute(values, given))


def _is_moving(node: Node) -> bool:
    return not isinstance(node.type, ArrayType) or is_inexact(node.dtype)
