"""Equations for matrices on tracers: those of Sylvester, Lyapunov and Riccati.

They are solved once and differentiated implicitly: the tangent of a solution solves a linear
equation of the same kind, which is Sylvester's for continuous time and Stein's for discrete time
(`wengert.ops.linalg.sylvester`, `wengert.ops.linalg.riccati`).
"""

from __future__ import annotations

from typing import Any

from scipy import linalg

from wengert.errors import WengertValueError
from wengert.numpy.dispatch import apply
from wengert.scipy.linalg.arguments import adjoint, arrays, check_square
from wengert.scipy.namespace import implements


@implements(linalg.solve_sylvester)
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """The X of a X + X b = q. NaN where it is not unique."""
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
