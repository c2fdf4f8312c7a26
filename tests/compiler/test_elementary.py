"""The compiler's elementary functions against mpmath, and NumPy's special values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
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
from native_loop import loop_text

from wengert.compiler import machine

DTYPES = (np.float64, np.float32)
SPECIAL = [0.0, 1.0, 0.5, 2.0, 3.0, np.inf, 5e-324, 1e-310, 1e-45, 1e-40, 1e-300, 1e30, 1e300]


def same_bits(a: Array, b: Array) -> Array:
    return (a == b) & (np.signbit(a) == np.signbit(b)) | np.isnan(a) & np.isnan(b)


def name(value: Any) -> str:
    return value.name if isinstance(value, Case) else value.__name__


@pytest.mark.parametrize("dtype", DTYPES, ids=name)
@pytest.mark.parametrize("case", UNARY, ids=name)
def test_functions_of_one_argument_are_accurate_in_any_number_of_lanes(
    case: Case, dtype: Any
) -> None:
    x = arguments(case, dtype, 900)
    got = function(case.name, dtype, 32)(x)
    error = units(got, *reference(case, x))
    worst = np.argmax(error)
    assert error[worst] <= case.bounds[DTYPES.index(dtype)], (x[worst], got[worst])
    assert same_bits(got, function(case.name, dtype, 1)(x)).all()
    assert same_bits(got, function(case.name, dtype, 8)(x)).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=name)
@pytest.mark.parametrize("case", BINARY, ids=name)
def test_functions_of_two_arguments_are_accurate_in_any_number_of_lanes(
    case: Case, dtype: Any
) -> None:
    a, b = argument_pairs(case, dtype, 1600)
    got = function(case.name, dtype, 32, 2)(a, b)
    # log(eᵃ + eᵇ) may be far smaller than a: no better than the rounding of a can be asked for
    least = np.maximum(np.abs(a), np.abs(b)) if case.name.startswith("logaddexp") else 0.0
    error = units(got, *reference(case, a, b), least)
    worst = np.argmax(error)
    assert error[worst] <= case.bounds[DTYPES.index(dtype)], (a[worst], b[worst], got[worst])
    assert same_bits(got, function(case.name, dtype, 1, 2)(a, b)).all()
    assert same_bits(got, function(case.name, dtype, 8, 2)(a, b)).all()


def special_values(dtype: Any) -> Array:
    with np.errstate(over="ignore", under="ignore"):
        some = np.array(SPECIAL, dtype)
    return np.concatenate([some, -some, np.array([np.nan], dtype)])


def assert_as_numpy(got: Array, expected: Array, *args: Array) -> None:
    """The same zeros, infinities, NaN and signs, and everything else to 4 units."""
    near = np.abs(got - expected) <= 4 * np.spacing(np.abs(expected))
    near &= np.signbit(got) == np.signbit(expected)
    wrong = ~(same_bits(got, expected) | near & (got != 0) & (expected != 0))
    assert not wrong.any(), [(*(a[k] for a in args), got[k]) for k in np.flatnonzero(wrong)]


@pytest.mark.parametrize("dtype", DTYPES, ids=name)
@pytest.mark.parametrize("case", UNARY, ids=name)
def test_special_values_of_one_argument_are_numpys(case: Case, dtype: Any) -> None:
    others = {"logistic": scipy.special.expit, "erf": scipy.special.erf, "erfc": scipy.special.erfc}
    x = special_values(dtype)
    with np.errstate(all="ignore"):
        expected = (others.get(case.name) or getattr(np, case.name))(x)
        assert_as_numpy(function(case.name, dtype, 8)(x), expected, x)


@pytest.mark.parametrize("dtype", DTYPES, ids=name)
@pytest.mark.parametrize("case", BINARY, ids=name)
def test_special_values_of_two_arguments_are_numpys(case: Case, dtype: Any) -> None:
    x = special_values(dtype)
    a, b = (grid.ravel() for grid in np.meshgrid(x, x))
    if case.name.startswith("logaddexp"):  # elsewhere the rounding of the larger argument counts
        kept = (np.abs(a) != 0.5) & (np.abs(b) != 0.5)
        a, b = a[kept], b[kept]
    with np.errstate(all="ignore"):
        expected = getattr(np, case.name)(a, b)
        assert_as_numpy(function(case.name, dtype, 8, 2)(a, b), expected, a, b)


@pytest.mark.parametrize("dtype", DTYPES, ids=name)
def test_whole_powers_of_negative_numbers_have_the_sign_of_their_parity(dtype: Any) -> None:
    x = np.array([-2.0, -1.5, -0.75, -0.0, -np.inf], dtype)
    last_odd = 2.0 ** (np.finfo(dtype).nmant + 1) - 1
    y = np.array([3, 2, -3, -2, 7, 0, 0.5, last_odd, 2 * last_odd, np.inf, -np.inf], dtype)
    a, b = (grid.ravel() for grid in np.meshgrid(x, y))
    with np.errstate(all="ignore"):
        assert_as_numpy(function("power", dtype, 8, 2)(a, b), np.power(a, b), a, b)


def test_logarithms_of_powers_of_their_base_are_exact() -> None:
    powers = np.arange(23)
    assert (function("log10", np.float64, 8)(10.0**powers) == powers).all()
    exponents = np.arange(-1074, 1024)
    assert (function("log2", np.float64, 8)(np.ldexp(1.0, exponents)) == exponents).all()
    assert (function("exp2", np.float64, 8)(exponents) == np.ldexp(1.0, exponents)).all()


@pytest.mark.parametrize("width", [1, 8])
@pytest.mark.parametrize(
    "pair", [("sin", "cos"), ("sin", "tan"), ("sinh", "cosh"), ("expm1", "exp")]
)
def test_functions_of_one_argument_share_their_work(pair: tuple[str, str], width: int) -> None:
    """The second one adds less than a third to the first one's instructions."""

    def size(*names: str) -> int:
        def emit(ins: Any, out: Any, x: Any) -> Any:
            total = x
            for name in names:
                total = out.add(total, getattr(ins[0], name)(x))
            return total

        double = np.dtype(np.float64)
        text = str(machine.optimised(loop_text(emit, [double], double, width)))
        return text.count(" = ")

    first, second = pair
    assert size(first, second) - size(first) < size(second) / 3


def test_the_equal_lanes_of_a_huge_and_a_moderate_argument_are_equal() -> None:
    """The branch for huge arguments does not change the other lanes."""
    x = np.linspace(-5, 5, 32)
    sin = function("sin", np.float64, 32)
    mixed = x.copy()
    mixed[::3] = 1e300
    assert (sin(mixed)[1::3] == sin(x)[1::3]).all()
