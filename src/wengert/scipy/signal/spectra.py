"""`scipy.signal` on tracers: trends, analytic signals, smoothing, resampling and power spectra."""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np
from scipy import signal

from wengert.errors import Unsupported, WengertValueError
from wengert.numpy.dispatch import tracers
from wengert.scipy.namespace import implements
from wengert.scipy.signal.convolving import along_last, correlate
from wengert.tracing.forcing import depends_on_input
from wengert.tracing.tracer import Tracer


def floating(*values: Any) -> list[Any]:
    """All values as traced arrays of floating or complex numbers."""
    return [x if x.dtype.kind in "fc" else x.astype(float) for x in tracers(*values)]


def known(value: Any, what: str) -> Any:
    """An argument as an array; an error where it rests on what is differentiated."""
    if isinstance(value, Tracer) and depends_on_input(value.node):
        raise Unsupported(f"{what} cannot be a traced value; it must be known")
    return np.asarray(value)


# ------------------------------------------------------------------------------------- trends


@implements(signal.detrend)
def detrend(
    data: Any, axis: int = -1, type: str = "linear", bp: Any = 0, overwrite_data: bool = False
) -> Any:
    if type not in ("linear", "l", "constant", "c"):
        raise WengertValueError("Trend type must be 'linear' or 'constant'.")
    (x,) = floating(data)
    x = np.moveaxis(x, axis, -1)
    if type in ("constant", "c"):
        return np.moveaxis(x - np.mean(x, -1, keepdims=True), -1, axis)
    n = x.shape[-1]
    breaks = np.unique(
        np.concatenate(([0], np.atleast_1d(known(bp, "a breakpoint of detrend")), [n]))
    )
    if np.any(breaks > n):
        raise WengertValueError("Breakpoints must be less than length of data along given axis.")
    pieces = [
        _without_line(x[..., start:stop])
        for start, stop in zip(breaks[:-1].tolist(), breaks[1:].tolist(), strict=True)
    ]
    return np.moveaxis(np.concatenate(pieces, -1), -1, axis)


def _without_line(x: Any) -> Any:
    """x less its mean and the line through it that is nearest: both are orthogonal."""
    place = np.arange(x.shape[-1]) - (x.shape[-1] - 1) / 2
    place = place.astype(x.real.dtype)
    centred = x - np.mean(x, -1, keepdims=True)
    size = place @ place
    return centred - (centred @ place / size)[..., None] * place if size else centred


# --------------------------------------------------------------------------- analytic signals


