"""Clipping, rounding, comparisons of whole arrays, and questions about types and memory."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.literals import constant, full
from wengert.graph.node import Node, deriving
from wengert.graph.registry import FUNCTIONS, find
from wengert.graph.types import BOOL, FLOAT
from wengert.numpy.calculus import weak
from wengert.numpy.dispatch import apply, implements, into, nodes, refuse, tracers
from wengert.numpy.reductions import ABSENT, given
from wengert.numpy.selection import weak_dtype
from wengert.ops.arithmetic import add, convert, divide, multiply, subtract
from wengert.ops.complex import absolute, imag, join, real
from wengert.ops.logic import equal, less_equal, logical_and, logical_not, logical_or, not_equal
from wengert.ops.reductions import all as all_op
from wengert.ops.rounding import isfinite, isinf, isnan, rint, signbit
from wengert.ops.selection import maximum, minimum, select
from wengert.tracing.lifting import lift
from wengert.tracing.tracer import METHODS, Tracer
from wengert.tracing.views import write

# --------------------------------------------------------------------------------- clipping


def _clip(a: Any, low: Any, high: Any, out: Any, **others: Any) -> Any:
    """min(max(a, low), high). At a tie the derivative is shared: half to a, half to the bound."""
    refuse("np.clip", **{name: (value, None) for name, value in others.items()})
    bounds = [bound for bound in (low, high) if bound is not None]
    session, (x, *limits) = nodes(a, *bounds)
    result = x if x.type.weak else convert(x, weak_dtype([x, *limits]))
    if low is not None and not _beyond(low, x, np.less_equal, "min"):
        result = maximum(result, lift(low, session))
    if high is not None and not _beyond(high, x, np.greater_equal, "max"):
        result = minimum(result, lift(high, session))
    return into(Tracer(result, session), out)


def _beyond(bound: Any, x: Node, passes: Any, limit: str) -> bool:
    """Whether a Python int is out of the range of an integer array: it then bounds nothing."""
    if type(bound) is not int or x.dtype.kind not in "iu":
        return False
    return bool(passes(bound, int(getattr(np.iinfo(x.dtype), limit))))


@implements(np.clip)
def clip(
    a: Any,
    a_min: Any = ABSENT,
    a_max: Any = ABSENT,
    out: Any = None,
    *,
    min: Any = ABSENT,
    max: Any = ABSENT,
    **kwargs: Any,
) -> Any:
    if a_min is ABSENT and a_max is ABSENT:
        return _clip(a, given(min, None), given(max, None), out, **kwargs)
    for name, value in (("a_min", a_min), ("a_max", a_max)):
        if value is ABSENT:
            raise WengertTypeError(f"clip() missing 1 required positional argument: '{name}'")
    if min is not ABSENT or max is not ABSENT:
        raise WengertValueError(
            "Passing `min` or `max` keyword argument when `a_min` and `a_max` are provided is "
            "forbidden."
        )
    return _clip(a, a_min, a_max, out, **kwargs)


def _clip_method(x: Tracer, min: Any = None, max: Any = None, out: Any = None, **kw: Any) -> Any:
    return _clip(x, min, max, out, **kw)


METHODS["clip"] = _clip_method

# --------------------------------------------------------------------------------- rounding


def _rounded(x: Node, decimals: int) -> Node:
    if x.dtype.kind == "c":
        return join(_rounded(real(x), decimals), _rounded(imag(x), decimals))
    if x.dtype.kind in "iu":
        if decimals >= 0:
            return x
        return convert(_rounded(convert(x, FLOAT), decimals), x.dtype)
    if decimals == 0:
        return rint(x)
    scale = constant(10.0 ** abs(decimals), x)
    if decimals > 0:
        return divide(rint(multiply(x, scale)), scale)
    return multiply(rint(divide(x, scale)), scale)


@implements(np.round, np.around, method=True)
def round_(a: Any, decimals: Any = 0, out: Any = None) -> Any:
    session, (x,) = nodes(a)
    return into(Tracer(_rounded(x, operator.index(decimals)), session), out)


@implements(np.fix)
def fix(x: Any, out: Any = None) -> Any:
    return into(apply("trunc", x), out)


for _name in ("rint", "floor", "ceil"):
    FUNCTIONS[_name] = lambda x, _op=_name: apply(_op, x)


@implements(np.nan_to_num)
def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    session, (node, nan_node, *_) = nodes(
        x, nan, *[bound for bound in (posinf, neginf) if bound is not None]
    )
    if node.dtype.kind not in "fc":
        return Tracer(node, session)

    def finite(part: Node) -> Node:
        limits = np.finfo(part.dtype)
        top = lift(posinf, session) if posinf is not None else constant(limits.max, part)
        bottom = lift(neginf, session) if neginf is not None else constant(limits.min, part)
        bound = select(signbit(part), convert(bottom, part.dtype), convert(top, part.dtype))
        whole = select(isinf(part), bound, part)
        return select(isnan(part), convert(nan_node, part.dtype), whole)

    if node.dtype.kind == "c":
        result = join(finite(real(node)), finite(imag(node)))
    else:
        result = finite(node)
    if not copy and type(x) is Tracer:
        write(x, result)
        return x
    return Tracer(result, session)


@implements(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    """Whether the result is real depends on the values, which are forced."""
    (traced,) = tracers(a)
    session, x = traced.session, traced.node
    if x.dtype.kind != "c":
        return traced
    if tol > 1:
        tol = float(np.finfo(x.dtype).eps * tol)
    part = absolute(imag(x))
    small = find("less")(part, constant(tol, part))
    close = bool(Tracer(all_op(small, range(x.ndim)), session))
    return Tracer(real(x) if close else x, session)


# ------------------------------------------------------------------------------ comparisons


def _is_infinite(negative: bool) -> Any:
    def test(x: Any, out: Any = None) -> Any:
        session, (node,) = nodes(x)
        if node.dtype.kind == "c":
            raise WengertTypeError(
                f"This operation is not supported for {node.dtype} values because it would be "
                "ambiguous."
            )
        if node.dtype.kind != "f":
            return into(Tracer(full(False, BOOL, node.shape), session), out)
        sign = signbit(node)
        result = logical_and(isinf(node), sign if negative else logical_not(sign))
        return into(Tracer(result, session), out)

    return test


implements(np.isposinf)(_is_infinite(False))
implements(np.isneginf)(_is_infinite(True))


@implements(np.iscomplex)
def iscomplex(x: Any) -> Any:
    session, (node,) = nodes(x)
    part = imag(node)
    return Tracer(not_equal(part, constant(0, part)), session)


@implements(np.isreal)
def isreal(x: Any) -> Any:
    session, (node,) = nodes(x)
    part = imag(node)
    return Tracer(equal(part, constant(0, part)), session)


@implements(np.isclose)
def isclose(a: Any, b: Any, rtol: Any = 1.0e-5, atol: Any = 1.0e-8, equal_nan: bool = False) -> Any:
    # plain tolerances are literals: two numbers of one call are no number that changes
    tolerances = [value for value in (rtol, atol) if type(value) is not float]
    session, (x, y, *_) = nodes(a, b, *tolerances)
    relative, absolutely = (
        weak(value) if type(value) is float else lift(value, session) for value in (rtol, atol)
    )
    if y.dtype.kind not in "fc":
        y = convert(y, FLOAT)
    with deriving():  # NumPy's warnings are off here: infinities are compared too
        near = less_equal(
            absolute(subtract(x, y)), add(absolutely, multiply(relative, absolute(y)))
        )
        result = logical_or(logical_and(near, isfinite(y)), equal(x, y))
        if equal_nan:
            result = logical_or(result, logical_and(isnan(x), isnan(y)))
    return Tracer(result, session)


def _all(x: Tracer) -> Tracer:
    return Tracer(all_op(x.node, range(x.ndim)), x.session)


@implements(np.allclose)
def allclose(
    a: Any, b: Any, rtol: Any = 1.0e-5, atol: Any = 1.0e-8, equal_nan: bool = False
) -> Any:
    return _all(isclose(a, b, rtol, atol, equal_nan))


@implements(np.array_equal)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    session, (x, y) = nodes(a1, a2)
    if x.shape != y.shape:
        return False
    same = equal(x, y)
    if equal_nan:
        same = logical_or(same, logical_and(not_equal(x, x), not_equal(y, y)))
    return _all(Tracer(same, session))


@implements(np.array_equiv)
def array_equiv(a1: Any, a2: Any) -> Any:
    session, (x, y) = nodes(a1, a2)
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return False
    return _all(Tracer(equal(x, y), session))
