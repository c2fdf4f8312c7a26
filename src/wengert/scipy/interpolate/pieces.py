"""Piecewise polynomials on tracers: evaluation, derivatives, integrals.

    p(x) = Σ_k c[k, i] (x − x_i)^(K−1−k)        for x in the interval i of the breakpoints

Which interval a point lies in has derivative 0; all else is ordinary arithmetic, so the derivatives
by the points, the coefficients and the breakpoints are exact. At a breakpoint, that to its right.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.errors import Unsupported, WengertValueError
from wengert.numpy.dispatch import tracers


def interval(breaks: Any, points: Any, low: int = 0, high: int | None = None) -> Any:
    """The interval of each point, at most the first or last for those outside."""
    last = breaks.shape[0] - 2 if high is None else high
    return np.clip(np.searchsorted(breaks, points, side="right") - 1, low, last)


def at_axis(values: Any, points: int, axis: int) -> Any:
    """The axes of the points, which come first, moved to where the axis of the knots was."""
    order = list(range(values.ndim))
    order = order[points : points + axis] + order[:points] + order[points + axis :]
    return values.transpose(order)


class PiecewisePolynomial:
    """`scipy.interpolate.PPoly` of which something is traced.

    c: coefficients (degree + 1, intervals, …); x: breakpoints; extrapolate: True, False (NaN
    outside) or "periodic"; axis: where the axis of the points stands in results.
    """

    def __init__(self, c: Any, x: Any, extrapolate: Any = None, axis: int = 0) -> None:
        self.c, self.x = tracers(c, x)
        if self.c.dtype.kind not in "fc":
            self.c = self.c.astype(float)
        self.extrapolate = True if extrapolate is None else extrapolate
        if self.extrapolate != "periodic":
            self.extrapolate = bool(self.extrapolate)
        if self.c.ndim < 2:
            raise WengertValueError("Coefficients array must be at least 2-dimensional.")
        if not 0 <= axis < self.c.ndim - 1:
            raise WengertValueError(f"axis={axis} must be between 0 and {self.c.ndim - 2}")
        if self.x.ndim != 1 or self.x.shape[0] != self.c.shape[1] + 1:
            raise WengertValueError("number of coefficients != len(x)-1")
        self.axis = axis

    @classmethod
    def of_moved(cls, c: Any, x: Any, extrapolate: Any, axis: int) -> PiecewisePolynomial:
        """With coefficients whose axis of intervals is second already, wherever `axis` stands."""
        made = cls(c, x, extrapolate)
        made.axis = axis
        return made

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        c, breaks, x = tracers(self.c, self.x, x)
        points = x.ravel().astype(breaks.dtype)
        if extrapolate == "periodic":
            points = breaks[0] + (points - breaks[0]) % (breaks[-1] - breaks[0])
        values = _values(c, breaks, points, operator.index(nu))
        if extrapolate is False or not extrapolate:
            inside = (points >= breaks[0]) & (points <= breaks[-1])
            inside = inside.reshape((-1, *(1,) * (values.ndim - 1)))
            values = np.where(inside, values, np.nan)
        values = values.reshape((*x.shape, *c.shape[2:]))
        return at_axis(values, x.ndim, self.axis) if self.axis else values

    def derivative(self, nu: int = 1) -> PiecewisePolynomial:
        """The derivative of order nu, or the antiderivative of order −nu."""
        if nu < 0:
            return self.antiderivative(-nu)
        c = self.c
        for _ in range(nu):
            degree = c.shape[0] - 1
            c = c[:-1] * _column(np.arange(degree, 0, -1.0), c) if degree else 0 * c
        return self._like(c, self.extrapolate)

    def antiderivative(self, nu: int = 1) -> PiecewisePolynomial:
        """The antiderivative of order nu, continuous, 0 at the first breakpoint."""
        if nu <= 0:
            return self.derivative(-nu)
        c, width = self.c, np.diff(self.x)
        for _ in range(nu):
            c = c / _column(np.arange(c.shape[0], 0, -1.0), c)
            steps = width.reshape((-1, *(1,) * (c.ndim - 2)))
            total = 0 * c[0]
            for row in range(c.shape[0]):
                total = (total + c[row]) * steps
            starts = np.cumsum(total, axis=0)[:-1]
            c = np.concatenate((c, np.concatenate((0 * total[:1], starts))[None]))
        extrapolate = False if self.extrapolate == "periodic" else self.extrapolate
        return self._like(c, extrapolate)

    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Any:
        """The definite integral from a to b."""
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        whole = self.antiderivative()
        whole.axis = 0
        if extrapolate != "periodic":
            return whole(b, 0, extrapolate) - whole(a, 0, extrapolate)
        start, period = self.x[0], self.x[-1] - self.x[0]
        of_period = whole(self.x[-1], 0, True)

        def since_start(t: Any) -> Any:
            periods = np.floor((t - start) / period)
            return periods * of_period + whole(t - periods * period, 0, True)

        return since_start(b) - since_start(a)

    def _like(self, c: Any, extrapolate: Any) -> PiecewisePolynomial:
        return PiecewisePolynomial.of_moved(c, self.x, extrapolate, self.axis)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Unsupported(f"the attribute .{name} of a traced piecewise polynomial is not there")


def _column(line: Any, c: Any) -> Any:
    return line.reshape((-1, *(1,) * (c.ndim - 1)))


def _values(c: Any, breaks: Any, points: Any, nu: int) -> Any:
    """The derivative of order nu at a line of points: (points, …), by Horner's rule."""
    if nu < 0:
        raise WengertValueError("Order of derivative cannot be negative")
    backwards = breaks.shape[0] > 1 and bool(breaks[-1] < breaks[0])
    place = interval(-breaks, -points) if backwards else interval(breaks, points)
    shift = (points - breaks[place]).reshape((-1, *(1,) * (c.ndim - 2)))
    found = c[:, place]
    degree = c.shape[0] - 1
    total = np.zeros(found.shape[1:]) * shift
    for row in range(degree + 1 - nu):
        factor = float(np.prod(np.arange(degree - row, degree - row - nu, -1.0)))
        total = total * shift + factor * found[row]
    return total
