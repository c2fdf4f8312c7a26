"""NumPy's in-place functions on traced arrays: what they write, through views, and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.numpy as wnp
from support import check, same, traced_value
from wengert.tracing.tracer import Tracer

V = np.array([0.3, -1.2, 2.0])
M = np.array([[1.0, -2.0, 0.5], [0.1, 3.0, -1.0]])
S = np.arange(16.0).reshape(4, 4) / 5 - 1

WRITES: dict[str, Callable[[Any, Any], Any]] = {
    "put": lambda y, x: np.put(y, [0, 5, 0], x),
    "put negative": lambda y, x: np.put(y, [-1, -2], x[0]),
    "put repeats": lambda y, x: np.put(y, [1, 2, 3, 4], x[:2]),
    "put many": lambda y, x: y.put([1], x),
    "put wrap": lambda y, x: np.put(y, [8, -7], x, mode="wrap"),
    "put clip": lambda y, x: np.put(y, [[8], [-7]], x, mode="clip"),
    "put nothing": lambda y, x: np.put(y, [], x),
    "put traced": lambda y, x: np.put(y, np.argsort(x), x),
    "place": lambda y, x: np.place(y, y > 0, x),
    "place plain": lambda y, x: np.place(y, [[1, 0, 0], [0, 1, 1]], x[1:]),
    "place nowhere": lambda y, x: np.place(y, y > 99, x),
    "putmask": lambda y, x: np.putmask(y, y > 0, x),
    "putmask same": lambda y, x: np.putmask(y, y > 0, y * x),
    "putmask number": lambda y, x: np.putmask(y, [[1, 0, 0], [0, 1, 1]], 7.0),
    "copyto": lambda y, x: np.copyto(y, x),
    "copyto where": lambda y, x: np.copyto(y, x, where=y > 0),
    "copyto number": lambda y, x: np.copyto(y, 2, where=[True, False, True]),
    "put_along_axis": lambda y, x: np.put_along_axis(y, np.array([[2], [0]]), x[:1], 1),
    "put_along_axis rows": lambda y, x: np.put_along_axis(y, np.array([[0, 1, 1]]), x, axis=0),
    "put_along_axis traced": lambda y, x: np.put_along_axis(y, np.argsort(y, 1), x, -1),
    "put_along_axis flat": lambda y, x: np.put_along_axis(y, np.array([4, 1]), x[1:], None),
    "fill_diagonal": lambda y, x: np.fill_diagonal(y, x[0]),
    "fill_diagonal values": lambda y, x: np.fill_diagonal(y, x),
    "fill_diagonal rows": lambda y, x: np.fill_diagonal(y.T, x),
}


BOTH = np.concatenate([M.ravel(), V])


@pytest.mark.parametrize("name", WRITES)
def test_write(name: str) -> None:
    def f(both: Any) -> Any:
        m, x = both[:6].reshape(2, 3), both[6:]
        y = m * m - 2
        assert WRITES[name](y, x) is None
        return y

    check(f, BOTH)
    wg.check_grads(lambda x: np.sin(f(x)), (BOTH,), order=2)


@pytest.mark.parametrize("name", [name for name in WRITES if name != "put_along_axis flat"])
def test_write_through_a_view(name: str) -> None:
    def f(both: Any) -> Any:
        m, x = both[:6].reshape(2, 3), both[6:]
        y = np.stack([m, m * m - 2, -m])
        part = y[1:, :, ::-1][1]
        WRITES[name](part, x)
        return y, part

    check(f, BOTH)


def test_tall_and_deep_diagonals() -> None:
    def fill(shape: tuple[int, ...], wrap: bool) -> Callable[..., Any]:
        def f(x: Any) -> Any:
            y = wnp.ones(shape) if isinstance(x, Tracer) else np.ones(shape)
            np.fill_diagonal(y, x, wrap=wrap)
            return y

        return f

    for shape in ((7, 3), (3, 7), (3, 3, 3)):
        for wrap in (False, True):
            check(fill(shape, wrap), V)


def test_converted_on_the_way() -> None:
    def f(x: Any) -> Any:
        y = (x > 0).astype(int)
        np.put(y, [0, 1], 2.9)
        np.fill_diagonal(y[None] * np.ones((2, 1), int), 7.5)
        z = x.astype(np.float32)
        np.copyto(z, 1.5, where=[True, False, False])
        np.putmask(z, x < 0, z * 3)
        return y, z

    for ours, numpys in zip(traced_value(f, V), f(V), strict=True):
        same(ours, numpys)


PLAIN: dict[str, Callable[[Any], Any]] = {
    "put": lambda x: np.put(np.zeros(3), [0], x),
    "place": lambda x: np.place(np.zeros(3), [True, False, True], x),
    "putmask": lambda x: np.putmask(np.zeros(3), x > 0, x),
    "copyto": lambda x: np.copyto(np.zeros(3), x),
    "put_along_axis": lambda x: np.put_along_axis(np.zeros(3), np.array([0]), x[:1], 0),
    "fill_diagonal": lambda x: wnp.fill_diagonal(np.zeros((3, 3)), x),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_array_is_refused(name: str) -> None:
    with pytest.raises(wg.WengertError, match=r"make a with wengert\.numpy\.zeros"):
        wg.grad(lambda x: [PLAIN[name](x), x.sum()][1])(V)


ERRORS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "put": (lambda x: np.put(x, [9], 1.0), "index 9 is out of bounds"),
    "put floats": (lambda x: np.put(x, [0.5], 1.0), r"astype\(int\)"),
    "put into ints": (lambda x: np.put((x > 0) + 0, [0], x), "rounded"),
    "place": (lambda x: np.place(x, [True], [1.0]), "same size"),
    "place nothing": (lambda x: np.place(x, x > 0, []), "empty array"),
    "putmask": (lambda x: np.putmask(x, [True], [1.0]), "same size"),
    "copyto": (lambda x: np.copyto((x > 0) + 0, 1.5), "same_kind"),
    "copyto complex": (lambda x: np.copyto(x, 1j * x), "same_kind"),
    "put_along_axis": (lambda x: np.put_along_axis(x, np.array([[0]]), 1.0, 0), "same number"),
    "put_along_axis floats": (lambda x: np.put_along_axis(x, x, 1.0, 0), "integer array"),
    "fill_diagonal": (lambda x: np.fill_diagonal(x, 1.0), "at least 2-d"),
    "fill_diagonal deep": (lambda x: np.fill_diagonal(x[None, None], 1.0), "equal length"),
    "read-only": (lambda x: np.put(np.diagonal(x[None]), [0], 1.0), "read-only"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    f, message = ERRORS[name]
    with pytest.raises(wg.WengertError, match=message):
        wg.grad(lambda x: [f(x), x.sum()][1])(V)
