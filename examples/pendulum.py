"""A damped pendulum: its frequency and damping, found from where it was seen.

    θ'' = −ω² sin θ − γ θ'             observed: θ at a number of times

The parameters (ω, γ, θ₀) are those with the least squares. The gradient goes through the solution
of the differential equation, in two ways:

- `scan` with the classical method of Runge and Kutta in fixed steps: one operation of the graph, a
  loop in machine code. Its backward pass is a loop from the last step to the first, the discrete
  adjoint equation.
- SciPy's `solve_ivp` as it stands, with its choice of steps. It was not written for derivatives,
  and is adopted: traced along the steps that it takes.

The first finds the parameters, by Gauss and Newton's steps with the Jacobian of forward mode; the
second says that the gradient is right.

Topic: parameters of differential equations by automatic differentiation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

import wengert as wg

Array = NDArray[np.float64]

TRUTH = np.array([2.0, 0.3, 1.2])
"""ω in 1/s, γ in 1/s, θ₀ in radians."""
TIMES = np.linspace(0.0, 8.0, 41)
"""When the pendulum is seen, in seconds; it starts at rest."""
STEPS = 20
"""Steps of Runge and Kutta's method between two times."""
NOISE = 0.01
"""The standard deviation of what is seen, in radians."""


@dataclass(frozen=True)
class Fit:
    """What was found: the parameters, the residuals there, and the loss after each step."""

    parameters: Array
    residuals: Array
    losses: list[float]


def acceleration(state: Array, omega: float, gamma: float) -> Array:
    """d/dt of (θ, θ')."""
    theta, speed = state
    return np.stack([speed, -(omega**2) * np.sin(theta) - gamma * speed])


def angles(parameters: Array) -> Array:
    """θ at all times, by fixed steps."""
    omega, gamma, start = parameters
    h = (TIMES[1] - TIMES[0]) / STEPS

    def step(_: int, y: Array) -> Array:
        k1 = acceleration(y, omega, gamma)
        k2 = acceleration(y + h / 2 * k1, omega, gamma)
        k3 = acceleration(y + h / 2 * k2, omega, gamma)
        k4 = acceleration(y + h * k3, omega, gamma)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    def to_next_time(y: Array, _: None) -> tuple[Array, float]:
        return wg.fori_loop(0, STEPS, step, y), y[0]

    first = np.stack([start, 0.0 * start])
    _, seen = wg.scan(to_next_time, first, length=len(TIMES))
    return seen


def angles_by_scipy(parameters: Array) -> Array:
    """θ at all times, by SciPy's method of eighth order with its own steps."""
    omega, gamma, start = parameters
    solution = solve_ivp(
        lambda t, y: acceleration(y, omega, gamma),
        (TIMES[0], TIMES[-1]),
        np.stack([start, 0.0 * start]),
        method="DOP853",
        t_eval=TIMES,
        rtol=1e-9,
        atol=1e-9,
    )
    return solution.y[0]


def observations(seed: int = 0) -> Array:
    """What is seen of the pendulum with the true parameters."""
    return angles(TRUTH) + NOISE * np.random.default_rng(seed).normal(size=len(TIMES))


def fit(seen: Array, start: Array, most: int = 50) -> Fit:
    """Gauss and Newton's steps, halved until the loss falls."""

    @wg.jit
    def residuals(parameters: Array) -> Array:
        return angles(parameters) - seen

    slopes = wg.jit(wg.jacfwd(residuals))
    parameters, losses = start, [float(np.sum(residuals(start) ** 2) / 2)]
    for _ in range(most):
        r = residuals(parameters)
        move = np.linalg.lstsq(slopes(parameters), -r)[0]
        scale = 1.0
        while np.sum(residuals(parameters + scale * move) ** 2) / 2 > losses[-1] and scale > 1e-6:
            scale /= 2
        parameters = parameters + scale * move
        losses.append(float(np.sum(residuals(parameters) ** 2) / 2))
        if losses[-2] - losses[-1] <= 1e-12 * losses[-2]:
            break
    return Fit(parameters, residuals(parameters), losses)


def gradients(parameters: Array, seen: Array) -> tuple[Array, Array]:
    """∇ ½ Σ (θ − seen)², through the fixed steps and through SciPy's."""

    def loss(solve: Callable[[Array], Array]) -> Callable[[Array], float]:
        return lambda p: np.sum((solve(p) - seen) ** 2) / 2

    return wg.grad(loss(angles))(parameters), wg.grad(loss(angles_by_scipy))(parameters)


def main() -> None:
    seen = observations()
    start = np.array([1.7, 0.1, 1.0])
    by_scan, by_scipy = gradients(start, seen)
    print(f"gradient at the start, by scan     {by_scan}")
    print(f"gradient at the start, by SciPy    {by_scipy}")
    found = fit(seen, start)
    for name, value, truth in zip(("ω ", "γ ", "θ₀"), found.parameters, TRUTH, strict=True):
        print(f"{name}  found {value:.4f}   true {truth:.4f}")
    print(f"{len(found.losses) - 1} steps; residuals of {np.std(found.residuals):.4f} rad")


if __name__ == "__main__":
    main()
