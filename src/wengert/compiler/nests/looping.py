"""Loops and branches that the graph holds as one op, written into the function `program`.

A step of a loop is a call of the program of its body. What the steps carry lies in two places in
turn, so that a step never writes what it reads; of what is stacked, each step gets its own row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wengert.compiler.code import Code
from wengert.compiler.nests.holders import Held
from wengert.compiler.nests.statements import Call, Memory
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, TapeType, TupleType, Type

FIRST_ROOM = 64
"""Rows that a growing tape has room for at first."""

Address = Callable[[object], str]


class Writer:
    """The calls of the parts of a holder, written into the function `program`."""

    def __init__(self, code: Code, call: Call, address: Address, table: list[str]) -> None:
        self.code = code
        self.held: Held = call.params
        self.address = address
        self._table = []
        for _, part in self.held.parts:
            self._table.append(code.let(f"getelementptr ptr, ptr %table, i64 {len(table)}"))
            table.extend(part.table)
        self.failed = code.slot("i64", 8)
        code.put(f"store i64 0, ptr {self.failed}")

    # ------------------------------------------------------------------------------- small things

    def slots(self, count: int) -> str:
        """Room for so many addresses."""
        return self.code.slot(f"[{max(count, 1)} x ptr]", 8)

    def put(self, slots: str, k: int, pointer: str) -> None:
        at = self.code.let(f"getelementptr ptr, ptr {slots}, i64 {k}")
        self.code.put(f"store ptr {pointer}, ptr {at}")

    def row(self, base: str, at: str, nbytes: int) -> str:
        offset = self.code.let(f"mul i64 {at}, {nbytes}")
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

    # -------------------------------------------------------------------------------------- tapes

    def base(self, memory: Memory, type: Type) -> str:
        """The address of the first row of what is stacked."""
        pointer = self.address(memory)
        return self.code.let(f"load ptr, ptr {pointer}") if isinstance(type, TapeType) else pointer

    def new_tape(self, memory: Memory, type: TapeType, rows: str) -> str:
        """Room for so many rows; the address of the first."""
        code = self.code
        handle = self.address(memory)
        size = code.let(f"mul i64 {rows}, {type.step.nbytes}")
        rounded = code.let(f"add i64 {size}, 64")
        block = code.call("malloc", "ptr", ("i64", rounded))
        code.put(f"store ptr {block}, ptr {handle}")
        for k in (1, 2):
            code.put(f"store i64 {rows}, ptr {self.word(handle, k)}")
        return block

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


def emit_scan(code: Code, call: Call, address: Address, table: list[str]) -> str:
    """A loop over the steps; the address of each carry alternates between two places."""
    w = Writer(code, call, address, table)
    held = w.held
    _, n_consts, n_carry, length, reverse = held.node.params
    lead = 1 if length is None else 0
    types = _types(held.node.args)
    results: TupleType = held.node.type
    consts = held.args[lead : lead + n_consts]
    start = held.args[lead + n_consts : lead + n_consts + n_carry]
    first_x = lead + n_consts + n_carry
    xs, x_types = held.args[first_x:], types[first_x:]
    count = code.let(f"load i64, ptr {address(held.args[0])}") if lead else str(length)
    inputs = w.slots(n_consts + n_carry + len(xs))
    outputs = w.slots(len(results.items))
    for k, memory in enumerate(consts):
        w.put(inputs, k, address(memory))
    x_bases = [w.base(m, t) for m, t in zip(xs, x_types, strict=True)]
    ys, y_types = held.results[n_carry:], results.items[n_carry:]
    y_bases = [
        w.new_tape(m, t, count) if isinstance(t, TapeType) else address(m)
        for m, t in zip(ys, y_types, strict=True)
    ]
    begin = [address(m) for m in start]
    pairs = [(address(a), address(b)) for a, b in held.spare]
    final = [address(m) for m in held.results[:n_carry]]
    last = code.let(f"add i64 {count}, -1")

    def step(t: str, carry: Sequence[str]) -> list[str]:
        at = code.let(f"sub i64 {last}, {t}") if reverse else t
        odd = code.let(f"trunc i64 {t} to i1")
        ends = code.let(f"icmp eq i64 {t}, {last}")
        nexts = []
        for k, (a, b) in enumerate(pairs):
            w.put(inputs, n_consts + k, carry[k])
            place = code.let(f"select i1 {odd}, ptr {a}, ptr {b}")
            nexts.append(code.let(f"select i1 {ends}, ptr {final[k]}, ptr {place}"))
            w.put(outputs, k, nexts[k])
        for k, (base, type) in enumerate(zip(x_bases, x_types, strict=True)):
            w.put(inputs, n_consts + n_carry + k, w.row(base, at, _row_bytes(type)))
        for k, (base, type) in enumerate(zip(y_bases, y_types, strict=True)):
            w.put(outputs, n_carry + k, w.row(base, at, _row_bytes(type)))
        w.run(0, inputs, outputs)
        return nexts

    after = _counted(code, count, begin, step)
    if lead:  # there may be no step at all
        for target, source, type in zip(final, after, results.items, strict=False):
            w.copy(target, source, type)
    return w.status()


def _row_bytes(type: Type) -> int:
    """The bytes of one step of what is stacked."""
    if isinstance(type, TapeType):
        return type.step.nbytes
    assert isinstance(type, ArrayType)
    return type.nbytes // type.shape[0]


def _counted(
    code: Code, count: str, begin: Sequence[str], step: Callable[[str, Sequence[str]], list[str]]
) -> list[str]:
    """A counted loop that carries addresses; those after the last step."""
    before, head, body, end = code.block, code.fresh("H"), code.fresh("B"), code.fresh("E")
    t, following = f"%i{head}", f"%n{head}"
    code.put(f"br label %{head}")
    code.label(head)
    place = len(code.lines)
    names = [f"%c{k}{head}" for k in range(len(begin))]
    more = code.let(f"icmp ult i64 {t}, {count}")
    code.put(f"br i1 {more}, label %{body}, label %{end}")
    code.label(body)
    nexts = step(t, names)
    code.put(f"{following} = add nuw nsw i64 {t}, 1")
    latch = code.block
    code.put(f"br label %{head}")
    phis = [f"{t} = phi i64 [ 0, %{before} ], [ {following}, %{latch} ]"]
    phis += [
        f"{name} = phi ptr [ {first}, %{before} ], [ {then}, %{latch} ]"
        for name, first, then in zip(names, begin, nexts, strict=True)
    ]
    code.lines[place:place] = phis
    code.label(end)
    return names


def emit_repeat(code: Code, call: Call, address: Address, table: list[str]) -> str:
    """A loop whose condition is asked before each step."""
    w = Writer(code, call, address, table)
    held = w.held
    _, body, n_asked, n_consts = held.node.params
    n_carry = len(body.params) - n_consts
    results: TupleType = held.node.type
    asked, consts = held.args[:n_asked], held.args[n_asked : n_asked + n_consts]
    start = held.args[n_asked + n_consts :]
    questions, answer = w.slots(n_asked + n_carry), w.slots(1)
    flag = code.slot("i8", 8)
    w.put(answer, 0, flag)
    inputs, outputs = w.slots(n_consts + n_carry), w.slots(len(body.outputs))
    for k, memory in enumerate(asked):
        w.put(questions, k, address(memory))
    for k, memory in enumerate(consts):
        w.put(inputs, k, address(memory))
    tapes = list(zip(held.results[n_carry + 1 :], results.items[n_carry + 1 :], strict=True))
    for memory, _ in tapes:
        w.empty_tape(memory)
    begin = [address(m) for m in start]
    pairs = [(address(a), address(b)) for a, b in held.spare]

    before, head = code.block, code.fresh("H")
    inside, end = code.fresh("B"), code.fresh("E")
    t, following = f"%i{head}", f"%n{head}"
    code.put(f"br label %{head}")
    code.label(head)
    place = len(code.lines)
    carry = [f"%c{k}{head}" for k in range(n_carry)]
    for k, pointer in enumerate(carry):
        w.put(questions, n_asked + k, pointer)
    w.run(0, questions, answer)
    holds = code.let(f"load i8, ptr {flag}")
    more = code.let(f"icmp ne i8 {holds}, 0")
    code.put(f"br i1 {more}, label %{inside}, label %{end}")
    code.label(inside)
    odd = code.let(f"trunc i64 {t} to i1")
    nexts = []
    for k, (a, b) in enumerate(pairs):
        w.put(inputs, n_consts + k, carry[k])
        nexts.append(code.let(f"select i1 {odd}, ptr {a}, ptr {b}"))
        w.put(outputs, k, nexts[k])
    for k, (memory, type) in enumerate(tapes):
        assert isinstance(type, TapeType)
        w.put(outputs, n_carry + k, w.next_row(memory, type, t))
    w.run(1, inputs, outputs)
    code.put(f"{following} = add nuw nsw i64 {t}, 1")
    latch = code.block
    code.put(f"br label %{head}")
    phis = [f"{t} = phi i64 [ 0, %{before} ], [ {following}, %{latch} ]"]
    phis += [
        f"{name} = phi ptr [ {first}, %{before} ], [ {then}, %{latch} ]"
        for name, first, then in zip(carry, begin, nexts, strict=True)
    ]
    code.lines[place:place] = phis
    code.label(end)
    for memory, pointer, type in zip(held.results, carry, results.items, strict=False):
        w.copy(address(memory), pointer, type)
    code.put(f"store i64 {t}, ptr {address(held.results[n_carry])}")
    for memory, _ in tapes:
        code.put(f"store i64 {t}, ptr {w.word(address(memory), 2)}")
    return w.status()


def emit_branch(code: Code, call: Call, address: Address, table: list[str]) -> str:
    """One of several calls."""
    w = Writer(code, call, address, table)
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
    end = code.fresh("E")
    cases = " ".join(f"i64 {k}, label %{name}" for k, name in enumerate(names[:-1]))
    code.put(f"switch i64 {clamped}, label %{names[-1]} [ {cases} ]")
    for k, name in enumerate(names):
        code.label(name)
        w.run(k, inputs, outputs)
        code.put(f"br label %{end}")
    code.label(end)
    return w.status()


def free_tapes(code: Code, tapes: Sequence[str]) -> None:
    """Give back the rows of the tapes that nobody else gets."""
    for handle in tapes:
        block = code.let(f"load ptr, ptr {handle}")
        code.call_void("free", ("ptr", block))
