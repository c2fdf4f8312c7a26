"""No NaN from a branch not taken: first and second order, all combinations of modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from law_branches import Step, points, programs, run

import wengert as wg
from support import interpreted
from wengert.execution.programs import clear_caches
from wengert.ops import linear

T, U = np.array([0.7, -0.4, 1.1, 0.9]), np.array([-0.6, 0.8, 0.5, 1.2])


def derivatives(f: Callable[[Any], Any], x: Any, t: Any, u: Any) -> dict[str, Any]:
    """The value, first and second derivatives of a scalar function, in every mode."""
    with np.errstate(all="ignore"):  # the value itself warns where NumPy does
        return {
            "value": wg.jvp(f, (x,), (t,))[0],
            "forward": wg.jvp(f, (x,), (t,))[1],
            "reverse": wg.grad(f)(x),
            "forward over forward": wg.jvp(lambda x: wg.jvp(f, (x,), (t,))[1], (x,), (u,))[1],
            "forward over reverse": wg.jvp(wg.grad(f), (x,), (u,))[1],
            "reverse over forward": wg.grad(lambda x: wg.jvp(f, (x,), (u,))[1])(x),
            "reverse over reverse": wg.grad(lambda x: np.sum(wg.grad(f)(x) * u))(x),
            "forward jacobian of reverse": wg.jacfwd(wg.grad(f))(x),
            "reverse jacobian of reverse": wg.jacrev(wg.grad(f))(x),
        }


class Wild(AssertionError):
    """The function has no moderate derivatives here, in whatever style it is written."""


def agree(
    f: Callable[[Any], Any],
    g: Callable[[Any], Any],
    x: Any,
    t: Any,
    u: Any,
    tolerance: float = 1e-12,
) -> None:
    """Two ways to write a function have the same finite derivatives in every mode."""
    expected = derivatives(g, x, t, u)
    sizes = [np.abs(value).max() for value in expected.values()]
    if not (np.all(np.isfinite(sizes)) and max(sizes) < 1e6):
        raise Wild
    ours = derivatives(f, x, t, u)
    for name, value in expected.items():
        assert np.all(np.isfinite(ours[name])), f"{name} is {ours[name]}, should be {value}"
        difference = np.abs(ours[name] - value).max()
        scale = max(1.0, max(sizes))
        assert difference <= tolerance * scale, f"{name} is {ours[name]}, should be {value}"


def check_program(program: list[Step], at: list[float]) -> None:
    """Chains of branches may be ill-conditioned; what a lost mask does is of the order of one."""

    def style(vectorised: bool) -> Callable[[Any], Any]:
        return lambda x: run(program, x, vectorised)

    try:
        agree(style(True), style(False), np.array(at), T, U, 1e-9)
    except Wild:
        assume(False)


def some(examples: int) -> Any:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


@some(100)
@given(program=programs(), at=points())
def test_programs(program: list[Step], at: list[float]) -> None:
    check_program(program, at)


@pytest.mark.long
@some(1500)
@given(program=programs(7), at=points())
def test_many_programs(program: list[Step], at: list[float]) -> None:
    with interpreted():
        check_program(program, at)


# --------------------------------------------------------------------------- cases by hand

X = np.array([0.0, -1.0, 2.0, 0.5])
M = np.random.default_rng(1).uniform(-1, 1, (4, 4))


def taken(x: Any, condition: Callable[[Any], Any], a: Callable[[Any], Any], b: Any) -> Any:
    """np.where by Python's `if`."""
    return np.stack([a(e) if condition(e) else b(e) for e in x])


