"""Long bodies, which are written once: the last tile is masked like all others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from law_native import check

import wengert as wg
from wengert import settings
from wengert.graph.types import array_type
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer


def long(x: Any) -> Any:
    y = x
    for k in range(14):
        y = np.tanh(y * x) + 0.1 * y * y - k
    return y


def outputs(x: Any) -> tuple[Any, ...]:
    y = long(x)
    reductions = np.sum(y, axis=-1), np.max(y, axis=0), np.all(y > -100.0), np.prod(np.cos(y))
    return y, y[::-1] * x, y > 0.3, np.isfinite(y).any(axis=0), *reductions


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(33,), (100,), (257,), (7, 129), (131, 3), (66, 70)], ids=str)
def test_long_bodies(shape: tuple[int, ...], dtype: Any) -> None:
    array = np.random.default_rng(0).uniform(-1, 1, shape).astype(dtype)
    with outermost() as session, np.errstate(all="ignore"):
        node = session.input(array, array_type(shape, array.dtype))
        found = outputs(Tracer(node, session))
        check([value.node for value in found], session.values, "long bodies")


@pytest.mark.parametrize("threads", [1, 2])
def test_long_bodies_in_threads(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "threads", threads)
    x = np.random.default_rng(0).uniform(-1, 1, 100_003)
    value, gradient = wg.jit(wg.value_and_grad(lambda x: np.sum(np.sin(long(x)))))(x)
    expected = np.sum(np.sin(long(x)))
    assert abs(value - expected) <= 1e-11 * x.size
    ends = np.r_[0:40, -40:0]
    slope = wg.grad(lambda x: np.sum(np.sin(long(x))))(x[ends])
    np.testing.assert_allclose(gradient[ends], slope, rtol=1e-9, atol=1e-9)


def test_there_is_one_body() -> None:
    """The text for a last tile that is not whole is as long as that for whole tiles."""
    whole, more = (len(wg.trace(long, np.ones(n)).llvm) for n in (320, 321))
    assert more < 1.2 * whole
