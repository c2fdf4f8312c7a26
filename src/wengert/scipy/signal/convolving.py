"""`scipy.signal` on tracers: convolutions and correlations of arrays of any rank.

By the direct method they are one node, whose derivatives are convolutions again; by the other, a
product of spectra.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import fft as _fft
from scipy import signal

from wengert.errors import Unsupported, WengertValueError
from wengert.graph.node import Node
from wengert.numpy.dispatch import nodes, one_axis, tracers
from wengert.ops.complex import conjugate
from wengert.ops.convolution import convolve as convolve_op
from wengert.ops.convolution import turned
from wengert.ops.families import whole
from wengert.ops.movement import index
from wengert.scipy.namespace import implements
from wengert.tracing.tracer import Tracer

MODES = ("full", "valid", "same")


def _check_mode(mode: Any) -> None:
    if mode not in MODES:
        raise WengertValueError("acceptable mode flags are 'valid', 'same', or 'full'")


def _contained(large: Any, small: Any, axes: Any) -> bool:
    return all(large[axis] >= small[axis] for axis in axes)


def _in_order(a: Any, v: Any, mode: str, axes: Any) -> bool:
    """Whether the valid part of the convolution has the operands swapped; ValueError where neither
    of them holds the other."""
    if mode != "valid" or _contained(a.shape, v.shape, axes):
        return False
    if not _contained(v.shape, a.shape, axes):
        raise WengertValueError(
            "For 'valid' mode, one must be at least as large as the other in every dimension"
        )
    return True


def _middle(x: Any, shape: Any, axes: Any, late: bool = False) -> Any:
    """The middle of x of this shape along the axes; where it is half an element off, the earlier,
    or with `late` the later."""
    where = [slice(None)] * x.ndim
    for axis in axes:
        start = (x.shape[axis] - shape[axis] + late) // 2
        where[axis] = slice(start, start + shape[axis])
    return x[tuple(where)]


def _direct(a: Node, v: Node, mode: str, late: bool = False) -> Node:
    """The convolution of two nodes of the same rank, along all axes."""
    axes = range(a.ndim)
    if _in_order(a, v, mode, axes):
        a, v = v, a
    result = convolve_op(a, v, "valid" if mode == "valid" else "full", a.ndim)
    if mode != "same":
        return result
    starts = [(new - old + late) // 2 for new, old in zip(result.shape, a.shape, strict=True)]
    entries = tuple((start, n, 1) for start, n in zip(starts, a.shape, strict=True))
    return index(result, entries) if entries != whole(result.shape) else result


def _pair(in1: Any, in2: Any) -> tuple[Any, Node, Node]:
    session, (a, v) = nodes(in1, in2)
    if a.ndim != v.ndim:
        raise WengertValueError("in1 and in2 should have the same dimensionality")
    return session, a, v


def _method(a: Node, v: Node, mode: str, method: str) -> str:
    if method not in ("auto", "direct", "fft"):
        raise WengertValueError("Acceptable method flags are 'auto', 'direct', or 'fft'.")
    if {a.dtype.kind, v.dtype.kind} & set("biu"):
        return "direct" if method == "auto" else method
    if method == "auto":
        dummies = (np.broadcast_to(np.ones((), x.dtype), x.shape) for x in (a, v))
        method = signal.choose_conv_method(*dummies, mode)
    return method


@implements(signal.convolve)
def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    session, a, v = _pair(in1, in2)
    _check_mode(mode)
    left, right = Tracer(a, session), Tracer(v, session)
    if not a.ndim:
        return left * right
    if not a.size or not v.size:
        return np.array([])
    _in_order(a, v, mode, range(a.ndim))
    if _method(a, v, mode, method) == "direct":
        return Tracer(_direct(a, v, mode), session)
    result = fftconvolve(left, right, mode)
    kind = np.result_type(a.dtype, v.dtype)
    return np.rint(result).astype(kind) if kind.kind in "iu" else result.astype(kind)


@implements(signal.correlate)
def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """c_k = Σ_l a_{l+k} conj(v_l): the convolution with v reversed and conjugated."""
    session, a, v = _pair(in1, in2)
    _check_mode(mode)
    backwards = conjugate(turned(v, v.ndim))
    if not a.ndim or not a.size or not v.size or _method(a, v, mode, method) == "fft":
        return convolve(Tracer(a, session), Tracer(backwards, session), mode, method)
    return Tracer(_direct(a, backwards, mode), session)


def _spectral_axes(a: Any, v: Any, axes: Any) -> list[int]:
    every = list(range(a.ndim)) if axes is None else np.atleast_1d(axes).tolist()
    named = [one_axis(axis, a.ndim) for axis in every]
    if not named and axes is not None:
        raise WengertValueError("when provided, axes cannot be empty")
    if len(set(named)) != len(named):
        raise WengertValueError("all axes must be unique")
    for axis in range(a.ndim):
        if (
            axis not in named
            and a.shape[axis] != v.shape[axis]
            and 1
            not in (
                a.shape[axis],
                v.shape[axis],
            )
        ):
            raise WengertValueError(f"incompatible shapes for in1 and in2: {a.shape} and {v.shape}")
    return sorted(named)


def _by_spectra(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """Σ over the axes by the product of the spectra of both operands, padded with zeros."""
    session, a, v = _pair(in1, in2)
    _check_mode(mode)
    left, right = Tracer(a, session), Tracer(v, session)
    if not a.ndim:
        return left * right
    if not a.size or not v.size:
        return np.array([])
    named = _spectral_axes(a, v, axes)
    if _in_order(a, v, mode, named):
        left, right = right, left
    shape = [a.shape[k] + v.shape[k] - 1 for k in named]
    real = "c" not in (a.dtype.kind, v.dtype.kind)
    if not real:
        left, right = left + 0j, right + 0j
    forward, back = (np.fft.rfftn, np.fft.irfftn) if real else (np.fft.fftn, np.fft.ifftn)
    lengths = [_fft.next_fast_len(n, real) for n in shape]
    product = forward(left, lengths, named) * forward(right, lengths, named)
    result = back(product, lengths, named)
    where = [slice(None)] * a.ndim
    for axis, extent in zip(named, shape, strict=True):
        where[axis] = slice(0, extent)
    result = result[tuple(where)]
    if mode == "full":
        return result
    if mode == "same":
        return _middle(result, a.shape, named)
    valid = [abs(n - m) + 1 for n, m in zip(a.shape, v.shape, strict=True)]
    return _middle(result, valid, named)


@implements(signal.fftconvolve)
def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    return _by_spectra(in1, in2, mode, axes)


@implements(signal.oaconvolve)
def oaconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """In one piece: the values are those of SciPy's pieces to rounding."""
    return _by_spectra(in1, in2, mode, axes)


