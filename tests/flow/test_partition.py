"""`cond` and `switch` under vmap, where each instance chooses for itself: a branch runs on its own
instances where that is cheaper, with the same values and derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from law_flow import check_vmap

import wengert as wg
from support import interpreted
from wengert.control.costs import is_costly
from wengert.graph.registry import find
from wengert.graph.types import array_type
from wengert.graph.verify import verify
from wengert.graph.walk import topological
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer
from wengert.transforms.batch import batch

X = np.array([[0.5, 1.0], [-0.3, 0.4], [0.2, -1.5], [1.2, 0.3], [-2.0, 0.1]])
A = np.random.default_rng(0).uniform(-1, 1, (5, 2, 2))


def loops(fl, x, a):
    def grown(y):
        return fl.while_loop(lambda u: np.sum(u**2) < 9, lambda u: u * 1.5 + np.sin(a @ u) ** 2, y)

    return fl.cond(x[0] > 0, grown, lambda y: (a @ y) * x, x)


def factors(fl, x, a):
    m = a + 3 * np.eye(2)
    return fl.cond(np.sum(x) > 0, lambda: np.linalg.solve(m, x), lambda: m @ x * x[0])


def three(fl, x, a):
    index = np.sum(x > 0)
    folds = [
        lambda y: fl.scan(lambda c, r: (np.sin(c * r) + x, c), y, a),
        lambda y: (y**2, np.exp(a)),
        lambda y: fl.scan(lambda c, r: (c * r, c), y, a, reverse=True),
    ]
    return fl.switch(index - 0, folds, x)


@pytest.mark.parametrize("program", [loops, factors, three])
def test_each_instance_takes_its_own_branch(program):
    with interpreted():
        check_vmap(program, X, A, order=2)


@pytest.mark.parametrize("program", [loops, factors])
def test_nested_and_compiled(program):
    def one(x, a):
        return program(wg, x, a)

    grid = wg.vmap(wg.vmap(one, (None, 0)), (0, None))
    expected = np.stack([[one(x, a) for a in A] for x in X])
    np.testing.assert_allclose(grid(X, A), expected, rtol=1e-12)
    np.testing.assert_allclose(wg.jit(grid)(X, A), expected, rtol=1e-12)
    slopes = wg.vmap(wg.grad(lambda x, a: np.sum(np.sin(one(x, a)))))
    each = [
        wg.grad(lambda x, a: np.sum(np.sin(one(x, a))))(x, a) for x, a in zip(X, A, strict=True)
    ]
    np.testing.assert_allclose(slopes(X, A), each, rtol=1e-11)
    np.testing.assert_allclose(wg.jit(slopes)(X, A), each, rtol=1e-11)


def ops_of(f, *batches):
    with outermost() as session:
        whole = [session.input(b, array_type(b.shape, b.dtype)) for b in batches]
        lanes = [session.lane(node, f) for node in whole]
        output = f(*(Tracer(lane, session) for lane in lanes)).node
        wide = batch([output], dict(zip(lanes, whole, strict=True)), len(batches[0]))
        verify(wide)
        return {node.op.name for node in topological(wide)}


def test_the_way_follows_the_cost():
    cheap = ops_of(lambda x: wg.cond(x > 0, np.sin, np.cos, x), X[:, 0])
    assert "partition" not in cheap
    assert "select" in cheap
    assert "partition" in ops_of(lambda x, a: loops(wg, x, a), X, A)
    assert "partition" in ops_of(lambda x, a: factors(wg, x, a), X, A)

    def product(x):
        return wg.cond(x[0, 0] > 0, lambda: np.sum(x @ x), lambda: x[0, 0])

    assert "partition" not in ops_of(product, np.ones((3, 8, 8)))
    assert "partition" in ops_of(product, np.ones((3, 128, 128)))
    assert not is_costly([])
    assert find("partition").pushforward is not None


def test_branches_that_fail_or_never_end_elsewhere():
    singular = np.array([np.eye(2), np.ones((2, 2)), 2 * np.eye(2)])

    def f(m):
        return wg.cond(m[0, 1] == 0, lambda: np.linalg.solve(m, m[0])[0], lambda: m[0, 0] * 5)

    np.testing.assert_array_equal(wg.vmap(f)(singular), [1.0, 5.0, 1.0])

    def halved(x):
        ends = lambda: wg.while_loop(lambda v: v > 1, lambda v: v / 2, x)  # never for infinity
        return wg.cond(np.isfinite(x), ends, lambda: -1.0)

    np.testing.assert_array_equal(wg.vmap(halved)(np.array([8.0, np.inf, 5.0])), [1.0, -1.0, 0.625])


def test_an_opaque_function_is_called_for_its_own_instances():
    log = []

    def run(x):
        log.append(float(x))
        return np.sin(x)

    f = wg.primitive(run)
    wg.defvjp(f, lambda y, x: lambda g: g * np.cos(x))
    x = np.array([0.5, -0.4, 0.7])
    mapped = wg.jit(wg.vmap(lambda x: wg.cond(x > 0, f, lambda y: y, x)))
    mapped(x)
    log.clear()
    np.testing.assert_array_equal(mapped(x), [np.sin(0.5), -0.4, np.sin(0.7)])
    assert set(log) == {0.5, 0.7}
    slopes = wg.vmap(wg.grad(lambda x: wg.cond(x > 0, f, lambda y: y, x)))(x)
    np.testing.assert_allclose(slopes, [np.cos(0.5), 1.0, np.cos(0.7)], rtol=1e-15)


def test_a_batch_of_none():
    mapped = wg.vmap(lambda x, a: loops(wg, x, a))
    assert mapped(X[:0], A[:0]).shape == (0, 2)


def test_what_all_instances_share_gets_the_sum():
    def loss(a, x):
        rows = wg.vmap(
            lambda x: wg.cond(
                x[0] > 0,
                lambda: np.linalg.solve(a, x),
                lambda: x,
            )
        )(x)
        return np.sum(np.sin(rows))

    m = A[0] + 3 * np.eye(2)

    def python(a, x):
        return sum(np.sum(np.sin(np.linalg.solve(a, r) if r[0] > 0 else r)) for r in x)

    for k in (0, 1):
        ours, theirs = wg.grad(loss, k)(m, X), wg.grad(python, k)(m, X)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    np.testing.assert_allclose(wg.hessian(loss)(m, X), wg.hessian(python)(m, X), atol=1e-12)
