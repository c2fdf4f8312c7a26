"""Equations for matrices on tracers: those of Sylvester, Lyapunov and Riccati.

They are solved once and differentiated implicitly: the tangent of a solution solves a linear
equation of the same kind, which is Sylvester's for continuous time and Stein's for discrete time
(`wengert.ops.linalg.sylvester`, `wengert.ops.linalg.riccati`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from wengert.errors import WengertValueError
from wengert.numpy.dispatch import apply
from wengert.scipy.linalg.arguments import adjoint, arrays, check_square
from wengert.scipy.namespace import implements


@implements(linalg.solve_sylvester)
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """The X of a X + X b = q. NaN where it is not unique.

    For factors of which one alone is complex SciPy 1.17 can give a matrix that solves another
    equation; here the factors have one dtype.
    """
    return apply("sylvester", *arrays(a, b, q))


@implements(linalg.solve_continuous_lyapunov, linalg.solve_lyapunov)
def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """The X of a X + X aᴴ = q."""
    a, q = arrays(a, q)
    check_square(a, "a")
    return apply("sylvester", a, adjoint(a), q)


@implements(linalg.solve_discrete_lyapunov)
def solve_discrete_lyapunov(a: Any, q: Any, method: Any = None) -> Any:
    """The X of a X aᴴ − X + q = 0. One method serves for all of SciPy's."""
    if method is not None and str(method).lower() not in ("direct", "bilinear"):
        raise WengertValueError(f"Unknown solver {method}")
    a, q = arrays(a, q)
    check_square(a, "a")
    return apply("stein", a, adjoint(a), q)


def _without_e(e: Any, a: Any, q: Any, s: Any) -> tuple[Any, Any, Any]:
    """The equation in terms of eᴴ X e turned into one in terms of X: a e⁻¹, e⁻ᴴ q e⁻¹, e⁻ᴴ s."""
    check_square(e, "e")
    inverse = np.linalg.inv(e)
    before = adjoint(inverse)
    return a @ inverse, before @ q @ inverse, None if s is None else before @ s


def _riccati(name: str, a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> Any:
    a, b, q, r, e, s = arrays(a, b, q, r, e, s)
    if e is not None:
        a, q, s = _without_e(e, a, q, s)
    return apply(name, a, b, q, r, *([] if s is None else [s]))


@implements(linalg.solve_continuous_are)
def solve_continuous_are(
    a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: bool = True
) -> Any:
    """The stabilising X of aᴴ X e + eᴴ X a − (eᴴ X b + s) r⁻¹ (bᴴ X e + sᴴ) + q = 0.

    Of q and r the Hermitian parts are read. A matrix e is inverted.
    """
    return _riccati("care", a, b, q, r, e, s)


@implements(linalg.solve_discrete_are)
def solve_discrete_are(
    a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: bool = True
) -> Any:
    """The stabilising X of
    aᴴ X a − eᴴ X e − (aᴴ X b + s) (r + bᴴ X b)⁻¹ (bᴴ X a + sᴴ) + q = 0.

    Of q and r the Hermitian parts are read. A matrix e is inverted.
    """
    return _riccati("dare", a, b, q, r, e, s)
