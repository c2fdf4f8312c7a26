"""`wengert.scipy.signal` against SciPy: values, and derivatives by every array argument."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.signal as theirs

from support import check, interpreted, leaves, same, traced_value
from wengert.derivatives.batching import vmap
from wengert.derivatives.gradients import grad
from wengert.errors import Unsupported
from wengert.execution.jit import jit
from wengert.scipy import signal as ours

RNG = np.random.default_rng(10)
X = RNG.standard_normal((2, 24))
LINE = RNG.standard_normal(11)
Z = LINE[:6] + 1j * RNG.standard_normal(6)
IMAGE = RNG.standard_normal((4, 5))
PATCH = RNG.standard_normal((3, 2))
B, A = np.array([0.4, -0.3, 0.2]), np.array([1.5, 0.6, -0.2])


@pytest.fixture(autouse=True)
def _on_the_interpreter() -> Iterator[None]:
    with interpreted():
        yield


def against_scipy(
    name: str, *args: Any, gradient: bool = True, second: bool = False, **kwargs: Any
) -> None:
    """SciPy's values where all floating arguments are traced; derivatives by differences."""
    traced = [k for k, arg in enumerate(args) if isinstance(arg, np.ndarray | float)]
    arrays = [args[k] for k in traced]

    def call(module: Any) -> Any:
        def f(*inner: Any) -> Any:
            given = list(args)
            for k, value in zip(traced, inner, strict=True):
                given[k] = value
            return getattr(module, name)(*given, **kwargs)

        return f

    expected = leaves(call(theirs)(*arrays))
    got = traced_value(call(ours), *arrays)
    assert len(got) == len(expected)
    for value, other in zip(got, expected, strict=True):
        same(value, other, 1e-11)
    if gradient:
        check(call(ours), *arrays, second=second, rtol=1e-10, tolerance=1e-6)


# -------------------------------------------------------------------------------- convolution


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("method", ["auto", "direct", "fft"])
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_convolve(name: str, method: str, mode: str) -> None:
    for n, m in ((7, 3), (6, 4), (3, 6), (5, 5), (4, 7)):
        against_scipy(name, LINE[:n], X[0, :m], mode, method, gradient=n == 6, second=True)
    against_scipy(name, IMAGE, PATCH, mode, method)
    against_scipy(name, PATCH, IMAGE, mode, method, gradient=False)
    against_scipy(name, IMAGE, np.ones((2, 2)), mode, method, gradient=False)
    against_scipy(name, Z, Z[:3] * 1j, mode, method)
    cube = RNG.standard_normal((3, 2, 4))
    against_scipy(name, cube, cube[:2, :1, :3], mode, method, gradient=method == "direct")


def test_convolve_of_integers_and_scalars() -> None:
    for method in ("direct", "fft"):
        (value,) = traced_value(
            lambda x, m=method: ours.convolve(np.rint(x).astype(int), [1, 2], method=m), LINE
        )
        same(value, theirs.convolve(np.rint(LINE).astype(int), [1, 2], method=method))
    against_scipy("convolve", 2.0, 3.0)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("name", ["fftconvolve", "oaconvolve"])
def test_by_spectra(name: str, mode: str) -> None:
    against_scipy(name, LINE, X[0, :4], mode, second=True)
    against_scipy(name, IMAGE, PATCH, mode)
    against_scipy(name, Z, LINE[:2], mode)
    against_scipy(name, X, LINE[None, :5], mode, axes=1)
    against_scipy(name, X, X[:, :5], mode, axes=-1, gradient=False)
    against_scipy(name, LINE[:3], LINE[:7], mode, gradient=False)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
@pytest.mark.parametrize("name", ["convolve2d", "correlate2d"])
def test_two_dimensions(name: str, boundary: str, mode: str) -> None:
    against_scipy(name, IMAGE, PATCH, mode, boundary, second=mode == "same")
    against_scipy(name, IMAGE, IMAGE[:2, :2], mode, boundary, gradient=False)
    against_scipy(name, IMAGE[:, :4], IMAGE[:4, :1], mode, boundary, gradient=False)
    against_scipy(name, PATCH + 1j, PATCH[:2] * 1j, mode, boundary, gradient=False)
    against_scipy(name, PATCH, IMAGE, mode, boundary, gradient=False)
    if boundary == "fill":
        against_scipy(name, IMAGE, PATCH, mode, boundary, 0.7)


# ------------------------------------------------------------------------------------ filters


