"""Products of arrays: matmul, dot, einsum, tensordot and kin, all pairwise contractions.

Constant SciPy sparse matrices and LinearOperators multiply traced arrays as one op of their own.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert import lazy
from wengert.errors import Unsupported, WengertValueError
from wengert.graph.node import Node
from wengert.graph.registry import FUNCTIONS
from wengert.numpy.assigning import fixed_index
from wengert.numpy.dispatch import (
    array_nodes,
    implements,
    into,
    nodes,
    one_axis,
    refuse,
    to_dtype,
    tracers,
)
from wengert.ops.arithmetic import multiply
from wengert.ops.complex import conjugate
from wengert.ops.contraction import contract
from wengert.ops.gather import scatter_put
from wengert.ops.movement import broadcast_to, index, reshape, transpose, whole
from wengert.ops.operators import apply_operator
from wengert.ops.reductions import sum as total
from wengert.tracing.lifting import is_traced
from wengert.tracing.tracer import METHODS, Tracer
from wengert.tracing.views import view


def is_operator(x: Any) -> bool:
    """Whether x is a SciPy sparse matrix or array, or a LinearOperator."""
    return not isinstance(x, np.ndarray | Tracer) and (hasattr(x, "matvec") or hasattr(x, "tocsr"))


def operator_product(a: Any, x: Tracer, transposed: bool) -> Tracer:
    """A constant operator (or its transpose) times a traced vector or matrix."""
    if len(a.shape) == 1:  # a sparse array of one axis, as S[0] is
        return operator_product(a.reshape((1, a.shape[0])).tocsr(), x, transposed=False)[0]
    captured = x.session.capture_operator(a)
    return Tracer(apply_operator(captured, x.node, transposed), x.session)


def _operator_times(a: Any, x: Tracer) -> Tracer:
    return operator_product(a, x, transposed=False)


def _adjoint_times(a: Any, x: Tracer) -> Tracer:
    return np.conjugate(operator_product(a, np.conjugate(x), transposed=True))


FUNCTIONS["is_traced"] = is_traced
FUNCTIONS["operator_times"] = _operator_times
FUNCTIONS["adjoint_times"] = _adjoint_times


@implements(np.matmul)
def matmul(x1: Any, x2: Any, /, out: Any = None, **kwargs: Any) -> Any:
    refuse("matmul", **{name: (value, None) for name, value in kwargs.items()})
    if is_operator(x1):
        return operator_product(x1, x2, transposed=False)
    if is_operator(x2):  # x A = (Aᵀ xᵀ)ᵀ
        return operator_product(x2, x1.T, transposed=True).T
    session, (a, b) = nodes(x1, x2)
    return into(Tracer(_matmul(a, b), session), out)


def _matmul(a: Node, b: Node) -> Node:
    if not a.ndim or not b.ndim:
        raise WengertValueError("matmul: an operand has no axes; use * for products with scalars")
    if a.shape[-1] != b.shape[max(b.ndim - 2, 0)]:
        raise WengertValueError(
            f"matmul: shapes {a.shape} and {b.shape} do not match: the last axis of the first has "
            f"extent {a.shape[-1]}, the axis of the second that it meets "
            f"{b.shape[max(b.ndim - 2, 0)]}"
        )
    if b.ndim == 1:
        return contract(a, b, ((a.ndim - 1,), (0,)))
    if b.ndim == 2:
        return contract(a, b, ((a.ndim - 1,), (0,)))
    if a.ndim == 1:
        return contract(a, b, ((0,), (b.ndim - 2,)))
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if a.ndim == 2:  # (stack, i, k) from i and (stack, k)
        result = contract(a, b, ((1,), (b.ndim - 2,)))
        return transpose(result, (*range(1, len(stack) + 1), 0, len(stack) + 1))
    a = broadcast_to(a, (*stack, *a.shape[-2:]))
    b = broadcast_to(b, (*stack, *b.shape[-2:]))
    along = tuple(range(len(stack)))
    return contract(a, b, ((a.ndim - 1,), (b.ndim - 2,)), (along, along))


@implements(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Any:
    if is_operator(a) or is_operator(b):
        return matmul(a, b)
    session, (x, y) = array_nodes(a, b)
    if not x.ndim or not y.ndim:
        result = multiply(x, y)
    else:
        _check_inner(x, y, max(y.ndim - 2, 0), "dot")
        result = contract(x, y, ((x.ndim - 1,), (max(y.ndim - 2, 0),)))
    return into(Tracer(result, session), out)


METHODS["dot"] = dot


def _check_inner(x: Node, y: Node, axis: int, what: str) -> None:
    if x.shape[-1] != y.shape[axis]:
        raise WengertValueError(
            f"{what}: shapes {x.shape} and {y.shape} not aligned: {x.shape[-1]} (dim {x.ndim - 1}) "
            f"!= {y.shape[axis]} (dim {axis})"
        )


@implements(np.vdot)
def vdot(a: Any, b: Any, /) -> Any:
    session, (x, y) = array_nodes(a, b)
    if x.size != y.size:
        raise WengertValueError(f"vdot: sizes of shapes {x.shape} and {y.shape} do not match")
    x, y = reshape(x, (x.size,)), reshape(y, (y.size,))
    if x.dtype.kind == "c":
        x = conjugate(x)
    return Tracer(contract(x, y, ((0,), (0,))), session)


@implements(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    session, (x, y) = array_nodes(a, b)
    if not x.ndim or not y.ndim:
        return Tracer(multiply(x, y), session)
    _check_inner(x, y, y.ndim - 1, "inner")
    return Tracer(contract(x, y, ((x.ndim - 1,), (y.ndim - 1,))), session)


@implements(np.outer, np.linalg.outer)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    session, (x, y) = nodes(a, b)
    product = contract(reshape(x, (x.size,)), reshape(y, (y.size,)), ((), ()))
    return into(Tracer(product, session), out)


@implements(np.vecdot)
def vecdot(x1: Any, x2: Any, /, axis: int = -1, **kwargs: Any) -> Any:
    session, (x, y) = nodes(x1, x2)
    axis_x, axis_y = one_axis(axis, x.ndim), one_axis(axis, y.ndim)
    x = transpose(x, (*[k for k in range(x.ndim) if k != axis_x], axis_x))
    y = transpose(y, (*[k for k in range(y.ndim) if k != axis_y], axis_y))
    product = multiply(conjugate(x), y)
    return Tracer(total(product, (product.ndim - 1,)), session)


@implements(np.matvec)
def matvec(x1: Any, x2: Any, /, **kwargs: Any) -> Any:
    (x, y) = tracers(x1, x2)
    return matmul(x, y[..., None])[..., 0]


@implements(np.vecmat)
def vecmat(x1: Any, x2: Any, /, **kwargs: Any) -> Any:
    (x, y) = tracers(x1, x2)
    return matmul(np.conjugate(x)[..., None, :], y)[..., 0, :]


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    session, (x, y) = array_nodes(a, b)
    try:
        count = operator.index(axes)
    except TypeError:
        first, second = axes
        left = (first,) if isinstance(first, int) else tuple(first)
        right = (second,) if isinstance(second, int) else tuple(second)
    else:
        left, right = tuple(range(x.ndim - count, x.ndim)), tuple(range(count))
    if len(left) != len(right):
        raise WengertValueError("shape-mismatch for sum: axes must come in pairs")
    over = (
        tuple(one_axis(axis, x.ndim) for axis in left),
        tuple(one_axis(axis, y.ndim) for axis in right),
    )
    return Tracer(contract(x, y, over), session)


@implements(np.kron)
def kron(a: Any, b: Any) -> Any:
    session, (x, y) = array_nodes(a, b)
    rank = max(x.ndim, y.ndim)
    x = reshape(x, (*(1,) * (rank - x.ndim), *x.shape))
    y = reshape(y, (*(1,) * (rank - y.ndim), *y.shape))
    product = contract(x, y, ((), ()))
    order = [axis for k in range(rank) for axis in (k, rank + k)]
    shape = tuple(m * n for m, n in zip(x.shape, y.shape, strict=True))
    return Tracer(reshape(transpose(product, order), shape), session)


@implements(np.cross)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = tracers(a, b)
    x, y = np.moveaxis(x, axisa, -1), np.moveaxis(y, axisb, -1)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise Unsupported(
            f"cross of vectors with {x.shape[-1]} and {y.shape[-1]} components cannot be traced "
            "(only with three)"
        )
    (x0, x1, x2), (y0, y1, y2) = ([v[..., k] for k in range(3)] for v in (x, y))
    parts = [x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0]
    return np.stack(parts, axis=one_axis(axisc, parts[0].ndim + 1))


# --------------------------------------------------------------------------------- einsum


@implements(np.einsum)
def einsum(
    *operands: Any, out: Any = None, dtype: Any = None, optimize: Any = True, **kwargs: Any
) -> Any:
    """Pairwise contractions in the order that opt_einsum finds cheapest."""
    refuse("einsum", order=(kwargs.get("order", "K"), "K"))
    spec, result, arrays = lazy.module("opt_einsum").parser.parse_einsum_input(
        operands, shapes=False
    )
    terms = spec.split(",")
    session, lifted = nodes(*arrays)
    sizes: dict[str, int] = {}
    values = []
    for term, node in zip(terms, lifted, strict=True):
        if len(term) != node.ndim:
            raise WengertValueError(
                f"einsum: the term {term!r} has {len(term)} subscripts for an operand of shape "
                f"{node.shape}"
            )
        for letter, extent in zip(term, node.shape, strict=True):
            if sizes.setdefault(letter, extent) != extent and 1 not in (sizes[letter], extent):
                raise WengertValueError(
                    f"einsum: the subscript {letter!r} has extents {sizes[letter]} and {extent}"
                )
            sizes[letter] = max(sizes[letter], extent)
        values.append(_diagonals(node, term))
    path = _path(spec, result, [v[0].shape for v in values], [t for _, t in values])
    while len(values) > 1:
        chosen = path.pop(0)
        pair = [values[k] for k in chosen]
        for k in sorted(chosen, reverse=True):
            del values[k]
        needed = set(result).union(*[term for _, term in values])
        while len(pair) > 1:
            later = set().union(*[term for _, term in pair[2:]])
            pair[:2] = [_pairwise(pair[0], pair[1], needed | later, sizes)]
        values.append(pair[0])
    if len(terms) == 1 and set(terms[0]) == set(result) and dtype is None and out is None:
        return _rearranged(*tracers(*arrays), terms[0], result)
    ((node, term),) = values
    node, term = _summed(node, term, set(result))
    missing = set(result) - set(term)
    if missing:
        raise WengertValueError(f"einsum: output subscripts {sorted(missing)} are in no input")
    final = transpose(node, [term.index(letter) for letter in result])
    return into(to_dtype(Tracer(final, session), dtype), out)


def _rearranged(x: Tracer, term: str, result: str) -> Tracer:
    """An einsum of one operand that sums nothing: a view, to which one may write, as NumPy's."""
    equation = f"{term}->{result}"

    def get(node: Node) -> Node:
        diagonal, left = _diagonals(node, term)
        return transpose(diagonal, [left.index(letter) for letter in result])

    def put(old: Node, new: Node) -> Node:
        places = np.einsum(equation, np.arange(old.size).reshape(old.shape)).ravel()
        flat = scatter_put(
            reshape(old, (old.size,)), fixed_index(places, x.session), reshape(new, (new.size,))
        )
        return reshape(flat, old.shape)

    return view(x, get, put, lambda array: np.einsum(equation, array))


