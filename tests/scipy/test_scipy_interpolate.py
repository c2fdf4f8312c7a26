"""`wengert.scipy.interpolate` against SciPy: values, derivatives by knots, values and points."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.interpolate as theirs

from support import check, interpreted, leaves, same, traced_value
from wengert.derivatives.gradients import grad
from wengert.errors import Unsupported
from wengert.execution.jit import jit
from wengert.scipy import interpolate as ours

RNG = np.random.default_rng(11)
X = np.array([0.0, 0.9, 1.7, 3.1, 3.8, 5.0])
Y = np.array([0.3, -1.2, 0.8, 1.9, 1.1, -0.4])
MANY = RNG.standard_normal((2, 6))
AT = np.array([[-0.4, 0.3, 1.2], [2.05, 4.1, 5.6]])
INSIDE = np.array([0.3, 1.2, 2.1, 3.3, 4.1])


@pytest.fixture(autouse=True)
def _on_the_interpreter() -> Iterator[None]:
    with interpreted():
        yield


def against_scipy(
    use: Any, *arrays: Any, gradient: bool = True, second: bool = False, tolerance: float = 1e-6
) -> None:
    """use(module, *arrays) has SciPy's values, and derivatives by all arrays."""
    expected = leaves(use(theirs, *arrays))
    got = traced_value(lambda *inner: use(ours, *inner), *arrays)
    assert len(got) == len(expected)
    for value, other in zip(got, expected, strict=True):
        same(value, other, 1e-11)
    if gradient:
        f = lambda *inner: use(ours, *inner)
        check(f, *arrays, second=second, rtol=1e-11, tolerance=tolerance)


# ------------------------------------------------------------------------------------- cubics

CONDITIONS = [
    "not-a-knot",
    "natural",
    "clamped",
    ("clamped", "natural"),
    ((1, 0.7), (2, -0.3)),
    ((2, 0.4), "not-a-knot"),
]


@pytest.mark.parametrize("bc", CONDITIONS, ids=str)
def test_cubic_spline(bc: Any) -> None:
    against_scipy(lambda m, x, y, t: m.CubicSpline(x, y, bc_type=bc)(t), X, Y, AT)
    for n in (2, 3, 4):
        against_scipy(
            lambda m, x, y, t: m.CubicSpline(x, y, bc_type=bc)(t), X[:n], Y[:n], AT, gradient=n == 3
        )


def test_cubic_spline_second_order() -> None:
    against_scipy(lambda m, x, y, t: m.CubicSpline(x, y)(t), X[:5], Y[:5], INSIDE, second=True,
                  tolerance=1e-5)  # fmt: skip


@pytest.mark.parametrize("n", [2, 3, 4, 6])
def test_periodic_spline(n: int) -> None:
    def use(m: Any, x: Any, y: Any, t: Any) -> Any:
        closed = np.concatenate((y, y[:1]))
        return m.CubicSpline(x, closed, bc_type="periodic")(t)

    against_scipy(use, X[:n], Y[: n - 1], AT)


def test_values_given_at_the_ends_are_traced() -> None:
    against_scipy(
        lambda m, y, a, b: m.CubicSpline(X, y, bc_type=((1, a), (2, b)))(INSIDE), Y, 0.3, -0.8
    )


def test_cubic_spline_axes_and_complex_values() -> None:
    against_scipy(lambda m, y: m.CubicSpline(X, y, axis=1)(AT), MANY)
    against_scipy(lambda m, y: m.CubicSpline(X, y, axis=-1, bc_type="natural")(1.3), MANY)
    against_scipy(lambda m, y: m.CubicSpline(X, y)(AT, 1), MANY.T.copy())
    against_scipy(lambda m, y: m.CubicSpline(X, y)(INSIDE), Y * (1 + 2j))


