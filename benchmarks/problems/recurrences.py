"""Runge-Kutta steps in plain Python loops over numbers: Lorenz's system and five bodies.

JAX has its best formulation, a scan; CasADi a fold of one step, compiled by the C compiler.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy
from yardstick.floor import Floor, FloorLibrary, bind
from yardstick.problem import Arguments, Problem

BODIES = 5
PAIRS = tuple(combinations(range(BODIES), 2))
MASSES = (1.0, 0.6, 0.4, 0.3, 0.2)
SOFTENING = 0.05
LORENZ_STEPS, LORENZ_DT = 1000, 0.005
BODIES_STEPS, BODIES_DT = 100, 0.01

State = Sequence[Any]


def lorenz(y: State) -> State:
    a, b, c = y
    return 10 * (b - a), a * (28 - c) - b, a * b - (8 / 3) * c


def gravity(y: State, sqrt: Callable[[Any], Any]) -> State:
    """Velocities and accelerations; y has the positions first, three numbers a body."""
    accelerations: list[Any] = [0.0] * (3 * BODIES)
    for i, j in PAIRS:
        d = [y[3 * j + k] - y[3 * i + k] for k in range(3)]
        square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + SOFTENING
        q = 1 / (square * sqrt(square))
        for k in range(3):
            accelerations[3 * i + k] = accelerations[3 * i + k] + MASSES[j] * q * d[k]
            accelerations[3 * j + k] = accelerations[3 * j + k] - MASSES[i] * q * d[k]
    return *y[3 * BODIES :], *accelerations


def step(field: Callable[[State], State], y: State, dt: float) -> State:
    """One step of the classical method of order four."""
    k1 = field(y)
    k2 = field([a + dt / 2 * k for a, k in zip(y, k1, strict=True)])
    k3 = field([a + dt / 2 * k for a, k in zip(y, k2, strict=True)])
    k4 = field([a + dt * k for a, k in zip(y, k3, strict=True)])
    slopes = zip(y, k1, k2, k3, k4, strict=True)
    return [a + dt / 6 * (p + 2 * q + 2 * r + s) for a, p, q, r, s in slopes]


def field_of(name: str, np: Any) -> Callable[[State], State]:
    return lorenz if name == "lorenz" else partial(gravity, sqrt=np.sqrt)


def unrolled(name: str, n: int, measured: int, steps: int, dt: float, np: Any) -> Any:
    """The squared norm of the first `measured` numbers after the steps."""
    field = field_of(name, np)

    def f(y0: Any) -> Any:
        y: State = [y0[i] for i in range(n)]
        for _ in range(steps):
            y = step(field, y, dt)
        total = y[0] * y[0]
        for a in y[1:measured]:
            total = total + a * a
        return total

    return f


def scanned(name: str, n: int, measured: int, steps: int, dt: float, np: Any) -> Any:
    """The same steps on numbers as one operation."""
    import wengert

    field = field_of(name, np)

    def f(y0: Any) -> Any:
        first = [y0[i] for i in range(n)]
        y, _ = wengert.scan(lambda y, _: (step(field, y, dt), None), first, length=steps)
        total = y[0] * y[0]
        for a in y[1:measured]:
            total = total + a * a
        return total

    return f


def jax_scan(name: str, n: int, measured: int, steps: int, dt: float, np: Any) -> Any:
    """Lorenz on three scalars, the bodies on arrays, which are faster there."""
    import jax

    def bodies(state: Any) -> Any:
        x, v = state
        d = x[None, :, :] - x[:, None, :]
        square = np.sum(d * d, axis=2) + SOFTENING
        weights = np.asarray(MASSES) / (square * np.sqrt(square))
        return v, np.sum(weights[:, :, None] * d, axis=1)

    field = lorenz if name == "lorenz" else bodies

    def f(y0: Any) -> Any:
        split = tuple(y0) if name == "lorenz" else tuple(y0.reshape(2, BODIES, 3))
        y, _ = jax.lax.scan(
            lambda y, _: (tuple(step(field, y, dt)), None), split, None, length=steps
        )
        counted = y if name == "lorenz" else y[:1]
        return sum(np.sum(a * a) for a in counted)

    return f


def folded(name: str, n: int, measured: int, steps: int, dt: float, arguments: Arguments) -> Any:
    """For CasADi."""
    import casadi

    y = casadi.SX.sym("y", n)
    after = step(field_of(name, casadi), casadi.vertsplit(y), dt)
    fold = casadi.Function("step", [y], [casadi.vertcat(*after)]).fold(steps)
    y0 = casadi.MX.sym("y0", n)
    value = casadi.sumsqr(fold(y0)[:measured])
    flags = {"compiler": "shell", "jit": True, "jit_options": {"flags": "-O3 -march=native"}}
    # CasADi compiles in the working directory and removes what it wrote there when Python ends.
    with contextlib.chdir(tempfile.gettempdir()):
        f = casadi.Function("f", [y0], [value], flags)
        g = casadi.Function("g", [y0], [value, casadi.gradient(value, y0)], flags)
    at = casadi.DM(arguments[0])

    def value_and_gradient() -> Any:
        value, gradient = g(at)
        return float(value), gradient.full().ravel()

    return lambda: float(f(at)), value_and_gradient


def lorenz_arguments() -> Arguments:
    return (numpy.array([1.0, 2.0, 25.0]),)


def bodies_arguments() -> Arguments:
    rng = numpy.random.default_rng(0)
    return (numpy.concatenate((rng.normal(size=3 * BODIES), 0.3 * rng.normal(size=3 * BODIES))),)


def floor(steps: int, dt: float, name: str, floors: FloorLibrary, arguments: Arguments) -> Floor:
    (y,) = arguments
    g = numpy.empty_like(y)
    bind(floors, "nb_set", (numpy.array(MASSES), SOFTENING)).call()
    return Floor(
        bind(floors, f"{name}_f", (steps, dt, y)), bind(floors, f"{name}_fg", (steps, dt, y, g), g)
    )


def problem(
    name: str,
    c_name: str,
    data: Any,
    n: int,
    measured: int,
    steps: int,
    dt: float,
    as_scan: bool = False,
) -> Any:
    """as_scan: whether ours is a scan too, where it is else the loop in Python."""
    shape = (name, n, measured, steps, dt)
    ours = {"wengert": partial(scanned, *shape)} if as_scan else {}
    return Problem(
        name=f"{name}-scan" if as_scan else name,
        arguments=data,
        small=data,
        function=partial(unrolled, *shape),
        otherwise={"jax": partial(jax_scan, *shape), **ours},
        floor=partial(floor, steps, dt, c_name),
        casadi=partial(folded, *shape),
        # 1000 steps of a chaotic system amplify rounding.
        tolerance=1e-10,
    )


LORENZ = ("lorenz", "lorenz", lorenz_arguments, 3, 3, LORENZ_STEPS, LORENZ_DT)
FIVE_BODIES = ("five-bodies", "nbody", bodies_arguments, 30, 15, BODIES_STEPS, BODIES_DT)

PROBLEMS = (
    problem(*LORENZ),
    problem(*FIVE_BODIES),
    problem(*LORENZ, as_scan=True),
    problem(*FIVE_BODIES, as_scan=True),
)
