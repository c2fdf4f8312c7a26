"""Long integrations: many loops of one kind, and compile time that grows with the steps alone."""

import time

import numpy as np
import pytest
from scalar_graphs import assert_same_bits, traced
from test_rolling import bodies, lorenz_of_scalars, lorenz_of_vectors

import wengert as wg
from wengert.compiler.machine import object_code

pytestmark = pytest.mark.long


@pytest.mark.parametrize("integrator", [lorenz_of_scalars, lorenz_of_vectors])
def test_lorenz(integrator):
    """Hand-written C would do 1000 steps with two loops, and so does this."""
    graph = traced(wg.value_and_grad(integrator(1_000)), np.array([1.0, 2.0, 20.0]))
    program = graph.program()
    assert len(program.loops) == 2
    assert program.written < 1_000
    assert program.tape_bytes <= 1_000 * 12 * 8
    assert_same_bits(graph.run(graph.native(program, contract=False)), graph.interpreted())


def test_five_bodies():
    start = np.random.default_rng(0).normal(size=30)
    graph = traced(wg.value_and_grad(bodies(50, 5)), start)
    program = graph.program()
    assert program.steps > 8 * program.written
    assert_same_bits(graph.run(graph.native(program, contract=False)), graph.interpreted())


def test_straight_code_takes_time_in_proportion_to_its_length():
    """Per step, LLVM included, and in processor time, which the neighbours do not change much."""
    start = np.array([1.0, 2.0, 20.0])
    cost = []
    for steps in (125, 250, 500, 1_000):
        graph = traced(lorenz_of_scalars(steps), start)
        best = np.inf
        for _ in range(3):
            begin = time.process_time()
            program = graph.program(roll=False)
            object_code(program.text, program.passes)
            best = min(best, time.process_time() - begin)
        assert not program.loops
        cost.append(best / program.steps)
    assert max(cost) < 1.6 * min(cost)


def test_rolling_takes_time_in_proportion_to_the_steps():
    start = np.array([1.0, 2.0, 20.0])
    cost = []
    for steps in (500, 1_000, 2_000):
        graph = traced(lorenz_of_scalars(steps), start)
        best = np.inf
        for _ in range(5):
            begin = time.process_time()
            program = graph.program()
            best = min(best, time.process_time() - begin)
        assert program.loops
        cost.append(best / program.steps)
    assert max(cost) < 1.6 * min(cost)