# --------------------------------------------------------------------------- two dimensions

_BOUNDARIES = {"fill": "constant", "pad": "constant", "wrap": "wrap", "circular": "wrap"}
_BOUNDARIES |= {"symm": "symmetric", "symmetric": "symmetric"}


def _two(in1: Any, in2: Any, mode: str, boundary: str, fillvalue: Any, correlating: bool) -> Any:
    session, (a, v, _) = nodes(in1, in2, fillvalue)
    _check_mode(mode)
    if a.ndim != 2 or v.ndim != 2:
        raise WengertValueError("convolve2d inputs must both be 2-D arrays")
    if boundary not in _BOUNDARIES:
        raise WengertValueError(
            "Acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and 'symmetric' "
            "(or 'symm')."
        )
    if correlating:
        v = conjugate(turned(v, 2))
    swapped = _in_order(a, v, mode, (0, 1))
    if mode == "valid":
        return Tracer(_direct(v, a, mode) if swapped else _direct(a, v, mode), session)
    how = _BOUNDARIES[boundary]
    zero = not isinstance(fillvalue, Tracer) and np.ndim(fillvalue) == 0 and fillvalue == 0
    late = correlating and mode == "same"
    if how == "constant" and zero:
        return Tracer(_direct(a, v, mode, late), session)
    padded = _surrounded(Tracer(a, session), v.shape, how, fillvalue)
    result = Tracer(convolve_op(padded.node, v, "valid", 2), session)
    return result if mode == "full" else _middle(result, a.shape, (0, 1), late)


def _surrounded(x: Tracer, shape: Any, how: str, fillvalue: Any) -> Any:
    """x with what the boundary is made of on all sides, one less than the other operand wide."""
    widths = [(n - 1, n - 1) for n in shape]
    if how == "constant":
        if np.ndim(fillvalue):
            raise WengertValueError("`fillvalue` must be scalar or an array with one element.")
        return np.pad(x, widths, constant_values=fillvalue)
    return np.pad(x, widths, how)


