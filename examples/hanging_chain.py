"""A hanging chain: the lowest energy, with the lengths of the links as constraints.

Equal weights hang at the joints of a chain of n stiff links, whose ends are held. It comes to rest
where the energy is lowest:

    minimise Σ yᵢ     subject to     ‖pᵢ₊₁ − pᵢ‖² = h²     for every link.

The answer is known. The horizontal pull is the same in all links, and each joint adds its weight to
the vertical one, so the slopes of the links are in arithmetic progression. With many links it is
the catenary, y = a cosh(x / a) (Johann Bernoulli, Huygens and Leibniz 1691).

The unknowns are an array of points, and the solver gets the gradient of the energy and the Jacobian
of the constraints. By differences it would need a value of each for every coordinate.

Topic: exact derivatives of constraints.
"""

from __future__ import annotations

import time

import numpy as np
import scipy.optimize
from numpy.typing import NDArray
from scipy.optimize import NonlinearConstraint, OptimizeResult

import wengert.optimize

Points = NDArray[np.float64]  # (joints, 2): x to the right, y upwards

LINKS = 24
LENGTH = 3.0
ENDS = np.array([[-1.0, 0.0], [1.0, 0.5]])
"""Where the chain is held."""


def chain(joints: Points) -> Points:
    """All points of the chain, its ends among them."""
    return np.concatenate([ENDS[:1], joints, ENDS[1:]])


def energy(joints: Points) -> float:
    """Σ yᵢ, in units of the weight of a joint."""
    return np.sum(joints[:, 1])


def stretched(joints: Points) -> NDArray[np.float64]:
    """By how much the square of each link's length is off."""
    return np.sum(np.diff(chain(joints), axis=0) ** 2, axis=1) - (LENGTH / LINKS) ** 2


def start() -> Points:
    """A chain that hangs in a parabola, of links that are a little off."""
    t = np.linspace(0.0, 1.0, LINKS + 1)[1:-1, None]
    return (1 - t) * ENDS[0] + t * ENDS[1] - np.array([0.0, 4.0]) * t * (1 - t)


def hang() -> OptimizeResult:
    """The chain at rest, by exact derivatives."""
    links = NonlinearConstraint(stretched, 0.0, 0.0)
    options = {"ftol": 1e-12, "maxiter": 300}
    return wengert.optimize.minimize(
        energy, start(), method="SLSQP", constraints=links, options=options
    )


def hang_by_differences() -> OptimizeResult:
    """The same by SciPy alone, which knows vectors only."""
    shape = start().shape
    links = {"type": "eq", "fun": lambda x: stretched(x.reshape(shape))}
    return scipy.optimize.minimize(
        lambda x: energy(x.reshape(shape)),
        start().ravel(),
        method="SLSQP",
        constraints=links,
        options={"ftol": 1e-12, "maxiter": 300},
    )


def slopes(joints: Points) -> NDArray[np.float64]:
    """dy/dx of each link."""
    across, up = np.diff(chain(joints), axis=0).T
    return up / across


def main() -> None:
    for name, solve in (("exact derivatives", hang), ("differences", hang_by_differences)):
        began = time.perf_counter()
        found = solve()
        took = time.perf_counter() - began
        steps = np.diff(slopes(np.reshape(found.x, (-1, 2))))
        print(
            f"{name:18} {found.nit} steps, {found.nfev} values of the energy, {1e3 * took:.0f} ms; "
            f"the slopes grow by {np.mean(steps):.6f} a link, even to {np.ptp(steps):.0e}"
        )
    lowest = hang().x[:, 1].min()
    print(f"its lowest joint hangs {-lowest:.4f} below the left end")


if __name__ == "__main__":
    main()
