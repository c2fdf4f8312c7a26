"""Covariances and histograms. Counts have no derivative; the weights that are counted do."""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np

from wengert.errors import Unsupported, WengertTypeError, WengertValueError
from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.graph.types import BOOL, FLOAT, INT
from wengert.numpy.dispatch import implements, nodes
from wengert.numpy.reductions import diagonal_of
from wengert.numpy.sorting import search
from wengert.ops.arithmetic import add, convert, divide, multiply, subtract
from wengert.ops.complex import conjugate, imag, join, real
from wengert.ops.contraction import contract
from wengert.ops.gather import scatter_add
from wengert.ops.leaves import iota
from wengert.ops.logic import equal, greater, greater_equal, less_equal, logical_and
from wengert.ops.movement import concatenate, index, reshape, transpose
from wengert.ops.powers import sqrt
from wengert.ops.reductions import along
from wengert.ops.reductions import sum as total
from wengert.ops.selection import common_dtype, maximum, minimum, select
from wengert.tracing.forcing import force
from wengert.tracing.lifting import is_traced, lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer

# ------------------------------------------------------------------------------ covariances


def _rows(m: Node, dtype: Any, rowvar: bool, first: bool) -> Node:
    """Observations in the columns of a matrix."""
    turned = m.ndim != 1 if first else (m.ndim == 2 and m.shape[0] != 1)
    x = reshape(m, (1,) * (2 - m.ndim) + m.shape)
    return convert(transpose(x, (1, 0)) if not rowvar and turned else x, dtype)


def _weights(fweights: Any, aweights: Any, count: int, session: Session) -> tuple[Any, Any]:
    """(all weights, aweights) as nodes, checked as NumPy checks them."""
    product = None
    found = []
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            found.append(None)
            continue
        node = convert(lift(given, session), FLOAT)
        if node.ndim > 1:
            raise RuntimeError(f"cannot handle multidimensional {name}")
        if node.shape[0] != count:
            raise RuntimeError(f"incompatible numbers of samples and {name}")
        if not is_traced(given):
            values = np.asarray(given, dtype=float)
            if name == "fweights" and not np.all(values == np.around(values)):
                raise WengertTypeError("fweights must be integer")
            if np.any(values < 0):
                raise WengertValueError(f"{name} cannot be negative")
        product = node if product is None else multiply(product, node)
        found.append(node)
    return product, found[1]


