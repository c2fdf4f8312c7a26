"""Where the derivatives of vector functions come from, whole or by their nonzeros.

A function is seen as one from a vector to a vector. One program gives its values together with its
Jacobian.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert.derivatives.directional import jvp, vjp
from wengert.derivatives.jacobians import hessian, hvp, jacobian
from wengert.lazy import module
from wengert.optimize.objective import Compile, need_values
from wengert.optimize.variables import Vector

Indices = tuple[NDArray[np.intp], NDArray[np.intp]]


class Residuals:
    """A function from vectors to vectors, its values and Jacobian computed together once a point,
    and counted.

    nfev, njev: how many values and Jacobians have been computed.
    """

    __slots__ = ("_at", "_both", "_jacobian", "_value", "nfev", "njev")

    def __init__(self, program: Callable[..., Any], compile: Compile) -> None:
        def twice(x: Any) -> tuple[Any, Any]:
            value = program(x)
            return value, value

        self._both = compile(jacobian(twice, has_aux=True))
        self._at, self._value, self._jacobian = b"", np.zeros(0), np.zeros((0, 0))
        self.nfev = self.njev = 0

    def _evaluate(self, x: Vector, at: bytes) -> None:
        matrix, value = self._both(x)
        if not self.nfev:
            need_values(value)
        self.nfev += 1
        self.njev += 1
        self._at, self._value, self._jacobian = at, value, matrix

    def value(self, x: Vector) -> Any:
        at = x.tobytes()
        if at != self._at:
            self._evaluate(x, at)
        return self._value.copy()  # solvers may write into what they get

    def jacobian(self, x: Vector) -> Any:
        at = x.tobytes()
        if at != self._at:
            self._evaluate(x, at)
        return self._jacobian.copy()

    def structure(self, x: Vector) -> Indices:
        """Rows and columns of the entries of the Jacobian that can be nonzero."""
        rows, columns = np.indices((self.value(x).size, x.size))
        return rows.ravel(), columns.ravel()

    def nonzeros(self, x: Vector) -> Any:
        """These entries."""
        return self.jacobian(x).ravel()


class Products:
    """The Jacobian of a vector function by its products with vectors, counted."""

    __slots__ = ("_products", "_program", "_transposed", "count")

    def __init__(self, program: Callable[..., Any], compile: Compile) -> None:
        self._program = compile(program)
        self._products = compile(lambda x, v: jvp(program, (x,), (v,))[1])
        self._transposed = compile(lambda x, v: vjp(program, x)[1](v)[0])
        self.count = 0

    def product(self, x: Vector, v: Vector) -> Any:
        """The Jacobian at x times v."""
        self.count += 1
        return self._products(x, np.asarray(v, x.dtype).reshape(x.shape))

    def transposed(self, x: Vector, v: Vector) -> Any:
        """The transpose of the Jacobian at x times v."""
        self.count += 1
        return self._transposed(x, np.asarray(v, x.dtype).reshape(-1))

    def operator(self, x: Vector, rows: int) -> Any:
        """The Jacobian at x as SciPy's LinearOperator: products, and no matrix."""
        point = x.copy()
        return module("scipy.sparse.linalg").LinearOperator(
            (rows, x.size),
            matvec=lambda v: self.product(point, v),
            rmatvec=lambda v: self.transposed(point, v),
            dtype=x.dtype,
        )


class Curvature:
    """The Hessian of a function of x and of weights, by its lower triangle."""

    __slots__ = ("_hessian", "_where")

    def __init__(self, program: Callable[..., Any], compile: Compile, start: Vector) -> None:
        self._hessian = compile(hessian(program))
        self._where = np.tril_indices(start.size)

    def structure(self) -> Indices:
        """Rows and columns of the entries of the lower triangle that can be nonzero."""
        return self._where

    def nonzeros(self, x: Vector, *weights: Any) -> Any:
        """These entries."""
        return self._hessian(x, *weights)[self._where]


def weighted_hessian(program: Callable[..., Any], compile: Compile) -> Callable[..., Any]:
    """(x, v) -> Σₖ vₖ ∇²cₖ(x) of a vector function c, as SciPy's LinearOperator."""
    products = compile(lambda x, v, p: hvp(lambda y: np.sum(v * program(y)), x, p))

    def hessian(x: Vector, v: Vector) -> Any:
        point, weights = np.array(x), np.array(v, x.dtype)
        return module("scipy.sparse.linalg").LinearOperator(
            (x.size, x.size),
            matvec=lambda p: products(point, weights, np.asarray(p, x.dtype).reshape(x.shape)),
            dtype=x.dtype,
        )

    return hessian
