"""Arrays made inside and outside of traces: types, dtypes, values, gradients, assignment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.numpy as wnp
from support import check, leaves, same, traced_value
from wengert.graph.walk import topological
from wengert.tracing.tracer import Tracer

V = np.array([0.3, -1.2, 2.0])
M = np.array([[1.0, -2.0, 0.5], [0.1, 3.0, -1.0]])


def grad_of(f: Callable[..., Any], *args: Any) -> Any:
    return wg.grad(f)(*args)


# ------------------------------------------------------------- inside and outside of a trace

CALLS: dict[str, Callable[[Any], Any]] = {
    "zeros": lambda np: np.zeros(3),
    "zeros of a shape": lambda np: np.zeros((2, 3), dtype=np.float32),
    "zeros 0-d": lambda np: np.zeros(()),
    "ones": lambda np: np.ones((2, 1), complex),
    "full": lambda np: np.full((2, 2), 7.5),
    "full of a list": lambda np: np.full((2, 2), [1.0, 2.0]),
    "full of an int": lambda np: np.full(2, 3, dtype=np.float32),
    "zeros_like": lambda np: np.zeros_like(V),
    "ones_like": lambda np: np.ones_like([1.0, 2.0], shape=(3, 1)),
    "full_like": lambda np: np.full_like(M, 3),
    "array": lambda np: np.array([[1.0, 2.0], [3.0, 4.5]]),
    "array of a number": lambda np: np.array(2.5),
    "array of a complex number": lambda np: np.array(1j, ndmin=2),
    "array of an array": lambda np: np.array(V, dtype=np.float32, ndmin=2),
    "asarray": lambda np: np.asarray(V),
    "asarray of ints": lambda np: np.asarray([1, 2], dtype=float),
    "asanyarray": lambda np: np.asanyarray([1.0]),
    "ascontiguousarray": lambda np: np.ascontiguousarray(M.T),
    "asfortranarray": lambda np: np.asfortranarray(M),
    "eye": lambda np: np.eye(3, k=1),
    "identity": lambda np: np.identity(2),
    "tri": lambda np: np.tri(3, 2, -1),
}
PLAIN: dict[str, Callable[[Any], Any]] = {
    "zeros of ints": lambda np: np.zeros(3, int),
    "full of an int": lambda np: np.full(3, 4),
    "array of ints": lambda np: np.array([1, 2]),
    "asarray of ints": lambda np: np.asarray([True]),
    "zeros_like of ints": lambda np: np.zeros_like([1, 2]),
    "eye of bools": lambda np: np.eye(2, dtype=bool),
    "half": lambda np: np.zeros(2, np.float16),
    "strings": lambda np: np.array(["a"]),
    "matrix": lambda np: np.asanyarray(np.ma.masked_array([1.0])),
}


@pytest.mark.parametrize("name", CALLS)
def test_created_inside_a_trace(name: str) -> None:
    create = CALLS[name]
    assert not isinstance(create(wnp), Tracer)
    same(create(wnp), create(np))

    def f(x: Any) -> Any:
        y = create(wnp)
        assert isinstance(y, Tracer)
        assert not y.node.type.weak
        expected = create(np)
        same(wg.stop_gradient(y), expected)
        y[...] = x
        y += x
        return np.real(y).sum()

    assert grad_of(f, 2.0) == 2 * np.size(create(np))


@pytest.mark.parametrize("name", PLAIN)
def test_not_traced(name: str) -> None:
    def f(x: Any) -> Any:
        y = PLAIN[name](wnp)
        assert type(y) is type(PLAIN[name](np))
        assert y.dtype == PLAIN[name](np).dtype
        return x

    grad_of(f, 2.0)


def test_empty_is_assignable() -> None:
    def f(x: Any) -> Any:
        y, z = wnp.empty(3), wnp.empty_like(M)
        y[:] = x**2
        z[...] = x
        return y.sum() + z.sum()

    np.testing.assert_allclose(grad_of(f, V), 2 * V + 2)


def test_concrete_writes_do_not_reach_the_callers_array() -> None:
    mine = np.array([1.0, 2.0])

    def f(x: Any) -> Any:
        y = wnp.asarray(mine)
        y[0] = x
        return y.sum()

    assert grad_of(f, 3.0) == 1
    np.testing.assert_array_equal(mine, [1.0, 2.0])


def test_like_argument() -> None:
    def f(x: Any) -> Any:
        y = np.zeros(2, like=x)
        y[1] = x
        z = np.array([[x, 1.0], [2.0, x]], like=x)
        assert isinstance(np.arange(3.0, like=x), np.ndarray)
        return y.sum() + z.sum() + np.full(2, x, like=x).sum() + np.eye(2, like=x)[0, 0] * x

    assert grad_of(f, 2.0) == 6


def test_numbers_of_the_call_are_literals_or_slots() -> None:
    def f(x: Any, rate: float) -> Any:
        return np.sum(x * wnp.full(3, rate) + wnp.array(rate))

    for rate in (0.3, 0.4, 0.7):
        np.testing.assert_allclose(wg.grad(f)(V, rate), rate)


def test_under_jit() -> None:
    @wg.jit
    def f(x: Any) -> Any:
        y = wnp.zeros_like(x)
        y[1:] = x[:-1] ** 2
        return wnp.array([y[0], y[1], x[2]]).sum()

    for x in (V, V + 1):
        np.testing.assert_allclose(f(x), x[0] ** 2 + x[2])
        np.testing.assert_allclose(wg.grad(f)(x), [2 * x[0], 0, 1])


# ------------------------------------------------------------------------- array of traced values

NESTED: dict[str, Callable[[Any, Any], Any]] = {
    "scalars": lambda np, x: np.array([x[0], x[1] * x[2]]),
    "mixed": lambda np, x: np.array([[x[0], 2], [1.5, x[1]]]),
    "vectors": lambda np, x: np.array([x, x * x]),
    "vector and list": lambda np, x: np.array([[x, [1, 2, 3]], [[0, 0, 1], 2 * x]]),
    "list of lists": lambda np, x: np.array([[x[0]], [x[1]], (x[2],)]),
    "dtype": lambda np, x: np.array([x[0], 1], dtype=complex),
    "complex": lambda np, x: np.array([x[0], 1j]),
    "ndmin": lambda np, x: np.array([x[0], x[1]], ndmin=3),
    "copy": lambda np, x: np.array(x),
    "copy ndmin": lambda np, x: np.array(x, ndmin=2),
    "asarray": lambda np, x: np.asarray([x[0], x[1]]),
    "asarray scalar": lambda np, x: np.asarray(x[0], dtype=complex),
    "asanyarray": lambda np, x: np.asanyarray([x]),
    "ascontiguousarray": lambda np, x: np.ascontiguousarray(x[0]),
    "full": lambda np, x: np.full((2, 3), x),
    "full scalar": lambda np, x: np.full(2, x[1], dtype=complex),
    "full list": lambda np, x: np.full((2, 2), [x[0], x[1]]),
    "full_like": lambda np, x: np.full_like([1.0, 2.0, 3.0], x),
    "full_like of traced": lambda np, x: np.full_like(x, x[0], shape=(2, 2)),
    "zeros_like": lambda np, x: np.zeros_like(x) + x,
    "ones_like of ints": lambda np, x: np.ones_like(x > 0) * x,
}


@pytest.mark.parametrize("name", NESTED)
def test_array_of_traced_values(name: str) -> None:
    f = NESTED[name]

    def ours(x: Any) -> Any:
        return f(wnp if isinstance(x, Tracer) else np, x)

    check(ours, V)
    wg.check_grads(ours, (V,), order=1, modes=("fwd",))


DTYPES: dict[str, Callable[[Any, Any], Any]] = {
    "float32 and Python number": lambda np, x: np.array([x[0].astype(np.float32), 2.0]),
    "float32 and Python int": lambda np, x: np.array([x[0].astype(np.float32), 2]),
    "float32s": lambda np, x: np.array([x[0].astype(np.float32), np.float32(2)]),
    "float32 and int8": lambda np, x: np.array([x[0].astype(np.float32), np.int8(2)]),
    "bools and ints": lambda np, x: np.array([x[0] > 0, 2]),
    "bools": lambda np, x: np.array([x[0] > 0, True]),
    "ints and floats": lambda np, x: np.array([(x > 0).astype(int), [1.0, 2, 3]]),
    "int dtype": lambda np, x: np.array([x[0], 1.7], dtype=int),
    "zeros_like": lambda np, x: np.zeros_like(x, dtype=np.float32),
    "zeros_like of bools": lambda np, x: np.zeros_like(x > 0),
    "full_like of bools": lambda np, x: np.full_like(x > 0, 2.5, dtype=int),
}


@pytest.mark.parametrize("name", DTYPES)
def test_dtype(name: str) -> None:
    f = DTYPES[name]
    same(traced_value(lambda x: f(wnp, x), V)[0], f(np, V))


def test_a_weak_number_becomes_strong() -> None:
    def f(x: Any) -> Any:
        small = np.ones(2, np.float32)
        assert (small * x).dtype == np.float32
        assert (small * wnp.asarray(x)).dtype == np.float64
        assert (small * wnp.array([x, x])).dtype == np.float64
        return x

    grad_of(f, 2.0)


def test_asarray_does_not_copy_and_array_does() -> None:
    def f(x: Any) -> Any:
        assert wnp.asarray(x) is x
        y = wnp.array(x)
        y *= 0
        wnp.asarray(x, copy=True)[...] = 0
        wnp.array(x, copy=None)[0] = 5.0
        return x.sum()

    np.testing.assert_array_equal(grad_of(f, V), [0, 1, 1])


def test_a_long_list_is_one_joint() -> None:
    def f(x: Any) -> Any:
        y = wnp.array([x[k % 3] * k for k in range(300)])
        names = [node.op.name for node in topological([y.node])]
        assert names.count("concatenate") == 1
        assert "put" not in names
        return y @ y

    def scale(k: int) -> float:
        return sum(j * j for j in range(300) if j % 3 == k)

    np.testing.assert_allclose(grad_of(f, V), [2 * V[k] * scale(k) for k in range(3)])


def test_lists_are_lifted_everywhere() -> None:
    def with_lists(x: Any) -> Any:
        return np.sum(x * [x[0], 1.0, 2.0]) + np.sum([x[1], x[2]] * x[:2])

    def with_arrays(x: Any) -> Any:
        return np.sum(x * np.stack([x[0], 1.0, 2.0])) + np.sum(np.stack([x[1], x[2]]) * x[:2])

    for ours, expected in zip(
        wg.value_and_grad(with_lists)(V), wg.value_and_grad(with_arrays)(V), strict=True
    ):
        same(ours, expected)


# -------------------------------------------------------------------------------------- ranges

A, B = np.array(0.5), np.array(3.25)
RANGES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "linspace": (lambda a, b: np.linspace(a, b, 7), (A, B)),
    "linspace open": (lambda a, b: np.linspace(a, b, 5, endpoint=False), (A, B)),
    "linspace arrays": (lambda a, b: np.linspace(a, b, 4, axis=1), (M, V)),
    "linspace last axis": (lambda a, b: np.linspace(a, b, 3, axis=-1), (V, B)),
    "linspace one": (lambda a, b: np.linspace(a, b, 1), (A, B)),
    "linspace none": (lambda a, b: np.linspace(a, b, 0), (A, B)),
    "linspace one open": (lambda a, b: np.linspace(a, b, 1, endpoint=False), (A, B)),
    "linspace step": (lambda a, b: np.linspace(a, b, 6, retstep=True), (A, B)),
    "linspace number": (lambda a: np.linspace(a, 1, 6), (A,)),
    "linspace complex": (lambda a, b: np.linspace(a, b, 3), (A, B * (1 + 2j))),
    "logspace": (lambda a, b: np.logspace(a, b, 5), (A, B)),
    "logspace base": (lambda a, c: np.logspace(0, a, 5, base=c), (A, B)),
    "logspace bases": (
        lambda a, c: np.logspace(a, [1.0, 2.0, 1.5], 4, base=np.abs(c), axis=1),
        (V, V),
    ),
    "logspace base alone": (lambda c: np.logspace(0, 1, 3, base=c), (B,)),
    "geomspace": (lambda a, b: np.geomspace(a, b, 5), (A, B)),
    "geomspace open": (lambda a, b: np.geomspace(a, b, 4, endpoint=False), (A, B)),
    "geomspace negative": (lambda a, b: np.geomspace(-a, -b, 4), (A, B)),
    "geomspace arrays": (lambda a, b: np.geomspace(a, b, 4, axis=1), (M**2 + 1, V**2 + 1)),
    "geomspace one": (lambda a, b: np.geomspace(a, b, 1), (A, B)),
    "geomspace none": (lambda a, b: np.geomspace(a, b, 0), (A, B)),
    "geomspace complex": (lambda a, b: np.geomspace(a, b, 4), (A * (1 + 1j), B * (2 - 1j))),
    "vander": (lambda x: np.vander(x), (V,)),
    "vander at zero": (lambda x: np.vander(x, 4, increasing=True), (V * [1, 0, 1],)),
    "vander none": (lambda x: np.vander(x, 0), (V,)),
    "meshgrid": (lambda x, y: np.meshgrid(x, y), (V, M[0, :2])),
    "meshgrid ij": (lambda x, y: np.meshgrid(x, y, x, indexing="ij"), (V, M[0, :2])),
    "meshgrid sparse": (lambda x, y: np.meshgrid(x, y, sparse=True), (V, M[0, :2])),
    "meshgrid one": (lambda x: np.meshgrid(x), (V,)),
    "meshgrid constant": (lambda x: np.meshgrid(x, np.arange(2.0), copy=False), (V,)),
    "ix_": (lambda x: np.ix_(x, x[:2]), (V,)),
    "diag": (lambda x: np.diag(x), (V,)),
    "diag above": (lambda x: np.diag(x, 2), (V,)),
    "diag below": (lambda x: np.diag(x, k=-1), (V,)),
    "diag of a matrix": (lambda x: np.diag(x), (M,)),
    "diag of a matrix above": (lambda x: np.diag(x, 1), (M,)),
    "diag of a matrix below": (lambda x: np.diag(x, -1), (M.T,)),
    "diag of nothing": (lambda x: np.diag(x), (V[:0],)),
    "diagflat": (lambda x: np.diagflat(x, -1), (M,)),
    "fromfunction": (lambda x: np.fromfunction(lambda i, j: i * x[0] + j * x[1], (2, 3)), (V,)),
}


@pytest.mark.parametrize("name", RANGES)
def test_range(name: str) -> None:
    f, args = RANGES[name]
    check(f, *args, tolerance=1e-6 if "space" in name else 1e-7)
    if any(leaf.size for leaf in leaves(f(*args))):
        wg.check_grads(f, args, order=1, modes=("fwd",))


ARANGES = {
    "stop": (lambda np, x: np.arange(x), (3.5,)),
    "start and stop": (lambda np, x: np.arange(x, 5.0), (0.5,)),
    "step": (lambda np, x: np.arange(x, 4 * x, x / 3), (0.7,)),
    "down": (lambda np, x: np.arange(2.0, x, -0.25), (-1.1,)),
    "empty": (lambda np, x: np.arange(x, 0.0), (1.5,)),
    "dtype": (lambda np, x: np.arange(0, x, dtype=complex), (1.5,)),
}


@pytest.mark.parametrize("name", ARANGES)
def test_arange(name: str) -> None:
    f, args = ARANGES[name]
    check(lambda x: f(wnp if isinstance(x, Tracer) else np, x), *args)


def test_arange_of_traced_integers_is_known() -> None:
    def f(x: Any) -> Any:
        k = np.argmax(x)
        assert type(wnp.arange(k)) is np.ndarray
        return np.sum(x[wnp.arange(k)]) + wnp.arange(k, dtype=float).sum() * x[0]

    np.testing.assert_allclose(grad_of(f, V), [2.0, 1.0, 0.0])


DTYPES_OF_RANGES = [
    lambda x: np.linspace(x[0].astype(np.float32), 1.0),
    lambda x: np.linspace(x[0].astype(np.float32), np.float64(1)),
    lambda x: np.linspace((x > 0)[0], 5, 3),
    lambda x: np.linspace(x[0], 7.9, 5, dtype=int),
    lambda x: np.logspace(x[0].astype(np.float32), 1.0, dtype=np.float64),
    lambda x: np.geomspace(x[0].astype(np.float32), 1.0),
    lambda x: np.geomspace(x[0], 1.0, dtype=np.float32),
    lambda x: np.geomspace(x[0], 1.0, dtype=complex),
    lambda x: np.vander(x.astype(np.float32)),
    lambda x: np.vander(x > 0),
    lambda x: np.ix_(x > 0, x < 1),
    lambda x: np.diag(x > 0),
]


@pytest.mark.parametrize("f", DTYPES_OF_RANGES)
def test_dtype_of_ranges(f: Callable[[Any], Any]) -> None:
    for ours, numpys in zip(traced_value(f, V), leaves(f(V)), strict=True):
        same(ours, numpys)


ERRORS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "ragged": (lambda x: wnp.array([[x[0], 1.0], [x[1]]]), "inhomogeneous"),
    "copy": (lambda x: wnp.array([x[0]], copy=False), "avoid copy"),
    "copy of dtype": (lambda x: wnp.asarray(x, dtype=complex, copy=False), "avoid copy"),
    "ndmax": (lambda x: wnp.array([x], ndmax=1), "ndmax"),
    "device": (lambda x: wnp.zeros(3, device="gpu"), "gpu"),
    "negative": (lambda x: wnp.zeros(-1), "negative dimensions"),
    "assigned": (lambda x: wnp.full_like([1, 2, 3], x), "rounded"),
    "num": (lambda x: np.linspace(x[0], 1.0, -1), "non-negative"),
    "zero": (lambda x: np.geomspace(x[0] * 0, 1.0), "cannot include zero"),
    "step": (lambda x: wnp.arange(0.0, x[0], x[1] * 0), "must not be zero"),
    "arange": (lambda x: wnp.arange(x), "scalars"),
    "diag": (lambda x: np.diag(x[None, None]), "1- or 2-d"),
    "vander": (lambda x: np.vander(x[None]), "one-dimensional"),
    "meshgrid": (lambda x: np.meshgrid(x, x, indexing="ab"), "indexing"),
    "ix_": (lambda x: np.ix_(x[None]), "1 dimensional"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    f, message = ERRORS[name]
    with pytest.raises(wg.WengertError, match=message):
        wg.grad(lambda x: np.sum(f(x)))(V)


def test_an_ended_trace_is_named() -> None:
    kept: list[Any] = []
    wg.grad(lambda x: [kept.append(x), x.sum()][1])(V)
    with pytest.raises(wg.WengertError, match="after its trace has ended"):
        wnp.array([kept[0], kept[0]])
    with pytest.raises(wg.WengertError, match="after its trace has ended"):
        wnp.asarray(kept[0])
