"""Small matrices between the loops of a program: factorisations and solves of each of a stack."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wengert.compiler import factorising
from wengert.compiler.code import Code
from wengert.compiler.nests.calls import counted
from wengert.compiler.nests.holders import of_type, room
from wengert.compiler.nests.references import Reference
from wengert.compiler.nests.statements import Call, Edge, Memory, memory_type
from wengert.graph.node import Node
from wengert.graph.types import ArrayType, DType, TupleType
from wengert.ops.linalg.lapack import MOST_ORDER

if TYPE_CHECKING:
    from wengert.compiler.nests.lowering import Lowering


@dataclass(frozen=True, slots=True)
class Stack:
    """What is done with each matrix of a stack.

    count: how many matrices. order, columns: of the matrix, and of the right side or result.
    steps: from one matrix to the next, in bytes, of arguments and results: 0 for what is one for
    the whole stack. flags: of the op.
    """

    count: int
    order: int
    columns: int
    steps: tuple[int, ...]
    flags: tuple[Any, ...]


def takes(node: Node) -> bool:
    """Whether the matrices of a node are small, real, and lie one for one."""
    arrays = _arrays(node)
    dtypes = {array.dtype for array in arrays}
    if len(dtypes) != 1 or not all(array.size for array in arrays):
        return False
    (dtype,) = dtypes
    if dtype.kind != "f" or dtype.itemsize < 4 or arrays[0].shape[-1] > MOST_ORDER:
        return False
    whole = math.prod(arrays[-1].shape[:-2])
    return all(
        array.shape[:-2] == arrays[-1].shape[:-2] or math.prod(array.shape[:-2]) == 1
        for array in arrays
    ) and bool(whole)


def _arrays(node: Node) -> list[ArrayType]:
    """The types of the matrices that a node reads, and of the one that it gives."""
    result = node.type.items[0] if isinstance(node.type, TupleType) else node.type
    read = [arg.type for arg in node.args if isinstance(arg.type, ArrayType)]
    return [*read, result]


def _lower(lowering: Lowering, node: Node, read: Sequence[Reference], flags: Any) -> Any:
    args: list[Memory] = []
    for reference in read:
        source = lowering.in_memory(reference).source
        assert isinstance(source, Memory)
        args.append(source)
    is_tuple = isinstance(node.type, TupleType)
    types = node.type.items if is_tuple else (node.type,)
    results = [room(lowering, type) for type in types]
    shape = types[0].shape
    count = math.prod(shape[:-2])
    order = _arrays(node)[0].shape[-1]
    steps = [_step(reference, count) for reference in read]
    steps += [memory.nbytes // count for memory in results]
    stack = Stack(count, order, shape[-1], tuple(steps), tuple(flags))
    work = count * order * order * shape[-1]
    call = Call(node.op.name, [Edge(memory) for memory in args], results, stack, work)
    lowering.steps.append(call)
    for memory in results:
        memory.writers.append(call)
    found = tuple(of_type(m, type) for m, type in zip(results, types, strict=True))
    return found if is_tuple else found[0]


def _step(reference: Reference, count: int) -> int:
    """From one matrix to the next, in bytes. The memory may hold more of them than are read."""
    stack, core = reference.shape, 1 if reference.dtype.kind == "i" else 2
    shared = math.prod(stack[: len(stack) - core]) < count
    return 0 if shared else math.prod(stack) // count * reference.dtype.itemsize


def _of_matrix(lowering: Lowering, node: Node) -> Any:
    return _lower(
        lowering, node, [lowering.references[arg] for arg in node.args], node.params or ()
    )


def _of_factors(lowering: Lowering, node: Node) -> Any:
    """Of (lu(a), a, …): what is computed from the factors does not read a."""
    factors, _, *rest = node.args
    read = [*lowering.references[factors], *(lowering.references[arg] for arg in rest)]
    return _lower(lowering, node, read, node.params or ())


FORMS: dict[str, Callable[[Lowering, Node], Any]] = {
    "lu": _of_matrix,
    "cholesky": _of_matrix,
    "triangular_solve": _of_matrix,
    "solve": _of_factors,
    "inverse": _of_factors,
}

# ---------------------------------------------------------------------------------- emission


def emit(
    code: Code, call: Call, address: Callable[[object], str], table: list[str], status: str
) -> str:
    """The calls for each matrix of a stack; gives the status. Where something has failed, there may
    be no matrices to read."""
    stack: Stack = call.params
    memories = [edge.source for edge in call.args] + list(call.results)
    failed = code.slot("i64", 8)
    code.put(f"store i64 {status}, ptr {failed}")
    bases = [address(memory) for memory in memories]

    def each(at: str) -> None:
        moved = []
        for base, step in zip(bases, stack.steps, strict=True):
            offset = code.let(f"mul i64 {at}, {step}")
            moved.append(code.let(f"getelementptr i8, ptr {base}, i64 {offset}"))
        own = _EMITTED[call.what](_One(code, stack, call.results[0].dtype), *moved)
        if own is not None:
            before = code.let(f"load i64, ptr {failed}")
            code.put(f"store i64 {code.let(f'or i64 {before}, {own}')}, ptr {failed}")

    run, end = code.fresh("A"), code.fresh("Z")
    code.put(f"br i1 {code.let(f'icmp eq i64 {status}, 0')}, label %{run}, label %{end}")
    code.label(run)
    if stack.count == 1:
        each("0")
    else:
        counted(code, stack.count, each)
    code.put(f"br label %{end}")
    code.label(end)
    return code.let(f"load i64, ptr {failed}")


class _One:
    """One matrix of a stack."""

    def __init__(self, code: Code, stack: Stack, dtype: DType) -> None:
        self.code = code
        self.stack = stack
        self.type = memory_type(dtype)
        self.bytes = dtype.itemsize

    def status(self, name: str, *args: tuple[str, str]) -> str:
        typed = ", ".join(f"{type} {value}" for type, value in args)
        return self.code.let(f"call i64 @{name}({typed})")

    def run(self, name: str, *args: tuple[str, str]) -> None:
        typed = ", ".join(f"{type} {value}" for type, value in args)
        self.code.put(f"call void @{name}({typed})")

    def copy(self, target: str, source: str, count: int) -> None:
        self.code.call_void(
            "llvm.memcpy.p0.p0.i64",
            ("ptr", target),
            ("ptr", source),
            ("i64", str(count * self.bytes)),
            ("i1", "false"),
        )

    def substitute(self, t: str, x: str, lower: bool, turned: bool, unit: bool) -> str:
        s = self.stack
        name = factorising.substitute(self.type, self.code.declared, lower, turned, unit)
        sizes = ("i64", str(s.order)), ("i64", str(s.columns))
        return self.status(name, ("ptr", t), ("ptr", x), *sizes)

    def exchange(self, pivots: str, x: str, back: bool) -> None:
        s = self.stack
        name = factorising.exchange(self.type, self.code.declared, back)
        sizes = ("i64", str(s.order)), ("i64", str(s.columns))
        self.run(name, ("ptr", pivots), ("ptr", x), *sizes)


def _emit_lu(one: _One, a: str, packed: str, pivots: str) -> None:
    name = factorising.lu(one.type, one.code.declared)
    one.run(name, ("ptr", a), ("ptr", packed), ("ptr", pivots), ("i64", str(one.stack.order)))


def _emit_cholesky(one: _One, a: str, out: str) -> str:
    name = factorising.cholesky(one.type, one.code.declared)
    return one.status(name, ("ptr", a), ("ptr", out), ("i64", str(one.stack.order)))


def _emit_triangular(one: _One, t: str, b: str, out: str) -> str:
    lower, turn, unit = one.stack.flags
    one.copy(out, b, one.stack.order * one.stack.columns)
    return one.substitute(t, out, lower, turn in "TH", unit)


def _emit_solve(one: _One, packed: str, pivots: str, b: str, out: str) -> str:
    one.copy(out, b, one.stack.order * one.stack.columns)
    return _solved(one, packed, pivots, out, one.stack.flags[0] in "TH")


def _solved(one: _One, packed: str, pivots: str, out: str, turned: bool) -> str:
    """P A = L U: A x = b is L U x = P b, and Aᵀ x = b is x = Pᵀ y with Uᵀ Lᵀ y = b."""
    if not turned:
        one.exchange(pivots, out, False)
        one.substitute(packed, out, True, False, True)
        return one.substitute(packed, out, False, False, False)
    status = one.substitute(packed, out, False, True, False)
    one.substitute(packed, out, True, True, True)
    one.exchange(pivots, out, True)
    return status


def _emit_inverse(one: _One, packed: str, pivots: str, out: str) -> str | None:
    strict, is_turned = one.stack.flags
    code, n = one.code, one.stack.order
    size = ("i64", str(n * n * one.bytes))
    code.call_void("llvm.memset.p0.i64", ("ptr", out), ("i8", "0"), size, ("i1", "false"))
    for k in range(n):
        place = code.let(f"getelementptr {one.type}, ptr {out}, i64 {k * (n + 1)}")
        code.put(f"store {one.type} 1.0, ptr {place}")
    status = _solved(one, packed, pivots, out, is_turned)
    return status if strict else None


_EMITTED: dict[str, Callable[..., str | None]] = {
    "lu": _emit_lu,
    "cholesky": _emit_cholesky,
    "triangular_solve": _emit_triangular,
    "solve": _emit_solve,
    "inverse": _emit_inverse,
}
