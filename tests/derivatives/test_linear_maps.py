"""Pullbacks, pushforwards and transposes: linear functions that outlive their trace."""

from __future__ import annotations

import numpy as np
import pytest

from wengert import grad, jacobian, jacrev, jit, jvp, linear_transpose, linearize, vjp

X = np.array([0.3, -1.2, 2.0])
MATRIX = np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 3.0]])


def f(x):
    return MATRIX @ np.sin(x) + x[0] * x[1]


def exact(x):
    matrix = MATRIX * np.cos(x)
    matrix[:, 0] += x[1]
    matrix[:, 1] += x[0]
    return matrix


def test_maps_may_be_called_many_times():
    runs = []

    def counted(x):
        runs.append(None)
        return f(x)

    value, pull = vjp(counted, X)
    same, push = linearize(counted, X)
    np.testing.assert_allclose(value, f(X), rtol=1e-15)
    np.testing.assert_allclose(same, f(X), rtol=1e-15)
    assert len(runs) == 2
    grad(lambda x: np.sum(np.exp(x)))(X)  # another trace in between
    for row in np.eye(2):
        np.testing.assert_allclose(pull(row)[0], row @ exact(X), rtol=1e-14, atol=1e-15)
    for column in np.eye(3):
        np.testing.assert_allclose(push(column), exact(X) @ column, rtol=1e-14, atol=1e-15)
    assert len(runs) == 2


def test_maps_are_linear():
    pull, push = vjp(f, X)[1], linearize(f, X)[1]
    a, b = np.array([1.5, -2.0]), np.array([0.25, 4.0])
    np.testing.assert_allclose(pull(2 * a + b)[0], 2 * pull(a)[0] + pull(b)[0], rtol=1e-13)
    u, v = np.array([1.0, 2.0, 3.0]), np.array([-1.0, 0.5, 0.0])
    np.testing.assert_allclose(push(2 * u + v), 2 * push(u) + push(v), rtol=1e-13)
    np.testing.assert_allclose(a @ push(u), pull(a)[0] @ u, rtol=1e-14)


def test_the_point_is_the_one_of_the_call():
    x = X.copy()
    pull = vjp(f, x)[1]
    before = pull(np.ones(2))[0]
    x[:] = 100.0
    np.testing.assert_array_equal(pull(np.ones(2))[0], before)


@pytest.mark.parametrize("identity", [lambda x: x, lambda x: x * x, np.exp, lambda x: x[::-1]])
def test_results_of_maps_belong_to_the_caller(identity):
    value, pull = vjp(identity, X)
    direction = np.ones(3)
    first = pull(direction)[0]
    kept = first.copy()
    first[:] = 9.0
    value[:] = 9.0
    np.testing.assert_array_equal(direction, np.ones(3))
    np.testing.assert_array_equal(pull(direction)[0], kept)
    value, push = linearize(identity, X)
    value[:] = 9.0
    push(direction)[:] = 9.0
    np.testing.assert_array_equal(direction, np.ones(3))
    np.testing.assert_array_equal(X, [0.3, -1.2, 2.0])


def test_maps_inside_other_traces():
    pull, push = vjp(f, X)[1], linearize(f, X)[1]
    gradient = grad(lambda c: np.sum(pull(c)[0] ** 2))(np.ones(2))
    np.testing.assert_allclose(gradient, 2 * exact(X) @ exact(X).T @ np.ones(2), rtol=1e-13)
    np.testing.assert_allclose(jacobian(lambda c: pull(c)[0])(np.ones(2)), exact(X).T, rtol=1e-14)
    np.testing.assert_allclose(jacrev(push)(np.ones(3)), exact(X), rtol=1e-14)
    compiled = jit(lambda c: pull(c)[0])
    for row in np.eye(2):
        np.testing.assert_allclose(compiled(row), row @ exact(X), rtol=1e-14, atol=1e-15)


