"""Values of a sparse matrix of derivatives without colours: diagonals pushed through the graph.

Where each element of an intermediate array depends on a few elements of the input, the derivative
of the array is a few *diagonals*: pairs of arrays of its own shape

    (column, value)        ∂ node[e] / ∂ x[column[e]] = value[e],      column[e] = −1 for none

The input has one, (0 … n − 1, ones). Elementwise linear ops act on the values; movement ops act on
both; a sum puts the diagonals of its terms side by side, and adds those that agree on the columns.
A stencil of k points so costs k values an element, nothing of which is a zero, where colours cost
a product of full length each, and k or more of them.

Columns are found once, as NumPy arrays; values are nodes. It is the row-wise ("sparse vector") form
of forward mode: Griewank & Walther 2008, *Evaluating Derivatives*, section 7.1, for arrays at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from wengert.derivatives.derive import forward, seeds
from wengert.derivatives.runs import runs_of, side_by_side
from wengert.graph.literals import full, zeros
from wengert.graph.node import Node, deriving
from wengert.graph.op import Tangent
from wengert.graph.registry import find
from wengert.graph.types import ArrayType, array_type
from wengert.graph.walk import dependents, rebuild, topological
from wengert.ops.movement import concatenate, index, reshape
from wengert.sparse.pattern import Integers, Pattern
from wengert.transforms.simplifying.forms import again

MOST_DIAGONALS = 32
"""With more of them for an element, colours are cheaper."""

Diagonals: TypeAlias = "list[tuple[Integers, Node]]"
"""Column numbers, counted from 1 (0 is none), and values."""

_COLUMN = np.dtype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The values at the places of a pattern; or, with a source, the values of all diagonals one
    after another, with a zero at the end, and for each place which of them it is."""

    node: Node
    source: Integers | None


def values_by_diagonals(
    outputs: Sequence[Node], inputs: Sequence[Node], pattern: Pattern
) -> Values | None:
    """The values at the places of a pattern; None where the graph is none of diagonals."""
    with deriving():
        return _values(outputs, inputs, pattern)


def _values(outputs: Sequence[Node], inputs: Sequence[Node], pattern: Pattern) -> Values | None:
    given = seeds(inputs)
    if any(seed is None or seed.dtype.kind != "f" for seed in given):
        return None
    found = _diagonals(forward(outputs, inputs, given), given, inputs)
    if found is None:
        return None
    count = max(map(len, found), default=0)
    parts, columns = [], []
    for k in range(count):
        for diagonals, node in zip(found, outputs, strict=True):
            if k < len(diagonals):
                columns.append(diagonals[k][0].ravel())
                parts.append(reshape(diagonals[k][1], (node.size,)))
            else:
                columns.append(np.zeros(node.size, _COLUMN))
                parts.append(full(0, node.dtype, (node.size,)))
    dtype = np.result_type(*[node.dtype for node in (*outputs, *inputs)])
    rows = sum(node.size for node in outputs)
    source = _places(pattern, np.concatenate([np.zeros(0, _COLUMN), *columns]), rows)
    if source is None:
        return None
    source.flags.writeable = False
    parts = [find("convert")(part, dtype) for part in parts]
    runs = runs_of(source, pattern.indptr, [node.size for node in outputs], count)
    if runs is not None:
        return Values(side_by_side(runs, parts, len(outputs), dtype), None)
    return Values(concatenate(*parts, full(0, dtype, (1,)), axis=0), source)


def _places(pattern: Pattern, columns: Integers, rows: int) -> Integers | None:
    """For each place of the pattern its index in the table; None where it is the sum of several.

    columns: of all diagonals one after another, each of as many rows.
    """
    source = _as_they_stand(pattern, columns.reshape(-1, max(rows, 1)))
    if source is not None:
        return source
    width = np.int64(pattern.shape[1] + 1)
    row = np.arange(len(columns), dtype=np.int64) % max(rows, 1)
    (valid,) = np.nonzero(columns)
    have = row[valid] * width + columns[valid]
    want = pattern.rows.astype(np.int64) * width + pattern.indices + 1
    at = np.searchsorted(want, have)
    known = at < len(want)
    known[known] = want[at[known]] == have[known]
    source = np.full(len(want), len(columns), np.int64)
    source[at[known]] = valid[known]
    several = np.count_nonzero(source < len(columns)) != np.count_nonzero(known)
    return None if several else source


