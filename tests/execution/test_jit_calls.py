"""jit: one trace a signature, static arguments, structures, nesting; and nothing else changes."""

from __future__ import annotations

import collections
import dataclasses
import functools
import logging

import numpy as np
import pytest

from wengert import (
    WengertError,
    grad,
    hessian,
    jacobian,
    jit,
    jvp,
    value_and_grad,
    vjp,
)

X = np.array([1.0, 2.0, 3.0])


class Counted:
    """A function that counts how often Python runs it."""

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function
        self.runs = 0

    def __call__(self, *args, **kwargs):
        self.runs += 1
        return self.function(*args, **kwargs)


# ------------------------------------------------------------------------------- signatures


def test_one_trace_a_signature():
    f = Counted(lambda x, y: x * y)
    compiled = jit(f)
    for args in [(X, 2.0), (X + 1, 3.0), (X * 0, -0.0)]:
        np.testing.assert_array_equal(compiled(*args), args[0] * args[1])
    assert f.runs == 1
    others = [
        (X[:2], 2.0),
        (X.astype(np.float32), 2.0),
        (X, 2),
        (X, True),
        (X, np.float64(2)),
        (X, np.array(2.0)),
        (X, np.float32(2)),
        (X.reshape(3, 1), 2.0),
        (X, X),
    ]
    for k, args in enumerate(others):
        for _ in range(2):
            got, exact = compiled(*args), args[0] * args[1]
            np.testing.assert_array_equal(got, exact)
            assert got.dtype == exact.dtype
        assert f.runs <= k + 2
    compiled(y=2.0, x=X)
    compiled(x=X, y=3.0)
    assert f.runs <= len(others) + 2


def test_structures_make_the_signature():
    f = Counted(lambda tree: sum(leaf * 2 for leaf in tree.values()))
    compiled = jit(f)
    assert compiled({"a": 1.0}) == 2.0
    assert compiled({"a": 1.0, "b": 2.0}) == 6.0
    assert compiled({"a": 5.0}) == 10.0
    assert f.runs == 2


Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Layer:
    weights: object
    bias: object


def test_results_have_the_structure_that_python_gives():
    def f(x):
        return {"a": x, "p": Point(x * 2, (3, "s", None)), "l": Layer(x[0], [np.ones(2), x[1:]])}

    for _ in range(2):
        got = jit(f)(X)
        assert list(got) == ["a", "p", "l"]
        np.testing.assert_array_equal(got["p"].x, X * 2)
        assert got["p"].y == (3, "s", None)
        assert (type(got["p"]), type(got["l"])) == (Point, Layer)
        assert got["l"].weights == 1.0
        assert got["l"].bias[0].tolist() == [1.0, 1.0]
        assert got["l"].bias[1].tolist() == [2.0, 3.0]


def test_arguments_and_results_of_no_kind():
    assert jit(lambda: 3)() == 3
    assert jit(lambda x: None)(1.0) is None
    assert jit(lambda x, m=None: x if m is None else x * m)(2.0) == 2.0
    f = jit(lambda x, m: x if m is None else x * m)
    assert (f(2.0, None), f(2.0, 3.0), f(2.0, None)) == (2.0, 6.0, 2.0)
    assert jit(lambda *args, **kwargs: args[0] * kwargs["b"])(2.0, b=3.0) == 6.0


# --------------------------------------------------------------------------- static arguments


def power_or_not(x, mode="square"):
    return x**2 if mode == "square" else x


@pytest.mark.parametrize(
    "options", [{"static_argnums": 1}, {"static_argnums": (-1,)}, {"static_argnames": "mode"}]
)
def test_static_arguments(options):
    f = Counted(power_or_not)
    f.__wrapped__ = power_or_not
    compiled = jit(f, **options)
    assert compiled(3.0) == 9.0
    assert compiled(5.0) == 25.0  # x is not static, whatever is left out
    assert f.runs == 1
    assert compiled(3.0, "other") == 3.0
    assert compiled(3.0, mode="other") == 3.0
    assert compiled(3.0, "square") == 9.0
    assert compiled(4.0, mode="square") == 16.0
    assert grad(compiled)(3.0, "square") == 6.0


def test_static_arguments_are_told_apart_by_type_and_bits():
    f = jit(lambda x, c: x * c, static_argnums=1)
    for c in (0.0, -0.0, 0, False, 1, 1.0, True, np.float32(1), 2, 2.0):
        got, exact = f(np.float32(3), c), np.float32(3) * c
        assert (got.dtype, got.tobytes()) == (exact.dtype, exact.tobytes())
    g = jit(lambda x, cs: x * cs[0] * cs[1][0], static_argnums=1)
    n = np.array([3])
    for cs in ((1, (2,)), (1.0, (2,)), (1, (2.0,)), (True, (2,)), (1, (-0.0,)), (1, (0.0,))):
        got, exact = g(n, cs), n * cs[0] * cs[1][0]
        assert (got.dtype, got.tobytes()) == (exact.dtype, exact.tobytes())


def test_a_static_nan_is_one_signature():
    f = Counted(lambda x, c: x * c)
    compiled = jit(f, static_argnums=1)
    for _ in range(3):
        assert np.isnan(compiled(1.0, float("nan")))
    assert f.runs == 1