def test_derivatives_and_integrals() -> None:
    for nu in (1, 2, 3, 4):
        against_scipy(lambda m, y, t, nu=nu: m.CubicSpline(X, y)(t, nu), Y, AT, gradient=nu < 3)
        against_scipy(lambda m, y, t, nu=nu: m.CubicSpline(X, y).derivative(nu)(t), Y, AT,
                      gradient=False)  # fmt: skip
    for nu in (1, 2):
        against_scipy(lambda m, x, y, t, nu=nu: m.CubicSpline(x, y).antiderivative(nu)(t), X, Y, AT)
    for a, b in ((0.3, 4.2), (4.0, 1.0), (-1.0, 6.0)):
        against_scipy(lambda m, x, y, a, b: m.CubicSpline(x, y).integrate(a, b), X, Y, a, b)
    closed = np.append(Y[:-1], Y[0])
    for a, b in ((0.3, 4.2), (4.0, 9.0), (-3.0, 13.0), (7.0, -8.5)):
        against_scipy(
            lambda m, a, b: m.CubicSpline(X, closed, bc_type="periodic").integrate(a, b), a, b
        )
    against_scipy(lambda m, y: m.CubicSpline(X, y, axis=1).integrate(0.5, 3.0), MANY)


def test_extrapolation() -> None:
    for kind in (True, False, "periodic"):
        against_scipy(
            lambda m, y, kind=kind: m.CubicSpline(X, y, extrapolate=kind)(AT), Y, gradient=False
        )
        against_scipy(
            lambda m, y, kind=kind: m.CubicSpline(X, y)(AT, extrapolate=kind), Y, gradient=False
        )

    def inside(y: Any) -> Any:
        return np.nansum(ours.CubicSpline(X, y, extrapolate=False)(AT))

    assert np.isfinite(grad(inside)(Y)).all()


@pytest.mark.parametrize("name", ["PchipInterpolator", "Akima1DInterpolator"])
def test_local_cubics(name: str) -> None:
    def use(m: Any, x: Any, y: Any, t: Any) -> Any:
        return getattr(m, name)(x, y, extrapolate=True)(t)

    against_scipy(use, X, Y, AT)
    steps = np.array([0.0, 0.0, 1.0, 1.0, 3.0, 2.0])
    against_scipy(use, X, steps, AT, gradient=False)
    for n in (2, 3):
        against_scipy(use, X[:n], Y[:n], AT, gradient=n == 2)
    against_scipy(lambda m, y: getattr(m, name)(X, y, axis=1)(AT), MANY, gradient=False)
    against_scipy(lambda m, y: getattr(m, name)(X, y)(INSIDE, 1), Y)


def test_other_cubics() -> None:
    against_scipy(lambda m, y, t: m.Akima1DInterpolator(X, y, method="makima")(t), Y, INSIDE)
    against_scipy(lambda m, x, y, s, t: m.CubicHermiteSpline(x, y, s)(t), X, Y, Y[::-1], AT)
    against_scipy(lambda m, y, t: m.pchip_interpolate(X, y, t, [0, 1]), Y, INSIDE)
    gradient = grad(lambda y: ours.PchipInterpolator(X, y)(1.2))(0 * Y)
    assert np.isfinite(gradient).all()


def test_piecewise_polynomials() -> None:
    c = RNG.standard_normal((3, 4))
    against_scipy(lambda m, c, x, t: m.PPoly(c, x)(t), c, X[:5], AT)
    against_scipy(lambda m, c, x, t: m.PPoly(c, x)(t, 1), c, X[:5], AT)
    against_scipy(lambda m, c, x, t: m.PPoly(c, x, False)(t), c, X[:5], INSIDE[:4])
    against_scipy(lambda m, c, x, t: m.PPoly(c, x)(t), c, -X[:5], -INSIDE[:4])
    against_scipy(lambda m, c, t: m.PPoly(c, X[:5]).antiderivative()(t), c, INSIDE)


# ----------------------------------------------------------------------------------- B-splines


