"""Python asks for a value: control flow, indices, printing. The trace goes on."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

from wengert import grad, hessian, jacfwd, jacrev, jit, jvp, linearize, stop_gradient, vjp

X = np.array([1.0, 2.0, 3.0])

DERIVATIVES = {
    "grad": grad,
    "jvp": lambda f: lambda x: jvp(f, (x,), (1.0,))[1],
    "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
    "linearize": lambda f: lambda x: linearize(f, x)[1](1.0),
    "jacfwd": jacfwd,
    "jacrev": jacrev,
    "jit grad": lambda f: jit(grad(f)),
    "grad jit": lambda f: grad(jit(f)),
    "jit jvp": lambda f: jit(lambda x: jvp(f, (x,), (1.0,))[1]),
}


def branch(x):
    return x**2 if x > 0 else -3 * x


def loop(x):
    steps = 0
    while x < 100:
        x = x * x
        steps += 1
    return x * steps


def bisect(x):
    """√x by halving an interval, whose ends do not move with x: then one Newton step."""
    low, high = 0.0, 10.0
    while True:
        middle = (low + high) / 2
        if high - low < 1e-9:
            break
        if middle * middle < x:
            low = middle
        else:
            high = middle
    return (middle + x / middle) / 2


def power(x, n=5):
    return x if n == 1 else x * power(x, n - 1)


def nested(x):
    if x > 1:
        for k in range(4):
            if x * k > 5:
                return x**3 + k
        return x
    return 2 * x


CASES = [
    (branch, 3.0, 6.0, 2.0),
    (branch, -3.0, -3.0, 0.0),
    (loop, 2.0, 3 * 8 * 2.0**7, 3 * 8 * 7 * 2.0**6),
    (loop, 3.0, 3 * 8 * 3.0**7, 3 * 8 * 7 * 3.0**6),
    (loop, 200.0, 0.0, 0.0),
    (bisect, 9.0, 1 / 6, 0.0),
    (power, 1.5, 5 * 1.5**4, 20 * 1.5**3),
    (nested, 2.0, 12.0, 12.0),
    (nested, 1.1, 1.0, 0.0),
    (nested, 0.5, 2.0, 0.0),
]


@pytest.mark.parametrize("mode", DERIVATIVES)
@pytest.mark.parametrize("f, x, first, second", CASES)
def test_the_derivative_is_that_of_the_path_taken(f, x, first, second, mode):
    assert DERIVATIVES[mode](f)(x) == pytest.approx(first, rel=1e-8)


@pytest.mark.parametrize("f, x, first, second", CASES)
def test_so_are_second_derivatives(f, x, first, second):
    for mode in (hessian, lambda f: jit(hessian(f)), lambda f: grad(jit(grad(f)))):
        assert mode(f)(x) == pytest.approx(second, rel=1e-12)


def test_one_compiled_derivative_takes_all_paths():
    derivative = jit(grad(branch))
    assert [derivative(x) for x in (3.0, -3.0, 4.0, -4.0, 0.5)] == [6.0, -3.0, 8.0, -3.0, 1.0]


def test_an_inner_derivative_decides():
    f = lambda x: x**2 if grad(lambda y: y**3)(x) > 3 else x
    for run in (f, jit(f)):
        assert (run(2.0), run(0.5)) == (4.0, 0.5)
    for derivative in (grad(f), jit(grad(f))):
        assert (derivative(2.0), derivative(0.5)) == (4.0, 1.0)


def test_loops_force_in_linear_time():
    def f(x):
        for _ in range(3000):
            if x < 1e9:
                x = x * 1.0001
        return x

    assert grad(f)(1.0) == pytest.approx(1.0001**3000, rel=1e-11)


# ------------------------------------------------------------------ integers, shapes, masks


def test_ints_of_traced_values():
    f = lambda x: x * int(x)
    assert grad(f)(2.5) == 2.0
    compiled = jit(f)
    assert [compiled(v) for v in (2.5, 3.5, 2.7, -1.5)] == [f(v) for v in (2.5, 3.5, 2.7, -1.5)]


@pytest.mark.parametrize(
    "rounding", [int, math.floor, math.ceil, math.trunc, round, lambda x: int(np.floor(x))]
)
def test_rounding_to_an_int(rounding):
    f = lambda x: x * rounding(x)
    for x in (2.5, -2.5, 3.7):
        assert grad(f)(x) == rounding(x)
        assert jit(f)(x) == f(x)


def test_traced_integers_count_and_index():
    def f(x):
        n = np.sum(x > 1.5)
        total = sum(x[k] for k in range(n)) + x[n] + x[: n + 1][-1] + np.zeros(n).sum()
        return total + [10.0, 20.0, 30.0, 40.0][n] * x[0] + x.reshape(n + 1, -1)[0, 0]

    def exact(x):
        n = int(np.sum(x > 1.5))
        gradient = np.zeros(3)
        gradient[:n] += 1
        gradient[n] += 2
        gradient[0] += 1 + [10.0, 20.0, 30.0, 40.0][n]
        return gradient

    derivative, compiled = jit(grad(f)), jit(f)
    for x in (X, X - 2, X):
        for run in (grad(f), derivative):
            assert run(x).tolist() == exact(x).tolist()
        assert compiled(x) == f(x)


def test_integer_arguments_count():
    def f(x, n):
        y = x
        for _ in range(n):
            y = y * x
        return y

    compiled = jit(f)
    for n in (3, 2, 3, 0):
        assert compiled(2.0, n) == 2.0 ** (n + 1)
        assert compiled(2.0, np.int64(n)) == 2.0 ** (n + 1)
        assert jit(grad(f))(2.0, n) == (n + 1) * 2.0**n


def test_masks_are_guarded_by_their_count():
    traces = []

    def f(x):
        traces.append(None)
        kept = x[x > 1.5]
        return np.sum(kept**2) * len(kept)

    compiled = jit(f)
    points = [X, X[::-1].copy(), X - 1, X + 0.1, X - 1.25]
    assert [compiled(x) for x in points] == [f(x) for x in points]
    assert len(traces) == len(points) + 2  # two counts: 2 and 1
    assert grad(f)(X).tolist() == [0.0, 8.0, 12.0]
    np.testing.assert_array_equal(hessian(f)(X), np.diag([0.0, 4.0, 4.0]))


def test_integers_and_booleans_may_become_plain_arrays():
    def f(x):
        order = np.asarray(np.argsort(x))
        assert type(order) is np.ndarray
        flags = np.array([x[0] > 1.5, x[1] > 1.5])
        return np.sum(x * order) + x[0] * flags.sum()

    for x in (X, X[::-1].copy()):
        exact = np.argsort(x) + np.array([np.sum(x[:2] > 1.5), 0, 0])
        assert grad(f)(x).tolist() == exact.tolist()
    compiled = jit(f)
    for x in (X, X[::-1].copy(), X):
        assert compiled(x) == f(x)


# -------------------------------------------------------------- plain numbers of a constant


def test_float_forces_what_depends_on_no_input():
    def f(x):
        count = math.sin(np.sum(x > 1.5))
        fixed = math.exp(stop_gradient(x)[0]) + float(stop_gradient(np.sum(x)))
        return x[0] * (count + fixed + complex(stop_gradient(x[1])).real)

    expected = math.sin(2) + math.exp(1) + 6.0 + 2.0
    assert grad(f)(X)[0] == pytest.approx(expected, rel=1e-15)
    compiled = jit(f)
    for x in (X, X + 1, X):
        assert compiled(x) == pytest.approx(f(x), rel=1e-15)


# ---------------------------------------------------------------------------------- showing


def test_showing_a_value_is_not_guarded():
    shown = []

    def f(x):
        shown.append(f"{x[0]:.2f} {x} {x!r} {np.sum(x)}")
        return np.sum(x)

    compiled = jit(f)
    assert compiled(X) == 6.0
    assert compiled(2 * X) == 12.0
    assert shown == ["1.00 [1. 2. 3.] Traced(array([1., 2., 3.])) 6.0"]


def test_printing_inside_a_derivative(capsys):
    grad(lambda x: print(x) or x)(2.5)
    assert capsys.readouterr().out == "2.5\n"


def test_copies_of_a_traced_value_are_values_of_their_own():
    def f(x):
        for make in (copy.copy, copy.deepcopy, np.copy):
            other = make(x)
            other[0] = 100.0
        return np.sum(x * copy.deepcopy({"a": [x]})["a"][0])

    assert grad(f)(X).tolist() == [2.0, 4.0, 6.0]


def test_the_truth_of_arrays_is_ambiguous_as_in_numpy():
    with pytest.raises(ValueError, match="ambiguous"):
        grad(lambda x: x if x > 0 else -x)(X)
    assert grad(lambda x: np.sum(x) if x[:1] > 0 else 0.0)(X).tolist() == [1.0] * 3


def test_membership_and_sorting_ask_for_values():
    assert grad(lambda x: sorted(x)[0] * max(x))(X).tolist() == [3.0, 0.0, 1.0]
    assert grad(lambda x: x[0] if 2.0 in x else x[1])(X).tolist() == [1.0, 0.0, 0.0]
    assert grad(lambda x: x[0] if 5.0 in x else x[1])(X).tolist() == [0.0, 1.0, 0.0]
