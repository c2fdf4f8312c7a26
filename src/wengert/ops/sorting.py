"""Orders and searches: integer results, so that values are moved by indexing and differentiate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.graph.node import Node, make
from wengert.graph.op import Op
from wengert.graph.types import INT, array_type
from wengert.ops.domain import Cases, normal
from wengert.ops.families import batch_by_loop, batch_unary, opaque


def _evaluate_argsort(node: Node) -> Callable[..., Any]:
    axis, kind = node.params
    return lambda x: np.argsort(x, axis, kind)


def _draw_argsort(rng: np.random.Generator, dtype: Any) -> Any:
    yield [normal(rng, dtype, 5)], (0,)
    yield [normal(rng, dtype, 2, 4)], (1,)


argsort: Op = opaque(
    "argsort",
    build=lambda x, axis, kind="stable": make(
        argsort, (x,), (axis, kind), array_type(x.shape, INT)
    ),
    infer=lambda types, params: array_type(types[0].shape, INT),
    evaluate=_evaluate_argsort,
    batch=batch_unary(lambda node, x: argsort(x, node.params[0] + 1, node.params[1])),
    label="argsort {0}",
    domain=Cases(_draw_argsort, kinds="iufc"),
)


def _evaluate_argpartition(node: Node) -> Callable[..., Any]:
    kth, axis = node.params
    return lambda x: np.argpartition(x, kth, axis)


def _draw_argpartition(rng: np.random.Generator, dtype: Any) -> Any:
    yield [rng.permutation(5).astype(dtype)], ((0, 1, 2, 3, 4), 0)
    yield [rng.permutation(8).astype(dtype).reshape(2, 4)], ((0, 1, 2, 3), 1)


argpartition: Op = opaque(
    "argpartition",
    build=lambda x, kth, axis: make(argpartition, (x,), (kth, axis), array_type(x.shape, INT)),
    infer=lambda types, params: array_type(types[0].shape, INT),
    evaluate=_evaluate_argpartition,
    batch=batch_unary(lambda node, x: argpartition(x, node.params[0], node.params[1] + 1)),
    label="argpartition {0}",
    domain=Cases(_draw_argpartition, kinds="iuf"),
)
"""An order in which the elements at the places `kth` (a tuple) stand where sorting puts them."""


def _evaluate_searchsorted(node: Node) -> Callable[..., Any]:
    (side,) = node.params
    return lambda a, v: np.searchsorted(a, v, side)


def _build_searchsorted(a: Node, v: Node, side: str) -> Node:
    return make(searchsorted, (a, v), (side,), array_type(v.shape, INT))


def _draw_searchsorted(rng: np.random.Generator, dtype: Any) -> Any:
    yield [np.sort(normal(rng, dtype, 5)), normal(rng, dtype, 2, 3)], ("left",)
    yield [np.sort(normal(rng, dtype, 5)), normal(rng, dtype)], ("right",)


searchsorted: Op = opaque(
    "searchsorted",
    build=_build_searchsorted,
    infer=lambda types, params: array_type(types[1].shape, INT),
    evaluate=_evaluate_searchsorted,
    batch=batch_by_loop,
    label="searchsorted({0}, {1})",
    domain=Cases(_draw_searchsorted, kinds="iuf"),
)
