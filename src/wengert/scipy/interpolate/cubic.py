"""Interpolating cubics on tracers: Hermite, with continuous curvature, Fritsch–Carlson, Akima.

All are the cubics that have given values y and slopes s at the knots x. With h the distances of
knots and m the slopes of the chords, between two knots

    p = y + s t + ((m − s)/h − r) t² + (r/h) t³,     r = (s + s₊ − 2m)/h,    t = x − x_i

and the kinds differ in the slopes that they take.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.graph.registry import find
from wengert.numpy.dispatch import one_axis, tracers
from wengert.scipy.interpolate.pieces import PiecewisePolynomial
from wengert.tracing.tracer import Tracer


class Data:
    """Knots and values as traced arrays, the axis of the knots in front: x, y, and as columns the
    distances h and the slopes of the chords m."""

    def __init__(self, x: Any, y: Any, axis: int, real: str = "") -> None:
        if not bool(np.all(np.diff(x) > 0)):
            raise WengertValueError("`x` must be strictly increasing sequence.")
        self.x, y = tracers(x, y)
        self.axis = one_axis(axis, y.ndim)
        if self.x.dtype.kind == "c":
            raise WengertValueError("`x` must contain real values.")
        if y.dtype.kind == "c" and real:
            raise WengertValueError(f"`{real}` only works with real values for `y`.")
        if self.x.ndim != 1:
            raise WengertValueError("`x` must be 1-dimensional.")
        if self.x.shape[0] < 2:
            raise WengertValueError("`x` must contain at least 2 elements.")
        if self.x.shape[0] != y.shape[self.axis]:
            raise WengertValueError(
                f"The length of `y` along `axis`={self.axis} doesn't match the length of `x`"
            )
        self.x = self.x.astype(float)
        y = y.astype(complex if y.dtype.kind == "c" else float)
        self.y = np.moveaxis(y, self.axis, 0)
        self.h = self.column(np.diff(self.x))
        self.m = np.diff(self.y, axis=0) / self.h
        self.n = self.x.shape[0]

    def column(self, line: Any) -> Any:
        return line.reshape((-1, *(1,) * (self.y.ndim - 1)))

    def cubics(self, s: Any, extrapolate: Any) -> PiecewisePolynomial:
        """The piecewise cubic of these slopes."""
        r = (s[:-1] + s[1:] - 2 * self.m) / self.h
        c = np.stack((r / self.h, (self.m - s[:-1]) / self.h - r, s[:-1], self.y[:-1]))
        return PiecewisePolynomial.of_moved(c, self.x, extrapolate, self.axis)


def hermite(
    x: Any, y: Any, dydx: Any, axis: int = 0, extrapolate: Any = None
) -> PiecewisePolynomial:
    x, y, dydx = tracers(x, y, dydx)
    if y.shape != dydx.shape:
        raise WengertValueError("The shapes of `y` and `dydx` must be identical.")
    data = Data(x, y, axis)
    return data.cubics(np.moveaxis(dydx, data.axis, 0), extrapolate)


# -------------------------------------------------------------------------- shape-preserving


def pchip(x: Any, y: Any, axis: int = 0, extrapolate: Any = None) -> PiecewisePolynomial:
    """Fritsch and Butland 1984: weighted harmonic means of the chords' slopes, 0 at an extremum."""
    data = Data(x, y, axis, "PchipInterpolator")
    h, m = data.h, data.m
    if data.n == 2:
        return data.cubics(np.concatenate((m, m)), extrapolate)
    turning = (np.sign(m[1:]) != np.sign(m[:-1])) | (m[1:] == 0)
    before, after = (np.where(turning, 1.0, part) for part in (m[:-1], m[1:]))
    w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    inner = np.where(turning, 0.0, (w1 + w2) / (w1 / before + w2 / after))
    first = _one_sided(h[0], h[1], m[0], m[1])
    last = _one_sided(h[-1], h[-2], m[-1], m[-2])
    return data.cubics(np.concatenate((first[None], inner, last[None])), extrapolate)


