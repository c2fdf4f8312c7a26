"""In which order a factorisation with exchanges takes rows or columns: constant nearby.

row_order(A)       p with A[p] = L U, for a matrix of any shape
column_order(A)    p such that A[:, p] = Q R has falling |R[i, i]|
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import lazy
from wengert.errors import WengertValueError
from wengert.graph.node import Node, make
from wengert.graph.op import Op
from wengert.graph.types import INT, ArrayType, array_type
from wengert.ops.domain import Cases, normal
from wengert.ops.families import opaque


def _rows(a: Any) -> Any:
    lu = lazy.module("scipy.linalg").lu
    placed = lu(a, p_indices=True, check_finite=False)[0]  # A = (L U)[placed]
    return np.argsort(placed) if a.size else np.arange(len(a))


def _columns(a: Any) -> Any:
    qr = lazy.module("scipy.linalg").qr
    return qr(a, mode="r", pivoting=True, check_finite=False)[1]


def _order(name: str, one: Callable[[Any], Any], axis: int, label: str) -> Op:
    def infer(types: tuple[ArrayType, ...], params: Any) -> ArrayType:
        shape = types[0].shape
        return array_type((*shape[:-2], shape[axis]), INT)

    def build(a: Node) -> Node:
        if a.ndim < 2:
            raise WengertValueError(f"{name} needs matrices, not an array of shape {a.shape}")
        return make(op, (a,), None, infer((a.type,), None))

    def run(a: Any) -> Any:
        result = np.empty((*a.shape[:-2], a.shape[axis]), INT)
        for at in np.ndindex(a.shape[:-2]):
            result[at] = one(a[at])
        return result

    op: Op = opaque(
        name,
        build=build,
        infer=infer,
        evaluate=lambda node: run,
        batch=lambda node, args, batched, size: op(args[0]),
        label=label,
        domain=Cases(_draw),
    )
    return op


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2), (0, 2)):
        yield [normal(rng, dtype, *shape)], ()


row_order: Op = _order("row_order", _rows, -2, "rows of lu {0}")
column_order: Op = _order("column_order", _columns, -1, "columns of qr {0}")
