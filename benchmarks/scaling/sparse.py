"""Sparse Jacobians and Hessians: finding the pattern, colouring it, and the values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from yardstick import floor
from yardstick.timing import Clock, timer

import wengert as wg
from scaling.entry import OURS, Effort, Entry, at_least, at_most, available, compared
from wengert.execution.programs import clear_caches


def stencil(np: Any) -> Callable[[Any], Any]:
    """The 5-point Laplacian of a grid, zero outside, with a reaction term."""

    def f(u: Any) -> Any:
        p = np.pad(u, 1)
        return p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4 * u**3

    return f


def burgers(np: Any) -> Callable[[Any], Any]:
    """Viscous Burgers' equation on a line, ends fixed."""

    def f(u: Any) -> Any:
        right, left, middle = u[2:], u[:-2], u[1:-1]
        inner = 0.1 * (right - 2 * middle + left) - middle * (right - left) / 2
        return np.concatenate([u[:1] - 1, inner, u[-1:]])

    return f


def rosenbrock(np: Any) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    return f


def arrow(x: Any) -> Any:
    """The first output reads all inputs, the first input is read by all outputs."""
    return np.concatenate([np.sum(x**2)[None], x[0] * np.sin(x[1:])])


def once(work: Callable[[], Any], times: int) -> float:
    """The median seconds of calls that cannot be interleaved: each begins with nothing known."""
    found = []
    for _ in range(times):
        start = Clock.now()
        work()
        found.append(Clock.now() - start)
    return float(np.median(found))


def patterns(effort: Effort) -> Iterator[Entry]:
    side, large = effort.of(10, 316, 316), effort.of(20, 1000, 1000)
    times = effort.of(1, 3, 5)
    seconds = {OURS: _fresh(side, times)}
    found = wg.sparsity(stencil(np))(np.ones((side, side)))
    facts: dict[str, Any] = {"ours": f"{found.nnz} places, {found.products} products"}
    for name, finder in (("asdex", _by_asdex), ("casadi", _by_casadi)):
        if available(name):
            try:
                look = finder(side)
                facts[name] = look()
                seconds[name] = once(look, effort.of(1, 1, 3))
            except Exception as error:
                facts[f"{name} left out"] = f"{type(error).__name__}: {error!s:.100}"
    goals = ()
    if "asdex" in seconds and effort.size:
        ratio = seconds["asdex"] / seconds[OURS]
        goals = (at_least("5-point stencil, n = 10⁵: ≥ 50 × as fast as asdex", ratio, 50),)
    # Each cell reads itself and up to four others.
    expected = 5 * side**2 - 4 * side
    wrong = {} if found.nnz == expected else {OURS: found.nnz / expected - 1}
    yield Entry(f"pattern and colours, stencil of {side} × {side}", seconds, facts, goals, wrong)
    taken = _fresh(large, times)
    goal = at_most("5-point stencil, n = 10⁶, within 0.5 s", taken, 0.5, "s")
    yield Entry(
        f"pattern and colours, stencil of {large} × {large}",
        {OURS: taken},
        goals=(goal,) if effort.size else (),
    )


def _fresh(side: int, times: int) -> float:
    """Seconds, with nothing known."""
    x = np.ones((side, side))

    def work() -> None:
        clear_caches()
        wg.sparsity(stencil(np))(x)

    return once(work, times)


def _by_asdex(side: int) -> Callable[[], str]:
    import asdex
    import jax

    f, x = stencil(jax.numpy), np.ones((side, side))

    def look() -> str:
        found = asdex.jacobian_coloring(lambda u: f(u), x)
        return f"{found.sparsity.nnz} places, {found.num_colors} products"

    return look


def _by_casadi(side: int) -> Callable[[], str]:
    import casadi

    def look() -> str:
        u = casadi.MX.sym("u", side, side)
        p = casadi.MX.zeros(side + 2, side + 2)
        p[1:-1, 1:-1] = u
        f = p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4 * u**3
        pattern = casadi.Function("f", [u], [f]).jac_sparsity(0, 0)
        return f"{pattern.nnz()} places, {pattern.uni_coloring().size2()} products"

    return look


def arrows(effort: Effort) -> Iterator[Entry]:
    n = effort.of(100, 10_000, 10_000)
    x = np.linspace(0.5, 1.5, n)
    jacobian = wg.sparsity(arrow)(x)
    hessian = wg.sparsity(lambda x: x[0] * np.sum(np.sin(x[1:])), of="hessian")(x)
    yield Entry(
        f"arrow of {n}",
        {},
        {"Jacobian": repr(jacobian), "Hessian": repr(hessian)},
        (
            at_most(f"arrow Jacobian of {n} columns in 3 products", jacobian.products, 3, ""),
            at_most("arrow Hessian in 2 products", hessian.products, 2, ""),
        ),
    )


def values(effort: Effort) -> Iterator[Entry]:
    n = effort.of(20, 1000, 1000)
    x = np.random.default_rng(0).normal(size=n)
    library = floor.library()
    for name, make, of in (("burgers", burgers, "jacobian"), ("rosenbrock", rosenbrock, "hessian")):
        fun = make(np)
        transform = wg.jacobian if of == "jacobian" else wg.hessian
        plan = wg.sparsity(fun, of=of)(x)
        ours = wg.jit(transform(fun, sparse="values", pattern=plan))
        matrix = transform(fun, sparse=True)
        beside = {"as csr_array": timer(lambda matrix=matrix: matrix(x))}
        whole = transform(fun)(x)
        goals = lambda seconds: ()
        if library is not None:
            out = np.empty(plan.nnz)
            call = floor.bind(library, f"{name}_values", (n, x, out), value=out)
            beside["c"] = call.seconds
            goals = lambda seconds, name=name: (
                at_most(f"{name}, n = {n}, values within 3 × C", seconds[OURS] / seconds["c"], 3),
            )
        yield compared(
            f"{name}, values of the {of}, n = {n}",
            {OURS: lambda ours=ours: ours(x)},
            effort,
            {"asdex": lambda make=make, of=of: _asdex_values(make, of, x)},
            beside=beside,
            expected=whole[np.nonzero(whole)],
            tolerance=1e-12,
            facts={"places": plan.nnz},
            goals=goals,
        )


def _asdex_values(make: Callable[[Any], Any], of: str, x: Any) -> Callable[[], Any]:
    import asdex
    import jax

    f = make(jax.numpy)
    colour = asdex.jacobian_coloring if of == "jacobian" else asdex.hessian_coloring
    matrix = asdex.jacobian_from_coloring if of == "jacobian" else asdex.hessian_from_coloring
    compiled = jax.jit(matrix(f, colour(f, x)))
    point = jax.numpy.asarray(x)
    return lambda: jax.block_until_ready(compiled(point)).data


PARTS = (patterns, arrows, values)
