"""`interp1d` and `RegularGridInterpolator` on tracers: lines, nearest neighbours, splines."""

from __future__ import annotations

import itertools
import operator
from typing import Any

import numpy as np

from wengert.errors import Unsupported, WengertValueError
from wengert.numpy.dispatch import one_axis, tracers
from wengert.scipy.interpolate.basis import interpolating
from wengert.scipy.interpolate.pieces import interval

_ORDERS = {"zero": 0, "slinear": 1, "quadratic": 2, "cubic": 3}
_KINDS = ("linear", "nearest", "nearest-up", "previous", "next")


class Lines:
    """`scipy.interpolate.interp1d` of which something is traced."""

    def __init__(
        self,
        x: Any,
        y: Any,
        kind: Any = "linear",
        axis: int = -1,
        copy: bool = True,
        bounds_error: Any = None,
        fill_value: Any = np.nan,
        assume_sorted: bool = False,
    ) -> None:
        order = _ORDERS.get(kind) if isinstance(kind, str) else operator.index(kind)
        if order is None and kind not in _KINDS:
            raise NotImplementedError(f"{kind} is unsupported: Use fitpack routines")
        fills = fill_value if isinstance(fill_value, tuple) else (fill_value, fill_value)
        self.extrapolates = isinstance(fill_value, str) and fill_value == "extrapolate"
        if self.extrapolates and bounds_error:
            raise WengertValueError("Cannot extrapolate and raise at the same time.")
        self.x, self.y, *rest = tracers(x, y, *(() if self.extrapolates else fills))
        if self.x.ndim != 1:
            raise WengertValueError("the x array must have exactly one dimension.")
        self.axis = one_axis(axis, self.y.ndim)
        if self.x.shape[0] != self.y.shape[self.axis]:
            raise WengertValueError(
                "x and y arrays must be equal in length along interpolation axis."
            )
        least = 1 if order is None else order + 1
        if self.x.shape[0] < least:
            raise WengertValueError(f"x and y arrays must have at least {least} entries")
        if self.y.dtype.kind not in "fc":
            self.y = self.y.astype(float)
        y = np.moveaxis(self.y, self.axis, 0)
        if not assume_sorted:
            places = np.argsort(self.x, kind="stable")
            self.x, y = self.x[places], y[places]
        self.values, self.kind = y, kind
        self.bounds_error = bounds_error
        plain = not isinstance(fill_value, tuple) and np.ndim(fill_value) == 0
        given = not (plain and not self.extrapolates and _is_nan(fill_value))
        if bounds_error is None:
            self.bounds_error = not given
        self.fills = rest
        self.spline = None if order is None else interpolating(self.x, y, order)

    def __call__(self, x: Any) -> Any:
        knots, values, x = tracers(self.x, self.values, x)
        points = x.ravel()
        found = self._inside(knots, values, points)
        below, above = points < knots[0], points > knots[-1]
        if self.bounds_error:
            for outside, what in ((below, "below"), (above, "above")):
                if bool(np.any(outside)):
                    raise WengertValueError(f"A value in x_new is {what} the interpolation range.")
        elif not self.extrapolates:
            for outside, fill in zip((below, above), self.fills, strict=True):
                column = outside.reshape((-1, *(1,) * (found.ndim - 1)))
                found = np.where(column, fill, found)
        elif self.kind in ("previous", "next"):
            outside = below if self.kind == "previous" else above
            column = outside.reshape((-1, *(1,) * (found.ndim - 1)))
            found = np.where(column, np.nan, found)
        found = found.reshape((*x.shape, *values.shape[1:]))
        order = list(range(found.ndim))
        axis = self.axis
        order = order[x.ndim : x.ndim + axis] + order[: x.ndim] + order[x.ndim + axis :]
        return found.transpose(order)

    def _inside(self, knots: Any, values: Any, points: Any) -> Any:
        """Values as if there were no ends: (points, …)."""
        if self.spline is not None:
            return self.spline(points)
        last = knots.shape[0] - 1
        if self.kind == "linear":
            if not last:
                return values[np.zeros(points.shape, int)] + 0 * points.reshape(
                    (-1, *(1,) * (values.ndim - 1))
                )
            place = np.clip(np.searchsorted(knots, points), 1, last) - 1
            x0, x1 = knots[place], knots[place + 1]
            y0, y1 = values[place], values[place + 1]
            column = (-1, *(1,) * (values.ndim - 1))
            return (y1 - y0) / (x1 - x0).reshape(column) * (points - x0).reshape(column) + y0
        if self.kind in ("nearest", "nearest-up"):
            middles = knots[1:] / 2 + knots[:-1] / 2
            side = "left" if self.kind == "nearest" else "right"
            place = np.searchsorted(middles, points, side=side)
        elif self.kind == "previous":
            place = np.searchsorted(knots, points, side="right") - 1
        else:
            place = np.searchsorted(knots, points, side="left")
        return values[np.clip(place, 0, last)]


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


