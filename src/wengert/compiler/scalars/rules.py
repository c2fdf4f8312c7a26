"""How the instruction of a step is written: in place, or as a call of a function of the module.

Most rules are one LLVM instruction, of which the text is kept as a template. A long rule (exp) is
written in place where it occurs a few times, as in the body of a loop, and is a function that is
called where it occurs often: straight code of ten thousand exponentials would take LLVM minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.compiler.code import Code
from wengert.compiler.lanes import Value
from wengert.compiler.scalars.instructions import Instruction
from wengert.compiler.values import lanes
from wengert.graph.types import DType

Write = Callable[[Code, Sequence[Value]], Value]
MOST_COPIES = 8
SHORT = 8
"""Rules of at most so many lines are always written in place."""


def parts(value: Value) -> tuple[str, ...]:
    """The LLVM values of a value: two of a complex one."""
    return value if isinstance(value, tuple) else (value,)


def named(dtype: DType, name: str) -> Value:
    """A value of a dtype with this name: two names for a complex one."""
    return (f"{name}.re", f"{name}.im") if dtype.kind == "c" else name


def part_type(dtype: DType) -> str:
    """LLVM's type of a value or of one part of it."""
    return lanes(Code(), dtype, 1).type


class Rules:
    """How the instructions of a module are written.

    uses: how often each is written.
    """

    def __init__(
        self, instructions: Sequence[Instruction], uses: Sequence[int], declared: dict[str, str]
    ) -> None:
        self._instructions = instructions
        self._uses = uses
        self._declared = declared
        self._known: dict[int, Write] = {}

    def __getitem__(self, code: int) -> Write:
        found = self._known.get(code)
        if found is None:
            found = self._known[code] = self._write(code)
        return found

    def _write(self, code: int) -> Write:
        own = self._instructions[code]
        trial = Code(self._declared)
        names = [named(dtype, f"%a{k}") for k, dtype in enumerate(own.args)]
        value = _apply(own, trial, names)
        long = len(trial.lines) > SHORT or any("@wengert." in line for line in trial.lines)
        if long and self._uses[code] > MOST_COPIES:
            return self._outlined(code, own, trial, names, value)
        if len(trial.lines) == 1 and trial.lines[0].startswith(f"{value} = "):
            return _template(trial.lines[0].removeprefix(f"{value} = "), len(own.args))
        return lambda code, values: _apply(own, code, values)

    def _outlined(
        self, number: int, own: Instruction, body: Code, names: Sequence[Value], value: Value
    ) -> Write:
        name, type = f"rule{number}", part_type(own.dtype)
        typed = [part_type(dtype) for dtype in own.args for _ in parts(named(dtype, ""))]
        flat = [one for value in names for one in parts(value)]
        result, lines = type, list(body.lines)
        if isinstance(value, tuple):
            result = f"{{ {type}, {type} }}"
            lines.append(f"%re = insertvalue {result} poison, {type} {value[0]}, 0")
            lines.append(f"%both = insertvalue {result} %re, {type} {value[1]}, 1")
            value = "%both"
        parameters = ", ".join(f"{type} {x}" for type, x in zip(typed, flat, strict=True))
        text = "\n".join(["entry:", *body.entry, *lines, f"ret {result} {value}"])
        self._declared[name] = (
            f"define internal {result} @{name}({parameters}) noinline nounwind {{\n{text}\n}}"
        )

        def write(code: Code, values: Sequence[Value]) -> Value:
            given = [one for value in values for one in parts(value)]
            found = code.call(name, result, *zip(typed, given, strict=True))
            if result == type:
                return found
            return tuple(code.let(f"extractvalue {result} {found}, {k}") for k in (0, 1))

        return write


def _apply(own: Instruction, code: Code, values: Sequence[Value]) -> Value:
    assert own.op is not None
    ins = [lanes(code, dtype, 1) for dtype in own.args]
    return own.op.native.rule(ins, lanes(code, own.dtype, 1), *values)


def _template(text: str, count: int) -> Write:
    text = text.replace("{", "{{").replace("}", "}}")
    for k in range(count):
        text = text.replace(f"%a{k}.re", f"{{{k}[0]}}").replace(f"%a{k}.im", f"{{{k}[1]}}")
        text = text.replace(f"%a{k}", f"{{{k}}}")
    fill = text.format
    return lambda code, values: code.let(fill(*values))


def constant(dtype: DType, value: Any) -> Value:
    """A literal as a value."""
    return lanes(Code(), dtype, 1).const(value)
