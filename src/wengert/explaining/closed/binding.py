"""The NumPy source as functions, bound to what the user's function reads from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from wengert.derivatives.gradients import grad
from wengert.derivatives.jacobians import hessian, jacobian
from wengert.explaining.closed.problem import Problem
from wengert.explaining.closed.source import Outside, Parameters
from wengert.explaining.closed.terms import Shape, Symbol


def bound(source: str, problem: Problem, given: Parameters) -> dict[str, Callable[..., Any]]:
    """The functions of the source, which take the leaves of the arguments."""
    shapes = {
        one.symbol: one.shape
        for one in (*problem.arguments, *problem.constants, *problem.intermediates)
    }
    outside: dict[str, Any] = {name: named.value for name, named in given.arrays.items()}
    for name, function in given.functions.items():
        outside[name] = _outside(function, shapes)
    namespace: dict[str, Any] = {}
    exec(compile(source, "<closed form>", "exec"), namespace)
    return {
        name: partial(namespace[name], **outside)
        for name in ("function", "gradient", "hessian")
        if name in namespace
    }


def _outside(function: Outside, shapes: dict[Symbol, tuple[int, ...]]) -> Callable[..., Any]:
    """z₁ as a function of arrays, or a derivative of it, with the axes that formulas have."""
    named = function.named
    compute = named.compute
    assert compute is not None
    z = named.symbol.shape

    def arrays(given: Sequence[Any]) -> list[Any]:
        return [np.reshape(a, shapes[s]) for a, s in zip(given, named.arguments, strict=True)]

    if function.by is None:
        return lambda *given: _as_term(compute(*arrays(given)), z)
    by = function.by
    place = named.arguments.index(by)
    if function.kind == "jacobian":
        shape = (prod(z), prod(by.shape))
        return lambda *given: _as_term(jacobian(compute, argnums=place)(*arrays(given)), shape)

    def weighted(weight: Any) -> Callable[..., Any]:
        return lambda *given: np.ravel(weight) @ np.reshape(compute(*given), -1)

    if function.kind == "pullback":
        return lambda weight, *given: _as_term(
            grad(weighted(weight), argnums=place)(*arrays(given)), by.shape
        )
    size = prod(by.shape)
    return lambda weight, *given: _as_term(
        hessian(weighted(weight), argnums=place)(*arrays(given)), (size, size)
    )


def _as_term(array: Any, shape: Shape) -> Any:
    """An array with the axes that are longer than one."""
    return np.reshape(array, [length for length in shape if length > 1])
