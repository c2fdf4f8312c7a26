"""Jacobians through waists, and the price of choosing: auto against the better single mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from yardstick.timing import Clock

import wengert as wg
from scaling.entry import OURS, Effort, Entry, Work, at_least, at_most, compared
from scaling.peers import in_jax
from scaling.vectors import vectors
from wengert.derivatives.marking import mark
from wengert.derivatives.mixed.planning import planned
from wengert.execution.border import entered
from wengert.execution.programs import clear_caches
from wengert.graph.walk import topological

MODES = ("auto", "forward", "reverse")
IN_JAX = {"forward": "jacfwd", "reverse": "jacrev"}
MOST = 1.05


def through_a_waist(n: int, k: int, m: int, thin: bool) -> tuple[Callable[[Any], Any], Any]:
    """Rⁿ → Rᵏ → Rᵐ. On both sides is a dense layer, unless it is thin: a cumulative sum there."""
    rng = np.random.default_rng(0)

    def weights(rows: int, columns: int) -> Any:
        return rng.normal(size=(rows, columns)) / columns**0.5

    a, b, x = weights(k, n), weights(m, k), rng.normal(size=n)
    if thin:
        return lambda np: lambda x: np.sin(b @ np.tanh(a @ np.exp(0.1 * np.cumsum(x)))), x
    c, d = weights(n, n), weights(m, m)
    return lambda np: lambda x: np.sin(d @ np.tanh(b @ np.tanh(a @ np.tanh(c @ x)))), x


def waists(effort: Effort) -> Iterator[Entry]:
    shapes = (((500, 5, 500), 20), ((200, 20, 2000), 3), ((2000, 10, 200), 3))
    for (n, k, m), limit in effort.of((((30, 3, 30), 1),), shapes, shapes):
        for thin in (False, True):
            make, x = through_a_waist(n, k, m, thin)
            # A mode of so many more passes is not the better one.
            modes = ["auto", *["forward"] * (n < 5 * m), *["reverse"] * (m < 5 * n)]
            fun = make(np)
            works = {mode: wg.jit(wg.jacobian(fun, mode=mode)) for mode in modes}

            def by_jax(name: str, make: Any = make, x: Any = x) -> Callable[[], Work]:
                return in_jax(lambda jax, _: getattr(jax, name)(make(jax.numpy)), (x,))

            what = f"({n}, {k}, {m}), {'thin' if thin else 'dense'}"
            if thin:
                text, least = f"{what}: never {MOST} × slower than the better single mode", 1 / MOST
            else:
                text, least = f"{what}: ≥ {limit} × the better single mode", limit
            yield compared(
                f"waist {what}",
                {_title(mode): lambda c=c, x=x: c(x) for mode, c in works.items()},
                replace(effort, rounds=3 * effort.rounds),
                {f"jax, {IN_JAX[mode]}": by_jax(IN_JAX[mode]) for mode in modes[1:]},
                expected=works[modes[-1]](x),
                facts={"plan": wg.plan(fun)(x).chosen.what},
                goals=lambda seconds, text=text, least=least: (
                    at_least(text, _better(seconds) / seconds[OURS], least),
                ),
            )


def _title(mode: str) -> str:
    return OURS if mode == "auto" else mode


def _better(seconds: Mapping[str, float]) -> float:
    return min(seconds[mode] for mode in MODES[1:] if mode in seconds)


def others(effort: Effort) -> Iterator[Entry]:
    """Functions without a waist: auto may cost no more than the better single mode."""
    for name, (fun, x) in list(vectors().items())[: effort.of(1, None, None)]:
        modes = {mode: wg.jit(wg.jacobian(fun, mode=mode)) for mode in MODES}
        yield compared(
            name,
            {_title(mode): lambda c=c, x=x: c(x) for mode, c in modes.items()},
            replace(effort, rounds=8 * effort.rounds),
            facts={"plan": wg.plan(fun)(x).chosen.name},
            goals=lambda seconds, name=name: (
                at_most(
                    f"{name}: auto ≤ {MOST} × the better single mode",
                    seconds[OURS] / _better(seconds),
                    MOST,
                ),
            ),
        )


def planning(effort: Effort) -> Iterator[Entry]:
    """How long it takes to choose, beside the trace that it is chosen for."""
    layers = effort.of(10, 250, 250)
    rng = np.random.default_rng(2)
    weights = [rng.normal(size=(20, 20)) / 4 for _ in range(layers)]
    x = rng.normal(size=20)
    f = network(weights)
    count = []
    seconds = []
    for _ in range(effort.of(1, 5, 9)):
        clear_caches()
        with entered([x]) as session:
            marked = mark(session, (x,), 0, "plan")
            outputs = [f(*marked.args).node]
            count.append(len(topological(outputs)))
            start = Clock.now()
            planned(outputs, marked.nodes)
            seconds.append(Clock.now() - start)
    found = float(np.median(seconds))
    yield Entry(
        f"planning for {count[-1]} nodes, a network of {layers} layers",
        {OURS: found},
        goals=(at_most("1,000 array nodes planned within 50 ms", 1e3 * found, 50, "ms"),),
    )


def network(weights: list[Any]) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        for w in weights:
            x = np.tanh(w @ x) + 0.1 * x
        return x

    return f


PARTS = (waists, others, planning)
