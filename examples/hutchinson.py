"""The trace of a network's Hessian, from products with random vectors.

For signs v, each ±1 with probability ½, E vᵀHv = Σᵢⱼ Hᵢⱼ E vᵢvⱼ = tr H. The mean of V such numbers
has the variance

    2(‖H‖_F² − Σᵢ Hᵢᵢ²)/V          (Hutchinson 1990),

so that its error falls as 1/√V. A product Hv is a derivative of the gradient and costs a small
multiple of it; H is never formed for the estimates. XTrace (Epperly, Tropp & Webber 2024) makes
more of the same number of products where few eigenvalues are large, as they are in a network.

The network is small enough that the exact trace can be had too: two hidden layers of tanh between
8 inputs and 3 classes, with the cross-entropy of 100 points.

Topic: stochastic estimation with Hessian-vector products.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import wengert as wg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Parameters = list[dict[str, Array]]

SIZES = (8, 12, 12, 3)
METHODS = ("hutchinson", "hutch++", "xtrace")


# ---------------------------------------------------------------------------------- the network


def initial(rng: np.random.Generator, sizes: tuple[int, ...] = SIZES) -> Parameters:
    """Random weights that keep the variance from layer to layer."""
    return [
        {"w": rng.normal(scale=np.sqrt(1 / m), size=(m, n)), "b": np.zeros(n)}
        for m, n in pairwise(sizes)
    ]


def loss(parameters: Parameters, inputs: Array, classes: NDArray[np.int64]) -> float:
    """The cross-entropy: the mean of log Σ e^s − s_class."""
    *hidden, last = parameters
    v = inputs
    for layer in hidden:
        v = np.tanh(v @ layer["w"] + layer["b"])
    s = v @ last["w"] + last["b"]
    right = np.eye(s.shape[1])[classes]
    return np.mean(np.log(np.sum(np.exp(s), axis=1)) - np.sum(right * s, axis=1))


def problem(seed: int = 0, points: int = 100) -> tuple[Parameters, Array, NDArray[np.int64]]:
    """Parameters, points around three centres, and which centre each belongs to."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(SIZES[-1], SIZES[0]))
    classes = rng.integers(SIZES[-1], size=points)
    return initial(rng), centres[classes] + rng.normal(size=(points, SIZES[0])), classes


# ----------------------------------------------------------------------------------- the errors


@dataclass(frozen=True)
class Errors:
    """exact: tr H; n: the number of parameters; products: the numbers V of products.

    predicted: what the variance says of Hutchinson's relative error, one number for each V.
    measured: the relative root mean square errors, and said: the relative standard errors that the
        estimates come with, both by method.
    """

    exact: float
    n: int
    products: list[int]
    predicted: Array
    measured: dict[str, Array]
    said: dict[str, Array]


def errors(products: list[int], repetitions: int, seed: int = 1) -> Errors:
    """Errors of the estimates, each made `repetitions` times."""
    parameters, *data = problem()
    hessian = wg.hessian_operator(loss, parameters, *data)
    matrix = hessian @ np.eye(hessian.shape[0])  # in full, for the comparison alone
    exact = float(np.trace(matrix))
    variance = 2 * (np.sum(matrix**2) - np.sum(np.diag(matrix) ** 2))
    rng = np.random.default_rng(seed)
    measured, said = {}, {}
    for method in METHODS:
        rows = [
            [
                wg.estimate.trace(hessian, samples=v, method=method, rng=rng)
                for _ in range(repetitions)
            ]
            for v in products
        ]
        off = [[found.value - exact for found in row] for row in rows]
        measured[method] = np.sqrt(np.mean(np.square(off), axis=1)) / exact
        said[method] = np.sqrt([np.mean([f.stderr**2 for f in row]) for row in rows]) / exact
    predicted = np.sqrt(variance / np.array(products)) / exact
    return Errors(exact, len(matrix), products, predicted, measured, said)


def picture(found: Errors) -> Figure:
    """The errors over the number of products, on logarithmic axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.loglog(found.products, found.predicted, "k--", label="1/√V, from the variance")
    for method in METHODS:
        axes.loglog(found.products, found.measured[method], "o-", label=method)
    axes.set(xlabel="products Hv", ylabel="relative error", title="The trace of a Hessian")
    axes.set_xticks(found.products, [str(v) for v in found.products])
    axes.xaxis.minorticks_off()
    axes.legend()
    return figure


def main(out: str | Path = "hutchinson.png", quick: bool = True) -> Errors:
    products = [48, 96, 192] if quick else [12, 24, 48, 96, 144, 192, 240]
    found = errors(products, repetitions=8 if quick else 200)
    print(f"{found.n} parameters, tr H = {found.exact:.4f}; relative errors:")
    print("products  1/√V      " + "  ".join(f"{method:>10}" for method in METHODS))
    for k, v in enumerate(found.products):
        row = "  ".join(f"{found.measured[method][k]:10.1e}" for method in METHODS)
        print(f"{v:8}  {found.predicted[k]:.1e}  {row}")
    if find_spec("matplotlib") is not None:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        picture(found).savefig(out, dpi=150)
        print(f"drawn to {out}")
    return found


if __name__ == "__main__":
    main(quick=False)
