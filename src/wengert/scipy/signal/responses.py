"""`scipy.signal` on tracers: frequency responses of filters, and swept waves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import signal

from wengert.errors import Unsupported, WengertValueError
from wengert.numpy.dispatch import as_tracer, nodes, tracers
from wengert.scipy.namespace import implements


def _frequencies(worN: Any, whole: bool, fs: Any, nyquist: bool) -> Any:
    """The frequencies in units of fs, and as angles."""
    if worN is None:
        worN = 512
    if np.ndim(worN) == 0:
        stop = 2 * math.pi if whole else math.pi
        angles = np.linspace(0, stop, int(worN), endpoint=nyquist and not whole)
        return angles * (fs / (2 * math.pi)), angles
    worN = worN if hasattr(worN, "shape") else np.asarray(worN)
    return worN, worN * (2 * math.pi / fs)


@implements(signal.freqz)
def freqz(
    b: Any,
    a: Any = 1,
    worN: Any = 512,
    whole: bool = False,
    plot: Any = None,
    fs: Any = 2 * math.pi,
    include_nyquist: bool = False,
) -> Any:
    """Σ b_k e^(−ikω) / Σ a_k e^(−ikω)."""
    if plot is not None:
        raise Unsupported("scipy.signal.freqz cannot call `plot` with traced values")
    session, _ = nodes(b, a, worN, fs)
    b, a = (np.atleast_1d(as_tracer(v, session)) for v in (b, a))
    freqs, angles = _frequencies(worN, whole, fs, include_nyquist)
    point = np.exp(-1j * as_tracer(angles, session))
    return freqs, _polynomial(b, point) / _polynomial(a, point)


def _polynomial(coefficients: Any, z: Any) -> Any:
    """Σ c_k z^k by Horner's rule; the coefficients lie along the first axis."""
    total = coefficients[-1] + 0 * z
    for k in reversed(range(coefficients.shape[0] - 1)):
        total = total * z + coefficients[k]
    return total


@implements(signal.freqz_sos, signal.sosfreqz)
def freqz_sos(
    sos: Any,
    worN: Any = 512,
    whole: bool = False,
    fs: Any = 2 * math.pi,
) -> Any:
    session, _ = nodes(sos, worN, fs)
    sections = as_tracer(sos, session)
    if sections.ndim != 2 or sections.shape[1] != 6:
        raise WengertValueError("sos array must be shape (n_sections, 6)")
    if not sections.shape[0]:
        raise WengertValueError("Cannot compute frequencies with no sections")
    response: Any = 1.0
    for k in range(sections.shape[0]):
        freqs, factor = freqz(sections[k, :3], sections[k, 3:], worN, whole, None, fs)
        response = response * factor
    return freqs, response


@implements(signal.chirp)
def chirp(
    t: Any,
    f0: Any,
    t1: Any,
    f1: Any,
    method: str = "linear",
    phi: Any = 0,
    vertex_zero: bool = True,
    *,
    complex: bool = False,
) -> Any:
    """cos of 2π ∫ f, the frequency f going from f0 at 0 to f1 at t1."""
    t, f0, t1, f1, phi = tracers(t, f0, t1, f1, phi)
    if method in ("linear", "lin", "li"):
        phase = 2 * math.pi * (f0 * t + (f1 - f0) / t1 * t**2 / 2)
    elif method in ("quadratic", "quad", "q"):
        beta = (f1 - f0) / t1**2
        if vertex_zero:
            phase = 2 * math.pi * (f0 * t + beta * t**3 / 3)
        else:
            phase = 2 * math.pi * (f1 * t + beta * ((t1 - t) ** 3 - t1**3) / 3)
    elif method in ("logarithmic", "log", "lo"):
        if not bool(f0 * f1 > 0):
            raise WengertValueError(
                "For a logarithmic chirp, f0 and f1 must be nonzero and have the same sign."
            )
        if bool(f0 == f1):
            phase = 2 * math.pi * f0 * t
        else:
            beta = t1 / np.log(f1 / f0)
            phase = 2 * math.pi * beta * f0 * ((f1 / f0) ** (t / t1) - 1)
    elif method in ("hyperbolic", "hyp"):
        if bool(f0 == 0) or bool(f1 == 0):
            raise WengertValueError("For a hyperbolic chirp, f0 and f1 must be nonzero.")
        if bool(f0 == f1):
            phase = 2 * math.pi * f0 * t
        else:
            pole = -f1 * t1 / (f0 - f1)
            phase = 2 * math.pi * (-pole * f0) * np.log(np.abs(1 - t / pole))
    else:
        raise WengertValueError(
            "method must be 'linear', 'quadratic', 'logarithmic', or 'hyperbolic', but a value "
            f"of {method!r} was given."
        )
    angle = phase + phi * (math.pi / 180)
    return np.exp(1j * angle) if complex else np.cos(angle)
