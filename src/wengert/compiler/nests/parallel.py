"""Loops that are shared out to threads.

A big loop at the root of the tree is a function of a part of its positions. What is made at one
position and read at the same, and what reductions over the loop add up, is private: each part has a
copy of its own. A second function combines the sums of the parts, in their order, in the copy of
the first one, and brings the results to where they are read. All else is shared: inputs are only
read, and no two positions write to the same place.

The parts are contiguous and as even as whole tiles allow; the last one has the rest as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from wengert.compiler.code import Code
from wengert.compiler.nests.access import Env, Position
from wengert.compiler.nests.emission import ROWS, Emitter
from wengert.compiler.nests.reducing import Reducing
from wengert.compiler.nests.statements import Memory, Statement
from wengert.compiler.nests.storage import EIGHT, Slot, Storage
from wengert.compiler.nests.tree import Item, Loop, flat
from wengert.compiler.symbols import POOL

GRAIN = 200_000
"""Points of a part, at least: some 50 µs, which is several times what it takes to wake a thread."""
ALIGNMENT = 64


def is_divisible(item: Item) -> bool:
    """Whether a loop at the root is worth several threads."""
    if not isinstance(item, Loop):
        return False
    statements = list(flat([item]))
    if any(s.kind in ("scatter", "check") for s in statements):
        return False
    work = sum(s.points for s in statements)
    sums = sum(math.prod(s.result_shape) for s in statements if _is_over(s, item))
    extent = max(s.shape[s.classes.index(item.axis)] for s in statements if item.axis in s.classes)
    return work >= 2 * GRAIN and 16 * sums <= work and extent >= 2 * max(item.lanes, ROWS)


def _is_over(statement: Statement, loop: Loop) -> bool:
    """Whether a statement is a reduction over the loop."""
    return statement.kind == "reduce" and loop.axis in statement.reduced_classes


def room(thing: Slot | Memory) -> int:
    """The bytes that it takes in the arena; from one copy of a slot to the next."""
    return -(-thing.nbytes // ALIGNMENT) * ALIGNMENT + ALIGNMENT


class Part(Emitter):
    """Emits the function of a part of a loop: from %low to %high, and the rest if %last."""

    def __init__(self, code: Code, storage: Storage, loop: Loop, number: int) -> None:
        super().__init__(code, storage)
        self.divided = loop
        self.end = 0
        self.width_of_step = 1
        env = Env({}, (), (-1 - number,))
        self.sums = self.begun(loop, 1)
        self.rooms = {s.id: _room(storage.accumulators[s.id].slot) for s in self.sums}
        for statement in self.sums:
            self.begin(statement, [env])
        self.positions(loop, [env])
        for statement in self.sums:
            self._deposit(statement, env)

    def span(self, loop: Loop, low: int, high: int, step: int, body: Callable[[str], None]) -> None:
        if loop is not self.divided:
            super().span(loop, low, high, step, body)
            return
        if high <= low:
            return
        self.end, self.width_of_step = max(self.end, high), step
        first = self.code.call("llvm.smax.i64", "i64", ("i64", "%low"), ("i64", str(low)))
        last = self.code.call("llvm.smin.i64", "i64", ("i64", "%high"), ("i64", str(high)))
        some = self.code.let(f"icmp slt i64 {first}, {last}")
        self.where(some, lambda: self.loop(first, last, step, body))

    def rest(self, loop: Loop, emit: Callable[[], None]) -> None:
        if loop is self.divided:
            self.where("%last", emit)
        else:
            super().rest(loop, emit)

    def _deposit(self, statement: Statement, env: Env) -> None:
        """Put accumulators that are in registers into memory."""
        slot, kept = self.storage.accumulators[statement.id].slot, self.rooms[statement.id]
        if kept is slot:
            return

        def move(here: Env) -> None:
            value = self.load_lanes(self.accumulator_at(slot, here, False), slot.dtype, slot.width)
            self.store_slot(kept, _position(self, kept, here), value)

        self.over(slot.axes, env, move)

    def private(self) -> set[Slot]:
        """The slots of which each part has a copy."""
        own = set(self.rooms.values())
        for statement in flat([self.divided]):
            own.add(self.storage.slots.get(statement.id))
            if statement.id in self.storage.accumulators:
                own.add(self.storage.accumulators[statement.id].slot)
        axis = self.divided.axis
        return {s for s in self.pointers if s in own and axis not in s.axes}


class Join(Reducing):
    """Emits the function that combines the sums of %parts parts."""

    def __init__(self, code: Code, storage: Storage, part: Part, number: int) -> None:
        super().__init__(code, storage)
        env = Env({}, (), (-1 - number,))
        many = code.let("icmp sgt i64 %parts, 1")
        self.where(many, lambda: [self._combine(s, part.rooms[s.id]) for s in part.sums])
        for statement in part.sums:
            self._withdraw(statement, part.rooms[statement.id], env)
            self.finish(statement, [env])

    def _combine(self, statement: Statement, kept: Slot) -> None:
        """Combine all copies in the first, element by element or eight at once."""
        kind, dtype = statement.rule, kept.dtype
        flat_lanes = dtype.kind != "c"  # the parts of complex numbers lie apart in each element
        size = kept.count * kept.width if flat_lanes else kept.count
        width = EIGHT if flat_lanes else kept.width
        step = EIGHT if flat_lanes else 1
        first = self.pointer(kept)

        def add(part: str) -> None:
            offset = self.code.let(f"mul i64 {part}, {room(kept)}")
            other = self.code.let(f"getelementptr i8, ptr {first}, i64 {offset}")

            def element(at: str, lanes: int) -> None:
                offset = self.code.let(
                    f"mul i64 {at}, {dtype.itemsize * (1 if flat_lanes else width)}"
                )
                here, there = (
                    self.code.let(f"getelementptr i8, ptr {base}, i64 {offset}")
                    for base in (first, other)
                )
                sums = [self.load_lanes(place, dtype, lanes) for place in (here, there)]
                self.store_lanes(here, dtype, lanes, self.combine(kind, dtype, lanes, *sums))

            whole = size // step * step
            self.loop(0, whole, step, lambda at: element(at, width))
            self.loop(whole, size, 1, lambda at: element(at, 1))

        self.loop(1, "%parts", 1, add)

    def _withdraw(self, statement: Statement, kept: Slot, env: Env) -> None:
        """Put the sums where `finish` looks for them."""
        slot = self.storage.accumulators[statement.id].slot
        if kept is slot:
            return

        def move(here: Env) -> None:
            value = self.load_slot(kept, _position(self, kept, here))
            self.store_lanes(self.accumulator_at(slot, here, True), slot.dtype, slot.width, value)

        self.over(slot.axes, env, move)


def _room(slot: Slot) -> Slot:
    """Where the parts leave what an accumulator holds: itself, if it is in memory."""
    return slot if slot.memory else replace(slot, memory=True, registers={})


def _position(access: Reducing, slot: Slot, env: Env) -> Position:
    return access.sum([(env.index[a], slot.strides[a]) for a in slot.axes], env)


class Divided:
    """The functions of a loop that is shared out, and how they are called.

    most: how many parts there are room for. pointers: the memories and slots that they use.
    private: those of which there are so many copies.
    """

    def __init__(
        self, number: int, loop: Loop, storage: Storage, declared: dict[str, str], threads: int
    ) -> None:
        self.number = number
        self.part = Part(Code(declared), storage, loop, number)
        self.join = Join(Code(declared), storage, self.part, number) if self.part.sums else None
        self.tiles = self.part.end // self.part.width_of_step
        work = sum(s.points for s in flat([loop]))
        self.most = min(threads, self.tiles, work // GRAIN)
        self.private = self.part.private()
        joined = self.join.pointers if self.join else {}
        self.pointers = [*self.part.pointers, *(p for p in joined if p not in self.part.pointers)]

    def text(self) -> str:
        """The functions: of positions from low to high, of a part as the pool calls it, and of
        what follows."""
        bounds = "i64 %low, i64 %high, i1 %last"
        own = function(f"nest{self.number}", self.part, bounds)
        thunk = Code()
        given = []
        for k, thing in enumerate(self.part.pointers):
            at = thunk.let(f"getelementptr ptr, ptr %job, i64 {k}")
            address = thunk.let(f"load ptr, ptr {at}")
            if thing in self.private:
                offset = thunk.let(f"mul i64 %part, {room(thing)}")
                address = thunk.let(f"getelementptr i8, ptr {address}, i64 {offset}")
            given.append(f"ptr {address}")
        following = thunk.let("add i64 %part, 1")
        for end in ("%part", following):
            scaled = thunk.let(f"mul i64 {end}, {self.tiles}")
            tile = thunk.let(f"udiv i64 {scaled}, %parts")
            given.append(f"i64 {thunk.let(f'mul i64 {tile}, {self.part.width_of_step}')}")
        given.append(f"i1 {thunk.let(f'icmp eq i64 {following}, %parts')}")
        thunk.put(f"call void @nest{self.number}({', '.join(given)})")
        lines = [
            own,
            f"define internal void @part{self.number}(ptr %job, i64 %part, i64 %parts) nounwind {{",
            "entry:",
            *thunk.lines,
            "ret void",
            "}",
        ]
        if self.join:
            lines.append(function(f"join{self.number}", self.join, "i64 %parts"))
        return "\n".join(lines)

    def call(self, main: Code, address: Callable[[object], str], table: list[str]) -> None:
        """Run all parts, then join them."""
        job = main.slot(f"[{len(self.part.pointers)} x ptr]", 8)
        for k, thing in enumerate(self.part.pointers):
            at = main.let(f"getelementptr ptr, ptr {job}, i64 {k}")
            main.put(f"store ptr {address(thing)}, ptr {at}")
        if POOL not in table:
            table.append(POOL)
        entry = main.let(f"getelementptr ptr, ptr %table, i64 {table.index(POOL)}")
        run = main.let(f"load ptr, ptr {entry}")
        parts = main.let(f"call i64 {run}(ptr @part{self.number}, ptr {job}, i64 {self.most})")
        if self.join:
            given = "".join(f"ptr {address(thing)}, " for thing in self.join.pointers)
            main.put(f"call void @join{self.number}({given}i64 {parts})")


def function(name: str, emitter: Reducing, more: str) -> str:
    """The text of a function without a result; none of its pointers overlaps another."""
    pointers = "".join(f"ptr noalias nocapture {own}, " for own in emitter.pointers.values())
    return "\n".join(
        [
            f"define internal void @{name}({pointers}{more}) noinline nounwind "
            '"prefer-vector-width"="512" {',
            "entry:",
            *emitter.code.entry,
            *emitter.code.lines,
            "ret void",
            "}",
        ]
    )
