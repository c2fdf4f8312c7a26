"""What is estimated, as products with blocks of vectors: an array, a sparse matrix, a SciPy
LinearOperator, a function v ↦ Av, or the Hessian of a function at a point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.derivatives.batching import vmap
from wengert.derivatives.directional import linearize
from wengert.derivatives.gradients import grad
from wengert.derivatives.jacobians import hessian
from wengert.derivatives.marking import need_function
from wengert.derivatives.sparse import sparsity
from wengert.errors import WengertTypeError, WengertValueError
from wengert.estimate.progress import Bar
from wengert.sparse.detecting import DensePattern
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten, leaf_name, unflatten

Array: TypeAlias = NDArray[np.float64]
Coloured: TypeAlias = "tuple[int, Callable[[], Array]] | None"

WIDTH = 16
"""Vectors in a block: enough for matrix products in place of matrix–vector products, and few enough
that the intermediate values of a Hessian's products need no great memory."""
FULLEST = 64
"""Nonzeros in a row, on the average, up to which a Hessian is taken for a sparse one."""


@dataclass(slots=True)
class Operator:
    """A real square matrix that is known by its products alone.

    n: its order.
    multiply: the product with a block of vectors, (n, k) -> (n, k).
    eps: the rounding unit of the products.
    unravel: a vector of n numbers as what the caller's vectors are.
    products: how many vectors it was multiplied with.
    coloured: finds, for a Hessian with zeros by structure, how many products its colours take, and
        what gives its diagonal by them; None for other matrices.
    """

    n: int
    multiply: Callable[[Array], Any]
    eps: float
    unravel: Callable[[Array], Any]
    products: int = 0
    coloured: Callable[[], Coloured] = lambda: None
    bar: Bar = field(default_factory=lambda: Bar(False, ""))

    def __call__(self, vectors: Array) -> Array:
        """The products with the columns of an array, WIDTH at a time."""
        count = vectors.shape[1]
        result = np.empty((self.n, count))
        for start in range(0, count, WIDTH):
            part = np.ascontiguousarray(vectors[:, start : start + WIDTH])
            product = np.asarray(self.multiply(part))
            if product.shape != part.shape:
                raise WengertValueError(
                    f"the product of A with an array of shape {part.shape} has shape "
                    f"{product.shape}: A must be square"
                )
            if product.dtype.kind == "c":
                raise WengertTypeError(_COMPLEX)
            if not np.all(np.isfinite(product)):
                raise WengertValueError("a product of A with a vector is infinite or NaN")
            result[:, start : start + WIDTH] = product
            self.products += part.shape[1]
            self.bar.advance(part.shape[1])
        return result


_COMPLEX = (
    "the estimators take real matrices: estimate A.real and A.imag apart, or, for a Hermitian A, "
    "[[A.real, -A.imag], [A.imag, A.real]], which has each eigenvalue of A twice"
)


def operator_of(
    A: Any, n: int | None, x: Any, args: tuple[Any, ...], what: str, bar: Bar
) -> Operator:
    """The operator that the arguments of an estimator mean.

    A: an array, sparse matrix or LinearOperator; a function v ↦ Av, with n; or a scalar function,
        with x, for its Hessian at x.
    """
    if any(type(leaf) is Tracer for leaf in flatten((A, x, args))[0]):
        raise WengertTypeError(
            f"{what} estimates plain values and is not differentiable: call it outside of grad, "
            "jit and other transformations"
        )
    if x is not None:
        if n is not None:
            raise WengertTypeError(
                f"{what} takes n or x, not both: x says how large the Hessian is"
            )
        operator = _of_hessian(A, x, args, what)
    elif args:
        raise WengertTypeError(f"{what} takes args with x: they are further arguments of f")
    elif hasattr(A, "matmat") and hasattr(A, "shape"):
        operator = _of_shape(A.shape, A.matmat, getattr(A, "dtype", None), n, what)
    elif callable(A):
        operator = _of_function(A, n, what)
    else:
        matrix = A if hasattr(A, "tocsr") else np.asarray(A)
        operator = _of_shape(matrix.shape, matrix.__matmul__, matrix.dtype, n, what)
    operator.bar = bar
    return operator


