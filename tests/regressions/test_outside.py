"""Arrays from outside: what they are when they are met is what counts."""

from __future__ import annotations

import math

import numpy as np

from support import same
from wengert import jit, stop_gradient, value_and_grad


def test_an_array_that_is_given_another_shape_is_met_anew():
    table = np.arange(4.0)

    def f(x):
        flat = np.sum(x * table)
        table.shape = (2, 2)
        square = np.sum(x[:2] * table)
        table.shape = (4,)
        return flat + square

    x = np.array([1.0, 2.0, 3.0, 4.0])
    same(value_and_grad(f)(x)[0], f(x))


def test_a_number_that_code_asked_for_is_guarded_with_the_sign_of_zero():
    @jit
    def f(x):
        return x + math.copysign(1.0, float(stop_gradient(x)))

    assert f(0.0) == 1.0
    assert f(-0.0) == -1.0
    assert f(0.0) == 1.0
