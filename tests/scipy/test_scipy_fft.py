"""`wengert.scipy.fft` against SciPy: values, derivatives, signatures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.fft as theirs

from support import check, same, traced_value, weighed
from wengert.derivatives.gradients import grad
from wengert.errors import Unsupported
from wengert.scipy import fft as ours

RNG = np.random.default_rng(9)
X = RNG.standard_normal((3, 4))
Z = X + 1j * RNG.standard_normal((3, 4))
CUBE = RNG.standard_normal((2, 3, 4))

NORMS = ["backward", "ortho", "forward"]
FOURIER = [
    f"{name}{ending}" for name in ("fft", "ifft", "irfft", "hfft") for ending in ("", "2", "n")
]
OF_REAL = [f"{name}{end}" for name in ("rfft", "ihfft") for end in ("", "2", "n")]
WAVES = ["dct", "idct", "dst", "idst"]


def against_scipy(name: str, x: Any, *args: Any, gradient: bool = False, **kwargs: Any) -> None:
    """The traced function gives SciPy's value, and the gradient is its transpose."""
    expected = getattr(theirs, name)(x, *args, **kwargs)
    (value,) = traced_value(lambda x: getattr(ours, name)(x, *args, **kwargs), x)
    same(value, expected, 1e-12)
    if gradient:
        check(lambda x: getattr(ours, name)(x, *args, **kwargs), x, second=True)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", [*FOURIER, *OF_REAL])
def test_fourier(name: str, norm: str) -> None:
    x = X if name in OF_REAL else Z
    against_scipy(name, x, norm=norm, gradient=norm == "backward")
    against_scipy(name, x, overwrite_x=False, workers=1)
    if name.endswith(("2", "n")):
        against_scipy(name, x, (2, 5), norm=norm)
        against_scipy(name, x, (-1, 3), (1, 0), norm)
    else:
        against_scipy(name, x, 5, 0, norm)


@pytest.mark.parametrize("name", ["fft", "irfft", "hfft2", "ifftn"])
def test_real_and_integer_arrays(name: str) -> None:
    against_scipy(name, X, gradient=True)
    against_scipy(name, X.astype(np.float32))
    against_scipy(name, Z.astype(np.complex64))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("name", WAVES)
def test_cosines_and_sines(name: str, kind: int, norm: str) -> None:
    against_scipy(name, X, kind, norm=norm, gradient=True)
    against_scipy(name, Z, kind, norm=norm)
    against_scipy(name, X, kind, 6, 0, norm)
    against_scipy(name, X, kind, 2, -1, norm)
    for orthogonalize in (True, False):
        against_scipy(name, X, kind, norm=norm, orthogonalize=orthogonalize)
        against_scipy(f"{name}n", X, kind, norm=norm, orthogonalize=orthogonalize)
    against_scipy(f"{name}n", CUBE, kind, (3, 5), (0, 2), norm)


def test_single_precision_and_integers_of_waves() -> None:
    for name in WAVES:
        (value,) = traced_value(lambda x, n=name: getattr(ours, n)(x.astype(np.float32)), X)
        assert value.dtype == np.float32
        np.testing.assert_allclose(value, getattr(theirs, name)(X), rtol=1e-5, atol=1e-5)
        (value,) = traced_value(lambda x, n=name: getattr(ours, n)(np.rint(x).astype(int)), X)
        np.testing.assert_allclose(value, getattr(theirs, name)(np.rint(X)), atol=1e-14)


def test_refusals() -> None:
    with pytest.raises(Unsupported, match="orthogonalize"):
        traced_value(lambda z: ours.dct(z, orthogonalize=True), Z)
    cases: list[tuple[Any, str]] = [
        (lambda x: ours.dct(x, 5), "type"),
        (lambda x: ours.dct(x, norm="odd"), "norm"),
        (lambda x: ours.dct(x[:, :1], 1), "DCT-I"),
        (lambda x: ours.fftn(x, axes=(0, 0)), "unique"),
        (lambda x: ours.fft(x, 0), "data points"),
        (lambda x: ours.fftn(x, (2, 2, 2)), "more axes"),
    ]
    for call, message in cases:
        with pytest.raises((ValueError, RuntimeError, NotImplementedError)):
            call(X)
        with pytest.raises(ValueError, match=message):
            traced_value(call, X)
    with pytest.raises(NotImplementedError):
        traced_value(lambda x: ours.fft(x, plan=1), X)


@pytest.mark.parametrize("n", [7, 8])
@pytest.mark.parametrize("bias", [0.0, 0.3, -0.2])
@pytest.mark.parametrize("name", ["fht", "ifht"])
def test_fast_hankel(name: str, bias: float, n: int) -> None:
    a = RNG.standard_normal((2, n))
    against_scipy(name, a, 0.1, 1.5, 0.2, bias, gradient=True)


def test_shifts_and_frequencies() -> None:
    against_scipy("fftshift", X, gradient=True)
    against_scipy("ifftshift", X, 1)
    for name in ("fftfreq", "rfftfreq"):
        (value,) = traced_value(lambda d, n=name: getattr(ours, n)(5, d), 0.5)
        np.testing.assert_allclose(value, getattr(theirs, name)(5, 0.5))


def test_nothing_traced_is_scipys() -> None:
    assert ours.next_fast_len(11) == theirs.next_fast_len(11)
    np.testing.assert_array_equal(ours.dct(X, 3), theirs.dct(X, 3))
    gradient = grad(weighed(lambda x: ours.idctn(ours.dctn(x)), (X,)))(X)
    np.testing.assert_allclose(gradient, grad(weighed(lambda x: x, (X,)))(X), rtol=1e-12)
