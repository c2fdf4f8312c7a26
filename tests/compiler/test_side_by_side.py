"""Values that are stored side by side, element by element, and blocks that are written in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from law_native import check

import wengert as wg
from wengert.compiler.nests import transfer
from wengert.graph.types import array_type
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer

DTYPES = tuple(np.dtype(c) for c in "?bhilBHILfdFD")
EXTENTS = (0, 1, 2, 7, 8, 9, 17, 33, 64, 70, 130, 257)
Array = np.ndarray[Any, Any]


def native(function: Callable[..., Any], *arrays: Any) -> None:
    """The machine code of a function gives what the interpreter gives."""
    with outermost() as session:
        inputs = [session.input(a, array_type(a.shape, a.dtype)) for a in arrays]
        result = function(*(Tracer(node, session) for node in inputs))
        results = result if isinstance(result, tuple) else (result,)
        check([value.node for value in results], session.values, "machine code")


def some(rng: np.random.Generator, dtype: np.dtype[Any], *shape: int) -> Array:
    values = rng.normal(size=shape) * 50
    if dtype.kind == "b":
        return values > 0
    if dtype.kind == "c":
        return (values + 1j * rng.normal(size=shape)).astype(dtype)
    return (np.abs(values) if dtype.kind == "u" else values).astype(dtype)


def columns(count: int) -> Callable[..., Any]:
    return lambda *x: np.stack(x[:count], axis=-1)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("count", range(2, 10))
def test_columns_of_every_dtype(count: int, dtype: np.dtype[Any]) -> None:
    rng = np.random.default_rng(count)
    for extent in (17, 70) if count not in (2, 3) else EXTENTS:
        arrays = some(rng, dtype, count, extent)
        native(columns(count), *arrays)
        np.testing.assert_array_equal(wg.jit(columns(count))(*arrays), arrays.T)


@pytest.mark.parametrize("nbytes", [16, 32, 64])
@pytest.mark.parametrize("count", range(2, 9))
def test_registers_of_every_size(count: int, nbytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code for narrow registers runs on wide ones too."""
    monkeypatch.setattr(transfer, "vector_bytes", lambda: nbytes)
    monkeypatch.setenv("WENGERT_CACHE", "off")
    rng = np.random.default_rng(count)
    for dtype in map(np.dtype, "?fdD"):
        arrays = some(rng, dtype, count, 43)
        native(columns(count), *arrays)


def long_code(*x: Any) -> Any:
    """A body that is not written twice: all tiles are masked."""
    total = x[0]
    for k in range(60):
        total = np.sin(total) + x[k % 3] * (0.1 * k)
    return np.stack([total, x[0] * total, x[1]], axis=-1)


def blocks(x: Any, y: Any, z: Any) -> Any:
    """Joined of joined values, as the rows of a band matrix are."""
    inner = np.stack([x[2:], 2 * y[1:-1], z[:-2]], axis=-1).ravel()
    ends = np.stack([x[:1], y[:1]], axis=-1).ravel()
    return np.concatenate([ends, inner, np.concatenate([z[-2:], x[:1] * 3])])


SHAPES: dict[str, Callable[..., Any]] = {
    "long code": long_code,
    "blocks": blocks,
    "a block that is read too": lambda x, y, z: (
        (t := np.stack([x, y], axis=-1)).ravel()[1:],
        np.concatenate([t.ravel(), z]),
        np.cumsum(t, axis=0),
    ),
    "a block that is joined twice": lambda x, y, z: (
        np.concatenate([(t := np.stack([x, y, z], axis=-1)).ravel(), z]),
        np.concatenate([x, t.ravel()]),
        np.concatenate([t.ravel(), t.ravel()]),
    ),
    "written over": lambda x, y, z: written(np.stack([x, y, z], axis=-1)),
    "sums of its columns": lambda x, y, z: np.stack(
        [x - np.mean(x), y / (1 + np.sum(y * y)), z - np.max(z)], axis=-1
    ),
    "rows of a matrix": lambda x, y, z: np.stack(
        [np.sum(x[:, None] * y[None, :], axis=1), np.max(x[:, None] - z, axis=1)], axis=-1
    ),
    "along the first axis": lambda x, y, z: np.stack([x, y, z], axis=0),
    "in the middle": lambda x, y, z: np.stack(
        [x[:, None] * y[:4], x[:, None] + z[:4]], axis=1
    ).reshape(-1),
    "of tables": lambda x, y, z: np.stack(
        [np.stack([x, y], axis=-1), np.stack([y, z], axis=-1), np.stack([z, x], axis=-1)], axis=-1
    ),
    "of matrices": lambda x, y, z: np.stack(
        [np.outer(x, y), np.outer(y, z), np.outer(z[::-1], x)], axis=-1
    ),
    "of turned matrices": lambda x, y, z: np.stack([np.outer(x, y).T, np.outer(y, z)], axis=-1),
    "of numbers": lambda x, y, z: np.stack([np.sum(x), y[0], z[-1] * 2]),
    "with a literal": lambda x, y, z: np.stack([x, np.zeros_like(y), z], axis=-1),
    "padded": lambda x, y, z: np.stack([np.pad(x[2:], (1, 1)), y, np.pad(z[3:], (3, 0))], axis=-1),
    "one table inside of another": lambda x, y, z: np.concatenate(
        [np.stack([x, y], axis=-1), z[:, None]], axis=1
    ),
    "complex": lambda x, y, z: np.stack([x + 1j * y, np.exp(1j * z), y - 2j * x], axis=-1),
    "a sum that reads it": lambda x, y, z: np.sum(
        np.stack([x, y, z], axis=-1) * np.stack([y, z, x], axis=-1)[::-1], axis=0
    ),
}


