"""Ranges between ends that may be traced: arange, linspace, logspace, geomspace."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.graph.types import FLOAT, DType, is_inexact, supported_dtype
from wengert.numpy.creation import check_device
from wengert.numpy.dispatch import as_tracer, implements, nodes, tracers
from wengert.numpy.shapes import expand_dims, moveaxis, reshaped
from wengert.ops.arithmetic import add, convert, divide, multiply, subtract
from wengert.ops.complex import sign
from wengert.ops.elementary import log10
from wengert.ops.families import whole
from wengert.ops.leaves import iota
from wengert.ops.logic import equal
from wengert.ops.movement import broadcast_to, concatenate, index, reshape
from wengert.ops.powers import log
from wengert.ops.reductions import any as any_of
from wengert.ops.rounding import floor
from wengert.ops.selection import common_dtype
from wengert.tracing.lifting import find_session, is_traced
from wengert.tracing.tracer import Tracer


@implements(np.arange)
def arange(
    start: Any,
    stop: Any = None,
    step: Any = 1,
    dtype: Any = None,
    *,
    device: Any = None,
    like: Any = None,
) -> Any:
    """The number of elements is forced; each depends on `start` and `step`."""
    if stop is None:
        start, stop = 0, start
    session = find_session(start, stop, step)
    if session is None:
        return np.arange(start, stop, step, dtype=dtype)
    check_device(device)
    first, last, by = (as_tracer(value, session) for value in (start, stop, step))
    if all(value.dtype.kind in "biu" for value in (first, last, by)):
        return np.arange(int(first), int(last), int(by), dtype=dtype)
    if any(value.ndim for value in (first, last, by)):
        raise WengertTypeError("the arguments of np.arange must be scalars")
    if by == 0:
        raise WengertValueError("the argument step of np.arange must not be zero")
    count = max(0, math.ceil((last - first) / by))
    second = add(first.node, by.node)
    chosen = common_dtype(second.type, last.node.type)
    if dtype is not None:
        chosen = supported_dtype(dtype, "the argument dtype")
    delta = subtract(second, first.node)  # as NumPy has it, rounded
    line = convert(iota(count), second.dtype)
    return Tracer(convert(add(multiply(line, delta), first.node), chosen), session)


def _inexact(*operands: Node) -> DType:
    """The dtype of a range between these ends: at least float64 for integers."""
    dtype = common_dtype(operands[0].type, operands[1].type)
    return dtype if is_inexact(dtype) else FLOAT


@implements(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    check_device(device)
    num = operator.index(num)
    if num < 0:
        raise WengertValueError(f"Number of samples, {num}, must be non-negative.")
    session, ends = nodes(start, stop)
    inexact = _inexact(*ends)
    a, b = (convert(end, inexact) for end in ends)
    delta = subtract(b, a)
    div = num - 1 if endpoint else num
    step = divide(delta, full(div, inexact)) if div > 0 else delta
    exact_end = endpoint and num > 1
    line = convert(iota(num - exact_end), inexact)
    y = add(multiply(reshape(line, (line.size, *(1,) * delta.ndim)), step), a)
    if exact_end:
        last = reshape(broadcast_to(b, delta.shape), (1, *delta.shape))
        y = concatenate(y, last, axis=0)
    if dtype is not None:
        target = supported_dtype(dtype, "the argument dtype")
        y = convert(floor(y) if target.kind in "iu" else y, target)
    result = Tracer(y, session)
    result = moveaxis(result, 0, axis) if axis else result
    if not retstep:
        return result
    return result, Tracer(step, session) if div > 0 else np.float64(np.nan)


@implements(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    if np.ndim(base):
        first, last, root = tracers(start, stop, base)
        ndim = len(np.broadcast_shapes(first.shape, last.shape, root.shape))
        start, stop, base = (
            reshaped(x, (*(1,) * (ndim - x.ndim), *x.shape)) for x in (first, last, root)
        )
        base = expand_dims(base, axis)
    between = linspace if is_traced(start) or is_traced(stop) else np.linspace
    result = np.power(base, between(start, stop, num=num, endpoint=endpoint, axis=axis))
    return result if dtype is None else result.astype(dtype)


@implements(np.geomspace)
def geomspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Real: sign(a) 10^(linspace of log₁₀|a| and log₁₀(b sign a)); complex: a exp(t log(b / a))."""
    session, ends = nodes(start, stop)
    for end in ends:
        zeros = equal(end, constant(0, end))
        if bool(Tracer(any_of(zeros, range(end.ndim)), session)):
            raise WengertValueError("Geometric sequence cannot include zero")
    target = None if dtype is None else supported_dtype(dtype, "the argument dtype")
    computed = np.result_type(common_dtype(ends[0].type, ends[1].type), FLOAT, target or FLOAT)
    a, b = (convert(end, computed) for end in ends)
    num = operator.index(num)
    if computed.kind == "c":
        ratio = Tracer(log(divide(b, a)), session)
        t = np.linspace(0.0, 1.0, num, endpoint).reshape(-1, *(1,) * ratio.ndim)
        y = np.exp(t * ratio) * Tracer(a, session)
    else:
        turn = sign(a)
        start, stop = (Tracer(log10(multiply(end, turn)), session) for end in (a, b))
        y = logspace(start, stop, num, endpoint) * Tracer(turn, session)
    shape = y.shape[1:]
    parts = [y.node]
    if num > 0:  # the ends are met exactly
        inner = index(y.node, ((1, num - 1 - (endpoint and num > 1), 1), *whole(shape)))
        parts = [reshape(broadcast_to(a, shape), (1, *shape)), inner]
        if endpoint and num > 1:
            parts.append(reshape(broadcast_to(b, shape), (1, *shape)))
    joined = concatenate(*[part for part in parts if part.shape[0] or not num], axis=0)
    result = Tracer(joined if target is None else convert(joined, target), session)
    return moveaxis(result, 0, axis) if axis else result
