"""The integrals that derivatives of the incomplete gamma and beta functions by their parameters
are made of, in NumPy code, to nearly full precision.

    L_k(a, x) = 1/Γ(a+1) ∫₀ˣ  log(x/t)ᵏ tᵃ e⁻ᵗ dt                    gamma_below
    U_k(a, x) = 1/Γ(a)   ∫ₓ^∞ log(t/x)ᵏ tᵃ⁻¹ e⁻ᵗ dt                  gamma_above
    B_jk(a, b, x) = 1/B(a, b) ∫₀ˣ log(x/t)ʲ log((1−t)/(1−x))ᵏ tᵃ⁻¹ (1−t)ᵇ⁻¹ dt     beta_below

(and for what lies above x in the last one, x and 1 − x, a and b, j and k change places).

All factors are positive, so nothing cancels. With t = x e^(∓u) they become integrals of
uᵏ e^(−g(u)) over u > 0 with a convex g that is 0 at 0, which the double exponential rule
u = exp(τ − e^(−τ)) takes with steps of 1/16 and 1/32 (H. Takahasi, M. Mori, Publ. RIMS 9, 1974;
M. Mori, M. Sugihara, J. Comput. Appl. Math. 127, 2001). u is in units in which e^(−g) decays within
one.

The factor in front is x^a e^(−x)/Γ(a) or the like, which loses a log a units when it is an
exponential of logarithms: for large parameters Stirling's series is divided out first, and what is
left is the exponential of a small number that has no cancellation (A. R. DiDonato, A. H. Morris,
ACM TOMS 12 and 18, 1986 and 1992).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import lazy

LARGE = 10.0
"""Parameters above it go by Stirling's series."""

_STIRLING = (
    1 / 12,
    -1 / 360,
    1 / 1260,
    -1 / 1680,
    1 / 1188,
    -691 / 360360,
    1 / 156,
    -3617 / 122400,
)


def _rule(step: float) -> tuple[Any, Any]:
    """Nodes and weights of the double exponential rule; what is left out is below 1e-17."""
    tau = np.arange(-3.6, 3.9, step)
    nodes = np.exp(tau - np.exp(-tau))
    return nodes, step * nodes * (1 + np.exp(-tau))


GAMMA_RULE, BETA_RULE = _rule(1 / 16), _rule(1 / 32)
BLOCK = 512
"""Integrals that are taken at once, so that their nodes fit the cache."""


def _special() -> Any:
    return lazy.module("scipy.special")


def log1p_minus(z: Any) -> Any:
    """log(1 + z) − z without cancellation: with y = z/(2 + z), log(1 + z) = 2 artanh y, and
    2y − z = −z y."""
    y = z / (2 + z)
    series, power = np.zeros_like(y), y**2
    for k in range(14, -1, -1):
        series = series * power + 1 / (2 * k + 3)
    near = -z * y + 2 * y**3 * series
    return np.where(np.abs(z) < 0.4, near, np.log1p(z) - z)


def stirling_rest(a: Any) -> Any:
    """log Γ(a) − ((a − ½) log a − a + ½ log 2π) for large a (DLMF 5.11.1)."""
    total, power = np.zeros_like(a), 1 / a**2
    for number in _STIRLING[::-1]:
        total = total * power + number
    return total / a


def gamma_density(a: Any, x: Any) -> Any:
    """x^(a−1) e^(−x)/Γ(a); 0 where 1/Γ is."""
    special = _special()
    reciprocal = special.rgamma(a)
    small = np.exp(special.xlogy(a - 1, x) - x) * reciprocal
    large = np.maximum(a, LARGE)
    shift = (x - large) / large
    tail = np.exp(large * log1p_minus(shift) - stirling_rest(large))
    tail = tail * np.sqrt(large / (2 * math.pi)) / x
    value = np.where(a > LARGE, np.where(x == 0, 0, tail), small)
    return np.where(np.isinf(x) | (reciprocal == 0) & (a <= LARGE), 0, value)