def _half_weights(n: int, unpaired: bool) -> Any:
    """2 at the positive frequencies, 0 at the negative ones, 1 at zero (and the unpaired one)."""
    weights = np.zeros(n)
    weights[0] = 1
    weights[1 : (n + 1) // 2] = 2
    if n % 2 == 0 and unpaired:
        weights[n // 2] = 1
    return weights


@implements(signal.hilbert)
def hilbert(x: Any, N: Any = None, axis: int = -1) -> Any:
    (x,) = tracers(x)
    if x.dtype.kind == "c":
        raise WengertValueError("x must be real.")
    n = x.shape[axis] if N is None else operator.index(N)
    if n <= 0:
        raise WengertValueError("N must be positive.")
    spectrum = np.moveaxis(np.fft.fft(x, n, axis), axis, -1)
    weights = _half_weights(n, True).astype(spectrum.real.dtype)
    return np.moveaxis(np.fft.ifft(spectrum * weights), -1, axis)


@implements(signal.hilbert2)
def hilbert2(x: Any, N: Any = None, axes: Any = (-2, -1)) -> Any:
    x = np.atleast_2d(*tracers(x))
    if x.dtype.kind == "c":
        raise WengertValueError("x must be real.")
    if len(axes) != 2 or axes[0] == axes[1]:
        raise WengertValueError("axes must contain 2 distinct axes")
    extents = [x.shape[axis] for axis in axes] if N is None else N
    rows, columns = (extents, extents) if isinstance(extents, int) else extents
    if rows <= 0 or columns <= 0:
        raise WengertValueError("N must be positive.")
    spectrum = np.moveaxis(np.fft.fft2(x, (rows, columns), axes), axes, (-2, -1))
    weights = np.outer(_half_weights(rows, False), _half_weights(columns, False))
    found = np.fft.ifft2(spectrum * weights.astype(spectrum.real.dtype))
    return np.moveaxis(found, (-2, -1), axes)


# ---------------------------------------------------------------------------------- smoothing

_EDGES = {"mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}


@implements(signal.savgol_filter)
def savgol_filter(
    x: Any,
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: float = 1.0,
    axis: int = -1,
    mode: str = "interp",
    cval: Any = 0.0,
) -> Any:
    """Savitzky–Golay: the value, or a derivative, of the parabola (…) fitted to the neighbours."""
    if mode not in (*_EDGES, "interp"):
        raise WengertValueError("mode must be 'mirror', 'constant', 'nearest' 'wrap' or 'interp'.")
    x = np.moveaxis(floating(x, cval, delta)[0], axis, -1)
    n, width = x.shape[-1], operator.index(window_length)
    scale = delta**deriv
    weights = signal.savgol_coeffs(width, polyorder, deriv).astype(x.dtype) / scale
    left, right = (width - 1) // 2, width // 2
    lead = [(0, 0)] * (x.ndim - 1)
    if mode != "interp":
        more = {"constant_values": cval} if mode == "constant" else {}
        around = np.pad(x, [*lead, (left, right)], _EDGES[mode], **more)
        result = along_last(weights, around)[..., width - 1 : width - 1 + n]
        return np.moveaxis(result, -1, axis)
    if width > n:
        raise WengertValueError(
            "If mode is 'interp', window_length must be less than or equal to the size of x."
        )
    inner = along_last(weights, x)[..., right : right + n]
    half = right
    if not half:
        return np.moveaxis(inner, -1, axis)
    # what SciPy does at the ends is linear in the first and last neighbours
    fitted = signal.savgol_filter(np.eye(width), width, polyorder, deriv, axis=0)
    fitted = fitted.astype(x.dtype) / scale
    first = x[..., :width] @ fitted[:half].T
    last = x[..., n - width :] @ fitted[width - half :].T
    return np.moveaxis(np.concatenate((first, inner[..., half : n - half], last), -1), -1, axis)


@implements(signal.wiener)
def wiener(im: Any, mysize: Any = None, noise: Any = None) -> Any:
    x = floating(im, 0 if noise is None else noise)[0]
    sizes = [3] * x.ndim if mysize is None else np.broadcast_to(mysize, (x.ndim,)).tolist()
    window, count = np.ones(sizes), float(np.prod(sizes))
    mean = correlate(x, window, "same", "direct") / count
    variance = correlate(x**2, window, "same", "direct") / count - mean**2
    if noise is None:
        noise = np.mean(variance)
    quiet = variance < noise
    ratio = noise / np.where(quiet, 1, variance)
    return np.where(quiet, mean, mean + (x - mean) * (1 - ratio))


# --------------------------------------------------------------------------------- resampling


@implements(signal.resample)
def resample(
    x: Any, num: int, t: Any = None, axis: int = 0, window: Any = None, domain: str = "time"
) -> Any:
    """The Fourier series of x at `num` points."""
    if domain not in ("time", "freq"):
        raise WengertValueError(f"Parameter {domain=} not in ('time', 'freq')!")
    if window is not None:
        raise Unsupported(
            "scipy.signal.resample with a window cannot be traced: multiply the spectrum "
            "(np.fft.fft) by it and call resample with domain='freq'"
        )
    x = np.moveaxis(floating(x, *(() if t is None else (t,)))[0], axis, -1)
    n = x.shape[-1]
    m = min(num, n)
    if domain == "time" and x.dtype.kind != "c":
        spectrum = np.fft.rfft(x)[..., : m // 2 + 1]
        if m % 2 == 0 and num != n:
            weights = np.ones(m // 2 + 1)
            weights[m // 2] = 2 if num < n else 0.5
            spectrum = spectrum * weights.astype(x.dtype)
        result = np.fft.irfft(spectrum * (num / n), num)
    else:
        spectrum = np.fft.fft(x) if domain == "time" else x
        result = np.fft.ifft(_fewer_or_more(spectrum, num, m) * (num / n), num)
    result = np.moveaxis(result, -1, axis)
    if t is None:
        return result
    return result, t[0] + (t[1] - t[0]) * (n / num) * np.arange(num)


def _fewer_or_more(spectrum: Any, num: int, m: int) -> Any:
    """The m lowest frequencies of a spectrum as one of extent num."""
    n, half = spectrum.shape[-1], m // 2 + 1
    zeros = np.zeros((*spectrum.shape[:-1], num - m))
    low, high = spectrum[..., :half], spectrum[..., n - (m - half) :]
    if m % 2 == 0 and num != n:
        middle = spectrum[..., m // 2 : m // 2 + 1]
        low = low[..., : m // 2]
        if num < n:
            other = n - m // 2
            low = np.concatenate((low, middle + spectrum[..., other : other + 1]), -1)
        else:
            low = np.concatenate((low, middle / 2), -1)
            high = np.concatenate((middle / 2, high), -1)
            zeros = zeros[..., 1:]
    return np.concatenate((low, zeros, high), -1)


# ------------------------------------------------------------------------------ power spectra


def taper_of(window: Any, nperseg: Any, extent: int) -> Any:
    if isinstance(window, str | tuple):
        length = 256 if nperseg is None else int(nperseg)
        if length > extent:
            if nperseg is not None:
                warnings.warn(
                    f"nperseg = {length} is greater than input length = {extent}, using "
                    f"nperseg = {extent}",
                    stacklevel=4,
                )
            length = extent
        window = signal.get_window(window, length)
        return known(window, "a window")
    values = known(window, "the window of a power spectrum")
    if values.ndim != 1 or values.shape[0] > extent:
        raise WengertValueError("window must be 1-D, and no longer than the input")
    if nperseg is not None and nperseg != values.shape[0]:
        raise WengertValueError("value specified for nperseg is different from length of window")
    return values


def segment_spectra(
    x: Any, window: Any, noverlap: Any, nfft: Any, trend: Any, onesided: bool
) -> Any:
    """The spectra of the windowed segments of x: (…, segments, frequencies)."""
    width = window.shape[0]
    overlap = width // 2 if noverlap is None else int(noverlap)
    if overlap >= width:
        raise WengertValueError("noverlap must be less than nperseg.")
    starts = np.arange(0, x.shape[-1] - width + 1, width - overlap)
    segments = x[..., starts[:, None] + np.arange(width)]
    if callable(trend):
        segments = trend(segments)
    elif trend:
        segments = detrend(segments, -1, trend)
    segments = segments * window.astype(segments.real.dtype)
    return np.fft.rfft(segments, nfft) if onesided else np.fft.fft(segments, nfft)


@implements(signal.csd)
def csd(
    x: Any,
    y: Any,
    fs: Any = 1.0,
    window: Any = "hann_periodic",
    nperseg: Any = None,
    noverlap: Any = None,
    nfft: Any = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> Any:
    """Welch 1967: the mean of the products of spectra of overlapping segments."""
    same = x is y
    x, y = (np.moveaxis(v, axis, -1) for v in floating(x, y, fs)[:2])
    if x.shape[-1] != y.shape[-1]:
        raise Unsupported(
            "scipy.signal.csd of arrays of different lengths cannot be traced: pad the shorter "
            "with np.pad"
        )
    if scaling not in ("density", "spectrum"):
        raise WengertValueError(f"Parameter {scaling=} not in ['density', 'spectrum']!")
    if average not in ("mean", "median"):
        raise WengertValueError(f"Parameter {average=} must be 'median' or 'mean'!")
    taper = taper_of(window, nperseg, x.shape[-1])
    width = taper.shape[0]
    length = width if nfft is None else operator.index(nfft)
    if length < width:
        raise WengertValueError("nfft must be greater than or equal to nperseg.")
    onesided = return_onesided and "c" not in (x.dtype.kind, y.dtype.kind)
    of_x = segment_spectra(x, taper, noverlap, length, detrend, onesided)
    of_y = of_x if same else segment_spectra(y, taper, noverlap, length, detrend, onesided)
    power = of_x.real**2 + of_x.imag**2 if same else np.conj(of_x) * of_y
    weights = np.ones(power.shape[-1])
    if onesided:
        weights[1 : -1 if length % 2 == 0 else None] = 2
    scale = fs * np.sum(taper**2) if scaling == "density" else np.sum(taper) ** 2
    power = power * weights.astype(power.real.dtype) / scale
    freqs = np.fft.rfftfreq(length) if onesided else np.fft.fftfreq(length)
    return freqs * fs, np.moveaxis(_averaged(power, average), -1, axis)


def _averaged(power: Any, average: str) -> Any:
    """Over the segments. The median of χ²-distributed values is biased by 1 − 1/2 + 1/3 − …"""
    count = power.shape[-2]
    if average == "mean" or count == 1:
        return np.mean(power, -2)
    steps = 2 * np.arange(1.0, (count - 1) // 2 + 1)
    bias = 1 + np.sum(1 / (steps + 1) - 1 / steps)
    if power.dtype.kind == "c":
        return (np.median(power.real, -2) + 1j * np.median(power.imag, -2)) / bias
    return np.median(power, -2) / bias


@implements(signal.welch)
def welch(
    x: Any,
    fs: Any = 1.0,
    window: Any = "hann_periodic",
    nperseg: Any = None,
    noverlap: Any = None,
    nfft: Any = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> Any:
    return csd(
        x, x, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, average
    )


@implements(signal.periodogram)
def periodogram(
    x: Any,
    fs: Any = 1.0,
    window: Any = "boxcar",
    nfft: Any = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
) -> Any:
    x = np.moveaxis(floating(x, fs)[0], axis, -1)
    if nfft is not None and nfft < x.shape[-1]:
        x = x[..., :nfft]
    taper = taper_of("boxcar" if window is None else window, x.shape[-1], x.shape[-1])
    freqs, power = csd(x, x, fs, taper, None, 0, nfft, detrend, return_onesided, scaling)
    return freqs, np.moveaxis(power, -1, axis)


@implements(signal.coherence)
def coherence(
    x: Any,
    y: Any,
    fs: Any = 1.0,
    window: Any = "hann_periodic",
    nperseg: Any = None,
    noverlap: Any = None,
    nfft: Any = None,
    detrend: Any = "constant",
    axis: int = -1,
) -> Any:
    x, y = floating(x, y, fs)[:2]
    further = (fs, window, nperseg, noverlap, nfft, detrend)
    freqs, of_x = welch(x, *further, axis=axis)
    _, of_y = welch(y, *further, axis=axis)
    _, of_both = csd(x, y, *further, axis=axis)
    return freqs, (of_both.real**2 + of_both.imag**2) / of_x / of_y
