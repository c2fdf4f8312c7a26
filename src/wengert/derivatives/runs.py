"""The values of a matrix whose rows are alike: its diagonals side by side.

Where many rows one after another have the same number K of places, each of them on the same
diagonal, their values are the K diagonals as the columns of a table, row by row: so no index is
read, and what makes the diagonals is one loop. A band matrix is three such *runs*: its first rows,
those in the middle, its last rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wengert.graph.literals import full, zeros
from wengert.graph.node import Node
from wengert.graph.types import DType, array_type
from wengert.ops.movement import concatenate, index, reshape
from wengert.sparse.pattern import Integers
from wengert.transforms.simplifying.forms import again
from wengert.transforms.simplifying.movement import RULES

MOST_RUNS = 16
"""With more of them code grows, and an index for each place is cheaper."""
MOST_COLUMNS = 8
"""Places of a row: as many as the compiler stores side by side."""
CHEAP = frozenset({"add", "subtract", "multiply", "negative", "square", "convert", "select"})
"""What is done for the rows of a run alone, rather than for all rows and then picked."""


@dataclass(frozen=True, slots=True)
class Run:
    """Rows `start` … `stop` − 1 of an output, whose places are on these diagonals, None for 0."""

    output: int
    start: int
    stop: int
    diagonals: tuple[int | None, ...]


def runs_of(
    source: Integers, indptr: Integers, sizes: Sequence[int], count: int
) -> list[Run] | None:
    """The runs of rows of a matrix; None where there are too many.

    source: for each place, in the order of rows, its index among the values of `count` diagonals
    one after another, or what lies beyond for a zero. sizes: the rows of each output.
    """
    rows = sum(sizes)
    lengths = np.diff(indptr)
    if not rows or lengths.max() > MOST_COLUMNS:
        return None
    if np.count_nonzero(np.diff(lengths)) >= MOST_RUNS:
        return None
    table = np.full((rows, MOST_COLUMNS), -1, np.int16)
    table[np.arange(MOST_COLUMNS) < lengths[:, None]] = source // rows
    changes = np.flatnonzero((table[1:] != table[:-1]).any(axis=1)) + 1
    tops = np.cumsum([0, *sizes])
    bounds = np.union1d(changes, tops)
    if len(bounds) > MOST_RUNS + 1:
        return None
    found = []
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        output = int(np.searchsorted(tops, start, "right")) - 1
        top = int(tops[output])
        picked = table[start, : lengths[start]].tolist()
        diagonals = tuple(k if k < count else None for k in picked)
        found.append(Run(output, start - top, stop - top, diagonals))
    return found


def side_by_side(runs: Sequence[Run], parts: Sequence[Node], outputs: int, dtype: DType) -> Node:
    """The values of all runs. parts: the diagonals, flat: the first one of each of so many outputs,
    then the second."""
    blocks = []
    for run in runs:
        extent = run.stop - run.start
        columns = []
        for k in run.diagonals:
            if k is None:
                column = full(0, dtype, (extent,))
            else:
                part = parts[k * outputs + run.output]
                column = picked(index(part, ((run.start, extent, 1),)))
            columns.append(reshape(column, (extent, 1)))
        if columns:
            block = concatenate(*columns, axis=1) if len(columns) > 1 else columns[0]
            blocks.append(reshape(block, (block.size,)))
    if not blocks:
        return zeros(array_type((0,), dtype))
    return concatenate(*blocks, axis=0) if len(blocks) > 1 else blocks[0]


def picked(node: Node) -> Node:
    """An index of what cheap operations of a derivative make: the operations on what is picked."""
    done: dict[Node, Node] = {}
    inner: dict[Node, Node] = {}
    stack = [node]
    while stack:
        own = stack[-1]
        if own in done:
            stack.pop()
            continue
        moved = inner.get(own)
        if moved is None:
            moved = inner[own] = _inwards(own)
        if moved.op is not index or not _is_cheap(moved.args[0]):
            done[own] = moved
            continue
        whole = moved.args[0]
        args = [index(arg, moved.params[0]) for arg in whole.args]
        waiting = [arg for arg in args if arg not in done]
        stack += waiting
        if not waiting:
            done[own] = again(whole, *[done[arg] for arg in args])
    return done[node]


def _is_cheap(node: Node) -> bool:
    return bool(node.quiet) and node.op.name in CHEAP


def _inwards(node: Node) -> Node:
    """An index as far inside of movement ops as it goes."""
    while node.op is index:
        simpler = next((found for rule in RULES["index"] if (found := rule(node))), None)
        if simpler is None:
            break
        node = simpler
    return node
