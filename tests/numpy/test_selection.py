"""where, select, choose, piecewise, take and its kin, places of non-zeros, against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.numpy as wnp
from support import check, check_value, leaves, same, traced_value
from wengert.tracing.tracer import Tracer

V = np.array([0.3, -1.2, 2.0])
M = np.array([[1.3, -2.0, 0.5], [0.1, 3.0, -1.0]])
T = np.arange(24.0).reshape(2, 3, 4) / 7 - 1
I = np.array([[2, 0], [-1, 1]])

CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "where": (lambda x, y: np.where(x > 0, x * y, y), (M, V)),
    "where constant": (lambda x: np.where(x > 0, x, 0), (M,)),
    "where plain mask": (lambda x: np.where([True, False, True], x, -x), (V,)),
    "where number": (lambda x: np.where(1, x, 5.0), (V,)),
    "select": (lambda x: np.select([x > 1, x > 0], [x**2, -x], default=2.5), (M,)),
    "select first": (lambda x: np.select([x > 0, x > 1], [x, x**2]), (M,)),
    "select wide": (lambda x, y: np.select([x > 0], [y], x[:1]), (M, V)),
    "choose": (lambda x: np.choose([0, 1, 1], [x, x * x]), (V,)),
    "choose traced": (lambda x: np.choose((x > 0) + 0, [x * x, x]), (M,)),
    "choose mask": (lambda x: np.choose(x > 0, (x * x, 3.0)), (M,)),
    "choose wrap": (lambda x: np.choose([5, -1, 1], [x, 2 * x, 3 * x], mode="wrap"), (V,)),
    "choose clip": (lambda x: np.choose([5, -1, 1], [x, 2 * x, 3 * x], mode="clip"), (V,)),
    "choose rows": (lambda x: np.choose([0, 1, 0], x), (M,)),
    "choose broadcast": (lambda x, y: np.choose(np.array([[0], [1]]), [x, y]), (V, M)),
    "piecewise": (lambda x: np.piecewise(x, [x < 0, x > 1], [lambda v: v**2, 1.5]), (M,)),
    "piecewise default": (lambda x: np.piecewise(x, [x < 0], [lambda v: v**2, np.sin]), (M,)),
    "piecewise one": (lambda x: np.piecewise(x, x < 0, [np.exp, np.cos]), (V,)),
    "piecewise scalar": (lambda x: np.piecewise(x, [x < 0, x >= 0], [np.exp, np.sin]), (V[0],)),
    "piecewise arguments": (
        lambda x: np.piecewise(x, [x < 0], [lambda v, a, b: a * v + b], 3.0, b=1.0),
        (V,),
    ),
    "take": (lambda x: np.take(x, I), (M,)),
    "take axis": (lambda x: np.take(x, I, axis=1), (M,)),
    "take one": (lambda x: np.take(x, -1, axis=0), (M,)),
    "take method": (lambda x: x.take([0, 0, 5]), (M,)),
    "take wrap": (lambda x: np.take(x, [7, -9], axis=2, mode="wrap"), (T,)),
    "take clip": (lambda x: np.take(x, [7, -9], axis=1, mode="clip"), (T,)),
    "take booleans": (lambda x: np.take(x, [True, False]), (V,)),
    "take nothing": (lambda x: np.take(x, []), (V,)),
    "take from a scalar": (lambda x: np.take(x, [0, 0]), (V[0],)),
    "take traced": (lambda x: np.take(x, np.argsort(x), axis=0), (V,)),
    "take traced wrap": (lambda x: np.take(x, np.argsort(x) - 4, mode="wrap"), (V,)),
    "take traced clip": (lambda x: np.take(x, np.argsort(x) - 1, mode="clip"), (V,)),
    "take_along_axis": (lambda x: np.take_along_axis(x, np.array([[2, 0], [1, -1]]), 1), (M,)),
    "take_along_axis rows": (lambda x: np.take_along_axis(x, np.array([[0, 1, 1]]), axis=0), (M,)),
    "take_along_axis wide": (lambda x: np.take_along_axis(x[:1], I % 2, axis=1), (M,)),
    "take_along_axis flat": (lambda x: np.take_along_axis(x, np.array([5, 0, 0]), None), (M,)),
    "take_along_axis traced": (lambda x: np.take_along_axis(x, np.argsort(x, 1), 1), (M,)),
    "compress": (lambda x: np.compress([True, False, True], x), (V,)),
    "compress axis": (lambda x: np.compress([0, 1], x, axis=0), (M,)),
    "compress short": (lambda x: x.compress([True, True], axis=1), (M,)),
    "compress long": (lambda x: np.compress([True, True, False, False], x, axis=0), (M,)),
    "compress traced": (lambda x: np.compress(x[0] > 0, x, axis=1), (M,)),
    "compress traced long": (lambda x: np.compress(x > 0.4, x[:3]), (V,)),
    "extract": (lambda x: np.extract(x > 0, x), (M,)),
    "extract plain": (lambda x: np.extract([1, 0, 1], x), (V,)),
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient(name: str) -> None:
    f, args = CASES[name]
    check(f, *args)
    if np.size(f(*args)):
        wg.check_grads(lambda *xs: np.sin(f(*xs)), args, order=2)


PLACES: dict[str, Callable[[Any], Any]] = {
    "nonzero": lambda x: np.nonzero(x > 0),
    "nonzero of floats": lambda x: np.nonzero(x * [1, 0, 1]),
    "nonzero method": lambda x: x[0].nonzero(),
    "where": lambda x: np.where(x > 0),
    "argwhere": lambda x: np.argwhere(x > 0),
    "argwhere scalar": lambda x: np.argwhere(x[0, 0]),
    "argwhere none": lambda x: np.argwhere(x > 99),
    "flatnonzero": lambda x: np.flatnonzero(x < 0),
    "ravel_multi_index": lambda x: np.ravel_multi_index(np.nonzero(x > 0), (3, 5)),
    "ravel_multi_index order": lambda x: np.ravel_multi_index(np.nonzero(x > 0), (3, 5), order="F"),
    "ravel_multi_index modes": lambda x: np.ravel_multi_index(
        (np.argsort(x, 1) - 4, np.argsort(x, 1) + 7), (3, 5), mode=("wrap", "clip")
    ),
    "ravel_multi_index mixed": lambda x: np.ravel_multi_index(
        (np.argsort(x[0]), [0, 1, 2]), (3, 4)
    ),
    "unravel_index": lambda x: np.unravel_index(np.argmax(x), (2, 3)),
    "unravel_index order": lambda x: np.unravel_index(np.argsort(x.ravel()), (3, 2), order="F"),
    "unravel_index line": lambda x: np.unravel_index(np.argsort(x.ravel()), 6),
    "tril_indices_from": lambda x: np.tril_indices_from(x, 1),
    "triu_indices_from": lambda x: np.triu_indices_from(x, k=-1),
    "diag_indices_from": lambda x: np.diag_indices_from(x[:, :2]),
}


@pytest.mark.parametrize("name", PLACES)
def test_places(name: str) -> None:
    check_value(PLACES[name], M)


def test_places_select() -> None:
    check(lambda x: x[np.nonzero(x > 0)], M)
    check(lambda x: x[np.unravel_index(np.argmin(x), x.shape)], M)
    check(lambda x: x[np.triu_indices_from(x)], M)


DTYPES = {
    "where weak": lambda x: np.where(x > 0, x.astype(np.float32), 1.0),
    "where strong": lambda x: np.where(x > 0, x.astype(np.float32), np.float64(1)),
    "where list": lambda x: np.where(x > 0, x.astype(np.float32), [1.0]),
    "where numbers": lambda x: np.where(x > 0, 1, 2.5),
    "where ints": lambda x: np.where(x > 0, 1, 2),
    "where bools": lambda x: np.where(x > 0, x > 1, True),
    "where complex": lambda x: np.where(x > 0, x.astype(np.float32), 1j),
    "select": lambda x: np.select([x > 0], [x.astype(np.float32)], 1.0),
    "select ints": lambda x: np.select([x > 0, x < 0], [1, np.int8(2)], 3),
    "choose": lambda x: np.choose(x > 0, [x.astype(np.float32), 2.0]),
    "choose ints": lambda x: np.choose(x > 0, [1, 2.0]),
    "take": lambda x: np.take(x > 0, [0, 1]),
    "piecewise": lambda x: np.piecewise(x.astype(np.float32), [x > 0], [1.5]),
}


@pytest.mark.parametrize("name", DTYPES)
def test_dtype(name: str) -> None:
    f = DTYPES[name]
    same(traced_value(f, V)[0], f(V))


def test_no_nan_from_a_branch_not_taken() -> None:
    x = np.array([-1.0, 0.0, 2.0])
    expected = [0.0, 0.0, 0.5]
    branches: list[Callable[[Any], Any]] = [
        lambda x: np.where(x > 0, np.log(x), 0.0),
        lambda x: np.select([x > 0], [np.log(x)]),
        lambda x: np.choose(x > 0, [0.0, np.log(x)]),
        lambda x: np.piecewise(x, [x > 0], [np.log]),
    ]
    with np.errstate(all="ignore"):
        for f in branches:
            np.testing.assert_array_equal(wg.grad(lambda x, f=f: f(x).sum())(x), expected)
            np.testing.assert_array_equal(wg.jvp(f, (x,), (np.ones(3),))[1], expected)


def test_plain_arrays_by_traced_indices() -> None:
    def f(x: Any) -> Any:
        k = np.argsort(x)
        picked = wnp.take(V, k) if isinstance(x, Tracer) else np.take(V, k)
        along = wnp.take_along_axis(V, k, 0) if isinstance(x, Tracer) else V[k]
        return picked * x, along * x

    check(f, V * 2)


def test_out() -> None:
    def f(x: Any) -> Any:
        out = wnp.zeros(2)
        assert np.take(x, [0, 2], out=out) is out
        chosen = wnp.zeros(3)
        np.choose([0, 1, 0], [x, x * x], out=chosen)
        kept = wnp.zeros(1)
        np.compress([False, True], x, out=kept)
        return out.sum() + chosen.sum() + kept.sum()

    np.testing.assert_allclose(wg.grad(f)(V), [2, 1 + 2 * V[1], 2])
    with pytest.raises(wg.WengertError, match=r"wengert\.numpy\.zeros"):
        wg.grad(lambda x: wnp.take(x, [0], out=np.zeros(1)).sum())(V)


def test_under_jit_counts_are_guarded() -> None:
    f = wg.jit(lambda x: (np.extract(x > 0, x) ** 2, np.flatnonzero(x > 0), np.argwhere(x > 0)))
    for x in (V, -V, V[::-1].copy(), np.abs(V)):
        expected = np.extract(x > 0, x) ** 2, np.flatnonzero(x > 0), np.argwhere(x > 0)
        for ours, numpys in zip(leaves(f(x)), expected, strict=True):
            same(ours, numpys)


ERRORS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "where": (lambda x: wnp.where(x > 0, x), "both or neither"),
    "select": (lambda x: np.select([x > 0], [x, x]), "same length"),
    "select nothing": (lambda x: wnp.select([], [], x), "empty condition list"),
    "select floats": (lambda x: np.select([x], [x]), "boolean ndarray"),
    "choose range": (lambda x: np.choose([0, 1, 2], [x, x]), "invalid entry"),
    "choose negative": (lambda x: np.choose([0, 1, -1], [x, x]), "invalid entry"),
    "choose floats": (lambda x: np.choose(x, [x, x]), "integers"),
    "choose mode": (lambda x: np.choose([0, 1, 0], [x, x], mode="x"), "clipmode"),
    "piecewise": (lambda x: np.piecewise(x, [x > 0], [1, 2, 3]), "either 1 or 2 functions"),
    "take range": (lambda x: np.take(x, [3]), "index 3 is out of bounds"),
    "take floats": (lambda x: np.take(x, [1.0]), r"astype\(int\)"),
    "take traced floats": (lambda x: np.take(x, x), r"astype\(int\)"),
    "take mode": (lambda x: np.take(x, [1], mode="x"), "mode"),
    "take empty": (lambda x: np.take(x[:0], [0]), "empty axes"),
    "take_along_axis": (lambda x: np.take_along_axis(x, np.array([[1]]), 0), "same number"),
    "take_along_axis floats": (lambda x: np.take_along_axis(x, x, 0), "integer array"),
    "take_along_axis flat": (lambda x: np.take_along_axis(x, np.array([[1]]), None), "single"),
    "compress": (lambda x: np.compress([[True]], x), "1-d"),
    "compress long": (lambda x: np.compress([0, 0, 0, 1], x), "index 3 is out of bounds"),
    "nonzero": (lambda x: np.nonzero(x[0])[0], "0d"),
    "ravel": (lambda x: np.ravel_multi_index((np.argsort(x), [0, 1, 2]), (2, 3)), "invalid entry"),
    "ravel floats": (lambda x: np.ravel_multi_index((x, x), (3, 3)), "only int"),
    "ravel count": (lambda x: np.ravel_multi_index((np.argsort(x),), (3, 3)), "length 2"),
    "unravel": (lambda x: np.unravel_index(np.argsort(x), (2,))[0], "out of bounds"),
    "unravel floats": (lambda x: np.unravel_index(x, (2,))[0], "only int"),
    "order": (lambda x: np.unravel_index(np.argsort(x), (3,), order="K")[0], "'C' or 'F'"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    f, message = ERRORS[name]
    with pytest.raises(wg.WengertError, match=message):
        wg.grad(lambda x: np.sum(f(x)))(V)
