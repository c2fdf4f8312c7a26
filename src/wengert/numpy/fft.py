"""`numpy.fft` on tracers, and `wengert.numpy.fft`: NumPy's names, on traced arrays and plain ones.

Each function pads or crops its input to the extents that are asked for, and makes a node for all
axes that are transformed alike; an axis named twice is transformed twice.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertTypeError, WengertValueError
from wengert.graph.node import Node
from wengert.graph.types import COMPLEX, FLOAT, DType
from wengert.numpy.dispatch import implements, into, nodes, one_axis, tracers
from wengert.numpy.namespace import public_names
from wengert.ops import fourier
from wengert.ops.arithmetic import convert
from wengert.ops.families import whole
from wengert.ops.movement import embed, index
from wengert.tracing.tracer import Tracer

POWERS = {None: 0.0, "backward": 0.0, "ortho": 0.5, "forward": 1.0}
"""The factor of a forward transform of extent n is n to minus this."""


def forward_power(norm: Any) -> float:
    """The power of the factor of a forward transform; ValueError for an unknown norm."""
    if norm not in POWERS:
        raise WengertValueError(
            f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".'
        )
    return POWERS[norm]


def inverse_power(norm: Any) -> float:
    """The power of the factor of an inverse transform."""
    return 1.0 - forward_power(norm)


def complex_dtype(dtype: DType) -> DType:
    """What NumPy transforms an array of this dtype in: single precision stays single."""
    return np.dtype(np.complex64) if dtype.char in "fF" else COMPLEX


def real_node(x: Node, what: str) -> Node:
    """A real operand in floating point."""
    if x.dtype.kind == "c":
        raise WengertTypeError(f"{what} needs a real array, not one of {x.dtype}")
    return x if x.dtype.kind == "f" and not x.type.weak else convert(x, _real_dtype(x.dtype))


def complex_node(x: Node) -> Node:
    """An operand in complex numbers."""
    return convert(x, complex_dtype(x.dtype))


def _real_dtype(dtype: DType) -> DType:
    return np.dtype(np.float32) if dtype.char == "f" else FLOAT


def checked_extent(n: Any) -> int:
    """The extent of a transform as an int; ValueError where it is not positive."""
    extent = operator.index(n)
    if extent < 1:
        raise WengertValueError(f"Invalid number of FFT data points ({extent}) specified.")
    return extent


def fitted(x: Node, axes: Sequence[int], extents: Sequence[int]) -> Node:
    """x cropped, or padded with zeros at the end, to these extents along these axes."""
    shape = list(x.shape)
    for axis, extent in zip(axes, extents, strict=True):
        shape[axis] = extent
    kept = [min(old, new) for old, new in zip(x.shape, shape, strict=True)]
    cropped = index(x, whole(tuple(kept)))
    return embed(cropped, whole(tuple(kept)), tuple(shape)) if kept != shape else cropped


# --------------------------------------------------------------------------------- transforms


def along_axes(
    x: Node, axes: Sequence[int], extents: Sequence[int], inverse: bool, power: float
) -> Node:
    """Complex transforms along axes, the last of them first where one is named twice."""
    x = complex_node(x)
    if len(set(axes)) == len(axes):
        return fourier.fft(fitted(x, axes, extents), axes, inverse, power)
    for axis, extent in zip(reversed(axes), reversed(extents), strict=True):
        x = fourier.fft(fitted(x, (axis,), (extent,)), (axis,), inverse, power)
    return x


def to_half(
    x: Node, axes: Sequence[int], extents: Sequence[int], inverse: bool, power: float
) -> Node:
    """Of a real x, the half of the spectrum that the last axis keeps."""
    x = fitted(x, axes[-1:], extents[-1:])
    half = fourier.rfft(x, axes[-1], inverse, False, power)
    return along_axes(half, axes[:-1], extents[:-1], inverse, power) if axes[:-1] else half


def from_half(
    y: Node, axes: Sequence[int], extents: Sequence[int], inverse: bool, power: float
) -> Node:
    """The real array of which y is half of the spectrum, that of the last axis."""
    y = complex_node(y)
    for axis, extent in zip(axes[:-1], extents[:-1], strict=True):
        if list(axes).count(axis) > 1:
            y = along_axes(y, (axis,), (extent,), inverse, power)
    once = [k for k, axis in enumerate(axes[:-1]) if list(axes).count(axis) == 1]
    y = along_axes(y, [axes[k] for k in once], [extents[k] for k in once], inverse, power)
    axis, extent = axes[-1], extents[-1]
    y = fitted(y, (axis,), (extent // 2 + 1,))
    return fourier.irfft(y, axis, extent, inverse, True, power)


# ------------------------------------------------------------------------------------ one axis


def _one(x: Node, n: Any, axis: Any) -> tuple[int, int]:
    axis = one_axis(axis, x.ndim)
    return axis, checked_extent(x.shape[axis] if n is None else n)


def _half_one(y: Node, n: Any, axis: Any) -> tuple[int, int]:
    axis = one_axis(axis, y.ndim)
    return axis, checked_extent(2 * (y.shape[axis] - 1) if n is None else n)


@implements(np.fft.fft)
def fft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    session, (x,) = nodes(a)
    axis, extent = _one(x, n, axis)
    return into(Tracer(along_axes(x, (axis,), (extent,), False, forward_power(norm)), session), out)


@implements(np.fft.ifft)
def ifft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    session, (x,) = nodes(a)
    axis, extent = _one(x, n, axis)
    return into(Tracer(along_axes(x, (axis,), (extent,), True, inverse_power(norm)), session), out)


@implements(np.fft.rfft)
def rfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    session, (x,) = nodes(a)
    x = real_node(x, "rfft")
    axis, extent = _one(x, n, axis)
    return into(Tracer(to_half(x, (axis,), (extent,), False, forward_power(norm)), session), out)


@implements(np.fft.irfft)
def irfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    session, (y,) = nodes(a)
    axis, extent = _half_one(y, n, axis)
    return into(Tracer(from_half(y, (axis,), (extent,), True, inverse_power(norm)), session), out)


@implements(np.fft.hfft)
def hfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    session, (y,) = nodes(a)
    axis, extent = _half_one(y, n, axis)
    return into(Tracer(from_half(y, (axis,), (extent,), False, forward_power(norm)), session), out)


@implements(np.fft.ihfft)
def ihfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    session, (x,) = nodes(a)
    x = real_node(x, "ihfft")
    axis, extent = _one(x, n, axis)
    return into(Tracer(to_half(x, (axis,), (extent,), True, inverse_power(norm)), session), out)


# ------------------------------------------------------------------------------- several axes


def _several(x: Node, s: Any, axes: Any, half: bool = False) -> tuple[list[int], list[int]]:
    """Axes and extents as NumPy reads `s` and `axes`."""
    if s is None:
        named = list(range(x.ndim)) if axes is None else [one_axis(a, x.ndim) for a in axes]
        extents = [x.shape[axis] for axis in named]
        if half and named:
            extents[-1] = 2 * (x.shape[named[-1]] - 1)
    else:
        extents = list(s)
        if axes is None:
            warnings.warn(
                "`axes` should not be `None` if `s` is not `None` (Deprecated in NumPy 2.0). "
                "Pass `axes=tuple(range(-len(s), 0))`",
                DeprecationWarning,
                stacklevel=4,
            )
            axes = range(-len(extents), 0)
        named = [one_axis(a, x.ndim) for a in axes]
        if len(named) != len(extents):
            raise WengertValueError("Shape and axes have different lengths.")
        extents = [
            x.shape[axis] if extent is None or extent == -1 else extent
            for extent, axis in zip(extents, named, strict=True)
        ]
    return named, [checked_extent(extent) for extent in extents]


@implements(np.fft.fftn)
def fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    session, (x,) = nodes(a)
    power = forward_power(norm)
    named, extents = _several(x, s, axes)
    return into(Tracer(along_axes(x, named, extents, False, power) if named else x, session), out)


@implements(np.fft.ifftn)
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    session, (x,) = nodes(a)
    power = inverse_power(norm)
    named, extents = _several(x, s, axes)
    return into(Tracer(along_axes(x, named, extents, True, power) if named else x, session), out)


def _some(named: Sequence[int]) -> None:
    if not named:
        raise WengertValueError("a real transform needs at least one axis")


@implements(np.fft.rfftn)
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    session, (x,) = nodes(a)
    x, power = real_node(x, "rfftn"), forward_power(norm)
    named, extents = _several(x, s, axes)
    _some(named)
    return into(Tracer(to_half(x, named, extents, False, power), session), out)


@implements(np.fft.irfftn)
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    session, (y,) = nodes(a)
    power = inverse_power(norm)
    named, extents = _several(y, s, axes, half=True)
    _some(named)
    return into(Tracer(from_half(y, named, extents, True, power), session), out)


@implements(np.fft.fft2)
def fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return fftn(a, s, axes, norm, out)


@implements(np.fft.ifft2)
def ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return ifftn(a, s, axes, norm, out)


@implements(np.fft.rfft2)
def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return rfftn(a, s, axes, norm, out)


@implements(np.fft.irfft2)
def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return irfftn(a, s, axes, norm, out)


# ------------------------------------------------------------------------------------- shifts


def _shifted(x: Any, axes: Any, inverse: bool) -> Any:
    if axes is None:
        axes = tuple(range(x.ndim))
    elif not isinstance(axes, tuple | list):
        axes = (operator.index(axes),)
    axes = tuple(axes)
    steps = [x.shape[axis] // 2 for axis in axes]
    return np.roll(x, [-step for step in steps] if inverse else steps, axes)


@implements(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Any:
    return _shifted(*tracers(x), axes, False)


@implements(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Any:
    return _shifted(*tracers(x), axes, True)


globals().update(public_names(np.fft))


def __getattr__(name: str) -> Any:
    return getattr(np.fft, name)
