"""Univariate distributions: SciPy's values, and derivatives against differences of SciPy's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from scipy import stats

import wengert as wg
from support import interpreted
from wengert.errors import Unsupported, WengertTypeError
from wengert.scipy import stats as traced
from wengert.scipy.stats.univariate import DISTRIBUTIONS, Univariate

SHAPES: dict[str, tuple[float, ...]] = {
    "t": (3.3,),
    "skewnorm": (1.4,),
    "vonmises": (1.3,),
    "truncnorm": (-0.6, 1.7),
    "beta": (1.4, 2.6),
    "gamma": (1.7,),
    "chi2": (3.1,),
    "invgamma": (2.2,),
    "lognorm": (0.8,),
    "weibull_min": (1.6,),
    "pareto": (2.4,),
    "f": (3.2, 5.1),
    "bernoulli": (0.3,),
    "binom": (7.0, 0.35),
    "poisson": (2.6,),
    "nbinom": (2.5, 0.4),
    "geom": (0.3,),
}
POINTS = np.array([-40, -3, -1, -0.6, -0.2, 0, 0.1, 0.25, 0.5, 0.9, 1, 1.7, 2, 2.5, 3, 7, 8, 25])
PROBABILITIES = np.array([-0.1, 0, 0.01, 0.3, 0.5, 0.8, 0.99, 1, 1.1])

by_name = pytest.mark.parametrize("name", DISTRIBUTIONS)


@contextmanager
def quiet() -> Iterator[None]:
    """SciPy's own warnings, in tails."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def is_discrete(dist: Univariate) -> bool:
    return "pmf" in dist.rules


def able(dist: Univariate) -> list[str]:
    """The methods that are traced."""
    return [m for m in dist.rules if m[-3:] in ("pdf", "pmf") or dist.law.rule(m) is not None]


def moved(dist: Univariate) -> tuple[float, ...]:
    """Location and scale."""
    return (1.0,) if is_discrete(dist) else (0.3, 1.7)


def agree(actual: Any, expected: Any, what: str, tolerance: float = 1e-10) -> None:
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=1e-14, err_msg=what)


