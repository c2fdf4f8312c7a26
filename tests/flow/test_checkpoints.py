"""`checkpoint`: the same numbers as without it, and less memory."""

from __future__ import annotations

import functools
import pickle
import re
import tracemalloc
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from law_flow import check_program, check_vmap
from test_random_bodies import XS, B, bodies, body, some

import wengert as wg
from support import interpreted
from wengert.errors import WengertError, WengertTypeError

X = np.array([0.3, -0.7, 1.2])
T = np.array([0.5, 1.0, -2.0])
U = np.array([-1.0, 0.25, 0.75])


def all_derivatives(f: Any, x: Any = X, t: Any = T, u: Any = U) -> dict[str, Any]:
    """First and second derivatives of a real scalar function, in all combinations of modes."""

    def forward(g: Any, d: Any) -> Any:
        return lambda y: wg.jvp(g, (y,), (d,))[1]

    def reverse(g: Any, d: Any) -> Any:
        return lambda y: np.sum(wg.grad(g)(y) * d)

    found = {"value": f(x), "grad": wg.grad(f)(x), "jvp": forward(f, t)(x)}
    for first in (forward, reverse):
        for second in (forward, reverse):
            found[f"{second.__name__} over {first.__name__}"] = second(first(f, t), u)(x)
    found["hessian"] = wg.hessian(f)(x)
    found["jit"] = wg.jit(wg.grad(f))(x)
    return found


def agree(f: Any, g: Any, x: Any = X, rtol: float = 1e-13, **kwargs: Any) -> None:
    with interpreted():
        found = all_derivatives(f, x, **kwargs)
    native = all_derivatives(f, x, **kwargs)
    for what, expected in all_derivatives(g, x, **kwargs).items():
        for one in (found, native):
            np.testing.assert_allclose(one[what], expected, rtol=rtol, atol=rtol * 10, err_msg=what)


# ------------------------------------------------------------------------------ memory


def chain(group: int | None, layer: Any, count: int) -> Any:
    """A chain of layers, in groups under checkpoint."""

    def segment(x: Any, ws: Any) -> Any:
        for w in ws:
            x = layer(w, x)
        return x

    def f(ws: Any, x: Any) -> Any:
        size = count if group is None else group
        run = segment if group is None else wg.checkpoint(segment)
        for k in range(0, count, size):
            x = run(x, ws[k : k + size])
        return np.sum(x**2)

    return f


def test_a_chain_in_groups_has_a_lower_peak_and_the_same_bits_on_the_interpreter() -> None:
    count, size = 50, 5_000
    rng = np.random.default_rng(0)
    ws, x = list(rng.uniform(0.5, 1.5, count)), rng.standard_normal(size)

    def layer(w: Any, x: Any) -> Any:
        return np.sin(np.exp(-x * x) * w + x)

    def peak(group: int | None) -> tuple[Any, float]:
        gradient = wg.grad(chain(group, layer, count), 1)
        gradient(ws, x)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        found = gradient(ws, x)
        highest = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
        return found, highest / x.nbytes

    with interpreted():
        plain, whole = peak(None)
        grouped, less = peak(7)
    assert plain.tobytes() == grouped.tobytes()
    assert whole > 4 * count  # four values a layer
    assert less < 50  # carries of eight groups, the values of seven layers, and a few more


def test_a_chain_in_groups_has_a_smaller_arena() -> None:
    count, n = 50, 48
    ws, x = [np.eye(n) / 2] * count, np.ones((n, n))

    def arena(group: int | None) -> float:
        f = chain(group, lambda w, x: np.tanh(w @ x), count)
        listing = wg.trace(wg.grad(lambda x: f(ws, x)), x)
        assert not listing.host_calls
        found = re.match(r"(\d+) bytes", listing.memory)
        assert found is not None
        return int(found[1]) / x.nbytes

    assert arena(None) > count
    assert arena(7) < 20


