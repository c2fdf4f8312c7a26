"""Random recurrences, with and without loops, against the interpreter to the last bit.

A recurrence is a list of actions on a few variables that Python repeats: arithmetic, delays, inputs
and numbers of the step, choices by the step's number, outputs, inner loops, small arrays.
"""

import numpy as np
import pytest
from scalar_graphs import assert_same_bits, traced

import wengert as wg

DELAYS = 14


class Recurrence:
    """One drawn from a seed: `run(x, u)` gives a sum of all it computes, and a trajectory."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.steps = int(rng.integers(20, 60))
        self.sweeps = int(rng.integers(1, 3))
        self.count = int(rng.integers(1, 5))
        self.weights = rng.normal(size=self.steps).tolist()
        self.actions = [
            (
                str(rng.choice([name for name in dir(self) if name.startswith("do_")])),
                *rng.integers(self.count, size=3).tolist(),
                int(rng.integers(1, DELAYS)),
                float(rng.uniform(0.2, 0.9)),
            )
            for _ in range(rng.integers(2, 9))
        ]
        self.x = rng.normal(size=max(self.count, 3))
        self.u = rng.normal(size=3 * self.steps + DELAYS)

    def run(self, x, u):
        values = [x[k] for k in range(self.count)]
        past, outputs = [values] * DELAYS, []
        for _ in range(self.sweeps):
            for t in range(self.steps):
                values = list(values)
                for name, k, *rest in self.actions:
                    values[k] = getattr(self, name)(values, *rest, t, u, past, outputs)
                past.append(values)
        total = sum(values) + sum(outputs)
        return total, np.stack([*outputs, *values])

    def do_add(self, v, a, b, n, f, t, u, past, outputs):
        return f * v[a] + (1 - f) * v[b]

    def do_subtract(self, v, a, b, n, f, t, u, past, outputs):
        return f * v[a] - f * v[b]

    def do_multiply(self, v, a, b, n, f, t, u, past, outputs):
        return f * v[a] * v[b] / (1 + v[a] * v[a])

    def do_root(self, v, a, b, n, f, t, u, past, outputs):
        return f * np.sqrt(v[a] * v[a] + f)

    def do_delay(self, v, a, b, n, f, t, u, past, outputs):
        return f * v[a] - 0.5 * past[-n][b]

    def do_input(self, v, a, b, n, f, t, u, past, outputs):
        return f * v[a] + u[t * (n % 3 + 1) + n]

    def do_number(self, v, a, b, n, f, t, u, past, outputs):
        return f * v[a] + self.weights[t]

    def do_differ(self, v, a, b, n, f, t, u, past, outputs):
        return f * v[a] if t % (n % 4 + 1) else v[b] - f * v[a]

    def do_choose(self, v, a, b, n, f, t, u, past, outputs):
        return np.where(v[a] > f, f * v[b], 0.5 * v[a] + 0.1)

    def do_output(self, v, a, b, n, f, t, u, past, outputs):
        outputs.append(1.5 * v[a])
        return v[b]

    def do_inner(self, v, a, b, n, f, t, u, past, outputs):
        x = v[a]
        for _ in range(n % 4):
            x = f * x + 0.1 * v[b]
        return x

    def do_array(self, v, a, b, n, f, t, u, past, outputs):
        z = np.stack(v)
        return (z[::-1] * f / (1 + np.sum(z * z)))[a]


def check(seed):
    """Whatever the tier, the same bits; how many loops there were."""
    drawn = Recurrence(seed)
    loops = 0
    for function in (
        drawn.run,
        wg.grad(lambda x, u: drawn.run(x, u)[0], (0, 1)),
        wg.value_and_grad(drawn.run, (0, 1), has_aux=True),
    ):
        graph = traced(function, drawn.x, drawn.u)
        expected = graph.interpreted()
        for roll in (True, False):
            program = graph.program(roll=roll)
            found = graph.run(graph.native(program, contract=False))
            assert_same_bits(found, expected)
            loops += len(program.loops)
    return loops


@pytest.mark.parametrize("seed", range(5))
def test_random_recurrences(seed):
    check(seed)


@pytest.mark.long
def test_many_random_recurrences():
    loops = [check(seed) for seed in range(100, 160)]
    assert np.mean([count > 0 for count in loops]) > 0.8
