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
from wengert.compiler.nests.statements import Call, Edge, Memory, Statement
from wengert.graph.body import Body
from wengert.graph.node import Node
from wengert.graph.types import INT, ArrayType, DType, TapeType, TupleType, Type

if TYPE_CHECKING:
    from wengert.compiler.nests.lowering import Lowering

WORDS = 3
"""The words of a tape's handle."""
BYTE: DType = np.dtype(np.uint8)
WORD, LINE = 16, 64
"""What small and large values are aligned to, in bytes."""


class Program(Protocol):
    """A program inside another: of loop nests or of operations on numbers."""

    declared: dict[str, str]
    body: str
    arena_bytes: int

    @property
    def table(self) -> tuple[str, ...]: ...

    @property
    def work(self) -> int: ...


MOST_INLINED = 4_000
"""Lines of a program that is written into the loop that calls it: its addresses then stay in
registers."""

_OWN = re.compile(r"@(program|nest\d+|part\d+|join\d+|rule\d+)\b")


def included(part: Program, number: int, calls: int) -> tuple[dict[str, str], str]:
    """What a part declares and defines, under names of its own. calls: in how many places it is
    called; one that is called in several is a function there."""

    def renamed(text: str) -> str:
        return _OWN.sub(rf"@\1.{number}", text)

    declared = {renamed(f"@{name}")[1:]: renamed(text) for name, text in part.declared.items()}
    body = renamed(part.body).replace("define i64 @program", "define internal i64 @program")
    if calls == 1 and body.count("\n") <= MOST_INLINED:
        body = body.replace(" noinline nounwind", " alwaysinline nounwind")
        body = body.replace("ptr %table) {", "ptr %table) alwaysinline {")
    return declared, body


# ---------------------------------------------------------------------------------- lowering


@dataclass(frozen=True, slots=True)
class Held:
    """What the emission of a holder knows beside its memories.

    parts: the programs of its bodies, by number. args, results: memories.
    carried: how many of the results, the first ones, its steps hand on. blocks: the two places of
    what they hand on; offsets: where each lies there. scratch: the memories that parts work in.
    """

    node: Node
    parts: tuple[tuple[int, Program], ...]
    args: tuple[Memory, ...]
    results: tuple[Memory, ...]
    carried: int
    blocks: tuple[Memory, Memory]
    offsets: tuple[int, ...]
    scratch: tuple[Memory, ...]


def parts(type: Type) -> tuple[Any, ...]:
    """The types of the arrays that a value is made of."""
    return type.items if isinstance(type, TupleType) else (type,)


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


def lower(
    lowering: Lowering, node: Node, bodies: Sequence[Body], carried: int, threads: int = 1
) -> Any:
    """The references to the results of a holder. carried: how many of them its steps hand on.
    threads: as many run a body at most; one, if it is called in a loop."""
    args = []
    for arg in node.args:
        source = lowering.in_memory(lowering.references[arg]).source
        assert isinstance(source, Memory)
        args.append(source)
    types: TupleType = node.type
    results = tuple(room(lowering, type) for type in types.items)
    offsets, size = in_a_row([memory.nbytes for memory in results[:carried]])
    blocks = lowering.buffer(BYTE, max(size, 1)), lowering.buffer(BYTE, max(size, 1))
    parts = tuple(lowering.program(body, threads) for body in bodies)
    scratch = tuple(lowering.buffer(BYTE, max(part.arena_bytes, 1)) for _, part in parts)
    call = Call(
        node.op.name,
        [Edge(memory) for memory in args],
        [*results, *blocks, *scratch],
        Held(node, parts, tuple(args), results, carried, blocks, offsets, scratch),
        _times(node) * sum(part.work for _, part in parts),
    )
    lowering.steps.append(call)
    for memory in call.results:
        memory.writers.append(call)
    return tuple(of_type(m, type) for m, type in zip(results, types.items, strict=True))


def in_a_row(sizes: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """Offsets of values that lie one behind the other, and the bytes of all of them."""
    offsets, end = [], 0
    for size in sizes:
        align = LINE if size >= LINE else WORD
        end = -(-end // align) * align
        offsets.append(end)
        end += size
    return tuple(offsets), -(-end // LINE) * LINE if end >= LINE else -(-end // WORD) * WORD


def interleave(lowering: Lowering) -> None:
    """Let what the steps of a loop leave for the steps of other loops lie together, step by step:
    one address is then enough for all of it. What is read in any other way stays as it is, rows of
    another length too."""
    rows_read: dict[Memory, set[int | None]] = {}
    for step in lowering.steps:
        for k, edge in enumerate(step.args):
            if isinstance(edge.source, Memory):
                rows_read.setdefault(edge.source, set()).add(_row_bytes(step, k))
    for step in lowering.steps:
        if not isinstance(step, Call) or step.what != "scan" or step.params.node.params[3] is None:
            continue
        held: Held = step.params
        length = held.node.params[3]
        columns = [
            memory
            for memory in held.results[held.carried :]
            if memory.where == "buffer" and rows_read.get(memory) == {memory.nbytes // length}
        ]
        if len(columns) < 2:
            continue
        offsets, size = in_a_row([memory.nbytes // length for memory in columns])
        together = lowering.buffer(BYTE, size * length)
        together.writers.append(step)
        for memory, offset in zip(columns, offsets, strict=True):
            memory.row = (together, offset, size)


def _row_bytes(step: Statement | Call, k: int) -> int | None:
    """The bytes of what each step of a loop of known length is given of the k-th input; None where
    steps are given all of it, or there are none."""
    if not isinstance(step, Call) or step.what != "scan":
        return None
    node = step.params.node
    _, consts, carry, length, _ = node.params
    return None if length is None or k < consts + carry else node.args[k].type.nbytes // length


LIKELY = 100
"""How many steps a loop of unknown length is taken for."""


def _times(node: Node) -> int:
    """How often the bodies of a holder run, about."""
    if node.op.name in ("branch", "checkpoint"):
        return 1
    length = node.params[3] if node.op.name == "scan" else None
    return LIKELY if length is None else int(length)


def lower_scan(lowering: Lowering, node: Node) -> Any:
    body, _, carry, _, _ = node.params
    return lower(lowering, node, [body], carry)


def lower_repeat(lowering: Lowering, node: Node) -> Any:
    condition, body, _, consts = node.params
    return lower(lowering, node, [condition, body], len(body.params) - consts)


def lower_branch(lowering: Lowering, node: Node) -> Any:
    return lower(lowering, node, node.params, 0)


def lower_checkpoint(lowering: Lowering, node: Node) -> Any:
    return lower(lowering, node, node.params, 0, lowering.threads)


def lower_item(lowering: Lowering, node: Node) -> Any:
    return lowering.references[node.args[0]][node.params[0]]