def test_all_weights_have_the_same_gradients_in_groups() -> None:
    rng = np.random.default_rng(1)
    ws, x = list(rng.standard_normal((12, 4, 4)) / 2), rng.standard_normal(4)

    def layer(w: Any, x: Any) -> Any:
        return np.tanh(w @ x)

    plain = wg.grad(chain(None, layer, 12), (0, 1))
    grouped = wg.grad(chain(4, layer, 12), (0, 1))
    with interpreted():
        a, b = plain(ws, x), grouped(ws, x)
    for one, other in zip([*a[0], a[1]], [*b[0], b[1]], strict=True):
        assert one.tobytes() == other.tobytes()
    for _ in range(3):
        for one, other in zip(grouped(ws, x)[0], a[0], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_a_scan_within_its_memory() -> None:
    """Measured, beside the plain loop: on the interpreter, and the arena of machine code."""
    steps, n = 300, 2_000
    w, x = np.linspace(0.5, 1.5, n), np.random.default_rng(0).standard_normal(n)

    def gradient(memory: Any) -> Any:
        def f(w: Any, x: Any) -> Any:
            def step(c: Any, _: Any) -> Any:
                return np.sin(np.exp(-c * c) * w + c), None

            return np.sum(wg.scan(step, x, length=steps, memory=memory)[0] ** 2)

        return wg.grad(f, (0, 1))

    def peak(memory: Any) -> tuple[Any, int]:
        call = gradient(memory)
        call(w, x)
        tracemalloc.start()
        found = call(w, x)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found, highest

    def arena(memory: Any) -> int:
        found = re.match(r"(\d+) bytes", wg.trace(gradient(memory), w, x).memory)
        assert found is not None
        return int(found[1])

    with interpreted():
        plain, whole = peak(None)
        assert whole > 3 * steps * x.nbytes
        for memory in ("5.0 MB", "1.5 MB"):
            found, highest = peak(memory)
            for a, b in zip(found, plain, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
            assert highest < float(memory[:3]) * 1e6 + 25 * x.nbytes
    assert arena(None) > 2 * steps * x.nbytes
    assert arena("1.5 MB") < 1.5e6 + 25 * x.nbytes


def test_amounts_of_memory_for_a_scan() -> None:
    def f(memory: Any, length: int = 20) -> Any:
        return wg.scan(lambda c, _: (np.sin(c), c), 1.0, length=length, memory=memory)

    for memory in (None, 50, "1kB"):
        last, ys = f(memory)
        np.testing.assert_allclose(last, f(None)[0], rtol=1e-14)
        np.testing.assert_allclose(ys, f(None)[1], rtol=1e-14)
    assert f(10, length=0)[1].shape == (0,)
    with pytest.raises(WengertError, match="within 10 bytes; the least is"):
        f(10)
    with pytest.raises(WengertError, match="no amount of memory"):
        f("much")


def test_what_is_computed_again_is_in_the_program() -> None:
    f = wg.checkpoint(lambda x: np.sin(np.exp(x)))
    reverse = wg.trace(wg.grad(lambda x: np.sum(f(f(x)))), X).simplified
    assert reverse.count("= checkpoint[") == 3  # the first again, and the second in reverse alone
    forward = wg.trace(lambda x: wg.jvp(f, (x,), (T,)), X).simplified
    assert forward.count("= checkpoint[") == 1  # values and tangents together


# ------------------------------------------------------------------------------ values


def test_outside_of_traces_it_is_the_function() -> None:
    seen: list[Any] = []

    @wg.checkpoint
    def f(x: Any, *, how: str = "none") -> Any:
        """Its documentation."""
        seen.append((type(x), how))
        return x

    assert f(X, how="by name") is X
    assert seen == [(np.ndarray, "by name")]
    assert f.__doc__ == "Its documentation."
    assert f.__name__ == "f"
    assert "checkpoint of" in repr(f)


def at_top(x: Any) -> Any:
    return np.sum(np.sin(x) ** 2)


def test_it_pickles_when_the_function_does() -> None:
    again = pickle.loads(pickle.dumps(wg.checkpoint(at_top)))
    np.testing.assert_array_equal(wg.grad(again)(X), wg.grad(at_top)(X))


def test_methods() -> None:
    class Model:
        def __init__(self, w: Any) -> None:
            self.w = w

        @wg.checkpoint
        def layer(self, x: Any) -> Any:
            return np.tanh(self.w * x)

    def f(layer: Any) -> Any:
        return lambda x: np.sum(Model(x).layer(T) * layer(Model(x * x), x))

    agree(f(Model.layer), f(lambda own, x: np.tanh(own.w * x)))


def test_structures_and_other_arguments() -> None:
    @dataclass
    class State:
        a: Any
        b: Any

    def f(state: State, more: dict[str, Any], power: int, name: str, nothing: None = None) -> Any:
        assert name == "name"
        assert nothing is None
        return State(state.b, state.a**power), [more["x"] * 2.0, None, "text", 3]

    def g(run: Any) -> Any:
        def h(x: Any) -> Any:
            state, rest = run(State(x, 2 * x), {"x": x * x}, 3, name="name")
            assert isinstance(state, State)
            assert rest[1:] == [None, "text", 3]
            return np.sum(state.a * state.b + rest[0])

        return h

    agree(g(wg.checkpoint(f)), g(f))


def test_python_sees_values_inside() -> None:
    def f(x: Any, n: Any) -> Any:
        total = x
        while np.sum(total**2) < 50:
            total = total * 1.5 + (np.sin(x) if total[0] > 0 else x)
        for _ in range(int(n)):
            total = total - 0.1 * x**3
        return np.sum(np.exp(-total / 10))

    at = np.array([0.4, -0.8, 1.1])
    agree(lambda x: wg.checkpoint(f)(x, 2), lambda x: f(x, 2), at)
    compiled = wg.jit(wg.grad(lambda x, n: wg.checkpoint(f)(x, n)))
    for x, n in ((at, 2), (-at, 2), (3 * at, 0), (at, 1)):
        expected = wg.grad(lambda x, n=n: f(x, n))(x)
        np.testing.assert_allclose(compiled(x, n), expected, rtol=1e-12)


def test_traced_values_from_outside() -> None:
    def f(run: Any) -> Any:
        def h(x: Any) -> Any:
            y = np.exp(x)
            scale = np.sum(y)
            inner = run(lambda z: np.sin(z * y) * scale + wg.grad(lambda v: np.sum(v**3 * x))(z))
            return np.sum(inner(x * 2) + inner(y))

        return h

    agree(f(wg.checkpoint), f(lambda g: g), rtol=1e-12)


def test_perturbations_are_not_confused() -> None:
    c = wg.checkpoint
    assert wg.grad(lambda x: x * wg.grad(c(lambda y: x + y))(x))(3.0) == 1.0
    assert wg.grad(lambda x: c(lambda v: v * wg.grad(lambda y: v * y * y)(x))(x))(3.0) == 54.0
    assert wg.grad(lambda x: wg.jvp(c(lambda y: x * y), (2.0,), (x,))[1])(3.0) == 6.0


def test_results_that_are_arguments_or_constants() -> None:
    def f(x: Any, y: Any) -> Any:
        return x, np.ones(3), 2.0, y * 0 + 1, x * y, np.zeros(3)

    def g(run: Any) -> Any:
        return lambda x: sum(np.sum(part * x) for part in run(f)(x, x))

    agree(g(wg.checkpoint), g(lambda h: h))
    assert wg.jit(lambda x: wg.checkpoint(lambda y: y)(x))(2.0) == 2.0


def test_python_numbers_stay_weak() -> None:
    x = np.ones(3, np.float32)
    f = wg.checkpoint(lambda s: s * 3)
    assert wg.jit(lambda s, v: f(s) * v)(2.0, x).dtype == np.float32
    assert wg.grad(lambda s: np.sum(f(s) * x))(2.0).dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.complex128])
