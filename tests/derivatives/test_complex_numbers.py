"""Complex numbers: the conventions of JAX and autograd, in every mode."""

from __future__ import annotations

import numpy as np
import pytest

from wengert import grad, hessian, jacfwd, jacobian, jacrev, jvp, linearize, value_and_grad, vjp

Z = 1.5 - 0.7j

REAL = {
    # f(x + iy), ∂f/∂x − i ∂f/∂y
    "|z|²": (lambda z: abs(z) ** 2, lambda z: 2 * np.conj(z)),
    "|z|": (abs, lambda z: np.conj(z) / abs(z)),
    "re z": (np.real, lambda z: 1.0),
    "im z": (np.imag, lambda z: -1j),
    "re z · im z": (lambda z: z.real * z.imag, lambda z: z.imag - 1j * z.real),
    "re z³": (lambda z: np.real(z**3), lambda z: 3 * z**2),
    "im exp z": (lambda z: np.imag(np.exp(z)), lambda z: -1j * np.exp(z)),
    "re conj z²": (lambda z: np.real(np.conj(z) ** 2), lambda z: 2 * z),
    "arg": (np.angle, lambda z: -1j / z),
}

HOLOMORPHIC = {
    "z³": (lambda z: z**3, lambda z: 3 * z**2, lambda z: 6 * z),
    "exp": (np.exp, np.exp, np.exp),
    "sin": (np.sin, np.cos, lambda z: -np.sin(z)),
    "1/z": (lambda z: 1 / z, lambda z: -1 / z**2, lambda z: 2 / z**3),
    "sqrt": (np.sqrt, lambda z: 0.5 / np.sqrt(z), lambda z: -0.25 * z**-1.5),
    "log": (np.log, lambda z: 1 / z, lambda z: -1 / z**2),
    "i z": (lambda z: 1j * z, lambda z: 1j, lambda z: 0.0),
}


@pytest.mark.parametrize("name", REAL)
def test_the_gradient_of_a_real_function(name):
    f, exact = REAL[name]
    assert grad(f)(Z) == pytest.approx(exact(Z), rel=1e-14)
    assert value_and_grad(f)(Z)[0] == pytest.approx(f(Z), rel=1e-15)
    array = np.array([Z, -Z, 1j + Z])
    np.testing.assert_allclose(
        grad(lambda z: np.sum(f(z)))(array), [exact(z) for z in array], rtol=1e-14
    )


@pytest.mark.parametrize("name", REAL)
def test_modes_agree_on_real_functions(name):
    """Re(g v) is the derivative along v, where g is the gradient."""
    f, exact = REAL[name]
    for direction in (1.0 + 0j, 1j, 0.3 - 2j):
        along = np.real(exact(Z) * direction)
        assert jvp(f, (Z,), (direction,))[1] == pytest.approx(along, rel=1e-13, abs=1e-14)
        assert linearize(f, Z)[1](direction) == pytest.approx(along, rel=1e-13, abs=1e-14)
    assert vjp(f, Z)[1](1.0)[0] == pytest.approx(exact(Z), rel=1e-14)


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_complex_derivatives_of_holomorphic_functions(name):
    f, first, second = HOLOMORPHIC[name]
    for transform in (grad, jacobian, jacfwd, jacrev):
        assert transform(f, holomorphic=True)(Z) == pytest.approx(first(Z), rel=1e-14)
    again = grad(grad(f, holomorphic=True), holomorphic=True)(Z)
    assert again == pytest.approx(second(Z), rel=1e-13, abs=0)
    assert hessian(f, holomorphic=True)(Z) == pytest.approx(second(Z), rel=1e-13, abs=0)
    assert jvp(f, (Z,), (2j,))[1] == pytest.approx(first(Z) * 2j, rel=1e-14)
    # cotangents are not conjugated: ⟨c, J v⟩ = Re Σ c v
    assert vjp(f, Z)[1](2j)[0] == pytest.approx(first(Z) * 2j, rel=1e-14)


def test_holomorphic_jacobians():
    matrix = np.array([[1.0, 2j], [3.0 - 1j, 4.0]])
    z = np.array([1 + 1j, 2.0])
    for transform in (jacobian, jacfwd, jacrev):
        got = transform(lambda z: matrix @ z**2, holomorphic=True)(z)
        np.testing.assert_allclose(got, matrix * 2 * z, rtol=1e-15)


def test_real_functions_through_complex_values():
    f = lambda x: np.abs(np.exp(1j * x) + 2) ** 2  # 5 + 4 cos x
    assert grad(f)(0.7) == pytest.approx(-4 * np.sin(0.7), rel=1e-14)
    assert hessian(f)(0.7) == pytest.approx(-4 * np.cos(0.7), rel=1e-14)
    assert type(grad(f)(0.7)) is np.float64


def test_gradients_by_real_and_complex_arguments():
    by_x, by_z = grad(lambda x, z: np.real(x * z**2), argnums=(0, 1))(2.0, Z)
    assert by_x == pytest.approx(np.real(Z**2), rel=1e-15)
    assert by_z == pytest.approx(4 * Z, rel=1e-15)
    assert (type(by_x), type(by_z)) == (np.float64, np.complex128)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: grad(lambda z: z * 1j)(1.0), "needs a real output.*holomorphic=True"),
        (lambda: grad(lambda z: 1j)(1.0), "needs a real output"),
        (lambda: grad(lambda z: z, holomorphic=True)(1.0), "needs complex arguments.*astype"),
        (lambda: grad(abs, holomorphic=True)(Z), "needs a complex output"),
        (lambda: jacobian(lambda z: z * 1j)(np.ones(2)), "say holomorphic=True"),
        (lambda: jacrev(lambda z: z, holomorphic=True)(np.ones(2)), "needs complex arguments"),
        (lambda: jvp(lambda x: x, (1.0,), (1j,)), "is complex, and the value"),
        (lambda: vjp(lambda x: x, 1.0)[1](1j), "is complex, and the value"),
    ],
)
def test_what_means_nothing_is_refused(call, says):
    with pytest.raises(TypeError, match=says):
        call()