@pytest.mark.parametrize("k", [0, 1, 2, 3, 4, 5])
def test_b_splines(k: int) -> None:
    t = np.concatenate(([0.0] * k, np.linspace(0, 5, 6), [5.0] * k))
    c = RNG.standard_normal(t.size - k - 1)
    apart = np.linspace(-0.4, 5.3, t.size) + 0.1 * np.cos(np.arange(t.size))
    against_scipy(lambda m, t, c, x: m.BSpline(t, c, k)(x), apart, c, INSIDE)
    against_scipy(lambda m, c, x: m.BSpline(t, c, k)(x), c, AT)
    against_scipy(lambda m, c, x: m.BSpline(t, c, k).antiderivative()(x), c, INSIDE)
    against_scipy(lambda m, c: m.BSpline(t, c, k).integrate(0.5, 4.2), c)
    against_scipy(lambda m, c: m.BSpline(t, c, k).integrate(-1.0, 6.0, False), c, gradient=False)
    for extrapolate in (False, "periodic"):
        against_scipy(lambda m, c, e=extrapolate: m.BSpline(t, c, k, e)(AT), c, gradient=False)
    if k:
        against_scipy(lambda m, c, x: m.BSpline(t, c, k)(x, 1), c, INSIDE)
        against_scipy(lambda m, c, x: m.BSpline(t, c, k).derivative(1)(x), c, INSIDE,
                      gradient=False)  # fmt: skip


@pytest.mark.parametrize("k", [0, 1, 2, 3, 5])
def test_interpolating_b_splines(k: int) -> None:
    x, y = np.append(X, [5.5, 6.4]), np.append(Y, [0.2, 0.5])
    against_scipy(lambda m, x, y, t: m.make_interp_spline(x, y, k)(t), x, y, INSIDE)
    against_scipy(lambda m, y: m.make_interp_spline(X, y, k, axis=1)(AT), MANY, gradient=False)


@pytest.mark.parametrize("bc", ["natural", "clamped", ([(1, 0.4)], [(2, -0.3)])], ids=str)
def test_interpolating_b_splines_with_conditions(bc: Any) -> None:
    against_scipy(lambda m, x, y, t: m.make_interp_spline(x, y, bc_type=bc)(t), X, Y, INSIDE)


# ------------------------------------------------------------------------------- lines and grids

KINDS = ["linear", "nearest", "nearest-up", "previous", "next", "zero", "slinear", "quadratic"]


@pytest.mark.parametrize("kind", [*KINDS, "cubic", 3])
def test_interp1d(kind: Any) -> None:
    against_scipy(lambda m, x, y, t: m.interp1d(x, y, kind)(t), X, Y, INSIDE)
    against_scipy(lambda m, y: m.interp1d(X, y, kind, axis=-1)(INSIDE), MANY, gradient=False)
    against_scipy(
        lambda m, y, f: m.interp1d(X, y, kind, fill_value=f, bounds_error=False)(AT), Y, 7.0
    )
    against_scipy(
        lambda m, y: m.interp1d(X, y, kind, fill_value=(1.0, 2.0), bounds_error=False)(AT), Y,
        gradient=False,
    )  # fmt: skip
    against_scipy(
        lambda m, y: m.interp1d(X, y, kind, fill_value="extrapolate")(AT), Y, gradient=False
    )
    against_scipy(lambda m, y: m.interp1d(X[::-1], y[::-1], kind)(X[1:4]), Y, gradient=False)
    with pytest.raises(ValueError, match="interpolation range"):
        traced_value(lambda y: ours.interp1d(X, y, kind)(AT), Y)


