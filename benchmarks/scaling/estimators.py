"""Estimates of traces: their errors against those that are known, and what they take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from yardstick.timing import timer

import wengert as wg
from scaling.entry import OURS, Effort, Entry, at_most, compared, no_slower, present
from scaling.peers import in_jax, in_torch

PRODUCTS = 60
METHODS = ("hutchinson", "hutch++", "xtrace")
SPECTRA: dict[str, tuple[Callable[[Any], Any], tuple[float, float, float]]] = {
    "flat": (lambda i: 1 + 2 * i / len(i), (1.4e-3, 2.8e-3, 2.1e-3)),
    "i⁻²": (lambda i: (i + 1.0) ** -2, (1.0e-1, 1.9e-3, 1.0e-3)),
    "0.7ⁱ": (lambda i: 0.7**i, (5.2e-2, 2.1e-4, 8.3e-6)),
}
"""Eigenvalues, and the relative errors of the three methods at 60 products for 1000 of them, which
are the roots of mean squares of 30 runs of plain programs of the papers' formulas. For Hutchinson's
method they are shown alone: its error is known by a formula, √(2 (‖A‖² − Σ aᵢᵢ²) / 60), from which
those of the runs are 10 to 30 % away.

Hutchinson 1990; Meyer, Musco, Musco and Woodruff 2021; Epperly, Tropp and Webber 2024."""
LIMIT = 1.3
"""What errors have for errors: the root of the mean square of 30 runs is off by 13 %, and more
where few eigenvalues count."""


def errors(effort: Effort) -> Iterator[Entry]:
    """Relative errors, as roots of mean squares over many runs."""
    n, runs = effort.of(100, 1000, 1000), effort.of(3, 60, 300)
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
    for name, (eigenvalues, known) in SPECTRA.items():
        values = eigenvalues(np.arange(n))
        matrix, exact = (basis * values) @ basis.T, float(np.sum(values))
        off = np.sum(matrix**2) - np.sum(np.diagonal(matrix) ** 2)
        by_formula = float(np.sqrt(2 * off / PRODUCTS)) / exact
        facts, goals = {}, []
        for method, reference in (*zip(METHODS, known, strict=True), ("auto", max(known))):
            found = [
                wg.estimate.trace(matrix, samples=PRODUCTS, method=method, rng=rng)
                for _ in range(runs)
            ]
            assert all(one.products <= PRODUCTS for one in found), method
            error = float(np.sqrt(np.mean([(one.value / exact - 1) ** 2 for one in found])))
            inside = np.mean([one.interval[0] <= exact <= one.interval[1] for one in found])
            facts[method] = f"{error:.2g}, interval covers {inside:.0%}"
            if method != "auto" and effort.size:
                facts[method] += f" (known: {reference:.2g})"
                limit = by_formula if method == "hutchinson" else reference
                text = f"{name}, {method}: error ≤ {LIMIT} × the one known"
                goals.append(at_most(text, error / limit, LIMIT))
        yield Entry(f"trace by {PRODUCTS} products, n = {n}, {name}", {}, facts, tuple(goals))


def network(np: Any, inputs: Any, outputs: Any, hidden: int) -> Callable[[Any], Any]:
    """The mean square error of a network by its parameters, a vector."""
    width = inputs.shape[1]

    def loss(p: Any) -> Any:
        a = p[: width * hidden].reshape(width, hidden)
        b = p[width * hidden :].reshape(hidden, -1)
        return np.mean((np.tanh(inputs @ a) @ b - outputs) ** 2)

    return loss


def traces(effort: Effort) -> Iterator[Entry]:
    """The trace of a network's Hessian, by products with as many vectors at a time as fit."""
    width, hidden, count = effort.of(4, 30, 60), effort.of(3, 30, 60), effort.of(8, 32, 64)
    rng = np.random.default_rng(1)
    inputs, outputs = rng.normal(size=(effort.of(20, 200, 1000), width)), rng.normal(size=(1, 2))
    p = rng.normal(size=(width + 2) * hidden) / width**0.5
    loss = network(np, inputs, outputs, hidden)
    exact = wg.laplacian(loss)(p)

    def ours() -> Any:
        return wg.estimate.trace(loss, x=p, samples=count, method="hutchinson", rng=0)

    def by_jax(jax: Any, captured: Sequence[Any]) -> Callable[..., Any]:
        slope = jax.grad(network(jax.numpy, *captured, hidden))

        def estimate(p: Any, seed: Any) -> Any:
            probes = jax.random.rademacher(jax.random.key(seed), (count, p.size), p.dtype)
            product = jax.linearize(slope, p)[1]
            return jax.numpy.mean(jax.vmap(lambda z: z @ product(z))(probes))

        return estimate

    def by_torch(torch: Any, captured: Sequence[Any]) -> Callable[..., Any]:
        slope = torch.func.grad(network(torch, *captured, hidden))

        def estimate(p: Any, _: Any) -> Any:
            probes = torch.randint(0, 2, (count, p.numel())).to(p.dtype) * 2 - 1
            product = lambda z: torch.dot(z, torch.func.jvp(slope, (p,), (z,))[1])
            return torch.mean(torch.func.vmap(product)(probes))

        return estimate

    found = ours()
    yield compared(
        f"trace of the Hessian of a network of {p.size} parameters, {count} products",
        {OURS: lambda: ours().value},
        effort,
        {
            "jax": in_jax(by_jax, (p, np.uint32(0)), (inputs, outputs)),
            "torch": in_torch(by_torch, (p, np.int64(0)), (inputs, outputs)),
        },
        beside={"the exact one": timer(lambda: wg.laplacian(loss)(p))},
        expected=exact,
        tolerance=6 * found.stderr / abs(float(exact)),
        facts={"stderr": f"{found.stderr / found.value:.2g}"},
        goals=lambda seconds: present(no_slower(seconds)),
    )


PARTS = (errors, traces)
