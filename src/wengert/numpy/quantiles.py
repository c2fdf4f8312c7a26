"""Medians, quantiles and percentiles.

A quantile is an interpolation between two elements of the sorted array, at a *virtual index* that
the method derives from q and the number of elements n (Hyndman & Fan 1996). The derivative goes to
these two elements, and by q to their difference. Where q and n are known while tracing, so are the
places, and a partition finds them; where they are traced (q is, or the number of elements that are
not NaN) the array is sorted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.graph.registry import find
from wengert.graph.types import FLOAT, INT
from wengert.numpy.dispatch import apply, implements, into, nodes, refuse
from wengert.numpy.reductions import ABSENT, given, reduced_axes
from wengert.numpy.sorting import partition_order, sorted_node
from wengert.ops.arithmetic import add, convert, divide, multiply, one, subtract
from wengert.ops.gather import gather, take_along_axis
from wengert.ops.logic import greater_equal, logical_not
from wengert.ops.movement import index as basic_index
from wengert.ops.movement import reshape, transpose
from wengert.ops.reductions import along, kept, merged
from wengert.ops.reductions import sum as total
from wengert.ops.rounding import isnan
from wengert.ops.selection import select
from wengert.tracing.lifting import is_traced, lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer


class _Lines:
    """The operand as (…, n): the reduced axes merged into one at the end, as NumPy merges them.

    count: n, or where NaN is left out the number of the others in each line, traced, shape (…, 1).
    """

    __slots__ = ("axes", "count", "keepdims", "node", "operand", "session", "skips")

    def __init__(self, a: Any, axis: Any, keepdims: Any, nan: bool, *others: Any) -> None:
        self.session: Session
        self.session, (self.operand, *_) = nodes(a, *others)
        self.axes = reduced_axes(axis, self.operand.ndim)
        self.keepdims = bool(given(keepdims, False))
        self.node: Node = merged(self.operand, self.axes)
        self.skips = nan and self.operand.dtype.kind in "fc"
        self.count: Any = self.node.shape[-1]
        if self.skips:
            present = convert(logical_not(isnan(self.node)), INT)
            counted = total(present, (self.node.ndim - 1,))
            self.count = Tracer(reshape(counted, (*counted.shape, 1)), self.session)

    def picked(self, *indices: Any) -> list[Node]:
        """The elements at these places of the sorted lines; each index is (…, k) or (k,)."""
        x, last = self.node, self.node.ndim - 1
        if any(is_traced(index) for index in indices):
            line = sorted_node(x, last)
            return [self._along(line, lift(index, self.session)) for index in indices]
        order = partition_order(x, np.concatenate(indices), last)
        return [take_along_axis(x, self._columns(order, index), last) for index in indices]

    def _columns(self, order: Node, index: Any) -> Node:
        last = order.ndim - 1
        if index.size == 1:
            return basic_index(order, along(order.shape, last, int(index[0]), 1))
        return gather(order, lift(index, self.session), last)

    def _along(self, line: Node, index: Node) -> Node:
        if index.ndim < line.ndim:
            return gather(line, index, line.ndim - 1)
        return take_along_axis(line, index, line.ndim - 1)

    def deliver(self, result: Node, q_shape: tuple[int, ...], out: Any) -> Any:
        """The result (…, k) as the caller asked for it: the axes of q in front."""
        x = self.node
        if not self.skips and x.dtype.kind in "fc":
            spoilt = find("any")(isnan(x), (x.ndim - 1,))
            spoilt = reshape(spoilt, (*spoilt.shape, 1))
            result = select(spoilt, constant(np.nan, result), result)
        front = transpose(result, (result.ndim - 1, *range(result.ndim - 1)))
        inner = kept(self.operand.shape, self.axes) if self.keepdims else front.shape[1:]
        return into(Tracer(reshape(front, (*q_shape, *inner)), self.session), out)


# ---------------------------------------------------------------------------------- medians


def _median(nan: bool) -> Callable[..., Any]:
    """np.median or np.nanmedian: the mean of the two elements in the middle."""

    def reduce(
        a: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: bool = False,
        keepdims: Any = ABSENT,
    ) -> Any:
        lines = _Lines(a, axis, keepdims, nan)
        n, x = lines.count, lines.node
        if not x.shape[-1]:
            warnings.warn("Mean of empty slice.", RuntimeWarning, stacklevel=2)
            dtype = x.dtype if x.dtype.kind in "fc" else FLOAT
            return lines.deliver(full(np.nan, dtype, (*x.shape[:-1], 1)), (), out)
        if isinstance(n, Tracer):
            low, high = _within((n - 1) // 2, n), _within(n // 2, n)
        else:
            low, high = np.array([(n - 1) // 2]), np.array([n // 2])
        if isinstance(n, int) and n % 2:
            (middle,) = lines.picked(low)
            return lines.deliver(_as_mean(middle), (), out)
        left, right = (_as_mean(node) for node in lines.picked(low, high))
        summed = add(left, right)
        return lines.deliver(divide(summed, constant(2, summed)), (), out)

    return reduce


def _as_mean(x: Node) -> Node:
    """In the dtype that a mean has."""
    return x if x.dtype.kind in "fc" else convert(x, FLOAT)


implements(np.median)(_median(False))
implements(np.nanmedian)(_median(True))

# -------------------------------------------------------------------------- virtual indices
#
# Each method takes (n, q) to (index, weight): the virtual index, and how its fractional part γ
# weighs the upper neighbour (None: the index is whole). They work on arrays and on tracers alike.

Weight = Callable[[Any, Any], Any]


def _where(mask: Any, a: Any, b: Any) -> Any:
    return apply("select", mask, a, b) if is_traced(mask) else np.where(mask, a, b)


def _whole(x: Any) -> Any:
    return x.astype(INT)


def _fraction(index: Any, gamma: Any) -> Any:
    return gamma


def _continuous(alpha: float, beta: float) -> Callable[[Any, Any], tuple[Any, Weight]]:
    """n q + α + q (1 − α − β) − 1."""

    def method(n: Any, q: Any) -> tuple[Any, Weight]:
        start, slope = q.dtype.type(alpha), q.dtype.type(1 - alpha - beta)
        return n * q + (start + q * slope) - 1, _fraction

    return method


def _midpoint(n: Any, q: Any) -> tuple[Any, Weight]:
    at = (n - 1) * q
    half = q.dtype.type(0.5)
    return half * (np.floor(at) + np.ceil(at)), _fraction


def _averaged(n: Any, q: Any) -> tuple[Any, Weight]:
    half, all_of_it = q.dtype.type(0.5), q.dtype.type(1)
    return n * q - 1, lambda index, gamma: _where(gamma == 0, half, all_of_it)


def _stepping(at: Any, stays: Callable[[Any], Any]) -> tuple[Any, None]:
    """The place below a virtual index where `stays` says so, else the one above."""
    below = np.floor(at)
    here = (at == below) & stays(below)
    return _whole(_where(here, below, below + 1)), None


METHODS: dict[str, Callable[[Any, Any], tuple[Any, Weight | None]]] = {
    "linear": lambda n, q: ((n - 1) * q, _fraction),
    "hazen": _continuous(0.5, 0.5),
    "weibull": _continuous(0, 0),
    "median_unbiased": _continuous(1 / 3, 1 / 3),
    "normal_unbiased": _continuous(3 / 8, 3 / 8),
    "interpolated_inverted_cdf": _continuous(0, 1),
    "midpoint": _midpoint,
    "averaged_inverted_cdf": _averaged,
    "lower": lambda n, q: (_whole(np.floor((n - 1) * q)), None),
    "higher": lambda n, q: (_whole(np.ceil((n - 1) * q)), None),
    "nearest": lambda n, q: (_whole(np.rint((n - 1) * q)), None),
    "inverted_cdf": lambda n, q: _stepping(n * q - 1, lambda below: below == below),
    "closest_observation": lambda n, q: _stepping(
        n * q - 1 - q.dtype.type(0.5), lambda below: below % 2 == 1
    ),
}


def _within(index: Any, n: Any) -> Any:
    """The index as a place among n elements (of which there may be none)."""
    index = _whole(index)
    if is_traced(index) or is_traced(n):
        return apply("maximum", apply("minimum", index, n - 1), 0)
    return np.clip(index, 0, n - 1)


def _between(low: Node, high: Node, weight: Any, session: Session) -> Node:
    """low + (high − low) γ, from the nearer end, as NumPy rounds it."""
    gamma = lift(weight, session) if not isinstance(weight, Node) else weight
    step = subtract(high, low)
    from_low = add(low, multiply(step, gamma))
    from_high = subtract(high, multiply(step, subtract(one(gamma), gamma)))
    half = constant(0.5, gamma)
    if is_traced(weight) or isinstance(weight, Node):
        return select(greater_equal(gamma, half), from_high, from_low)
    late = np.asarray(weight) >= 0.5
    if late.all():
        return from_high
    return select(lift(late, session), from_high, from_low) if late.any() else from_low


# -------------------------------------------------------------------------------- quantiles


def _checked(q: Any, most: int) -> None:
    """NumPy's errors for q; a traced q is forced for it."""
    if q.ndim > 2:
        raise WengertValueError("q must be a scalar or 1d")
    if q.size and not bool(((q >= 0) & (q <= most)).all()):
        name = "Quantiles must be in the range [0, 1]" if most == 1 else ""
        raise WengertValueError(name or "Percentiles must be in the range [0, 100]")


