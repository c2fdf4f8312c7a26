"""`select` (NumPy's where), and the larger and smaller of two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.graph.literals import constant, full, literal
from wengert.graph.node import Node, make
from wengert.graph.op import Op
from wengert.graph.types import ArrayType, DType, array_type
from wengert.ops import linear, sparsity
from wengert.ops.arithmetic import convert
from wengert.ops.domain import Box, Cases, normal
from wengert.ops.families import (
    batch_elementwise,
    broadcast_shapes,
    define,
    elementwise,
)
from wengert.ops.logic import equal, greater, less, logical_or, not_equal
from wengert.ops.movement import broadcast_to
from wengert.ops.native import Pointwise


def _build_select(mask: Node, a: Node, b: Node, fold: bool = True) -> Node:
    """where(mask, a, b). `fold=False` keeps a select whose mask is constant."""
    if mask.dtype.kind != "b":
        mask = not_equal(mask, constant(0, mask))
    shape = broadcast_shapes(mask.shape, a.shape, b.shape)
    if a.dtype != b.dtype:
        dtype = common_dtype(a.type, b.type)
        a, b = convert(a, dtype), convert(b, dtype)
    mask, a, b = broadcast_to(mask, shape), broadcast_to(a, shape), broadcast_to(b, shape)
    if fold:
        if a is b:
            return a
        if mask.op is full:
            return a if literal(mask) else b
    return make(select, (mask, a, b), None, array_type(shape, a.dtype))


def common_dtype(a: ArrayType, b: ArrayType) -> DType:
    """NumPy's promotion of two types, either of which may be that of a bare Python number."""
    python = {"i": 0, "f": 0.0, "c": 0j}
    if a.weak == b.weak:
        return np.promote_types(a.dtype, b.dtype)
    strong, weak = (b, a) if a.weak else (a, b)
    if weak.dtype.kind == "b":
        return strong.dtype
    return np.result_type(strong.dtype, python[weak.dtype.kind])


def _draw_select(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, bool, 4), normal(rng, dtype, 4), normal(rng, dtype, 4)], ()
    yield [normal(rng, bool), normal(rng, dtype, 2, 1), normal(rng, dtype, 3)], ()


select: Op = define(
    "select",
    family="elementwise",
    build=_build_select,
    infer=lambda types, params: array_type(types[1].shape, types[1].dtype),
    evaluate=lambda node: np.where,
    pushforward=lambda node, ts: linear.select(node.args[0], ts[1], ts[2]),
    transpose=lambda node, ct, wanted: (
        None,
        linear.select(node.args[0], ct, None) if wanted[1] else None,
        linear.select(node.args[0], None, ct) if wanted[2] else None,
    ),
    batch=batch_elementwise,
    native=Pointwise(lambda ins, out, mask, a, b: out.select(mask, a, b)),
    sparsity=sparsity.selected,
    label="where({0}, {1}, {2})",
    domain=Cases(_draw_select, kinds="biufc"),
)


# -------------------------------------------------------------------------- extrema


def _share(ufunc_wins: Callable[[Node, Node], Node]) -> Callable[..., Node]:
    """The derivative of max(x, y) by x: 1 where x wins, ½ at a tie, 0 elsewhere."""

    def partial(y: Node, a: Node, b: Node) -> Node:
        wins = convert(ufunc_wins(a, b), y.dtype)
        return select(equal(a, b), constant(0.5, y), wins)

    return partial


EXTREMA = Box(((-3, 3), (-3, 3)), kinds="iuf", smooth=False)
maximum: Op = elementwise(
    np.maximum,
    _share(lambda a, b: greater(a, b)),
    _share(lambda a, b: less(a, b)),
    label="max({0}, {1})",
    domain=EXTREMA,
)
minimum: Op = elementwise(
    np.minimum,
    _share(lambda a, b: less(a, b)),
    _share(lambda a, b: greater(a, b)),
    label="min({0}, {1})",
    domain=EXTREMA,
)


def _is_nan(x: Node) -> Node:
    return not_equal(x, x)


fmax: Op = elementwise(
    np.fmax,
    _share(lambda a, b: logical_or(greater(a, b), _is_nan(b))),
    _share(lambda a, b: logical_or(less(a, b), _is_nan(a))),
    label="fmax({0}, {1})",
    domain=EXTREMA,
)
fmin: Op = elementwise(
    np.fmin,
    _share(lambda a, b: logical_or(less(a, b), _is_nan(b))),
    _share(lambda a, b: logical_or(greater(a, b), _is_nan(a))),
    label="fmin({0}, {1})",
    domain=EXTREMA,
)