@implements(signal.convolve2d)
def convolve2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0
) -> Any:
    return _two(in1, in2, mode, boundary, fillvalue, False)


@implements(signal.correlate2d)
def correlate2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0
) -> Any:
    return _two(in1, in2, mode, boundary, fillvalue, True)


# ----------------------------------------------------------------------------- changing rates


def along_last(h: Any, x: Any) -> Any:
    """The full convolution of a line with x along its last axis."""
    session, (taps, lines) = nodes(h, x)
    rows = np.broadcast_to(Tracer(taps, session), (*lines.shape[:-1], taps.shape[0]))
    return Tracer(convolve_op(lines, rows.node, "full"), session)


@implements(signal.upfirdn)
def upfirdn(
    h: Any,
    x: Any,
    up: int = 1,
    down: int = 1,
    axis: int = -1,
    mode: str = "constant",
    cval: Any = 0,
) -> Any:
    """Σ_j h_{nd − uj} x_j: x with zeros between its elements, filtered, each d-th result kept."""
    if mode != "constant" or isinstance(cval, Tracer) or cval != 0:
        raise Unsupported(
            f"scipy.signal.upfirdn with mode={mode!r} and cval={cval!r} cannot be traced; pad x "
            "with np.pad first"
        )
    session, (taps, lines) = nodes(h, x)
    if taps.ndim != 1 or not taps.size:
        raise WengertValueError("h must be 1-D with non-zero length")
    if up < 1 or down < 1:
        raise WengertValueError("Both up and down must be >= 1")
    turned_x = np.moveaxis(Tracer(lines, session), axis, -1)
    n = turned_x.shape[-1]
    extent = (n - 1) * up + 1
    spread = np.pad(turned_x[..., None], [(0, 0)] * turned_x.ndim + [(0, up - 1)])
    spread = spread.reshape((*turned_x.shape[:-1], n * up))[..., :extent]
    result = along_last(Tracer(taps, session), spread)[..., ::down]
    return np.moveaxis(result, -1, axis)


@implements(signal.resample_poly)
def resample_poly(
    x: Any,
    up: int,
    down: int,
    axis: int = 0,
    window: Any = ("kaiser", 5.0),
    padtype: str = "constant",
    cval: Any = None,
) -> Any:
    """A filter between a rise and a fall of the rate, with the group delay taken off."""
    if up != int(up) or down != int(down):
        raise WengertValueError("up and down must be integers")
    if up < 1 or down < 1:
        raise WengertValueError("up and down must be >= 1")
    statistics = {"mean": np.mean, "median": np.median, "minimum": np.min, "maximum": np.max}
    if padtype not in (*statistics, "constant") or (cval is not None and cval != 0):
        raise Unsupported(
            f"scipy.signal.resample_poly with padtype={padtype!r} and cval={cval!r} cannot be "
            "traced; pad x with np.pad first"
        )
    common = math.gcd(int(up), int(down))
    up, down = int(up) // common, int(down) // common
    if isinstance(window, str | tuple):
        (x,) = tracers(x)
        if up == down == 1:
            return x.copy()
        half = 10 * max(up, down)
        kind = x.dtype if x.dtype.kind in "fc" else np.dtype(float)
        h = signal.firwin(2 * half + 1, 1 / max(up, down), window=window).astype(kind)
    else:
        session, (line, h_node) = nodes(x, window)
        x, h = Tracer(line, session), Tracer(h_node, session)
        if up == down == 1:
            return x.copy()
        if h.ndim > 1:
            raise WengertValueError("window must be 1-D")
        half = (h.shape[0] - 1) // 2
    extent = -(-x.shape[axis] * up // down)
    before = down - half % down
    skipped = (half + before) // down
    level = statistics[padtype](x, axis=axis, keepdims=True) if padtype in statistics else None
    after = max(0, (extent + skipped) * down - (x.shape[axis] - 1) * up - h.shape[0] - before)
    h = np.pad(h * up, (before, after))
    y = upfirdn(h, x if level is None else x - level, up, down, axis)
    where = [slice(None)] * x.ndim
    where[axis] = slice(skipped, skipped + extent)
    y = y[tuple(where)]
    return y if level is None else y + level
