"""Addition, multiplication and their kin, and `convert` between dtypes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.graph.literals import constant, full, is_literal, literal
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.registry import find
from wengert.graph.types import ArrayType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.domain import Box, Cases, normal
from wengert.ops.families import (
    batch_unary,
    define,
    elementwise,
)
from wengert.ops.native import Pointwise

PLANE = Box(((-3, 3), (-3, 3)), kinds="iufc")


def one(like: Node) -> Node:
    """The constant 1 of a node's dtype and shape."""
    return constant(1, like)


# ----------------------------------------------------------------------------- convert


def _build_convert(x: Node, dtype: Any, weak: bool = False) -> Node:
    """x in a dtype; `weak` where the result is a bare Python number still."""
    dtype = np.dtype(dtype)
    if x.type.dtype == dtype and x.type.weak == weak:
        return x
    if x.op is full:
        value = literal(x)
        with np.errstate(all="ignore"):
            kept = value.real if dtype.kind in "iuf" else value  # NumPy warns of what is lost
            return full(kept.astype(dtype), dtype, x.shape, weak)
    if x.type.dtype.kind == "c" and dtype.kind == "b":
        return find("not_equal")(x, full(0, x.type.dtype, x.shape))
    if x.type.dtype.kind == "c" and dtype.kind != "c":
        return convert(find("real")(x), dtype)
    params = (dtype, True) if weak else (dtype,)
    return make(convert, (x,), params, _infer_convert((x.type,), params))


def _infer_convert(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
    return array_type(types[0].shape, *params)


def _evaluate_convert(node: Node) -> Callable[..., Any]:
    dtype = node.dtype
    return lambda x: np.asarray(x).astype(dtype)[()]


def _push_convert(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    if node.dtype.kind not in "fc":
        return None
    return linear.convert(tangents[0], node.dtype)


def _draw_convert(rng: np.random.Generator, dtype: Any) -> Any:
    to = np.complex128 if np.dtype(dtype).kind == "c" else np.float64
    yield [normal(rng, dtype, 3)], (to,)


convert: Op = define(
    "convert",
    family="elementwise",
    build=_build_convert,
    infer=_infer_convert,
    evaluate=_evaluate_convert,
    pushforward=_push_convert,
    transpose=lambda node, ct, wanted: (linear.convert(ct, node.args[0].dtype),),
    batch=batch_unary(lambda node, x: convert(x, node.params[0])),
    native=Pointwise(lambda ins, out, x: ins[0].convert(x, out)),
    sparsity=sparsity.pointwise,
    label="{0}",
    domain=Cases(_draw_convert),
)


# ------------------------------------------------------------------------ linear arithmetic


def _simplify_add(a: Node, b: Node) -> Node | None:
    if is_literal(a, -0.0) and a.dtype.kind == "f":
        return b
    if is_literal(b, -0.0) and b.dtype.kind == "f":
        return a
    return None


add: Op = elementwise(
    np.add,
    label="{0} + {1}",
    domain=Box(((-3, 3), (-3, 3)), kinds="iufc"),
    weak=True,
    pushforward=lambda node, ts: linear.add(*ts),
    transpose=lambda node, ct, wanted: (ct, ct),
    simplify=_simplify_add,
)
subtract: Op = elementwise(
    np.subtract,
    label="{0} − {1}",
    domain=PLANE,
    weak=True,
    pushforward=lambda node, ts: linear.add(ts[0], linear.negative(ts[1])),
    transpose=lambda node, ct, wanted: (ct, linear.negative(ct) if wanted[1] else None),
)


def _simplify_negative(x: Node) -> Node | None:
    if x.op is negative:
        return x.args[0]
    if x.op is full and x.dtype.kind in "fc":
        return full(-literal(x), x.dtype, x.shape)
    return None


negative: Op = elementwise(
    np.negative,
    label="−{0}",
    domain=Box(((-3, 3),), kinds="ifc"),
    weak=True,
    pushforward=lambda node, ts: linear.negative(ts[0]),
    transpose=lambda node, ct, wanted: (linear.negative(ct),),
    simplify=_simplify_negative,
)


def _simplify_multiply(a: Node, b: Node) -> Node | None:
    if is_literal(b, 1):
        return a
    if is_literal(a, 1):
        return b
    return None


multiply: Op = elementwise(
    np.multiply,
    lambda y, a, b: b,
    lambda y, a, b: a,
    label="{0} · {1}",
    domain=PLANE,
    weak=True,
    transpose=lambda node, ct, wanted: (
        linear.scale(ct, node.args[1]) if wanted[0] else None,
        linear.scale(ct, node.args[0]) if wanted[1] else None,
    ),
    sparsity=sparsity.product,
    simplify=_simplify_multiply,
)


def _push_divide(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    """d(a/b) = da/b − (y/b) db with y = a/b; where a is 1, y/b is y², without a division."""
    a, b = tangents
    over, by = node.args
    result = None if a is None else linear.divide(a, by)
    if b is not None:
        slope = multiply(node, node) if is_literal(over, 1) else divide(node, by)
        result = linear.add(result, linear.negative(linear.scale(b, slope)))
    return result


divide: Op = elementwise(
    np.divide,
    label="{0} / {1}",
    domain=Box(((-3, 3), (0.5, 3)), kinds="iufc"),
    weak=True,
    pushforward=_push_divide,
    transpose=lambda node, ct, wanted: (linear.divide(ct, node.args[1]), None),
    sparsity=sparsity.quotient,
    simplify=lambda a, b: a if is_literal(b, 1) else None,
)
positive: Op = elementwise(
    np.positive,
    lambda y, x: one(y),
    label="{0}",
    domain=Box(((-3, 3),), kinds="iufc"),
    weak=True,
    simplify=lambda x: x,
)
