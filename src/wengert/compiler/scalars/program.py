"""Programs of scalars and small arrays, such as an integrator of a differential equation that was
unrolled by Python: operations on single numbers, with the repeated parts as loops.

    scalar_program(outputs, leaves)   the module of it, None where an op of it is not taken
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from wengert.compiler.code import Code
from wengert.compiler.machine import INLINING, PASSES
from wengert.compiler.scalars.emission import Common, Function, Memory
from wengert.compiler.scalars.loops import Loop
from wengert.compiler.scalars.places import Places
from wengert.compiler.scalars.rolling import rolled
from wengert.compiler.scalars.rules import Rules
from wengert.compiler.scalars.scalarise import scalarised
from wengert.compiler.scalars.sequence import Steps, in_sequence
from wengert.graph.node import Node

LEAST_ROLLED = 256
"""Steps from which on loops are looked for: shorter programs are faster as straight code, all in
registers, and compile in some milliseconds."""


LONG_TEXT = 2_000
"""Operations in the text of a program that LLVM's passes are not worth their time for."""


@dataclass(frozen=True, slots=True)
class ScalarProgram:
    """A module: what it declares and defines, and the scratch memory that it needs.

    steps: operations on single numbers that run. written: those in the text.
    loops: (steps of the body, repetitions) of each loop. tape_bytes: what loops leave for others.
    """

    declared: dict[str, str]
    body: str
    arena_bytes: int
    steps: int
    written: int
    loops: tuple[tuple[int, int], ...]
    tape_bytes: int

    table: ClassVar[tuple[str, ...]] = ()

    @property
    def text(self) -> str:
        """The module as LLVM reads it."""
        declared = self.declared.values()
        constants = [own for own in declared if own.startswith("@")]
        return "\n".join(
            [*constants, *[own for own in declared if not own.startswith("@")], self.body]
        )

    @property
    def work(self) -> int:
        """Operations that run."""
        return self.steps

    @property
    def passes(self) -> tuple[str, ...]:
        """LLVM's passes, most of which find little in long straight code."""
        return INLINING if self.written > LONG_TEXT else PASSES

    @property
    def what(self) -> str:
        """In some words."""
        return f"{self.steps} operations on numbers, {self.written} of them in the text"


def scalar_program(
    outputs: Sequence[Node], leaves: Sequence[Node], *, roll: bool = True
) -> ScalarProgram | None:
    """The module of a graph, None where it has an op that does not become operations on numbers.

    roll: whether repeated parts become loops.
    """
    rows = scalarised(outputs, leaves)
    if rows is None:
        return None
    steps = in_sequence(rows)
    loops = rolled(steps) if roll and len(steps) >= LEAST_ROLLED else []
    places = Places(steps, loops)
    declared: dict[str, str] = {}
    common = Common(places, Rules(steps.instructions, _uses(steps, loops), declared))
    functions: list[tuple[Function, str]] = []
    for number, unit in enumerate(places.units):
        function = Function(common, declared)
        if isinstance(unit, Loop):
            function.loop(places.loops.index(unit), unit)
        else:
            function.straight(unit)
        functions.append((function, function.text(f"part{number}")))
    text = "\n".join(
        [
            *[own for _, own in functions],
            _main([function for function, _ in functions], places),
        ]
    )
    rolled_away = sum(loop.saved for loop in loops)
    return ScalarProgram(
        declared,
        text,
        places.size,
        len(steps),
        len(steps) - rolled_away,
        tuple((loop.period, loop.count) for loop in loops),
        places.size - (places.tape_starts[0] if loops else places.size),
    )


def _uses(steps: Steps, loops: Sequence[Loop]) -> list[int]:
    """How often each instruction is written."""
    written = np.ones(len(steps), np.bool_)
    for loop in loops:
        written[loop.start + loop.period : loop.stop] = False
    return np.bincount(steps.code[written], minlength=len(steps.instructions)).tolist()


def _main(functions: Sequence[Function], places: Places) -> str:
    """The function `program`: the units in order."""
    main = Code()
    addresses: dict[Memory, str] = {}

    def address(memory: Memory) -> str:
        kind, index = memory
        if kind in ("inputs", "outputs"):
            return f"%{kind}"
        found = addresses.get(memory)
        if found is None:
            if kind in ("input", "output"):
                entry = main.let(f"getelementptr ptr, ptr %{kind}s, i64 {index}")
                found = main.let(f"load ptr, ptr {entry}")
            else:
                offset = places.tape_starts[index] if kind == "tape" else 0
                found = main.let(f"getelementptr i8, ptr %arena, i64 {offset}")
            addresses[memory] = found
        return found

    for number, function in enumerate(functions):
        passed = ", ".join(f"ptr {address(memory)}" for memory in function.passed)
        main.put(f"call void @part{number}({passed})")
    lines = "\n".join(["entry:", *main.lines, "ret i64 0"])
    signature = "ptr %inputs, ptr %outputs, ptr %arena, ptr %table"
    return f"define i64 @program({signature}) {{\n{lines}\n}}\n"