def _quantile(most: int, nan: bool, name: str) -> Callable[..., Any]:
    """np.quantile (q up to 1) or np.percentile (q up to 100), or the same without NaN."""

    def reduce(
        a: Any,
        q: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: Any = ABSENT,
        *,
        weights: Any = None,
    ) -> Any:
        refuse(name, weights=(weights, None))
        lines = _Lines(a, axis, keepdims, nan, q)
        if lines.node.dtype.kind == "c":
            raise WengertTypeError("a must be an array of real numbers")
        if method not in METHODS:
            raise WengertValueError(
                f"{method!r} is not a valid method. Use one of: {list(METHODS)}"
            )
        if not lines.node.shape[-1]:
            raise WengertValueError(f"{name} of an empty array has no value")
        weak = type(q) in (int, float) or (isinstance(q, Tracer) and q.node.type.weak)
        q = q if isinstance(q, Tracer) else _concrete(q, lines.session)
        _checked(q, most)
        result, q_shape = _at(lines, q / most if most > 1 else q, method, weak)
        return lines.deliver(result, q_shape, out)

    return reduce


def _concrete(q: Any, session: Session) -> Any:
    """q as an array, or as a tracer where it is a list that holds one."""
    return Tracer(lift(q, session), session) if is_traced(q) else np.asarray(q)


def _at(lines: _Lines, q: Any, method: str, weak: bool) -> tuple[Node, tuple[int, ...]]:
    """The quantiles (…, k) for the k elements of q, and the shape of q."""
    shape, n = q.shape, lines.count
    exact = method == "linear" and q.dtype.kind in "biu"
    q = q.reshape((q.size,))
    if q.dtype.kind != "f":
        q = q.astype(FLOAT)
    if isinstance(n, Tracer):
        n = n.astype(q.dtype)
    index, weigh = METHODS[method](n, q)
    if weigh is None or exact:
        (result,) = lines.picked(_within(index, lines.count))
        return result, shape
    below = np.floor(index)
    low, high = lines.picked(_within(below, lines.count), _within(below + 1, lines.count))
    gamma = weigh(index, index - below)
    if weak:
        dtype = low.dtype if low.dtype.kind == "f" else FLOAT
        gamma = gamma.astype(dtype)
    return _between(low, high, gamma, lines.session), shape


for _function, _most, _nan in (
    (np.quantile, 1, False),
    (np.percentile, 100, False),
    (np.nanquantile, 1, True),
    (np.nanpercentile, 100, True),
):
    implements(_function)(_quantile(_most, _nan, f"np.{_function.__name__}"))
