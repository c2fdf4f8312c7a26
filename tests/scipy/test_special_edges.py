"""Derivatives of special functions against mpmath: tails, poles, zeros and other edges.

First and second derivatives by central differences of mpmath's functions at 120 digits, with steps
so small that their error is below 1e-20. Each bound is a relative error, and an absolute one where
the derivative is zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from scipy import special

import wengert as wg
from wengert.scipy import special as ours

HALF = mp.mpf(0.5)


def _ndtr(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def _stdtr(v: Any) -> Any:
    t = mp.mpf(1.3)
    return 1 - mp.betainc(v / 2, HALF, 0, v / (v + t**2), regularized=True) / 2


def _log_gamma(x: Any) -> Any:
    return mp.log(abs(mp.gamma(x)))


def _exprel(x: Any) -> Any:
    return mp.expm1(x) / x if x else mp.mpf(1)


def _boxcox(k: Any) -> Any:
    return (mp.mpf(3) ** k - 1) / k if k else mp.log(3)


# name: (function, mpmath's, points, bounds of the first and the second derivative)
CASES: dict[str, tuple[Callable[..., Any], Callable[..., Any], list[float], float, float]] = {
    "expit": (
        special.expit,
        lambda x: 1 / (1 + mp.exp(-x)),
        [-700, -40, -1, 0, 1, 40],
        1e-15,
        1e-15,
    ),
    "log_expit": (
        special.log_expit,
        lambda x: -mp.log(1 + mp.exp(-x)),
        [-100, -40, -1, 0, 1, 40],
        1e-15,
        1e-15,
    ),
    "logit": (special.logit, lambda x: mp.log(x / (1 - x)), [1e-10, 0.3, 0.5, 0.9], 1e-15, 1e-14),
    "ndtr": (special.ndtr, _ndtr, [-37, -5, 0, 5], 2e-15, 2e-15),
    "log_ndtr": (
        special.log_ndtr,
        lambda x: mp.log(_ndtr(x)),
        [-1e4, -100, -40, -5, 0, 3],
        1e-14,
        2e-14,
    ),
    "ndtri": (
        special.ndtri,
        lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1),
        [0.01, 0.9],
        1e-14,
        1e-14,
    ),
    "erfcx": (
        special.erfcx,
        lambda x: mp.exp(x * x) * mp.erfc(x),
        [-3, 0, 1, 10, 100, 1e3],
        2e-15,
        5e-15,
    ),
    "erfinv": (special.erfinv, mp.erfinv, [-0.999, -0.5, 0, 0.5, 0.99], 1e-14, 1e-13),
    "dawsn": (
        special.dawsn,
        lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x),
        [0, 1, 5],
        2e-14,
        1e-12,
    ),
    "gamma": (special.gamma, mp.gamma, [-5.5, -0.3, 1e-5, 1.4616, 5, 100], 1e-13, 1e-13),
    "gammaln": (special.gammaln, _log_gamma, [-5.5, -0.3, 1e-5, 1.4616, 2, 1e5], 1e-13, 1e-13),
    "digamma": (special.digamma, mp.digamma, [-5.5, -0.3, 1e-5, 1.4616, 5, 1e5], 1e-14, 1e-13),
    "rgamma": (special.rgamma, mp.rgamma, [-5, -2, -1, 0, -2.0001, 0.5, 20], 1e-14, 2e-14),
    "trigamma": (
        lambda x: ours.polygamma(1, x),
        lambda x: mp.polygamma(1, x),
        [-2.25, -0.5, 0.1, 3, 50],
        1e-14,
        1e-13,
    ),
    "binom by n": (
        lambda n: special.binom(n, 3.0),
        lambda n: mp.binomial(n, 3),
        [5, 3.5, 2, 1, 0],
        1e-14,
        1e-13,
    ),
    "binom by k": (
        lambda k: special.binom(3.0, k),
        lambda k: mp.binomial(3, k),
        [0.5, 2, 4, 5, -1],
        1e-14,
        1e-12,
    ),
    "j0": (special.j0, lambda x: mp.besselj(0, x), [0, 1e-8, 1, 50], 2e-15, 2e-14),
    "j1": (special.j1, lambda x: mp.besselj(1, x), [0, 1e-8, 1, 50], 2e-14, 2e-14),
    "i0e": (
        special.i0e,
        lambda x: mp.exp(-abs(x)) * mp.besseli(0, x),
        [-1, 1e-8, 1, 50],
        2e-14,
        1e-12,
    ),
    "k0e": (special.k0e, lambda x: mp.exp(x) * mp.besselk(0, x), [1e-3, 1, 50], 2e-14, 1e-12),
    "sinc": (np.sinc, mp.sincpi, [0, 1e-8, 0.5, 10], 1e-14, 2e-14),
    "exprel": (special.exprel, _exprel, [-50, -1, 0, 1e-10, 1, 300], 1e-14, 1e-14),
    "spence": (
        special.spence,
        lambda z: mp.polylog(2, 1 - z),
        [0.01, 0.5, 1, 3, 100],
        1e-14,
        1e-13,
    ),
    "ellipk": (special.ellipk, mp.ellipk, [-100, -1, 0, 1e-9, 0.5, 0.99], 1e-13, 1e-13),
    "ellipe": (special.ellipe, mp.ellipe, [-100, -1, 0, 1e-9, 0.5, 0.99], 1e-13, 1e-13),
    "ellipkm1": (
        special.ellipkm1,
        lambda p: mp.ellipk(1 - p),
        [1e-10, 0.01, 0.5, 1, 3],
        2e-14,
        2e-14,
    ),
    "ellipkinc by m": (
        lambda m: special.ellipkinc(1.2, m),
        lambda m: mp.ellipf(mp.mpf(1.2), m),
        [-5, 0, 0.5, 0.99],
        2e-14,
        2e-14,
    ),
    "ellipeinc by m": (
        lambda m: special.ellipeinc(2.2, m),
        lambda m: mp.ellipe(mp.mpf(2.2), m),
        [-5, 0, 0.5, 0.99],
        2e-14,
        1e-13,
    ),
    "boxcox by λ": (lambda k: special.boxcox(3.0, k), _boxcox, [-2, 0, 1e-12, 1, 5], 1e-14, 1e-13),
    "gammainc by a": (
        lambda a: special.gammainc(a, 2.0),
        lambda a: mp.gammainc(a, 0, 2, regularized=True),
        [0.01, 0.5, 1, 2, 5, 30],
        1e-13,
        1e-12,
    ),
    "betainc by a": (
        lambda a: special.betainc(a, 2.0, 0.3),
        lambda a: mp.betainc(a, 2, 0, mp.mpf(0.3), regularized=True),
        [0.1, 0.5, 1, 2, 5, 30],
        1e-13,
        1e-12,
    ),
    "stdtr by df": (lambda v: special.stdtr(v, 1.3), _stdtr, [0.5, 3, 30], 1e-12, 1e-12),
}


def derivatives(function: Callable[..., Any], x: float) -> tuple[Any, Any]:
    """The first and second derivative by differences of high precision."""
    with mp.workdps(120):
        at, step = mp.mpf(x), mp.mpf(10) ** -20 * (abs(mp.mpf(x)) or 1)
        below, here, above = (function(at + k * step) for k in (-1, 0, 1))
        return (above - below) / (2 * step), (above - 2 * here + below) / step**2


@pytest.mark.parametrize("name", CASES)
def test_against_mpmath(name: str) -> None:
    function, exact, points, *bounds = CASES[name]
    orders = (wg.grad(function), wg.grad(wg.grad(function)))
    for x in points:
        for derivative, expected, bound in zip(orders, derivatives(exact, x), bounds, strict=True):
            got = float(derivative(float(x)))
            vanishes = abs(expected) < 1e-30 and x in (0, 0.5, 1)
            size = mp.mpf(1) if vanishes else abs(expected)
            error = abs(got - expected)
            assert error <= bound * size, (
                f"{name} at {x}: {got}, should be {float(expected)} ({float(error / size):.1e})"
            )


# ------------------------------------------------------------------------------ edges by hand


@pytest.mark.parametrize(
    "function, at, expected",
    [
        (special.xlogy, (0.0, 0.0), (-np.inf, 0.0)),
        (special.xlogy, (0.0, 2.0), (np.log(2), 0.0)),
        (special.xlogy, (3.0, 0.0), (-np.inf, np.inf)),
        (special.xlog1py, (0.0, -1.0), (-np.inf, 0.0)),
        (special.rel_entr, (0.0, 2.0), (-np.inf, 0.0)),
        (special.rel_entr, (0.0, 0.0), (0.0, 0.0)),
        (special.rel_entr, (2.0, 2.0), (1.0, -1.0)),
        (special.kl_div, (2.0, 2.0), (0.0, 0.0)),
        (special.kl_div, (0.0, 0.0), (0.0, 0.0)),
        (special.kl_div, (0.0, 2.0), (-np.inf, 1.0)),
        (special.pseudo_huber, (0.0, 0.0), (0.0, 0.0)),
        (special.huber, (1.0, 0.0), (0.0, 0.0)),
        (special.gammainc, (2.0, 0.0), (0.0, 0.0)),
        (special.gammainc, (1.0, 0.0), (0.0, 1.0)),
        (special.gammaincc, (2.0, np.inf), (0.0, 0.0)),
        (special.stdtr, (3.0, 0.0), (0.0, 0.3675525969478614)),
    ],
)
def test_edges_of_two_arguments(function: Any, at: Any, expected: Any) -> None:
    with np.errstate(all="ignore"):
        assert wg.grad(function, (0, 1))(*at) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    "function, x, expected",
    [
        (special.entr, 0.0, np.inf),
        (special.logit, 0.0, np.inf),
        (special.logit, 1.0, np.inf),
        (special.log_expit, -np.inf, 1.0),
        (special.log_expit, np.inf, 0.0),
        (special.expit, -np.inf, 0.0),
        (special.expit, np.inf, 0.0),
        (special.erfinv, 1.0, np.inf),
        (special.erfinv, -1.0, np.inf),
        (special.ndtri, 0.0, np.inf),
        (special.log_ndtr, np.inf, 0.0),
        (special.gammaln, 0.0, -np.inf),
        (special.i0e, 0.0, 0.0),
        (special.i1e, 0.0, 0.5),
        (special.ber, 0.0, 0.0),
    ],
)
def test_edges_of_one_argument(function: Any, x: float, expected: float) -> None:
    with np.errstate(all="ignore"):
        assert wg.grad(function)(x) == expected


def test_second_derivatives_at_edges_are_no_nan() -> None:
    for function, x in ((special.logit, 0.0), (special.entr, 0.0), (special.erfinv, 1.0)):
        with np.errstate(all="ignore"):
            assert np.isinf(wg.grad(wg.grad(function))(x))
