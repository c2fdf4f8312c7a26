"""Programs of numbers on which orders of elimination are compared.

They are written with operators and NumPy's functions, so that they run on numbers, on traced
values, and on the counting vertices of `test_mixed_elimination`.

Sources: Roe 1981 (the flux between two states of a gas in one dimension); Averick, Carter, Moré &
Xue 1992, *The MINPACK-2 test problem collection* (the heart dipole; the combustion of propane in
its full formulation); the kinematics of an arm of six joints, as Lohoff & Neftci 2024 have it in
*Optimizing automatic differentiation with deep reinforcement learning*.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

GAMMA = 0.5


def _pressure(mass: Any, momentum: Any, energy: Any) -> Any:
    return (GAMMA - 1.0) * (energy - 0.5 * momentum**2 / mass)


def _enthalpy(mass: Any, energy: Any, pressure: Any) -> Any:
    return (energy + pressure) / mass


def _flux(mass: Any, momentum: Any, energy: Any, pressure: Any) -> tuple[Any, Any, Any]:
    speed = momentum / mass
    return momentum, pressure + momentum * speed, speed * (pressure + energy)


def roe_flux(a0: Any, a1: Any, a2: Any, b0: Any, b1: Any, b2: Any) -> tuple[Any, ...]:
    """Roe's flux between the states a and b: (mass, momentum, energy) of each."""
    d_mass, mean_mass = b0 - a0, np.sqrt(a0 * b0)
    weights = np.sqrt(a0) + np.sqrt(b0)
    speed_a = a1 / a0
    pressure_a = _pressure(a0, a1, a2)
    enthalpy_a = _enthalpy(a0, a2, pressure_a)
    speed_b = b1 / b0
    pressure_b = _pressure(b0, b1, b2)
    enthalpy_b = _enthalpy(b0, b2, pressure_b)
    dp, dv = pressure_b - pressure_a, speed_b - speed_a
    u = (np.sqrt(a0) * speed_a + np.sqrt(b0) * speed_b) / weights
    h = (np.sqrt(a0) * enthalpy_a + np.sqrt(b0) * enthalpy_b) / weights
    q2 = u**2
    a2_ = (GAMMA - 1.0) * (h - 0.5 * q2)
    a = np.sqrt(a2_)
    fast, slow, again = np.abs(u + a), np.abs(u), np.abs(u)
    n = a * mean_mass
    c0 = (d_mass - dp / a2_) * slow
    c1 = (dv + dp / n) * fast
    c2 = (dv - dp / n) * again
    from_a, from_b = _flux(a0, a1, a2, pressure_a), _flux(b0, b1, b2, pressure_b)
    f0, f1, f2 = (left + right for left, right in zip(from_a, from_b, strict=True))
    c = 0.5 * mean_mass / a
    d0 = c0 + c * c1 - c * c2
    d1 = c0 * u + c * c1 * (u + a) - c * c2 * (u - a)
    d2 = c0 * 0.5 * q2 + c * c1 * (h + u * a) - c * c2 * (h - u * a)
    return 0.5 * (f0 - d0), 0.5 * (f1 - d1), 0.5 * (f2 - d2)


def _sine_of_sum(a: Any, b: Any) -> Any:
    return np.cos(a) * np.sin(b) + np.sin(a) * np.cos(b)


def _cosine_of_sum(a: Any, b: Any) -> Any:
    return np.cos(a) * np.cos(b) - np.sin(a) * np.sin(b)


