"""Functions of square matrices on tracers: exponential, logarithm, powers, trigonometric functions.

Derivatives are Fréchet derivatives, of every order; see `wengert.ops.linalg.functions`. Stacks of
matrices are taken everywhere. The logarithm, the square root and powers of a real matrix are
complex where it has negative eigenvalues, as in SciPy: a trace looks at the values to find out.
Where they are real, the result is, and float32 stays float32; SciPy gives some such results as
complex128.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from scipy import linalg

from wengert.errors import Unsupported
from wengert.numpy.dispatch import apply
from wengert.ops.linalg.functions import square_matrices
from wengert.scipy.linalg.arguments import arrays, check_square
from wengert.scipy.namespace import implements
from wengert.tracing.tracer import Tracer


def _square(A: Any) -> Tracer:
    (x,) = arrays(A)
    return Tracer(square_matrices("a function of matrices", x.node), x.session)


@implements(linalg.expm)
def expm(A: Any) -> Any:
    (x,) = arrays(A)
    if x.size == 1 and x.ndim < 2:
        return np.exp(x).reshape(1, 1)
    return apply("expm", x)


@implements(linalg.expm_frechet)
def expm_frechet(
    A: Any, E: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True
) -> Any:
    if method not in (None, "SPS", "blockEnlarge"):
        raise Unsupported(f"expm_frechet has no method {method!r}")
    A, E = arrays(A, E)
    check_square(A, "A")
    check_square(E, "E")
    derivative = apply("frechet", A, E, which=("expm",))
    if not compute_expm:
        return derivative
    return np.broadcast_to(apply("expm", A), derivative.shape), derivative


def _where_it_is_defined(A: Any) -> Tracer:
    """A as a complex matrix where a real one has eigenvalues on the negative axis."""
    x = _square(A)
    if x.dtype.kind == "f" and bool(np.any(apply("has_negative_eigenvalue", x))):
        return x.astype(np.result_type(x.dtype, np.complex64))
    return x


def _refuse_disp(function: str, disp: Any) -> None:
    if disp not in (None, True):
        raise Unsupported(f"the argument disp={disp!r} of {function} cannot be traced")


@implements(linalg.logm)
def logm(A: Any, disp: Any = True) -> Any:
    _refuse_disp("logm", disp)
    return apply("logm", _where_it_is_defined(A))


@implements(linalg.sqrtm)
def sqrtm(A: Any, disp: Any = True, blocksize: Any = None) -> Any:
    _refuse_disp("sqrtm", disp)
    return apply("sqrtm", _where_it_is_defined(A))


@implements(linalg.signm)
def signm(A: Any, disp: Any = True) -> Any:
    _refuse_disp("signm", disp)
    return apply("signm", _square(A))


@implements(linalg.fractional_matrix_power)
def fractional_matrix_power(A: Any, t: Any) -> Any:
    """A^t. Whole powers are products; for a traced t it is exp(t log A)."""
    if isinstance(t, Tracer):
        x = _where_it_is_defined(arrays(A, t)[0])
        return apply("expm", t * apply("logm", x))
    try:
        whole = operator.index(t)
    except TypeError:
        whole = int(t) if float(t).is_integer() else None
    if whole is not None:
        return np.linalg.matrix_power(_square(A), whole)
    return apply("matrix_power", _where_it_is_defined(A), exponent=float(t))


# ----------------------------------------------------------------- from the exponential


def _rotation(x: Tracer) -> Any:
    """exp(i x)."""
    return apply("expm", 1j * x)


@implements(linalg.cosm)
def cosm(A: Any) -> Any:
    x = _square(A)
    if x.dtype.kind == "c":
        return 0.5 * (_rotation(x) + _rotation(-x))
    return np.real(_rotation(x))


@implements(linalg.sinm)
def sinm(A: Any) -> Any:
    x = _square(A)
    if x.dtype.kind == "c":
        return -0.5j * (_rotation(x) - _rotation(-x))
    return np.imag(_rotation(x))


@implements(linalg.tanm)
def tanm(A: Any) -> Any:
    x = _square(A)
    return np.linalg.solve(cosm(x), sinm(x))


@implements(linalg.coshm)
def coshm(A: Any) -> Any:
    x = _square(A)
    return 0.5 * (expm(x) + expm(-x))


@implements(linalg.sinhm)
def sinhm(A: Any) -> Any:
    x = _square(A)
    return 0.5 * (expm(x) - expm(-x))


@implements(linalg.tanhm)
def tanhm(A: Any) -> Any:
    x = _square(A)
    return np.linalg.solve(coshm(x), sinhm(x))
