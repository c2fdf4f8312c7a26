"""Polynomials as arrays of coefficients, the highest power first (NumPy's older interface)."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.literals import constant, full
from wengert.graph.node import Node
from wengert.graph.types import FLOAT, INT
from wengert.numpy.calculus import joined, part
from wengert.numpy.dispatch import array_nodes, implements, nodes
from wengert.ops.arithmetic import add, convert, divide, multiply, subtract
from wengert.ops.convolution import convolve
from wengert.ops.leaves import iota
from wengert.ops.logic import equal
from wengert.ops.movement import broadcast_to, index, reshape
from wengert.ops.reductions import along, flip
from wengert.ops.selection import common_dtype
from wengert.tracing.lifting import lift
from wengert.tracing.session import Session
from wengert.tracing.tracer import Tracer


def _coefficients(node: Node) -> Node:
    return node if node.ndim else reshape(node, (1,))


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """Horner's rule."""
    session, (coefficients, at) = array_nodes(p, x)
    coefficients = _coefficients(coefficients)
    rest = tuple((0, extent, 1) for extent in coefficients.shape[1:])
    result = full(0, at.dtype, at.shape)
    for k in range(coefficients.shape[0]):
        term = index(coefficients, (k, *rest))
        if k == 0:
            dtype = common_dtype(at.type, term.type)
            shape = np.broadcast_shapes(at.shape, term.shape)
            result = broadcast_to(convert(term, dtype), shape)
        else:
            result = add(multiply(result, at), term)
    return Tracer(result, session)


def _aligned(a1: Any, a2: Any) -> tuple[Session, Node, Node]:
    """Both with as many coefficients, zeros in front."""
    session, lifted = array_nodes(a1, a2)
    a, b = map(_coefficients, lifted)

    def padded(node: Node, extent: int) -> Node:
        missing = extent - node.shape[0]
        if missing <= 0:
            return node
        return joined([full(0, node.dtype, (missing, *node.shape[1:])), node], 0)

    return session, padded(a, b.shape[0]), padded(b, a.shape[0])


@implements(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    session, a, b = _aligned(a1, a2)
    return Tracer(add(a, b), session)


@implements(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    session, a, b = _aligned(a1, a2)
    return Tracer(subtract(a, b), session)


def _trimmed(node: Node, session: Session) -> Node:
    """Without leading zeros, as NumPy's poly1d has it. How many there are decides the shape of the
    product: the coefficients in front are forced."""
    node = _coefficients(node)
    while node.shape[0] > 1:
        leading = index(node, (0,))
        if not bool(Tracer(equal(leading, constant(0, leading)), session)):
            break
        node = part(node, 0, 1)
    return node


@implements(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    session, lifted = array_nodes(a1, a2)
    if any(node.ndim > 1 for node in lifted):
        raise WengertValueError("Polynomial must be 1d only.")
    a, b = (_trimmed(node, session) for node in lifted)
    return Tracer(convolve(a, b, "full"), session)


def _order(m: Any, other: str) -> int:
    m = operator.index(m)
    if m < 0:
        kind = "derivative" if other == "polyint" else "integral"
        raise WengertValueError(f"Order of {kind} must be positive (see {other})")
    return m


def _powers(count: int) -> Node:
    """count, …, 2, 1."""
    return add(flip(iota(count), 0), full(1, INT))


@implements(np.polyder)
def polyder(p: Any, m: Any = 1) -> Any:
    session, (x,) = nodes(p)
    for _ in range(_order(m, "polyint")):
        x = part(x, 0, 0, -1)
        x = multiply(x, _powers(x.shape[0]))
    return Tracer(x, session)


@implements(np.polyint)
def polyint(p: Any, m: Any = 1, k: Any = None) -> Any:
    m = _order(m, "polyder")
    session, (x, *_) = nodes(p, *([] if k is None else [k]))
    constants = full(0, FLOAT, (m,)) if k is None else _coefficients(lift(k, session))
    if constants.shape[0] == 1 and m > 1:
        constants = broadcast_to(constants, (m,))
    if constants.shape[0] < m:
        raise WengertValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for i in range(m):
        last = index(constants, along(constants.shape, 0, i, 1))
        x = joined([divide(x, _powers(x.shape[0])), last], 0)
    return Tracer(x, session)
