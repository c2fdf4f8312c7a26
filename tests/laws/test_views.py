"""Views and overlapping writes on traced arrays do what they do on NumPy's, and differentiate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from law_checks import close
from law_views import Step, arguments, programs, run

import wengert as wg


def some(examples: int) -> Any:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def check_program(program: list[Step], seed: int, dtype: str) -> None:
    """Values, and derivatives both ways: the program is affine, so NumPy runs its derivative."""
    given_arrays, by = arguments(seed, dtype), arguments(seed + 16, dtype)
    expected = run(program, given_arrays)
    moved = run(program, by, constants=0.0)

    def f(*args: Any) -> Any:
        return tuple(run(program, list(args)))

    values, tangents = wg.jvp(f, tuple(given_arrays), tuple(by))
    assert len(values) == len(expected)
    for k, (value, other) in enumerate(zip(values, expected, strict=True)):
        assert value.dtype == other.dtype, f"array {k}: {value.dtype}, NumPy's is {other.dtype}"
        close(value, other, 1e-14, f"array {k}")
    for k, (tangent, other) in enumerate(zip(tangents, moved, strict=True)):
        close(tangent, other, 1e-14, f"the tangent of array {k}")

    weights = [_weights(k, other) for k, other in enumerate(expected)]
    pulled = wg.grad(lambda *args: _pairing(weights, f(*args)), (0, 1))(*given_arrays)
    left, right = _pairing(weights, moved), _pairing(pulled, by)
    size = sum(float(np.sum(np.abs(a * b))) for a, b in zip(weights, moved, strict=True))
    close(right, left, 1e-13, "⟨ct, J t⟩ = ⟨Jᵀ ct, t⟩", size)


def _weights(k: int, like: Any) -> Any:
    value = np.cos(1.0 + k + np.arange(like.size)).reshape(like.shape).astype(like.dtype)
    return value * (1 + 0.5j) if like.dtype.kind == "c" else value


def _pairing(a: Any, b: Any) -> Any:
    return sum(np.sum(x * y).real for x, y in zip(a, b, strict=True))


drawn = given(program=programs(), seed=st.integers(0, 15), dtype=st.sampled_from("fffc"))


@some(400)
@drawn
def test_programs(program: list[Step], seed: int, dtype: str) -> None:
    check_program(program, seed, dtype)


@pytest.mark.long
@some(5000)
@given(program=programs(20), seed=st.integers(0, 15), dtype=st.sampled_from("fc"))
def test_many_programs(program: list[Step], seed: int, dtype: str) -> None:
    check_program(program, seed, dtype)


def test_a_view_of_one_element() -> None:
    """x[0, ...] is a view of shape (), and so is every reshape of it."""

    def f(x: Any) -> Any:
        y = x.copy()
        one = y[0, ...].reshape(-1)
        y += 1.0
        one *= 3.0
        return y, one

    x = np.array([1.0, 2.0])
    for ours, numpys in zip(wg.jvp(f, (x,), (x,))[0], f(x), strict=True):
        assert ours.tolist() == numpys.tolist()


def test_ravel_copies_what_is_not_contiguous() -> None:
    """ravel of x[::-1] is contiguous in NumPy, therefore a copy; reshape(-1) of it is a view."""

    def f(x: Any) -> Any:
        y = x.copy()
        flat, view = y[::-1].ravel(), y[::-1].reshape(-1)
        flat += 1.0
        view *= 2.0
        return flat + 0.0 * x, y + 0.0 * x

    x = np.array([1.0, 2.0])
    for ours, numpys in zip(wg.jvp(f, (x,), (x,))[0], f(x), strict=True):
        assert ours.tolist() == numpys.tolist()
