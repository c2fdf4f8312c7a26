"""Medians, quantiles, covariances and histograms, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support import check, check_value, traced_value

RNG = np.random.default_rng(3)
T = RNG.permutation(24).reshape(2, 3, 4) / 5 + RNG.uniform(0, 0.01, (2, 3, 4))
X = T[0]
V = RNG.permutation(11) / 3
HOLES = T.copy()
HOLES[[0, 0, 1, 1, 1], [0, 2, 1, 1, 2], [3, 0, 0, 1, 2]] = np.nan
Z = X + 1j * RNG.standard_normal((3, 4))
AXES: list[dict[str, Any]] = [
    {},
    {"axis": 0},
    {"axis": -1, "keepdims": True},
    {"axis": (0, 2)},
    {"axis": (2, 1), "keepdims": True},
]
METHODS = [
    "linear",
    "lower",
    "higher",
    "nearest",
    "midpoint",
    "hazen",
    "weibull",
    "median_unbiased",
    "normal_unbiased",
    "interpolated_inverted_cdf",
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
]
Q = np.array([0.0, 0.13, 0.25, 0.5, 0.77, 1.0])


@pytest.mark.parametrize("kwargs", AXES, ids=str)
def test_median(kwargs: dict[str, Any]) -> None:
    check(lambda x: np.median(x, **kwargs), T)
    check(lambda x: np.nanmedian(x, **kwargs), T)
    check(lambda x: np.nanmedian(x, **kwargs), HOLES)
    check_value(lambda x: np.median(x, **kwargs), HOLES)


def test_median_dtypes() -> None:
    for dtype in (np.int32, np.float32, np.complex64):
        check_value(lambda x, d=dtype: np.median((4 * x).astype(d), axis=0), T)
    check(lambda x: np.median(x), V)
    check(lambda z: np.median(z, axis=0), Z)
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="empty"):
        assert np.isnan(traced_value(lambda x: np.median(x[:0]), V)[0])


@pytest.mark.parametrize("method", METHODS)
def test_methods(method: Any) -> None:
    for x in (V, V[:6]):
        check(lambda x: np.quantile(x, Q, method=method), x)
        check(lambda x: np.percentile(x, 37, method=method), x)
        check(lambda x: np.nanpercentile(x, [12, 90], method=method), np.append(x, np.nan))
    check(lambda x: np.nanquantile(x, Q, axis=1, method=method), HOLES)
    check_value(lambda x, q: np.quantile(x, q, method=method), V, Q)


@pytest.mark.parametrize("kwargs", AXES, ids=str)
def test_quantile_axes(kwargs: dict[str, Any]) -> None:
    check(lambda x: np.quantile(x, 0.3, **kwargs), T)
    check(lambda x: np.quantile(x, Q.reshape(2, 3), **kwargs), T)
    check(lambda x: np.percentile(x, [10.0, 60.0], **kwargs), T)
    check_value(lambda x: np.quantile(x, 0.3, **kwargs), HOLES)
    check(lambda x: np.nanquantile(x, [0.2, 0.7], **kwargs), HOLES)


def test_quantile_by_q() -> None:
    inner = np.array([0.13, 0.27, 0.77])
    for method in ("linear", "hazen", "median_unbiased"):
        check(lambda x, q, m=method: np.quantile(x, q, method=m), V, inner)
        check(lambda x, q, m=method: np.nanquantile(x, q, axis=1, method=m), HOLES, inner)
    check(lambda q: np.percentile(np.arange(7.0), q), 33.0)


def test_quantile_dtypes() -> None:
    for dtype in (np.int16, np.float32):
        check_value(lambda x, d=dtype: np.quantile((9 * x).astype(d), 0.4), T)
        check_value(lambda x, d=dtype: np.quantile((9 * x).astype(d), np.float64(0.4)), T)
        check_value(lambda x, d=dtype: np.quantile((9 * x).astype(d), [0, 1]), T)
        check_value(lambda x, d=dtype: np.quantile((9 * x).astype(d), [0.2], method="lower"), T)


def test_quantile_refuses() -> None:
    with pytest.raises(ValueError, match=r"range \[0, 1\]"):
        traced_value(lambda x: np.quantile(x, 1.2), V)
    with pytest.raises(ValueError, match=r"range \[0, 100\]"):
        traced_value(lambda q: np.percentile(V, q), 101.0)
    with pytest.raises(ValueError, match="not a valid method"):
        traced_value(lambda x: np.quantile(x, 0.2, method="bogus"), V)
    with pytest.raises(NotImplementedError, match="weights="):
        traced_value(lambda x: np.quantile(x, 0.2, method="inverted_cdf", weights=V), V)
    with pytest.raises(TypeError, match="real numbers"):
        traced_value(lambda x: np.quantile(x, 0.2), Z)


COV: list[dict[str, Any]] = [
    {},
    {"rowvar": False},
    {"bias": True},
    {"ddof": 2},
    {"fweights": [1, 2, 1, 3]},
    {"aweights": [0.5, 2.0, 1.0, 1.0]},
    {"fweights": [1, 2, 1, 3], "aweights": [0.5, 2.0, 1.0, 1.0], "ddof": 0},
]


@pytest.mark.parametrize("kwargs", COV, ids=str)
def test_cov(kwargs: dict[str, Any]) -> None:
    x = T.reshape(6, 4)[:, :4][:4]
    check(lambda x: np.cov(x, **kwargs), x, rtol=1e-12)


def test_cov_of_two() -> None:
    check(lambda x, y: np.cov(x, y), X, T[1, 0])
    check(lambda x, y: np.cov(x, y, rowvar=False), X, T[1])
    check(lambda x: np.cov(x), V)
    check(lambda x: np.cov(x, dtype=np.float32), V, argnums=())
    check(lambda z: np.cov(z), Z, tolerance=1e-6)
    check(lambda w: np.cov(X, aweights=w), np.array([0.5, 2.0, 1.0, 1.0]))
    check_value(lambda x: np.cov(np.rint(x).astype(np.int32)), X)
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        traced_value(lambda x: np.cov(x, ddof=9), V[:3])
    with pytest.raises(ValueError, match="2 dimensions"):
        traced_value(lambda x: np.cov(x), T)
    with pytest.raises(ValueError, match="negative"):
        traced_value(lambda x: np.cov(x, aweights=[1, -1, 2, 3]), X)


def test_corrcoef() -> None:
    check(lambda x: np.corrcoef(x)[np.tril_indices(3, -1)], X, rtol=1e-12)
    check_value(lambda x: np.corrcoef(x), X, rtol=1e-12)
    check_value(lambda x, y: np.corrcoef(x, y), X, T[1], rtol=1e-12)
    check_value(lambda z: np.corrcoef(z), Z, rtol=1e-12)
    check_value(lambda x: np.corrcoef(x), V)


EDGES = [0.0, 0.5, 1.0, 1.1, 2.5]


def test_histogram() -> None:
    weights = np.linspace(0.5, 2, V.size)
    check_value(lambda x: np.histogram(x), V)
    check_value(lambda x: np.histogram(x, 5, range=(0.5, 3.0)), V)
    check_value(lambda x: np.histogram(x, EDGES), V)
    check_value(lambda x: np.histogram(x, 4, density=True), V)
    check_value(lambda x: np.histogram(x, EDGES, density=True), V)
    check_value(lambda x: np.histogram(np.rint(x).astype(int), 3), V)
    check_value(lambda x: np.histogram(x, 3), np.full(4, 2.0))
    check(lambda w: np.histogram(V, EDGES, weights=w)[0], weights)
    check(lambda w: np.histogram(V, 4, weights=w, density=True)[0], weights)
    check(lambda x, e: np.histogram(x, e, density=True)[0], V, np.array(EDGES) + 0.01)
    check(lambda x: np.histogram(x, 4)[1], V)
    with pytest.raises(ValueError, match="monotonically"):
        traced_value(lambda x: np.histogram(x, [1, 0]), V)
    with pytest.raises(NotImplementedError, match="bins="):
        traced_value(lambda x: np.histogram(x, "auto"), V)
    with pytest.raises(ValueError, match="positive"):
        traced_value(lambda x: np.histogram(x, 0), V)


def test_bincount() -> None:
    places = np.array([0, 3, 3, 1])
    check(lambda w: np.bincount(places, w), X[0])
    check(lambda w: np.bincount(places, weights=w, minlength=7), X[0])
    check_value(lambda x: np.bincount(x.astype(int), minlength=3), V)
    check_value(lambda x: np.bincount(x.astype(int), weights=x.astype(np.float32)), V)
    with pytest.raises(ValueError, match="negative"):
        traced_value(lambda w: np.bincount(-places, w), X[0])
    with pytest.raises(ValueError, match="same length"):
        traced_value(lambda w: np.bincount(places, w), X[0, :2])
    with pytest.raises(TypeError, match="cast"):
        traced_value(lambda x: np.bincount(x), V)