def test_other_dtypes(dtype: Any) -> None:
    x = (X + (0.5j * T if np.dtype(dtype).kind == "c" else 0)).astype(dtype)

    def f(run: Any) -> Any:
        return lambda x: np.sum(np.real(run(lambda y: np.sin(y) * np.conj(y) + y**2)(x * x)))

    a, b = wg.grad(f(wg.checkpoint))(x), wg.grad(f(lambda g: g))(x)
    assert a.dtype == b.dtype == dtype
    np.testing.assert_allclose(a, b, rtol=1e-5)


def test_integers_and_booleans_go_through() -> None:
    def f(x: Any, k: Any) -> Any:
        return x[k] * 2, k + 1, x > 0

    def g(run: Any) -> Any:
        def h(x: Any) -> Any:
            a, k, positive = run(f)(x, wg.numpy.asarray([0, 2]))
            return np.sum(a**2) + np.sum(np.where(positive, x, 0)) * np.sum(x[k - 1])

        return h

    agree(g(wg.checkpoint), g(lambda h: h))


# ------------------------------------------------------------------------------ structural zeros


MASKED = {
    "inside": lambda c: lambda x: np.sum(c(lambda y: np.where(y > 0, np.log(y), 0.0))(x)),
    "around": lambda c: lambda x: np.sum(np.where(x > 0, c(np.log)(x), 0.0)),
    "after": lambda c: lambda x: np.sum(np.sqrt(c(lambda y: np.where(y > 0, y, 0.0))(x))),
    "before": lambda c: lambda x: np.sum(c(np.sqrt)(np.where(x > 0, x, 0.0))),
    "both": lambda c: (
        lambda x: np.sum(np.where(x > 0, c(lambda y: np.where(y < 9, np.log(y), 1 / y))(x), 0.0))
    ),
    "sum": lambda c: (
        lambda x: np.where(x[0] > 0, c(lambda y: np.sum(np.sqrt(y)))(np.where(x > 0, x, 0.0)), x[0])
    ),
    "product": lambda c: (
        lambda x: np.sum(
            c(lambda y: np.ones((3, 3)) @ np.where(y > 0, y * np.sqrt(np.abs(y)), 0))(x)
        )
    ),
    "in a loop": lambda c: (
        lambda x: np.sum(
            wg.scan(
                lambda v, _: (c(lambda y: np.where(y > 0, np.sqrt(y), 0.0))(v), None), x, length=2
            )[0]
        )
    ),
}


