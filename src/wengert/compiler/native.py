"""What the compiler makes of a graph: machine code with one calling convention.

    i64 program(ptr inputs, ptr outputs, ptr arena, ptr table)

    inputs    addresses of the inputs' data: C-contiguous, aligned, in native byte order
    outputs   addresses of memory for the outputs, C-contiguous
    arena     scratch memory of `arena_bytes`, aligned to 64 bytes, that nobody else uses meanwhile
    table     addresses of what is outside the object file (BLAS, the thread pool)

The status 0 is success. After any other the outputs mean nothing, and the caller runs the
interpreter on the same inputs, which raises the right error or gives the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wengert.compiler.machine import Loaded
from wengert.graph.types import ArrayType


@dataclass(frozen=True, slots=True, eq=False)
class Native:
    """A compiled program.

    arena_bytes: scratch memory needed. table: the ctypes array of addresses, kept alive here.
    long: whether a call takes long enough to let other threads run meanwhile.
    """

    inputs: tuple[ArrayType, ...]
    outputs: tuple[ArrayType, ...]
    arena_bytes: int
    table: Any
    long: bool
    code: Loaded

    @property
    def address(self) -> int:
        """The address of `program`."""
        return self.code.address("program")
