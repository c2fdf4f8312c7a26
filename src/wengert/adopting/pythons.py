"""What Python itself asks of numbers and arrays: isinstance, hasattr, float(), complex().

A traced array stands for an ndarray, a traced scalar for a NumPy scalar of its dtype: code that
asks gets the answer that it would get of those.
"""

from __future__ import annotations

import builtins
from functools import cache
from typing import Any

import numpy as np

from wengert.adopting.mathematics import bare
from wengert.graph.types import COMPLEX, FLOAT, DType, supported_dtype
from wengert.ops.arithmetic import convert
from wengert.tracing.lifting import find_session, is_traced
from wengert.tracing.session import collector
from wengert.tracing.tracer import Tracer
from wengert.tracing.views import is_scalar


@cache
def _sample(dtype: DType, scalar: bool) -> Any:
    """Something of the type that a traced value stands for."""
    return dtype.type(0) if scalar else np.zeros(1, dtype)


def _isinstance(obj: Any, class_or_tuple: Any, /) -> bool:
    if type(obj) is Tracer:
        obj = _sample(obj.dtype, is_scalar(obj))
    return builtins.isinstance(obj, class_or_tuple)


def _hasattr(obj: Any, name: str, /) -> bool:
    if type(obj) is Tracer and is_scalar(obj):
        return builtins.hasattr(_sample(obj.dtype, True), name) and builtins.hasattr(obj, name)
    return builtins.hasattr(obj, name)


QUESTIONS = {"isinstance": _isinstance, "hasattr": _hasattr}
"""Names of builtins that are shadowed in a module that uses them."""


def _float(x: Any = 0.0, /) -> Any:
    return bare(x, FLOAT, x.session) if type(x) is Tracer else builtins.float(x)


def _complex(*args: Any, **kwargs: Any) -> Any:
    parts = (*args, *kwargs.values())
    if not collector.depth or not is_traced(parts):
        return builtins.complex(*args, **kwargs)
    session = find_session(*parts)
    assert session is not None
    if len(parts) == 1 and "imag" not in kwargs:
        return bare(parts[0], COMPLEX, session)
    real, imag = (
        (args[0], args[1])
        if len(args) == 2
        else (args[0] if args else kwargs.get("real", 0.0), kwargs["imag"])
    )
    return bare(bare(real, COMPLEX, session) + 1j * bare(imag, COMPLEX, session), COMPLEX, session)


CASTS = {"float": _float, "complex": _complex}
"""Builtin types whose *calls* are replaced: `float` stays the type in `dtype=float`."""


class _Scalars:
    """NumPy's scalar types as functions: `np.float64(x)` of a traced x."""

    def __init__(self, names: tuple[str, ...]) -> None:
        for name in names:
            setattr(self, name, _scalar(getattr(np, name)))


def _scalar(kind: type[np.generic]) -> Any:
    def call(x: Any = 0, /, *args: Any) -> Any:
        if not args and collector.depth and is_traced(x):
            x = x if type(x) is Tracer else np.stack(x)
            return Tracer(convert(x.node, supported_dtype(np.dtype(kind), "the scalar")), x.session)
        return kind(x, *args)

    return call


SCALARS = ("float64", "double", "float32", "single", "complex128", "complex64")
scalars = _Scalars(SCALARS)
"""What stands for `np` in `np.float64(x)`."""
