"""Random programs of views and overlapping writes, run by the same code on arrays and on tracers.

A program acts on a list of names for memory: the first are the arguments (copied), and every step
makes a view of one, or writes to one, so that all that share its memory change. Since every step is
linear in the arguments but for the index masks (constants), the derivative along the arguments'
directions is the same program run on the directions, with constant writes of zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

Step = tuple[int, int, int, int]
KINDS = 22


def _pick(views: list[Any], i: int) -> Any:
    return views[i % len(views)]


def _slice(n: int, j: int, k: int) -> slice:
    """A slice of an axis of extent n: forward, backward, empty, with steps."""
    start, stop = j % (n + 2) - 1, k % (n + 2)
    step = (1, 2, -1, -2, 3, -1)[(j + k) % 6]
    choices = (slice(None, None, step), slice(start, None, step), slice(None, stop, abs(step)))
    return choices[(j + 2 * k) % 3]


def make_view(a: Any, kind: int, j: int, k: int) -> Any:
    """A view of a (or a copy, where NumPy copies), or a itself where the kind does not fit."""
    if kind == 0:
        return a[_slice(a.shape[0], j, k)] if a.ndim else a
    if kind == 1:
        if a.ndim < 2:
            return a[None]
        return a[_slice(a.shape[0], j, k), _slice(a.shape[1], k, j)]
    if kind == 2:
        return a[j % a.shape[0], ...] if a.ndim and a.shape[0] else a
    if kind == 3:
        return a.T
    if kind == 4:
        return a[..., j % a.shape[-1]] if a.ndim and a.shape[-1] else a
    if kind == 5:
        return a.reshape(-1)
    if kind == 6:
        return a.reshape((2, -1)) if a.size and a.size % 2 == 0 else a
    if kind == 7:
        return a.flatten()
    if kind == 8:
        return a[:, None] if a.ndim else a[None]
    if kind == 9:
        return np.swapaxes(a, 0, -1) if a.ndim else a
    if kind == 10:
        return a.imag if (j + k) % 2 and a.dtype.kind == "c" else a.real
    return np.squeeze(a)


def small(kind: int, j: int) -> float:
    """A constant to write."""
    return 0.25 * (j + 1) - 0.5 * kind


def write(a: Any, b: Any, kind: int, j: int, k: int, constants: float) -> None:
    """Change a in place; b is another array, which may overlap it."""
    value = _scalar_of(b, a)
    if kind == 12:
        a += 0.5 * value
    elif kind == 13:
        a *= 0.75
    elif kind == 14:
        a[...] = value + constants * small(kind, j)
    elif not a.ndim or not a.shape[0]:
        a[()] = 2.0 * value
    elif kind == 15:
        a[_slice(a.shape[0], j, k)] = value
    elif kind == 16:
        a[j % a.shape[0]] = constants * small(kind, k)
    elif kind == 17:
        mask = (np.arange(a.size) * (2 * j + 1) + k).reshape(a.shape) % 3 == 0
        a[mask] = value
    elif kind == 18:
        rows = (np.arange(3) * (k + 1) + j) % a.shape[0]
        a[rows] = a[rows[::-1]] * np.arange(1.0, 4.0).reshape(3, *(1,) * (a.ndim - 1))
    elif kind == 19:
        np.add.at(a, (np.arange(4) * j + k) % a.shape[0] - (a.shape[0] if j % 2 else 0), value)
    elif kind == 20:
        a[::-1] -= 0.5 * a
    else:
        a[: 1 + j % 2, ...] = a[-1:, ...]


def _scalar_of(b: Any, like: Any) -> Any:
    """One element of b, in the kind of numbers that `like` holds."""
    value = b.reshape(-1)[-1] if b.size else like.reshape(-1)[:1].sum()
    return value.real if value.dtype.kind == "c" and like.dtype.kind != "c" else value


def run(program: list[Step], arguments: list[Any], constants: float = 1.0) -> list[Any]:
    """All views at the end."""
    views = [argument.copy() for argument in arguments]
    for kind, i, j, k in program:
        a = _pick(views, i)
        if kind < 12:
            views.append(make_view(a, kind, j, k))
        else:
            write(a, _pick(views, j), kind, j, k, constants)
    return views


def shares(views: list[Any]) -> list[list[bool]]:
    """Which pairs of arrays share memory."""
    return [[bool(np.may_share_memory(a, b)) for b in views] for a in views]


def programs(longest: int = 12) -> st.SearchStrategy[list[Step]]:
    """Programs as Hypothesis draws them."""
    step = st.tuples(st.integers(0, KINDS - 1), *[st.integers(0, 7)] * 3)
    return st.lists(step, min_size=2, max_size=longest)


SHAPES = ((4,), (3, 4), (2, 3), (2, 2, 3))


def arguments(seed: int, dtype: str) -> list[Any]:
    """Two arrays."""
    rng = np.random.default_rng(seed)
    shapes = SHAPES[seed % 4], SHAPES[(seed // 4) % 4]
    arrays = [rng.standard_normal(shape) for shape in shapes]
    if dtype == "c":
        return [a + 1j * rng.standard_normal(a.shape) for a in arrays]
    return arrays
