"""Captured linear operators: constant SciPy sparse matrices and LinearOperators times arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import lazy
from wengert.errors import WengertValueError
from wengert.graph.node import Node, make
from wengert.graph.op import Op, Tangent
from wengert.graph.types import ArrayType, OpaqueType, array_type
from wengert.ops import linear, sparsity_of_sums
from wengert.ops.arithmetic import convert
from wengert.ops.domain import Cases, normal
from wengert.ops.families import define
from wengert.ops.movement import reshape, transpose


def _infer(types: tuple[Any, ...], params: Any) -> ArrayType:
    operator: OpaqueType = types[0]
    x: ArrayType = types[1]
    rows, columns = operator.shape if not params[0] else operator.shape[::-1]
    if not 1 <= len(x.shape) <= 2 or x.shape[0] != columns:
        raise WengertValueError(
            f"a linear operator of shape {(rows, columns)} cannot be multiplied with an array of "
            f"shape {x.shape}"
        )
    return array_type((rows, *x.shape[1:]), x.dtype)


def _build(operator: Node, x: Node, transposed: bool) -> Node:
    x = convert(x, np.result_type(operator.dtype, x.dtype))
    params = (transposed,)
    return make(apply_operator, (operator, x), params, _infer((operator.type, x.type), params))


def _evaluate(node: Node) -> Callable[..., Any]:
    shape = node.shape  # SciPy's coo_array of one row drops an axis
    if not node.params[0]:
        return lambda operator, x: np.asarray(operator @ x).reshape(shape)
    conjugated = node.args[0].dtype.kind == "c"

    def run(operator: Any, x: Any) -> Any:
        if hasattr(operator, "matvec"):  # a LinearOperator states its adjoint, not its transpose
            adjoint = operator.H
            return np.conj(adjoint @ np.conj(x)) if conjugated else np.asarray(adjoint @ x)
        return np.asarray(operator.T @ x).reshape(shape)

    return run


def _again(node: Node, x: Node, flip: bool = False) -> Node:
    """The linear value as an exact array: masks are dropped, as rows mix."""
    transposed = node.params[0] ^ flip
    return apply_operator(node.args[0], x, transposed)


def _transpose(node: Node, ct: Node, wanted: Sequence[bool]) -> Sequence[Tangent]:
    return None, linear.convert(_again(node, ct, flip=True), node.args[1].dtype)


def _batch(node: Node, args: Sequence[Node], batched: Sequence[bool], size: int) -> Node:
    """One product with all the columns of the batch side by side."""
    operator, x = args
    inner = x.shape[1]
    columns = reshape(transpose(x, (1, 0, *range(2, x.ndim))), (inner, -(-x.size // max(inner, 1))))
    result = apply_operator(operator, columns, node.params[0])
    rows = node.shape[0]
    split = reshape(result, (rows, size, *node.shape[1:]))
    return transpose(split, (1, 0, *range(2, split.ndim)))


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    matrix = lazy.module("scipy.sparse").csr_array(normal(rng, dtype, 3, 2))
    yield [matrix, normal(rng, dtype, 2)], (False,)
    yield [matrix, normal(rng, dtype, 3, 2)], (True,)


apply_operator: Op = define(
    "apply_operator",
    family="contraction",
    build=_build,
    infer=_infer,
    evaluate=_evaluate,
    pushforward=lambda node, ts: _again(node, ts[1]),
    transpose=_transpose,
    batch=_batch,
    sparsity=sparsity_of_sums.applied,
    label="{0} {1}",
    domain=Cases(_draw),
)
