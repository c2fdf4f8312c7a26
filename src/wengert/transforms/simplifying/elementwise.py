"""Patterns that hold for every elementwise op, and those of conversions and names."""

from __future__ import annotations

import numpy as np

from wengert.graph.literals import full, literal
from wengert.graph.node import Node
from wengert.graph.types import DType
from wengert.graph.walk import rebuild
from wengert.ops.arithmetic import convert
from wengert.ops.complex import conjugate, imag, join, real
from wengert.ops.families import broadcast_shapes
from wengert.ops.holders import custom, pulled
from wengert.ops.movement import broadcast_to, reshape, transpose
from wengert.transforms.simplifying.forms import Rule, Rules, again, number, refilled


def _folded(node: Node) -> Node | None:
    """f of literals is a literal."""
    if any(arg.op is not full for arg in node.args):
        return None
    function = node.op.evaluate(rebuild(node, tuple(refilled(arg, ()) for arg in node.args)))
    try:
        with np.errstate(all="ignore"):
            value = function(*[literal(arg) for arg in node.args])
    except ValueError:  # it will say so when it runs
        return None
    return full(value, node.dtype, node.shape)


def _below_broadcast(node: Node) -> Node | None:
    """f(repeat x, repeat y) = repeat f(x, y), where that is smaller."""
    shapes = []
    for arg in node.args:
        if arg.op is broadcast_to:
            shapes.append(arg.args[0].type.shape)
        elif arg.op is not full:
            return None
    if not shapes:
        return None
    shape = broadcast_shapes(*shapes)
    small = [
        refilled(arg, shape) if arg.op is full else broadcast_to(arg.args[0], shape)
        for arg in node.args
    ]
    result = again(node, *small)
    return broadcast_to(result, node.shape) if result.size < node.size else None


def _below_movement(node: Node) -> Node | None:
    """f(Px, Py) = P f(x, y) for a reshape or transpose P."""
    first = next((arg for arg in node.args if arg.op is not full), None)
    if first is None or (first.op is not reshape and first.op is not transpose):
        return None
    shape = first.args[0].type.shape
    if 1 in shape:  # `_without_ones` puts such a reshape inside
        return None
    for arg in node.args:
        if arg.op is not full and (
            arg.op is not first.op or arg.params != first.params or arg.args[0].shape != shape
        ):
            return None
    inner = [refilled(arg, shape) if arg.op is full else arg.args[0] for arg in node.args]
    return again(first, again(node, *inner))


def _without_ones(node: Node) -> Node | None:
    """Elementwise ops have no axes of extent 1."""
    shape = node.type.shape
    if 1 not in shape:
        return None
    small = tuple(extent for extent in shape if extent != 1)
    return reshape(again(node, *[reshape(arg, small) for arg in node.args]), shape)


def _strong(node: Node) -> Node | None:
    """Literals are no bare Python numbers: promotion is over."""
    return refilled(node, node.shape) if node.type.weak else None


def _count_to_one(node: Node) -> Node | None:
    """0, 1, …, n − 1 for n = 1."""
    return number(0, node) if node.shape == (1,) else None


# ------------------------------------------------------------------------------- conversions


def _same_dtype(node: Node) -> Node | None:
    """x in the dtype that it has (it was weak)."""
    (x,) = node.args
    return x if x.dtype == node.dtype else None


def _convert_converted(node: Node) -> Node | None:
    """Two conversions are one where the first loses nothing."""
    (x,) = node.args
    if x.op is not convert or not _is_exact(x.args[0].dtype, x.dtype):
        return None
    if x.dtype.kind in "fc" and node.dtype.kind in "iu" and x.args[0].dtype.kind in "iu":
        return None  # integers wrap around where floats are out of range
    return convert(x.args[0], node.dtype)


def _is_exact(old: DType, new: DType) -> bool:
    """Whether the second dtype holds every value of the first: a double, which NumPy calls safe,
    does not hold all 64-bit integers."""
    if old.kind in "iu" and new.kind in "fc":
        return 8 * old.itemsize <= np.finfo(new).nmant
    return np.can_cast(old, new)


# ---------------------------------------------------------------------------- complex parts


def _part(node: Node) -> Node | None:
    """Re(a + ib) = a, Im(a + ib) = b, Re z̄ = Re z; of a converted real, itself and 0."""
    (z,) = node.args
    if z.op is join:
        return z.args[0] if node.op is real else z.args[1]
    if z.op is convert and z.args[0].dtype.kind != "c":
        return convert(z.args[0], node.dtype) if node.op is real else number(0, node)
    if z.op is conjugate and node.op is real:
        return real(z.args[0])
    return None


def _joined_parts(node: Node) -> Node | None:
    """Re z + i Im z = z."""
    a, b = node.args
    return a.args[0] if a.op is real and b.op is imag and a.args[0] is b.args[0] else None


def _conjugate_twice(node: Node) -> Node | None:
    """The conjugate of the conjugate."""
    (z,) = node.args
    return z.args[0] if z.op is conjugate else None


# ------------------------------------------------------------------------------------ names


def _unnamed(node: Node) -> Node | None:
    """A name is the value."""
    return node.args[0]


def _result_of_holder(node: Node) -> Node | None:
    """A result of a function with a rule of its own is what the function computed."""
    (held,) = node.args
    if held.op is custom or (held.op is pulled and held.params[2]):
        result: Node = held.args[node.params[0]]
        return result
    return None


FAMILY: list[Rule] = [_folded, _below_broadcast, _below_movement, _without_ones]

RULES: Rules = {
    "full": [_strong],
    "iota": [_count_to_one],
    "convert": [_same_dtype, _convert_converted],
    "real": [_part],
    "imag": [_part],
    "join": [_joined_parts],
    "conjugate": [_conjugate_twice],
    "alias": [_unnamed],
    "stop_gradient": [_unnamed],
    "item": [_result_of_holder],
}
