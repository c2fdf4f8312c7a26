"""The loop tree: which loops, in which order, around which statements.

`build(statements, open loops)`, recursively. Choose an axis a. A statement's *phase* is even where
it does not iterate a, odd where it does. Crossing a reduction over a, or memory written along a,
starts a new phase. Statements of one odd phase share one loop over a and are built inside it; those
of even phases stand outside. From this one rule follow tile fusion, forward and backward pass in
one nest, one pass over a matrix for a product with it, what follows, and the product with its
transpose, and two reductions over different axes in one nest.

The axis is the one with the least memory traffic when it is outermost. At the root it is also the
vector axis, which is walked in tiles of T lanes, each group of loops with one of its own. A wide
matrix is done row by row, with vectors along the rows; where sums of rows go into operations on
single numbers, eight rows side by side, so that the eight sums are one vector.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from wengert.compiler.nests.statements import Edge, Memory, Statement
from wengert.ops.native import Term

SHORT = 4
"""Axes up to this extent are innermost, unrolled, and live in registers."""
LEAST_VECTOR = 8
"""A vector axis has at least this extent."""
SIDE_BY_SIDE = 16
"""Lanes of a row, where eight rows are done side by side."""
REMADE = frozenset({"add", "subtract", "multiply", "negative"})
"""What is computed again in another phase rather than stored, when its inputs are at hand."""

WIDE, WIDEST = 24, 2_048
"""Extents of rows that are worth a loop of their own, and that fit the first level of cache."""

LITTLE = 20_000
"""Points of a loop that is done in some microseconds."""

NEAR, FAR = 32_768, 524_288
"""Bytes that fit the first and the second level of cache."""


@dataclass(slots=True, eq=False)
class Loop:
    """A loop over an axis class. lanes: of its tiles, where it is a vector loop, else 0."""

    axis: int
    body: list[Item]
    id: int
    lanes: int = 0


Item: TypeAlias = Statement | Loop


def flat(items: Sequence[Item]) -> Iterator[Statement]:
    """All statements, in order."""
    for item in items:
        if isinstance(item, Loop):
            yield from flat(item.body)
        else:
            yield item


def aligned(reader: Statement, edge: Edge, axis: int) -> bool:
    """Whether the reader reads a statement at its own position along the axis."""
    source = edge.source
    assert isinstance(source, Statement)
    for term, kept in zip(edge.terms, source.kept, strict=True):
        if source.classes[kept] == axis:
            return reader.classes[term.axes[0][0]] == axis
    return False


class Builder:
    """Makes the loop tree of statements. `extents` gives each axis class its extent."""

    def __init__(self, extents: dict[int, int], lanes: int, next_id: int) -> None:
        self.extents = extents
        self.lanes = lanes
        self._next_id = next_id
        self._next_axis = max(extents, default=0) + 1
        self._loops = 0

    # ------------------------------------------------------------------------------ measures

    def size(self, axes: Sequence[int] | set[int]) -> int:
        return math.prod(self.extents[a] for a in axes)

    def short(self, axis: int) -> bool:
        return self.extents[axis] <= SHORT

    def tiles(self, axis: int) -> int:
        return -(-self.extents[axis] // self.lanes)

    def phases(self, statements: Sequence[Statement], axis: int) -> dict[int, int]:
        """The phase of each statement with regard to an axis."""
        phase: dict[int, int] = {}
        for statement in statements:
            carries = axis in statement.classes
            own = 1 if carries else 0
            for edge in statement.args:
                source = edge.source
                if isinstance(source, Statement):
                    if source.id in phase:
                        held = axis in source.classes
                        along = held and aligned(statement, edge, axis)
                        own = max(own, _after(phase[source.id], held, along, carries))
                elif isinstance(source, Memory):
                    for writer in source.writers:
                        if isinstance(writer, Statement) and writer.id in phase:
                            held = axis in writer.classes
                            own = max(own, _after(phase[writer.id], held, False, carries))
            for writer in statement.overwritten():
                if writer.id in phase:
                    held = axis in writer.classes
                    own = max(own, _after(phase[writer.id], held, False, carries))
            if own % 2 != carries:
                own += 1
            phase[statement.id] = own
        return phase

    def _weight(self, axes: Sequence[int], root: bool) -> int:
        """How dear an access to an array over these axes is, by the cache that it fits."""
        nbytes = self.size(set(axes)) * 8 * (1 if root else self.lanes)
        return 1 if nbytes <= NEAR else 2 if nbytes <= FAR else 5

    def cost(
        self, statements: Sequence[Statement], axis: int, opened: set[int], root: bool
    ) -> float:
        """Memory traffic with this axis outermost: values that cross its phases, accumulators in
        memory, inputs read once a phase."""
        phase = self.phases(statements, axis)
        total = 0.0

        def open_axes(axes: Sequence[int]) -> list[int]:
            return [a for a in axes if a not in opened and not self.short(a)]

        if root:
            read = {
                (id(edge.source), phase[s.id]): edge.source.nbytes
                for s in statements
                for edge in s.args
                if isinstance(edge.source, Memory)
            }
            for nbytes in read.values():
                total += nbytes / 8 * (0 if nbytes <= 4096 else 2 if nbytes <= 65_536 else 5)
        share = 8 if root else 1
        for s in statements:
            if s.kind == "reduce" and axis in s.classes and axis not in s.result_classes:
                kept = open_axes(s.result_classes)
                if kept:
                    work = self.size(set(open_axes(s.classes)))
                    each = 8 / self.extents[axis] * self.tiles(axis) if root else 3
                    total += each * work * self._weight(kept, root)
            for edge in s.args:
                source = edge.source
                if isinstance(source, Statement) and source.id in phase:
                    if axis in source.classes:
                        crosses = phase[source.id] != phase[s.id] and aligned(s, edge, axis)
                        if crosses and not self.remakes(source, axis):
                            work = self.size(set(open_axes(source.classes)))
                            work += self.size(set(open_axes(s.classes)))
                            total += (
                                work * self._weight(open_axes(source.result_classes), root) / share
                            )
                    elif axis in s.classes and open_axes(source.result_classes):
                        total += self.size(set(open_axes(s.classes))) / share
                elif root and isinstance(source, Memory) and len(edge.terms[0].axes) > 1:
                    steps = [step for a, step in edge.terms[0].axes if s.classes[a] == axis]
                    if steps and steps[0] != 1:
                        total += source.size / 2
        return total

    def remakes(self, statement: Statement, axis: int) -> bool:
        """Whether a value that crosses phases of the axis is computed again instead of stored."""
        if statement.kind != "point" or statement.rule[0] not in REMADE:
            return False
        return all(
            not isinstance(edge.source, Statement)
            or edge.source.kind == "pack"
            or axis not in edge.source.classes
            for edge in statement.args
        )

    # ----------------------------------------------------------------------------- the tree

    def build(self, statements: list[Statement], opened: set[int], root: bool) -> list[Item]:
        """The loops around statements inside the loops that are open."""
        candidates = {a for s in statements for a in s.classes} - opened
        if not candidates:
            return list(statements)
        rows = self._rows(statements, candidates) if root and not opened else None
        if rows is not None:
            axis, vector = rows, False
        else:
            axis, vector = self._choose(statements, candidates, opened, root)
        phase = self.phases(statements, axis)
        groups = self._grouped(statements, phase, axis, vector)
        items: list[Item] = []
        for number in sorted(groups):
            group = groups[number]
            if number % 2:
                self._loops += 1
                loop = self._loops
                body = self.build(group, opened | {axis}, rows is not None)
                lanes = self._lanes(group, axis) if vector else 0
                if rows is not None and _is_bundled(body):
                    lanes = LEAST_VECTOR
                    for item in body:
                        if isinstance(item, Loop) and item.lanes:
                            item.lanes = min(item.lanes, SIDE_BY_SIDE)
                items.append(Loop(axis, body, loop, lanes))
            else:
                items += self.build(group, opened, root)
        return items

    def _rows(self, statements: Sequence[Statement], candidates: set[int]) -> int | None:
        """The axis of the rows of a wide matrix, where all that reads it can be done row by row.

        A row then lies in the first level of cache, however often it is read, and in order, so
        that nothing is transposed: x → Xᵀ(X x) is one pass over X. Results that are summed over
        the rows must be as wide as a row, and no wider than the cache; sums over everything are
        done so where the matrix is so large that its order in memory counts.
        """
        widest: tuple[int, int] | None = None
        most = 0
        for s in statements:
            for edge in s.args:
                if isinstance(edge.source, Memory) and len(edge.terms[0].axes) == 2:
                    (a, step), (b, other) = edge.terms[0].axes
                    if other != 1:
                        a, b, step, other = b, a, other, step
                    pair = (s.classes[a], s.classes[b])
                    wide = self.extents[pair[1]] >= WIDE and self.extents[pair[0]] >= LEAST_VECTOR
                    if other == 1 and step >= WIDE and wide and edge.source.size > most:
                        most, widest = edge.source.size, pair
        if widest is None or not candidates.issuperset(widest):
            return None
        row, column = widest
        phase = self.phases(statements, row)
        streamed = 8 * most > FAR and not any(map(partial(_turned, axis=column), statements))
        inner = sum(s.points for s in statements if row in s.classes)
        others = [s for s in statements if row not in s.classes]
        if inner < sum(s.points for s in others):
            before = {c for s in others if not phase[s.id] for c in s.classes}
            if any(phase[s.id] and before.intersection(s.classes) for s in others):
                return None  # a loop beside the main one, which must not cut that in two
        for s in statements:
            if row not in s.classes:
                continue
            beside = [c for c in s.classes if c != row and not self.short(c)]
            if phase[s.id] != 1 or len(beside) > 1:
                return None
            if beside and _turned(s, beside[0], packed=True):
                return None
            if s.kind == "reduce" and row in s.reduced_classes:
                if streamed and not s.result_classes:
                    continue
                if s.result_classes != beside or self.size(beside) > WIDEST:
                    return None
        return row

    def _choose(
        self, statements: list[Statement], candidates: set[int], opened: set[int], root: bool
    ) -> tuple[int, bool]:
        """(the axis of the outermost loop, whether it is the vector axis)."""
        wide = [a for a in candidates if self.extents[a] >= LEAST_VECTOR] if root else []
        if any(self.extents[a] >= 4 * self.lanes for a in wide):
            wide = [a for a in wide if self.extents[a] >= 4 * self.lanes]
        if wide:

            def whole(axis: int) -> float:
                filled = self.tiles(axis) * self.lanes / 8 / self.extents[axis]
                points = sum(
                    self.size(s.classes) * (filled if axis in s.classes else 1.0)
                    for s in statements
                )
                return self.cost(statements, axis, opened, True) + points

            return min(sorted(wide), key=whole), True
        long = sorted(a for a in candidates if not self.short(a)) or sorted(candidates)

        def inner(axis: int) -> tuple[float, int]:
            span = {a for s in statements if axis in s.classes for a in s.classes}
            return self.cost(statements, axis, opened, False), -self.size(span)

        return (min(long, key=inner) if len(long) > 1 else long[0]), False

    def _lanes(self, group: Sequence[Statement], axis: int) -> int:
        """Lanes of a tile: T, but one register where the loop is short and does little, since
        code is what it costs then; two where they hold all of it, which do not wait for each
        other."""
        extent = self.extents[axis]
        if extent >= 4 * self.lanes:
            return self.lanes
        if sum(self.size(s.classes) for s in group) <= LITTLE:
            two = extent >= 64 or LEAST_VECTOR < extent <= 2 * LEAST_VECTOR
            return min(self.lanes, 2 * LEAST_VECTOR if two else LEAST_VECTOR)
        return self.lanes

    def _grouped(
        self, statements: list[Statement], phase: dict[int, int], axis: int, vector: bool
    ) -> dict[int, list[Statement]]:
        """The statements by phase, with copies of what is remade and packs of what is turned."""
        groups: dict[int, list[Statement]] = {}
        copies: dict[tuple[int, int], Statement] = {}
        packs: dict[tuple[object, ...], Statement] = {}
        for statement in statements:
            number = phase[statement.id]
            group = groups.setdefault(number, [])
            if number % 2:
                for k, edge in enumerate(statement.args):
                    source = edge.source
                    if isinstance(source, Statement):
                        at = phase.get(source.id, number)
                        if at != number and at % 2 and aligned(statement, edge, axis):
                            if self.remakes(source, axis):
                                key = (source.id, number)
                                if key not in copies:
                                    copies[key] = self._copy(source)
                                    group.append(copies[key])
                                statement.args[k] = Edge(copies[key], edge.terms, edge.guards)
                    elif vector and isinstance(source, Memory) and statement.kind != "gather":
                        self._pack(statement, k, axis, number, packs, group)
            group.append(statement)
        return groups

    def _fresh(self) -> int:
        self._next_id += 1
        return self._next_id

    def _copy(self, source: Statement) -> Statement:
        copy = Statement(
            self._fresh(),
            source.kind,
            source.rule,
            list(source.args),
            source.shape,
            source.dtype,
            source.kept,
        )
        copy.classes = source.classes
        return copy

    def _pack(
        self,
        statement: Statement,
        k: int,
        axis: int,
        number: int,
        packs: dict[tuple[object, ...], Statement],
        group: list[Statement],
    ) -> None:
        """Read a memory in which the vector axis is not contiguous, but another is, through a tile
        that is transposed once. Its other axes are its own, so that every phase shares them."""
        edge = statement.args[k]
        memory = edge.source
        assert isinstance(memory, Memory)
        (term,) = edge.terms
        steps = [step for a, step in term.axes if statement.classes[a] == axis]
        if not steps or steps[0] == 1 or edge.guards or memory.dtype.kind in "bc":
            return
        if all(step != 1 for _, step in term.axes):
            return
        axes = sorted(term.axes, key=lambda pair: -pair[1])
        key = (id(memory), term.offset, tuple(axes_steps(axes, statement, axis)), number)
        pack = packs.get(key)
        if pack is None:
            shape = tuple(statement.shape[a] for a, _ in axes)
            own = Term(term.offset, tuple((q, step) for q, (_, step) in enumerate(axes)))
            pack = Statement(
                self._fresh(), "pack", None, [Edge(memory, (own,))], shape, memory.dtype
            )
            pack.classes = []
            for a, _ in axes:
                if statement.classes[a] == axis:
                    pack.classes.append(axis)
                else:
                    pack.classes.append(self._next_axis)
                    self.extents[self._next_axis] = statement.shape[a]
                    self._next_axis += 1
            packs[key] = pack
            group.append(pack)
        terms = tuple(Term(0, ((a, 1),)) for a, _ in axes)
        statement.args[k] = Edge(pack, terms)


def _is_bundled(body: Sequence[Item]) -> bool:
    """Whether the rows of a matrix are done eight at a time: their sums, as the lanes of a vector,
    are what the operations on single numbers between the loops work on.

    Not where a value of whole rows goes from one loop to another, which is kept for one row.
    """
    if not any(isinstance(item, Statement) and item.kind == "point" for item in body):
        return False
    loop_of = {
        s.id: k for k, item in enumerate(body) if isinstance(item, Loop) for s in flat(item.body)
    }
    return not any(
        isinstance(edge.source, Statement)
        and edge.source.kind != "reduce"
        and loop_of.get(edge.source.id, own) != own
        for s in flat(body)
        for own in (loop_of.get(s.id),)
        for edge in s.args
    )


def _turned(statement: Statement, axis: int, packed: bool = False) -> bool:
    """Whether neighbours along the axis lie apart in a memory that is read: each row would pack
    them anew. packed: only where they are, since those along another axis lie together."""
    return any(
        any(statement.classes[a] == axis and step != 1 for a, step in edge.terms[0].axes)
        and (not packed or any(step == 1 for _, step in edge.terms[0].axes))
        for edge in statement.args
        if isinstance(edge.source, Memory)
    )


def axes_steps(
    axes: list[tuple[int, int]], statement: Statement, vector: int
) -> Iterator[tuple[int, int, bool]]:
    """What tells one packed view of a memory from another."""
    for a, step in axes:
        yield statement.shape[a], step, statement.classes[a] == vector


def _after(before: int, held: bool, along: bool, carries: bool) -> int:
    """The earliest phase of a reader of something in phase `before`."""
    if not held:
        return before + 1 if carries else before
    if along:
        return before
    return before + 2 if carries else before + 1


def live(stages: Sequence[list[Item]]) -> list[list[Item]]:
    """The trees of all stages without statements that nothing needs any more."""
    needed: set[int] = set()
    stack = [s for items in stages for s in flat(items) if s.kind in ("store", "scatter", "check")]
    while stack:
        statement = stack.pop()
        if statement.id not in needed:
            needed.add(statement.id)
            stack += [e.source for e in statement.args if isinstance(e.source, Statement)]

    def prune(tree: list[Item]) -> list[Item]:
        kept: list[Item] = []
        for item in tree:
            if isinstance(item, Loop):
                item.body = prune(item.body)
                if item.body:
                    kept.append(item)
            elif item.id in needed:
                kept.append(item)
        return kept

    return [prune(items) for items in stages]
