"""Differences, gradients, integrals, convolution, interpolation, polynomials, sinc and i0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from support import check, check_value, traced_value
from wengert.derivatives.gradients import grad

RNG = np.random.default_rng(4)
X = RNG.standard_normal((3, 5))
V = RNG.standard_normal(6)
Z = V + 1j * RNG.standard_normal(6)
POINTS = np.cumsum(RNG.uniform(0.5, 1.5, 5))

# ------------------------------------------------------------------------------ differences


@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize("axis", [0, -1])
def test_diff(n: int, axis: int) -> None:
    check(lambda x: np.diff(x, n, axis), X)


def test_diff_ends() -> None:
    check(lambda x: np.diff(x, prepend=0, append=2.5), X)
    check(lambda x: np.diff(x, axis=0, prepend=x[:1] * 3, append=x[-1:]), X)
    check(lambda x: np.diff(x, n=9), V)
    check_value(lambda x: np.diff(x > 0), X)
    check_value(lambda x: np.diff(np.rint(x).astype(np.uint8)), abs(X))
    check_value(lambda x: np.diff(np.rint(x).astype(int), prepend=0.5), X)
    with pytest.raises(ValueError, match="non-negative"):
        traced_value(lambda x: np.diff(x, -1), X)
    with pytest.raises(ValueError, match="one dimensional"):
        traced_value(lambda x: np.diff(x), 1.0)


def test_ediff1d() -> None:
    check(lambda x: np.ediff1d(x), X)
    check(lambda x: np.ediff1d(x, to_begin=-99, to_end=[1.0, 2.0]), X)
    check(lambda x: np.ediff1d(x, x[:2, 0], x[0, 0]), X)
    with pytest.raises(TypeError, match="same_kind"):
        traced_value(lambda x: np.ediff1d(np.rint(x).astype(int), to_end=0.5), X)


SPACINGS: list[tuple[Any, ...]] = [
    (),
    (0.3,),
    (2,),
    (np.array([0.0, 1.0, 3.0]), 0.5),
    (np.array([0.0, 0.5, 1.0]), POINTS),
    (np.array([3, 5, 6]), [5, 4, 2, 1, 0]),
]


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
def test_gradient(spacing: tuple[Any, ...], edge_order: Any) -> None:
    check(lambda x: np.gradient(x, *spacing, edge_order=edge_order), X)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient_by_spacing(edge_order: Any) -> None:
    check(lambda x, p: np.gradient(x, p, axis=1, edge_order=edge_order), X, POINTS)
    check(lambda x, h: np.gradient(x, h, axis=-1, edge_order=edge_order), X, 0.4)
    check(lambda p: np.gradient(X[0], p, edge_order=edge_order), POINTS)


def test_gradient_axes_and_dtypes() -> None:
    check(lambda x: np.gradient(x, axis=(1, 0)), X)
    check(lambda x: np.gradient(x, 2.0, axis=(1, 0)), X)
    check(lambda x: np.gradient(x), V[:2])
    check(lambda z: np.gradient(z, 0.5), Z, tolerance=1e-6)
    check_value(lambda x: np.gradient(np.rint(x).astype(int), 2), X)
    check_value(lambda x: np.gradient(x.astype(np.float32), 0.25), V)
    check_value(lambda x: np.gradient(x.astype(np.float32), np.float64(0.25)), V)
    with pytest.raises(TypeError, match="number of arguments"):
        traced_value(lambda x: np.gradient(x, 1, 2, 3), X)
    with pytest.raises(ValueError, match="too small"):
        traced_value(lambda x: np.gradient(x[:1]), V)
    with pytest.raises(ValueError, match="edge_order"):
        traced_value(lambda x: np.gradient(x, edge_order=3), V)
    with pytest.raises(ValueError, match="must match"):
        traced_value(lambda x: np.gradient(x, V[:2]), V)


def test_trapezoid() -> None:
    check(lambda y: np.trapezoid(y), X)
    check(lambda y: np.trapezoid(y, dx=0.5, axis=0), X)
    check(lambda y, x: np.trapezoid(y, x), X, POINTS)
    check(lambda y, x: np.trapezoid(y, x, axis=0), X, POINTS[:3])
    check(lambda y, x: np.trapezoid(y, x), X, np.sort(X))
    check(lambda x: np.trapezoid(np.arange(5), x), POINTS)
    check(lambda y, h: np.trapezoid(y, dx=h), X, 0.3)


def test_unwrap() -> None:
    phases = np.array([0.1, 1.8, 5.9, 0.4, -3.1, 3.0, 9.9])
    check(lambda p: np.unwrap(p), phases)
    check(lambda p: np.unwrap(p, period=4.0), phases)
    check(lambda p: np.unwrap(p, discont=5.0), phases)
    check(lambda p: np.unwrap(p, axis=0), X * 4)
    check_value(lambda p: np.unwrap(p), np.array([0.0, math.pi, 0.0, -math.pi]))
    check_value(lambda p: np.unwrap(np.rint(p).astype(int), period=4), phases)
    check_value(lambda p: np.unwrap(np.rint(p).astype(int), period=5), phases)


# ------------------------------------------------------------------------------ convolution


@pytest.mark.parametrize("function", [np.convolve, np.correlate])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("n, m", [(6, 3), (6, 2), (3, 6), (2, 5), (4, 4), (1, 3)])
def test_convolution(function: Any, mode: Any, n: int, m: int) -> None:
    a, v = V[:n], X[1:].ravel()[:m]
    check(lambda a, v: function(a, v, mode), a, v, second=True)
    check_value(lambda a, v: function(a, v, mode), Z[:n], v + 2j)


@pytest.mark.parametrize("function", [np.convolve, np.correlate])
def test_complex_convolution(function: Any) -> None:
    check(lambda a, v: function(a, v, "same"), Z, Z[:3] * 1j, tolerance=1e-6)
    check(lambda a: function(a, [1.0, 2.0], "full"), Z, tolerance=1e-6)


def test_convolution_arguments() -> None:
    check_value(lambda a: np.convolve(np.rint(a).astype(int), [1, 2]), V)
    check_value(lambda a: np.correlate(a.astype(np.float32), np.float32([1, 2]), "full"), V)
    check(lambda a: np.convolve(a[0], a), V)
    with pytest.raises(ValueError, match="empty"):
        traced_value(lambda a: np.convolve(a, []), V)
    with pytest.raises(ValueError, match="mode"):
        traced_value(lambda a: np.convolve(a, a, "bogus"), V)
    with pytest.raises(ValueError, match="too deep"):
        traced_value(lambda a: np.convolve(a, a), X)


def test_convolution_of_a_branch_not_taken() -> None:
    def f(x: Any) -> Any:
        safe = np.sqrt(np.maximum(x, 0))
        return np.sum(np.convolve(safe, np.array([1.0, 2.0])) ** 2)

    assert np.isfinite(grad(f)(np.array([1.0, 4.0]))).all()


# ---------------------------------------------------------------------------- interpolation

KNOTS = np.array([0.0, 1.0, 2.5, 4.0])
VALUES = np.array([1.0, 3.0, -1.0, 2.0])
PLACES = np.array([[-0.7, 0.3, 1.2], [2.6, 3.9, 5.5]])


def test_interp() -> None:
    check(lambda x, xp, fp: np.interp(x, xp, fp), PLACES, KNOTS, VALUES, second=True)
    check(lambda x: np.interp(x[:1], KNOTS, VALUES, x[1, 0], x[1, 1]), PLACES)
    check(lambda x, xp, fp: np.interp(x, xp, fp, left=0), 0.4, KNOTS, VALUES)
    check(lambda fp: np.interp(PLACES, KNOTS, fp), VALUES + 1j)
    check_value(lambda x, xp, fp: np.interp(x, xp, fp), KNOTS, KNOTS, VALUES)
    check_value(lambda x: np.interp(x, KNOTS[:1], VALUES[:1], -1, 9), np.append(PLACES, 0.0))
    check_value(lambda x: np.interp(x, [0, 1, 1, 2, 2], [0, 1, 2, 3, 4]), np.linspace(-1, 3, 9))
    check_value(lambda x: np.interp(x.astype(np.float32), KNOTS, VALUES), PLACES)
    check_value(lambda x: np.interp(x, KNOTS, VALUES), np.array([np.nan, 1.0]))


def test_interp_period() -> None:
    knots = np.array([10.0, 190.0, -190.0, 350.0])
    places = np.array([-180.0, -173.0, 5.0, 185.5, 362.0])
    check(lambda x, xp, fp: np.interp(x, xp, fp, period=360), places, knots, VALUES)
    with pytest.raises(ValueError, match="non-zero"):
        traced_value(lambda x: np.interp(x, KNOTS, VALUES, period=0), PLACES)


def test_interp_refuses() -> None:
    with pytest.raises(ValueError, match="same length"):
        traced_value(lambda x: np.interp(x, KNOTS, VALUES[:2]), PLACES)
    with pytest.raises(ValueError, match="empty"):
        traced_value(lambda x: np.interp(x, [], []), PLACES)
    with pytest.raises(TypeError, match="cast"):
        traced_value(lambda x: np.interp(x, KNOTS, VALUES), PLACES + 1j)


# ------------------------------------------------------------------------ special functions


def test_sinc() -> None:
    x = np.array([-2.3, -1.0, -1e-3, 0.0, 0.4, 1e-9, 7.1])
    check(lambda x: np.sinc(x), x, second=True, tolerance=1e-6)
    check(lambda z: np.sinc(z), x + 0.3j, tolerance=1e-6)
    check_value(lambda x: np.sinc(x.astype(np.float32)), x)
    check_value(lambda x: np.sinc(np.rint(x).astype(int)), x)


def test_sinc_at_zero() -> None:
    """sinc x = 1 − (πx)²/6 + (πx)⁴/120 − …"""
    derivative = np.sinc
    found = []
    for _ in range(4):
        derivative = grad(derivative)
        found.append(derivative(0.0))
    expected = [0, -(math.pi**2) / 3, 0, math.pi**4 / 5]
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


def test_i0() -> None:
    x = np.array([-9.5, -1.0, 0.0, 0.4, 3.0])
    check(lambda x: np.i0(x), x, second=True, tolerance=1e-6, rtol=1e-13)
    check_value(lambda x: np.i0(np.rint(x).astype(int)), x)
    with pytest.raises(TypeError, match="complex"):
        traced_value(lambda z: np.i0(z), Z)


# ------------------------------------------------------------------------------ polynomials


def test_polyval() -> None:
    check(lambda p, x: np.polyval(p, x), V, X)
    check(lambda p: np.polyval(p, 2), V)
    check(lambda x: np.polyval([3, 0, 1], x), X)
    check(lambda z: np.polyval([1.0, 2.0, 3.0], z), Z, tolerance=1e-6)
    check_value(lambda x: np.polyval([1, 2], np.rint(x).astype(int)), X)


def test_polynomial_arithmetic() -> None:
    a, b = V, V[:3] + 2
    check(lambda a, b: np.polyadd(a, b), a, b)
    check(lambda a, b: np.polysub(b, a), a, b)
    check(lambda a, b: np.polymul(a, b), a, b)
    check(lambda a: np.polyadd(a, 1), a)
    check_value(lambda a: np.polymul(a, [0, 0, 1, 2]), np.array([0.0, 1.0, 3.0]))
    check_value(lambda a: np.polymul(a, [0, 0]), a)


def test_polynomial_calculus() -> None:
    for m in (0, 1, 2, 8):
        check(lambda p, m=m: np.polyder(p, m), V)
    for m in (0, 1, 3):
        check(lambda p, m=m: np.polyint(p, m), V)
    check(lambda p: np.polyint(p[:4], 2, p[4:]), V)
    check(lambda p: np.polyint(p[:4], 2, p[5]), V)
    check_value(lambda p: np.polyder(np.rint(p).astype(int)), V)
    with pytest.raises(ValueError, match="positive"):
        traced_value(lambda p: np.polyder(p, -1), V)
    with pytest.raises(ValueError, match="k must be"):
        traced_value(lambda p: np.polyint(p, 3, [1, 2]), V)


def test_what_is_refused_by_name() -> None:
    for function in (lambda x: np.polyfit(POINTS, x, 2), np.roots):
        with pytest.raises(NotImplementedError, match=r"polyfit|roots"):
            traced_value(function, POINTS)
