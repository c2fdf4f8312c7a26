"""Buffers that are only copied to one place are written there instead.

What is joined of parts that are joined themselves, as the blocks of a matrix or the columns of a
table, would else be written once at each level.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from wengert.compiler.nests.statements import Call, Memory, Statement, strides
from wengert.ops.native import Term


def in_place(steps: Sequence[Statement | Call]) -> list[Statement | Call]:
    """The steps without such copies; what wrote the buffer writes where that is copied to."""
    reads = Counter(
        edge.source for step in steps for edge in step.args if isinstance(edge.source, Memory)
    )
    kept: list[Statement | Call] = []
    for step in steps:
        source = _copied(step) if isinstance(step, Statement) else None
        if source is None or reads[source] > 1:
            kept.append(step)
            continue
        assert isinstance(step, Statement)
        assert step.target is not None
        at = step.target.writers.index(step)
        step.target.writers[at : at + 1] = source.writers
        for writer in source.writers:
            writer.target, writer.apart = step.target, True
            writer.place = Term(writer.place.offset + step.place.offset, writer.place.axes)
        source.writers = []
    return kept


def _copied(step: Statement) -> Memory | None:
    """The buffer that a statement copies, all of it and in its order, to a place that nobody else
    writes; None where the statement does anything else, or the order of those who write counts."""
    if step.kind != "store" or len(step.args) != 1:
        return None
    (edge,) = step.args
    source, target = edge.source, step.target
    if not isinstance(source, Memory) or source.where != "buffer" or edge.guards:
        return None
    assert target is not None
    if source.tape or source.dtype != target.dtype or math.prod(step.shape) != source.size:
        return None
    if not step.apart and target.writers != [step]:
        return None
    whole = Term(0, tuple(enumerate(strides(step.shape))))
    if edge.terms != (whole,) or step.place.axes != whole.axes:
        return None
    alone = len(source.writers) == 1
    for writer in source.writers:
        if not isinstance(writer, Statement) or writer.kind != "store":
            return None
        if not (alone or writer.apart):
            return None
    return source if source.writers else None
