"""Sequential loops over arrays of integers: written in Python once, run as machine code.

Greedy colourings visit the vertices of a graph one after another, and each choice rests on those
before it, so that no call of NumPy does it. Such a loop is a kernel: a Python function of integers
and one-dimensional arrays of them, in the few words below. Called often or on much, it runs as
machine code, made from its own source; else, and where there is no machine code, Python runs it as
it stands. Both give the same integers, so that the one is the oracle of the other.

What a kernel may say: assignments to names and to elements; `while`, `for … in range(…)`, `if`,
`break`, `continue`, `return`; `+ - * // % & | ^`, comparisons, `and`, `or`, `not`; calls of other
kernels. Numbers are of 64 bits. Operands of // and % and all indices must not be negative: there
Python and the machine differ.
"""

from __future__ import annotations

import ast
import ctypes
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from wengert import settings
from wengert.lazy import module
from wengert.logging import logger

Array: TypeAlias = "np.ndarray[Any, np.dtype[np.integer[Any]]]"

_ENOUGH = 50_000
"""Elements that a kernel sees in all its calls before it is worth being compiled."""
_WIDTHS = {np.dtype(kind): f"i{8 * np.dtype(kind).itemsize}" for kind in ("i1", "i4", "i8")}


class Kernel:
    """A loop, as a Python function and as machine code for each choice of integer types."""

    __slots__ = ("arrays", "code", "compiled", "name", "python", "seen")

    def __init__(self, function: Callable[..., int | None]) -> None:
        self.python = function
        self.name = function.__name__
        hints = dict(function.__annotations__)
        hints.pop("return")
        self.arrays = tuple(hint not in (int, "int") for hint in hints.values())
        self.compiled: dict[tuple[str, ...], Any] = {}
        self.code: list[Any] = []
        self.seen = 0

    def __call__(self, *args: Any) -> int:
        """Run it, on arrays that are contiguous; those that it writes to are changed."""
        if isinstance(args[0], list):  # called by a kernel that runs in Python
            return self.python(*args) or 0
        if settings.native:
            if not self.compiled:
                self.seen += sum(len(arg) for arg in args if isinstance(arg, np.ndarray))
            if self.compiled or self.seen > _ENOUGH:
                native = self.native(args)
                if native is not None:
                    return int(native(*(_passed(arg) for arg in args)))
        return self.interpreted(*args)

    def interpreted(self, *args: Any) -> int:
        """Run it in Python: on lists, whose elements Python reaches in a third of the time."""
        lists = [arg.tolist() if isinstance(arg, np.ndarray) else int(arg) for arg in args]
        result = self.python(*lists)
        for arg, values in zip(args, lists, strict=True):
            if isinstance(arg, np.ndarray) and arg.flags.writeable:
                arg[...] = values
        return 0 if result is None else int(result)

    def native(self, args: tuple[Any, ...]) -> Any:
        """Its machine code for arguments of these types; None where there is none."""
        widths = tuple(_WIDTHS[arg.dtype] if isinstance(arg, np.ndarray) else "" for arg in args)
        if widths not in self.compiled:
            try:
                self.compiled[widths] = self._load(widths)
            except Exception as error:
                # no source beside the byte code, no LLVM for this machine: Python is slower
                logger.warning("the loop %s runs in Python: %s", self.name, error)
                self.compiled[widths] = None
        return self.compiled[widths]

    def _load(self, widths: tuple[str, ...]) -> Any:
        passes = module("wengert.compiler.machine").PASSES
        code = module("wengert.compiler.pipeline").loaded(module_text(self, widths), passes)
        self.code.append(code)  # it lives as long as what was loaded
        types = [ctypes.c_void_p if width else ctypes.c_int64 for width in widths]
        return ctypes.CFUNCTYPE(ctypes.c_int64, *types)(code.address(self.name))


def kernel(function: Callable[..., int | None]) -> Kernel:
    """Make a kernel of a function."""
    return Kernel(function)


def _passed(arg: Any) -> int:
    if isinstance(arg, np.ndarray):
        if not arg.flags.c_contiguous:
            raise ValueError("a kernel takes contiguous arrays")
        return int(arg.ctypes.data)
    return int(arg)


# ------------------------------------------------------------------------------- translation


def module_text(kernel: Kernel, widths: tuple[str, ...]) -> str:
    """The LLVM module of a kernel and of those that it calls, for arrays of these widths."""
    done: dict[str, str] = {}
    _Translation(kernel, widths, kernel.name, done)
    return "\n\n".join(done.values()) + "\n"


