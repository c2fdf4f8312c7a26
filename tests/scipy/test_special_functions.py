"""scipy.special on traced arrays, as a person uses it: values, gradients, both tiers, complex."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import wengert as wg
from support import check
from wengert.errors import NotDifferentiable, Unsupported, WengertValueError
from wengert.scipy import special as ours

RNG = np.random.default_rng(5)
A = RNG.normal(size=(3, 4))
B = RNG.uniform(-1, 1, (3, 4))

FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "logsumexp": (ours.logsumexp, (A,)),
    "logsumexp by axis": (lambda a: ours.logsumexp(a, axis=1, keepdims=True), (A,)),
    "logsumexp by axes": (lambda a: ours.logsumexp(a, axis=(0, -1)), (A,)),
    "logsumexp weighed": (lambda a, b: ours.logsumexp(a, 0, b, return_sign=True), (A, B)),
    "logsumexp of few": (lambda a, b: ours.logsumexp(a, b=b), (A, np.array([0.0, 1.0, 2.0, 0.5]))),
    "logsumexp of single precision": (ours.logsumexp, (A.astype(np.float32),)),
    "softmax": (ours.softmax, (A,)),
    "softmax by axis": (lambda a: ours.softmax(a, axis=0), (A,)),
    "log_softmax": (lambda a: ours.log_softmax(a, axis=-1), (A,)),
    "multigammaln": (lambda a: ours.multigammaln(a, 3), (np.array([1.5, 4.0]),)),
    "polygamma": (lambda x: ours.polygamma([0, 1, 3], x), (np.array([0.5, 1.5, 3.0]),)),
    "zeta": (lambda q: ours.zeta(2.5, q), (np.array([0.5, 2.0]),)),
    "comb": (lambda n, k: ours.comb(n, k), (np.array([4.2, 5.5]), np.array([1.5, 2.0]))),
    "comb, nothing": (lambda n: ours.comb(n, 4), (np.array([2.5, 3.5]),)),
    "comb, repeated": (lambda n: ours.comb(n, 2, repetition=True), (np.array([2.5, 3.5]),)),
    "perm": (lambda n: ours.perm(n, 2), (np.array([4.5, 3.2]),)),
    "factorial": (ours.factorial, (np.array([0.5, 3.0, -1.5]),)),
    "diric": (lambda x: ours.diric(x, [4, 5]), (np.array([0.3, 7.0]),)),
    "lambertw": (lambda z: np.real(ours.lambertw(z)), (np.array([0.3, 2.0]),)),
    "spherical_jn": (lambda z: ours.spherical_jn([0, 1, 3], z), (np.array([0.0, 1.0, 2.0]),)),
    "spherical_kn, slope": (lambda z: ours.spherical_kn(2, z, True), (np.array([0.5, 1.0]),)),
    "jvp": (lambda z: ours.jvp(1.5, z, 2), (np.array([0.5, 2.0]),)),
    "kvp": (lambda z: ours.kvp(1, z, 3), (np.array([0.5, 2.0]),)),
    "ivp": (lambda z: ours.ivp(2, z), (np.array([0.5, 2.0]),)),
    "assoc_laguerre": (lambda x: ours.assoc_laguerre(x, 3, 1.0), (np.array([0.5, 2.0]),)),
    "airy": (lambda x: special.airy(x)[2], (np.array([-1.0, 0.0, 2.0]),)),
    "gammainc": (special.gammainc, (np.array([0.7, 2.0, 30.0]), np.array([0.5, 2.0, 28.0]))),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_value_and_gradient(name: str) -> None:
    function, args = FUNCTIONS[name]
    check(function, *args)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_tiers_agree(name: str) -> None:
    function, args = FUNCTIONS[name]

    def total(*given: Any) -> Any:
        result = function(*given)
        return np.sum(result[0] if isinstance(result, tuple) else result)

    expected, fast = wg.grad(total)(*args), wg.jit(wg.grad(total))
    fast(*args)
    tolerance = 1e-12 if args[0].dtype == np.float64 else 1e-5
    np.testing.assert_allclose(fast(*args), expected, rtol=tolerance, atol=tolerance)


# ------------------------------------------------------------------------ sums of exponentials


def test_second_derivatives_at_ties() -> None:
    """The covariance of a uniform choice: which of equal terms is the largest does not matter."""
    hessian = wg.hessian(ours.logsumexp)(np.zeros(3))
    np.testing.assert_allclose(hessian, np.eye(3) / 3 - 1 / 9, rtol=1e-15, atol=1e-16)


def test_small_terms_beside_a_large_one() -> None:
    value, slopes = wg.value_and_grad(ours.logsumexp)(np.array([0.0, -50.0]))
    assert value == special.logsumexp([0.0, -50.0]) == pytest.approx(np.exp(-50), rel=1e-15)
    assert slopes[1] == pytest.approx(np.exp(-50), rel=1e-15)


@pytest.mark.parametrize(
    "x, slopes",
    [
        ([-np.inf, -np.inf], [0, 0]),
        ([-np.inf, 3], [0, 1]),
        ([np.inf, 3], [1, 0]),
        ([1000, 1000], [0.5, 0.5]),
        ([-1000, -1000], [0.5, 0.5]),
    ],
)
def test_infinite_and_huge_terms(x: list[float], slopes: list[float]) -> None:
    value, found = wg.value_and_grad(ours.logsumexp)(np.array(x, float))
    assert value == special.logsumexp(x)
    assert found.tolist() == slopes


def test_negative_sums() -> None:
    b = np.array([1.0, -2.0])
    jitted = wg.jit(lambda a: ours.logsumexp(a, b=b))
    assert np.isnan(jitted(np.zeros(2)))
    value, sign = wg.jit(lambda a: ours.logsumexp(a, b=b, return_sign=True))(np.ones(2))
    assert (value, sign) == special.logsumexp(np.ones(2), b=b, return_sign=True)


# --------------------------------------------------------------------------------- complex


@pytest.mark.parametrize(
    "function",
    [
        special.gamma,
        special.loggamma,
        special.digamma,
        special.rgamma,
        special.erf,
        special.wofz,
        special.dawsn,
        special.spence,
        lambda z: special.jv(1.5, z),
        lambda z: special.hankel1(1.0, z),
    ],
)
def test_holomorphic_functions(function: Any) -> None:
    """The derivative along the real axis and the imaginary axis."""
    z, h = 1.3 - 0.4j, 1e-4
    slope = wg.grad(function, holomorphic=True)(z)
    for turn in (1, 1j):
        step = turn * h
        steps = [function(z + k * step) for k in (-2, -1, 1, 2)]
        expected = (steps[0] - 8 * steps[1] + 8 * steps[2] - steps[3]) / (12 * step)
        assert slope == pytest.approx(expected, rel=1e-10)


def test_functions_that_are_not_holomorphic_raise() -> None:
    for function in (special.ive, special.jve):
        with pytest.raises(NotDifferentiable, match="not holomorphic"):
            wg.grad(lambda z, f=function: f(1.0, z), holomorphic=True)(1 + 1j)


# ---------------------------------------------------------------------------------- refusals


def test_orders_have_no_derivative() -> None:
    with pytest.raises(NotDifferentiable, match="order"):
        wg.grad(special.jv)(1.5, 2.0)
    assert wg.grad(special.jv, 1)(1.5, 2.0) == pytest.approx(special.jvp(1.5, 2.0), rel=1e-14)


def test_exact_results_are_refused() -> None:
    for function in (ours.factorial, lambda n, exact: ours.comb(n, 2, exact=exact)):
        with pytest.raises(Unsupported, match="exact"):
            wg.grad(lambda n, f=function: f(n, exact=True))(3.0)


def test_domains_are_scipys() -> None:
    with pytest.raises(WengertValueError, match="not met"):
        wg.grad(lambda a: ours.multigammaln(a, 3))(0.5)


def test_batches() -> None:
    a = np.linspace(0.5, 3, 4)
    found = wg.vmap(wg.grad(special.gammainc), in_axes=(0, None))(a, 1.5)
    np.testing.assert_allclose(found, [wg.grad(special.gammainc)(x, 1.5) for x in a], rtol=1e-14)
