"""Elementwise records of functions that SciPy has, or that stand here as NumPy code.

`import wengert` must not import scipy.special. So a record names its ufunc, which is looked up when
a node of it is made; a tracer that meets a ufunc of SciPy finds the record by `record_of`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import lazy
from wengert.graph.op import Op, absent
from wengert.graph.types import FLOAT
from wengert.ops.domain import Box, Cases
from wengert.ops.families import Partial, elementwise
from wengert.ops.native import Pointwise

SCIPY = absent("SciPy computes it, as a host call")
"""The native slot of records without a native rule."""

RECORDS: dict[str, Op] = {}
"""The name of a ufunc of scipy.special -> the op that it is."""


class Named:
    """A ufunc of scipy.special, by its name."""

    def __init__(self, name: str, nout: int = 1) -> None:
        self.__name__ = name
        self.nout = nout

    def load(self) -> Any:
        """The ufunc itself."""
        return getattr(lazy.module("scipy.special"), self.__name__)

    def resolve_dtypes(self, dtypes: Any) -> Any:
        """Those of the loop that NumPy chooses."""
        return self.load().resolve_dtypes(dtypes)

    def __call__(self, *args: Any) -> Any:
        return self.load()(*args)


class Written:
    """A function in NumPy code, which computes in float64 and complex128 and then rounds.

    function: arrays of one shape -> an array of that shape.
    real: how many of the first arguments are real, whatever the others are.
    """

    nout = 1

    def __init__(self, name: str, function: Callable[..., Any], real: int = 0) -> None:
        self.__name__ = name
        self.function = function
        self.real = real

    def resolve_dtypes(self, dtypes: Any) -> Any:
        """float32 where all inputs fit it, else float64; complex where one is."""
        *inputs, _ = dtypes
        strong = [dtype for dtype in inputs if isinstance(dtype, np.dtype)]
        common = np.result_type(np.float32, *(strong or [FLOAT]))
        if any(dtype is complex for dtype in inputs):
            common = np.result_type(common, np.complex64)
        real = np.empty(0, common).real.dtype
        return (*(real if k < self.real else common for k in range(len(inputs))), common)

    def __call__(self, *args: Any) -> Any:
        dtype = np.result_type(*args)
        arrays = np.broadcast_arrays(*[np.asarray(a, _wide(a.dtype)) for a in args])
        with np.errstate(all="ignore"):
            return np.asarray(self.function(*arrays)).astype(dtype)[()]


def _wide(dtype: Any) -> Any:
    return np.complex128 if dtype.kind == "c" else np.float64


def special(
    name: str,
    *partials: Partial,
    label: str,
    domain: Box | Cases,
    native: Pointwise | None = None,
    pushforward: Any = None,
) -> Op:
    """The record of the ufunc of that name in scipy.special; see `elementwise`."""
    ufunc: Any = Named(name)
    RECORDS[name] = elementwise(
        ufunc,
        *partials,
        label=label,
        domain=domain,
        native=native or SCIPY,
        pushforward=pushforward,
    )
    return RECORDS[name]


def written(
    name: str,
    function: Callable[..., Any],
    *partials: Partial,
    label: str,
    domain: Box | Cases,
    real: int = 0,
) -> Op:
    """The record of a function that NumPy code computes; see `elementwise` and `Written`."""
    ufunc: Any = Written(name, function, real)
    return elementwise(ufunc, *partials, label=label, domain=domain, native=SCIPY)


def record_of(ufunc: np.ufunc) -> Op | None:
    """The record of a ufunc of scipy.special, if it is one and has one."""
    name = ufunc.__name__
    module = sys.modules.get("scipy.special")
    if module is None or getattr(module, name, None) is not ufunc:
        return None
    return RECORDS.get(name)