def beta_density(a: Any, b: Any, x: Any, y: Any) -> Any:
    """x^(a−1) y^(b−1)/B(a, b) for y = 1 − x; 0 where 1/B is."""
    special = _special()
    least = np.minimum(a, b)
    reciprocal = special.rgamma(a) * special.rgamma(b)
    power = special.xlogy(a - 1, x) + special.xlogy(b - 1, y)
    positive = np.where(least > 0, special.betaln(a, b), 0)
    small = np.where(
        least > 0,
        np.exp(power - positive),
        np.exp(power) * reciprocal * special.gamma(a + b),
    )
    small = np.where((least <= 0) & (reciprocal == 0), 0, small)
    p, q = np.maximum(a, LARGE), np.maximum(b, LARGE)
    total = p + q
    off = x * q - y * p  # (x − p/total) · total
    exponent = p * log1p_minus(off / p) + q * log1p_minus(-off / q)
    exponent = exponent - stirling_rest(p) - stirling_rest(q) + stirling_rest(total)
    tail = np.exp(exponent) * np.sqrt(p / total * q / (2 * math.pi)) / (x * y)
    tail = np.where((x == 0) | (y == 0), 0, tail)
    return np.where(least > LARGE, tail, small)


def blockwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """Arrays of one shape as columns of at most BLOCK elements; the nodes are in their rows."""

    def call(*arrays: Any) -> Any:
        columns = [np.reshape(array, (-1, 1)) for array in arrays]
        result = np.empty_like(columns[-1])
        for start in range(0, len(result), BLOCK):
            block = slice(start, start + BLOCK)
            result[block] = function(*[column[block] for column in columns])
        return result.reshape(np.shape(arrays[-1]))

    return call


def _integral(factor: Any, exponent: Any, unit: Any, rule: Any = GAMMA_RULE) -> Any:
    """∫ factor(u) e^(exponent(u)) du over u > 0."""
    nodes, weights = rule
    u = unit * nodes
    return unit * np.sum(weights * factor(u) * np.exp(exponent(u)), axis=1, keepdims=True)


@blockwise
def gamma_below(k: Any, a: Any, x: Any) -> Any:
    """L_k for x up to about a + 1."""
    unit = 1 / (np.maximum(a + 1 - x, 0) + np.sqrt(x))
    integral = _integral(lambda u: u**k, lambda u: x * (-np.expm1(-u)) - (a + 1) * u, unit)
    return np.where(x == 0, 0, gamma_density(a + 1, x) * x * integral)


@blockwise
def gamma_above(k: Any, a: Any, x: Any) -> Any:
    """U_k for x from about a."""
    unit = 1 / (np.maximum(x - a, 0) + np.sqrt(x))
    integral = _integral(lambda u: u**k, lambda u: a * u - x * np.expm1(u), unit)
    return np.where(np.isinf(x), 0, gamma_density(a, x) * x * integral)


@blockwise
def beta_below(j: Any, k: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
    """B_jk for y = 1 − x and x up to about a/(a + b).

    The variable is v, by which the logit of t is less than that of x: then the exponent is
    g = a log(x/t) − b log((1 − t)/(1 − x)), which is convex and grows like a v in the end.
    """

    def logarithms(v: Any) -> tuple[Any, Any]:
        """log(x/t) and log((1 − t)/(1 − x)), whose sum is v."""
        other = -np.log1p(x * np.expm1(-v))
        return np.where(v < 1, np.log1p(y * np.expm1(np.minimum(v, 1))), v - other), other

    def exponent(v: Any) -> Any:
        mine, other = logarithms(v)
        return b * other - a * mine

    def factor(v: Any) -> Any:
        mine, other = logarithms(v)
        return mine**j * other**k

    slope = np.maximum(a * y - b * x, 1e-300)
    unit = np.minimum(1 / slope, (1 - (a + b) * np.log(y)) / a)
    for _ in range(12):  # Newton's method for g = 1, from the right: g is convex
        rest = y * np.exp(logarithms(unit)[1])  # 1 − t
        step = (-exponent(unit) - 1) / (a * rest - b * (1 - rest))
        unit = np.where(step > 0, unit - step, unit)
    integral = _integral(factor, exponent, unit, BETA_RULE)
    return np.where((x == 0) | (y == 0), 0, beta_density(a, b, x, y) * x * y * integral)


@blockwise
def scaled_erfc_integral(n: Any, x: Any) -> Any:
    """e^(x²) iⁿerfc(x) = 2/(√π n!) ∫₀^∞ uⁿ e^(−u² − 2xu) du for x ≥ 0 (DLMF 7.18.1-2)."""
    x = np.maximum(x, 0)
    integral = _integral(lambda u: u**n, lambda u: -u * (u + 2 * x), 1 / (1 + 2 * x))
    return 2 / math.sqrt(math.pi) * integral * _special().rgamma(n + 1)
