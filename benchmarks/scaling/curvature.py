"""Second and higher derivatives without the Hessian: products, diagonals, Laplacians, series."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse.linalg as sla
from yardstick.timing import timer

import wengert as wg
from scaling.entry import OURS, Effort, Entry, at_least, at_most, compared, no_slower, present
from scaling.peers import in_jax, in_torch


def network(np: Any, a: Any, b: Any) -> Callable[[Any], Any]:
    """A sum of squares of a network of two layers."""
    return lambda x: np.sum(np.tanh(b @ np.tanh(a @ x)) ** 2)


def residual(np: Any, a: Any, b: Any) -> Callable[[Any], Any]:
    return lambda x: np.tanh(b @ np.tanh(a @ x))


def separable(np: Any) -> Callable[[Any], Any]:
    return lambda x: np.sum(np.sin(x) * np.exp(-(x**2)))


def data(n: int, hidden: int, outputs: int) -> tuple[Any, Any, tuple[Any, Any]]:
    """A point, a direction, and the weights."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(hidden, n)) / n**0.5, rng.normal(size=(outputs, hidden)) / hidden**0.5
    return rng.normal(size=n), rng.normal(size=n), (a, b)


def products(effort: Effort) -> Iterator[Entry]:
    """Of the Hessian and of the Gauss–Newton matrix with a vector."""
    n = effort.of(20, 400, 1000)
    x, v, weights = data(n, n // 2, n // 4)
    f, r = network(np, *weights), residual(np, *weights)
    gradient = wg.jit(wg.grad(f))
    hvp = wg.jit(lambda x, v: wg.hvp(f, x, v))
    slopes = wg.jacobian(r)(x)

    def jax_hvp(jax: Any, weights: Sequence[Any]) -> Callable[..., Any]:
        slope = jax.grad(network(jax.numpy, *weights))
        return lambda x, v: jax.jvp(slope, (x,), (v,))[1]

    def torch_hvp(torch: Any, weights: Sequence[Any]) -> Callable[..., Any]:
        slope = torch.func.grad(network(torch, *weights))
        return lambda x, v: torch.func.jvp(slope, (x,), (v,))[1]

    yield compared(
        f"Hessian times a vector, n = {n}",
        {OURS: lambda: hvp(x, v)},
        effort,
        {"jax": in_jax(jax_hvp, (x, v), weights), "torch": in_torch(torch_hvp, (x, v), weights)},
        beside={"the gradient": timer(lambda: gradient(x))},
        expected=wg.hessian(f)(x) @ v,
        goals=lambda seconds: present(
            no_slower(seconds),
            at_most(
                "Hessian product ≤ 4 × the gradient", seconds[OURS] / seconds["the gradient"], 4
            ),
        ),
    )

    def jax_gauss_newton(jax: Any, weights: Sequence[Any]) -> Callable[..., Any]:
        r = residual(jax.numpy, *weights)

        def product(x: Any, v: Any) -> Any:
            moved = jax.jvp(r, (x,), (v,))[1]
            return jax.vjp(r, x)[1](moved)[0]

        return product

    def torch_gauss_newton(torch: Any, weights: Sequence[Any]) -> Callable[..., Any]:
        r = residual(torch, *weights)

        def product(x: Any, v: Any) -> Any:
            moved = torch.func.jvp(r, (x,), (v,))[1]
            return torch.func.vjp(r, x)[1](moved)[0]

        return product

    ours = wg.jit(lambda x, v: wg.gauss_newton_vp(r, x, v))
    yield compared(
        f"Gauss–Newton matrix times a vector, n = {n}",
        {OURS: lambda: ours(x, v)},
        effort,
        {
            "jax": in_jax(jax_gauss_newton, (x, v), weights),
            "torch": in_torch(torch_gauss_newton, (x, v), weights),
        },
        expected=slopes.T @ (slopes @ v),
        goals=lambda seconds: present(no_slower(seconds)),
    )


def diagonals(effort: Effort) -> Iterator[Entry]:
    """Laplacians and diagonals, against those of the dense Hessian."""
    n = effort.of(8, 60, 100)
    x, _, weights = data(n, effort.of(8, 64, 128), 16)
    f = network(np, *weights)
    for name, ours, take in (
        ("Laplacian", wg.laplacian(f), "trace"),
        ("diagonal of the Hessian", wg.hessian_diagonal(f), "diagonal"),
    ):
        sparing, whole = wg.jit(ours), wg.jit(wg.hessian(f))
        of_whole = getattr(np, take)

        def jax_dense(jax: Any, weights: Sequence[Any], take: str = take) -> Callable[..., Any]:
            hessian = jax.hessian(network(jax.numpy, *weights))
            return lambda x: getattr(jax.numpy, take)(hessian(x))

        def torch_dense(torch: Any, weights: Sequence[Any], take: str = take) -> Callable[..., Any]:
            hessian = torch.func.hessian(network(torch, *weights))
            return lambda x: getattr(torch, take)(hessian(x))

        yield compared(
            f"{name}, n = {n}",
            {
                OURS: lambda sparing=sparing: sparing(x),
                "dense": lambda whole=whole, of_whole=of_whole: of_whole(whole(x)),
            },
            effort,
            {
                "jax, dense": in_jax(jax_dense, (x,), weights),
                "torch, dense": in_torch(torch_dense, (x,), weights),
            },
            goals=lambda seconds, name=name: present(
                no_slower(seconds),
                at_least(f"{name} ≥ 1 × our dense Hessian", seconds["dense"] / seconds[OURS], 1),
            ),
        )
    n = effort.of(50, 10_000, 100_000)
    x = np.random.default_rng(0).normal(size=n)
    bends = wg.jit(wg.hessian_diagonal(separable(np)))

    def told(jax: Any, _: Sequence[Any]) -> Callable[..., Any]:
        one = jax.grad(jax.grad(separable(jax.numpy)))
        return jax.vmap(one)

    yield compared(
        f"diagonal of the Hessian of a sum of {n} functions",
        {OURS: lambda: bends(x)},
        effort,
        {"jax, told that they are apart": in_jax(told, (x,))},
        expected=4 * np.exp(-(x**2)) * (x**2 * np.sin(x) - x * np.cos(x) - 0.75 * np.sin(x)),
        goals=lambda seconds: present(no_slower(seconds)),
    )


def series(effort: Effort) -> Iterator[Entry]:
    """Derivatives along a line, of each order."""
    n = effort.of(5, 100, 300)
    x, v, weights = data(n, n, n // 2)
    r = residual(np, *weights)
    first = None
    for order in range(1, effort.of(2, 8, 8) + 1):
        ours = wg.jit(lambda x, v, order=order: wg.taylor(r, (x,), ([v],), order=order)[1])

        def jet(jax: Any, weights: Sequence[Any], order: int = order) -> Callable[..., Any]:
            from jax.experimental.jet import jet

            r = residual(jax.numpy, *weights)
            return lambda x, v: jet(r, (x,), ([v] + [jax.numpy.zeros_like(v)] * (order - 1),))[1]

        entry = compared(
            f"derivatives along a line up to order {order}, n = {n}",
            {OURS: lambda ours=ours: ours(x, v)},
            effort,
            {"jax, jet": in_jax(jet, (x, v), weights)},
            expected=_nested(r, x, v, order) if order <= 3 else ours(x, v),
            tolerance=1e-8,
            goals=lambda seconds, order=order, first=first: present(
                no_slower(seconds, title=f"jet at order {order}"),
                first
                and at_most(
                    f"order {order} ≤ {order * (order + 1) // 2} × order 1",
                    seconds[OURS] / first,
                    order * (order + 1) / 2,
                ),
            ),
        )
        first = first or entry.seconds[OURS]
        yield entry


def _nested(fun: Callable[[Any], Any], x: Any, v: Any, order: int) -> list[Any]:
    """The derivatives along a line by forward mode of forward mode."""
    found = []
    for _ in range(order):
        fun = (lambda inner: lambda x: wg.jvp(inner, (x,), (v,))[1])(fun)
        found.append(fun(x))
    return found


def solutions(effort: Effort) -> Iterator[Entry]:
    """Newton steps by conjugate gradients, with products alone."""
    n = effort.of(20, 400, 1000)
    x, g, weights = data(n, n // 2, n // 4)

    def convex(np: Any, a: Any, b: Any) -> Callable[[Any], Any]:
        return lambda x: np.sum(np.log(1 + np.exp(a @ x))) + np.sum(np.exp(b @ (a @ x) / 9)) + x @ x

    f = convex(np, *weights)

    def solved() -> Any:
        return sla.cg(wg.hessian_operator(f, x), g, rtol=1e-10)[0]

    again = wg.jit(lambda x, v: wg.hvp(f, x, v))

    def solved_again() -> Any:
        operator = sla.LinearOperator((n, n), matvec=lambda v: again(x, v), dtype=float)
        return sla.cg(operator, g, rtol=1e-10)[0]

    def within_jax(jax: Any, weights: Sequence[Any]) -> Callable[..., Any]:
        slope = jax.grad(convex(jax.numpy, *weights))

        def solve(x: Any, g: Any) -> Any:
            product = jax.linearize(slope, x)[1]
            return jax.scipy.sparse.linalg.cg(product, g, tol=1e-10)[0]

        return solve

    def for_scipy() -> Callable[[], Any]:
        import jax

        slope = jax.grad(convex(jax.numpy, *map(jax.numpy.asarray, weights)))
        product = jax.jit(lambda x, v: jax.jvp(slope, (x,), (v,))[1])

        def solve() -> Any:
            operator = sla.LinearOperator(
                (n, n), matvec=lambda v: np.asarray(product(x, v)), dtype=float
            )
            return sla.cg(operator, g, rtol=1e-10)[0]

        return solve

    yield compared(
        f"conjugate gradients on the Hessian, n = {n}",
        {OURS: solved, "by hvp under jit": solved_again},
        effort,
        {"jax, SciPy's cg": for_scipy, "jax, its own cg": in_jax(within_jax, (x, g), weights)},
        expected=np.linalg.solve(wg.hessian(f)(x), g),
        tolerance=1e-7,
        goals=lambda seconds: present(
            at_least(
                "SciPy's cg at least as fast as with products by JAX",
                seconds["jax, SciPy's cg"] / seconds[OURS],
                1,
            )
            if "jax, SciPy's cg" in seconds
            else None
        ),
    )


PARTS = (products, diagonals, series, solutions)
