"""Descriptive statistics: SciPy's values, derivatives against differences of SciPy's functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import wengert as wg
from support import interpreted
from wengert.errors import Unsupported, WengertValueError
from wengert.scipy import stats as traced

RNG = np.random.default_rng(3)
X = RNG.uniform(0.5, 3, (5, 4))
W = RNG.uniform(0.5, 2, (5, 4))

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "gmean": ("gmean", {}),
    "gmean weighted": ("gmean", {"axis": 1, "weights": W, "keepdims": True}),
    "gmean of all": ("gmean", {"axis": None}),
    "hmean": ("hmean", {}),
    "hmean weighted": ("hmean", {"axis": -1, "weights": W}),
    "pmean": ("pmean", {"p": 2.5}),
    "pmean of 0": ("pmean", {"p": 0, "axis": None, "keepdims": True}),
    "trim_mean": ("trim_mean", {"proportiontocut": 0.25}),
    "trim_mean along rows": ("trim_mean", {"proportiontocut": 0.25, "axis": 1, "keepdims": True}),
    "moment": ("moment", {"order": 3}),
    "moment about a point": ("moment", {"order": 2, "center": 0.3, "axis": None}),
    "skew": ("skew", {}),
    "skew unbiased": ("skew", {"bias": False, "axis": 1}),
    "kurtosis": ("kurtosis", {}),
    "kurtosis unbiased": ("kurtosis", {"bias": False, "fisher": False, "axis": None}),
    "sem": ("sem", {}),
    "sem of all": ("sem", {"axis": None, "ddof": 0}),
    "variation": ("variation", {"ddof": 1, "keepdims": True}),
    "iqr": ("iqr", {}),
    "iqr scaled": ("iqr", {"axis": 0, "scale": "normal", "rng": (10, 80), "keepdims": True}),
    "zscore": ("zscore", {}),
    "zscore along rows": ("zscore", {"axis": 1, "ddof": 1}),
    "gzscore": ("gzscore", {"axis": 1}),
    "zmap": ("zmap", {"compare": W}),
    "entropy": ("entropy", {}),
    "entropy in bits": ("entropy", {"base": 2, "axis": 1, "keepdims": True}),
    "relative entropy": ("entropy", {"qk": W}),
}


@pytest.mark.parametrize("case", CALLS)
def test_values_and_gradients(case: str) -> None:
    name, options = CALLS[case]
    original, mine = getattr(stats, name), getattr(traced, name)
    with interpreted():
        expected = original(X, **options)
        value = wg.jit(lambda x: mine(x, **options))(X)
        assert np.shape(value) == np.shape(expected)
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-14)
        narrow = wg.jit(lambda x: mine(x, **options))(X.astype(np.float32))
        others = any(isinstance(v, np.ndarray) for v in options.values())
        assert others or narrow.dtype == np.float32
        weights = np.linspace(0.4, 1.7, np.size(expected)).reshape(np.shape(expected))
        wg.check_grads(lambda x: np.sum(weights * mine(x, **options)), (X,), order=2)


def test_pearsonr() -> None:
    x, y = X[:, 0], X[:, 1] + 0.4 * X[:, 0]
    expected = stats.pearsonr(x, y)
    result = wg.jit(traced.pearsonr)(x, y)
    assert result.statistic == pytest.approx(expected.statistic, rel=1e-13)
    assert result.pvalue == pytest.approx(expected.pvalue, rel=1e-11)
    rows = wg.jit(lambda x, y: traced.pearsonr(x, y, axis=1).statistic)(X, W)
    np.testing.assert_allclose(rows, stats.pearsonr(X, W, axis=1).statistic, rtol=1e-13)
    for part in ("statistic", "pvalue"):
        wg.check_grads(lambda x, y, p=part: getattr(traced.pearsonr(x, y), p), (x, y), order=2)
    assert traced.pearsonr(x, y).statistic == expected.statistic


def test_equal_values_and_negative_ones() -> None:
    same = np.full(4, 2.0)
    for f in (traced.skew, traced.kurtosis, traced.zscore):
        assert np.isnan(wg.jit(f)(same)).all()
    assert np.isnan(wg.jit(traced.hmean)(np.array([1.0, -2.0])))


def test_errors() -> None:
    with pytest.raises(Unsupported, match="nan_policy='omit' of gmean"):
        wg.jit(lambda x: traced.gmean(x, nan_policy="omit"))(X)
    with pytest.raises(WengertValueError, match="Proportion too big"):
        wg.jit(lambda x: traced.trim_mean(x, 0.7))(X)
    with pytest.raises(WengertValueError, match="base"):
        wg.jit(lambda x: traced.entropy(x, base=-1))(X)
