"""Functions applied along axes, and text: what NumPy does with a loop in Python or with values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.registry import FUNCTIONS
from wengert.numpy.dispatch import all_axes, implements, one_axis, tracers
from wengert.numpy.shapes import moveaxis, reshaped
from wengert.tracing.forcing import force
from wengert.tracing.tracer import Tracer


@implements(np.apply_along_axis)
def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    """The slices one by one, as NumPy does; the axes of a result stand where the axis was."""
    (x,) = tracers(arr)
    axis = one_axis(axis, x.ndim)
    turned = moveaxis(x, axis, -1)
    outer = turned.shape[:-1]
    if 0 in outer:
        raise WengertValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    rows = [func1d(turned[position], *args, **kwargs) for position in np.ndindex(outer)]
    stacked = FUNCTIONS["stack"](rows)
    inner = stacked.shape[1:]
    result = reshaped(stacked, (*outer, *inner))
    places = range(len(outer), len(outer) + len(inner))
    return moveaxis(result, list(places), [axis + k for k in range(len(inner))])


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    (x,) = tracers(a)
    for axis in all_axes(axes, x.ndim):
        result = func(x, axis)
        x = result if result.ndim == x.ndim else np.expand_dims(result, axis)
    return x


@implements(np.array_repr)
def array_repr(arr: Tracer, *args: Any, **kwargs: Any) -> str:
    return np.array_repr(np.asarray(force(arr)), *args, **kwargs)


@implements(np.array_str)
def array_str(a: Tracer, *args: Any, **kwargs: Any) -> str:
    return np.array_str(np.asarray(force(a)), *args, **kwargs)


@implements(np.array2string)
def array2string(a: Tracer, *args: Any, **kwargs: Any) -> str:
    return np.array2string(np.asarray(force(a)), *args, **kwargs)
