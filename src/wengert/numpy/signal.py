"""Convolution, correlation, interpolation, sinc and i0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.literals import constant, full
from wengert.graph.node import Node, deriving
from wengert.graph.types import BOOL, COMPLEX, FLOAT, INT
from wengert.numpy.dispatch import implements, nodes
from wengert.numpy.sorting import search
from wengert.ops.arithmetic import add, convert, divide, multiply, subtract
from wengert.ops.complex import conjugate
from wengert.ops.convolution import convolve as convolve_op
from wengert.ops.gather import gather
from wengert.ops.logic import equal, greater, less
from wengert.ops.movement import broadcast_to, concatenate, index, reshape
from wengert.ops.reductions import along, flip
from wengert.ops.rounding import remainder
from wengert.ops.selection import maximum, minimum, select
from wengert.ops.sorting import argsort
from wengert.ops.special import bessel
from wengert.tracing.lifting import lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer

# ------------------------------------------------------------- convolution and correlation


def _lines(a: Any, v: Any) -> tuple[Session, Node, Node]:
    """Both operands as non-empty 1-d nodes."""
    session, operands = nodes(a, v)
    for name, node in zip("av", operands, strict=True):
        if not node.size:
            raise WengertValueError(f"{name} cannot be empty")
        if node.ndim > 1:
            raise WengertValueError(f"object too deep for desired array: {name} must be 1-d")
    left, right = (reshape(node, (node.size,)) for node in operands)
    return session, left, right


def _convolved(a: Node, v: Node, mode: str, reversed_roles: bool) -> Node:
    """The part of the full convolution that `mode` keeps.

    "same" keeps as many elements as the longer operand has, from the middle. Where that is half an
    element off, NumPy rounds towards the start, or with `reversed_roles` towards the end.
    """
    long, short = (a, v) if a.size >= v.size else (v, a)
    if mode == "full":
        return convolve_op(a, v, "full")
    if mode == "valid":
        return convolve_op(long, short, "valid")
    if mode != "same":
        raise WengertValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")
    left = short.size - 1 - short.size // 2
    start = short.size // 2 if reversed_roles else left
    return index(convolve_op(a, v, "full"), ((start, long.size, 1),))


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    session, left, right = _lines(a, v)
    return Tracer(_convolved(left, right, mode, False), session)


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """c_k = Σ_n a_{n+k} conj(v_n): the convolution with v reversed and conjugated."""
    session, left, right = _lines(a, v)
    swapped = left.size < right.size
    return Tracer(_convolved(left, flip(conjugate(right), 0), mode, swapped), session)


# ---------------------------------------------------------------------------- interpolation


def _repeated(
    x: Node, xp: Node, fp: Node, period: Any, session: Session
) -> tuple[Node, Node, Node]:
    """One period of the data, sorted, with a neighbour to either side."""
    length = convert(lift(abs(period), session), FLOAT)
    x, xp = remainder(x, length), remainder(xp, length)
    order = argsort(xp, 0)
    xp, fp = gather(xp, order, 0), gather(fp, order, 0)
    ends = [along(xp.shape, 0, k, 1) for k in (xp.size - 1, 0)]
    last, first = (index(xp, end) for end in ends)
    xp = concatenate(subtract(last, length), xp, add(first, length), axis=0)
    return x, xp, concatenate(index(fp, ends[0]), fp, index(fp, ends[1]), axis=0)


@implements(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Derivatives by x, xp and fp; by x at a knot, that to the right."""
    ends = [value for value in (left, right) if value is not None]
    session, (at, knots, values, *_) = nodes(x, xp, fp, *ends)
    if at.dtype.kind == "c" or knots.dtype.kind == "c":
        raise WengertTypeError("Cannot cast x and xp from complex128 to float64")
    if knots.ndim != 1 or values.ndim != 1:
        raise WengertValueError("Data points must be 1-D sequences")
    if knots.size != values.size:
        raise WengertValueError("fp and xp are not of the same length.")
    if not knots.size:
        raise WengertValueError("array of sample points is empty")
    at, knots = convert(at, FLOAT), convert(knots, FLOAT)
    values = convert(values, COMPLEX if values.dtype.kind == "c" else FLOAT)
    if period is not None:
        if period == 0:
            raise WengertValueError("period must be a non-zero value")
        at, knots, values = _repeated(at, knots, values, period, session)
        left = right = None
    n = knots.size
    before = index(values, (0,)) if left is None else convert(lift(left, session), values.dtype)
    after = (
        index(values, (n - 1,)) if right is None else convert(lift(right, session), values.dtype)
    )
    first, last = index(knots, (0,)), index(knots, (n - 1,))
    with deriving():  # NumPy does not warn here, where knots coincide or values are infinite
        inside = _between_knots(at, knots, values)
        result = select(equal(at, last), index(values, (n - 1,)), inside)
        result = select(less(at, first), before, select(greater(at, last), after, result))
    return Tracer(result, session)


def _between_knots(x: Node, xp: Node, fp: Node) -> Node:
    """The line through the two knots around x, or through the two at the end."""
    if xp.size == 1:
        return broadcast_to(reshape(fp, ()), x.shape)
    found = subtract(search(xp, x, "right"), full(1, INT))
    low = maximum(minimum(found, full(xp.size - 2, INT)), full(0, INT))
    high = add(low, full(1, INT))
    x0, x1, y0, y1 = (gather(line, place, 0) for line in (xp, fp) for place in (low, high))
    slope = divide(subtract(y1, y0), subtract(x1, x0))
    return add(multiply(slope, subtract(x, x0)), y0)


# ------------------------------------------------------------------------ special functions


@implements(np.sinc)
def sinc(x: Any) -> Any:
    """sin(πx)/(πx) = j₀(πx), whose derivatives of every order are exact at 0."""
    session, (node,) = nodes(x)
    node = node if node.dtype.kind in "fc" else convert(node, FLOAT)
    angle = multiply(constant(math.pi, node), node)
    return Tracer(bessel.spherical_jn(full(0, BOOL), angle), session)


@implements(np.i0)
def i0(x: Any) -> Any:
    session, (node,) = nodes(x)
    if node.dtype.kind == "c":
        raise WengertTypeError("i0 not supported for complex values")
    return Tracer(bessel.i0(node if node.dtype.kind == "f" else convert(node, FLOAT)), session)
