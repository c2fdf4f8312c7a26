"""`scipy.signal` for traced arrays: convolution, filters, spectra.

What is linear in the signal is exact in it, and the filters are differentiable by their
coefficients too. Where nothing is traced, SciPy computes; what cannot be traced says so by name.

>>> import numpy as np, wengert as wg
>>> from wengert.scipy import signal
>>> x = np.array([1.0, 0.0, 0.0, 0.0])
>>> wg.jacobian(lambda a: signal.lfilter([1.0], np.stack([1.0, a]), x))(0.5)
array([ 0.  , -1.  ,  1.  , -0.75])
"""

from __future__ import annotations

from typing import Any

from scipy import signal as _signal

from wengert.graph.registry import NUMPY as _NUMPY
from wengert.scipy.namespace import exposed, refused
from wengert.scipy.signal import convolving, filtering, frames, responses, spectra

_RANKS = "what it gives rests on the order of the values, by code of SciPy's own"
_DESIGN = "it designs a filter by code of SciPy's own, from parameters that must be known"
_SYSTEMS = "systems as objects, and conversions between their forms, are SciPy's own code"
_PEAKS = "it gives positions, which have no derivatives, by code of SciPy's own"
_SPLINES = "it is a recursion of SciPy's own in C"
_OTHER = "it has no rule"

_REASONS = {
    **dict.fromkeys(("medfilt", "medfilt2d", "order_filter"), _RANKS),
    **dict.fromkeys(
        ("butter", "cheby1", "cheby2", "ellip", "bessel", "iirfilter", "iirdesign", "iirnotch")
        + ("iirpeak", "iircomb", "firwin", "firwin2", "firwin_2d", "firls", "remez", "gammatone")
        + ("buttap", "cheb1ap", "cheb2ap", "ellipap", "besselap", "buttord", "cheb1ord")
        + ("cheb2ord", "ellipord", "band_stop_obj", "minimum_phase", "savgol_coeffs")
        + ("kaiser_atten", "kaiser_beta", "kaiserord", "get_window"),
        _DESIGN,
    ),
    **dict.fromkeys(
        ("find_peaks", "find_peaks_cwt", "argrelmin", "argrelmax", "argrelextrema")
        + ("peak_prominences", "peak_widths"),
        _PEAKS,
    ),
    **dict.fromkeys(
        ("cspline1d", "cspline1d_eval", "cspline2d", "qspline1d", "qspline1d_eval", "qspline2d")
        + ("spline_filter", "sepfir2d", "symiirorder1", "symiirorder2", "gauss_spline"),
        _SPLINES,
    ),
    **dict.fromkeys(
        ("tf2zpk", "tf2ss", "tf2sos", "zpk2tf", "zpk2ss", "zpk2sos", "ss2tf", "ss2zpk", "sos2tf")
        + ("sos2zpk", "lsim", "impulse", "step", "bode", "freqresp", "dlsim", "dimpulse", "dstep")
        + ("dbode", "dfreqresp", "cont2discrete", "place_poles", "abcd_normalize", "normalize")
        + ("bilinear", "bilinear_zpk", "residue", "residuez", "invres", "invresz"),
        _SYSTEMS,
    ),
}
"""Why a function cannot be traced, where there is more to say than that it has no rule."""

globals().update(exposed(_signal, __name__))
_UNTRACED = [
    name
    for name in _signal.__all__
    if callable(getattr(_signal, name))
    and not isinstance(getattr(_signal, name), type)
    and getattr(_signal, name) not in _NUMPY
]
globals().update(refused(_signal, __name__, {n: _REASONS.get(n, _OTHER) for n in _UNTRACED}))

__all__ = ["convolving", "filtering", "frames", "responses", "spectra"]


def __getattr__(name: str) -> Any:
    """What is no function (classes, `windows`) is SciPy's."""
    return getattr(_signal, name)
