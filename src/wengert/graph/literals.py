"""Constants known while tracing: the leaf `full`, an array of one repeated value.

The value is keyed by its bits and dtype, since 0.0 == -0.0, 1 == 1.0 == True and NaN != NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.graph.node import Node, make
from wengert.graph.op import ZERO, Op, absent
from wengert.graph.registry import interned, register
from wengert.graph.types import ArrayType, DType, Shape, array_type


def _build(value: Any, dtype: DType, shape: Shape = (), weak: bool = False) -> Node:
    bits = np.asarray(value, dtype).tobytes()
    return make(full, (), (bits, dtype, shape, weak), array_type(shape, dtype, weak))


def _infer(types: tuple[Any, ...], params: Any) -> ArrayType:
    _, dtype, shape, weak = params
    return array_type(shape, dtype, weak)


def _evaluate(node: Node) -> Callable[..., Any]:
    value = np.full(node.shape, literal(node), node.dtype)
    value.flags.writeable = False
    return lambda: value


full: Op = register(
    Op(
        name="full",
        family="leaf",
        build=_build,
        infer=_infer,
        evaluate=_evaluate,
        pushforward=ZERO,
        transpose=absent("a constant has no inputs"),
        batch=absent("a constant has no inputs"),
        label="const",
        domain=None,
        interned=interned("full"),
    )
)


def literal(node: Node) -> Any:
    """The value of a `full` node, as a NumPy scalar."""
    bits, dtype, _, _ = node.params
    return np.frombuffer(bits, dtype)[0]


def zeros(type: ArrayType) -> Node:
    """The structural zero of a type."""
    return full(0, type.dtype, type.shape)


def constant(value: Any, like: Node) -> Node:
    """`value` in the dtype and shape of a node."""
    return full(value, like.dtype, like.shape)


def is_zero(node: Node) -> bool:
    """Whether the node is the constant +0 (not -0.0)."""
    return node.op is full and not any(node.params[0])


def is_literal(node: Node, value: Any) -> bool:
    """Whether the node is the constant `value`, compared by bits."""
    return node.op is full and node.params[0] == np.asarray(value, node.dtype).tobytes()
