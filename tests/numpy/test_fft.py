"""Discrete Fourier transforms: NumPy's values, exact derivatives, both modes and second order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert.numpy as wnp
from support import check, check_value, traced_value
from wengert.derivatives.batching import vmap
from wengert.derivatives.directional import jvp
from wengert.derivatives.gradients import grad
from wengert.execution.jit import jit

RNG = np.random.default_rng(8)
X = RNG.standard_normal((3, 4))
Z = X + 1j * RNG.standard_normal((3, 4))
CUBE = RNG.standard_normal((2, 3, 4))
COMPLEX_CUBE = CUBE + 1j * RNG.standard_normal((2, 3, 4))

NORMS = [None, "backward", "ortho", "forward"]
OF_COMPLEX = [np.fft.fft, np.fft.ifft, np.fft.irfft, np.fft.hfft]
OF_REAL = [np.fft.rfft, np.fft.ihfft]
SEVERAL = [np.fft.fftn, np.fft.ifftn, np.fft.irfftn]


def name(value: Any) -> str:
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("function", [*OF_COMPLEX, *OF_REAL], ids=name)
def test_one_axis(function: Any, norm: Any) -> None:
    x = X if function in OF_REAL else Z
    check(lambda x: function(x, norm=norm), x, second=True)
    for n in (1, 2, 3, 5, 6):
        check_value(lambda x, n=n: function(x, n, norm=norm), x)
    check(lambda x: function(x, 5, 0, norm), x)
    check(lambda x: function(x, 2, -2, norm), x)


@pytest.mark.parametrize("function", OF_COMPLEX, ids=name)
def test_real_arrays_are_taken_as_complex(function: Any) -> None:
    check(lambda x: function(x, axis=0), X)
    check_value(lambda x: function(np.rint(x).astype(int)), X)
    check_value(lambda x: function(x > 0), X)


@pytest.mark.parametrize("function", [*OF_COMPLEX, *OF_REAL], ids=name)
def test_single_precision_stays(function: Any) -> None:
    single = (np.float32,) if function in OF_REAL else (np.float32, np.complex64)
    for dtype in single:
        check_value(lambda x, dtype=dtype: function(x.astype(dtype)), X)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("function", [*SEVERAL, np.fft.rfftn], ids=name)
def test_several_axes(function: Any, norm: Any) -> None:
    x = CUBE if function is np.fft.rfftn else COMPLEX_CUBE
    check_value(lambda x: function(x, norm=norm), x)
    check(lambda x: function(x, axes=(2, 0), norm=norm), x)
    check_value(lambda x: function(x, (2, 5), (-1, 1), norm), x)
    check_value(lambda x: function(x, (-1, 3), (0, 2), norm), x)


@pytest.mark.parametrize("function", [*SEVERAL, np.fft.rfftn], ids=name)
def test_an_axis_named_twice_is_transformed_twice(function: Any) -> None:
    x = CUBE if function is np.fft.rfftn else COMPLEX_CUBE
    check(lambda x: function(x, axes=(0, 2, 0)), x)
    check_value(lambda x: function(x, axes=(2, 2)), x)
    check_value(lambda x: function(x, (3, 4, 5), (1, 0, 1)), x)
    check_value(lambda x: function(x, (4, 5, 3), (1, 1, 2)), x)


def test_two_axes() -> None:
    for function in (np.fft.fft2, np.fft.ifft2, np.fft.irfft2):
        check(lambda x, f=function: f(x), Z, second=True)
        check_value(lambda x, f=function: f(x, (2, 6), (1, 2), "ortho"), COMPLEX_CUBE)
    check(lambda x: np.fft.rfft2(x), X, second=True)
    check_value(lambda x: np.fft.rfft2(x, (2, 5), (0, 1), "forward"), CUBE)
    check_value(lambda x: np.fft.fftn(x, axes=()), X)


def test_extents_without_axes_warn_as_numpy_does() -> None:
    with pytest.warns(DeprecationWarning, match="axes"):
        (value,) = traced_value(lambda x: np.fft.fftn(x, s=(2, 2)), CUBE)
    np.testing.assert_allclose(value, np.fft.fftn(CUBE, (2, 2), (-2, -1)), rtol=1e-13)


@pytest.mark.parametrize("function", [np.fft.fftshift, np.fft.ifftshift], ids=name)
def test_shifts(function: Any) -> None:
    for axes in (None, 1, -1, (0, 2), [1]):
        check(lambda x, axes=axes: function(x, axes), CUBE)


def test_frequencies() -> None:
    for function in (np.fft.fftfreq, np.fft.rfftfreq):
        check(lambda d, f=function: f(5, d), 0.5)
        check(lambda d, f=function: f(6, d), 0.5)
    np.testing.assert_array_equal(wnp.fft.fftfreq(5, 0.1), np.fft.fftfreq(5, 0.1))


def test_errors_are_numpys() -> None:
    cases: list[tuple[Any, type[Exception]]] = [
        (lambda x: np.fft.fft(x, norm="odd"), ValueError),
        (lambda x: np.fft.fft(x, 0), ValueError),
        (lambda x: np.fft.fft(x, axis=5), IndexError),
        (lambda x: np.fft.rfft(x + 1j), TypeError),
        (lambda x: np.fft.irfft(x[:, :1]), ValueError),
        (lambda x: np.fft.fftn(x, (2, 2), (1,)), ValueError),
        (lambda x: np.fft.rfftn(x, axes=()), (ValueError, IndexError)),
    ]
    for f, error in cases:
        with pytest.raises(error):
            f(X)
        with pytest.raises(error):
            traced_value(f, X)


def test_derivatives_by_formula() -> None:
    """Parseval: the gradient of Σ|fft(x)|² is 2nx, and its Hessian 2n times the identity."""

    def energy(x: Any) -> Any:
        return np.sum(np.abs(np.fft.fft(x)) ** 2)

    x = X[0]
    np.testing.assert_allclose(grad(energy)(x), 2 * 4 * x, rtol=1e-13)
    _, along = jvp(grad(energy), (x,), (X[1],))
    np.testing.assert_allclose(along, 8 * X[1], rtol=1e-13)
    _, tangent = jvp(np.fft.rfft, (x,), (X[1],))
    np.testing.assert_allclose(tangent, np.fft.rfft(X[1]), rtol=1e-13)


def test_under_jit_and_vmap() -> None:
    def f(x: Any) -> Any:
        return np.fft.irfft(np.fft.rfft(x, 7) * np.fft.rfft(x[::-1], 7), 7)

    expected = np.stack([f(row) for row in X])
    np.testing.assert_allclose(vmap(f)(X), expected, rtol=1e-12, atol=1e-12)
    fast = jit(f)
    for row, value in zip(X, expected, strict=True):
        np.testing.assert_allclose(fast(row), value, rtol=1e-12, atol=1e-12)


def test_no_nan_from_a_branch_not_taken() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.abs(np.fft.fft(np.where(x > 0, np.log(x), 0.0))) ** 2)

    x = np.array([0.5, -1.0, 2.0, 0.0])
    with np.errstate(all="ignore"):
        gradient = grad(f)(x)
    expected = np.where(x > 0, 8 * np.log(np.maximum(x, 0.1)) / np.maximum(x, 0.1), 0)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)