@implements(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    if ddof is not None and ddof != int(ddof):
        raise WengertValueError("ddof must be integer")
    others = [value for value in (y, fweights, aweights) if value is not None]
    session, (node, *_) = nodes(m, *others)
    operands = [node] if y is None else [node, lift(y, session)]
    for name, operand in zip("my", operands, strict=False):
        if operand.ndim > 2:
            raise WengertValueError(f"{name} has more than 2 dimensions")
    if dtype is None:
        dtype = np.result_type(FLOAT, *[operand.dtype for operand in operands])
    parts = [_rows(part, dtype, rowvar, k == 0) for k, part in enumerate(operands)]
    x = concatenate(*parts, axis=0)
    count = x.shape[1]
    ddof = (0 if bias else 1) if ddof is None else int(ddof)
    w, a = _weights(fweights, aweights, count, session)
    if w is None:
        factor: Node = full(max(count - ddof, 0), real(x).dtype)
        mean = divide(total(x, (1,)), full(count, x.dtype))
        if count <= ddof:
            warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
    else:
        w_sum = total(w, (0,))
        factor = w_sum
        if ddof and a is None:
            factor = subtract(w_sum, constant(ddof, w_sum))
        elif ddof:
            squares = multiply(constant(ddof, w_sum), total(multiply(w, a), (0,)))
            factor = subtract(w_sum, divide(squares, w_sum))
        mean = divide(total(multiply(x, w), (1,)), convert(w_sum, x.dtype))
    off = subtract(x, reshape(mean, (x.shape[0], 1)))
    weighted = off if w is None else convert(multiply(off, w), off.dtype)
    product = contract(off, conjugate(weighted), ((1,), (1,)))
    result = multiply(product, convert(divide(constant(1, factor), factor), product.dtype))
    squeezed = tuple(extent for extent in result.shape if extent != 1)
    return Tracer(reshape(result, squeezed), session)


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    covariance = cov(x, y, rowvar, dtype=dtype)
    c, session = covariance.node, covariance.session
    if c.ndim < 2:
        return Tracer(divide(c, c), session)
    deviation = convert(sqrt(real(diagonal_of(c, 0, 0, 1))), c.dtype)
    c = divide(divide(c, reshape(deviation, (c.shape[0], 1))), deviation)
    if c.dtype.kind == "c":
        return Tracer(join(_unit(real(c)), _unit(imag(c))), session)
    return Tracer(_unit(c), session)


def _unit(x: Node) -> Node:
    """x clipped to [−1, 1], where rounding leaves it."""
    return minimum(maximum(x, constant(-1, x)), constant(1, x))


# ------------------------------------------------------------------------------- histograms


def _counts(places: Node, weights: Node | None, size: int) -> Node:
    """How often each place occurs, or the sum of the weights there."""
    values = full(1, INT, places.shape) if weights is None else weights
    return scatter_add(values, places, 0, size)


@implements(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: Any = 0) -> Any:
    """The length of the result depends on the largest element, which is forced if x is traced."""
    session, (places, *_) = nodes(x, *([] if weights is None else [weights]))
    if places.ndim != 1:
        raise WengertValueError("object too deep for desired array; bincount needs a 1-d array")
    if places.dtype.kind not in "biu" and places.size:
        raise WengertTypeError(
            f"bincount cannot cast x from {places.dtype} to int64 without losing its fraction"
        )
    places = convert(places, INT)
    size = operator.index(minlength)
    if size < 0:
        raise WengertValueError("'minlength' must not be negative")
    if places.size:
        line = (0,)
        if int(Tracer(find("min")(places, line), session)) < 0:
            raise WengertValueError("'list' argument must have no negative elements")
        size = max(size, int(Tracer(find("max")(places, line), session)) + 1)
    w = None
    if weights is not None:
        w = lift(weights, session)
        if w.shape != places.shape:
            raise WengertValueError("The weights and list don't have the same length.")
        if w.dtype.kind == "c":
            raise WengertTypeError("bincount cannot cast complex weights to float64")
        w = convert(w, FLOAT)
    return Tracer(_counts(places, w, size), session)


def _outer_edges(x: Node, range: Any, session: Session) -> tuple[Node, Node]:
    """The outermost edges; an empty range is widened by a half to either side."""
    if range is not None:
        low, high = range
        if bool(low > high):
            raise WengertValueError("max must be larger than min in range parameter.")
        first, last = (lift(edge, session) for edge in (low, high))
        spread = "supplied"
    elif not x.size:
        return full(0, FLOAT), full(1, FLOAT)
    else:
        first, last = find("min")(x, (0,)), find("max")(x, (0,))
        spread = "autodetected"
    values = [float(force(Tracer(edge, session))) for edge in (first, last)]
    if not np.all(np.isfinite(values)):
        raise WengertValueError(f"{spread} range of {values} is not finite")
    if bool(Tracer(equal(first, last), session)):
        half = full(0.5, FLOAT, (), True)
        return subtract(first, half), add(last, half)
    return first, last


def _even_edges(x: Node, count: int, range: Any, session: Session) -> Node:
    """Edges at equal distances, np.linspace(first, last, count + 1)."""
    first, last = _outer_edges(x, range, session)
    dtype = common_dtype(find("add")(first, last).type, x.type)
    dtype = dtype if dtype.kind == "f" else FLOAT
    first, last = convert(first, dtype), convert(last, dtype)
    step = divide(subtract(last, first), constant(count, first))
    inner = add(multiply(convert(iota(count), dtype), step), first)
    return concatenate(inner, reshape(last, (1,)), axis=0)


@implements(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    if isinstance(bins, str):
        raise Unsupported(
            f"np.histogram with bins={bins!r} cannot be traced: pass the edges, for instance of "
            "np.histogram_bin_edges on concrete data"
        )
    edges_given = np.ndim(bins) > 0
    others = [value for value in (bins if edges_given else None, weights) if value is not None]
    session, (x, *_) = nodes(a, *others)
    x = reshape(x, (x.size,))
    if x.dtype == BOOL:
        x = convert(x, np.uint8)
    if edges_given:
        edges = lift(bins, session)
        if edges.ndim != 1:
            raise WengertValueError("`bins` must be 1d, when an array")
        falls = greater(_part(edges, 0, -1), _part(edges, 1, 0))
        if bool(Tracer(find("any")(falls, (0,)), session)):
            raise WengertValueError("`bins` must increase monotonically, when an array")
    else:
        try:
            count = operator.index(bins)
        except TypeError:
            raise WengertTypeError("`bins` must be an integer, a string, or an array") from None
        if count < 1:
            raise WengertValueError("`bins` must be positive, when an integer")
        edges = _even_edges(x, count, range, session)
    w = None
    if weights is not None:
        w = lift(weights, session)
        w = reshape(w, (w.size,))
        if w.shape != x.shape:
            raise WengertValueError("weights should have the same shape as a.")
    result = _binned(x, edges, w)
    if density:
        widths = convert(subtract(_part(edges, 1, 0), _part(edges, 0, -1)), FLOAT)
        result = divide(divide(result, widths), total(result, (0,)))
    return Tracer(result, session), Tracer(edges, session)


def _part(x: Node, start: int, end: int) -> Node:
    """x[start : len(x) + end]."""
    return index(x, along(x.shape, 0, start, x.shape[0] + end - start))


def _binned(x: Node, edges: Node, weights: Node | None) -> Node:
    """Counts between the edges: each bin is closed on the left, the last one on both sides.

    What lies outside is counted in a bin that is dropped.
    """
    size = edges.shape[0] - 1
    first, last = (index(edges, (k,)) for k in (0, size))
    place = subtract(search(edges, x, "right"), full(1, INT))
    place = minimum(place, full(size - 1, INT))  # the last edge itself
    inside = logical_and(greater_equal(x, first), less_equal(x, last))
    counts = _counts(select(inside, place, full(size, INT)), weights, size + 1)
    return _part(counts, 0, -1)
