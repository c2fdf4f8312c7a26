"""Primitives that their own rules call on tangents and cotangents: solves, transforms, scalings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.errors import NotDifferentiable

A = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.5, 0.0, 4.0]])
B = np.array([1.0, -2.0, 0.5])


def doubling(forward: bool, reverse: bool) -> Any:
    double = wg.primitive(lambda x: 2 * x)
    if forward:
        wg.defjvp(double, lambda t, y, x: double(t))
    if reverse:
        wg.defvjp(double, lambda y, x: lambda g: double(g))
    return double


def solving() -> Any:
    solve = wg.primitive(np.linalg.solve)
    wg.defvjp(
        solve,
        lambda x, A, b: lambda g: -np.outer(solve(A.T, g), x),
        lambda x, A, b: lambda g: solve(A.T, g),
    )
    wg.defjvp(
        solve,
        lambda t, x, A, b: -solve(A, t @ x),
        lambda t, x, A, b: solve(A, t),
    )
    return solve


def test_both_rules_serve_every_transformation() -> None:
    double = doubling(forward=True, reverse=True)
    x = np.array([1.0, 2.0])
    for jacobian in (wg.jacfwd, wg.jacrev):
        np.testing.assert_array_equal(jacobian(double)(x), 2 * np.eye(2))
    np.testing.assert_array_equal(wg.vjp(double, x)[1](x)[0], 2 * x)
    np.testing.assert_array_equal(wg.linearize(double, x)[1](x), 2 * x)
    wg.check_grads(lambda v: np.sum(double(v) ** 3), (x,), order=3)
    wg.check_grads(wg.jit(lambda v: np.sum(double(v) ** 3)), (x,), order=2)


def test_a_reverse_rule_alone() -> None:
    double = doubling(forward=False, reverse=True)
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(wg.jacrev(double)(x), 2 * np.eye(2))
    np.testing.assert_array_equal(wg.vjp(double, x)[1](x)[0], 2 * x)
    wg.check_grads(lambda v: np.sum(double(v) ** 3), (x,), order=3, modes=("rev",))
    assert wg.jacrev(double)(np.zeros(0)).shape == (0, 0)


def test_a_forward_rule_alone_that_calls_it_on_the_tangent_cannot_be_transposed() -> None:
    double = doubling(forward=True, reverse=False)
    assert wg.jvp(double, (1.0,), (1.0,)) == (2.0, 2.0)
    with pytest.raises(NotDifferentiable, match="defvjp"):
        wg.grad(double)(1.0)


def test_an_opaque_solver() -> None:
    solve = solving()
    wg.check_grads(solve, (A, B), order=2)
    for jacobian in (wg.jacfwd, wg.jacrev):
        np.testing.assert_allclose(jacobian(solve, 1)(A, B), np.linalg.inv(A), rtol=1e-13)
    by_hand = -np.outer(np.linalg.solve(A.T, np.ones(3)), np.linalg.solve(A, B))
    np.testing.assert_allclose(wg.grad(lambda a: np.sum(solve(a, B)))(A), by_hand, rtol=1e-13)


def test_an_argument_without_a_rule_in_one_mode_is_never_taken_as_constant() -> None:
    product = wg.primitive(lambda x, y: x * y)
    wg.defjvp(product, lambda t, z, x, y: t * y)
    wg.defvjp(product, None, lambda z, x, y: lambda g: g * x, argnums=(0, 1))
    assert wg.jvp(lambda x: product(x, 3.0), (2.0,), (1.0,))[1] == 3.0
    assert wg.grad(lambda y: product(2.0, y))(3.0) == 2.0
    with pytest.raises(NotDifferentiable, match="forward"):
        wg.jvp(lambda y: product(2.0, y), (3.0,), (1.0,))

    forward_only_by_y = wg.primitive(lambda x, y: x * y)
    wg.defjvp(forward_only_by_y, lambda t, z, x, y: t * x, argnums=(1,))
    wg.defvjp(forward_only_by_y, lambda z, x, y: lambda g: g * y)
    with pytest.raises(NotDifferentiable, match="argument 1"):
        wg.grad(lambda y: forward_only_by_y(2.0, y))(3.0)