def test_static_functions_and_shapes():
    compiled = jit(lambda f, x, shape: f(x).reshape(shape), static_argnums=(0, 2))
    np.testing.assert_array_equal(compiled(np.square, X, (3, 1)), (X**2).reshape(3, 1))
    np.testing.assert_array_max_ulp(compiled(np.exp, X, (1, 3)), np.exp(X).reshape(1, 3), 2)


@pytest.mark.parametrize(
    "call, error, says",
    [
        (lambda: jit(power_or_not, static_argnums=1)(3.0, [1]), TypeError, "must be hashable"),
        (lambda: jit(power_or_not, static_argnums=2), ValueError, "argument 2.*2 positional"),
        (lambda: jit(power_or_not, static_argnums=-3), ValueError, "argument -3"),
        (lambda: jit(power_or_not, static_argnums="mode"), TypeError, "must be ints, not 'm'"),
        (
            lambda: jit(power_or_not, static_argnames="mod"),
            ValueError,
            "'mod', which is no argument",
        ),
        (
            lambda: jit(power_or_not)(3.0, "square"),
            TypeError,
            "argument 1 of power_or_not is a str",
        ),
        (lambda: jit(power_or_not)(3.0, mode="a"), TypeError, "argument mode of power_or_not is a"),
        (
            lambda: jit(power_or_not)({"w": object()}),
            TypeError,
            r"leaf \['w'\] of argument 0 of pow",
        ),
        (lambda: jit(3.0), TypeError, "jit needs a function, not float"),
    ],
)
def test_bad_arguments(call, error, says):
    with pytest.raises(error, match=says) as caught:
        call()
    assert isinstance(caught.value, WengertError)


# ----------------------------------------------------------------------------------- nesting


def smooth(x):
    return np.sum(np.sin(x) ** 2) if x[0] > 0 else np.sum(np.cos(x))


@pytest.mark.parametrize("x", [X, -X], ids=["sin", "cos"])
def test_jit_commutes_with_derivatives(x):
    exact = np.sin(2 * x) if x[0] > 0 else -np.sin(x)
    second = np.diag(2 * np.cos(2 * x) if x[0] > 0 else -np.cos(x))
    for transformed in (grad(jit(smooth)), jit(grad(smooth)), jit(grad(jit(smooth)))):
        for _ in range(2):
            np.testing.assert_allclose(transformed(x), exact, rtol=1e-13)
    for transformed in (hessian(jit(smooth)), jit(hessian(smooth)), jacobian(jit(grad(smooth)))):
        for _ in range(2):
            np.testing.assert_allclose(transformed(x), second, rtol=1e-13)
    value, gradient = jit(value_and_grad(smooth))(x)
    assert value == pytest.approx(smooth(x), rel=1e-15)
    np.testing.assert_allclose(gradient, exact, rtol=1e-13)
    slope = jit(lambda x, v: jvp(smooth, (x,), (v,)))(x, np.ones(3))[1]
    assert slope == pytest.approx(exact.sum(), rel=1e-13)
    (pulled,) = jit(lambda x: vjp(smooth, x)[1](2.0))(x)
    np.testing.assert_allclose(pulled, 2 * exact, rtol=1e-13)


def test_jit_inside_jit_is_part_of_it():
    inner = Counted(lambda y: y * y)
    compiled = jit(lambda x: jit(inner)(x) + jit(inner)(2 * x))
    assert [compiled(v) for v in (1.0, 2.0, 3.0)] == [5.0, 20.0, 45.0]
    assert inner.runs == 2


def test_inner_derivatives_of_plain_values():
    f = jit(lambda x: x * grad(lambda y: y**2 * x)(3.0) + jvp(np.sin, (0.0,), (1.0,))[1])
    assert [f(x) for x in (1.0, 2.0)] == [7.0, 25.0]


# ------------------------------------------------------------------------------------ limits


def test_past_sixteen_paths_it_says_so_and_stays_right(caplog):
    def f(x):
        for k in range(100):
            if x < k:
                return x * k
        return x

    counted = Counted(f)
    compiled = jit(counted)
    points = [k + 0.5 for k in range(20)]
    with caplog.at_level(logging.WARNING, logger="wengert"):
        for _ in range(2):
            assert [compiled(x) for x in points] == [f(x) for x in points]
    (record,) = caplog.records
    assert "f has been traced along 16 paths" in record.getMessage()
    assert "np.where" in record.getMessage()
    assert counted.runs == 20 + 4
    assert len(compiled._paths.find(next(iter(compiled._paths._held)))) == 16


def test_signatures_are_bounded(monkeypatch):
    compiled = jit(lambda x, n: x * n, static_argnums=1)
    monkeypatch.setattr(compiled._paths, "entries", 10)
    for n in range(30):
        assert compiled(2.0, n) == 2.0 * n
    assert len(compiled._paths) == 10


def test_exceptions_are_those_of_python():
    def f(x):
        if x > 0:
            raise KeyError("positive")
        return x * 2

    compiled = jit(f)
    for _ in range(2):
        with pytest.raises(KeyError, match="positive"):
            compiled(1.0)
        assert compiled(-1.0) == -2.0


def test_threads_may_share_a_compiled_function():
    from concurrent.futures import ThreadPoolExecutor

    compiled = jit(lambda x: x * 2 if x > 10 else x * 3)
    points = [float(k) for k in range(40)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(compiled, points)) == [x * 2 if x > 10 else x * 3 for x in points]