_BINARY = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.FloorDiv: "sdiv",
    ast.Mod: "srem",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
}
_COMPARED = {
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "slt",
    ast.LtE: "sle",
    ast.Gt: "sgt",
    ast.GtE: "sge",
}


class _Translation:
    """One kernel as an LLVM function. Variables are stack slots, which LLVM makes registers of."""

    def __init__(
        self, kernel: Kernel, widths: tuple[str, ...], name: str, done: dict[str, str]
    ) -> None:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kernel.python))).body[0]
        assert isinstance(tree, ast.FunctionDef)
        self.lines: list[str] = []
        self.count = 0
        self.names = kernel.python.__globals__
        self.done = done
        self.loops: list[tuple[str, str]] = []
        self.arrays: dict[str, str] = {}
        given = [arg.arg for arg in tree.args.args]
        self.variables = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        typed = []
        done[name] = ""  # its place: before those that it calls
        for parameter, width in zip(given, widths, strict=True):
            if width:
                self.arrays[parameter] = width
                typed.append(f"ptr noalias %{parameter}")
            else:
                self.variables.add(parameter)
                typed.append(f"i64 %{parameter}")
        for variable in sorted(self.variables):
            self.put(f"%v.{variable} = alloca i64")
        for parameter in given:
            if parameter not in self.arrays:
                self.put(f"store i64 %{parameter}, ptr %v.{parameter}")
        self.block(tree.body)
        self.put("ret i64 0")
        inlined = name != next(iter(done))  # all but the first are called by it
        linkage, attributes = ("internal ", " alwaysinline") if inlined else ("", "")
        head = f"define {linkage}i64 @{name}({', '.join(typed)}){attributes}"
        done[name] = "\n".join([f"{head} {{", "entry:", *self.lines, "}"])

    def put(self, text: str) -> None:
        self.lines.append(text)

    def let(self, text: str) -> str:
        self.count += 1
        self.put(f"%t{self.count} = {text}")
        return f"%t{self.count}"

    def labels(self, *names: str) -> list[str]:
        self.count += 1
        return [f"{name}{self.count}" for name in names]

    def begin(self, label: str) -> None:
        """A new block; what is not ended by then goes on into it."""
        self.put(f"br label %{label}")
        self.put(f"{label}:")

    def leave(self, text: str) -> None:
        """An end of a block inside of other statements; what follows cannot be reached."""
        self.put(text)
        self.put(f"{self.labels('dead')[0]}:")

    # statements

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[target], value=value):
                self.store(target, self.value(value))
            case ast.AugAssign(target=target, op=op, value=value):
                old = self.value(_read(target))
                self.store(target, self.let(f"{_BINARY[type(op)]} i64 {old}, {self.value(value)}"))
            case ast.If(test=test, body=body, orelse=orelse):
                then, other, end = self.labels("then", "else", "end")
                self.put(f"br i1 {self.truth(test)}, label %{then}, label %{other}")
                self.put(f"{then}:")
                self.block(body)
                self.put(f"br label %{end}")
                self.put(f"{other}:")
                self.block(orelse)
                self.begin(end)
            case ast.While(test=test, body=body):
                head, inside, end = self.labels("while", "do", "done")
                self.begin(head)
                self.put(f"br i1 {self.truth(test)}, label %{inside}, label %{end}")
                self.put(f"{inside}:")
                self.loop(body, head, end)
                self.put(f"br label %{head}")
                self.put(f"{end}:")
            case ast.For(target=ast.Name(id=name), iter=ast.Call(args=args), body=body):
                self.counted(name, args, body)
            case ast.Break():
                self.leave(f"br label %{self.loops[-1][1]}")
            case ast.Continue():
                self.leave(f"br label %{self.loops[-1][0]}")
            case ast.Return(value=value):
                self.leave(f"ret i64 {'0' if value is None else self.value(value)}")
            case ast.Expr(value=ast.Constant()):
                pass  # its documentation
            case ast.Expr(value=ast.Call() as call):
                self.value(call)
            case _:
                raise NotImplementedError(f"a kernel cannot say {ast.unparse(node)}")

    def counted(self, name: str, args: list[ast.expr], body: list[ast.stmt]) -> None:
        """A loop over a range. As in Python, what its body assigns to the name does not count."""
        bounds = [self.value(arg) for arg in args]
        first, last = bounds if len(bounds) == 2 else ("0", bounds[0])
        before = self.labels("before")[0]
        head, inside, step, end = self.labels("for", "do", "step", "done")
        self.begin(before)
        self.begin(head)
        self.put(f"%k.{head} = phi i64 [ {first}, %{before} ], [ %n.{head}, %{step} ]")
        within = self.let(f"icmp slt i64 %k.{head}, {last}")
        self.put(f"br i1 {within}, label %{inside}, label %{end}")
        self.put(f"{inside}:")
        self.put(f"store i64 %k.{head}, ptr %v.{name}")
        self.loop(body, step, end)
        self.begin(step)
        self.put(f"%n.{head} = add i64 %k.{head}, 1")
        self.put(f"br label %{head}")
        self.put(f"{end}:")

    def loop(self, body: list[ast.stmt], again: str, end: str) -> None:
        self.loops.append((again, end))
        self.block(body)
        self.loops.pop()

    def store(self, target: ast.expr, value: str) -> None:
        if isinstance(target, ast.Name):
            self.put(f"store i64 {value}, ptr %v.{target.id}")
            return
        place, width = self.element(target)
        if width != "i64":
            value = self.let(f"trunc i64 {value} to {width}")
        self.put(f"store {width} {value}, ptr {place}")

    # expressions

    def element(self, node: ast.expr) -> tuple[str, str]:
        """The address of an element, and its type."""
        assert isinstance(node, ast.Subscript)
        assert isinstance(node.value, ast.Name)
        width = self.arrays[node.value.id]
        index = self.value(node.slice)
        return self.let(f"getelementptr {width}, ptr %{node.value.id}, i64 {index}"), width

    def value(self, node: ast.expr) -> str:
        """An expression as a number of 64 bits."""
        match node:
            case ast.Constant(value=int(number)):
                return str(int(number))
            case ast.Name(id=name) if name in self.variables:
                return self.let(f"load i64, ptr %v.{name}")
            case ast.Subscript():
                place, width = self.element(node)
                loaded = self.let(f"load {width}, ptr {place}")
                return loaded if width == "i64" else self.let(f"sext {width} {loaded} to i64")
            case ast.BinOp(left=left, op=op, right=right):
                first, second = self.value(left), self.value(right)
                return self.let(f"{_BINARY[type(op)]} i64 {first}, {second}")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.let(f"sub i64 0, {self.value(operand)}")
            case ast.Call(func=ast.Name(id=name), args=args):
                return self.call(name, args)
            case _:
                return self.let(f"zext i1 {self.truth(node)} to i64")

    def truth(self, node: ast.expr) -> str:
        """An expression as one bit."""
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                first, second = self.value(left), self.value(right)
                return self.let(f"icmp {_COMPARED[type(op)]} i64 {first}, {second}")
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.let(f"xor i1 {self.truth(operand)}, true")
            case ast.BoolOp(op=op, values=values):
                return self.chain(isinstance(op, ast.And), values)
            case ast.Name() | ast.Subscript() | ast.BinOp() | ast.Call() | ast.Constant():
                return self.let(f"icmp ne i64 {self.value(node)}, 0")
        raise NotImplementedError(f"a kernel cannot say {ast.unparse(node)}")

    def chain(self, all_of: bool, values: list[ast.expr]) -> str:
        """`and` and `or` look at what comes next only where it counts."""
        (slot,) = self.labels("s")
        self.lines.insert(0, f"%{slot} = alloca i1")
        (end,) = self.labels("known")
        for value in values:
            truth = self.truth(value)
            self.put(f"store i1 {truth}, ptr %{slot}")
            (more,) = self.labels("more")
            ways = (more, end) if all_of else (end, more)
            self.put(f"br i1 {truth}, label %{ways[0]}, label %{ways[1]}")
            self.put(f"{more}:")
        self.begin(end)
        return self.let(f"load i1, ptr %{slot}")

    def call(self, name: str, args: list[ast.expr]) -> str:
        """A call of another kernel; arrays are passed by their names."""
        callee = self.names[name]
        widths, typed = [], []
        for arg, is_array in zip(args, callee.arrays, strict=True):
            if is_array:
                assert isinstance(arg, ast.Name)
                widths.append(self.arrays[arg.id])
                typed.append(f"ptr %{arg.id}")
            else:
                widths.append("")
                typed.append(f"i64 {self.value(arg)}")
        full = ".".join([name, *(width for width in widths if width)])
        if full not in self.done:
            _Translation(callee, tuple(widths), full, self.done)
        return self.let(f"call i64 @{full}({', '.join(typed)})")


def _read(target: ast.expr) -> ast.expr:
    """The expression that reads what a target writes."""
    if isinstance(target, ast.Name):
        return ast.Name(id=target.id, ctx=ast.Load())
    assert isinstance(target, ast.Subscript)
    return ast.Subscript(value=target.value, slice=target.slice, ctx=ast.Load())
