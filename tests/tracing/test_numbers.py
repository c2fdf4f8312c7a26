"""Python numbers and dtypes in a trace: literals by their bits, NumPy 2's promotion."""

from __future__ import annotations

import math

import numpy as np
import pytest

from wengert import grad, jit, random, value_and_grad
from wengert.tracing.session import Session


def inside(f, x):
    """What f computes while its argument is traced."""
    return value_and_grad(lambda y: (0.0, f(y)), has_aux=True)(x)[0][1]


def same(ours, numpys):
    assert type(ours) is type(numpys) or np.ndim(numpys) == 0
    ours, numpys = np.asarray(ours), np.asarray(numpys)
    assert ours.dtype == numpys.dtype
    assert ours.tobytes() == numpys.tobytes()


def test_zeros_of_both_signs_are_two_numbers():
    for _ in range(2):
        for order in ((0.0, -0.0), (-0.0, 0.0)):
            for zero in order:
                times = lambda x, zero=zero: x * zero
                assert math.copysign(1, inside(times, 3.0)) == math.copysign(1, zero)
                assert math.copysign(1, grad(times)(3.0)) == math.copysign(1, zero)


def test_one_is_an_int_a_float_or_true():
    x = np.arange(3.0)
    f = lambda x: [
        g(np.argsort(x)) for g in (lambda i: i * 1, lambda i: i * 1.0, lambda i: i * True)
    ]
    for ours, numpys in zip(inside(f, x), f(x), strict=True):
        same(ours, numpys)
    g = lambda x: [(x > 1) * 1, (x > 1) * 1.0, (x > 1) * True, (x > 1) + True, (x > 1) + 1]
    for ours, numpys in zip(inside(g, x), g(x), strict=True):
        same(ours, numpys)


def test_functions_tell_ints_from_floats_and_bools():
    x = np.array([3.0, 1.0, 2.0])

    def f(x):
        i = np.argsort(x)
        return [
            np.clip(i, 0, 1),
            np.clip(i, 0.0, 1.0),
            np.dot(i, 1),
            np.dot(i, 1.0),
            np.dot(x > 1, True),
            np.dot(x > 1, 1),
            np.sum(x, keepdims=1),
            np.sum(x, keepdims=True),
        ]

    for ours, numpys in zip(inside(f, x), f(x), strict=True):
        same(ours, numpys)


def test_nan_is_a_number_like_others():
    for _ in range(2):
        assert np.isnan(inside(lambda x: x + math.nan, 1.0))
        assert grad(lambda x: x * 2.0 + math.nan)(1.0) == 2.0
        assert np.isnan(grad(lambda x: x * math.nan)(1.0))
        assert np.isnan(grad(lambda x: x * np.float64("nan"))(1.0))


@pytest.mark.parametrize("huge", [2**63, 2**64, 10**30, -(2**63) - 1])
def test_ints_beyond_64_bits(huge):
    assert grad(lambda x: x * huge)(2.0) == float(huge)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("number", [2, 2.5, True, np.float32(2.5), np.float64(2.5), np.int8(2)])
def test_numbers_promote_as_in_numpy(dtype, number):
    x = np.array([1.0, -2.0], dtype)
    f = lambda x: [x * number, number - x, x / number, x + number, number + x]
    traced = value_and_grad(lambda y: (0.0, f(y)), has_aux=True)(x)[0][1]
    for result in (traced, jit(f)(x)):
        for ours, numpys in zip(result, f(x), strict=True):
            same(ours, numpys)


@pytest.mark.parametrize("x", [3, 3.5, True, 2 + 1j, np.float32(3), np.int8(3), np.uint8(3)])
def test_jit_gives_the_dtypes_of_python(x):
    one = np.ones(2, np.float32)
    small = np.ones(2, np.int8)
    f = lambda x: (x * 2, x * 2.0, x + np.float32(1), x / 3, x * one, x * small, x**2, 2.0**x)
    for ours, numpys in zip(jit(f)(x), f(x), strict=True):
        ours, numpys = np.asarray(ours), np.asarray(numpys)
        assert ours.dtype == numpys.dtype
        np.testing.assert_allclose(ours, numpys, rtol=1e-6)


def test_a_gradient_has_the_dtype_of_its_argument():
    single = np.ones(2, np.float32)
    assert grad(lambda x: np.sum(x * np.float64(2)))(single).dtype == np.float32
    assert grad(lambda x: np.sum(x * single))(3.0).dtype == np.float64
    assert grad(lambda x: x**2 * 0.1 + 1)(np.float32(3)).dtype == np.float32
    assert grad(lambda z: np.sum(abs(z) ** 2))(single * 1j).dtype == np.complex64
    assert grad(lambda x: abs(x * 1j + 1))(np.float32(2)).dtype == np.float32
    assert grad(lambda z: np.real(z * 1.0))(np.complex128(1)).dtype == np.complex128


def test_results_are_arrays_and_numpy_scalars():
    assert type(grad(lambda x: x * x)(3)) is np.float64
    assert type(grad(lambda x: x * x)(np.float32(3))) is np.float32
    assert type(grad(lambda x: np.sum(x * x))(np.ones(2))) is np.ndarray
    assert type(jit(lambda x: x * x)(3.0)) is np.float64
    assert type(jit(lambda x: x * x)(np.ones((1, 1)))) is np.ndarray


def test_constants_of_the_package_itself_stay_literals(monkeypatch):
    """A call from one line meets several of them on its way; only the user's own numbers change."""
    slots = []
    make = Session.slot

    def noted(session, value):
        slots.append(value)
        return make(session, value)

    monkeypatch.setattr(Session, "slot", noted)

    def f(scale):
        return np.sum(random.normal(random.key(0), (3,), scale=scale))

    for _ in range(3):
        grad(f)(1.5)
    assert not slots

    for rate in (0.3, 0.7, 0.9):
        assert grad(lambda x, rate=rate: x * rate)(1.5) == rate
    assert slots == [0.7, 0.9]