def _of_shape(
    shape: tuple[int, ...],
    multiply: Callable[[Array], Any],
    dtype: Any,
    n: int | None,
    what: str,
) -> Operator:
    if len(shape) != 2 or shape[0] != shape[1] or not shape[0]:
        raise WengertValueError(f"{what} needs a square matrix, not one of shape {tuple(shape)}")
    if n is not None and n != shape[0]:
        raise WengertValueError(f"{what} was given n = {n} and a matrix of shape {tuple(shape)}")
    dtype = np.dtype(float) if dtype is None else np.dtype(dtype)
    if dtype.kind not in "biuf":
        raise WengertTypeError(_COMPLEX if dtype.kind == "c" else f"A has dtype {dtype}")
    eps = float(np.finfo(dtype).eps) if dtype.kind == "f" else float(np.finfo(float).eps)
    return Operator(int(shape[0]), multiply, eps, _same)


def _of_function(product: Callable[[Array], Any], n: int | None, what: str) -> Operator:
    if n is None:
        raise WengertTypeError(
            f"{what} of a function needs n, the length of its vectors, if it is v ↦ Av, or x, the "
            f"point, if it is the Hessian of it that is meant: {what}(f, n=...) or {what}(f, x=x)"
        )
    if not is_count(n):
        raise WengertValueError(f"n must be a positive int, not {n!r}")

    def multiply(vectors: Array) -> Any:
        columns = [np.asarray(product(np.ascontiguousarray(v))) for v in vectors.T]
        if any(column.shape != (n,) for column in columns):
            raise WengertValueError(
                f"the function given to {what} must map vectors of shape ({n},) to vectors of "
                f"that shape, and one has shape {columns[0].shape}"
            )
        return np.stack(columns, axis=1)

    return Operator(int(n), multiply, float(np.finfo(float).eps), _same)


def is_count(value: object) -> bool:
    """Whether a value is a positive int."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) > 0


def _same(vector: Array) -> Array:
    return vector


def _of_hessian(f: Callable[..., Any], x: Any, args: tuple[Any, ...], what: str) -> Operator:
    """The Hessian by forward mode over reverse mode: the gradient is linearised once, and a block
    of vectors goes through its linear part in one pass."""
    need_function(f, what)
    leaves, spec = flatten(x)
    arrays = [np.asarray(leaf) for leaf in leaves]
    for k, array in enumerate(arrays):
        if array.dtype.kind == "c":
            raise WengertTypeError(f"{leaf_name({'x': x}, k)} is complex, and {what} needs real x")
    shapes = [array.shape for array in arrays]
    ends = np.cumsum([array.size for array in arrays])
    n = int(ends[-1]) if arrays else 0
    if not n:
        raise WengertValueError(f"{what} was given an x without elements")
    slope = grad(f)
    _, product = linearize(lambda point: slope(point, *args), x)
    products = vmap(product)

    def multiply(vectors: Array) -> Array:
        parts = np.split(vectors.T, ends[:-1], axis=1)
        blocks = [part.reshape(-1, *shape) for part, shape in zip(parts, shapes, strict=True)]
        images = flatten(products(unflatten(spec, blocks)))[0]
        return np.concatenate([np.reshape(i, (vectors.shape[1], -1)) for i in images], axis=1).T

    def unravel(vector: Array) -> Any:
        parts = np.split(vector, ends[:-1])
        return unflatten(spec, [p.reshape(s)[()] for p, s in zip(parts, shapes, strict=True)])

    kinds = [array.dtype for array in arrays if array.dtype.kind == "f"]
    eps = max((float(np.finfo(kind).eps) for kind in kinds), default=float(np.finfo(float).eps))
    return Operator(n, multiply, eps, unravel, coloured=cache(lambda: _coloured(f, x, args, n)))


def _coloured(f: Callable[..., Any], x: Any, args: tuple[Any, ...], n: int) -> Coloured:
    """The number of products that a sparse Hessian takes, and its diagonal by them."""
    try:
        plan = sparsity(f, of="hessian", limit=FULLEST * n)(x, *args)
    except DensePattern:
        return None

    def diagonal() -> Array:
        found = hessian(f, sparse=True, pattern=plan)(x, *args).diagonal()
        return np.asarray(found, np.float64)

    return (plan.products, diagonal) if plan.products < n else None
