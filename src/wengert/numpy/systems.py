"""`numpy.linalg` on tracers: linear systems, inverses, determinants, the Cholesky factorisation.

Integers become float64, as in NumPy. A singular matrix raises NumPy's `LinAlgError` when the value
is computed; a `try` in the traced function sees it (see `wengert.execution.values`).
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.numpy.dispatch import implements, nodes, tracers
from wengert.ops.linalg.cholesky import cholesky as cholesky_factor
from wengert.ops.linalg.lu import identity
from wengert.ops.linalg.matrices import adjoint
from wengert.ops.linalg.systems import determined, inverted, log_determined, solved
from wengert.ops.linalg.triangular import check_square
from wengert.ops.movement import reshape
from wengert.tracing.tracer import Tracer

SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """b is one right side where it has one axis, else a stack of matrices of them."""
    session, (matrix, right) = nodes(a, b)
    check_square("solve", matrix)
    n = matrix.shape[-1]
    is_vector = right.ndim == 1
    if not right.ndim or right.shape[-1 if is_vector else -2] != n:
        raise WengertValueError(
            f"solve: a right side of shape {right.shape} does not fit matrices of shape "
            f"{matrix.shape}: it must be ({n},), or end in ({n}, k)"
        )
    if not is_vector:
        return Tracer(solved(matrix, right), session)
    found = solved(matrix, reshape(right, (n, 1)))
    return Tracer(reshape(found, found.shape[:-1]), session)


@implements(np.linalg.inv)
def inv(a: Any) -> Any:
    session, (x,) = nodes(a)
    return Tracer(inverted(x), session)


@implements(np.linalg.det)
def det(a: Any) -> Any:
    session, (x,) = nodes(a)
    return Tracer(determined(x), session)


@implements(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    session, (x,) = nodes(a)
    return SlogdetResult(*[Tracer(part, session) for part in log_determined(x)])


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """Reads the triangle that it makes; derivatives are those of a Hermitian matrix."""
    session, (x,) = nodes(a)
    check_square("cholesky", x)
    return Tracer(adjoint(cholesky_factor(adjoint(x))) if upper else cholesky_factor(x), session)


@implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: Any) -> Any:
    (x,) = tracers(a)
    check_square("matrix_power", x.node)
    try:
        n = operator.index(n)
    except TypeError:
        raise TypeError("exponent must be an integer") from None
    if n == 0:
        return Tracer(identity(x.node), x.session)
    if n < 0:
        x, n = inv(x), -n
    power, result = x, None
    while True:
        n, bit = divmod(n, 2)
        if bit:
            result = power if result is None else result @ power
        if not n:
            return result
        power = power @ power


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    x, y = tracers(a, b)
    if axes is not None:
        order = [k for k in range(x.ndim) if k not in axes]
        x = x.transpose([*order, *axes])
    shape = x.shape[y.ndim :]
    n = math.prod(shape)
    if x.size != n * n:
        raise np.linalg.LinAlgError(
            f"tensorsolve: an array of shape {x.shape} is no square system for a right side of "
            f"shape {y.shape}: prod(a.shape[b.ndim:]) must be prod(a.shape[:b.ndim])"
        )
    return solve(x.reshape(n, n), y.reshape(-1)).reshape(shape)


@implements(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    (x,) = tracers(a)
    if ind <= 0:
        raise WengertValueError(f"tensorinv: ind must be positive, not {ind}")
    n = math.prod(x.shape[ind:])
    return inv(x.reshape(n, -1)).reshape(*x.shape[ind:], *x.shape[:ind])
