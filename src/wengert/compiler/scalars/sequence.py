"""The operations that outputs rest on, in the order in which they run.

Operations come in the order of their making, which is that of the user's program and then of its
derivative; an element of an output is stored right after it is known, so that a loop which computes
a trajectory also stores it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from wengert.compiler.scalars.instructions import NO_ROW, Instruction, Scalars

Ints: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
Flags: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]]"
NONE, STEP, INPUT, LITERAL = range(4)
"""What an argument is: nothing, the result of a step, an element of an input, a literal."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """n steps, as columns.

    code: indices into `instructions`. kind: (n, 3), what the arguments are. arg: (n, 3), the place
    of a step, the element of an input, the index of a literal. source: (n, 3), the code of an
    argument that is no step. element: which one a step stores, -1 where it does not.
    """

    instructions: list[Instruction]
    literals: list[Any]
    code: Ints
    kind: Ints
    arg: Ints
    source: Ints
    element: Ints

    def __len__(self) -> int:
        return len(self.code)


def in_sequence(rows: Scalars) -> Steps:
    """The steps of a program that stores outputs."""
    kinds = {"input": INPUT, "literal": LITERAL, "point": STEP, "output": NONE}
    kind_of = np.array([kinds[own.kind] for own in rows.instructions], np.int64)
    code = np.array(rows.code, np.int64)
    pairs = np.array(rows.pair, np.int64)
    args = np.full((len(code), 3), NO_ROW)
    args[:, 0], args[:, 1] = pairs >> 32, pairs & NO_ROW
    args[list(rows.third), 2] = list(rows.third.values())
    args[args == NO_ROW] = -1
    stores = kind_of[code] == NONE
    element = np.where(stores, args[:, 2], -1)
    args[stores, 2] = -1
    live = _live(code, args, stores, kind_of)
    is_step = kind_of[code] == STEP
    key = 2 * np.arange(len(code))
    stored = args[stores, 0]
    key[stores] = np.where(is_step[stored], 2 * stored + 1, 2 * len(code))
    chosen = np.flatnonzero(live & (is_step | stores))
    chosen = chosen[np.argsort(key[chosen], kind="stable")]
    place = np.full(len(code) + 1, -1)  # and of no argument at all
    place[chosen] = np.arange(len(chosen))
    given = (kind_of[code] == INPUT) | (kind_of[code] == LITERAL)
    place[:-1][given] = args[given, 0]
    used = args[chosen]
    of_used = np.where(used < 0, NONE, kind_of[code[used]])
    return Steps(
        rows.instructions,
        rows.literals,
        code[chosen],
        of_used,
        place[used],
        np.where((of_used == INPUT) | (of_used == LITERAL), code[used], -1),
        element[chosen],
    )


def _live(code: Ints, args: Ints, stores: Flags, kind_of: Ints) -> Flags:
    """Which rows the stores rest on: one walk backwards, since arguments come before."""
    live = bytearray(len(code) + 1)
    a, b, c = (column.tolist() for column in args.T)
    for row in np.flatnonzero(stores).tolist():
        live[row] = live[a[row]] = 1
    steps = np.flatnonzero(kind_of[code] == STEP).tolist()
    for row in reversed(steps):
        if live[row]:
            live[a[row]] = live[b[row]] = live[c[row]] = 1
    return np.frombuffer(live, np.bool_)[:-1]
