"""Random programs: all modes and differences give one derivative, and jit changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from law_checks import Rough, close, derivative, pulled_back
from law_programs import Instruction, points, programs, run

import wengert as wg
from wengert.graph.literals import full
from wengert.graph.node import Node
from wengert.graph.text import parse, show
from wengert.graph.verify import verify
from wengert.ops.leaves import seed as seed_of
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer
from wengert.transforms.pushforward import pushforward


def some(examples: int) -> Any:
    """The same examples at each run."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


drawn = given(program=programs(), seed=st.integers(0, 24))


def directions(arrays: list[Any], seed: int) -> list[Any]:
    rng = np.random.default_rng([seed, 1])
    return [np.asarray(rng.uniform(-1, 1, a.shape)) for a in arrays]


def check_derivatives(program: list[Instruction], seed: int) -> None:
    """Value and first derivatives: forward, reverse, Jacobians, differences."""
    arrays = points(seed)
    t = directions(arrays, seed)

    def f(*args: Any) -> Any:
        return run(program, *args)

    expected = f(*arrays)
    value, tangent = wg.jvp(f, tuple(arrays), tuple(t))
    close(value, expected, 1e-14, "the traced value")
    try:
        (slope,) = derivative(
            lambda s: [f(*(a + s * b for a, b in zip(arrays, t, strict=True)))], 1e-8
        )
    except Rough:
        assume(False)
    close(tangent, slope, 1e-7, "forward mode")
    value, pullback = wg.vjp(f, *arrays)
    close(value, expected, 1e-14, "the value of vjp")
    ct = np.cos(np.arange(expected.size))
    pulled = pullback(ct)
    paired = sum(float(np.sum(a * b)) for a, b in zip(pulled, t, strict=True))
    size = sum(float(np.sum(np.abs(a * b))) for a, b in zip(pulled, t, strict=True))
    close(paired, float(ct @ tangent), 1e-13, "reverse mode", max(size, np.abs(tangent).sum()))
    both = (0, 1)  # a plain array cannot hold what is traced, so all arguments are
    columns, rows = wg.jacfwd(f, both)(*arrays), wg.jacrev(f, both)(*arrays)
    for k in both:
        close(columns[k], rows[k], 1e-13, "jacfwd and jacrev")
        again = np.tensordot(ct, rows[k], 1)
        close(again, pulled[k], 1e-13, "jacrev and vjp", np.abs(rows[k]).sum())


def check_second(program: list[Instruction], seed: int) -> None:
    """Hessians times a vector in all four combinations of modes, and differences."""
    arrays = points(seed)
    t, u = directions(arrays, seed), directions(arrays, seed + 100)

    def f(*args: Any) -> Any:
        value = run(program, *args)
        return np.sum(np.cos(np.arange(value.size)) * np.sin(value))

    def along(*args: Any) -> Any:
        return wg.jvp(f, args, tuple(t))[1]

    def back(*args: Any) -> Any:
        gradient = wg.grad(f, (0, 1))(*args)
        return sum(np.sum(a * b) for a, b in zip(gradient, t, strict=True))

    def reverse(g: Any) -> float:
        gradient = wg.grad(g, (0, 1))(*arrays)
        return float(sum(np.sum(a * b) for a, b in zip(gradient, u, strict=True)))

    try:
        (slope,) = derivative(
            lambda s: [np.asarray(along(*(a + s * b for a, b in zip(arrays, u, strict=True))))],
            1e-7,
        )
    except Rough:
        assume(False)
    scale = abs(float(along(*arrays)))
    close(wg.jvp(along, tuple(arrays), tuple(u))[1], slope, 1e-6, "forward over forward", scale)
    first = wg.jvp(along, tuple(arrays), tuple(u))[1]
    size = max(abs(float(first)), 1.0) * 1e2
    close(wg.jvp(back, tuple(arrays), tuple(u))[1], first, 1e-14, "forward over reverse", size)
    close(reverse(along), first, 1e-14, "reverse over forward", size)
    close(reverse(back), first, 1e-14, "reverse over reverse", size)


def check_text(program: list[Instruction], seed: int) -> None:
    """The graph and its derivatives are valid, print, and read back to the same nodes."""
    with outermost() as session:
        inputs = [
            session.input(a, wg.graph.types.array_type(a.shape, a.dtype)) for a in points(seed)
        ]
        output = run(program, *(Tracer(node, session) for node in inputs)).node
        verify([output])
        tangents = pushforward([output], {node: seed_of(node) for node in inputs})
        verify(tangents)
        pulled = pulled_back([output], inputs, [full(1.0, output.dtype, output.shape)])
        present: list[Node] = [n for n in (output, *tangents, *pulled) if n is not None]
        read = parse(show(present, inputs))
        assert len(read) == len(present)
        assert all(a is b for a, b in zip(read, present, strict=True))


def check_jit(program: list[Instruction], seed: int) -> None:
    """A compiled function, and a compiled gradient, give what they give without jit."""
    arrays = points(seed)

    def f(*args: Any) -> Any:
        return run(program, *args)

    def g(*args: Any) -> Any:
        return np.sum(np.sin(f(*args)))

    compiled, slope, plain = wg.jit(f), wg.jit(wg.grad(g, (0, 1))), wg.grad(g, (0, 1))
    for point in (arrays, arrays, [0.5 - a for a in arrays]):
        close(compiled(*point), f(*point), 1e-13, "jit")
        for a, b in zip(slope(*point), plain(*point), strict=True):
            close(a, b, 1e-13, "jit of grad", max(1.0, np.abs(b).max()))


@some(60)
@drawn
def test_derivatives(program: list[Instruction], seed: int) -> None:
    check_derivatives(program, seed)


@some(40)
@drawn
def test_second_order(program: list[Instruction], seed: int) -> None:
    check_second(program, seed)


@some(80)
@drawn
def test_text(program: list[Instruction], seed: int) -> None:
    check_text(program, seed)


@some(40)
@drawn
def test_jit(program: list[Instruction], seed: int) -> None:
    check_jit(program, seed)


@pytest.mark.long
@settings(some(500))
@given(program=programs(20), seed=st.integers(0, 10_000))
def test_many_programs(program: list[Instruction], seed: int) -> None:
    check_text(program, seed)
    check_jit(program, seed)
    check_derivatives(program, seed)
    check_second(program, seed)


def test_a_broadcast_that_is_a_residual_is_not_passed_by() -> None:
    """A program may be given the value of a broadcast, and not that of what it repeats."""

    def f(x: Any) -> Any:
        return np.where(np.broadcast_to(np.sum(x) > 0, (2,)), x, np.sin(x))

    _, pullback = wg.vjp(f, np.array([1.0, 2.0]))
    assert pullback(np.array([3.0, 4.0]))[0].tolist() == [3.0, 4.0]


def test_a_value_that_is_returned_twice_has_two_cotangents() -> None:
    _, pullback = wg.vjp(lambda x: (x, x), 1.0)
    assert pullback((1.0, 2.0)) == (3.0,)
