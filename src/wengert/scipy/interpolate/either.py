"""SciPy's classes that give traced objects where something is traced, and SciPy's own elsewhere.

An object of SciPy's, made of plain arrays, may be called with traced points: then the traced object
of the same knots and coefficients is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.numpy.dispatch import as_tracer
from wengert.scipy.interpolate.basis import Spline
from wengert.scipy.interpolate.pieces import PiecewisePolynomial
from wengert.tracing.lifting import find_session
from wengert.tracing.session import Session

Again = Callable[[Any, Session], Any]


def both(theirs: Any, traced: Callable[..., Any], again: Again) -> Any:
    """A subclass of SciPy's class: an object of `traced` where an argument of it is traced.

    again: one of SciPy's objects as a traced one, for calls with traced arguments.
    """

    def create(cls: Any, *args: Any, **kwargs: Any) -> Any:
        if find_session(*args, *kwargs.values()) is not None:
            return traced(*args, **kwargs)
        made = object.__new__(cls)
        made._arguments = args, kwargs
        return made

    def either(name: str) -> Callable[..., Any]:
        own = getattr(theirs, name)

        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            session = find_session(*args, *kwargs.values())
            if session is None:
                return own(self, *args, **kwargs)
            return getattr(again(self, session), name)(*args, **kwargs)

        method.__name__, method.__doc__ = name, None
        return method

    members: dict[str, Any] = {
        name: either(name) for name in ("__call__", "integrate") if hasattr(theirs, name)
    }
    members |= {
        "__new__": create,
        "__doc__": f"`scipy.interpolate.{theirs.__name__}`, of traced arrays too.",
        "__module__": "wengert.scipy.interpolate",
        "__signature__": inspect.signature(theirs),
    }
    return type(theirs.__name__, (theirs,), members)


def traced_pieces(theirs: Any, session: Session) -> PiecewisePolynomial:
    """A piecewise polynomial of SciPy's, traced."""
    c, x = as_tracer(theirs.c, session), as_tracer(theirs.x, session)
    return PiecewisePolynomial.of_moved(c, x, theirs.extrapolate, theirs.axis)


def traced_spline(theirs: Any, session: Session) -> Spline:
    """A B-spline of SciPy's, traced."""
    t, c = as_tracer(theirs.t, session), as_tracer(theirs.c, session)
    return Spline.of_moved(t, c, theirs.k, theirs.extrapolate, theirs.axis)


def from_arguments(traced: Any, name: str) -> Again:
    """What makes the traced object of the arguments that SciPy's was made of."""

    def again(theirs: Any, session: Session) -> Any:
        args, kwargs = theirs._arguments
        bound = inspect.signature(traced).bind(*args, **kwargs)
        bound.arguments[name] = as_tracer(np.asarray(bound.arguments[name]), session)
        return traced(*bound.args, **bound.kwargs)

    return again