class Grid:
    """`scipy.interpolate.RegularGridInterpolator` of which something is traced."""

    def __init__(
        self,
        points: Any,
        values: Any,
        method: str = "linear",
        bounds_error: bool = True,
        fill_value: Any = np.nan,
        *,
        solver: Any = None,
        solver_args: Any = None,
    ) -> None:
        self.method = _known_method(method)
        self.values, fill, *lines = tracers(
            values, np.nan if fill_value is None else fill_value, *points
        )
        self.fill_value = None if fill_value is None else fill
        self.bounds_error = bounds_error
        if len(lines) > self.values.ndim:
            raise WengertValueError(
                f"There are {len(lines)} point arrays, but values has {self.values.ndim} dimensions"
            )
        if self.values.dtype.kind not in "fc":
            self.values = self.values.astype(float)
        grid = []
        for axis, line in enumerate(lines):
            if line.ndim != 1:
                raise WengertValueError(f"The points in dimension {axis} must be 1-dimensional")
            if line.shape[0] != self.values.shape[axis]:
                raise WengertValueError(
                    f"There are {line.shape[0]} points and {self.values.shape[axis]} values in "
                    f"dimension {axis}"
                )
            if line.shape[0] > 1 and bool(np.all(np.diff(line) < 0)):
                line, self.values = line[::-1], np.flip(self.values, axis)
            elif not bool(np.all(np.diff(line) > 0)):
                raise WengertValueError(
                    f"The points in dimension {axis} must be strictly ascending or descending"
                )
            grid.append(line.astype(float))
        self.grid = tuple(grid)

    def __call__(self, xi: Any, method: Any = None, *, nu: Any = None) -> Any:
        method = self.method if method is None else _known_method(method)
        if nu is not None:
            raise WengertValueError("Method must be 'slinear', 'cubic' … if nu is specified")
        ndim = len(self.grid)
        parts = xi if isinstance(xi, tuple) else None
        if parts is not None:
            coordinates = np.broadcast_arrays(*tracers(*parts, self.values)[:-1])
            shape = coordinates[0].shape
        else:
            (xi, _) = tracers(xi, self.values)
            xi = xi[:, None] if xi.ndim == 1 and ndim == 1 else xi
            if xi.shape[-1] != ndim:
                raise WengertValueError(
                    f"The requested sample points xi have dimension {xi.shape[-1]} but this "
                    f"RegularGridInterpolator has dimension {ndim}"
                )
            coordinates = [xi[..., k] for k in range(ndim)]
            shape = xi.shape[:-1]
        if len(coordinates) != ndim:
            raise WengertValueError(f"xi needs {ndim} coordinates")
        lines = [coordinate.ravel().astype(float) for coordinate in coordinates]
        outside = self._outside(lines)
        found = self._values(lines, method)
        if not self.bounds_error and self.fill_value is not None:
            column = outside.reshape((-1, *(1,) * (found.ndim - 1)))
            found = np.where(column, self.fill_value, found)
        missing = np.isnan(lines[0])
        for line in lines[1:]:
            missing = missing | np.isnan(line)
        found = np.where(missing.reshape((-1, *(1,) * (found.ndim - 1))), np.nan, found)
        return found.reshape((*shape, *self.values.shape[ndim:]))

    def _outside(self, lines: list[Any]) -> Any:
        outside: Any = False
        for axis, (line, knots) in enumerate(zip(lines, self.grid, strict=True)):
            beyond = (line < knots[0]) | (line > knots[-1])
            if self.bounds_error and bool(np.any(beyond)):
                raise WengertValueError(
                    f"One of the requested xi is out of bounds in dimension {axis}"
                )
            outside = outside | beyond
        return outside

    def _values(self, lines: list[Any], method: str) -> Any:
        places = [
            interval(knots, line, 0, max(knots.shape[0] - 2, 0))
            for knots, line in zip(self.grid, lines, strict=True)
        ]
        shares = [
            (line - knots[place]) / (knots[place + 1] - knots[place])
            if knots.shape[0] > 1
            else 0 * line
            for knots, line, place in zip(self.grid, lines, places, strict=True)
        ]
        if method == "nearest":
            nearest = [
                place + (share > 0.5) if knots.shape[0] > 1 else place
                for knots, place, share in zip(self.grid, places, shares, strict=True)
            ]
            return self.values[tuple(nearest)]
        rest = (1,) * (self.values.ndim - len(lines))
        total: Any = 0.0
        for corner in itertools.product((0, 1), repeat=len(lines)):
            weight: Any = 1.0
            where = []
            for knots, high, place, share in zip(self.grid, corner, places, shares, strict=True):
                weight = weight * (share if high else 1 - share)
                where.append(place + (high if knots.shape[0] > 1 else 0))
            total = total + weight.reshape((-1, *rest)) * self.values[tuple(where)]
        return total


def _known_method(method: str) -> str:
    if method in ("slinear", "cubic", "quintic", "pchip"):
        raise Unsupported(
            f"RegularGridInterpolator with method={method!r} cannot be traced; 'linear' and "
            "'nearest' can"
        )
    if method not in ("linear", "nearest"):
        raise WengertValueError(f"Method '{method}' is not defined")
    return method
