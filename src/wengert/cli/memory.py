"""`wengert memory`: what a gradient holds, and what it repeats to hold less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wengert.cli.arguments import bound
from wengert.cli.asking import check_endings, takes_function, takes_wrt
from wengert.cli.programs import loaded, running
from wengert.cli.telling import say, say_json, working
from wengert.errors import MemoryBudgetError, WengertError
from wengert.execution.budget.amounts import in_bytes
from wengert.execution.budget.drawing import as_svg
from wengert.lazy import module

EPILOG = """\b
Examples:
  wengert memory program.py:steps --at "x=np.ones(1000)"
  wengert memory program.py:steps --at "x=np.ones(1000)" --budget 200kB
  wengert memory program.py:steps --at "x=np.ones(1000)" --budget 200kB --svg memory.svg
  wengert memory program.py:steps --at "x=np.ones(1000)" --json

\b
The exit status is 1 where no way is found to hold to the budget.
"""


def _amount(_context: Any, _parameter: Any, text: str | None) -> int | None:
    try:
        return None if text is None else in_bytes(text)
    except WengertError as error:
        message = str(error).partition("\n  at ")[0]
        raise click.BadParameter(message.removeprefix("memory=")) from error


@click.command(epilog=EPILOG)
@takes_function
@takes_wrt
@click.option("--budget", callback=_amount, metavar="AMOUNT", help="The most, as 200MB or 1.5GiB.")
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a drawing of the live bytes over the steps to a file.",
)
def memory(
    target: str,
    at: tuple[str, ...],
    as_json: bool,
    wrt: str | None,
    budget: int | None,
    svg: Path | None,
) -> None:
    """Plan the memory of a gradient, without running it.

    The peak, what is kept, what is repeated within the budget and how much more work that is, and
    a drawing of the live bytes over the steps.
    """
    check_endings(svg=svg)
    program = loaded(target, quiet=as_json)
    arguments = bound(program.function, program.name, at)
    argnums = arguments.argnums(wrt)
    plan_of = module("wengert.derivatives.memory").memory_plan
    with running(program.file, quiet=as_json), working("planning", quiet=as_json):
        try:
            plan = plan_of(arguments.function, *arguments.values, memory=budget, argnums=argnums)
        except MemoryBudgetError as error:
            raise click.ClickException(str(error).partition("\n  at ")[0]) from error
    if svg is not None:
        try:
            svg.write_text(as_svg(plan.live, budget), encoding="utf-8")
        except OSError as error:
            raise click.UsageError(f"{svg} cannot be written: {error.strerror}") from error
    if as_json:
        written = [] if svg is None else [str(svg)]
        say_json({"function": program.name, "plan": plan, "written": written})
        return
    say(plan)
    if svg is not None:
        click.echo(f"wrote {svg}")