@np.errstate(all="ignore")
@pytest.mark.parametrize("name", MASKED)
def test_no_nan_from_a_branch_not_taken(name: str) -> None:
    at = np.array([0.4, 0.0, -0.5])
    plain = all_derivatives(MASKED[name](lambda g: g), at)
    if name != "in a loop":
        assert all(np.all(np.isfinite(value)) for value in plain.values())
    agree(MASKED[name](wg.checkpoint), MASKED[name](lambda g: g), at)


# ------------------------------------------------------------------------------ with others


def test_vmap() -> None:
    rows = np.stack([X, 2 * X, -X])

    def f(w: Any, x: Any) -> Any:
        return np.where(x > 0, np.sin(w * x), x) @ x

    c = wg.checkpoint(f)
    for axes in ((0, 0), (None, 0), (0, None)):
        args = tuple(rows if axis == 0 else T for axis in axes)
        for g, h in (
            (c, f),
            (wg.grad(c, (0, 1)), wg.grad(f, (0, 1))),
            (wg.hessian(c), wg.hessian(f)),
        ):
            found, expected = wg.vmap(g, axes)(*args), wg.vmap(h, axes)(*args)
            for a, b in zip(np.atleast_1d(found), np.atleast_1d(expected), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-14)
    mapped = wg.grad(lambda x: np.sum(wg.checkpoint(wg.vmap(lambda r: f(T, r)))(x)))(rows)
    np.testing.assert_allclose(mapped, np.stack([wg.grad(f, 1)(T, r) for r in rows]), rtol=1e-13)


def test_jacobians_in_both_modes() -> None:
    def f(run: Any) -> Any:
        return lambda x: run(lambda y: np.sin(y) * np.sum(y**2))(x * x)

    for jacobian in (wg.jacfwd, wg.jacrev, wg.jacobian):
        found, expected = jacobian(f(wg.checkpoint))(X), jacobian(f(lambda g: g))(X)
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