def _one_sided(h0: Any, h1: Any, m0: Any, m1: Any) -> Any:
    """The slope at the end of the parabola, cut where it would not keep the shape."""
    d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    steep = (np.sign(m0) != np.sign(m1)) & (np.abs(d) > 3 * np.abs(m0))
    return np.where(np.sign(d) != np.sign(m0), 0.0, np.where(steep, 3 * m0, d))


def akima(
    x: Any, y: Any, axis: int = 0, *, method: str = "akima", extrapolate: Any = None
) -> PiecewisePolynomial:
    """Akima 1970: means of the chords' slopes, weighted by how little the others change."""
    if method not in ("akima", "makima"):
        raise NotImplementedError(f"`method`={method} is unsupported.")
    data = Data(x, y, axis, "Akima1DInterpolator")
    extrapolate = False if extrapolate is None else extrapolate
    m = data.m
    if data.n == 2:
        return data.cubics(np.concatenate((m, m)), extrapolate)
    before, after = 2 * m[:1] - m[1:2], 2 * m[-1:] - m[-2:-1]
    m = np.concatenate((2 * before - m[:1], before, m, after, 2 * after - m[-1:]))
    change = np.abs(np.diff(m, axis=0))
    if method == "makima":
        change = change + 0.5 * np.abs(m[1:] + m[:-1])
    ahead, behind = change[2:], change[:-2]
    both = ahead + behind
    defined = both > 1e-9 * np.max(both, initial=-np.inf)
    ratio = behind / np.where(defined, both, 1.0)
    weighed = m[1:-2] + ratio * (m[2:-1] - m[1:-2])
    return data.cubics(np.where(defined, weighed, 0.5 * (m[3:] + m[:-3])), extrapolate)


# ------------------------------------------------------------------------ continuous curvature


def spline(
    x: Any, y: Any, axis: int = 0, bc_type: Any = "not-a-knot", extrapolate: Any = None
) -> PiecewisePolynomial:
    """The slopes solve h₊ s₋ + 2(h + h₊) s + h s₊ = 3(h₊ m + h m₊) at the inner knots, with a
    condition at each end (de Boor 1978, chapter IV)."""
    ends = _conditions(bc_type)
    numbers = [end[1] for end in ends if not isinstance(end, str)]
    x, y, *numbers = tracers(x, y, *numbers)
    data = Data(x, y, axis)
    lifted = iter(numbers)
    ends = [end if isinstance(end, str) else (end[0], next(lifted)) for end in ends]
    if ends[0] == "periodic":
        if not bool(np.all(np.isclose(data.y[0], data.y[-1], rtol=1e-15, atol=1e-15))):
            raise WengertValueError(
                "The first and last `y` point along axis must be identical (within machine "
                "precision) when bc_type='periodic'."
            )
        extrapolate = "periodic" if extrapolate is None else extrapolate
        return data.cubics(_periodic_slopes(data), extrapolate)
    if data.n == 2:
        ends = [(1, data.m[0]) if end == "not-a-knot" else end for end in ends]
    if data.n == 3 and ends == ["not-a-knot", "not-a-knot"]:
        return data.cubics(_parabola_slopes(data), True if extrapolate is None else extrapolate)
    return data.cubics(_slopes(data, ends), True if extrapolate is None else extrapolate)


_NAMED = {"clamped": (1, 0.0), "natural": (2, 0.0)}


def _conditions(bc_type: Any) -> list[Any]:
    """For each end "not-a-knot", "periodic", or (order, value of that derivative)."""
    pair = (bc_type, bc_type) if isinstance(bc_type, str) else bc_type
    if not isinstance(pair, str) and len(pair) != 2:
        raise WengertValueError("`bc_type` must contain 2 elements to specify start and end.")
    if "periodic" in [end for end in pair if isinstance(end, str)] and pair[0] is not pair[1]:
        raise WengertValueError("'periodic' `bc_type` is defined for both curve ends.")
    found = []
    for end in pair:
        if isinstance(end, str):
            if end not in (*_NAMED, "not-a-knot", "periodic"):
                raise WengertValueError(f"bc_type={end} is not allowed.")
            end = _NAMED.get(end, end)
        elif end[0] not in (1, 2):
            raise WengertValueError("The specified derivative order must be 1 or 2.")
        found.append(end)
    return found


