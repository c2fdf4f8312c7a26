"""The log-likelihood of 1000 observations of a moving point by a Kalman filter, as a scan.

Four states, two measurements. PyTorch and autograd have no scan; their programs are the loop in
Python.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy
from yardstick.problem import Arguments, Problem

STEPS, DT = 1000, 0.1
# The first two states, the position, are measured.
MEASURED = numpy.eye(2, 4)


def arguments(steps: int) -> Arguments:
    """How a state follows from the last one, logarithms of the variances of its noise and of the
    measurements', and what was measured."""
    rng = numpy.random.default_rng(0)
    transition = numpy.eye(4) + DT * numpy.eye(4, k=2)
    places = numpy.cumsum(DT * numpy.cumsum(rng.normal(size=(steps, 2)), axis=0), axis=0)
    return (
        transition,
        numpy.log(numpy.array([0.01, 0.02, 0.1, 0.2])),
        numpy.log(numpy.array([0.3, 0.5])),
        places + rng.normal(size=(steps, 2)),
    )


def step(np: Any, given: Any, state: Any, z: Any) -> tuple[Any, Any]:
    """The mean and covariance given z too, and twice the logarithm of z's density."""
    F, H, Q, R = given
    mean, P = state
    mean, P = F @ mean, F @ P @ F.T + Q
    HP = H @ P
    S = HP @ H.T + R
    residual = z - H @ mean
    gain = np.linalg.solve(S, HP).T
    density = -(residual @ np.linalg.solve(S, residual)) - np.log(np.linalg.det(S))
    return (mean + gain @ residual, P - gain @ HP), density


def start(np: Any, F: Any, q: Any, r: Any) -> tuple[Any, Any]:
    """What all steps are given, and the state before the first."""
    given = F, np.asarray(MEASURED), np.diag(np.exp(q)), np.diag(np.exp(r))
    return given, (np.asarray(numpy.zeros(4)), np.asarray(numpy.eye(4)))


def value(total: Any, z: Any) -> Any:
    return 0.5 * (total - z.shape[0] * z.shape[1] * numpy.log(2 * numpy.pi))


def looped(np: Any) -> Callable[..., Any]:
    """The loop in Python."""

    def log_likelihood(F: Any, q: Any, r: Any, z: Any) -> Any:
        given, state = start(np, F, q, r)
        total = 0.0
        for t in range(z.shape[0]):
            state, density = step(np, given, state, z[t])
            total = total + density
        return value(total, z)

    return log_likelihood


def scanned(scan: Callable[..., Any], np: Any) -> Callable[..., Any]:
    """The loop as one operation of the library."""

    def log_likelihood(F: Any, q: Any, r: Any, z: Any) -> Any:
        given, state = start(np, F, q, r)

        def one(carry: Any, z: Any) -> Any:
            state, total = carry
            state, density = step(np, given, state, z)
            return (state, total + density), None

        (_, total), _ = scan(one, (state, 0.0), z)
        return value(total, z)

    return log_likelihood


def wengert_scan(np: Any) -> Callable[..., Any]:
    import wengert

    return scanned(wengert.scan, np)


def jax_scan(np: Any) -> Callable[..., Any]:
    import jax

    return scanned(jax.lax.scan, np)


PROBLEMS = (
    Problem(
        name="kalman",
        arguments=partial(arguments, STEPS),
        small=partial(arguments, 6),
        function=looped,
        argnums=(0, 1, 2),
        otherwise={"wengert": wengert_scan, "jax": jax_scan},
        # Each step's rounding goes through all later ones.
        tolerance=1e-10,
    ),
)
