"""`wengert.numpy` is a namespace of the array API standard: plain, under `jit`, and under `jvp`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert.numpy as wnp
from support import interpreted, leaves, same
from wengert.derivatives.directional import jvp
from wengert.derivatives.gradients import grad
from wengert.errors import Unsupported
from wengert.execution.jit import jit

sys.path.append(str(Path(__file__).resolve().parent))
from standard import ARRAYS, CONSTANTS, SECTIONS, TYPES

CALLS = [
    pytest.param(call, kinds, id=f"{section}-{name}-{k}-{kinds}")
    for section, functions in SECTIONS.items()
    for name, calls in functions.items()
    for k, (call, kinds) in enumerate(calls)
]

FLOATING = [call for call in CALLS if any(ARRAYS[k].dtype.kind in "fc" for k in call.values[1])]


@pytest.fixture(autouse=True)
def _on_the_interpreter() -> Iterator[None]:
    with interpreted():
        yield


def agree(ours: Any, numpys: Any) -> None:
    ours, numpys = leaves(ours), leaves(numpys)
    assert len(ours) == len(numpys)
    for a, b in zip(ours, numpys, strict=True):
        same(a, b, 1e-11)


def test_every_function_of_the_standard_is_there() -> None:
    count = 0
    for section, functions in SECTIONS.items():
        holder = getattr(wnp, section) if section in ("linalg", "fft") else wnp
        for name in functions:
            assert callable(getattr(holder, name)), f"{section}.{name}"
            count += 1
    assert count == 172
    for name in (*CONSTANTS, *TYPES):
        assert hasattr(wnp, name)


@pytest.mark.parametrize("call, kinds", CALLS)
def test_plain(call: Any, kinds: str) -> None:
    arrays = [ARRAYS[kind] for kind in kinds]
    result = call(wnp, *arrays)
    agree(result, call(np, *arrays))
    assert all(isinstance(leaf, np.ndarray | np.generic) for leaf in leaves(result))


@pytest.mark.parametrize("call, kinds", CALLS)
def test_under_jit(call: Any, kinds: str) -> None:
    arrays = [ARRAYS[kind] for kind in kinds]
    function = jit(lambda *xs: call(xs[0].__array_namespace__(), *xs))
    expected = call(np, *arrays)
    for _ in range(2):
        agree(function(*arrays), expected)


def _moved(call: Any, arrays: list[Any], by: dict[int, Any], step: float) -> list[Any]:
    given = [a + step * by[k] if k in by else a for k, a in enumerate(arrays)]
    return leaves(call(np, *given))


@pytest.mark.parametrize("call, kinds", FLOATING)
def test_under_jvp(call: Any, kinds: str) -> None:
    """The value is NumPy's; the tangent has its shape and dtype, and is what differences give."""
    arrays = [ARRAYS[kind] for kind in kinds]
    at = [k for k, a in enumerate(arrays) if a.dtype.kind in "fc"]

    def function(*xs: Any) -> Any:
        given = list(arrays)
        for k, x in zip(at, xs, strict=True):
            given[k] = x
        return tuple(leaves(call(xs[0].__array_namespace__(), *given)))

    points = tuple(arrays[k] for k in at)
    rng = np.random.default_rng(3)
    tangents = tuple(rng.uniform(0.2, 1, p.shape).astype(p.dtype) for p in points)
    if "h" in kinds:  # what reads a triangle of a symmetric matrix is moved among these
        tangents = tuple(t + np.swapaxes(t, -1, -2) for t in tangents)
    values, found = jvp(function, points, tangents)
    expected = leaves(call(np, *arrays))
    agree(values, expected)
    by = dict(zip(at, tangents, strict=True))
    h = 1e-3
    near = [_moved(call, arrays, by, s * h) for s in (-2, -1, 1, 2)]
    for k, (value, tangent) in enumerate(zip(expected, found, strict=True)):
        value, tangent = np.asarray(value), np.asarray(tangent)
        assert tangent.shape == value.shape
        if value.dtype.kind not in "fc":
            continue
        assert tangent.dtype == value.dtype
        if value.dtype.itemsize // (2 if value.dtype.kind == "c" else 1) < 8:
            continue
        if any(a.dtype == np.float32 for a in arrays):
            continue
        low, lower, upper, high = (np.asarray(n[k]) for n in near)
        slope = (low - 8 * lower + 8 * upper - high) / (12 * h)
        np.testing.assert_allclose(tangent, slope, rtol=1e-6, atol=1e-6)


# ----------------------------------------------------------------------------- arrays themselves


def test_the_namespace_is_found_from_an_array() -> None:
    def f(x: Any) -> Any:
        xp = x.__array_namespace__()
        assert xp is wnp
        assert x.__array_namespace__(api_version="2025.12") is wnp
        with pytest.raises(ValueError, match="1999"):
            x.__array_namespace__(api_version="1999.12")
        return xp.sum(xp.sin(x))

    np.testing.assert_allclose(grad(f)(ARRAYS["v"]), np.cos(ARRAYS["v"]))
    assert wnp.__array_api_version__ == np.__array_api_version__
    assert wnp.finfo(ARRAYS["n"]).eps == np.finfo(np.float32).eps
    assert wnp.iinfo(ARRAYS["i"]).max == np.iinfo(np.int64).max
    info = wnp.__array_namespace_info__()
    assert info.default_device() == "cpu"
    assert info.capabilities()["data-dependent shapes"]


def test_attributes_and_devices() -> None:
    def f(x: Any) -> Any:
        assert x.device == "cpu"
        assert x.to_device("cpu") is x
        assert wnp.finfo(x).max == np.finfo(x.dtype).max
        assert (x.ndim, x.size, x.shape) == (2, 12, (3, 4))
        assert x.__dlpack_device__() == (1, 0)
        with pytest.raises(ValueError, match="device"):
            x.to_device("gpu")
        with pytest.raises(ValueError, match="stream"):
            x.to_device("cpu", stream=1)
        with pytest.raises(Unsupported, match="from_dlpack"):
            x.__dlpack__()
        with pytest.raises(ValueError, match="cpu"):
            wnp.zeros_like(x, device="gpu")
        return wnp.sum(x.mT @ x + x.T @ x)

    assert np.isfinite(grad(f)(ARRAYS["f"])).all()


def test_shapes_that_depend_on_data_are_guarded_under_jit() -> None:
    @jit
    def total(x: Any) -> Any:
        xp = x.__array_namespace__()
        return xp.sum(xp.unique_values(x)), xp.nonzero(x > 0)[0]

    for x in (np.array([1.0, 1.0, -2.0]), np.array([3.0, 4.0, 5.0]), np.array([0.0, 0.0, 0.0])):
        value, places = total(x)
        assert value == np.unique(x).sum()
        np.testing.assert_array_equal(places, np.nonzero(x > 0)[0])
