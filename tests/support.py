"""What tests of traced NumPy functions share: value against NumPy, gradient against differences.

An operation is checked as a person would use it: NumPy itself gives the value that the traced
function must give (shape, dtype and elements), and central differences of NumPy's function give the
gradient that reverse mode must give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert import settings
from wengert.derivatives.gradients import grad, value_and_grad


def numeric_grad(f: Callable[[Any], Any], x: Any, step: float = 1e-3) -> np.ndarray[Any, Any]:
    """The gradient of a real function at x, by differences of fourth order (error ~ step⁴).

    For complex x it is ∂f/∂(re x) − i ∂f/∂(im x), the convention of `grad`.
    """
    x = np.asarray(x)
    result = np.zeros(x.shape, x.dtype)
    directions = (1.0, 1j) if x.dtype.kind == "c" else (1.0,)
    for place in np.ndindex(x.shape):
        for direction in directions:
            slope = 0.0
            for k, weight in ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12)):
                moved = x.copy()
                moved[place] += k * step * direction
                slope += weight * float(f(moved)) / step
            result[place] += slope * np.conj(direction)
    return result


@contextmanager
def interpreted() -> Iterator[None]:
    """Programs run on the interpreter meanwhile: for thousands of graphs that are seen a few times,
    where what is tested is not the machine code."""
    before = settings.native
    settings.native = False
    try:
        yield
    finally:
        settings.native = before


def leaves(result: Any) -> list[Any]:
    """The arrays of a result that may be a tuple or list of them."""
    if isinstance(result, tuple | list):
        return [leaf for part in result for leaf in leaves(part)]
    return [result]


def traced_value(f: Callable[..., Any], *args: Any) -> Any:
    """What f returns when all its floating arguments are traced, as arrays."""
    number = [k for k, arg in enumerate(args) if np.asarray(arg).dtype.kind in "fc"]

    def run(*inner: Any) -> Any:
        result = f(*inner)
        return 0.0, tuple(leaves(result))

    aux = value_and_grad(run, argnums=tuple(number), has_aux=True)(*args)[0][1]
    return list(aux)


def same(ours: Any, numpys: Any, rtol: float = 1e-13) -> None:
    """Equal shape, dtype and, to rounding, values (exactly for integers and booleans)."""
    ours, numpys = np.asarray(ours), np.asarray(numpys)
    assert ours.shape == numpys.shape, (ours.shape, numpys.shape)
    assert ours.dtype == numpys.dtype, (ours.dtype, numpys.dtype)
    if numpys.dtype.kind in "fc":
        if numpys.dtype.itemsize // (2 if numpys.dtype.kind == "c" else 1) == 4:
            rtol = max(rtol, 1e-5)
        np.testing.assert_allclose(ours, numpys, rtol=rtol, atol=rtol)
    else:
        np.testing.assert_array_equal(ours, numpys)


def check_value(f: Callable[..., Any], *args: Any, rtol: float = 1e-13) -> None:
    """The traced function gives what NumPy gives."""
    expected = leaves(f(*args))
    got = traced_value(f, *args)
    assert len(got) == len(expected)
    for ours, numpys in zip(got, expected, strict=True):
        same(ours, numpys, rtol)


def weighed(f: Callable[..., Any], args: tuple[Any, ...]) -> Callable[..., Any]:
    """A real scalar of f's floating results: their sum with fixed random weights."""
    rng = np.random.default_rng(0)
    weights = [
        rng.uniform(0.5, 2, np.shape(leaf))
        * (1 + (0.5j if np.asarray(leaf).dtype.kind == "c" else 0))
        for leaf in leaves(f(*args))
    ]

    def scalar(*inner: Any) -> Any:
        result: Any = 0.0
        for weight, leaf in zip(weights, leaves(f(*inner)), strict=True):
            if leaf.dtype.kind in "fc":
                result = result + np.sum(np.real(leaf * weight))
        return result

    return scalar


def check(
    f: Callable[..., Any],
    *args: Any,
    argnums: tuple[int, ...] | None = None,
    second: bool = False,
    rtol: float = 1e-13,
    tolerance: float = 1e-7,
) -> None:
    """Value as NumPy's; gradient by each floating argument as differences give it.

    argnums: the arguments to differentiate by; by default all float64 and complex128 ones.
    second: also the gradient of a weighted sum of the gradient.
    """
    check_value(f, *args, rtol=rtol)
    if argnums is None:
        argnums = tuple(k for k, arg in enumerate(args) if np.asarray(arg).dtype.char in "dD")
    scalar = weighed(f, args)
    for k in argnums:
        check_gradient(scalar, args, k, tolerance)
        if second:
            gradient = grad(scalar, argnums=k)
            check_gradient(weighed(gradient, args), args, k, tolerance)


def check_gradient(
    scalar: Callable[..., Any], args: tuple[Any, ...], k: int, tolerance: float = 1e-7
) -> None:
    """grad of a scalar function by its k-th argument, against differences."""
    ours = grad(scalar, argnums=k)(*args)
    expected = numeric_grad(lambda x: scalar(*args[:k], x, *args[k + 1 :]), args[k])
    same(ours, expected, tolerance)
