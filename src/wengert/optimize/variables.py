"""Structures as the vectors that solvers work on, and back."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert.errors import WengertTypeError, WengertValueError
from wengert.lazy import module
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import Spec, flatten, match, unflatten

Vector = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Variables:
    """What the function takes, of which the solver sees one vector.

    spec, shapes, dtypes: of the structure, leaf by leaf; spec is None where the function takes the
        vector itself.
    """

    spec: Spec | None
    shapes: tuple[tuple[int, ...], ...] = ()
    dtypes: tuple[Any, ...] = ()

    def restored(self, vector: Any) -> Any:
        """The structure that a vector stands for; traced where the vector is."""
        if self.spec is None:
            return vector
        leaves, start = [], 0
        for shape, dtype in zip(self.shapes, self.dtypes, strict=True):
            stop = start + math.prod(shape)
            leaf = vector[start:stop].reshape(shape) if shape else vector[start]
            is_kept = leaf.dtype == dtype or leaf.dtype.kind == "c"  # complex for complex steps
            leaves.append(leaf if is_kept else leaf.astype(dtype))
            start = stop
        return unflatten(self.spec, leaves)

    def restoring(self, fun: Callable[..., Any], args: Sequence[Any] = ()) -> Callable[..., Any]:
        """A function of structures as one of vectors, with its further arguments bound."""
        if self.spec is None and not args:
            return fun
        restored, rest = self.restored, tuple(args)
        return lambda x: fun(restored(x), *rest)

    def for_differences(self) -> Variables:
        """The same in double precision, in which the small steps of differences are not lost."""
        return replace(self, dtypes=(np.dtype(float),) * len(self.dtypes))

    def raveled(self, tree: Any, what: str) -> Vector:
        """The vector of a structure like the variables; a number stands for all of them."""
        if self.spec is None:
            return np.asarray(tree, float)
        leaves = [tree] * len(self.shapes) if is_number(tree) else self.leaves(tree, what)
        parts = [np.broadcast_to(a, s).ravel() for a, s in zip(leaves, self.shapes, strict=True)]
        return np.concatenate(parts).astype(float)

    def leaves(self, tree: Any, what: str) -> list[Any]:
        """The leaves of a structure that must be like the variables."""
        assert self.spec is not None
        return match(tree, self.spec, what, "x0")

    def is_like(self, tree: Any) -> bool:
        """Whether something can be raveled."""
        return is_number(tree) or flatten(tree)[1] == self.spec


def variables(x0: Any, what: str) -> tuple[Variables, Vector]:
    """How x0 is seen by a solver, and the vector that it begins with.

    As in SciPy, a number, a vector, and a list or tuple of numbers are a vector. Everything else
    (an array of two axes, a dict, a list of arrays) is a structure.
    """
    leaves, spec = _leaves(x0, what)
    if spec.is_leaf() and leaves[0].ndim < 2:
        return Variables(None), np.array(np.atleast_1d(leaves[0]))
    if type(x0) in (list, tuple) and all(map(is_number, x0)):
        return Variables(None), np.array(leaves)
    return structured(x0, what)


def structured(x0: Any, what: str) -> tuple[Variables, Vector]:
    """As `variables`, with everything as a structure: a number is one without axes."""
    leaves, spec = _leaves(x0, what)
    described = Variables(spec, tuple(a.shape for a in leaves), tuple(a.dtype for a in leaves))
    return described, np.concatenate([a.ravel() for a in leaves]).astype(float)


def _leaves(x0: Any, what: str) -> tuple[list[NDArray[Any]], Spec]:
    leaves, spec = flatten(x0)
    if any(type(leaf) is Tracer for leaf in leaves):
        raise WengertTypeError(
            f"{what} runs a solver on values, and cannot begin at a traced x0: derivatives of a "
            "solution are those of the equation that it solves (wengert.custom_root)"
        )
    if not leaves:
        raise WengertValueError(f"{what} needs an x0 with at least one number in it")
    return [_real(leaf, what) for leaf in leaves], spec


def _real(leaf: Any, what: str) -> NDArray[Any]:
    array = np.asarray(leaf)
    if array.dtype.kind in "iub":
        return array.astype(float)
    if array.dtype.kind != "f":
        raise WengertTypeError(
            f"{what} needs real numbers in x0, not dtype {array.dtype}; of a complex variable give "
            "the real and the imaginary part"
        )
    return array


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number)


def vector_of(value: Any) -> Any:
    """A result as one vector: what a function returns, or a structure of it; traced or not."""
    leaves, spec = flatten(value)
    if spec.is_leaf():
        return np.reshape(leaves[0], -1) if np.ndim(leaves[0]) != 1 else leaves[0]
    return np.concatenate([np.reshape(leaf, -1) for leaf in leaves])


def number_of(value: Any) -> Any:
    """A result as a number, where it is an array of one element as SciPy allows."""
    shape = getattr(value, "shape", ())
    if shape and value.size != 1:
        raise WengertTypeError(
            f"the function to be minimised must return one number, not an array of shape {shape}: "
            "sum it up, or give residuals to wengert.optimize.least_squares"
        )
    return np.reshape(value, ()) if shape else value


def bounds_of(bounds: Any, described: Variables) -> Any:
    """Bounds on the vector: those of a structure may be a pair of structures like it."""
    if bounds is None or described.spec is None:
        return bounds
    optimize = module("scipy.optimize")
    if isinstance(bounds, optimize.Bounds):
        return bounds
    if len(bounds) != 2 or not all(described.is_like(side) for side in bounds):
        if described.spec.type is dict:
            raise WengertTypeError(
                "bounds of a dict are a pair (lower, upper) of dicts with the same keys and shapes "
                "(±np.inf for none), or a scipy.optimize.Bounds of all its numbers, by sorted keys"
            )
        return bounds  # SciPy's form, a pair for each number
    low, high = (described.raveled(side, "a bound") for side in bounds)
    return optimize.Bounds(low, high)


def restored_callback(callback: Any, described: Variables) -> Any:
    """The callback, shown x in its own form. SciPy looks at the names of its arguments."""
    if callback is None or described.spec is None:
        return callback
    names = list(inspect.signature(callback).parameters)
    if names == ["intermediate_result"]:

        def by_result(intermediate_result: Any) -> Any:
            shown = type(intermediate_result)(intermediate_result)
            shown.x = described.restored(shown.x)
            return callback(intermediate_result=shown)

        return by_result
    return lambda x, *state: callback(described.restored(x), *state)


def restored_result(found: Any, described: Variables, *names: str) -> Any:
    """SciPy's result, with its vectors of these names in the form of x0."""
    if described.spec is not None:
        for name in names:
            if found.get(name) is not None:
                found[name] = described.restored(np.asarray(found[name]))
    return found