def test_maps_are_differentiated_through():
    third = lambda x: linearize(lambda y: y**3, x)[1](x)  # 3x² · x
    assert grad(third)(2.0) == pytest.approx(36.0, rel=1e-15)
    pulled = lambda x: vjp(lambda y: y**3, x)[1](x)[0]
    assert grad(pulled)(2.0) == pytest.approx(36.0, rel=1e-15)
    assert jvp(pulled, (2.0,), (1.0,))[1] == pytest.approx(36.0, rel=1e-15)
    assert grad(grad(pulled))(2.0) == pytest.approx(36.0, rel=1e-15)


def test_transposes_of_maps():
    pull, push = vjp(f, X)[1], linearize(f, X)[1]
    row = np.array([2.0, -1.0])
    np.testing.assert_allclose(linear_transpose(push, X)(row)[0], pull(row)[0], rtol=1e-14)
    back = linear_transpose(lambda c: pull(c)[0], row)
    np.testing.assert_allclose(back(X)[0], push(X), rtol=1e-14)


def test_maps_of_structures():
    def g(a, b):
        return {"p": a["x"] * b, "q": (np.sum(b),)}

    value, pull = vjp(g, {"x": 2.0}, np.array([1.0, 3.0]))
    by_a, by_b = pull({"p": np.array([1.0, 10.0]), "q": (100.0,)})
    assert by_a == {"x": 31.0}
    np.testing.assert_array_equal(by_b, [102.0, 120.0])
    push = linearize(g, {"x": 2.0}, np.array([1.0, 3.0]))[1]
    moved = push({"x": 1.0}, np.array([0.0, 1.0]))
    np.testing.assert_array_equal(moved["p"], [1.0, 5.0])
    assert moved["q"] == (1.0,)
    np.testing.assert_array_equal(value["p"], [2.0, 6.0])


def test_what_does_not_depend_on_the_argument():
    pull = vjp(lambda x: np.ones(2), X)[1]
    np.testing.assert_array_equal(pull(np.ones(2))[0], np.zeros(3))
    push = linearize(lambda x: (np.ones(2), x[0]), X)[1]
    moved = push(np.ones(3))
    np.testing.assert_array_equal(moved[0], np.zeros(2))
    assert moved[1] == 1.0


def test_cotangents_take_the_dtype_of_the_value():
    single = np.ones(2, np.float32)
    (got,) = vjp(lambda x: x * 2, single)[1](np.ones(2))
    assert got.dtype == np.float32
    (got,) = vjp(lambda x: x * 2, np.ones(2))[1](np.array([1, 2]))
    assert got.dtype == np.float64
    assert got.tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    "function, args, cotangent, exact",
    [
        (lambda x: MATRIX @ x, (X,), np.array([1.0, 2.0]), (np.array([1.0, 2.0]) @ MATRIX,)),
        (lambda x, y: (2 * x + y, y), (1.0, 1.0), (1.0, 10.0), (2.0, 11.0)),
        (lambda x: x[::-1].cumsum(), (X,), np.array([1.0, 2.0, 4.0]), ([4.0, 6.0, 7.0],)),
        (lambda z: 1j * z, (1j,), 2.0 + 0j, (2j,)),
        (lambda x: x * 0, (X,), np.ones(3), (np.zeros(3),)),
    ],
)
def test_linear_transpose(function, args, cotangent, exact):
    got = linear_transpose(function, *args)(cotangent)
    assert type(got) is tuple
    for ours, theirs in zip(got, exact, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-15)


@pytest.mark.parametrize(
    "function, says",
    [
        (lambda x: x * x, "the derivative of this one depends on its argument"),
        (np.sin, "depends on its argument"),
        (lambda x: x + 1, "does not map zero to zero"),
    ],
)
def test_linear_transpose_of_what_is_not_linear(function, says):
    with pytest.raises(TypeError, match=says):
        linear_transpose(function, 2.0)
