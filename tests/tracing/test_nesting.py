"""Derivatives inside derivatives: every inner one has a mark of its own."""

from __future__ import annotations

import numpy as np
import pytest

from wengert import grad, hessian, jacfwd, jacrev, jit, jvp, linearize, vjp


def along(f, x, v=1.0):
    """The derivative of f at x by forward mode."""
    return jvp(f, (x,), (v,))[1]


def test_an_inner_perturbation_is_not_the_outer_one():
    # Siskind & Pearlmutter 2005: d/dx [x · d/dy (x + y)] = 1, not 2
    assert grad(lambda x: x * grad(lambda y: x + y)(x))(3.0) == 1.0
    assert along(lambda x: x * along(lambda y: x + y, 2.0), 3.0) == 1.0


def test_three_levels_are_three_marks():
    # d/dx x·(d/dy y·(d/dz x·y·z)) = d/dx x·(d/dy x y²) = d/dx 2x²y at y = x: 2x³ -> 6x²
    f = lambda x: x * grad(lambda y: y * grad(lambda z: x * y * z)(x))(x)
    assert grad(f)(3.0) == pytest.approx(54.0, rel=1e-15)
    g = lambda x: x * along(lambda y: y * along(lambda z: x * y * z, x), x)
    assert along(g, 3.0) == pytest.approx(54.0, rel=1e-15)


@pytest.mark.parametrize("derivative", [grad, lambda f: lambda x: along(f, x), jacrev])
def test_an_ignored_argument_has_derivative_zero(derivative):
    assert derivative(lambda x: 3.0)(2.0) == 0.0
    assert grad(lambda x: derivative(lambda y: x * x)(x))(2.0) == 0.0
    assert grad(lambda x: x * derivative(lambda y: x * x)(x))(2.0) == 0.0


def test_a_constant_inner_function_leaves_the_outer_derivative():
    assert grad(lambda x: x**3 + grad(lambda y: x)(x))(2.0) == 12.0


def test_marks_are_not_used_again_after_an_inner_trace():
    def f(x):
        a = grad(lambda y: y**2)(x)
        return grad(lambda y: a * y)(x)

    assert f(3.0) == 6.0
    assert grad(f)(3.0) == 2.0

    def g(x):
        a = along(lambda y: y**2, x)
        return x * along(lambda y: a * y, x)

    assert grad(g)(3.0) == 12.0
    assert along(g, 3.0) == 12.0


MODES = {
    "grad": grad,
    "jvp": lambda f: lambda x: along(f, x),
    "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
    "linearize": lambda f: lambda x: linearize(f, x)[1](1.0),
    "jacfwd": jacfwd,
    "jacrev": jacrev,
    "jit grad": lambda f: jit(grad(f)),
}


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("middle", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_every_three_modes_compose(outer, middle, inner):
    f = lambda x: np.sin(x) * x**2
    third = lambda x: (6 - x**2) * np.cos(x) - 6 * x * np.sin(x)
    composed = MODES[outer](MODES[middle](MODES[inner](f)))
    assert composed(0.7) == pytest.approx(third(0.7), rel=1e-14)


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_every_two_modes_keep_their_variables_apart(outer, inner):
    # d/dx [x · d/dy (x² y³) at y = 2x] = d/dx 12 x⁵ = 60 x⁴
    f = lambda x: x * MODES[inner](lambda y: x**2 * y**3)(2 * x)
    assert MODES[outer](f)(0.5) == pytest.approx(60 * 0.5**4, rel=1e-14)


def test_a_tangent_may_depend_on_the_argument():
    # d/dx [cos(x)·x²] with the tangent x² of sin at x
    f = lambda x: along(np.sin, x, x**2)
    assert grad(f)(0.3) == pytest.approx(2 * 0.3 * np.cos(0.3) - 0.09 * np.sin(0.3), rel=1e-14)
    assert along(f, 0.3) == pytest.approx(grad(f)(0.3), rel=1e-15)


def test_a_cotangent_may_depend_on_the_argument():
    f = lambda x: vjp(np.sin, x)[1](x**2)[0]
    assert grad(f)(0.3) == pytest.approx(2 * 0.3 * np.cos(0.3) - 0.09 * np.sin(0.3), rel=1e-14)


def test_jacobians_of_inner_gradients_are_hessians():
    f = lambda x: np.sum(x**3) * x[0]
    x = np.array([1.0, 2.0, -0.5])
    exact = np.diag(6 * x * x[0])
    exact[0] += 3 * x**2
    exact[:, 0] += 3 * x**2
    for second in (hessian(f), jacfwd(grad(f)), jacrev(grad(f)), jacrev(jacfwd(f))):
        np.testing.assert_allclose(second(x), exact, rtol=1e-14)


def scaled(x, n):
    """(x d/dx)ⁿ x³ = 3ⁿ x³: each call differentiates the one before."""
    return x**3 if n == 0 else x * grad(scaled)(x, n - 1)


def test_a_function_may_differentiate_itself():
    assert scaled(2.0, 3) == pytest.approx(27 * 8.0, rel=1e-15)
    assert grad(scaled)(2.0, 3) == pytest.approx(27 * 12.0, rel=1e-15)
    assert along(lambda x: grad(scaled)(x, 2), 2.0) == pytest.approx(9 * 12.0, rel=1e-15)


def test_an_inner_gradient_of_a_plain_value_is_a_plain_value():
    seen = []

    def f(x):
        seen.append(grad(lambda y: np.sum(y**2))(np.ones(2)))
        seen.append(hessian(lambda y: y**3)(2.0))
        seen.append(jvp(lambda y: y * 2, (2.0,), (1.0,))[1])
        seen.append(vjp(lambda y: y**2, 3.0)[1](1.0)[0])
        seen.append(grad(lambda y: y * x)(2.0))
        return x * seen[0][0]

    assert grad(f)(3.0) == 2.0
    assert [type(value) for value in seen[:4]] == [np.ndarray, np.float64, np.float64, np.float64]
    assert seen[0].tolist() == [2.0, 2.0]
    assert seen[1:4] == [12.0, 2.0, 6.0]
    assert type(seen[4]).__name__ == "Tracer"


@pytest.mark.parametrize("n", range(8))
def test_derivatives_of_any_order(n):
    f = lambda x: x**7
    falling_factorial = float(np.prod(np.arange(7, 7 - n, -1)))
    for mode in (grad, MODES["jvp"]):
        g = f
        for _ in range(n):
            g = mode(g)
        assert g(1.5) == pytest.approx(falling_factorial * 1.5 ** (7 - n), rel=1e-14)
    g = f
    for k in range(n):
        g = (grad, MODES["jvp"])[k % 2](g)
    assert g(1.5) == pytest.approx(falling_factorial * 1.5 ** (7 - n), rel=1e-14)
