"""Calls between loop nests: products of matrices by BLAS.

BLAS counts columns first, so C = A B of matrices in C order is the product Cᵀ = Bᵀ Aᵀ to it;
transposes are flags.
"""

from __future__ import annotations

from collections.abc import Callable

from wengert.compiler.code import Code
from wengert.compiler.lanes import float_constant
from wengert.compiler.nests.statements import Call, memory_type

PREFIX = {"f4": "s", "f8": "d", "c8": "c", "c16": "z"}
"""BLAS's letter of a dtype."""


def emit_call(
    code: Code, call: Call, address: Callable[[object], str], table: list[str], status: str
) -> str:
    """Emit a call, which never fails; the addresses of what it calls are entries of the table."""
    (memory,) = call.results
    left, right, count = call.params
    rows, columns, inner = left[0], right[0], left[2]
    letter = PREFIX[memory.dtype.str[1:]]
    type = memory_type(memory.dtype)

    def constant(kind: str, value: str) -> str:
        slot = code.slot(kind, 8)
        code.put(f"store {kind} {value}, ptr {slot}")
        return slot

    def number(value: float) -> str:
        if memory.dtype.kind != "c":
            return constant(type, float_constant(value, type))
        parts = f"{type} {float_constant(value, type)}, {type} {float_constant(0.0, type)}"
        return constant(f"{{{type}, {type}}}", f"{{{parts}}}")

    def operand(k: int, turned: bool) -> tuple[str, str, str]:
        """(address, transpose flag, leading dimension); `turned` where BLAS needs M and not Mᵀ of
        what lies in C order."""
        edge = call.args[k]
        _, row_step, _, column_step = call.params[k]
        base = address(edge.source)
        offset = edge.terms[0].offset
        if offset:
            size = edge.source.dtype.itemsize
            base = code.let(f"getelementptr i8, ptr {base}, i64 {offset * size}")
        in_order = column_step == 1
        flag = "T" if in_order == turned else "N"
        leading = row_step if in_order else column_step
        return base, constant("i8", str(ord(flag))), constant("i32", str(leading))

    a, flag_a, leading_a = operand(0, False)
    b, flag_b, leading_b = operand(1, True)
    m, n, k = (constant("i32", str(extent)) for extent in (columns, rows, inner))
    name = f"{letter}gemm"
    if name not in table:
        table.append(name)
    entry = code.let(f"getelementptr ptr, ptr %table, i64 {table.index(name)}")
    function = code.let(f"load ptr, ptr {entry}")
    leading = constant("i32", str(columns))
    one, zero = number(1.0), number(0.0)
    target = address(memory)

    def product(b: str, a: str, c: str) -> None:
        fixed = (flag_b, flag_a, m, n, k, one, b, leading_b, a, leading_a, zero, c, leading)
        code.put(f"call void {function}({', '.join(f'ptr {each}' for each in fixed)})")

    if count == 1:
        product(b, a, target)
        return status
    size = memory.dtype.itemsize
    steps = [size * extent for extent in (columns * inner, rows * inner, rows * columns)]

    def one_of_many(at: str) -> None:
        moved = []
        for base, step in zip((b, a, target), steps, strict=True):
            offset = code.let(f"mul i64 {at}, {step}")
            moved.append(code.let(f"getelementptr i8, ptr {base}, i64 {offset}"))
        product(*moved)

    counted(code, count, one_of_many)
    return status


def counted(code: Code, count: int, body: Callable[[str], None]) -> None:
    """A loop of `count` steps, at least one: body(number of the step)."""
    before, head, end = code.block, code.fresh("B"), code.fresh("E")
    at, following = f"%i{head}", f"%n{head}"
    code.put(f"br label %{head}")
    code.label(head)
    place = len(code.lines)
    body(at)
    code.put(f"{following} = add nuw nsw i64 {at}, 1")
    code.lines.insert(place, f"{at} = phi i64 [ 0, %{before} ], [ {following}, %{code.block} ]")
    again = code.let(f"icmp slt i64 {following}, {count}")
    code.put(f"br i1 {again}, label %{head}, label %{end}")
    code.label(end)
