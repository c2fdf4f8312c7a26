"""Arrays that a traced function reads from outside: what is read, and when; which program runs."""

from __future__ import annotations

import numpy as np
import pytest

from wengert import grad, hessian, jit, jvp, value_and_grad
from wengert.execution import programs

X = np.array([1.0, 2.0, 3.0])


def in_cache() -> tuple[int, int]:
    return len(programs._PROGRAMS), len(programs._DERIVED)


# ------------------------------------------------------------- buffers that are overwritten


def through_a_buffer(x):
    """(1 + 2 + 3) Σ x, with one buffer for the factors."""
    buffer = np.zeros(3)
    total = 0.0
    for k in range(3):
        buffer[:] = k + 1
        total = total + np.sum(x * buffer)
    return total


def overwritten_after_use(x):
    buffer = np.full(3, 2.0)
    result = np.sum(x * buffer)
    buffer[:] = 7.0
    return result


@pytest.mark.parametrize("run", [lambda f: f, jit])
def test_a_buffer_is_read_when_it_is_used(run):
    for _ in range(2):
        assert grad(run(through_a_buffer))(X).tolist() == [6.0, 6.0, 6.0]
        assert run(grad(through_a_buffer))(X).tolist() == [6.0, 6.0, 6.0]
    assert value_and_grad(overwritten_after_use)(X)[0] == 12.0


def test_a_compiled_function_reads_its_buffers_when_they_were_used():
    first, second = jit(through_a_buffer), jit(overwritten_after_use)
    for _ in range(3):
        assert first(X) == through_a_buffer(X) == 36.0
        assert second(X) == 12.0


@pytest.mark.parametrize("size", [4, 4000])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
def test_buffers_are_compared_by_their_bits(size, dtype):
    """0.0 and −0.0 are equal and differ; NaN is unequal to itself and is the same."""

    def f(x):
        buffer = np.zeros(size, dtype)
        total = 0.0
        for value in (0.0, -0.0):
            buffer.real[:] = value
            total = total + np.copysign(x, np.real(buffer))[0]
        return total

    assert grad(f)(2.0) == 0.0

    constant = np.full(size, np.nan, dtype)
    before = []

    def same(x):
        np.sum(x * constant)
        before.append(in_cache())
        return np.sum(np.real(x * constant + x * constant))

    grad(same)(2.0)
    entries = in_cache()
    grad(same)(2.0)
    assert in_cache() == entries


def read_only_view(buffer):
    view = buffer[:]
    view.flags.writeable = False
    return view


def broadcast(buffer):
    return np.broadcast_to(buffer[:1], (3,))


def strided(buffer):
    return np.lib.stride_tricks.as_strided(buffer, (3,), (0,), writeable=False)


def of_memory(buffer):
    view = np.frombuffer(memoryview(buffer), float)
    view.flags.writeable = False
    return view


@pytest.mark.parametrize("view", [read_only_view, broadcast, strided, of_memory])
def test_read_only_views_of_a_buffer_that_changes(view):
    def f(x):
        buffer = np.zeros(3)
        seen = view(buffer)
        total = 0.0
        for k in range(2):
            buffer[:] = k + 1
            total = total + np.sum(x * seen)
        return total

    assert grad(f)(X).tolist() == [3.0, 3.0, 3.0]


def test_an_inner_transformation_copies_what_it_is_given():
    def f(x):
        point, direction = np.zeros(3), np.zeros(3)
        total = 0.0
        for k in range(3):
            point[:] = k
            direction[:] = 1.0
            total = total + np.sum(grad(lambda b: np.sum(b**2) * x)(point))
            total = total + np.sum(jvp(lambda b: b * x, (point,), (direction,))[1])
            direction[:] = -5.0
        point[:] = 100.0
        return total

    # Σ_k 3·2k x + 3x = 18x + 9x
    assert grad(f)(1.0) == 27.0
    compiled = jit(f)
    assert [compiled(1.0), compiled(2.0)] == [27.0, 54.0]


def test_temporary_arrays_do_not_take_each_others_place():
    def f(x):
        total = 0.0
        for k in range(20):
            total = total + np.sum(x * np.full(3, float(k)))  # often at the same address
        return total

    assert grad(f)(X).tolist() == [190.0] * 3


def test_views_of_one_array_are_arrays_of_their_own():
    base = np.arange(6.0)
    f = lambda x: np.sum(x * base[::2]) + np.sum(x * base[1::2]) - np.sum(x * base[::-2])
    assert grad(f)(X).tolist() == [0 + 1 - 5, 2 + 3 - 3, 4 + 5 - 1]


def test_arrays_in_the_other_byte_order():
    weights = np.array([1.0, 2.0, 3.0]).astype(">f8")
    for _ in range(2):
        assert grad(lambda x: np.sum(x * weights))(X).tolist() == [1.0, 2.0, 3.0]
    assert grad(lambda x: np.sum(x * x))(weights).tolist() == [2.0, 4.0, 6.0]


def test_a_compiled_function_reads_outside_arrays_at_each_call():
    weights = np.ones(3)
    f = jit(lambda x: np.sum(x * weights))
    assert f(X) == 6.0
    weights[:] = 5.0
    assert f(X) == 30.0


# ----------------------------------------------------------------------------- one program


def loss(w, inputs, targets, rate):
    return np.mean((np.tanh(inputs @ w) - targets) ** 2) * rate


def test_new_data_and_a_new_learning_rate_meet_the_same_programs():
    rng = np.random.default_rng(0)

    def step(w, inputs, targets, rate):
        return grad(lambda v: np.mean((inputs @ v - targets) ** 2) * rate)(w)

    programs.clear_caches()
    entries = []
    for k in range(30):
        w, inputs, targets = rng.normal(size=2), rng.normal(size=(5, 2)), rng.normal(size=5)
        rate = 0.1 / (k + 1)
        exact = 2 / 5 * inputs.T @ (inputs @ w - targets) * rate
        np.testing.assert_allclose(step(w, inputs, targets, rate), exact, rtol=1e-12)
        entries.append(in_cache()[0])
    assert entries[-1] <= 2
    assert entries[1] == entries[-1]


def test_new_arrays_meet_the_same_derivatives():
    rng = np.random.default_rng(1)
    f = lambda w, x: hessian(lambda v: np.sum(np.sin(v * x)))(w)
    f(rng.normal(size=3), rng.normal(size=3))
    entries = in_cache()
    for _ in range(5):
        w, x = rng.normal(size=3), rng.normal(size=3)
        np.testing.assert_allclose(f(w, x), np.diag(-np.sin(w * x) * x**2), rtol=1e-12, atol=1e-15)
    assert in_cache() == entries


def test_a_number_that_changes_keeps_its_weak_type():
    step = lambda x, rate: value_and_grad(lambda y: np.sum(y * rate))(x)
    for rate in (0.3, 1.3, 2.3, 3.3):
        value, slope = step(np.ones(2, np.float32), rate)
        assert (value.dtype, slope.dtype) == (np.float32, np.float32)
        np.testing.assert_array_equal(slope, np.full(2, rate, np.float32))


def test_todays_globals_are_read_at_each_trace():
    scale = {"now": 2}
    f = grad(lambda x: x**2 * scale["now"])
    assert f(3.0) == 12.0
    scale["now"] = 5
    assert f(3.0) == 30.0
