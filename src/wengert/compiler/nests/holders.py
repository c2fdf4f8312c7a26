"""Loops and branches that the graph holds as one op: the programs of their bodies, and memories.

The body of a holder is a program of its own inside the module: a function with the arguments of
`program`, compiled the way that suits it, as loop nests or as operations on single numbers.

A tape is a handle of three words: the address of its rows, how many there is room for, how many
there are. The rows come from `malloc`, and the program frees those that it does not give away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from wengert.compiler.nests.references import Reference, of_memory
from wengert.compiler.nests.statements import Call, Edge, Memory
from wengert.graph.body import Body
from wengert.graph.node import Node
from wengert.graph.types import INT, ArrayType, DType, TapeType, TupleType, Type

if TYPE_CHECKING:
    from wengert.compiler.nests.lowering import Lowering

WORDS = 3
"""The words of a tape's handle."""
BYTE: DType = np.dtype(np.uint8)


class Program(Protocol):
    """A program inside another: of loop nests or of operations on numbers."""

    declared: dict[str, str]
    body: str
    arena_bytes: int

    @property
    def table(self) -> tuple[str, ...]: ...

    @property
    def work(self) -> int: ...


_OWN = re.compile(r"@(program|nest\d+|part\d+|join\d+|rule\d+)\b")


def included(part: Program, number: int) -> tuple[dict[str, str], str]:
    """What a part declares and defines, under names of its own."""

    def renamed(text: str) -> str:
        return _OWN.sub(rf"@\1.{number}", text)

    declared = {
        f"{name}.{number}" if f"@{name}" in text and _OWN.match(f"@{name}") else name: renamed(text)
        for name, text in part.declared.items()
    }
    body = renamed(part.body).replace("define i64 @program", "define internal i64 @program")
    return declared, body


# ---------------------------------------------------------------------------------- lowering


@dataclass(frozen=True, slots=True)
class Held:
    """What the emission of a holder knows beside its memories.

    parts: the programs of its bodies, by number. sizes: of its groups of inputs.
    types: of its inputs and of its results. scratch: the memories that parts work in.
    """

    node: Node
    parts: tuple[tuple[int, Program], ...]
    args: tuple[Memory, ...]
    results: tuple[Memory, ...]
    spare: tuple[tuple[Memory, Memory], ...]
    scratch: tuple[Memory, ...]


def in_array(type: Type) -> tuple[DType, int]:
    """(dtype, size) of the memory of a value: of an array, or of a tape's handle."""
    return (type.dtype, type.size) if isinstance(type, ArrayType) else (INT, WORDS)


def of_type(memory: Memory, type: Type) -> Reference:
    """All of a memory that holds a value of a type."""
    return of_memory(memory, type.shape if isinstance(type, ArrayType) else (WORDS,))


def room(lowering: Lowering, type: Type) -> Memory:
    """A memory for a value of a type."""
    memory = lowering.buffer(*in_array(type))
    memory.tape = isinstance(type, TapeType)
    return memory


def lower(lowering: Lowering, node: Node, bodies: Sequence[Body], carried: Sequence[int]) -> Any:
    """The references to the results of a holder. carried: which results its steps hand on."""
    args = []
    for arg in node.args:
        source = lowering.in_memory(lowering.references[arg]).source
        assert isinstance(source, Memory)
        args.append(source)
    types: TupleType = node.type
    results = tuple(room(lowering, type) for type in types.items)
    spare = tuple((room(lowering, types.items[k]), room(lowering, types.items[k])) for k in carried)
    parts = tuple(lowering.program(body) for body in bodies)
    scratch = tuple(lowering.buffer(BYTE, max(part.arena_bytes, 1)) for _, part in parts)
    held = Held(node, parts, tuple(args), results, spare, scratch)
    call = Call(
        node.op.name,
        [Edge(memory) for memory in args],
        [*results, *(one for pair in spare for one in pair), *scratch],
        held,
        _times(node) * sum(part.work for _, part in parts),
    )
    lowering.steps.append(call)
    for memory in call.results:
        memory.writers.append(call)
    return tuple(of_type(m, type) for m, type in zip(results, types.items, strict=True))


LIKELY = 100
"""How many steps a loop of unknown length is taken for."""


def _times(node: Node) -> int:
    """How often the bodies of a holder run, about."""
    if node.op.name == "branch":
        return 1
    length = node.params[3] if node.op.name == "scan" else None
    return LIKELY if length is None else int(length)


def lower_scan(lowering: Lowering, node: Node) -> Any:
    body, _, carry, _, _ = node.params
    return lower(lowering, node, [body], range(carry))


def lower_repeat(lowering: Lowering, node: Node) -> Any:
    condition, body, _, consts = node.params
    return lower(lowering, node, [condition, body], range(len(body.params) - consts))


def lower_branch(lowering: Lowering, node: Node) -> Any:
    return lower(lowering, node, node.params, ())


def lower_item(lowering: Lowering, node: Node) -> Any:
    return lowering.references[node.args[0]][node.params[0]]
