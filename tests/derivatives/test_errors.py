"""Bad input: each error is a WengertError and the built-in that fits, and names the cure."""

from __future__ import annotations

import numpy as np
import pytest

from wengert import (
    WengertError,
    check_grads,
    float0,
    grad,
    hessian,
    hvp,
    jacobian,
    jit,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)

X = np.ones(3)
total = lambda x: np.sum(x**2)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian, jit])
@pytest.mark.parametrize(
    "make, error, says",
    [
        (lambda: "abc", TypeError, "is a str, not a number or an array: 'abc'"),
        (lambda: {1.0, 2.0}, TypeError, "is a set, not a number or an array"),
        (lambda: object, TypeError, "is a type, not a number or an array"),
        (lambda: np.ones(2, np.float16), NotImplementedError, r"float16.*astype\(np.float64\)"),
        (lambda: np.array([1.0, 2.0], object), NotImplementedError, "has dtype object.*astype"),
        (lambda: np.array(["a"]), NotImplementedError, "has dtype <U1.*traced dtypes"),
        (lambda: np.array(["2020"], "M8[D]"), NotImplementedError, "has dtype datetime64"),
        (lambda: np.ma.masked_array([1.0], [1]), TypeError, "is a MaskedArray; pass a plain array"),
        (lambda: np.asmatrix(np.eye(2)), TypeError, "is a matrix; pass a plain array"),
        (lambda: {"w": [1.0, "abc"]}, TypeError, r"leaf \['w'\]\[1\] of argument 0.* is a str"),
    ],
)
def test_arguments_that_cannot_be_traced(transform, make, error, says):
    with pytest.raises(error, match=says) as caught:
        transform(total)(make())
    assert isinstance(caught.value, WengertError)
    assert "argument 0 of" in str(caught.value)
    assert f"{__file__}:" in str(caught.value)


@pytest.mark.skipif(np.dtype(np.longdouble) == np.float64, reason="longdouble is float64 here")
def test_long_doubles_cannot_be_traced():
    with pytest.raises(NotImplementedError, match="which wengert does not trace"):
        grad(total)(np.ones(2, np.longdouble))
    with pytest.raises(NotImplementedError, match="which wengert does not trace"):
        grad(lambda x: np.sum(x * np.ones(2, np.longdouble)))(np.ones(2))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_captured_values_that_cannot_be_traced():
    for value in (np.ones(3, np.float16), np.ma.masked_array(X, [0, 1, 0]), X.astype(object)):
        with pytest.raises(NotImplementedError) as caught:
            grad(lambda x, value=value: np.sum(x * value))(X)
        assert isinstance(caught.value, WengertError)
    matrix = np.asmatrix(np.eye(3))
    with pytest.raises(WengertError, match="matrix cannot be traced; pass a plain array"):
        grad(lambda x: np.sum(matrix @ x))(X)


@pytest.mark.parametrize("transform", [grad, value_and_grad])
@pytest.mark.parametrize(
    "result, says",
    [
        (lambda x: None, "returns a scalar, but it returned None"),
        (lambda x: "a", r"returned str \('a'\)"),
        (lambda x: x, r"shape \(3,\): reduce it.*\.sum\(\)\), or use wengert.jacobian"),
        (lambda x: x[:1], r"array of shape \(1,\)"),
        (lambda x: np.ones(2), r"array of shape \(2,\)"),
        (lambda x: (x[0], x[1]), "returned tuple.*has_aux=True"),
        (lambda x: [x[0]], "returned list.*has_aux=True"),
        (lambda x: {"a": x[0]}, "returned dict"),
        (lambda x: x[0] > 1, "returned dtype bool, whose derivative is zero everywhere"),
        (lambda x: np.argmax(x), "returned dtype int64, whose derivative is zero everywhere"),
        (lambda x: total, "returned function"),
    ],
)
def test_outputs_of_grad(transform, result, says):
    with pytest.raises(TypeError, match=says) as caught:
        transform(result)(X)
    assert isinstance(caught.value, WengertError)
    assert f"{transform.__name__} needs a" in str(caught.value)


