"""primitive, defjvp, defvjp: opaque functions of plain arrays with derivatives stated by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from wengert import (
    WengertError,
    custom_jvp,
    defjvp,
    defvjp,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jit,
    jvp,
    primitive,
)

X = np.array([0.5, 2.0, 3.5])


def gamma_like():
    """log Γ through SciPy, with ψ and ψ′."""
    log_gamma = primitive(special.gammaln)
    psi = primitive(special.digamma)
    psi_prime = primitive(lambda x: special.polygamma(1, x))
    return log_gamma, psi, psi_prime


def test_the_function_gets_plain_arrays():
    seen = []

    @primitive
    def f(x):
        seen.append(type(x))
        return np.asarray(x) * 2

    defvjp(f, lambda y, x: lambda c: 2 * c)
    assert grad(lambda x: np.sum(f(x)))(X).tolist() == [2.0] * 3
    f(3.0)
    assert set(seen) <= {np.ndarray, np.float64, float}


def test_reverse_rules_and_their_derivatives():
    log_gamma, psi, psi_prime = gamma_like()
    defvjp(log_gamma, lambda y, x: lambda c: c * psi(x))
    defvjp(psi, lambda y, x: lambda c: c * psi_prime(x))
    assert grad(log_gamma)(2.5) == pytest.approx(special.digamma(2.5), rel=1e-15)
    assert grad(grad(log_gamma))(2.5) == pytest.approx(special.polygamma(1, 2.5), rel=1e-15)
    np.testing.assert_allclose(jacrev(log_gamma)(X), np.diag(special.digamma(X)), rtol=1e-15)
    with pytest.raises(TypeError, match="reverse-mode rule alone"):
        jvp(log_gamma, (2.5,), (1.0,))


def test_forward_rules_serve_both_modes():
    log_gamma, psi, psi_prime = gamma_like()
    defjvp(log_gamma, lambda t, y, x: t * psi(x))
    defjvp(psi, lambda t, y, x: t * psi_prime(x))
    assert jvp(log_gamma, (2.5,), (2.0,))[1] == pytest.approx(2 * special.digamma(2.5), rel=1e-15)
    assert grad(log_gamma)(2.5) == pytest.approx(special.digamma(2.5), rel=1e-15)
    np.testing.assert_allclose(jacfwd(log_gamma)(X), np.diag(special.digamma(X)), rtol=1e-15)
    assert hessian(log_gamma)(2.5) == pytest.approx(special.polygamma(1, 2.5), rel=1e-15)


def test_rules_by_argument():
    f = primitive(lambda x, y: np.asarray(x) * np.asarray(y))
    defvjp(f, lambda a, x, y: lambda c: 10 * c * y, lambda a, x, y: lambda c: 100 * c * x)
    assert grad(f, argnums=(0, 1))(2.0, 3.0) == (30.0, 200.0)
    assert grad(lambda x: f(x, 3.0))(2.0) == 30.0


def test_a_rule_of_none_is_zero_and_a_missing_one_an_error():
    f = primitive(lambda x, y, z: np.asarray(x) * np.asarray(y) * np.asarray(z))
    defvjp(f, lambda a, x, y, z: lambda c: c * y * z, None, argnums=(0, 2))
    assert grad(f, argnums=(0, 2))(2.0, 3.0, 5.0) == (15.0, 0.0)
    with pytest.raises(TypeError, match="has no derivative by argument 1") as caught:
        grad(f, argnums=1)(2.0, 3.0, 5.0)
    assert isinstance(caught.value, WengertError)


def test_a_primitive_without_rules():
    f = primitive(np.sort)
    assert f(X).tolist() == X.tolist()
    with pytest.raises(TypeError, match=r"has no derivative rule.*wengert\.defjvp"):
        grad(lambda x: np.sum(f(x)))(X)


def test_compiled_functions_call_it():
    calls = []

    @primitive
    def f(x):
        calls.append(None)
        return np.sort(x)

    defvjp(f, lambda y, x: lambda c: c[np.argsort(np.argsort(x))])
    compiled = jit(lambda x: f(x) * 2)
    for x in (X, X[::-1].copy(), X - 3):
        np.testing.assert_array_equal(compiled(x), np.sort(x) * 2)
    before = len(calls)
    compiled(X)
    assert len(calls) == before + 1
    derivative = jit(grad(lambda x: np.sum(f(x) * np.arange(3.0))))
    for x in (X, X[::-1].copy()):
        np.testing.assert_array_equal(derivative(x), np.argsort(np.argsort(x)))


def test_another_result_type_is_another_path():
    f = primitive(lambda x: x[x > 1.0])
    traces = []

    def g(x):
        traces.append(None)
        return f(x) * 2

    compiled = jit(g)
    for x in (X, X - 2.0, X, X + 1, X - 2.0, X - 10.0, X):
        np.testing.assert_array_equal(compiled(x), x[x > 1.0] * 2)
    assert len(traces) == 4  # two, one, three and no elements


def test_results_may_be_structures():
    f = primitive(lambda x: {"s": np.sum(x), "p": [np.prod(x)]})
    defvjp(f, lambda y, x: lambda c: c["s"] * np.ones(3) + c["p"][0] * y["p"][0] / x)
    got = grad(lambda x: f(x)["s"] + 2 * f(x)["p"][0])(X)
    np.testing.assert_allclose(got, 1 + 2 * np.prod(X) / X, rtol=1e-15)


@pytest.mark.parametrize("define", [defjvp, defvjp])
def test_rules_are_given_to_primitives_alone(define):
    for other in (np.sin, custom_jvp(np.sin), 3.0):
        with pytest.raises(TypeError, match=rf"{define.__name__} takes a function decorated with"):
            define(other, lambda *args: 1.0)
