"""What makes traces and programs large: captured arrays, unrolled loops, mixed precision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from wengert.errors import WengertError
from wengert.execution.budget.amounts import in_words
from wengert.execution.jit import Jitted
from wengert.explaining.findings import Finding, counted, lines
from wengert.explaining.tracing import traced

if TYPE_CHECKING:
    from wengert.explaining.report import Report

LARGE = 2**20
"""Bytes of an array that takes a while to be copied."""
UNROLLED = 40
"""Repetitions of a line's operations that make a loop of it."""
LONG = 1_000
"""Elements of an array whose conversion is worth a word."""


def captured(report: Report) -> Iterator[Finding]:
    """Large arrays from outside that somebody may write to: a trace keeps a copy of each."""
    if isinstance(report.function, Jitted) or report.args is None:
        return  # which reads them where they are
    constants = [step for step in report.steps if step.kind == "constant" and step.nbytes >= LARGE]
    if not constants:
        return
    try:
        found = traced(report.function, report.args, {}, report.steps.function)
    except WengertError:
        return
    copied = [
        value
        for _, value in found.outside
        if isinstance(value, np.ndarray) and value.nbytes >= LARGE and value.flags.writeable
    ]
    if copied:
        total = in_words(sum(value.nbytes for value in copied))
        count = "a large array" if len(copied) == 1 else f"{len(copied)} large arrays"
        users = {step.name for step in constants}
        places = [s.place for s in report.steps if not users.isdisjoint(s.args)]
        yield Finding(
            kind="captured arrays",
            what=(
                f"the function reads {count} from outside, {total}, and a trace copies what may be "
                "written to meanwhile"
            ),
            cure="pass it as an argument, or make it read-only (a.flags.writeable = False), or jit",
            where=lines(places),
        )


def unrolled(report: Report) -> Iterator[Finding]:
    """Python's loops that made the same operations over and over."""
    steps = [step for step in report.steps if step.kind == "operation"]
    repeated = []
    for group in report.steps.groups:
        # a loop makes each operation of a line about as often
        turns = int(np.median(list(group.counts.values())))
        if group.place is not None and turns >= UNROLLED:
            repeated.append((group, turns))
    if not repeated:
        return
    own = sum(len(group.steps) for group, _ in repeated)
    turns = max(turns for _, turns in repeated)
    yield Finding(
        kind="unrolled loop",
        what=(
            f"a loop of Python was unrolled into {own:,} of {len(steps):,} steps, about {turns} "
            "times the same, each of which is traced and compiled"
        ),
        cure=(
            "wengert.scan or wengert.fori_loop where a step needs the one before, wengert.vmap or "
            "whole arrays where it does not: one step is traced, whatever the count"
        ),
        share=own / len(steps),
        of="of the steps",
        where=lines([group.place for group, _ in repeated]),
    )


def mixed_precision(report: Report) -> Iterator[Finding]:
    """float32 arrays that meet float64 ones and are converted."""
    converted = []
    everything = 0
    for step, node in zip(report.steps, report.steps.nodes, strict=True):
        everything += step.nbytes
        if node.op.name != "convert" or node.dtype != np.float64 or node.size < LONG:
            continue
        if node.args[0].dtype == np.float32:
            converted.append(step)
    if converted:
        moved = sum(step.nbytes for step in converted)
        kinds = Counter(str(step.dtype) for step in converted)
        yield Finding(
            kind="mixed precision",
            what=(
                f"{counted(len(converted), 'float32 array becomes', 'float32 arrays become')} "
                f"{', '.join(kinds)} on meeting such ones: {in_words(moved)}, and what follows is "
                "float64"
            ),
            cure="make all arrays float32 (np.asarray(a, np.float32)), or all float64 beforehand",
            share=moved / everything if everything else None,
            of="of the bytes of all steps",
            where=lines([step.place for step in converted]),
        )
