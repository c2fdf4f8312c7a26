"""`scipy.signal` on tracers: spectra of short segments, and the signal of such spectra."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy import signal

from wengert.errors import WengertValueError
from wengert.graph.registry import find
from wengert.numpy.dispatch import one_axis, tracers
from wengert.scipy.namespace import implements
from wengert.scipy.signal.spectra import floating, segment_spectra, taper_of
from wengert.tracing.tracer import Tracer

_BOUNDARIES: dict[str, dict[str, Any]] = {
    "zeros": {"mode": "constant"},
    "even": {"mode": "reflect"},
    "odd": {"mode": "reflect", "reflect_type": "odd"},
    "constant": {"mode": "edge"},
}


def _scale(taper: Any, fs: Any, density: bool) -> Any:
    """The factor of the power: per hertz, or of the whole peak."""
    return 1 / (fs * np.sum(taper**2)) if density else 1 / np.sum(taper) ** 2


def _extents(taper: Any, noverlap: Any, nfft: Any) -> tuple[int, int, int]:
    """The width of a segment, the step to the next, and the extent of its transform."""
    width = taper.shape[0]
    step = width - (width // 2 if noverlap is None else int(noverlap))
    if step < 1:
        raise WengertValueError("noverlap must be less than nperseg.")
    length = width if nfft is None else int(nfft)
    if length < width:
        raise WengertValueError("nfft must be greater than or equal to nperseg.")
    return width, step, length


def _framed(
    x: Any, fs: Any, taper: Any, noverlap: Any, nfft: Any, trend: Any, onesided: bool
) -> tuple[Any, Any, Any]:
    """Frequencies, times of the middles, and spectra (…, segments, frequencies) along the end."""
    width, step, length = _extents(taper, noverlap, nfft)
    onesided = onesided and x.dtype.kind != "c"
    found = segment_spectra(x, taper, noverlap, length, trend, onesided)
    freqs = np.fft.rfftfreq(length) if onesided else np.fft.fftfreq(length)
    times = np.arange(width / 2, x.shape[-1] - width / 2 + 1, step)
    return freqs * fs, times / fs, found


def _placed(found: Any, axis: int) -> Any:
    """The frequencies where the axis of the signal was, the times at the end."""
    return np.moveaxis(found, -1, axis - 1 if axis < 0 else axis)


@implements(signal.stft)
def stft(
    x: Any,
    fs: Any = 1.0,
    window: Any = "hann_periodic",
    nperseg: Any = 256,
    noverlap: Any = None,
    nfft: Any = None,
    detrend: Any = False,
    return_onesided: bool = True,
    boundary: Any = "zeros",
    padded: bool = True,
    axis: int = -1,
    scaling: str = "spectrum",
) -> Any:
    if scaling not in ("spectrum", "psd"):
        raise WengertValueError(f"Parameter {scaling=} not in ['spectrum', 'psd']!")
    if boundary not in (*_BOUNDARIES, None):
        raise WengertValueError(
            f"Unknown boundary option '{boundary}', must be one of: {[*_BOUNDARIES, None]}"
        )
    x = np.moveaxis(floating(x, fs)[0], axis, -1)
    taper = taper_of(window, nperseg, x.shape[-1])
    width, step, _ = _extents(taper, noverlap, nfft)
    lead = [(0, 0)] * (x.ndim - 1)
    if boundary is not None:
        x = np.pad(x, [*lead, (width // 2, width // 2)], **_BOUNDARIES[boundary])
    if padded:
        x = np.pad(x, [*lead, (0, -(x.shape[-1] - width) % step % width)])
    freqs, times, found = _framed(x, fs, taper, noverlap, nfft, detrend, return_onesided)
    if boundary is not None:
        times = times - width / 2 / fs
    found = found * np.sqrt(_scale(taper, fs, scaling == "psd"))
    return freqs, times, _placed(found, axis)


@implements(signal.spectrogram)
def spectrogram(
    x: Any,
    fs: Any = 1.0,
    window: Any = ("tukey_periodic", 0.25),
    nperseg: Any = None,
    noverlap: Any = None,
    nfft: Any = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    mode: str = "psd",
) -> Any:
    modes = ("psd", "complex", "magnitude", "angle", "phase")
    if mode not in modes:
        raise WengertValueError(f"unknown value for mode {mode}, must be one of {modes}")
    if scaling not in ("density", "spectrum"):
        raise WengertValueError(f"Unknown scaling: {scaling!r}")
    x = np.moveaxis(floating(x, fs)[0], axis, -1)
    taper = taper_of(window, nperseg, x.shape[-1])
    overlap = taper.shape[0] // 8 if noverlap is None else noverlap
    freqs, times, found = _framed(x, fs, taper, overlap, nfft, detrend, return_onesided)
    scale = _scale(taper, fs, scaling == "density")
    if mode == "psd":
        weights = np.ones(found.shape[-1])
        if return_onesided and x.dtype.kind != "c":
            length = taper.shape[0] if nfft is None else int(nfft)
            weights[1 : -1 if length % 2 == 0 else None] = 2
        found = (found.real**2 + found.imag**2) * (weights * scale)
    else:
        found = found * np.sqrt(scale)
        if mode == "magnitude":
            found = np.abs(found)
        elif mode != "complex":
            found = np.angle(found)
            if mode == "phase":
                found = np.unwrap(found, axis=-1)
    return freqs, times, _placed(found, axis)


@implements(signal.istft)
def istft(
    Zxx: Any,
    fs: Any = 1.0,
    window: Any = "hann_periodic",
    nperseg: Any = None,
    noverlap: Any = None,
    nfft: Any = None,
    input_onesided: bool = True,
    boundary: bool = True,
    time_axis: int = -1,
    freq_axis: int = -2,
    scaling: str = "spectrum",
) -> Any:
    """The windowed segments added where they belong, over the sum of the squared windows there."""
    if scaling not in ("spectrum", "psd"):
        raise WengertValueError(f"Parameter {scaling=} not in ['spectrum', 'psd']!")
    spectra, _ = tracers(Zxx, fs)
    if spectra.ndim < 2:
        raise WengertValueError("Input stft must be at least 2d!")
    axes = [one_axis(axis, spectra.ndim) for axis in (freq_axis, time_axis)]
    if axes[0] == axes[1]:
        raise WengertValueError("Must specify differing time and frequency axes!")
    rest = [k for k in range(spectra.ndim) if k not in axes]
    lines = spectra.transpose((*rest, axes[1], axes[0]))
    count, bins = lines.shape[-2:]
    length = 2 * (bins - 1) if input_onesided else bins
    width = length if nperseg is None else int(nperseg)
    if nfft is not None:
        length = int(nfft)
    elif input_onesided and width == length + 1:
        length = width
    if length < width:
        raise WengertValueError("nfft must be greater than or equal to nperseg.")
    taper = taper_of(window, width, width)
    width, step, length = _extents(taper, noverlap, length)
    back = np.fft.irfft(lines, length) if input_onesided else np.fft.ifft(lines, length)
    parts = back[..., :width] * (taper / np.sqrt(_scale(taper, fs, scaling == "psd")))
    extent = width + (count - 1) * step
    places = np.arange(count)[:, None] * step + np.arange(width)
    parts, at = tracers(parts, places)
    axis = parts.ndim - 2
    whole = Tracer(find("scatter_add")(parts.node, at.node, axis, extent), parts.session)
    norm = np.zeros(extent)
    np.add.at(norm, places, np.broadcast_to(taper**2, places.shape))
    if boundary:
        half = width // 2
        whole, norm = whole[..., half : extent - half], norm[half : extent - half]
    if not (norm > 1e-10).all():
        warnings.warn("NOLA condition failed, STFT may not be invertible.", stacklevel=2)
    x = whole / np.where(norm > 1e-10, norm, 1.0)
    x = np.moveaxis(x, -1, axes[1] - (axes[0] < axes[1]))
    return np.arange(x.shape[0]) / fs, x  # of the first axis, whichever it is, as SciPy's
