"""The elementary functions at every float32, and at millions of float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from elementary_cases import (
    BINARY,
    UNARY,
    Array,
    Case,
    argument_pairs,
    arguments,
    function,
    reference,
    units,
)
from native_loop import elementwise

pytestmark = pytest.mark.long

OWN_FLOAT32 = {
    *("exp", "exp2", "expm1", "logistic", "log", "log2", "log10", "log1p"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "cbrt", "erf"),
}
"""The others are computed in float64."""

EXTENDED = np.finfo(np.longdouble).nmant > 60
"""Whether longdouble has enough bits for a reference."""


def name(case: Case) -> str:
    return case.name


def error_in_float32(function: str) -> Callable[..., Any]:
    """A rule: the error of the float32 function in units in the last place, the function of float64
    being taken as exact. Infinite where only one overflows, or only one is NaN."""

    def emit(ins: Any, out: Any, x: Any) -> Any:
        narrow, wide = ins[0], ins[0].doubles()
        got = narrow.to_double(getattr(narrow, function)(x))
        exact = getattr(wide, function)(narrow.to_double(x))
        masks, bits = wide.masks(), wide.integers()
        field = bits.shift_right_logical(wide.bits(wide.absolute(exact)), 52)
        exponent = bits.maximum(field, bits.const(1023 - 126))
        scale = bits.shift_left(bits.subtract(bits.const(2 * 1023 + 23), exponent), 52)
        distance = wide.absolute(wide.exact_subtract(got, exact))
        error = wide.exact_multiply(distance, wide.from_bits(scale))
        error = wide.where(wide.isnan(error), np.inf, error)
        infinite = wide.equal(wide.absolute(got), wide.const(np.inf))
        over = wide.greater(wide.absolute(exact), wide.const(float(np.finfo(np.float32).max)))
        positive = wide.greater(wide.exact_multiply(got, exact), wide.const(0.0))
        both_over = masks.logical_and(masks.logical_and(infinite, over), positive)
        both_nan = masks.logical_and(wide.isnan(got), wide.isnan(exact))
        return narrow.from_double(wide.where(masks.logical_or(both_over, both_nan), 0.0, error))

    return emit


@pytest.mark.parametrize("case", [case for case in UNARY if case.name in OWN_FLOAT32], ids=name)
def test_every_float32(case: Case) -> None:
    width, chunk = 32, 1 << 20
    run = elementwise(error_in_float32(case.name), [np.float32], np.float32, width)
    numbers = np.arange(chunk, dtype=np.uint32)
    error = np.empty(chunk, np.float32)
    for _ in range((1 << 32) // chunk):
        run.loop(chunk // width, numbers.ctypes.data, error.ctypes.data)  # type: ignore[attr-defined]
        worst = np.argmax(error)
        # the reference is off by two units of float64 at most
        assert error[worst] <= case.bounds[1] + 2.0**-27, numbers.view(np.float32)[worst]
        numbers += np.uint32(chunk)


def split(exact: Array) -> tuple[Array, Array]:
    """Extended numbers as sums of two float64."""
    high = exact.astype(np.float64)
    return high, np.where(np.isinf(high), 0.0, exact - high).astype(np.float64)


def extended(case: Case, *args: Array) -> tuple[Array, Array]:
    """The exact values by NumPy in extended precision; by mpmath where NumPy has no function."""
    wide = [x.astype(np.longdouble) for x in args]
    if case.name == "logistic":
        return split(1 / (1 + np.exp(-wide[0])))
    if hasattr(np, case.name):
        return split(getattr(np, case.name)(*wide))
    return reference(case, *args)


@pytest.mark.skipif(not EXTENDED, reason="longdouble has too few bits here")
@pytest.mark.parametrize("case", (*UNARY, *BINARY), ids=name)
def test_millions_of_float64(case: Case) -> None:
    binary = case in BINARY
    run = function(case.name, np.float64, 32, 1 + binary)
    chunks, size = (1, 10**5) if case.name in ("erf", "erfc") else (10, 10**6)
    for seed in range(1, 1 + chunks):
        args = (
            argument_pairs(case, np.float64, size, seed)
            if binary
            else (arguments(case, np.float64, size, seed),)
        )
        got = run(*args)
        least = np.maximum(*np.abs(args)) if case.name.startswith("logaddexp") else 0.0
        with np.errstate(all="ignore"):
            error = units(got, *extended(case, *args), least)
        worst = np.argmax(error)
        assert error[worst] <= case.bounds[0], ([x[worst] for x in args], got[worst])
