"""No NaN from a branch not taken, across the borders of loops, branches and checkpoints: structural
zeros go into their bodies and come out of them, as they do where Python runs the loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from law_flow import Unrolled, check_program

import wengert as wg
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


def while_out(fl: Any, x: Any) -> Any:
    def step(s: Any) -> Any:
        return np.sqrt(s[0]) + s[0], s[1] + 1

    return np.where(x > 0, fl.while_loop(lambda s: s[1] < 3, step, (x, 0))[0], x * x)


def branch_made(fl: Any, x: Any) -> Any:
    def masked(x: Any) -> Any:
        return np.where(x > 0, x * x, 0.0)

    return np.sqrt(fl.cond(x[2] > 0, masked, np.sin, x))


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
    branch_made,
    checkpoint_in,
    checkpoint_out,
    loop_in_a_loop,
    branch_in_a_loop,
)


@pytest.mark.parametrize("program", PROGRAMS)
def test_structural_zeros_cross_borders(program):
    with interpreted(), np.errstate(all="ignore"):
        check_program(program, X, jit=False, order=3)


@pytest.mark.xfail(strict=True, reason="tapes have no masks")
def test_structural_zeros_of_tapes():
    with interpreted(), np.errstate(all="ignore"):
        check_program(while_out, X, jit=False, order=2)


@pytest.mark.long
@pytest.mark.parametrize("program", PROGRAMS)
def test_structural_zeros_cross_borders_in_machine_code(program):
    with np.errstate(all="ignore"):
        check_program(program, X, order=2)


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p is not mixed_carry])
def test_structural_zeros_of_jacobians(program):
    """Those of the seeds stay out of rows and columns that do not concern them."""
    with interpreted(), np.errstate(all="ignore"):
        for jacobian in (wg.jacfwd, wg.jacrev):
            ours, theirs = (
                jacobian(lambda x, flow=flow: program(flow, x))(X) for flow in (wg, Unrolled)
            )
            for a, b in zip(leaves(ours), leaves(theirs), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def leaves(found: Any) -> Any:
    return found if isinstance(found, tuple) else (found,)


ENDS = {
    "rows": lambda x: wg.scan(lambda c, r: (c, np.sqrt(r)), 0.0, x)[1],
    "carry": lambda x: wg.scan(lambda c, r: (np.sqrt(c), None), x, length=2)[0],
    "shared": lambda x: wg.scan(lambda c, r: (np.sqrt(x), None), x, length=2)[0],
    "chosen rows": lambda x: np.where(x < 9, ENDS["rows"](x), x * x),
    "chosen inside": lambda x: wg.scan(
        lambda c, r: (c, np.where(r < 9, np.sqrt(r), r * r)), 0.0, np.where(x < 9, x, 0.0)
    )[1],
    "while": lambda x: wg.while_loop(
        lambda s: s[1] < 1, lambda s: (np.sqrt(s[0]), s[1] + 1), (x, 0)
    )[0],
    "branch": lambda x: wg.cond(x[1] > 0, np.sqrt, lambda x: x, x),
    "checkpoint": wg.checkpoint(np.sqrt),
}


@pytest.mark.parametrize("name", ENDS)
def test_an_infinite_slope_stays_in_its_own_element(name):
    f = ENDS[name]
    x = np.array([0.0, 1.0, 4.0])
    with interpreted(), np.errstate(all="ignore"):
        slope = 0.5 * x**-0.5 if name != "carry" else 0.25 * x**-0.75
        for jacobian in (wg.jacfwd, wg.jacrev):
            np.testing.assert_allclose(jacobian(f)(x), np.where(np.eye(3) > 0, slope, 0.0))
