"""Random numbers that are functions of a key: explicit, reproducible, the same in any batch.

A key is a uint64. It is used once: `split` makes new keys of it. The numbers are those of a
counter-based generator (Threefry-2x32; Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as
easy as 1, 2, 3*, SC 2011), without any state. So a function that draws them is pure: `jit` traces
it once and draws anew for each key, `vmap` over keys gives the numbers of a loop, and a derivative
is that of the draw at a fixed key.

Samplers of continuous distributions are reparameterised: a draw is a smooth function of its
parameters, so that the gradient of an expectation is the expectation of the gradient. On plain
arguments everything here is NumPy's arrays and NumPy's speed.

>>> import numpy as np, wengert as wg
>>> from wengert import random
>>> first, second = random.split(random.key(0))
>>> noise = random.normal(first, (3,))
>>> wg.grad(lambda scale: np.sum(random.normal(first, (3,), scale=scale)))(2.0) == np.sum(noise)
np.True_
"""

from wengert.random.continuous import (
    cauchy,
    exponential,
    gumbel,
    laplace,
    logistic,
    normal,
    truncated_normal,
    uniform,
)
from wengert.random.discrete import (
    bernoulli,
    binomial,
    categorical,
    poisson,
    rademacher,
    randint,
)
from wengert.random.gammas import beta, chisquare, dirichlet, gamma, loggamma, t
from wengert.random.keys import bits, fold_in, key, split
from wengert.random.orders import choice, permutation
from wengert.random.vectors import ball, multivariate_normal, orthogonal

__all__ = [
    "key",
    "split",
    "fold_in",
    "bits",
    "uniform",
    "normal",
    "truncated_normal",
    "exponential",
    "laplace",
    "logistic",
    "cauchy",
    "gumbel",
    "gamma",
    "loggamma",
    "beta",
    "chisquare",
    "dirichlet",
    "t",
    "multivariate_normal",
    "orthogonal",
    "ball",
    "bernoulli",
    "binomial",
    "categorical",
    "poisson",
    "rademacher",
    "randint",
    "choice",
    "permutation",
]
