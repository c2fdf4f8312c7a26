"""A program on trial: on the interpreter for as long as compiling it would not have paid.

A solver that calls a small function fifty times is done before the compiler would be. So a program
runs as calls of NumPy first, and is compiled when these have taken as long as compiling may take
(the rule for renting or buying skis: at most twice the time of who knows the future). What has been
spent is remembered with the graph, for functions that are made anew.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from wengert import settings
from wengert.execution.interpreter import Program
from wengert.execution.programs import recall, remember
from wengert.graph.node import Node

BASE, NODE = 0.01, 3e-4
"""What compiling a program takes at least, and for each node of it, in seconds."""

LOADING = 0.1
"""What importing the compiler takes, once."""


class Trial:
    """A program on the interpreter, with the time that it has taken."""

    __slots__ = ("_program", "size", "spent")

    def __init__(self, outputs: Sequence[Node]) -> None:
        self._program = Program(outputs)
        self.size = self._program.size
        self.spent = 0.0

    @property
    def is_over(self) -> bool:
        """Whether the program is to be compiled now."""
        loading = 0.0 if "wengert.execution.compiled" in sys.modules else LOADING
        return self.spent > BASE + NODE * self.size + loading

    def run(self, values: Mapping[Node, Any]) -> list[Any]:
        """The values of the outputs."""
        began = perf_counter()
        try:
            return self._program.run(values)
        finally:
            self.spent += perf_counter() - began


def trial(outputs: Sequence[Node], inputs: Sequence[Node]) -> Trial | None:
    """The trial of a graph; None where it is over, or there is no compiler to wait for."""
    if not settings.native:
        return None
    key = ("trial", *outputs, None, *inputs)
    found: Trial | None = recall(key)
    if found is None:
        found = Trial(outputs)
        remember(key, found, found.size)
    return None if found.is_over else found
