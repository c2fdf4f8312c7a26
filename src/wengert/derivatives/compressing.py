"""Matrices of derivatives by colours: a few products with sums of unit vectors hold all values.

Columns of a Jacobian that share no row can share a seed; the product J s then shows each of their
entries by itself. So p colours of columns and q of rows give J from p pushforwards and q pullbacks,
however many columns and rows it has:

    [J S ; Rᵀ J]  --gather-->  values           S (n, p), R (m, q): sums of unit vectors

Source: Curtis, Powell, Reid 1974; Gebremedhin, Manne, Pothen 2005, *What color is your Jacobian?*
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from wengert.derivatives.derive import forward, once, reverse, seeds
from wengert.derivatives.diagonals import Values, values_by_diagonals
from wengert.execution.programs import recall, remember
from wengert.graph.literals import full, zeros
from wengert.graph.node import Node, deriving
from wengert.graph.op import Tangent
from wengert.graph.registry import find
from wengert.graph.types import INT, array_type
from wengert.ops import linear
from wengert.ops.leaves import iota
from wengert.ops.logic import equal
from wengert.ops.movement import broadcast_to, concatenate, index, reshape
from wengert.sparse.colouring.result import Colouring, Steps
from wengert.sparse.pattern import Integers, Pattern
from wengert.tracing.session import Session
from wengert.transforms.batch import batch

MOST_ELEMENTS = 2**26
"""Elements of the results of one batch; colours beyond that are done in further batches."""


def values_at(
    session: Session,
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    places: Pattern,
    colouring: Colouring,
    by_diagonals: bool = True,
) -> Node:
    """The values at the places of a pattern, shape (nnz,), as a node of the session: by diagonals
    where the program is made of them and they are allowed, else by colours."""
    if by_diagonals and colouring.steps is None:
        key = ("diagonals", id(places), *outputs, None, *inputs)
        kept: tuple[Pattern, Values | None] | None = recall(key)
        if kept is None or kept[0] is not places:
            kept = places, values_by_diagonals(outputs, inputs, places)
            remember(key, kept, 1)
        if kept[1] is not None:
            values, source = kept[1].node, kept[1].source
            with deriving():
                return values if source is None else _picked(values, session.capture(source))
    return compressed(session, outputs, inputs, colouring)


def dense(
    session: Session, outputs: Sequence[Node], inputs: Sequence[Node], places: Pattern, values: Node
) -> dict[tuple[Node, Node], Node]:
    """The matrix with these values as a block for each output and input: zeros elsewhere."""
    rows, columns = places.shape
    whole = find("scatter_add")(values, session.capture(_flat_places(places)), 0, rows * columns)
    matrix = reshape(whole, (rows, columns))
    found = {}
    top = 0
    for output in outputs:
        left = 0
        for node in inputs:
            found[output, node] = index(matrix, ((top, output.size, 1), (left, node.size, 1)))
            left += node.size
        top += output.size
    return found


def _flat_places(places: Pattern) -> Integers:
    """The places of a pattern in its matrix written row by row."""
    kept: tuple[Pattern, Integers] | None = recall(("flat places", id(places)))
    if kept is None or kept[0] is not places:
        flat = places.rows.astype(np.int64) * places.shape[1] + places.indices
        flat.flags.writeable = False
        kept = places, flat
        remember(("flat places", id(places)), kept, 1)
    return kept[1]


def compressed(
    session: Session, outputs: Sequence[Node], inputs: Sequence[Node], colouring: Colouring
) -> Node:
    """The values at the places of the pattern, shape (nnz,), as a node of the session."""
    columns = session.capture(colouring.columns) if colouring.tangents else None
    rows = session.capture(colouring.rows) if colouring.cotangents else None
    source = session.capture(colouring.source)
    steps = None if colouring.steps is None else _captured(session, colouring.steps)
    counts = colouring.tangents, colouring.cotangents
    key = ("compressed", counts, *outputs, None, *inputs, None, columns, rows, source, steps)

    def make() -> list[Tangent]:
        parts = []
        if columns is not None:
            parts += _products(outputs, inputs, columns, colouring.tangents, by_rows=False)
        if rows is not None:
            parts += _products(outputs, inputs, rows, colouring.cotangents, by_rows=True)
        if not parts:
            return [zeros(array_type((0,), np.result_type(*[node.dtype for node in outputs])))]
        flat = [reshape(part, (part.size,)) for part in parts]
        values = _picked(_joined(flat, 0), source)
        return [values if steps is None else _substituted(values, *steps)]

    with deriving():
        values: Node = once(key, make)[0]
    return values


def _picked(values: Node, places: Node) -> Node:
    picked: Node = find("gather")(values, find("convert")(places, INT), 0)
    return picked


def _captured(session: Session, steps: Steps) -> tuple[Node, Node, tuple[int, ...]]:
    return (
        session.capture(steps.targets),
        session.capture(steps.operands),
        tuple(steps.levels.tolist()),
    )


def _substituted(values: Node, targets: Node, operands: Node, levels: Sequence[int]) -> Node:
    """The values, of which some are known as sums with others, level by level."""
    for level, (start, end) in enumerate(pairwise(levels)):
        part = ((start, end - start, 1),)
        known = _picked(values, index(operands, part))
        at = find("convert")(index(targets, part), INT)
        change = find("scatter_add")(known, at, 0, values.size)
        values = find("add" if level else "subtract")(values, change)
    return values


def _products(
    outputs: Sequence[Node], inputs: Sequence[Node], colours: Node, count: int, by_rows: bool
) -> list[Node]:
    """Products with the sums of unit vectors of each colour, (count, m), or (count, n) `by_rows`:
    one array, or several, one below another."""
    seeded = outputs if by_rows else inputs
    distinct = list(dict.fromkeys(seeded))  # a function may return an array twice
    given = dict(zip(distinct, seeds(distinct), strict=True))
    if by_rows:
        found, results = reverse(distinct, inputs, list(given.values())), inputs
    else:
        found, results = forward(outputs, distinct, list(given.values())), outputs
    length = max(sum(node.size for node in results), sum(node.size for node in seeded), 1)
    step = max(1, MOST_ELEMENTS // length)
    parts = []
    for first in range(0, count, step):
        size = min(step, count - first)
        lanes: dict[Node, Any] = {}
        start = 0
        for node in seeded:
            seed = given[node]
            if seed is not None:
                mine = index(colours, ((start, node.size, 1),))
                units = _unit_sums(mine, first, size, node)
                lanes[seed] = linear.add(lanes[seed], units) if seed in lanes else units
            start += node.size
        wholes = batch(found, lanes, size, is_linear=True)
        flat = [_flat(whole, size, node) for whole, node in zip(wholes, results, strict=True)]
        parts.append(_joined(flat, 1))
    return parts


def _unit_sums(colours: Node, first: int, count: int, node: Node) -> Node:
    """For each colour from `first` on the sum of the unit vectors that have it: as masks, so that
    what does not depend on them stays out."""
    shape = (count, node.size)
    wanted = find("add")(iota(count), full(first, INT))
    rows = broadcast_to(reshape(wanted, (count, 1)), shape)
    mask = reshape(equal(broadcast_to(colours, shape), rows), (count, *node.shape))
    return linear.masked(mask, full(1, node.dtype, mask.shape))


def _flat(whole: Tangent, count: int, like: Node) -> Node:
    if whole is None:
        return zeros(array_type((count, like.size), like.dtype))
    return reshape(whole, (count, like.size))


def _joined(parts: Sequence[Node], axis: int) -> Node:
    if len(parts) == 1:
        return parts[0]
    dtype = np.result_type(*[part.dtype for part in parts])
    return concatenate(*[find("convert")(part, dtype) for part in parts], axis=axis)
