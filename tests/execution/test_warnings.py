"""NumPy's floating-point warnings: the function warns as NumPy does, its derivative does not.

This holds of programs that run as calls of NumPy; machine code gives no warnings.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from wengert import grad, hessian, jit, jvp, linearize, set_native, settings, value_and_grad, vjp


@pytest.fixture(autouse=True)
def without_machine_code():
    before = settings.native
    set_native(False)
    yield
    set_native(before)


def caught(call):
    """The messages of the warnings of a call."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    return [str(warning.message) for warning in found]


DIVIDE = "divide by zero encountered in log"


@pytest.mark.parametrize(
    "call",
    [
        lambda: value_and_grad(np.log)(0.0),
        lambda: jvp(np.log, (0.0,), (1.0,)),
        lambda: vjp(np.log, 0.0),
        lambda: linearize(np.log, 0.0),
        lambda: jit(np.log)(0.0),
        lambda: grad(lambda x: x if np.log(x) < 0 else 2 * x)(0.0),
        lambda: grad(lambda x: x * np.exp(np.log(x)))(0.0),
    ],
)
def test_the_function_warns_as_numpy(call):
    assert set(caught(call)) == {DIVIDE}


@pytest.mark.parametrize(
    "call",
    [
        lambda: grad(np.log)(0.0),
        lambda: grad(np.sqrt)(0.0),
        lambda: value_and_grad(np.sqrt)(0.0),
        lambda: hessian(np.sqrt)(0.0),
        lambda: jvp(np.sqrt, (0.0,), (1.0,)),
        lambda: jvp(grad(np.sqrt), (0.0,), (1.0,)),
        lambda: vjp(np.sqrt, 0.0)[1](1.0),
        lambda: jit(grad(np.sqrt))(0.0),
        lambda: grad(lambda x: grad(lambda y: np.sqrt(y) * x)(0.0) * 0)(2.0),
    ],
)
def test_the_derivative_does_not_warn(call):
    assert caught(call) == []


def test_a_path_that_is_not_taken_does_not_warn():
    f = jit(lambda x: np.log(x) if x > 0 else x)
    assert f(1.0) == 0.0
    assert caught(lambda: f(-1.0)) == []
    g = jit(lambda x: np.log(x) if x <= 0 else x)
    assert set(caught(lambda: g(0.0))) == {DIVIDE}
    assert caught(lambda: g(2.0)) == []
    assert caught(lambda: g(0.0)) == [DIVIDE]


def test_errstate_is_obeyed():
    f = jit(lambda x: np.log(x) if x <= 0 else x)
    for call in (f, value_and_grad(np.log)):
        with np.errstate(all="raise"), pytest.raises(FloatingPointError):
            call(0.0)
        with np.errstate(all="ignore"):
            assert caught(lambda call=call: call(0.0)) == []
    with np.errstate(all="raise"):
        assert grad(np.sqrt)(0.0) == np.inf


def test_a_compiled_function_warns_at_each_call():
    f = jit(lambda x: np.log(x))
    for _ in range(3):
        assert caught(lambda: f(0.0)) == [DIVIDE]
    assert caught(lambda: f(1.0)) == []


def test_machine_code_is_silent():
    set_native(True)
    f = jit(np.log)
    with np.errstate(all="raise"):
        for _ in range(3):
            assert f(0.0) == -np.inf
    assert caught(lambda: f(0.0)) == []
