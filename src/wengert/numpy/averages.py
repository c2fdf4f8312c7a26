"""Means, variances and standard deviations, weighted averages, and the same without NaN."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.graph.types import FLOAT, DType, supported_dtype
from wengert.numpy.dispatch import all_axes, array_nodes, implements
from wengert.numpy.reductions import ABSENT, Reduction, given, reduced_axes
from wengert.ops.arithmetic import convert, divide, multiply, subtract
from wengert.ops.complex import conjugate, real
from wengert.ops.logic import greater, not_equal
from wengert.ops.movement import broadcast_to, reshape, transpose
from wengert.ops.powers import sqrt, square
from wengert.ops.reductions import kept
from wengert.ops.reductions import sum as total
from wengert.ops.selection import common_dtype, maximum, select
from wengert.tracing.forcing import force
from wengert.tracing.lifting import is_traced, lift
from wengert.tracing.tracer import Tracer


def _dtype(x: Node, dtype: Any, what: str) -> DType:
    """The dtype in which means are taken: float64 for integers."""
    if dtype is not None:
        return supported_dtype(dtype, f"the argument dtype of np.{what}")
    return x.dtype if x.dtype.kind in "fc" else FLOAT


def _warn(count: int | Node, ddof: float, message: str) -> None:
    """NumPy's warning where it can be known while tracing."""
    if isinstance(count, int) and count <= ddof:
        warnings.warn(message, RuntimeWarning, stacklevel=4)


def _over(summed: Node, count: float | Node) -> Node:
    """The sum divided by a count, in the dtype of the sum."""
    if isinstance(count, Node):
        return divide(summed, convert(count, summed.dtype))
    return divide(summed, constant(count, summed))


def _mean(run: Reduction, x: Node) -> Node:
    return _over(total(run.filled(x, 0), run.axes), run.count())


@implements(np.mean, method=True)
def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = ABSENT,
    *,
    where: Any = ABSENT,
) -> Any:
    run = Reduction(a, axis, keepdims, where)
    kind = _dtype(run.node, dtype, "mean")
    _warn(run.count(), 0, "Mean of empty slice.")
    return run.deliver(convert(_mean(run, convert(run.node, kind)), kind), out)


@implements(np.nanmean)
def nanmean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = ABSENT,
    *,
    where: Any = ABSENT,
) -> Any:
    run = Reduction(a, axis, keepdims, where)
    kind = _dtype(run.node, dtype, "nanmean")
    run.skip_nan()
    return run.deliver(convert(_mean(run, convert(run.node, kind)), kind), out)


# -------------------------------------------------------- variances and standard deviations


def _variance(run: Reduction, dtype: Any, ddof: Any, given_mean: Any, what: str) -> Node:
    """Σ |x − m|² / (n − ddof)."""
    kind = _dtype(run.node, dtype, what)
    x = convert(run.node, kind)
    if given_mean is ABSENT or given_mean is None:
        centre = run.kept(_mean(run, x))
    else:
        centre = lift(given_mean, run.session)
    off = subtract(x, centre)
    squared = real(multiply(off, conjugate(off))) if off.dtype.kind == "c" else square(off)
    summed = total(run.filled(squared, 0), run.axes)
    count = run.count()
    if isinstance(count, Node):
        free: float | Node = subtract(count, lift(ddof, run.session))
    else:
        free = count - ddof
    if what.startswith("nan") and isinstance(free, Node):
        # NumPy's nan-functions give NaN, and not an infinity, where too few are left
        enough = greater(free, constant(0, free))
        return select(enough, _over(summed, free), constant(np.nan, summed))
    _warn(count, ddof, "Degrees of freedom <= 0 for slice")
    free = maximum(free, constant(0, free)) if isinstance(free, Node) else max(free, 0)
    result = _over(summed, free)
    return convert(result, kind) if dtype is not None else result


def root(variance: Node) -> Node:
    """√v whose derivative at v = 0 is the subgradient 0: a zero by structure, never 0 · ∞."""
    zero = constant(0, variance)
    return select(not_equal(variance, zero), sqrt(variance), zero)


def _spread(name: str) -> Any:
    """np.var, np.std, np.nanvar or np.nanstd."""

    def reduce(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: Any = 0,
        keepdims: Any = ABSENT,
        *,
        where: Any = ABSENT,
        mean: Any = ABSENT,
        correction: Any = ABSENT,
    ) -> Any:
        if correction is not ABSENT:
            if ddof != 0:
                raise WengertValueError("ddof and correction can't be provided simultaneously.")
            ddof = correction
        run = Reduction(a, axis, keepdims, where, given(mean, 0))
        if name.startswith("nan"):
            run.skip_nan()
        variance = _variance(run, dtype, ddof, mean, name)
        return run.deliver(root(variance) if name.endswith("std") else variance, out)

    return reduce


implements(np.var, method=True)(_spread("var"))
implements(np.std, method=True)(_spread("std"))
implements(np.nanvar)(_spread("nanvar"))
implements(np.nanstd)(_spread("nanstd"))

# --------------------------------------------------------------------------------- weighted


def _weights_for(weights: Node, x: Node, axis: Any) -> Node:
    """Weights that broadcast with x: of its shape, or of the shape of the axes named."""
    if weights.shape == x.shape:
        return weights
    if axis is None:
        raise WengertTypeError("Axis must be specified when shapes of a and weights differ.")
    named = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    axes = [all_axes(one, x.ndim)[0] for one in named]
    if weights.shape != tuple(x.shape[one] for one in axes):
        raise WengertValueError(
            "Shape of weights must be consistent with shape of a along specified axis."
        )
    sorted_axes = transpose(weights, sorted(range(len(axes)), key=axes.__getitem__))
    others = [one for one in range(x.ndim) if one not in axes]
    return reshape(sorted_axes, kept(x.shape, others))


@implements(np.average)
def average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: Any = ABSENT,
) -> Any:
    """Concrete weights that sum to zero raise, as in NumPy; traced ones give its NaN or infinity,
    with a warning, since asking would force them."""
    if weights is None:
        result = mean(a, axis, keepdims=keepdims)
        count = Reduction(a, axis, keepdims).count()
        scale: Any = Tracer(full(count, result.dtype, result.shape), result.session)
        return (result, scale) if returned else result
    session, (x, w) = array_nodes(a, weights)
    w = _weights_for(w, x, axis)
    dtype = common_dtype(x.type, w.type)
    if x.dtype.kind in "biu":
        dtype = np.promote_types(dtype, FLOAT)
    axes = reduced_axes(axis, x.ndim)
    x, w = convert(x, dtype), convert(w, dtype)
    summed = total(broadcast_to(w, x.shape), axes)
    if not is_traced(weights) and not np.all(force(Tracer(summed, session))):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    result_node = divide(total(multiply(x, w), axes), summed)
    if given(keepdims, False):
        summed, result_node = (reshape(node, kept(x.shape, axes)) for node in (summed, result_node))
    if returned:
        return Tracer(result_node, session), Tracer(summed, session)
    return Tracer(result_node, session)