def test_linear_maps() -> None:
    f = wg.checkpoint(lambda x: np.sin(x) * np.sum(x))
    _, push = wg.linearize(f, X)
    _, pull = wg.vjp(f, X)
    jacobian = wg.jacobian(lambda x: np.sin(x) * np.sum(x))(X)
    for _ in range(2):
        np.testing.assert_allclose(push(T), jacobian @ T, rtol=1e-13)
        np.testing.assert_allclose(pull(T)[0], T @ jacobian, rtol=1e-13)
    np.testing.assert_allclose(wg.linear_transpose(push, X)(T)[0], T @ jacobian, rtol=1e-13)
    np.testing.assert_allclose(
        wg.linear_transpose(lambda t: pull(t)[0], X)(T)[0], jacobian @ T, rtol=1e-13
    )


def test_the_transpose_of_a_pullback_with_masks() -> None:
    def f(x: Any) -> Any:
        return wg.checkpoint(lambda y: np.where(y > 0, y * np.sum(y), y**2))(np.maximum(x, 0))

    jacobian = wg.jacrev(f)(X)
    _, pull = wg.vjp(f, X)
    np.testing.assert_allclose(
        wg.linear_transpose(lambda t: pull(t)[0], X)(T)[0], jacobian @ T, rtol=1e-13
    )


def test_custom_rules_inside() -> None:
    @wg.custom_jvp
    def double(x: Any) -> Any:
        return 2 * x

    @double.defjvp
    def _rule(primals: Any, tangents: Any) -> Any:
        return double(primals[0]), 3 * tangents[0] * primals[0]

    @wg.custom_vjp
    def clipped(x: Any) -> Any:
        return x

    clipped.defvjp(lambda x: (x, None), lambda _, g: (np.clip(g, -1, 1),))
    f = wg.checkpoint(lambda x: np.sum(np.sin(double(x))))
    np.testing.assert_allclose(wg.grad(f)(X), 3 * X * np.cos(2 * X), rtol=1e-13)
    np.testing.assert_allclose(wg.jvp(f, (X,), (T,))[1], 3 * X * np.cos(2 * X) @ T, rtol=1e-13)
    g = wg.checkpoint(lambda x: np.sum(5 * clipped(x) * np.array([1.0, 0.1, -1.0])))
    np.testing.assert_allclose(wg.grad(g)(X), [1, 0.5, -1], rtol=1e-13)
    with pytest.raises(WengertError, match="clipped"):
        wg.jvp(g, (X,), (T,))


def test_opaque_functions_inside() -> None:
    cube = wg.primitive(lambda x: np.asarray(x) ** 3)
    wg.defvjp(cube, lambda y, x: lambda g: 3 * g * x**2)

    def f(x: Any) -> Any:
        return np.sum(wg.checkpoint(lambda y: np.sin(cube(y)))(x))

    for _ in range(3):
        np.testing.assert_allclose(wg.grad(f)(X), 3 * X**2 * np.cos(X**3), rtol=1e-13)
    np.testing.assert_allclose(wg.jit(wg.grad(f))(X), 3 * X**2 * np.cos(X**3), rtol=1e-13)


