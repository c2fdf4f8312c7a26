"""The samplers: their distributions, their derivatives, and the same numbers on every way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import wengert as wg
from wengert import random
from wengert.errors import WengertTypeError, WengertValueError

KEY = random.key(20)
MANY = 4_000

Draw = Callable[..., Any]

# name: (key, shape, *parameters) -> draw, parameters, SciPy's distribution of these
CONTINUOUS: dict[str, tuple[Draw, tuple[float, ...], Callable[..., Any]]] = {
    "uniform": (
        lambda key, shape, a, b: random.uniform(key, shape, minval=a, maxval=b),
        (-1.5, 2.0),
        lambda a, b: stats.uniform(a, b - a),
    ),
    "normal": (
        lambda key, shape, m, s: random.normal(key, shape, loc=m, scale=s),
        (0.3, 1.7),
        stats.norm,
    ),
    "exponential": (
        lambda key, shape, s: random.exponential(key, shape, scale=s),
        (2.5,),
        lambda s: stats.expon(scale=s),
    ),
    "laplace": (
        lambda key, shape, m, s: random.laplace(key, shape, loc=m, scale=s),
        (0.3, 1.7),
        stats.laplace,
    ),
    "logistic": (
        lambda key, shape, m, s: random.logistic(key, shape, loc=m, scale=s),
        (0.3, 1.7),
        stats.logistic,
    ),
    "cauchy": (
        lambda key, shape, m, s: random.cauchy(key, shape, loc=m, scale=s),
        (0.3, 1.7),
        stats.cauchy,
    ),
    "gumbel": (
        lambda key, shape, m, s: random.gumbel(key, shape, loc=m, scale=s),
        (0.3, 1.7),
        stats.gumbel_r,
    ),
    "truncated_normal": (
        lambda key, shape, a, b, m, s: random.truncated_normal(key, a, b, shape, loc=m, scale=s),
        (-0.7, 1.9, 0.4, 1.3),
        stats.truncnorm,
    ),
    "truncated_normal in a tail": (
        lambda key, shape, a, b: random.truncated_normal(key, a, b, shape),
        (6.0, 9.0),
        stats.truncnorm,
    ),
    "gamma": (
        lambda key, shape, a, s: random.gamma(key, a, shape, scale=s),
        (2.6, 1.4),
        lambda a, s: stats.gamma(a, scale=s),
    ),
    "gamma of a small shape": (
        lambda key, shape, a: random.gamma(key, a, shape),
        (0.4,),
        stats.gamma,
    ),
    "loggamma": (
        lambda key, shape, a: random.loggamma(key, a, shape),
        (0.2,),
        stats.loggamma,
    ),
    "chisquare": (
        lambda key, shape, df: random.chisquare(key, df, shape),
        (3.5,),
        stats.chi2,
    ),
    "beta": (
        lambda key, shape, a, b: random.beta(key, a, b, shape),
        (0.6, 2.2),
        stats.beta,
    ),
    "t": (
        lambda key, shape, df, m, s: random.t(key, df, shape, loc=m, scale=s),
        (3.2, 0.3, 1.7),
        stats.t,
    ),
}

by_name = pytest.mark.parametrize("name", CONTINUOUS)


@by_name
def test_distribution(name: str) -> None:
    """Kolmogorov and Smirnov find no difference; on another key neither."""
    draw, parameters, distribution = CONTINUOUS[name]
    for seed in (1, 2):
        sample = draw(random.key(seed), (MANY,), *parameters)
        assert sample.dtype == np.float64
        assert stats.kstest(sample, distribution(*parameters).cdf).pvalue > 1e-3


@by_name
def test_wrong_parameters_would_be_found(name: str) -> None:
    draw, parameters, distribution = CONTINUOUS[name]
    sample = draw(KEY, (MANY,), *parameters)
    other = tuple(p * 1.2 + 0.1 for p in parameters)
    assert stats.kstest(sample, distribution(*other).cdf).pvalue < 1e-3


@by_name
def test_derivatives_are_those_of_the_draw(name: str) -> None:
    """At a fixed key, against differences of high order of the draw itself; second order too."""
    draw, parameters, _ = CONTINUOUS[name]
    weights = np.linspace(0.4, 1.6, 6)

    def total(*given: Any) -> Any:
        return np.sum(weights * draw(KEY, (6,), *given))

    def slope(f: Any, k: int, h: float = 2e-3) -> Any:
        def at(step: float) -> Any:
            return f(*[p + step * h * (i == k) for i, p in enumerate(parameters)])

        sides = [at(step) - at(-step) for step in (1, 2, 3)]
        return (45 * sides[0] - 9 * sides[1] + sides[2]) / (60 * h)

    which = tuple(range(len(parameters)))
    gradient = wg.grad(total, argnums=which)
    hessian = wg.hessian(total, argnums=which)(*parameters)
    for k in which:
        value = gradient(*parameters)[k]
        assert value == pytest.approx(slope(total, k), rel=1e-7, abs=1e-8)
        one = [float(i == k) for i in which]
        forward = wg.jvp(total, parameters, tuple(one))[1]
        assert forward == pytest.approx(value, rel=1e-12, abs=1e-12)
        for j in which:
            second = slope(lambda *p, j=j: gradient(*p)[j], k)
            assert hessian[j][k] == pytest.approx(second, rel=1e-6, abs=1e-7)


@by_name
def test_one_draw_on_every_way(name: str) -> None:
    """Plain, in a program of machine code, for a batch of keys, and in single precision."""
    draw, parameters, _ = CONTINUOUS[name]
    plain = draw(KEY, (3, 5), *parameters)
    program = wg.jit(lambda key, *p: draw(key, (3, 5), *p))
    np.testing.assert_allclose(program(KEY, *parameters), plain, rtol=1e-12, atol=1e-13)
    keys = random.split(KEY, 3)
    together = wg.vmap(lambda key: draw(key, (2, 4), *parameters))(keys)
    loop = np.stack([draw(key, (2, 4), *parameters) for key in keys])
    np.testing.assert_allclose(together, loop, rtol=1e-13, atol=1e-14)
    narrow = draw(KEY, (3, 5), *map(np.float32, parameters))
    assert narrow.dtype == np.float32
    traced = wg.jit(lambda *p: draw(KEY, (3, 5), *p))(*map(np.float32, parameters))
    assert traced.dtype == np.float32
    np.testing.assert_allclose(narrow, plain, rtol=5e-3, atol=5e-3)


def test_bits_of_uniform_numbers_agree_on_both_tiers() -> None:
    for dtype in (np.float64, np.float32):
        for shape in ((), (1,), (0,), (33,), (3, 70)):
            plain = random.uniform(KEY, shape, dtype)
            program = wg.jit(lambda key, s=shape, d=dtype: random.uniform(key, s, d))
            assert np.array_equal(program(KEY), plain)
            assert program(KEY).dtype == plain.dtype == dtype


def test_parameters_broadcast() -> None:
    assert random.normal(KEY, loc=np.zeros((2, 1)), scale=[1.0, 2.0, 3.0]).shape == (2, 3)
    assert random.gamma(KEY, [0.5, 2.0], (4, 2)).shape == (4, 2)
    assert random.normal(KEY).shape == ()
    assert isinstance(random.normal(KEY), np.float64)
    with pytest.raises(WengertValueError, match="cannot be broadcast to the shape"):
        random.normal(KEY, (2,), loc=np.zeros(3))
    with pytest.raises(WengertTypeError, match="float64 or float32"):
        random.normal(KEY, (2,), np.int64)
    assert random.normal(KEY, (2,), loc=np.arange(2)).dtype == np.float64


def test_far_tails_and_tiny_shapes() -> None:
    far = random.truncated_normal(KEY, 40.0, np.inf, (500,))
    assert np.all((far >= 40) & (far < 41))
    left = random.truncated_normal(KEY, -np.inf, -40.0, (500,))
    assert np.all((left <= -40) & (left > -41))
    assert np.isfinite(random.loggamma(KEY, 1e-6, (500,))).all()
    points = random.dirichlet(KEY, np.full(3, 1e-4), (200,))
    np.testing.assert_allclose(points.sum(axis=-1), 1)
    assert np.isnan(random.gamma(KEY, -1.0))


def test_pathwise_gradients_of_expectations() -> None:
    """The mean of the derivative is the derivative of the mean."""

    def mean(a: float) -> Any:
        return np.mean(random.gamma(KEY, a, (MANY,)))

    def mean_of_beta(a: float) -> Any:
        return np.mean(random.beta(KEY, a, 2.0, (MANY,)))

    assert wg.grad(mean)(0.7) == pytest.approx(1, abs=0.1)
    assert wg.grad(mean)(3.0) == pytest.approx(1, abs=0.03)
    assert wg.grad(mean_of_beta)(1.5) == pytest.approx(2 / 3.5**2, abs=0.01)


# --------------------------------------------------------------------------- of several numbers


def test_dirichlet() -> None:
    alpha = np.array([0.5, 1.5, 3.0])
    points = random.dirichlet(KEY, alpha, (MANY,))
    for k in range(3):
        marginal = stats.beta(alpha[k], alpha.sum() - alpha[k])
        assert stats.kstest(points[:, k], marginal.cdf).pvalue > 1e-3
    weights = np.arange(6.0).reshape(2, 3)

    def total(alpha: Any) -> Any:
        return np.sum(weights * random.dirichlet(KEY, alpha, (2,)))

    differences = [(total(alpha + 1e-5 * e) - total(alpha - 1e-5 * e)) / 2e-5 for e in np.eye(3)]
    np.testing.assert_allclose(wg.grad(total)(alpha), differences, rtol=1e-6, atol=1e-8)
    with pytest.raises(WengertValueError, match="0-d"):
        random.dirichlet(KEY, 1.0)


def test_multivariate_normal() -> None:
    mean, cov = np.array([1.0, -2.0]), np.array([[2.0, 0.6], [0.6, 1.0]])
    points = random.multivariate_normal(KEY, mean, cov, (MANY,))
    np.testing.assert_allclose(points.mean(axis=0), mean, atol=0.1)
    np.testing.assert_allclose(np.cov(points.T), cov, atol=0.1)
    distances = np.einsum("ni,ij,nj->n", points - mean, np.linalg.inv(cov), points - mean)
    assert stats.kstest(distances, stats.chi2(2).cdf).pvalue > 1e-3
    assert random.multivariate_normal(KEY, np.zeros((3, 1, 2)), np.eye(2)).shape == (3, 1, 2)
    stacked = np.broadcast_to(np.eye(2), (4, 2, 2))
    assert random.multivariate_normal(KEY, np.zeros(2), stacked).shape == (4, 2)
    with pytest.raises(WengertValueError, match="covariance of shape"):
        random.multivariate_normal(KEY, np.zeros(3), np.eye(2))


def test_multivariate_normal_by_its_covariance() -> None:
    cov, turn = np.array([[2.0, 0.6], [0.6, 1.0]]), np.array([[0.3, -0.2], [-0.2, 0.5]])
    weights = np.arange(6.0).reshape(3, 2)

    def total(s: Any) -> Any:
        draw = random.multivariate_normal(KEY, np.array([1.0, 2.0]) * s, cov + s * turn, (3,))
        return np.sum(weights * draw)

    differences = (total(0.3 + 1e-5) - total(0.3 - 1e-5)) / 2e-5
    assert wg.grad(total)(0.3) == pytest.approx(differences, rel=1e-8)
    keys = random.split(KEY, 3)
    draw = lambda key: random.multivariate_normal(key, np.zeros(2), cov, (4,))
    together = wg.vmap(draw)(keys)
    np.testing.assert_allclose(together, np.stack([draw(key) for key in keys]), rtol=1e-12)


def test_orthogonal() -> None:
    matrices = random.orthogonal(KEY, 3, (500,))
    products = np.matmul(matrices, np.swapaxes(matrices, -1, -2))
    np.testing.assert_allclose(products, np.broadcast_to(np.eye(3), (500, 3, 3)), atol=1e-12)
    # the first column is uniform on the sphere, so each coordinate is uniform (Archimedes)
    assert stats.kstest(matrices[:, 0, 0], stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert stats.kstest(matrices[:, 2, 2], stats.uniform(-1, 2).cdf).pvalue > 1e-3
    program = wg.jit(lambda key: random.orthogonal(key, 3))
    np.testing.assert_allclose(program(KEY), random.orthogonal(KEY, 3), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.5])
def test_ball(p: float) -> None:
    points = random.ball(KEY, 3, p, (MANY,))
    radius = np.sum(np.abs(points) ** p, axis=-1) ** (1 / p)
    assert stats.kstest(radius**3, stats.uniform.cdf).pvalue > 1e-3
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.05)

    def total(p: Any) -> Any:
        return np.sum(np.arange(6.0).reshape(2, 3) * random.ball(KEY, 3, p, (2,)))

    if p == 3.5:  # 1 and 2 are drawn in ways of their own
        differences = (total(p + 1e-5) - total(p - 1e-5)) / 2e-5
        assert wg.grad(total)(p) == pytest.approx(differences, rel=1e-7)


# ----------------------------------------------------------------------------- whole numbers


def counts_fit(draws: Any, probabilities: Any) -> bool:
    seen = np.bincount(np.asarray(draws).ravel(), minlength=len(probabilities))
    expected = np.asarray(probabilities) * draws.size
    return len(seen) == len(expected) and stats.chisquare(seen, expected).pvalue > 1e-3


def test_bernoulli_and_rademacher() -> None:
    assert counts_fit(random.bernoulli(KEY, 0.3, (MANY,)).astype(int), [0.7, 0.3])
    assert not random.bernoulli(KEY, 0.0, (MANY,)).any()
    assert random.bernoulli(KEY, 1.0, (MANY,)).all()
    signs = random.rademacher(KEY, (MANY,))
    assert signs.dtype == np.float64
    assert counts_fit((signs.astype(int) + 1) // 2, [0.5, 0.5])


def test_randint() -> None:
    draws = random.randint(KEY, (MANY,), -3, 4)
    assert counts_fit(draws + 3, np.full(7, 1 / 7))
    assert random.randint(KEY, (5,), 0, 3, np.int8).dtype == np.int8
    assert random.randint(KEY, None, [0, 10], [1, 11]).tolist() == [0, 10]
    program = wg.jit(lambda key, top: random.randint(key, (50,), 0, top))
    assert program(KEY, 9).tolist() == random.randint(KEY, (50,), 0, 9).tolist()
    with pytest.raises(WengertValueError, match="no integer"):
        random.randint(KEY, (2,), 3, 3)
    with pytest.raises(WengertTypeError, match="integers"):
        random.randint(KEY, (2,), 0, 2.5)


def test_categorical() -> None:
    p = np.array([0.1, 0.2, 0.0, 0.7])
    with np.errstate(divide="ignore"):
        logits = np.log(p)
    draws = random.categorical(KEY, logits, shape=(MANY,))
    assert not (draws == 2).any()
    kept = np.where(draws == 3, 2, draws)
    assert counts_fit(kept, [0.1, 0.2, 0.7])
    table = np.zeros((5, 2, 3))
    assert random.categorical(KEY, table, axis=0).shape == (2, 3)
    assert random.categorical(KEY, table, axis=0, shape=(4, 2, 3)).shape == (4, 2, 3)
    with pytest.raises(WengertValueError, match="does not end in"):
        random.categorical(KEY, table, axis=0, shape=(4, 2))


def test_poisson_and_binomial() -> None:
    k = np.arange(12)
    draws = np.minimum(random.poisson(KEY, 3.5, (MANY,)), 11)
    p = stats.poisson(3.5).pmf(k)
    assert counts_fit(draws, [*p[:-1], 1 - p[:-1].sum()])
    draws = random.binomial(KEY, 6, 0.3, (MANY,))
    assert counts_fit(draws, stats.binom(6, 0.3).pmf(np.arange(7)))
    assert random.poisson(KEY, [0.0, -1.0, np.nan]).tolist() == [0, -1, -1]
    assert random.binomial(KEY, [4, 4, 2.5, 3], [0.0, 1.0, 0.5, 1.5]).tolist() == [0, 4, -1, -1]
    u = (random.bits(KEY, (50,)) >> np.uint64(12)).astype(float) * 2.0**-52 + 2.0**-53
    assert random.poisson(KEY, 40.0, (50,)).tolist() == stats.poisson(40.0).ppf(u).tolist()
    assert random.binomial(KEY, 90, 0.6, (50,)).tolist() == stats.binom(90, 0.6).ppf(u).tolist()


def test_draws_of_whole_numbers_in_programs_and_batches() -> None:
    draws: list[Draw] = [
        lambda key: random.poisson(key, 3.5, (6,)),
        lambda key: random.binomial(key, 9, 0.4, (6,)),
        lambda key: random.bernoulli(key, 0.4, (6,)),
        lambda key: random.rademacher(key, (6,)),
        lambda key: random.randint(key, (6,), 0, 100),
        lambda key: random.categorical(key, np.zeros(5), shape=(6,)),
        lambda key: random.permutation(key, 6),
        lambda key: random.choice(key, 9, (2, 2)),
        lambda key: random.choice(key, 9, (2, 2), replace=False),
        lambda key: random.choice(key, 9, (4,), p=np.arange(9) / 36),
        lambda key: random.choice(key, 9, (4,), replace=False, p=np.arange(9) / 36),
    ]
    keys = random.split(KEY, 3)
    for draw in draws:
        loop = np.stack([draw(key) for key in keys])
        assert wg.jit(draw)(keys[0]).tolist() == loop[0].tolist()
        assert wg.vmap(draw)(keys).tolist() == loop.tolist()
        assert wg.jit(draw)(keys[0]).dtype == loop.dtype


def test_derivatives_of_whole_numbers_are_zero() -> None:
    assert wg.grad(lambda p: np.sum(random.binomial(KEY, 9, p, (5,)) * p))(0.4) == np.sum(
        random.binomial(KEY, 9, 0.4, (5,))
    )
    assert wg.grad(lambda m: np.sum(random.poisson(KEY, m, (5,)) * 1.0))(3.0) == 0


# ------------------------------------------------------------------------------------- orders


def test_permutation() -> None:
    keys = random.split(KEY, 3_000)
    orders = [tuple(random.permutation(key, 3).tolist()) for key in keys]
    seen = [orders.count(order) for order in sorted(set(orders))]
    assert len(seen) == 6
    assert stats.chisquare(seen).pvalue > 1e-3
    x = np.arange(12.0).reshape(3, 4)
    rows = random.permutation(KEY, x)
    assert sorted(rows[:, 0].tolist()) == x[:, 0].tolist()
    assert np.all(np.diff(rows, axis=1) == 1)
    apart = random.permutation(KEY, x, axis=1, independent=True)
    assert np.array_equal(np.sort(apart, axis=1), x)
    assert wg.grad(lambda x: random.permutation(KEY, x)[0, 0] ** 2)(x).sum() == 2 * rows[0, 0]


def test_choice() -> None:
    p = np.array([0.2, 0.0, 0.5, 0.3])
    draws = random.choice(KEY, 4, (MANY,), p=p)
    assert not (draws == 1).any()
    assert counts_fit(np.where(draws == 3, 1, draws), [0.2, 0.3, 0.5])
    first = [int(random.choice(key, 4, (2,), False, p)[0]) for key in random.split(KEY, 2_000)]
    assert counts_fit(np.where(np.array(first) == 3, 1, first), [0.2, 0.3, 0.5])
    a = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert random.choice(KEY, a, (5,), axis=1).shape == (2, 5)
    assert len(set(random.choice(KEY, 10, (10,), replace=False).tolist())) == 10
    with pytest.raises(WengertValueError, match="cannot be taken"):
        random.choice(KEY, 3, (4,), replace=False)
    with pytest.raises(WengertValueError, match="p has shape"):
        random.choice(KEY, 3, (4,), p=np.ones(2))
    with pytest.raises(WengertValueError, match="probabilities"):
        random.choice(KEY, 2, (4,), p=np.array([1.0, -1.0]))


# ------------------------------------------------------------------------------------ at length


@pytest.mark.long
@by_name
def test_distribution_of_many(name: str) -> None:
    draw, parameters, distribution = CONTINUOUS[name]
    sample = wg.jit(lambda key: draw(key, (200_000,), *parameters))(random.key(3))
    assert stats.kstest(sample, distribution(*parameters).cdf).pvalue > 1e-4


@pytest.mark.long
def test_neighbours_are_uncorrelated() -> None:
    """Neighbouring numbers, seeds, keys of a split, and a key with those split from it."""
    n = 1_000_000
    draw = wg.jit(lambda key: random.normal(key, (n,)))
    x = draw(random.key(0))
    first, second = random.split(random.key(0))
    others = [np.roll(x, lag) for lag in (1, 2, 3, 64)]
    others += [draw(key) for key in (random.key(1), first, second, random.fold_in(first, 7))]
    for other in others:
        assert abs(np.mean(x * other)) < 5 / np.sqrt(n)
        assert abs(np.mean(x**2 * other**2) - 1) < 5 * np.sqrt(8 / n)
    assert abs(np.mean(draw(first) * draw(second))) < 5 / np.sqrt(n)
