"""`numpy.linalg` on tracers: norms and products.

A norm at zero has the subgradient 0: its square root carries a structural zero there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.numpy import products
from wengert.numpy.dispatch import all_axes, implements, nodes, one_axis
from wengert.ops.arithmetic import add as add_node
from wengert.ops.arithmetic import convert
from wengert.ops.complex import absolute, imag, real
from wengert.ops.linalg.svd import svdvals
from wengert.ops.logic import equal, not_equal
from wengert.ops.movement import reshape, transpose
from wengert.ops.powers import power, sqrt, square
from wengert.ops.reductions import kept
from wengert.ops.reductions import max as maximum_over
from wengert.ops.reductions import min as minimum_over
from wengert.ops.reductions import sum as total
from wengert.ops.selection import select
from wengert.tracing.tracer import Tracer


def safe_sqrt(x: Node) -> Node:
    """√x whose derivative at 0 is 0 instead of infinite: the subgradient of a norm at zero."""
    zero = constant(0, x)
    return select(equal(x, zero), zero, sqrt(x))


def squared_magnitude(x: Node) -> Node:
    """|x|², without the kink of |x|."""
    if x.dtype.kind == "c":
        return add_node(square(real(x)), square(imag(x)))
    return square(x)


def _vector_norm(x: Node, order: Any, axes: tuple[int, ...]) -> Node:
    if order is None or order == 2:
        return safe_sqrt(total(squared_magnitude(x), axes))
    size = absolute(x)
    if order == np.inf:
        return _largest(size, axes)
    if order == -np.inf:
        return minimum_over(size, axes)
    if order == 0:
        return total(convert(not_equal(x, constant(0, x)), size.dtype), axes)
    if order == 1:
        return total(size, axes)
    try:
        p = float(order)
    except (TypeError, ValueError):
        raise WengertValueError(f"Invalid norm order {order!r} for vectors") from None
    powers = total(power(size, constant(p, size)), axes)
    inside = select(equal(powers, constant(0, powers)), constant(0, powers), powers)
    root = power(inside, constant(1 / p, inside))
    return select(equal(powers, constant(0, powers)), constant(0, powers), root)


def _matrix_norm(x: Node, order: Any, axes: tuple[int, int]) -> Node:
    rows, columns = axes
    if order in (None, "fro", "f"):
        return safe_sqrt(total(squared_magnitude(x), sorted(axes)))
    if order in (1, -1, np.inf, -np.inf):
        over, rest = (rows, columns) if order in (1, -1) else (columns, rows)
        sums = total(absolute(x), (over,))
        rest -= over < rest
        return (_largest if order in (1, np.inf) else minimum_over)(sums, (rest,))
    if order in (2, -2, "nuc"):
        rest = [axis for axis in range(x.ndim) if axis not in axes]
        values = svdvals(transpose(x, (*rest, rows, columns)))
        last = (values.ndim - 1,)
        if order == "nuc":
            return total(values, last)
        return _largest(values, last) if order == 2 else minimum_over(values, last)
    raise WengertValueError(f"Invalid norm order {order!r} for matrices")


def _largest(size: Node, axes: tuple[int, ...]) -> Node:
    """The maximum of magnitudes, 0 of none."""
    if any(size.shape[axis] == 0 for axis in axes):
        return total(size, axes)
    return maximum_over(size, axes)


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    session, (node,) = nodes(x)
    if node.dtype.kind not in "fc":
        node = convert(node, np.float64)
    if axis is None and (ord is None or node.ndim == 1):
        axes = tuple(range(node.ndim))
        result = _vector_norm(node, ord, axes)
    else:
        given = range(node.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = tuple(one_axis(a, node.ndim) for a in given)
        if len(axes) == 1:
            result = _vector_norm(node, ord, axes)
        elif len(axes) == 2:
            all_axes(axes, node.ndim)
            result = _matrix_norm(node, ord, (axes[0], axes[1]))
        else:
            raise WengertValueError("Improper number of dimensions to norm.")
    if keepdims:
        result = reshape(result, kept(node.shape, axes))
    return Tracer(result, session)


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    session, (node,) = nodes(x)
    if node.dtype.kind not in "fc":
        node = convert(node, np.float64)
    axes = all_axes(axis, node.ndim)
    result = _vector_norm(node, ord, axes)
    return Tracer(reshape(result, kept(node.shape, axes)) if keepdims else result, session)


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return norm(x, ord, (-2, -1), keepdims)


@implements(np.linalg.matmul)
def matmul(x1: Any, x2: Any, /) -> Any:
    return products.matmul(x1, x2)


@implements(np.linalg.tensordot)
def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    return products.tensordot(x1, x2, axes)


@implements(np.linalg.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return products.vecdot(x1, x2, axis)


@implements(np.linalg.cross)
def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return products.cross(x1, x2, axis=axis)


@implements(np.linalg.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    return np.matrix_transpose(x)


@implements(np.linalg.diagonal)
def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return np.diagonal(x, offset, -2, -1)


@implements(np.linalg.trace)
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return np.trace(x, offset, -2, -1, dtype)


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    """Matrix products in the order that costs least (by opt_einsum)."""
    operands = list(arrays)
    letters = "abcdefghijklmnopqrstuvwxyz"
    if not 2 <= len(operands) < len(letters):
        raise WengertValueError(f"multi_dot needs 2 to {len(letters) - 1} arrays")
    terms = [letters[k : k + 2] for k in range(len(operands))]
    first, last = np.ndim(operands[0]), np.ndim(operands[-1])
    if first == 1:
        terms[0] = terms[0][1]
    if last == 1:
        terms[-1] = terms[-1][0]
    ends = (terms[0][0] if first == 2 else "") + (terms[-1][-1] if last == 2 else "")
    return np.einsum(",".join(terms) + "->" + ends, *operands, out=out)
