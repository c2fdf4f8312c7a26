"""A function that can be evaluated and nothing else, as a function of one vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wengert.derivatives.marking import need_function
from wengert.errors import WengertTypeError, WengertValueError
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten, leaf_name, unflatten

Array: TypeAlias = NDArray[Any]


class BlackBox:
    """f at a point that may be a structure of arrays, ravelled to one vector of float64.

    point: the vector; eps: the rounding unit of the coarsest leaf; evaluations: how often f was
    called. Leaves keep their dtypes when f sees them.
    """

    def __init__(self, f: Callable[..., Any], x: Any, args: tuple[Any, ...], what: str) -> None:
        need_function(f, what)
        leaves, self._spec = flatten(x)
        if any(type(leaf) is Tracer for leaf in flatten((x, args))[0]):
            raise WengertTypeError(
                f"{what} evaluates functions at plain values and is not differentiable: call it "
                "outside of grad, jit and other transformations"
            )
        self._f, self._args, self._what = f, args, what
        self._arrays = [np.asarray(leaf) for leaf in leaves]
        for k, array in enumerate(self._arrays):
            if array.dtype.kind not in "iuf":
                raise WengertTypeError(
                    f"{leaf_name({'x': x}, k)} has dtype {array.dtype}: {what} needs real numbers"
                )
        # as f sees them: integers are moved as float64
        self._dtypes = [a.dtype if a.dtype.kind == "f" else np.dtype(float) for a in self._arrays]
        self._ends = np.cumsum([array.size for array in self._arrays])
        if not self._arrays or not self._ends[-1]:
            raise WengertValueError(f"{what} was given an x without elements")
        self.point = np.concatenate([np.ravel(array).astype(float) for array in self._arrays])
        kinds = [a.dtype for a in self._arrays if a.dtype.kind == "f"]
        coarsest = max((float(np.finfo(kind).eps) for kind in kinds), default=0.0)
        self.eps = max(coarsest, float(np.finfo(float).eps))
        self.evaluations = 0

    @property
    def n(self) -> int:
        return len(self.point)

    def rounded(self, vector: Array) -> Array:
        """A vector as f sees it: some leaves may be in single precision."""
        if all(dtype == np.float64 for dtype in self._dtypes):
            return vector
        parts = zip(self._split(vector), self._dtypes, strict=True)
        return np.concatenate([part.astype(dtype).astype(float) for part, dtype in parts])

    def _split(self, vector: Array) -> list[Array]:
        return [vector] if len(self._arrays) == 1 else np.split(vector, self._ends[:-1])

    def __call__(self, vector: Array) -> Array:
        """f at a vector: an array of float64, or complex128 where the vector is complex."""
        is_complex = vector.dtype.kind == "c"
        parts = [
            part.reshape(array.shape).astype(vector.dtype if is_complex else dtype)[()]
            for array, dtype, part in zip(
                self._arrays, self._dtypes, self._split(vector), strict=True
            )
        ]
        self.evaluations += 1
        value = np.asarray(self._f(unflatten(self._spec, parts), *self._args))
        if value.dtype.kind not in ("biufc" if is_complex else "biuf"):
            raise WengertTypeError(
                f"{self._what} needs a function that returns a real number or array, and it "
                f"returned dtype {value.dtype}"
            )
        if not np.all(np.isfinite(value)):
            raise WengertValueError(
                f"the function given to {self._what} is infinite or NaN near x: give a smaller "
                "step, or a point inside of its domain"
            )
        return value.astype(complex if value.dtype.kind == "c" else float)

    def scalar(self, vector: Array) -> float:
        """f at a vector, a number."""
        value = self(vector)
        if value.shape:
            raise WengertTypeError(
                f"{self._what} needs a function that returns one number, and it returned an array "
                f"of shape {value.shape}"
            )
        return float(value)

    def delivered(self, derivative: Array) -> Any:
        """An array (..., n) as the structure of x, each leaf of shape (..., *shape of the leaf)."""
        parts = np.split(derivative, self._ends[:-1], axis=-1)
        leaves = [
            part.reshape((*derivative.shape[:-1], *array.shape))[()]
            for part, array in zip(parts, self._arrays, strict=True)
        ]
        return unflatten(self._spec, leaves)
