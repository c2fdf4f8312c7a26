"""Jacobians through waists, and the price of choosing: auto against the better single mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import wengert as wg
from scaling.entry import OURS, Entry, at_least, at_most, available, measured


def through_a_waist(n: int, k: int, m: int) -> tuple[Callable[[Any], Callable[[Any], Any]], Any]:
    """Rⁿ → Rᵏ → Rᵐ with elementwise layers on all sides."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(k, n)) / n**0.5, rng.normal(size=(m, k)) / k**0.5

    def make(np: Any) -> Callable[[Any], Any]:
        return lambda x: np.sin(b @ np.tanh(a @ np.exp(0.1 * np.cumsum(x))))

    return make, rng.normal(size=n)


def entries(quick: bool) -> Iterator[Entry]:
    yield from _waists(quick)
    yield from _others(quick)


def _waists(quick: bool) -> Iterator[Entry]:
    rounds = 5 if quick else 11
    for (n, k, m), limit in (((500, 5, 500), 20), ((200, 20, 2000), 3), ((2000, 10, 200), 3)):
        make, x = through_a_waist(n, k, m)
        fun = make(np)
        contenders: dict[str, Callable[[], Any]] = {}
        for mode in ("auto", "forward", "reverse"):
            compiled = wg.jit(wg.jacobian(fun, mode=mode))
            contenders[OURS if mode == "auto" else f"ours, {mode}"] = lambda c=compiled: c(x)
        if available("jax"):
            import jax

            jax.config.update("jax_enable_x64", True)
            point, theirs = jax.numpy.asarray(x), make(jax.numpy)
            for name, transform in (("jacfwd", jax.jacfwd), ("jacrev", jax.jacrev)):
                compiled = jax.jit(transform(theirs))
                contenders[f"jax, {name}"] = lambda c=compiled: jax.block_until_ready(c(point))
        reference = contenders["ours, forward"]()
        np.testing.assert_allclose(contenders[OURS](), reference, rtol=1e-9, atol=1e-12)
        seconds = measured(contenders, rounds)
        better = min(seconds["ours, forward"], seconds["ours, reverse"])
        yield Entry(
            f"waist ({n}, {k}, {m})",
            seconds,
            {"plan": wg.plan(fun)(x).chosen.what},
            (
                at_least(
                    f"({n}, {k}, {m}): ≥ {limit} × the better single mode",
                    better / seconds[OURS],
                    limit,
                ),
            ),
        )


def _others(quick: bool) -> Iterator[Entry]:
    """Functions without a waist: auto may cost no more than the better single mode."""
    rng = np.random.default_rng(1)
    w1, w2 = rng.normal(size=(40, 30)) / 6, rng.normal(size=(50, 40)) / 6
    tall, wide = rng.normal(size=(300, 20)), rng.normal(size=(20, 300))
    functions: dict[str, tuple[Callable[[Any], Any], Any]] = {
        "network 30-40-50": (lambda x: np.tanh(w2 @ np.tanh(w1 @ x)), rng.normal(size=30)),
        "tall linear map": (lambda x: np.sin(tall @ x), rng.normal(size=20)),
        "wide linear map": (lambda x: np.sin(wide @ x), rng.normal(size=300)),
        "elementwise": (lambda x: np.exp(np.sin(x)) * x, rng.normal(size=200)),
        "cumulative": (lambda x: np.cumsum(np.exp(0.01 * x)), rng.normal(size=150)),
        "differences": (lambda x: np.diff(x, 2) ** 2, rng.normal(size=400)),
        "a few numbers": (
            lambda x: np.stack([x[0] * x[1], np.sin(x[1] / x[2]), x[2] ** x[0]]),
            np.array([1.0, 2.0, 3.0]),
        ),
        "solution": (
            lambda x: np.linalg.solve(w1.T @ w1 + np.diag(x**2 + 1), x),
            rng.normal(size=30),
        ),
    }
    for name, (fun, x) in functions.items():
        contenders: dict[str, Callable[[], Any]] = {}
        for mode in ("auto", "forward", "reverse"):
            compiled = wg.jit(wg.jacobian(fun, mode=mode))
            contenders[OURS if mode == "auto" else f"ours, {mode}"] = lambda c=compiled, x=x: c(x)
        seconds = measured(contenders, 7 if quick else 21)
        better = min(seconds["ours, forward"], seconds["ours, reverse"])
        yield Entry(
            name,
            seconds,
            {"plan": wg.plan(fun)(x).chosen.name},
            (
                at_most(
                    f"{name}: auto ≤ 1.05 × the better single mode", seconds[OURS] / better, 1.05
                ),
            ),
        )
