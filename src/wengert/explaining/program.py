"""`trace`: the program that a function becomes, from the graph down to machine code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wengert.compiler.machine import assembly
from wengert.compiler.nests.printing import Room, listing
from wengert.compiler.pipeline import module_of
from wengert.compiler.support import is_native
from wengert.execution.compiled import Compiled, Step, simplified
from wengert.execution.retrying import retried
from wengert.explaining.tracing import traced
from wengert.graph.node import Node
from wengert.graph.text import show
from wengert.graph.walk import topological


@dataclass(frozen=True, slots=True)
class Listing:
    """A compiled program for people.

    kernels: its loops. arena_bytes: scratch memory in all; arrays that are not alive at the same
    time share room there. rooms: those arrays. llvm: the module; passes: LLVM's that it is given.
    """

    kernels: str
    arena_bytes: int
    rooms: tuple[Room, ...]
    llvm: str
    passes: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Trace:
    """The program that a function becomes under `jit`, for arguments of some shapes and dtypes.

    function: its name.
    graph: what was traced, a line an operation; returned are first the values that control flow
        asked for, of which there are `guards`, then the results.
    simplified: the same after simplification, as it is compiled.
    programs: what is machine code, with loop nests, memory and LLVM module each. There is one,
        unless host calls stand between.
    host_calls: (op, reason) of what runs as calls of NumPy.
    """

    function: str
    graph: str
    simplified: str
    guards: int
    programs: tuple[Listing, ...]
    host_calls: tuple[tuple[str, str], ...]

    @property
    def kernels(self) -> str:
        """The loop nests, in order. in0, in1, … and out0, out1, … are inputs and outputs."""
        return _numbered([program.kernels for program in self.programs])

    @property
    def memory(self) -> str:
        """The scratch memory: its size, and the arrays in it, which share room where they can."""
        return _numbered([_memory(program) for program in self.programs])

    @property
    def llvm(self) -> str:
        """The LLVM modules, before LLVM's own passes."""
        return _numbered([program.llvm for program in self.programs], comment="; ")

    @property
    def assembly(self) -> str:
        """The machine code for this processor."""
        texts = [assembly(program.llvm, program.passes) for program in self.programs]
        return _numbered(texts, comment="# ")

    def __repr__(self) -> str:
        parts = [f"{self.function}, simplified:\n{self.simplified.rstrip()}"]
        if self.programs:
            parts += [f"kernels:\n{self.kernels}", f"scratch memory:\n{self.memory}"]
        if self.host_calls:
            calls = [f"    {name}: {reason}" for name, reason in self.host_calls]
            parts.append("\n".join(["host calls:", *calls]))
        return "\n\n".join(parts)


@retried
def trace(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Trace:
    """Trace a function and compile it as `jit` does, and show what becomes of it.

    Parameters
    ----------
    f
        A function written with NumPy, or what `grad` and the like make of one.
    args, kwargs
        Its arguments: numbers, arrays, or structures of them.

    Returns
    -------
    A report that prints the graph, the loop nests, and the scratch memory. `.graph`, `.simplified`,
    `.kernels`, `.memory`, `.llvm` and `.assembly` are texts; `.host_calls` tells what has no
    machine code, and why.

    Raises
    ------
    WengertTypeError
        Where an argument cannot be traced.

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> wg.trace(lambda x: np.sum(np.sin(x) * x), np.linspace(0.0, 1.0, 1000))
    <lambda>, simplified:
    %0 = input[0, float64[1000]]() : float64[1000]
    %1 = sin(%0) : float64[1000]
    %2 = multiply(%0, %1) : float64[1000]
    %3 = sum[(0,)](%2) : float64[]
    return %3
    <BLANKLINE>
    kernels:
    nest 0:
        for i in range(1000), ... at a time:
            %0 = sin(in0[i])
            %1 = multiply(in0[i], %0)
            %2 = sum over i of %1
        out0[0] = %2
    <BLANKLINE>
    scratch memory:
    0 bytes
    """
    name = getattr(f, "__name__", "f")
    found = traced(f, args, kwargs, name)
    outputs, inputs, guards = found.outputs, found.inputs, found.guards
    simple = simplified(outputs, inputs)
    listings, host_calls = _compiled(simple, inputs)
    return Trace(
        name, show(outputs, inputs), show(simple, inputs), len(guards), listings, host_calls
    )


def _compiled(
    outputs: Sequence[Node], inputs: Sequence[Node]
) -> tuple[tuple[Listing, ...], tuple[tuple[str, str], ...]]:
    """(the compiled programs, the host calls)."""
    if outputs and all(map(is_native, topological(outputs, stop=set(inputs)))):
        return (_listing(outputs, inputs),), ()
    compiled = Compiled(outputs)
    steps = [step for step in compiled.steps if isinstance(step, Step)]
    return tuple(_listing(step.outputs, step.inputs) for step in steps), compiled.host_calls


def _listing(outputs: Sequence[Node], inputs: Sequence[Node]) -> Listing:
    module = module_of(outputs, inputs)
    kernels, rooms = listing(module)
    return Listing(kernels, module.arena_bytes, rooms, module.text, module.passes)


def _numbered(texts: list[str], comment: str = "") -> str:
    """The texts, under headings where there are several."""
    if len(texts) < 2:
        return "".join(texts)
    return "\n\n".join(f"{comment}program {k}\n{text}" for k, text in enumerate(texts))


def _memory(program: Listing) -> str:
    lines = [f"{program.arena_bytes} bytes"]
    for room in program.rooms:
        kind = "" if room.dtype is None else f"{room.dtype}, "
        lines.append(f"    {room.name}: {kind}{room.nbytes} bytes")
    return "\n".join(lines)