@pytest.fixture(autouse=True)
def on_the_interpreter(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hundreds of small graphs, each of which is run once or twice."""
    if "machine" in request.node.name:
        yield
        return
    with interpreted():
        yield


@by_name
def test_values(name: str) -> None:
    """Inside the support, at its ends and outside, in standard form and moved."""
    dist, original = DISTRIBUTIONS[name], getattr(stats, name)
    for method in able(dist):
        points = PROBABILITIES if method in ("ppf", "isf") else POINTS
        for further in ((), moved(dist)):
            args = (*SHAPES.get(name, ()), *further)
            with quiet():
                expected = getattr(original, method)(points, *args)
            actual = wg.jit(lambda x, m=method, a=args: getattr(dist, m)(x, *a))(points)
            assert actual.dtype == expected.dtype
            agree(actual, expected, f"{name}.{method}{args}")


def test_machine_code_agrees() -> None:
    """The logarithms of all densities, in one program."""

    def together(x: Any) -> Any:
        return [
            getattr(dist, "logpmf" if is_discrete(dist) else "logpdf")(x, *SHAPES.get(name, ()))
            for name, dist in DISTRIBUTIONS.items()
        ]

    with quiet():
        expected = together(POINTS)
    for name, a, b in zip(DISTRIBUTIONS, wg.jit(together)(POINTS), expected, strict=True):
        agree(a, b, name)


@by_name
def test_infinity_and_nan(name: str) -> None:
    dist = DISTRIBUTIONS[name]
    shapes = SHAPES.get(name, ())
    ends = np.array([-np.inf, np.inf, np.nan])
    log = "logpmf" if is_discrete(dist) else "logpdf"
    density = wg.jit(lambda x: getattr(dist, log)(x, *shapes))(ends)
    assert density[:2].tolist() == [-np.inf, -np.inf]
    assert np.isnan(density[2])
    if dist.law.rule("cdf") is not None:
        below = wg.jit(lambda x: dist.cdf(x, *shapes))(ends)
        assert below[:2].tolist() == [0, 1]
        assert np.isnan(below[2])


@by_name
def test_parameters_out_of_range_give_nan(name: str) -> None:
    dist = DISTRIBUTIONS[name]
    shapes, further = SHAPES.get(name, ()), moved(dist)
    wrong = [(*shapes, *further[:1], -1.0)] if not is_discrete(dist) else []
    bad = {"skewnorm": np.inf, "truncnorm": 9.0}.get(name, -1.0)
    if shapes:
        wrong.append((bad, *shapes[1:]))
    assert wrong
    for args in wrong:
        for method in able(dist):
            x = np.array([0.2, 0.7, 3.0]) if method not in ("ppf", "isf") else np.array([0.2, 0.7])
            values = wg.jit(lambda x, m=method, a=args: getattr(dist, m)(x, *a))(x)
            assert np.isnan(values).all(), (method, args, values)


@by_name
def test_outside_of_the_support_derivatives_are_zero(name: str) -> None:
    """Of the logarithm, which is −∞, in both modes and by all arguments; nowhere NaN."""
    dist = DISTRIBUTIONS[name]
    shapes = SHAPES.get(name, ())
    points = POINTS[np.floor(POINTS) == POINTS] if is_discrete(dist) else POINTS
    log = "logpmf" if is_discrete(dist) else "logpdf"
    given = (points, *shapes)

    def f(*args: Any) -> Any:
        return getattr(dist, log)(*args)

    with quiet():
        outside = np.isneginf(f(*given))
    for k in range(len(given)):
        gradient = wg.grad(lambda *a: np.sum(np.where(np.isfinite(f(*a)), f(*a), 0)), argnums=k)
        assert np.isfinite(gradient(*given)).all()
        along = [np.ones_like(a) if i == k else np.zeros_like(a) for i, a in enumerate(given)]
        tangent = wg.jvp(f, given, tuple(along))[1]
        assert np.all(tangent[outside] == 0)
        assert not np.isnan(tangent).any()


# -------------------------------------------------------------------------------- derivatives


def slope(f: Callable[..., Any], args: tuple[Any, ...], k: int, h: float = 1e-3) -> Any:
    """The derivative by argument k, elementwise, by differences of order 6."""

    def at(step: int) -> Any:
        with quiet():
            return f(*[a + step * h if i == k else a for i, a in enumerate(args)])

    first, second, third = (at(step) - at(-step) for step in (1, 2, 3))
    return (45 * first - 9 * second + third) / (60 * h)


def inner_points(name: str, method: str) -> Any:
    """Points where SciPy's function is smooth, moved as `moved` moves them."""
    dist = DISTRIBUTIONS[name]
    if method in ("ppf", "isf"):
        return np.array([0.07, 0.31, 0.52, 0.83])
    if is_discrete(dist):
        whole = {"bernoulli": [0.0, 1.0], "geom": [1.0, 2.0, 5.0]}.get(name, [0.0, 2.0, 5.0])
        if name == "bernoulli" and method[-3:] not in ("pmf", "pdf"):
            whole = [0.0]
        return np.array(whole) + 1
    original = getattr(stats, name)
    return original.ppf([0.08, 0.3, 0.61, 0.9], *SHAPES.get(name, ()), *moved(dist))


def by_which(name: str, count: int) -> list[int]:
    """The arguments that have derivatives: not whole numbers, nor their location."""
    if not is_discrete(DISTRIBUTIONS[name]):
        return list(range(count))
    return [k for k in range(1, count - 1) if (name, k) != ("binom", 1)]


@by_name
def test_derivatives_of_densities(name: str) -> None:
    check_derivatives(name, [m for m in able(DISTRIBUTIONS[name]) if m[-3:] in ("pdf", "pmf")])


SLOW = {"beta", "f", "t", "binom", "nbinom"}
"""Their distribution functions are incomplete beta functions."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.long] * (n in SLOW)) for n in DISTRIBUTIONS]
)
def test_derivatives_of_probabilities(name: str) -> None:
    check_derivatives(name, [m for m in able(DISTRIBUTIONS[name]) if m[-3:] not in ("pdf", "pmf")])


def check_derivatives(name: str, methods: list[str]) -> None:
    """By the point and every parameter, in both modes, and of second order."""
    dist, original = DISTRIBUTIONS[name], getattr(stats, name)
    for method in methods:
        args = tuple(
            map(np.asarray, (inner_points(name, method), *SHAPES.get(name, ()), *moved(dist)))
        )
        which = by_which(name, len(args))

        def f(*a: Any, m: str = method) -> Any:
            return getattr(dist, m)(*a)

        def unit(k: int, args: Any = args) -> Any:
            return tuple(np.ones(a.shape) * (i == k) for i, a in enumerate(args))

        for k in which:
            what = f"{name}.{method} by argument {k}"

            def first(*a: Any, k: int = k, f: Any = f, unit: Any = unit) -> Any:
                return wg.jvp(f, a, unit(k))[1]

            tangent = first(*args)
            expected = slope(getattr(original, method), args, k)
            np.testing.assert_allclose(tangent, expected, rtol=2e-7, atol=1e-8, err_msg=what)
            gradient = wg.grad(lambda *a, f=f: np.sum(f(*a)), argnums=k)(*args)
            agree(np.sum(gradient), np.sum(tangent), what)
            j = which[(which.index(k) + 1) % len(which)]
            for by in {k, j}:
                second = wg.jvp(first, args, unit(by))[1]
                expected = slope(first, args, by)
                np.testing.assert_allclose(second, expected, rtol=2e-6, atol=1e-7, err_msg=what)


def test_second_derivative_at_the_mode_of_the_logistic_law() -> None:
    """Where a formula with |x| would have none."""
    assert wg.hessian(traced.logistic.logpdf)(0.0) == -0.5
    assert wg.hessian(traced.cauchy.ppf)(0.5) == pytest.approx(0, abs=1e-12)


# -------------------------------------------------------------------------------------- calls


def test_frozen_distributions() -> None:
    data = np.array([0.5, 1.5, 4.0])

    def f(loc: Any, scale: Any) -> Any:
        return np.sum(traced.norm(loc, scale=scale).logpdf(data))

    def direct(loc: Any, scale: Any) -> Any:
        return np.sum(traced.norm.logpdf(data, loc, scale))

    assert wg.grad(f, argnums=(0, 1))(0.4, 1.3) == wg.grad(direct, argnums=(0, 1))(0.4, 1.3)
    fixed = traced.gamma(2.0, scale=3.0)
    assert wg.grad(fixed.logpdf)(1.5) == wg.grad(lambda x: traced.gamma.logpdf(x, 2.0, 0, 3.0))(1.5)
    assert fixed.mean() == 6.0
    assert fixed.logpdf(1.5) == stats.gamma(2.0, scale=3.0).logpdf(1.5)
    assert (
        fixed.rvs(2, random_state=1).tolist()
        == stats.gamma(2, scale=3).rvs(2, random_state=1).tolist()
    )


def test_plain_calls_are_those_of_scipy() -> None:
    assert traced.norm.logpdf(0.3, 1.0) == stats.norm.logpdf(0.3, 1.0)
    assert traced.norm.fit([1.0, 2.0]) == stats.norm.fit([1.0, 2.0])
    assert traced.expon.name == "expon"
    assert traced.kstest is stats.kstest


def test_arguments_by_name_and_broadcast() -> None:
    def f(loc: Any) -> Any:
        return traced.t.logpdf(x=np.ones((4, 1)), df=[3.0, 4.0, 5.0], loc=loc, scale=2.0)

    expected = stats.t.logpdf(np.ones((4, 1)), [3.0, 4.0, 5.0], 0.2, 2.0)
    agree(wg.jit(f)(0.2), expected, "broadcast")
    agree(
        wg.jit(lambda k: traced.poisson.logpmf(k=k, mu=2.0))(3), np.log(2**3 * np.exp(-2) / 6), ""
    )
    batch = wg.vmap(lambda loc: traced.norm.logpdf(0.5, loc))(np.arange(3.0))
    agree(batch, stats.norm.logpdf(0.5, np.arange(3.0)), "batch")
    narrow = wg.jit(traced.norm.logpdf)(np.float32(0.5))
    assert narrow.dtype == stats.norm.logpdf(np.float32(0.5)).dtype == np.float64


def test_the_module_is_an_attribute() -> None:
    assert wg.scipy.stats is traced
    with pytest.raises(AttributeError, match="no attribute 'statistics'"):
        _ = wg.scipy.statistics


def test_errors_name_the_cure() -> None:
    with pytest.raises(Unsupported, match=r"wengert\.random"):
        wg.grad(lambda m: traced.norm.rvs(m, size=()))(0.5)
    with pytest.raises(Unsupported, match="pdf, logpdf can"):
        wg.grad(lambda k: traced.vonmises.cdf(0.3, k))(0.5)
    with pytest.raises(WengertTypeError, match="needs a"):
        wg.grad(lambda x: traced.gamma.logpdf(x))(0.5)
    with pytest.raises(WengertTypeError, match="at most"):
        wg.grad(lambda x: traced.norm.logpdf(x, 0, 1, 2))(0.5)
    with pytest.raises(WengertTypeError, match="'mu'"):
        wg.grad(lambda x: traced.norm.logpdf(x, mu=1))(0.5)


def test_a_density_in_a_branch_not_taken() -> None:
    """A mixture with a component whose support does not hold the point."""

    def f(x: Any) -> Any:
        return np.log(0.5 * traced.expon.pdf(x) + 0.5 * traced.norm.pdf(x))

    assert wg.grad(f)(-1.5) == pytest.approx(1.5, rel=1e-14)
    assert wg.hessian(f)(-1.5) == pytest.approx(-1, rel=1e-12)