def test_plain_scalars_are_outputs():
    for constant in (3, 3.5, True, np.float32(2), np.array(1.0)):
        assert grad(lambda x, c=constant: c)(2.0) == 0.0


@pytest.mark.parametrize(
    "call, error, says",
    [
        (
            lambda: jvp(total, X, X),
            TypeError,
            r"takes primals as a tuple.*jvp\(f, \(x,\), \(v,\)\)",
        ),
        (lambda: jvp(total, (X,), X), TypeError, "takes tangents as a tuple"),
        (lambda: jvp(total, (X,), (X, X)), TypeError, "1 primals and 2 tangents"),
        (lambda: jvp(total, (X,), ((X,),)), TypeError, r"expected \(\*,\), got \(\(\*,\),\)"),
        (lambda: jvp(total, (X,), (None,)), TypeError, "must have the same structure"),
        (lambda: jvp(total, (X,), (X[:2],)), ValueError, r"\[0\] has shape \(2,\).*\(3,\)"),
        (lambda: jvp(total, (X,), (1.0,)), ValueError, r"has shape \(\)"),
        (lambda: jvp(total, (X,), (X * 1j,)), TypeError, "is complex"),
        (lambda: jvp(total, (X,), ("abc",)), TypeError, "has dtype <U3"),
        (lambda: jvp(total, (X,), (np.array(["a"] * 3),)), TypeError, "has dtype <U1"),
        (
            lambda: jvp(lambda n: n * 2.0, (np.arange(3),), (X,)),
            TypeError,
            r"must have dtype float0.*np\.zeros\(\(3,\), wengert\.float0\)",
        ),
        (lambda: jvp(total, (X,), (np.zeros(3, float0),)), TypeError, "float0"),
        (lambda: vjp(lambda x: x, X)[1](X[:2]), ValueError, r"cotangent has shape \(2,\)"),
        (lambda: vjp(lambda x: x, X)[1](X, X), TypeError, "takes one argument.*not 2"),
        (lambda: vjp(lambda x: x, X)[1]((X,)), TypeError, r"expected \*, got \(\*,\)"),
        (lambda: vjp(lambda x: {"a": x}, X)[1](X), TypeError, r"expected \{'a': \*\}, got \*"),
        (lambda: vjp(lambda x: {"a": x}, X)[1]({"a": 1.0}), ValueError, r"at \['a'\] has shape"),
        (lambda: vjp(lambda x: x > 0, X)[1](X), TypeError, "must have dtype float0"),
        (lambda: linearize(total, X)[1](X, X), TypeError, "must have the same structure"),
        (lambda: hvp(total, X, 1.0), ValueError, r"the vector of hvp has shape \(\)"),
        (
            lambda: hvp(lambda t: total(t["a"]), {"a": X}, X),
            TypeError,
            "of hvp must have the same structure",
        ),
        (lambda: jacobian(total, mode="sideways"), ValueError, "must be one of auto, forward"),
        (lambda: check_grads(total, X), TypeError, r"check_grads\(f, \(x,\)\)"),
        (lambda: check_grads(total, (np.arange(3),)), TypeError, "none is floating or complex"),
        (lambda: check_grads(total, (X,), order=0), ValueError, "order must be at least 1"),
        (lambda: check_grads(total, (X,), modes="both"), ValueError, "modes must be among"),
    ],
)
def test_tangents_cotangents_and_options(call, error, says):
    with pytest.raises(error, match=says) as caught:
        call()
    assert isinstance(caught.value, WengertError)


def test_functions_of_numpy_without_a_rule():
    with pytest.raises(NotImplementedError, match=r"numpy\.\w+ cannot be traced") as caught:
        grad(lambda x: np.busday_count(x, x))(X)
    assert isinstance(caught.value, WengertError)
    assert "wengert.primitive" in str(caught.value)


def test_the_place_is_the_users_line():
    def user_function(x):
        return float(x)

    with pytest.raises(WengertError) as caught:
        grad(user_function)(1.0)
    line = user_function.__code__.co_firstlineno + 1
    assert str(caught.value).endswith(f"{__file__}:{line} in user_function")
