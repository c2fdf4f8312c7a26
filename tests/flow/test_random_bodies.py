"""Loops and branches with random bodies: forward = reverse = unrolled, jit changes nothing, and
vmap is each instance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from law_flow import Unrolled, alike, check_program, check_vmap

import wengert as wg
from support import interpreted

RNG = np.random.default_rng(7)
A, B = RNG.uniform(-1, 1, (3, 3)), RNG.uniform(-1, 1, 3)
XS = RNG.uniform(-1, 1, (4, 3))

Step = tuple[int, int, int]


def some(examples: int) -> Any:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def body(fl: Any, steps: list[Step], pool: list[Any], depth: int) -> Any:
    """A bounded vector of a pool of vectors, by instructions; some are loops of further ones."""
    pool = list(pool)
    for number, (kind, i, j) in enumerate(steps):
        u, v = pool[i % len(pool)], pool[j % len(pool)]
        rest = steps[:number] + steps[number + 1 :]
        match kind % (13 if depth else 8):
            case 0:
                new = np.sin(u) * v
            case 1:
                new = A @ u + v
            case 2:
                new = np.where(u > v, u * u, np.tanh(v))
            case 3:
                new = np.where(u > 0, np.sqrt(u), 0.5 * v)
            case 4:
                new = u / (1.0 + v * v)
            case 5:
                new = u * np.sum(v) - v[::-1]
            case 6:
                new = u + 0 * v  # traced where either is
                new[1:] = v[:2] * np.cos(u[0])
            case 7:
                new = np.cumsum(np.exp(-(u**2))) * v[0]
            case 8:
                new = fl.scan(
                    lambda c, r, rest=rest: (body(fl, rest, [c, r, *pool], depth - 1), c * r),
                    u,
                    XS * v if i % 2 else XS,
                    reverse=bool(j % 2),
                )[j % 2]
                new = new if new.ndim == 1 else np.sum(new, 0)
            case 9:
                new = fl.while_loop(
                    lambda s, i=i: s[1] < 1 + i % 3,
                    lambda s, rest=rest: (body(fl, rest, [s[0], *pool], depth - 1), s[1] + 1),
                    (u, 0),
                )[0]
            case 10:
                new = fl.cond(
                    np.sum(u * B) > 0.1,
                    lambda _, rest=rest, v=v: body(fl, rest, [v, *pool], depth - 1),
                    lambda w: np.sin(w) * pool[0],
                    u,
                )
            case 11:
                new = body(fl, rest, [u, v, *pool], depth - 1)
            case _:
                new = fl.while_loop(
                    lambda c: np.sum(c**2) < 2.0, lambda c, v=v: c * 1.6 + 0.3 + 0.1 * np.sin(v), u
                )
        pool.append(np.tanh(new))
    return pool[-1] + 0.1 * pool[0]


small = st.integers(0, 12)
bodies = st.lists(st.tuples(small, small, small), min_size=2, max_size=4)


def program(steps: list[Step]) -> Any:
    def run(fl: Any, x: Any, xs: Any) -> Any:
        def step(c: Any, r: Any) -> Any:
            new = body(fl, steps, [c, r, x], 1)
            return new, np.sum(new * r)

        return fl.scan(step, x, xs)

    return run


@some(25)
@given(steps=bodies)
def test_random_bodies(steps):
    with interpreted(), np.errstate(invalid="ignore"):
        check_program(program(steps), B, XS[:3], order=2, rtol=1e-10, jit=False)


@pytest.mark.long
@some(250)
@given(steps=bodies)
def test_many_random_bodies(steps):
    with interpreted(), np.errstate(invalid="ignore"):
        check_program(program(steps), B, XS[:3], order=2, rtol=1e-10, jit=False)


@pytest.mark.long
@some(60)
@given(steps=bodies)
def test_random_bodies_as_machine_code(steps):
    with np.errstate(invalid="ignore"):
        check_program(program(steps), B, XS[:3], order=1, rtol=1e-10)


@pytest.mark.long
@some(60)
@given(steps=bodies)
def test_random_bodies_under_vmap(steps):
    with interpreted(), np.errstate(invalid="ignore"):
        points = np.stack([B, -B, B * 0.3])
        check_vmap(program(steps), points, np.stack([XS[:2], -XS[:2], XS[2:]]), rtol=1e-9)


def test_the_oracle_is_python():
    found = program([(9, 1, 0), (0, 0, 1)])(Unrolled, B, XS[:2])
    alike(found, program([(9, 1, 0), (0, 0, 1)])(wg, B, XS[:2]), 1e-13, "a body")
