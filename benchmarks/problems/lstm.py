"""ADBench's LSTM: two layers of 14 features with elementwise gates, over 1024 steps, as a scan.

PyTorch and autograd have no scan; their programs are the loop in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from yardstick.floor import Floor, FloorLibrary, bind
from yardstick.problem import Arguments, Problem

LAYERS, FEATURES, STEPS = 2, 14, 1024


def arguments(layers: int, features: int, steps: int) -> Arguments:
    """(gates of each layer: weights and biases; how input and output are scaled; the first hidden
    and cell states of each layer; the sequence)."""
    rng = np.random.default_rng(0)
    main = rng.normal(size=(layers, 2, 4, features))
    extra = rng.normal(size=(3, features))
    state = rng.normal(size=(layers, 2, features))
    sequence = rng.uniform(size=(steps, features))
    return main, extra, state, sequence


def step(np: Any, main: Any, extra: Any, state: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """The states after a step, and the logarithm of the likelihood of y."""

    def sigmoid(a: Any) -> Any:
        return 1 / (1 + np.exp(-a))

    states = []
    x = x * extra[0]
    for layer in range(main.shape[0]):
        (w, b), (hidden, cell) = main[layer], state[layer]
        forget = sigmoid(x * w[0] + b[0])
        ingate = sigmoid(hidden * w[1] + b[1])
        outgate = sigmoid(x * w[2] + b[2])
        cell = cell * forget + ingate * np.tanh(hidden * w[3] + b[3])
        x = outgate * np.tanh(cell)
        states.append((x, cell))
    predicted = x * extra[1] + extra[2]
    normal = predicted - np.log(2 + np.sum(np.exp(predicted)))
    return states, np.sum(y * normal)


def looped(np: Any) -> Callable[..., Any]:
    """The loop in Python."""

    def loss(main: Any, extra: Any, state: Any, sequence: Any) -> Any:
        states = [(state[layer, 0], state[layer, 1]) for layer in range(main.shape[0])]
        total = 0.0
        for t in range(sequence.shape[0] - 1):
            states, likelihood = step(np, main, extra, states, sequence[t], sequence[t + 1])
            total = total + likelihood
        return -total / ((sequence.shape[0] - 1) * sequence.shape[1])

    return loss


def scanned(scan: Callable[..., Any], np: Any) -> Callable[..., Any]:
    """The loop as one operation of the library."""

    def loss(main: Any, extra: Any, state: Any, sequence: Any) -> Any:
        def one(carry: Any, pair: Any) -> Any:
            states, total = carry
            states, likelihood = step(np, main, extra, states, *pair)
            return (states, total + likelihood), None

        states = [(state[layer, 0], state[layer, 1]) for layer in range(main.shape[0])]
        pairs = (sequence[:-1], sequence[1:])
        (_, total), _ = scan(one, (states, 0.0), pairs)
        return -total / ((sequence.shape[0] - 1) * sequence.shape[1])

    return loss


def wengert_scan(np: Any) -> Callable[..., Any]:
    import wengert

    return scanned(wengert.scan, np)


def jax_scan(np: Any) -> Callable[..., Any]:
    import jax

    return scanned(partial(jax.lax.scan, unroll=8), np)


def floor(floors: FloorLibrary, arguments: Arguments) -> Floor:
    main, extra, state, sequence = arguments
    steps, features = sequence.shape
    g, ge = np.empty_like(main), np.empty_like(extra)
    given = (steps, len(main), features, main, extra, state, sequence)
    return Floor(bind(floors, "lstm_f", given), bind(floors, "lstm_fg", (*given, g, ge), (g, ge)))


PROBLEMS = (
    Problem(
        name="lstm",
        arguments=partial(arguments, LAYERS, FEATURES, STEPS),
        small=partial(arguments, 2, 3, 8),
        function=looped,
        argnums=(0, 1),
        otherwise={"wengert": wengert_scan, "jax": jax_scan},
        floor=floor,
    ),
)
