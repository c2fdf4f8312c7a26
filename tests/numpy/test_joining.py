"""Joining and splitting against NumPy: values, dtypes, gradients in both modes, views, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.numpy as wnp
from support import check, same, traced_value
from wengert.graph.walk import topological

V = np.array([0.3, -1.2, 2.0])
W = np.array([1.5, 0.25, -0.7])
M = np.array([[1.0, -2.0, 0.5], [0.1, 3.0, -1.0]])
T = np.arange(24.0).reshape(2, 3, 4) / 7 - 1

CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "concatenate": (lambda x, y: np.concatenate([x, y]), (V, W)),
    "concatenate axis": (lambda x: np.concatenate([x, x * x], axis=-1), (M,)),
    "concatenate flat": (lambda x, y: np.concatenate((x, y), axis=None), (M, V)),
    "concatenate array": (lambda x: np.concatenate(x), (M,)),
    "concatenate list": (lambda x: np.concatenate([x, [1.0, 2.0]]), (V,)),
    "concatenate complex": (lambda x: np.concatenate([x, [1j]]), (V,)),
    "concat": (lambda x: np.concat([x, x]), (V,)),
    "stack": (lambda x, y: np.stack([x, y]), (V, W)),
    "stack last": (lambda x, y: np.stack([x, y], axis=-1), (V, W)),
    "stack scalars": (lambda x: np.stack([x[0], 2.0, x[1] * x[2]]), (V,)),
    "vstack": (lambda x, y: np.vstack([x, y, x]), (V, M)),
    "vstack scalars": (lambda x: np.vstack([x[0], x[1]]), (V,)),
    "hstack": (lambda x, y: np.hstack((x, y)), (V, W)),
    "hstack matrices": (lambda x: np.hstack((x, x)), (M,)),
    "hstack scalars": (lambda x: np.hstack([x[0], 1.0]), (V,)),
    "dstack": (lambda x, y: np.dstack([x, y]), (V, W)),
    "dstack matrices": (lambda x: np.dstack([x, x, x]), (M,)),
    "column_stack": (lambda x, y: np.column_stack([x, y, x]), (V, M.T)),
    "block": (lambda x: np.block([[x, x], [x, 2 * x]]), (M,)),
    "block mixed": (lambda x, y: np.block([[x, np.ones((2, 1))], [y, 4.0]]), (M, V[None])),
    "block scalars": (lambda x: np.block([[x[0], x[1]], [0.0, x[2]]]), (V,)),
    "block vector": (lambda x: np.block([x, 1.0, x]), (V,)),
    "block nested": (lambda x: np.block([[[x, x]], [[x, x]]]), (T,)),
    "block one": (lambda x: np.block(x), (M,)),
    "append": (lambda x, y: np.append(x, y), (M, V)),
    "append axis": (lambda x, y: np.append(x, y, axis=0), (M, M)),
    "append number": (lambda x: np.append(x, 3.0), (V,)),
    "insert": (lambda x, y: np.insert(x, 1, y[0]), (V, W)),
    "insert end": (lambda x: np.insert(x, len(x), 4.0), (V,)),
    "insert negative": (lambda x: np.insert(x, -1, x[0]), (V,)),
    "insert flat": (lambda x: np.insert(x, 2, [9.0, 8.0]), (M,)),
    "insert column": (lambda x: np.insert(x, 1, [7.0, 8.0], axis=1), (M,)),
    "insert listed column": (lambda x: np.insert(x, [1], [[7.0], [8.0]], axis=1), (M,)),
    "insert several": (lambda x, y: np.insert(x, [2, 0, 2], y), (V, W)),
    "insert several columns": (lambda x: np.insert(x, [0, 3], x[:, :2], axis=1), (M,)),
    "insert slice": (lambda x: np.insert(x, slice(0, 2), 5.0), (V,)),
    "insert mask": (lambda x: np.insert(x, np.array([True, False, True]), x[:2]), (V,)),
    "insert nothing": (lambda x: np.insert(x, [], []), (V,)),
    "insert row": (lambda x, y: np.insert(x, 1, y, axis=0), (M, V)),
    "delete": (lambda x: np.delete(x, 1), (V,)),
    "delete first": (lambda x: np.delete(x, 0, axis=1), (M,)),
    "delete several": (lambda x: np.delete(x, [0, 2, -1], axis=2), (T,)),
    "delete scattered": (lambda x: np.delete(x, [1, 3, 5, 8]), (T,)),
    "delete slice": (lambda x: np.delete(x, slice(None, None, -2), axis=2), (T,)),
    "delete mask": (lambda x: np.delete(x, np.array([True, False, True])), (V,)),
    "delete all": (lambda x: np.delete(x, slice(None)), (V,)),
    "delete nothing": (lambda x: np.delete(x, []), (M,)),
    "resize": (lambda x: np.resize(x, (2, 4)), (V,)),
    "resize smaller": (lambda x: np.resize(x, 2), (M,)),
    "resize empty": (lambda x: np.resize(x, (0, 2)), (V,)),
    "split": (lambda x: np.split(x, 3, axis=1), (M,)),
    "split points": (lambda x: np.split(x, [1, 2, 5]), (V,)),
    "split negative": (lambda x: np.split(x, [-1]), (V,)),
    "array_split": (lambda x: np.array_split(x, 3), (T.ravel()[:8],)),
    "hsplit": (lambda x: np.hsplit(x, [1]), (M,)),
    "hsplit vector": (lambda x: np.hsplit(x, 3), (V,)),
    "vsplit": (lambda x: np.vsplit(x, 2), (M,)),
    "dsplit": (lambda x: np.dsplit(x, 2), (T,)),
    "unstack": (lambda x: np.unstack(x, axis=1), (T,)),
    "unstack vector": (lambda x: np.unstack(x), (V,)),
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient(name: str) -> None:
    f, args = CASES[name]
    if name.startswith("unstack") and not hasattr(np, "unstack"):
        pytest.skip("NumPy 2.1 has np.unstack")
    check(f, *args)
    wg.check_grads(f, args, order=1, modes=("fwd",))


DTYPES = {
    "float32 and list": lambda x: np.concatenate([x.astype(np.float32), [1.0]]),
    "float32 and float32": lambda x: np.concatenate([x.astype(np.float32)] * 2),
    "bool and float": lambda x: np.concatenate([x > 0, x]),
    "ints": lambda x: np.concatenate([x > 0, np.array([1, 2], np.int8)]),
    "stack numbers": lambda x: np.stack([x[0].astype(np.float32), 2.0]),
    "append": lambda x: np.append(x.astype(np.float32), 1.0),
    "insert": lambda x: np.insert(x.astype(np.float32), 0, 1.0),
    "insert rounds": lambda x: np.insert((x > 0).astype(int), 0, 1.7),
    "block": lambda x: np.block([x.astype(np.float32), 1]),
    "single": lambda x: np.concatenate([x, x], dtype=np.float32),
    "asked": lambda x: np.concatenate([x, x], dtype=np.complex128),
    "unsafe": lambda x: np.concatenate([x, x], dtype=np.int64, casting="unsafe"),
}


@pytest.mark.parametrize("name", DTYPES)
def test_dtype(name: str) -> None:
    f = DTYPES[name]
    same(traced_value(f, V)[0], f(V))


def test_out() -> None:
    def f(x: Any) -> Any:
        out = wnp.zeros(6)
        assert np.concatenate([x, 2 * x], out=out) is out
        np.stack([x, x], out=wnp.zeros((2, 3)))
        return out @ out

    np.testing.assert_allclose(wg.grad(f)(V), 10 * V)


def test_stack_is_one_concatenate() -> None:
    def f(x: Any) -> Any:
        result = np.stack([x[0], x[1], x[2]])
        nodes = topological([result.node])
        assert sum(node.op.name == "concatenate" for node in nodes) == 1
        assert len(nodes) == 1 + 3 * 2 + 1  # x, three elements, three reshapes, one joint
        return result.sum()

    wg.grad(f)(V)


@pytest.mark.parametrize(
    "take",
    [
        lambda x: np.split(x, 2, axis=0)[1],
        lambda x: np.array_split(x, [1], axis=1)[1],
        lambda x: np.hsplit(x, 3)[2],
        lambda x: np.vsplit(x, 2)[0],
        lambda x: wnp.unstack(x, axis=1)[1],
    ],
)
def test_pieces_are_views(take: Callable[[Any], Any]) -> None:
    def f(x: Any) -> Any:
        y = x * 1.0
        part = take(y)
        part *= 3.0
        part[...] = part * part
        return y

    if not hasattr(np, "unstack"):
        pytest.skip("NumPy 2.1 has np.unstack")
    check(f, M)


ERRORS = {
    "scalars": (lambda x: np.concatenate([x[0], x[1]]), "zero-dimensional"),
    "ranks": (lambda x: np.concatenate([x, x[None]]), "at index 1 has 2 dimension"),
    "extents": (lambda x: np.concatenate([x[None], x[None, :2]]), "must match exactly"),
    "stack": (lambda x: np.stack([x, x[:2]]), "same shape"),
    "casting": (lambda x: np.concatenate([x], dtype=int), "rule 'same_kind'"),
    "tuple block": (lambda x: wnp.block((x, x)), "Only lists"),
    "block depths": (lambda x: np.block([[x], x]), "depths are mismatched"),
    "empty block": (lambda x: np.block([[x], []]), r"arrays\[1\] cannot be empty"),
    "insert": (lambda x: np.insert(x, 9, 1.0), "index 9 is out of bounds"),
    "delete": (lambda x: np.delete(x, [1, 9]), "index 9 is out of bounds"),
    "delete floats": (lambda x: np.delete(x, [0.5]), "must hold integers"),
    "resize": (lambda x: np.resize(x, -1), "non-negative"),
    "resize in place": (lambda x: x.resize(2), "np.resize"),
    "split": (lambda x: np.split(x, 2), "equal division"),
    "sections": (lambda x: np.array_split(x, 0), "larger than 0"),
    "vsplit": (lambda x: np.vsplit(x, 1), "2 or more dimensions"),
    "out": (lambda x: wnp.concatenate([x, x], out=np.zeros(6)), "wengert.numpy.zeros"),
    "out and dtype": (
        lambda x: np.concatenate([x], out=wnp.zeros(3), dtype=float),
        "only takes `out` or `dtype`",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    f, message = ERRORS[name]
    with pytest.raises(wg.WengertError, match=message):
        wg.grad(lambda x: np.sum(f(x)))(V)


def test_traced_indices_are_forced() -> None:
    def f(x: Any) -> Any:
        k = np.argmax(x)
        return np.sum(np.delete(x, k) ** 2) + np.insert(x, k, 2 * x[0])[k] + np.roll(x, k)[0]

    np.testing.assert_allclose(wg.grad(f)(V), [2 * V[0] + 2, 2 * V[1] + 1, 0.0])
