"""Matrices done row by row, eight side by side: machine code gives what the interpreter does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from law_native import check

import wengert as wg
from wengert import settings
from wengert.graph.types import array_type
from wengert.ops.leaves import seed as seed_of
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer
from wengert.transforms.pushforward import pushforward


def residuals(x: Any, w: Any, y: Any) -> Any:
    e = x @ w - y
    return np.log1p(np.abs(e) ** 2)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sums of rows": lambda x, w, y: np.sum(residuals(x, w, y)),
    "a value a row": residuals,
    "and their product with the matrix": lambda x, w, y: np.tanh(x @ w - y) @ x,
    "two sums of a row": lambda x, w, y: np.sin(x @ w) * np.sum(x * x, axis=1) + y,
    "the greatest of a row": lambda x, w, y: np.exp(np.max(np.abs(x), axis=1)) @ np.abs(x) + w,
    "softmax of rows": lambda x, w, y: (
        np.exp(np.abs(x * w) - np.max(np.abs(x), axis=1)[:, None])
        / np.sum(np.exp(np.abs(x)), axis=1)[:, None]
    ),
    "columns of a few": lambda x, w, y: np.sin(x @ np.stack([w, 2 * w, w * w], axis=1)).sum(axis=1),
    "of each other row": lambda x, w, y: np.cos(x[::2] @ w[::-1]) * y[::2],
    "whether all of a row are small": lambda x, w, y: np.where(
        np.all(np.abs(x * w) < 2.0, axis=1), y, np.sin(y)
    ),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("shape", [(8, 24), (19, 30), (67, 70), (130, 200)], ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_rows_with_their_derivatives(name: str, shape: tuple[int, int], dtype: Any) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=size).astype(dtype) / 4 for size in (shape, shape[1], shape[0])]
    if dtype is np.complex128:
        arrays = [a + 0.3j * a[::-1] for a in arrays]
    with outermost() as session, np.errstate(all="ignore"):
        inputs = [session.input(a, array_type(a.shape, a.dtype)) for a in arrays]
        output = FUNCTIONS[name](*(Tracer(node, session) for node in inputs)).node
        tangents = pushforward([output], {node: seed_of(node) for node in inputs})
        (tangent,) = tangents
        values = {**session.values}
        for node, array in zip(inputs, arrays, strict=True):
            values[seed_of(node)] = np.cos(3 * array)
        check([output, *([] if tangent is None else [tangent])], values, name)


def loss(w: Any, x: Any, y: Any) -> Any:
    return np.sum(residuals(x, w, y))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("rows", [4_000, 9_003])
def test_gradients_of_rows_in_threads(
    rows: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "threads", threads)
    rng = np.random.default_rng(1)
    x, w, y = rng.normal(size=(rows, 60)), rng.normal(size=60), rng.normal(size=rows)
    e = x @ w - y
    expected = x.T @ (2 * e / (1 + e * e))
    found = wg.jit(wg.grad(loss))(w, x, y)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-10)


def test_rows_are_done_eight_at_a_time() -> None:
    kernels = wg.trace(wg.grad(loss), np.ones(60), np.ones((4_000, 60)), np.ones(4_000)).kernels
    assert "for i in range(4000), 8 at a time:\n        for j in range(60), 16" in kernels


@pytest.mark.parametrize("n", [30, 100])
def test_a_matrix_whose_columns_are_the_rows_of_another_is_not_turned_for_each(n: int) -> None:
    rng = np.random.default_rng(2)
    x, first, second = rng.normal(size=n), *rng.normal(size=(2, n, n))

    def layers(x: Any) -> Any:
        return np.tanh(second @ np.tanh(first @ x))

    np.testing.assert_allclose(wg.jit(layers)(x), layers(x), rtol=1e-12)
    kernels = wg.trace(layers, x).kernels.splitlines()
    depths = [len(line) - len(line.lstrip()) for line in kernels if "pack(" in line]
    assert max(depths, default=0) <= 12  # a loop of tiles, and the rows of one tile
