"""Sums, products, extrema, means, variances and running ones, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support import check, check_value, traced_value, weighed
from wengert.derivatives.gradients import grad
from wengert.errors import WengertError
from wengert.graph.walk import topological

RNG = np.random.default_rng(1)
X = RNG.standard_normal((3, 4))
T = RNG.standard_normal((2, 3, 4))
Z = X + 1j * RNG.standard_normal((3, 4))
MASK = np.array([[True, False, True, True], [True, True, False, True], [False, True, True, True]])
HOLES = np.where(MASK, X, np.nan)
SUMS = [np.sum, np.prod, np.nansum, np.nanprod]
EXTREMA = [np.max, np.min, np.amax, np.amin, np.nanmax, np.nanmin]
SPREADS = [np.mean, np.var, np.std, np.nanmean, np.nanvar, np.nanstd]
LOGICAL = [np.any, np.all]
POSITIONS = [np.argmax, np.argmin, np.nanargmax, np.nanargmin]
RUNNING = [np.cumsum, np.cumprod, np.nancumsum, np.nancumprod]
AXES: list[dict[str, Any]] = [
    {},
    {"axis": 0},
    {"axis": -1},
    {"axis": (0, -1)},
    {"axis": (2, 0), "keepdims": True},
    {"axis": None, "keepdims": True},
    {"axis": ()},
]


def name(value: Any) -> str:
    return getattr(value, "__name__", None) or str(value)


@pytest.mark.parametrize("kwargs", AXES, ids=str)
@pytest.mark.parametrize("function", [*SUMS, *EXTREMA, *SPREADS[:3]], ids=name)
def test_axes(function: Any, kwargs: dict[str, Any]) -> None:
    if function in SPREADS and kwargs.get("axis") == ():
        check_value(lambda x: function(x, **kwargs), T)
    else:
        check(lambda x: function(x, **kwargs), T)


@pytest.mark.parametrize("kwargs", AXES[:-1], ids=str)
@pytest.mark.parametrize("function", SPREADS[3:], ids=name)
def test_axes_without_nan(function: Any, kwargs: dict[str, Any]) -> None:
    x = T.copy()
    x[1, 2, 3] = x[0, 1, 0] = np.nan
    check(lambda x: function(x, **kwargs), x)


DTYPES = ["bool", "int8", "uint8", "int32", "int64", "float32", "complex64"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [*SUMS, *EXTREMA[:2], *SPREADS, *RUNNING], ids=name)
def test_dtypes(function: Any, dtype: str) -> None:
    check_value(lambda x: function(np.rint(abs(x) + 1).astype(dtype), axis=0), X)


@pytest.mark.parametrize("function", [*SUMS, *SPREADS], ids=name)
def test_complex(function: Any) -> None:
    check(lambda z: function(z, axis=0), Z, tolerance=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.complex128])
@pytest.mark.parametrize("function", [np.sum, np.prod, np.mean, np.cumsum, np.cumprod], ids=name)
def test_dtype_argument(function: Any, dtype: Any) -> None:
    check_value(lambda x: function(np.rint(x), axis=0, dtype=dtype), X)


@pytest.mark.parametrize("function", [np.sum, np.prod, np.nansum], ids=name)
def test_initial_and_where(function: Any) -> None:
    check(lambda x: function(x, axis=0, initial=2.5), X)
    check(lambda x: function(x, axis=1, where=MASK, keepdims=True), X)
    check(lambda x: function(x, where=x > 0), X)
    check(lambda x: function(x[1:], initial=x[0, 0]), X)


@pytest.mark.parametrize("function", EXTREMA, ids=name)
def test_extrema_initial_and_where(function: Any) -> None:
    check(lambda x: function(x, axis=0, initial=0.1), X)
    check(lambda x: function(x, axis=1, initial=0.2, where=MASK), X)
    check_value(lambda x: function(x[:0], initial=3.0), X)
    with pytest.raises(ValueError, match="no identity"):
        traced_value(lambda x: function(x[:0]), X)


@pytest.mark.parametrize("function", SPREADS, ids=name)
def test_spread_where(function: Any) -> None:
    check(lambda x: function(x, axis=1, where=MASK), X)
    check(lambda x: function(x, axis=0, where=x < 5, keepdims=True), X)


@pytest.mark.parametrize("function", [np.var, np.std, np.nanvar, np.nanstd], ids=name)
def test_degrees_of_freedom(function: Any) -> None:
    check(lambda x: function(x, axis=1, ddof=1), X)
    check(lambda x: function(x, axis=1, correction=1.5), X)
    check(lambda x: function(x, axis=0, mean=x.mean(axis=0, keepdims=True)), X)
    with pytest.raises(ValueError, match="ddof and correction"):
        traced_value(lambda x: function(x, ddof=1, correction=1), X)


def test_degrees_of_freedom_warn() -> None:
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        traced_value(lambda x: np.var(x[:1] * 0 + 1, ddof=2), np.ones(3))
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Mean of empty"):
        traced_value(lambda x: np.mean(x[:0] + 1), np.ones(3))


HOLED = [
    np.nansum,
    np.nanprod,
    np.nanmax,
    np.nanmin,
    np.nanmean,
    np.nanvar,
    np.nanstd,
    np.nancumsum,
    np.nancumprod,
]


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("function", HOLED, ids=name)
def test_nan_is_passed_over(function: Any, axis: int | None) -> None:
    check(lambda x: function(x, axis=axis), HOLES)
    scalar = weighed(lambda x: function(x, axis=axis), (HOLES,))
    assert np.all(grad(scalar)(HOLES)[np.isnan(HOLES)] == 0)


def test_nan_everywhere() -> None:
    x = np.array([[np.nan, np.nan], [1.0, np.nan]])
    with np.errstate(invalid="ignore"):
        assert np.isnan(traced_value(lambda x: np.nanmax(x, axis=1), x)[0][0])
        assert np.isnan(traced_value(lambda x: np.nanmean(x, axis=1), x)[0][0])
    with pytest.raises(ValueError, match="All-NaN"):
        traced_value(lambda x: np.nanargmax(x, axis=1), x)


@pytest.mark.parametrize("kwargs", [{}, {"axis": 0}, {"axis": -1, "keepdims": True}], ids=str)
@pytest.mark.parametrize("function", [*POSITIONS, *LOGICAL, np.count_nonzero], ids=name)
def test_without_derivative(function: Any, kwargs: dict[str, Any]) -> None:
    check_value(lambda x: function(np.maximum(x, 0), **kwargs), X)
    check_value(lambda x: function(x > 0, **kwargs), X)


@pytest.mark.parametrize("function", LOGICAL, ids=name)
def test_logical_where(function: Any) -> None:
    check_value(lambda x: function(x > 0, axis=0, where=MASK), X)


def test_position_of_nothing() -> None:
    with pytest.raises(ValueError, match="empty sequence"):
        traced_value(lambda x: np.argmax(x[:0]), X)


@pytest.mark.parametrize("function", RUNNING, ids=name)
def test_running(function: Any) -> None:
    for axis in (None, 0, -1):
        check(lambda x, axis=axis: function(x, axis=axis), X)
    check(lambda x: function(x[0, 0]), X)
    check(lambda x: function(x[:1, :1], axis=0), X)


@pytest.mark.parametrize("function", [np.cumulative_sum, np.cumulative_prod], ids=name)
def test_running_from_start(function: Any) -> None:
    check(lambda x: function(x, axis=1, include_initial=True), X)
    check(lambda x: function(x[0]), X)
    with pytest.raises(ValueError, match="axis"):
        traced_value(lambda x: function(x), X)


@pytest.mark.parametrize("ufunc", [np.maximum, np.minimum], ids=name)
def test_running_extrema(ufunc: Any) -> None:
    check(lambda x: ufunc.accumulate(x, axis=1), X)
    check(lambda x: ufunc.accumulate(x.ravel()), X)
    check_value(lambda x: ufunc.accumulate(x, axis=0), HOLES)


REDUCED = [np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin]


@pytest.mark.parametrize("ufunc", REDUCED, ids=name)
def test_ufunc_reduce(ufunc: Any) -> None:
    check(lambda x: ufunc.reduce(x), X)
    check(lambda x: ufunc.reduce(x, axis=(0, 1), keepdims=True), X)


METHODS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("sum", (0,), {}),
    ("prod", (-1,), {"keepdims": True}),
    ("mean", ((0, 1),), {}),
    ("var", (1,), {"ddof": 1}),
    ("std", (), {"axis": 0}),
    ("max", (0,), {}),
    ("min", (), {}),
    ("cumsum", (1,), {}),
    ("cumprod", (), {}),
    ("trace", (1,), {}),
    ("argmax", (0,), {}),
    ("argmin", (), {}),
    ("any", (), {}),
    ("all", (1,), {}),
]


@pytest.mark.parametrize("method, args, kwargs", METHODS, ids=lambda value: str(value))
def test_methods(method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    check(lambda x: getattr(x, method)(*args, **kwargs), X)


def test_ptp_and_trace() -> None:
    check(lambda x: np.ptp(x, axis=1), X)
    check(lambda x: np.ptp(x, keepdims=True), X)
    for offset in (-5, -1, 0, 2, 7):
        check(lambda x, k=offset: np.trace(x, offset=k), X)
        check(lambda x, k=offset: np.trace(x, k, axis1=-1, axis2=0), T)
    check_value(lambda x: np.trace((x > 0).astype(np.int8)), X)
    with pytest.raises(ValueError, match="two dimensions"):
        traced_value(lambda x: np.trace(x[0]), X)


WEIGHTS = RNG.uniform(0.5, 2, (3, 4))


def test_average() -> None:
    check(lambda x: np.average(x), X)
    check(lambda x: np.average(x, axis=1, returned=True), X)
    check(lambda x, w: np.average(x, weights=w), X, WEIGHTS)
    check(lambda x, w: np.average(x, axis=0, weights=w, returned=True), X, WEIGHTS)
    check(lambda x, w: np.average(x, axis=1, weights=w, keepdims=True), X, WEIGHTS[0])
    check(lambda x, w: np.average(x, axis=(1, 0), weights=w), T, WEIGHTS[:, :2])
    check(lambda w: np.average(np.arange(12).reshape(3, 4), weights=w, axis=1), WEIGHTS)
    check(lambda x: np.average(x, axis=0, weights=[1, 2, 3]), X)
    with pytest.raises(ZeroDivisionError):
        traced_value(lambda x: np.average(x, axis=0, weights=[1, 0, -1]), X)
    with pytest.raises(TypeError, match="Axis must be specified"):
        traced_value(lambda x: np.average(x, weights=[1, 2, 3]), X)


# ---------------------------------------------------------------------------- singular points


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (0, 1, 3)])
def test_products_with_zeros(zeros: tuple[int, ...]) -> None:
    x = X[0].copy()
    x[list(zeros)] = 0.0
    check(lambda x: np.prod(x), x, second=True)
    check(lambda x: np.cumprod(x), x, second=True)
    check(lambda x: np.prod(x.reshape(2, 2), axis=0), x, second=True)


def test_third_derivative_of_a_product() -> None:
    def prod(x: Any) -> Any:
        return np.prod(x)

    third = grad(lambda x: grad(lambda x: grad(prod)(x)[0])(x)[1])
    np.testing.assert_array_equal(third(np.array([0.0, 0.0, 0.0, 5.0])), [0, 0, 5, 0])


def test_product_of_large_and_small_numbers() -> None:
    """The value is NumPy's, in NumPy's order: no product of a part overflows on the way."""
    x = np.array([0.0, 1e200, 1e200, 3.0])
    check_value(lambda x: (np.prod(x), np.cumprod(x)), x)


@pytest.mark.parametrize("function", [np.std, np.nanstd], ids=name)
def test_standard_deviation_of_constants(function: Any) -> None:
    x = np.ones((2, 3))
    x[1] = [1.0, 2.0, 4.0]
    check_value(lambda x: function(x, axis=1), x)
    first = grad(lambda x: function(x, axis=1).sum())
    assert np.all(first(x)[0] == 0)
    check(lambda x: function(x, axis=1), x[1:], second=True)
    second = grad(lambda x: (first(x) ** 2).sum() + first(x)[0, 0])(x)
    assert np.all(second[0] == 0)
    assert np.all(np.isfinite(second))


def test_standard_deviation_of_nan() -> None:
    assert np.isnan(traced_value(lambda x: np.std(x), np.array([1.0, np.nan]))[0])


def test_ties_share_evenly() -> None:
    x = np.array([1.0, 3.0, 3.0, 0.0])
    np.testing.assert_array_equal(grad(lambda x: np.max(x))(x), [0, 0.5, 0.5, 0])


# ----------------------------------------------------------------------------- `out`, size


def test_out() -> None:
    def run(x: Any) -> Any:
        total = 0 * x[0]
        result = np.sum(x, axis=0, out=total)
        assert result is total
        return total * 2 + np.cumsum(x, axis=0)[1]

    expected = 2 * X.sum(0) + np.cumsum(X, axis=0)[1]
    np.testing.assert_allclose(traced_value(run, X)[0], expected, rtol=1e-14)
    with pytest.raises(WengertError, match="NumPy array"):
        traced_value(lambda x: np.sum(x, axis=0, out=np.zeros(4)), X)


def test_few_nodes() -> None:
    counts = {}

    def run(x: Any) -> Any:
        for function in (np.sum, np.prod, np.max, np.mean, np.cumprod):
            result = function(x, axis=0)
            order = topological([result.node])
            counts[function.__name__] = sum(node.op.family != "leaf" for node in order)
        return np.sum(x)

    grad(run)(X)
    assert counts == {"sum": 1, "prod": 1, "max": 1, "mean": 2, "cumprod": 1}


def test_axis_errors() -> None:
    with pytest.raises(np.exceptions.AxisError):
        traced_value(lambda x: np.sum(x, axis=2), X)
    with pytest.raises(ValueError, match="duplicate"):
        traced_value(lambda x: np.sum(x, axis=(0, 0)), X)
    check_value(lambda x: np.sum(x, axis=0), 1.0)


def test_python_numbers_become_scalars() -> None:
    """np.sum(2.0) is a float64, which is not as weak as the Python number that it came from."""
    single = np.ones(2, np.float32)
    for function in (np.sum, np.prod, np.max, np.mean):
        check_value(lambda x, f=function: f(x) * single, 2.0)
