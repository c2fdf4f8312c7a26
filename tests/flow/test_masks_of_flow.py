"""No NaN from a branch not taken, across the borders of loops, branches and checkpoints: structural
zeros go into their bodies and come out of them, as they do where Python runs the loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from law_flow import check_program

from support import interpreted

X = np.array([0.0, -1.0, 2.0, 0.5])
M = np.random.default_rng(1).uniform(-1, 1, (4, 4))


def rows_out(fl: Any, x: Any) -> Any:
    y = fl.scan(lambda c, r: (c, np.sqrt(r)), 0.0, x)[1]
    return np.where(x > 0, y, x * x)


def rows_in(fl: Any, x: Any) -> Any:
    return fl.scan(lambda c, r: (c, np.sqrt(r) * (1 + r)), 0.0, np.where(x > 0, x, 0.0))[1]


def rows_through(fl: Any, x: Any) -> Any:
    return np.sqrt(fl.scan(lambda c, r: (c, r * r), 0.0, np.where(x > 0, x, 0.0))[1])


def rows_made(fl: Any, x: Any) -> Any:
    return np.sqrt(fl.scan(lambda c, r: (c, np.where(r > 0, r * r, 0.0)), 0.0, x)[1])


def shared_in(fl: Any, x: Any) -> Any:
    z = np.where(x > 0, x, 0.0)
    return fl.scan(lambda c, r: (c + np.sqrt(z * r), None), z, np.ones(3))[0]


def shared_out(fl: Any, x: Any) -> Any:
    c = fl.scan(lambda c, r: (c + np.sqrt(x * r), None), x, np.ones(3))[0]
    return np.where(x > 0, c, x * x)


def carry_in(fl: Any, x: Any) -> Any:
    return fl.scan(lambda c, r: (np.sqrt(c) * r, None), np.where(x > 0, x, 0.0), np.ones(3))[0]


def carry_through(fl: Any, x: Any) -> Any:
    z = np.where(x > 0, x, 0.0)
    return np.sqrt(fl.scan(lambda c, r: (np.sqrt(c) * r, None), z, np.ones(3))[0])


def carry_out(fl: Any, x: Any) -> Any:
    c = fl.scan(lambda c, r: (np.sqrt(c) * r, None), x, np.ones(3))[0]
    return np.where(x > 0, c, x * x)


def mixed_carry(fl: Any, x: Any) -> Any:
    def step(c: Any, r: Any) -> Any:
        return np.where(x > 0, np.sqrt(c * r) + 0.1 * (M @ c), 0.0), c * r

    last, rows = fl.scan(step, np.where(x > 0, x + 3, 0.0), np.ones(3))
    return np.where(x > 0, last, x), np.where(x > 0, rows, x)


def choice_kept(fl: Any, x: Any) -> Any:
    """The choice itself is a residual, and what it does not take is not."""
    return fl.scan(lambda c, r: (np.where(r > 0, np.sqrt(r), 0.5 * c) ** 2, None), 0.3, x)[0]


def choice_in_a_loop(fl: Any, x: Any) -> Any:
    def step(s: Any) -> Any:
        return np.where(x > 0, np.sqrt(x), 0.5 * s[0]) ** 2, s[1] + 1

    return fl.while_loop(lambda s: s[1] < 3, step, (x, 0))[0]


def while_in(fl: Any, x: Any) -> Any:
    def step(s: Any) -> Any:
        return np.sqrt(s[0]) + s[0], s[1] + 1

    return fl.while_loop(lambda s: s[1] < 3, step, (np.where(x > 0, x, 0.0), 0))[0]


def branch_in(fl: Any, x: Any) -> Any:
    z = np.where(x > 0, x, 0.0)
    return fl.cond(x[2] > 0, lambda z: np.sqrt(z) * z, lambda z: z, z)


def branch_out(fl: Any, x: Any) -> Any:
    y = fl.cond(x[2] > 0, lambda z: np.sqrt(z) * z, lambda z: z, x)
    return np.where(x > 0, y, x * x)


def checkpoint_in(fl: Any, x: Any) -> Any:
    return fl.checkpoint(lambda z: np.sqrt(z) * z)(np.where(x > 0, x, 0.0))


def checkpoint_out(fl: Any, x: Any) -> Any:
    return np.where(x > 0, fl.checkpoint(lambda z: np.sqrt(z) * z)(x), x * x)


def loop_in_a_loop(fl: Any, x: Any) -> Any:
    def step(c: Any, r: Any) -> Any:
        y = fl.scan(lambda d, s: (d, np.sqrt(s) * c), 0.0, x)[1]
        return np.sum(np.where(x > 0, y, x * x)), np.where(x > 0, y, x * x)

    return fl.scan(step, x[2], np.ones(2))


def branch_in_a_loop(fl: Any, x: Any) -> Any:
    def step(c: Any, r: Any) -> Any:
        z = np.where(c > 0, c, 0.0)
        y = fl.cond(r > 0, lambda z: np.sqrt(z) * z, lambda z: 2 * z, z)
        return np.where(x > 0, y, x * x), y[2]

    return fl.scan(step, x, x)


PROGRAMS = (
    rows_out,
    rows_in,
    rows_through,
    rows_made,
    shared_in,
    shared_out,
    carry_in,
    carry_through,
    carry_out,
    mixed_carry,
    choice_kept,
    choice_in_a_loop,
    while_in,
    branch_in,
    branch_out,
    checkpoint_in,
    checkpoint_out,
    loop_in_a_loop,
    branch_in_a_loop,
)


@pytest.mark.parametrize("program", PROGRAMS)
def test_structural_zeros_cross_borders(program):
    with interpreted(), np.errstate(all="ignore"):
        check_program(program, X, jit=False, order=3)


@pytest.mark.long
@pytest.mark.parametrize("program", PROGRAMS)
def test_structural_zeros_cross_borders_in_machine_code(program):
    with np.errstate(all="ignore"):
        check_program(program, X, order=2)