def robot_arm(t1: Any, t2: Any, t3: Any, t4: Any, t5: Any, t6: Any) -> tuple[Any, ...]:
    """Position and angles of the hand from the angles of six joints."""
    l1, l2, l3, d1, d4, d6 = 175.0, 890.0, 50.0, 575.0, 1035.0, 185.0
    c1, c2, c4, c5, c6 = np.cos(t1), np.cos(t2), np.cos(t4), np.cos(t5), np.cos(t6)
    c23 = _cosine_of_sum(t2, t3)
    s1, s2, s4, s5, s6 = np.sin(t1), np.sin(t2), np.sin(t4), np.sin(t5), np.sin(t6)
    s23 = _sine_of_sum(t2, t3)
    ax = s5 * (c1 * c23 * c4 + s1 * s4) + c1 * s23 * c5
    ay = s5 * (s1 * c23 * c4 - c1 * s4) + s1 * s23 * c5
    az = s23 * c4 * s5 - c23 * c5
    nz = c6 * (c23 * s5 + s23 * c4 * c5) - s23 * s4 * s6
    oz = -s6 * (c23 * s5 + s23 * c4 * c5) - s23 * s4 * c6
    z = np.arctan2(ay, ax)
    y = np.arctan2(np.sqrt(1.0 - az**2), az)
    w = np.arctan2(oz, -nz)
    x1 = d6 * (s5 * (c1 * c23 * c4 + s1 * s4) + c1 * s23 * c5)
    x2 = c1 * (l1 + l2 * c2 + l3 * c23 + d4 * s23)
    y1 = d6 * (s5 * (s1 * c23 * c4 + c1 * s4) + s1 * s23 * c5)
    y2 = s1 * (l1 + l2 * c2 + l3 * c23 + d4 * s23)
    height = l2 * s2 + d1 + l3 * s23 - d4 * c23 + d6 * (s23 * c4 * s5 - c23 * c5)
    return x1 + x2, y1 + y2, height, z, y, w


def propane_combustion(*x: Any) -> tuple[Any, ...]:
    """The equations of chemical equilibrium of propane burning in air."""
    p, r = 40.0, 10.0
    x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11 = x
    root = np.sqrt(p / x11)
    return (
        x1 + x4 - 3.0,
        2 * x1 + x2 + x4 + x7 + x8 + x9 + 2 * x10 - r,
        2 * x2 + 2 * x5 + x6 + x7 - 8.0,
        2 * x3 + x9 - 4 * r,
        x2 * x4 - x1 * x5,
        np.sqrt(x2 * x4) - np.sqrt(x1) * root * x6,
        np.sqrt(x1 * x2) - np.sqrt(x4) * x7 * root,
        x1 - x4 * x8 * p / x11,
        x1 * np.sqrt(x3) - x4 * x9 * root,
        x1**2 - x4**2 * x10 * p / x11,
        x11 - x1 - x2 - x3 - x4 - x5 - x6 - x7 - x8 - x9 - x10,
    )


def heart_dipole(*x: Any) -> tuple[Any, ...]:
    """The equations of the electrolytic determination of the dipole of the heart."""
    x1, x2, x3, x4, x5, x6, x7, x8 = x
    x57, x68 = x5**2 - x7**2, x6**2 - x8**2
    x557 = x5 * (x5**2 - 3 * x7**2)
    x775 = x7 * (x7**2 - 3 * x5**2)
    x668 = x6 * (x6**2 - 3 * x8**2)
    x886 = x8 * (x8**2 - 3 * x6**2)
    return (
        x1 + x2 - 1.0,
        x3 + x4 - 1.0,
        x5 * x1 + x6 * x2 - x7 * x3 - x8 * x4 - 1.0,
        x7 * x1 + x8 * x2 + x5 * x3 + x6 * x4 - 1.0,
        x1 * x57 - 2 * x3 * x5 * x7 + x2 * x68 - 2 * x4 * x6 * x8 - 1.0,
        x3 * x57 - 2 * x1 * x5 * x7 + x4 * x68 - 2 * x2 * x6 * x8 - 1.0,
        x1 * x557 + x3 * x775 + x2 * x668 + x4 * x886 - 1.0,
        x3 * x557 - x1 * x775 + x4 * x668 - x2 * x886 - 1.0,
    )


class Problem(NamedTuple):
    """A program, a point, and the multiplications of its Jacobian by three orders."""

    program: Callable[..., tuple[Any, ...]]
    point: tuple[float, ...]
    forward: int
    reverse: int
    markowitz: int


PROBLEMS = {
    "Roe flux": Problem(roe_flux, (1.0, 0.3, 0.01, 1.2, 0.4, 0.02), 620, 364, 344),
    "robot arm": Problem(robot_arm, (0.1, 0.4, 0.2, 0.3, 0.5, 0.7), 397, 301, 221),
    "propane": Problem(
        propane_combustion, (1.0, 0.3, 2.0, 0.7, 1.1, 0.4, 1.3, 0.9, 0.2, 1.7, 5.0), 151, 90, 88
    ),
    "heart": Problem(heart_dipole, (0.3, 0.7, 1.2, -0.4, 0.9, 0.5, -0.8, 1.1), 240, 172, 148),
}
