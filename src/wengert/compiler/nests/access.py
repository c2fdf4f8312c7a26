"""Reading and writing elements: addresses, masks, vectors and single values.

An environment holds the position along each open loop: an int where it is known (unrolled), else
the name of an LLVM value; along the vector axis it is the position of the first lane. `tag` tells
apart the copies of a body that are emitted side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wengert.compiler.code import Code
from wengert.compiler.lanes import Lanes, Value, vector_type
from wengert.compiler.nests.statements import (
    Edge,
    Guard,
    Literal,
    Memory,
    Statement,
    memory_type,
)
from wengert.compiler.nests.storage import EIGHT, Slot, Storage
from wengert.compiler.nests.transfer import Transfer, part_dtype
from wengert.compiler.values import lanes as lanes_of
from wengert.graph.types import BOOL, INT, DType
from wengert.ops.native import Term

Position = int | str


@dataclass(frozen=True, slots=True)
class Env:
    """The positions along the open loops.

    row: which lane of the vector loop around this one it is. known: addresses computed here
    already. held: what edges read that does not change in the loops around, by the edge.
    """

    index: dict[int, Position]
    tag: tuple[tuple[int, int], ...] = ()
    path: tuple[int, ...] = ()
    jam: int | None = None
    row: int | None = None
    known: dict[object, str] = field(default_factory=dict)
    held: dict[int, tuple[Value, bool]] = field(default_factory=dict)

    def into(self, loop: int, axis: int, position: Position, copy: int | None = None) -> Env:
        """Inside one more loop; `copy` numbers the bodies emitted side by side."""
        return Env(
            {**self.index, axis: position},
            self.tag if copy is None else (*self.tag, (loop, copy)),
            (*self.path, loop),
            self.jam if copy is None else axis,
            self.row,
            held=self.held,
        )

    def at(self, axis: int, position: Position) -> Env:
        """The same place in the loops, at a position along a further axis."""
        return replace(self, index={**self.index, axis: position}, known={})


class Access(Transfer):
    """Reads and writes of one function.

    vector: the axis that lanes run along, inside its loop. tail: how many lanes are in use in the
    last tile, or 0 where all are. some: those in use, in a body that serves all tiles. within: what
    is known of the positions along open axes, (low, high); guards that hold everywhere there are
    not emitted.
    """

    def __init__(self, code: Code, storage: Storage) -> None:
        super().__init__(code)
        self.storage = storage
        self.vector: int | None = None
        self.tail = 0
        self.some: str | None = None
        self.within: dict[int, tuple[int, int]] = {}
        self.pointers: dict[object, str] = {}
        """What the function takes as parameters: memories and slots, by name."""
        self._lanes: dict[tuple[DType, int], Lanes] = {}
        self._values: dict[tuple[int, object], Value] = {}

    def lanes(self, dtype: DType, width: int) -> Lanes:
        found = self._lanes.get((dtype, width))
        if found is None:
            found = self._lanes[dtype, width] = lanes_of(self.code, dtype, width)
        return found

    def pointer(self, of: Memory | Slot) -> str:
        """The parameter through which the function reaches it."""
        found = self.pointers.get(of)
        if found is None:
            found = self.pointers[of] = f"%m{len(self.pointers)}"
        return found

    # --------------------------------------------------------------------------- positions

    def sum(self, terms: list[tuple[Position, int]], env: Env, start: int = 0) -> Position:
        """start + Σ position · step."""
        key = (tuple(terms), start)
        known = env.known.get(key)
        if known is not None:
            return known
        total: str | None = None
        for position, step in terms:
            if isinstance(position, int):
                start += position * step
                continue
            part = position if step == 1 else self.code.let(f"mul nsw i64 {position}, {step}")
            total = part if total is None else self.code.let(f"add nsw i64 {total}, {part}")
        if total is None:
            return start
        if start:
            total = self.code.let(f"add nsw i64 {total}, {start}")
        env.known[key] = total
        return total

    def place(self, term: Term, statement: Statement, env: Env) -> Position:
        """The position that a term says, in the reader's axes."""
        terms = [(env.index[statement.classes[axis]], step) for axis, step in term.axes]
        return self.sum(terms, env, term.offset)

    def step(self, term: Term, statement: Statement) -> int:
        """How far apart neighbouring lanes lie."""
        if self.vector is None:
            return 0
        return sum(step for axis, step in term.axes if statement.classes[axis] == self.vector)

    # ------------------------------------------------------------------------------- masks

    def in_use(self) -> str | None:
        """The mask of the lanes in use, where not all are."""
        if not self.tail:
            return self.some
        flags = ", ".join("i1 true" if q < self.tail else "i1 false" for q in range(self.width))
        return f"<{flags}>"

    def guarded(self, guards: tuple[Guard, ...], statement: Statement, env: Env, wide: bool) -> str:
        """Where all guards hold: a mask of lanes if `wide`, else one flag."""
        width = self.width if wide else 1
        numbers, flags = self.lanes(INT, width), self.lanes(BOOL, width)
        held: str | None = None
        for term, low, high in guards:
            position: Any = self.place(term, statement, env)
            if wide:
                step = self.step(term, statement)
                position = numbers.splat(str(position))
                if step:
                    ramp = ", ".join(f"i64 {q * step}" for q in range(width))
                    position = numbers.add(position, f"<{ramp}>")
                test = self.code.let(f"sub {numbers.type} {position}, {numbers.const(low)}")
            else:
                test = self.code.let(f"sub i64 {position}, {low}")
            flag = self.code.let(f"icmp ult {numbers.type} {test}, {numbers.const(high - low)}")
            held = flag if held is None else flags.logical_and(held, flag)
        assert held is not None
        return held

    def _holds(self, guard: Guard, statement: Statement) -> bool:
        """Whether a guard holds at all positions where this code runs."""
        term, low, high = guard
        first = last = term.offset
        for axis, step in term.axes:
            known = self.within.get(statement.classes[axis])
            if known is None:
                return False
            ends = (step * known[0], step * (known[1] - 1))
            first += min(ends)
            last += max(ends)
        return low <= first and last < high

    def mask(self, guards: tuple[Guard, ...], statement: Statement, env: Env) -> str | None:
        """The lanes in use for which all guards hold."""
        used = self.in_use()
        if not guards:
            return used
        held = self.guarded(guards, statement, env, True)
        return held if used is None else self.lanes(BOOL, self.width).logical_and(held, used)

    # ------------------------------------------------------------------------------ memory

    def read(self, statement: Statement, edge: Edge, env: Env) -> tuple[Value, bool]:
        """(the value that an edge reads, whether it is one of lanes)."""
        held = env.held.get(id(edge))
        if held is not None:
            return held
        source = edge.source
        if edge.guards and self.within:
            open_ones = tuple(g for g in edge.guards if not self._holds(g, statement))
            edge = Edge(source, edge.terms, open_ones)
        if isinstance(source, Literal):
            return self.literal(source, statement, edge, env)
        if isinstance(source, Statement):
            value, wide = self.fetch(statement, edge, env)
            if not edge.guards:
                return value, wide
            return self.zero_outside(value, wide, source.dtype, statement, edge, env)
        term = edge.terms[0]
        position = self.place(term, statement, env)
        step = self.step(term, statement)
        if step:
            mask = self.mask(edge.guards, statement, env)
            return self.load(source, source.dtype, position, step, mask), True
        if not edge.guards:
            return self.load_one(source, source.dtype, position), False
        if self.vector is not None and any(self.step(g[0], statement) for g in edge.guards):
            splat = self.load_one(source, source.dtype, position)
            value = self.wide(splat, source.dtype)
            return self.zero_outside(value, True, source.dtype, statement, edge, env)
        held = self.guarded(edge.guards, statement, env, False)
        safe = self.code.let(f"select i1 {held}, i64 {position}, i64 0")
        value = self.load_one(source, source.dtype, safe)
        return self.zero_outside(value, False, source.dtype, statement, edge, env)

    def axes_read(self, statement: Statement, edge: Edge) -> set[int] | None:
        """The axes on which it depends what an edge reads from memory; None if it reads none."""
        source = edge.source
        if isinstance(source, Memory):
            return {statement.classes[axis] for axis, _ in edge.terms[0].axes}
        if not isinstance(source, Statement) or not self.storage.slots[source.id].memory:
            return None
        mine = self._axes_of(statement, edge)
        return {mine[axis] for axis in self.storage.slots[source.id].axes}

    def _axes_of(self, statement: Statement, edge: Edge) -> dict[int, int]:
        """The axes of a statement that is read -> those of the reader."""
        source = edge.source
        assert isinstance(source, Statement)
        return {
            source.classes[kept]: statement.classes[term.axes[0][0]]
            for term, kept in zip(edge.terms, source.kept, strict=True)
        }

    def literal(
        self, source: Literal, statement: Statement, edge: Edge, env: Env
    ) -> tuple[Value, bool]:
        wide = self.vector is not None and self.vector in statement.classes
        value = self.lanes(source.dtype, self.width if wide else 1).const(source.value)
        if not edge.guards:
            return value, wide
        return self.zero_outside(value, wide, source.dtype, statement, edge, env)

    def zero_outside(
        self, value: Value, wide: bool, dtype: DType, statement: Statement, edge: Edge, env: Env
    ) -> tuple[Value, bool]:
        """The value where the guards of the edge hold, else zero."""
        if self.vector is not None and any(self.step(g[0], statement) for g in edge.guards):
            if not wide:
                value, wide = self.wide(value, dtype), True
        held = self.guarded(edge.guards, statement, env, wide)
        within = self.lanes(dtype, self.width if wide else 1)
        return within.select(held, value, within.const(0)), wide

    def wide(self, value: Value, dtype: DType) -> Value:
        """A single value in every lane."""
        return self.lanes(dtype, self.width).splat(value)

    def load_one(self, source: Memory | Slot, dtype: DType, position: Position) -> Value:
        type = memory_type(dtype)
        base = self.pointer(source)
        if dtype.kind == "c":
            at, other = self._parts(base, type, position)
            return (
                self.code.let(f"load {type}, ptr {at}"),
                self.code.let(f"load {type}, ptr {other}"),
            )
        value = self.code.let(f"load {type}, ptr {self.element(base, type, position)}")
        return self.truth(value, 1) if dtype.kind == "b" else value

    def _parts(self, base: str, type: str, position: Position) -> tuple[str, str]:
        """The addresses of the two parts of a complex element."""
        at = self.code.let(f"getelementptr [2 x {type}], ptr {base}, i64 {position}")
        return at, self.code.let(f"getelementptr {type}, ptr {at}, i64 1")

    def truth(self, value: str, width: int) -> str:
        """A boolean as read from memory."""
        zero = "0" if width == 1 else "zeroinitializer"
        return self.code.let(f"icmp ne {vector_type('i8', width)} {value}, {zero}")

    def load(
        self, source: Memory | Slot, dtype: DType, position: Position, step: int, mask: str | None
    ) -> Value:
        """A vector from memory, its lanes `step` elements apart; zero where the mask is not."""
        type = memory_type(dtype)
        base = self.pointer(source)
        if dtype.kind == "c":
            at, other = self._parts(base, type, position)
            if step == 1:
                return self.apart(at, type, mask)
            return tuple(self.lanes_at(a, type, 2 * step, mask) for a in (at, other))
        at = self.element(base, type, position)
        value = self.lanes_at(at, type, step, mask)
        return self.truth(value, self.width) if dtype.kind == "b" else value

    def store_one(
        self, target: Memory | Slot, dtype: DType, position: Position, value: Value
    ) -> None:
        type = memory_type(dtype)
        base = self.pointer(target)
        if dtype.kind == "c":
            at, other = self._parts(base, type, position)
            self.code.put(f"store {type} {value[0]}, ptr {at}")
            self.code.put(f"store {type} {value[1]}, ptr {other}")
            return
        if dtype.kind == "b":
            value = self.code.let(f"zext i1 {value} to i8")
        self.code.put(f"store {type} {value}, ptr {self.element(base, type, position)}")

    def store(
        self,
        target: Memory | Slot,
        dtype: DType,
        position: Position,
        step: int,
        values: Sequence[Value],
        mask: str | None,
    ) -> None:
        """Vectors to memory, their lanes `step` elements apart, those of each right behind those of
        the one before. So do the two parts of complex numbers lie."""
        type, width = memory_type(dtype), self.width
        base = self.pointer(target)
        if dtype.kind == "c":
            values = [part for value in values for part in value]
            at = self.element(base, f"[2 x {type}]", position)
            step *= 2
        else:
            at = self.element(base, type, position)
        if dtype.kind == "b":
            values = [self.code.let(f"zext <{width} x i1> {v} to <{width} x i8>") for v in values]
        if step == len(values) > 1:
            self.woven_to(at, part_dtype(dtype), values, mask)
            return
        for k, value in enumerate(values):
            self.lanes_to(self.element(at, type, k), type, step, value, mask)

    # ------------------------------------------------------------------------------- slots

    def lane(self, dtype: DType, width: int, value: Value, q: int) -> Value:
        """One lane."""
        if isinstance(value, tuple):
            return tuple(self.lane(part_dtype(dtype), width, part, q) for part in value)
        return self.code.let(f"extractelement {self.lanes(dtype, width).type} {value}, i64 {q}")

    def fetch(self, statement: Statement, edge: Edge, env: Env) -> tuple[Value, bool]:
        """What a statement made, at the reader's position."""
        source = edge.source
        assert isinstance(source, Statement)
        slot = self.storage.slots[source.id]
        mine = self._axes_of(statement, edge)
        where = {axis: env.index[mine[axis]] for axis in slot.axes}
        if not slot.memory:
            return self._one_row(slot, self.register(slot, env, where), env)
        position = self.sum([(where[a], slot.strides[a]) for a in slot.axes], env)
        if slot.width > 1:
            return self._one_row(slot, self.load_slot(slot, position), env)
        for axis in slot.axes:
            if self.vector is not None and mine[axis] == self.vector:
                step = slot.strides[axis]
                mask = None if step == 1 else self.in_use()
                return self.load(slot, slot.dtype, position, step, mask), True
        return self.load_one(slot, slot.dtype, position), False

    def _one_row(self, slot: Slot, value: Value, env: Env) -> tuple[Value, bool]:
        """The value of a slot, or its lane of this row where lanes stand for rows."""
        if slot.width == 1 or slot.lane == self.vector:
            return value, slot.width > 1
        assert env.row is not None
        return self.lane(slot.dtype, slot.width, value, env.row), False

    def keep(self, statement: Statement, value: Value, wide: bool, env: Env) -> None:
        """Put what a statement made where its readers find it."""
        slot = self.storage.slots[statement.id]
        where = {axis: env.index[axis] for axis in slot.axes}
        if not slot.memory:
            slot.registers[env.tag, tuple(where[a] for a in slot.axes)] = value
            return
        position = self.sum([(where[a], slot.strides[a]) for a in slot.axes], env)
        if slot.width > 1:
            self.store_slot(slot, position, value)
        elif wide:
            assert self.vector is not None
            step = slot.strides[self.vector]
            mask = None if step == 1 else self.in_use()
            self.store(slot, slot.dtype, position, step, [value], mask)
        else:
            self.store_one(slot, slot.dtype, position, value)

    def register(self, slot: Slot, env: Env, where: dict[int, Position]) -> Value:
        """An SSA value, made in this copy of the body or outside of it."""
        tag = env.tag
        place = tuple(where[a] for a in slot.axes)
        while tag and (tag, place) not in slot.registers:
            tag = tag[:-1]
        return slot.registers[tag, place]

    def slot_address(self, slot: Slot, position: Position) -> str:
        """The address of an element of a slot in memory, in planes of lanes."""
        planes = slot.planes * slot.width
        return self.element(self.pointer(slot), f"[{planes} x {memory_type(slot.dtype)}]", position)

    def load_slot(self, slot: Slot, position: Position) -> Value:
        """An element of several lanes of a slot; complex parts lie one behind the other."""
        return self.load_lanes(self.slot_address(slot, position), slot.dtype, slot.width)

    def store_slot(self, slot: Slot, position: Position, value: Value) -> None:
        self.store_lanes(self.slot_address(slot, position), slot.dtype, slot.width, value)

    def load_lanes(self, at: str, dtype: DType, width: int) -> Value:
        """Aligned lanes, as slots and accumulators hold them."""
        type = vector_type(memory_type(dtype), width)
        align = _alignment(dtype, width)
        value = self.code.let(f"load {type}, ptr {at}, align {align}")
        if dtype.kind == "c":
            other = self.code.let(f"getelementptr {type}, ptr {at}, i64 1")
            return value, self.code.let(f"load {type}, ptr {other}, align {align}")
        return self.truth(value, width) if dtype.kind == "b" else value

    def store_lanes(self, at: str, dtype: DType, width: int, value: Value) -> None:
        type = vector_type(memory_type(dtype), width)
        align = _alignment(dtype, width)
        if dtype.kind == "c":
            other = self.code.let(f"getelementptr {type}, ptr {at}, i64 1")
            self.code.put(f"store {type} {value[0]}, ptr {at}, align {align}")
            self.code.put(f"store {type} {value[1]}, ptr {other}, align {align}")
            return
        if dtype.kind == "b":
            value = self.code.let(
                f"zext {vector_type('i1', width)} {value} to {vector_type('i8', width)}"
            )
        self.code.put(f"store {type} {value}, ptr {at}, align {align}")


def _alignment(dtype: DType, width: int) -> int:
    size = dtype.itemsize // (2 if dtype.kind == "c" else 1)
    return min(64, size * width if width in (1, 2, 4, EIGHT, 16, 32, 64) else size)