@pytest.mark.parametrize("b, a", [(B, A), (B, A[:1]), (B[:1], A), (B[:2], A), (B, A[:2])])
def test_lfilter(b: Any, a: Any) -> None:
    against_scipy("lfilter", b, a, X[0, :8], second=True)
    against_scipy("lfilter", b, a, X[:, :6])
    against_scipy("lfilter", b, a, X[:, :6], axis=0)
    order = max(b.size, a.size) - 1
    if order:
        zi = RNG.standard_normal((2, order))
        against_scipy("lfilter", b, a, X[:, :6], -1, zi)
        against_scipy("lfilter", b, a, X[:, :6].T.copy(), 0, zi.T.copy(), gradient=False)
        against_scipy("lfilter", b, a, X[:, :1], -1, zi)
        against_scipy("lfilter", b, a, X[:, :6], -1, zi[:1], gradient=False)


def test_lfilter_of_complex_signals_and_coefficients() -> None:
    against_scipy("lfilter", B, A, Z)
    against_scipy("lfilter", B * 1j, A + 0.1j, Z)
    against_scipy("lfilter", B.astype("f4"), A.astype("f4"), LINE.astype("f4"), gradient=False)


def test_states() -> None:
    against_scipy("lfilter_zi", B, A)
    against_scipy("lfilter_zi", B, A[:2])
    against_scipy("lfilter_zi", B[:1], A)
    against_scipy("lfiltic", B, A, LINE[:2], LINE[2:4])
    against_scipy("lfiltic", B, A, LINE[:3])
    against_scipy("lfiltic", B, A[:2], LINE[:1], LINE[3:7])
    against_scipy("lfiltic", B[:1], A, LINE[:1])


def test_deconvolve() -> None:
    against_scipy("deconvolve", LINE[:6], B)
    against_scipy("deconvolve", np.convolve(LINE[:4], A), A)


SOS = theirs.butter(3, 0.3, output="sos")


def test_sections() -> None:
    def shape(free: Any, x: Any, module: Any, **kwargs: Any) -> Any:
        sos = np.concatenate((free[:, :3], np.ones((2, 1)), free[:, 3:]), axis=1)
        return module.sosfilt(sos, x, **kwargs)

    free = np.ascontiguousarray(SOS[:, [0, 1, 2, 4, 5]])
    check(lambda f, x: shape(f, x, ours), free, X[:, :7], rtol=1e-10)
    check(lambda f, x: shape(f, x, ours, axis=0), free, X[:, :4], rtol=1e-10)
    against_scipy("sosfilt", SOS, X[0], gradient=False)
    against_scipy("sosfilt", SOS, X.T.copy(), 0, gradient=False)
    zi = RNG.standard_normal((2, 2, 2))
    against_scipy("sosfilt", SOS, X, -1, zi, gradient=False)
    against_scipy("sosfilt", SOS, X.T.copy(), 0, zi, gradient=False)
    against_scipy("sosfilt_zi", SOS, gradient=False)
    with pytest.raises(ValueError, match="ones"):
        traced_value(lambda s: ours.sosfilt(s, LINE), SOS * 2)


@pytest.mark.parametrize("padtype", ["odd", "even", "constant", None])
def test_both_ways(padtype: Any) -> None:
    against_scipy("filtfilt", B, A, X, padtype=padtype)
    against_scipy("filtfilt", B, A, X.T.copy(), 0, padtype, 4, gradient=False)
    check(lambda x: ours.sosfiltfilt(SOS, x, padtype=padtype), X, rtol=1e-10)
    against_scipy("sosfiltfilt", SOS, X, padtype=padtype, gradient=False)
    against_scipy("sosfiltfilt", SOS, X.T.copy(), 0, padtype, 5, gradient=False)


def test_changing_rates() -> None:
    for up, down in ((1, 1), (2, 1), (3, 2), (2, 5)):
        against_scipy("upfirdn", LINE[:4], X[:, :7], up, down)
        against_scipy("upfirdn", LINE[:4], X[:, :7].T.copy(), up, down, 0, gradient=False)
        against_scipy("resample_poly", X[0], up, down)
        against_scipy("resample_poly", X, up, down, 1, padtype="mean", gradient=False)
        against_scipy("resample_poly", X[0], up, down, window=np.hanning(9), gradient=False)
    for ftype in ("iir", "fir"):
        for zero_phase in (True, False):
            x = RNG.standard_normal(60)
            against_scipy("decimate", x, 3, ftype=ftype, zero_phase=zero_phase, gradient=False)
    for num in (4, 5, 8, 9, 24, 30, 31):
        for n in (7, 8):
            against_scipy("resample", X[0, :n], num)
            against_scipy("resample", X[0, :n] * (1 + 1j), num, gradient=False)
        against_scipy("resample", X, num, axis=1, gradient=False)


# ------------------------------------------------------------------------------------ spectra


