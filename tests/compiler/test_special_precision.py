"""The native rules of special functions against mpmath, in units in the last place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from elementary_cases import PRECISION
from mpmath import mp, mpf
from native_loop import elementwise
from scipy import special

from wengert.graph.registry import find

DTYPES = (np.float64, np.float32)
ENDS = [0.0, -0.0, 1.0, -1.0, 0.5, np.inf, -np.inf, np.nan, 1e-300, 1e300]


def _rel_entr(x: Any, y: Any) -> Any:
    return x * mp.log(x / y)


# name: (mpmath's, intervals of the arguments, bounds for float64 and float32)
CASES: dict[str, tuple[Callable[..., Any], tuple[tuple[float, float], ...], float, float]] = {
    "expit": (lambda x: 1 / (1 + mp.exp(-x)), ((-700, 40),), 1.5, 1.5),
    "log_expit": (lambda x: -mp.log1p(mp.exp(-x)), ((-50, 80),), 2.0, 2.0),
    "logit": (lambda x: mp.log(x / (1 - x)), ((1e-6, 1 - 1e-6),), 2.5, 2.5),
    "xlogy": (lambda x, y: x * mp.log(y), ((-3, 3), (0.01, 5)), 1.5, 1.5),
    "xlog1py": (lambda x, y: x * mp.log1p(y), ((-3, 3), (-0.9, 5)), 1.5, 1.5),
    "entr": (lambda x: -x * mp.log(x), ((1e-6, 5),), 1.5, 1.5),
    "rel_entr": (_rel_entr, ((0.1, 3), (0.1, 3)), 3.5, 3.5),
    "erf": (mp.erf, ((-6, 6),), 1.5, 1.5),
    "erfc": (mp.erfc, ((-5, 26),), 1.5, 0.51),
    "exp10": (lambda x: mpf(10) ** x, ((-30, 30),), 1.5, 1.5),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", CASES)
def test_against_mpmath(name: str, dtype: Any) -> None:
    reference, intervals, *bounds = CASES[name]
    rng = np.random.default_rng(3)
    size = 600
    arrays = [np.asarray(rng.uniform(*interval, size), dtype) for interval in intervals]
    if dtype is np.float32 and name == "expit":
        arrays = [np.maximum(arrays[0], dtype(-80))]
    got = _native(name, dtype, 8)(*arrays)
    bound = bounds[DTYPES.index(dtype)]
    with mp.workprec(PRECISION):
        for values in zip(*arrays, got, strict=True):
            *args, value = values
            exact = reference(*[mpf(float(a)) for a in args])
            unit = mpf(float(np.spacing(dtype(abs(float(exact))))))
            error = abs(mpf(float(value)) - exact) / unit
            assert error <= bound, f"{name}{tuple(args)}: {value}, {float(error):.2f} units off"


def test_the_normal_distribution_keeps_its_tails() -> None:
    """The rounding of the argument of erfc, which costs SciPy's about x² units, is made good."""
    x = np.random.default_rng(3).uniform(-37, 8, 600)
    got = _native("ndtr", np.float64, 8)(x)
    with mp.workprec(PRECISION):
        for argument, value in zip(x, got, strict=True):
            exact = mpmath.erfc(-mpf(argument) / mp.sqrt(2)) / 2
            error = abs(mpf(float(value)) - exact) / mpf(float(np.spacing(float(exact))))
            assert error <= 3, (argument, float(error))


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", ["expit", "erfc", "ndtr"])
def test_ends_are_scipys(name: str, dtype: Any) -> None:
    with np.errstate(over="ignore", under="ignore"):
        x = np.array(ENDS, dtype)
    got, expected = _native(name, dtype, 8)(x), getattr(special, name)(x)
    np.testing.assert_allclose(got, expected, rtol=4 * np.finfo(dtype).eps, atol=0)


def _native(name: str, dtype: Any, width: int) -> Callable[..., Any]:
    op = find(name)
    arity = len(op.domain.intervals)
    return elementwise(op.native.rule, [dtype] * arity, dtype, width)
