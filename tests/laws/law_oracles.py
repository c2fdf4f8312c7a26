"""What NumPy says: for every op an independent way to its value, slow and obvious.

An op that is a ufunc is compared with that ufunc on the inputs as they come. The others are listed
here; an op that is not is checked for its type alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from law_samples import Sample
from scipy import special

from wengert.ops.movement import as_slices


def oracle(sample: Sample) -> tuple[Any, ...] | None:
    """NumPy's results for a sample, or None where no oracle is known."""
    name = sample.op.name
    function = ORACLES.get(name) or getattr(np, name, None) or getattr(special, name, None)
    if sample.op.name in ORACLES:
        assert function is not None
        return (function(*sample.arrays, *sample.params, **sample.keywords),)
    if isinstance(function, np.ufunc):
        values = function(*sample.arrays)
        return values if isinstance(values, tuple) else (values,)
    return None


def _contract(a: Any, b: Any, over: Any, along: Any = ((), ())) -> Any:
    """The sum of products as an einsum, letter by letter."""
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    left = [next(letters) for _ in range(a.ndim)]
    right = [next(letters) for _ in range(b.ndim)]
    for i, j in (*zip(*over, strict=True), *zip(*along, strict=True)):
        right[j] = left[i]
    pairs = [left[i] for i in along[0]]
    free_a = [x for i, x in enumerate(left) if i not in (*over[0], *along[0])]
    free_b = [x for j, x in enumerate(right) if j not in (*over[1], *along[1])]
    expression = f"{''.join(left)},{''.join(right)}->{''.join([*pairs, *free_a, *free_b])}"
    return np.einsum(expression, a, b)


def _embed(x: Any, entries: Any, shape: Any) -> Any:
    result = np.zeros(shape, x.dtype)
    result[as_slices(entries)] = x
    return result


def _put(base: Any, value: Any, entries: Any) -> Any:
    result = base.copy()
    result[as_slices(entries)] = value
    return result


def _scatter_add(x: Any, index: Any, axis: int, extent: int) -> Any:
    shape = (*x.shape[:axis], extent, *x.shape[axis + index.ndim :])
    result = np.zeros(shape, x.dtype)
    for at in np.ndindex(index.shape):
        here = (slice(None),) * axis
        result[(*here, index[at])] += x[(*here, *at)]
    return result


def _scatter_put(base: Any, index: Any, value: Any) -> Any:
    result = base.copy()
    for at in np.ndindex(index.shape):
        result[index[at]] = value[at]
    return result


def _add_along(x: Any, index: Any, axis: int, extent: int) -> Any:
    result = np.zeros((*x.shape[:axis], extent, *x.shape[axis + 1 :]), x.dtype)
    for at in np.ndindex(x.shape):
        result[(*at[:axis], index[at], *at[axis + 1 :])] += x[at]
    return result


def _winners(index: Any, extent: int) -> Any:
    flat = index.ravel()
    last = [entry not in flat[k + 1 :] for k, entry in enumerate(flat)]
    return np.array(last, bool).reshape(index.shape)


def _argsort(x: Any, axis: int, kind: str = "stable") -> Any:
    return np.argsort(x, axis=axis, kind=kind)


def _threefry(key: Any, counter: Any) -> Any:
    """Threefry-2x32 of 20 rounds in Python's integers, as the paper's algorithm reads."""
    low = 2**32 - 1
    result = np.empty(np.broadcast_shapes(key.shape, counter.shape), np.uint64)
    keys, counters = (np.broadcast_to(a, result.shape) for a in (key, counter))
    for at in np.ndindex(result.shape):
        k = [int(keys[at]) >> 32, int(keys[at]) & low]
        k.append(k[0] ^ k[1] ^ 0x1BD11BDA)
        x, y = (int(counters[at]) >> 32) + k[0] & low, int(counters[at]) + k[1] & low
        for n in range(20):
            by = (13, 15, 26, 6, 17, 29, 16, 24)[n % 8]
            x = x + y & low
            y = (y << by & low | y >> 32 - by) ^ x
            if n % 4 == 3:
                s = n // 4 + 1
                x, y = x + k[s % 3] & low, y + k[(s + 1) % 3] + s & low
        result[at] = x << 32 | y
    return result


def _whole_order(name: str) -> Callable[..., Any]:
    """SciPy's function of (integer order, argument), in the dtype of the argument."""
    return lambda n, x: np.asarray(getattr(special, name)(n.astype(int), x)).astype(x.dtype)


