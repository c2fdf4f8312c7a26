"""Descriptive statistics on tracers: means, moments, scores, entropy, correlation.

Of SciPy's arguments, `nan_policy` must be 'propagate'. Where all values are equal, skewness,
kurtosis and scores are NaN, as SciPy's.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import special, stats

from wengert.errors import WengertValueError
from wengert.numpy.dispatch import one_axis, refuse
from wengert.scipy.namespace import implements
from wengert.scipy.special.sums import floating
from wengert.scipy.stats.univariate import DISTRIBUTIONS
from wengert.tracing.tracer import Tracer


def _along(x: Any, axis: Any, name: str, nan_policy: Any) -> tuple[Tracer, int]:
    """x as floating numbers and its axis; all of it where the axis is None."""
    refuse(name, nan_policy=(nan_policy, "propagate"))
    (x,) = floating(x)
    if axis is None:
        return np.reshape(x, (-1,)), 0
    return x, one_axis(axis, x.ndim)


def _kept(result: Any, axis: int, keepdims: Any, given: Any, ndim: int) -> Any:
    if not keepdims:
        return result
    return np.reshape(result, (1,) * ndim) if given is None else np.expand_dims(result, axis)


def _moments(x: Any, axis: int, *orders: int) -> list[Any]:
    """The mean, and central moments."""
    mean = np.mean(x, axis=axis, keepdims=True)
    centred = x - mean
    return [np.squeeze(mean, axis), *[np.mean(centred**k, axis=axis) for k in orders]]


def _constant(mean: Any, variance: Any) -> Any:
    """Where all values are equal, to rounding."""
    return variance <= (np.finfo(variance.dtype).eps * mean) ** 2


# --------------------------------------------------------------------------------------- means


@implements(stats.gmean)
def gmean(
    a: Any,
    axis: Any = 0,
    dtype: Any = None,
    weights: Any = None,
    *,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    x, place = _along(a, axis, "gmean", nan_policy)
    mean = np.exp(_weighted(np.log(_cast(x, dtype)), place, weights))
    return _kept(mean, place, keepdims, axis, np.ndim(a))


@implements(stats.hmean)
def hmean(
    a: Any,
    axis: Any = 0,
    dtype: Any = None,
    *,
    weights: Any = None,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    x, place = _along(a, axis, "hmean", nan_policy)
    x = _cast(x, dtype)
    mean = np.where(np.all(x >= 0, axis=place), 1 / _weighted(1 / x, place, weights), np.nan)
    return _kept(mean, place, keepdims, axis, np.ndim(a))


@implements(stats.pmean)
def pmean(
    a: Any,
    p: Any,
    *,
    axis: Any = 0,
    dtype: Any = None,
    weights: Any = None,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    if np.ndim(p) or not isinstance(p, int | float):
        raise WengertValueError("Power mean only implemented for finite `p`")
    if p == 0:
        return gmean(
            a, axis, dtype=dtype, weights=weights, nan_policy=nan_policy, keepdims=keepdims
        )
    x, place = _along(a, axis, "pmean", nan_policy)
    x = _cast(x, dtype)
    mean = _weighted(x ** float(p), place, weights) ** (1 / p)
    mean = np.where(np.all(x >= 0, axis=place), mean, np.nan)
    return _kept(mean, place, keepdims, axis, np.ndim(a))


def _cast(x: Tracer, dtype: Any) -> Tracer:
    return x if dtype is None else x.astype(dtype)


def _weighted(x: Any, axis: int, weights: Any) -> Any:
    if weights is None:
        return np.mean(x, axis=axis)
    if np.ndim(weights) == 0:
        weights = np.broadcast_to(weights, x.shape)
    return np.average(x, axis=axis, weights=weights)


@implements(stats.trim_mean)
def trim_mean(
    a: Any,
    proportiontocut: Any,
    axis: Any = 0,
    *,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    x, place = _along(a, axis, "trim_mean", nan_policy)
    count = x.shape[place]
    cut = int(proportiontocut * count)
    if cut > count - cut:
        raise WengertValueError("Proportion too big.")
    kept = np.moveaxis(np.sort(x, axis=place), place, 0)[cut : count - cut]
    return _kept(np.mean(kept, axis=0), place, keepdims, axis, np.ndim(a))


# -------------------------------------------------------------------------------------- moments


@implements(stats.moment)
def moment(
    a: Any,
    order: Any = 1,
    axis: Any = 0,
    nan_policy: Any = "propagate",
    *,
    center: Any = None,
    keepdims: Any = False,
) -> Any:
    x, place = _along(a, axis, "moment", nan_policy)
    if np.ndim(order) or order != round(order):
        raise WengertValueError("the order of a traced moment must be one whole number")
    middle = np.mean(x, axis=place, keepdims=True) if center is None else center
    value = np.mean((x - middle) ** int(order), axis=place)
    return _kept(value, place, keepdims, axis, np.ndim(a))


@implements(stats.skew)
def skew(
    a: Any,
    axis: Any = 0,
    bias: bool = True,
    nan_policy: Any = "propagate",
    *,
    keepdims: Any = False,
) -> Any:
    x, place = _along(a, axis, "skew", nan_policy)
    mean, second, third = _moments(x, place, 2, 3)
    count = x.shape[place]
    value = third / second**1.5
    if not bias and count > 2:
        value = value * math.sqrt((count - 1) * count) / (count - 2)
    value = np.where(_constant(mean, second), np.nan, value)
    return _kept(value, place, keepdims, axis, np.ndim(a))


@implements(stats.kurtosis)
def kurtosis(
    a: Any,
    axis: Any = 0,
    fisher: bool = True,
    bias: bool = True,
    nan_policy: Any = "propagate",
    *,
    keepdims: Any = False,
) -> Any:
    x, place = _along(a, axis, "kurtosis", nan_policy)
    mean, second, fourth = _moments(x, place, 2, 4)
    n = x.shape[place]
    value = fourth / second**2
    if not bias and n > 3:
        value = ((n**2 - 1.0) * value - 3 * (n - 1.0) ** 2) / (n - 2) / (n - 3) + 3
    value = np.where(_constant(mean, second), np.nan, value - 3 if fisher else value)
    return _kept(value, place, keepdims, axis, np.ndim(a))


@implements(stats.sem)
def sem(
    a: Any,
    axis: Any = 0,
    ddof: Any = 1,
    nan_policy: Any = "propagate",
    *,
    keepdims: Any = False,
) -> Any:
    x, place = _along(a, axis, "sem", nan_policy)
    value = np.std(x, axis=place, ddof=ddof) / math.sqrt(x.shape[place])
    return _kept(value, place, keepdims, axis, np.ndim(a))


@implements(stats.variation)
def variation(
    a: Any,
    axis: Any = 0,
    nan_policy: Any = "propagate",
    ddof: Any = 0,
    *,
    keepdims: Any = False,
) -> Any:
    x, place = _along(a, axis, "variation", nan_policy)
    value = np.std(x, axis=place, ddof=ddof) / np.mean(x, axis=place)
    return _kept(value, place, keepdims, axis, np.ndim(a))


@implements(stats.iqr)
def iqr(
    x: Any,
    axis: Any = None,
    rng: Any = (25, 75),
    scale: Any = 1.0,
    nan_policy: Any = "propagate",
    interpolation: Any = "linear",
    keepdims: Any = False,
) -> Any:
    refuse("iqr", nan_policy=(nan_policy, "propagate"))
    (x,) = floating(x)
    if isinstance(scale, str):
        if scale.lower() != "normal":
            raise WengertValueError(f"{scale} not a valid scale for `iqr`")
        scale = 2 * float(special.erfinv(0.5)) * math.sqrt(2)
    low, high = sorted(rng)
    ends = [
        np.percentile(x, q, axis=axis, method=interpolation, keepdims=keepdims) for q in (low, high)
    ]
    return (ends[1] - ends[0]) / scale


# --------------------------------------------------------------------------------------- scores


@implements(stats.zmap)
def zmap(
    scores: Any, compare: Any, axis: Any = 0, ddof: Any = 0, nan_policy: Any = "propagate"
) -> Any:
    refuse("zmap", nan_policy=(nan_policy, "propagate"))
    scores, compare = floating(scores, compare)
    mean = np.mean(compare, axis=axis, keepdims=True)
    return (scores - mean) / np.std(compare, axis=axis, ddof=ddof, keepdims=True)


@implements(stats.zscore)
def zscore(a: Any, axis: Any = 0, ddof: Any = 0, nan_policy: Any = "propagate") -> Any:
    refuse("zscore", nan_policy=(nan_policy, "propagate"))
    (x,) = floating(a)
    mean = np.mean(x, axis=axis, keepdims=True)
    deviation = np.std(x, axis=axis, ddof=ddof, keepdims=True)
    constant = deviation <= np.abs(np.finfo(x.dtype).eps * mean)
    return np.where(constant, np.nan, (x - mean) / deviation)


@implements(stats.gzscore)
def gzscore(a: Any, *, axis: Any = 0, ddof: Any = 0, nan_policy: Any = "propagate") -> Any:
    return zscore(np.log(a), axis, ddof, nan_policy)


@implements(stats.entropy)
def entropy(
    pk: Any,
    qk: Any = None,
    base: Any = None,
    axis: Any = 0,
    *,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    refuse("entropy", nan_policy=(nan_policy, "propagate"))
    if base is not None and base <= 0:
        raise WengertValueError("`base` must be a positive number or `None`.")
    if qk is None:
        (p,) = floating(pk)
        terms = special.entr(p / np.sum(p, axis=axis, keepdims=True))
    else:
        p, q = np.broadcast_arrays(*floating(pk, qk))
        p, q = (x / np.sum(x, axis=axis, keepdims=True) for x in (p, q))
        terms = special.rel_entr(p, q)
    total = np.sum(terms, axis=axis, keepdims=bool(keepdims))
    return total if base is None else total / math.log(base)


# ---------------------------------------------------------------------------------- correlation


class Correlation(NamedTuple):
    """The result of `pearsonr`: the coefficient, and the probability of one as far from 0."""

    statistic: Any
    pvalue: Any


@implements(stats.pearsonr)
def pearsonr(
    x: Any, y: Any, *, alternative: Any = "two-sided", method: Any = None, axis: Any = 0
) -> Correlation:
    """Of uncorrelated normal numbers the coefficient has a beta distribution on [−1, 1]."""
    refuse("pearsonr", method=(method, None), alternative=(alternative, "two-sided"))
    x, y = np.broadcast_arrays(*floating(x, y))
    if axis is None:
        x, y, axis = np.reshape(x, (-1,)), np.reshape(y, (-1,)), 0
    count = x.shape[axis]
    if count < 2:
        raise WengertValueError("`x` and `y` must have length at least 2.")
    x, y = (v - np.mean(v, axis=axis, keepdims=True) for v in (x, y))
    squares = np.sum(x**2, axis=axis) * np.sum(y**2, axis=axis)
    r = np.clip(np.sum(x * y, axis=axis) / np.sqrt(squares), -1, 1)
    if count == 2:
        return Correlation(np.round(r), np.where(np.isnan(r), np.nan, 1.0 + 0 * r))
    half = 0.5 * count - 1
    tail = DISTRIBUTIONS["beta"].sf(np.abs(r), half, half, -1, 2)
    return Correlation(r, (2 * tail).astype(r.dtype))