def written(table: Any) -> Any:
    table = table.copy()
    table[1] = 7.0
    table[2:, 1] *= 2
    return np.concatenate([table.ravel(), table[0]])


@pytest.mark.parametrize("extent", [5, 8, 37, 64, 131])
@pytest.mark.parametrize("name", SHAPES)
def test_what_stands_around(name: str, extent: int) -> None:
    rng = np.random.default_rng(extent)
    arrays = rng.normal(size=(3, extent))
    native(SHAPES[name], *arrays)
    native(SHAPES[name], *arrays.astype(np.float32))


def random_table(rng: np.random.Generator, arrays: list[Any]) -> Any:
    """Joined values of joined values, flat; some of them are used again."""
    pool = list(arrays)

    def any_of() -> Any:
        return pool[int(rng.integers(len(pool)))]

    for _ in range(int(rng.integers(2, 8))):
        which = int(rng.integers(6))
        if which < 3:
            chosen = [any_of() for _ in range(int(rng.integers(2, 9)))]
            extent = min(x.shape[0] for x in chosen)
            starts = [int(rng.integers(x.shape[0] - extent + 1)) for x in chosen]
            parts = [x[s : s + extent] for x, s in zip(chosen, starts, strict=True)]
            axis = -1 if rng.random() < 0.8 else 0
            made = np.stack(parts, axis=axis)
            made = made.reshape(-1) if rng.random() < 0.8 else made.T.reshape(-1)
        elif which == 3:
            made = np.concatenate([any_of() for _ in range(int(rng.integers(2, 5)))])
        elif which == 4:
            x = any_of()
            made = np.tanh(x) * 0.5 - x[::-1] * float(rng.integers(1, 4))
        else:
            x = any_of()
            made = x[: max(1, x.shape[0] // 2)] + np.sum(x) * 0.01
        if made.shape[0] < 3_000:
            pool.append(made)
    return tuple(pool[-2:]) if rng.random() < 0.5 else pool[-1] * 1.0


def check_random(seed: int) -> None:
    rng = np.random.default_rng(seed)
    dtype = np.dtype("fddD"[int(rng.integers(4))])
    extents = rng.choice([1, 2, 3, 8, 9, 33, 70, 130], 3)
    arrays = [some(rng, dtype, int(extent)) / 50 for extent in extents]
    native(lambda *x: random_table(np.random.default_rng(seed), list(x)), *arrays)


@pytest.mark.parametrize("seed", range(40))
def test_some_random_tables(seed: int) -> None:
    check_random(seed)


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(10))
def test_many_random_tables(chunk: int) -> None:
    wrong = []
    for seed in range(1_000 + 200 * chunk, 1_200 + 200 * chunk):
        try:
            check_random(seed)
        except Exception as error:  # all of them, each with its seed
            wrong.append(f"seed {seed}: {type(error).__name__}: {str(error)[:400]}")
    assert not wrong, f"{len(wrong)} of 200\n" + "\n".join(wrong[:5])


def kernels(function: Callable[..., Any], *arrays: Any) -> str:
    return str(wg.trace(function, *arrays).kernels)


def test_columns_are_one_store_in_one_loop() -> None:
    x = np.ones(1000)
    text = kernels(lambda x: np.stack([x, 2 * x, np.sin(x)], axis=-1), x)
    assert text.count("for ") == 1
    assert "out0[3*i ... 3] = " in text


def test_blocks_are_written_where_they_belong() -> None:
    x, y, z = np.ones((3, 1000))
    assert "buffer" not in kernels(blocks, x, y, z)
