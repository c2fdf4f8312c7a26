"""The functions of scipy.special that are no ufuncs, on traced arrays.

They are made of ops that have records; what must be known while tracing (an order, a dimension) is
refused where it is traced.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from wengert.errors import Unsupported, WengertValueError
from wengert.graph.types import COMPLEX, FLOAT
from wengert.numpy.dispatch import apply, concrete, refuse
from wengert.scipy.namespace import implements
from wengert.scipy.special.sums import floating

# ----------------------------------------------------------------------- gamma and zeta


@implements(special.multigammaln)
def multigammaln(a: Any, d: Any) -> Any:
    """log Γ_d(a) = ¼ d (d − 1) log π + Σ_{j<d} log Γ(a − j/2)."""
    d = concrete(d, "the argument d of multigammaln")[()]
    if np.ndim(d) or np.floor(d) != d:
        raise WengertValueError("d should be a positive integer (dimension)")
    (a,) = floating(a)
    if bool(np.any(a <= 0.5 * (d - 1))):
        raise WengertValueError(f"condition a > 0.5 * (d-1) ({0.5 * (d - 1):f}) not met")
    parts = [apply("gammaln", a - 0.5 * j) for j in range(int(d))]
    return sum(parts[1:], parts[0]) + d * (d - 1) * 0.25 * math.log(math.pi)


@implements(special.polygamma)
def polygamma(n: Any, x: Any) -> Any:
    n, x = floating(n, x)
    return apply("polygamma", n, x if x.dtype.kind == "c" else x.astype(FLOAT))


@implements(special.zeta)
def zeta(x: Any, q: Any = None, out: Any = None) -> Any:
    refuse("scipy.special.zeta", out=(out, None))
    if q is None:
        raise Unsupported(
            "scipy.special.zeta(x) of a traced x: its derivative has no closed form (zeta(x, q) is "
            "differentiated by q)"
        )
    return apply("zeta", *floating(x, q))


def _counted(value: Any, N: Any, k: Any) -> Any:
    """0 where there is nothing to choose."""
    return np.where((k <= N) & (N >= 0) & (k >= 0), value, 0.0)


def _inexact(name: str, exact: bool) -> None:
    if exact:
        raise Unsupported(
            f"scipy.special.{name} with exact=True gives integers, which have no derivative; call "
            "it with exact=False, or on values that are not traced"
        )


@implements(special.comb)
def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    _inexact("comb", exact)
    N, k = floating(N, k)
    if repetition:
        some = (k == 0) & (N >= 0)
        return np.where(some, 1.0, apply("binom", np.where(some, 1.0, N + k - 1), k))
    return _counted(apply("binom", N, k), N, k)


@implements(special.perm)
def perm(N: Any, k: Any, exact: bool = False) -> Any:
    _inexact("perm", exact)
    N, k = floating(N, k)
    return _counted(apply("poch", N - k + 1, k), N, k)


@implements(special.factorial)
def factorial(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    _inexact("factorial", exact)
    (n,) = floating(n)
    if extend == "complex":
        return apply("gamma", n + 1)
    if extend != "zero" or n.dtype.kind == "c":
        raise WengertValueError('argument `extend` must be "zero" or "complex", for complex n too')
    return np.where(n < 0, 0.0, apply("gamma", n + 1))


# -------------------------------------------------------------------------------- elementary


if hasattr(special, "softplus"):

    @implements(special.softplus)
    def softplus(x: Any, **kwargs: Any) -> Any:
        return np.logaddexp(0, x, **kwargs)


@implements(special.diric)
def diric(x: Any, n: Any) -> Any:
    """sin(nx/2)/(n sin(x/2)) = U_{n−1}(cos(x/2))/n, which has no 0/0 (DLMF 18.5.2)."""
    n = concrete(n, "the argument n of diric")
    (x,) = floating(x)
    valid = (n > 0) & (n == np.floor(n))
    degree = np.where(valid, n, 1).astype(np.int64)
    value = apply("eval_chebyu", degree - 1, np.cos(x / 2)) / degree
    return np.where(valid, value, np.nan)


@implements(special.lambertw)
def lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    k = concrete(k, "the branch k of lambertw")
    refuse("scipy.special.lambertw", tol=(tol, 1e-8))
    (z,) = floating(z)
    return apply("lambertw", z.astype(COMPLEX), k.astype(float))


@implements(special.assoc_laguerre)
def assoc_laguerre(x: Any, n: Any, k: Any = 0.0) -> Any:
    return apply("eval_genlaguerre", n, k, x)


# ------------------------------------------------------------------------- Bessel functions


def _spherical(name: str, below: int, above: int) -> None:
    """The function, or with derivative=True its slope: (2n + 1) f′ = below · n f₋ + above · (n + 1)
    f₊ (DLMF 10.51.2, 10.51.5)."""

    @implements(getattr(special, name))
    def spherical(n: Any, z: Any, derivative: bool = False) -> Any:
        n = concrete(n, f"the order n of {name}").astype(np.int64)
        (z,) = floating(z)
        z = z.astype(COMPLEX if z.dtype.kind == "c" else FLOAT)
        if not derivative:
            return apply(name, n, z)
        lower, upper = apply(name, np.maximum(n - 1, 0), z), apply(name, n + 1, z)
        return (below * n * lower + above * (n + 1) * upper) / (2 * n + 1)


for _name, _below, _above in (
    ("spherical_jn", 1, -1),
    ("spherical_yn", 1, -1),
    ("spherical_in", 1, 1),
    ("spherical_kn", -1, -1),
):
    _spherical(_name, _below, _above)


def _derivative(function: Callable[..., Any], of: str, phase: int, sign: int = 1) -> None:
    """The n-th derivative: Σ_i phaseⁱ C(n, i) f_{v − n + 2i}/2ⁿ (DLMF 10.6.7, 10.29.5)."""

    @implements(function)
    def derived(v: Any, z: Any, n: int = 1) -> Any:
        n = int(concrete(n, "the number of derivatives")[()])
        if n < 0:
            raise WengertValueError("n must be a non-negative integer")
        z = floating(z)[0]
        terms = [phase**i * math.comb(n, i) * apply(of, v - n + 2 * i, z) for i in range(n + 1)]
        return sum(terms[1:], terms[0]) * (sign**n / 2.0**n)


for _function, _of, _phase, _sign in (
    (special.jvp, "jv", -1, 1),
    (special.yvp, "yv", -1, 1),
    (special.ivp, "iv", 1, 1),
    (special.kvp, "kv", 1, -1),
    (special.h1vp, "hankel1", -1, 1),
    (special.h2vp, "hankel2", -1, 1),
):
    _derivative(_function, _of, _phase, _sign)
