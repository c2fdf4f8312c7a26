"""Constants known while tracing: the leaf `full`, an array of one repeated value.

The value is keyed by its bits and dtype, since 0.0 == -0.0, 1 == 1.0 == True and NaN != NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any

import numpy as np

from wengert.graph.node import Node, make
from wengert.graph.op import ZERO, Op, absent
from wengert.graph.registry import interned, register
from wengert.graph.types import FLOAT, ArrayType, DType, Shape, array_type


def _build(value: Any, dtype: DType, shape: Shape = (), weak: bool = False) -> Node:
    bits = _bits(value, dtype)
    return make(full, (), (bits, dtype, shape, weak), array_type(shape, dtype, weak))


def _bits(value: Any, dtype: DType) -> bytes:
    if type(value) is float and dtype is FLOAT:
        return _pack_double(value)
    return np.asarray(value, dtype).tobytes()


_pack_double = Struct("=d").pack


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
        sparsity=ZERO,
        native=absent("the compiler writes constants where they are used"),
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


def refit(node: Node, dtype: DType, shape: Shape, weak: bool = False) -> Node:
    """A `full` node in another dtype and shape.

    Raises OverflowError, as NumPy does, where a bare Python integer does not fit an integer dtype.
    """
    bits, old, _, weak = node.params
    if old != dtype:
        value = np.frombuffer(bits, old)
        if weak and dtype.kind in "iu":
            np.array(int(value[0]), dtype)
        with np.errstate(all="ignore"):
            bits = value.astype(dtype).tobytes()
    return make(full, (), (bits, dtype, shape, weak), array_type(shape, dtype, weak))


def constant(value: Any, like: Node) -> Node:
    """`value` in the dtype and shape of a node."""
    return full(value, like.dtype, like.shape)


def is_zero(node: Node) -> bool:
    """Whether the node is the constant +0 (not -0.0)."""
    return node.op is full and not any(node.params[0])


def is_literal(node: Node, value: Any) -> bool:
    """Whether the node is the constant `value`, compared by bits."""
    return node.op is full and node.params[0] == _bits(value, node.dtype)
