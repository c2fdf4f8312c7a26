"""The counter-based generator: Threefry-2x32 of 20 rounds.

Salmon, Moraes, Dror, Shaw, *Parallel random numbers: as easy as 1, 2, 3* (SC 2011). A number is a
function of a key and a counter alone, without state: the numbers of a batch, of a part, of a thread
are the same as those of a loop. Key, counter and result are uint64, each of them two words of 32
bits, the first of which is the upper one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import lazy
from wengert.errors import WengertTypeError
from wengert.graph.node import Node, make
from wengert.graph.op import ZERO, Op
from wengert.graph.types import INT, DType, array_type
from wengert.ops.domain import Cases
from wengert.ops.families import NOT_LINEAR, batch_elementwise, broadcast_shapes, define, fit
from wengert.ops.native import by_method
from wengert.ops.special.ufunc import SCIPY

WORDS: DType = np.dtype(np.uint64)
WORD = np.uint32
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
"""By how many bits a word is rotated: in the rounds of even and of odd groups of four."""
GROUPS = 5
PARITY = 0x1BD11BDA
BLOCK = 8_192
"""Numbers that are made at a time, so that their words stay in the cache."""


def threefry(key: Any, counter: Any) -> np.ndarray[Any, Any]:
    """The numbers of uint64 counters under uint64 keys, which broadcast; of ndarrays."""
    key, counter = np.asarray(key, WORDS), np.asarray(counter, WORDS)
    result = np.empty(np.broadcast_shapes(key.shape, counter.shape), WORDS)
    keys = np.broadcast_to(key, result.shape).reshape(-1) if key.ndim else key.reshape(1)
    counters = np.broadcast_to(counter, result.shape).reshape(-1)
    flat = result.reshape(-1)
    for start in range(0, flat.size, BLOCK):
        part = slice(start, start + BLOCK)
        flat[part] = _block(keys[part] if key.ndim else keys, counters[part])
    return result


def _block(key: Any, counter: Any) -> Any:
    k0, k1 = (key >> 32).astype(WORD), key.astype(WORD)
    schedule = (k0, k1, k0 ^ k1 ^ WORD(PARITY))
    x0, x1 = (counter >> 32).astype(WORD), counter.astype(WORD)
    x0 += k0
    x1 += k1
    turned = np.empty_like(x1)
    for group in range(GROUPS):
        for by in ROTATIONS[group % 2]:
            x0 += x1
            np.left_shift(x1, WORD(by), out=turned)
            x1 >>= WORD(32 - by)
            x1 |= turned
            x1 ^= x0
        x0 += schedule[(group + 1) % 3]
        x1 += schedule[(group + 2) % 3] + WORD(group + 1)
    return x0.astype(WORDS) << np.uint64(32) | x1


def _build(key: Node, counter: Node) -> Node:
    for node in (key, counter):
        if node.dtype != WORDS:
            raise WengertTypeError(f"keys and counters are uint64, not {node.dtype}")
    shape = broadcast_shapes(key.shape, counter.shape)
    args = (fit(key, WORDS, shape), fit(counter, WORDS, shape))
    return make(threefry_op, args, None, array_type(shape, WORDS))


def _evaluate(node: Node) -> Callable[..., Any]:
    return threefry


def _words(rng: np.random.Generator, *shape: int) -> Any:
    return rng.integers(0, 2**64, shape, WORDS)


def _draw(rng: np.random.Generator, dtype: Any) -> Any:
    yield [_words(rng, 3), _words(rng, 3)], ()
    yield [_words(rng), _words(rng, 2, 17)], ()
    yield [_words(rng, 2, 1), _words(rng, 3)], ()
    yield [_words(rng), _words(rng, 0)], ()
    yield [_words(rng), _words(rng)], ()


threefry_op: Op = define(
    "threefry",
    family="elementwise",
    build=_build,
    infer=lambda types, params: array_type(types[0].shape, WORDS),
    evaluate=_evaluate,
    pushforward=ZERO,
    transpose=NOT_LINEAR,
    batch=batch_elementwise,
    native=by_method("threefry"),
    sparsity=ZERO,
    label="threefry({0}, {1})",
    domain=Cases(_draw, kinds="u"),
)
"""The numbers of counters under keys."""


# ------------------------------------------------------------- distributions of whole numbers


def quantile_of(name: str, u: Any, *parameters: Any) -> Any:
    """The least whole number k with P(X ≤ k) ≥ u; −1 where a parameter is out of range.

    SciPy inverts the distribution functions in k as a real number, to rounding: the whole number
    below is taken where its probability suffices.
    """
    special = lazy.module("scipy.special")
    inverse, below, look = _DISCRETE[name]
    known, certain, valid = look(*parameters)
    if name == "binomial":  # SciPy takes whole numbers of trials alone
        parameters = (np.where(valid, parameters[0], 0).astype(INT), *parameters[1:])
    with np.errstate(all="ignore"):
        found = np.ceil(getattr(special, inverse)(u, *parameters))
        lower = np.maximum(found - 1, 0)
        found = np.where(getattr(special, below)(lower, *parameters) >= u, lower, found)
    found = np.where(known, certain, found)
    return np.where(valid, found, -1).astype(INT)


def _poisson(mean: Any) -> tuple[Any, Any, Any]:
    return mean == 0, 0, (mean >= 0) & np.isfinite(mean)


def _binomial(n: Any, p: Any) -> tuple[Any, Any, Any]:
    whole = (n >= 0) & (np.floor(n) == n)
    return (p == 0) | (p == 1) | (n == 0), np.where(p == 1, n, 0), whole & (p >= 0) & (p <= 1)


_DISCRETE: dict[str, tuple[str, str, Callable[..., Any]]] = {
    "poisson": ("pdtrik", "pdtr", _poisson),
    "binomial": ("bdtrik", "bdtr", _binomial),
}
"""The inverse in k, the distribution function, and what says where the draw is certain, what it is
there, and where the parameters are in range."""


def _build_quantile(u: Node, *parameters: Node, of: str) -> Node:
    return make(quantile, (u, *parameters), (of,), array_type(u.shape, INT))


def _evaluate_quantile(node: Node) -> Callable[..., Any]:
    (name,) = node.params
    return lambda u, *parameters: np.broadcast_to(quantile_of(name, u, *parameters), node.shape)


def _draw_quantile(rng: np.random.Generator, dtype: Any) -> Any:
    u = rng.random(6)
    yield [u, np.array([0.0, 0.3, 3.0, 40.0, 1e6, -1.0])], (), {"of": "poisson"}
    n, p = np.array([0.0, 5.0, 5.0, 100.0, 7.0, 2.5]), np.array([0.5, 0.0, 0.3, 0.9, 1.0, 0.5])
    yield [u, n, p], (), {"of": "binomial"}


quantile: Op = define(
    "quantile",
    family="sampling",
    build=_build_quantile,
    infer=lambda types, params: array_type(types[0].shape, INT),
    evaluate=_evaluate_quantile,
    pushforward=ZERO,
    transpose=NOT_LINEAR,
    batch=batch_elementwise,
    native=SCIPY,
    sparsity=ZERO,
    label="quantile {0}",
    domain=Cases(_draw_quantile, kinds="f"),
)
"""Draws of whole numbers, by the name of the distribution."""
