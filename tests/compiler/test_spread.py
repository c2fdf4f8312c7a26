"""Short rows of many instances, spread into arrays of their elements: the same values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from support import interpreted, leaves
from wengert.derivatives.batching import vmap
from wengert.graph.node import Node
from wengert.graph.types import array_type
from wengert.graph.verify import verify
from wengert.graph.walk import topological
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer
from wengert.transforms.spread import LEAST_ROWS, MOST_ELEMENTS, spread

ROWS = LEAST_ROWS + 3


def cross(a: Any, b: Any) -> Any:
    return np.stack(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    )


def rotated(axis: Any, x: Any) -> Any:
    angle = np.sqrt(np.sum(axis * axis))
    k = axis / angle
    turned = x * np.cos(angle) + cross(k, x) * np.sin(angle)
    return turned + k * (np.sum(k * x) * (1 - np.cos(angle)))


def matrices(a: Any, b: Any) -> Any:
    m = np.concatenate([np.outer(a, b)[:, :2], a[:, None]], axis=1)
    return (m @ m.T)[0] + m.T @ np.flip(b) - np.max(m, axis=0) + np.cumsum(a)[::-1]


def written(a: Any, b: Any) -> Any:
    y = wg.numpy.zeros(4)
    y[1:] = a
    y[0] = b[2] / (1 + b[0] ** 2)
    y[::2] += b[:2]
    return np.where(y > 0, np.log(np.abs(y) + 1), 0.5 * y)


FUNCTIONS = [rotated, matrices, written]


def arguments(rows: int = ROWS) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(rows, 3)), rng.normal(size=(rows, 3))


def derivatives(f: Callable[..., Any]) -> list[Callable[..., Any]]:
    return [
        wg.vmap(f),
        wg.vmap(wg.jacrev(f, (0, 1))),
        wg.vmap(wg.jacfwd(f, (0, 1))),
        wg.vmap(wg.hessian(lambda a, b: np.sum(f(a, b) ** 2))),
        wg.grad(lambda a, b: np.sum(wg.vmap(f)(a, b) ** 2), (0, 1)),
    ]


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("which", range(5))
def test_values_are_the_interpreters(f: Callable[..., Any], which: int) -> None:
    made = derivatives(f)[which]
    found = wg.jit(made)(*arguments())
    with interpreted():
        expected = made(*arguments())
    found, expected = (x if isinstance(x, tuple) else (x,) for x in (found, expected))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def graph(f: Callable[..., Any], rows: int = ROWS) -> tuple[list[Node], list[Node]]:
    with outermost() as session:
        inputs = [session.input(x, array_type(x.shape, x.dtype)) for x in arguments(rows)]
        result = f(*[Tracer(node, session) for node in inputs])
        return [result.node], inputs


@pytest.mark.parametrize("f", FUNCTIONS)
def test_what_is_between_is_one_element_of_the_rows_each(f: Callable[..., Any]) -> None:
    outputs, inputs = graph(vmap(f))
    found = spread(outputs, inputs)
    assert found is not None
    verify(found)
    assert found[0].type == outputs[0].type
    inner = [
        node
        for node in topological(found, stop=set(inputs))
        if node.op.family == "elementwise" and node.ndim
    ]
    assert inner
    assert all(node.shape == (ROWS,) for node in inner)


def test_few_rows_and_long_rows_stay_as_they_are() -> None:
    outputs, inputs = graph(vmap(rotated), 20)
    assert spread(outputs, inputs) is None
    wide = lambda a, b: np.sum(np.outer(np.tile(a, MOST_ELEMENTS), b)[1:] * 2, axis=0)
    outputs, inputs = graph(vmap(wide))
    assert spread(outputs, inputs) is None


def test_zeros_of_the_function_itself_meet_infinities() -> None:
    def f(a: Any, b: Any) -> Any:
        y = wg.numpy.zeros(3)
        y[0] = a[0]
        return y * (b / 0.0)

    with np.errstate(all="ignore"):
        found = wg.jit(wg.vmap(f))(*arguments())
        with interpreted():
            expected = wg.vmap(f)(*arguments())
    assert np.isnan(expected[:, 1:]).all()
    np.testing.assert_array_equal(found, expected)


# ---------------------------------------------------------------------------- rows that differ


def check(f: Callable[..., Any], *args: Any, expected: bool = True) -> None:
    """Machine code gives what the interpreter gives, by a graph that is spread, or is not."""
    with outermost() as session:
        inputs = [session.input(a, array_type(a.shape, a.dtype)) for a in args]
        result = f(*(Tracer(node, session) for node in inputs))
        made = spread([leaf.node for leaf in leaves(result)], inputs)
    assert (made is not None) == expected
    with np.errstate(all="ignore"), interpreted():
        wanted = wg.jit(f)(*args)
    for a, b in zip(leaves(wg.jit(f)(*args)), leaves(wanted), strict=True):
        assert a.dtype == b.dtype
        rtol = 1e-5 if a.dtype in (np.float32, np.complex64) else 1e-12
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


CROSSED = vmap(lambda a, b: cross(a, b) * a[0] + np.concatenate([a[:1], b[1:]]))


@pytest.mark.parametrize("rows", [np.s_[0], np.s_[5], np.s_[5:9], np.s_[::-2], np.s_[[7, 3, 7]]])
def test_the_seed_of_some_rows_is_not_that_of_all(rows: Any) -> None:
    check(wg.grad(lambda a, b: np.sum(CROSSED(a, b)[rows]), (0, 1)), *arguments())


def test_literals_may_differ_from_row_to_row() -> None:
    def ones(a: Any, b: Any) -> Any:
        w = wg.numpy.zeros((ROWS, 3))
        w[5] = 1.0
        w[7:9, 1] = 2.0
        return CROSSED(a, b) * w

    def halves(a: Any, b: Any) -> Any:
        w = np.concatenate([wg.numpy.zeros((ROWS // 2, 3)), wg.numpy.ones((ROWS - ROWS // 2, 3))])
        return CROSSED(a, b) * w

    def one_each(a: Any, b: Any) -> Any:
        w = wg.numpy.zeros(ROWS)
        w[5] = 1.0
        return CROSSED(a, b) * w[:, None]

    for f in (ones, halves, one_each):
        check(f, *arguments())
        check(wg.grad(lambda a, b, f=f: np.sum(f(a, b) ** 2)), *arguments())
