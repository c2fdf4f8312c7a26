"""Inputs for the laws: drawn from the domain that each record states.

A sample is one application of an op: the arrays that it is given and the further arguments of its
`build`. `Function` is that application as a graph, with a program that runs it at any point.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wengert.execution.interpreter import Program
from wengert.graph.node import Node
from wengert.graph.op import Op
from wengert.graph.registry import find
from wengert.graph.types import TupleType, array_type, is_inexact
from wengert.ops.domain import Box, Cases
from wengert.tracing.session import Session

DTYPES = tuple(np.dtype(c) for c in "?bhilBHILfdFD")

# Shapes of the arguments of an elementwise op, by their number: equal, 0-d, empty, broadcast.
SHAPES: dict[int, tuple[tuple[tuple[int, ...], ...], ...]] = {
    1: (((3,),), ((),), ((0, 2),)),
    2: (((3,), (3,)), ((), ()), ((0,), (1,)), ((2, 1), (3,)), ((), (2,))),
    3: (((3,), (3,), (3,)), ((2, 1), (), (3,))),
}


@dataclass(frozen=True)
class Sample:
    """op(*arrays, *params, **keywords)."""

    op: Op
    arrays: list[Any]
    params: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        given = ", ".join(f"{np.asarray(a).dtype}{list(np.shape(a))}" for a in self.arrays)
        return f"{self.op.name}({given}{''.join(f', {p}' for p in self.params)})"


def generator(*key: object) -> np.random.Generator:
    """Random numbers that depend on the key alone."""
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def in_box(
    rng: np.random.Generator, dtype: np.dtype[Any], interval: tuple[float, float], shape: Any
) -> Any:
    """A sample array of an interval."""
    low, high = interval
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.kind in "iu":
        least = max(int(np.ceil(low)), 0) if dtype.kind == "u" else int(np.ceil(low))
        return np.asarray(rng.integers(least, int(np.floor(high)) + 1, shape), dtype)
    value = rng.uniform(low, high, shape)
    if dtype.kind == "c":
        value = value + 1j * rng.uniform(low, high, shape)
    return np.asarray(value, dtype)


def samples(op: Op, dtype: np.dtype[Any], seed: int = 0) -> Iterator[Sample]:
    """The samples of an op with inputs of a dtype, which its domain claims."""
    rng = generator(op.name, dtype.str, seed)
    if isinstance(op.domain, Box):
        intervals = op.domain.intervals
        for shapes in SHAPES[len(intervals)]:
            arrays = [in_box(rng, dtype, i, s) for i, s in zip(intervals, shapes, strict=True)]
            yield Sample(op, arrays)
    elif isinstance(op.domain, Cases):
        for arrays, *further in op.domain.draw(rng, dtype):
            yield Sample(op, list(arrays), *further)


def claims(op: Op, dtype: np.dtype[Any]) -> bool:
    """Whether the domain of an op holds inputs of this dtype."""
    return op.domain is not None and dtype.kind in op.domain.kinds


class Function:
    """A sample as a graph: inputs, outputs, and their values anywhere."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.session = Session()
        self.inputs = [self._bind(array) for array in sample.arrays]
        result = sample.op(*self.inputs, *sample.params, **sample.keywords)
        kind = result.type
        parts = range(len(kind.items)) if isinstance(kind, TupleType) else None
        self.outputs = [result] if parts is None else [find("item")(result, k) for k in parts]
        self._program = Program(self.outputs)

    def _bind(self, array: Any) -> Node:
        if not isinstance(array, np.ndarray | np.generic):
            return self.session.capture_operator(array)
        return self.bind(array)

    def bind(self, array: Any) -> Node:
        """A further input with a value."""
        return self.session.input(array, array_type(array.shape, array.dtype))

    def at(self, arrays: Sequence[Any]) -> list[Any]:
        """The outputs for other values of the inputs."""
        values = dict(zip(self.inputs, arrays, strict=True))
        return [np.asarray(v) for v in self._program.run({**self.session.values, **values})]

    def values(self, nodes: Sequence[Node | None], like: Sequence[Node]) -> list[Any]:
        """Values of nodes in the session; those of `like` say what shape a zero has."""
        present = [node for node in nodes if node is not None]
        found = iter(Program(present).run(self.session.values)) if present else iter(())
        return [
            np.zeros(other.shape, other.dtype) if node is None else np.asarray(next(found))
            for node, other in zip(nodes, like, strict=True)
        ]

    @property
    def differentiable(self) -> list[int]:
        """The positions of the inputs that have tangents."""
        return [
            k
            for k, (node, array) in enumerate(zip(self.inputs, self.sample.arrays, strict=True))
            if isinstance(array, np.ndarray | np.generic) and is_inexact(node.dtype)
        ]

    @property
    def smooth_outputs(self) -> list[Node]:
        """The outputs that have tangents."""
        return [node for node in self.outputs if is_inexact(node.dtype)]


def direction(rng: np.random.Generator, like: Any) -> Any:
    """A random tangent of unit size for an array: complex for a complex one."""
    value = rng.uniform(0.3, 1, like.shape) * rng.choice([-1, 1], like.shape)
    if like.dtype.kind == "c":
        value = value + 1j * rng.uniform(0.3, 1, like.shape) * rng.choice([-1, 1], like.shape)
    return np.asarray(value, like.dtype)