def _path(
    spec: str, result: str, shapes: Sequence[tuple[int, ...]], terms: Sequence[str]
) -> list[tuple[int, ...]]:
    if len(shapes) <= 2:
        return [tuple(range(len(shapes)))]
    equation = ",".join(terms) + "->" + result
    path, _ = lazy.module("opt_einsum").contract_path(equation, *shapes, shapes=True)
    return [tuple(step) for step in path]


def _diagonals(node: Node, term: str) -> tuple[Node, str]:
    """Repeated subscripts of one operand: its diagonal, by a flat index."""
    for letter in term:
        while term.count(letter) > 1:
            i, j = term.index(letter), term.rindex(letter)
            extent = node.shape[i]
            rest = [k for k in range(node.ndim) if k not in (i, j)]
            front = transpose(node, (i, j, *rest))
            stride = extent + 1
            flat = reshape(front, (extent * extent, *front.shape[2:]))
            entries = ((0, extent, stride), *whole(flat.shape[1:]))
            node = index(flat, entries)
            term = letter + "".join(term[k] for k in rest)
    return node, term


def _summed(node: Node, term: str, needed: set[str]) -> tuple[Node, str]:
    """Sum over the subscripts that nobody needs any more."""
    axes = [k for k, letter in enumerate(term) if letter not in needed]
    return total(node, axes), "".join(letter for letter in term if letter in needed)


