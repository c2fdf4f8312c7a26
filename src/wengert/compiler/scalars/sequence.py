"""The operations that outputs rest on, in the order in which they run.

Operations come in the order of their making, which is that of the user's program and then of its
derivative; an element of an output is stored right after it is known, so that a loop which computes
a trajectory also stores it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from wengert.compiler.scalars.instructions import Instruction, Scalars

Ints: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
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
    args = np.array([rows.a, rows.b, rows.c], np.int64).T
    stores = kind_of[code] == NONE
    live = _live(rows, np.flatnonzero(stores), kind_of)
    element = np.where(stores, args[:, 2], -1)
    args[stores, 2] = -1
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


def _live(rows: Scalars, stores: Ints, kind_of: Ints) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows the stores rest on: one walk backwards, since arguments come before."""
    live = bytearray(len(rows.code) + 1)
    given = [kind in (INPUT, LITERAL) for kind in kind_of.tolist()]
    for row in stores.tolist():
        live[row] = live[rows.a[row]] = 1
    code, a, b, c = rows.code, rows.a, rows.b, rows.c
    first = int(stores[0]) if len(stores) else 0
    for row in range(first - 1, -1, -1):
        if live[row] and not given[code[row]]:
            live[a[row]] = live[b[row]] = live[c[row]] = 1
    return np.frombuffer(live, np.bool_)[:-1]
