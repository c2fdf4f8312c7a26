"""From a graph to the text of an LLVM module: lower, build loops, place values, emit.

The statements and calls of a program run in stages: the loops of a stage, then its calls. Loops are
cut into functions of moderate size, whose parameters are the memories that they use, none of which
overlaps another. `program` calls them in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from wengert.compiler.code import Code
from wengert.compiler.machine import PASSES, vector_bytes
from wengert.compiler.nests import matrices
from wengert.compiler.nests.access import Env
from wengert.compiler.nests.axes import classify
from wengert.compiler.nests.calls import emit_call
from wengert.compiler.nests.emission import Emitter
from wengert.compiler.nests.holders import Program, included
from wengert.compiler.nests.looping import (
    emit_branch,
    emit_checkpoint,
    emit_repeat,
    emit_scan,
    free_tapes,
)
from wengert.compiler.nests.lowering import Lowering
from wengert.compiler.nests.parallel import Divided, is_divisible, room
from wengert.compiler.nests.placing import in_place
from wengert.compiler.nests.statements import Call, Memory, Source, Statement
from wengert.compiler.nests.storage import Slot, Storage
from wengert.compiler.nests.tree import LEAST_VECTOR, Builder, Item, Loop, flat, live
from wengert.graph.node import Node

MOST_STATEMENTS = 1_500
"""Statements of one loop body, at most: the time of LLVM's passes grows faster than linearly."""
FUNCTION = 300
"""Statements of one function, about."""
MOST_INLINED = 2
"""Calls of an elementary function that are inlined, at most."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module: what it declares and defines, the scratch memory it needs, the names of its table.

    functions, calls, buffers, lanes: what each loop function does, what stands between them, what
        they keep in memory and how many points they do at once, for people.
    sources: what makes the value of each node, or of each of its results, for people.
    work: points computed, in all.
    """

    declared: dict[str, str]
    body: str
    arena_bytes: int
    table: tuple[str, ...]
    functions: tuple[tuple[Item, ...], ...]
    calls: tuple[Call, ...]
    buffers: tuple[Memory, ...]
    lanes: int
    sources: dict[Node, tuple[Source, ...]]
    work: int

    passes: ClassVar[tuple[str, ...]] = PASSES

    @property
    def text(self) -> str:
        """The module as LLVM reads it."""
        return "\n".join([*_sized(self.declared, self.body), self.body])

    @property
    def what(self) -> str:
        """In some words."""
        return f"{len(self.functions)} loop functions"


def nest_module(
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    program_of: Callable[[Sequence[Node], Sequence[Node], int], Program],
    threads: int = 1,
) -> Module:
    """The module of a graph all of whose ops have native rules; its big loops run in as many
    threads at most. program_of: what makes the programs of the bodies that its ops carry."""
    lowering = Lowering(outputs, inputs, program_of, threads)
    steps = in_place(lowering.steps)
    statements = [s for s in steps if isinstance(s, Statement)]
    extents = classify(statements)
    lanes = lanes_for(statements, extents)
    builder = Builder(extents, lanes, len(lowering.steps))
    stages, calls = _staged(steps)
    units: list[list[Item]] = []
    order: list[int | Call] = []
    count = max([*stages, *calls], default=-1) + 1
    built = [builder.build(stages.get(number, []), set(), True) for number in range(count)]
    for number, items in enumerate(live(built)):
        for unit in _units(items, threads):
            order.append(len(units))
            units.append(unit)
        order += calls.get(number, [])
    storage = Storage(units, extents, lanes)
    return _written(order, units, storage, lowering, threads)


def lanes_for(statements: Sequence[Statement], extents: dict[int, int]) -> int:
    """T: four vector registers of the widest common dtype hide latency; fewer for small axes."""
    sizes = [s.dtype.itemsize for s in statements if s.dtype.kind == "f"]
    lanes = 4 * vector_bytes() // (4 if sizes and max(sizes) == 4 else 8)
    longest = max((e for e in extents.values() if e >= LEAST_VECTOR), default=LEAST_VECTOR)
    while lanes > LEAST_VECTOR and lanes >= 2 * longest:
        lanes //= 2
    return lanes