def _pairwise(
    a: tuple[Node, str], b: tuple[Node, str], needed: set[str], sizes: dict[str, int]
) -> tuple[Node, str]:
    """One contraction: over what only these two have, along what both have and others need."""
    (x, left), (y, right) = a, b
    x, left = _summed(x, left, needed | set(right))
    y, right = _summed(y, right, needed | set(left))
    x, y = _spread(x, left, right, sizes), _spread(y, right, left, sizes)
    shared = [letter for letter in left if letter in right]
    over = [letter for letter in shared if letter not in needed]
    along = [letter for letter in shared if letter in needed]
    node = contract(
        x,
        y,
        (tuple(left.index(k) for k in over), tuple(right.index(k) for k in over)),
        (tuple(left.index(k) for k in along), tuple(right.index(k) for k in along)),
    )
    free_left = [letter for letter in left if letter not in shared]
    free_right = [letter for letter in right if letter not in shared]
    return node, "".join((*along, *free_left, *free_right))


def _spread(node: Node, term: str, other: str, sizes: dict[str, int]) -> Node:
    """Axes of extent 1 that meet longer ones are repeated, as NumPy's einsum does."""
    shape = tuple(
        sizes[letter] if letter in other else extent
        for letter, extent in zip(term, node.shape, strict=True)
    )
    return broadcast_to(node, shape)
