"""A progress bar for estimates that take long."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from wengert.lazy import module

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 1.5
"""Seconds after which a bar appears by itself."""


class Bar:
    """A count of products on stderr, shown where it is asked for.

    shown: True at once, False never, None after PATIENCE seconds where stderr is a terminal.
    total: how many products are expected, None while that is not known.
    """

    def __init__(self, shown: bool | None, what: str, total: int | None = None) -> None:
        self._wanted = sys.stderr.isatty() if shown is None else shown
        self._patience = PATIENCE if shown is None else 0.0
        self._what = what
        self._started = time.monotonic()
        self._bar: Progress | None = None
        self.total = total
        self.done = 0

    def advance(self, products: int) -> None:
        """So many products more are done."""
        self.done += products
        if not self._wanted:
            return
        if self._bar is None:
            if time.monotonic() - self._started < self._patience:
                return
            self._bar = _drawn()
            self._bar.start()
            self._bar.add_task(self._what)
        self._bar.update(self._bar.task_ids[0], completed=self.done, total=self.total)

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _drawn() -> Progress:
    rich = module("rich.progress")
    console = module("rich.console").Console(stderr=True)
    bar: Progress = rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.TextColumn("{task.completed} products"),
        rich.TimeElapsedColumn(),
        console=console,
        transient=console.is_terminal,  # elsewhere the last state is all that is written
    )
    return bar
