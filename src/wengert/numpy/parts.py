"""Complex parts and conversions that are functions in NumPy, not ufuncs."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.graph.registry import find
from wengert.numpy.dispatch import apply, implements, nodes, tracers
from wengert.tracing.lifting import lift
from wengert.tracing.tracer import ATTRIBUTES, METHODS, SETTERS, Tracer
from wengert.tracing.views import view, write


def _real_view(x: Tracer) -> Tracer:
    if x.dtype.kind != "c":
        return x
    return view(
        x,
        lambda node: find("real")(node),
        lambda old, new: find("join")(new, find("imag")(old)),
        lambda array: array,
    )


def _imag_view(x: Tracer) -> Tracer:
    if x.dtype.kind != "c":
        return Tracer(find("imag")(x.node), x.session)
    return view(
        x,
        lambda node: find("imag")(node),
        lambda old, new: find("join")(find("real")(old), new),
        lambda array: array,
    )


def _set_real(x: Tracer, value: Any) -> None:
    target = _real_view(x)
    write(target if target is not x else x, lift(value, x.session))


def _set_imag(x: Tracer, value: Any) -> None:
    write(_imag_view(x), lift(value, x.session))


ATTRIBUTES["real"] = _real_view
ATTRIBUTES["imag"] = _imag_view
SETTERS["real"] = _set_real
SETTERS["imag"] = _set_imag


@implements(np.real)
def real(val: Any) -> Any:
    return _real_view(*tracers(val))


@implements(np.imag)
def imag(val: Any) -> Any:
    return _imag_view(*tracers(val))


def _conjugate(x: Tracer) -> Tracer:
    return apply("conjugate", x) if x.dtype.kind == "c" else x


METHODS["conj"] = METHODS["conjugate"] = _conjugate


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    session, (node,) = nodes(z)
    result = find("arctan2")(find("imag")(node), find("real")(node))
    turned = find("rad2deg")(result) if deg else result
    return Tracer(turned, session)