def test_exceptions_of_values_are_caught_inside() -> None:
    def f(a: Any) -> Any:
        try:
            return np.sum(np.linalg.cholesky(a) ** 2)
        except np.linalg.LinAlgError:
            return np.sum(a**3)

    good, bad = np.array([[2.0, 0.5], [0.5, 1.0]]), -np.eye(2)
    compiled = wg.jit(wg.grad(wg.checkpoint(f)))
    for a in (good, bad, good, bad):
        expected = wg.grad(f)(a)
        np.testing.assert_allclose(wg.grad(wg.checkpoint(f))(a), expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(compiled(a), expected, rtol=1e-12, atol=1e-14)


def test_exceptions_of_values_reach_the_caller() -> None:
    f = wg.checkpoint(lambda a: np.sum(np.linalg.inv(np.sin(a))))
    for _ in range(3):
        with pytest.raises(np.linalg.LinAlgError):
            wg.grad(f)(np.zeros((2, 2)))
    with pytest.raises(np.linalg.LinAlgError):
        wg.jit(wg.grad(f))(np.zeros((2, 2)))


def test_random_numbers_are_the_same_again() -> None:
    key = wg.random.key(3)

    def f(run: Any) -> Any:
        return lambda x: np.sum(run(lambda y: np.sin(y * wg.random.normal(key, (3,))))(x))

    agree(f(wg.checkpoint), f(lambda g: g))


def test_partial_functions() -> None:
    f = functools.partial(lambda w, x: np.sum(np.sin(w * x)), T)
    np.testing.assert_array_equal(wg.grad(wg.checkpoint(f))(X), wg.grad(f)(X))


# ------------------------------------------------------------------------------ errors


def test_it_takes_a_function() -> None:
    with pytest.raises(WengertTypeError, match=r"write checkpoint\(f\)\(x\)"):
        wg.checkpoint(3.0)  # type: ignore[arg-type]


def test_writes_that_the_caller_would_not_see() -> None:
    def into_argument(x: Any) -> Any:
        x[0] = 1.0
        return np.sum(x)

    with pytest.raises(WengertTypeError, match="into_argument is under checkpoint and writes"):
        wg.grad(lambda x: wg.checkpoint(into_argument)(x * 2))(X)

    def outer(x: Any) -> Any:
        y = x * 2

        def from_outside() -> Any:
            y[0] = 1.0
            return np.sum(y * x)

        return wg.checkpoint(from_outside)()

    with pytest.raises(WengertTypeError, match="from_outside is under checkpoint and writes"):
        wg.grad(outer)(X)

    def into_a_copy(x: Any) -> Any:
        x = x.copy()
        x[0] = 1.0
        return np.sum(x**2)

    np.testing.assert_array_equal(wg.grad(wg.checkpoint(into_a_copy))(X), [0, 2 * X[1], 2 * X[2]])


def test_writes_before_an_error() -> None:
    """A caller that catches the error would go on without them."""

    def fails(x: Any) -> Any:
        x[0] = 1.0
        raise KeyError("mine")

    def outer(x: Any) -> Any:
        try:
            return wg.checkpoint(fails)(x)
        except KeyError:
            return np.sum(x**2)

    with pytest.raises(WengertTypeError, match="fails is under checkpoint and writes"):
        wg.grad(outer)(X)


def test_errors_of_the_function_come_through() -> None:
    def f(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        wg.grad(wg.checkpoint(f))(1.0)
    with pytest.raises(WengertError, match=r"np\.where, wengert\.cond"):
        wg.scan(lambda c, _: (wg.checkpoint(lambda y: y if y > 0 else -y)(c), None), 1.0, length=2)


# ------------------------------------------------------------------------------ random programs


def program(steps: list[Any]) -> Any:
    """Checkpoints of random bodies, with loops and branches in them, one behind the other."""

    def run(flow: Any, x: Any, rows: Any) -> Any:
        layer = flow.checkpoint(lambda c, r: body(flow, steps, [c, r, x], 1))
        total = 0.0
        for row in rows:
            x = layer(x, row)
            total = total + np.sum(x * row)
        return x, total

    return run


@some(5)
@given(steps=bodies)
def test_random_bodies(steps: list[Any]) -> None:
    with interpreted(), np.errstate(invalid="ignore"):
        check_program(program(steps), B, XS[:2], order=2, rtol=1e-10, jit=False)


@pytest.mark.long
@some(150)
@given(steps=bodies)
def test_many_random_bodies(steps: list[Any]) -> None:
    with interpreted(), np.errstate(invalid="ignore"):
        check_program(program(steps), B, XS[:2], order=2, rtol=1e-10, jit=False)


@pytest.mark.long
@some(40)
@given(steps=bodies)
def test_random_bodies_as_machine_code(steps: list[Any]) -> None:
    with np.errstate(invalid="ignore"):
        check_program(program(steps), B, XS[:2], order=1, rtol=1e-10)


@pytest.mark.long
@some(40)
@given(steps=bodies)
def test_random_bodies_under_vmap(steps: list[Any]) -> None:
    with interpreted(), np.errstate(invalid="ignore"):
        points = np.stack([B, -B, B * 0.3])
        check_vmap(program(steps), points, np.stack([XS[:2], -XS[:2], XS[2:]]), rtol=1e-9)