def test_trends() -> None:
    for kind in ("linear", "constant"):
        against_scipy("detrend", X, type=kind, second=True)
        against_scipy("detrend", X.T.copy(), 0, kind)
    against_scipy("detrend", X, bp=[4, 10])
    against_scipy("detrend", Z)


def test_analytic_signals() -> None:
    for n in (6, 7):
        against_scipy("hilbert", X[:, :n])
        against_scipy("hilbert", X[:, :n], 5, 1)
        against_scipy("hilbert", X, n, 0, gradient=False)
        against_scipy("hilbert2", RNG.standard_normal((n, 4)))
    against_scipy("hilbert2", IMAGE, (3, 6))


@pytest.mark.parametrize("mode", ["interp", "mirror", "constant", "nearest", "wrap"])
def test_savgol(mode: str) -> None:
    for width, order in ((5, 2), (4, 2), (7, 3), (1, 0)):
        against_scipy("savgol_filter", X[0], width, order, mode=mode)
        against_scipy("savgol_filter", X.T.copy(), width, order, axis=0, mode=mode, gradient=False)
    against_scipy("savgol_filter", X, 5, 3, 1, 0.5, mode=mode)


def test_wiener() -> None:
    against_scipy("wiener", IMAGE)
    against_scipy("wiener", LINE, 5)
    against_scipy("wiener", IMAGE, (3, 5), 0.4)


@pytest.mark.parametrize("kwargs", [
    {},
    {"fs": 3.0, "scaling": "spectrum"},
    {"nperseg": 7, "noverlap": 2, "detrend": "linear"},
    {"window": "boxcar", "nperseg": 6, "nfft": 9, "detrend": False},
    {"return_onesided": False, "nperseg": 8},
    {"average": "median", "nperseg": 6},
], ids=str)  # fmt: skip
def test_power_spectra(kwargs: Any) -> None:
    kwargs = {"nperseg": 10, **kwargs}
    against_scipy("welch", X[0], **kwargs)
    against_scipy("csd", X[0], X[1], **kwargs)
    against_scipy("welch", X.T.copy(), axis=0, **kwargs, gradient=False)
    if not {"scaling", "return_onesided", "average"} & set(kwargs):
        against_scipy("coherence", X[0], X[1], **kwargs)
    if "nperseg" not in kwargs and "average" not in kwargs:
        against_scipy("periodogram", X[0], **kwargs)


def test_periodogram() -> None:
    against_scipy("periodogram", X)
    against_scipy("periodogram", X, 2.0, "hann", gradient=False)
    against_scipy("periodogram", X, nfft=30, gradient=False)
    against_scipy("periodogram", X, nfft=9, gradient=False)
    against_scipy("periodogram", X.T.copy(), axis=0, gradient=False)
    with pytest.warns(UserWarning, match="nperseg"):
        traced_value(lambda x: ours.welch(x, nperseg=99), LINE)


@pytest.mark.parametrize("kwargs", [
    {},
    {"noverlap": 2, "nfft": 9, "detrend": "constant"},
    {"fs": 2.0, "scaling": "psd", "boundary": "even"},
    {"boundary": None, "padded": False},
    {"boundary": "odd", "window": "boxcar", "return_onesided": False},
], ids=str)  # fmt: skip
def test_short_time_spectra(kwargs: Any) -> None:
    against_scipy("stft", X[0, :15], nperseg=6, **kwargs)
    against_scipy("stft", X, nperseg=7, **kwargs, gradient=False)
    against_scipy("stft", X.T.copy(), nperseg=7, axis=0, **kwargs, gradient=False)


@pytest.mark.parametrize("mode", ["psd", "complex", "magnitude", "angle", "phase"])
def test_spectrograms(mode: str) -> None:
    against_scipy("spectrogram", X[0], nperseg=8, mode=mode)
    against_scipy("spectrogram", X.T.copy(), 2.0, nperseg=7, axis=0, mode=mode, gradient=False)
    against_scipy(
        "spectrogram", X, scaling="spectrum", nperseg=8, nfft=9, mode=mode, gradient=False
    )


@pytest.mark.parametrize("nperseg", [6, 7])
def test_signals_of_short_time_spectra(nperseg: int) -> None:
    _, _, z = theirs.stft(X, nperseg=nperseg)
    against_scipy("istft", z[0], nperseg=nperseg)
    against_scipy("istft", z, 2.0, nperseg=nperseg, scaling="psd", gradient=False)
    with pytest.warns(UserWarning, match="NOLA"):
        against_scipy("istft", z, nperseg=nperseg, boundary=False, gradient=False)
    for order, axes in (((2, 0, 1), (0, 2)), ((1, 2, 0), (1, 0)), ((2, 1, 0), (0, 1))):
        turned = np.ascontiguousarray(z.transpose(order))
        against_scipy(
            "istft", turned, nperseg=nperseg, time_axis=axes[0], freq_axis=axes[1], gradient=False
        )


