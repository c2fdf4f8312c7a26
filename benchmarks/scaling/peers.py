"""The same work in JAX, compiled, and in PyTorch, as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scaling.entry import Work


def in_jax(
    build: Callable[[Any, Sequence[Any]], Callable[..., Any]],
    arguments: Sequence[Any],
    captured: Sequence[Any] = (),
) -> Callable[[], Work]:
    """What makes a call of build(jax, captured) under `jit`, with the arguments."""

    def make() -> Work:
        import jax

        compiled = jax.jit(build(jax, list(map(jax.numpy.asarray, captured))))
        points = list(map(jax.numpy.asarray, arguments))
        return lambda: jax.block_until_ready(compiled(*points))

    return make


def in_torch(
    build: Callable[[Any, Sequence[Any]], Callable[..., Any]],
    arguments: Sequence[Any],
    captured: Sequence[Any] = (),
) -> Callable[[], Work]:
    """What makes a call of build(torch, captured) with the arguments."""

    def make() -> Work:
        import torch

        function = build(torch, list(map(torch.as_tensor, captured)))
        points = list(map(torch.as_tensor, arguments))
        return lambda: function(*points)

    return make
