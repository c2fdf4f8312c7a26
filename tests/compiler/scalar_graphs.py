"""Graphs of programs of small values, run as machine code and by the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.compiler.machine import Loaded, object_code
from wengert.compiler.native import Native
from wengert.compiler.scalars.program import ScalarProgram, scalar_program
from wengert.execution.border import as_input
from wengert.execution.calling import portable
from wengert.execution.interpreter import Program
from wengert.graph.node import Node
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer
from wengert.tracing.trees import flatten, unflatten
from wengert.transforms.simplify import simplify


@dataclass(frozen=True)
class Graph:
    """The outputs of a traced function, simplified as the compiler gets them, its leaves and their
    values."""

    outputs: tuple[Node, ...]
    leaves: tuple[Node, ...]
    values: tuple[Any, ...]

    def interpreted(self) -> list[Any]:
        """What the interpreter finds."""
        return Program(self.outputs).run(dict(zip(self.leaves, self.values, strict=True)))

    def program(self, roll: bool = True) -> ScalarProgram:
        """The program of it."""
        found = scalar_program(self.outputs, self.leaves, roll=roll)
        assert found is not None
        return found

    def native(self, program: ScalarProgram, contract: bool = True) -> Native:
        """The machine code of a program; without contraction to fused multiply-adds it rounds
        each operation as NumPy does."""
        text = program.text if contract else program.text.replace(" contract ", " ")
        types = [tuple(node.type for node in nodes) for nodes in (self.leaves, self.outputs)]
        return Native(*types, program.arena_bytes, None, False, Loaded(object_code(text)))

    def run(self, native: Native) -> list[Any]:
        """What machine code finds."""
        arrays = [
            np.require(np.asarray(value), leaf.dtype, ("C", "A"))
            for leaf, value in zip(self.leaves, self.values, strict=True)
        ]
        found = portable.run(native, arrays)
        assert found is not None
        return found


def traced(function: Callable[..., Any], *args: Any) -> Graph:
    """The graph of a function at these arguments."""
    with outermost(guarded=True) as session:
        leaves, spec = flatten(args)
        tracers = [as_input(session, leaf, f"leaf {k}") for k, leaf in enumerate(leaves)]
        inputs = [tracer.node for tracer in tracers]
        session.running = True
        found, _ = flatten(function(*unflatten(spec, tracers)))
        bound = session.read_later(inputs)
        nodes = (*inputs, *[node for node, _ in bound])
        outputs = [leaf.node for leaf in found if type(leaf) is Tracer]
        values = (*leaves, *[value for _, value in bound])
        return Graph(tuple(simplify(outputs, nodes)), nodes, values)


def assert_same_bits(found: Sequence[Any], expected: Sequence[Any]) -> None:
    """Equal to the last bit, zeros with their signs."""
    for a, b in zip(found, expected, strict=True):
        b = np.asarray(b)
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_array_equal(a, b)
        if a.dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(a), np.signbit(b))