def test_responses() -> None:
    against_scipy("freqz", B, A, 5)
    against_scipy("freqz", B, 1, 6, True)
    against_scipy("freqz", B, A, 5, fs=3.0, include_nyquist=True, gradient=False)
    against_scipy("freqz", B, A, np.array([0.1, 0.7, 2.0]))
    against_scipy("freqz_sos", SOS, 5, gradient=False)


@pytest.mark.parametrize("method", ["linear", "quadratic", "logarithmic", "hyperbolic"])
def test_chirp(method: str) -> None:
    t = np.linspace(0.1, 2, 5)
    against_scipy("chirp", t, 1.0, 2.5, 3.0, method, 20.0)
    against_scipy("chirp", t, 1.0, 2.5, 3.0, method, vertex_zero=False, complex=True)


# ------------------------------------------------------------------------ many at once, and jit


def test_under_vmap_and_jit() -> None:
    cases: list[Any] = [
        lambda m, x: m.lfilter(B, A, x),
        lambda m, x: m.filtfilt(B, A, x),
        lambda m, x: m.convolve(x, B, "same", "direct"),
        lambda m, x: m.fftconvolve(x, B),
        lambda m, x: m.savgol_filter(x, 5, 2),
        lambda m, x: m.hilbert(x),
        lambda m, x: m.welch(x, nperseg=8)[1],
    ]
    for f in cases:
        expected = np.stack([f(theirs, row) for row in X])
        np.testing.assert_allclose(vmap(lambda x, f=f: f(ours, x))(X), expected, atol=1e-12)
        fast = jit(lambda x, f=f: f(ours, x))
        for row, value in zip(X, expected, strict=True):
            np.testing.assert_allclose(fast(row), value, atol=1e-12)
    coefficients = np.stack([A, A * [1, -0.5, 0.3]])
    expected = np.stack([theirs.lfilter(B, a, X[0]) for a in coefficients])
    many = vmap(lambda a: ours.lfilter(B, a, X[0]))(coefficients)
    np.testing.assert_allclose(many, expected, atol=1e-12)


def test_no_nan_from_a_branch_not_taken() -> None:
    def f(x: Any) -> Any:
        return np.sum(ours.lfilter(B, A, np.where(x > 0, np.log(x), 0.0)) ** 2)

    x = np.array([0.5, -1.0, 2.0, 0.0])
    with np.errstate(all="ignore"):
        gradient = grad(f)(x)
    assert np.isfinite(gradient).all()
    assert gradient[1] == gradient[3] == 0


# ----------------------------------------------------------------------------------- refusals


def test_what_cannot_be_traced_says_so() -> None:
    for name in ("medfilt", "find_peaks", "envelope", "tf2zpk", "cspline1d", "lombscargle"):
        with pytest.raises(Unsupported, match=f"scipy.signal.{name}"):
            traced_value(lambda x, n=name: getattr(ours, n)(x, x), LINE)
    for call in (
        lambda x: ours.filtfilt(B, A, x, method="gust"),
        lambda x: ours.upfirdn(B, x, mode="wrap"),
        lambda x: ours.resample(x, 4, window="hann"),
    ):
        with pytest.raises(Unsupported, match="cannot be traced"):
            traced_value(call, X[0])


def test_nothing_traced_is_scipys() -> None:
    np.testing.assert_array_equal(ours.medfilt(LINE), theirs.medfilt(LINE))
    np.testing.assert_array_equal(ours.lfilter(B, A, LINE), theirs.lfilter(B, A, LINE))
    assert ours.windows.hann is theirs.windows.hann
    assert ours.lti is theirs.lti


def test_errors_are_scipys() -> None:
    cases: list[tuple[Any, str]] = [
        (lambda m, x: m.convolve(x, x[None]), "dimensionality"),
        (lambda m, x: m.convolve(x, x, "odd"), "mode"),
        (lambda m, x: m.convolve(np.stack([x, x]), x[:, None], "valid"), "valid"),
        (lambda m, x: m.lfilter(B, A, x, zi=x), "zi"),
        (lambda m, x: m.filtfilt(B, A, x, padlen=90), "padlen"),
        (lambda m, x: m.savgol_filter(x, 99, 2), "window_length"),
        (lambda m, x: m.detrend(x, type="odd"), "Trend"),
        (lambda m, x: m.hilbert(x + 1j), "real"),
    ]
    for f, message in cases:
        with pytest.raises(ValueError, match=message):
            f(theirs, LINE)
        with pytest.raises(ValueError, match=message):
            traced_value(lambda x, f=f: f(ours, x), LINE)
