"""Budgeted programs by the identity of their outputs, in the tiers of all programs.

A graph seen for the first time runs as calls of NumPy; seen again, as machine code. The one needs
more memory than the other, since it fuses nothing: where one has no way within the budget, the
other is tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wengert import settings
from wengert.errors import MemoryBudgetError
from wengert.execution.budget.native import ManyPrograms, NativeBudgeted
from wengert.execution.budget.program import Interpreted
from wengert.execution.memory import keep_what_is_freed
from wengert.execution.programs import recall, remember
from wengert.graph.node import Node

WITHOUT_END = 1 << 62
"""A budget that holds anything."""


class Budgeted:
    """The program of some outputs within a budget, in its present tier."""

    __slots__ = ("_given", "_hot", "_native_fails", "_program", "budget", "outputs")

    def __init__(
        self, outputs: Sequence[Node], given: Sequence[Node], budget: int, hot: bool
    ) -> None:
        self.outputs, self._given, self.budget = tuple(outputs), tuple(given), budget
        self._hot = hot
        self._native_fails = False
        self._program: Interpreted | NativeBudgeted | None = None

    @property
    def program(self) -> Interpreted | NativeBudgeted:
        """The program in its present tier, planned if it is not yet."""
        if self._program is None:
            self._program = self._made(self._hot)
        return self._program

    def run(self, values: Mapping[Node, Any]) -> list[Any]:
        """The outputs for these values of the leaves, as arrays that the caller owns."""
        again = self._program is not None
        if again and isinstance(self._program, Interpreted) and settings.native:
            if not self._native_fails:
                self._program = self._made(True)
        return self.program.run(values)

    def _made(self, hot: bool) -> Interpreted | NativeBudgeted:
        tiers: list[type[Interpreted] | type[NativeBudgeted]] = [Interpreted]
        if settings.native:
            tiers.insert(0 if hot else 1, NativeBudgeted)
            keep_what_is_freed()
        failed: list[MemoryBudgetError] = []
        for tier in tiers:
            try:
                return tier(self.outputs, self._given, self.budget)
            except ManyPrograms:
                self._native_fails = True
            except MemoryBudgetError as error:
                self._native_fails |= tier is NativeBudgeted
                failed.append(error)
        raise min(failed, key=lambda error: error.smallest)


def within(
    outputs: Sequence[Node], given: Sequence[Node], budget: int, hot: bool = False
) -> Budgeted:
    """The program of these outputs within a budget of bytes."""
    key = ("within", budget, *outputs, None, *given)
    found: Budgeted | None = recall(key)
    if found is None:
        found = Budgeted(outputs, given, budget, hot)
        remember(key, found, len(outputs) + len(found.program.runs))
    return found
