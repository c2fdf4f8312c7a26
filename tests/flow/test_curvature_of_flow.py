"""Laplacians, diagonals and sparse Hessians of loops and branches are those of dense Hessians."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg

W = np.random.default_rng(0).normal(size=(5, 5))
X = np.linspace(0.3, 1.2, 5)


def checkpointed_steps(x):
    step = wg.checkpoint(lambda c, t: np.sin(c * t) + t)
    return wg.scan(lambda c, t: (step(c, t), None), np.prod(x), np.sin(x))[0]


def own_branches(x):
    one = lambda t: wg.cond(t > 0.6, lambda s: s**3, lambda s: np.sin(s) * s, t)
    return np.sum(wg.vmap(one)(W @ x))


PROGRAMS = {
    "carry": lambda x: wg.scan(lambda c, t: (np.sin(c * t) + t * t, None), np.sum(x), x * x)[0],
    "rows": lambda x: np.sum(wg.scan(lambda c, t: (np.sin(c * t), c * c * t), x[0], x)[1] ** 2),
    "fori": lambda x: np.sum(wg.fori_loop(0, 3, lambda i, y: np.tanh(W @ y) * y, x)),
    "while": lambda x: np.sum(
        wg.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, np.sin(W @ s[1])), (0, x))[1]
    ),
    "cond": lambda x: wg.cond(x[0] > 0, lambda y: np.sum(np.tanh(W @ y) ** 2), np.sum, x),
    "switch": lambda x: wg.switch(1, [np.sum, lambda y: np.prod(y) * np.sum(np.sin(W @ y))], x),
    "checkpoint": lambda x: np.sum(wg.checkpoint(lambda y: np.sin(W @ (y * y)))(x) ** 2),
    "checkpointed steps": checkpointed_steps,
    "own branches": own_branches,
    "map": lambda x: np.sum(wg.map(lambda t: np.exp(t) * t, W @ x)),
    "prefixes": lambda x: np.sum(wg.associative_scan(lambda a, b: a * b, x) ** 2),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_curvature_is_that_of_the_dense_hessian(name: str) -> None:
    fun = PROGRAMS[name]
    dense = wg.jacfwd(wg.grad(fun))(X)
    step = 1e-5
    numeric = [(wg.grad(fun)(X + step * e) - wg.grad(fun)(X - step * e)) for e in np.eye(5)]
    np.testing.assert_allclose(np.array(numeric).T / (2 * step), dense, rtol=0, atol=1e-6)
    scale = 1e-12 * max(1.0, np.abs(dense).max())
    np.testing.assert_allclose(wg.laplacian(fun)(X), np.trace(dense), rtol=0, atol=scale)
    np.testing.assert_allclose(wg.hessian_diagonal(fun)(X), np.diag(dense), rtol=0, atol=scale)
    np.testing.assert_allclose(wg.jacrev(wg.grad(fun))(X), dense, rtol=0, atol=scale)
    np.testing.assert_allclose(wg.jacfwd(wg.jacfwd(fun))(X), dense, rtol=0, atol=scale)
    sparse = wg.hessian(fun, sparse=True, probe=True)(X)
    np.testing.assert_allclose(sparse.toarray(), dense, rtol=0, atol=scale)
