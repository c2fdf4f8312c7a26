"""Reductions: accumulators before, inside and after the loop that reduces."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from wengert.compiler.lanes import Value, vector_type
from wengert.compiler.nests.access import Access, Env
from wengert.compiler.nests.statements import Statement, memory_type
from wengert.compiler.nests.storage import EIGHT, Accumulator, Slot
from wengert.compiler.nests.transfer import part_dtype
from wengert.compiler.nests.tree import SHORT
from wengert.graph.types import DType
from wengert.ops.native import COMBINING


def neutral(kind: str, dtype: DType) -> Any:
    """What a reduction starts from. A sum of floats starts at −0, so that a sum of −0 is −0."""
    if kind in ("sum", "any"):
        return False if dtype.kind == "b" else -0.0 if dtype.kind in "fc" else 0
    if kind in ("prod", "all"):
        return 1
    if dtype.kind == "b":
        return kind == "min"
    if dtype.kind == "f":
        return -math.inf if kind == "max" else math.inf
    bits = 8 * dtype.itemsize
    low, high = (
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if dtype.kind == "i" else (0, (1 << bits) - 1)
    )
    return low if kind == "max" else high


class Reducing(Access):
    """Accumulators of one function."""

    # -- combining

    def combine(self, kind: str, dtype: DType, width: int, a: Value, b: Value) -> Value:
        return getattr(self.lanes(dtype, width), COMBINING[kind])(a, b)

    def start(self, kind: str, dtype: DType, width: int) -> Value:
        lanes = self.lanes(dtype, width)
        value = neutral(kind, dtype)
        if dtype.kind == "c" and kind == "sum":
            part = self.lanes(part_dtype(dtype), width).const(-0.0)
            return part, part
        return lanes.const(value)

    def _shuffle(self, dtype: DType, width: int, value: Value, picks: Sequence[int]) -> Value:
        if isinstance(value, tuple):
            return tuple(self._shuffle(part_dtype(dtype), width, part, picks) for part in value)
        type = self.lanes(dtype, width).type
        mask = ", ".join(f"i32 {q}" for q in picks)
        return self.code.let(
            f"shufflevector {type} {value}, {type} poison, <{len(picks)} x i32> <{mask}>"
        )

    def fold(self, kind: str, dtype: DType, width: int, to: int, value: Value) -> Value:
        """Lanes combined, halves with halves, down to `to` of them."""
        while width > to:
            half = width // 2
            low = self._shuffle(dtype, width, value, range(half))
            high = self._shuffle(dtype, width, value, range(half, width))
            if half == 1:
                low, high = (self._only(dtype, part) for part in (low, high))
            value = self.combine(kind, dtype, half, low, high)
            width = half
        return value

    def _only(self, dtype: DType, value: Value) -> Value:
        """A vector of one lane as a single value."""
        if isinstance(value, tuple):
            return tuple(self._only(part_dtype(dtype), part) for part in value)
        element = self.lanes(dtype, 1).type
        return self.code.let(f"extractelement <1 x {element}> {value}, i64 0")

    # -- where accumulators are

    def accumulator_at(self, slot: Slot, env: Env, fresh: bool) -> str:
        """The address of an accumulator: in the arena, or a stack slot that LLVM takes to
        registers."""
        where = {axis: env.index[axis] for axis in slot.axes}
        if slot.memory:
            position = self.sum([(where[a], slot.strides[a]) for a in slot.axes], env)
            return self.slot_address(slot, position)
        place = tuple(where[a] for a in slot.axes)
        if fresh:
            type = f"[{slot.planes} x {vector_type(memory_type(slot.dtype), slot.width)}]"
            slot.registers["at", env.tag, place] = self.code.slot(type)
        tag = env.tag
        while tag and ("at", tag, place) not in slot.registers:
            tag = tag[:-1]
        return slot.registers["at", tag, place]  # type: ignore[return-value]

    def over(self, axes: Sequence[int], env: Env, emit: Callable[[Env], None]) -> None:
        """Emit for all positions along axes that are not open here."""
        if not axes:
            emit(env)
            return
        axis, *rest = axes
        extent = self.storage.extents[axis]
        if extent <= SHORT:
            for q in range(extent):
                self.over(rest, env.at(axis, q), emit)
        else:
            self.loop(0, extent, 1, lambda at: self.over(rest, env.at(axis, at), emit))

    def loop(self, low: int | str, high: int | str, step: int, body: Callable[[str], None]) -> None:
        """A counted loop; bounds that are known at run time only are of one that is not empty."""
        if isinstance(low, int) and isinstance(high, int) and high <= low:
            return
        code = self.code
        before = code.block
        number = code.fresh("L")
        head, end = number, f"E{number}"
        position, following = f"%i{number}", f"%n{number}"
        code.put(f"br label %{head}")
        code.label(head)
        at = len(code.lines)
        code.put("")
        body(position)
        code.put(f"{following} = add nuw nsw i64 {position}, {step}")
        again = code.let(f"icmp slt i64 {following}, {high}")
        code.put(f"br i1 {again}, label %{head}, label %{end}")
        code.lines[at] = f"{position} = phi i64 [{low}, %{before}], [{following}, %{code.block}]"
        code.label(end)

    def where(self, held: str, emit: Callable[[], object]) -> None:
        """Code that runs under a condition."""
        number = self.code.fresh("C")
        self.code.put(f"br i1 {held}, label %{number}, label %D{number}")
        self.code.label(number)
        emit()
        self.code.put(f"br label %D{number}")
        self.code.label(f"D{number}")

    # -- before, inside, after

    def begin(self, statement: Statement, envs: Sequence[Env]) -> None:
        """Set the accumulators of a reduction whose loops start here."""
        accumulator = self.storage.accumulators[statement.id]
        slot = accumulator.slot
        first = self.start(statement.rule, statement.dtype, slot.width)
        cleared = False
        for env in envs:
            closed = [axis for axis in slot.axes if axis not in env.index]
            if slot.memory and len(closed) == len(slot.axes):
                if cleared:
                    continue
                cleared = True

            def clear(here: Env) -> None:
                at = self.accumulator_at(slot, here, True)
                self.store_lanes(at, slot.dtype, slot.width, first)

            self.over(closed, env, clear)

    def add(self, statement: Statement, envs: Sequence[Env]) -> None:
        """Add what a reduction reads to its accumulator, for each copy of the body."""
        accumulator = self.storage.accumulators[statement.id]
        kind, dtype, slot = statement.rule, statement.dtype, accumulator.slot
        parts: list[Value] = []
        over_lanes = self.vector in statement.reduced_classes
        for env in envs:
            value, wide = self.read(statement, statement.args[0], env)
            if self.vector in statement.classes and not wide:
                value = self.wide(value, dtype)
            used = self.in_use() if over_lanes else None
            if used is not None:
                rest = self.start(kind, dtype, self.width)
                value = self.lanes(dtype, self.width).select(used, value, rest)
            if accumulator.mode == "sums":
                parts.append(self.fold(kind, dtype, self.width, min(EIGHT, self.width), value))
                continue
            if accumulator.mode == "eights":
                value = self.fold(kind, dtype, self.width, EIGHT, value)
            if self.vector in slot.axes:
                self._add_along(kind, slot, env, value)
                continue
            at = self.accumulator_at(slot, env, False)
            held = self.load_lanes(at, dtype, slot.width)
            total = self.combine(kind, dtype, slot.width, held, value)
            self.store_lanes(at, dtype, slot.width, total)
        if parts:
            self._add_sums(statement, accumulator, envs, parts)

    def _add_along(self, kind: str, slot: Slot, env: Env, value: Value) -> None:
        """Add lanes to neighbouring accumulators in memory, which are padded to whole tiles."""
        position = self.sum([(env.index[a], slot.strides[a]) for a in slot.axes], env)
        held = self.load(slot, slot.dtype, position, 1, None)
        total = self.combine(kind, slot.dtype, self.width, held, value)
        self.store(slot, slot.dtype, position, 1, [total], None)

    def _add_sums(
        self,
        statement: Statement,
        accumulator: Accumulator,
        envs: Sequence[Env],
        parts: list[Value],
    ) -> None:
        """Horizontal sums: eight outputs at a time through a tree of shuffles."""
        kind, dtype, slot = statement.rule, statement.dtype, accumulator.slot
        width = min(EIGHT, self.width)
        k = 0
        while k < len(parts):
            if len(parts) - k >= EIGHT and width == EIGHT:
                sums = self._eight_sums(kind, dtype, parts[k : k + EIGHT])
                env = envs[k]
                last = slot.axes[-1] if slot.axes else None
                if slot.memory and last is not None and slot.strides[last] == 1 and env.jam == last:
                    at = self.accumulator_at(slot, env, False)
                    type = vector_type(memory_type(dtype), EIGHT)
                    if dtype.kind in "fiu":
                        held = self.code.let(f"load {type}, ptr {at}, align {dtype.itemsize}")
                        total = self.combine(kind, dtype, EIGHT, held, sums)
                        self.code.put(f"store {type} {total}, ptr {at}, align {dtype.itemsize}")
                        k += EIGHT
                        continue
                for q in range(EIGHT):
                    self._add_one(kind, dtype, slot, envs[k + q], self.lane(dtype, EIGHT, sums, q))
                k += EIGHT
                continue
            one = self.fold(kind, dtype, width, 1, parts[k])
            self._add_one(kind, dtype, slot, envs[k], one)
            k += 1

    def _add_one(self, kind: str, dtype: DType, slot: Slot, env: Env, value: Value) -> None:
        at = self.accumulator_at(slot, env, False)
        held = self.load_lanes(at, dtype, 1)
        self.store_lanes(at, dtype, 1, self.combine(kind, dtype, 1, held, value))

    def _eight_sums(self, kind: str, dtype: DType, parts: Sequence[Value]) -> Value:
        """Eight vectors of eight lanes -> the vector of their eight sums, in three rounds."""
        rounds = (
            ([0, 8, 2, 10, 4, 12, 6, 14], [1, 9, 3, 11, 5, 13, 7, 15]),
            ([0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]),
            ([0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]),
        )
        values = list(parts)
        for low, high in rounds:
            values = [
                self.combine(
                    kind,
                    dtype,
                    EIGHT,
                    self.interleave(dtype, a, b, low),
                    self.interleave(dtype, a, b, high),
                )
                for a, b in zip(values[::2], values[1::2], strict=True)
            ]
        return values[0]

    def interleave(self, dtype: DType, a: Value, b: Value, picks: Sequence[int]) -> Value:
        """Lanes of two vectors of eight."""
        if isinstance(a, tuple):
            return tuple(
                self.interleave(part_dtype(dtype), x, y, picks) for x, y in zip(a, b, strict=True)
            )
        type = self.lanes(dtype, EIGHT).type
        mask = ", ".join(f"i32 {q}" for q in picks)
        return self.code.let(f"shufflevector {type} {a}, {type} {b}, <8 x i32> <{mask}>")

    def gather_rows(self, statement: Statement, env: Env, rows: Sequence[Env]) -> None:
        """Bring the results of rows that were done side by side to the lanes of one vector."""
        accumulator = self.storage.accumulators[statement.id]
        slot, dtype = accumulator.slot, statement.dtype
        assert accumulator.mode == "lanes"

        def deliver(here: Env) -> None:
            own = {axis: here.index[axis] for axis in slot.axes}
            parts = []
            for row in rows:
                at = self.accumulator_at(slot, replace(row, index={**row.index, **own}), False)
                value = self.load_lanes(at, dtype, slot.width)
                parts.append(self.fold(statement.rule, dtype, slot.width, EIGHT, value))
            parts += [self.start(statement.rule, dtype, EIGHT)] * (EIGHT - len(parts))
            self.keep(statement, self._eight_sums(statement.rule, dtype, parts), True, here)

        self.over(slot.axes, env, deliver)

    def finish(self, statement: Statement, envs: Sequence[Env]) -> None:
        """Bring the result from the accumulator to its slot."""
        accumulator = self.storage.accumulators[statement.id]
        slot = accumulator.slot
        kind, dtype = statement.rule, statement.dtype
        if slot is self.storage.slots[statement.id] and slot.memory:
            return

        def deliver(here: Env) -> None:
            value = self.load_lanes(self.accumulator_at(slot, here, False), dtype, slot.width)
            if accumulator.mode in ("lanes", "eights"):
                value = self.fold(kind, dtype, slot.width, 1, value)
            wide = accumulator.mode == "registers" and slot.width > 1
            self.keep(statement, value, wide, here)

        for env in envs:
            self.over([axis for axis in slot.axes if axis not in env.index], env, deliver)
