"""vmap is the function on each instance, stacked; it nests and composes with everything else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import wengert as wg
from wengert.errors import NoValue

_rng = np.random.default_rng(0)
X = _rng.uniform(-1, 1, (4, 3))
M = _rng.uniform(-1, 1, (4, 3, 3))


def same(ours, theirs, rtol=1e-13):
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)
    assert np.shape(ours) == np.shape(theirs)


# ----------------------------------------------------------------------------------- axes


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_the_axis_of_an_argument(axis):
    same(wg.vmap(np.cumsum, axis)(X), np.stack([np.cumsum(r) for r in np.moveaxis(X, axis, 0)]))


@pytest.mark.parametrize("place", [0, 1, 2, -1, -2, -3])
def test_the_axis_of_a_result(place):
    expected = np.stack([np.outer(r, r) for r in X], axis=place)
    same(wg.vmap(lambda r: np.outer(r, r), out_axes=place)(X), expected)


def test_arguments_that_are_shared():
    same(wg.vmap(np.dot, (0, None))(X, X[0]), X @ X[0])
    same(wg.vmap(np.dot, (None, 1))(X, X.T), (X @ X.T).T)
    same(wg.vmap(lambda x, s: x * s, (0, None))(X, 2.0), X * 2)
    same(wg.vmap(lambda x, *, s: x * s)(X, s=np.arange(4.0)), X * np.arange(4.0)[:, None])


def test_structures():
    tree = {"a": X, "b": (M, np.arange(4.0))}

    def f(t):
        return {"u": t["b"][0] @ t["a"], "v": [t["b"][1] * 2, None]}

    found = wg.vmap(f)(tree)
    same(found["u"], np.einsum("nij,nj->ni", M, X))
    same(found["v"][0], 2 * np.arange(4.0))
    assert found["v"][1] is None
    partial = wg.vmap(lambda t, s: t["a"] * s, ({"a": 1, "b": None}, None))(
        {"a": X.T, "b": (M[0], 1.0)}, 3.0
    )
    same(partial, X * 3)
    out = wg.vmap(lambda x: (x, np.sum(x)), out_axes=(1, 0))(X)
    same(out[0], X.T)
    same(out[1], X.sum(1))

    @dataclasses.dataclass
    class Point:
        x: object
        y: object

    moved = wg.vmap(lambda p: Point(p.x + p.y, p.y))(Point(X, np.ones(4)))
    same(moved.x, X + 1)


def test_results_that_are_the_same_for_all():
    same(wg.vmap(lambda x: np.ones(2))(X), np.ones((4, 2)))
    same(wg.vmap(lambda x: 3.0)(X), np.full(4, 3.0))
    a, b = wg.vmap(lambda x, y: (x, y * 2), (0, None), out_axes=(0, None))(X, np.arange(2.0))
    same(b, np.arange(2.0) * 2)
    same(a, X)
    same(wg.vmap(lambda: np.arange(3.0), axis_size=2)(), np.stack([np.arange(3.0)] * 2))


def test_dtypes():
    assert wg.vmap(lambda x: x * 2.0)(X.astype(np.float32)).dtype == np.float32
    assert wg.vmap(lambda k: k + 1)(np.arange(3)).dtype == np.int64
    assert wg.vmap(lambda z: abs(z))(X[0] + 1j).dtype == np.float64
    assert wg.vmap(lambda x: x > 0)(X).dtype == np.bool_
    assert wg.vmap(np.sin)(X[:0]).shape == (0, 3)


# ---------------------------------------------------------------------------- composition


def loss(m, x):
    return np.sum(np.sin(m @ x) * np.where(x > 0, np.exp(x), 0.5))


TRANSFORMED = {
    "grad": lambda: wg.grad(loss, (0, 1)),
    "value_and_grad": lambda: wg.value_and_grad(loss),
    "hessian": lambda: wg.hessian(loss, 1),
    "jacfwd": lambda: wg.jacfwd(lambda m, x: m @ np.sin(x), 1),
    "jacrev": lambda: wg.jacrev(lambda m, x: m @ np.sin(x), 1),
    "jvp": lambda: lambda m, x: wg.jvp(lambda x: m @ np.sin(x), (x,), (x * 2,)),
    "vjp": lambda: lambda m, x: wg.vjp(lambda x: m @ np.sin(x), x)[1](x * 2),
    "linearize": lambda: lambda m, x: wg.linearize(lambda x: m @ np.sin(x), x)[1](x * 2),
    "hvp": lambda: lambda m, x: wg.hvp(lambda x: loss(m, x), x, x * 2),
    "jit": lambda: wg.jit(loss),
    "jit of grad": lambda: wg.jit(wg.grad(loss)),
    "vmap": lambda: wg.vmap(lambda row, t: np.sin(row) * t, (0, None)),
    "stop_gradient": lambda: wg.grad(lambda m, x: loss(wg.stop_gradient(m), x), 1),
}


@pytest.mark.parametrize("name", TRANSFORMED)
@pytest.mark.parametrize("axes", [(0, 0), (0, None), (None, 0)])
def test_a_transformation_under_vmap(name, axes):
    f = TRANSFORMED[name]()
    args = tuple(a if axis == 0 else a[0] for a, axis in zip((M, X), axes, strict=True))
    rows = [
        f(*(a[k] if axis == 0 else a for a, axis in zip(args, axes, strict=True))) for k in range(4)
    ]
    for mapped in (wg.vmap(f, axes), wg.jit(wg.vmap(f, axes))):
        found = mapped(*args)
        if isinstance(found, tuple):
            for k, part in enumerate(found):
                same(part, np.stack([row[k] for row in rows]))
        else:
            same(found, np.stack(rows))


def test_transformations_of_vmap():
    def f(x):
        return wg.vmap(loss, (0, None))(M, x)

    def g(x):
        return np.stack([loss(m, x) for m in M])

    x = X[0]
    for transformation in (wg.jacfwd, wg.jacrev, wg.jacobian):
        same(transformation(f)(x), transformation(g)(x))
    total, plain = (lambda x: np.sum(f(x) ** 2)), (lambda x: np.sum(g(x) ** 2))
    expected = wg.hessian(plain)(x)
    for outer in (wg.jacfwd, wg.jacrev):
        for inner in (wg.jacfwd, wg.jacrev):
            same(outer(inner(total))(x), expected, 1e-12)
    same(wg.hvp(total, x, x), wg.hvp(plain, x, x), 1e-12)
    same(wg.jvp(f, (x,), (x,))[1], wg.jvp(g, (x,), (x,))[1])


def test_nesting():
    same(
        wg.vmap(wg.vmap(lambda a, b: a * b, (None, 0)), (0, None))(X[0], X[1]), np.outer(X[0], X[1])
    )
    same(wg.vmap(wg.vmap(wg.vmap(np.sin)))(M), np.sin(M))
    same(
        wg.vmap(lambda m, x: wg.vmap(lambda r: np.dot(r, x))(m))(M, X),
        np.einsum("nij,nj->ni", M, X),
    )
    same(
        wg.vmap(
            lambda x: wg.grad(lambda s: np.sum(wg.vmap(lambda v: np.sin(v * s) * x[0])(x)))(1.0)
        )(X),
        [np.sum(np.cos(r) * r * r[0]) for r in X],
    )
    pairs = wg.vmap(lambda a: wg.vmap(lambda b: np.sum((a - b) ** 2))(X))(X)
    same(pairs, np.sum((X[:, None] - X[None]) ** 2, -1))


# --------------------------------------------------------------- what functions are made of


def assigned(x):
    y = np.sin(x)
    y[0] = x[1] * 2
    y[1:] += x[:2]
    y[::-1][0] *= 3
    return y


def in_place(x):
    x = x.copy()
    x *= 2
    x += x[0]
    return x


def masked(x):
    y = x.copy()
    y[y > 0] = 0.5
    return np.where(y < -0.2, y, x**2)


def indexed(x):
    return x[np.array([2, 0, 0])] + x[::-1] * x[-1]


def sorted_(x):
    return np.sort(x) * np.arange(3) + np.argmax(x) + np.cumsum(x)


def linear_algebra(x):
    m = np.outer(x, x) + 3 * np.eye(3)
    return np.linalg.solve(m, x) + np.linalg.det(m) + np.linalg.inv(m)[0]


@pytest.mark.parametrize("f", [assigned, in_place, masked, indexed, sorted_, linear_algebra])
def test_functions_and_their_jacobians(f):
    before = X.copy()
    same(wg.vmap(f)(X), np.stack([f(r.copy()) for r in X]))
    each = np.stack([wg.jacrev(f)(r) for r in X])
    same(wg.vmap(wg.jacrev(f))(X), each)
    same(wg.vmap(wg.jacfwd(f))(X), each)
    same(wg.jit(wg.vmap(wg.jacobian(f)))(X), each, 1e-12)
    np.testing.assert_array_equal(X, before)


def test_a_mask_of_one_length():
    same(wg.vmap(lambda x: x[x == np.max(x)] * 2)(X), np.max(X, 1, keepdims=True) * 2)
    with pytest.raises(wg.WengertError):
        wg.vmap(lambda x: x[x > 0])(X)


def test_primitives_are_called_for_each():
    log = []

    def run(x):
        log.append(x.shape)
        return np.sin(x)

    f = wg.primitive(run)
    wg.defvjp(f, lambda y, x: lambda g: g * np.cos(x))
    same(wg.vmap(f)(X), np.sin(X))
    assert set(log) == {(3,)}
    same(wg.vmap(wg.grad(lambda x: np.sum(f(x))))(X), np.cos(X))
    same(wg.grad(lambda x: np.sum(wg.vmap(f)(x)))(X), np.cos(X))


def test_random_numbers_of_many_keys():
    keys = np.stack([wg.random.key(k) for k in range(5)])

    def draw(key):
        return wg.random.normal(key, (2,))

    same(wg.vmap(draw)(keys), np.stack([draw(k) for k in keys]))


# ------------------------------------------------------------------------ Python's control


def test_control_flow_on_what_all_agree_on():
    def f(x, n):
        y = x
        for _ in range(n):
            y = y * 2
        return y if n > 1 else -y

    same(wg.vmap(f, (0, None))(X, 3), X * 8)
    same(wg.vmap(f)(X, np.full(4, 2)), X * 4)
    assert wg.vmap(lambda x: x if np.sum(x) < 100 else -x)(X).shape == X.shape
    compiled = wg.jit(wg.vmap(lambda x, n: x * 2 if n > 1 else -x))
    same(compiled(X, np.full(4, 2)), X * 2)
    same(compiled(X, np.full(4, 0)), -X)
    with pytest.raises(NoValue, match=r"differ.*wengert.cond"):
        compiled(X, np.array([0, 2, 2, 2]))
    with pytest.raises(NoValue, match=r"differ.*wengert.cond"):
        wg.vmap(lambda x: x if x > 0 else -x)(X[0])
    with pytest.raises(NoValue, match="maps over none"):
        wg.vmap(lambda x: x if x > 0 else -x)(X[0, :0])


WRONG = {
    "extents": (lambda: wg.vmap(np.add)(X, X[:2]), ValueError, r"extents \[2, 4\]"),
    "nothing mapped": (lambda: wg.vmap(np.sin, None)(X), ValueError, "no axis at all"),
    "an axis too many": (lambda: wg.vmap(np.sin)(2.0), ValueError, "map axis 0 of leaf 0"),
    "an axis out of range": (lambda: wg.vmap(np.sin, 2)(X), ValueError, "has 2 axes"),
    "too few in_axes": (lambda: wg.vmap(np.add, (0,))(X, X), ValueError, "1 entries"),
    "a float as axis": (lambda: wg.vmap(np.sin, 0.5)(X), TypeError, "not an int or None"),
    "a structure of axes": (lambda: wg.vmap(np.sin, ((0, 0),))(X), TypeError, "structure"),
    "an axis of a result": (lambda: wg.vmap(np.sum, out_axes=1)(X), ValueError, "has 1 axes"),
    "None for what differs": (
        lambda: wg.vmap(np.sum, out_axes=None)(X),
        ValueError,
        "not the same",
    ),
    "a negative size": (lambda: wg.vmap(np.sin, axis_size=-1), ValueError, "negative"),
    "another size": (lambda: wg.vmap(np.sin, axis_size=3)(X), ValueError, r"extents \[3, 4\]"),
    "no function": (lambda: wg.vmap(X), TypeError, "function"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    run, kind, message = WRONG[name]
    with pytest.raises(kind, match=message) as error:
        run()
    assert isinstance(error.value, wg.WengertError)