CASES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "log": (
        lambda x: np.sum(np.where(x > 0, np.log(x), 0.0)),
        lambda x: np.sum(taken(x, lambda e: e > 0, np.log, lambda e: 0.0 * e)),
    ),
    "sqrt at zero": (
        lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0) ** 2),
        lambda x: np.sum(taken(x, lambda e: e > 0, np.sqrt, lambda e: 0.0 * e) ** 2),
    ),
    "double where": (
        lambda x: np.sum(np.where(x > 0, np.where(x < 1, np.log(x), 1 / (x - 1)), x)),
        lambda x: np.sum(
            taken(x, lambda e: e > 0, lambda e: np.log(e) if e < 1 else 1 / (e - 1), lambda e: e)
        ),
    ),
    "inside a matrix product": (
        lambda x: np.sum(np.sin(M @ np.where(x > 0, x**-0.5, x))),
        lambda x: np.sum(np.sin(M @ taken(x, lambda e: e > 0, lambda e: e**-0.5, lambda e: e))),
    ),
    "a matrix product inside": (
        lambda x: np.sum(np.where(x > 0, np.log(x)[:, None] * M @ x, 0.0)),
        lambda x: np.sum(
            np.stack([np.sum(np.log(e) * M[i] * x) if e > 0 else 0.0 * e for i, e in enumerate(x)])
        ),
    ),
    "the other branch": (
        lambda x: np.sum(np.where(x <= 0, np.exp(x), x / np.sqrt(x))),
        lambda x: np.sum(taken(x, lambda e: e <= 0, np.exp, lambda e: e / np.sqrt(e))),
    ),
    "division by what is masked": (
        lambda x: np.sum(np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x))),
        lambda x: np.sum(
            taken(x, lambda e: e == 0, lambda e: 1.0 + 0 * e, lambda e: np.sin(e) / e)
        ),
    ),
    "through a cumulative sum": (
        lambda x: np.sum(np.cumsum(np.where(x > 0, np.log(x), x)) ** 2),
        lambda x: np.sum(np.cumsum(taken(x, lambda e: e > 0, np.log, lambda e: e)) ** 2),
    ),
    "a mask that is written": (
        lambda x: _write_masked(x),
        lambda x: np.sum(taken(x, lambda e: e > 0, np.sqrt, lambda e: 0.0 * e)) ** 2,
    ),
    "a clipped branch": (
        lambda x: np.sum(np.where(x > 0, np.sqrt(np.maximum(x, 0.0)), 0.0)),
        lambda x: np.sum(taken(x, lambda e: e > 0, np.sqrt, lambda e: 0.0 * e)),
    ),
}


def _write_masked(x: Any) -> Any:
    y = np.sqrt(x)
    y[x <= 0] = 0.0
    return np.sum(y) ** 2


@pytest.mark.parametrize("name", CASES)
def test_by_hand(name: str) -> None:
    vectorised, branching = CASES[name]
    agree(vectorised, branching, X, T, U)


@pytest.mark.parametrize("name", ["log", "inside a matrix product", "through a cumulative sum"])
def test_without_the_rule_there_is_nan(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases are such that the rule is needed."""
    monkeypatch.setattr(linear, "is_masked", lambda value: False)
    clear_caches()
    vectorised, branching = CASES[name]
    with pytest.raises(AssertionError, match="nan"):
        agree(vectorised, branching, X, T, U)
    clear_caches()


@pytest.mark.parametrize("x", [0.0, -0.0, 0.5])
def test_scalars(x: float) -> None:
    def f(x: Any) -> Any:
        return np.where(x > 0, np.sqrt(x) * np.log(x), x**3)

    agree(f, lambda x: np.sqrt(x) * np.log(x) if x > 0 else x**3, x, 0.7, 1.3)


def test_norm_at_zero() -> None:
    """The norm has subgradient 0 at 0; under a where its derivatives vanish to second order too."""
    zero = np.zeros(3)
    for norm in (np.linalg.norm, lambda x: np.hypot(np.hypot(x[0], x[1]), x[2])):
        assert wg.grad(norm)(zero).tolist() == [0, 0, 0]

        def guarded(x: Any, norm: Any = norm) -> Any:
            return np.where(np.sum(x * x) > 0, norm(x), np.sum(x))

        agree(guarded, np.sum, zero, T[:3], U[:3])


def test_jacobians_have_structural_zeros() -> None:
    """What an output does not depend on stays zero, though its slope elsewhere is infinite."""
    x = np.array([0.0, 4.0])

    def f(x: Any) -> Any:
        return np.stack([x[1] ** 2, np.sqrt(x[0]) * 0.0 + x[1]])[:1] * x[1]

    for jacobian in (wg.jacfwd, wg.jacrev):
        assert jacobian(f)(x).tolist() == [[0.0, 48.0]]


def test_primal_code_keeps_numpys_nan() -> None:
    """The rule is one of derivatives: where(m, a, 0) * inf stays NaN in the value."""
    with np.errstate(invalid="ignore"):
        value, _ = wg.value_and_grad(lambda x: np.sum(np.where(x > 1, x, 0.0) * np.inf))(X)
    assert np.isnan(value)


def test_what_an_output_does_not_depend_on_stays_out_of_its_row() -> None:
    """An infinite slope meets the structural zeros of the seeds, and leaves them zeros."""
    x = np.array([0.0, 1.0, 4.0])
    slopes = np.array([np.inf, 0.5, 0.25])
    with np.errstate(divide="ignore"):
        for jacobian in (wg.jacfwd, wg.jacrev):
            expected = np.where(np.eye(3) > 0, slopes, 0.0)
            np.testing.assert_array_equal(jacobian(np.sqrt)(x), expected)
            turned = jacobian(lambda v: (np.sqrt(v)[:, None] + v[:, None])[::-1].reshape(3))(x)
            both = np.where(np.eye(3) > 0, slopes + 1, 0.0)
            np.testing.assert_array_equal(turned, both[::-1])
