"""np.pad in all its modes against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.numpy as wnp
from support import check, same, traced_value
from wengert.graph.walk import topological

V = np.array([0.3, -1.2, 2.0, 0.9, 1.1])
M = np.random.default_rng(3).normal(size=(3, 4))

ARGUMENTS: dict[str, dict[str, Any]] = {
    "constant": {"mode": "constant"},
    "constant value": {"constant_values": 2.5},
    "constant pair": {"mode": "constant", "constant_values": (1.0, -1.0)},
    "edge": {"mode": "edge"},
    "linear_ramp": {"mode": "linear_ramp"},
    "linear_ramp ends": {"mode": "linear_ramp", "end_values": (2.0, -3.0)},
    "maximum": {"mode": "maximum"},
    "maximum length": {"mode": "maximum", "stat_length": 2},
    "minimum": {"mode": "minimum", "stat_length": (1, 3)},
    "mean": {"mode": "mean"},
    "mean length": {"mode": "mean", "stat_length": ((2, 1),)},
    "median": {"mode": "median"},
    "median length": {"mode": "median", "stat_length": 3},
    "reflect": {"mode": "reflect"},
    "reflect odd": {"mode": "reflect", "reflect_type": "odd"},
    "symmetric": {"mode": "symmetric"},
    "symmetric odd": {"mode": "symmetric", "reflect_type": "odd"},
    "wrap": {"mode": "wrap"},
}
WIDTHS: list[Any] = [2, (1, 3), ((0, 2),), 0]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_value_and_gradient(name: str) -> None:
    arguments = ARGUMENTS[name]
    for width in WIDTHS:
        check(lambda x, w=width: np.pad(x, w, **arguments), V)
    for width in (2, ((1, 0), (2, 3)), [[2, 1]]):
        check(lambda x, w=width: np.pad(x, w, **arguments), M)
    wg.check_grads(lambda x: np.sin(np.pad(x, 2, **arguments)), (V,), order=2)


@pytest.mark.parametrize("name", [name for name in ARGUMENTS if "odd" in name])
def test_pads_wider_than_the_array(name: str) -> None:
    arguments = ARGUMENTS[name]
    for size in (1, 2, 3):
        check(lambda x: np.pad(x, (7, 10), **arguments), V[:size], tolerance=1e-6)


@pytest.mark.parametrize("mode", ["reflect", "symmetric", "wrap", "edge"])
def test_repeated_pads(mode: str) -> None:
    for size in (1, 2, 3):
        check(lambda x: np.pad(x, (7, 10), mode), V[:size])


def test_values_for_each_axis() -> None:
    values = [[1.0, 2.0], [3.0, 4.0]]
    check(lambda x: np.pad(x, ((1, 2), (0, 3)), constant_values=values), M)
    check(lambda x: np.pad(x, 2, "linear_ramp", end_values=values), M)
    check(lambda x: np.pad(x, ((1, 1), (2, 2)), "mean", stat_length=[[1, 2], [3, 4]]), M)


def test_traced_values() -> None:
    def with_constant(x: Any, c: Any) -> Any:
        return wnp.pad(x, 2, constant_values=c), wnp.pad(np.ones(2), (1, 0), constant_values=c)

    check(with_constant, V, np.array(0.7))

    def with_ends(x: Any, c: Any) -> Any:
        return wnp.pad(x, 2, "linear_ramp", end_values=(c[0], c[1]))

    check(with_ends, V, V)
    check(lambda x, c: wnp.pad(x, ((1, 2), (3, 1)), constant_values=c), M, M[:2, :2])


def test_widths_by_axis() -> None:
    if np.lib.NumpyVersion(np.__version__) < "2.3.0":
        pytest.skip("NumPy 2.3 takes a dict")
    check(lambda x: np.pad(x, {1: (1, 2)}), M)
    check(lambda x: np.pad(x, {-2: 2}, "edge"), M)


def test_empty() -> None:
    padded = traced_value(lambda x: np.pad(x, 1, "empty"), V)[0]
    same(padded[1:-1], V)
    check(lambda x: np.pad(x, 2), V[:0])
    check(lambda x: np.pad(x, ((0, 0), (2, 1)), "reflect"), np.zeros((0, 3)))


@pytest.mark.parametrize("name", ARGUMENTS)
def test_integers(name: str) -> None:
    def f(x: Any) -> Any:
        return np.pad((x * 4).astype(int), 2, **ARGUMENTS[name])

    same(traced_value(f, V)[0], f(V))


def test_a_function_fills_the_margins() -> None:
    def fill(line: Any, widths: Any, axis: int, arguments: Any) -> None:
        line[: widths[0]] = arguments["scale"] * line[widths[0]]
        line[line.shape[0] - widths[1] :] = axis

    check(lambda x: np.pad(x, ((1, 2), (2, 1)), fill, scale=3.0), M)


def test_zero_padding_is_one_node() -> None:
    def f(x: Any) -> Any:
        y = np.pad(x, 3)
        assert len(topological([y.node])) == 2
        return y.sum()

    np.testing.assert_array_equal(wg.grad(f)(M), np.ones_like(M))


ERRORS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "mode": (lambda x: np.pad(x, 1, "bogus"), "mode 'bogus' is not supported"),
    "argument": (lambda x: np.pad(x, 1, "edge", stat_length=2), "unsupported keyword arguments"),
    "width": (lambda x: np.pad(x, 1.5), "integral type"),
    "negative": (lambda x: np.pad(x, -1), "negative values"),
    "stat_length": (lambda x: np.pad(x, 1, "maximum", stat_length=0), "no value for padding"),
    "empty": (lambda x: np.pad(x[:0], 1, "edge"), "can't extend empty axis 0"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    f, message = ERRORS[name]
    with pytest.raises(wg.WengertError, match=message):
        wg.grad(lambda x: np.sum(f(x)))(V)
