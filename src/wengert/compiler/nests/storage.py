"""Where values live between the statement that makes them and those that read them.

The storage axes of a value are its axes without the loops that its definition and all its uses
share. None: it is an SSA value. Only short ones: as many SSA values. Else: an array in the arena,
of vectors of T lanes where the vector loop is shared, else of elements.

Reductions have an accumulator beside:

    registers   not over the vector axis: one accumulator an element of the result, lanes and all
    lanes       over the vector axis, nothing else open: T lanes, carried over the tiles
    eights      over the vector axis, a small result: eight lanes an element, in memory
    sums        else: a horizontal sum for each tile, added in memory
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from wengert.compiler.nests.statements import Statement
from wengert.compiler.nests.tree import SHORT, Item, Loop, flat
from wengert.graph.types import DType

Path = tuple[tuple[int, int], ...]
"""The loops around a statement, outermost first: (id, axis). The first one is its function."""

EIGHT = 8
"""Lanes of a memory accumulator."""
MOST_EIGHTS = 24_576
"""Bytes of accumulators of eight lanes, at most."""


@dataclass(slots=True, eq=False)
class Slot:
    """Room for the values of a statement.

    axes: the storage axes, in order; width: lanes of an element; lane: the axis that they run
    along; offset: bytes into the arena, where it lies in memory.
    """

    axes: list[int]
    width: int
    dtype: DType
    memory: bool
    count: int
    strides: dict[int, int]
    lane: int | None = None
    offset: int = -1
    registers: dict[object, object] = field(default_factory=dict)

    @property
    def planes(self) -> int:
        return 2 if self.dtype.kind == "c" else 1

    @property
    def nbytes(self) -> int:
        return self.count * self.width * self.dtype.itemsize


@dataclass(slots=True, eq=False)
class Accumulator:
    """How a reduction adds up: see above; `slot` is where."""

    mode: str
    slot: Slot


class Storage:
    """The slots and accumulators of all statements of a tree."""

    def __init__(
        self, units: Sequence[Sequence[Item]], extents: dict[int, int], lanes: int
    ) -> None:
        self.extents = extents
        self.lanes = lanes
        self.path: dict[int, Path] = {}
        self.slots: dict[int, Slot] = {}
        self.accumulators: dict[int, Accumulator] = {}
        self.in_memory: list[Slot] = []
        self._lanes_of: dict[int, int] = {}
        statements: list[Statement] = []
        for number, items in enumerate(units):
            self._walk(items, ((-1 - number, -1),))
            statements += flat(items)
        uses: dict[int, list[Statement]] = {}
        for statement in statements:
            for edge in statement.args:
                if isinstance(edge.source, Statement):
                    uses.setdefault(edge.source.id, []).append(statement)
        for statement in statements:
            if statement.kind not in ("store", "scatter", "check"):
                self._place(statement, uses.get(statement.id, ()))

    def _walk(self, items: Iterable[Item], path: Path) -> None:
        for item in items:
            if isinstance(item, Loop):
                self._lanes_of[item.id] = item.lanes
                self._walk(item.body, (*path, (item.id, item.axis)))
            else:
                self.path[item.id] = path

    def vector(self, path: Path) -> tuple[int | None, int]:
        """(the axis, the lanes) of the innermost vector loop of a path."""
        for loop, axis in reversed(path):
            if self._lanes_of.get(loop):
                return axis, self._lanes_of[loop]
        return None, 1

    def outside(self, statement: Statement) -> Path:
        """The path without the loops that a reduction reduces: where its result is known."""
        path = self.path[statement.id]
        if statement.kind == "reduce":
            reduced = statement.reduced_classes
            for k, (_, axis) in enumerate(path):
                if axis in reduced:
                    return path[:k]
        return path

    def _slot(
        self, axes: list[int], width: int, dtype: DType, memory: bool = False, padded: int = -1
    ) -> Slot:
        count = 1
        strides = {}
        for axis in reversed(axes):
            strides[axis] = count
            extent = self.extents[axis]
            count *= -(-extent // self.lanes) * self.lanes if axis == padded else extent
        memory = memory or any(self.extents[axis] > SHORT for axis in axes)
        slot = Slot(axes, width, dtype, memory, count, strides)
        if memory:
            self.in_memory.append(slot)
        return slot

    def _place(self, statement: Statement, uses: Iterable[Statement]) -> None:
        known = self.outside(statement)
        vector, lanes = self.vector(self.path[statement.id])
        around_it, its_lanes = self.vector(known)
        shared = known
        for use in uses:
            shared = _common(shared, self.path[use.id])
        loops = {axis for _, axis in shared}
        result = statement.result_classes
        axes = [axis for axis in result if axis not in loops]
        lane = around_it is not None and around_it in result and around_it in loops
        whole = vector is not None and vector in axes
        if whole:
            assert vector is not None
            axes.remove(vector)
            axes.append(vector)
        width = its_lanes if lane else 1
        crosses = not shared  # into another function
        padded = vector if whole and vector is not None else -1
        slot = self._slot(axes, width, statement.dtype, crosses or whole, padded)
        slot.lane = around_it if lane else None
        self.slots[statement.id] = slot
        if statement.kind != "reduce":
            return
        around = {axis for _, axis in known}
        own = [axis for axis in result if axis not in around]
        if vector in statement.reduced_classes:
            if all(self.extents[axis] <= SHORT for axis in own):
                into = self._slot(own, lanes, statement.dtype)
                self.accumulators[statement.id] = Accumulator("lanes", into)
            elif math.prod(self.extents[a] for a in own) * EIGHT * 8 <= MOST_EIGHTS and (
                len(known) == 1
            ):
                into = self._slot(own, EIGHT, statement.dtype, True)
                self.accumulators[statement.id] = Accumulator("eights", into)
            else:
                same = set(own) == set(axes) and width == 1
                into = slot if same else self._slot(own, 1, statement.dtype, True)
                self.accumulators[statement.id] = Accumulator("sums", into)
            return
        inside = vector is not None and vector in result and vector in around
        same = set(own) == set(axes) and (width > 1) == inside
        into = slot if same else self._slot(own, lanes if inside else 1, statement.dtype)
        self.accumulators[statement.id] = Accumulator("registers", into)


def _common(a: Path, b: Path) -> Path:
    k = 0
    while k < min(len(a), len(b)) and a[k][0] == b[k][0]:
        k += 1
    return a[:k]