def _solved(lower: Any, middle: Any, upper: Any, right: Any) -> Any:
    """The solution of a tridiagonal system; `right` has columns."""
    zero = 0 * middle[:1]
    band = np.stack((np.concatenate((zero, upper)), middle, np.concatenate((lower, zero))))
    flat = right.reshape((right.shape[0], -1))
    band, flat = (v.astype(flat.dtype) for v in (band, flat))
    found = Tracer(find("solve_banded")(band.node, flat.node, (1, 1)), band.session)
    return found.reshape(right.shape)


def _slopes(data: Data, ends: list[Any]) -> Any:
    h, m = data.h, data.m
    line = np.diff(data.x)
    inner = 3 * (h[1:] * m[:-1] + h[:-1] * m[1:])
    first = _end(ends[0], line, h, m, data.y[0], 1)
    flipped = (v[::-1] for v in (line, h, m))
    last = _end(ends[1], *flipped, data.y[0], -1)
    middle = np.concatenate((first[0], 2 * (line[:-1] + line[1:]), last[0]))
    upper = np.concatenate((first[1], line[:-1]))
    lower = np.concatenate((line[1:], last[1]))
    right = np.concatenate((first[2][None], inner, last[2][None]))
    return _solved(lower, middle, upper, right)


def _end(end: Any, line: Any, h: Any, m: Any, like: Any, side: int) -> tuple[Any, Any, Any]:
    """The row of the condition at an end: the weights of its slope and the next, the right side.

    The distances and chords come with that at the end first; side is −1 at the last knot.
    """
    one = 0 * line[:1] + 1
    if end == "not-a-knot":
        both = line[0] + line[1]
        right = ((h[0] + 2 * (h[0] + h[1])) * h[1] * m[0] + h[0] ** 2 * m[1]) / (h[0] + h[1])
        return line[1:2], both[None], right
    order, value = end
    if order == 1:
        return one, 0 * one, value + 0 * like
    return 2 * one, one, 3 * m[0] - side * 0.5 * h[0] * value


def _parabola_slopes(data: Data) -> Any:
    h, m = data.h, data.m
    bend = (m[1] - m[0]) / (h[0] + h[1])
    return np.stack((m[0] - h[0] * bend, m[0] + h[0] * bend, m[1] + h[1] * bend))


def _periodic_slopes(data: Data) -> Any:
    """The cyclic system by a rank-one update of a tridiagonal one (Sherman and Morrison 1950)."""
    h, m = data.h, data.m
    if data.n == 2:
        return np.concatenate((m, m))
    if data.n == 3:
        mean = np.sum(m / h, axis=0) / np.sum(1 / h, axis=0)
        return np.stack((mean, mean, mean))
    line = np.diff(data.x)
    before, chord = np.roll(line, 1), np.roll(m, 1, axis=0)
    right = 3 * (h * chord + data.column(before) * m)
    middle = 2 * (before + line)
    gamma, corner_high, corner_low = -middle[0], line[0], before[-1]
    middle = np.concatenate(
        (
            middle[:1] - gamma,
            middle[1:-1],
            (middle[-1] - corner_low * corner_high / gamma)[None],
        )
    )
    u = np.concatenate((gamma[None], 0 * line[2:], corner_low[None]))
    columns = right.reshape((data.n - 1, -1))
    both = _solved(line[1:], middle, before[:-1], np.concatenate((columns, u[:, None]), 1))
    solved, q = both[:, :-1], both[:, -1:]
    ratio = corner_high / gamma
    share = (solved[0] + ratio * solved[-1]) / (1 + q[0] + ratio * q[-1])
    s = (solved - q * share).reshape(right.shape)
    return np.concatenate((s, s[:1]))
