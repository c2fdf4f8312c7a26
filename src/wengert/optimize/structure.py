"""Where the derivatives of vector functions come from, dense or by their nonzeros.

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
from wengert.derivatives.sparse import sparsity
from wengert.errors import WengertValueError
from wengert.lazy import module
from wengert.optimize.objective import Compile, need_values
from wengert.optimize.variables import Vector
from wengert.sparse.pattern import Pattern
from wengert.sparse.plan import Sparsity, as_pattern

Indices = tuple[NDArray[Any], NDArray[Any]]

SMALL = 2_500
"""A Jacobian of at most so many entries is made by one mode throughout."""

LARGE, THIN = 250_000, 0.1
"""A Jacobian is sparse by itself from so many entries on, if at most this part can be nonzero."""


class Residuals:
    """A function from vectors to vectors, its values and Jacobian computed together once a point,
    and counted.

    nfev, njev: how many values and Jacobians have been computed.
    """

    __slots__ = ("_at", "_both", "_matrix", "_value", "is_sparse", "nfev", "njev")

    def __init__(
        self, program: Callable[..., Any], compile: Compile, entries: Entries | None = None
    ) -> None:
        self.is_sparse = entries is not None
        self._both: Callable[..., Any]
        if entries is None:
            self._both = compile(_dense(program))
        else:
            self._both = entries.matrix
        self._at, self._value, self._matrix = b"", np.zeros(0), np.zeros((0, 0))
        self.nfev = self.njev = 0

    def _evaluate(self, x: Vector, at: bytes) -> None:
        matrix, value = self._both(x)
        if not self.nfev:
            need_values(value)
        self.nfev += 1
        self.njev += 1
        self._at, self._value, self._matrix = at, value, matrix

    def value(self, x: Vector) -> Any:
        at = x.tobytes()
        if at != self._at:
            self._evaluate(x, at)
        return self._value.copy()  # solvers may write into what they get

    def jacobian(self, x: Vector) -> Any:
        at = x.tobytes()
        if at != self._at:
            self._evaluate(x, at)
        return self._matrix.copy()


def _dense(program: Callable[..., Any]) -> Callable[..., Any]:
    """x ↦ (the Jacobian, the values). A small one is not worth a plan of how it is made."""

    def both(x: Any) -> tuple[Any, Any]:
        value = program(x)
        rows, columns = np.size(value), np.size(x)
        mode = "forward" if columns <= rows else "reverse"
        return jacobian(program, mode=mode if rows * columns <= SMALL else "auto")(x), value

    return both


def _twice(program: Callable[..., Any]) -> Callable[..., Any]:
    def value_and_aux(*args: Any) -> tuple[Any, Any]:
        value = program(*args)
        return value, value

    return value_and_aux


def residuals(
    program: Callable[..., Any], compile: Compile, start: Vector, form: str = "auto"
) -> Residuals:
    """A function with its Jacobian "dense", "sparse", or in the form that suits it."""
    entries = None
    if form == "sparse" or (form == "auto" and start.size**2 >= THIN * LARGE):
        plan: Sparsity = sparsity(program)(start)
        rows, columns = plan.shape
        if form == "sparse" or (rows * columns >= LARGE and plan.density <= THIN):
            entries = Entries("jacobian", program, compile, plan)
    return Residuals(program, compile, entries)


class Entries:
    """The entries of a matrix of derivatives that can be nonzero, computed by coloured products.

    A pattern is that of one path through the function. Where Python's control flow takes another
    one, the function is traced again; the pattern is found anew then, and joined to what was known.

    is_fixed: whether that is an error, as the solver has been told the pattern.
    """

    def __init__(
        self,
        kind: str,
        program: Callable[..., Any],
        compile: Compile,
        plan: Sparsity,
        is_fixed: bool = False,
    ) -> None:
        self._kind, self._program, self._compile = kind, program, compile
        self._is_fixed, self._is_traced = is_fixed, False
        self.places: Pattern = plan.places
        self._values = self._derived(plan)

    def _derived(self, pattern: Any) -> Callable[..., Any]:
        twice = _twice(self._program)

        def traced(*args: Any) -> Any:
            self._is_traced = True  # Python runs while tracing only
            return twice(*args)

        derive = jacobian if self._kind == "jacobian" else hessian
        return self._compile(derive(traced, has_aux=True, sparse="values", pattern=pattern))

    def __call__(self, x: Vector, *more: Any) -> tuple[Any, Any]:
        """(the entries at the places, row by row, the value of the function)."""
        while True:
            self._is_traced = False
            try:
                found: tuple[Any, Any] = self._values(x, *more)
            except WengertValueError:  # a pattern is probed, outside of jit
                if not self._has_grown(x, *more):
                    raise
                continue
            if not self._is_traced or not self._has_grown(x, *more):
                return found

    def matrix(self, x: Vector) -> tuple[Any, Any]:
        """(the matrix as SciPy's csr_array, the value of the function)."""
        values, value = self(x)
        return self.places.matrix(values), value

    def _has_grown(self, *point: Any) -> bool:
        """Whether the path at a point has places that were not known."""
        here: Sparsity = sparsity(self._program, of=self._kind)(*point)
        joined = self.places.matrix() + here.pattern
        if joined.nnz == self.places.nnz:
            return False
        if self._is_fixed:
            raise WengertValueError(
                f"the {self._kind} has nonzeros at other places than where the solver began, since "
                "the function takes another branch. Begin where all terms count, or use np.where, "
                "which has the places of both branches"
            )
        self.places = as_pattern(joined, here.shape)
        self._values = self._derived(joined)
        return True


class Products:
    """The Jacobian of a vector function by its products with vectors, counted."""

    __slots__ = ("_products", "_transposed", "count")

    def __init__(self, program: Callable[..., Any], compile: Compile) -> None:
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
