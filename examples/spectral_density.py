"""The spectral density of a network's Hessian, from products with random vectors.

The density of the eigenvalues, each broadened to a normal density g of width σ, is

    φ(t) = (1/n) Σᵢ g((t − λᵢ)/σ)/σ = (1/n) tr g((t − H)/σ)/σ,

a trace of a function of H at each t. Lanczos' method finds, from a random start vector v,
nodes θⱼ and weights τⱼ with vᵀ f(H) v ≈ n Σⱼ τⱼ f(θⱼ) for smooth f, and the mean over start vectors
is tr f(H) (stochastic Lanczos quadrature; Lin, Saad & Yang 2016; Ghorbani, Krishnan & Xiao 2019 for
networks). One run serves all t.

The network has two hidden layers of tanh between 8 inputs and 3 classes. Before training and after
it most eigenvalues of its Hessian are close to zero, and few are large.

Topic: functions of large matrices that are known by their products alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import wengert as wg
from wengert.estimate import Density

Array = NDArray[np.float64]
Classes = NDArray[np.int64]


SIZES = (8, 12, 12, 3)
SHAPES = [shape for m, n in pairwise(SIZES) for shape in ((m, n), (n,))]
"""Weights and offsets, layer after layer."""


# ---------------------------------------------------------------------------------- the network


def loss(parameters: Array, inputs: Array, classes: Classes) -> float:
    """The cross-entropy, the mean of log Σ e^s − s_class; the parameters are one vector."""
    ends = np.cumsum([int(np.prod(shape)) for shape in SHAPES])
    parts = [p.reshape(s) for p, s in zip(np.split(parameters, ends[:-1]), SHAPES, strict=True)]
    v = inputs
    for w, b in zip(parts[0:-2:2], parts[1:-2:2], strict=True):
        v = np.tanh(v @ w + b)
    s = v @ parts[-2] + parts[-1]
    right = np.eye(SIZES[-1])[classes]
    return np.mean(np.log(np.sum(np.exp(s), axis=1)) - np.sum(right * s, axis=1))


def problem(seed: int = 0, points: int = 200) -> tuple[Array, Array, Classes]:
    """Parameters, points around three centres, and which centre each belongs to."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(SIZES[-1], SIZES[0]))
    classes = rng.integers(SIZES[-1], size=points)
    start = [
        rng.normal(scale=np.sqrt(1 / s[0]), size=s) if len(s) == 2 else np.zeros(s) for s in SHAPES
    ]
    inputs = centres[classes] + rng.normal(size=(points, SIZES[0]))
    return np.concatenate([np.ravel(p) for p in start]), inputs, classes


def trained(steps: int, rate: float = 0.5) -> tuple[Array, Array, Classes]:
    """Parameters after so many steps of gradient descent, and the data."""
    parameters, *data = problem()
    slope = wg.jit(wg.grad(loss))
    for _ in range(steps):
        parameters = parameters - rate * slope(parameters, *data)
    return parameters, *data


# ---------------------------------------------------------------------------------- its spectrum


@dataclass(frozen=True)
class Spectrum:
    """estimated: the density, with its standard error; eigenvalues: all of them, for comparison;
    exact: the density of these at the same points."""

    estimated: Density
    eigenvalues: Array
    exact: Array


def spectrum(steps: int, samples: int = 16, seed: int = 0) -> Spectrum:
    """The density after so many steps of training."""
    parameters, *data = trained(steps)
    estimated = wg.estimate.spectral_density(
        loss, x=parameters, args=tuple(data), samples=samples, steps=60, rng=seed
    )
    values = np.linalg.eigvalsh(wg.hessian(loss)(parameters, *data))
    away = (estimated.points[:, None] - values) / estimated.width
    exact = np.mean(np.exp(-(away**2) / 2), axis=1) / (estimated.width * np.sqrt(2 * np.pi))
    return Spectrum(estimated, values, exact)


def draw(found: dict[str, Spectrum], path: Path) -> None:
    """Both densities with bands of 95 %, and the eigenvalues as ticks."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6), layout="constrained")
    for axes, (name, one) in zip(figure.subplots(len(found), 1), found.items(), strict=True):
        density = one.estimated
        low, high = density.interval
        floor = 1e-4
        axes.fill_between(
            density.points, np.maximum(low, floor), np.maximum(high, floor), alpha=0.3
        )
        axes.semilogy(density.points, np.maximum(density.density, floor), label="estimated")
        axes.semilogy(density.points, np.maximum(one.exact, floor), "k--", lw=1, label="exact")
        axes.plot(one.eigenvalues, np.full(len(one.eigenvalues), 1.5 * floor), "|", color="k")
        axes.set(title=name, xlabel="eigenvalue", ylabel="density", ylim=(floor, None))
        axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main(out: str | Path = "spectral_density.png", quick: bool = True) -> dict[str, Spectrum]:
    steps = 100 if quick else 1000
    found = {
        "before training": spectrum(0),
        f"after {steps} steps": spectrum(steps),
    }
    for name, one in found.items():
        density, values = one.estimated, one.eigenvalues
        off = np.trapezoid(np.abs(density.density - one.exact), density.points)
        print(
            f"{name}: {len(values)} eigenvalues from {values[0]:.3f} to {values[-1]:.3f}, "
            f"{np.mean(np.abs(values) < 0.05 * values[-1]):.0%} of them below 5 % of the largest"
        )
        print(
            f"  {density.products} products; ∫|estimated − exact| = {off:.3f}, "
            f"∫ standard error = {np.trapezoid(density.stderr, density.points):.3f}"
        )
    if find_spec("matplotlib") is not None:
        draw(found, Path(out))
        print(f"drawn to {out}")
    return found


if __name__ == "__main__":
    main(quick=False)
