"""Steps of descent: each against its formula, and on structures, under jit and in loops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import wengert as wg
from wengert.errors import WengertTypeError
from wengert.optimize import adam, lbfgs, momentum, sgd

RNG = np.random.default_rng(0)
PARAMETERS = {"w": RNG.normal(size=(3, 2)), "b": [RNG.normal(size=2), 0.5]}
METHODS = [
    sgd(rate=0.1),
    momentum(rate=0.05),
    momentum(rate=0.05, nesterov=True),
    adam(rate=0.1),
    adam(rate=0.1, weight_decay=0.01),
]


def loss(p: Any) -> Any:
    return np.sum((p["w"] - 1) ** 2) + np.sum((p["b"][0] + 2) ** 2) + (p["b"][1] - 3) ** 2


class TestFormulas:
    def test_momentum(self) -> None:
        """Against the recurrences written out for numbers."""
        for nesterov in (False, True):
            method = momentum(rate=0.1, decay=0.7, nesterov=nesterov)
            w, state = 1.0, method.init(1.0)
            x, u = 1.0, 0.0
            for g in (2.0, -1.0, 0.5):
                w, state = method.step(g, w, state)
                u = 0.7 * u - 0.1 * g
                x = x + (0.7 * u - 0.1 * g if nesterov else u)
                assert_allclose([w, state], [x, u], rtol=1e-14)

    def test_nesterov_is_the_gradient_ahead(self) -> None:
        """In y = w + μu the step is the classical one with the gradient at the point ahead."""
        rate, decay, slope = 0.1, 0.7, lambda w: 2 * w + 1
        method = momentum(rate=rate, decay=decay, nesterov=True)
        ahead, state = 1.0, method.init(1.0)
        w, u = 1.0, 0.0
        for _ in range(5):
            u_next = decay * u - rate * slope(w + decay * u)
            w, u = w + u_next, u_next
            ahead, state = method.step(slope(ahead), ahead, state)
            assert_allclose(ahead, w + decay * u, rtol=1e-14)

    def test_adam(self) -> None:
        """Means without bias: those of a constant gradient are it and its square, at each step."""
        method = adam(rate=0.01, epsilon=0.0)
        w, state = 1.0, method.init(1.0)
        for k in range(1, 6):
            w, state = method.step(-4.0, w, state)
            assert_allclose(w, 1 + 0.01 * k, rtol=1e-12)

    def test_weights_decay_apart_from_the_gradient(self) -> None:
        method = adam(rate=0.1, weight_decay=0.5)
        w, _ = method.step(0.0, 2.0, method.init(2.0))
        assert_allclose(w, 2.0 - 0.1 * 0.5 * 2.0)


class TestStructures:
    @pytest.mark.parametrize("method", METHODS, ids=repr)
    def test_they_go_down(self, method: Any) -> None:
        @wg.jit
        def step(p: Any, state: Any) -> Any:
            return method.step(wg.grad(loss)(p), p, state)

        p, state = PARAMETERS, method.init(PARAMETERS)
        for _ in range(400):
            p, state = step(p, state)
        # with decay the minimum is elsewhere, by about λ of what is there
        assert_allclose(p["w"], np.ones((3, 2)), atol=0.02 if "0.01" in repr(method) else 1e-3)
        assert_allclose(p["b"][1], 3.0, atol=0.05)
        assert p["w"].shape == (3, 2)

    @pytest.mark.parametrize("method", METHODS, ids=repr)
    def test_a_scan_is_a_loop(self, method: Any) -> None:
        def step(carry: Any, _: Any) -> Any:
            return method.step(wg.grad(loss)(carry[0]), *carry), None

        looped = PARAMETERS, method.init(PARAMETERS)
        for _ in range(5):
            looped, _ = step(looped, None)
        (scanned, _), _ = wg.scan(step, (PARAMETERS, method.init(PARAMETERS)), np.zeros(5))
        assert_allclose(scanned["w"], looped[0]["w"], rtol=1e-13)

    def test_rates_may_change_and_be_differentiated(self) -> None:
        def after(rate: Any) -> Any:
            method = replace(adam(), rate=rate)
            w, state = 2.0, method.init(2.0)
            for _ in range(3):
                w, state = method.step(2 * w, w, state)
            return w

        wg.check_grads(after, (0.1,), order=1)

    def test_float32_stays(self) -> None:
        w = np.ones(3, np.float32)
        for method in METHODS:
            moved, _ = method.step(w, w, method.init(w))
            assert moved.dtype == np.float32

    def test_other_structures_are_refused(self) -> None:
        with pytest.raises(WengertTypeError, match="same structure as the parameters"):
            sgd().step({"w": 1.0}, PARAMETERS, ())


class TestLbfgs:
    def test_it_converges_on_structures(self) -> None:
        def rosenbrock(p: Any) -> Any:
            x = np.concatenate([p["odd"], p["even"]])
            return np.sum(100 * (x[4:] - x[:4] ** 2) ** 2 + (1 - x[:4]) ** 2)

        both = wg.jit(wg.value_and_grad(rosenbrock))
        method, p = lbfgs(), {"odd": np.full(4, -1.2), "even": np.ones(4)}
        state = method.init(both, p)
        values = [state.value]
        for _ in range(60):
            p, state = method.step(both, p, state)
            values.append(state.value)
        assert np.all(np.diff(values) <= 0)
        assert values[-1] < 1e-20
        assert state.evaluations < 120
        assert_allclose(p["odd"], np.ones(4), rtol=1e-9)

    def test_quadratics_end_after_as_many_steps_as_dimensions(self) -> None:
        """With exact pairs for all directions the minimum is found, up to inexact searches."""
        A = np.diag([1.0, 10.0, 100.0])
        both = wg.value_and_grad(lambda x: x @ A @ x / 2 - np.sum(x))
        method, x = lbfgs(), np.zeros(3)
        state = method.init(both, x)
        for _ in range(15):
            x, state = method.step(both, x, state)
        assert_allclose(x, 1 / np.diag(A), rtol=1e-7)

    def test_at_a_minimum_it_stays(self) -> None:
        both = wg.value_and_grad(lambda x: np.sum(x**2))
        method, x = lbfgs(), np.zeros(2)
        moved, state = method.step(both, x, method.init(both, x))
        np.testing.assert_array_equal(moved, x)
        assert state.pairs == ()

    def test_values_that_are_not_finite_are_walked_back_from(self) -> None:
        both = wg.value_and_grad(lambda x: x - np.log(x))
        method, x = lbfgs(), 0.01
        state = method.init(both, x)
        for _ in range(30):
            with np.errstate(invalid="ignore", divide="ignore"):
                x, state = method.step(both, x, state)
        assert_allclose(x, 1.0, rtol=1e-7)
