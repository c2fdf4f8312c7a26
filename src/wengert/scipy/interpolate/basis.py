"""B-splines on tracers: evaluation, derivatives, antiderivatives, and interpolation.

Values are computed by de Boor's recurrence (de Boor 1978, chapter X), whose denominators are the
widths of intervals around the point: they are positive wherever it is used.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

import wengert.numpy as wnp
from wengert.errors import Unsupported, WengertValueError
from wengert.graph.registry import find
from wengert.numpy.dispatch import one_axis, tracers
from wengert.scipy.interpolate.pieces import at_axis, interval
from wengert.tracing.tracer import Tracer


class Spline:
    """`scipy.interpolate.BSpline` of which something is traced.

    t: knots; c: coefficients, along `axis`; k: the degree; extrapolate: True, False (NaN outside)
    or "periodic".
    """

    def __init__(self, t: Any, c: Any, k: int, extrapolate: Any = True, axis: int = 0) -> None:
        self.t, self.c = tracers(t, c)
        self.t = self.t.astype(float)
        if self.c.dtype.kind not in "fc":
            self.c = self.c.astype(float)
        self.k, self.extrapolate = operator.index(k), extrapolate
        self.axis = one_axis(axis, self.c.ndim)
        self.c = np.moveaxis(self.c, self.axis, 0)
        n = self.t.shape[0] - self.k - 1
        if self.k < 0:
            raise WengertValueError("Spline order cannot be negative.")
        if self.t.ndim != 1 or n < self.k + 1:
            raise WengertValueError(
                f"Need at least {2 * self.k + 2} knots for degree {self.k} in one dimension"
            )
        if self.c.shape[0] < n:
            raise WengertValueError("Knots, coefficients and degree are inconsistent.")

    @classmethod
    def of_moved(cls, t: Any, c: Any, k: int, extrapolate: Any, axis: int) -> Spline:
        """With coefficients along the first axis, wherever `axis` stands."""
        made = cls(t, c, k, extrapolate)
        made.axis = axis
        return made

    @property
    def tck(self) -> tuple[Any, Any, int]:
        """Knots, coefficients (along the first axis) and degree."""
        return self.t, self.c, self.k

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        t, c, x = tracers(self.t, self.c, x)
        n = t.shape[0] - self.k - 1
        points = x.ravel().astype(float)
        if extrapolate == "periodic":
            points = t[self.k] + (points - t[self.k]) % (t[n] - t[self.k])
        inner = self if nu <= 0 else self.derivative(nu)
        values = _values(inner.t, inner.c, inner.k, points)
        if not extrapolate:
            inside = (points >= t[self.k]) & (points <= t[n])
            values = np.where(inside.reshape((-1, *(1,) * (values.ndim - 1))), values, np.nan)
        values = values.reshape((*x.shape, *c.shape[1:]))
        return at_axis(values, x.ndim, self.axis) if self.axis else values

    def derivative(self, nu: int = 1) -> Spline:
        """The derivative of order nu, or the antiderivative of order −nu."""
        if nu < 0:
            return self.antiderivative(-nu)
        t, k = self.t, self.k
        c = self.c[: t.shape[0] - k - 1]
        for _ in range(nu):
            if k == 0:
                c = 0 * c
                continue
            width = t[k + 1 : -1] - t[1 : -k - 1]
            empty = width == 0
            rise = _column(np.where(empty, 0.0, k / np.where(empty, 1.0, width)), c)
            c, t, k = rise * (c[1:] - c[:-1]), t[1:-1], k - 1
        return Spline.of_moved(t, c, k, self.extrapolate, self.axis)

    def antiderivative(self, nu: int = 1) -> Spline:
        """The antiderivative of order nu, 0 at the first knot."""
        if nu <= 0:
            return self.derivative(-nu)
        t, k = self.t, self.k
        c = self.c[: t.shape[0] - k - 1]
        for _ in range(nu):
            parts = c * _column((t[k + 1 :] - t[: -k - 1]) / (k + 1), c)
            c = np.concatenate((0 * parts[:1], np.cumsum(parts, axis=0)))
            t, k = np.concatenate((t[:1], t, t[-1:])), k + 1
        extrapolate = False if self.extrapolate == "periodic" else self.extrapolate
        return Spline.of_moved(t, c, k, extrapolate, self.axis)

    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Any:
        """The definite integral from a to b; outside the knots it is 0 unless it extrapolates."""
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        if extrapolate == "periodic":
            raise Unsupported("integrate(extrapolate='periodic') of a BSpline cannot be traced")
        whole = self.antiderivative()
        whole.axis = 0
        if not extrapolate:
            first, last = self.t[self.k], self.t[self.t.shape[0] - self.k - 1]
            a, b = (np.clip(end, first, last) for end in tracers(a, b, first)[:2])
        return whole(b, 0, True) - whole(a, 0, True)


def _column(line: Any, c: Any) -> Any:
    return line.reshape((-1, *(1,) * (c.ndim - 1)))


def _values(t: Any, c: Any, k: int, points: Any) -> Any:
    """The spline at a line of points: (points, …)."""
    n = t.shape[0] - k - 1
    place = interval(t, points, k, n - 1)
    parts = [c[place - k + j] for j in range(k + 1)]
    for r in range(1, k + 1):
        for j in range(k, r - 1, -1):
            low, high = t[place - k + j], t[place + 1 + j - r]
            ratio = _column((points - low) / (high - low), c)
            parts[j] = (1 - ratio) * parts[j - 1] + ratio * parts[j]
    return parts[k] + _column(0 * points, c)


# ------------------------------------------------------------------------------ interpolation


def _basis(t: Any, k: int, place: Any, points: Any) -> list[Any]:
    """The k + 1 B-splines that are not zero at each point, from the left (Cox, de Boor)."""
    found = [0 * points + 1]
    for degree in range(1, k + 1):
        grown = [0 * points] * (degree + 1)
        for j in range(degree):
            low, high = t[place + j + 1 - degree], t[place + j + 1]
            part = found[j] / (high - low)
            grown[j] = grown[j] + (high - points) * part
            grown[j + 1] = grown[j + 1] + (points - low) * part
        found = grown
    return found


def _knots(x: Any, k: int, extra: int) -> Any:
    """Knots for degree k: not at the points next to the ends, but where `extra` conditions ask."""
    if extra:
        return np.concatenate((*[x[:1]] * k, x, *[x[-1:]] * k))
    if k % 2:
        half = (k + 1) // 2
        inner = x[half:-half]
    else:
        half = k // 2
        inner = (x[1:] + x[:-1]) / 2
        inner = inner[half:-half] if half else inner
    return np.concatenate((*[x[:1]] * (k + 1), inner, *[x[-1:]] * (k + 1)))


_NAMED: dict[str, list[tuple[int, float]]] = {"clamped": [(1, 0.0)], "natural": [(2, 0.0)]}


def _ends(bc_type: Any, k: int) -> list[list[tuple[int, Any]]]:
    """For each end the derivatives that are given: (order, value)."""
    if bc_type is None or bc_type == "not-a-knot":
        return [[], []]
    pair = (bc_type, bc_type) if isinstance(bc_type, str) else bc_type
    found: list[list[tuple[int, Any]]] = []
    for end in pair:
        if end == "periodic":
            raise Unsupported("make_interp_spline with bc_type='periodic' cannot be traced")
        if isinstance(end, str) and end not in (*_NAMED, "not-a-knot"):
            raise WengertValueError(f"Unknown boundary condition: {end}")
        found.append(_NAMED.get(end, []) if isinstance(end, str) else list(end or []))
    return found


def interpolating(
    x: Any,
    y: Any,
    k: int = 3,
    t: Any = None,
    bc_type: Any = None,
    axis: int = 0,
    check_finite: bool = True,
) -> Spline:
    k = operator.index(k)
    if not bool(np.all(np.diff(x) > 0)):
        raise WengertValueError("Expect x to be a 1-D sorted array_like, without duplicates.")
    left, right = _ends(bc_type, k)
    values = [value for _, value in (*left, *right)]
    x, y, *values = tracers(x, y, *values, *(() if t is None else (t,)))
    if t is not None:
        t = values.pop()
    x = x.astype(float)
    axis = one_axis(axis, y.ndim)
    y = np.moveaxis(y if y.dtype.kind in "fc" else y.astype(float), axis, 0)
    if x.shape[0] != y.shape[0]:
        raise WengertValueError(f"Shapes of x {x.shape} and y {y.shape} are incompatible")
    if k == 0:
        knots = np.concatenate((x, x[-1:])) if t is None else t
        return Spline.of_moved(knots, y, 0, True, axis)
    extra = len(left) + len(right)
    n = x.shape[0]
    if n <= k and not extra:
        raise WengertValueError(f"The number of data points must be larger than the degree {k}")
    knots = _knots(x, k, extra) if t is None else t
    if knots.shape[0] - k - 1 != n + extra:
        raise WengertValueError(
            f"The number of derivatives at boundaries does not match: expected "
            f"{knots.shape[0] - k - 1 - n}, got {len(left)}+{len(right)}"
        )
    band = _collocation(knots, k, x, [order for order, _ in left], [order for order, _ in right])
    given = [np.broadcast_to(value, y.shape[1:])[None] for value in values]
    sides = np.concatenate((*given[: len(left)], y, *given[len(left) :]))
    flat = sides.reshape((sides.shape[0], -1))
    band = band.astype(flat.dtype)
    solved = Tracer(find("solve_banded")(band.node, flat.node, (k, k)), flat.session)
    return Spline.of_moved(knots, solved.reshape(sides.shape), k, True, axis)


def _collocation(t: Any, k: int, x: Any, left: list[int], right: list[int]) -> Any:
    """The banded matrix of the B-splines at the sites x, and of their derivatives at both ends."""
    size = t.shape[0] - k - 1
    band = wnp.zeros((2 * k + 1, size))
    place = interval(t, x, k, size - 1)
    rows = np.arange(x.shape[0]) + len(left)
    for j, part in enumerate(_basis(t, k, place, x)):
        column = place - k + j
        band[rows - column + k, column] = part
    for orders, start, first in ((left, 0, 0), (right, size - k - 1, size - len(right))):
        local = Spline(t[start : start + 2 * k + 2], np.eye(k + 1), k)
        for number, order in enumerate(orders):
            columns = np.arange(start, start + k + 1)
            at = x[-1] if start or first else x[0]
            band[first + number - columns + k, columns] = local(at, order)
    return band
