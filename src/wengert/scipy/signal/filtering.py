"""`scipy.signal` on tracers: filters given by difference equations.

    a_0 y_n = Σ_k b_k x_{n−k} − Σ_{k≥1} a_k y_{n−k}

is a convolution with b and then a recurrence with a; both have records, so that derivatives by x,
b, a and the initial state are exact. The state z that SciPy keeps (transposed direct form II) adds
to the first right-hand sides: with x and y the whole signals, b ∗ x + z = a ∗ y, and what of this
lies beyond the end of y is the final state.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

from wengert.errors import Unsupported, WengertValueError
from wengert.numpy.dispatch import tracers
from wengert.ops.convolution import recurrence
from wengert.scipy.namespace import implements
from wengert.scipy.signal.convolving import along_last, resample_poly, upfirdn
from wengert.tracing.tracer import Tracer


def _inexact(*values: Any) -> list[Tracer]:
    """All values as traced arrays of their common inexact dtype."""
    arrays = tracers(*values)
    dtype = np.result_type(*arrays)
    if dtype.kind not in "fc":
        dtype = np.dtype(float)
    return [x.astype(dtype, copy=False) for x in arrays]


def _coefficients(b: Any, a: Any) -> tuple[Any, Any]:
    b, a = np.atleast_1d(b), np.atleast_1d(a)
    for name, line in (("b", b), ("a", a)):
        if line.ndim != 1 or not line.shape[0]:
            raise WengertValueError(f"object of too small depth: {name} must be 1-D and not empty")
    return b / a[0], a / a[0]


def _filtered(b: Any, a: Any, x: Any, zi: Any) -> tuple[Any, Any]:
    """The result along the last axis, and the final state; a[0] is 1, zi None or a state."""
    n, order = x.shape[-1], max(b.shape[0], a.shape[0]) - 1
    width = n + order
    driven = _widened(along_last(b, x), width)
    if zi is not None:
        driven = driven + _widened(zi, width)
    y = driven[..., :n]
    if a.shape[0] > 1 and n:
        past = np.broadcast_to(a[1:], (*y.shape[:-1], a.shape[0] - 1))
        y = Tracer(recurrence(past.node, y.node), y.session)
    if zi is None:
        return y, None
    return y, (driven - _widened(along_last(a, y), width))[..., n:]


def _widened(x: Any, extent: int) -> Any:
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, extent - x.shape[-1])])


def _state(zi: Any, x: Any, order: int) -> Any:
    """An initial state with the state in the last axis, repeated where its extent is 1."""
    shape = (*x.shape[:-1], order)
    if zi.ndim != x.ndim or any(
        m not in (1, n) for m, n in zip(zi.shape[:-1], shape[:-1], strict=True)
    ):
        raise WengertValueError(f"Unexpected shape for zi: expected {shape}, found {zi.shape}.")
    if zi.shape[-1] != order:
        raise WengertValueError(f"Unexpected shape for zi: expected {shape}, found {zi.shape}.")
    return np.broadcast_to(zi, shape)


@implements(signal.lfilter)
def lfilter(b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    given = (b, a, x) if zi is None else (b, a, x, zi)
    b, a, x, *rest = _inexact(*given)
    b, a = _coefficients(b, a)
    x = np.moveaxis(x, axis, -1)
    state = None
    if rest:
        order = max(b.shape[0], a.shape[0]) - 1
        state = _state(np.moveaxis(rest[0], axis, -1), x, order)
    y, final = _filtered(b, a, x, state)
    y = np.moveaxis(y, -1, axis)
    return y if final is None else (y, np.moveaxis(final, -1, axis))


@implements(signal.lfilter_zi)
def lfilter_zi(b: Any, a: Any) -> Any:
    """The state in which the answer to a constant 1 is constant.

    y is then the gain g = Σb / Σa, and z_k = Σ_{j>k} (b_j − g a_j).
    """
    b, a = _coefficients(*_inexact(b, a))
    order = max(b.shape[0], a.shape[0])
    b, a = _widened(b, order), _widened(a, order)
    gain = np.sum(b) / np.sum(a)
    return np.flip(np.cumsum(np.flip((b - gain * a)[1:])))


@implements(signal.lfiltic)
def lfiltic(b: Any, a: Any, y: Any, x: Any = None) -> Any:
    """The state after outputs y and inputs x, the latest first."""
    if x is None:
        b, a, y = _inexact(b, a, y)
    else:
        b, a, y, x = _inexact(b, a, y, x)
    b, a = np.atleast_1d(b), np.atleast_1d(a)
    order = max(b.shape[0], a.shape[0]) - 1
    state = -_pulled(a, y, order)
    if x is not None:
        state = state + _pulled(b, x, order)
    return state / a[0]


def _pulled(c: Any, past: Any, order: int) -> Any:
    """Σ_{j>k} c_j past_{j−k−1} for each k."""
    count = c.shape[0] - 1
    if not count:
        return _widened(c[:0], order)
    past = _widened(past, max(count, past.shape[0]))[:count]
    return _widened(np.correlate(c[1:], np.conj(past), "full")[count - 1 :], order)


@implements(signal.deconvolve)
def deconvolve(signal: Any, divisor: Any) -> Any:
    num, den = (np.atleast_1d(v) for v in _inexact(signal, divisor))
    for name, line in (("signal", num), ("divisor", den)):
        if line.ndim != 1 or not line.size:
            raise WengertValueError(
                f"Parameter {name} must be non-empty 1d array, but its shape is {line.shape}!"
            )
    if den.size > num.size:
        return [], num
    impulse = np.zeros(num.size - den.size + 1)
    impulse[0] = 1
    quotient = lfilter(num, den, impulse)
    return quotient, num - np.convolve(den, quotient)


# ---------------------------------------------------------------------- second-order sections


def _sections(sos: Any) -> list[tuple[Any, Any]]:
    if sos.ndim != 2:
        raise WengertValueError("sos array must be 2D")
    if sos.shape[1] != 6:
        raise WengertValueError("sos array must be shape (n_sections, 6)")
    if not bool(np.all(sos[:, 3] == 1)):
        raise WengertValueError("sos[:, 3] should be all ones")
    return [(sos[k, :3], sos[k, 3:]) for k in range(sos.shape[0])]


@implements(signal.sosfilt)
def sosfilt(sos: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    sos, x, *rest = _inexact(*((sos, x) if zi is None else (sos, x, zi)))
    sections = _sections(sos)
    x = np.moveaxis(x, axis, -1)
    if rest:
        states = np.moveaxis(rest[0], 1 + axis % x.ndim, -1)
        if states.shape != (len(sections), *x.shape[:-1], 2):
            raise WengertValueError(
                f"Invalid zi shape. With axis={axis!r} and {len(sections)} sections, zi of shape "
                f"{rest[0].shape!r} does not fit"
            )
    finals = []
    for k, (b, a) in enumerate(sections):
        x, final = _filtered(b, a, x, states[k] if rest else None)
        finals.append(final)
    y = np.moveaxis(x, -1, axis)
    if not rest:
        return y
    return y, np.moveaxis(np.stack(finals), -1, 1 + axis % y.ndim)


@implements(signal.sosfilt_zi)
def sosfilt_zi(sos: Any) -> Any:
    (sos,) = _inexact(sos)
    scale: Any = 1.0
    states = []
    for b, a in _sections(sos):
        states.append(scale * lfilter_zi(b, a))
        scale = scale * (np.sum(b) / np.sum(a))
    return np.stack(states)


# --------------------------------------------------------------------- forwards and backwards

_PADDING: dict[Any, dict[str, Any]] = {
    "odd": {"mode": "reflect", "reflect_type": "odd"},
    "even": {"mode": "reflect"},
    "constant": {"mode": "edge"},
}


def _extended(x: Any, padtype: Any, padlen: Any, taps: int) -> tuple[int, Any]:
    """x along its last axis with an extension on either side, and its length."""
    if padtype not in (*_PADDING, None):
        raise WengertValueError(
            f"Unknown value '{padtype}' given to padtype. padtype must be 'even', 'odd', "
            "'constant', or None."
        )
    edge = 0 if padtype is None else 3 * taps if padlen is None else padlen
    if x.shape[-1] <= edge:
        raise WengertValueError(
            f"The length of the input vector x must be greater than padlen, which is {edge}."
        )
    if not edge:
        return 0, x
    return edge, np.pad(x, [(0, 0)] * (x.ndim - 1) + [(edge, edge)], **_PADDING[padtype])


def _both_ways(run: Any, x: Any, edge: int) -> Any:
    """run filters along the last axis from the steady state of the first element."""
    y = np.flip(run(np.flip(run(x), -1)), -1)
    return y[..., edge : y.shape[-1] - edge] if edge else y


@implements(signal.filtfilt)
def filtfilt(
    b: Any,
    a: Any,
    x: Any,
    axis: int = -1,
    padtype: Any = "odd",
    padlen: Any = None,
    method: str = "pad",
    irlen: Any = None,
) -> Any:
    if method == "gust":
        raise Unsupported("scipy.signal.filtfilt with method='gust' cannot be traced: use 'pad'")
    if method != "pad":
        raise WengertValueError("method must be 'pad' or 'gust'.")
    b, a, x = _inexact(b, a, x)
    b, a = _coefficients(b, a)
    edge, extended = _extended(
        np.moveaxis(x, axis, -1), padtype, padlen, max(b.shape[0], a.shape[0])
    )
    state = lfilter_zi(b, a)
    y = _both_ways(lambda v: _filtered(b, a, v, state * v[..., :1])[0], extended, edge)
    return np.moveaxis(y, -1, axis)


@implements(signal.sosfiltfilt)
def sosfiltfilt(sos: Any, x: Any, axis: int = -1, padtype: Any = "odd", padlen: Any = None) -> Any:
    sos, x = _inexact(sos, x)
    sections = _sections(sos)
    spare = min(int(np.sum(sos[:, 2] == 0)), int(np.sum(sos[:, 5] == 0)))
    edge, extended = _extended(
        np.moveaxis(x, axis, -1), padtype, padlen, 2 * len(sections) + 1 - spare
    )
    states = sosfilt_zi(sos)

    def run(v: Any) -> Any:
        first = v[..., :1]
        for k, (b, a) in enumerate(sections):
            v, _ = _filtered(b, a, v, states[k] * first)
        return v

    return np.moveaxis(_both_ways(run, extended, edge), -1, axis)


@implements(signal.decimate)
def decimate(
    x: Any, q: int, n: Any = None, ftype: Any = "iir", axis: int = -1, zero_phase: bool = True
) -> Any:
    (x,) = _inexact(x)
    if ftype == "iir":
        sos = signal.cheby1(8 if n is None else n, 0.05, 0.8 / q, output="sos").astype(x.dtype)
        y = sosfiltfilt(sos, x, axis) if zero_phase else sosfilt(sos, x, axis)
        where = [slice(None)] * x.ndim
        where[axis] = slice(None, None, q)
        return y[tuple(where)]
    if ftype != "fir":
        raise Unsupported("scipy.signal.decimate by a system object cannot be traced")
    taps = signal.firwin((20 * q if n is None else n) + 1, 1.0 / q, window="hamming")
    taps = taps.astype(x.dtype)
    if zero_phase:
        return resample_poly(x, 1, q, axis, taps)
    y = upfirdn(taps, x, 1, q, axis)
    where = [slice(None)] * x.ndim
    where[axis] = slice(None, -(-x.shape[axis] // q))
    return y[tuple(where)]
