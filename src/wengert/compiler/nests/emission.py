"""From a loop tree to the text of a function.

The tail of the vector axis is a second body, with a constant mask; of long bodies there is one,
with a mask that is computed. Where a body holds a reduction loop, several positions of an output
axis are emitted side by side, so that a vector that is loaded serves all of them ("register
jamming"). A vector loop inside another is emitted side by side for each lane of that. Short axes
are unrolled. What a loop reads and does not change is read before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from wengert.compiler.lanes import Value, vector_type
from wengert.compiler.nests.access import Env
from wengert.compiler.nests.reducing import Reducing
from wengert.compiler.nests.statements import Edge, Memory, Statement, memory_type
from wengert.compiler.nests.storage import EIGHT
from wengert.compiler.nests.tree import SHORT, Item, Loop, flat
from wengert.graph.types import INT, DType

LEAST_INSIDE = 8
"""Positions within all guards that are worth code of their own."""
LONG_CODE = 40
"""Statements of a body that is not written twice."""
ROWS = 4
"""Rows of a matrix that are done side by side."""
REGISTERS = 16
"""Vector registers that jammed accumulators may take."""


class Emitter(Reducing):
    """Emits the items of one function."""

    failed: str | None = None
    """The stack slot of the status, once something is checked."""
    outside = False
    """Whether this is code for positions where guards may not hold."""

    def items(self, items: Sequence[Item], envs: Sequence[Env]) -> None:
        for item in items:
            if isinstance(item, Loop):
                self.run(item, envs)
            else:
                self.statement(item, envs)

    # -------------------------------------------------------------------------- statements

    def statement(self, statement: Statement, envs: Sequence[Env]) -> None:
        if statement.kind == "reduce":
            self.add(statement, envs)
            return
        wide = self.vector is not None and self.vector in statement.classes
        for env in envs:
            match statement.kind:
                case "point":
                    self.keep(statement, self.point(statement, env, wide), wide, env)
                case "iota":
                    self.keep(statement, self.iota(statement, env, wide), wide, env)
                case "gather":
                    self.keep(statement, self.gather(statement, env, wide), wide, env)
                case "pack":
                    (edge,) = statement.args
                    self.keep(statement, self.read(statement, edge, env)[0], True, env)
                case "store":
                    self.write(statement, env, wide)
                case "scatter":
                    self.scatter(statement, env, wide)
                case "check":
                    self.check(statement, env, wide)

    def operand(self, statement: Statement, k: int, env: Env, wide: bool) -> Value:
        """Argument k, in every lane where the statement runs over lanes."""
        edge = statement.args[k]
        value, is_wide = self.read(statement, edge, env)
        if wide and not is_wide:
            value = self.wide(value, edge.source.dtype)
        return value

    def point(self, statement: Statement, env: Env, wide: bool) -> Value:
        width = self.width if wide else 1
        values = [self.operand(statement, k, env, wide) for k in range(len(statement.args))]
        ins = [self.lanes(edge.source.dtype, width) for edge in statement.args]
        return statement.rule[1](ins, self.lanes(statement.dtype, width), *values)

    def iota(self, statement: Statement, env: Env, wide: bool) -> Value:
        """The position that the rule, a term, says."""
        position = self.place(statement.rule, statement, env)
        if not wide:
            return str(position)
        numbers = self.lanes(INT, self.width)
        step = self.step(statement.rule, statement)
        ramp = ", ".join(f"i64 {q * step}" for q in range(self.width))
        return numbers.add(numbers.splat(str(position)), f"<{ramp}>")

    def chosen(self, statement: Statement, env: Env, wide: bool) -> Value:
        """The index of a gather or scatter; checked where it was made."""
        return self.operand(statement, 1, env, wide)

    def gather(self, statement: Statement, env: Env, wide: bool) -> Value:
        edge = statement.args[0]
        memory = edge.source
        assert isinstance(memory, Memory)
        term = edge.terms[0]
        position = self.place(term, statement, env)
        index = self.chosen(statement, env, wide)
        if not wide:
            step = self.code.let(f"mul nsw i64 {index}, {statement.step}")
            at = self.code.let(f"add nsw i64 {step}, {position}")
            return self.load_one(memory, memory.dtype, at)
        numbers = self.lanes(INT, self.width)
        at = numbers.multiply(index, numbers.const(statement.step))
        at = numbers.add(at, numbers.splat(str(position)))
        step = self.step(term, statement)
        if step:
            ramp = ", ".join(f"i64 {q * step}" for q in range(self.width))
            at = numbers.add(at, f"<{ramp}>")
        if memory.dtype.kind == "c":
            at = numbers.multiply(at, numbers.const(2))
            other = numbers.add(at, numbers.const(1))
            return tuple(self._picked(memory, memory.dtype, each) for each in (at, other))
        value = self._picked(memory, memory.dtype, at)
        return self.truth(value, self.width) if memory.dtype.kind == "b" else value

    def _picked(self, memory: Memory, dtype: DType, positions: str) -> str:
        """Elements at positions a lane."""
        type, width = memory_type(dtype), self.width
        vector = vector_type(type, width)
        base = self.pointer(memory)
        each = self.code.let(f"getelementptr {type}, ptr {base}, <{width} x i64> {positions}")
        name = {"double": "f64", "float": "f32"}.get(type, type)
        return self.code.call(
            f"llvm.masked.gather.v{width}{name}.v{width}p0",
            vector,
            (f"<{width} x ptr>", each),
            (f"<{width} x i1>", self.in_use() or "splat (i1 true)"),
            (vector, "zeroinitializer"),
        )

    def write(self, statement: Statement, env: Env, wide: bool) -> None:
        target = statement.target
        assert target is not None
        values = [self.operand(statement, k, env, wide) for k in range(len(statement.args))]
        position = self.place(statement.place, statement, env)
        if wide:
            step = self.step(statement.place, statement)
            self.store(target, target.dtype, position, step, values, self.in_use())
            return
        for k, value in enumerate(values):
            self.store_one(target, target.dtype, self.sum([(position, 1)], env, k), value)

    def scatter(self, statement: Statement, env: Env, wide: bool) -> None:
        """Lane by lane, since two lanes may meet in one place."""
        target = statement.target
        assert target is not None
        value = self.operand(statement, 0, env, wide)
        index = self.chosen(statement, env, wide)
        position = self.place(statement.place, statement, env)
        step = self.step(statement.place, statement)
        kind = "any" if target.dtype.kind == "b" else "sum"
        for q in range((self.tail or self.width) if wide else 1):
            one = self.lane(target.dtype, self.width, value, q) if wide else value
            where = self.lane(INT, self.width, index, q) if wide else index
            at = self.code.let(f"mul nsw i64 {where}, {statement.step}")
            at = self.code.let(f"add nsw i64 {at}, {position}")
            if step and q:
                at = self.code.let(f"add nsw i64 {at}, {q * step}")
            held = self.load_one(target, target.dtype, at)
            total = self.combine(kind, target.dtype, 1, held, one)
            self.store_one(target, target.dtype, at, total)

    def check(self, statement: Statement, env: Env, wide: bool) -> None:
        """Remember that a condition did not hold."""
        if self.failed is None:
            self.failed = self.code.slot("i64", 8)
            self.code.entry.append(f"store i64 0, ptr {self.failed}")
        held = self.operand(statement, 0, env, wide)
        if wide:
            mask = self.in_use()
            flags = self.lanes(statement.args[0].source.dtype, self.width)
            bad = flags.logical_not(held)
            if mask:
                bad = flags.logical_and(bad, mask)
            bad = self.code.call(f"llvm.vector.reduce.or.v{self.width}i1", "i1", (flags.type, bad))
        else:
            bad = self.code.let(f"xor i1 {held}, true")
        number = self.code.let(f"zext i1 {bad} to i64")
        held = self.code.let(f"load i64, ptr {self.failed}")
        self.code.put(f"store i64 {self.code.let(f'or i64 {held}, {number}')}, ptr {self.failed}")

    # ------------------------------------------------------------------------------- loops

    def run(self, loop: Loop, envs: Sequence[Env]) -> None:
        """A loop: the reductions that it reduces are begun before and finished after."""
        begun = self.begun(loop, len(envs[0].path))
        if loop.lanes and self.vector is not None:
            self._side_by_side(loop, envs, begun)
            return
        for statement in begun:
            self.begin(statement, envs)
        self.positions(loop, envs)
        for statement in begun:
            self.finish(statement, envs)

    def begun(self, loop: Loop, depth: int) -> list[Statement]:
        """The reductions whose outermost loop this is, inside `depth` others."""
        return [
            s
            for s in flat(loop.body)
            if s.kind == "reduce"
            and len(self.storage.outside(s)) == depth
            and len(self.storage.path[s.id]) > depth
        ]

    def _side_by_side(self, loop: Loop, envs: Sequence[Env], begun: Sequence[Statement]) -> None:
        """A vector loop inside another: side by side for each lane of that, which are rows."""
        axis, width, tail = self.vector, self.width, self.tail
        assert axis is not None
        groups = [[self._row(loop, axis, env, r) for r in range(tail or width)] for env in envs]
        rows = [row for group in groups for row in group]
        self.vector, self.width, self.tail = None, 1, 0
        for statement in begun:
            self.begin(statement, rows)
        self.positions(loop, rows)
        self.vector, self.width, self.tail = axis, width, tail
        for statement in begun:
            for env, group in zip(envs, groups, strict=True):
                self.gather_rows(statement, env, group)

    def _row(self, loop: Loop, axis: int, env: Env, r: int) -> Env:
        """Where a lane of the vector loop around stands."""
        first = env.index[axis]
        at = first + r if isinstance(first, int) else self.code.let(f"add nuw nsw i64 {first}, {r}")
        tag = (*env.tag, (-loop.id, r))
        return replace(env, index={**env.index, axis: at}, tag=tag, row=r, known={})

    def positions(self, loop: Loop, envs: Sequence[Env]) -> None:
        """The body of a loop, at all its positions."""
        extent = self.storage.extents[loop.axis]
        if loop.lanes or extent > SHORT:
            envs = self._hoisted(loop, envs)
        if loop.lanes:
            self._tiles(loop, extent, envs)
        elif extent <= SHORT:
            for q in range(extent):
                self.items(loop.body, [env.into(loop.id, loop.axis, q) for env in envs])
        elif not self._packed(loop, extent, envs):
            self._counted(loop, extent, envs)

    def _hoisted(self, loop: Loop, envs: Sequence[Env]) -> list[Env]:
        """With what the loop reads from memory and does not change, read before it."""
        body = list(flat(loop.body))
        inside = {s.id for s in body}
        still: list[tuple[Statement, Edge]] = []
        for s in body:
            for edge in s.args if s.kind not in ("gather", "pack") else ():
                axes = self.axes_read(s, edge)
                if axes is None or edge.guards or not axes <= envs[0].index.keys():
                    continue
                source = edge.source
                makers = (source,) if isinstance(source, Statement) else source.writers
                if inside.isdisjoint(maker.id for maker in makers):
                    still.append((s, edge))
        return [
            replace(env, held={**env.held, **{id(e): self.read(s, e, env) for s, e in still}})
            for env in envs
        ]

    def span(self, loop: Loop, low: int, high: int, step: int, body: Callable[[str], None]) -> None:
        """Positions of a loop, by steps."""
        self.loop(low, high, step, body)

    def rest(self, loop: Loop, emit: Callable[[], None]) -> None:
        """The last positions of a loop, which are fewer than a step."""
        emit()

    def _tiles(self, loop: Loop, extent: int, envs: Sequence[Env]) -> None:
        width = self.width = loop.lanes
        whole = extent // width * width
        self.vector = loop.axis

        def tile(at: str | int) -> None:
            self.items(loop.body, [env.into(loop.id, loop.axis, at) for env in envs])

        def masked() -> None:
            self.tail = extent - whole
            tile(whole)
            self.tail = 0

        def partly(at: str) -> None:
            numbers = self.lanes(INT, width)
            ramp = f"<{', '.join(f'i64 {q}' for q in range(width))}>"
            place = numbers.add(numbers.splat(at), ramp)
            self.some = self.code.let(f"icmp slt {numbers.type} {place}, {numbers.const(extent)}")
            tile(at)
            self.some = None

        if 0 < whole < extent and self._is_long_code(loop):
            self.span(loop, 0, whole + width, width, partly)
        else:
            for low, high, inside in self._segments(loop, whole, width):
                with self._known(loop.axis, low, high, inside):
                    self.span(loop, low, high, width, tile)
            if whole < extent:
                self.rest(loop, masked)
        self.vector = None

    def _is_long_code(self, loop: Loop) -> bool:
        """Whether a second body for the last tile costs more than a mask in every tile."""
        statements = list(flat(loop.body))
        return len(statements) >= LONG_CODE and not any(
            s.kind in ("pack", "scatter")
            or any(edge.guards for edge in s.args)
            or self.storage.vector(self.storage.path[s.id])[0] != loop.axis
            for s in statements
        )

    def _counted(self, loop: Loop, extent: int, envs: Sequence[Env]) -> None:
        copies = min(self._copies(loop, envs), extent)
        together = extent // copies * copies if copies > 1 else 0

        def jammed(at: str) -> None:
            places = [at, *(self.code.let(f"add nuw nsw i64 {at}, {r}") for r in range(1, copies))]
            self.items(
                loop.body,
                [env.into(loop.id, loop.axis, p, r) for env in envs for r, p in enumerate(places)],
            )

        def single(at: str) -> None:
            self.items(loop.body, [env.into(loop.id, loop.axis, at) for env in envs])

        if together:
            self.span(loop, 0, together, copies, jammed)
        for low, high, inside in self._segments(loop, extent, 1) if not together else ():
            with self._known(loop.axis, low, high, inside):
                self.span(loop, low, high, 1, single)
        if 0 < together < extent:
            self.rest(loop, lambda: self.loop(together, extent, 1, single))

    def _segments(self, loop: Loop, extent: int, step: int) -> list[tuple[int, int, bool]]:
        """(from, to, whether all guards on the axis hold there): before, inside and after.

        Not within a part before or after of another axis, where little is done.
        """
        low, high = 0, extent
        guards = [(s, guard) for s in flat(loop.body) for edge in s.args for guard in edge.guards]
        for s, (term, first, last) in guards:
            if [(s.classes[axis], k) for axis, k in term.axes] == [(loop.axis, 1)]:
                low, high = max(low, first - term.offset), min(high, last - term.offset)
        low = -(-low // step) * step
        high = low + (high - low) // step * step
        if not guards or self.outside or high - low < max(LEAST_INSIDE, 2 * step):
            return [(0, extent, False)]
        return [(0, low, False), (low, high, True), (high, extent, False)]

    @contextmanager
    def _known(self, axis: int, low: int, high: int, inside: bool) -> Iterator[None]:
        """Emit for positions of which it is known that they are `inside` the guards, or not."""
        before = self.outside
        if inside:
            self.within[axis] = low, high
        else:
            self.outside = True
        yield
        self.outside = before
        self.within.pop(axis, None)

    def _copies(self, loop: Loop, envs: Sequence[Env]) -> int:
        """How many positions to emit side by side."""
        if any(self._shared(s, loop.axis) for s in flat(loop.body)):
            return 1
        if self.vector is None:
            return ROWS if any(isinstance(i, Loop) and i.lanes for i in loop.body) else 1
        if len(envs) >= 4:
            return 1
        inner = [i for i in loop.body if isinstance(i, Loop) and self._long(i)]
        everything = list(flat(loop.body))
        modes = self.storage.accumulators
        if not inner:
            sums = any(s.id in modes and modes[s.id].mode == "sums" for s in everything)
            return EIGHT if sums and len(everything) <= 3 else 1
        deepest = all(not any(isinstance(j, Loop) and self._long(j) for j in i.body) for i in inner)
        reduces = any(
            s.id in modes and modes[s.id].mode == "registers" and loop.axis in s.result_classes
            for i in inner
            for s in flat(i.body)
        )
        return max(1, REGISTERS // (self.width // EIGHT)) if deepest and reduces else 1

    def _shared(self, statement: Statement, axis: int) -> bool:
        """Whether copies of a body for several positions along an axis would write one place."""
        slot = self.storage.slots.get(statement.id)
        if slot is None or not slot.memory or axis in slot.axes:
            return False
        return axis not in statement.reduced_classes

    def _long(self, loop: Loop) -> bool:
        return self.storage.extents[loop.axis] > SHORT

    # ------------------------------------------------------------------------------- packs

    def _packed(self, loop: Loop, extent: int, envs: Sequence[Env]) -> bool:
        """A loop that only packs, by transposes of 8 × 8 in registers; False where it is not."""
        if len(loop.body) != 1 or len(envs) != 1 or self.tail:
            return False
        (pack,) = loop.body
        if not isinstance(pack, Statement) or pack.kind != "pack" or pack.dtype.str[1:] != "f8":
            return False
        (edge,) = pack.args
        steps = {pack.classes[axis]: step for axis, step in edge.terms[0].axes}
        if steps.get(loop.axis) != 1 or extent < EIGHT:
            return False
        assert self.vector is not None
        apart = steps[self.vector]
        env = envs[0]

        def block(at: str | int) -> None:
            here = env.into(loop.id, loop.axis, at)
            position = self.place(edge.terms[0], pack, here)
            slot = self.storage.slots[pack.id]
            base = self.pointer(edge.source)
            for group in range(self.width // EIGHT):
                rows = []
                for r in range(EIGHT):
                    row = self.element(
                        self.element(base, "double", position),
                        "double",
                        (group * EIGHT + r) * apart,
                    )
                    rows.append(self.code.let(f"load <8 x double>, ptr {row}, align 8"))
                for q, column in enumerate(self._transposed(pack.dtype, rows)):
                    at_q = at + q if isinstance(at, int) else self.code.let(f"add i64 {at}, {q}")
                    place = env.into(loop.id, loop.axis, at_q)
                    where = [(place.index[a], slot.strides[a]) for a in slot.axes]
                    element = self.slot_address(slot, self.sum(where, place))
                    to = self.element(element, "double", group * EIGHT)
                    self.code.put(f"store <8 x double> {column}, ptr {to}, align 64")

        self.loop(0, extent // EIGHT * EIGHT, EIGHT, block)
        if extent % EIGHT:
            block(extent - EIGHT)
        return True

    def _transposed(self, dtype: DType, rows: list[Value]) -> list[Value]:
        """Eight rows of eight as eight columns: three rounds of interleaving."""
        one = ([0, 8, 2, 10, 4, 12, 6, 14], [1, 9, 3, 11, 5, 13, 7, 15])
        two = ([0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15])
        four = ([0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15])
        for apart, (low, high) in ((1, one), (2, two), (4, four)):
            turned: list[Value] = [None] * EIGHT
            for k in range(EIGHT):
                if not k & apart:
                    a, b = rows[k], rows[k + apart]
                    turned[k] = self.interleave(dtype, a, b, low)
                    turned[k + apart] = self.interleave(dtype, a, b, high)
            rows = turned
        return rows
