"""The functions of a program of scalars: one a unit, and the one that calls them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from wengert.compiler.code import Code
from wengert.compiler.lanes import Value
from wengert.compiler.scalars.instructions import MANY, Instruction
from wengert.compiler.scalars.loops import (
    Constant,
    Delayed,
    Element,
    Invariant,
    Local,
    Loop,
    Read,
    Taped,
)
from wengert.compiler.scalars.memory import WORD, at, load, store
from wengert.compiler.scalars.places import Places
from wengert.compiler.scalars.rules import Rules, constant, named, part_type, parts
from wengert.compiler.scalars.sequence import INPUT, LITERAL, STEP
from wengert.graph.types import DType

Memory = tuple[str, int]
"""What a function is passed the address of: ("input", k), ("output", k), ("words", 0), ("tape", k),
none of which overlap, and the addresses of all inputs or outputs, ("inputs", 0), ("outputs", 0)."""


class Common:
    """What the functions of a program have in common: steps, places, rules, literals."""

    def __init__(self, places: Places, rules: Rules) -> None:
        self.places = places
        self.rules = rules
        self.steps = places.steps
        self.instructions = places.steps.instructions
        self.literals = [constant(value.dtype, value) for value in places.steps.literals]


class Function:
    """The function of one unit under construction.

    passed: the memories it uses, by the names of its parameters. names: values known, by position.
    """

    def __init__(self, common: Common, declared: dict[str, str]) -> None:
        self.common = common
        self.places = common.places
        self.code = Code(declared)
        self.passed: dict[Memory, str] = {}
        self.names: dict[int, Value] = {}
        self._elements: dict[tuple[int, int], Value] = {}

    def pointer(self, memory: Memory) -> str:
        """The parameter that is the address of a memory."""
        found = self.passed.get(memory)
        if found is None:
            found = self.passed[memory] = f"%{memory[0]}{memory[1]}"
        return found

    def text(self, name: str) -> str:
        """The definition."""
        parameters = ", ".join(f"ptr noalias nocapture {own}" for own in self.passed.values())
        body = "\n".join(["entry:", *self.code.entry, *self.code.lines, "ret void"])
        return f"define internal void @{name}({parameters}) noinline nounwind {{\n{body}\n}}"

    # ---------------------------------------------------------------------------- values at hand

    def value(self, position: int) -> Value:
        """The value of a step, of this unit or of one before."""
        found = self.names.get(position)
        if found is None:
            dtype = self.places.dtype(position)
            taped = self.places.on_tape(position)
            if taped is None:
                base, offset = ("words", 0), self.places.words[position]
            else:
                loop, step, repetition = taped
                tape = self.places.tapes[loop]
                base = ("tape", loop)
                offset = (tape.lead + repetition) * tape.row + tape.offsets[step]
            found = load(self.code, dtype, self.pointer(base), offset)
            self.names[position] = found
        return found

    def element(self, source: int, element: int) -> Value:
        """An element of an input."""
        key = (source, element)
        found = self._elements.get(key)
        if found is None:
            own = self.common.instructions[source]
            found = load(self.code, own.dtype, *self.place(own, element))
            self._elements[key] = found
        return found

    def place(self, own: Instruction, element: int) -> tuple[str, int]:
        """Where an element of an input or output lies: an address and an offset."""
        if own.index == MANY:
            return self.pointer((own.kind, element)), 0
        return self.pointer((own.kind, own.index)), element * own.dtype.itemsize

    def keep(self, position: int, value: Value) -> None:
        """Write a value to its word, where it has one."""
        offset = self.places.words.get(position)
        if offset is not None:
            store(self.code, self.places.dtype(position), value, self.pointer(("words", 0)), offset)

    # ------------------------------------------------------------------------------ straight code

    def straight(self, positions: range) -> None:
        """The steps one after the other."""
        common, code, names = self.common, self.code, self.names
        kept = self.places.words
        steps, within = common.steps, slice(positions.start, positions.stop)
        for position, number, element, *args in zip(
            positions,
            steps.code[within].tolist(),
            steps.element[within].tolist(),
            steps.kind[within].tolist(),
            steps.arg[within].tolist(),
            steps.source[within].tolist(),
            strict=True,
        ):
            values: list[Value] = []
            for kind, arg, source in zip(*args, strict=True):
                if kind == STEP:
                    values.append(names[arg] if arg in names else self.value(arg))
                elif kind == LITERAL:
                    values.append(common.literals[arg])
                elif kind == INPUT:
                    values.append(self.element(source, arg))
            if element >= 0:
                own = common.instructions[number]
                store(code, own.dtype, values[0], *self.place(own, element))
                continue
            value = names[position] = common.rules[number](code, values)
            if position in kept:
                self.keep(position, value)

    # -------------------------------------------------------------------------------------- loops

    def loop(self, number: int, loop: Loop) -> None:
        """A loop over the repetitions of a body."""
        code, common, places = self.code, self.common, self.places
        tape = places.tapes[number]
        for read in loop.reads():
            if isinstance(read, Invariant):
                self.value(read.position)
        carried = self._carried(loop)
        for read in loop.late(number):
            for delay in range(1, -read.first + 1):
                position = loop.start + read.step - delay * loop.period
                offset = (tape.lead - delay) * tape.row + tape.offsets[read.step]
                value, base = self.value(position), self.pointer(("tape", number))
                store(code, places.dtype(position), value, base, offset)
        before = code.block
        code.put("br label %body")
        code.label("body")
        head = len(code.lines)
        body: dict[int, Value] = {}
        running = _Running(self, loop, body, carried)
        for step in range(loop.period):
            position = loop.start + step
            own = int(common.steps.code[position])
            values = [running.value(read) for read in loop.args[step]]
            if common.steps.element[position] >= 0:
                instruction = common.instructions[own]
                address = running.place(instruction, *loop.stored[step])
                store(code, instruction.dtype, values[0], address)
                continue
            body[step] = common.rules[own](code, values)
            if step in tape.offsets:
                row = running.affine(self.pointer(("tape", number)), tape.row, tape.lead, 1)
                store(code, places.dtype(position), body[step], row, tape.offsets[step])
        code.put("%next = add nuw nsw i64 %r, 1")
        code.put(f"%more = icmp ult i64 %next, {loop.count}")
        code.put("br i1 %more, label %body, label %end")
        code.lines[head:head] = self._phis(loop, before, carried, body)
        code.label("end")
        for step, value in body.items():
            self.keep(loop.stop - loop.period + step, value)

    def _carried(self, loop: Loop) -> dict[tuple[int, int], tuple[Value, Value, DType]]:
        """(step, delay) -> the name of a value carried around the loop, what it is at first, and
        its dtype."""
        carried: dict[tuple[int, int], tuple[Value, Value, DType]] = {}
        for read in loop.reads():
            if isinstance(read, Delayed):
                for delay in range(1, read.delay + 1):
                    if (read.step, delay) not in carried:
                        position = loop.start + read.step - delay * loop.period
                        first = self.value(position)
                        name = named(self.places.dtype(position), f"%c{read.step}.{delay}")
                        carried[read.step, delay] = name, first, self.places.dtype(position)
        return carried

    def _phis(
        self,
        loop: Loop,
        before: str,
        carried: dict[tuple[int, int], tuple[Value, Value, DType]],
        body: dict[int, Value],
    ) -> list[str]:
        latch = self.code.block
        lines = [f"%r = phi i64 [ 0, %{before} ], [ %next, %{latch} ]"]
        for (step, delay), (name, first, dtype) in carried.items():
            then = body[step] if delay == 1 else carried[step, delay - 1][0]
            lines += [
                f"{own} = phi {part_type(dtype)} [ {a}, %{before} ], [ {b}, %{latch} ]"
                for own, a, b in zip(parts(name), parts(first), parts(then), strict=True)
            ]
        return lines


class _Running:
    """The values that the body of a loop reads in its repetition %r."""

    def __init__(
        self, function: Function, loop: Loop, body: dict[int, Value], carried: dict[Any, Any]
    ) -> None:
        self._function = function
        self._loop = loop
        self._body = body
        self._carried = carried
        self._loaded: dict[Read, Value] = {}
        self._scaled: dict[tuple[str, int], str] = {}

    def affine(self, base: str, size: int, first: int, by: int) -> str:
        """The address of element first + by r, of `size` bytes each."""
        code = self._function.code
        if by:
            key = (base, by * size)
            if key not in self._scaled:
                offset = code.let(f"mul nsw i64 %r, {by * size}")
                self._scaled[key] = at(code, base, offset)
            base = self._scaled[key]
        return at(code, base, first * size)

    def place(self, own: Instruction, first: int, by: int) -> str:
        """The address of element first + by r of an input or output."""
        function = self._function
        if by and own.index == MANY:
            addresses = function.pointer((f"{own.kind}s", 0))
            return function.code.let(f"load ptr, ptr {self.affine(addresses, WORD, first, by)}")
        base, offset = function.place(own, first)
        return at(function.code, self.affine(base, own.dtype.itemsize, 0, by), offset)

    def value(self, read: Read) -> Value:
        """The value of an argument."""
        if isinstance(read, Local):
            return self._body[read.step]
        if isinstance(read, Delayed):
            return self._carried[read.step, read.delay][0]
        if isinstance(read, Invariant):
            return self._function.value(read.position)
        found = self._loaded.get(read)
        if found is None:
            found = self._loaded[read] = self._load(read)
        return found

    def _load(self, read: Taped | Element | Constant) -> Value:
        function = self._function
        code, common, places = function.code, function.common, function.places
        if isinstance(read, Taped):
            tape, other = places.tapes[read.loop], places.loops[read.loop]
            base = function.pointer(("tape", read.loop))
            address = self.affine(base, tape.row, tape.lead + read.first, read.by)
            dtype = places.dtype(other.start + read.step)
            return load(code, dtype, address, tape.offsets[read.step])
        if isinstance(read, Element):
            own = common.instructions[read.source]
            return load(code, own.dtype, self.place(own, read.first, read.by))
        if len(read.literals) == 1:
            return common.literals[read.literals[0]]
        values = [common.steps.literals[k] for k in read.literals]
        dtype = values[0].dtype
        return load(code, dtype, self.affine(_table(code, values), dtype.itemsize, 0, 1))


def _table(code: Code, values: Sequence[Any]) -> str:
    """A constant array of the module."""
    data = b"".join(value.tobytes() for value in values)
    name = f"table.{blake2b(data, digest_size=12).hexdigest()}"
    text = "".join(f"\\{byte:02X}" for byte in data)
    definition = f'@{name} = internal constant [{len(data)} x i8] c"{text}", align 64'
    code.declared.setdefault(name, definition)
    return f"@{name}"