def _equation(a: Any, b: Any, q: Any, terms: Any) -> Any:
    """A linear equation for a matrix as one for all its elements: terms(a, b) is its matrix."""
    result = np.empty(q.shape, q.dtype)
    for at in np.ndindex(q.shape[:-2]):
        matrix = terms(a[at] if a.ndim > 2 else a, b[at] if b.ndim > 2 else b)
        result[at] = np.linalg.solve(matrix, q[at].ravel()).reshape(q.shape[-2:])
    return result


def _sylvester(a: Any, b: Any, q: Any) -> Any:
    return _equation(
        a, b, q, lambda a, b: np.kron(a, np.eye(len(b))) + np.kron(np.eye(len(a)), b.T)
    ).astype(q.dtype)


def _stein(a: Any, b: Any, q: Any) -> Any:
    return _equation(a, b, q, lambda a, b: np.eye(len(a) * len(b)) - np.kron(a, b.T)).astype(
        q.dtype
    )


def _by_eigenvalues(function: Any, a: Any) -> Any:
    """A function of a matrix that has a basis of eigenvectors."""
    values, basis = np.linalg.eig(a.astype(complex))
    result = basis @ (function(values)[..., None] * np.linalg.inv(basis))
    return (result if a.dtype.kind == "c" else result.real).astype(a.dtype)


def _solve_banded(ab: Any, b: Any, band: Any) -> Any:
    """The dense matrix of the band, element by element."""
    lower, upper = band
    n = ab.shape[-1]
    dense = np.zeros((*ab.shape[:-2], n, n), ab.dtype)
    for i in range(n):
        for j in range(max(0, i - lower), min(n, i + upper + 1)):
            dense[..., i, j] = ab[..., upper + i - j, j]
    return np.linalg.solve(dense, b)


def _fourier(extent: int, count: int, inverse: bool, power: float) -> Any:
    """The matrix of a transform, of its first `count` frequencies, from its definition."""
    turns = np.outer(np.arange(count), np.arange(extent)) / extent
    return np.exp((2j if inverse else -2j) * np.pi * turns) * float(extent) ** -power


def _fft(x: Any, axes: Any, inverse: bool, power: float) -> Any:
    result = x
    for axis in axes:
        matrix = _fourier(x.shape[axis], x.shape[axis], inverse, power)
        result = np.moveaxis(np.tensordot(matrix, result, (1, axis)), 0, axis)
    return result.astype(x.dtype)


def _weights(extent: int, doubled: bool) -> Any:
    count = extent // 2 + 1
    return np.array([2.0 if doubled and 0 < k < extent - k else 1.0 for k in range(count)])


def _rfft(x: Any, axis: int, inverse: bool, doubled: bool, power: float) -> Any:
    weights = _weights(x.shape[axis], doubled)
    matrix = _fourier(x.shape[axis], weights.size, inverse, power) * weights[:, None]
    result = np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)
    return result.astype(f"c{2 * x.itemsize}")


def _irfft(y: Any, axis: int, extent: int, inverse: bool, doubled: bool, power: float) -> Any:
    weights = _weights(extent, doubled)
    matrix = _fourier(extent, weights.size, inverse, power) * weights[:, None]
    result = np.moveaxis(np.tensordot(matrix.T, y, (1, axis)), 0, axis).real
    return result.astype(f"f{y.itemsize // 2}")


def _wave(x: Any, axis: int, kind: str, type: int, norm: str, before: int, after: int) -> Any:
    """A sum of cosines or sines, with 1/√2 where an element is alone in its class."""
    n = x.shape[axis]
    j, k = np.arange(n)[None, :], np.arange(n)[:, None]
    ends = np.ones(n)
    period, first, last = 2 * n, type in (2, 3), False
    if kind == "dct":
        period -= 2 * (type == 1)
        shift = {1: (0, 0), 2: (0, 0.5), 3: (0.5, 0), 4: (0.5, 0.5)}[type]
        last = type == 1
        first = first or last
    else:
        period += 2 * (type == 1)
        shift = {1: (1, 1), 2: (1, 0.5), 3: (0.5, 1), 4: (0.5, 0.5)}[type]
        first, last = False, first
    ends[0] *= np.sqrt(0.5) if first else 1
    ends[-1] *= np.sqrt(0.5) if last else 1
    angle = 2 * np.pi * (k + shift[0]) * (j + shift[1]) / period
    matrix = 2 * (np.cos(angle) if kind == "dct" else np.sin(angle))
    matrix *= (ends if type in (1, 2) else np.ones(n))[:, None]
    matrix *= ends if type in (1, 3) else np.ones(n)
    matrix *= {"backward": 1, "ortho": float(period) ** -0.5, "forward": 1 / period}[norm]
    matrix *= np.where(ends < 1, 2 ** (after / 2), 1)[:, None]
    matrix *= np.where(ends < 1, 2 ** (before / 2), 1)
    return np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis).astype(x.dtype)


