"""Sparse Jacobians and Hessians: finding the pattern, colouring it, and the values."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from yardstick import floor
from yardstick.timing import interleaved, timer

import wengert as wg
from scaling.entry import OURS, Entry, at_least, at_most, available, measured
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
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return float(np.median(found))


def entries(quick: bool) -> Iterator[Entry]:
    yield from _patterns(quick)
    yield from _arrows()
    yield from _values(quick)


def _patterns(quick: bool) -> Iterator[Entry]:
    def fresh(x: Any) -> float:
        def work() -> None:
            clear_caches()
            wg.sparsity(stencil(np))(x)

        return once(work, 5)

    side = 316
    x = np.ones((side, side))
    seconds = {OURS: fresh(x)}
    facts = {"colours": wg.sparsity(stencil(np))(x).products}
    if available("asdex"):
        import asdex
        import jax

        jax.config.update("jax_enable_x64", True)
        f = stencil(jax.numpy)
        asdex.jacobian_coloring(f, x)
        seconds["asdex"] = once(
            lambda: asdex.jacobian_coloring(lambda u: f(u), x), 1 if quick else 3
        )
    if available("casadi"):
        seconds["casadi"] = once(lambda: _casadi_colours(side), 1 if quick else 3)
    goals = ()
    if "asdex" in seconds:
        ratio = seconds["asdex"] / seconds[OURS]
        goals = (at_least("5-point stencil, n = 10⁵: ≥ 50 × as fast as asdex", ratio, 50),)
    yield Entry("pattern and colours, stencil of 10⁵", seconds, facts, goals)
    large = fresh(np.ones((1000, 1000)))
    yield Entry(
        "pattern and colours, stencil of 10⁶",
        {OURS: large},
        goals=(at_most("5-point stencil, n = 10⁶, within 0.5 s", large, 0.5, "s"),),
    )


def _casadi_colours(side: int) -> Any:
    import casadi

    u = casadi.MX.sym("u", side, side)
    p = casadi.MX.zeros(side + 2, side + 2)
    p[1:-1, 1:-1] = u
    f = p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4 * u**3
    pattern = casadi.Function("f", [u], [f]).jac_sparsity(0, 0)
    return pattern.uni_coloring()


def _arrows() -> Iterator[Entry]:
    x = np.linspace(0.5, 1.5, 10_000)
    jacobian = wg.sparsity(arrow)(x)
    hessian = wg.sparsity(lambda x: x[0] * np.sum(np.sin(x[1:])), of="hessian")(x)
    yield Entry(
        "arrow of 10,000",
        {},
        {"Jacobian": repr(jacobian), "Hessian": repr(hessian)},
        (
            at_most("arrow Jacobian of 10,000 columns in 3 products", jacobian.products, 3, ""),
            at_most("arrow Hessian in 2 products", hessian.products, 2, ""),
        ),
    )


def _values(quick: bool) -> Iterator[Entry]:
    rounds = 7 if quick else 21
    x = np.random.default_rng(0).normal(size=1000)
    library = floor.library()
    for name, make, of in (("burgers", burgers, "jacobian"), ("rosenbrock", rosenbrock, "hessian")):
        fun = make(np)
        transform = wg.jacobian if of == "jacobian" else wg.hessian
        plan = wg.sparsity(fun, of=of)(x)
        values = wg.jit(transform(fun, sparse="values", pattern=plan))
        matrix = transform(fun, sparse=True)
        contenders: dict[str, Callable[[], Any]] = {
            OURS: lambda values=values: values(x),
            "as csr_array": lambda matrix=matrix: matrix(x),
        }
        if available("asdex"):
            contenders["asdex"] = _asdex_values(make, of, x)
        seconds = measured(contenders, rounds)
        goals = ()
        if library is not None:
            out = np.empty(plan.nnz)
            call = floor.bind(library, f"{name}_values", (x.size, x, out), value=out)
            call.call()
            np.testing.assert_allclose(values(x), out, rtol=1e-12)
            both = interleaved({OURS: timer(contenders[OURS]), "c": call.seconds}, rounds)
            seconds["c"] = both["c"]
            ratio = both[OURS] / both["c"]
            goals = (at_most(f"{name}, n = 1000, values within 3 × C", ratio, 3),)
        yield Entry(f"{name}, values of the {of}, n = 1000", seconds, {"places": plan.nnz}, goals)


def _asdex_values(make: Callable[[Any], Any], of: str, x: Any) -> Callable[[], Any]:
    import asdex
    import jax

    jax.config.update("jax_enable_x64", True)
    f = make(jax.numpy)
    colour = asdex.jacobian_coloring if of == "jacobian" else asdex.hessian_coloring
    compute = (
        asdex.compressed_jacobian_from_coloring
        if of == "jacobian"
        else asdex.compressed_hessian_from_coloring
    )
    compiled = jax.jit(compute(f, colour(f, x)))
    point = jax.numpy.asarray(x)
    return lambda: jax.block_until_ready(compiled(point))
