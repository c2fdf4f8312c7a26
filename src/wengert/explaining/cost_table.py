"""The cost of a function as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wengert.execution.budget.amounts import in_words
from wengert.lazy import module

if TYPE_CHECKING:
    from rich.console import RenderableType

    from wengert.explaining.cost import Cost, KernelCost, ProgramCost

MOST_ROWS = 60
_MOST_NAMES = 12


def cost_table(cost: Cost) -> RenderableType:
    """In all, then the pieces of the compiled program, then the steps."""
    group: RenderableType = module("rich.console").Group(
        _in_all(cost), _kernels(cost), _steps(cost)
    )
    return group


def _table(title: str, caption: str = "") -> Any:
    return module("rich.table").Table(
        title=_plain(title),
        caption=_plain(caption) if caption else None,
        box=module("rich.box").SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        title_justify="left",
        caption_justify="left",
    )


def _plain(text: str) -> Any:
    """Text in which a bracket is a bracket, and no markup."""
    return module("rich.text").Text(text)


def _in_all(cost: Cost) -> Any:
    ratio = cost.ratio
    caption = "" if ratio is None else f"value and gradient: {ratio:.3g} times the operations"
    table = _table(f"cost of {cost.function}", caption)
    table.add_column("compiled")
    columns = ("operations", "read", "written", "scratch", "peak memory", "kernels", "host calls")
    for name in columns:
        table.add_column(name, justify="right")
    table.add_row("function", *_row(cost.forward))
    if cost.gradient is not None:
        table.add_row("value and gradient", *_row(cost.gradient))
    return table


def _row(of: ProgramCost) -> list[str]:
    sizes = map(in_words, (of.read, of.written, of.scratch, of.peak))
    return [count(of.operations), *sizes, str(of.kernels), str(of.host_calls)]


def _kernels(cost: Cost) -> Any:
    table = _table("what is fused with what")
    table.add_column("kernel", justify="right", style="bold")
    table.add_column("what")
    table.add_column("steps", style="cyan")
    for name in ("operations", "read", "written"):
        table.add_column(name, justify="right")
    for kernel in cost.kernels[:MOST_ROWS]:
        what = f"{kernel.what}: {kernel.reason}" if kernel.reason else kernel.what
        table.add_row(
            str(kernel.number),
            _plain(what),
            _plain(_names(kernel)),
            count(kernel.operations),
            in_words(kernel.read),
            in_words(kernel.written),
        )
    _more(table, len(cost.kernels), "kernels")
    return table


def _names(kernel: KernelCost) -> str:
    if not kernel.steps:
        return "(copies)"
    names = list(kernel.steps[:_MOST_NAMES])
    if len(kernel.steps) > _MOST_NAMES:
        names.append(f"… {len(kernel.steps) - _MOST_NAMES} more")
    return ", ".join(names)


def _steps(cost: Cost) -> Any:
    table = _table(
        "step by step", "A step without a kernel is an input, a view or a part of others."
    )
    table.add_column("step", style="bold", no_wrap=True)
    table.add_column("operation")
    for name in ("operations", "read", "written", "kernel"):
        table.add_column(name, justify="right")
    table.add_column("line", style="dim")
    steps = [step for step in cost.steps if step.formula]
    for step in _dearest(steps):
        table.add_row(
            _plain(step.name),
            _plain(step.formula),
            count(step.operations),
            in_words(step.read),
            in_words(step.written),
            "" if step.kernel is None else str(step.kernel),
            _plain(f"{step.place.rpartition(':')[2]}: {step.source}" if step.place else ""),
        )
    _more(table, len(steps), "steps of fewer operations")
    return table


def _dearest(steps: Sequence[Any]) -> list[Any]:
    """The steps of the most operations, in the order of the program."""
    if len(steps) <= MOST_ROWS:
        return list(steps)
    least = sorted((step.operations for step in steps), reverse=True)[MOST_ROWS - 1]
    return [step for step in steps if step.operations >= least][:MOST_ROWS]


def _more(table: Any, of: int, what: str) -> None:
    if of > MOST_ROWS:
        table.caption = f"{of - MOST_ROWS} more {what} are not shown."


def count(number: int) -> str:
    """A count as people read it.

    >>> count(950), count(54_000_000)
    ('950', '54 M')
    """
    for unit, scale in (("T", 10**12), ("G", 10**9), ("M", 10**6)):
        if number >= scale:
            return f"{number / scale:.3g} {unit}"
    return f"{number:,}".replace(",", " ")
