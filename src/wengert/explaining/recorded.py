"""What a function under `jit` has recorded: its signatures, and its programs for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wengert.errors import WengertValueError
from wengert.execution.jit import MOST_PATHS, Jitted
from wengert.execution.paths import Path
from wengert.graph.node import Node


@dataclass(frozen=True, slots=True)
class Signature:
    """One form of the arguments, and the ways through the function that were traced for it.

    leaves: shapes, dtypes or types of the leaves. static: what is static of the arguments.
    """

    structure: Any
    leaves: tuple[Any, ...]
    static: Any
    paths: tuple[Path, ...]

    @property
    def is_full(self) -> bool:
        """Whether further ways are traced at each call."""
        return len(self.paths) >= MOST_PATHS


def recorded(function: Jitted) -> tuple[Signature, ...]:
    """What a function has recorded, the newest signature last.

    Raises WengertValueError where it has not been called.
    """
    found = tuple(Signature(*key, tuple(paths)) for key, paths in function.recorded() if paths)
    if not found:
        raise WengertValueError(
            f"{function.__name__} has not been called yet, so that jit has recorded nothing: call "
            f"it first, or give its arguments, explain({function.__name__}, *args)"
        )
    return found


def program_of(path: Path) -> tuple[Sequence[Node], Sequence[Node]]:
    """(outputs, inputs) of one way through a function."""
    return (*path.guards, *path.outputs), (*path.inputs, *(node for node, _ in path.bound))
