"""Loops and branches that the graph holds as one op, written into the function `program`.

A step of a loop is a call of the program of its body. What the steps carry lies in two places in
turn, so that a step never writes what it reads; of what is stacked, each step gets its own row.

Where something has failed, no step and no branch runs any more: what they would read may be of no
meaning, and a loop that runs while a condition holds might never end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wengert.compiler.code import Code
from wengert.compiler.nests.holders import Held
from wengert.compiler.nests.statements import Call, Memory
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, TapeType, TupleType, Type

FIRST_ROOM = 64
"""Rows that a growing tape has room for at first."""

Address = Callable[[object], str]


@dataclass(frozen=True, slots=True)
class Stack:
    """Rows in memory: the address of the first, from one to the next, and the bytes before what is
    meant of each."""

    base: str
    nbytes: int
    offset: int = 0


class Writer:
    """The calls of the parts of a holder, written into the function `program`."""

    def __init__(
        self, code: Code, call: Call, address: Address, table: list[str], status: str
    ) -> None:
        self.code = code
        self.held: Held = call.params
        self._rows: dict[tuple[str, str, int], str] = {}
        self.address = address
        self._table = []
        for _, part in self.held.parts:
            self._table.append(code.let(f"getelementptr ptr, ptr %table, i64 {len(table)}"))
            table.extend(part.table)
        self.failed = code.slot("i64", 8)
        code.put(f"store i64 {status}, ptr {self.failed}")

    # ------------------------------------------------------------------------------- small things

    def slots(self, count: int) -> str:
        """Room for so many addresses."""
        return self.code.slot(f"[{max(count, 1)} x ptr]", 8)

    def put(self, slots: str, k: int, pointer: str) -> None:
        at = self.code.let(f"getelementptr ptr, ptr {slots}, i64 {k}")
        self.code.put(f"store ptr {pointer}, ptr {at}")

    def row(self, base: str, at: str, nbytes: int) -> str:
        """Row `at` of what lies at an address; the same row has one name."""
        key = (base, at, nbytes)
        found = self._rows.get(key)
        if found is None:
            offset = self.code.let(f"mul i64 {at}, {nbytes}")
            found = self._rows[key] = self.beyond(base, offset)
        return found

    def beyond(self, base: str, offset: int | str) -> str:
        return self.code.let(f"getelementptr i8, ptr {base}, i64 {offset}")

    def word(self, handle: str, k: int) -> str:
        return self.code.let(f"getelementptr i64, ptr {handle}, i64 {k}")

    def run(self, k: int, inputs: str, outputs: str) -> None:
        """Call the part of the k-th body."""
        code = self.code
        number = self.held.parts[k][0]
        arena = self.address(self.held.scratch[k])
        status = code.let(
            f"call i64 @program.{number}(ptr {inputs}, ptr {outputs}, ptr {arena}, "
            f"ptr {self._table[k]})"
        )
        before = code.let(f"load i64, ptr {self.failed}")
        after = code.let(f"or i64 {before}, {status}")
        code.put(f"store i64 {after}, ptr {self.failed}")

    def copy(self, target: str, source: str, type: Type) -> None:
        """Copy an array to where it may lie already."""
        assert isinstance(type, ArrayType)
        size, volatile = ("i64", str(type.nbytes)), ("i1", "false")
        name = "llvm.memmove.p0.p0.i64"
        self.code.call_void(name, ("ptr", target), ("ptr", source), size, volatile)

    def status(self) -> str:
        return self.code.let(f"load i64, ptr {self.failed}")

    def unless_failed(self, more: str) -> str:
        """The condition, and that nothing has failed."""
        fine = self.code.let(f"icmp eq i64 {self.status()}, 0")
        return self.code.let(f"and i1 {more}, {fine}")

    # -------------------------------------------------------------------------------------- tapes

    def stack(self, memory: Memory, type: Type) -> Stack:
        """Where the rows of what is stacked lie."""
        if isinstance(type, TapeType):
            base = self.code.let(f"load ptr, ptr {self.address(memory)}")
            return Stack(base, type.step.nbytes)
        assert isinstance(type, ArrayType)
        if memory.row is not None:
            together, offset, step = memory.row
            return Stack(self.address(together), step, offset)
        return Stack(self.address(memory), type.nbytes // type.shape[0])

    def step_of(self, stack: Stack, at: str) -> str:
        """The address of one row."""
        row = self.row(stack.base, at, stack.nbytes)
        return self.beyond(row, stack.offset) if stack.offset else row

    # ------------------------------------------------------------------------------------- carry

    def begin(self, start: Sequence[Memory]) -> tuple[str, str]:
        """The two places of the carry, the first of them with what it is at first."""
        first, second = map(self.address, self.held.blocks)
        types: TupleType = self.held.node.type
        for memory, offset, type in zip(start, self.held.offsets, types.items, strict=False):
            self.copy(self.beyond(first, offset), self.address(memory), type)
        return first, second

    def carry(self, slots: str, first: int, block: str) -> None:
        """Put the addresses of a carry into slots, from that one on."""
        for k, offset in enumerate(self.held.offsets):
            self.put(slots, first + k, self.beyond(block, offset))

    def end(self, block: str) -> None:
        """Copy the last carry to the results."""
        held, types = self.held, self.held.node.type
        for memory, offset, type in zip(held.results, held.offsets, types.items, strict=False):
            self.copy(self.address(memory), self.beyond(block, offset), type)

    def new_tape(self, memory: Memory, type: TapeType, rows: str) -> None:
        """Room for so many rows."""
        code = self.code
        handle = self.address(memory)
        size = code.let(f"mul i64 {rows}, {type.step.nbytes}")
        rounded = code.let(f"add i64 {size}, 64")
        block = code.call("malloc", "ptr", ("i64", rounded))
        code.put(f"store ptr {block}, ptr {handle}")
        for k in (1, 2):
            code.put(f"store i64 {rows}, ptr {self.word(handle, k)}")

    def empty_tape(self, memory: Memory) -> None:
        handle = self.address(memory)
        self.code.put(f"store ptr null, ptr {handle}")
        for k in (1, 2):
            self.code.put(f"store i64 0, ptr {self.word(handle, k)}")

    def next_row(self, memory: Memory, type: TapeType, at: str) -> str:
        """The address of row `at`, for which room is made where there is none."""
        code = self.code
        handle = self.address(memory)
        room = self.word(handle, 1)
        have = code.let(f"load i64, ptr {room}")
        full = code.let(f"icmp uge i64 {at}, {have}")
        grow, done = code.fresh("G"), code.fresh("D")
        code.put(f"br i1 {full}, label %{grow}, label %{done}")
        code.label(grow)
        twice = code.let(f"shl i64 {have}, 1")
        more = code.let(f"icmp ugt i64 {twice}, {FIRST_ROOM}")
        rows = code.let(f"select i1 {more}, i64 {twice}, i64 {FIRST_ROOM}")
        size = code.let(f"mul i64 {rows}, {type.step.nbytes}")
        old = code.let(f"load ptr, ptr {handle}")
        block = code.call("realloc", "ptr", ("ptr", old), ("i64", size))
        code.put(f"store ptr {block}, ptr {handle}")
        code.put(f"store i64 {rows}, ptr {room}")
        code.put(f"br label %{done}")
        code.label(done)
        start = code.let(f"load ptr, ptr {handle}")
        return self.row(start, at, type.step.nbytes)


def _types(nodes: Sequence[Node]) -> list[Type]:
    return [node.type for node in nodes]


def emit_scan(code: Code, call: Call, address: Address, table: list[str], status: str) -> str:
    """A loop over the steps."""
    w = Writer(code, call, address, table, status)
    held = w.held
    _, n_consts, n_carry, length, reverse = held.node.params
    lead = 1 if length is None else 0
    types = _types(held.node.args)
    results: TupleType = held.node.type
    consts = held.args[lead : lead + n_consts]
    first_x = lead + n_consts + n_carry
    count = code.let(f"load i64, ptr {address(held.args[0])}") if lead else str(length)
    inputs, outputs = w.slots(len(held.args) - lead), w.slots(len(results.items))
    for k, memory in enumerate(consts):
        w.put(inputs, k, address(memory))
    ys = list(zip(held.results[n_carry:], results.items[n_carry:], strict=True))
    for memory, type in ys:
        if isinstance(type, TapeType):
            w.new_tape(memory, type, count)
    y_stacks = [w.stack(memory, type) for memory, type in ys]
    x_stacks = [
        w.stack(memory, type)
        for memory, type in zip(held.args[first_x:], types[first_x:], strict=True)
    ]
    first, second = w.begin(held.args[lead + n_consts : first_x])
    last = code.let(f"add i64 {count}, -1")
    loop = Repetition(code, first)
    loop.body(w.unless_failed(code.let(f"icmp ult i64 {loop.t}, {count}")))
    at = code.let(f"sub i64 {last}, {loop.t}") if reverse else loop.t
    w.carry(inputs, n_consts, loop.block)
    following = loop.other(first, second)
    w.carry(outputs, 0, following)
    for k, stack in enumerate(x_stacks):
        w.put(inputs, n_consts + n_carry + k, w.step_of(stack, at))
    for k, stack in enumerate(y_stacks):
        w.put(outputs, n_carry + k, w.step_of(stack, at))
    w.run(0, inputs, outputs)
    loop.again(following)
    w.end(loop.block)
    return w.status()


class Repetition:
    """A loop under construction: the number %t of the step, and the place of the carry."""

    def __init__(self, code: Code, first: str) -> None:
        self.code = code
        self._before, self._first = code.block, first
        self._head, self._end = code.fresh("H"), code.fresh("E")
        self.t, self.block = f"%i{self._head}", f"%b{self._head}"
        code.put(f"br label %{self._head}")
        code.label(self._head)
        self._phis = len(code.lines)

    def body(self, more: str) -> None:
        """Go on with the step where there is one."""
        inside = self.code.fresh("B")
        self.code.put(f"br i1 {more}, label %{inside}, label %{self._end}")
        self.code.label(inside)

    def other(self, first: str, second: str) -> str:
        """The place that the step writes."""
        odd = self.code.let(f"trunc i64 {self.t} to i1")
        return self.code.let(f"select i1 {odd}, ptr {first}, ptr {second}")

    def again(self, following: str) -> None:
        """The next step, and after the last of them."""
        code = self.code
        t = code.let(f"add nuw nsw i64 {self.t}, 1")
        latch = code.block
        code.put(f"br label %{self._head}")
        code.lines[self._phis : self._phis] = [
            f"{self.t} = phi i64 [ 0, %{self._before} ], [ {t}, %{latch} ]",
            f"{self.block} = phi ptr [ {self._first}, %{self._before} ], [ {following}, %{latch} ]",
        ]
        code.label(self._end)


def emit_repeat(code: Code, call: Call, address: Address, table: list[str], status: str) -> str:
    """A loop whose condition is asked before each step."""
    w = Writer(code, call, address, table, status)
    held = w.held
    _, body, n_asked, n_consts = held.node.params
    n_carry = held.carried
    results: TupleType = held.node.type
    questions, answer = w.slots(n_asked + n_carry), w.slots(1)
    flag = code.slot("i8", 8)
    w.put(answer, 0, flag)
    inputs, outputs = w.slots(n_consts + n_carry), w.slots(len(body.outputs))
    for k, memory in enumerate(held.args[:n_asked]):
        w.put(questions, k, address(memory))
    for k, memory in enumerate(held.args[n_asked : n_asked + n_consts]):
        w.put(inputs, k, address(memory))
    tapes = list(zip(held.results[n_carry + 1 :], results.items[n_carry + 1 :], strict=True))
    for memory, _ in tapes:
        w.empty_tape(memory)
    first, second = w.begin(held.args[n_asked + n_consts :])
    loop = Repetition(code, first)
    w.carry(questions, n_asked, loop.block)
    w.run(0, questions, answer)
    holds = code.let(f"load i8, ptr {flag}")
    loop.body(w.unless_failed(code.let(f"icmp ne i8 {holds}, 0")))
    w.carry(inputs, n_consts, loop.block)
    following = loop.other(first, second)
    w.carry(outputs, 0, following)
    for k, (memory, type) in enumerate(tapes):
        assert isinstance(type, TapeType)
        w.put(outputs, n_carry + k, w.next_row(memory, type, loop.t))
    w.run(1, inputs, outputs)
    loop.again(following)
    w.end(loop.block)
    code.put(f"store i64 {loop.t}, ptr {address(held.results[n_carry])}")
    for memory, _ in tapes:
        code.put(f"store i64 {loop.t}, ptr {w.word(address(memory), 2)}")
    return w.status()


def emit_branch(code: Code, call: Call, address: Address, table: list[str], status: str) -> str:
    """One of several calls."""
    w = Writer(code, call, address, table, status)
    held = w.held
    inputs, outputs = w.slots(len(held.args) - 1), w.slots(len(held.results))
    for k, memory in enumerate(held.args[1:]):
        w.put(inputs, k, address(memory))
    for k, memory in enumerate(held.results):
        w.put(outputs, k, address(memory))
    index = code.let(f"load i64, ptr {address(held.args[0])}")
    low = code.let(f"icmp sgt i64 {index}, 0")
    clamped = code.let(f"select i1 {low}, i64 {index}, i64 0")
    count = len(held.parts)
    names = [code.fresh("C") for _ in range(count)]
    choose, end = code.fresh("S"), code.fresh("E")
    code.put(f"br i1 {w.unless_failed('true')}, label %{choose}, label %{end}")
    code.label(choose)
    cases = " ".join(f"i64 {k}, label %{name}" for k, name in enumerate(names[:-1]))
    code.put(f"switch i64 {clamped}, label %{names[-1]} [ {cases} ]")
    for k, name in enumerate(names):
        code.label(name)
        w.run(k, inputs, outputs)
        code.put(f"br label %{end}")
    code.label(end)
    return w.status()


def emit_checkpoint(code: Code, call: Call, address: Address, table: list[str], status: str) -> str:
    """One call."""
    w = Writer(code, call, address, table, status)
    inputs, outputs = w.slots(len(w.held.args)), w.slots(len(w.held.results))
    for k, memory in enumerate(w.held.args):
        w.put(inputs, k, address(memory))
    for k, memory in enumerate(w.held.results):
        w.put(outputs, k, address(memory))
    inside, end = code.fresh("C"), code.fresh("E")
    code.put(f"br i1 {w.unless_failed('true')}, label %{inside}, label %{end}")
    code.label(inside)
    w.run(0, inputs, outputs)
    code.put(f"br label %{end}")
    code.label(end)
    return w.status()


def free_tapes(code: Code, tapes: Sequence[str]) -> None:
    """Give back the rows of the tapes that nobody else gets."""
    for handle in tapes:
        block = code.let(f"load ptr, ptr {handle}")
        code.call_void("free", ("ptr", block))