def _staged(
    steps: Sequence[Statement | Call],
) -> tuple[dict[int, list[Statement]], dict[int, list[Call]]]:
    """Statements and calls by stage, as early as what they read allows."""
    stage: dict[int, int] = {}
    statements: dict[int, list[Statement]] = {}
    calls: dict[int, list[Call]] = {}
    count = 0
    base = 0
    for step in steps:
        if isinstance(step, Call):
            writers = [
                w for e in step.args if isinstance(e.source, Memory) for w in e.source.writers
            ]
            own = max((stage[id(w)] for w in writers), default=0)
            calls.setdefault(own, []).append(step)
        else:
            own = base
            for before in step.before():
                own = max(own, stage[id(before)] + isinstance(before, Call))
            statements.setdefault(own, []).append(step)
            count += 1
            if count % MOST_STATEMENTS == 0:
                base = max(stage.values(), default=0) + 1
        stage[id(step)] = own
    return statements, calls


def _units(items: Sequence[Item], threads: int) -> list[list[Item]]:
    """The items of a stage, by function. What is shared out to threads has one of its own."""
    units: list[list[Item]] = []
    weight = FUNCTION
    for item in items:
        if threads > 1 and is_divisible(item):
            units.append([item])
            weight = FUNCTION
            continue
        own = sum(1 for _ in flat([item]))
        if weight + own > FUNCTION:
            units.append([])
            weight = 0
        units[-1].append(item)
        weight += own
    return units


def _written(
    order: Sequence[int | Call],
    units: Sequence[Sequence[Item]],
    storage: Storage,
    lowering: Lowering,
    threads: int,
) -> Module:
    declared: dict[str, str] = {}
    table: list[str] = []
    bodies: list[str] = []
    for number, part in enumerate(lowering.programs):
        own, body = included(part, number, lowering.calls[number])
        declared.update(own)
        bodies.append(body)
    main = Code(declared)
    emitted: dict[int, Emitter | Divided] = {}
    for number, unit in enumerate(units):
        if threads > 1 and is_divisible(unit[0]):
            (loop,) = unit
            assert isinstance(loop, Loop)
            divided = Divided(number, loop, storage, declared, threads)
            emitted[number] = divided
            bodies.append(divided.text())
            continue
        emitter = Emitter(Code(declared), storage)
        emitter.items(unit, [Env({}, (), (-1 - number,))])
        emitted[number] = emitter
        bodies.append(_function(number, emitter))
    offsets, arena = _arena(order, emitted)
    _statuses(main, order, emitted, offsets, table)
    text = "\n".join(
        [
            *bodies,
            "define i64 @program(ptr %inputs, ptr %outputs, ptr %arena, ptr %table) {",
            "entry:",
            *main.entry,
            *main.lines,
            "}",
            "",
        ]
    )
    work = sum(s.points for unit in units for s in flat(unit))
    work += sum(step.work for step in order if isinstance(step, Call))
    calls = tuple(step for step in order if isinstance(step, Call))
    functions = tuple(map(tuple, units))
    buffers = tuple(memory for memory in lowering.buffers if memory.writers)
    sources = {
        node: tuple(part.source for part in (ref if isinstance(ref, tuple) else (ref,)))
        for node, ref in lowering.references.items()
    }
    return Module(
        declared, text, arena, tuple(table), functions, calls, buffers, storage.lanes, sources, work
    )


def _sized(declared: dict[str, str], text: str) -> list[str]:
    """The declarations and functions of a module; those that are called often are not inlined,
    so that the time of compiling stays in proportion."""
    return [
        code.replace("alwaysinline", "noinline", 1)
        if "alwaysinline" in code and text.count(f"@{name}(") > MOST_INLINED
        else code
        for name, code in declared.items()
    ]


