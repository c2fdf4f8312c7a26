"""The loop nests of a program as text, and what they keep in memory between statements.

    for i in range(1000), 32 at a time:
        %1 = sin(in0[i])
        %2 = sum over i of %1
    out0[0] = %2

Inputs, outputs and buffers are flat arrays in C order; a value %k is a register unless the list of
rooms names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wengert.compiler.nests.holders import Held
from wengert.compiler.nests.program import Module
from wengert.compiler.nests.statements import Call, Edge, Literal, Memory, Statement
from wengert.compiler.nests.storage import Storage
from wengert.compiler.nests.tree import Item, Loop, flat
from wengert.compiler.scalars.program import ScalarProgram
from wengert.ops.native import Term

_INDENT = "    "
_LETTERS = "ijklmn"


@dataclass(frozen=True, slots=True)
class Room:
    """Something in the arena: a buffer, or a value %k that does not fit registers.

    dtype: that of its elements, None where there are several.
    """

    name: str
    dtype: str | None
    nbytes: int


def listing(module: Module | ScalarProgram) -> tuple[str, tuple[Room, ...]]:
    """(the loops and the calls of a module, its arrays in the arena)."""
    if isinstance(module, ScalarProgram):
        return _of_numbers(module)
    lines: list[str] = []
    extents: dict[int, int] = {}
    for unit in module.functions:
        for statement in flat(unit):
            extents.update(zip(statement.classes, statement.shape, strict=True))
    for number, unit in enumerate(module.functions):
        lines += [f"nest {number}:", *_items(unit, _axes(unit), extents, _INDENT)]
    for call in module.calls:
        lines += _call(call)
    buffers = [own for own in module.buffers if own.where == "buffer"]
    rooms = [Room(_memory(own), own.dtype.name, own.nbytes) for own in buffers]
    rooms += _values(Storage(module.functions, extents, module.lanes))
    return "\n".join(lines), tuple(rooms)


def _of_numbers(module: ScalarProgram) -> tuple[str, tuple[Room, ...]]:
    lines = [f"{module.steps} operations on single numbers, {module.written} of them written"]
    lines += [f"{_INDENT}{size} in a loop, {times} times" for size, times in module.loops]
    parts = {
        "what loops leave for others": module.tape_bytes,
        "what functions leave for others": module.arena_bytes - module.tape_bytes,
    }
    rooms = tuple(Room(name, None, size) for name, size in parts.items() if size)
    return "\n".join(lines), rooms


def _values(storage: Storage) -> Iterator[Room]:
    """The values that lie in the arena, and what reductions add up there."""
    named = {id(slot): f"%{number}" for number, slot in storage.slots.items()}
    for number, sums in storage.accumulators.items():
        named.setdefault(id(sums.slot), f"partial sums of %{number}")
    for slot in storage.in_memory:
        yield Room(named[id(slot)], slot.dtype.name, slot.nbytes)


def _axes(unit: Sequence[Item]) -> dict[int, str]:
    """A letter for each axis class of a function, in the order of its loops."""
    found: dict[int, str] = {}
    stack = list(reversed(unit))
    while stack:
        item = stack.pop()
        if isinstance(item, Loop):
            if item.axis not in found:
                turn, letter = divmod(len(found), len(_LETTERS))
                found[item.axis] = f"{_LETTERS[letter]}{turn or ''}"
            stack += reversed(item.body)
    return found


def _items(
    items: Sequence[Item], axes: dict[int, str], extents: dict[int, int], indent: str
) -> Iterator[str]:
    for item in items:
        if isinstance(item, Loop):
            tiles = f", {item.lanes} at a time" if item.lanes else ""
            yield f"{indent}for {axes[item.axis]} in range({extents[item.axis]}){tiles}:"
            yield from _items(item.body, axes, extents, indent + _INDENT)
        else:
            yield f"{indent}{_statement(item, [axes[c] for c in item.classes])}"


def _statement(statement: Statement, names: Sequence[str]) -> str:
    """A statement, given the names of its axes."""
    own = f"%{statement.id}"
    args = [_operand(edge, names) for edge in statement.args]
    match statement.kind:
        case "point":
            return f"{own} = {statement.rule[0]}({', '.join(args)})"
        case "reduce":
            over = [name for k, name in enumerate(names) if k not in statement.kept]
            return f"{own} = {statement.rule} over {', '.join(over)} of {args[0]}"
        case "iota":
            return f"{own} = {_position(statement.rule, names)}"
        case "gather":
            edge = statement.args[0]
            at = _position(edge.terms[0], names, (statement.step, args[1]))
            return f"{own} = {_memory(edge.source)}[{at}]"
        case "scatter":
            at = _position(statement.place, names, (statement.step, args[1]))
            return f"{_memory(statement.target)}[{at}] += {args[0]}"
        case "store":
            at = _position(statement.place, names)
            several = f" ... {len(args)}" if len(args) > 1 else ""
            return f"{_memory(statement.target)}[{at}{several}] = {', '.join(args)}"
        case "check":
            return f"check {args[0]}"
    return f"{own} = {statement.kind}({', '.join(args)})"


def _operand(edge: Edge, names: Sequence[str]) -> str:
    source = edge.source
    if isinstance(source, Literal):
        text = str(source.value)
    elif isinstance(source, Statement):
        text = f"%{source.id}"
    else:
        text = f"{_memory(source)}[{_position(edge.terms[0], names)}]"
    held = [f"{low} <= {_position(term, names)} < {high}" for term, low, high in edge.guards]
    return f"({text} if {' and '.join(held)} else 0)" if held else text


def _position(term: Term, names: Sequence[str], *more: tuple[int, str]) -> str:
    """offset + Σ step · axis."""
    steps = [*((step, names[axis]) for axis, step in term.axes), *more]
    parts = [name if step == 1 else f"{step}*{name}" for step, name in steps]
    if term.offset or not parts:
        parts.append(str(term.offset))
    return " + ".join(parts).replace("+ -", "- ")


def _memory(memory: Memory) -> str:
    short = {"input": "in", "output": "out"}
    return f"{short.get(memory.where, memory.where)}{memory.index}"


def _call(call: Call) -> Iterator[str]:
    if call.what == "product":
        yield _product(call)
        return
    args = ", ".join(_memory(edge.source) for edge in call.args)
    if not isinstance(call.params, Held):
        results = ", ".join(map(_memory, call.results))
        yield f"{results} = {call.what} of {args}, {call.params.count} times"
        return
    held = call.params
    results = ", ".join(map(_memory, held.results))
    yield f"{results} = {call.what} of {args}, by"
    for _, program in held.parts:
        yield from (f"{_INDENT}{line}" for line in listing(program)[0].splitlines())


def _product(call: Call) -> str:
    """A product of matrices; the parameters count the free and the summed elements of each."""
    (left, _, inner, _), (right, *_), count = call.params
    shapes = f"{left}×{inner}", f"{inner}×{right}"
    args = []
    for edge, shape in zip(call.args, shapes, strict=True):
        start = f", from {edge.terms[0].offset}" if edge.terms[0].offset else ""
        args.append(f"{_memory(edge.source)} ({shape}{start})")
    often = f", {count} times" if count > 1 else ""
    return f"{_memory(call.results[0])} = {' @ '.join(args)}, by BLAS{often}"
