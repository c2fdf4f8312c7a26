"""Logarithms of sums of exponentials, and what is made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from wengert.graph.types import FLOAT
from wengert.numpy.dispatch import apply, nodes
from wengert.scipy.namespace import implements
from wengert.tracing.tracer import Tracer


def floating(*values: Any) -> list[Tracer]:
    """All values as traced arrays of floating or complex numbers."""
    session, lifted = nodes(*values)
    result = [Tracer(node, session) for node in lifted]
    return [x if x.dtype.kind in "fc" else x.astype(FLOAT) for x in result]


# -------------------------------------------------------------------- sums of exponentials


@implements(special.logsumexp)
def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """log Σ b eᵃ = c + log m + log(1 + Σ′/m), where c is the largest a and m the sum of the b
    there, which are left out of Σ′ = Σ b e^(a − c) − m: no digit is lost where one term rules.

    c is a constant of the derivatives: the sum does not depend on it.
    """
    if b is None:
        (a,) = floating(a)
        weights = None
    else:
        a, weights = np.broadcast_arrays(*floating(a, b))
    if a.dtype.kind == "c" or (weights is not None and weights.dtype.kind == "c"):
        result, sign = _log_of_complex_sum(a, weights, axis, return_sign)
    else:
        result, sign = _log_of_sum(a, weights, axis, return_sign)
    if not keepdims:
        result, sign = (np.squeeze(x, axis) if x.ndim else x for x in (result, sign))
    return (result, sign) if return_sign else result


LARGEST = {"f": 80.0, "d": 700.0}
"""Exponents whose exponential is a number."""


def _largest(x: Any, axis: Any) -> Any:
    """The largest value as a constant; 0 where it is infinite or nothing is there."""
    most = apply("stop_gradient", np.max(x, axis=axis, keepdims=True, initial=-np.inf))
    return np.where(np.isfinite(most), most, 0), most


def _log_of_sum(a: Any, b: Any, axis: Any, return_sign: bool) -> Any:
    """A term of weight 0 counts for nothing, whatever its exponent, but for the derivative by its
    weight."""
    a, idle = _live(a, b)
    c, most = _largest(a, axis)
    shifted = a - c
    if b is not None:
        shifted = np.where(b == 0, np.minimum(idle - c, LARGEST[a.dtype.char]), shifted)
    largest = apply("stop_gradient", a) == c
    terms = np.where(largest, np.expm1(shifted), np.exp(shifted))
    counted = np.where(largest, 1.0 if b is None else b, 0.0).astype(terms.dtype)
    m = np.sum(counted, axis=axis, keepdims=True)
    rest = np.sum(terms if b is None else b * terms, axis=axis, keepdims=True)
    apart = m != 0  # no largest term that is finite, or weights that cancel
    ratio = rest / np.where(apart, m, 1)
    total = np.where(apart, m * (1 + ratio), rest)
    within = np.where(ratio < -1, -2 - ratio, ratio)
    value = np.where(apart, np.log1p(within) + np.log(np.abs(m)), np.log(np.abs(rest)))
    result = np.where(total == 0, -np.inf, value + c)
    infinite = most == np.inf
    result = np.where(
        infinite, np.sum(np.where(a == np.inf, a, 0), axis=axis, keepdims=True), result
    )
    sign = np.where(infinite, 1, np.sign(total))
    if not return_sign:
        result = np.where(sign < 0, np.nan, result)
    return result, sign


def _live(a: Any, b: Any) -> tuple[Any, Any]:
    """The exponents, −∞ where the weight is 0; and all that are finite."""
    if b is None:
        return a, a
    return np.where(b == 0, -np.inf, a), np.where(np.isfinite(a), a, -np.inf)


def _log_of_complex_sum(a: Any, b: Any, axis: Any, return_sign: bool) -> Any:
    a, _ = _live(a, b)
    c, _ = _largest(np.real(a), axis)
    terms = np.exp(a - c)
    total = np.sum(terms if b is None else b * terms, axis=axis, keepdims=True)
    if not return_sign:
        return np.log(total) + c, total
    size = np.abs(total)
    return np.log(size) + c, total / np.where(size == 0, 1, size)


@implements(special.softmax)
def softmax(x: Any, axis: Any = None) -> Any:
    (x,) = floating(x)
    c, _ = _largest(x, axis)
    terms = np.exp(x - c)
    return terms / np.sum(terms, axis=axis, keepdims=True)


@implements(special.log_softmax)
def log_softmax(x: Any, axis: Any = None) -> Any:
    (x,) = floating(x)
    c, _ = _largest(x, axis)
    shifted = x - c
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
