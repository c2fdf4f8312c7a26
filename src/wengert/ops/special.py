"""Special functions that NumPy's own namespace needs: np.i0 and its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import lazy
from wengert.graph.literals import constant
from wengert.graph.node import Node, make
from wengert.graph.op import Tangent
from wengert.graph.types import array_type
from wengert.ops import linear
from wengert.ops.arithmetic import add, multiply
from wengert.ops.domain import Cases, normal
from wengert.ops.families import NOT_LINEAR, batch_elementwise, define


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 4)], (0,)
    yield [normal(rng, dtype, 4)], (2,)


def _build(x: Node, order: int) -> Node:
    return make(bessel_i, (x,), (order,), array_type(x.shape, x.dtype))


def _evaluate(node: Node) -> Callable[..., Any]:
    (order,) = node.params
    iv, dtype = lazy.module("scipy.special").iv, node.dtype
    return lambda x: iv(order, x, dtype=dtype)


def _pushforward(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    """I₀' = I₁ and Iₙ' = (Iₙ₋₁ + Iₙ₊₁)/2 (DLMF 10.29.1-2): no division by x."""
    (x,), (order,) = node.args, node.params
    if order == 0:
        slope = bessel_i(x, 1)
    else:
        around = add(bessel_i(x, order - 1), bessel_i(x, order + 1))
        slope = multiply(constant(0.5, x), around)
    return linear.scale(tangents[0], slope)


bessel_i = define(
    "bessel_i",
    family="elementwise",
    build=_build,
    infer=lambda types, params: array_type(types[0].shape, types[0].dtype),
    evaluate=_evaluate,
    pushforward=_pushforward,
    transpose=NOT_LINEAR,
    batch=batch_elementwise,
    label="I({0})",
    domain=Cases(_draw, kinds="f"),
)
"""The modified Bessel function of the first kind and integer order."""