def _function(number: int, emitter: Emitter) -> str:
    parameters = ", ".join(f"ptr noalias nocapture {name}" for name in emitter.pointers.values())
    code = emitter.code
    status = "0"
    if emitter.failed is not None:
        status = code.let(f"load i64, ptr {emitter.failed}")
    return "\n".join(
        [
            f"define internal i64 @nest{number}({parameters}) noinline nounwind "
            '"prefer-vector-width"="512" {',
            "entry:",
            *code.entry,
            *code.lines,
            f"ret i64 {status}",
            "}",
        ]
    )


def _arena(
    order: Sequence[int | Call], emitted: dict[int, Emitter | Divided]
) -> tuple[dict[object, int], int]:
    """Offsets in the arena: what is not alive at the same time may share its place.

    First fit, largest first.
    """
    spans: dict[object, tuple[int, int]] = {}
    copies = {
        slot: own.most
        for own in emitted.values()
        if isinstance(own, Divided)
        for slot in own.private
    }
    for at, step in enumerate(order):
        if isinstance(step, Call):
            used = [e.source for e in step.args] + list(step.results)
        else:
            used = list(emitted[step].pointers)
        for thing in used:
            if isinstance(thing, Memory) and thing.row is not None:
                thing = thing.row[0]
            if isinstance(thing, Slot) or (isinstance(thing, Memory) and thing.where == "buffer"):
                first, _ = spans.get(thing, (at, at))
                tape = isinstance(thing, Memory) and thing.tape  # which is freed at the end
                spans[thing] = (first, len(order) if tape else at)
    placed: list[tuple[int, int, int, int]] = []
    offsets: dict[object, int] = {}
    for thing in sorted(spans, key=lambda t: -t.nbytes):  # type: ignore[attr-defined]
        first, last = spans[thing]
        size = room(thing) * copies.get(thing, 1)  # type: ignore[arg-type]
        at = 0
        for low, high, begin, end in sorted(placed):
            if begin <= last and first <= end and low < at + size:
                at = max(at, high)
        offsets[thing] = at
        placed.append((at, at + size, first, last))
    return offsets, max((high for _, high, _, _ in placed), default=0)


def _statuses(
    main: Code,
    order: Sequence[int | Call],
    emitted: dict[int, Emitter | Divided],
    offsets: dict[object, int],
    table: list[str],
) -> None:
    """Call the functions in order; the status is that of any that failed."""
    addresses: dict[object, str] = {}

    def address(thing: object) -> str:
        found = addresses.get(thing)
        if found is None:
            if isinstance(thing, Memory) and thing.where != "buffer":
                base = "%inputs" if thing.where == "input" else "%outputs"
                at = main.let(f"getelementptr ptr, ptr {base}, i64 {thing.index}")
                found = main.let(f"load ptr, ptr {at}")
            else:
                found = main.let(f"getelementptr i8, ptr %arena, i64 {offsets[thing]}")
            addresses[thing] = found
        return found

    status = "0"
    for step in order:
        if isinstance(step, Call):
            status = CALLS[step.what](main, step, address, table, status)
            continue
        emitter = emitted[step]
        if isinstance(emitter, Divided):
            emitter.call(main, address, table)
            continue
        passed = ", ".join(f"ptr {address(thing)}" for thing in emitter.pointers)
        own = main.let(f"call i64 @nest{step}({passed})")
        if emitter.failed is not None:
            status = main.let(f"or i64 {status}, {own}")
    tapes = [m for m in offsets if isinstance(m, Memory) and m.tape]
    free_tapes(main, [address(memory) for memory in tapes])
    main.put(f"ret i64 {status}")


CALLS: dict[str, Callable[[Code, Call, Callable[[object], str], list[str], str], str]] = {
    "product": emit_call,
    "scan": emit_scan,
    "repeat": emit_repeat,
    "branch": emit_branch,
    "checkpoint": emit_checkpoint,
    **dict.fromkeys(matrices.FORMS, matrices.emit),
}
"""What a call is, and what writes it: it is told the status so far, and gives that after it."""
