"""Loops in place of what Python unrolled: found, and of the same values to the last bit.

Without contraction every operation rounds as NumPy's does, so that results must be the
interpreter's own.
"""

import numpy as np
import pytest
from scalar_graphs import assert_same_bits, traced

import wengert as wg

RNG = np.random.default_rng(5)


def rolled(function, *args, least):
    """The program with loops gives the interpreter's bits; the text is `least` times shorter."""
    graph = traced(function, *args)
    program = graph.program()
    assert program.steps >= least * program.written
    found = graph.run(graph.native(program, contract=False))
    assert_same_bits(found, graph.interpreted())
    return program


def lorenz(y):
    return 10.0 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]


def lorenz_of_scalars(steps, dt=0.005):
    def ahead(y, h, k):
        return [a + h * b for a, b in zip(y, k, strict=True)]

    def run(start):
        y = [start[k] for k in range(3)]
        for _ in range(steps):
            k1 = lorenz(y)
            k2 = lorenz(ahead(y, dt / 2, k1))
            k3 = lorenz(ahead(y, dt / 2, k2))
            k4 = lorenz(ahead(y, dt, k3))
            y = [
                a + dt / 6 * (p + 2 * q + 2 * r + s)
                for a, p, q, r, s in zip(y, k1, k2, k3, k4, strict=True)
            ]
        return y[0] * y[0] + y[1] * y[1] + y[2] * y[2]

    return run


def lorenz_of_vectors(steps, dt=0.005):
    def slope(y):
        return np.stack(lorenz(y))

    def run(y):
        for _ in range(steps):
            k1 = slope(y)
            k2 = slope(y + dt / 2 * k1)
            k3 = slope(y + dt / 2 * k2)
            k4 = slope(y + dt * k3)
            y = y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return np.sum(y**2)

    return run


@pytest.mark.parametrize("integrator", [lorenz_of_scalars, lorenz_of_vectors])
def test_lorenz(integrator):
    start = np.array([1.0, 2.0, 20.0])
    program = rolled(wg.value_and_grad(integrator(60)), start, least=10)
    assert len(program.loops) == 2  # forwards and back


def bodies(steps, count, dt=0.001):
    """Bodies that attract each other, by the classical Runge-Kutta method."""
    masses = np.linspace(1, 0.1, count).tolist()

    def slope(y):
        pulls = []
        for i in range(count):
            pull = [0.0, 0.0, 0.0]
            for j in range(count):
                if i != j:
                    d = [y[3 * j + c] - y[3 * i + c] for c in range(3)]
                    r = d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + 0.01
                    q = masses[j] / (r * np.sqrt(r))
                    pull = [p + q * x for p, x in zip(pull, d, strict=True)]
            pulls += pull
        return list(y[3 * count :]) + pulls

    def ahead(y, h, k):
        return [a + h * b for a, b in zip(y, k, strict=True)]

    def run(start):
        y = [start[k] for k in range(6 * count)]
        for _ in range(steps):
            k1 = slope(y)
            k2 = slope(ahead(y, dt / 2, k1))
            k3 = slope(ahead(y, dt / 2, k2))
            k4 = slope(ahead(y, dt, k3))
            y = [
                a + dt / 6 * (p + 2 * q + 2 * r + s)
                for a, p, q, r, s in zip(y, k1, k2, k3, k4, strict=True)
            ]
        return sum(x * x for x in y[: 3 * count])

    return run


def test_bodies():
    program = rolled(wg.value_and_grad(bodies(40, 2)), RNG.normal(size=12), least=7)
    assert max(period for period, _ in program.loops) > 200


def test_an_input_is_read_at_each_step_and_its_gradient_written():
    def run(x, u):
        for t in range(200):
            x = 0.9 * x + u[t] * x
        return x

    rolled(wg.value_and_grad(run, (0, 1)), 1.1, RNG.normal(size=200), least=15)


def test_an_input_is_read_backwards_and_with_strides():
    def run(x, u):
        for t in range(150):
            x = x * u[299 - 2 * t] + u[t]
        return x

    rolled(run, 1.1, RNG.normal(size=300), least=20)


def test_the_elements_of_a_trajectory_are_written_as_they_are_known():
    def run(x):
        path = []
        for _ in range(200):
            x = 3.7 * x * (1 - x)
            path.append(x)
        return np.stack(path)

    program = rolled(run, 0.3, least=50)
    assert program.tape_bytes == 0


