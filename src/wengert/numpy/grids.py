"""Grids and special matrices of traced vectors: meshgrid, ix_, diag, diagflat, vander."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.types import INT
from wengert.numpy.dispatch import implements, nodes, tracers
from wengert.numpy.indexing import mask_positions
from wengert.numpy.rearranging import diagonal, flip
from wengert.numpy.shapes import broadcast_to, reshaped
from wengert.ops.arithmetic import convert
from wengert.ops.movement import broadcast_to as broadcast_node
from wengert.ops.movement import concatenate, embed, reshape
from wengert.ops.reductions import cumprod
from wengert.tracing.tracer import Tracer


@implements(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if indexing not in ("xy", "ij"):
        raise WengertValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    vectors = tracers(*xi)
    place = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        place[:2] = 1, 0
    shape = [0] * len(vectors)
    for x, axis in zip(vectors, place, strict=True):
        shape[axis] = x.size
    grids = []
    for x, axis in zip(vectors, place, strict=True):
        line = reshaped(x, tuple(x.size if k == axis else 1 for k in range(len(vectors))))
        grid = line if sparse else broadcast_to(line, tuple(shape))
        grids.append(Tracer(grid.node, grid.session) if copy else grid)
    return tuple(grids)


@implements(np.ix_)
def ix_(*args: Any) -> Any:
    lines = []
    for k, x in enumerate(tracers(*args)):
        if x.ndim != 1:
            raise WengertValueError("Cross index must be 1 dimensional")
        node = mask_positions(x) if x.dtype.kind == "b" else x.node
        node = node if node.size else convert(node, INT)
        shape = (*(1,) * k, node.size, *(1,) * (len(args) - k - 1))
        lines.append(Tracer(reshape(node, shape), x.session))
    return tuple(lines)


def _on_diagonal(x: Node, k: int) -> Node:
    """A square matrix with a vector on its k-th diagonal: in a flat matrix a basic index."""
    size = x.size + abs(k)
    start = k if k >= 0 else -k * size
    place = (start, x.size, size + 1) if x.size else (0, 0, 1)
    return reshape(embed(x, (place,), (size * size,)), (size, size))


@implements(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    (x,) = tracers(v)
    k = operator.index(k)
    if x.ndim == 1:
        return Tracer(_on_diagonal(x.node, k), x.session)
    if x.ndim != 2:
        raise WengertValueError("Input must be 1- or 2-d.")
    return diagonal(x, k)


@implements(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    session, (x,) = nodes(v)
    return Tracer(_on_diagonal(reshape(x, (x.size,)), operator.index(k)), session)


@implements(np.vander)
def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    """Powers as cumulative products: no power whose derivative at zero would be NaN."""
    session, (node,) = nodes(x)
    if node.ndim != 1:
        raise WengertValueError("x must be a one-dimensional array or sequence.")
    rows, columns = node.size, node.size if N is None else operator.index(N)
    if columns < 0:
        raise WengertValueError("negative dimensions are not allowed")
    dtype = np.promote_types(node.dtype, int)
    parts = [full(1, dtype, (rows, min(columns, 1)))]
    if columns > 1:
        factors = reshape(convert(node, dtype), (rows, 1))
        parts.append(cumprod(broadcast_node(factors, (rows, columns - 1)), 1))
    powers = Tracer(concatenate(*parts, axis=1), session)
    return powers if increasing else flip(powers, 1)