def _as_they_stand(pattern: Pattern, columns: Integers) -> Integers | None:
    """The same where the diagonals hold just the places of the pattern: rows need sorting only."""
    rows = columns.shape[1]
    if np.count_nonzero(columns) != pattern.nnz:
        return None
    last = np.where(columns, columns, np.iinfo(columns.dtype).max).T
    order = np.argsort(last, axis=1)
    ordered = np.take_along_axis(last, order, axis=1)
    valid = ordered <= pattern.shape[1]
    if not np.array_equal(ordered[valid] - 1, pattern.indices):
        return None
    if not np.array_equal(np.count_nonzero(valid, axis=1), np.diff(pattern.indptr)):
        return None
    source: Integers = (order * rows + np.arange(rows)[:, None])[valid]
    return source


def _diagonals(
    results: Sequence[Tangent], given: Sequence[Tangent], inputs: Sequence[Node]
) -> list[Diagonals] | None:
    """The diagonals of each result, which is linear in the seeds; None where there are too many,
    or an op has no rule here."""
    held: dict[Node, Diagonals] = {}
    start = 1
    for seed, node in zip(given, inputs, strict=True):
        numbers = np.arange(start, start + node.size, dtype=_COLUMN).reshape(node.shape)
        held[seed] = [(numbers, full(1, node.dtype, node.shape))]
        start += node.size
    order = topological([result for result in results if result is not None], stop=set(held))
    involved = dependents(order, held)
    for node in order:
        if node in involved and node not in held:
            made = _rule(node, held)
            if made is None or len(made) > MOST_DIAGONALS:
                return None
            held[node] = made
    return [[] if result is None else held.get(result, []) for result in results]


def _rule(node: Node, held: dict[Node, Diagonals]) -> Diagonals | None:
    if not isinstance(node.type, ArrayType) or node.type.dtype.kind != "f":
        return None
    if node.op.name == "add":
        return _merged([entry for arg in node.args for entry in held.get(arg, [])])
    if node.op.family == "elementwise":
        return _elementwise(node, held)
    if node.op.family == "movement":
        return _moved(node, held)
    if node.op.name == "sum":
        return _summed(node, held)
    return None


def _elementwise(node: Node, held: dict[Node, Diagonals]) -> Diagonals:
    """A linear op on one input at a time, the others that are linear being zero."""
    found = []
    for place, arg in enumerate(node.args):
        for columns, value in held.get(arg, []):
            args = [zeros(other.type) if other in held else other for other in node.args]
            args[place] = value
            found.append((columns, rebuild(node, tuple(args))))
    return _merged(found)


def _moved(node: Node, held: dict[Node, Diagonals]) -> Diagonals:
    """A movement op on the columns and on the values; of several inputs, diagonal by diagonal."""
    stand = [array_type(arg.shape, _COLUMN) for arg in node.args]
    of_columns = tuple(find("parameter")(("columns", k), type) for k, type in enumerate(stand))
    move = node.op.evaluate(rebuild(node, of_columns))
    found = []
    for k in range(max(len(held.get(arg, [])) for arg in node.args)):
        columns, values = [], []
        for arg in node.args:
            mine = held.get(arg, [])
            if k < len(mine):
                columns.append(mine[k][0])
                values.append(mine[k][1])
            else:
                columns.append(np.zeros(arg.shape, _COLUMN))
                values.append(zeros(arg.type))
        found.append((np.asarray(move(*columns)), again(node, *values)))
    return _merged(found)


def _summed(node: Node, held: dict[Node, Diagonals]) -> Diagonals | None:
    """Each term of a short sum has diagonals of its own."""
    (axes,) = node.params
    (arg,) = node.args
    extents = [arg.shape[axis] for axis in axes]
    if int(np.prod(extents)) * len(held[arg]) > MOST_DIAGONALS:
        return None
    found = []
    for term in np.ndindex(*extents):
        at = dict(zip(axes, term, strict=True))
        entries = tuple(at.get(axis, (0, extent, 1)) for axis, extent in enumerate(arg.shape))
        picked = tuple(at.get(axis, slice(None)) for axis in range(arg.ndim))
        found += [(columns[picked], index(value, entries)) for columns, value in held[arg]]
    return _merged(found)


def _merged(found: Diagonals) -> Diagonals:
    """Diagonals with the same column wherever both have one are one."""
    merged: list[tuple[Any, Node]] = []
    for columns, value in found:
        for k, (others, total) in enumerate(merged):
            if columns is others:
                merged[k] = (columns, find("add")(total, value))
                break
            both = (columns != 0) & (others != 0)
            if both.any() and np.array_equal(columns[both], others[both]):
                merged[k] = (np.where(columns != 0, columns, others), find("add")(total, value))
                break
        else:
            merged.append((columns, value))
    return merged
