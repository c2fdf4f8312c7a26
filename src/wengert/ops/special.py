"""Special functions that NumPy's own namespace needs: np.i0, np.sinc and their derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import lazy
from wengert.graph.literals import constant
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent, absent
from wengert.graph.types import array_type
from wengert.ops import linear
from wengert.ops.arithmetic import add, multiply, negative, subtract
from wengert.ops.domain import Cases, normal
from wengert.ops.families import NOT_LINEAR, batch_elementwise, batch_unary, define

SCIPY = absent("SciPy computes Bessel functions")


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


bessel_i: Op = define(
    "bessel_i",
    family="elementwise",
    build=_build,
    infer=lambda types, params: array_type(types[0].shape, types[0].dtype),
    evaluate=_evaluate,
    pushforward=_pushforward,
    transpose=NOT_LINEAR,
    batch=batch_elementwise,
    native=SCIPY,
    label="I({0})",
    domain=Cases(_draw, kinds="f"),
)
"""The modified Bessel function of the first kind and integer order."""


def _build_spherical(x: Node, order: int) -> Node:
    return make(spherical_j, (x,), (order,), array_type(x.shape, x.dtype))


def _evaluate_spherical(node: Node) -> Callable[..., Any]:
    (order,) = node.params
    dtype = node.dtype
    if order == 0:
        tiny = np.finfo(dtype).eps

        def sine_over(x: Any) -> Any:
            y = np.where(x == 0, tiny, x)  # sin(tiny)/tiny is 1 to the last bit
            return np.divide(np.sin(y), y, dtype=dtype)

        return sine_over
    jn = lazy.module("scipy.special").spherical_jn
    return lambda x: np.asarray(jn(order, x)).astype(dtype)


def _push_spherical(node: Node, tangents: Sequence[Tangent]) -> Tangent:
    """j₀' = −j₁ and (2n+1) jₙ' = n jₙ₋₁ − (n+1) jₙ₊₁ (DLMF 10.51.2): no division by x."""
    (x,), (n,) = node.args, node.params
    above = spherical_j(x, n + 1)
    if n == 0:
        slope = negative(above)
    else:
        below = multiply(constant(n / (2 * n + 1), x), spherical_j(x, n - 1))
        slope = subtract(below, multiply(constant((n + 1) / (2 * n + 1), x), above))
    return linear.scale(tangents[0], slope)


spherical_j: Op = define(
    "spherical_j",
    family="elementwise",
    build=_build_spherical,
    infer=lambda types, params: array_type(types[0].shape, types[0].dtype),
    evaluate=_evaluate_spherical,
    pushforward=_push_spherical,
    transpose=NOT_LINEAR,
    batch=batch_unary(lambda node, x: spherical_j(x, *node.params)),
    native=SCIPY,
    label="j({0})",
    domain=Cases(_draw, kinds="fc"),
)
"""The spherical Bessel function of the first kind and integer order; of order 0 it is sin(x)/x."""
