"""Memory against time: a gradient within budgets."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from wengert.cli.report.figures import figure
from wengert.cli.report.markup import Section, duration, number, paragraph, percent, table
from wengert.execution.budget.amounts import in_words


def memory(program: ModuleType, found: list[Any], layers: int) -> Section:
    """program: examples/memory_budget.py. found: what `compare` returned."""
    rows = [
        [
            in_words(one.budget),
            in_words(one.peak),
            percent(one.overhead, 0),
            duration(one.seconds),
            number(one.seconds / found[0].seconds, 2),
        ]
        for one in found
    ]
    least = found[-1]
    off = max(one.off for one in found)
    drawn = figure(
        program.picture(found),
        "memory",
        "Left, work and time against the peak of memory: both grow as the memory shrinks. Right, "
        "the bytes that are held over the steps: with everything stored they rise to the middle "
        "and fall, within small budgets they go up and down below the budget",
        "Left, what less memory costs; right, what is held while the gradient runs.",
    )
    return Section(
        "memory",
        "Memory against time",
        paragraph(
            f"Reverse mode through {layers} layers reads the values of all of them, from the last "
            "one back. Within a budget some are dropped, and computed again from one that was "
            "kept; <code>wengert.memory_plan</code> tells which. "
            f"In {percent(least.peak / found[0].peak, 0)} of the memory it takes "
            f"{number(1 + least.overhead, 2)} times the work, and the gradient is the same to "
            f"{number(off, 1)}."
        )
        + table(
            f"The gradient of a chain of {layers} layers",
            ["budget", "peak", "repeated work", "time", "as a multiple"],
            rows,
        )
        + drawn,
        (
            percent(least.peak / found[0].peak, 0),
            f"of the memory suffices, for {number(1 + least.overhead, 2)} times the work",
        ),
    )
