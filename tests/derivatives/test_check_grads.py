"""check_grads finds what is wrong and lets pass what is right; stop_gradient stops."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from wengert import (
    check_grads,
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    jacfwd,
    jvp,
    stop_gradient,
)
from wengert.checking.gradients import WrongDerivative

X = np.array([0.5, -1.0, 2.0])


@pytest.mark.parametrize(
    "f, args",
    [
        (lambda x: np.sin(x) * x, (X,)),
        (lambda x, y: {"p": x @ y, "q": (x.sum(),)}, (np.ones((2, 3)) / 3, X)),
        (lambda z: z**2 * np.conj(z), (np.array([0.5 + 0.2j, -1j]),)),
        (lambda x, n: x**n, (X, np.array([1, 2, 3]))),
        (lambda tree: tree["w"] * tree["b"], ({"w": X, "b": 2.0},)),
        (lambda x: x**3, (3,)),
        (lambda x: (x * 2, x > 0, np.argsort(x)), (X,)),
        (lambda x: np.tanh(x), (X.astype(np.float32),)),
    ],
)
def test_right_derivatives_pass(f, args):
    check_grads(f, args, order=2)
    check_grads(f, list(args), order=1, modes="rev")
    check_grads(f, args, order=1, modes=["fwd"])


def wrong_by(factor):
    f = custom_jvp(np.sin)
    f.defjvp(lambda p, t: (f(p[0]), factor * np.cos(p[0]) * t[0]))
    return f


@pytest.mark.parametrize("modes", ["fwd", "rev", ("fwd", "rev")])
@pytest.mark.parametrize("factor", [1.0 + 1e-5, 0.0, -1.0, np.nan])
def test_wrong_first_derivatives_are_found(factor, modes):
    with pytest.raises(WrongDerivative, match="does not agree with differences") as caught:
        check_grads(wrong_by(factor), (X,), order=1, modes=modes)
    assert isinstance(caught.value, AssertionError)


def test_wrong_derivatives_are_found_beside_integer_arguments():
    """32-bit integers do not make it a check in single precision."""
    f = wrong_by(1.001)
    with pytest.raises(WrongDerivative):
        check_grads(lambda x, n: f(x) * n, (X, np.ones(3, np.int32)), order=1)


def test_wrong_second_derivatives_are_found_in_each_combination_of_modes():
    f = custom_jvp(np.sin)
    slope = wrong_by(0.5)  # cos as a function whose derivative is wrong
    shifted = lambda x: slope(x + np.pi / 2)
    f.defjvp(lambda p, t: (f(p[0]), shifted(p[0]) * t[0]))
    check_grads(f, (X,), order=1)
    with pytest.raises(WrongDerivative, match=r"the derivative by \w+ of \w+"):
        check_grads(f, (X,), order=2)
    for modes in ("fwd", "rev"):
        with pytest.raises(WrongDerivative, match=rf"the derivative by {modes} of {modes}"):
            check_grads(f, (X,), order=2, modes=modes)


def test_one_wrong_element_among_many_is_found():
    f = custom_vjp(lambda x: x * 1.0)
    f.defvjp(lambda x: (f(x), None), lambda _, c: (c * np.where(np.arange(100) == 57, 1.01, 1.0),))
    with pytest.raises(WrongDerivative, match="by rev"):
        check_grads(f, (np.linspace(0, 1, 100),), order=1, modes="rev")


def test_tolerances_and_steps_are_obeyed():
    check_grads(wrong_by(1.001), (X,), order=1, atol=1e-2, rtol=0)
    with pytest.raises(WrongDerivative):
        check_grads(lambda x: np.sin(40 * x), (X,), order=1, eps=0.05)
    check_grads(lambda x: np.sin(40 * x), (X,), order=1, eps=1e-4, atol=1e-6)


# ------------------------------------------------------------------------------ stopping


def test_stop_gradient():
    assert grad(lambda x: x * stop_gradient(x))(3.0) == 3.0
    assert grad(lambda x: stop_gradient(x**2))(3.0) == 0.0
    assert jvp(lambda x: x * stop_gradient(x), (3.0,), (1.0,)) == (9.0, 3.0)
    assert hessian(lambda x: x**2 * stop_gradient(x))(3.0) == 6.0
    np.testing.assert_array_equal(jacfwd(lambda x: x * stop_gradient(x))(X), np.diag(X))


def test_stop_gradient_of_structures():
    def f(x):
        tree = stop_gradient({"a": (x, 2), "b": None, "c": "name"})
        assert (tree["a"][1], tree["b"], tree["c"]) == (2, None, "name")
        return x * tree["a"][0]

    assert grad(f)(3.0) == 3.0
    plain = {"a": X}
    assert stop_gradient(plain) is plain


def test_stop_gradient_stops_every_order():
    f = functools.reduce(lambda g, _: grad(g), range(3), lambda x: stop_gradient(x) * x**3)
    assert f(2.0) == 12.0
