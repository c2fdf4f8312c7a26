"""`scipy.interpolate` for traced arrays: cubics, B-splines, lines and grids.

The classes have SciPy's signatures. Where the knots, the values or the points are traced the result
is traced, and its derivatives by all of them are exact; else they are SciPy's own, which may still
be evaluated at traced points.

>>> import numpy as np, wengert as wg
>>> from wengert.scipy.interpolate import CubicSpline
>>> x = np.array([0.0, 1.0, 2.0, 3.0])
>>> spline = CubicSpline(x, x**3)
>>> round(float(wg.grad(spline)(1.5)), 12)
6.75
>>> wg.grad(lambda y: CubicSpline(x, y)(1.5))(x**3).round(4).tolist()
[-0.0625, 0.5625, 0.5625, -0.0625]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import interpolate as _interpolate

from wengert.graph.registry import NUMPY as _NUMPY
from wengert.numpy.dispatch import as_tracer, tracers
from wengert.scipy.interpolate import basis, cubic, either, lines, pieces
from wengert.scipy.interpolate.either import both, from_arguments
from wengert.scipy.namespace import exposed, implements, refused
from wengert.tracing.lifting import find_session, is_traced

PPoly = both(_interpolate.PPoly, pieces.PiecewisePolynomial, either.traced_pieces)
CubicHermiteSpline = both(_interpolate.CubicHermiteSpline, cubic.hermite, either.traced_pieces)
CubicSpline = both(_interpolate.CubicSpline, cubic.spline, either.traced_pieces)
PchipInterpolator = both(_interpolate.PchipInterpolator, cubic.pchip, either.traced_pieces)
Akima1DInterpolator = both(_interpolate.Akima1DInterpolator, cubic.akima, either.traced_pieces)
BSpline = both(_interpolate.BSpline, basis.Spline, either.traced_spline)
interp1d = both(_interpolate.interp1d, lines.Lines, from_arguments(lines.Lines, "y"))
RegularGridInterpolator = both(
    _interpolate.RegularGridInterpolator, lines.Grid, from_arguments(lines.Grid, "values")
)


def make_interp_spline(
    x: Any,
    y: Any,
    k: int = 3,
    t: Any = None,
    bc_type: Any = None,
    axis: int = 0,
    check_finite: bool = True,
) -> Any:
    """`scipy.interpolate.make_interp_spline`, of traced arrays too."""
    if any(is_traced(value) for value in (x, y, t, bc_type)):
        return basis.interpolating(x, y, k, t, bc_type, axis, check_finite)
    made = _interpolate.make_interp_spline(x, y, k, t, bc_type, axis, check_finite)
    return BSpline.construct_fast(made.t, made.c, made.k, made.extrapolate, made.axis)


@implements(_interpolate.pchip_interpolate)
def _pchip_interpolate(xi: Any, yi: Any, x: Any, der: Any = 0, axis: int = 0) -> Any:
    xi, yi, x = tracers(xi, yi, x)
    polynomial = cubic.pchip(xi, yi, axis)
    if np.ndim(der) == 0:
        return polynomial(x, der)
    return [polynomial(x, nu) for nu in der]


@implements(_interpolate.interpn)
def _interpn(
    points: Any,
    values: Any,
    xi: Any,
    method: str = "linear",
    bounds_error: bool = True,
    fill_value: Any = np.nan,
) -> Any:
    session = find_session(points, values, xi)
    assert session is not None
    values = as_tracer(values, session)
    return lines.Grid(points, values, method, bounds_error, fill_value)(xi)


_FITPACK = "it is FITPACK's own code; take make_interp_spline and BSpline"
_REASONS = {
    **dict.fromkeys(
        ("splrep", "splev", "splint", "splder", "splantider", "spalde", "sproot", "splprep")
        + ("insert", "bisplrep", "bisplev", "make_splrep", "make_splprep", "generate_knots"),
        _FITPACK,
    ),
    **dict.fromkeys(
        ("make_lsq_spline", "make_smoothing_spline"),
        "it fits by code of SciPy's own; solve the least squares with np.linalg.lstsq",
    ),
    "griddata": "it triangulates the points by code of SciPy's own",
}
"""Why a function cannot be traced, where there is more to say than that it has no rule."""

globals().update(exposed(_interpolate, __name__))
_UNTRACED = [
    name
    for name in _interpolate.__all__
    if callable(getattr(_interpolate, name))
    and not isinstance(getattr(_interpolate, name), type)
    and name != "make_interp_spline"
    and getattr(_interpolate, name) not in _NUMPY
]
globals().update(
    refused(_interpolate, __name__, {n: _REASONS.get(n, "it has no rule") for n in _UNTRACED})
)

__all__ = ["basis", "cubic", "either", "lines", "pieces"]


def __getattr__(name: str) -> Any:
    """Other classes are SciPy's."""
    return getattr(_interpolate, name)