def _convolve(a: Any, v: Any, mode: str = "full", rank: int = 1) -> Any:
    """Each product of elements, added where it belongs."""
    lead, n, m = a.shape[:-rank], a.shape[-rank:], v.shape[-rank:]
    result = np.zeros((*lead, *np.add(n, m) - 1), a.dtype)
    for place in np.ndindex(m):
        where = tuple(slice(p, p + extent) for p, extent in zip(place, n, strict=True))
        result[(..., *where)] += a * v[(..., *place)].reshape((*lead, *(1,) * rank))
    if mode == "full":
        return result
    return result[(..., *(slice(k - 1, extent) for k, extent in zip(m, n, strict=True)))]


def _recurrence(a: Any, x: Any) -> Any:
    y = x.copy()
    for n in range(x.shape[-1]):
        for k in range(1, min(n, a.shape[-1]) + 1):
            y[..., n] -= a[..., k - 1] * y[..., n - k]
    return y


ORACLES: dict[str, Callable[..., Any]] = {
    "add_along_axis": _add_along,
    "all": lambda x, axes: np.all(x, axis=axes),
    "any": lambda x, axes: np.any(x, axis=axes),
    "apply_operator": lambda a, x, turn: (a.toarray().T if turn else a.toarray()) @ x,
    "argmax": lambda x, axis: np.argmax(x, axis),
    "argmin": lambda x, axis: np.argmin(x, axis),
    "argsort": _argsort,
    "broadcast_to": np.broadcast_to,
    "concatenate": lambda *parts, axis: np.concatenate(parts, axis),
    "contract": _contract,
    "convert": lambda x, dtype: x.astype(dtype),
    "cumsum": lambda x, axis: np.cumsum(x, axis, x.dtype),
    "convolve": _convolve,
    "embed": _embed,
    "fft": _fft,
    "expm": lambda a: _by_eigenvalues(np.exp, a),
    "flatnonzero": lambda mask, count: np.flatnonzero(mask),
    "frexp_exponent": lambda x: np.frexp(x)[1],
    "gather": lambda x, index, axis: np.take(x, index, axis),
    "imag": np.imag,
    "index": lambda x, entries: x[as_slices(entries)],
    "irfft": _irfft,
    "join": lambda re, im: (re + 1j * im).astype(f"c{2 * re.itemsize}"),
    "logm": lambda a: _by_eigenvalues(np.log, a),
    "max": lambda x, axes: np.max(x, axis=axes),
    "matrix_power": lambda a, t: _by_eigenvalues(lambda x: x**t, a),
    "min": lambda x, axes: np.min(x, axis=axes),
    "put": _put,
    "real": np.real,
    "recurrence": _recurrence,
    "reshape": np.reshape,
    "rfft": _rfft,
    "scatter_add": _scatter_add,
    "scatter_put": _scatter_put,
    "searchsorted": lambda a, v, side: np.searchsorted(a, v, side),
    "select": np.where,
    "signm": lambda a: _by_eigenvalues(lambda x: np.sign(x.real), a),
    **{f"spherical_{kind}n": _whole_order(f"spherical_{kind}n") for kind in "jyik"},
    "stein": _stein,
    "solve_banded": _solve_banded,
    "sqrtm": lambda a: _by_eigenvalues(np.sqrt, a),
    "sum": lambda x, axes: np.sum(x, axis=axes, dtype=x.dtype),
    "sylvester": _sylvester,
    "take_along_axis": np.take_along_axis,
    "threefry": _threefry,
    "transpose": np.transpose,
    "wave_transform": _wave,
    "winners": _winners,
    "zeta": _whole_order("zeta"),
    "wrap_index": lambda index, extent: np.arange(extent)[index],
}
