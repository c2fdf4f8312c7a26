"""What the samplers share: random words of a key, uniform numbers made of them, shapes, dtypes.

Element i of a draw that needs n words reads those of the counters n·i, …, n·i + n − 1: it does not
depend on how many elements are drawn.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

import wengert.numpy as wnp
from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.ops.arithmetic import add, convert, multiply
from wengert.ops.leaves import iota
from wengert.ops.movement import reshape
from wengert.ops.random import WORDS, threefry, threefry_op
from wengert.tracing.lifting import find_session, lift
from wengert.tracing.tracer import Tracer

Shape = tuple[int, ...]
FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def checked_key(key: Any) -> Any:
    """A key, or an error that says how to make one."""
    if getattr(key, "dtype", None) != WORDS:
        kind = getattr(key, "dtype", type(key).__name__)
        raise WengertTypeError(
            f"the key of a random draw is {kind}, but keys are uint64: make the first with "
            "wengert.random.key(seed), others with wengert.random.split(key)"
        )
    if np.shape(key):
        raise WengertValueError(
            f"a random draw takes one key, not an array of shape {np.shape(key)}; draw for each "
            "of them with wengert.vmap(lambda key: ...)(keys)"
        )
    return key


def words(key: Any, shape: Shape, each: int = 1, *parameters: Any) -> list[Any]:
    """Arrays of random uint64, `each` of them; traced where the key or a parameter is."""
    checked_key(key)
    session = find_session(key, *parameters)
    count = math.prod(shape)
    if session is None:
        counters = np.arange(each * count, dtype=WORDS)
        return [threefry(key, counters[k::each]).reshape(shape)[()] for k in range(each)]
    return [
        Tracer(reshape(threefry_op(lift(key, session), _counters(count, each, k)), shape), session)
        for k in range(each)
    ]


def _counters(count: int, each: int, first: int) -> Node:
    """first, first + each, …"""
    line = convert(iota(count), WORDS)
    if each > 1:
        line = add(multiply(line, constant(each, line)), constant(first, line))
    return line


def uniforms(key: Any, shape: Shape, dtype: Any, each: int = 1, *parameters: Any) -> list[Any]:
    """Uniform numbers of (0, 1), neither end of which occurs, symmetric about ½: (k + ½)/2ⁿ for
    n = 52, or 23 in float32."""
    stored = np.finfo(dtype).nmant
    drawn = words(key, shape, each, *parameters)
    return [((word >> np.uint64(64 - stored)).astype(dtype) + 0.5) * 2.0**-stored for word in drawn]


# ---------------------------------------------------------------------------------- arguments


def parameter(value: Any) -> Any:
    """A parameter of a distribution as an array, a tracer or a Python number."""
    if isinstance(value, int | float) or hasattr(value, "dtype"):
        return value
    return wnp.asarray(value)


def full_shape(shape: Any, *parameters: Any) -> Shape:
    """The shape of a draw: that of the parameters where none is given, else one that they fit."""
    batch = np.broadcast_shapes(*[np.shape(value) for value in parameters])
    if shape is None:
        return batch
    given = as_shape(shape)
    try:
        fits = np.broadcast_shapes(given, batch) == given
    except ValueError:
        fits = False
    if not fits:
        raise WengertValueError(
            f"parameters of shape {batch} cannot be broadcast to the shape {given} of the draw"
        )
    return given


def as_shape(shape: Any) -> Shape:
    """A shape as a tuple; an int is the extent of one axis."""
    try:
        return (operator.index(shape),)
    except TypeError:
        return tuple(operator.index(extent) for extent in shape)


def float_dtype(dtype: Any, *parameters: Any) -> np.dtype[Any]:
    """The dtype of a draw: float32 where all parameters that are arrays are, else float64."""
    if dtype is None:
        strong = [value.dtype for value in parameters if hasattr(value, "dtype")]
        dtype = np.result_type(*strong) if strong else np.float64
        if np.dtype(dtype).kind in "biu":
            dtype = np.float64
    dtype = np.dtype(dtype)
    if dtype not in FLOATS:
        raise WengertTypeError(f"random numbers are drawn in float64 or float32, not in {dtype}")
    return dtype


def moved(draw: Any, loc: Any, scale: Any) -> Any:
    """loc + scale · draw, where they are not at their defaults."""
    if not (type(scale) is float and scale == 1.0):
        draw = scale * draw
    return draw if type(loc) is float and loc == 0.0 else loc + draw


def as_floats(value: Any, dtype: np.dtype[Any]) -> Any:
    """A parameter as an array or tracer of a floating dtype."""
    return value.astype(dtype) if hasattr(value, "dtype") else dtype.type(value)