@pytest.mark.parametrize("method", ["linear", "nearest"])
def test_grids(method: str) -> None:
    y, z = np.array([0.0, 1.0, 2.5]), RNG.standard_normal((6, 3))
    at = np.array([[0.3, 0.6], [4.2, 2.2], [2.9, 1.3]])

    def use(m: Any, x: Any, y: Any, z: Any, at: Any) -> Any:
        return m.RegularGridInterpolator((x, y), z, method)(at)

    against_scipy(use, X, y, z, at)
    against_scipy(lambda m, z: m.interpn((X, y), z, at, method), z)
    against_scipy(lambda m, a, b: m.interpn((X, y), z, (a, b), method), at[:, 0], at[:, 1])
    against_scipy(lambda m, z: m.RegularGridInterpolator((X[::-1], y), z, method)(at), z)
    far = np.array([[-0.3, 0.6], [2.0, 2.8]])
    for fill in (None, 0.5, np.nan):
        against_scipy(
            lambda m, z, f=fill: m.RegularGridInterpolator((X, y), z, method, False, f)(far), z,
            gradient=False,
        )  # fmt: skip
    with pytest.raises(ValueError, match="out of bounds"):
        traced_value(lambda z: ours.RegularGridInterpolator((X, y), z)(far), z)
    with pytest.raises(Unsupported, match="cubic"):
        traced_value(lambda z: ours.RegularGridInterpolator((X, y), z, "cubic")(at), z)


# ---------------------------------------------------------------------------- SciPy's own objects


def test_objects_of_plain_arrays_are_scipys_and_take_traced_points() -> None:
    made = {
        "CubicSpline": (X, Y),
        "PchipInterpolator": (X, Y),
        "Akima1DInterpolator": (X, Y),
        "interp1d": (X, Y, "cubic"),
        "make_interp_spline": (X, Y, 3),
        "PPoly": (RNG.standard_normal((3, 5)), X),
    }
    for name, args in made.items():
        own, scipys = getattr(ours, name)(*args), getattr(theirs, name)(*args)
        assert isinstance(own, type(scipys))
        np.testing.assert_array_equal(own(INSIDE), scipys(INSIDE))
        check(own, INSIDE, rtol=1e-11)
        check(pickle.loads(pickle.dumps(own)), INSIDE[:2], rtol=1e-11)
    spline = ours.CubicSpline(X, Y)
    check(spline.derivative(), INSIDE, rtol=1e-11)
    check(lambda b: spline.integrate(0.2, b), 3.0, rtol=1e-11)
    grid = ours.RegularGridInterpolator((X, X[:3]), RNG.standard_normal((6, 3)))
    assert isinstance(grid, theirs.RegularGridInterpolator)
    check(grid, np.array([[0.3, 0.4], [2.2, 1.1]]), rtol=1e-11)


def test_under_jit() -> None:
    fast = jit(lambda y, t: ours.CubicSpline(X, y)(t))
    for y in (Y, Y[::-1].copy(), Y * 2):
        np.testing.assert_allclose(fast(y, INSIDE), theirs.CubicSpline(X, y)(INSIDE), rtol=1e-12)


def test_errors() -> None:
    cases: list[tuple[Any, str]] = [
        (lambda m, y: m.CubicSpline(X[::-1], y), "increasing"),
        (lambda m, y: m.CubicSpline(X[:3], y), "length of `y`"),
        (lambda m, y: m.CubicSpline(X, y, bc_type="odd"), "odd"),
        (lambda m, y: m.CubicSpline(X, y, bc_type="periodic"), "identical"),
        (lambda m, y: m.PPoly(y, X), "2-dimensional"),
        (lambda m, y: m.interp1d(X[:3], y), "equal in length"),
    ]
    for f, message in cases:
        with pytest.raises(ValueError, match=message):
            f(theirs, Y)
        with pytest.raises(ValueError, match=message):
            traced_value(lambda y, f=f: f(ours, y)(1.0), Y)
    for name in ("splrep", "griddata", "make_smoothing_spline", "lagrange"):
        with pytest.raises(Unsupported, match=name):
            traced_value(lambda y, n=name: getattr(ours, n)(X, y), Y)