def test_a_trajectory_of_vectors():
    def run(x):
        path = []
        for _ in range(150):
            x = np.stack([x[1], -x[0]]) * 0.99 + x
            path.append(x)
        return np.stack(path)

    rolled(run, np.array([1.0, 0.5]), least=20)


def test_many_scalars_come_in_and_go_out():
    def run(x, us):
        found = []
        for u in us:
            x = x * u + 0.5
            found.append(x)
        return found

    us = RNG.normal(size=150).tolist()
    rolled(run, 1.1, us, least=20)
    rolled(wg.grad(lambda us: run(1.1, us)[-1]), us, least=10)


def test_every_other_step_is_different():
    def run(x):
        for t in range(200):
            x = np.sqrt(x * x + 1) if t % 2 else x * x * 0.25 - x
        return x

    program = rolled(wg.value_and_grad(run), 0.7, least=20)
    assert max(count for _, count in program.loops) < 100


def test_values_of_several_steps_ago():
    def run(a, b):
        for _ in range(300):
            a, b = b, 0.6 * b + 0.3 * a
        return b

    rolled(wg.value_and_grad(run, (0, 1)), 1.0, 2.0, least=20)


@pytest.mark.parametrize("delay", [3, 8, 9, 20])
def test_delays(delay):
    def run(x):
        path = [x[k] for k in range(delay)]
        for _ in range(600):
            path.append(0.5 * path[-1] - path[-delay] * path[-2])
        return path[-1]

    rolled(wg.value_and_grad(run), RNG.uniform(0.1, 0.5, delay), least=5)


def test_the_first_steps_differ():
    def run(x):
        for t in range(250):
            x = x * x - 1.5 if t < 3 else 0.5 * x * x - x
        return x

    rolled(wg.value_and_grad(run), 0.7, least=20)


def test_a_step_in_the_middle_differs():
    def run(x):
        for t in range(300):
            x = np.sqrt(x) if t == 130 else 0.5 * x * x + 0.1
        return x

    program = rolled(run, 0.7, least=20)
    assert len(program.loops) == 2


def test_numbers_that_differ_from_step_to_step_come_from_a_table():
    weights = RNG.normal(size=200).tolist()

    def run(x):
        for w in weights:
            x = x * 0.5 + w
        return x

    rolled(run, 0.7, least=20)


def test_nested_loops():
    def run(x, y):
        for _ in range(60):
            for _ in range(5):
                x = x * 0.4 + y
            y = y * x * 0.1 - 0.5
        return x + y

    rolled(wg.value_and_grad(run, (0, 1)), 0.3, 0.2, least=10)


def test_a_second_loop_reads_what_the_first_one_left():
    def run(x, u):
        path = []
        for t in range(150):
            x = x * u[t] + 0.1
            path.append(x)
        y = x
        for t in range(150):
            y = y * path[149 - t] - path[t]
        return y

    program = rolled(wg.value_and_grad(run, (0, 1)), 0.3, RNG.uniform(0.1, 1, 150), least=15)
    assert program.tape_bytes > 0


def test_a_long_sum_is_a_loop():
    program = rolled(
        lambda x: np.sum(np.stack([x[k] * x[k] for k in range(128)])), RNG.normal(size=128), least=4
    )
    assert program.steps == 256  # squares, sums, the store


def test_a_short_program_has_no_loops():
    graph = traced(lambda x: sum(x[k] * x[k] for k in range(100)), RNG.normal(size=100))
    assert not graph.program().loops


def test_integers_and_choices():
    def run(n, x):
        for t in range(120):
            n = np.where(n > 100, n - 90, n * 3 + t % 2)
            x = np.where(n > 50, x + 1, 0.5 * x)
        return n, x, n > 50

    rolled(run, 7, 0.3, least=10)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_numbers(dtype):
    """NumPy fuses the products of complex numbers itself: they agree within rounding, which decays
    as |w| < 1."""

    def run(z, w):
        for _ in range(120):
            z = z * w + (1 - 2j)
            w = np.conj(w)
        return z

    graph = traced(wg.value_and_grad(lambda z, w: run(z, w).real, (0, 1)), dtype(1j), dtype(0.6j))
    program = graph.program()
    assert program.steps > 10 * program.written
    found = graph.run(graph.native(program))
    for a, b in zip(found, graph.interpreted(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=30 * np.finfo(dtype).eps)


def test_single_precision():
    def run(x):
        for _ in range(200):
            x = np.sqrt(x * x * np.float32(0.3) + np.float32(1))
        return x

    rolled(wg.value_and_grad(run), np.float32(0.7), least=20)
